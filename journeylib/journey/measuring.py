"""Measures: from sums per person to rows of the measure table, each with its interval and covariance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from journeylib.evidence.estimates import covariance, estimate_from_sums
from journeylib.journey.frames import restore_name

__all__ = ["MEASURE_COLUMNS", "MISSING_LABEL", "Measure", "cut_periods", "name_segments", "tabulate_measures"]

_PLACES = ("stage", "touchpoint", "persona", "segment", "item", "unit_of_analysis", "which")
_NUMBERS = ("value", "low", "high", "n", "n_effective", "method", "kind", "spread", "promoters", "detractors")
MEASURE_COLUMNS = ("metric", *_PLACES, *_NUMBERS, "covariance", "note")
MISSING_LABEL = "(missing)"


class Measure(NamedTuple):
    """How one metric is read from a table of sums per person."""

    metric: str
    kind: str
    unit_of_analysis: str
    units: str
    total: str = ""
    squares: str = ""
    item: str = ""
    people_only: bool = False


def cut_periods(periods: Mapping[str, tuple[int, int]]) -> dict[str, list[tuple[int, int]]]:
    """Cut periods that may overlap into pieces that do not.

    Parameters
    ----------
    periods : mapping
        Name of a period to (start, end), microseconds UTC, [start, end).

    Returns
    -------
    dict
        Name of each period to the pieces that make it up, in order.

    Raises
    ------
    ValueError
        Where a period does not end after it starts.

    Examples
    --------
    >>> cut_periods({"reviewed": (10, 20), "year_ago": (5, 15)})
    {'reviewed': [(10, 15), (15, 20)], 'year_ago': [(5, 10), (10, 15)]}
    """
    for which, (start, end) in periods.items():
        if start >= end:
            raise ValueError(f"period {which!r} must end after it starts, found {start} to {end}")
    edges = sorted({edge for period in periods.values() for edge in period})
    pieces = list(zip(edges, edges[1:], strict=False))
    return {
        which: [piece for piece in pieces if start <= piece[0] and piece[1] <= end]
        for which, (start, end) in periods.items()
    }


def name_segments(sums: pd.DataFrame, column: str) -> pd.DataFrame:
    """Replace a segment column by `segment`, as `column=label`.

    Parameters
    ----------
    sums : pandas.DataFrame
        A table with the column.
    column : str
        Its name as `open_events` gives it, or empty for no segment; a leading `segment.` is dropped.

    Returns
    -------
    pandas.DataFrame
        The same rows with `segment`; a missing label is `(missing)`, and no column gives an empty one.

    Examples
    --------
    >>> name_segments(pd.DataFrame({"device": ["phone", None]}), "device")["segment"].tolist()
    ['device=phone', 'device=(missing)']
    """
    if not column:
        return sums.assign(segment="")
    name = restore_name(column).removeprefix("segment.")
    codes, labels = pd.factorize(sums[column], use_na_sentinel=False)
    texts = [f"{name}={MISSING_LABEL if pd.isna(label) else label}" for label in labels]
    return sums.assign(segment=pd.array(texts, dtype="str").take(codes)).drop(columns=column)


def tabulate_measures(
    sums: pd.DataFrame, measures: Sequence[Measure], *, which: Sequence[str]
) -> pd.DataFrame:
    """Tabulate metrics from sums per person.

    Parameters
    ----------
    sums : pandas.DataFrame
        One row is one person in one period and segment: `which`, `segment`, `person`, `is_customer` and the
        columns that the measures name. Row order does not matter.
    measures : sequence of Measure
        The metrics to make.
    which : sequence of str
        The periods in the order in which to list them.

    Returns
    -------
    pandas.DataFrame
        One row is one metric of one segment in one period, the measure table. A metric has no row where it
        has no units, but for counts, which may be 0 where the segment has people. `covariance` is with the
        `reviewed` row, from people in both periods; missing on the reviewed row.

    Examples
    --------
    >>> sums = pd.DataFrame(
    ...     {"which": "reviewed", "segment": "", "person": ["a", "b"], "is_customer": True, "units": [2, 1]}
    ... )
    >>> counted = Measure("session_count", "count", "sessions", units="units")
    >>> tabulate_measures(sums, [counted], which=["reviewed"])[["metric", "value", "n"]].values.tolist()
    [['session_count', 3.0, 3]]
    """
    groups: dict[Any, pd.DataFrame] = {
        key: group.set_index("person") for key, group in sums.groupby(["which", "segment"])
    }
    segments = sorted(sums["segment"].unique())
    rows = []
    for measure in measures:
        for segment in segments:
            now = _read_sums(groups.get(("reviewed", segment)), measure)
            for name in which:
                found = _read_sums(groups.get((name, segment)), measure)
                if found is not None:
                    rows.append(
                        _estimate_row(found, now if name != "reviewed" else None, measure, name, segment)
                    )
    return pd.DataFrame(rows, columns=list(MEASURE_COLUMNS))


def _read_sums(group: pd.DataFrame | None, measure: Measure) -> pd.DataFrame | None:
    if group is None:
        return None
    kept = group[group["is_customer"]] if measure.people_only else group
    read = pd.DataFrame({"units": kept[measure.units]}, index=kept.index)
    for name, column in (("total", measure.total), ("squares", measure.squares)):
        if column:
            read[name] = kept[column]
    filled = read[read["units"] > 0]
    is_empty = filled.empty and (measure.kind != "count" or kept.empty)
    return None if is_empty else filled


def _estimate_row(
    found: pd.DataFrame, now: pd.DataFrame | None, measure: Measure, which: str, segment: str
) -> dict[str, Any]:
    estimate = estimate_from_sums(
        measure.kind, found.get("total"), found["units"], squares=found.get("squares")
    )
    shared = np.nan
    if which != "reviewed":
        shared = 0.0 if now is None else covariance(measure.kind, now, found)
    place = {
        "stage": "",
        "touchpoint": "",
        "persona": "",
        "segment": segment,
        "item": measure.item,
        "note": "",
    }
    names = {"metric": measure.metric, "unit_of_analysis": measure.unit_of_analysis, "which": which}
    return {**names, **place, **estimate, "covariance": shared}
