"""What was found against what was expected: a dumbbell a place, the widest shortfall on top."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from journeylib.figures.alt_text import format_value, set_alt_text, spell_name, write_nothing_to_show
from journeylib.figures.saving import keep_numbers
from journeylib.figures.scores import LOW_BASE, TOO_SMALL, write_column
from journeylib.figures.theme import COLOURS, INK, SMALL_POINTS, make_axes, wrap_labels, write_heading

__all__ = ["plot_expectations"]

_PLACES = ["stage", "touchpoint", "persona", "segment"]
_METRICS = {"expectation_mean": "expected", "perception_mean": "found", "expectation_gap": "gap"}


def plot_expectations(measures: pd.DataFrame, *, by: str = "touchpoint", ax: Axes | None = None) -> Axes:
    """Draw what was expected of each place and, in front of it, what was found.

    Parameters
    ----------
    measures : pandas.DataFrame
        Measure table with the metrics `expectation_mean`, `perception_mean` and `expectation_gap`, as from
        `measure_expectation_gap`; of several periods the reviewed one is drawn. Other metrics are not read.
    by : {"touchpoint", "stage", "persona", "segment"}, default "touchpoint"
        The column of places.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib.axes.Axes
        One row a place that has a gap, the one furthest below expectation on top; row order of the input does
        not matter. An open diamond is the expectation, a dot the perception, hollow under 30 respondents,
        which stand below the ranking; both have their number beside them. The gap, its interval and n stand
        to the right. Suppressed places (value missing) are named without marks.

    Raises
    ------
    ValueError
        Where `by` is not a column of places.

    Examples
    --------
    >>> rows = [("expectation_mean", 4.2), ("perception_mean", 3.0), ("expectation_gap", -1.2)]
    >>> measures = pd.DataFrame(rows, columns=["metric", "value"]).assign(
    ...     touchpoint="delivery", low=-1.3, high=-1.1, n=200)
    >>> plot_expectations(measures).get_title(loc="left")
    'Delivery falls furthest short of what was expected: by 1.20 points'
    """
    if by not in _PLACES:
        raise ValueError(f"by={by!r}: expected one of {', '.join(_PLACES)}.")
    rows = _pair_rows(measures, by=by)
    if rows.empty:
        return write_nothing_to_show(ax, f"No expectation by {by} to show: the table has no such rows.")
    axes = make_axes(ax, labels=wrap_labels(rows["place"]), row_inches=0.26)
    marks = _draw_dumbbells(axes, rows)
    write_column(axes, [_say_gap(row) for _, row in rows.iterrows()])
    shown = rows[["expected", "found"]].to_numpy(float)
    if not np.isnan(shown).all():
        low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
        air = max(0.12 * (high - low), 0.12)
        axes.set_xlim(low - air, high + air)
    axes.set_xlabel(
        "Mean answer, in scale points; to the right: found less expected, with 95\u00a0% interval"
    )
    title = _say_widest(rows)
    write_heading(axes, title, marks=marks)
    keep_numbers(axes, measures)
    return set_alt_text(axes, f"Dumbbell plot of expectation and perception. {title}. {_say_all(rows)}.")


def _pair_rows(measures: pd.DataFrame, *, by: str) -> pd.DataFrame:
    """Put a place's expectation, perception and gap on one row, firm ones first, widest shortfall on top."""
    rows = measures[measures["metric"].isin(list(_METRICS))] if "metric" in measures else measures.iloc[:0]
    texts = dict.fromkeys(_PLACES, "") | {"which": "reviewed"}
    numbers = dict.fromkeys(["value", "low", "high", "n"], float("nan"))
    rows = rows.assign(**{name: value for name, value in (texts | numbers).items() if name not in rows})
    rows = rows.fillna(texts).astype(dict.fromkeys(numbers, "float64"))
    others = [name for name in _PLACES if name != by and (by, name) != ("touchpoint", "stage")]
    rows = rows[rows["which"].eq("reviewed") & rows[by].ne("") & (rows[others] == "").all(axis=1)]
    place = rows[by].map(spell_name).astype("str")
    if by == "touchpoint":
        stages = rows.groupby(by)["stage"].transform("nunique")
        place = place.where(stages.lt(2), place + ", " + rows["stage"].map(spell_name).astype("str"))
    rows = rows.assign(place=place)
    gaps = rows[rows["metric"].eq("expectation_gap")].set_index("place")
    values = rows.pivot_table(index="place", columns="metric", values="value", aggfunc="first")
    values = values.reindex(index=gaps.index, columns=list(_METRICS)).rename(columns=_METRICS)
    paired = values.join(gaps[["low", "high", "n"]]).reset_index()
    group = paired["n"].lt(LOW_BASE).astype(int).where(paired["gap"].notna(), 2)
    return paired.assign(group=group).sort_values(["group", "gap", "place"], ignore_index=True)


