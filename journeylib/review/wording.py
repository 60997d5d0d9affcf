"""How numbers, places and verdicts read in the report."""

from __future__ import annotations

import pandas as pd

from journeylib.review.metrics import METRICS

__all__ = [
    "list_chapter_changes",
    "say_change",
    "say_name",
    "say_place",
    "say_step",
    "say_unit",
    "say_value",
    "say_verdict",
    "say_with_interval",
]

VERDICTS = {
    "rose": "rose",
    "fell": "fell",
    "no_change": "no change that we can tell from noise",
    "not_compared": "not compared",
    "low_base": "low base, indicative",
    "suppressed": "hidden, too few",
    "series_break": "the question changed, not compared",
}
TOLD_TWICE = ("step_conversion", "step_count", "lost_count", "value_lost")  # drop_off says the same
MEANS_OF_COUNTS = ("events_per_session", "hand_offs_per_case", "resolution_hours")  # shown with decimals
MANY_MINUTES = 120  # from here on minutes are written as hours
ARROWS = {"rose": "▲ ", "fell": "▼ "}


def say_unit(value: float | None, unit: str, *, signed: bool = False) -> str:
    """Return a number with its unit; a missing one is a dash.

    Parameters
    ----------
    value : float or None
        The number.
    unit : str
        percent, nps, points, count, minutes, days or money.
    signed : bool
        Whether a plus sign is shown.

    Returns
    -------
    str
        For example ``39.8`` (nps), ``82.1 %``, ``4.06`` (points), ``17,031`` (count).

    Examples
    --------
    >>> say_unit(82.07, "percent")
    '82.1 %'
    >>> say_unit(543.2, "minutes")
    '9.1 h'
    """
    if value is None or pd.isna(value):
        return "–"
    sign = "+" if signed else ""
    shapes = {
        "percent": f"{value:{sign},.1f} %",
        "points": f"{value:{sign},.2f}",
        "count": f"{value:{sign},.0f}",
        "money": f"{value:{sign},.0f}",
        "minutes": f"{value / 60:{sign},.1f} h" if abs(value) >= MANY_MINUTES else f"{value:{sign},.1f} min",
        "days": f"{value:{sign},.1f} days",
    }
    text = shapes.get(unit, f"{value:{sign},.1f}")
    return text.replace("-", "−")


def find_shape(metric: str, unit: str) -> str:
    """Return the unit in whose shape a metric's numbers are written: a mean of counts has decimals."""
    return "points" if metric in MEANS_OF_COUNTS else unit


def say_value(row: pd.Series, column: str = "value") -> str:
    """Return one number of a finding with its unit.

    Parameters
    ----------
    row : Series
        A finding.
    column : str
        value, low, high, previous, year_ago.

    Returns
    -------
    str
        The number, or a dash.
    """
    return say_unit(row[column], find_shape(row["metric"], row["unit"]))


def say_change(row: pd.Series) -> str:
    """Return a change with the interval of the difference.

    Parameters
    ----------
    row : Series
        A finding.

    Returns
    -------
    str
        For example ``+1.1 points (−1.2 to +3.3)``; a dash where there is none.
    """
    if pd.isna(row["change"]):
        return "–"
    unit = find_shape(row["metric"], row["unit"])
    change, low, high = (say_difference(row[name], unit) for name in ("change", "change_low", "change_high"))
    mark = " points" if unit == "percent" else ""
    return f"{change}{mark} ({low} to {high})"


def say_difference(value: float | None, unit: str) -> str:
    """Return a difference with its sign; one of two percentages is in points, without the percent sign."""
    return say_unit(value, unit, signed=True).removesuffix(" %")


