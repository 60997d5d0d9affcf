"""Attribution as ranges: what a channel gets depends on the rule, and the figure shows by how much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from journeylib.figures.alt_text import format_value, set_alt_text, spell_name, write_nothing_to_show
from journeylib.figures.scores import write_column
from journeylib.figures.theme import COLOURS, make_axes, wrap_labels, write_heading

__all__ = ["plot_attribution"]

_MODELS = ("first", "last", "last_non_direct", "linear", "position", "time_decay", "markov", "shapley")
_NAMES = {"markov": "Markov", "shapley": "Shapley", "position": "position 40-20-40"}


def plot_attribution(
    comparison: pd.DataFrame,
    *,
    models: Sequence[str] = ("last", "markov"),
    most: int = 12,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw for each channel the range of conversions that the models give it.

    Parameters
    ----------
    comparison : pandas.DataFrame
        Table of `compare_attribution`: one row is one channel; `channel`, `lowest`, `highest` and a column a
        model, in conversions. Where `which` is there, the reviewed period (or `all`) is drawn.
    models : sequence of str, default ("last", "markov")
        One or two models to mark; those that the table lacks are left out.
    most : int, default 12
        How many channels to draw, the highest mean over models first; how many others there are is said.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib.axes.Axes
        One line a channel, from the lowest to the highest model; ties are settled by name, so row order does
        not matter. At the right: the range in conversions.

    Raises
    ------
    ValueError
        Where a column is missing, more than two models are to be marked, or `most` is below 1.

    Examples
    --------
    >>> table = pd.DataFrame({"channel": ["search", "email"], "first": [60.0, 40], "last": [30.0, 70],
    ...     "lowest": [30.0, 40], "highest": [60.0, 70]})
    >>> plot_attribution(table).get_title(loc="left")
    'Of 100 conversions, email gets 40 to 70 and search 30 to 60, depending on the rule'
    """
    if most < 1 or len(models) > 2:
        raise ValueError(f"most={most} and {len(models)} models: expected 1 or more, and two models at most.")
    ranges, there = _rank_channels(comparison)
    if ranges.empty:
        return write_nothing_to_show(ax, "No attribution to show: the table has no channels.")
    shown = ranges.head(most)
    axes = make_axes(ax, labels=wrap_labels(shown["name"]))
    marks = _draw_ranges(axes, shown, [model for model in models if model in there])
    axes.axvline(0, color=COLOURS["before"], linewidth=0.8, zorder=1)
    axes.set_xlabel("Conversions credited. A credit rule, not a cause")
    words = [_say_range(low, high) for low, high in zip(shown["lowest"], shown["highest"], strict=True)]
    write_column(axes, words)
    title = _say_top(shown, total=float(ranges[there].sum().max()), n_models=len(there))
    write_heading(axes, title, marks=marks)
    rest = len(ranges) - len(shown)
    others = f" {rest} more {'channel is' if rest == 1 else 'channels are'} not drawn." if rest else ""
    parts = [_say_channel(row, there) for _, row in shown.iterrows()]
    return set_alt_text(
        axes, f"Ranges of credited conversions by channel, over {len(there)} models. {title}. "
        f"{'; '.join(parts)}.{others} Each model is a credit rule, not a cause."
    )  # fmt: skip


def _rank_channels(comparison: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Keep the drawn period's channels, the highest mean over models first; and list the models."""
    missing = sorted({"channel", "lowest", "highest"} - set(comparison.columns))
    there = [model for model in _MODELS if model in comparison]
    if missing or not there:
        lacks = ", ".join(missing) or "a column for each model"
        raise ValueError(f"The table of attribution lacks {lacks}; expected that of compare_attribution.")
    rows = comparison
    if "which" in rows:
        rows = rows.loc[rows["which"].isin(["reviewed", "all"])]
    rows = rows.assign(name=rows["channel"].map(_spell_channel), mean=rows[there].mean(axis=1))
    return rows.sort_values(["mean", "name"], ascending=[False, True], ignore_index=True), there


def _draw_ranges(ax: Axes, shown: pd.DataFrame, models: Sequence[str]) -> list[Artist]:
    """Draw each channel's range as a line with ends, and the marked models on it."""
    line: dict[str, Any] = {"color": COLOURS["before"], "linewidth": 5, "solid_capstyle": "butt"}
    for position, (low, high) in enumerate(zip(shown["lowest"], shown["highest"], strict=True)):
        ax.plot([low, high], [position] * 2, zorder=2, **line)
        ax.plot([low, high], [position] * 2, linestyle="none", marker="|", markersize=11,
                markeredgewidth=1.6, color=COLOURS["before"], zorder=2)  # fmt: skip
    marks: list[Artist] = [Line2D([], [], label="Lowest to highest model", **line)]
    styles = ({"marker": "o", "color": COLOURS["now"]}, {"marker": "D", "color": COLOURS["lost"]})
    for model, style in zip(models, styles, strict=False):
        dots: dict[str, Any] = {"linestyle": "none", "markersize": 7, "markeredgecolor": "white", **style}
        ax.plot(shown[model], range(len(shown)), zorder=4, **dots)
        name = _spell_model(model)
        marks.append(Line2D([], [], label=name[:1].upper() + name[1:], **dots))
    return marks


def _say_range(low: float, high: float) -> str:
    same = format_value(low) == format_value(high)
    return format_value(low) if same else f"{format_value(low)} to {format_value(high)}"


def _say_top(shown: pd.DataFrame, *, total: float, n_models: int) -> str:
    """Make the title from the two channels with most credit."""
    real = shown.loc[shown["channel"] != "(no touch)"]
    if real.empty:
        return f"None of {format_value(total)} conversions had a touch in its window"
    said = [
        f"{row['name']} {{}}{_say_range(row['lowest'], row['highest'])}" for _, row in real.head(2).iterrows()
    ]
    rule = "depending on the rule" if n_models > 1 else "by one rule"
    first = said[0].format("gets ")
    both = f"{first} and {said[1].format('')}" if len(said) > 1 else first
    return f"Of {format_value(total)} conversions, {both}, {rule}"


def _say_channel(row: pd.Series, models: Sequence[str]) -> str:
    each = ", ".join(f"{_spell_model(model)} {format_value(float(row[model]))}" for model in models)
    return f"{row['name']} {_say_range(row['lowest'], row['highest'])} ({each})"


def _spell_channel(channel: object) -> str:
    return {"(no touch)": "no touch in the window"}.get(str(channel), spell_name(channel))


def _spell_model(model: str) -> str:
    return _NAMES.get(model, model.replace("_", " "))
