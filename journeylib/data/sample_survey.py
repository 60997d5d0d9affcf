"""The made-up survey: one wave a quarter, one row a respondent, with columns that drift."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pandas as pd

from journeylib.data import sample_survey_model as model
from journeylib.data.sample_draws import FIRST_DAY, QUARTERS, draw_codes
from journeylib.data.sample_files import read_template, write_times
from journeylib.data.sample_survey_model import RATINGS, Item

__all__ = ["RATINGS", "count_careless", "draw_wave", "export_wave"]

_BLANKS = np.array(["", "99", "k.A."], dtype=object)
_HEARD_SHARES, _NEED_SHARES = (0.22, 0.12, 0.28, 0.25, 0.13), (0.35, 0.2, 0.3, 0.15)
# The careful take at least so many seconds, the careless always fewer; the check asks for box 2.
_LEAST_SECONDS, _CHECK_BOX, _FAILED_CHECK = 60, 2, {False: 0.01, True: 0.8}
# Columns that this tool writes with a space behind the name.
_SPACED = ("submitted_at", "Q4_parcel")


def draw_wave(
    customers: pd.DataFrame, wave: int, *, first: int = 0, invited: float = 1.0, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the answers of one wave; nobody's satisfaction changes from wave to wave.

    Parameters
    ----------
    customers : DataFrame
        As from `draw_customers`; a customer may answer in many waves.
    wave : int
        Place of the wave's quarter in `QUARTERS`.
    first : int
        Running number for respondents who gave no id.
    invited : float
        Share of the customers, 0 to 1, drawn at random, who are asked at all.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row is one respondent, by time; one column a question of the codebook, all text, blanks coded in
        three ways (empty, 99, k.A.), 'not used' as one above the scale.

    Examples
    --------
    >>> from journeylib.data.sample_customers import draw_customers
    >>> rng = np.random.default_rng(0)
    >>> "nps" in draw_wave(draw_customers(5, rng=rng), 0, rng=rng)
    True
    """
    last = pd.Period(QUARTERS[wave]).end_time.normalize()
    day = (last - FIRST_DAY).days - rng.integers(3, 28, len(customers))
    answers = rng.random(len(customers)) < invited * _find_chances(customers, QUARTERS[wave])
    here = answers & (day >= customers["joined_day"].to_numpy()) & (day < customers["left_day"].to_numpy())
    people, size = customers.loc[here], int(here.sum())
    seconds = int(FIRST_DAY.timestamp()) + day[here] * 86_400 + rng.integers(8 * 3600, 22 * 3600, size)
    names = people["customer"].to_numpy(dtype=object).copy()
    hidden = rng.random(size) < model.ANONYMOUS_SHARE
    names[hidden] = [
        f"anon-{QUARTERS[wave]}-{first + place:05d}" for place in np.flatnonzero(hidden).tolist()
    ]
    style = "%Y-%m-%d %H:%M" if wave < 3 else "%d.%m.%Y %H:%M"
    table = {
        "respondent": names,
        "answered_at": write_times(seconds, style=style),
        **_draw_answers(people, wave, rng=rng),
    }
    return (
        pd.DataFrame(table)
        .astype("str")
        .iloc[np.lexsort((names.astype("str"), seconds))]
        .reset_index(drop=True)
    )


def count_careless(answers: pd.DataFrame) -> int:
    """Count the respondents of a wave who ticked one box down the whole form.

    Parameters
    ----------
    answers : DataFrame
        As from `draw_wave`.

    Returns
    -------
    int
        All of them, and only they, took under a minute; most also failed the attention check.

    Examples
    --------
    >>> count_careless(pd.DataFrame({"seconds": ["59", "60"]}))
    1
    """
    return int((answers["seconds"].astype("int64") < _LEAST_SECONDS).sum())


def _find_chances(customers: pd.DataFrame, quarter: str) -> np.ndarray:
    """Return each customer's chance to answer: by plan and wave, satisfaction and kind."""
    share = customers["plan"].map(model.find_response_shares(quarter)).to_numpy(dtype="float64")
    kind = np.array(model.PERSONA_FACTORS).take(customers["persona"].to_numpy(), mode="clip")
    return share * model.weigh_moods(customers["satisfaction"].to_numpy()) * kind


