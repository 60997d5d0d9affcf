"""Survival: how the share that has converted grows with time, with its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from journeylib.figures.alt_text import format_value, set_alt_text, spell_name, write_nothing_to_show
from journeylib.figures.theme import COLOURS, INK, make_axes, write_heading

__all__ = ["plot_time_to_convert"]

_UNITS = (("minutes", 1.0), ("hours", 60.0), ("days", 1440.0))
_TICKS = {
    1 / 60: "1 s",
    1 / 6: "10 s",
    1: "1 min",
    10: "10 min",
    60: "1 h",
    360: "6 h",
    1440: "1 day",
    10080: "7 days",
    43200: "30 days",
    525600: "1 year",
}
_WHICH = {"reviewed": "Now", "all": "All together", "previous": "Period before", "year_ago": "A year ago"}
_STYLES = ("now", "before", "lost")
_SEGMENT_STYLES = ("now", "lost", "kept", "other")
_WIDE = 100
_TOPS = (20, 40, 60, 100)  # percent; the lowest that holds the curves and their bands is the axis
_SMALLEST_BASE = 10


def plot_time_to_convert(curves: pd.DataFrame, *, by_segment: bool = False, ax: Axes | None = None) -> Axes:
    r"""Draw the share that has converted, by the time since the first step.

    Parameters
    ----------
    curves : pandas.DataFrame
        Table of `trace_time_to_convert`: `minutes`, `share`, `low`, `high` (percent), `at_risk`, and where
        they are there `which`, `segment` and the median's columns. Row order does not matter.
    by_segment : bool, default False
        Draw the segments of the reviewed period, instead of the periods.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib.axes.Axes
        One step line and its band a curve, at most four; curves of fewer than 10 units are not drawn, which
        the alt text says. Time is on a log scale where it spans more than a factor of 100.

    Examples
    --------
    >>> curve = pd.DataFrame({"minutes": [1.0, 5.0], "at_risk": [40, 20], "share": [50.0, 75.0],
    ...     "low": [36.0, 61.0], "high": [66.0, 87.0], "median_minutes": 3.0})
    >>> plot_time_to_convert(curve).get_title(loc="left")
    'Half of 40 have converted after 3.0 minutes'
    """
    drawn, left_out = _choose_curves(curves, by_segment)
    if not drawn:
        return write_nothing_to_show(ax, "No time to convert to show: no curve has ten units.")
    axes = make_axes(ax, labels=["0", "", "", "", ""])
    is_log = _scale_time(axes, drawn)
    marks: list[Artist] = []
    styles = _SEGMENT_STYLES if by_segment else _STYLES
    for (name, curve), style in zip(drawn.items(), styles, strict=False):
        marks.append(_draw_curve(axes, curve, name, COLOURS[style], is_log=is_log))
    if axes.get_ylim()[1] >= 50:
        axes.axhline(50, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    top = next(iter(drawn))
    title = f"{top}: {_say_median(drawn[top], whole=False)}" if by_segment else _say_median(drawn[top])
    write_heading(axes, title, marks=marks if len(marks) > 1 else [])
    told = [f"{name}: {_say_curve(curve)}" for name, curve in drawn.items()]
    rest = f" Not drawn: {', '.join(left_out)}." if left_out else ""
    return set_alt_text(axes, f"Curve of conversion by time. {title}. {'; '.join(told)}.{rest}")


def _choose_curves(curves: pd.DataFrame, by_segment: bool) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Choose the curves by name, the reviewed period or the largest segments first."""
    rows = curves.assign(**{name: "" for name in ("which", "segment") if name not in curves})
    rows = rows.assign(which=rows["which"].replace("", "all")).sort_values("minutes", kind="stable")
    if by_segment:
        rows = rows.loc[rows["which"].isin(["reviewed", "all"]) & (rows["segment"] != "")]
        sizes = rows.groupby("segment")["at_risk"].max().sort_index()
        names = sizes.sort_values(ascending=False, kind="stable").index
        found = {spell_name(name): rows.loc[rows["segment"] == name] for name in names}
    else:
        rows = rows.loc[rows["segment"] == ""]
        found = {words: rows.loc[rows["which"] == which] for which, words in _WHICH.items()}
    found = {name: curve for name, curve in found.items() if len(curve)}
    enough = [name for name, curve in found.items() if curve["at_risk"].max() >= _SMALLEST_BASE]
    kept = enough[: len(_SEGMENT_STYLES if by_segment else _STYLES)]
    return {name: found[name] for name in kept}, [name for name in found if name not in kept]


