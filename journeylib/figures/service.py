"""Service: from which channel to which people come back on the same topic, as a matrix."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from journeylib.figures.alt_text import format_value, set_alt_text, spell_name, write_nothing_to_show
from journeylib.figures.scores import LOW_BASE
from journeylib.figures.theme import (
    INK,
    QUIET,
    SMALL_POINTS,
    TEXT_POINTS,
    make_axes,
    wrap_labels,
    write_heading,
)

__all__ = ["plot_channel_pairs"]

_SMALLEST_BASE = 10
#: From white to a blue on which dark text stays readable.
_BLUES = LinearSegmentedColormap.from_list("pairs", ["#ffffff", "#8cc1e6"])


def plot_channel_pairs(
    pairs: pd.DataFrame, *, minimum_base: int = _SMALLEST_BASE, ax: Axes | None = None
) -> Axes:
    r"""Draw what share of the contacts in each channel led to another, by the channel of the other.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Table of `count_channel_pairs`: one row is one pair of channels; `from_channel`, `to_channel`,
        `repeats`, `contacts` and `share` (percent). Of a table with segments the rows of all are drawn.
    minimum_base : int, default 10
        Contacts in a channel below which its row is not shown.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib.axes.Axes
        One row of cells a channel of the first contact, one column a channel of the next, by name, so that
        row order does not matter; at the right the share that came back at all. Rows under 30 contacts say
        that they are indicative.

    Raises
    ------
    ValueError
        Where a column is missing.

    Examples
    --------
    >>> pairs = pd.DataFrame({"from_channel": ["chat", "chat"], "to_channel": ["chat", "phone"],
    ...     "repeats": [3, 12], "contacts": 60, "share": [5.0, 20.0]})
    >>> plot_channel_pairs(pairs).get_title(loc="left")
    'Of 60 contacts by chat, 20.0\xa0% led to another by phone on the same topic within 7 days'
    """
    rows = _read_pairs(pairs)
    if rows.empty or not (rows["contacts"] >= minimum_base).any():
        return write_nothing_to_show(ax, "No repeat contacts to show: no channel has the base.")
    shares = rows.pivot(index="from_channel", columns="to_channel", values="share").sort_index(axis=1)
    contacts = rows.groupby("from_channel")["contacts"].max().reindex(shares.index)
    shown = shares.where(contacts >= minimum_base)
    labels = [f"{spell_name(name)} (n {count:,.0f})" for name, count in contacts.items()]
    axes = make_axes(ax, labels=wrap_labels(labels), row_inches=0.4)
    axes.imshow(shown.fillna(0.0), cmap=_BLUES, vmin=0, vmax=max(shown.max().max(), 1e-9), aspect="auto")
    _frame_cells(axes, [spell_name(name) for name in shares.columns])
    words = []
    for place, base in enumerate(contacts):
        words.append(_write_row(axes, place, shown.iloc[place], base=base, minimum_base=minimum_base))
    title = _say_largest(rows.loc[rows["contacts"] >= minimum_base])
    write_heading(axes, title)
    told = [f"{label}: {text}" for label, text in zip(labels, words, strict=True)]
    return set_alt_text(
        axes, f"Matrix of channels, first contact by next contact. {title}. {'; '.join(told)}."
    )


def _read_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of all topics."""
    missing = {"from_channel", "to_channel", "repeats", "contacts", "share"} - set(pairs.columns)
    if missing:
        raise ValueError(f"The table of pairs lacks {', '.join(sorted(missing))}; use count_channel_pairs.")
    rows = pairs.loc[pairs["segment"] == ""] if "segment" in pairs else pairs
    return rows.astype({"share": "float64", "contacts": "float64", "repeats": "float64"})


def _frame_cells(ax: Axes, columns: list[str]) -> None:
    """Name the columns on top, and draw white lines between the cells."""
    ax.grid(visible=False)
    ax.set_xticks(range(len(columns)), columns, fontsize=TEXT_POINTS, color=INK)
    ax.xaxis.set_ticks_position("bottom")
    ax.set_xlabel("Channel of the next contact on the topic")
    ax.set_ylabel("Channel of the first contact", color=QUIET, fontsize=SMALL_POINTS)
    for place in range(1, len(columns)):
        ax.axvline(place - 0.5, color="white", linewidth=3)
    for place in range(1, len(ax.get_yticks())):
        ax.axhline(place - 0.5, color="white", linewidth=3)


def _write_row(ax: Axes, place: int, row: pd.Series, *, base: float, minimum_base: int) -> str:
    """Write a row's shares into its cells and the share that came back at all beside it."""
    if base < minimum_base:
        ax.text(1.015, place, "base too small", transform=ax.get_yaxis_transform(), va="center", color=QUIET)
        return "base too small to show"
    texts = [format_value(share, kind="share") if pd.notna(share) else "none" for share in row]
    for column, text in enumerate(texts):
        ax.text(column, place, text, ha="center", va="center", fontsize=TEXT_POINTS, color=INK)
    back = f"{format_value(row.sum(), kind='share')} came back" + ("\nindicative" if base < LOW_BASE else "")
    ax.text(
        1.015,
        place,
        back,
        transform=ax.get_yaxis_transform(),
        va="center",
        fontsize=SMALL_POINTS,
        color=QUIET,
    )
    cells = ", ".join(f"{text} to {spell_name(name)}" for name, text in zip(row.index, texts, strict=True))
    return f"{cells}, {back}".replace("\n", ", ")


def _say_largest(rows: pd.DataFrame) -> str:
    """Make the title from the pair with the largest share, firm bases first."""
    firm = rows.loc[rows["contacts"] >= LOW_BASE]
    ranked = (firm if len(firm) else rows).sort_values(
        ["share", "from_channel", "to_channel"], ascending=[False, True, True]
    )
    top = ranked.iloc[0]
    if not top["share"] > 0:
        return "Nobody came back on the same topic within 7 days"
    return (
        f"Of {top['contacts']:,.0f} contacts by {spell_name(top['from_channel'])}, "
        f"{format_value(top['share'], kind='share')} led to another by {spell_name(top['to_channel'])} "
        "on the same topic within 7 days"
    )
