"""Reading the sample's templates and writing its files, with the same bytes on every platform."""

from __future__ import annotations

import gzip
import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from journeylib.data.sample_draws import FIRST_DAY

__all__ = [
    "CUT_SHORT",
    "append_days",
    "append_rows",
    "read_template",
    "write_cents",
    "write_days",
    "write_times",
]

# A column that says how many cells of a row are kept (0 = all); it is not written.
CUT_SHORT = "cut_short"
_TEMPLATES = Path(__file__).with_name("sample_project")


def read_template(name: str) -> str:
    """Read a text of the sample's project as it ships with the package.

    Parameters
    ----------
    name : str
        A file's name, such as ``journey.toml``.

    Returns
    -------
    str
        Its text; lines end in a line feed.

    Examples
    --------
    >>> read_template("README.txt").splitlines()[0]
    'THESE DATA ARE MADE UP.'
    """
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def write_times(
    seconds: np.ndarray, *, style: str = "%Y-%m-%d %H:%M:%S", missing: np.ndarray | None = None
) -> np.ndarray:
    """Write times as text.

    Parameters
    ----------
    seconds : ndarray of int64
        Seconds since 1970, on the clock that is to be shown.
    style : str
        A strftime format.
    missing : ndarray of bool or None
        Where true, an empty text is written.

    Returns
    -------
    ndarray of object
        One text a time.

    Examples
    --------
    >>> write_times(np.array([0, 60]), style="%H:%M").tolist()
    ['00:00', '00:01']
    """
    days, day_places = np.unique(np.asarray(seconds) // 86_400, return_inverse=True)
    clocks, clock_places = np.unique(np.asarray(seconds) % 86_400, return_inverse=True)
    # Days and clocks are few: each is written once. No style has a day's code behind the first hour's.
    cut = style.find("%H")
    cut = len(style) if cut < 0 else cut
    texts = _write_each(days * 86_400, style[:cut])[day_places]
    if cut < len(style):
        texts = texts + _write_each(clocks, style[cut:])[clock_places]
    return texts if missing is None else np.where(missing, "", texts)


def _write_each(seconds: np.ndarray, style: str) -> np.ndarray:
    return pd.DatetimeIndex(seconds.astype("datetime64[s]")).strftime(style).to_numpy().astype(object)


def write_days(days: np.ndarray, *, style: str = "%Y-%m-%d", missing: np.ndarray | None = None) -> np.ndarray:
    """Write days as text.

    Parameters
    ----------
    days : ndarray of int
        Days since the sample's first day.
    style : str
        A strftime format.
    missing : ndarray of bool or None
        Where true, an empty text is written.

    Returns
    -------
    ndarray of object
        One text a day.

    Examples
    --------
    >>> write_days(np.array([0, 400]), missing=np.array([False, True])).tolist()
    ['2024-10-01', '']
    """
    shown = days if missing is None else np.where(missing, 0, days)
    return write_times(int(FIRST_DAY.timestamp()) + np.asarray(shown) * 86_400, style=style, missing=missing)


def write_cents(cents: np.ndarray) -> np.ndarray:
    """Write cents as money with two decimals.

    Parameters
    ----------
    cents : ndarray of int
        Hundredths of the currency; not negative.

    Returns
    -------
    ndarray of object
        One text a value.

    Examples
    --------
    >>> write_cents(np.array([1005])).tolist()
    ['10.05']
    """
    values, places = np.unique(np.asarray(cents), return_inverse=True)
    return np.array([f"{value // 100}.{value % 100:02d}" for value in values.tolist()], dtype=object)[places]


def append_rows(path: Path, table: pd.DataFrame, *, separator: str = ",", encoding: str = "utf-8") -> int:
    r"""Append rows to a CSV file; a name that ends in .gz is compressed.

    Parameters
    ----------
    path : Path
        The file; where it is not there it is begun, with a header. A .gz may get several members.
    table : DataFrame
        Text columns; a column `cut_short`, if any, says how many cells of the row are kept (0 = all).
    separator : str
        Between cells.
    encoding : str
        Of the file.

    Returns
    -------
    int
        Number of rows written. Lines end in a line feed; the time of writing is in no byte.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> append_rows(path, pd.DataFrame({"a": ["1", "2"], "b": ["x", "y"], "cut_short": [0, 1]}))
    2
    >>> path.read_text()
    'a,b\n1,x\n2\n'
    """
    begins = not path.exists()
    cut: dict[int, int] = {}
    if CUT_SHORT in table:
        cut = {place: int(cells) for place, cells in enumerate(table[CUT_SHORT].tolist()) if cells}
        table = table.drop(columns=CUT_SHORT)
    text = table.to_csv(index=False, header=begins, lineterminator="\n", sep=separator)
    if cut:
        lines = text.split("\n")
        for place, cells in cut.items():
            lines[place + begins] = separator.join(lines[place + begins].split(separator)[:cells])
        text = "\n".join(lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(_pack(text.encode(encoding)) if path.suffix == ".gz" else text.encode(encoding))
    return len(table)


def append_days(folder: Path, name: str, lines: pa.StringArray, *, header: str, days: np.ndarray) -> int:
    r"""Append lines to one packed file a day.

    Parameters
    ----------
    folder : Path
        Where the files are.
    name : str
        A file's name with ``{day}`` in it, such as ``clicks_{day}.csv.gz``.
    lines : pyarrow.StringArray
        One line a row, line end included, by day.
    header : str
        The first line of a file that is not there yet, line end included.
    days : ndarray of int
        Each line's day since 1970-01-01, ascending.

    Returns
    -------
    int
        Number of lines written. Packing takes two threads, which no byte shows.

    Examples
    --------
    >>> import tempfile
    >>> folder, lines = Path(tempfile.mkdtemp()), pa.array(["1\n", "2\n"])
    >>> append_days(folder, "a_{day}.csv.gz", lines, header="a\n", days=np.array([0, 1]))
    2
    >>> gzip.open(folder / "a_1970-01-02.csv.gz").read()
    b'a\n2\n'
    """
    folder.mkdir(parents=True, exist_ok=True)
    found, starts = np.unique(days, return_index=True)
    names = write_times(found * 86_400, style="%Y-%m-%d").tolist()
    paths = [folder / name.format(day=day) for day in names]
    edges = np.append(starts, len(lines))

    def pack(place: int) -> bytes:
        text = _slice_lines(lines, int(edges[place]), int(edges[place + 1]))
        return _pack(text if paths[place].exists() else header.encode() + text)

    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as threads:
        for path, packed in zip(paths, threads.map(pack, range(len(paths))), strict=True):
            with path.open("ab") as file:
                file.write(packed)
    return len(lines)


def _slice_lines(lines: pa.StringArray, start: int, end: int) -> bytes:
    """Return the bytes of lines, which stand side by side in memory."""
    _, offsets, text = lines.buffers()
    places = np.frombuffer(offsets, dtype="int32")[lines.offset :]
    return bytes(memoryview(text)[places[start] : places[end]])


def _pack(text: bytes) -> bytes:
    """Compress without a name and a time, so that the same text gives the same bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=packed, mtime=0) as file:
        file.write(text)
    return packed.getvalue()
