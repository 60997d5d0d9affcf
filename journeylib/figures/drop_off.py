"""Drop-off: the share lost before each step, now against the period before."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from journeylib.figures.alt_text import format_value, set_alt_text, spell_name, write_nothing_to_show
from journeylib.figures.saving import keep_numbers
from journeylib.figures.scores import LOW_BASE, TOO_SMALL, draw_intervals, write_column
from journeylib.figures.theme import make_axes, wrap_labels, write_heading

__all__ = ["plot_drop_off"]


def plot_drop_off(measures: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    r"""Draw the share lost before each step with its interval, now against the period before.

    Parameters
    ----------
    measures : pandas.DataFrame
        Measure table with rows of the metric `drop_off`: one row is one step of one funnel in one period,
        `item` is `<funnel>/<step>`, `value`, `low`, `high` are percent of the `n` that reached the step
        before. Or the table of `count_funnel`. Rows that name a persona or a segment are left out.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib.axes.Axes
        One row of marks a step, in the table's order, which is the funnel's.

    Examples
    --------
    >>> measures = pd.DataFrame({"metric": "drop_off", "item": ["shop/basket", "shop/purchase"],
    ...     "value": [40.0, 75.0], "n": [200, 120]})
    >>> plot_drop_off(measures).get_title(loc="left")
    'The largest loss is before purchase: 75.0\xa0% of the 120 that got that far'
    """
    rows = _read_drop_offs(measures)
    now = rows.loc[rows["which"] == "reviewed"].reset_index(drop=True)
    if now.empty:
        return write_nothing_to_show(ax, "No drop-off to show: the table has no such rows.")
    earlier = rows.loc[rows["which"] == "previous"].drop_duplicates("item").set_index("item")["value"]
    axes = make_axes(ax, labels=wrap_labels("before " + now["step"]))
    marks = draw_intervals(axes, now, before=now["item"].map(earlier))
    axes.set_xlim(0, 100)
    axes.set_xlabel("Lost before the step, in percent of those who reached the step before it")
    write_column(axes, [_say_loss(row) for _, row in now.iterrows()])
    title = _say_worst(now)
    write_heading(axes, title, marks=marks)
    parts = []
    for _, row in now.iterrows():
        part = f"before {row['step']} {_say_loss(row)}"
        if pd.notna(row["value"]) and pd.notna(row["low"]):
            low, high = format_value(row["low"], kind="share"), format_value(row["high"], kind="share")
            part += f", interval {low} to {high}"
        was = earlier.get(row["item"])
        parts.append(part + (f", period before {format_value(was, kind='share')}" if pd.notna(was) else ""))
    keep_numbers(axes, measures)
    return set_alt_text(axes, f"Dot plot of drop-off by step. {title}. {'; '.join(parts)}.")


def _read_drop_offs(measures: pd.DataFrame) -> pd.DataFrame:
    """Keep the drop-offs of everybody; the funnel's name stands beside the step where there are several."""
    if "metric" not in measures and "drop_off" in measures:
        measures = _read_funnel(measures)
    texts = dict.fromkeys(["metric", "item", "persona", "segment"], "") | {"which": "reviewed"}
    numbers = dict.fromkeys(["value", "low", "high", "n"], float("nan"))
    missing = {name: value for name, value in (texts | numbers).items() if name not in measures}
    rows = measures.assign(**missing).fillna(texts).astype(dict.fromkeys(numbers, "float64"))
    rows = rows.loc[(rows["metric"] == "drop_off") & (rows["persona"] == "") & (rows["segment"] == "")]
    parts = rows["item"].astype(str).str.split("/", n=1)
    step = parts.str[-1].map(spell_name)
    if parts.str[0].nunique() > 1:
        step = step + " (" + parts.str[0].map(spell_name) + ")"
    return rows.assign(step=step, which=rows["which"].replace("all", "reviewed"))


def _read_funnel(funnel: pd.DataFrame) -> pd.DataFrame:
    """Bring the table of `count_funnel` into the shape of measures; the first step has no drop-off."""
    rows = funnel.loc[funnel["drop_off"].notna()]
    name = rows["label"] if "label" in rows else rows["step"]
    lost = rows["lost"] if "lost" in rows else float("nan")
    return rows.assign(
        metric="drop_off",
        item="/" + name.astype(str),
        value=rows["drop_off"],
        low=rows.get("drop_off_low"),
        high=rows.get("drop_off_high"),
        n=rows["n"] + lost,
    )


def _say_loss(row: pd.Series) -> str:
    """Write a step's loss and base as its right-hand label."""
    if pd.isna(row["value"]):
        return TOO_SMALL
    words = f"{format_value(row['value'], kind='share')}   n\u00a0{row['n']:,.0f}"
    return words + ("  low base" if row["n"] < LOW_BASE else "")


def _say_worst(now: pd.DataFrame) -> str:
    """Make the title from the step before which the largest share is lost."""
    firm = now.loc[now["value"].notna() & ~(now["n"] < LOW_BASE)]
    if firm.empty:
        return "No step has the base of 30 that a firm drop-off needs"
    worst = firm.sort_values("value", kind="stable").iloc[-1]
    interval = f" ({format_value(worst['low'], kind='share')} to {format_value(worst['high'], kind='share')})"
    return (
        f"The largest loss is before {worst['step']}: {format_value(worst['value'], kind='share')} of the "
        f"{worst['n']:,.0f} that got that far" + (interval if pd.notna(worst["low"]) else "")
    )
