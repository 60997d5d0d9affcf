"""How a group ticks whatever is asked: agreement, ends and middle of the scale, against everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.evidence import (
    adjust_p_values,
    compare_estimates,
    covariance,
    estimate_from_sums,
    sum_by_person,
)
from journeylib.voice.measures import build_measures
from journeylib.voice.respondents import PERIODS, list_respondents, prepare_survey, read_by

__all__ = ["INDICES", "find_response_styles", "measure_response_style", "score_styles"]

INDICES = ("acquiescence_index", "extreme_index", "midpoint_index")
#: Fewer questions than these tell content, not style; a respondent must have answered half of those asked.
FEWEST_QUESTIONS = 4
#: A group is told apart from this difference on, in percent of the answers (a convention), and from this n.
SMALLEST_DIFFERENCE, _LOW_BASE = 10.0, 30


def score_styles(answers: pd.DataFrame, *, items: Sequence[str] | None = None) -> pd.DataFrame:
    """Score how each respondent ticks on questions that have nothing to do with one another.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer, as ``prepare_survey`` returns it.
    items : sequence of str, optional
        The questions to read the style from; without it those of role importance.

    Returns
    -------
    pandas.DataFrame
        One row is one respondent: ``respondent``, ``which``, the three indices (percent of the answers),
        ``height`` (mean tick, 0 = lowest point of the scale to 1 = highest), ``n_items`` (answers read) and
        ``is_balanced`` (whether the wave asked items of both directions). Respondents with fewer answers than
        half the questions of their wave have no row; neither have waves with under four such questions.

    Notes
    -----
    Answers are read as they were ticked: those of reversed questions are turned back, as far as ``text``
    holds the code that was ticked. ``midpoint_index`` is missing where no scale has a middle point.

    Examples
    --------
    >>> from journeylib.voice.respondents import prepare_survey
    >>> ticks = pd.DataFrame({"response": 1, "question": list("abcd"), "value": [5, 5, 3, 4]})
    >>> ticks = ticks.assign(role="importance", scale_min=1, scale_max=5)
    >>> score_styles(prepare_survey(ticks, None)[0])[list(INDICES)].values.tolist()
    [[75.0, 50.0, 25.0]]
    """
    used = select_style_items(answers, items)
    used = used[used["value"].notna() & used["scale_max"].gt(used["scale_min"])]
    ticked, is_reversed = read_ticks(used)
    place = (ticked - used["scale_min"]) / (used["scale_max"] - used["scale_min"])
    has_middle = ((used["scale_max"] - used["scale_min"]) % 2).eq(0)
    parts = pd.DataFrame(
        {
            "respondent": used["respondent"],
            "which": used["which"].astype("str"),
            "question": used["question"].astype("str"),
            "is_reversed": is_reversed,
            "acquiescence_index": 100 * np.sign(place - 0.5),
            "extreme_index": 100.0 * place.isin([0.0, 1.0]),
            "midpoint_index": (100.0 * place.eq(0.5)).where(has_middle),
            "height": place,
        }
    )
    asked = parts.groupby("which").agg(n_asked=("question", "nunique"), turned=("is_reversed", "nunique"))
    scores = parts.groupby(["respondent", "which"])[[*INDICES, "height"]].mean()
    scores["n_items"] = parts.groupby(["respondent", "which"]).size()
    scores = scores.reset_index().join(asked, on="which")
    enough = scores["n_asked"].ge(FEWEST_QUESTIONS) & scores["n_items"].ge(scores["n_asked"] / 2)
    scores["is_balanced"] = scores.pop("turned").gt(1)
    return scores[enough].drop(columns="n_asked").reset_index(drop=True)


def select_style_items(
    answers: pd.DataFrame, items: Sequence[str] | None, *, role: str = "importance"
) -> pd.DataFrame:
    """Select the answers that a style is read from.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer; a table without the needed columns comes back as it is, to be refused later.
    items : sequence of str or None
        Questions; None for those of role importance.
    role : str, default "importance"
        A role whose answers are kept besides.

    Returns
    -------
    pandas.DataFrame
        The chosen rows.
    """
    if not {"role", "question"} <= set(answers.columns):
        return answers
    wanted = answers["role"].eq("importance") if items is None else answers["question"].isin(list(items))
    return answers[wanted | answers["role"].eq(role) if role != "importance" else wanted]


def read_ticks(answers: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Read which point of the scale was ticked, and whether the question counts the other way round.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer with a value, oriented so that higher is better.

    Returns
    -------
    tuple of pandas.Series
        The tick as on the form, and whether its question is reversed; on the index of ``answers``.
    """
    written = pd.to_numeric(answers["text"].astype("str"), errors="coerce").astype(float)
    turned = answers["scale_min"] + answers["scale_max"] - answers["value"]
    is_turned = written.eq(turned) & answers["value"].ne(turned)
    key = [answers[name].astype("str") for name in ("question", "series", "which")]
    is_reversed = is_turned.groupby(key).transform("any") if len(answers) else is_turned
    return answers["value"].where(~is_reversed, turned), is_reversed.astype(bool)