def _draw_answers(people: pd.DataFrame, wave: int, *, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the answers to each question but id and time, as text."""
    size, mood = len(people), people["satisfaction"].to_numpy()
    style = np.where(people["region"] == model.STYLE_REGION, model.STYLE_SHIFT, 0.0)
    boxes, shares = zip(*model.CARELESS_BOXES.items(), strict=True)
    careless = rng.random(size) < model.CARELESS_SHARE
    ticked = np.array(boxes)[draw_codes(shares, size, rng=rng)]
    problem = rng.random(size) < model.PROBLEM_SHARE

    def draw(item: Item, mean: np.ndarray | float | None = None) -> np.ndarray:
        centre = (item.mean if mean is None else mean) + style * (item.high - item.low) + item.slope * mood
        return np.clip(np.rint(centre + item.noise * rng.standard_normal(size)), item.low, item.high)

    answers = {
        "nps": _blank(
            draw(Item(0, 10, 0.0, 1.0, model.NPS_NOISE), _find_trust(people, wave, problem, rng=rng)), rng=rng
        )
    }
    met = {name: (rng.random(size) < share) | careless for name, (_, share) in RATINGS.items()}
    for question, item in model.list_items().items():
        scores = np.where(careless, ticked, draw(item))
        if question.startswith(("csat_", "perceive_")):
            scores = np.where(met.get(question.partition("_")[2], True), scores, item.high + 1)
        answers[question] = _blank(scores, rng=rng)
    answers |= _draw_ease(wave, met, draw, rng=rng)
    answers |= _draw_facts(people, wave, problem, careless, rng=rng)
    return answers


def _find_trust(
    people: pd.DataFrame, wave: int, problem: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """Return the mean of each respondent's recommendation before rounding; for a few, 0 is an answer."""
    trust = people["plan"].map(model.NPS_MEANS).to_numpy(dtype="float64") - model.PROBLEM_FALL * problem
    if QUARTERS[wave] == model.SHIFT_WAVE:
        trust -= people["plan"].map(model.NPS_FALLS).to_numpy(dtype="float64")
    return np.where(rng.random(len(people)) < model.ANGRY_SHARE, -4.0, trust)


def _draw_ease(
    wave: int, met: dict[str, np.ndarray], draw: Callable[[Item], np.ndarray], *, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return the two questions on ease; that on help was one on effort, on another scale, until 2025Q4."""
    asked = {"ces_checkout": Item(1, 7, 5.3, 0.5, 1.1), "ces_help": Item(1, 7, 4.8, 0.5, 1.2)}
    if wave < model.EASE_FROM:
        asked["ces_help"] = Item(1, 5, 2.6, -0.3, 0.8)
    return {
        question: _blank(np.where(met[question.partition("_")[2]], draw(item), item.high + 1), rng=rng)
        for question, item in asked.items()
    }


def _draw_facts(
    people: pd.DataFrame, wave: int, problem: np.ndarray, careless: np.ndarray, *, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return what is no rating: problem, age, how the shop was heard of, comment, weight, seconds."""
    size, mood = len(people), people["satisfaction"].to_numpy()
    failed = rng.random(size) < np.where(careless, _FAILED_CHECK[True], _FAILED_CHECK[False])
    careful = _LEAST_SECONDS + rng.gamma(3.0, 60.0, size)
    hasty = rng.integers(12, _LEAST_SECONDS, size)
    # The weight mends how often each plan answers; it knows nothing of moods.
    share = people["plan"].map(model.find_response_shares(QUARTERS[wave])).to_numpy(dtype="float64")
    weights = model.RESPONSE_SHARE / share * rng.uniform(0.8, 1.2, size)
    return {
        "attention": np.where(failed, rng.integers(3, 6, size), _CHECK_BOX),
        "problem": _blank(np.where(problem, 1, 2), rng=rng),
        "heard_from": _blank(1 + draw_codes(_HEARD_SHARES, size, rng=rng), rng=rng),
        "need": _blank(1 + draw_codes(_NEED_SHARES, size, rng=rng), rng=rng),
        "age_group": _blank(people["age_group"].to_numpy(), rng=rng),
        "comment": _draw_comments(people["language"].to_numpy(), unhappy=problem | (mood < -0.8), rng=rng),
        "language": people["language"].to_numpy(),
        "country": people["country"].to_numpy(),
        "weight": np.array([f"{value:.2f}" for value in weights.tolist()], dtype=object),
        "seconds": np.where(careless, hasty, careful).astype("int64"),
    }


def _blank(codes: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return codes as text, a few of them blank in one of three ways."""
    is_blank = rng.random(len(codes)) < model.BLANK_SHARE
    return np.where(
        is_blank, _BLANKS[rng.integers(0, 3, len(codes))], codes.astype("int64").astype("str").astype(object)
    )


def _draw_comments(language: np.ndarray, *, unhappy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return whole sentences in the respondent's language; empty where nothing was written."""
    sentences = pd.read_csv(io.StringIO(read_template("comments.csv")), dtype=str)
    writes, place = rng.random(len(language)) < model.COMMENT_SHARE, rng.integers(0, 10**6, len(language))
    texts = np.full(len(language), "", dtype=object)
    for (spoken, mood), pool in sentences.groupby(["language", "unhappy"])["comment"]:
        rows = writes & (language == spoken) & (unhappy == (mood == "yes"))
        texts[rows] = pool.to_numpy(dtype=object)[place[rows] % len(pool)]
    return texts


def export_wave(answers: pd.DataFrame, wave: int) -> pd.DataFrame:
    """Return a wave under the column names that the tool used in that wave.

    Parameters
    ----------
    answers : DataFrame
        As from `draw_wave`; columns that are no question stay as they are.
    wave : int
        Place of the wave's quarter in `QUARTERS`.

    Returns
    -------
    DataFrame
        One row is one respondent; a question that the wave did not ask has no column.

    Examples
    --------
    >>> list(export_wave(pd.DataFrame({"nps": ["9"], "csat_packaging": ["5"]}), 0))
    ['Q1_recommend']
    """
    book = pd.read_csv(io.StringIO(read_template("survey_codebook.csv")), dtype=str, keep_default_na=False)
    asked = book.loc[book["wave"].isin(["", QUARTERS[wave]])]
    headers = {
        question: f"{column} " if column in _SPACED else column
        for question, column in zip(asked["question"], asked["column"], strict=True)
    }
    unasked = set(book["question"]) - set(headers)
    return answers.drop(columns=unasked.intersection(answers.columns)).rename(columns=headers)