def _draw_dumbbells(ax: Axes, rows: pd.DataFrame) -> list[Artist]:
    """Draw expectation behind, perception in front, and the number of each on its outer side."""
    expected: dict[str, Any] = {"marker": "D", "markersize": 9, "linestyle": "none", "color": "white"}
    expected |= {"markeredgecolor": INK, "markeredgewidth": 1.2}
    found: dict[str, Any] = {"marker": "o", "markersize": 8, "linestyle": "none", "color": COLOURS["now"]}
    for position, (_, row) in enumerate(rows.iterrows()):
        if pd.isna(row["gap"]):
            continue
        ends = [row["expected"], row["found"]]
        ax.plot(ends, [position] * 2, color=COLOURS["before"], linewidth=2.5, zorder=2)
        ax.plot(ends[:1], [position], zorder=3, **expected)
        face = "white" if row["n"] < LOW_BASE else COLOURS["now"]
        ax.plot(ends[1:], [position], zorder=4, markerfacecolor=face, **found)
        is_short = row["found"] < row["expected"]
        for value, is_left in ((row["found"], is_short), (row["expected"], not is_short)):
            ax.annotate(
                format_value(value, kind="mean"),
                (value, position),
                xytext=(-9 if is_left else 9, 0),
                textcoords="offset points",
                ha="right" if is_left else "left",
                va="center",
                fontsize=SMALL_POINTS,
                color=INK,
            )
    marks: list[Artist] = [
        Line2D([], [], label="Expected", **expected),
        Line2D([], [], label="Found", **found),
    ]
    if (rows["n"].lt(LOW_BASE) & rows["gap"].notna()).any():
        marks.append(
            Line2D([], [], label="Found, fewer than 30: indicative", markerfacecolor="white", **found)
        )
    return marks


def _say_gap(row: pd.Series) -> str:
    """Write a row's gap, its interval and base as its right-hand label."""
    if pd.isna(row["gap"]):
        return TOO_SMALL
    gap, low, high = (_sign(row[name]) for name in ("gap", "low", "high"))
    base = f"{gap} ({low} to {high})   n\u00a0{row['n']:,.0f}"
    return base + ("  low base" if row["n"] < LOW_BASE else "")


def _sign(value: float) -> str:
    """Write a gap with its sign."""
    return format_value(value, kind="mean") if value < 0 else f"+{format_value(value, kind='mean')}"


def _say_widest(rows: pd.DataFrame) -> str:
    """Make the title from the gaps whose whole interval lies below 0, else say that none does."""
    firm = rows[rows["gap"].notna() & rows["n"].ge(LOW_BASE)]
    short = firm[firm["high"] < 0]
    if firm.empty:
        return "No place has the 30 respondents that a firm gap needs"
    if short.empty:
        return "Nowhere can a shortfall against what was expected be told from noise"
    first = short.iloc[0]
    name = f"{first['place'][0].upper()}{first['place'][1:]}"
    return f"{name} falls furthest short of what was expected: by {-first['gap']:.2f} points"


def _say_all(rows: pd.DataFrame) -> str:
    """Say every number of the figure, in its order."""
    parts = []
    for _, row in rows.iterrows():
        if pd.isna(row["gap"]):
            parts.append(f"{row['place']} {TOO_SMALL}")
            continue
        expected, found = (format_value(row[name], kind="mean") for name in ("expected", "found"))
        parts.append(f"{row['place']} expected {expected}, found {found}, gap {_say_gap(row)}")
    return "; ".join(parts)
