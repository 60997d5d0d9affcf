"""Answers of a survey wave, by the codebook alone: one row a question and respondent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from journeylib.data.codebook import FILE, split_codes
from journeylib.data.files import SourceFile, find_separator
from journeylib.data.problems import InputError, Problem, say_nearest
from journeylib.data.records import read_number
from journeylib.data.responses import FIELDS, LABELS, find_codes
from journeylib.data.sources import Source
from journeylib.data.tables import SCORED_ROLES

__all__ = ["find_questions", "read_answers_of_wave"]

NARROW = 11  # on a scale of at most so many points an answer is a whole number
ANSWER = {
    "response": "str",
    "question": "str",
    "role": "str",
    "touchpoint": "str",
    "stage": "str",
    "value": "float64",
    "not_applicable": "bool",
    "text": "str",
    "scale_min": "float64",
    "scale_max": "float64",
    "series": "str",
    "fate": "str",
    "row": "int64",
}


def find_questions(codebook: pd.DataFrame, source: Source, file: SourceFile) -> pd.DataFrame:
    """Return the codebook's rows for one wave; a row of the wave itself goes before one for all waves.

    Parameters
    ----------
    codebook : DataFrame
        One row a question and wave.
    source : Source
        The wave.
    file : SourceFile
        Its file, whose header must have the columns.

    Returns
    -------
    DataFrame
        One row a question of this wave, in the codebook's order.

    Raises
    ------
    InputError
        If a column is not in the file, or the codebook has no question for the wave.
    """
    own = codebook[codebook["wave"] == source.name]
    others = codebook[(codebook["wave"] == "") & ~codebook["question"].isin(own["question"])]
    questions = pd.concat([own, others]).sort_index()
    problems = _check_columns(questions, file)
    if problems and (separator := find_separator(file)):
        found = f"one single column when cells are parted by {file.separator!r}"
        expected = f"columns such as {questions['column'].iloc[0]!r}"
        raise InputError(Problem(file.shown, found, expected, f"write {separator}", line=1))
    for role in (*FIELDS, *LABELS):
        mine = questions[questions["role"] == role]
        if len(mine) > 1:
            found = f"{len(mine)} rows of role {role} for wave {source.name!r}"
            mend, line = "take one away, or give each its own wave", int(mine["line"].iloc[-1])
            problems.append(Problem(FILE, found, "at most one", mend, line=line, column="role"))
    if set(questions["role"]) <= set(FIELDS):
        found, mend = f"no question for wave {source.name!r}", "add the wave's questions"
        problems.append(Problem(FILE, found, "a row with this wave, or with none", mend))
    if problems:
        raise InputError(problems)
    return questions


def _check_columns(questions: pd.DataFrame, file: SourceFile) -> list[Problem]:
    problems = []
    names: Sequence[str] = [name for name in file.header if name]
    for line, column, question in questions[["line", "column", "question"]].itertuples(index=False):
        if column not in names:
            found = f"column {column!r}, which {file.shown} does not have"
            own = f"mend the name, or give the row of {question!r} the wave that it belongs to"
            mend, expected = f"{own}; {say_nearest(column, names)}", f"a column of {file.shown}"
            problems.append(Problem(FILE, found, expected, mend, line=int(line), column="column"))
        elif (times := file.header.count(column)) > 1:
            found, mend = f"column {column!r} {times} times", "take one away or rename it"
            problems.append(Problem(file.shown, found, "each column once", mend, line=1))
    return problems


def read_answers_of_wave(
    frame: pd.DataFrame, responses: pd.DataFrame, questions: pd.DataFrame, *, decimal_comma: bool = False
) -> pd.DataFrame:
    """Return one row for each cell of a question that is no id, weight or date, also where it is blank.

    Parameters
    ----------
    frame : DataFrame
        The wave's file as text, the same rows as the responses.
    responses : DataFrame
        The respondents that are used.
    questions : DataFrame
        The wave's codebook rows.
    decimal_comma : bool
        Whether 7,5 means seven and a half.

    Returns
    -------
    DataFrame
        response, question, role, touchpoint, stage, value (reversed where lower is better, so that higher is
        better), not_applicable, text, scale_min, scale_max, series, row (the frame's), and `fate`: used,
        not_applicable, blank or unknown_code. Codes of segments stay as text.
    """
    parts = [pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in ANSWER.items()})]
    for row in questions[~questions["role"].isin(FIELDS)].to_dict("records"):
        text = frame.loc[responses.index, row["question"]]
        parts.append(_read_question(text, responses["response"], row, decimal_comma=decimal_comma))
    return pd.concat(parts[1:] or parts, ignore_index=True).astype(ANSWER)


def _read_question(
    text: pd.Series, response: pd.Series, row: dict[Any, Any], *, decimal_comma: bool
) -> pd.DataFrame:
    """Read one question's cells: each different cell once, since most of them are codes."""
    low, high = float(row["scale_min"]), float(row["scale_max"])
    scored = row["role"] in SCORED_ROLES
    places, cells = pd.factorize(text, use_na_sentinel=True)
    fates, values = _judge_cells(pd.Series(cells, dtype="str"), row, decimal_comma=decimal_comma)
    fate, value = fates[places], values[places]  # a missing cell's place is -1: the last one, which is blank
    columns = {name: str(row[name]) for name in ("question", "role", "touchpoint", "stage")}
    return pd.DataFrame(
        {
            "response": response,
            **columns,
            "value": value,
            "not_applicable": fate == "not_applicable",
            "text": text.where(fate != "blank"),
            "scale_min": low,
            "scale_max": high,
            "series": f"{row['label']} [{low:g} to {high:g}]" if scored else str(row["label"]),
            "fate": fate,
            "row": text.index,
        }
    )


def _judge_cells(
    cells: pd.Series, row: dict[Any, Any], *, decimal_comma: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return fate and value of each different cell, and of a missing one at the end."""
    low, high = float(row["scale_min"]), float(row["scale_max"])
    blank = find_codes(cells, row["blank"]).to_numpy(dtype=bool)
    not_applicable = find_codes(cells, row["not_applicable"]).to_numpy(dtype=bool)
    fate = np.full(len(cells), "used", dtype=object)
    value = np.full(len(cells), np.nan)
    if row["role"] in SCORED_ROLES:
        value = np.array(_read_scores(cells, row, decimal_comma=decimal_comma), dtype="float64")
        known = (value >= low) & (value <= high) & ((value % 1 == 0) | (high - low + 1 > NARROW))
        fate[~known] = "unknown_code"
        if row["orientation"] == "lower_is_better":
            value = low + high - value
    fate[not_applicable] = "not_applicable"
    fate[blank] = "blank"
    return np.append(fate, "blank"), np.append(np.where(fate == "used", value, np.nan), np.nan)


def _read_scores(cells: pd.Series, row: dict[Any, Any], *, decimal_comma: bool) -> list[float]:
    """Return codes as numbers; a cell that holds a code's label, as exports write the ends, is its code."""
    codes = {name: code for code, name in split_codes(row["values"]).items() if name}
    numbers = []
    for cell in cells:
        number = read_number(cell, decimal_comma=decimal_comma)
        labelled = np.isnan(number) and cell in codes
        numbers.append(read_number(codes[cell], decimal_comma=False) if labelled else number)
    return numbers
