"""What the events were checked for beyond their rows: robots in the headlines, and how late events arrive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from journeylib.data.connection import quote_text
from journeylib.data.periods import Period
from journeylib.data.trusted import TrustedTables
from journeylib.journey.sessions import split_into_sessions
from journeylib.review.reliability import WATERMARK_US

__all__ = ["check_events"]

PERSON = "coalesce('c' || customer, 'd' || device_id, 's' || session_given)"
HOUR_US = 3_600_000_000


def check_events(tables: TrustedTables, periods: Mapping[str, Period]) -> dict[str, list[dict[str, Any]]]:
    """Count headlines with and without robots, and late events, in each period.

    Parameters
    ----------
    tables : TrustedTables
        The trusted tables, events split into sessions.
    periods : mapping
        reviewed, previous and year_ago.

    Returns
    -------
    dict
        `robots`: one entry a period, with events, sessions and people (customers, else devices, else given
        sessions) without robots, and the same `_with_robots`; a session belongs to the period in which it
        starts, an event and a person of an event to that of the event. Empty where no robot was found.
        `late`: one entry a period, with events, received (events with a time of receipt), late (received more
        than 72 hours after they occurred) and hours (within which 99 of 100 arrived). Empty where no event
        has a time of receipt.
    """
    with duckdb.connect() as engine:
        engine.execute(f"CREATE VIEW used AS SELECT * FROM read_parquet({quote_text(tables.path('events'))})")
        late = [found for which, one in periods.items() if (found := _measure_lateness(engine, which, one))]
        robots = []
        if tables.has("robots"):
            _join_robots(engine, tables.path("robots"))
            robots = [_compare(engine, which, one) for which, one in periods.items()]
    return {"robots": robots, "late": late}


def _measure_lateness(engine: duckdb.DuckDBPyConnection, which: str, period: Period) -> dict[str, Any]:
    delay = "received_at - occurred_at"
    events, received, late, hours = engine.execute(
        f"SELECT count(*), count(received_at), count(*) FILTER ({delay} > {WATERMARK_US}), "
        f"quantile_disc({delay}, 0.99) / {HOUR_US} FROM used WHERE occurred_at >= ? AND occurred_at < ?",
        period.bounds,
    ).fetchall()[0]
    if not received:
        return {}
    counts = {"events": int(events), "received": int(received), "late": int(late)}
    return {"which": which, **counts, "hours": max(float(hours), 0.0)}


def _join_robots(engine: duckdb.DuckDBPyConnection, robots: str) -> None:
    """Make the sessions of all whom robots touch, as they would be with the robots' events."""
    engine.execute(f"CREATE VIEW robots AS SELECT * FROM read_parquet({quote_text(robots)})")
    columns = ", ".join(row[0] for row in engine.execute("DESCRIBE robots").fetchall())
    engine.execute(f"CREATE TABLE touched AS SELECT DISTINCT {PERSON} AS person FROM robots")
    mine = f"SELECT {columns} FROM used WHERE {PERSON} IN (SELECT person FROM touched)"
    engine.execute(f"CREATE TABLE together AS {mine} UNION ALL SELECT {columns} FROM robots")
    split_into_sessions(engine.table("together")).create_view("whole_sessions")
    engine.execute(
        "CREATE TABLE with_robots AS SELECT session, min(occurred_at) AS start FROM whole_sessions GROUP BY 1"
    )
    engine.execute(
        f"CREATE TABLE as_used AS SELECT session, min(occurred_at) AS start, min({PERSON}) AS person "
        "FROM used GROUP BY 1"
    )


def _compare(engine: duckdb.DuckDBPyConnection, which: str, period: Period) -> dict[str, Any]:
    start, end = period.bounds

    def count(what: str, table: str, column: str = "occurred_at", more: str = "") -> int:
        query = f"SELECT {what} FROM {table} WHERE {column} >= {start} AND {column} < {end} {more}"
        return int(engine.execute(query).fetchall()[0][0])

    sessions = count("count(*)", "as_used", "start")
    touched = count("count(*)", "as_used", "start", "AND person IN (SELECT person FROM touched)")
    events, people = (count(what, "used") for what in ("count(*)", f"count(DISTINCT {PERSON})"))
    new = "AND person NOT IN (SELECT person FROM here)"
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE here AS SELECT DISTINCT {PERSON} AS person FROM used "
        f"WHERE occurred_at >= {start} AND occurred_at < {end} AND {PERSON} IS NOT NULL"
    )
    named = f"(SELECT {PERSON} AS person, occurred_at FROM robots WHERE {PERSON} IS NOT NULL)"
    return {
        "which": which,
        "events": events,
        "events_with_robots": events + count("count(*)", "robots"),
        "sessions": sessions,
        "sessions_with_robots": sessions - touched + count("count(*)", "with_robots", "start"),
        "people": people,
        "people_with_robots": people + count("count(DISTINCT person)", named, more=new),
    }
