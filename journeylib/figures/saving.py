"""Saving a figure for slides: a PNG in 16:9 with its words inside, and its numbers beside it."""

from __future__ import annotations

from pathlib import Path
from weakref import WeakKeyDictionary

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from journeylib.figures.alt_text import get_alt_text
from journeylib.figures.theme import FILE_PIXELS_PER_INCH

__all__ = ["get_numbers", "keep_numbers", "save_figure"]

WIDE = 16 / 9
_NUMBERS: WeakKeyDictionary[Axes, pd.DataFrame] = WeakKeyDictionary()


def keep_numbers(ax: Axes, table: pd.DataFrame) -> Axes:
    """Keep the table that a figure draws, so that `save_figure` can write it beside the picture.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The figure's axes.
    table : pandas.DataFrame
        The result table that was drawn.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = keep_numbers(plt.figure().subplots(), pd.DataFrame({"n": [3]}))
    >>> get_numbers(ax)["n"].tolist()
    [3]
    >>> plt.close()
    """
    _NUMBERS[ax] = table
    return ax


def get_numbers(ax: Axes) -> pd.DataFrame | None:
    """Return the table that a figure draws.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The figure's axes.

    Returns
    -------
    pandas.DataFrame or None
        The table; None where none was kept.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> get_numbers(plt.figure().subplots()) is None
    True
    >>> plt.close()
    """
    return _NUMBERS.get(ax)


def save_figure(figure: Axes | Figure, path: str | Path, *, table: pd.DataFrame | None = None) -> list[Path]:
    """Save a figure as a PNG in 16:9 with its text alternative, and its numbers as CSV beside it.

    Parameters
    ----------
    figure : matplotlib.axes.Axes or Figure
        What a `plot_` function returned, or any figure with a title.
    path : str or Path
        Where to write, without an ending: ``map`` becomes map.png, map.csv and map.txt. A folder that is not
        there is made; files of these names are replaced.
    table : pandas.DataFrame, optional
        The numbers, where the figure does not keep its own.

    Returns
    -------
    list of Path
        The files: the picture (150 dots an inch; title and text are in its metadata too), the numbers, the
        text. Same figure, same bytes.

    Raises
    ------
    ValueError
        Where the figure has no title, no alt text or no numbers.

    Examples
    --------
    >>> import tempfile
    >>> from journeylib.figures.funnels import plot_funnel
    >>> ax = plot_funnel(pd.DataFrame({"step": [1, 2], "label": ["view", "buy"], "n": [200, 30]}))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in save_figure(ax, f"{folder}/funnel")]
    ['funnel.png', 'funnel.csv', 'funnel.txt']
    """
    whole = figure if isinstance(figure, Figure) else figure.get_figure(root=True)
    axes = whole.axes if whole is not None else []
    title = " ".join(filter(None, (_read_title(ax) for ax in axes))) or _read_suptitle(whole)
    text = " ".join(filter(None, map(get_alt_text, axes)))
    kept = table if table is not None else next((get_numbers(ax) for ax in axes if ax in _NUMBERS), None)
    if whole is None or not title:
        raise ValueError("The figure has no title: give it a sentence with ax.set_title before it is saved.")
    if not text:
        raise ValueError(
            "The figure has no alt text: call set_alt_text(ax, 'what it shows') before it is saved."
        )
    if kept is None:
        raise ValueError("The figure keeps no numbers: give them, as in save_figure(ax, 'map', table=table).")
    base = Path(path)
    base = base.with_suffix("") if base.suffix == ".png" else base
    base.parent.mkdir(parents=True, exist_ok=True)
    picture, numbers, words = (base.with_name(base.name + end) for end in (".png", ".csv", ".txt"))
    _write_picture(whole, picture, title=title, text=text)
    kept.to_csv(numbers, index=kept.index.name is not None, lineterminator="\n", encoding="utf-8")
    words.write_text(f"{title}\n\n{text}\n", encoding="utf-8", newline="\n")
    return [picture, numbers, words]


def _write_picture(figure: Figure, path: Path, *, title: str, text: str) -> None:
    """Draw the figure on a canvas of 16:9: the shorter side grows, nothing shrinks, so no labels collide."""
    width, height = figure.get_size_inches()
    wide = max(width, height * WIDE)
    figure.set_size_inches(wide, wide / WIDE)
    words = {"Title": title, "Description": text, "Software": None}
    try:
        figure.savefig(path, format="png", dpi=FILE_PIXELS_PER_INCH, facecolor="white", metadata=words)
    finally:
        figure.set_size_inches(width, height)


def _read_title(ax: Axes) -> str:
    parts = (ax.get_title(loc="left"), ax.get_title(loc="center"), ax.get_title(loc="right"))
    return " ".join(" ".join(filter(None, parts)).split())


def _read_suptitle(figure: Figure | None) -> str:
    return " ".join(figure.get_suptitle().split()) if figure is not None else ""
