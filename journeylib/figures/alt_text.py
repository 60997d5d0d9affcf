"""The words of a figure: its text alternative, its numbers as text, and how a notebook shows both."""

from __future__ import annotations

import base64
import io
import math
from weakref import WeakKeyDictionary

import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from journeylib.figures.theme import (
    FILE_PIXELS_PER_INCH,
    PAGE_PIXELS_PER_INCH,
    QUIET,
    TEXT_POINTS,
    WIDTH_INCHES,
    make_axes,
    write_heading,
)

__all__ = [
    "format_value",
    "get_alt_text",
    "set_alt_text",
    "show_figure",
    "spell_name",
    "write_nothing_to_show",
]

_ALT_TEXTS: WeakKeyDictionary[Axes, str] = WeakKeyDictionary()


def set_alt_text(ax: Axes, text: str) -> Axes:
    """Give a figure the words that stand in for it where it can't be seen.

    Each `plot_` function calls it with its own numbers; call it again to say it better.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The figure's axes.
    text : str
        What the figure shows, numbers included; runs of white space become one space.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Raises
    ------
    ValueError
        Where the text is empty.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> get_alt_text(set_alt_text(plt.figure().subplots(), "Three of four stay."))
    'Three of four stay.'
    >>> plt.close()
    """
    words = " ".join(text.split())
    if not words:
        raise ValueError("The alt text is empty: say in a sentence what the figure shows, with its numbers.")
    _ALT_TEXTS[ax] = words
    return ax


def get_alt_text(ax: Axes) -> str:
    """Read the text alternative of a figure.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The figure's axes.

    Returns
    -------
    str
        The text; empty where none was set.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> get_alt_text(plt.figure().subplots())
    ''
    >>> plt.close()
    """
    return _ALT_TEXTS.get(ax, "")


def show_figure(ax: Axes) -> None:
    """Show a figure in the notebook as a PNG that carries its text alternative, and close it.

    The text stands in the output twice: as metadata, which the review page reads, and as plain text, so
    that a strict comparison of outputs sees a changed number though it can't see pictures.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Any axes of the figure; the texts of all of them are joined.

    Returns
    -------
    None
        The picture goes to IPython's display; 150 pixels an inch, same bytes for the same figure.

    Raises
    ------
    ValueError
        Where no axes of the figure has an alt text.
    """
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("These axes belong to no figure any more; draw them again before showing them.")
    text = " ".join(filter(None, map(get_alt_text, figure.axes)))
    if not text:
        raise ValueError(
            "The figure has no alt text: call set_alt_text(ax, 'what it shows') before it is shown."
        )
    width = round(min(figure.get_size_inches()[0], WIDTH_INCHES) * PAGE_PIXELS_PER_INCH)
    display(
        {"image/png": _draw_png(figure), "text/plain": text},
        metadata={"image/png": {"alt": text, "width": width}},
        raw=True,
    )
    plt.close(figure)


def _draw_png(figure: Figure) -> str:
    """Draw a figure at 150 pixels an inch, without the version of the software in the file."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer, format="png", dpi=FILE_PIXELS_PER_INCH, facecolor="white", metadata={"Software": None}
    )
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def format_value(value: float, *, kind: str = "count") -> str:
    """Write a number as a reader expects it.

    Parameters
    ----------
    value : float
        Percent for a share, points for NPS, scale points for a mean; NaN is missing.
    kind : {"share", "mean", "nps", "count"}
        What the number is; sets decimals and sign.

    Returns
    -------
    str
        The number with its unit, a no-break space before the percent sign; a missing one is `not shown`.

    Examples
    --------
    >>> [format_value(v, kind=k) for v, k in [(4.0636, "mean"), (39.84, "nps"), (24026, "count")]]
    ['4.06', '+39.8', '24,026']
    >>> format_value(float("nan"), kind="share")
    'not shown'
    """
    if value is None or math.isnan(value):
        return "not shown"
    if kind == "share":
        text = f"{value:.1f}\u00a0%"
    elif kind == "nps":
        text = f"{value:+.1f}"
    else:
        text = f"{value:,.2f}" if kind == "mean" else f"{value:,.0f}"
    return text.replace("-", "\u2212")


def spell_name(name: object) -> str:
    """Write the name of a touchpoint, step or segment as words.

    Parameters
    ----------
    name : object
        The name as it stands in a table; empty is an event without a touchpoint.

    Returns
    -------
    str
        Without `event:` or `stage:` in front, without `_`, and `column=label` as `column: label`.

    Examples
    --------
    >>> [spell_name(name) for name in ["event:add_to_cart", "problem=yes", "(start)", ""]]
    ['add to cart', 'problem: yes', 'start of session', 'unmapped']
    """
    text = str(name).removeprefix("event:").removeprefix("stage:").replace("_", " ").replace("=", ": ", 1)
    return {"": "unmapped", "(start)": "start of session", "(end)": "end of session"}.get(text, text)


def write_nothing_to_show(ax: Axes | None, sentence: str) -> Axes:
    """Say in words, in place of an empty figure, that there is nothing to draw.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        Where to write; None makes a small figure.
    sentence : str
        What is missing; it becomes title and alt text.

    Returns
    -------
    matplotlib.axes.Axes
        Axes without marks.
    """
    axes = make_axes(ax, labels=[""])
    axes.set_axis_off()
    axes.text(0.0, 0.5, "No rows to draw.", transform=axes.transAxes, color=QUIET, fontsize=TEXT_POINTS)
    write_heading(axes, sentence)
    return set_alt_text(axes, sentence)
