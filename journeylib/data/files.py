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
from journeylib.data.source_scan import SEPARATORS, find_first_cells, scan_file
from journeylib.data.sources import Source
from journeylib.data.texts import read_texts

__all__ = ["SourceFile", "find_separator", "inspect_file"]

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
    outer_spaces : bool
        Whether a space may stand around a cell's text.
    blank_lines : bool
        Whether a line may be empty.
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
    outer_spaces: bool = True
    blank_lines: bool = True

    @property
    def plain(self) -> bool:
        """Return whether each line under the header is one row."""
        return self.format == "csv" and not self.quotes and not self.blank_lines

    @property
    def rows(self) -> int:
        """Return the rows under the header of a plain file."""
        return self.lines - self.complete


def inspect_file(
    path: Path, source: Source, *, shown: str, work: Path, keep: list[bytes] | None = None
) -> SourceFile:
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
    keep : list of bytes or None
        Filled with the pieces of what is read, unpacked and in UTF-8; left empty for Parquet.

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
    copy = work / f"{sha256[:16]}_{encoding}.csv"
    if encoding not in ("utf-8", "utf-8-sig", "ascii"):
        path = _copy_as_utf8(path, encoding, shown, copy)
    scan = scan_file(path, shown, separator=source.separator, keep=keep)
    if scan.lone_returns:
        path = _copy_as_utf8(path, "utf-8-sig", shown, copy)
        if keep:
            keep.clear()
        scan = scan_file(path, shown, separator=source.separator, keep=keep)
    separator = scan.separator
    header = tuple(name.strip().lstrip("\ufeff").strip() for name in find_first_cells(scan.first, separator))
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
        complete=scan.complete,
        quotes=scan.quotes,
        odd_blanks=scan.quotes or scan.hard_spaces or (scan.tabs and separator != "\t"),
        outer_spaces=scan.outer_spaces or scan.quotes,
        blank_lines=scan.blank_lines,
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


def _copy_as_utf8(path: Path, encoding: str, shown: str, copy: Path) -> Path:
    """Write a copy in UTF-8 with plain line ends."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    with copy.open("w", encoding="utf-8", newline="") as out:
        for text in read_texts(path, encoding, shown):
            out.write(newlines.decode(text))
        out.write(newlines.decode("", final=True))
    return copy


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
