"""The made-up survey: one wave a quarter, one row a respondent, with columns that drift."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from journeylib.data.sample_draws import FIRST_DAY, QUARTERS
from journeylib.data.sample_files import read_template, write_times

__all__ = ["RATINGS", "draw_wave", "export_wave"]

# Each rated touchpoint: mean of the answers before rounding, and the share of respondents who met it.
RATINGS = {
    "search": (3.9, 0.75),
    "product_view": (4.1, 0.95),
    "checkout": (4.0, 0.80),
    "payment": (4.0, 0.75),
    "delivery": (2.9, 0.75),
    "packaging": (4.2, 0.75),
    "invoice": (4.1, 0.70),
    "help": (3.8, 0.45),
    "call": (3.9, 0.40),
    "store": (4.2, 0.35),
}
_RESPONSE_SHARE, _ANONYMOUS_SHARE, _BLANK_SHARE, _COMMENT_SHARE = 0.52, 0.08, 0.03, 0.3
_PROBLEM_SHARE, _ANGRY_SHARE = 0.17, 0.025
_BLANKS = np.array(["", "99", "k.A."], dtype=object)
_WEIGHTS = {"basic": 0.92, "plus": 1.06, "family": 1.18}
# Columns that this tool writes with a space behind the name.
_SPACED = ("submitted_at", "Q4_parcel")


def draw_wave(
    customers: pd.DataFrame, wave: int, *, first: int = 0, rng: np.random.Generator
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
    answers = rng.random(len(customers)) < _RESPONSE_SHARE
    here = answers & (day >= customers["joined_day"].to_numpy()) & (day < customers["left_day"].to_numpy())
    people, size = customers.loc[here], int(here.sum())
    seconds = int(FIRST_DAY.timestamp()) + day[here] * 86_400 + rng.integers(8 * 3600, 22 * 3600, size)
    names = people["customer"].to_numpy(dtype=object).copy()
    hidden = rng.random(size) < _ANONYMOUS_SHARE
    names[hidden] = [
        f"anon-{QUARTERS[wave]}-{first + place:05d}" for place in np.flatnonzero(hidden).tolist()
    ]
    style = "%Y-%m-%d %H:%M" if wave < 3 else "%d.%m.%Y %H:%M"
    table = {
        "respondent": names,
        "answered_at": write_times(seconds, style=style),
        **_draw_scores(people, rng=rng),
    }
    return (
        pd.DataFrame(table)
        .astype("str")
        .iloc[np.lexsort((names.astype("str"), seconds))]
        .reset_index(drop=True)
    )


def _draw_scores(people: pd.DataFrame, *, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the answers to each question but id and time, as text."""
    size, mood = len(people), people["satisfaction"].to_numpy()
    problem = rng.random(size) < _PROBLEM_SHARE

    def rate(
        mean: float | np.ndarray, slope: float, noise: float, low: int, high: int, met: float = 1.0
    ) -> np.ndarray:
        score = np.clip(np.rint(mean + slope * mood + noise * rng.standard_normal(size)), low, high).astype(
            "int64"
        )
        return _blank(np.where(rng.random(size) < met, score, high + 1), rng=rng)

    # A few people are through with the shop: 0 is an answer on this scale.
    trust = np.where(rng.random(size) < _ANGRY_SHARE, -4.0, 8.7 - 1.6 * problem)
    answers = {"nps": rate(trust, 1.0, 1.4, 0, 10), "csat_overall": rate(3.95, 0.5, 0.6, 1, 5)}
    for touchpoint, (mean, met) in RATINGS.items():
        answers[f"csat_{touchpoint}"] = rate(mean, 0.4, 0.75, 1, 5, met)
    answers["ces_checkout"] = rate(5.3, 0.5, 1.1, 1, 7, 0.9)
    answers["ces_help"] = rate(4.8, 0.5, 1.2, 1, 7, 0.5)
    answers["problem"] = _blank(np.where(problem, 1, 2), rng=rng)
    answers["age_group"] = _blank(people["age_group"].to_numpy(), rng=rng)
    answers["comment"] = _draw_comments(
        people["language"].to_numpy(), unhappy=problem | (mood < -0.8), rng=rng
    )
    answers["language"], answers["country"] = people["language"].to_numpy(), people["country"].to_numpy()
    weights = people["plan"].map(_WEIGHTS).to_numpy(dtype="float64") * rng.uniform(0.7, 1.3, size)
    answers["weight"] = np.array([f"{value:.2f}" for value in weights.tolist()], dtype=object)
    answers["seconds"] = (60 + rng.gamma(3.0, 60.0, size)).astype("int64")
    return answers


def _blank(codes: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return codes as text, a few of them blank in one of three ways."""
    is_blank = rng.random(len(codes)) < _BLANK_SHARE
    return np.where(is_blank, _BLANKS[rng.integers(0, 3, len(codes))], codes.astype("str").astype(object))


def _draw_comments(language: np.ndarray, *, unhappy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return whole sentences in the respondent's language; empty where nothing was written."""
    sentences = pd.read_csv(io.StringIO(read_template("comments.csv")), dtype=str)
    writes, place = rng.random(len(language)) < _COMMENT_SHARE, rng.integers(0, 10**6, len(language))
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
