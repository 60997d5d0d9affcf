"""Summaries of customers: one row a customer, all counts of one pass over the events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.data.problems import ArgumentError, say_nearest
from journeylib.journey.engine import collect_table, group_rows
from journeylib.journey.frames import TIME, Events, open_events, rename_safely
from journeylib.journey.labels import code_columns, decode_columns, read_labels, write_test

__all__ = ["summarise_customers"]

_DAY, _WEEK, _SECOND = 86_400_000_000, 7 * 86_400_000_000, 1_000_000
_BITS = 62
_MADE = ("n_events", "n_sessions", "bounces", "longest_session_events", "first_at", "last_at")


def summarise_customers(
    events: Events,
    *,
    counts: Mapping[str, tuple[str, Sequence[str]]] | None = None,
    distinct: Sequence[str] = (),
    totals: Sequence[str] = (),
    first: Sequence[str] = (),
    path: str | Path | None = None,
) -> Any:
    """Summarise what each customer did in one row.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, after `split_into_sessions` or, faster, `keep_sessions`. Events without a
        customer are left out. Row order does not matter.
    counts : mapping, optional
        Name of a count to (column, labels): how many of the customer's events have one of these labels.
    distinct : sequence of str
        Columns of few labels: `n_<column>` is how many different ones the customer has; missing is none.
    totals : sequence of str
        Columns of numbers: `total_<column>` is their sum; missing is 0.
    first : sequence of str
        Columns: `first_<column>` is the label of the customer's first event.
    path : str or Path, optional
        A file to write the rows to as Parquet, for tables beyond memory; on Spark a folder.

    Returns
    -------
    pandas.DataFrame, native relation or Path
        One row is one customer: `customer`, `n_events`, `n_sessions`, `bounces` (sessions of one event),
        `longest_session_events`, `first_at` and `last_at` (int64 microseconds UTC), `span_seconds` between
        the two, `active_days` and `weekend_events` (UTC), `mean_gap_seconds` between neighbours within
        sessions (0 without any), `mean_session_seconds` (a session of one event lasts 0, since the last
        page's time is not known), and what was asked for. pandas for a pandas frame, sorted by customer; the
        path where one is given.

    Raises
    ------
    ArgumentError
        Where a column is missing, or a count has the name of another column.

    Notes
    -----
    A customer's sessions are told apart by the positions in them: each has one first event, and each of two
    or more has one second. Different labels are counted as bits, 62 to a number.

    Examples
    --------
    >>> from journeylib.journey.sessions import split_into_sessions
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [0, 60_000_000, 0], "name": "view"})
    >>> found = summarise_customers(split_into_sessions(events), counts={"views": ("name", ["view"])})
    >>> found[["customer", "n_events", "bounces", "mean_session_seconds", "views"]].values.tolist()
    [['a', 2, 0, 60.0, 2], ['b', 1, 1, 0.0, 1]]
    """
    counts = dict(counts or {})
    _check_names(counts)
    coded = list(dict.fromkeys([*(column for column, _ in counts.values()), *distinct, *first]))
    frame, labels = _open_codes(events, coded, totals)
    sums = _list_sums(counts, labels)
    sums |= {
        f"total_{rename_safely(column)}": f"COALESCE(SUM({rename_safely(column)}), 0)" for column in totals
    }
    opening = "CASE WHEN person_position = 1 THEN {} END"
    sums |= {f"first_{name}": f"MAX({opening.format(name)})" for name in map(rename_safely, first)}
    frame, masks = _add_bits(frame, {rename_safely(name): labels[name] for name in distinct})
    grouped = group_rows(
        frame, ["customer"], sums, masks=[name for names in masks.values() for name in names]
    )
    rows = grouped.select(*_derive(grouped, counts, masks, totals, first))
    renamed = {f"first_{rename_safely(name)}": labels[name] for name in first}
    rows = decode_columns(rows, renamed)
    if path is not None:
        return _write_rows(rows, Path(path))
    return (
        collect_table(rows, order_by=["customer"]) if isinstance(events, pd.DataFrame) else rows.to_native()
    )


def _check_names(counts: Mapping[str, tuple[str, Sequence[str]]]) -> None:
    for name in counts:
        if name in _MADE or not name.isidentifier():
            raise ArgumentError(f"counts: {name!r} can't name a count; give a plain name of its own")


def _open_codes(
    events: Events, coded: Sequence[str], totals: Sequence[str]
) -> tuple[nw.LazyFrame, dict[str, list[str]]]:
    """Open the events with labels as codes and `_gap`, the time since the customer's event before."""
    required = ["customer", TIME, "position", "person_position", *coded, *totals]
    frame = open_events(events, required=required, optional=["_before_gap"], as_codes=True)
    frame = frame.filter(~nw.col("customer").is_null())
    labels = read_labels(events)
    frame, found = code_columns(frame, [rename_safely(name) for name in coded if name not in labels])
    labels |= {name: found[rename_safely(name)] for name in coded if name not in labels}
    gap = nw.col("_before_gap")
    if "_before_gap" not in frame.columns:
        gap = nw.col(TIME) - nw.col(TIME).shift(1).over("customer", order_by="person_position")
    return frame.with_columns(gap.cast(nw.Int64).alias("_gap")), labels


