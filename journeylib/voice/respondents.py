"""Who gave an answer: the period, wave, person, weight and segment label of each respondent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from journeylib.data.problems import ArgumentError, say_nearest

__all__ = ["list_respondents", "prepare_survey", "read_by"]

PERIODS = ("reviewed", "previous", "year_ago")
_NEEDED = ("response", "question", "role", "value")
_DEFAULTS: dict[str, Any] = {
    "touchpoint": "",
    "stage": "",
    "which": "reviewed",
    "series": "",
    "not_applicable": False,
    "text": "",
    "scale_min": np.nan,
    "scale_max": np.nan,
}


def read_by(by: str | Sequence[str] | None) -> tuple[list[str], str]:
    """Take the argument ``by`` apart into places and one segment column.

    Parameters
    ----------
    by : str, sequence of str or None
        Any of ``touchpoint``, ``stage`` and at most one ``segment.<name>``.

    Returns
    -------
    tuple of list and str
        The place columns in the order stage, touchpoint, and the segment column ("" for none). The order of
        ``by`` does not matter.

    Raises
    ------
    ValueError
        If a name is unknown or two segment columns are asked for.

    Examples
    --------
    >>> read_by(["touchpoint", "segment.problem"])
    (['touchpoint'], 'segment.problem')
    """
    names = [by] if isinstance(by, str) else list(by or [])
    segments = sorted({name for name in names if name.startswith("segment.") and name != "segment."})
    unknown = [name for name in names if name not in ("stage", "touchpoint", *segments)]
    if unknown:
        near = say_nearest(unknown[0], ["touchpoint", "stage"])
        raise ArgumentError(
            f"by holds {unknown[0]!r}; expected touchpoint, stage or a segment column such as segment.problem"
            + (f"; {near}" if near.startswith("did") else "")
        )
    if len(segments) > 1:
        raise ArgumentError(
            f"by holds {len(segments)} segment columns ({', '.join(segments)}); one at a time"
        )
    return [name for name in ("stage", "touchpoint") if name in names], segments[0] if segments else ""


def prepare_survey(
    answers: pd.DataFrame, responses: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Bring answers and responses into the one form that this room works on.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer to one question. Needed: ``response``, ``question``, ``role``, ``value``; the
        other columns of the answers table and ``which`` (reviewed, previous, year_ago) have defaults.
    responses : pandas.DataFrame or None
        One row is one respondent in one wave.

    Returns
    -------
    tuple of pandas.DataFrame and pandas.DataFrame or None
        New tables. Answers: one row an answer, sorted by ``which``, ``response``, ``question``, ``value``, so
        that nothing computed from it depends on the order of the input; a place is "" where it is missing, a
        not applicable answer has no value. Without a column ``which`` in the answers, all of both tables is
        one period, called reviewed.

    Raises
    ------
    ValueError
        If a needed column is missing or ``which`` holds another word.

    Examples
    --------
    >>> answers = pd.DataFrame({"response": [1], "question": "Q1", "role": "nps", "value": [9]})
    >>> answers, _ = prepare_survey(answers, None)
    >>> answers[["response", "which", "touchpoint", "value"]].values.tolist()
    [['1', 'reviewed', '', 9.0]]
    """
    missing = [name for name in _NEEDED if name not in answers]
    if missing:
        raise ArgumentError(
            f"answers: column {missing[0]} is missing; found {', '.join(map(str, answers.columns))}"
        )
    absent = {name: default for name, default in _DEFAULTS.items() if name not in answers}
    prepared = answers.assign(**absent)
    for name in ("touchpoint", "stage", "series", "text"):
        prepared[name] = prepared[name].astype("str").where(prepared[name].notna(), "")
    for name in ("response", "question", "role", "which"):
        prepared[name] = prepared[name].astype("str")
    for name in ("value", "scale_min", "scale_max"):
        prepared[name] = pd.to_numeric(prepared[name]).astype(float)
    wrong = sorted(set(prepared["which"].unique()) - set(PERIODS))
    if wrong:
        raise ArgumentError(f"answers: column which holds {wrong[0]!r}; expected {', '.join(PERIODS)}")
    prepared["not_applicable"] = prepared["not_applicable"].eq(True).fillna(False).astype(bool)
    prepared["value"] = prepared["value"].where(~prepared["not_applicable"])
    prepared = prepared.sort_values(
        ["which", "response", "question", "value"], kind="stable", ignore_index=True
    )
    starts = prepared[["which", "response"]].ne(prepared[["which", "response"]].shift()).any(axis=1)
    prepared["respondent"] = starts.cumsum() - 1
    for name in ("touchpoint", "stage", "series", "question", "role", "which"):
        prepared[name] = prepared[name].astype("category")
    if responses is not None and "which" not in answers:
        responses = responses.assign(which="reviewed")
    return prepared, responses


