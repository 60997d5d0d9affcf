"""Places: who met which touchpoint and stage, and who came no further on the journey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.evidence.estimates import covariance, estimate_from_sums
from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME, Events, open_events
from journeylib.journey.measuring import MEASURE_COLUMNS
from journeylib.journey.order import prefix_person

__all__ = ["find_unit", "list_places", "measure_places"]

_KEYS = {"people": "customer", "sessions": "session"}
_COUNTS = {"people": "customer_count", "sessions": "session_count"}
_PLACE = ["stage", "touchpoint"]


def find_unit(events: Events) -> str:
    """Find what can be counted: people where any event names a customer, else sessions.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event. Row order does not matter.

    Returns
    -------
    str
        `people` or `sessions`; a session never passes for a person.

    Examples
    --------
    >>> find_unit(pd.DataFrame({"name": ["view"], "customer": [None]}))
    'sessions'
    """
    frame = open_events(events, required=["name"], optional=["customer"])
    if "customer" not in frame.columns:
        return "sessions"
    named = collect_table(frame.select(nw.col("customer").count().cast(nw.Int64).alias("n")))
    return "people" if named["n"].iloc[0] else "sessions"


def list_places(events: Events) -> pd.DataFrame:
    """List the touchpoints that events have met, with their stage.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, after `assign_touchpoints`. Row order does not matter.

    Returns
    -------
    pandas.DataFrame
        One row is one touchpoint: `stage`, `touchpoint`, and `channel` and `online` where events have them
        (the first in alphabetical order where there are several); sorted by name. Events without a
        touchpoint or stage are left out.

    Raises
    ------
    ValueError
        Where the events have no column `touchpoint` or `stage`.

    Examples
    --------
    >>> events = pd.DataFrame({"touchpoint": ["till", "page", None], "stage": ["decision", "decision", None]})
    >>> list_places(events)["touchpoint"].tolist()
    ['page', 'till']
    """
    frame = open_events(events, required=_PLACE, optional=["channel", "online"])
    more = [name for name in ("channel", "online") if name in frame.columns]
    placed = frame.filter(*[~nw.col(name).is_null() & (nw.col(name) != "") for name in _PLACE])
    firsts = [nw.col(name).min() for name in more]
    counted = placed.group_by(*_PLACE).agg(nw.len().alias("n"), *firsts)
    return collect_table(counted, order_by=_PLACE)[[*_PLACE, *more]]


def measure_places(
    events: Events,
    places: pd.DataFrame,
    *,
    periods: Mapping[str, tuple[int, int]],
    unit: str = "people",
) -> pd.DataFrame:
    """Measure who met each touchpoint and stage, and how many of them came no further.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, after `assign_touchpoints` (and `split_into_sessions` for sessions). Row order
        does not matter.
    places : pandas.DataFrame
        One row is one touchpoint: `stage` and `touchpoint`, the stages in the order of the journey.
    periods : mapping
        `reviewed`, `previous`, `year_ago` to (start, end) in microseconds UTC, [start, end). People count in
        the periods of their events, a session in the period in which it starts.
    unit : str, default "people"
        `people` (events without a customer are left out) or `sessions`.

    Returns
    -------
    pandas.DataFrame
        The measure table, a row a metric, place and period. Of touchpoints and of stages (touchpoint empty):
        `customer_count` (people) or `session_count`; `reach_rate`, percent of all that were active in the
        period. Of touchpoints that have a later stage with events: `no_further_rate`, percent of those who
        met it and met nothing of a later stage afterwards. Of such stages: `stage_conversion`, percent of
        those in the stage who met something of a later stage afterwards. No rows for a period without units.

    Raises
    ------
    ValueError
        Where a column is missing or `unit` is unknown.

    Notes
    -----
    Afterwards is at the same time or later, within the period: so nothing is claimed about the order of
    events that are known by their day only. Who begins late in a period has less time to come further.
    Intervals as in `estimate_from_sums`; sessions are clustered by customer, else by device.

    Examples
    --------
    >>> places = pd.DataFrame({"stage": ["decision", "post-purchase"], "touchpoint": ["till", "help"]})
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [1, 2, 3]})
    >>> events = events.assign(touchpoint=["till", "help", "till"])
    >>> events["stage"] = events["touchpoint"].map(dict(till="decision", help="post-purchase"))
    >>> found = measure_places(events, places, periods={"reviewed": (0, 9)})
    >>> found.loc[found["metric"] == "stage_conversion", ["stage", "value", "n"]].values.tolist()
    [['decision', 50.0, 2]]
    """
    if unit not in _KEYS:
        raise ArgumentError(f"unit must be one of {', '.join(_KEYS)}, found {unit!r}")
    places = places[_PLACE].drop_duplicates(ignore_index=True)
    if places.empty:
        return pd.DataFrame(columns=list(MEASURE_COLUMNS))
    met = {which: _follow(events, places, period, unit) for which, period in periods.items()}
    people = [table["_person"] for table in met.values() if len(table)]
    numbers = pd.Index(pd.unique(pd.concat(people))) if people else pd.Index([])
    rows: list[dict[str, Any]] = []
    now: dict[tuple[str, ...], pd.DataFrame] = {}
    for which in sorted(met, key=lambda name: name != "reviewed"):
        table = met[which].set_axis(numbers.get_indexer(pd.Index(met[which]["_person"])))
        sums = _sum_places(table, places, unit)
        now = sums if which == "reviewed" else now
        for key, one in sums.items():
            rows.append(_estimate(key, one, None if which == "reviewed" else now.get(key), which, unit))
    return pd.DataFrame(rows, columns=list(MEASURE_COLUMNS))


def _follow(events: Events, places: pd.DataFrame, period: tuple[int, int], unit: str) -> pd.DataFrame:
    """One row a unit that was active in the period: `m<i>` met place i, `o<i>` came further afterwards."""
    key = _KEYS[unit]
    frame = open_events(events, required=[TIME, key, *_PLACE], optional=["customer", "device_id"])
    frame = frame.filter(~nw.col(key).is_null())
    inside = (nw.col(TIME) >= period[0]) & (nw.col(TIME) < period[1])
    frame = frame.filter(inside) if unit == "people" else frame
    person = nw.col(key) if unit == "people" else prefix_person(frame, otherwise="session")
    stages = list(dict.fromkeys(places["stage"]))
    seen = {f"_last{number}": nw.col("stage") == stage for number, stage in enumerate(stages)}
    first = {
        f"_first{number}": (nw.col("stage") == stage) & (nw.col("touchpoint") == touchpoint)
        for number, (stage, touchpoint) in enumerate(places.itertuples(index=False))
    }
    timed = [
        nw.when(test).then(nw.col(TIME)).otherwise(None).alias(name) for name, test in (seen | first).items()
    ]
    units = (
        frame.select(key, TIME, person.alias("_person"), *timed)
        .group_by(key)
        .agg(
            nw.col("_person").max(),
            nw.col(TIME).min().alias("_started"),
            *[nw.col(name).max() for name in seen],
            *[nw.col(name).min() for name in first],
        )
    )
    if unit == "sessions":
        units = units.filter((nw.col("_started") >= period[0]) & (nw.col("_started") < period[1]))
    return collect_table(units.select("_person", *_flag_places(places, stages)))


def _flag_places(places: pd.DataFrame, stages: Sequence[str]) -> list[nw.Expr]:
    """Tell, per place, whether a unit met it and whether it met a later stage at that time or later."""
    flags = []
    for number, stage in enumerate(places["stage"]):
        first = nw.col(f"_first{number}")
        later = [
            (nw.col(f"_last{other}") >= first).fill_null(False)
            for other in range(stages.index(stage) + 1, len(stages))
        ]
        onward = reduce(lambda one, two: one | two, later, nw.lit(False))
        flags += [(~first.is_null()).alias(f"m{number}"), onward.alias(f"o{number}")]
    return flags


def _sum_places(table: pd.DataFrame, places: pd.DataFrame, unit: str) -> dict[tuple[str, ...], pd.DataFrame]:
    """Sum, per metric, stage and touchpoint, the successes and units of each person."""
    found: dict[tuple[str, ...], pd.DataFrame] = {}
    if table.empty:
        return found
    stages = list(dict.fromkeys(places["stage"]))
    everybody = pd.Series(True, table.index)
    anyone = [table[f"m{number}"].any() for number in range(len(places))]
    for stage in stages:
        inside = places.index[places["stage"] == stage].tolist()
        later = places["stage"].map(stages.index) > stages.index(stage)
        goes_on = any(anyone[number] for number in places.index[later])
        for chosen in [*([number] for number in inside), inside]:
            name = str(places.loc[chosen[0], "touchpoint"]) if chosen is not inside else ""
            met, onward = (table[[f"{mark}{number}" for number in chosen]].any(axis=1) for mark in "mo")
            found[_COUNTS[unit], stage, name] = _sum_by_person(met, met)
            found["reach_rate", stage, name] = _sum_by_person(met, everybody)
            if goes_on and met.any():
                metric, is_told = ("no_further_rate", ~onward) if name else ("stage_conversion", onward)
                found[metric, stage, name] = _sum_by_person(is_told, met)
    return found


def _sum_by_person(success: pd.Series, base: pd.Series) -> pd.DataFrame:
    """Sum the successes and units of each person; people without a unit are left out."""
    sums = pd.DataFrame({"total": success[base].astype(float), "units": 1.0})
    return sums.groupby(level=0).sum() if sums.index.has_duplicates else sums.sort_index()


def _estimate(
    key: tuple[str, ...], sums: pd.DataFrame, now: pd.DataFrame | None, which: str, unit: str
) -> dict[str, Any]:
    """Estimate one metric of one place in one period, with its covariance with the reviewed one."""
    kind = "count" if key[0] in _COUNTS.values() else "share"
    found = estimate_from_sums(kind, None if kind == "count" else sums["total"], sums["units"])
    shared = np.nan
    if which != "reviewed":
        shared = 0.0 if now is None else covariance(kind, now, sums)
    place = {"metric": key[0], "stage": key[1], "touchpoint": key[2], "unit_of_analysis": unit}
    blank = {"persona": "", "segment": "", "item": "", "note": "", "which": which}
    return {**place, **blank, **found, "covariance": shared}
