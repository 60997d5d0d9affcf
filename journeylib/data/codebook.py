"""The codebook of a survey: what each of its columns means, and the rules that keep a wrong scale out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd

from journeylib.data.problems import Problem, say_nearest
from journeylib.data.side_tables import SideTable, read_side_table
from journeylib.data.tables import ROLES, SCORED_ROLES, STAGES

__all__ = ["CODEBOOK", "read_codebook", "split_codes"]

FILE = "survey_codebook.csv"
CODEBOOK = (
    "question",
    "wave",
    "column",
    "role",
    "touchpoint",
    "stage",
    "label",
    "scale_min",
    "scale_max",
    "orientation",
    "blank",
    "not_applicable",
    "values",
)
RESERVED = ("source_row", "file_number")
ORIENTATIONS = ("higher_is_better", "lower_is_better")


def split_codes(text: str) -> dict[str, str]:
    """Return the codes of a cell: ``1=yes;2=no`` gives names, ``0;Blank`` gives codes without names.

    Parameters
    ----------
    text : str
        Codes parted by semicolons.

    Returns
    -------
    dict
        Code to name; the name is empty where none is given.

    Examples
    --------
    >>> split_codes("1=yes; 2=no")
    {'1': 'yes', '2': 'no'}
    """
    parts = (part.partition("=") for part in text.split(";") if part.strip())
    return {code.strip(): name.strip() for code, _, name in parts}


def read_codebook(folder: Path, problems: list[Problem]) -> pd.DataFrame:
    """Read survey_codebook.csv: one row is one survey column that matters.

    Parameters
    ----------
    folder : Path
        The project's folder.
    problems : list of Problem
        What is wrong is added here.

    Returns
    -------
    DataFrame
        The codebook's columns as text, scale ends as numbers (missing where none), and `line`.
    """
    required = ("question", "column", "role")
    table = read_side_table(folder, FILE, CODEBOOK, required=required, problems=problems)
    book = table.rows.assign(
        scale_min=table.read_numbers("scale_min"), scale_max=table.read_numbers("scale_max")
    )
    for column in ("question", "column"):
        table.check_filled(column)
    for row in book.to_dict("records"):
        _check_row(table, {str(key): value for key, value in row.items()})
    # The engine, as most tools, does not tell names apart by their case.
    keys = book.assign(question=book["question"].str.lower())
    for _, group in book[keys.duplicated(["question", "wave"], keep=False)].groupby(keys["question"]):
        lines = ", ".join(str(line) for line in group["line"])
        found = f"question {group['question'].iloc[-1]!r} on lines {lines}"
        expected, mend = "one row for a question and wave", "give each its own name"
        table.refuse(int(group["line"].iloc[-1]), "", found, expected, mend)
    return book


def _check_row(table: SideTable, row: dict[str, Any]) -> None:
    line, role = int(row["line"]), str(row["role"])
    if row["question"].lower() in RESERVED:
        mend = "give it another name"
        table.refuse(line, "question", repr(row["question"]), "a name that the kit does not use itself", mend)
    if role not in ROLES:
        found = repr(role) if role else "an empty cell"
        table.refuse(line, "role", found, f"one of {', '.join(ROLES)}", say_nearest(role, ROLES))
        return
    if row["stage"] and row["stage"] not in STAGES:
        near = say_nearest(row["stage"], STAGES)
        table.refuse(line, "stage", repr(row["stage"]), f"one of {', '.join(STAGES)}", near)
    if row["orientation"] and row["orientation"] not in ORIENTATIONS:
        mend = f"write {ORIENTATIONS[0]}"
        table.refuse(line, "orientation", repr(row["orientation"]), " or ".join(ORIENTATIONS), mend)
    if role not in SCORED_ROLES:
        return
    _check_scale(table, line, role, float(row["scale_min"]), float(row["scale_max"]))
    if role == "nps":
        for column in ("blank", "not_applicable"):
            inside = [code for code in split_codes(row[column]) if _is_inside(code, 0, 10)]
            if inside:
                mend = f"0 to 10 are answers: take it out of {column}"
                table.refuse(line, column, f"code {inside[0]!r}", "codes outside 0 to 10", mend)
    if role == "ces" and not row["orientation"]:
        expected = " or ".join(ORIENTATIONS)
        table.refuse(line, "orientation", "no orientation for ces", expected, "say which end means easy")


def _check_scale(table: SideTable, line: int, role: str, low: float, high: float) -> None:
    if math.isnan(low) or math.isnan(high):
        expected = f"the ends of the scale of a {role} question"
        table.refuse(line, "scale_min", "no scale", expected, "write scale_min and scale_max")
        return
    found = f"a scale from {low:g} to {high:g}"
    if low >= high:
        table.refuse(line, "scale_min", found, "the lower end first", "write for example 1 and 5")
    elif role == "nps" and (low, high) != (0, 10):
        mend = "declare scale_min 0 and scale_max 10, or another role such as csat"
        table.refuse(line, "scale_min", f"{found} for nps", "0 and 10", mend)


def _is_inside(code: str, low: float, high: float) -> bool:
    try:
        return low <= float(code) <= high
    except ValueError:
        return False
