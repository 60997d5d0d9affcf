"""The look of every figure: colours that pass 3:1 on white, sizes that stay readable on the page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes

__all__ = ["COLOURS", "make_axes", "set_theme", "wrap_labels", "write_heading"]

#: The five colours of seaborn's colorblind ten whose contrast on white is 3:1 or more, by what they mean.
COLOURS = {
    "now": "#0173b2",
    "lost": "#d55e00",
    "kept": "#029e73",
    "other": "#cc78bc",
    "before": "#949494",
}
#: Text, quieter text and hairlines.
INK, QUIET, HAIRLINE = "#1d2430", "#535d6b", "#dfe4ea"
#: One inch is 100 CSS pixels on the page (920 pixels wide) and 150 in the file, so 8.5 pt reads as 12 px.
WIDTH_INCHES, PAGE_PIXELS_PER_INCH, FILE_PIXELS_PER_INCH = 9.2, 100, 150
TITLE_POINTS, TEXT_POINTS, SMALL_POINTS = 11.5, 9.5, 8.5
_TITLE_CHARACTERS = 88


def set_theme() -> None:
    """Give all figures and tables that follow the look of the review.

    Sets matplotlib's defaults for this process, as `seaborn.set_theme` does, and lets pandas show long text
    uncut; importing this package never does. The font is DejaVu Sans, which matplotlib ships, so that the
    same numbers give the same picture on every machine.

    Returns
    -------
    None
        Nothing; `matplotlib.rcdefaults()` takes it back.

    Examples
    --------
    >>> import matplotlib
    >>> set_theme()
    >>> matplotlib.rcParams["axes.titlelocation"], matplotlib.rcParams["axes.spines.top"]
    ('left', False)
    """
    pd.set_option("display.max_colwidth", None)
    sns.set_theme(
        style="white",
        palette=list(COLOURS.values()),
        font="DejaVu Sans",
        rc={
            "axes.edgecolor": HAIRLINE,
            "axes.labelcolor": QUIET,
            "axes.labelsize": SMALL_POINTS,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titlesize": TITLE_POINTS,
            "axes.titleweight": "bold",
            "figure.dpi": PAGE_PIXELS_PER_INCH,
            "font.size": TEXT_POINTS,
            "grid.color": HAIRLINE,
            "legend.fontsize": SMALL_POINTS,
            "savefig.dpi": FILE_PIXELS_PER_INCH,
            "text.color": INK,
            "xtick.labelsize": SMALL_POINTS,
            "ytick.labelsize": TEXT_POINTS,
        },
    )


def make_axes(ax: Axes | None, *, labels: Sequence[str], row_inches: float = 0.22) -> Axes:
    """Take the caller's axes, or make a figure as high as its rows need.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure, 9.2 inches wide (920 pixels on the page).
    labels : sequence of str
        The rows' labels, from `wrap_labels`; the two longest neighbours set the height of all rows.
    row_inches : float, default 0.22
        Air around the text of one row, in inches.

    Returns
    -------
    matplotlib.axes.Axes
        The axes: row 0 on top, no ticks, hairline grid, one tick a row.
    """
    if ax is None:
        lines = _count_lines(labels)
        height = 1.25 + max(len(labels), 1) * (row_inches + 0.16 * lines)
        _, ax = plt.subplots(figsize=(WIDTH_INCHES, height), layout="constrained")
    ax.set_yticks(range(len(labels)), labels, fontsize=TEXT_POINTS, color=INK)
    ax.set_ylim(max(len(labels), 1) - 0.5, -0.5)
    ax.set_axisbelow(True)
    ax.grid(visible=False)
    ax.grid(visible=True, axis="x", color=HAIRLINE, linewidth=0.8)
    ax.tick_params(axis="both", length=0, pad=6)
    ax.tick_params(axis="x", labelsize=SMALL_POINTS, labelcolor=QUIET)
    for side, spine in ax.spines.items():
        spine.set_visible(side == "left")
        spine.set_color(COLOURS["before"])
    return ax


def _count_lines(labels: Sequence[str]) -> float:
    """Count the lines of text that a row must leave room for, so that no two neighbours touch."""
    lines = [label.count("\n") + 1 for label in labels] or [1]
    return max((above + below) / 2 for above, below in zip(lines, [*lines[1:], lines[-1]], strict=True))


def wrap_labels(labels: Iterable[object], *, width: int = 30) -> list[str]:
    r"""Break long names into lines, so that they neither overlap nor are cut off.

    Parameters
    ----------
    labels : iterable
        Names of steps, touchpoints or segments; `_` becomes a space.
    width : int, default 30
        Characters a line; a longer word is broken.

    Returns
    -------
    list of str
        One label a row, in the order given.

    Examples
    --------
    >>> wrap_labels(["wayfinding", "screens_with_flight_information"], width=20)
    ['wayfinding', 'screens with flight\ninformation']
    """
    return ["\n".join(textwrap.wrap(str(label).replace("_", " "), width)) for label in labels]


def write_heading(ax: Axes, sentence: str, *, marks: Sequence[Artist] = ()) -> None:
    """Write a figure's title, a sentence, flush with its labels, and below it what its marks mean.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes whose labels are drawn already; their width says where the title begins.
    sentence : str
        The finding in words; it is wrapped.
    marks : sequence of matplotlib artists
        Labelled marks to be explained in one line between title and figure.

    Returns
    -------
    None
        The axes are changed.
    """
    figure = ax.get_figure(root=True)
    if figure is not None:
        figure.draw_without_rendering()
    labels, whole = ax.yaxis.get_tightbbox(), ax.get_tightbbox()
    left = 0.0 if labels is None else min(0.0, ax.transAxes.inverted().transform((labels.x0, labels.y0))[0])
    if marks:
        ax.legend(
            handles=list(marks),
            loc="lower left",
            bbox_to_anchor=(left, 1.0),
            ncols=len(marks),
            frameon=False,
            fontsize=SMALL_POINTS,
            labelcolor=QUIET,
            borderpad=0,
            borderaxespad=0.6,
            handlelength=1.6,
            columnspacing=1.8,
        )
    title = ax.set_title(
        sentence, loc="left", pad=27 if marks else 10, fontsize=TITLE_POINTS, fontweight="bold", color=INK
    )
    title.set_x(left)
    for characters in range(_TITLE_CHARACTERS, 30, -6):
        title.set_text("\n".join(textwrap.wrap(sentence, characters)))
        if whole is None or title.get_window_extent().x1 <= whole.x1:
            break
