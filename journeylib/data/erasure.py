"""The erasure list: people who asked to be forgotten, taken out of every table as it is read."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd

from journeylib.data.problems import Problem

__all__ = ["ERASED", "FILE", "find_erased", "read_erasure_list"]

FILE, COLUMN, ERASED = "erasure.csv", "customer", "erased"


def read_erasure_list(folder: Path, problems: list[Problem]) -> frozenset[str]:
    """Read erasure.csv beside journey.toml: under the header `customer`, one id a line as exports write it.

    Parameters
    ----------
    folder : Path
        The project's folder.
    problems : list of Problem
        What is wrong is added here; no message ever shows a cell, since it may be an id.

    Returns
    -------
    frozenset of str
        The ids without outer spaces; empty where there is no such file.
    """
    if not (folder / FILE).exists():
        return frozenset()
    try:
        rows = list(csv.reader(io.StringIO((folder / FILE).read_text(encoding="utf-8-sig"), newline="")))
    except (UnicodeDecodeError, OSError, csv.Error) as error:
        found = f"a file that can't be read ({type(error).__name__})"
        problems.append(Problem(FILE, found, "a CSV file in UTF-8", "save it as CSV in UTF-8"))
        return frozenset()
    cells = [[cell.strip() for cell in row] for row in rows]
    if not cells or cells[0] != [COLUMN]:
        expected = f"the header {COLUMN} alone"
        problems.append(
            Problem(FILE, "another header", expected, f"write {COLUMN} on the first line", line=1)
        )
        return frozenset()
    for line, row in enumerate(cells[1:], 2):
        if len(row) > 1:
            mend = "write one id a line, in quotes where it holds a comma"
            problems.append(Problem(FILE, f"{len(row)} cells", "one cell", mend, line=line))
    return frozenset(row[0] for row in cells[1:] if row and row[0])


def find_erased(ids: pd.DataFrame, erased: frozenset[str]) -> pd.Series:
    """Return which rows are about an erased person.

    Parameters
    ----------
    ids : DataFrame
        One column an id of a person, as text, before it becomes a pseudonym; missing where unknown.
    erased : frozenset of str
        From `read_erasure_list`.

    Returns
    -------
    Series
        True where any of the ids is on the list; same index.

    Examples
    --------
    >>> find_erased(pd.DataFrame({"customer": ["a", None, "b"]}), frozenset({"b"})).tolist()
    [False, False, True]
    """
    return ids.isin(erased).any(axis=1) if len(ids.columns) else pd.Series(False, index=ids.index)
