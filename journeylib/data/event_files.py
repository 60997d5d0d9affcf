"""Events that keep all rules to events.parquet, with pseudonyms, in an order that is always the same."""

from __future__ import annotations

from collections.abc import Mapping

from journeylib.data.connection import quote_name, quote_text
from journeylib.data.events import TIES, list_faults
from journeylib.data.people import hmac_sql
from journeylib.data.reading_run import ReadingRun
from journeylib.data.robots import ROBOT_RULES
from journeylib.data.tables import Column

__all__ = ["write_checked_events", "write_events", "write_robots"]

PEOPLE = ("customer", "device_id", "signed_in_as")
OF_A_ROBOT = (
    "event_id", "customer", "device_id", "occurred_at", "precision", "sequence", "session_given", "name",
)  # fmt: skip


def write_events(run: ReadingRun, columns: Mapping[str, Column]) -> None:
    """Write the rows of `event_rows` that keep all rules to events.parquet.

    Parameters
    ----------
    run : ReadingRun
        The engine, the key and the folder; one row is one event, sorted by the source's customer id, then
        device, session, time, sequence, event id and name, so that the order of the input does not matter.
    columns : mapping of str to Column
        The columns of events.
    """
    shown = [
        f"{name}_ids.pseudonym AS {name}" if name in PEOPLE else f"event_rows.{quote_name(name)}"
        for name in columns
    ]
    kept = f"fault IN (0, {_list_robot_codes(columns)})"
    ids = " UNION ".join(
        f"SELECT {name} AS id FROM event_rows WHERE {kept} AND {name} IS NOT NULL" for name in PEOPLE
    )
    pseudonym = hmac_sql("id", key=run.key)
    run.connection.execute(
        f"CREATE TABLE person_ids AS SELECT id, {pseudonym} AS pseudonym FROM ({ids})"
    ).fetchall()
    joins = " ".join(
        f"LEFT JOIN person_ids AS {name}_ids ON {name}_ids.id = event_rows.{name}" for name in PEOPLE
    )
    order = (
        f"event_rows.customer NULLS LAST, event_rows.device_id NULLS LAST, session_given NULLS LAST, {TIES}"
    )
    unnamed = "SELECT count(*) FROM event_rows WHERE fault = 0 AND event_id IS NULL"
    if run.connection.execute(unnamed).fetchall()[0][0]:  # without ids, ties are settled by all columns
        order += "".join(f", event_rows.{quote_name(name)} NULLS LAST" for name in columns)
    zone = quote_text(run.project.timezone)
    day = f"CAST(timezone({zone}, make_timestamptz(occurred_at)) AS DATE) - DATE '1970-01-01'"
    _copy(
        run,
        "events",
        f"SELECT {', '.join(shown)}, CAST({day} AS INTEGER) AS local_day FROM event_rows {joins} "
        f"WHERE fault = 0 ORDER BY {order}",
        "zstd",
    )


def write_robots(run: ReadingRun, columns: Mapping[str, Column]) -> None:
    """Write what tells robots' events and sessions, so that headlines can be shown with and without them.

    Parameters
    ----------
    run : ReadingRun
        The engine after `write_events`; robots.parquet has one row an event that a robot's rule set aside,
        and is written only where there is one. Its order of rows says nothing.
    columns : mapping of str to Column
        The columns of events.
    """
    which = f"fault IN ({_list_robot_codes(columns)})"
    if not run.connection.execute(f"SELECT 1 FROM event_rows WHERE {which} LIMIT 1").fetchall():
        return
    people = ("customer", "device_id")
    shown = [f"{name}_ids.pseudonym AS {name}" if name in people else name for name in OF_A_ROBOT]
    joins = " ".join(
        f"LEFT JOIN person_ids AS {name}_ids ON {name}_ids.id = event_rows.{name}" for name in people
    )
    _copy(run, "robots", f"SELECT {', '.join(shown)} FROM event_rows {joins} WHERE {which}", "zstd")


def _list_robot_codes(columns: Mapping[str, Column]) -> str:
    faults = list_faults(columns)
    return ", ".join(str(code) for code, (rule, _) in enumerate(faults, 1) if rule in ROBOT_RULES)


def write_checked_events(run: ReadingRun) -> None:
    """Write what a check reads of the events to events.parquet: time, name and the source's own touchpoint.

    Parameters
    ----------
    run : ReadingRun
        The engine and the folder; the order of rows says nothing, and nobody can be told from the file.
    """
    _copy(run, "events", "SELECT occurred_at, name, touchpoint FROM event_rows WHERE fault = 0", "snappy")


def _copy(run: ReadingRun, table: str, query: str, compression: str) -> None:
    path = quote_text(str(run.folder / f"{table}.parquet"))
    run.connection.execute(f"COPY ({query}) TO {path} (FORMAT parquet, COMPRESSION {compression})").fetchall()