def list_respondents(
    answers: pd.DataFrame, responses: pd.DataFrame | None, *, segment: str = "", weighted: bool = False
) -> pd.DataFrame:
    """List everyone who took part in a period, also those who left every question blank.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer, as :func:`prepare_survey` returns it.
    responses : pandas.DataFrame or None
        One row is one respondent in one wave, or in one period where it has a column ``which``; only then are
        respondents without any answer known to belong to a period. None: the respondents' columns are looked
        for in ``answers``.
    segment : str, default ""
        Segment column to carry as ``label``.
    weighted : bool, default False
        Whether the column ``weight`` is needed.

    Returns
    -------
    pandas.DataFrame
        One row is one respondent in one period, those with answers first: ``respondent`` (the number that the
        answers have), ``which``, ``wave`` ("" unknown), ``person`` (a number for the customer, else for the
        response in its period), ``weight`` (1 unless weighted; missing unless finite and above 0) and
        ``label`` (missing where the label is missing or empty; "" where no segment was asked for).

    Raises
    ------
    ValueError
        If a needed column is missing, or ``responses`` has two different rows for one response.

    Examples
    --------
    >>> answers = pd.DataFrame({"response": [1], "question": "Q1", "role": "nps", "value": [9]})
    >>> responses = pd.DataFrame({"response": [1, 2], "wave": "spring", "weight": [1.5, 0.0]})
    >>> people = list_respondents(*prepare_survey(answers, responses), weighted=True)
    >>> people[["respondent", "wave", "weight"]].values.tolist()
    [[0, 'spring', 1.5], [1, 'spring', nan]]
    """
    taken = answers.drop_duplicates("respondent").astype({"which": "str"})
    if responses is not None:
        taken = _join_responses(taken[["which", "response"]], responses, segment=segment)
    for name in [segment] * bool(segment) + ["weight"] * weighted:
        _need(taken, name)
    customer = _read_text(taken, "customer")
    person = ("customer:" + customer).fillna("response:" + taken["which"] + ":" + taken["response"])
    weight = pd.to_numeric(taken["weight"]).astype(float) if weighted else pd.Series(1.0, taken.index)
    people = {
        "respondent": np.arange(len(taken)),
        "which": pd.Categorical(taken["which"], PERIODS),
        "wave": _read_text(taken, "wave").fillna("").astype("category"),
        "person": pd.factorize(person)[0],
        "weight": weight.where(np.isfinite(weight) & (weight > 0)),
        "label": (_read_text(taken, segment) if segment else pd.Series("", taken.index)).astype("category"),
    }
    return pd.DataFrame(people).reset_index(drop=True)


def _join_responses(taken: pd.DataFrame, responses: pd.DataFrame, *, segment: str) -> pd.DataFrame:
    """Join the columns of the responses to those who answered; below them, those who did not."""
    _need(responses, "response")
    key = ["which", "response"] if "which" in responses else ["response"]
    traits = [name for name in ("wave", "customer", "weight", segment) if name and name in responses]
    own = responses[key + traits].astype(dict.fromkeys(key, "str")).drop_duplicates()
    doubled = own[own.duplicated(key)]
    if not doubled.empty:
        raise ArgumentError(
            f"responses: {len(doubled)} responses have a second row that differs in "
            f"{', '.join(traits)}; expected one row a response and period"
        )
    if "which" in responses:
        silent = own.merge(taken, on=key, how="left_anti")[key].sort_values(key)
        taken = pd.concat([taken, silent[silent["which"].isin(PERIODS)]], ignore_index=True)
    return taken.merge(own, on=key, how="left", validate="many_to_one")


def _read_text(table: pd.DataFrame, name: str) -> pd.Series:
    """Read a column as text; missing and empty are missing, and so is an absent column."""
    if name not in table:
        return pd.Series(np.nan, table.index, dtype="str")
    text = table[name].astype("str")
    return text.where(table[name].notna() & text.ne(""))


def _need(table: pd.DataFrame, name: str) -> None:
    """Refuse respondents without a needed column."""
    if name not in table:
        raise ArgumentError(
            f"responses: column {name} is missing; found {', '.join(map(str, table.columns))}"
        )
