"""From the declared sources of events to events.parquet, with its book-keeping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from journeylib.data.consent import mark_without_consent
from journeylib.data.event_files import write_checked_events, write_events, write_robots
from journeylib.data.events import (
    collect_events,
    count_identical_events,
    list_faults,
    mark_duplicates,
    mark_events,
)
from journeylib.data.identity import count_people, stitch_events
from journeylib.data.ledger import BY_DECISION
from journeylib.data.reading_batches import Part
from journeylib.data.reading_run import ReadingRun
from journeylib.data.records import table_columns
from journeylib.data.robots import count_robots, mark_robots
from journeylib.data.sources import Source
from journeylib.data.tables import Column

__all__ = ["write_event_table"]


def write_event_table(run: ReadingRun) -> int:
    """Read the sources of events and write events.parquet.

    Parameters
    ----------
    run : ReadingRun
        The run; its ledger is filled.

    Returns
    -------
    int
        Events without an id that repeat another event in every column; they are counted and kept.

    Raises
    ------
    InputError
        If a file can't be read, lacks a column, or a source has no usable row.
    """
    sources = run.project.sources_of("events")
    if not sources:
        return 0
    columns = table_columns("events", sources)
    run.say(f"reading {sum(len(source.files) for source in sources):,} file(s) of events")
    parts = collect_events(run, sources)
    run.say("looking for events that came twice")
    mark_duplicates(run, parts, columns)
    _mark_people(run, parts, columns)
    if not _count_rows(parts, sources, columns, run):
        return 0
    _note_spans(run)
    run.facts["robots"] = count_robots(run, columns)
    run.say("writing events")
    if run.complete:
        run.facts["identity"] = count_people(run)
        write_events(run, columns)
        write_robots(run, columns)
    else:
        write_checked_events(run)
    identical = count_identical_events(run)
    if identical:
        found = f"{identical} events without an id repeat another event in every column"
        run.ledger.notes.append(f"{found}; they are counted and kept.")
    for part in parts:
        run.connection.execute(f"DROP TABLE {part.table}")
    return identical


def _mark_people(run: ReadingRun, parts: Sequence[Part], columns: Mapping[str, Column]) -> None:
    """Join events to people, then set aside the erased ones, robots, and what nobody agreed to."""
    stitch_events(run, parts)
    if run.project.erased:
        ids = pd.DataFrame({"id": sorted(run.project.erased)}, dtype="str")
        run.connection.register("erasure_list", ids)
        run.connection.execute("CREATE TABLE erased AS SELECT CAST(id AS VARCHAR) AS id FROM erasure_list")
        run.connection.unregister("erasure_list")
        listed = " OR ".join(
            f"{{{name}}} IN (SELECT id FROM erased)" for name in ("customer", "signed_in_as")
        )
        mark_events(run, parts, columns, "erased", where=listed)
    mark_robots(run, parts, columns)
    mark_without_consent(run, parts, columns)


def _count_rows(
    parts: Sequence[Part], sources: Sequence[Source], columns: Mapping[str, Column], run: ReadingRun
) -> int:
    """Write down each file's rows and those set aside, and return how many are used."""
    found, decided = _find_faults(parts, columns, run), _count_decided(columns, run)
    used = 0
    for source in sources:
        by_rule: Counter[str] = Counter()
        rows_in = 0
        for place, part in enumerate(parts):
            if part.files[0].source is not source:
                continue
            by_rule.update(decided.get(place, {}))
            for number, one in enumerate(part.files):
                faults = found.get((place, number), [])
                run.ledger.add_input("events", source.name, one.file, one.rows)
                run.ledger.set_aside("events", source.name, one.file, faults, malformed=one.malformed)
                rows_in += one.rows
                by_rule.update(rule for _, rule, _ in faults)
                by_rule.update(["malformed_row"] * len(one.malformed))
        used += run.ledger.add_rows("events", source, rows_in, by_rule)
    return used


def _find_faults(
    parts: Sequence[Part], columns: Mapping[str, Column], run: ReadingRun
) -> dict[tuple[int, int], list[tuple[int, str, str]]]:
    """Return line, rule and column of the faulty rows, by part and file."""
    named = list_faults(columns)
    listed = [str(code) for code, (rule, _) in enumerate(named, 1) if rule not in BY_DECISION]
    query = (
        f"SELECT part, source_row, fault FROM event_rows WHERE fault IN ({', '.join(listed)}) ORDER BY 1, 2"
    )
    rows: pd.DataFrame = run.connection.execute(query).df()
    found: dict[tuple[int, int], list[tuple[int, str, str]]] = {}
    for place, part in enumerate(parts):
        mine = rows[rows["part"] == place]
        at = part.find_places(mine["source_row"])
        for number, line, fault in zip(at["place"], at["line"], mine["fault"], strict=True):
            found.setdefault((place, number), []).append((line, *named[fault - 1]))
    return found


def _count_decided(columns: Mapping[str, Column], run: ReadingRun) -> dict[int, Counter[str]]:
    """Return, by part, how many rows each rule sets aside that is no fault of a row."""
    named = list_faults(columns)
    codes = [str(code) for code, (rule, _) in enumerate(named, 1) if rule in BY_DECISION]
    query = f"SELECT part, fault, count(*) FROM event_rows WHERE fault IN ({', '.join(codes)}) GROUP BY ALL"
    decided: dict[int, Counter[str]] = {}
    for place, code, rows in run.connection.execute(query).fetchall():
        decided.setdefault(place, Counter())[named[code - 1][0]] += rows
    return decided


def _note_spans(run: ReadingRun) -> None:
    first, last, received, customers, ahead = run.connection.execute(
        "SELECT min(occurred_at), max(occurred_at), max(received_at), count(customer), "
        "count(*) FILTER (occurred_at > received_at) FROM event_rows WHERE fault = 0"
    ).fetchall()[0]
    ledger = run.ledger
    run.facts["clock_ahead"] = int(ahead)
    ledger.spans["events"] = [int(first), int(last)]
    ledger.newest_us.append(max(int(last), int(received or 0)))
    if received is not None:
        ledger.spans["received"] = [int(first), int(received)]
    if not customers:
        ledger.notes.append("No event names a customer: sessions are counted, people are not.")
