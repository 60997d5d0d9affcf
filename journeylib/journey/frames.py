"""Events in, results out: every way in which a table of events may come, as one narwhals frame.

A pandas frame goes to DuckDB through Arrow once, with the needed columns only; a path is read as Parquet;
a DuckDB relation, a Spark DataFrame and a narwhals LazyFrame stay where they are. Times become int64
microseconds UTC here, and no engine date function is used after this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from journeylib.data.problems import ArgumentError, say_nearest
from journeylib.journey.engine import collect_table, connect_engine, convert_to_arrow
from journeylib.journey.labels import decode_columns, read_labels

__all__ = ["TIME", "Events", "open_events", "rename_safely", "restore_name", "return_rows"]

Events: TypeAlias = Any  # pandas frame | path to Parquet | DuckDB relation | Spark or narwhals frame
TIME = "occurred_at"
_ROW = "_row"
_DOT = "__dot__"


def open_events(
    events: Events,
    *,
    required: Iterable[str],
    optional: Iterable[str] = (),
    prefix: str | None = None,
    whole: bool = False,
    as_codes: bool = False,
) -> nw.LazyFrame:
    """Open a table of events as a narwhals LazyFrame with times in int64 microseconds UTC.

    Parameters
    ----------
    events : pandas.DataFrame, path, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event. In a pandas frame and in Parquet or DuckDB `occurred_at` may be a time
        (without a zone it is read as UTC) or int64 microseconds; elsewhere int64 microseconds.
    required : iterable of str
        Columns that must be there.
    optional : iterable of str
        Columns that are taken along where they are there.
    prefix : str, optional
        Columns whose name starts with this are taken along as well.
    whole : bool
        Keep all columns of a table that is not a pandas frame (for results with a row an event).
    as_codes : bool
        Leave the labels of a folder of `keep_sessions` as the codes that they are there.

    Returns
    -------
    narwhals LazyFrame
        One row is one event, with the wanted columns; rows keep no order. A pandas frame gets the
        column `_row`, its row's number, for `return_rows`. Names with a dot are as `rename_safely` has them.

    Raises
    ------
    ArgumentError
        Where a required column is missing; a ValueError that a notebook shows in one line.
    TypeError
        Where `occurred_at` is neither a time nor whole microseconds.
    """
    wanted = {*required, *optional}
    if isinstance(events, pd.DataFrame):
        _check_columns(list(events.columns), required)
        chosen = events[_choose_columns(events.columns, wanted, prefix)]
        if TIME in chosen.columns:
            chosen = chosen.assign(**{TIME: _read_microseconds(chosen[TIME])})
        table = convert_to_arrow(chosen.assign(**{_ROW: np.arange(len(events), dtype="int64")}))
        return nw.from_native(
            connect_engine().from_arrow(table.rename_columns(_rename_all(table.column_names)))
        )
    frame = _open_relation(events)
    _check_columns(frame.columns, required)
    native = frame.to_native()
    names = dict(zip(frame.columns, _rename_all(frame.columns), strict=True))
    if hasattr(native, "withColumnsRenamed"):  # Spark would take the dot in a name for a field
        frame = nw.from_native(native.withColumnsRenamed(names))
    else:
        frame = frame.rename(names)
    if not whole:
        frame = frame.select(_rename_all(_choose_columns(names, wanted, prefix)))
    if not as_codes and (labels := read_labels(events)):
        frame = decode_columns(frame, labels)
    return _convert_times(frame)


def rename_safely(column: str) -> str:
    """Name a column so that no engine takes a dot in it for a table's or a field's.

    Parameters
    ----------
    column : str
        A column of the caller's table.

    Returns
    -------
    str
        The name under which `open_events` gives it.

    Examples
    --------
    >>> rename_safely("segment.cohort")
    'segment__dot__cohort'
    """
    return str(column).replace(".", _DOT)


def restore_name(column: str) -> str:
    """Give back the name that a column had in the caller's table.

    Parameters
    ----------
    column : str
        A name from `rename_safely`.

    Returns
    -------
    str
        The caller's name.

    Examples
    --------
    >>> restore_name("segment__dot__cohort")
    'segment.cohort'
    """
    return column.replace(_DOT, ".")


def _rename_all(columns: Iterable[str]) -> list[str]:
    return [rename_safely(column) for column in columns]


def _open_relation(events: Events) -> nw.LazyFrame:
    """Open whatever is no pandas frame, its columns as they are."""
    if isinstance(events, (str, Path)):
        is_kept = bool(read_labels(events))
        events = connect_engine().read_parquet(str(Path(events) / "*.parquet" if is_kept else events))
    frame: Any = nw.from_native(nw.to_native(events, pass_through=True))
    if isinstance(frame, nw.DataFrame):
        frame = nw.from_native(connect_engine().from_arrow(frame.to_arrow()))
    return frame


def _choose_columns(columns: Iterable[str], wanted: set[str], prefix: str | None) -> list[str]:
    return [name for name in columns if name in wanted or (prefix and str(name).startswith(prefix))]


def _check_columns(columns: Sequence[str], required: Iterable[str]) -> None:
    missing = [column for column in required if column not in columns]
    if not missing:
        return
    hint = ""
    if {"session", "position"} & set(missing):
        hint = "; call split_into_sessions first"
    elif "touchpoint" in missing:
        hint = "; call assign_touchpoints first"
    elif (near := say_nearest(str(missing[0]), [str(column) for column in columns])).startswith("did"):
        hint = f"; {near}"
    found = ", ".join(map(str, columns))
    raise ArgumentError(f"events lack the column(s) {', '.join(missing)}{hint}; found: {found}")


def _convert_times(frame: nw.LazyFrame) -> nw.LazyFrame:
    if TIME not in frame.columns:
        return frame
    dtype = frame.collect_schema()[TIME]
    if isinstance(dtype, nw.Datetime):
        native = frame.to_native()
        if isinstance(native, duckdb.DuckDBPyRelation):
            return nw.from_native(native.project(f"* REPLACE (epoch_us({TIME}) AS {TIME})"))
    if not dtype.is_integer():
        raise TypeError(f"{TIME} must be int64 microseconds UTC, found {dtype}; convert it while reading")
    return frame if dtype == nw.Int64 else frame.with_columns(nw.col(TIME).cast(nw.Int64))


def _read_microseconds(times: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(times.dtype):
        utc = pd.to_datetime(times, utc=True).astype("datetime64[us, UTC]")
        return utc.astype("int64").astype("Int64").mask(times.isna())
    if pd.api.types.is_integer_dtype(times.dtype) or not len(times):
        return times.astype("Int64")
    raise TypeError(f"{TIME} must be datetime64 or int64 microseconds UTC, found {times.dtype}")


def return_rows(events: Events, frame: nw.LazyFrame, *, columns: Sequence[str]) -> Any:
    """Hand back a result that has one row an event, in the form in which the events came.

    Parameters
    ----------
    events : as for `open_events`
        The caller's own table.
    frame : narwhals LazyFrame
        The result, one row an event, made from `open_events(events, ...)`.
    columns : sequence of str
        The columns that the result adds or overwrites.

    Returns
    -------
    pandas.DataFrame or native relation
        pandas: a copy of the caller's frame, same rows, order and index, with the new columns (whole
        numbers that may be missing are `Int64`). Else the relation, not yet computed, in no order.
    """
    if not isinstance(events, pd.DataFrame):
        kept = _rename_all(_open_relation(events).columns)
        own = [name if name in columns else nw.col(name).alias(restore_name(name)) for name in kept]
        return frame.select(*own, *(name for name in columns if name not in kept)).to_native()
    found = collect_table(frame.select([_ROW, *columns])).sort_values(_ROW)
    return events.assign(**{column: found[column].array for column in columns})