def _scale_time(ax: Axes, curves: dict[str, pd.DataFrame]) -> bool:
    """Set both axes; log where time spans much."""
    times = pd.concat([curve.loc[curve["share"] > 0, "minutes"] for curve in curves.values()])
    last = max(max(curve["minutes"].max() for curve in curves.values()), 1e-9)
    first = max(times[times > 0].min() if (times > 0).any() else last, 1e-9)
    highest = max(curve[["share", *({"high"} & {*curve})]].max().max() for curve in curves.values())
    top = next(limit for limit in _TOPS if highest <= limit or limit == _TOPS[-1])
    ax.set_ylim(0, top)
    ax.set_yticks([top * part / 4 for part in range(5)], [f"{top * part / 4:g}\u00a0%" for part in range(5)])
    ax.grid(visible=True, axis="y")
    if last / first > _WIDE:
        ax.set_xscale("log")
        ax.set_xlim(first / 1.3, last)
        named = {at: text for at, text in _TICKS.items() if first / 1.3 <= at <= last}
        ax.set_xticks(list(named), list(named.values()))
        ax.minorticks_off()
        ax.set_xlabel("Time since the first step (log scale)")
        return True
    unit, minutes = _choose_unit(last)
    ax.set_xlim(0, last)
    places = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(0, last / minutes)
    shown = [place for place in places if place <= last / minutes]
    ax.set_xticks([place * minutes for place in shown], [f"{place:g}" for place in shown])
    ax.set_xlabel(f"Time since the first step, in {unit}")
    return False


def _choose_unit(minutes: float) -> tuple[str, float]:
    """Choose the largest unit of which there are two."""
    return [unit for unit in _UNITS if minutes >= 2 * unit[1] or unit[0] == "minutes"][-1]


def _draw_curve(ax: Axes, curve: pd.DataFrame, name: str, colour: str, *, is_log: bool) -> Artist:
    """Draw a curve as steps, from nobody at the start, with its band."""
    start = ax.get_xlim()[0] if is_log else 0.0
    times = np.concatenate([[start], curve["minutes"].clip(lower=start).to_numpy(float)])
    share, low, high = (
        np.concatenate([[0.0], curve[column].to_numpy(float)]) for column in ("share", "low", "high")
    )
    ax.fill_between(times, low, high, step="post", color=colour, alpha=0.16, linewidth=0)
    (line,) = ax.step(times, share, where="post", color=colour, linewidth=2, label=name)
    return line


def _say_time(minutes: float) -> str:
    unit, length = _choose_unit(minutes)
    return f"{minutes / length:.1f} {unit}"


def _say_median(curve: pd.DataFrame, *, whole: bool = True) -> str:
    """Make the title from the median, or from how far the curve comes."""
    size, last = int(curve["at_risk"].max()), curve.iloc[-1]
    median = last.get("median_minutes", np.nan)
    if pd.isna(median):
        share = format_value(curve["share"].max(), kind="share")
        after = "After" if whole else "after"
        return f"{after} {_say_time(last['minutes'])} {share} of {size:,} have converted, fewer than half"
    low, high = last.get("median_low", np.nan), last.get("median_high", np.nan)
    ends = ""
    if pd.notna(low):
        ends = (
            f" ({_say_time(low)} to {_say_time(high)})" if pd.notna(high) else f" ({_say_time(low)} or more)"
        )
    return f"{'Half' if whole else 'half'} of {size:,} have converted after {_say_time(median)}{ends}"


def _say_curve(curve: pd.DataFrame) -> str:
    """Say a curve's base, median and end."""
    last = curve.iloc[-1]
    words = f"n {int(curve['at_risk'].max()):,}"
    if pd.notna(last.get("median_minutes", np.nan)):
        words += f", half after {_say_time(last['median_minutes'])}"
    ends = ""
    if pd.notna(last["low"]):
        low, high = (format_value(last[name], kind="share") for name in ("low", "high"))
        ends = f", interval {low} to {high}"
    return f"{words}, {format_value(last['share'], kind='share')} by {_say_time(last['minutes'])}{ends}"
