"""Respondents of a survey wave, by the codebook: who answered, when, with which weight, in which segments."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from journeylib.data.codebook import split_codes
from journeylib.data.records import read_numbers
from journeylib.data.sources import Source
from journeylib.data.tables import SCORED_ROLES, SEGMENT_ROLES

__all__ = ["FIELDS", "find_codes", "read_responses_of_wave"]

FIELDS = ("respondent", "customer", "answered_at", "weight", "seconds")  # columns that are no answer
WHOLE = re.compile(r"^([+-]?\d+)\.0+$", re.ASCII)
LABELS = ("language", "country")


def find_codes(text: pd.Series, codes: str) -> pd.Series:
    """Return which cells hold one of some codes; ``6.0`` is the code ``6``, as pandas writes it beside a gap.

    Parameters
    ----------
    text : Series
        Cells as text.
    codes : str
        Codes parted by semicolons, as the codebook writes them.

    Returns
    -------
    Series
        True where the cell is one of the codes; a missing cell is not.

    Examples
    --------
    >>> find_codes(pd.Series(["6.0", "Blank", "5"]), "6;Blank").tolist()
    [True, True, False]
    """
    known = split_codes(codes)
    if not known:
        return pd.Series(False, index=text.index)
    places, cells = pd.factorize(text)  # each different cell once; a missing one has the place -1, the last
    found = [cell in known or _clean_code(str(cell)) in known for cell in cells]
    return pd.Series(np.array([*found, False], dtype=bool)[places], index=text.index)


def _clean_code(cell: str) -> str:
    """Return a code without the ``.0`` that spreadsheets and pandas add to whole numbers."""
    return WHOLE.sub(r"\1", cell)


def read_responses_of_wave(
    frame: pd.DataFrame,
    questions: pd.DataFrame,
    source: Source,
    *,
    ceiling_us: int,
    as_of_us: int | None = None,
    decimal_comma: bool = False,
) -> pd.DataFrame:
    """Return one row a respondent, with the rule that the row breaks.

    Parameters
    ----------
    frame : DataFrame
        The wave's file as text, a column a question, in the file's order.
    questions : DataFrame
        The wave's codebook rows.
    source : Source
        The wave.
    ceiling_us : int
        An answer after this instant is from the future.
    as_of_us : int or None
        The instant as of which the data are looked at: what is answered after it is left out, and so is an
        undated answer of a wave whose period begins after it.
    decimal_comma : bool
        Whether 12,50 means twelve and a half.

    Returns
    -------
    DataFrame
        response, respondent, customer_given, answered_at (microseconds UTC), wave, period, weight, language,
        country, seconds, `segment.<question>`, and rule, fault_column. Of rows that share a respondent the
        last complete one is kept.
    """
    asked = dict(zip(questions["role"], questions["question"], strict=True))
    blank = dict(zip(questions["question"], questions["blank"], strict=True))
    nothing = pd.Series(pd.NA, index=frame.index, dtype="str")

    def read_field(role: str) -> pd.Series:
        if role not in asked:
            return nothing
        text = pd.Series(frame[asked[role]])
        return text.where(~find_codes(text, blank[asked[role]]))

    fields = {role: read_field(role) for role in FIELDS}
    respondent = fields["respondent"]
    place = "row " + (frame.index + 1).astype("str").to_series(index=frame.index)
    responses = pd.DataFrame(
        {
            "respondent": respondent,
            "customer_given": fields["customer"],
            "response": f"{source.name}:" + respondent.where(respondent.notna(), place),
            "wave": pd.Series(source.name, index=frame.index, dtype="str"),
            "period": pd.Series(source.period.label if source.period else "", index=frame.index, dtype="str"),
            "answered_at": _read_times(frame, asked, fields["answered_at"]),
            "weight": read_numbers(fields["weight"], decimal_comma=decimal_comma),
            "seconds": read_numbers(fields["seconds"], decimal_comma=decimal_comma),
            **dict.fromkeys(LABELS, nothing),
        }
    )
    for row in questions[questions["role"].isin(SEGMENT_ROLES)].to_dict("records"):
        labels = _label_codes(frame[row["question"]], row)
        responses[f"segment.{row['question']}"] = labels
        if row["role"] in LABELS:
            responses[row["role"]] = labels
    late = _find_late(responses, source, as_of_us)
    return responses.join(_find_faults(frame, responses, fields, questions, ceiling_us, late))


def _read_times(frame: pd.DataFrame, asked: dict[str, str], text: pd.Series) -> pd.Series:
    if "answered_at" not in asked:
        return pd.Series(pd.NA, index=frame.index, dtype="Int64")
    return frame[f"{asked['answered_at']}_us"].astype("Int64").where(text.notna())


def _label_codes(codes: pd.Series, row: dict[Any, Any]) -> pd.Series:
    """Return the names of codes; blank ones are missing, and codes that nobody documented are 'other'."""
    absent = find_codes(codes, str(row["blank"])) | find_codes(codes, str(row["not_applicable"]))
    known = codes.where(~absent)
    names = {code: name or code for code, name in split_codes(str(row["values"])).items()}
    if not names:
        return known
    names = {name: name for name in names.values()} | names  # an export may hold the labels themselves
    labels = {cell: names.get(cell, names.get(_clean_code(str(cell)))) for cell in known.dropna().unique()}
    named = known.map(labels).astype("str")
    return named.where(named.notna() | known.isna(), "other")


def _find_late(responses: pd.DataFrame, source: Source, as_of_us: int | None) -> pd.Series:
    if as_of_us is None:
        return pd.Series(False, index=responses.index)
    late = (responses["answered_at"] > as_of_us).fillna(False).astype(bool)
    if source.period is not None and source.period.start_us > as_of_us:
        late |= responses["answered_at"].isna()
    return late


def _find_faults(
    frame: pd.DataFrame,
    responses: pd.DataFrame,
    fields: dict[str, pd.Series],
    questions: pd.DataFrame,
    ceiling_us: int,
    late: pd.Series,
) -> pd.DataFrame:
    columns = dict(zip(questions["role"], questions["column"], strict=True))
    at, weight, text = responses["answered_at"], responses["weight"], fields["answered_at"]
    checks = [
        ("bad_date", "answered_at", text.notna() & at.isna()),
        ("future", "answered_at", at > ceiling_us),
        ("missing_answered_at", "answered_at", text.isna() & (responses["period"] == "")),
        ("bad_weight", "weight", fields["weight"].notna() & (weight.isna() | (weight < 0))),
        ("missing_respondent", "respondent", fields["respondent"].isna()),
        ("after_as_of", "answered_at", late),
    ]
    rule = pd.Series("", index=frame.index, dtype="str")
    column = pd.Series("", index=frame.index, dtype="str")
    for name, role, fails in checks:
        if role in columns or name == "after_as_of":
            fails = fails.fillna(False).astype(bool) & (rule == "")
            rule, column = rule.mask(fails, name), column.mask(fails, columns.get(role, ""))
    if "respondent" in columns:
        scored = questions[questions["role"].isin(SCORED_ROLES)]
        repeated = _find_repeated(frame[rule == ""], responses["respondent"], scored)
        rule.loc[repeated], column.loc[repeated] = "duplicate_respondent", columns["respondent"]
    return pd.DataFrame({"rule": rule, "fault_column": column})


def _find_repeated(frame: pd.DataFrame, respondent: pd.Series, scored: pd.DataFrame) -> pd.Index:
    """Return the rows that repeat a respondent: all but the last one with the most answers."""
    answered = pd.Series(0, index=frame.index)
    for question, blank in scored[["question", "blank"]].itertuples(index=False):
        answered += (frame[question].notna() & ~find_codes(frame[question], blank)).astype(int)
    order = pd.DataFrame({"respondent": respondent.loc[frame.index], "answered": answered})
    kept = order.assign(place=frame.index).sort_values(["answered", "place"])
    return frame.index.difference(kept.drop_duplicates("respondent", keep="last").index)
