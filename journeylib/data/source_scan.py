"""One pass over a file's bytes: its lines, its quotes and blanks, and whether it is text at all."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from journeylib.data.problems import InputError, Problem
from journeylib.data.texts import CHUNK, open_bytes, read_cells, read_texts

__all__ = ["Scan", "find_first_cells", "find_separator_of", "scan_file"]

SEPARATORS = ",;\t|"
EMPTY = np.array([], dtype="uint16")


@dataclass
class Scan:
    """What one pass over a file in UTF-8 shows.

    Attributes
    ----------
    first : str
        Its first line, or its first piece where that line holds a quote.
    lines : int
        How many line ends it has.
    lone_returns : bool
        Whether a carriage return ends a line alone.
    outer_spaces : bool
        Whether a space may stand at either end of a cell.
    blank_lines : bool
        Whether a line may be empty.
    """

    first: str = ""
    separator: str = ","
    lines: int = 0
    complete: bool = False
    returns: int = 0
    lone_returns: bool = False
    tabs: bool = False
    quotes: bool = False
    hard_spaces: bool = False
    outer_spaces: bool = False
    blank_lines: bool = False


def scan_file(path: Path, shown: str, *, separator: str, keep: list[bytes] | None = None) -> Scan:
    """Look at the bytes of a file in UTF-8 once.

    Parameters
    ----------
    path : Path
        The file, packed by gzip or not.
    shown : str
        Its name in messages.
    separator : str
        The declared character between two cells; empty where its first line tells.
    keep : list of bytes or None
        Filled with the unpacked pieces, so that a small file need not be unpacked again.

    Returns
    -------
    Scan
        What was seen.

    Raises
    ------
    InputError
        If it is empty, binary, no UTF-8, or not whole gzip.
    """
    found, before, written = Scan(), b"\n", False
    decoder, ended = codecs.getincrementaldecoder("utf-8")(), 0
    for chunk in _read_pieces(path, shown):
        if not chunk.isascii() or decoder.getstate()[0]:
            _decode(decoder, chunk, path, shown)
        if not written:
            text = chunk.decode("utf-8", errors="ignore").lstrip("\ufeff")
            written = bool(text.strip())
            found.first += text
            found.separator = separator or find_separator_of(_cut(found.first))
        _look_at(chunk, before, found, shown)
        ended += (before[-1:] + chunk[:1] == b"\r\n") + chunk.count(b"\r\n") if found.returns else 0
        before = (before + chunk[-2:])[-2:]
        if keep is not None:
            keep.append(chunk)
    _decode(decoder, b"", path, shown, final=True)
    if not written:
        raise InputError(Problem(shown, "an empty file", "a header and rows", "export it again"))
    found.first = _cut(found.first)
    found.lone_returns = found.returns > ended
    found.complete = before.endswith((b"\n", b"\r"))
    found.outer_spaces = found.outer_spaces or before.endswith(b" ")
    return found


def _look_at(chunk: bytes, before: bytes, found: Scan, shown: str) -> None:
    """Add what one piece shows; `before` holds the two bytes before it."""
    if b"\0" in chunk:
        mend = 'export it as CSV text, or declare format = "parquet" or encoding = "utf-16"'
        line = found.lines + chunk[: chunk.index(b"\0")].count(b"\n") + 1
        raise InputError(Problem(shown, "a binary file", "text", mend, line=line))
    mark = found.separator.encode()
    found.lines += chunk.count(b"\n")
    found.returns += chunk.count(b"\r") if b"\r" in chunk else 0
    found.tabs = found.tabs or b"\t" in chunk
    found.quotes = found.quotes or b'"' in chunk
    if not chunk.isascii():
        found.hard_spaces = found.hard_spaces or b"\xc2\xa0" in before[-1:] + chunk
    found.blank_lines = found.blank_lines or _holds(chunk, before, (b"\n\n", b"\n\r"))
    around = (mark + b" ", b" " + mark, b" \n", b"\n ", b" \r")
    found.outer_spaces = found.outer_spaces or _holds(chunk, before, around)


def _holds(chunk: bytes, before: bytes, pairs: Sequence[bytes]) -> bool:
    """Return whether any of some pairs of bytes stands in a piece, or where it begins."""
    if any(pair == before[-1:] + chunk[:1] for pair in pairs):
        return True
    wanted = [np.frombuffer(pair, dtype="uint16")[0] for pair in pairs]
    for start in (0, 1):  # a pair begins at an even place, or at an odd one
        length = (len(chunk) - start) // 2
        twos = np.frombuffer(chunk, dtype="uint16", count=length, offset=start) if length > 0 else EMPTY
        if any((twos == one).any() for one in wanted):
            return True
    return False


def _read_pieces(path: Path, shown: str) -> Iterator[bytes]:
    try:
        with open_bytes(path) as stream:
            if path.suffix == ".gz" and not isinstance(stream, gzip.GzipFile):
                raise gzip.BadGzipFile
            while chunk := stream.read(CHUNK):
                yield chunk
    except (EOFError, gzip.BadGzipFile, zlib.error):
        _explain(path, shown)


def _decode(
    decoder: codecs.IncrementalDecoder, chunk: bytes, path: Path, shown: str, *, final: bool = False
) -> None:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        _explain(path, shown)


def _explain(path: Path, shown: str) -> None:
    """Read a faulty file once more, piece by piece, for the sentence with its line."""
    for _ in read_texts(path, "utf-8-sig", shown):
        pass


def _cut(text: str) -> str:
    """Return the first line, or all of a text whose first line holds a quote."""
    line, end, _ = text.partition("\n")
    return text if '"' in line or not end else line + end


def find_separator_of(text: str) -> str:
    """Return the mark that parts the first line into the most cells.

    Parameters
    ----------
    text : str
        The beginning of a file.

    Returns
    -------
    str
        One of the separators that are known.
    """
    return max(SEPARATORS, key=lambda mark: len(find_first_cells(text, mark)))


def find_first_cells(text: str, separator: str) -> list[str]:
    """Return the cells of a text's first record.

    Parameters
    ----------
    text : str
        The beginning of a file.
    separator : str
        Between cells.

    Returns
    -------
    list of str
        The cells; none for an empty text.
    """
    stream = io.StringIO(text, newline="")
    return next((cells for _, cells in read_cells(stream, separator)), [])
