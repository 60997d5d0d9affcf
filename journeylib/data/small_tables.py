"""Orders, service contacts, customers, consents, exposures: read, checked, written, and accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from journeylib.data.people import pseudonymise
from journeylib.data.reading_run import ReadFile, ReadingRun, count_rules, write_parquet
from journeylib.data.records import check_records, read_raw_table, read_records, table_columns
from journeylib.data.sources import Source
from journeylib.data.tables import TABLES, Column

__all__ = ["SMALL_TABLES", "write_small_table"]

SMALL_TABLES = ("exposures", "orders", "service_contacts", "customers", "consents")


def write_small_table(run: ReadingRun, table: str) -> None:
    """Read the sources of one small table and write its Parquet file.

    Parameters
    ----------
    run : ReadingRun
        The run; its ledger is filled.
    table : str
        One of `SMALL_TABLES`; without a source, nothing is done.

    Raises
    ------
    InputError
        If a file can't be read, lacks a column, or a source has no usable row.
    """
    sources = run.project.sources_of(table)
    if not sources:
        return
    run.say(f"reading {table}")
    columns = table_columns(table, sources)
    read: list[ReadFile] = []
    frames: list[pd.DataFrame] = []
    records: list[pd.DataFrame] = []
    for source in sources:
        for path, shown in zip(source.files, source.shown, strict=True):
            frame, file, rows = read_raw_table(run, path, source, columns, shown=shown)
            run.ledger.add_input(table, source.name, file, len(frame) + len(rows.malformed))
            read.append(ReadFile(source, file, rows))
            frames.append(frame.assign(file_number=len(read) - 1))
            records.append(read_records(frame, columns, decimal_comma=file.separator != ","))
    text, whole = pd.concat(frames, ignore_index=True), pd.concat(records, ignore_index=True)
    timed = TABLES[table].time
    late = run.is_late(whole[timed]) if timed else pd.Series(False, index=whole.index)
    faults = check_records(text, whole, columns, ceiling_us=run.ceiling_us, late=late)
    _count_rows(table, read, faults.join(text[["file_number", "source_row"]]), run)
    used = whole[faults["rule"] == ""]
    if len(used):
        _save_records(used, table, columns, run)


def _count_rows(table: str, read: Sequence[ReadFile], faults: pd.DataFrame, run: ReadingRun) -> None:
    totals: dict[str, tuple[Source, int, dict[str, int]]] = {}
    for number, one in enumerate(read):
        mine = faults[faults["file_number"] == number]
        run.ledger.set_aside(table, one.source.name, one.file, mine, malformed=one.rows.malformed)
        _, rows, by_rule = totals.get(one.source.name, (one.source, 0, {}))
        for rule, times in count_rules(mine, one.rows).items():
            by_rule[rule] = by_rule.get(rule, 0) + times
        totals[one.source.name] = (one.source, rows + len(mine) + len(one.rows.malformed), by_rule)
    for source, rows, by_rule in totals.values():
        run.ledger.add_rows(table, source, rows, by_rule)


def _save_records(records: pd.DataFrame, table: str, columns: Mapping[str, Column], run: ReadingRun) -> None:
    """Write the rows used, sorted by the source's own ids and time, then with pseudonyms."""
    ids = [name for name, column in columns.items() if column.kind == "id"]
    timed = TABLES[table].time
    by = [name for name in (*ids, timed, *columns) if name in records]
    ordered = records.sort_values(list(dict.fromkeys(by)), ignore_index=True)
    if timed:
        run.ledger.add_span(table, ordered[timed])
    named = {name: pseudonymise(ordered[name], key=run.key) for name in ids}
    write_parquet(ordered.assign(**named), run.folder / f"{table}.parquet")
