"""Clickstreams and other event exports as one table in the engine, by rules that are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from journeylib.data.casts import flag_sql, integer_sql, number_sql
from journeylib.data.connection import quote_name, quote_text
from journeylib.data.ledger import BY_DECISION
from journeylib.data.reading import RawRows
from journeylib.data.reading_batches import Part, read_files
from journeylib.data.reading_run import ReadingRun
from journeylib.data.records import table_columns
from journeylib.data.sources import Source
from journeylib.data.tables import Column

__all__ = ["collect_events", "count_identical_events", "list_faults", "mark_duplicates", "mark_events"]

DAY_US = 86_400_000_000
# Clocks that have lost their time say 1904, 1970 or 1980; the web, and with it any event, is younger.
EARLIEST_US = 631_152_000_000_000  # 1 January 1990
UNREADABLE = {"time": "bad_date", "number": "bad_number", "integer": "bad_number", "flag": "unknown_code"}
TYPES = {"time": "BIGINT", "number": "DOUBLE", "integer": "BIGINT", "flag": "BOOLEAN"}
TIES = "occurred_at, sequence NULLS LAST, event_id NULLS LAST, name"
# What a check looks at once the rules are tested; `twin` stands for all columns of a row without an id.
CHECKED = (
    "event_id", "customer", "device_id", "signed_in_as", "occurred_at", "received_at", "precision",
    "sequence", "session_given", "name", "touchpoint", "user_agent",
)  # fmt: skip
DOUBLED = ("duplicate_event_id", "event_id")


def collect_events(run: ReadingRun, sources: Sequence[Source]) -> list[Part]:
    """Read every file of events into the engine and show all of them as `event_rows`.

    Parameters
    ----------
    run : ReadingRun
        The engine, and the instants after which a row is late or from the future.
    sources : sequence of Source
        The declared sources of events.

    Returns
    -------
    list of Part
        In the order of the sources; its place is the row's `part`. `event_rows` has one row for each row of
        the files; `fault` is the place of the rule that it breaks in `list_faults`, from 1, and 0 where none;
        `twin` is a hash of all columns where there is no id; `stitched` is false.

    Raises
    ------
    InputError
        If a file can't be read, or a column is missing.
    """
    columns = table_columns("events", sources)

    def write_sql(rows: RawRows, source: Source, names: Sequence[str]) -> str:
        return _typed_sql(rows, columns, names, run)

    parts = read_files(run, sources, columns, write_sql=write_sql)
    whole = " UNION ALL ".join(_part_sql(part, place, columns, run) for place, part in enumerate(parts))
    run.connection.execute(f"CREATE VIEW event_rows AS {whole}")
    return parts


def _part_sql(part: Part, place: int, columns: Mapping[str, Column], run: ReadingRun) -> str:
    """Return SQL of one part with all columns; those that its files lack are missing."""
    stored = _stored(part.names, run)
    cells = [
        quote_name(name)
        if name in stored
        else f"CAST(NULL AS {TYPES.get(column.kind, 'VARCHAR')}) AS {quote_name(name)}"
        for name, column in columns.items()
        if run.complete or name in CHECKED
    ]
    added = "twin, stitched, fault"
    return f"SELECT {place} AS part, source_row, {', '.join(cells)}, {added} FROM {part.table}"


def _stored(names: Sequence[str], run: ReadingRun) -> set[str]:
    """Return the columns that a part's table has."""
    stored = {*names, "precision"} | ({"customer"} if "signed_in_as" in names else set())
    return stored if run.complete else stored & set(CHECKED)


def list_faults(columns: Mapping[str, Column]) -> list[tuple[str, str]]:
    """Return each rule of events with the column that breaks it, in the order in which they are tested.

    Parameters
    ----------
    columns : mapping of str to Column
        The columns of events.

    Returns
    -------
    list of (str, str)
        Rule and column; its place, counted from 1, is the fault's number.
    """
    faults: list[tuple[str, str]] = []
    for name, column in columns.items():
        faults += [(f"missing_{name}", name)] if column.required else []
        if column.kind in UNREADABLE:
            faults.append((UNREADABLE[column.kind], name))
        elif column.values:
            faults.append(("unknown_code", name))
    clock = [(rule, name) for rule in ("before_1990", "future") for name in ("occurred_at", "received_at")]
    return [*faults, *clock, ("after_as_of", "occurred_at"), DOUBLED, *BY_DECISION.items()]