def _list_sums(
    counts: Mapping[str, tuple[str, Sequence[str]]], labels: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Write the aggregates in SQL that DuckDB and Spark both read."""
    within = "CASE WHEN position > 1 THEN _gap END"
    sums = {
        "n_events": "COUNT(*)",
        "n_sessions": _count("position = 1"),
        "_longer": _count("position = 2"),
        "longest_session_events": "MAX(position)",
        "first_at": f"MIN({TIME})",
        "last_at": f"MAX({TIME})",
        "active_days": _count(f"person_position = 1 OR {TIME} % {_DAY} < _gap"),
        "weekend_events": _count(f"({TIME} + {3 * _DAY}) % {_WEEK} >= {5 * _DAY}"),
    }
    for name, (column, wanted) in counts.items():
        places = {label: code for code, label in enumerate(labels[column])}
        unknown = [label for label in wanted if label not in places]
        if unknown and places:
            near = say_nearest(unknown[0], list(places))
            raise ArgumentError(f"counts[{name!r}]: no {column} {unknown[0]!r} in the events; {near}")
        codes = sorted(places[label] for label in wanted if label in places)
        test = write_test(rename_safely(column), codes, n_labels=len(places)) if codes else "FALSE"
        sums[name] = _count(test)
    sums = {name: _as_whole(text) for name, text in sums.items()}
    return sums | {"_within": f"COALESCE(SUM(CAST({within} AS DOUBLE)), 0)"}  # exact up to 285 years


def _count(condition: str) -> str:
    return f"COUNT(CASE WHEN {condition} THEN 1 END)"


def _as_whole(text: str) -> str:
    return f"CAST({text} AS BIGINT)"


def _add_bits(
    frame: nw.LazyFrame, labels: Mapping[str, Sequence[str]]
) -> tuple[nw.LazyFrame, dict[str, list[str]]]:
    """Add codes that fit the bits of one number each, 62 labels to a number."""
    masks: dict[str, list[str]] = {}
    for column, known in labels.items():
        code = nw.col(column).cast(nw.Int32)
        for word in range(max(1, -(-len(known) // _BITS))):
            name = f"_bits_{column}_{word}"
            place = code - word * _BITS
            if len(known) > _BITS:
                place = nw.when((place >= 0) & (place < _BITS)).then(place).otherwise(None)
            frame = frame.with_columns(place.cast(nw.Int32).alias(name))
            masks.setdefault(column, []).append(name)
    return frame, masks


def _derive(
    grouped: nw.LazyFrame,
    counts: Mapping[str, Any],
    masks: Mapping[str, Sequence[str]],
    totals: Sequence[str],
    first: Sequence[str],
) -> list[nw.Expr]:
    """Turn the sums of each customer into what the table says."""
    longer, sessions = nw.col("_longer"), nw.col("n_sessions")
    neighbours = nw.col("n_events") - sessions
    gap = nw.when(neighbours > 0).then(nw.col("_within") / neighbours / _SECOND).otherwise(0.0)
    plain = ["customer", "n_events", "n_sessions", "longest_session_events", "first_at", "last_at"]
    return [
        *map(nw.col, plain),
        (sessions - longer).alias("bounces"),
        ((nw.col("last_at") - nw.col("first_at")) / _SECOND).alias("span_seconds"),
        nw.col("active_days"),
        nw.col("weekend_events"),
        gap.alias("mean_gap_seconds"),
        (nw.col("_within") / sessions / _SECOND).alias("mean_session_seconds"),
        *map(nw.col, counts),
        *(nw.sum_horizontal(*names).alias(f"n_{column}") for column, names in masks.items()),
        *(nw.col(f"total_{rename_safely(column)}") for column in totals),
        *(nw.col(f"first_{rename_safely(column)}") for column in first),
    ]


def _write_rows(rows: nw.LazyFrame, path: Path) -> Path:
    native: Any = rows.to_native()
    if isinstance(native, duckdb.DuckDBPyRelation):
        native.write_parquet(str(path), compression="snappy")
    else:
        native.write.mode("overwrite").parquet(str(path))
    return path