def say_with_interval(row: pd.Series, *, n: bool = False) -> str:
    """Return a finding's value with its interval.

    Parameters
    ----------
    row : Series
        A finding.
    n : bool
        Whether the base is named too.

    Returns
    -------
    str
        For example ``82.1 % (80.6 % to 83.5 %, n 2,688)``; a dash where the value is hidden.
    """
    if pd.isna(row["value"]):
        return "–"
    base = f", n {int(row['n']):,}" if n else ""
    return f"{say_value(row)} ({say_value(row, 'low')} to {say_value(row, 'high')}{base})"


def say_name(name: str) -> str:
    """Return a name of the team's own as words.

    Parameters
    ----------
    name : str
        A touchpoint, funnel or question.

    Returns
    -------
    str
        With spaces for underscores.
    """
    return str(name).replace("_", " ")


def say_step(step: str) -> str:
    """Return a funnel's step as words, without the mark of its kind.

    Parameters
    ----------
    step : str
        A touchpoint, event:NAME or stage:NAME.

    Returns
    -------
    str
        The name as words.
    """
    return say_name(step.removeprefix("event:").removeprefix("stage:"))


def say_place(row: pd.Series, *, first: bool = True) -> str:
    """Return what a finding is about, in words.

    Parameters
    ----------
    row : Series
        A finding.
    first : bool
        Whether it stands first in its sentence.

    Returns
    -------
    str
        For example ``Satisfaction, mean: restrooms (problem: yes)``.
    """
    title = METRICS[row["metric"]].title
    title = title if first else title[0].lower() + title[1:]
    item = str(row["item"])
    funnel, _, step = item.partition("/")
    if step:
        title = f"{title.replace('the step', f'“{say_step(step)}”')} (funnel {say_name(funnel)})"
    elif item:
        title += f": {say_name(item)}"
    if place := row["touchpoint"] or row["stage"]:
        title += f": {say_name(place)}"
    if row["segment"]:
        title += f" ({say_name(row['segment']).replace('=', ': ', 1)})"
    return title


def say_verdict(verdict: str) -> str:
    """Return a verdict in words.

    Parameters
    ----------
    verdict : str
        A verdict of findings.csv.

    Returns
    -------
    str
        The words of the report.

    Examples
    --------
    >>> say_verdict("no_change")
    'no change that we can tell from noise'
    """
    return VERDICTS.get(verdict, verdict)


def list_chapter_changes(findings: pd.DataFrame, chapter: str, *, most: int = 8) -> pd.DataFrame:
    """Return a chapter's compared findings as text, the changes that can be told from noise first.

    Parameters
    ----------
    findings : DataFrame
        One row a finding.
    chapter : str
        The chapter's name.
    most : int
        Rows at the most.

    Returns
    -------
    DataFrame
        What, Now, Before, Change, A year before, Verdict, as text; empty where nothing was compared.
    """
    columns = ["What", "Now", "Before", "Change", "A year before", "Verdict"]
    compared = findings["verdict"].isin(["rose", "fell", "no_change", "series_break"])
    rows = findings[(findings["chapter"] == chapter) & compared & ~findings["metric"].isin(TOLD_TWICE)]
    if rows.empty:
        return pd.DataFrame(columns=columns)
    told = rows["verdict"].isin(["rose", "fell"])
    whole = (rows[["touchpoint", "segment"]] == "").all(axis=1)
    size = (rows["change"].abs() / rows["minimum_effect"].where(rows["minimum_effect"] > 0)).fillna(0)
    ordered = rows.assign(told=told, whole=whole, size=size).sort_values(
        ["told", "whole", "size"], ascending=False, kind="stable"
    )
    shown = [
        [
            *(say_place(row), say_value(row), say_value(row, "previous"), say_change(row)),
            say_value(row, "year_ago"),
            ARROWS.get(row["verdict"], "") + say_verdict(row["verdict"]),
        ]
        for _, row in ordered.head(most).iterrows()
    ]
    table = pd.DataFrame(shown, columns=columns)
    return table.drop(columns="A year before") if rows["year_ago"].equals(rows["previous"]) else table
