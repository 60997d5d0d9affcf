"""Looking at a file before it is read: hash, encoding, separator, header, whether it is whole."""

from __future__ import annotations

import codecs
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.parquet

from journeylib.data.problems import InputError, Problem
from journeylib.data.sources import Source
from journeylib.data.texts import CHUNK, read_cells, read_texts

__all__ = ["SourceFile", "find_separator", "inspect_file"]

SEPARATORS = ",;\t|"
# The first bytes of files that are no text, and what to do with them.
MAGIC = {
    b"PAR1": ("a Parquet file", 'declare format = "parquet", or name it .parquet'),
    b"PK\x03\x04": ("an Excel or zip file", "save it as CSV"),
    b"\xd0\xcf\x11\xe0": ("an old Excel file", "save it as CSV"),
}


@dataclass(frozen=True)
class SourceFile:
    """One file of a source, found to be readable.

    Attributes
    ----------
    path : Path
        What is read: the file itself, or its copy in UTF-8 with plain line ends where it needed one.
    shown : str
        Its name in messages, relative.
    sha256 : str
        Hash of the file's own bytes.
    header : tuple of str
        Column names without outer spaces.
    separator : str
        The character between two cells.
    lines : int
        How many line ends it has.
    complete : bool
        Whether its last line is ended by a line end.
    quotes : bool
        Whether it holds a quote, so that a row may have several lines.
    odd_blanks : bool
        Whether a tab, a no-break space or a quoted line end may stand around a cell's text.
    """

    path: Path
    shown: str
    sha256: str
    format: str
    header: tuple[str, ...] = ()
    separator: str = ","
    lines: int = 0
    complete: bool = True
    quotes: bool = False
    odd_blanks: bool = True


def inspect_file(path: Path, source: Source, *, shown: str, work: Path) -> SourceFile:
    """Look at one file of a source.

    Parameters
    ----------
    path : Path
        The file.
    source : Source
        What the project says of it: format, encoding, separator.
    shown : str
        Its name in messages.
    work : Path
        A folder for its copy in UTF-8, where one is needed.

    Returns
    -------
    SourceFile
        What is needed to read it.

    Raises
    ------
    InputError
        If it is empty, binary, cut off, in another encoding, or has no header.
    """
    sha256, start = _hash(path, shown)
    if not start:
        raise InputError(Problem(shown, "an empty file", "a header and rows", "export it again"))
    if source.format_of(path) == "parquet":
        return SourceFile(path, shown, sha256, "parquet", _read_parquet_names(path, shown))
    for magic, (found, mend) in MAGIC.items():
        if start.startswith(magic):
            raise InputError(Problem(shown, found, "text in CSV", mend))
    encoding = codecs.lookup(source.encoding).name
    plain = encoding in ("utf-8", "utf-8-sig", "ascii")
    encoding = "utf-8-sig" if plain else encoding
    scan = _scan(path, encoding, shown)
    if not plain or scan.lone_returns:
        copy = work / f"{sha256[:16]}_{encoding}.csv"
        scan.lines = _copy_as_utf8(path, encoding, shown, copy)
        path = copy
    separator = source.separator or max(SEPARATORS, key=lambda mark: len(_first_cells(scan.first, mark)))
    header = tuple(name.strip().lstrip("\ufeff").strip() for name in _first_cells(scan.first, separator))
    if not any(header):
        mend = "export it with its header"
        raise InputError(Problem(shown, "no header", "the column names on the first line", mend, line=1))
    return SourceFile(
        path=path,
        shown=shown,
        sha256=sha256,
        format="csv",
        header=header,
        separator=separator,
        lines=scan.lines,
        complete=scan.last.endswith(("\n", "\r")),
        quotes=scan.quotes,
        odd_blanks=scan.quotes or scan.hard_spaces or (scan.tabs and separator != "\t"),
    )


def _hash(path: Path, shown: str) -> tuple[str, bytes]:
    try:
        with path.open("rb") as opened:
            start = opened.read(8)
            opened.seek(0)
            return hashlib.file_digest(opened, "sha256").hexdigest(), start
    except OSError as error:
        found, mend = f"a file that can't be opened ({error.strerror})", "mend its rights, or the path"
        raise InputError(Problem(shown, found, "a file that can be read", mend)) from None


def _read_parquet_names(path: Path, shown: str) -> tuple[str, ...]:
    try:
        names = pyarrow.parquet.read_schema(path).names
    except (pyarrow.ArrowException, OSError):
        mend = 'copy or export it again; for CSV text declare format = "csv"'
        raise InputError(Problem(shown, "a file that is not whole Parquet", "Parquet", mend)) from None
    return tuple(str(name).strip() for name in names)


@dataclass
class _Scan:
    """What one pass over a file's text shows."""

    first: str = ""
    last: str = ""
    lines: int = 0
    written: bool = False
    lone_returns: bool = False
    tabs: bool = False
    quotes: bool = False
    hard_spaces: bool = False


def _scan(path: Path, encoding: str, shown: str) -> _Scan:
    found, held = _Scan(), ""
    for text in read_texts(path, encoding, shown):
        if "\0" in text:
            mend = 'export it as CSV text, or declare format = "parquet" or encoding = "utf-16"'
            line = found.lines + text[: text.index("\0")].count("\n") + 1
            raise InputError(Problem(shown, "a binary file", "text", mend, line=line))
        if len(found.first) < CHUNK:
            found.first += text
        body, held = held + text, "\r" if text.endswith("\r") else ""
        body = body.removesuffix("\r") if held else body
        found.lone_returns = found.lone_returns or body.count("\r") > body.count("\r\n")
        found.tabs = found.tabs or "\t" in text
        found.quotes = found.quotes or '"' in text
        found.hard_spaces = found.hard_spaces or "\u00a0" in text
        found.written = found.written or bool(text.strip())
        found.lines += text.count("\n")
        found.last = text or found.last
    found.lone_returns = found.lone_returns or bool(held)
    if not found.written:
        raise InputError(Problem(shown, "an empty file", "a header and rows", "export it again"))
    return found


def _copy_as_utf8(path: Path, encoding: str, shown: str, copy: Path) -> int:
    """Write a copy in UTF-8 with plain line ends and return how many it has."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    newlines, lines = io.IncrementalNewlineDecoder(None, translate=True), 0
    with copy.open("w", encoding="utf-8", newline="") as out:
        for text in read_texts(path, encoding, shown):
            plain = newlines.decode(text)
            lines += plain.count("\n")
            out.write(plain)
        rest = newlines.decode("", final=True)
        out.write(rest)
    return lines + rest.count("\n")


def _first_cells(text: str, separator: str) -> list[str]:
    stream = io.StringIO(text.lstrip("\ufeff"), newline="")
    return next((cells for _, cells in read_cells(stream, separator)), [])


def find_separator(file: SourceFile) -> str:
    """Return how to declare the separator of a file that came out as one single column.

    Parameters
    ----------
    file : SourceFile
        The file.

    Returns
    -------
    str
        For example ``separator = ";"``; empty where the header holds nothing that parts cells.

    Examples
    --------
    >>> find_separator(SourceFile(Path("a.csv"), "a.csv", "", "csv", ("id;date",)))
    'separator = ";"'
    """
    names = [name for name in file.header if name]
    if file.format != "csv" or len(names) != 1:
        return ""
    mark = max(SEPARATORS, key=names[0].count)
    shown = "\\t" if mark == "\t" else mark
    return f'separator = "{shown}"' if names[0].count(mark) else ""
