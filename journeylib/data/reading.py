"""Reading any export as rows of text with our column names, their times as microseconds UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pandas as pd

from journeylib.data.casts import cell_sql, time_sql
from journeylib.data.connection import quote_name, quote_text
from journeylib.data.files import SourceFile, find_separator
from journeylib.data.problems import InputError, Problem, say_nearest
from journeylib.data.source_lines import read_malformed_lines
from journeylib.data.sources import Source
from journeylib.data.tables import Column

__all__ = ["RawRows", "fetch_frame", "fetch_rows", "open_rows", "store_rows"]

LONGEST_ROW = 16 << 20  # bytes; a longer row is a quote that was never closed


@dataclass
class RawRows:
    """One file opened in the engine: a query that gives its rows, and the rows that are not rows at all.

    Attributes
    ----------
    query : str
        SELECT of `source_row` (from 1, malformed rows not counted) and one text column for each of ours,
        with `<name>_us` and `<name>_is_day` beside each time column.
    rejects : str
        The engine's table of rejected rows, which is there once the query has run.
    malformed : tuple of int
        The lines of the rows that have too few or too many cells; filled when they are read.
    """

    query: str
    file: SourceFile
    rejects: str = ""
    malformed: tuple[int, ...] = ()


def open_rows(
    connection: duckdb.DuckDBPyConnection,
    file: SourceFile,
    source: Source,
    columns: Mapping[str, Column],
    *,
    theirs: Mapping[str, Sequence[str]] | None = None,
    number: int = 0,
) -> RawRows:
    """Open one file as rows of text under our names.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The engine.
    file : SourceFile
        The file, looked at before.
    source : Source
        Its declaration: column map, date formats, zone.
    columns : mapping of str to Column
        Our columns; one that is neither mapped nor in the file is missing, a problem where it is required.
    theirs : mapping or None
        Another column map than the source's own (a survey's comes from the codebook).
    number : int
        Tells apart the files that are opened on one connection.

    Returns
    -------
    RawRows
        The query, not yet run.

    Raises
    ------
    InputError
        If a column that is needed is missing or stands twice.
    """
    mapping = dict(source.columns if theirs is None else theirs)
    for ours in columns:
        if ours not in mapping and ours in file.header and theirs is None:
            mapping[ours] = (ours,)
    _check_header(file, source, mapping, columns)
    types = _describe_parquet(connection, file) if file.format == "parquet" else {}
    places = {name: f"c{place}" for place, name in enumerate(file.header)}
    parts = ["source_row"]
    for ours, column in columns.items():
        cells = [places[name] for name in mapping.get(ours, ())]
        texts = [
            cell_sql(
                cell,
                typed=types.get(cell, ""),
                odd_blanks=file.odd_blanks,
                outer_spaces=file.outer_spaces,
            )
            for cell in cells
        ]
        raw = texts[0] if len(texts) == 1 else f"nullif(concat_ws(' ', {', '.join(texts)}), '')"
        raw = raw if texts else "CAST(NULL AS VARCHAR)"
        parts.append(f"{raw} AS {quote_name(ours)}")
        if column.kind == "time":
            typed = types.get(cells[0], "") if len(cells) == 1 else ""
            is_typed = typed == "DATE" or typed.startswith("TIMESTAMP")
            instant, is_day = time_sql(
                cells[0] if is_typed else raw,
                source.date_formats,
                timezone=source.timezone,
                day_timezone=source.day_timezone,
                typed=typed,
            )
            parts.append(f"{instant} AS {quote_name(ours + '_us')}")
            parts.append(f"{is_day} AS {quote_name(ours + '_is_day')}")
    rejects = f"rejects_{number}" if file.format == "csv" else ""
    return RawRows(f"SELECT {', '.join(parts)} FROM ({_scan_sql(file, number, types)})", file, rejects)


def _scan_sql(file: SourceFile, number: int, types: Mapping[str, str]) -> str:
    path = quote_text(str(file.path))
    if file.format == "parquet":
        return f"SELECT *, row_number() OVER () AS source_row FROM {_parquet_sql(file)}"
    # Not in parallel: at the seams of small pieces that reader takes line ends inside quotes for rows' ends.
    names = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(file.header)))
    with file.path.open("rb") as stream:
        packed = "gzip" if stream.read(2) == b"\x1f\x8b" else "none"
    options = (
        f"delim={quote_text(file.separator)}, header=true, quote='\"', escape='\"', auto_detect=false, "
        f"nullstr='', columns={{{names}}}, compression={packed}, parallel=false, store_rejects=true, "
        f"rejects_table='rejects_{number}', rejects_scan='scan_{number}', max_line_size={LONGEST_ROW}"
    )
    return f"SELECT *, row_number() OVER () AS source_row FROM read_csv({path}, {options})"


def _parquet_sql(file: SourceFile) -> str:
    """Return SQL of a Parquet file whose columns are c0, c1, ... in its own order."""
    names = ", ".join(f"c{place}" for place in range(len(file.header)))
    return f"read_parquet({quote_text(str(file.path))}) AS rows_of_file({names})"


def _describe_parquet(connection: duckdb.DuckDBPyConnection, file: SourceFile) -> dict[str, str]:
    try:
        rows = connection.execute(f"DESCRIBE SELECT * FROM {_parquet_sql(file)}").fetchall()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        mend = 'copy or export it again; for CSV text declare format = "csv"'
        found = "a file that is not whole Parquet"
        raise InputError(Problem(file.shown, found, "a Parquet file", mend)) from None
    return {str(row[0]): str(row[1]) for row in rows}


def fetch_rows(connection: duckdb.DuckDBPyConnection, rows: RawRows) -> pd.DataFrame:
    """Return a file's rows as a frame, and find its malformed rows.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The engine.
    rows : RawRows
        The file; its `malformed` is filled.

    Returns
    -------
    DataFrame
        One row a row of the file, in its order.

    Raises
    ------
    InputError
        If the file can't be read.
    """
    with _explain_engine(rows):
        frame = fetch_frame(connection, rows.query)
    rows.malformed = read_malformed_lines(connection, rows.file, rows.rejects, rows_read=len(frame))
    return frame.sort_values("source_row", ignore_index=True)


def fetch_frame(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """Return what a query gives as a frame, text as pandas' text.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The engine.
    query : str
        SQL.

    Returns
    -------
    DataFrame
        One row a row of the result.
    """
    frame: pd.DataFrame = connection.sql(query).to_arrow_table().to_pandas()
    return frame


def store_rows(connection: duckdb.DuckDBPyConnection, rows: RawRows, statement: str) -> None:
    """Run a statement that stores a file's rows in the engine, and find its malformed rows.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The engine.
    rows : RawRows
        The file; its `malformed` is filled.
    statement : str
        SQL that holds the file's query and reads all of it.

    Raises
    ------
    InputError
        If the file can't be read.
    """
    with _explain_engine(rows):
        stored = int(connection.execute(statement).fetchall()[0][0])
    rows.malformed = read_malformed_lines(connection, rows.file, rows.rejects, rows_read=stored)


@contextmanager
def _explain_engine(rows: RawRows) -> Iterator[None]:
    """Say in one sentence what the engine can't read; a full disk or memory is no fault of the file."""
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException):
        raise
    except duckdb.Error as error:
        found = f"a file that can't be read ({str(error).splitlines()[0][:120]})"
        mend = "mend the file or the way it is declared in journey.toml"
        raise InputError(Problem(rows.file.shown, found, "a table", mend)) from None


