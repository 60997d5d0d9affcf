"""Clickstreams and other event exports as one table in the engine, by rules that are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from journeylib.data.casts import flag_sql, integer_sql, number_sql
from journeylib.data.connection import quote_name, quote_text
from journeylib.data.files import inspect_file
from journeylib.data.people import hmac_sql
from journeylib.data.reading import open_rows, store_rows
from journeylib.data.reading_run import ReadFile, ReadingRun
from journeylib.data.records import table_columns
from journeylib.data.sources import Source
from journeylib.data.tables import Column

__all__ = ["collect_events", "count_identical_events", "mark_duplicates", "write_events"]

DAY_US = 86_400_000_000
PEOPLE = ("customer", "device_id", "signed_in_as")
UNREADABLE = {"time": "bad_date", "number": "bad_number", "integer": "bad_number", "flag": "unknown_code"}
BOOK_KEEPING = ("file_number", "source_row", "rule", "fault_column")
TIES = "occurred_at, sequence NULLS LAST, event_id NULLS LAST, name"


def collect_events(run: ReadingRun, sources: Sequence[Source]) -> list[ReadFile]:
    """Read every file of events into the engine's table `event_rows`, one pass a file.

    Parameters
    ----------
    run : ReadingRun
        The engine, and the instants after which a row is late or from the future.
    sources : sequence of Source
        The declared sources of events.

    Returns
    -------
    list of ReadFile
        In the order of the sources; its place is the row's `file_number`. `event_rows` has one row for each
        row of the files, with the rule that it breaks in `rule` ('' where none) and its `fault_column`.

    Raises
    ------
    InputError
        If a file can't be read, or a column is missing.
    """
    columns = table_columns("events", sources)
    opened: list[ReadFile] = []
    for source in sources:
        for path, shown in zip(source.files, source.shown, strict=True):
            file = inspect_file(path, source, shown=shown, work=run.work)
            rows = open_rows(run.connection, file, source, columns, number=run.next_number())
            comma = file.separator != ","
            select = _typed_sql(rows.query, columns, len(opened), run, decimal_comma=comma)
            verb = "INSERT INTO event_rows" if opened else "CREATE TABLE event_rows AS"
            store_rows(run.connection, rows, f"{verb} {select}")
            opened.append(ReadFile(source, file, rows))
    return opened


def _typed_sql(
    query: str, columns: Mapping[str, Column], number: int, run: ReadingRun, *, decimal_comma: bool
) -> str:
    faults: list[tuple[str, str, str]] = []
    values = []
    for name, column in columns.items():
        raw, value = quote_name(name), quote_name(f"value of {name}")
        values.append(f"{_value_sql(name, column, decimal_comma=decimal_comma)} AS {value}")
        if column.required:
            faults.append((f"{raw} IS NULL", f"missing_{name}", name))
        if column.kind in UNREADABLE:
            faults.append((f"{raw} IS NOT NULL AND {value} IS NULL", UNREADABLE[column.kind], name))
        elif column.values:
            known = ", ".join(quote_text(one) for one in column.values)
            faults.append((f"{raw} IS NOT NULL AND {value} NOT IN ({known})", "unknown_code", name))
    faults += _late_faults(run)
    rule = " ".join(f"WHEN {condition} THEN '{name}'" for condition, name, _ in faults)
    where = " ".join(f"WHEN {condition} THEN '{column}'" for condition, _, column in faults)
    shown = [f"{quote_name(f'value of {name}')} AS {quote_name(name)}" for name in columns]
    return (
        f"SELECT {number} AS file_number, source_row, {', '.join(shown)}, CASE {rule} ELSE '' END AS rule, "
        f"CASE {where} ELSE '' END AS fault_column FROM (SELECT *, {', '.join(values)} FROM ({query}))"
    )


def _value_sql(name: str, column: Column, *, decimal_comma: bool) -> str:
    raw = quote_name(name)
    if name == "precision":
        return f"coalesce(lower({raw}), CASE WHEN occurred_at_is_day THEN 'day' ELSE 'second' END)"
    if name == "customer":
        return "coalesce(customer, signed_in_as)"
    if column.kind == "time":
        return quote_name(f"{name}_us")
    if column.kind == "number":
        return number_sql(raw, decimal_comma=decimal_comma)
    if column.kind == "integer":
        return integer_sql(raw, decimal_comma=decimal_comma)
    return flag_sql(raw) if column.kind == "flag" else raw


def _late_faults(run: ReadingRun) -> list[tuple[str, str, str]]:
    """Return the rules of time: received before it happened, after what can be, after what is looked at."""
    faults = [
        (f"occurred_at_us > coalesce(received_at_us + {DAY_US}, {run.ceiling_us})", "future", "occurred_at"),
        (f"received_at_us > {run.ceiling_us + DAY_US}", "future", "received_at"),
    ]
    if run.as_of_us is not None:
        late = f"occurred_at_us > {run.as_of_us} OR received_at_us > {run.as_of_us}"
        faults.append((late, "after_as_of", "occurred_at"))
    return faults


def mark_duplicates(run: ReadingRun) -> None:
    """Set the rule `duplicate_event_id` on rows of `event_rows` whose id stands in a row received before.

    Parameters
    ----------
    run : ReadingRun
        The engine.
    """
    run.connection.execute(
        f"""UPDATE event_rows SET rule = 'duplicate_event_id', fault_column = 'event_id' FROM (
        SELECT rowid AS doubled, row_number() OVER (PARTITION BY event_id ORDER BY received_at NULLS LAST,
        {TIES}, customer, file_number, source_row) AS place FROM event_rows WHERE rule = '' AND event_id IN (
        SELECT event_id FROM event_rows WHERE rule = '' AND event_id IS NOT NULL GROUP BY event_id
        HAVING count(*) > 1)) WHERE event_rows.rowid = doubled AND place > 1"""
    ).fetchall()


def write_events(run: ReadingRun) -> None:
    """Write the rows of `event_rows` that keep all rules to events.parquet.

    Parameters
    ----------
    run : ReadingRun
        The engine, the key and the folder; one row is one event, sorted by the source's customer id, then
        device, session, time, sequence, event id and name, so that the order of the input does not matter.
    """
    names = _event_columns(run)
    shown = [
        f"{name}_ids.pseudonym AS {name}" if name in PEOPLE else f"event_rows.{quote_name(name)}"
        for name in names
    ]
    ids = " UNION ".join(
        f"SELECT {name} AS id FROM event_rows WHERE rule = '' AND {name} IS NOT NULL" for name in PEOPLE
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
    unnamed = "SELECT count(*) FROM event_rows WHERE rule = '' AND event_id IS NULL"
    if run.connection.execute(unnamed).fetchall()[0][0]:  # without ids, ties are settled by all columns
        order += "".join(f", event_rows.{quote_name(name)} NULLS LAST" for name in names)
    zone = quote_text(run.project.timezone)
    day = f"CAST(timezone({zone}, make_timestamptz(occurred_at)) AS DATE) - DATE '1970-01-01'"
    path = quote_text(str(run.folder / "events.parquet"))
    run.connection.execute(
        f"COPY (SELECT {', '.join(shown)}, CAST({day} AS INTEGER) AS local_day FROM event_rows {joins} "
        f"WHERE rule = '' ORDER BY {order}) TO {path} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchall()


def _event_columns(run: ReadingRun) -> list[str]:
    described = run.connection.execute("DESCRIBE event_rows").fetchall()
    return [str(row[0]) for row in described if row[0] not in BOOK_KEEPING]


def count_identical_events(run: ReadingRun) -> int:
    """Return how many events without an id repeat another one in every column; they are kept.

    Parameters
    ----------
    run : ReadingRun
        The engine.

    Returns
    -------
    int
        The repeats, the first of each not counted.
    """
    columns = ", ".join(quote_name(name) for name in _event_columns(run))
    found = run.connection.execute(
        "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM event_rows WHERE rule = '' "
        f"AND event_id IS NULL GROUP BY {columns})"
    ).fetchall()
    return int(found[0][0])
