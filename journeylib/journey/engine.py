"""The engine: DuckDB inside this process, or the Spark session in which the events already are.

All that differs between engines stands in this module and in `frames`; everything else is one narwhals
definition.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa

from journeylib.data.problems import ArgumentError

__all__ = [
    "collect_table",
    "connect_engine",
    "convert_to_arrow",
    "group_rows",
    "join_table",
    "keep_table",
    "use_engine",
]


@functools.cache
def connect_engine() -> duckdb.DuckDBPyConnection:
    """Open the room's one in-memory DuckDB connection, on first use.

    Returns
    -------
    duckdb.DuckDBPyConnection
        Always the same one, in UTC, free to give rows in any order.
    """
    connection = duckdb.connect()
    connection.execute("SET TimeZone='UTC'")
    connection.execute("SET preserve_insertion_order=false")
    return connection


def use_engine(*, memory_limit: str = "", spill: str | Path = "") -> None:
    """Set how much memory DuckDB may take in this process, and where it puts what does not fit.

    Parameters
    ----------
    memory_limit : str
        For example ``1GB``; empty leaves what holds (at first DuckDB's own, 80 % of the machine).
    spill : str or Path
        Folder for rows that do not fit; it is made where it is missing. Empty leaves what holds.

    Raises
    ------
    ArgumentError
        Where the amount is none, or the folder can't be made or changed any more.

    Notes
    -----
    The limit is the engine's and not the process's: Python, results in pandas and Arrow come on top of it.
    A review takes both from ``[engine]`` in journey.toml.

    Examples
    --------
    >>> use_engine(memory_limit="2GB")
    """
    if memory_limit and not re.fullmatch(r"\d+(\.\d+)? ?[KMGT]i?B", str(memory_limit)):
        raise ArgumentError(f'memory_limit must be an amount such as "2GB", found {memory_limit!r}')
    connection = connect_engine()
    if memory_limit:
        connection.execute(f"SET memory_limit={_quote(memory_limit)}")
    held = connection.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]
    if not spill or str(spill) == held:
        return
    try:
        Path(spill).mkdir(parents=True, exist_ok=True)
        connection.execute(f"SET temp_directory={_quote(str(spill))}")
    except (OSError, duckdb.Error) as error:
        raise ArgumentError(f"spill: {spill} can't be used as a folder for rows: {error}") from error


def convert_to_arrow(frame: pd.DataFrame) -> pa.Table:
    """Convert a pandas frame to plain Arrow columns that each engine reads alike.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any table. Missing values of any kind become null; categories become their values; a column that
        mixes numbers and texts becomes text; an empty column becomes text.

    Returns
    -------
    pyarrow.Table
        The same rows without the index.
    """
    columns: dict[str, Any] = {}
    for name in frame.columns:
        try:
            column = pa.array(frame[name], from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            column = pa.array(frame[name].map(str, na_action="ignore"), from_pandas=True)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        columns[name] = column.cast(pa.string()) if pa.types.is_null(column.type) else column
    return pa.table(columns)


def collect_table(frame: nw.LazyFrame, *, order_by: Sequence[str] = ()) -> pd.DataFrame:
    """Compute a lazy result and bring it to pandas through Arrow.

    Parameters
    ----------
    frame : narwhals LazyFrame
        What to compute.
    order_by : sequence of str
        Columns to sort by, so that the result does not depend on the engine.

    Returns
    -------
    pandas.DataFrame
        The rows of the frame. Whole numbers with gaps are `Int64`, truth values with gaps `boolean`.
    """
    table = frame.collect("pyarrow").to_native()
    columns = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        whole = pd.Int64Dtype() if pa.types.is_integer(field.type) and column.null_count else None
        truth = pd.BooleanDtype() if pa.types.is_boolean(field.type) and column.null_count else None
        mapped = whole or truth
        columns[field.name] = (
            column.to_pandas() if mapped is None else pd.array(column.to_pylist(), dtype=mapped)
        )
    result = pd.DataFrame(columns)
    return result.sort_values(list(order_by), ignore_index=True) if order_by else result


@contextmanager
def keep_table(frame: nw.LazyFrame) -> Iterator[nw.LazyFrame]:
    """Compute a small lazy result once, for the time of a `with` block that uses it several times.

    Parameters
    ----------
    frame : narwhals LazyFrame
        What to compute: few columns, and few rows against the events.

    Yields
    ------
    narwhals LazyFrame
        The same rows, computed: a table of the engine's that it may spill for DuckDB, persisted on Spark.
    """
    native = frame.to_native()
    if isinstance(native, duckdb.DuckDBPyRelation):
        name = f"kept_{uuid4().hex}"
        try:
            connect_engine().execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM native")
        except duckdb.InvalidInputException:  # the relation lives on the caller's own connection
            yield nw.from_native(connect_engine().from_arrow(frame.collect("pyarrow").to_native()))
            return
        try:
            yield nw.from_native(connect_engine().table(name))
        finally:
            connect_engine().execute(f"DROP TABLE {name}")
    elif hasattr(native, "persist"):
        kept = native.persist()
        try:
            yield nw.from_native(kept)
        finally:
            kept.unpersist()
    else:
        yield frame.collect().lazy()


def join_table(
    frame: nw.LazyFrame, table: pd.DataFrame, *, on: Sequence[str], how: Literal["left", "inner"] = "left"
) -> nw.LazyFrame:
    """Join a small pandas table to a lazy frame, on the engine where the frame lives.

    Parameters
    ----------
    frame : narwhals LazyFrame
        The large table.
    table : pandas.DataFrame
        The small one; one row a key.
    on : sequence of str
        The key columns; a missing key matches nothing.
    how : str
        `left` or `inner`.

    Returns
    -------
    narwhals LazyFrame
        The frame with the table's other columns.
    """
    native, small = frame.to_native(), convert_to_arrow(table)
    if isinstance(native, duckdb.DuckDBPyRelation):
        try:
            beside = nw.from_native(connect_engine().from_arrow(small))
            return frame.join(beside, on=list(on), how=how)
        except duckdb.InvalidInputException:  # the relation lives on the caller's own connection
            return frame.join(nw.from_native(_write_values(native, small)), on=list(on), how=how)
    if hasattr(native, "sparkSession"):
        return frame.join(nw.from_native(native.sparkSession.createDataFrame(small)), on=list(on), how=how)
    beside = nw.from_native(small).lazy(frame.implementation.to_native_namespace().__name__)
    return frame.join(beside, on=list(on), how=how)


def group_rows(
    frame: nw.LazyFrame, keys: Sequence[str], sums: Mapping[str, str], *, masks: Sequence[str] = ()
) -> nw.LazyFrame:
    """Aggregate rows by keys in one pass, with sets of small codes held as bits.

    Parameters
    ----------
    frame : narwhals LazyFrame
        The rows, on DuckDB or Spark.
    keys : sequence of str
        Columns that name a group.
    sums : mapping
        Name of a result to the aggregate, in SQL that both engines read, such as ``SUM(n)``.
    masks : sequence of str
        Columns of codes from 0 to 62 (missing is none); each group gets how many different ones it has.

    Returns
    -------
    narwhals LazyFrame
        One row is one group: the keys, the sums, and the number of codes of each mask under its own name.

    Notes
    -----
    A distinct count costs a pass and a table of its own for each column; the bits of codes cost a sum.
    """
    native: Any = frame.to_native()
    is_local = isinstance(native, duckdb.DuckDBPyRelation)
    shift = "CAST(1 AS BIGINT) << {}" if is_local else "SHIFTLEFT(CAST(1 AS BIGINT), {})"
    bits = {name: f"COALESCE(BIT_COUNT(BIT_OR({shift.format(name)})), 0)" for name in masks}
    written = [f"CAST({text} AS BIGINT) AS {name}" for name, text in bits.items()]
    written = [*(f"{text} AS {name}" for name, text in sums.items()), *written]
    if is_local:
        names = ", ".join(keys)
        return nw.from_native(native.aggregate(", ".join([*keys, *written]), names))
    from pyspark.sql import functions

    return nw.from_native(native.groupBy(*keys).agg(*[functions.expr(text) for text in written]))


def _write_values(native: duckdb.DuckDBPyRelation, table: pa.Table) -> duckdb.DuckDBPyRelation:
    """Write a small table as SQL values, on the connection of a relation that is not ours."""
    kinds = {}
    for name, kind in zip(table.column_names, table.schema.types, strict=True):
        numbers = "BOOLEAN" if pa.types.is_boolean(kind) else "BIGINT"
        kinds[name] = numbers if pa.types.is_boolean(kind) or pa.types.is_integer(kind) else "VARCHAR"
    rows = [f"({', '.join(map(_quote, row.values()))})" for row in table.to_pylist()]
    none = f"({', '.join(['NULL'] * len(kinds))})"
    names = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in kinds.items())
    quoted = ", ".join(f'"{name}"' for name in kinds)
    body = f"SELECT {names} FROM (VALUES {', '.join(rows or [none])}) AS small({quoted})"
    written: Any = native.query("_journeylib_small", body if rows else f"{body} WHERE false")
    return written


def _quote(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, (bool, int)) else "'" + str(value).replace("'", "''") + "'"
