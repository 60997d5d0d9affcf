"""Reading one's own exports in a notebook, by the same code and rules as a review, with readable ids."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from journeylib.data.guessing import find_date_format, guess_answer_columns, guess_event_columns
from journeylib.data.people import NO_KEY
from journeylib.data.problems import InputError, Problem, say_nearest
from journeylib.data.project import read_project
from journeylib.data.questions import Questions, read_questions
from journeylib.data.reading_frames import ReadTables, build_answers, build_events, take_tables
from journeylib.data.sighting import Sighting, sight_file
from journeylib.data.trusted import write_trusted_tables
from journeylib.data.writing import format_project, write_files

__all__ = ["read_answers", "read_events"]


def read_events(
    path: str | Path,
    *,
    customer: str | None = None,
    time: str | None = None,
    name: str | None = None,
    columns: Mapping[str, str] | None = None,
    time_zone: str = "UTC",
    date_format: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
) -> pd.DataFrame:
    """Read an export of events, such as clicks, from CSV (packed or not) or Parquet.

    Parameters
    ----------
    path : str or Path
        A file, or a pattern of files such as ``clicks_*.csv``; a relative one is looked for here, then in
        the folders above.
    customer, time, name : str, optional
        Their columns: who, when, what. Left out, they are guessed; ``describe_columns`` shows the guess.
        ``customer=""`` says that there is none.
    columns : mapping, optional
        Further columns, ours to theirs: any column of the events table, or ``segment.<name>``.
    time_zone : str, default "UTC"
        The zone of times without an offset.
    date_format : str, optional
        How times are written (strftime, or epoch_s, epoch_ms, epoch_us); found out where left out.
    separator, encoding : str, optional
        Found out where left out.

    Returns
    -------
    DataFrame
        One row is one event that keeps all rules, by customer and time: customer (the file's own id, missing
        where unknown), occurred_at (UTC), name, and what else the file has. Rows that break a rule are set
        aside: ``count_rows`` shows how many, by which rule, and where. ``attrs["source"]`` says how it was
        read, for `write_project`.

    Raises
    ------
    InputError
        Where a file or column is not there, or nothing can be read.

    Notes
    -----
    A column that is named as one of ours (event_id, session_given, basket, ...) is taken for it. Columns of
    at most 12 labels are kept as segments, at most five.
    """
    seen = sight_file(path, separator=separator, encoding=encoding)
    said = {"occurred_at": time, "customer": customer, "name": name, **(columns or {})}
    given = {ours: theirs for ours, theirs in said.items() if theirs is not None}
    _check_columns(seen, given)
    chosen = guess_event_columns(seen.sample, given, file=seen.shown)
    for ours, argument in (("occurred_at", "time"), ("name", "name")):
        if ours not in chosen and ours not in seen.header:
            raise InputError(_explain_missing(seen, argument))
    source = _describe(seen, "events", time_zone, chosen, date_format, chosen.get("occurred_at"))
    return build_events(_read(source), source, given)


def read_answers(
    path: str | Path,
    *,
    questions: Questions,
    customer: str | None = None,
    time: str | None = None,
    respondent: str | None = None,
    period: str = "",
    blank: str = "",
    time_zone: str = "UTC",
    date_format: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
) -> pd.DataFrame:
    """Read an export of a survey, one row a respondent.

    Parameters
    ----------
    path : str or Path
        The file; see `read_events`.
    questions : str or mapping
        Their column to its role: ``{"Q1": "nps", "Q2": "csat 1-5 at payment", "Q3": "ces 1-7
        higher_is_better"}``, or the same in one text parted by ``;``. Without ends nps is 0-10, csat 1-5, ces
        1-7, and a file whose answers do not fit is refused.
    customer, time : str, optional
        Their columns: who answered and when; guessed where left out, ``""`` says that there is none.
    respondent : str, optional
        Their column of respondents: of rows with the same one the last complete one is kept.
    period : str
        The period of all answers, such as ``2026Q3``; needed where no column says when.
    blank : str
        Codes that mean no answer in every question, parted by ``;``, such as ``"99;k.A."``.
    time_zone, date_format, separator, encoding
        As for `read_events`.

    Returns
    -------
    DataFrame
        One row is one question of one respondent: response, customer (the file's own id), answered_at (UTC),
        question, role, touchpoint, stage, value (higher is better; missing where not answered),
        not_applicable, text, scale_min, scale_max, series, wave, and the respondent's further columns.
        `score_answers` takes it as it is.

    Raises
    ------
    InputError
        Where a file or column is not there, a scale does not fit, or nothing can be read.
    """
    rows = read_questions(questions, blank=blank)
    seen = sight_file(path, separator=separator, encoding=encoding)
    asked = [row["column"] for row in rows]
    said = {"answered_at": time, "customer": customer, "respondent": respondent}
    given = {ours: theirs for ours, theirs in said.items() if theirs is not None}
    _check_columns(seen, given | dict(zip(asked, asked, strict=True)))
    who = guess_answer_columns(seen.sample, given, asked, file=seen.shown)
    if "answered_at" not in who and not period:
        raise InputError(_explain_missing(seen, "time", more=', or give period="2026Q3"'))
    empty = dict.fromkeys(rows[0], "")
    roles = [empty | {"question": ours, "column": theirs, "role": ours} for ours, theirs in who.items()]
    source = _describe(seen, "survey", time_zone, who, date_format, who.get("answered_at"))
    source |= {"codebook": [*roles, *rows], "period": period}
    return build_answers(_read(source), source, given)


def _describe(
    seen: Sighting,
    table: str,
    time_zone: str,
    columns: Mapping[str, str],
    date_format: str | None,
    timed: str | None,
) -> dict[str, Any]:
    """Return what is kept of a source: small, plain, and enough to write it into a project."""
    if date_format is None and timed:
        date_format = find_date_format(seen.sample[timed], file=seen.shown, column=timed)
    return {
        "table": table,
        "name": seen.stem,
        "path": seen.path,
        "format": seen.format,
        "encoding": seen.encoding,
        "separator": seen.separator,
        "date_format": date_format or "",
        "time_zone": time_zone,
        "columns": dict(columns),
    }


def _read(source: Mapping[str, Any]) -> ReadTables:
    """Read one source as a project of its own, by the code of the review, and keep its ids."""
    with tempfile.TemporaryDirectory(prefix="journeylib-") as made:
        folder = Path(made)
        text = format_project([source], slug="exploring", zone=source["time_zone"])
        write_files(folder, text, [source])
        try:
            tables = write_trusted_tables(read_project(folder), folder / "tables", key=NO_KEY)
        except InputError as error:
            raise InputError([_say_for_a_call(problem) for problem in error.problems]) from None
        return take_tables(tables)


def _say_for_a_call(problem: Problem) -> Problem:
    """Say a problem so that it fits a call in a notebook, where no file of a project was written by hand."""
    mend = problem.mend.replace("in journey.toml ", "").replace(" in journey.toml", "")
    if problem.file == "survey_codebook.csv":
        mend = mend.replace("survey_codebook.csv", "questions=")
        return replace(problem, file="questions=", line=None, mend=mend)
    if problem.file == "journey.toml":
        return replace(problem, file="the call", line=None, column=problem.column.split("] ")[-1], mend=mend)
    return replace(problem, mend=mend.replace("under blank in survey_codebook.csv", "of blank="))


def _check_columns(seen: Sighting, given: Mapping[str, str]) -> None:
    """Refuse columns that the file does not have, each with the nearest name."""
    problems = []
    for ours, theirs in given.items():
        if theirs and theirs not in seen.header:
            expected = "a column of the file" if ours == theirs else f"the column for {ours}"
            mend = say_nearest(theirs, seen.header)
            problems.append(Problem(seen.shown, f"no column {theirs!r}", expected, mend, line=1))
    if problems:
        raise InputError(problems)


def _explain_missing(seen: Sighting, argument: str, *, more: str = "") -> Problem:
    found = f"no column that looks like the {argument}"
    mend = f'write {argument}="their_column"{more}; {say_nearest(argument, seen.header)}'
    return Problem(seen.shown, found, f"one named by {argument}=, or one that can be guessed", mend, line=1)
