"""One unit is one respondent: from answers to what each respondent brings to the score of a place."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pandas as pd

from journeylib.voice.scales import SCORES, check_scales, find_points

__all__ = ["KEYS", "average_units", "select_questions", "sum_units"]

KEYS = ["role", "stage", "touchpoint", "item"]
_COLUMNS = [
    *("role", "stage", "touchpoint", "question", "series", "which", "wave", "label", "respondent", "person"),
    *("weight", "value", "not_applicable", "scale_min", "scale_max"),
]
_log = logging.getLogger(__name__)


def select_questions(answers: pd.DataFrame, people: pd.DataFrame, *, places: Sequence[str]) -> pd.DataFrame:
    """Select the questions that make the scores of the asked places, and lay them out per place and question.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer, as ``prepare_survey`` returns it.
    people : pandas.DataFrame
        One row is one respondent in one period, as ``list_respondents`` returns it.
    places : sequence of str
        Any of stage and touchpoint; none is the headline: questions that have neither.

    Returns
    -------
    pandas.DataFrame
        One row is one answer of role nps, csat or ces as it counts in one score: its respondent's columns,
        ``stage`` and ``touchpoint`` ("" where not a place that was asked for), ``item``: "" for the place's
        own score and, where the place has several questions of the role, a second time under the question.
        ``is_mixed`` marks items of places whose questions have different scales; these have no own score.
        ``place`` numbers the scores (all of these and ``label``).

    Raises
    ------
    ValueError
        If a scale is not declared or does not fit.

    Examples
    --------
    >>> from journeylib.voice.respondents import list_respondents, prepare_survey
    >>> answers = pd.DataFrame({"response": [1, 1], "question": ["Q1", "Q2"], "value": [4, 5]})
    >>> answers, _ = prepare_survey(answers.assign(role="csat", scale_min=1, scale_max=5), None)
    >>> select_questions(answers, list_respondents(answers, None), places=[])["item"].tolist()
    ['', '', 'Q1', 'Q2']
    """
    asked = answers[answers["role"].isin([role for role, _ in SCORES.values()])]
    if places:
        asked = asked[(asked[list(places)] != "").all(axis=1)]
    else:
        asked = asked[asked["touchpoint"].eq("") & asked["stage"].eq("")]
    check_scales(asked)
    nowhere = pd.Series("", asked.index, dtype="category")
    asked = asked.assign(**{name: nowhere for name in ("stage", "touchpoint") if name not in places})
    about = people.set_index("respondent")[["wave", "person", "weight", "label"]]
    asked = asked.drop(columns=about.columns, errors="ignore").join(about, on="respondent")
    own = asked[_COLUMNS].assign(item=nowhere.cat.set_categories(["", *asked["question"].cat.categories]))
    several = asked[_count_questions(asked).gt(1)][_COLUMNS]
    items = several.assign(item=several["question"].cat.set_categories(own["item"].cat.categories))
    both = _drop_mixed_scales(pd.concat([own, items], ignore_index=True))
    return both.assign(place=both.groupby([*KEYS, "label"], dropna=False).ngroup())


def average_units(asked: pd.DataFrame, *, metric: str) -> pd.DataFrame:
    """Average what each respondent's answers bring to a score, so that each respondent counts once.

    Parameters
    ----------
    asked : pandas.DataFrame
        One row is one answer as it counts in one score, from ``select_questions``.
    metric : str
        One of the scores.

    Returns
    -------
    pandas.DataFrame
        One row is one respondent in one score and period: the key columns, ``label``, ``which``, ``place``,
        ``person``, ``weight`` (1 unweighted), ``points`` (the mean over the respondent's answers) and
        ``squares`` (their mean square; for means the square of the respondent's mean). Respondents without an
        answer have no row.

    Examples
    --------
    >>> from journeylib.voice.respondents import list_respondents, prepare_survey
    >>> answers = pd.DataFrame({"response": [1, 1], "question": ["Q1", "Q2"], "value": [3, 5]})
    >>> answers, _ = prepare_survey(answers.assign(role="csat", scale_min=1, scale_max=5), None)
    >>> asked = select_questions(answers, list_respondents(answers, None), places=[])
    >>> average_units(asked[asked["item"].eq("")], metric="csat_mean")["points"].tolist()
    [4.0]
    """
    points = find_points(asked, metric=metric)
    brought = asked.assign(points=points, squares=points**2)[points.notna()]
    key = ["place", "respondent"]
    means = brought.groupby(key)[["points", "squares"]].mean().reset_index()
    if SCORES[metric][1] == "mean":
        means["squares"] = means["points"] ** 2
    about = brought.drop_duplicates(key).sort_values(key, ignore_index=True)
    return about[[*KEYS, "label", "which", "place", "person", "weight"]].join(means[["points", "squares"]])


def sum_units(units: pd.DataFrame, *, within: Sequence[str] = ()) -> pd.DataFrame:
    """Sum respondents into one row a person, the form in which the evidence room takes them.

    Parameters
    ----------
    units : pandas.DataFrame
        One row is one respondent: ``person``, ``weight``, ``points``, ``squares``; no missing values.
    within : sequence of str
        Columns, such as the place and the period, within each of which persons are summed for themselves.

    Returns
    -------
    pandas.DataFrame
        One row is one person (index, below the columns of ``within``):
        ``total``, ``units`` and ``squares``, each times weight, and ``count``
        (respondents).

    Examples
    --------
    >>> units = pd.DataFrame({"person": ["a", "a"], "weight": [1.0, 2.0], "points": [1.0, 0.0]})
    >>> sum_units(units.assign(squares=units["points"] ** 2)).loc["a"].tolist()
    [1.0, 3.0, 1.0, 2.0]
    """
    weight = units["weight"]
    parts = {"total": weight * units["points"], "units": weight, "squares": weight * units["squares"]}
    table = pd.DataFrame({**{name: units[name] for name in [*within, "person"]}, **parts, "count": 1})
    return table.groupby([*within, "person"], observed=True).sum()


def _count_questions(asked: pd.DataFrame) -> pd.Series:
    """Count for each answer the answered questions of its role at its place."""
    own = KEYS[:3]
    answered = asked.loc[asked["value"].notna(), [*own, "question"]].drop_duplicates()
    counts = answered.groupby(own).size().rename("n_questions").reset_index()
    return asked[own].merge(counts, on=own, how="left")["n_questions"].set_axis(asked.index)


def _drop_mixed_scales(both: pd.DataFrame) -> pd.DataFrame:
    """Leave out scores over different scales within one period; mark the questions of such places."""
    key, own = [*KEYS, "which"], [*KEYS[:3], "which"]
    scales = both.loc[both["value"].notna(), [*key, "scale_min", "scale_max"]].drop_duplicates()
    mixed = scales[scales.duplicated(key)][key].drop_duplicates()
    if mixed.empty:
        return both.assign(is_mixed=False)
    for role, stage, touchpoint, _ in sorted(set(mixed[KEYS].itertuples(index=False, name=None))):
        place = touchpoint or stage or "the headline"
        _log.warning("no joint %s score of %s: its answers are on different scales", role, place)
    both = both.merge(mixed.assign(drop=True), on=key, how="left")
    both = both.merge(mixed[own].drop_duplicates().assign(is_mixed=True), on=own, how="left")
    both["is_mixed"] = both["is_mixed"].eq(True)
    return both[~both["drop"].eq(True)].drop(columns="drop").reset_index(drop=True)
