"""Labels as small numbers: what sorts, joins and counts, with the names put back in results.

A name of an event is a text of some ten letters, of which there are forty in ten million rows. The engine
sorts, carries and compares a number of one byte in a fraction of the time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from journeylib.journey.engine import collect_table, join_table

__all__ = ["LABELS_FILE", "code_columns", "decode_columns", "read_labels", "write_labels", "write_test"]

LABELS_FILE = "_labels.json"
Labels = dict[str, list[str]]


def code_columns(frame: nw.LazyFrame, columns: Sequence[str]) -> tuple[nw.LazyFrame, Labels]:
    """Put codes 0, 1, ... for the values of columns, in the order of the values.

    Parameters
    ----------
    frame : narwhals LazyFrame
        Any rows with the columns.
    columns : sequence of str
        Columns of few different values; values that are no text are coded as their text.

    Returns
    -------
    tuple
        The frame with codes in place of the values (missing stays missing), and the labels of each column,
        that of code 0 first.
    """
    labels: Labels = {}
    for column in columns:
        text = nw.col(column).cast(nw.String).alias(column)
        counted = frame.select(text).group_by(column).agg(nw.len().alias("_n"))  # `unique` costs a window
        found = collect_table(counted)[column].dropna()
        labels[column] = sorted(map(str, found))
        codes = pd.DataFrame({column: pd.Series(labels[column], dtype="str")})
        codes["_code"] = np.arange(len(codes), dtype=_choose_width(len(codes)))
        order = frame.columns
        coded = join_table(frame.with_columns(text), codes, on=[column])
        frame = coded.drop(column).rename({"_code": column}).select(order)
    return frame, labels


def decode_columns(frame: nw.LazyFrame, labels: Mapping[str, Sequence[str]]) -> nw.LazyFrame:
    """Put the labels back for codes.

    Parameters
    ----------
    frame : narwhals LazyFrame
        Rows with codes.
    labels : mapping
        The labels of each coded column; columns that the frame has not are passed over.

    Returns
    -------
    narwhals LazyFrame
        The same rows with labels; columns of lagged codes (`_before_...`) are dropped.
    """
    order = [name for name in frame.columns if not name.startswith("_before_")]
    frame = frame.select(order)
    for column in (name for name in order if name in labels):
        names = pd.DataFrame({"_label": pd.Series(list(labels[column]), dtype="str")})
        names[column] = np.arange(len(names), dtype=_choose_width(len(names)))
        frame = join_table(frame, names, on=[column]).drop(column).rename({"_label": column}).select(order)
    return frame


def read_labels(events: Any) -> Labels:
    """Read the labels of a folder that `keep_sessions` wrote.

    Parameters
    ----------
    events : any table of events
        A path, or anything else.

    Returns
    -------
    dict
        Column to its labels; empty for everything but such a folder.
    """
    if not isinstance(events, (str, Path)):
        return {}
    path = Path(events) / LABELS_FILE
    if not path.is_file():
        return {}
    found: Labels = json.loads(path.read_text(encoding="utf-8"))
    return found


def write_labels(folder: Path, labels: Labels) -> None:
    """Write the labels of a folder of coded events.

    Parameters
    ----------
    folder : Path
        The folder.
    labels : dict
        Column to its labels.
    """
    text = json.dumps(labels, ensure_ascii=False, indent=1)
    (folder / LABELS_FILE).write_text(text + "\n", encoding="utf-8")


def write_test(column: str, codes: Sequence[int], *, n_labels: int) -> str:
    """Write a test for codes in SQL that DuckDB and Spark both read.

    Parameters
    ----------
    column : str
        A column of codes.
    codes : sequence of int
        One or more codes to test for.
    n_labels : int
        How many labels the column has.

    Returns
    -------
    str
        A condition; not true for a missing code. Several codes below 62 are the bits of one number, since a
        list of ten costs ten comparisons a row.

    Examples
    --------
    >>> write_test("name", [3], n_labels=9), write_test("name", [0, 2], n_labels=9)
    ('name = 3', '(CAST(5 AS BIGINT) >> CAST(name AS INT)) & 1 = 1')
    """
    if len(codes) == 1:
        return f"{column} = {codes[0]}"
    if max(codes) < 62:
        bits = sum(1 << code for code in codes)
        guard = f"{column} < 62 AND " if n_labels > 62 else ""  # Spark shifts by the rest of 64
        return f"{guard}(CAST({bits} AS BIGINT) >> CAST({column} AS INT)) & 1 = 1"
    return f"{column} IN ({', '.join(map(str, codes))})"


def _choose_width(n: int) -> str:
    """Choose the smallest whole number for so many codes; Spark has none without a sign."""
    return "int8" if n <= 2**7 else "int16" if n <= 2**15 else "int32"
