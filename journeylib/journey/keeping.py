"""Kept sessions: events split into sessions once, texts as small codes, as Parquet that each count reads.

Where each event has a customer and nothing but the gap makes a session, DuckDB sorts the few coded columns
once and numpy numbers the sorted rows as they stream by (`numbering`); everywhere else the definition of
`split_into_sessions` runs as it stands. A test holds the two against each other.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from journeylib.data.problems import ArgumentError
from journeylib.journey.frames import TIME, Events, open_events, restore_name
from journeylib.journey.labels import LABELS_FILE, code_columns, write_labels
from journeylib.journey.numbering import SortedNumbers
from journeylib.journey.order import ORDER_COLUMNS, PERSON_COLUMNS, EventFacts, inspect_events, order_events
from journeylib.journey.sessions import ADDED, MINUTE, number_sessions

__all__ = ["keep_sessions"]

_IDS = {*PERSON_COLUMNS, "event_id", "signed_in_as", "basket", "user_agent", "session"}
_BATCH = 250_000
_DENSE = {TIME, "_before_gap"}  # nothing in them comes again, so that compressing costs and saves nothing


def keep_sessions(
    events: Events,
    folder: str | Path,
    *,
    columns: Sequence[str] | None = None,
    gap_minutes: float = 30,
    respect_given: bool = True,
) -> Path:
    """Split events into sessions once, and keep them in a folder for all that is counted afterwards.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, as for `split_into_sessions`. Row order does not matter.
    folder : str or Path
        Where to keep them; made where it is missing. A folder of kept sessions is replaced, no other one.
    columns : sequence of str, optional
        What to keep beside the columns that order events and tell people apart. Default: all columns; few
        are faster.
    gap_minutes, respect_given
        As for `split_into_sessions`.

    Returns
    -------
    Path
        The folder. Every function of this room takes it for events: one row is one event, with `session`,
        `position` and `person_position` as `split_into_sessions` gives them. In it texts of few values are
        codes, with their labels beside them; names come back wherever a function gives a result.

    Raises
    ------
    ArgumentError
        Where the folder holds something else, or a column is missing.
    ValueError
        Where a time is missing, or `gap_minutes` is negative.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from journeylib.journey.paths import count_transitions
    >>> events = pd.DataFrame({"customer": "a", "occurred_at": [1, 2, 3], "name": ["view", "view", "buy"]})
    >>> kept = keep_sessions(events, Path(mkdtemp()) / "kept")
    >>> count_transitions(kept, column="name")[["from", "to", "n"]].values.tolist()[0]
    ['(start)', 'view', 1]
    """
    if gap_minutes < 0:
        raise ValueError(f"gap_minutes must be 0 or more, found {gap_minutes}")
    target = _clear_folder(Path(folder))
    frame = _open_columns(events, columns)
    facts = inspect_events(frame)
    schema = frame.collect_schema()
    texts = [name for name, dtype in schema.items() if dtype == nw.String and name not in _IDS]
    texts = [name for name in texts if name not in ORDER_COLUMNS]
    frame, labels = code_columns(frame, texts)
    if _is_plain(frame, facts, respect_given):
        _write_sorted(frame, facts, target, gap=round(gap_minutes * MINUTE))
    else:
        numbered = number_sessions(frame, facts, gap_minutes=gap_minutes, respect_given=respect_given)
        _write_native(numbered.select(*frame.columns, *ADDED).to_native(), target)
    write_labels(target, {restore_name(name): found for name, found in labels.items()})
    return target


def _clear_folder(folder: Path) -> Path:
    """Make the folder, without what an earlier call kept there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        if not (folder / LABELS_FILE).is_file():
            raise ArgumentError(f"{folder} holds something else than kept sessions; give another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _open_columns(events: Events, columns: Sequence[str] | None) -> nw.LazyFrame:
    """Open the events with the columns to keep, without numbers of an earlier split."""
    useful = [*PERSON_COLUMNS, *ORDER_COLUMNS, "local_day"]
    if columns is None and isinstance(events, pd.DataFrame):
        columns = [name for name in events.columns if name not in useful]
    required = list(dict.fromkeys([TIME, "name", *(columns or [])]))
    frame = open_events(events, required=required, optional=useful, whole=columns is None)
    return frame.drop([name for name in (*ADDED, "_row") if name in frame.columns])


def _is_plain(frame: nw.LazyFrame, facts: EventFacts, respect_given: bool) -> bool:
    """Tell whether nothing but customer and gap make a session, on DuckDB."""
    given = respect_given and facts.filled.get("session_given", 0) > 0
    has_customers = facts.n > 0 and facts.filled.get("customer") == facts.n
    return (
        has_customers
        and not (given or facts.day_rows)
        and isinstance(frame.to_native(), duckdb.DuckDBPyRelation)
    )


def _write_sorted(frame: nw.LazyFrame, facts: EventFacts, target: Path, *, gap: int) -> None:
    """Sort once, number the rows as they stream by, and write them."""
    kept = frame.columns
    frame, order = order_events(frame, facts)
    ordered: Any = frame.sort("customer", *order).select(*kept).to_native()
    numbers = SortedNumbers(gap)
    writer = None
    try:
        for batch in _read_batches(ordered):
            table = numbers.add(batch)
            if writer is None:
                writer = _open_writer(target, table.schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _read_batches(relation: Any) -> Iterator[pa.RecordBatch]:
    yield from relation.to_arrow_reader(_BATCH)


def _open_writer(target: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a Parquet file; only codes and texts have dictionaries, which numbers would not gain by."""
    short = [
        field.name
        for field in schema
        if pa.types.is_string(field.type) or (pa.types.is_integer(field.type) and field.type.bit_width < 32)
    ]
    path = target / "part-0.parquet"
    codecs = {name: "none" if name in _DENSE else "snappy" for name in schema.names}
    return pq.ParquetWriter(path, schema, compression=codecs, use_dictionary=short, write_statistics=False)


def _write_native(native: Any, target: Path) -> None:
    if isinstance(native, duckdb.DuckDBPyRelation):
        native.write_parquet(str(target / "part-0.parquet"), compression="snappy")
    else:
        native.write.mode("append").parquet(str(target))
