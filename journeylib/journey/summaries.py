"""Summaries of sessions: one row a session, and the metrics on sessions of a review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.journey.engine import collect_table, keep_table
from journeylib.journey.frames import TIME, Events, open_events, rename_safely, restore_name
from journeylib.journey.measuring import Measure, cut_periods, name_segments, tabulate_measures
from journeylib.journey.order import prefix_person

__all__ = ["measure_sessions", "summarise_sessions"]

_MEASURES = (
    Measure("session_count", "count", "sessions", units="sessions"),
    Measure("customer_count", "count", "people", units="present", people_only=True),
    Measure("events_per_session", "mean", "sessions", units="sessions", total="events", squares="squares"),
    Measure("bounce_rate", "share", "sessions", units="sessions", total="bounces"),
)


def summarise_sessions(events: Events, *, by: Sequence[str] = ()) -> Any:
    """Summarise each session in one row.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, after `split_into_sessions`. Row order does not matter.
    by : sequence of str
        Further columns to take from the session's first event; `segment.` columns are always taken.

    Returns
    -------
    pandas.DataFrame or native relation
        One row is one session: `session`, `customer` (missing without one), `started_at` and `ended_at`
        (int64 microseconds UTC; the time spent on the last page is not known), `n_events`,
        `first_touchpoint` and `last_touchpoint` (where events have touchpoints), and the segment columns of
        its first event. pandas is sorted by session.

    Raises
    ------
    ValueError
        Where `session`, `position` or a column of `by` is missing.

    Examples
    --------
    >>> from journeylib.journey.sessions import split_into_sessions
    >>> events = pd.DataFrame({"customer": "a", "occurred_at": [0, 60_000_000], "name": ["view", "buy"]})
    >>> events["touchpoint"] = ["page", "till"]
    >>> row = summarise_sessions(split_into_sessions(events)).iloc[0]
    >>> int(row["n_events"]), int(row["ended_at"]), row["first_touchpoint"], row["last_touchpoint"]
    (2, 60000000, 'page', 'till')
    """
    frame = _open_sessions(events, by, optional=["customer", "touchpoint"], prefix="segment.")
    found = [name for name in frame.columns if name.startswith(rename_safely("segment."))]
    segments = list(dict.fromkeys([*map(rename_safely, by), *found]))
    result = _summarise(frame)
    if "touchpoint" in frame.columns:
        result = _join_events(result, frame, "_first", {"touchpoint": "first_touchpoint"})
        result = _join_events(result, frame, "_last", {"touchpoint": "last_touchpoint"})
    if segments:
        result = _join_events(result, frame, "_first", {name: name for name in segments})
    names = (
        "session",
        "customer",
        "started_at",
        "ended_at",
        "n_events",
        "first_touchpoint",
        "last_touchpoint",
    )
    kept = [nw.col(name).alias(restore_name(name)) for name in (*names, *segments) if name in result.columns]
    result = result.select(*kept)
    return (
        collect_table(result, order_by=["session"])
        if isinstance(events, pd.DataFrame)
        else result.to_native()
    )


def measure_sessions(
    events: Events, *, periods: Mapping[str, tuple[int, int]], by: Sequence[str] | None = None
) -> pd.DataFrame:
    """Measure how many sessions and customers came, how long sessions were and how many bounced.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, after `split_into_sessions`. Row order does not matter.
    periods : mapping
        `reviewed`, `previous`, `year_ago` to (start, end) in microseconds UTC, [start, end). A session
        belongs to the period in which it starts, with all its events.
    by : sequence of str, optional
        Segment columns; a session has the labels of its first event, `(missing)` where that has none.

    Returns
    -------
    pandas.DataFrame
        The measure table: one row is one metric in one segment (empty: all) and period. `session_count`
        (sessions), `customer_count` (people with a session that starts in the period; no row where no
        event has a customer), `events_per_session` (mean), `bounce_rate` (percent of sessions with a single
        event). Effective n by person: the customer, else the device, else the session alone.

    Raises
    ------
    ValueError
        Where a column is missing or a period does not end after it starts.

    Notes
    -----
    See `estimate_from_sums` for the intervals. A share of sessions with one event is what web analytics
    called bounce rate before GA4.

    Examples
    --------
    >>> from journeylib.journey.sessions import split_into_sessions
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [0, 1, 2], "name": "view"})
    >>> found = measure_sessions(split_into_sessions(events), periods={"reviewed": (0, 10)})
    >>> found[["metric", "value"]].values.tolist()
    [['session_count', 2.0], ['customer_count', 2.0], ['events_per_session', 1.5], ['bounce_rate', 50.0]]
    """
    pieces = cut_periods(periods)
    segments = [rename_safely(column) for column in dict.fromkeys(by or [])]
    frame = _open_sessions(events, list(by or []), optional=["customer", "device_id"])
    sessions = _summarise(frame)
    if segments:
        sessions = _join_events(sessions, frame, "_first", {name: name for name in segments})
    edges = sorted({piece for parts in pieces.values() for piece in parts})
    piece = nw.lit(None, nw.Int64)
    for number, (start, end) in enumerate(edges):
        inside = (nw.col("started_at") >= start) & (nw.col("started_at") < end)
        piece = nw.when(inside).then(nw.lit(number)).otherwise(piece)
    sessions = sessions.with_columns(piece.cast(nw.Int64).alias("_piece")).filter(~nw.col("_piece").is_null())
    sessions = sessions.with_columns(prefix_person(sessions, otherwise="session").alias("_person"))
    with keep_table(sessions.select("_piece", "_person", "n_events", *segments)) as kept:
        found = pd.concat([_sum_by_person(kept, column) for column in ("", *segments)], ignore_index=True)
    parts = [
        found[found["_piece"].isin([edges.index(part) for part in parts])].assign(which=which)
        for which, parts in pieces.items()
    ]
    keys = ["which", "segment", "person"]
    sums = pd.concat(parts).drop(columns="_piece").groupby(keys, as_index=False).sum()
    sums["is_customer"] = sums["person"].str.startswith("c:").astype(bool)
    return tabulate_measures(sums.assign(present=1), _MEASURES, which=list(periods))


def _open_sessions(
    events: Events, by: Sequence[str], *, optional: Sequence[str], prefix: str | None = None
) -> nw.LazyFrame:
    return open_events(events, required=[TIME, "session", "position", *by], optional=optional, prefix=prefix)


def _summarise(frame: nw.LazyFrame) -> nw.LazyFrame:
    """One row a session; a session has one customer, since no session spans two people."""
    people = [nw.col(name).max().alias(name) for name in ("customer", "device_id") if name in frame.columns]
    return frame.group_by("session").agg(
        *people,
        nw.col(TIME).min().alias("started_at"),
        nw.col(TIME).max().alias("ended_at"),
        nw.len().cast(nw.Int64).alias("n_events"),
        nw.col("position").min().alias("_first"),
        nw.col("position").max().alias("_last"),
    )


def _join_events(
    sessions: nw.LazyFrame, frame: nw.LazyFrame, position: str, columns: dict[str, str]
) -> nw.LazyFrame:
    """Add to each session what the event at this position of it says."""
    new = [nw.col(column).alias(name) for column, name in columns.items()]
    taken = frame.select("session", nw.col("position").alias(position), *new)
    return sessions.join(taken, on=["session", position], how="left")


def _sum_by_person(sessions: nw.LazyFrame, column: str) -> pd.DataFrame:
    """Sum the sessions of each person in each piece of time, and in each segment of a column."""
    keys = ["_piece", "_person", *([column] if column else [])]
    bounced = nw.when(nw.col("n_events") == 1).then(1).otherwise(0).alias("_bounced")
    lines = sessions.with_columns((nw.col("n_events") * nw.col("n_events")).alias("_square"), bounced)
    sums = collect_table(
        lines.group_by(*keys).agg(
            nw.len().cast(nw.Int64).alias("sessions"),
            nw.col("n_events").sum().cast(nw.Int64).alias("events"),
            nw.col("_square").sum().cast(nw.Int64).alias("squares"),
            nw.col("_bounced").sum().cast(nw.Int64).alias("bounces"),
        )
    )
    return name_segments(sums, column).rename(columns={"_person": "person"})
