"""From trusted tables to frames for a notebook, each with what became of its rows and how it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from journeylib.data.problems import ArgumentError, InputError, Problem
from journeylib.data.trusted import TrustedTables

__all__ = ["ReadTables", "build_answers", "build_events", "count_rows", "describe_columns", "take_tables"]

KEPT = ("customer", "occurred_at", "name")
ANSWER = ("response", "customer", "answered_at", "question", "role", "touchpoint", "stage", "value")
OF_A_QUESTION = ("question", "role", "touchpoint", "stage", "scale_min", "scale_max", "series")
MOST_MISFITS = 0.05  # share of a question's answers that may lie outside its scale
SETTINGS = ("separator", "encoding", "date_format", "time_zone")


@dataclass(frozen=True)
class ReadTables:
    """The tables of one source, and what became of its rows."""

    tables: dict[str, pd.DataFrame]
    waterfall: pd.DataFrame
    quarantine: pd.DataFrame
    as_of_us: int


def take_tables(trusted: TrustedTables) -> ReadTables:
    """Take trusted tables into memory.

    Parameters
    ----------
    trusted : TrustedTables
        A folder of tables of one source.

    Returns
    -------
    ReadTables
        Its events, or its responses and answers, with the book-keeping.
    """
    tables = {name: trusted.read(name) for name in ("events", "responses", "answers") if trusted.has(name)}
    as_of = int(trusted.facts["as_of_us"])
    return ReadTables(tables, trusted.read_waterfall(), trusted.read_quarantine(), as_of)


def build_events(read: ReadTables, source: Mapping[str, Any], given: Mapping[str, str]) -> pd.DataFrame:
    """Return the events of an export as a frame.

    Parameters
    ----------
    read : ReadTables
        What was read.
    source : mapping
        How it was read.
    given : mapping
        The columns that were said, not guessed.

    Returns
    -------
    DataFrame
        One row is one event, with the columns that hold anything.
    """
    events = read.tables["events"]
    by_day = events["precision"].eq("day").any()
    hidden = set() if by_day else {"precision", "local_day"}
    chosen = [name for name in events if name in KEPT or (name not in hidden and events[name].notna().any())]
    named = [*[name for name in KEPT if name in chosen], *[name for name in chosen if name not in KEPT]]
    frame = _date(events[named], "occurred_at", "received_at")
    return _note(frame, read, source, given)


def build_answers(read: ReadTables, source: Mapping[str, Any], given: Mapping[str, str]) -> pd.DataFrame:
    """Return the answers of a survey as a frame, a row also for each question that was left blank.

    Parameters
    ----------
    read : ReadTables
        What was read.
    source : mapping
        How it was read.
    given : mapping
        The columns that were said, not guessed.

    Returns
    -------
    DataFrame
        One row is one question of one respondent.

    Raises
    ------
    InputError
        Where many answers to a question lie outside its scale.
    """
    responses, answers = read.tables["responses"], read.tables["answers"]
    _check_fit(answers, read.quarantine, source)
    questions = answers[list(OF_A_QUESTION)].drop_duplicates("question")
    own = answers[["response", "question", "value", "not_applicable", "text"]]
    filled = responses.dropna(axis="columns", how="all").columns
    about = responses[[name for name in responses if name in filled or name in ("customer", "answered_at")]]
    grid = about.merge(questions, how="cross").merge(own, on=["response", "question"], how="left")
    grid["not_applicable"] = grid["not_applicable"].eq(True).fillna(False).astype(bool)
    grid = grid[[*ANSWER, *[name for name in grid if name not in ANSWER and name != "period"]]]
    return _note(_date(grid, "answered_at"), read, source, given)


def count_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Count what became of each row of a file: rows in = rows used + rows set aside + cells left out.

    Parameters
    ----------
    frame : DataFrame
        What `read_events` or `read_answers` returned, or what was made from it.

    Returns
    -------
    DataFrame
        One row is one step: table (of a survey also ``answers``, whose rows are cells), step, rule, rows,
        and where the first such row stands.

    Raises
    ------
    ArgumentError
        Where the frame does not say how it was read.
    """
    rows = pd.DataFrame(_find(frame, "rows"))
    return rows


