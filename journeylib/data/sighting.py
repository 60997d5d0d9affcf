"""A first look at a file that nobody has declared: where it is, how it is written, its first rows."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet

from journeylib.data.files import SEPARATORS
from journeylib.data.problems import InputError, Problem
from journeylib.data.source_files import find_files
from journeylib.data.texts import read_cells, read_texts

__all__ = ["Sighting", "sight_file"]

ENCODINGS = ("utf-8", "cp1252", "latin-1")
MOST_ROWS = 2_000


@dataclass(frozen=True)
class Sighting:
    """What a first look at a file, or at the first of several, shows.

    Attributes
    ----------
    path : str
        Where it is, as a source's path: absolute, with its pattern.
    shown : str
        Its name in messages.
    stem : str
        A name for the source.
    sample : DataFrame
        Its first rows as text; empty cells are missing.
    """

    path: str
    shown: str
    stem: str
    format: str
    encoding: str
    separator: str
    header: tuple[str, ...]
    sample: pd.DataFrame


def sight_file(path: str | Path, *, separator: str | None = None, encoding: str | None = None) -> Sighting:
    """Look at a file before it is read.

    Parameters
    ----------
    path : str or Path
        A file or a pattern of files; a relative one is looked for here, then in the folders above.
    separator, encoding : str or None
        Found out where not given.

    Returns
    -------
    Sighting
        Its header, its first rows, and how it is written.

    Raises
    ------
    InputError
        Where it is not there, or is no text.
    """
    base, files = _find(path)
    first, shown = files[0], files[0].name
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", shown.split(".")[0]).strip("_") or "export"
    whole = (base / path).as_posix()
    if first.suffix.lower() in (".parquet", ".pq"):
        table = pyarrow.parquet.ParquetFile(first)
        sample = next(table.iter_batches(MOST_ROWS)).to_pandas().astype("str")
        sample = sample.rename(columns=str.strip)
        return Sighting(whole, shown, stem, "parquet", "", "", tuple(sample), sample)
    written = encoding or _find_encoding(first, shown)
    text = next(read_texts(first, "utf-8-sig" if written == "utf-8" else written, shown), "")
    if not text.strip():
        raise InputError(Problem(shown, "an empty file", "a header and rows", "export it again"))
    mark = separator or max(SEPARATORS, key=lambda one: len(_read_rows(text, one, 1)[0]))
    header, *rows = _read_rows(text, mark, MOST_ROWS + 1)
    names = tuple(name.strip().lstrip("\ufeff").strip() for name in header)
    if not any(names):
        mend = "export it with its header"
        raise InputError(Problem(shown, "no header", "the column names on the first line", mend, line=1))
    if not rows:
        found, mend = "no rows under the header", "export it again"
        raise InputError(Problem(shown, found, "at least one row", mend, line=1))
    whole_rows = [[cell.strip() or None for cell in row] for row in rows if len(row) == len(names)]
    sample = pd.DataFrame(whole_rows, columns=list(names), dtype="str")
    declared = "" if written == "utf-8" else written
    return Sighting(
        whole, shown, stem, "", declared, mark, names, sample.loc[:, ~sample.columns.duplicated()]
    )


def _find(path: str | Path) -> tuple[Path, tuple[Path, ...]]:
    """Return the nearest folder, here or above, in which the path names files."""
    here = Path.cwd()
    for base in (here, *here.parents):
        files, _ = find_files(str(path), base)
        if files:
            return base, files
    mend = "mend the path, or start from the folder that it is relative to"
    raise InputError(Problem(str(path), "no such file here or in a folder above", "a file to read", mend))


def _find_encoding(path: Path, shown: str) -> str:
    """Return the first encoding in which the whole file is text."""
    with path.open("rb") as stream:
        start = stream.read(2)
    if start in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    for encoding in ENCODINGS:
        try:
            for _ in read_texts(path, encoding, shown):
                pass
        except InputError as error:
            if "a byte" not in str(error):
                raise
        else:
            return encoding
    return ENCODINGS[-1]


def _read_rows(text: str, separator: str, most: int) -> list[list[str]]:
    rows: list[list[str]] = []
    for _, cells in read_cells(io.StringIO(text.lstrip("\ufeff"), newline=""), separator):
        if cells:
            rows.append(cells)
        if len(rows) >= most:
            break
    return rows or [[]]
