"""Funnels: how many reached each step, and how many were lost between two."""

from __future__ import annotations

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from journeylib.figures.alt_text import format_value, set_alt_text, spell_name, write_nothing_to_show
from journeylib.figures.saving import keep_numbers
from journeylib.figures.scores import TOO_SMALL
from journeylib.figures.theme import (
    COLOURS,
    INK,
    SMALL_POINTS,
    TEXT_POINTS,
    make_axes,
    wrap_labels,
    write_heading,
)

__all__ = ["plot_funnel"]


def plot_funnel(funnel: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    r"""Draw how many reached each step, how many were lost between two, and the period before.

    Parameters
    ----------
    funnel : pandas.DataFrame
        Table of `count_funnel`: one row is one step in one period; `step` (1, 2, ...), `label` and `n` are
        needed, `which` is the period. Or a measure table with the metric `step_count` of one funnel. Of a
        table with segments the rows without a segment are drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib.axes.Axes
        One bar a step, the first on top; the order of the rows matters only in a measure table. A step whose
        count is missing (suppressed) has no bar and says so.

    Raises
    ------
    ValueError
        Where several segments are there and none of them is the total, or the measures hold several funnels.

    Examples
    --------
    >>> funnel = pd.DataFrame({"step": [1, 2], "label": ["product", "purchase"], "n": [200, 30]})
    >>> plot_funnel(funnel).get_title(loc="left")
    'Of 200 that started with product, 30 (15.0\xa0%) reached purchase'
    """
    steps = _select_total(_read_steps(funnel))
    now = _take_period(steps, "reviewed")
    if now.empty or not now["n"].iloc[0] > 0:
        return write_nothing_to_show(ax, "No funnel to show: nobody started it in this period.")
    before = now["step"].map(_take_period(steps, "previous").drop_duplicates("step").set_index("step")["n"])
    first = float(now["n"].iloc[0])
    axes = make_axes(ax, labels=wrap_labels(now["step"], width=26), row_inches=0.42)
    axes.barh(range(len(now)), now["n"].fillna(0.0), height=0.5, color=COLOURS["now"], zorder=2)
    for position, earlier in enumerate(before):
        if pd.notna(earlier):
            axes.plot([earlier] * 2, [position - 0.34, position + 0.34], color=INK, linewidth=2, zorder=3)
    reach = max(first, before.max()) if before.notna().any() else first
    _label_bars(axes, now, reach=reach)
    axes.set_xlim(0, reach * 1.3)
    axes.grid(visible=False)
    axes.set_xticks([])
    unit = _find_unit(now)
    marks: list[Artist] = [Patch(color=COLOURS["now"], label=f"Reached the step ({unit or 'count'})")]
    if before.notna().any():
        line = Line2D([], [], color=INK, linestyle="none", marker="|", markersize=11, markeredgewidth=2)
        line.set_label("Period before")
        marks.append(line)
    title = _say_funnel(now, unit=unit)
    write_heading(axes, title, marks=marks)
    keep_numbers(axes, funnel)
    return set_alt_text(axes, _say_steps(now, before, title=title))


def _read_steps(funnel: pd.DataFrame) -> pd.DataFrame:
    """Bring either table into which, segment, number, step, n."""
    rows = funnel.assign(
        which=funnel["which"].replace("all", "reviewed") if "which" in funnel else "reviewed"
    )
    if "metric" in rows:
        rows = rows.loc[rows["metric"] == "step_count"]
        parts = rows["item"].astype(str).str.split("/", n=1)
        if parts.str[0].nunique() > 1:
            names = ", ".join(sorted(parts.str[0].unique()))
            raise ValueError(
                f"The measures hold the funnels {names}: draw one at a time, by the start of item."
            )
        rows = rows.assign(label=parts.str[-1], n=rows["value"], step=range(len(rows)))
    if "label" in rows:
        rows = rows.assign(number=rows["step"], step=rows["label"])
    elif "step_number" in rows:
        rows = rows.assign(number=rows["step_number"])
    else:
        rows = rows.assign(number=range(len(rows)))
    return rows.assign(step=rows.get("step", pd.Series(dtype=str)).map(spell_name), n=rows.get("n"))


def _select_total(steps: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of everybody; a table of one segment stands for itself."""
    segments = steps["segment"].fillna("") if "segment" in steps else pd.Series("", index=steps.index)
    if (segments == "").any() or segments.nunique() < 2:
        return steps.loc[segments == ""] if (segments == "").any() else steps
    raise ValueError(
        f"The funnel has {segments.nunique()} segments and no total: draw one at a time, "
        f"for example funnel[funnel['segment'] == {sorted(segments)[0]!r}]."
    )


def _take_period(steps: pd.DataFrame, which: str) -> pd.DataFrame:
    """Keep the steps of one period, in the funnel's order."""
    kept = steps.loc[steps["which"] == which].sort_values("number", kind="stable", ignore_index=True)
    return kept.astype({"n": "float64"})


def _label_bars(ax: Axes, now: pd.DataFrame, *, reach: float) -> None:
    """Write count and share in a column beside the bars, and the loss between two bars.

    At the end of its bar a count would stand beside the mark of the period before, and be read as that.
    """
    first, last_shown = now["n"].iloc[0], now["n"].iloc[0]
    for position, reached in enumerate(now["n"]):
        words = _say_reached(reached, first=first, is_first=position == 0)
        ax.text(reach * 1.03, position, words, va="center", fontsize=TEXT_POINTS, color=INK, zorder=4)
        if position and pd.notna(reached) and pd.notna(last_shown) and last_shown > 0:
            lost = last_shown - reached
            ax.text(
                reach * 0.006,
                position - 0.5,
                f"\u25bc {lost:,.0f} lost ({format_value(100 * lost / last_shown, kind='share')})",
                va="center",
                fontsize=SMALL_POINTS,
                color="#a84600",
            )
        last_shown = reached


def _say_reached(reached: float, *, first: float, is_first: bool) -> str:
    """Write a step's count, and its share of the first step."""
    if pd.isna(reached):
        return TOO_SMALL
    share = f"   {format_value(100 * reached / first, kind='share')} of first"
    return f"{reached:,.0f}" + ("" if is_first else share)


def _find_unit(now: pd.DataFrame) -> str:
    """Find what is counted, where the table says it with one word."""
    if "unit_of_analysis" not in now or now["unit_of_analysis"].nunique() != 1:
        return ""
    return str(now["unit_of_analysis"].dropna().iloc[0])


def _say_funnel(now: pd.DataFrame, *, unit: str) -> str:
    """Make the title from the first and the last step."""
    first, last = now.iloc[0], now.iloc[-1]
    who = f"{first['n']:,.0f} {unit} {'who' if unit == 'people' else 'that'}".replace("  ", " ")
    if len(now) == 1:
        return f"{who} reached {first['step']}"
    if pd.isna(last["n"]):
        return f"Of {who} started with {first['step']}, too few to show reached {last['step']}"
    share = format_value(100 * last["n"] / first["n"], kind="share")
    return f"Of {who} started with {first['step']}, {last['n']:,.0f} ({share}) reached {last['step']}"


def _say_steps(now: pd.DataFrame, before: pd.Series, *, title: str) -> str:
    """Say every bar of the funnel, in order."""
    parts = []
    for position, (_, row) in enumerate(now.iterrows()):
        reached = _say_reached(row["n"], first=now["n"].iloc[0], is_first=position == 0)
        was = before.iloc[position]
        parts.append(f"{row['step']} {reached}" + (f", period before {was:,.0f}" if pd.notna(was) else ""))
    return f"Funnel as bars. {title}. {'; '.join(parts)}."
