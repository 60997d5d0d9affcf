"""The rules of the small tables: text becomes typed columns, each row gets the rule that it breaks."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from journeylib.data.files import SourceFile, inspect_file
from journeylib.data.reading import RawRows, fetch_rows, open_rows
from journeylib.data.reading_run import ReadingRun
from journeylib.data.sources import Source
from journeylib.data.tables import TABLES, Column

__all__ = [
    "check_records",
    "read_number",
    "read_numbers",
    "read_raw_table",
    "read_records",
    "table_columns",
]

YES, NO = ("yes", "y", "true", "t", "1"), ("no", "n", "false", "f", "0")
NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
SHAPE = re.compile(NUMBER, re.ASCII)
COMMA = re.compile(r"^([+-]?\d+),(\d+)$", re.ASCII)
MAY_LIE_AHEAD = ("left_at", "withdrawn_at")  # an end that is agreed on is known before it comes


def table_columns(table: str, sources: Sequence[Source]) -> dict[str, Column]:
    """Return a table's columns and the segments that its sources keep.

    Parameters
    ----------
    table : str
        The table's name.
    sources : sequence of Source
        Its sources.

    Returns
    -------
    dict
        Column name to Column; segments last, in the order of their names.
    """
    segments = sorted({name for source in sources for name in source.columns if name.startswith("segment.")})
    return dict(TABLES[table].columns) | {name: Column() for name in segments}


def read_raw_table(
    run: ReadingRun,
    path: Path,
    source: Source,
    columns: Mapping[str, Column],
    *,
    shown: str,
    theirs: Mapping[str, Sequence[str]] | None = None,
) -> tuple[pd.DataFrame, SourceFile, RawRows]:
    """Read one file of a small table as text.

    Parameters
    ----------
    run : ReadingRun
        The engine and a folder for copies in UTF-8.
    path : Path
        The file.
    source : Source
        Its declaration.
    columns : mapping of str to Column
        Our columns.
    shown : str
        The file's name in messages.
    theirs : mapping or None
        Another column map than the source's own.

    Returns
    -------
    tuple of DataFrame, SourceFile and RawRows
        One row a row of the file, text as it stands (missing where empty), times as microseconds UTC in
        `<name>_us`; the file; and its malformed rows.

    Raises
    ------
    InputError
        If the file can't be read, or a column is missing or doubled.
    """
    file = inspect_file(path, source, shown=shown, work=run.work)
    rows = open_rows(run.connection, file, source, columns, theirs=theirs, number=run.next_number())
    frame = fetch_rows(run.connection, rows)
    return frame.astype(dict.fromkeys(columns, "str")), file, rows


def read_numbers(text: pd.Series, *, decimal_comma: bool) -> pd.Series:
    """Return text as numbers, missing where it is no finite number.

    Parameters
    ----------
    text : Series
        Text without outer spaces.
    decimal_comma : bool
        Whether 12,50 means twelve and a half.

    Returns
    -------
    Series
        Float64, same index.

    Examples
    --------
    >>> read_numbers(pd.Series(["12,50", "1e2", "inf"]), decimal_comma=True).tolist()
    [12.5, 100.0, <NA>]
    """
    cleaned = text.str.replace(r"^([+-]?\d+),(\d+)$", r"\1.\2", regex=True) if decimal_comma else text
    shaped = cleaned.where(cleaned.str.fullmatch(NUMBER).fillna(False).astype(bool))
    numbers = pd.to_numeric(shaped, errors="coerce").astype("float64")
    return numbers.where(np.isfinite(numbers)).astype("Float64")


def read_number(text: str, *, decimal_comma: bool) -> float:
    """Return one text as a number, NaN where it is no finite number.

    Parameters
    ----------
    text : str
        Text without outer spaces.
    decimal_comma : bool
        Whether 12,50 means twelve and a half.

    Returns
    -------
    float
        The number.

    Examples
    --------
    >>> read_number("12,50", decimal_comma=True), read_number("ten", decimal_comma=False)
    (12.5, nan)
    """
    cleaned = COMMA.sub(r"\1.\2", text) if decimal_comma else text
    number = float(cleaned) if SHAPE.fullmatch(cleaned) else math.nan
    return number if math.isfinite(number) else math.nan


def read_records(frame: pd.DataFrame, columns: Mapping[str, Column], *, decimal_comma: bool) -> pd.DataFrame:
    """Turn a table of text into typed columns; `check_records` finds what can't be read.

    Parameters
    ----------
    frame : DataFrame
        One row a row of the source: text, and `<name>_us` beside each time.
    columns : mapping of str to Column
        The table's columns.
    decimal_comma : bool
        Whether 12,50 means twelve and a half.

    Returns
    -------
    DataFrame
        Same rows and order: times as Int64 microseconds UTC, numbers as Float64, flags as boolean, the rest
        text; what can't be read is missing.
    """
    typed: dict[str, pd.Series] = {}
    flags = {**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)}
    for name, column in columns.items():
        text = frame[name]
        if column.kind == "time":
            typed[name] = frame[f"{name}_us"].astype("Int64")
        elif column.kind in ("number", "integer"):
            typed[name] = read_numbers(text, decimal_comma=decimal_comma)
        elif column.kind == "flag":
            typed[name] = text.str.lower().map(flags).astype("boolean")
        else:
            typed[name] = text.str.lower() if column.values else text
    return pd.DataFrame(typed, index=frame.index)


def check_records(
    frame: pd.DataFrame,
    records: pd.DataFrame,
    columns: Mapping[str, Column],
    *,
    ceiling_us: int,
    late: pd.Series,
) -> pd.DataFrame:
    """Return the rule that each row breaks; one row of the result is one row of the table.

    Parameters
    ----------
    frame : DataFrame
        The rows as text.
    records : DataFrame
        The same rows, typed.
    columns : mapping of str to Column
        The table's columns.
    ceiling_us : int
        A time after this instant is from the future.
    late : Series
        Which rows lie after the instant as of which the data are looked at.

    Returns
    -------
    DataFrame
        `rule` ('' where the row keeps all rules) and the `fault_column` that breaks it. Of rows that share an
        id the first that keeps the other rules is kept.
    """
    faults = _find_first_faults(_test_rules(frame, records, columns, ceiling_us))
    faults.loc[late & (faults["rule"] == ""), "rule"] = "after_as_of"
    for name, column in columns.items():
        if column.unique:
            good = faults["rule"] == ""
            later = records.loc[good & records[name].notna(), name].duplicated(keep="first")
            faults.loc[later.index[later], ["rule", "fault_column"]] = [f"duplicate_{name}", name]
    return faults


def _find_first_faults(keeps: pd.DataFrame) -> pd.DataFrame:
    """Return the first rule that each row breaks, by pandera: one check a rule, all failures at once."""
    faults = pd.DataFrame({"rule": "", "fault_column": ""}, index=keeps.index, dtype="str")
    keeps = keeps.loc[~keeps.all(axis=1)]
    if keeps.empty:
        return faults
    with warnings.catch_warnings():  # pandera looks at an installed pyspark, which warns of pandas 3
        warnings.simplefilter("ignore", FutureWarning)
        import pandera.pandas as pa
    schema = pa.DataFrameSchema(
        {str(name): pa.Column(bool, pa.Check(lambda kept: kept, name=str(name))) for name in keeps}
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            schema.validate(keeps, lazy=True)
    except pa.errors.SchemaErrors as errors:
        place = {name: number for number, name in enumerate(keeps)}
        broken = errors.failure_cases.assign(place=errors.failure_cases["column"].map(place))
        first = broken.sort_values("place").drop_duplicates("index")
        named = first["column"].astype("str").str.split(" of ", n=1, expand=True)
        faults.loc[first["index"].astype(int), ["rule", "fault_column"]] = named.to_numpy()
    return faults


def _test_rules(
    frame: pd.DataFrame, records: pd.DataFrame, columns: Mapping[str, Column], ceiling_us: int
) -> pd.DataFrame:
    """Return one column a rule, named '<rule> of <column>', true where the row keeps it."""
    keeps: dict[str, pd.Series] = {}
    for name, column in columns.items():
        text, value = frame[name], records[name]
        if column.required:
            keeps[f"missing_{name} of {name}"] = text.notna()
        if column.kind == "time":
            keeps[f"bad_date of {name}"] = text.isna() | value.notna()
            if name not in MAY_LIE_AHEAD:
                keeps[f"future of {name}"] = (value <= ceiling_us).fillna(True)
        elif column.kind in ("number", "integer"):
            keeps[f"bad_number of {name}"] = text.isna() | value.notna()
            if column.lowest is not None:
                keeps[f"below_{column.lowest:g} of {name}"] = (value >= column.lowest).fillna(True)
        elif column.kind == "flag":
            keeps[f"unknown_code of {name}"] = text.isna() | value.notna()
        elif column.values:
            keeps[f"unknown_code of {name}"] = text.isna() | value.isin(column.values)
    return pd.DataFrame({name: kept.astype(bool) for name, kept in keeps.items()}, index=records.index)
