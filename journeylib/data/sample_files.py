"""Reading the sample's templates and writing its files, with the same bytes on every platform."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["CUT_SHORT", "append_rows", "read_template", "write_cents", "write_times"]

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
    texts = (
        pd.DatetimeIndex(np.asarray(seconds).astype("datetime64[s]"))
        .strftime(style)
        .to_numpy()
        .astype(object)
    )
    return texts if missing is None else np.where(missing, "", texts)


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
    return np.array(
        [f"{value // 100}.{value % 100:02d}" for value in np.asarray(cents).tolist()], dtype=object
    )


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
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                packed.write(text.encode(encoding))
        else:
            file.write(text.encode(encoding))
    return len(table)
