"""Where a row stands in its file: the line of each row set aside, and of the rows that are no rows at all."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

import duckdb
import numpy as np

from journeylib.data.files import SourceFile
from journeylib.data.problems import InputError, Problem
from journeylib.data.texts import CHUNK, open_bytes, read_cells

__all__ = ["check_malformed", "count_lines", "find_source_lines", "read_malformed_lines", "read_rejects"]


def read_malformed_lines(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, rejects: str, *, rows_read: int
) -> tuple[int, ...]:
    """Return the lines of the rows that have too few or too many cells.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The engine, after it has read the file.
    file : SourceFile
        The file.
    rejects : str
        The engine's table of rejected rows; empty for Parquet.
    rows_read : int
        How many good rows the engine has found.

    Returns
    -------
    tuple of int
        Line numbers from 1, sorted.

    Raises
    ------
    InputError
        If the file ends in the middle of a row, or a quote is never closed.

    Notes
    -----
    The engine's own line numbers count records, not lines; its byte positions lie on the right line. It drops
    without a word what follows a quote that is never closed, so files with quotes are counted once more.
    """
    if not rejects:
        return ()
    found = read_rejects(connection, file, rejects)
    for line, kinds in found:
        check_malformed(file, line, kinds)
    lines = [line for line, _ in found]
    if file.quotes:
        last, counted = 1, 0
        for last, counted in _walk_rows(file, lines):  # noqa: B007
            pass
        if counted > rows_read:
            raise InputError(_explain_open_quote(file, last))
    return tuple(lines)


def read_rejects(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, rejects: str
) -> list[tuple[int, str]]:
    """Return the line of each row that the engine has rejected, and why.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The engine.
    file : SourceFile
        The file that was read.
    rejects : str
        The engine's table of rejected rows.

    Returns
    -------
    list of (int, str)
        Line, from 1, and the kinds of error; by line.
    """
    query = f"SELECT line_byte_position, string_agg(error_type, ' ') FROM {rejects} GROUP BY 1 ORDER BY 1"
    rows = connection.execute(query).fetchall()
    if not rows:
        return []
    lines = find_lines_at(file, [int(row[0]) for row in rows])
    return [(line, str(kinds)) for line, (_, kinds) in zip(lines, rows, strict=True)]


def check_malformed(file: SourceFile, line: int, kinds: str) -> None:
    """Refuse a file whose rejected row shows that the rest of it is not to be trusted.

    Parameters
    ----------
    file : SourceFile
        The file.
    line : int
        Line of the rejected row, from 1.
    kinds : str
        What the engine says of it.

    Raises
    ------
    InputError
        If a quote was never closed, or the file ends in the middle of a row.
    """
    if "LINE SIZE" in kinds:
        raise InputError(_explain_open_quote(file, line))
    if not file.complete and line >= file.lines + 1:
        mend = "the file was cut off: copy or export it again"
        found = "a last row that ends in the middle"
        raise InputError(Problem(file.shown, found, "whole rows", mend, line=line))


def _explain_open_quote(file: SourceFile, line: int) -> Problem:
    mend = "close the quote; where the file was cut off, export it again"
    return Problem(file.shown, "a quote that is opened and never closed", "whole rows", mend, line=line)


def find_lines_at(file: SourceFile, offsets: Sequence[int]) -> list[int]:
    """Return the line (from 1) on which each byte of a file stands; the offsets are sorted."""
    lines: list[int] = []
    passed, line = 0, 1
    with open_bytes(file.path) as stream:
        chunk = stream.read(CHUNK)
        for offset in offsets:
            while chunk and offset >= passed + len(chunk):
                line += chunk.count(b"\n")
                passed += len(chunk)
                chunk = stream.read(CHUNK)
            lines.append(line + chunk[: offset - passed].count(b"\n"))
    return lines


def _walk_rows(file: SourceFile, malformed: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the line on which each good row begins, and its number from 1."""
    skipped, only_column, number = set(malformed), len(file.header) == 1, 0
    with open_bytes(file.path) as stream:
        for line, filled in _walk_records(stream, file):
            if line > 1 and line not in skipped and (filled or only_column):
                number += 1
                yield line, number


def _walk_records(stream: IO[bytes], file: SourceFile) -> Iterator[tuple[int, bool]]:
    """Yield the line on which each record begins, the header too, and whether it is no blank line."""
    if not file.quotes:  # a line is a record
        for line, raw in enumerate(stream, 1):
            yield line, bool(raw.rstrip(b"\r\n"))
        return
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    for line, cells in read_cells(text, file.separator):
        yield line, bool(cells)


def count_lines(rows: np.ndarray, malformed: np.ndarray) -> np.ndarray:
    """Return the lines of some rows where each line is a row; both are counted from 1 under the header.

    Parameters
    ----------
    rows : ndarray of int
        Numbers of rows among those that were read.
    malformed : ndarray of int
        Lines of the malformed rows.

    Returns
    -------
    ndarray of int
        One line a row, in the order given.
    """
    before = np.sort(malformed) - np.arange(len(malformed))
    return rows + np.searchsorted(before, rows, side="right")


def find_source_lines(file: SourceFile, rows: Sequence[int], *, malformed: Iterable[int] = ()) -> list[int]:
    """Return the line on which each of some rows begins.

    Parameters
    ----------
    file : SourceFile
        The file that the rows come from.
    rows : sequence of int
        Numbers (from 1) of rows among those that were read, malformed rows not counted.
    malformed : iterable of int
        The lines of the malformed rows.

    Returns
    -------
    list of int
        Line numbers from 1; for Parquet the row numbers themselves.
    """
    if file.format == "parquet" or not len(rows):
        return list(rows)
    if file.plain:
        return (count_lines(np.asarray(rows), np.asarray(list(malformed)) - 1) + 1).tolist()
    wanted, starts = set(rows), {}
    last = max(wanted)
    for line, number in _walk_rows(file, malformed):
        if number in wanted:
            starts[number] = line
            if number == last:
                break
    return [starts.get(row, row + 1) for row in rows]