def measure_response_style(
    answers: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    by: str,
    items: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Measure the response style of each group, beside that of all who are not in it.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer to one question; as for ``score_answers``. ``text`` holds the ticked code.
    responses : pandas.DataFrame, optional
        One row is one respondent in one wave; as for ``score_answers``.
    by : str
        A segment column, such as ``segment.region``, ``segment.country`` or ``segment.language``.
    items : sequence of str, optional
        Questions to read the style from: of many subjects, in both directions, about nothing that the groups
        could differ in. Without it those of role importance. Under four: an empty table.

    Returns
    -------
    pandas.DataFrame
        A measure table in percent, one row an index, group and period, the total (segment "") first:
        ``acquiescence_index`` (answers above the middle of the scale less those below it, as ticked, so that
        agreeing with a statement and with its opposite count alike), ``extreme_index`` (answers at either
        end), ``midpoint_index`` (answers in the middle). Each respondent counts once. Further columns, of the
        groups: ``others`` (the index of all other labelled respondents), ``difference``, ``difference_low``,
        ``difference_high``, ``p_value``, ``q_value`` (Benjamini-Hochberg over groups and indices of the
        period) and ``differs``: the interval of the difference excludes 0, q is at most 0.05, the difference
        is 10 or more, and both have 30 respondents or more. Row order does not matter.

    Raises
    ------
    ValueError
        If ``by`` is no segment column, or a needed column is missing.

    Notes
    -----
    Baumgartner & Steenkamp (2001), Journal of Marketing Research 38:143-156: net acquiescence, extreme and
    midpoint responding, counted over heterogeneous items. With few items, or items that share a subject, the
    index holds content as well as style; ``note`` says where no item was reversed. The 10 is a convention.

    Examples
    --------
    >>> ticks = [(person, item, 5 if person < 3 else 1) for person in range(6) for item in "abcd"]
    >>> answers = pd.DataFrame(ticks, columns=["response", "question", "value"])
    >>> answers = answers.assign(role="importance", scale_min=1, scale_max=5)
    >>> answers["segment.country"] = ["AT" if person < 3 else "DE" for person, _, _ in ticks]
    >>> styles = measure_response_style(answers, by="segment.country")
    >>> styles[styles["metric"].eq("acquiescence_index")][["segment", "value"]].values.tolist()
    [['', 0.0], ['country=AT', 100.0], ['country=DE', -100.0]]
    """
    places, segment = read_by(by)
    if places or not segment:
        raise ArgumentError(f"by is {by!r}; expected one segment column such as segment.region")
    answers, responses = prepare_survey(select_style_items(answers, items), responses)
    people = list_respondents(answers, responses, segment=segment).set_index("respondent")
    units = score_styles(answers, items=items).join(people[["person", "label"]], on="respondent")
    labels = sorted(set(units["label"].dropna().astype("str")))
    rows: list[dict[str, Any]] = []
    for index in INDICES:
        rows += _measure_index(units, index)
        for label in labels:
            own = units["label"].eq(label).fillna(False)
            others = units[units["label"].notna() & ~own]
            name = f"{segment.removeprefix('segment.')}={label}"
            rows += _measure_index(units[own], index, others=others, segment=name)
    return _compare_with_others(rows)


def find_response_styles(
    answers: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    by: str,
    items: Sequence[str] | None = None,
) -> list[str]:
    """List the groups that answer in a style of their own in the reviewed period.

    Parameters
    ----------
    answers, responses, by, items
        As for ``measure_response_style``.

    Returns
    -------
    list of str
        ``column=label`` of each group with an index that differs from the others', sorted. Empty where none
        does, or where the survey has too few questions to tell.

    Examples
    --------
    >>> answers = pd.DataFrame({"response": [1], "question": "Q1", "role": "csat", "value": [5]})
    >>> find_response_styles(answers.assign(**{"segment.country": "DE"}), by="segment.country")
    []
    """
    table = measure_response_style(answers, responses, by=by, items=items)
    return sorted(set(table.loc[table["which"].eq("reviewed") & table["differs"], "segment"]))


def _measure_index(
    units: pd.DataFrame, index: str, *, others: pd.DataFrame | None = None, segment: str = ""
) -> list[dict[str, Any]]:
    """Measure one index of one group in each period, and that of the others beside it."""
    rows: list[dict[str, Any]] = []
    reviewed: pd.DataFrame | None = None
    for which in PERIODS:
        used = units[units["which"].eq(which) & units[index].notna()]
        if used.empty:
            continue
        found, sums = estimate_mean(used[index], used["person"])
        if which == "reviewed":
            reviewed, found["covariance"] = sums, np.nan
        else:
            found["covariance"] = 0.0 if reviewed is None else covariance("mean", reviewed, sums)
        note = "" if used["is_balanced"].all() else "no reversed question: agreement holds content too"
        about = {"metric": index, "segment": segment, "which": which, "unit_of_analysis": "respondents"}
        rest = None
        if others is not None:
            rest = others[others["which"].eq(which) & others[index].notna()]
        beside = {} if rest is None else {"rest": estimate_mean(rest[index], rest["person"])[0]}
        rows.append({**about, **found, "note": note, **beside})
    return rows


def estimate_mean(values: pd.Series, people: pd.Series) -> tuple[dict[str, Any], pd.DataFrame]:
    """Estimate a mean over respondents, a customer's responses in one period as one cluster; and its sums.

    Parameters
    ----------
    values, people : pandas.Series
        One row is one respondent; nothing is missing.

    Returns
    -------
    tuple of dict and pandas.DataFrame
        As from ``estimate_from_sums`` and ``sum_by_person``.
    """
    sums = sum_by_person(values, people=people)
    found = estimate_from_sums(
        "mean", sums["total"], sums["units"], squares=sums["squares"], counts=sums["count"]
    )
    return found, sums


def _compare_with_others(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Lay the rows out, and compare each group with the others of its period."""
    table = build_measures(rows)
    nothing = {"value": np.nan, "n": 0, "n_effective": np.nan, "kind": "mean", "spread": np.nan}
    beside = pd.DataFrame([row.get("rest", nothing) for row in rows], columns=[*nothing])
    beside = beside.astype({"value": float, "n_effective": float, "spread": float, "kind": "str"})
    ends = compare_estimates(table.drop(columns="covariance"), beside.drop(columns="n"))
    names = ["difference", "difference_low", "difference_high", "p_value"]
    table = table.assign(others=beside["value"]).join(ends.set_axis(names, axis="columns"))
    table["q_value"] = table.groupby("which")["p_value"].transform(lambda p: adjust_p_values(p.to_numpy()))
    table["differs"] = (
        (table["difference_low"].gt(0) | table["difference_high"].lt(0))
        & table["q_value"].le(0.05)
        & table["difference"].abs().ge(SMALLEST_DIFFERENCE)
        & table["n"].ge(_LOW_BASE)
        & beside["n"].astype(float).ge(_LOW_BASE)
    )
    return table