def _check_header(
    file: SourceFile,
    source: Source,
    mapping: Mapping[str, Sequence[str]],
    columns: Mapping[str, Column],
) -> None:
    problems = []
    for ours, names in mapping.items():
        for name in names:
            what = f"the column for {ours} ({source.section})"
            if name not in file.header:
                mend = f"mend the name; {say_nearest(name, [one for one in file.header if one])}"
                problems.append(Problem(file.shown, f"no column {name!r}", what, mend, line=1))
            elif (times := file.header.count(name)) > 1:
                found, mend = f"column {name!r} {times} times", "take one away or rename it"
                problems.append(Problem(file.shown, found, "each column once", mend, line=1))
    for ours, column in columns.items():
        if column.required and ours not in mapping:
            near = say_nearest(ours, file.header)
            mend = f'write {ours} = "their_name" under [{source.section}.columns]; {near}'
            expected = f"a column {ours}, or one that is mapped to it"
            problems.append(Problem(file.shown, f"no column for {ours}", expected, mend, line=1))
    if problems and (separator := find_separator(file)):
        found = f"one single column when cells are parted by {file.separator!r}"
        names = [name for theirs in mapping.values() for name in theirs] or list(columns)
        expected = f"columns such as {names[0]!r}"
        raise InputError(Problem(file.shown, found, expected, f"write {separator}", line=1))
    if problems:
        raise InputError(problems)