def describe_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Describe how a file was read: which of its columns was taken for what, and what was guessed.

    Parameters
    ----------
    frame : DataFrame
        What `read_events` or `read_answers` returned, or what was made from it.

    Returns
    -------
    DataFrame
        One row is one of our columns, or a setting of the file: ours, theirs, and how it is known (given,
        guessed, same name).

    Raises
    ------
    ArgumentError
        Where the frame does not say how it was read.
    """
    source, given = _find(frame, "source"), _find(frame, "given")
    roles = {row["question"]: row for row in source.get("codebook", []) if row["role"] != row["question"]}
    rows: list[dict[str, str]] = [
        {"ours": ours, "theirs": theirs, "how": "given" if ours in given else "guessed"}
        for ours, theirs in source["columns"].items()
    ]
    if source["table"] == "events":
        same = [name for name in frame.attrs["read"] if name not in source["columns"]]
        rows += [{"ours": name, "theirs": name, "how": "same name"} for name in same]
    rows += [{"ours": row["role"], "theirs": theirs, "how": _say_scale(row)} for theirs, row in roles.items()]
    shown = {"\t": "tab"}
    rows += [
        {"ours": f"({name})", "theirs": shown.get(source[name], source[name]), "how": "of the file"}
        for name in SETTINGS
        if source[name]
    ]
    return pd.DataFrame(rows)


def _say_scale(row: Mapping[str, str]) -> str:
    scale = f", {row['scale_min']} to {row['scale_max']}" if row["scale_min"] else ""
    return f"given{scale}" + (f", at {row['touchpoint']}" if row["touchpoint"] else "")


def _find(frame: pd.DataFrame, key: str) -> Any:
    if key not in frame.attrs:
        raise ArgumentError("This frame does not say how it was read; give what read_events returned.")
    return frame.attrs[key]


def _note(
    frame: pd.DataFrame, read: ReadTables, source: Mapping[str, Any], given: Mapping[str, str]
) -> pd.DataFrame:
    """Note in the frame's attrs, in a few small plain values, how it was read and what was set aside."""
    first = read.quarantine.drop_duplicates(["table", "rule"]).set_index(["table", "rule"])
    rows: list[dict[Any, Any]] = read.waterfall.drop(columns="source").to_dict("records")
    for row in rows:
        key, place = (row["table"], row["rule"]), ""
        if key in first.index:
            one = first.loc[[key]].iloc[0]
            place = f"{one['file']}, line {one['line']}" + (f", {one['column']}" if one["column"] else "")
        row["first"] = place
    noted = {"source": dict(source), "given": sorted(given), "rows": rows, "as_of_us": read.as_of_us}
    return _set_attrs(frame, {**noted, "read": [str(name) for name in frame]})


def _set_attrs(frame: pd.DataFrame, attrs: dict[Any, Any]) -> pd.DataFrame:
    noted = frame.copy()
    noted.attrs = attrs
    return noted


def _date(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return microseconds as times in UTC."""
    times = {
        name: pd.to_datetime(frame[name].astype("Int64"), unit="us", utc=True).astype("datetime64[us, UTC]")
        for name in columns
        if name in frame
    }
    return frame.assign(**times).reset_index(drop=True)


def _check_fit(answers: pd.DataFrame, quarantine: pd.DataFrame, source: Mapping[str, Any]) -> None:
    """Refuse a question of which many answers lie outside its scale, rather than score the rest."""
    outside = quarantine[(quarantine["table"] == "answers") & (quarantine["rule"] == "unknown_code")]
    for column, rows in outside.groupby("column"):
        row = next(row for row in source["codebook"] if row["column"] == column)
        n = len(rows) + int((answers["question"] == row["question"]).sum())
        if len(rows) > MOST_MISFITS * n:
            found = f"{len(rows)} of {n} answers outside {row['scale_min']} to {row['scale_max']}"
            mend = f'say its scale or its codes, as in "{column}: {row["role"]} 1-7 na 8 blank 99"'
            place = f"{rows['file'].iloc[0]}"
            line = int(rows["line"].iloc[0])
            raise InputError(
                Problem(place, found, f"the scale of {row['role']}", mend, line=line, column=str(column))
            )
