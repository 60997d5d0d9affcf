"""The text in a file: unpacked, decoded piece by piece, and split into records with their lines."""

from __future__ import annotations

import codecs
import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from journeylib.data.problems import InputError, Problem

__all__ = ["open_bytes", "read_cells", "read_texts"]

CHUNK = 1 << 20
LONGEST_CELL = (1 << 31) - 1


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file's bytes, unpacked where it is gzip, whatever its name is.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    file object
        Its bytes.
    """
    stream = path.open("rb")
    packed = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    if not packed:
        return stream
    stream.close()
    return cast(IO[bytes], gzip.open(path, "rb"))


def read_texts(path: Path, encoding: str, shown: str) -> Iterator[str]:
    """Yield a file's text piece by piece.

    Parameters
    ----------
    path : Path
        The file, packed by gzip or not.
    encoding : str
        How its text is written.
    shown : str
        Its name in messages.

    Yields
    ------
    str
        The next piece.

    Raises
    ------
    InputError
        If a byte is not of the encoding (with its line), or the gzip file is not whole.
    """
    decoder, lines = codecs.getincrementaldecoder(encoding)(), 0
    try:
        with open_bytes(path) as stream:
            if path.suffix == ".gz" and not isinstance(stream, gzip.GzipFile):
                raise gzip.BadGzipFile
            while chunk := stream.read(CHUNK):
                text = decoder.decode(chunk)
                yield text
                lines += text.count("\n")
            yield decoder.decode(b"", final=True)
    except EOFError:
        mend = "copy or export it again"
        raise InputError(Problem(shown, "a gzip file that was cut off", "a whole file", mend)) from None
    except (gzip.BadGzipFile, zlib.error):
        found = "a file named .gz that is not whole gzip"
        raise InputError(Problem(shown, found, "a gzip file", "copy or export it again")) from None
    except UnicodeDecodeError as error:
        bad = error.object[error.start : error.start + 1].hex()
        line = lines + error.object[: error.start].count(b"\n") + 1
        mend = 'declare its encoding, for example encoding = "latin-1" or "cp1252"'
        name = encoding.removesuffix("-sig")
        found = f"a byte (0x{bad}) that is not {name}"
        raise InputError(Problem(shown, found, f"text in {name}", mend, line=line)) from None
    except UnicodeError as error:  # utf-16 without its mark
        mend = 'declare the encoding that it has, for example encoding = "utf-8" or "utf-16-le"'
        raise InputError(Problem(shown, f"bytes that are not {encoding} ({error})", "text", mend)) from None


def read_cells(stream: IO[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each record begins, and its cells; a blank line gives no cells.

    Parameters
    ----------
    stream : file object
        Text, opened with ``newline=""``.
    separator : str
        The character between two cells.

    Yields
    ------
    tuple of int and list of str
        Line from 1, and cells as they stand.
    """
    csv.field_size_limit(LONGEST_CELL)
    reader, before = csv.reader(stream, delimiter=separator, skipinitialspace=True), 0
    for cells in reader:
        yield before + 1, cells
        before = reader.line_num
