"""Counts of behaviour: what each customer did in a window, added up by the engine, one row a customer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME, Events, open_events

__all__ = ["DAY_US", "count_events", "count_sessions", "list_labels", "make_slug", "open_window"]

DAY_US = 86_400_000_000
_LABELS = ("stage", "touchpoint", "channel", "device_type")
_EVENING_FROM_HOUR, _HOUR_US = 18, 3_600_000_000


def open_window(events: Events, *, start: int | None, end: int | None) -> nw.LazyFrame:
    """Open the events of known customers in a window of time.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, after `split_into_sessions`. Row order does not matter.
    start, end : int or None
        Microseconds UTC, [start, end); None is open.

    Returns
    -------
    narwhals LazyFrame
        One row is one event of a customer; events without one are left out.
    """
    frame = open_events(
        events,
        required=["customer", TIME, "session", "position"],
        optional=[*_LABELS, "local_day", "precision"],
    )
    frame = frame.filter(~nw.col("customer").is_null())
    if start is not None:
        frame = frame.filter(nw.col(TIME) >= start)
    if end is not None:
        frame = frame.filter(nw.col(TIME) < end)
    return frame


def list_labels(frame: nw.LazyFrame, *, most: int = 30, smallest_share: float = 0.005) -> pd.DataFrame:
    """List the stages, touchpoints, channels and devices that a table of events holds.

    Parameters
    ----------
    frame : narwhals LazyFrame
        As from `open_window`.
    most : int
        Labels a column at the most, the most frequent ones.
    smallest_share : float
        Labels on a smaller share (0 to 1) of the events are left out.

    Returns
    -------
    pandas.DataFrame
        One row is one label: `column`, `label`, `slug` (as it stands in a feature's name), `events`;
        the most frequent first within a column. Empty labels are left out.
    """
    found = [name for name in _LABELS if name in frame.columns]
    empty = pd.DataFrame({"column": [], "label": [], "slug": [], "events": []})
    if not found:
        return empty
    counts = collect_table(frame.group_by(*found).agg(nw.len().cast(nw.Int64).alias("events")))
    least = smallest_share * counts["events"].sum()
    tables = [empty.astype({"events": "int64"})]
    for name in found:
        each = counts.dropna(subset=name).groupby(name)["events"].sum().reset_index(name="events")
        each = each.rename(columns={name: "label"}).assign(column=name)
        each = each[(each["label"] != "") & (each["events"] >= least)]
        tables.append(each.sort_values(["events", "label"], ascending=[False, True]).head(most))
    labels = pd.concat(tables, ignore_index=True)
    return labels.assign(slug=labels["label"].map(make_slug))[["column", "label", "slug", "events"]]


def make_slug(label: object) -> str:
    """Write a label so that it may stand in a column's name.

    Parameters
    ----------
    label : object
        Any label.

    Returns
    -------
    str
        Small letters and digits of any alphabet, all else as `_`.

    Examples
    --------
    >>> make_slug("Post-purchase"), make_slug("Sucht_Größe")
    ('post_purchase', 'sucht_größe')
    """
    return re.sub(r"\W+", "_", str(label).lower()).strip("_")


def count_events(frame: nw.LazyFrame, counters: Mapping[str, tuple[str, str, bool]]) -> pd.DataFrame:
    """Count each customer's events by label, in one pass.

    Parameters
    ----------
    frame : narwhals LazyFrame
        As from `open_window`.
    counters : mapping
        Name of a count to (column, label, whether only the first event of a session counts).

    Returns
    -------
    pandas.DataFrame
        One row is one customer (the index), columns `events` and the counts; sorted by customer.
    """
    sums = [
        nw.when((nw.col(column) == label) & (nw.col("position") == 1) if first else nw.col(column) == label)
        .then(nw.lit(1))
        .otherwise(nw.lit(0))
        .sum()
        .cast(nw.Int64)
        .alias(f"count_{number}")
        for number, (column, label, first) in enumerate(counters.values())
    ]
    counted = collect_table(
        frame.group_by("customer").agg(nw.len().cast(nw.Int64).alias("events"), *sums), order_by=["customer"]
    )
    names = {f"count_{number}": name for number, name in enumerate(counters)}
    return counted.set_index("customer").rename(columns=names)


def count_sessions(
    frame: nw.LazyFrame, *, stages: Sequence[str], time_zone: str | None = None
) -> pd.DataFrame:
    """Count each customer's sessions that begin in the window, and what they are like.

    Parameters
    ----------
    frame : narwhals LazyFrame
        As from `open_window`.
    stages : sequence of str
        Stages for which to count the sessions that reach them.
    time_zone : str, optional
        The zone of hours and, where the events have no `local_day`, of days; without it days are UTC and no
        hour is read.

    Returns
    -------
    pandas.DataFrame
        One row is one customer (the index): `sessions`, `days` (on which a session began), `weekend`,
        `evening` and `timed` (sessions; from 18 o'clock, of those with a time of day; only with a zone),
        `longer` (sessions of two or more events), `lasted_us` (their length, summed), `first_us` and
        `last_us` (the first and the last start), `reached_0` ... (sessions with the stage).
    """
    flags = [
        nw.when(nw.col("stage") == stage)
        .then(nw.lit(1))
        .otherwise(nw.lit(0))
        .max()
        .alias(f"reached_{number}")
        for number, stage in enumerate(stages)
    ]
    given = [nw.col(name).min().alias(name) for name in ("local_day", "precision") if name in frame.columns]
    sessions = frame.group_by("customer", "session").agg(
        nw.col(TIME).min().alias("started"),
        nw.col(TIME).max().alias("ended"),
        nw.len().cast(nw.Int64).alias("n"),
        nw.col("position").min().alias("first"),
        *given,
        *flags,
    )
    sessions = _read_clock(sessions.filter(nw.col("first") == 1), time_zone)
    counted = ["longer", "lasted_us", "weekend", *[f"reached_{number}" for number in range(len(stages))]]
    counted += ["evening", "timed"] if time_zone else []
    totals = [nw.col(name).sum().cast(nw.Int64).alias(name) for name in counted]
    return collect_table(
        sessions.group_by("customer").agg(
            nw.len().cast(nw.Int64).alias("sessions"),
            nw.col("day").n_unique().cast(nw.Int64).alias("days"),
            nw.col("started").min().alias("first_us"),
            nw.col("started").max().alias("last_us"),
            *totals,
        ),
        order_by=["customer"],
    ).set_index("customer")


def _read_clock(sessions: nw.LazyFrame, time_zone: str | None) -> nw.LazyFrame:
    """Add day, weekend, evening and length to sessions, with whole numbers alone."""
    local = nw.col("started") + _read_offset(time_zone or "UTC")
    # Day 0 was a Thursday; narwhals' // is not the same on all engines, so days come from a remainder.
    of_day = local % DAY_US
    own_day = ((local - of_day) / DAY_US).round(0).cast(nw.Int64)
    day = nw.col("local_day").cast(nw.Int64) if "local_day" in sessions.columns else own_day
    timed = nw.lit(True) if "precision" not in sessions.columns else nw.col("precision") != "day"
    sessions = sessions.with_columns(day.alias("day"), of_day.alias("of_day"), timed.alias("has_time"))
    is_long = nw.col("n") >= 2
    is_late = nw.col("has_time") & (nw.col("of_day") >= _EVENING_FROM_HOUR * _HOUR_US)
    length = nw.col("ended") - nw.col("started")
    return sessions.with_columns(
        _flag(is_long).alias("longer"),
        nw.when(is_long).then(length).otherwise(nw.lit(0)).alias("lasted_us"),
        _flag((nw.col("day") + 3) % 7 >= 5).alias("weekend"),
        _flag(is_late).alias("evening"),
        _flag(nw.col("has_time")).alias("timed"),
    )


def _flag(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))


def _read_offset(time_zone: str) -> nw.Expr:
    """Return the zone's distance from UTC in microseconds at the start of a session, as an expression."""
    changes = _list_changes(ZoneInfo(time_zone))
    offset = nw.lit(changes[0][1], nw.Int64)
    for moment, value in changes[1:]:
        offset = nw.when(nw.col("started") >= moment).then(nw.lit(value, nw.Int64)).otherwise(offset)
    return offset


def _list_changes(zone: ZoneInfo, *, first_year: int = 1995, last_year: int = 2045) -> list[tuple[int, int]]:
    """List when a zone changes its distance from UTC: (from when, distance), both in microseconds."""

    def distance(moment: datetime) -> timedelta:
        return moment.astimezone(zone).utcoffset() or timedelta()

    moment, until = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year, 1, 1, tzinfo=UTC)
    changes = [(0, distance(moment) // timedelta(microseconds=1))]
    while moment < until:
        after = moment + timedelta(days=7)
        if distance(after) != distance(moment):
            low, high = moment, after
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) // timedelta(minutes=2) * timedelta(minutes=1)
                low, high = (middle, high) if distance(middle) == distance(low) else (low, middle)
            at = int((high - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))
            changes.append((at, distance(high) // timedelta(microseconds=1)))
        moment = after
    return changes
