"""Many files of one source in one pass: small ones are joined before the engine reads them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from journeylib.data.files import SourceFile, inspect_file
from journeylib.data.reading import RawRows, open_rows, store_rows
from journeylib.data.reading_run import ReadingRun
from journeylib.data.source_lines import check_malformed, count_lines, find_source_lines, read_rejects
from journeylib.data.sources import Source
from journeylib.data.tables import Column

__all__ = ["Part", "ReadFile", "read_files"]

BATCH = 96 << 20  # bytes of text that are joined at the most
PACKED = 10  # how much longer a packed file is guessed to be
SAY_EVERY = 3  # seconds

WriteSql = Callable[[RawRows, Source, Sequence[str]], str]


@dataclass
class ReadFile:
    """One file that was read: its source, its rows with the malformed ones, and the lines of these."""

    source: Source
    file: SourceFile
    rows: int = 0
    malformed: tuple[int, ...] = ()


@dataclass
class Part:
    """One table of the engine: the rows of one file, or of several that were joined.

    Attributes
    ----------
    table : str
        Its name; it has a column `source_row`, from 1 over all of its files, malformed rows not counted.
    names : tuple of str
        Our columns that its files have.
    files : list of ReadFile
        In their order.
    """

    table: str
    names: tuple[str, ...]
    files: list[ReadFile] = field(default_factory=list)

    def find_places(self, rows: pd.Series) -> pd.DataFrame:
        """Return the file (its place in `files`) and the line of some source rows; same index."""
        numbers = rows.to_numpy(dtype="int64")
        if len(self.files) == 1:
            one = self.files[0]
            lines = find_source_lines(one.file, numbers.tolist(), malformed=one.malformed)
            return pd.DataFrame({"place": 0, "line": lines}, index=rows.index)
        starts = self.find_starts()
        malformed = [
            np.asarray(one.malformed, dtype="int64") - 1 + start
            for one, start in zip(self.files, starts, strict=True)
        ]
        joined = count_lines(numbers, np.concatenate(malformed))
        places = np.searchsorted(starts, joined - 1, side="right") - 1
        return pd.DataFrame({"place": places, "line": joined - starts[places] + 1}, index=rows.index)

    def find_starts(self) -> np.ndarray:
        """Return how many rows and malformed rows stand before each file."""
        return np.cumsum([0, *(one.rows for one in self.files[:-1])])


def read_files(
    run: ReadingRun, sources: Sequence[Source], columns: Mapping[str, Column], *, write_sql: WriteSql
) -> list[Part]:
    """Read all files of some sources into tables of the engine, as many at a time as it has threads.

    Parameters
    ----------
    run : ReadingRun
        The engine and a folder for what is joined.
    sources : sequence of Source
        The sources.
    columns : mapping of str to Column
        Our columns.
    write_sql : callable
        From a file's rows, its source and our columns that it has to a SELECT with `source_row`.

    Returns
    -------
    list of Part
        In the order of the sources and of their files, whichever was read first.

    Raises
    ------
    InputError
        If a file can't be read, or a column is missing; of several, the first one's.
    """
    threads = int(run.connection.execute("SELECT current_setting('threads')").fetchall()[0][0])
    batches = [batch for source in sources for batch in _split(source)]
    total, done, said = sum(len(batch.places) for batch in batches), 0, time.monotonic()
    parts: list[Part] = []
    pool = ThreadPoolExecutor(max_workers=max(1, min(threads, len(batches))))
    try:
        waiting: list[Future[list[Part]]] = [
            pool.submit(_read_batch, run, batch, columns, write_sql) for batch in batches
        ]
        for batch, future in zip(batches, waiting, strict=True):
            parts += future.result()
            done += len(batch.places)
            if time.monotonic() - said > SAY_EVERY:
                said = time.monotonic()
                run.say(f"read {done:,} of {total:,} file(s)")
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return parts


@dataclass(frozen=True)
class _Batch:
    """Files of one source that are looked at together."""

    source: Source
    places: tuple[int, ...]


def _split(source: Source) -> Iterator[_Batch]:
    """Yield neighbouring files until they hold about as much text as is joined."""
    places: list[int] = []
    size = 0
    for place, path in enumerate(source.files):
        length = _guess_length(path)
        if places and size + length > BATCH:
            yield _Batch(source, tuple(places))
            places, size = [], 0
        places.append(place)
        size += length
    if places:
        yield _Batch(source, tuple(places))


def _guess_length(path: Path) -> int:
    try:
        return path.stat().st_size * (PACKED if path.suffix == ".gz" else 1)
    except OSError:
        return 0


def _read_batch(
    run: ReadingRun, batch: _Batch, columns: Mapping[str, Column], write_sql: WriteSql
) -> list[Part]:
    parts: list[Part] = []
    joined: list[tuple[SourceFile, list[bytes]]] = []
    many = len(batch.places) > 1
    with run.connection.cursor() as cursor:
        cursor.execute("SET TimeZone='UTC'")
        reading = _Reading(run, cursor, batch.source, columns, write_sql)
        for place in batch.places:
            source = batch.source
            keep: list[bytes] | None = [] if many else None
            path, shown = source.files[place], source.shown[place]
            file = inspect_file(path, source, shown=shown, work=run.work, keep=keep)
            if joined and not (keep and _fit(joined[0][0], file)):
                parts += reading.read_joined(joined)
                joined = []
            if keep and file.plain:
                joined.append((file, keep))
            else:
                parts.append(reading.read_one(file))
        if joined:
            parts += reading.read_joined(joined)
    return parts


def _fit(first: SourceFile, other: SourceFile) -> bool:
    return other.plain and (first.header, first.separator) == (other.header, other.separator)


@dataclass
class _Reading:
    """One pass of the engine after the other, on a connection of its own."""

    run: ReadingRun
    cursor: duckdb.DuckDBPyConnection
    source: Source
    columns: Mapping[str, Column]
    write_sql: WriteSql

    def read_one(self, file: SourceFile) -> Part:
        """Read one file from where it is."""
        rows, part, statement = self._open(file)
        store_rows(self.cursor, rows, statement)
        stored = self._count(part)
        part.files.append(ReadFile(self.source, file, stored + len(rows.malformed), rows.malformed))
        return part

    def read_joined(self, joined: Sequence[tuple[SourceFile, list[bytes]]]) -> list[Part]:
        """Read files that fit together as one; where that does not add up, one by one."""
        if len(joined) > 1:
            path = self.run.work / f"joined_{self.run.next_number()}.csv"
            try:
                return [self._read_path(path, joined)]
            except (duckdb.Error, _Mismatch):
                pass
            finally:
                path.unlink(missing_ok=True)
        return [self.read_one(file) for file, _ in joined]

    def _read_path(self, path: Path, joined: Sequence[tuple[SourceFile, list[bytes]]]) -> Part:
        _join(joined, path)
        files = [file for file, _ in joined]
        whole = replace(
            files[0],
            path=path,
            lines=sum(file.rows for file in files) + 1,
            complete=True,
            odd_blanks=any(file.odd_blanks for file in files),
            outer_spaces=any(file.outer_spaces for file in files),
        )
        rows, part, statement = self._open(whole)
        self.cursor.execute(statement).fetchall()
        part.files = [ReadFile(self.source, file, file.rows) for file in files]
        found = read_rejects(self.cursor, whole, rows.rejects)
        starts = part.find_starts()
        for line, kinds in found:
            place = int(np.searchsorted(starts, line - 2, side="right")) - 1
            one = part.files[place]
            own = line - int(starts[place])
            check_malformed(one.file, own, kinds)
            one.malformed = (*one.malformed, own)
        if self._count(part) + len(found) != whole.rows:
            self.cursor.execute(f"DROP TABLE {part.table}")
            raise _Mismatch
        return part

    def _open(self, file: SourceFile) -> tuple[RawRows, Part, str]:
        number = self.run.next_number()
        has = self.source.columns.keys() | set(file.header)
        names = tuple(name for name in self.columns if name in has)
        rows = open_rows(self.cursor, file, self.source, self.columns, number=number)
        part = Part(f"part_{number}", names)
        return rows, part, f"CREATE TABLE {part.table} AS {self.write_sql(rows, self.source, names)}"

    def _count(self, part: Part) -> int:
        return int(self.cursor.execute(f"SELECT count(*) FROM {part.table}").fetchall()[0][0])


class _Mismatch(Exception):
    """Joined files gave another number of rows than they have lines."""


def _join(joined: Sequence[tuple[SourceFile, list[bytes]]], path: Path) -> None:
    """Write the header of the first file and the rows of all, each line ended by a line feed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        for place, (file, pieces) in enumerate(joined):
            text = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            text = text.replace(b"\r\n", b"\n") if b"\r" in text else text
            start = text.find(b"\n") + 1 if place else 0
            out.write(memoryview(text)[start or (len(text) if place else 0) :])
            if not file.complete:
                out.write(b"\n" if not place or start else b"")
