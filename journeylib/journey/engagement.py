"""Engagement: which sessions were more than a glance, and on how many days people came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.journey.engine import collect_table, keep_table
from journeylib.journey.frames import TIME, Events, open_events, rename_safely
from journeylib.journey.measuring import Measure, cut_periods, name_segments, tabulate_measures
from journeylib.journey.order import DAY, prefix_person
from journeylib.journey.steps import StepMatches, match_steps, parse_steps

__all__ = ["measure_engagement"]

_SECOND = 1_000_000
_SHARES = (Measure("engaged_session_rate", "share", "sessions", units="sessions", total="engaged"),)
_DAYS = (
    Measure(
        "active_days", "mean", "people", units="people", total="days", squares="squares", people_only=True
    ),
)


def measure_engagement(
    events: Events,
    *,
    periods: Mapping[str, tuple[int, int]],
    key_events: Sequence[str] = (),
    views: Sequence[str] | None = None,
    seconds: float = 10,
    by: Sequence[str] = (),
) -> pd.DataFrame:
    """Measure which share of sessions was engaged, and on how many days each person came.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, after `split_into_sessions`. Row order does not matter.
    periods : mapping
        `reviewed`, `previous`, `year_ago` to (start, end) in microseconds UTC, [start, end). A session
        belongs to the period in which it starts, a day of a person to that of its events.
    key_events : sequence of str
        What counts by itself, such as an order: touchpoints, `event:NAME` or `stage:NAME`.
    views : sequence of str, optional
        What is a view of a page or screen; without it every event is one.
    seconds : float
        A session that lasts longer than this is engaged; exactly this long is not.
    by : sequence of str
        Segment columns; a session has the labels of its first event. Days have no segments.

    Returns
    -------
    pandas.DataFrame
        The measure table: `engaged_session_rate` (percent of sessions that lasted longer than the seconds,
        or had two views, or a key event) and `active_days` (mean days with an event, of the people with one;
        absent where no event has a customer).

    Raises
    ------
    ArgumentError
        Where a column is missing, a period does not end after it starts, or a step matches nothing.

    Notes
    -----
    The rule is GA4's. How long the last page was looked at is not known, so that a session of one event
    lasts 0 seconds. Sessions known by their day only have no length. Effective n by person.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [0, 11_000_000, 5], "name": "view"})
    >>> events = events.assign(session=[1, 1, 2], position=[1, 2, 1])
    >>> measure_engagement(events, periods={"reviewed": (0, 10)})[["metric", "value"]].values.tolist()
    [['engaged_session_rate', 50.0], ['active_days', 1.0]]
    """
    cut_periods(periods)
    matches = _open_sessions(events, key_events, views, by)
    frame, segments = matches.frame, [rename_safely(column) for column in by]
    person = prefix_person(frame, otherwise="session")
    key = matches.can_serve(*range(len(key_events))) if key_events else nw.lit(False)
    seen = range(len(key_events), matches.n_steps)
    flags = {"_key": key, "_view": matches.can_serve(*seen) if views is not None else nw.lit(True)}
    marked = frame.with_columns(
        person.alias("_person"),
        *[nw.when(test).then(1).otherwise(0).cast(nw.Int64).alias(name) for name, test in flags.items()],
    )
    with keep_table(_judge_sessions(marked, segments, seconds)) as sessions:
        sums = []
        for which, (start, end) in periods.items():
            inside = sessions.filter((nw.col("_start") >= start) & (nw.col("_start") < end))
            parts = [_sum_sessions(inside, column) for column in ("", *segments)]
            sums += [part.assign(which=which) for part in parts]
    found = pd.concat(sums, ignore_index=True)
    found["is_customer"] = found["person"].str.startswith("c:").astype(bool)
    tables = [tabulate_measures(found, _SHARES, which=list(periods))]
    if "customer" in frame.columns:
        tables.append(tabulate_measures(_count_days(frame, periods), _DAYS, which=list(periods)))
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


def _open_sessions(
    events: Events, key_events: Sequence[str], views: Sequence[str] | None, by: Sequence[str]
) -> StepMatches:
    """Open the events, and mark those that are key events or views."""
    if isinstance(key_events, str) or isinstance(views, str):
        raise ArgumentError("key_events and views are lists of steps, such as ['purchase']")
    names = [*key_events, *(views or [])]
    steps = parse_steps(names) if names else []
    required = {TIME, "session", "position", *(step.column for step in steps), *by}
    optional = ["customer", "device_id", "local_day"]
    frame = open_events(events, required=sorted(required), optional=optional)
    return match_steps(frame, steps) if steps else StepMatches(frame, [], 0)


def _judge_sessions(marked: nw.LazyFrame, segments: Sequence[str], seconds: float) -> nw.LazyFrame:
    """One row a session: its start, its person, the segments of its first event, and whether it counts."""
    each = marked.group_by("session").agg(
        nw.col("_person").max(),
        nw.col(TIME).min().alias("_start"),
        nw.col(TIME).max().alias("_end"),
        nw.col("_key").max(),
        nw.col("_view").sum().alias("_views"),
    )
    long = nw.col("_end") - nw.col("_start") > round(seconds * _SECOND)
    engaged = long | (nw.col("_views") >= 2) | (nw.col("_key") == 1)
    each = each.with_columns(nw.when(engaged).then(1).otherwise(0).cast(nw.Int64).alias("engaged"))
    if segments:
        first = marked.filter(nw.col("position") == 1).select("session", *segments)
        each = each.join(first, on="session", how="left")
    return each.select("session", "_person", "_start", "engaged", *segments)


def _sum_sessions(sessions: nw.LazyFrame, column: str) -> pd.DataFrame:
    """Sum each person's sessions, in each segment of a column."""
    totals = [nw.len().cast(nw.Int64).alias("sessions"), nw.col("engaged").sum().cast(nw.Int64)]
    sums = collect_table(sessions.group_by("_person", *([column] if column else [])).agg(*totals))
    return name_segments(sums, column).rename(columns={"_person": "person"})


def _count_days(frame: nw.LazyFrame, periods: Mapping[str, tuple[int, int]]) -> pd.DataFrame:
    """Count each person's days with an event, in the project's zone where the table has its days."""
    known = frame.filter(~nw.col("customer").is_null())
    day = nw.col("local_day") if "local_day" in frame.columns else nw.col(TIME) // DAY
    person = nw.concat_str(nw.lit("c:"), nw.col("customer").cast(nw.String))
    days = known.select(person.alias("person"), TIME, day.alias("_day"))
    parts = []
    for which, (start, end) in periods.items():
        inside = days.filter((nw.col(TIME) >= start) & (nw.col(TIME) < end))
        counted = inside.select("person", "_day").unique(["person", "_day"])
        sums = collect_table(counted.group_by("person").agg(nw.len().cast(nw.Int64).alias("days")))
        parts.append(sums.assign(which=which))
    found = pd.concat(parts, ignore_index=True)
    return found.assign(segment="", is_customer=True, people=1, squares=found["days"] ** 2)
