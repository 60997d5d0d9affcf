"""The CSV tables beside journey.toml: read as text with their lines, and checked cell by cell."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from journeylib.data.problems import Problem, say_nearest

__all__ = ["SideTable", "read_side_table"]


@dataclass
class SideTable:
    """One table beside journey.toml: its rows as text with `line`, and the problems that are found in it."""

    file: str
    rows: pd.DataFrame
    problems: list[Problem]

    def refuse(self, line: int | None, column: str, found: str, expected: str, mend: str) -> None:
        """Add a problem with one cell."""
        self.problems.append(Problem(self.file, found, expected, mend, line=line, column=column))

    def _refuse_where(self, wrong: pd.Series, column: str, expected: str, mend: str) -> None:
        for line, text in self.rows.loc[wrong, ["line", column]].itertuples(index=False):
            self.refuse(int(line), column, repr(text) if text else "an empty cell", expected, mend)

    def check_filled(self, column: str) -> None:
        """Refuse empty cells."""
        self._refuse_where(self.rows[column] == "", column, "a name", "fill it in")

    def check_words(self, column: str, words: Sequence[str]) -> None:
        """Refuse cells that hold none of the words; an empty word allows an empty cell."""
        known = [word for word in words if word]
        for line, word in self.rows.loc[~self.rows[column].isin(words), ["line", column]].itertuples(
            index=False
        ):
            shown = repr(word) if word else "an empty cell"
            self.refuse(int(line), column, shown, f"one of {', '.join(known)}", say_nearest(word, known))

    def check_dates(self, column: str) -> None:
        """Refuse cells that are neither empty nor a date such as 2026-07-01."""
        text = self.rows[column]
        dates = pd.to_datetime(text.where(text != ""), format="%Y-%m-%d", errors="coerce")
        wrong = dates.isna() & (text != "")
        self._refuse_where(wrong, column, "a date such as 2026-07-01", "write year-month-day")

    def read_numbers(self, column: str) -> pd.Series:
        """Return a column as numbers, missing where empty; refuse other text."""
        text = self.rows[column]
        numbers = pd.to_numeric(text.where(text != ""), errors="coerce").astype("float64")
        wrong = (text != "") & ~numbers.map(math.isfinite)
        self._refuse_where(wrong, column, "a number", "write digits alone, with a point for decimals")
        return numbers.where(~wrong)


def read_side_table(
    folder: Path, file: str, columns: Sequence[str], *, required: Sequence[str], problems: list[Problem]
) -> SideTable:
    """Read a table beside journey.toml as text.

    Parameters
    ----------
    folder : Path
        The project's folder.
    file : str
        The table's file; where it is not there, the table is empty.
    columns : sequence of str
        The columns that it may have; one that it lacks is empty.
    required : sequence of str
        The columns that it must have.
    problems : list of Problem
        What is wrong is added here.

    Returns
    -------
    SideTable
        One row a line of the file, text without outer spaces, `line` its number.
    """
    nothing = pd.DataFrame({name: pd.Series(dtype="str") for name in columns}).assign(line=0)
    table = SideTable(file, nothing, problems)
    if not (folder / file).exists():
        return table
    try:
        rows = _read_rows((folder / file).read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, OSError, csv.Error) as error:
        found = f"a file that can't be read ({type(error).__name__})"
        table.refuse(None, "", found, "a CSV file in UTF-8", "save it as CSV in UTF-8")
        return table
    before = len(problems)
    header = [name.strip() for name in rows[0][1]] if rows else []
    _check_header(table, header, columns, required)
    if len(problems) == before:
        for line, cells in rows[1:]:
            if len(cells) != len(header):
                mend = "quote cells that hold the separator, and close each quote"
                table.refuse(line, "", f"{len(cells)} cells", f"{len(header)} cells as in the header", mend)
    if len(problems) > before:
        return table
    texts = [[cell.strip() for cell in cells] for _, cells in rows[1:]]
    frame = pd.DataFrame(texts, columns=header, dtype="str").reindex(columns=list(columns), fill_value="")
    table.rows = frame.astype("str").assign(line=[line for line, _ in rows[1:]])
    return table


def _check_header(
    table: SideTable, header: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> None:
    for name in dict.fromkeys(header):
        if name not in columns:
            expected, mend = f"one of {', '.join(columns)}", say_nearest(name, columns)
            table.refuse(1, "", f"unknown column {name!r}", expected, mend)
        elif header.count(name) > 1:
            table.refuse(1, "", f"column {name!r} twice", "each column once", "take one away")
    for name in required:
        if name not in header:
            expected = f"the header {','.join(columns)}"
            table.refuse(1, "", f"no column {name!r}", expected, "write the header line first")


def _read_rows(text: str) -> list[tuple[int, list[str]]]:
    first = text.split("\n", 1)[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows, before = [], 0
    for cells in reader:
        if any(cell.strip() for cell in cells):
            rows.append((before + 1, cells))
        before = reader.line_num
    return rows
