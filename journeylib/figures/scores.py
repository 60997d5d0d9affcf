"""Scores as a dot plot: each place with its interval, its base, and where it stood before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from journeylib.figures.alt_text import format_value, set_alt_text, spell_name, write_nothing_to_show
from journeylib.figures.saving import keep_numbers
from journeylib.figures.theme import COLOURS, INK, QUIET, SMALL_POINTS, make_axes, wrap_labels, write_heading

__all__ = ["draw_intervals", "plot_scores", "write_column"]

#: Fewer units than this are indicative only (methods.md); what stands in place of a suppressed value.
LOW_BASE, TOO_SMALL = 30, "base too small to show"
_PLACES = ["stage", "touchpoint", "persona", "segment"]
#: What a metric is called on its axis; others are spelt out from their name.
_METRIC_WORDS = {
    "nps": "NPS, from \u2212100 to 100",
    "csat_mean": "Mean satisfaction, in scale points",
    "csat_top2": "Satisfied: the top two answers, in percent",
    "ces_mean": "Mean ease, in scale points",
    "ces_top3": "Easy: answers 5 to 7, in percent",
}


def plot_scores(
    measures: pd.DataFrame, *, metric: str, by: str = "touchpoint", ax: Axes | None = None
) -> Axes:
    """Draw a metric's values place by place, best on top, with interval, base and previous value.

    Parameters
    ----------
    measures : pandas.DataFrame
        Measure table: one row is one metric for one place in one period. `metric` and `value` are needed;
        missing columns of places read as empty, a missing `which` as reviewed.
    metric : str
        The metric to draw, such as `csat_mean`.
    by : {"touchpoint", "stage", "persona", "segment", "item"}, default "touchpoint"
        The column of places. The row that names no place is the headline, drawn as a line.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib.axes.Axes
        One row of marks a place; row order of the input does not matter. Places under 30 answers are hollow
        and stand below the ranking; suppressed ones (value missing) are named without a mark.

    Raises
    ------
    ValueError
        Where `by` is not a column of places.

    Examples
    --------
    >>> measures = pd.DataFrame({"metric": "csat_mean", "touchpoint": ["shops", "wifi"],
    ...     "value": [4.1, 3.2], "low": [4.0, 3.0], "high": [4.2, 3.4], "n": [200, 120]})
    >>> plot_scores(measures, metric="csat_mean").get_title(loc="left")
    'Shops is highest at 4.10, wifi lowest at 3.20'
    """
    if by not in [*_PLACES, "item"]:
        raise ValueError(f"by={by!r}: expected one of {', '.join([*_PLACES, 'item'])}.")
    rows = _complete(measures, metric=metric)
    now = _sort_places(_select_places(rows.loc[rows["which"] == "reviewed"], by=by))
    if now.empty:
        return write_nothing_to_show(ax, f"No {_spell(metric)} by {by} to show: the table has no such rows.")
    before = _select_places(rows.loc[rows["which"] == "previous"], by=by).set_index("place")["value"].dropna()
    headline = _select_headline(rows.loc[rows["which"] == "reviewed"])
    kind = str(now["kind"].iloc[0])

    axes = make_axes(ax, labels=wrap_labels(now["place"]))
    marks = draw_intervals(axes, now, before=now["place"].map(before))
    if headline is not None:
        words = f"All together: {format_value(headline, kind=kind)}"
        axes.axvline(headline, color=INK, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
        marks.append(Line2D([], [], color=INK, linewidth=1.0, linestyle=(0, (4, 3)), label=words))
    write_column(axes, [_say_base(row, kind=kind) for _, row in now.iterrows()])
    axes.set_xlabel(_spell(metric, sentence=True))
    title = _say_extremes(now, kind=kind, metric=metric)
    write_heading(axes, title, marks=marks)
    keep_numbers(axes, measures)
    return set_alt_text(axes, _say_all(now, before, headline, title=title, metric=metric, kind=kind))


def draw_intervals(ax: Axes, rows: pd.DataFrame, *, before: pd.Series) -> list[Artist]:
    """Draw a dot and its interval in each row, hollow under 30, and the previous value as a light diamond.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes with one tick a row.
    rows : pandas.DataFrame
        One row is one line of the figure, in drawing order: value, low, high, n; missing values draw nothing.
    before : pandas.Series
        The previous value of each row, by position; missing where there is none.

    Returns
    -------
    list of matplotlib artists
        Labelled marks for `write_heading`, only those that occur.
    """
    colour, light = COLOURS["now"], COLOURS["before"]
    dot: dict[str, Any] = {"marker": "o", "markersize": 7, "linestyle": "none", "color": colour}
    diamond: dict[str, Any] = {"marker": "D", "markersize": 6, "linestyle": "none", "color": "white"}
    diamond["markeredgecolor"] = light
    marks: list[Artist] = [Line2D([], [], label="Now, with 95\u00a0% interval", **dot)]
    for position, (_, row) in enumerate(rows.iterrows()):
        earlier = before.iloc[position]
        if pd.notna(earlier):
            ax.plot([earlier], [position], zorder=3, **diamond)
        if pd.isna(row["value"]):
            continue
        ax.plot([row["low"], row["high"]], [position] * 2, color=colour, linewidth=2, zorder=2)
        face = "white" if row["n"] < LOW_BASE else colour
        ax.plot([row["value"]], [position], markerfacecolor=face, zorder=4, **dot)
    if rows.loc[rows["n"] < LOW_BASE, "value"].notna().any():
        marks.append(Line2D([], [], markerfacecolor="white", label="Fewer than 30: indicative", **dot))
    if before.notna().any():
        marks.append(Line2D([], [], label="Period before", **diamond))
    return marks


def write_column(ax: Axes, words: Sequence[str]) -> None:
    """Write one text a row, to the right of the axes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes with one tick a row.
    words : sequence of str
        The texts, from the top row down.

    Returns
    -------
    None
        The axes are changed.
    """
    beside = ax.get_yaxis_transform()
    for position, text in enumerate(words):
        ax.text(1.015, position, text, transform=beside, va="center", color=QUIET, fontsize=SMALL_POINTS)


def _complete(measures: pd.DataFrame, *, metric: str) -> pd.DataFrame:
    """Keep one metric's rows, with every column that the figure reads."""
    rows = measures.loc[measures["metric"] == metric] if "metric" in measures else measures.iloc[:0]
    defaults = dict.fromkeys([*_PLACES, "item"], "") | {"which": "reviewed", "kind": _guess_kind(metric)}
    numbers = dict.fromkeys(["value", "low", "high", "n"], float("nan"))
    missing = {name: value for name, value in (defaults | numbers).items() if name not in rows}
    rows = rows.assign(**missing)
    rows = rows.fillna(defaults).astype(dict.fromkeys(numbers, "float64"))
    return rows.assign(which=rows["which"].replace("all", "reviewed"))


