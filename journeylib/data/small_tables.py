"""Orders, service contacts, customers, consents, exposures: read, checked, written, and accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from journeylib.data.erasure import ERASED, find_erased
from journeylib.data.people import pseudonymise
from journeylib.data.reading import RawRows, fetch_frame
from journeylib.data.reading_batches import Part, read_files
from journeylib.data.reading_run import ReadingRun, count_rules, write_parquet
from journeylib.data.records import check_records, read_records, table_columns
from journeylib.data.sources import Source
from journeylib.data.tables import TABLES, Column

__all__ = ["SMALL_TABLES", "write_small_table"]

SMALL_TABLES = ("exposures", "orders", "service_contacts", "customers")  # after consents and events


def write_small_table(run: ReadingRun, table: str) -> None:
    """Read the sources of one small table and write its Parquet file.

    Parameters
    ----------
    run : ReadingRun
        The run; its ledger is filled.
    table : str
        ``consents`` or one of `SMALL_TABLES`; without a source, nothing is done.

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
    parts = read_files(run, sources, columns, write_sql=_write_sql)
    frames = [_fetch(part, columns, run) for part in parts]
    records = [
        read_records(frame, columns, decimal_comma=part.files[0].file.separator != ",")
        for part, frame in zip(parts, frames, strict=True)
    ]
    text = pd.concat([frame.assign(part=place) for place, frame in enumerate(frames)], ignore_index=True)
    whole = pd.concat(records, ignore_index=True)
    timed = TABLES[table].time
    late = run.is_late(whole[timed]) if timed else pd.Series(False, index=whole.index)
    faults = _find_faults(text, whole, columns, run, late=late)
    _count_rows(table, parts, faults.join(text[["part", "source_row"]]), run)
    used = whole[faults["rule"] == ""]
    if table in ("consents", "customers") and run.project.sources_of("consents"):
        run.raw[table] = used
    if len(used):
        _save_records(used, table, columns, run)


def _find_faults(
    text: pd.DataFrame,
    records: pd.DataFrame,
    columns: Mapping[str, Column],
    run: ReadingRun,
    *,
    late: pd.Series,
) -> pd.DataFrame:
    """Return the rule that each row breaks; the rows of erased people are not looked at any further."""
    ids = [name for name, column in columns.items() if column.kind == "id"]
    erased = find_erased(text[ids], run.project.erased)
    faults = pd.DataFrame({"rule": ERASED, "fault_column": "customer"}, index=records.index, dtype="str")
    faults.loc[~erased] = check_records(
        text[~erased], records[~erased], columns, ceiling_us=run.ceiling_us, late=late[~erased]
    )
    return faults


def _write_sql(rows: RawRows, source: Source, names: Sequence[str]) -> str:
    return rows.query


def _fetch(part: Part, columns: Mapping[str, Column], run: ReadingRun) -> pd.DataFrame:
    """Return a part's rows as text, in their order, and take it out of the engine."""
    frame = fetch_frame(run.connection, f"SELECT * FROM {part.table} ORDER BY source_row")
    run.connection.execute(f"DROP TABLE {part.table}")
    return frame.astype(dict.fromkeys(columns, "str"))


def _count_rows(table: str, parts: Sequence[Part], faults: pd.DataFrame, run: ReadingRun) -> None:
    totals: dict[str, tuple[Source, Counter[str], list[int]]] = {}
    broken = faults[faults["rule"] != ""]
    for place, part in enumerate(parts):
        mine = broken[broken["part"] == place]
        placed = part.find_places(mine["source_row"]).join(mine)
        for number, one in enumerate(part.files):
            its = placed.loc[placed["place"] == number, ["line", "rule", "fault_column"]]
            run.ledger.add_input(table, one.source.name, one.file, one.rows)
            lines = its.itertuples(index=False, name=None)
            run.ledger.set_aside(table, one.source.name, one.file, lines, malformed=one.malformed)
            _, by_rule, rows = totals.setdefault(one.source.name, (one.source, Counter(), []))
            by_rule.update(count_rules(its, malformed=len(one.malformed)))
            rows.append(one.rows)
    for source, by_rule, rows in totals.values():
        run.ledger.add_rows(table, source, sum(rows), by_rule)


def _save_records(records: pd.DataFrame, table: str, columns: Mapping[str, Column], run: ReadingRun) -> None:
    """Write the rows used, sorted by the source's own ids and time, then with pseudonyms."""
    ids = [name for name, column in columns.items() if column.kind == "id"]
    timed = TABLES[table].time
    if timed:
        run.ledger.add_span(table, records[timed])
    if not run.complete:
        write_parquet(records.drop(columns=ids), run.folder / f"{table}.parquet")
        return
    by = [name for name in (*ids, timed, *columns) if name in records]
    ordered = records.sort_values(list(dict.fromkeys(by)), ignore_index=True)
    named = {name: pseudonymise(ordered[name], key=run.key) for name in ids}
    write_parquet(ordered.assign(**named), run.folder / f"{table}.parquet")
