"""From the declared sources of events to events.parquet, with its book-keeping."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from journeylib.data.events import collect_events, count_identical_events, mark_duplicates, write_events
from journeylib.data.reading_run import ReadFile, ReadingRun, count_rules
from journeylib.data.sources import Source

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
    run.say(f"reading {sum(len(source.files) for source in sources)} file(s) of events")
    opened = collect_events(run, sources)
    mark_duplicates(run)
    if not _count_rows(opened, sources, run):
        return 0
    write_events(run)
    _note_spans(run)
    identical = count_identical_events(run)
    if identical:
        found = f"{identical} events without an id repeat another event in every column"
        run.ledger.notes.append(f"{found}; they are counted and kept.")
    return identical


def _count_rows(opened: Sequence[ReadFile], sources: Sequence[Source], run: ReadingRun) -> int:
    counts = run.connection.execute("SELECT file_number, count(*) FROM event_rows GROUP BY 1").fetchall()
    total = {int(number): int(rows) for number, rows in counts}
    query = "SELECT file_number, source_row, rule, fault_column FROM event_rows WHERE rule <> ''"
    faults: pd.DataFrame = run.connection.execute(query).df()
    by_file = dict(iter(faults.groupby("file_number")))
    used = 0
    for source in sources:
        by_rule: dict[str, int] = {}
        rows_in = 0
        for number, one in enumerate(opened):
            if one.source is not source:
                continue
            mine = by_file.get(number, faults.iloc[:0])
            rows = total.get(number, 0) + len(one.rows.malformed)
            run.ledger.add_input("events", source.name, one.file, rows)
            run.ledger.set_aside("events", source.name, one.file, mine, malformed=one.rows.malformed)
            rows_in += rows
            for rule, times in count_rules(mine, one.rows).items():
                by_rule[rule] = by_rule.get(rule, 0) + times
        used += run.ledger.add_rows("events", source, rows_in, by_rule)
    return used


def _note_spans(run: ReadingRun) -> None:
    first, last, received, customers = run.connection.execute(
        "SELECT min(occurred_at), max(occurred_at), max(received_at), count(customer) "
        "FROM event_rows WHERE rule = ''"
    ).fetchall()[0]
    ledger = run.ledger
    ledger.spans["events"] = [int(first), int(last)]
    ledger.newest_us.append(max(int(last), int(received or 0)))
    if received is not None:
        ledger.spans["received"] = [int(first), int(received)]
    if not customers:
        ledger.notes.append("No event names a customer: sessions are counted, people are not.")