def _guess_kind(metric: str) -> str:
    """Read from a metric's name what kind of number it is."""
    if metric.startswith("nps"):
        return "nps"
    return "mean" if "_mean" in metric else "count" if metric.endswith("_count") else "share"


def _select_places(rows: pd.DataFrame, *, by: str) -> pd.DataFrame:
    """Keep the rows that name a place in one column and in none that it is not part of.

    Where a place has a joint row (no item), its single questions are left out.
    """
    free = {"touchpoint": {"touchpoint", "stage"}, "item": {"touchpoint", "stage"}}.get(by, {by})
    others = [column for column in _PLACES if column not in free]
    chosen = rows.loc[(rows[by] != "") & (rows[others] == "").all(axis=1)]
    if by != "item":
        joint = (chosen["item"] == "").groupby([chosen["stage"], chosen[by]]).transform("any")
        chosen = chosen.loc[~joint.astype(bool) | (chosen["item"] == "")]
    place = chosen[by].map(spell_name).astype(str)
    for column in ("item", "stage"):
        repeated = place.duplicated(keep=False) & (chosen[column] != "") & (column != by)
        place = place.where(~repeated, place + ", " + chosen[column].map(spell_name).astype(str))
    return chosen.assign(place=place).drop_duplicates("place")


def _select_headline(rows: pd.DataFrame) -> float | None:
    """Find the value of the one row that names no place."""
    everything = rows.loc[(rows[_PLACES] == "").all(axis=1)].dropna(subset="value")
    if (everything["item"] == "").any():
        everything = everything.loc[everything["item"] == ""]
    return float(everything["value"].iloc[0]) if len(everything) == 1 else None


def _sort_places(rows: pd.DataFrame) -> pd.DataFrame:
    """Put firm values first, best on top; then low bases, which are not ranked; then the suppressed."""
    group = (rows["n"] < LOW_BASE).astype(int).where(rows["value"].notna(), 2)
    return rows.assign(group=group).sort_values(
        ["group", "value", "place"], ascending=[True, False, True], kind="stable", ignore_index=True
    )


def _spell(metric: str, *, sentence: bool = False) -> str:
    """Write a metric's name in words."""
    plain = metric.removesuffix("_weighted")
    words = plain.replace("_", " ")
    if sentence:
        words = _METRIC_WORDS.get(plain, words.capitalize())
    words = words.replace("nps", "NPS").replace("csat", "CSAT").replace("ces ", "CES ")
    return words + (", weighted" if metric.endswith("_weighted") else "")


def _say_base(row: pd.Series, *, kind: str) -> str:
    """Write a row's value and base as its right-hand label."""
    if pd.isna(row["value"]):
        return TOO_SMALL
    base = f"{format_value(row['value'], kind=kind)}   n\u00a0{row['n']:,.0f}"
    return base + ("  low base" if row["n"] < LOW_BASE else "")


def _say_extremes(now: pd.DataFrame, *, kind: str, metric: str) -> str:
    """Make the title from the highest and the lowest of the places that may be ranked."""
    firm = now.loc[now["value"].notna() & ~(now["n"] < LOW_BASE)]
    if firm.empty:
        return f"No place has the 30 answers that a firm {_spell(metric)} needs"
    high, low = firm.iloc[0], firm.iloc[-1]
    top = f"{high['place'][0].upper()}{high['place'][1:]}"
    if len(firm) == 1:
        return f"{top} is at {format_value(high['value'], kind=kind)}, the only place with 30 answers or more"
    return (
        f"{top} is highest at {format_value(high['value'], kind=kind)}, "
        f"{low['place']} lowest at {format_value(low['value'], kind=kind)}"
    )


def _say_all(
    now: pd.DataFrame, before: pd.Series, headline: float | None, *, title: str, metric: str, kind: str
) -> str:
    """Say every number of the figure, in its order."""
    parts = []
    for _, row in now.iterrows():
        part = f"{row['place']} {_say_base(row, kind=kind)}"
        if pd.notna(row["value"]) and pd.notna(row["low"]):
            low, high = format_value(row["low"], kind=kind), format_value(row["high"], kind=kind)
            part += f", interval {low} to {high}"
        if row["place"] in before.index:
            part += f", before {format_value(before[row['place']], kind=kind)}"
        parts.append(part)
    overall = "" if headline is None else f" All together {format_value(headline, kind=kind)}."
    return f"Dot plot of {_spell(metric)}. {title}.{overall} {'; '.join(parts)}."