def _typed_sql(rows: RawRows, columns: Mapping[str, Column], names: Sequence[str], run: ReadingRun) -> str:
    places = {fault: number for number, fault in enumerate(list_faults(columns), 1)}
    comma, known = rows.file.separator != ",", _stored(names, run)
    tests: list[tuple[str, tuple[str, str]]] = []
    values = []
    for name, column in columns.items():
        raw, value = quote_name(name), quote_name(f"value of {name}")
        if name in names or name in known:
            values.append(f"{_value_sql(name, column, decimal_comma=comma)} AS {value}")
        if name not in names:
            continue
        if column.required:
            tests.append((f"{raw} IS NULL", (f"missing_{name}", name)))
        if column.kind in UNREADABLE:
            tests.append((f"{raw} IS NOT NULL AND {value} IS NULL", (UNREADABLE[column.kind], name)))
        elif column.values:
            codes = ", ".join(quote_text(one) for one in column.values)
            tests.append((f"{raw} IS NOT NULL AND {value} NOT IN ({codes})", ("unknown_code", name)))
    tests += _late_tests(run)
    when = " ".join(f"WHEN {condition} THEN {places[fault]}" for condition, fault in tests)
    shown = [f"{quote_name(f'value of {name}')} AS {quote_name(name)}" for name in columns if name in known]
    event_id = quote_name("value of event_id") if "event_id" in names else "NULL"
    here = [quote_name(f"value of {name}") if name in (*names, *known) else "NULL" for name in columns]
    shown.append(f"CASE WHEN {event_id} IS NULL THEN hash({', '.join(here)}) END AS twin, false AS stitched")
    return (
        f"SELECT source_row, {', '.join(shown)}, CAST(CASE {when} ELSE 0 END AS UTINYINT) AS fault "
        f"FROM (SELECT *, {', '.join(values)} FROM ({rows.query}))"
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


def _late_tests(run: ReadingRun) -> list[tuple[str, tuple[str, str]]]:
    """Return the rules of time: a lost clock, received before it happened, after what is looked at."""
    lost = [(f"{name}_us < {EARLIEST_US}", ("before_1990", name)) for name in ("occurred_at", "received_at")]
    ahead = f"occurred_at_us > coalesce(received_at_us + {DAY_US}, {run.ceiling_us})"
    tests = [
        *lost,
        (ahead, ("future", "occurred_at")),
        (f"received_at_us > {run.ceiling_us + DAY_US}", ("future", "received_at")),
    ]
    if run.as_of_us is not None:
        late = f"occurred_at_us > {run.as_of_us} OR received_at_us > {run.as_of_us}"
        tests.append((late, ("after_as_of", "occurred_at")))
    return tests


def mark_duplicates(run: ReadingRun, parts: Sequence[Part], columns: Mapping[str, Column]) -> None:
    """Set the fault `duplicate_event_id` on rows whose id stands in a row received before.

    Parameters
    ----------
    run : ReadingRun
        The engine with `event_rows`.
    parts : sequence of Part
        What `collect_events` returned.
    columns : mapping of str to Column
        The columns of events.
    """
    if not any("event_id" in part.names for part in parts):
        return
    code = 1 + list_faults(columns).index(DOUBLED)
    run.connection.execute(
        f"""CREATE TABLE doubled AS SELECT part, source_row FROM (
        SELECT part, source_row, row_number() OVER (PARTITION BY event_id ORDER BY received_at NULLS LAST,
        {TIES}, customer, part, source_row) AS place FROM event_rows WHERE fault = 0 AND event_id IS NOT NULL
        AND hash(event_id) IN (SELECT hash(event_id) FROM event_rows WHERE fault = 0 AND event_id IS NOT NULL
        GROUP BY 1 HAVING count(*) > 1)) WHERE place > 1"""
    ).fetchall()
    for (place,) in run.connection.execute("SELECT DISTINCT part FROM doubled ORDER BY 1").fetchall():
        table = parts[place].table
        run.connection.execute(
            f"UPDATE {table} SET fault = {code} FROM doubled "
            f"WHERE doubled.part = {place} AND doubled.source_row = {table}.source_row"
        ).fetchall()


def mark_events(
    run: ReadingRun, parts: Sequence[Part], columns: Mapping[str, Column], rule: str, *, where: str
) -> None:
    """Set a rule's fault on the events that meet a condition and have kept all rules so far.

    Parameters
    ----------
    run : ReadingRun
        The engine with the parts.
    parts : sequence of Part
        What `collect_events` returned.
    columns : mapping of str to Column
        The columns of events.
    rule : str
        A rule of `BY_DECISION`; the rule `erased` goes before all others.
    where : str
        SQL of the condition, our columns in braces; a column that a part lacks is missing there.
    """
    code = 1 + list_faults(columns).index((rule, BY_DECISION[rule]))
    kept = "" if rule == "erased" else "fault = 0 AND "
    for part in parts:
        stored = _stored(part.names, run)
        cells = {
            name: f"{part.table}.{quote_name(name)}" if name in stored else "CAST(NULL AS VARCHAR)"
            for name in CHECKED
        }
        condition = where.format(table=part.table, **cells)
        run.connection.execute(f"UPDATE {part.table} SET fault = {code} WHERE {kept}({condition})").fetchall()


def count_identical_events(run: ReadingRun) -> int:
    """Return how many events without an id repeat another one in every column; they are kept.

    Parameters
    ----------
    run : ReadingRun
        The engine with `event_rows`.

    Returns
    -------
    int
        The repeats, the first of each not counted.
    """
    found = run.connection.execute(
        "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM event_rows WHERE fault = 0 "
        "AND event_id IS NULL GROUP BY twin)"
    ).fetchall()
    return int(found[0][0])
