"""Unit measures: from one row a unit (contact, case, basket) to rows of the measure table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from journeylib.journey.measuring import (
    MEASURE_COLUMNS,
    Measure,
    cut_periods,
    name_segments,
    tabulate_measures,
)
from journeylib.journey.medians import covary_medians, estimate_median

__all__ = ["UnitMeasure", "measure_placed_units", "measure_units"]


class UnitMeasure(NamedTuple):
    """How one metric is read from a table with one row a unit.

    Attributes
    ----------
    metric : str
        Its name in the registry.
    kind : str
        share (values 0 or 1), mean, count (values 1) or median.
    unit_of_analysis : str
        What one row is.
    value : str
        The column of the values; units without one are left out.
    has_ended : str
        For a median: the column that says whether the duration has ended.
    left_out : str
        Words for the note, after the number of units left out.
    item : str
        What the metric is about, where it is not about everything.
    """

    metric: str
    kind: str
    unit_of_analysis: str
    value: str
    has_ended: str = ""
    left_out: str = ""
    item: str = ""


def measure_units(
    lines: pd.DataFrame,
    measures: Sequence[UnitMeasure],
    *,
    periods: Mapping[str, tuple[int, int]],
    time: str,
    by: Sequence[str] = (),
) -> pd.DataFrame:
    """Measure metrics from one row a unit, in each period and segment.

    Parameters
    ----------
    lines : pandas.DataFrame
        One row is one unit: `person` (missing: the unit stands alone), `time`, the segment columns and the
        measures' columns. Row order does not matter.
    measures : sequence of UnitMeasure
        The metrics.
    periods : mapping
        `reviewed`, `previous`, `year_ago` to (start, end) in microseconds UTC, [start, end).
    time : str
        The column, microseconds UTC, by which a unit falls into a period.
    by : sequence of str
        Segment columns.

    Returns
    -------
    pandas.DataFrame
        The measure table; one row is one metric in one segment (empty: all) and period. No row where a metric
        has no units there, but a count may be 0. Missing values stay out of n and are counted in `note`.

    Raises
    ------
    ValueError
        Where a segment column is missing or a period does not end after it starts.

    Examples
    --------
    >>> lines = pd.DataFrame({"person": ["a", "a", "b"], "at": [1, 2, 3], "bought": [1.0, 0.0, None]})
    >>> bought = UnitMeasure("conversion_rate", "share", "baskets", "bought", left_out="baskets left out")
    >>> found = measure_units(lines, [bought], periods={"reviewed": (0, 9)}, time="at")
    >>> found[["value", "n", "note"]].values.tolist()
    [[50.0, 2, '1 baskets left out']]
    """
    cut_periods(periods)
    missing = [column for column in by if column not in lines]
    if missing:
        raise ValueError(f"the table lacks the column(s) {', '.join(missing)} to break down by")
    alone = "u:" + pd.Series(np.arange(len(lines)), index=lines.index).astype(str)
    person = lines["person"].where(lines["person"].notna(), alone)
    lines = lines.assign(person=("c:" + person.astype("object").astype("str")).where(person != alone, alone))
    parts = []
    for which, (start, end) in periods.items():
        is_inside = lines[time].between(start, end, inclusive="left").fillna(False).astype(bool)
        inside = lines[is_inside].assign(which=which)
        parts += [_label_segments(inside, column) for column in ("", *by)]
    return measure_placed_units(pd.concat(parts, ignore_index=True), measures, which=list(periods))


def measure_placed_units(
    placed: pd.DataFrame, measures: Sequence[UnitMeasure], *, which: Sequence[str]
) -> pd.DataFrame:
    """Measure metrics from one row a unit, period and segment.

    Parameters
    ----------
    placed : pandas.DataFrame
        One row is one unit in one period and segment (empty: all): `which`, `segment`, `person` (`c:` in
        front of a customer; never missing) and the measures' columns. Row order does not matter.
    measures : sequence of UnitMeasure
        The metrics.
    which : sequence of str
        The periods in the order in which to list them.

    Returns
    -------
    pandas.DataFrame
        The measure table, as from `measure_units`.

    Examples
    --------
    >>> placed = pd.DataFrame({"which": "reviewed", "segment": "", "person": ["c:a", "c:b"], "late": [4, 0]})
    >>> late = UnitMeasure("excess_minutes", "mean", "people", "late")
    >>> measure_placed_units(placed, [late], which=["reviewed"])["value"].tolist()
    [2.0]
    """
    found = [table for table in (_measure(placed, measure, which) for measure in measures) if len(table)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(MEASURE_COLUMNS))


def _label_segments(lines: pd.DataFrame, column: str) -> pd.DataFrame:
    """Add `segment`, and keep the column itself."""
    if not column:
        return lines.assign(segment="")
    labels = name_segments(lines[[column]], column)["segment"]
    return lines.assign(segment=labels.array)


def _measure(placed: pd.DataFrame, measure: UnitMeasure, which: Sequence[str]) -> pd.DataFrame:
    value = placed[measure.value].astype("Float64").astype("float64")
    kept = placed.assign(_value=value)
    table = (
        _tabulate_medians(kept, measure, which)
        if measure.kind == "median"
        else _tabulate_sums(kept, measure, which)
    )
    if not measure.left_out or not len(table):
        return table
    left = kept["_value"].isna().groupby([kept["which"], kept["segment"]]).sum()
    counts = [int(left[key]) for key in zip(table["which"], table["segment"], strict=True)]
    return table.assign(note=[f"{count} {measure.left_out}" if count else "" for count in counts])


def _tabulate_sums(kept: pd.DataFrame, measure: UnitMeasure, which: Sequence[str]) -> pd.DataFrame:
    """Sum the values by person, and tabulate."""
    lines = kept.assign(
        units=kept["_value"].notna().astype("int64"),
        total=kept["_value"].fillna(0.0),
        squares=(kept["_value"] ** 2).fillna(0.0),
    ).sort_values("_value", kind="stable")
    keys = ["which", "segment", "person"]
    sums = lines.groupby(keys, as_index=False)[["units", "total", "squares"]].sum()
    sums["is_customer"] = sums["person"].str.startswith("c:").astype(bool)
    total, squares = ("total", "squares") if measure.kind != "count" else ("", "")
    base = Measure(measure.metric, measure.kind, measure.unit_of_analysis, units="units", item=measure.item)
    wanted = base._replace(total=total, squares=squares)
    return tabulate_measures(sums, [wanted], which=which)


def _tabulate_medians(kept: pd.DataFrame, measure: UnitMeasure, which: Sequence[str]) -> pd.DataFrame:
    """Estimate the median of each period and segment, and its covariance with the reviewed one."""
    lines = pd.DataFrame(
        {
            "which": kept["which"],
            "segment": kept["segment"],
            "duration": kept["_value"],
            "has_ended": kept[measure.has_ended].astype(bool) if measure.has_ended else True,
            "person": kept["person"].astype("object"),
        }
    ).dropna(subset=["duration"])
    groups: dict[Any, pd.DataFrame] = dict(iter(lines.groupby(["which", "segment"])))
    estimates = {
        key: estimate_median(group["duration"], has_ended=group["has_ended"], people=group["person"])
        for key, group in groups.items()
    }
    rows: list[dict[str, Any]] = []
    places = [(name, segment) for segment in sorted(set(lines["segment"])) for name in which]
    for name, segment in (place for place in places if place in groups):
        now, here = ("reviewed", segment), (name, segment)
        shared = np.nan if name == "reviewed" else 0.0
        if name != "reviewed" and now in groups:
            pair = estimates[now], estimates[here]
            shared = covary_medians(groups[now], groups[here], estimates=pair)
        place = {"metric": measure.metric, "segment": segment, "item": measure.item, "which": name}
        place["unit_of_analysis"] = measure.unit_of_analysis
        rows.append({**place, **estimates[here], "covariance": shared})
    table = pd.DataFrame(rows, columns=list(MEASURE_COLUMNS))
    texts = ["stage", "touchpoint", "persona", "note"]
    return table.assign(**dict.fromkeys(texts, ""))[list(MEASURE_COLUMNS)]
