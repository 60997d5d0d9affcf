"""The order of events: person, time, sequence number, event id, name, and nothing else.

Two events that differ in none of these are the same to every function of this room. An event known by its day
only (precision `day`) and without a sequence number has a place in this order, so that results repeat, but no
function claims that it came before or after another event of that day.
"""

from __future__ import annotations

from typing import NamedTuple

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME

__all__ = [
    "ORDER_COLUMNS",
    "PERSON_COLUMNS",
    "EventFacts",
    "inspect_events",
    "is_unordered",
    "order_events",
    "prefix_person",
    "rank_events",
]

ORDER_COLUMNS = ("sequence", "event_id", "precision")
PERSON_COLUMNS = ("customer", "device_id", "session_given")
DAY = 86_400_000_000
LARGEST = 2**63 - 1


class EventFacts(NamedTuple):
    """What one look at a table of events tells: counts of rows, by filled column and by kind."""

    n: int
    filled: dict[str, int]
    day_rows: int
    unordered: int
    last_at: int


def inspect_events(frame: nw.LazyFrame) -> EventFacts:
    """Count, in one pass, which of the optional columns hold anything.

    Parameters
    ----------
    frame : narwhals LazyFrame
        One row is one event, as from `open_events`.

    Returns
    -------
    EventFacts
        Rows, filled values a column, rows with precision `day`, those of them without a sequence number, and
        the last time in microseconds (0 in an empty table).

    Raises
    ------
    ValueError
        Where an event has no time.
    """
    here = [column for column in (*PERSON_COLUMNS, "sequence", "event_id") if column in frame.columns]
    day = unordered = nw.lit(False)
    if "precision" in frame.columns:
        day, unordered = (nw.col("precision") == "day").fill_null(False), is_unordered(frame)
    flags = {"_day": day, "_unordered": unordered}
    marks = [nw.when(test).then(1).otherwise(0).cast(nw.Int64).alias(name) for name, test in flags.items()]
    flagged = frame.select(TIME, *here, *marks)
    counts = [nw.col(column).count().cast(nw.Int64).alias(column) for column in here]
    sums = [nw.col(name).sum().cast(nw.Int64).alias(name) for name in flags]
    times = [nw.col(TIME).count().cast(nw.Int64).alias("_timed"), nw.col(TIME).max().alias("_last")]
    table = collect_table(flagged.select(nw.len().cast(nw.Int64).alias("_n"), *counts, *sums, *times))
    row = {str(name): 0 if pd.isna(value) else int(value) for name, value in table.iloc[0].items()}
    if row["_timed"] < row["_n"]:
        missing = row["_n"] - row["_timed"]
        raise ValueError(f"{TIME} is missing in {missing} of {row['_n']} events; set them aside first")
    filled = {column: row[column] for column in here}
    return EventFacts(row["_n"], filled, row["_day"], row["_unordered"], row["_last"])


def order_events(frame: nw.LazyFrame, facts: EventFacts) -> tuple[nw.LazyFrame, list[str]]:
    """Name the columns that settle the order of a person's events, missing sequence numbers last.

    Parameters
    ----------
    frame : narwhals LazyFrame
        One row is one event.
    facts : EventFacts
        From `inspect_events` of the same frame; columns without a value are not sorted by.

    Returns
    -------
    tuple
        The frame, with `_sequence` where it is needed, and the list of columns to order by.
    """
    order = [TIME]
    if facts.filled.get("sequence"):
        sequence = nw.col("sequence")
        floating = frame.collect_schema()["sequence"].is_float()
        filled = sequence.fill_null(float("inf")) if floating else sequence.cast(nw.Int64).fill_null(LARGEST)
        frame = frame.with_columns(filled.alias("_sequence"))
        order.append("_sequence")
    if facts.filled.get("event_id"):
        order.append("event_id")
    return frame, [*order, "name"]


def rank_events(frame: nw.LazyFrame, facts: EventFacts, *, unit: str, given: str = "") -> nw.LazyFrame:
    """Rank the events of each unit, and say between which ranks an event known by its day may lie.

    Parameters
    ----------
    frame : narwhals LazyFrame
        One row is one event.
    facts : EventFacts
        From `inspect_events` of the same frame.
    unit : str
        The column of the unit (person, session or basket); rows without one are left out.
    given : str
        A column that already numbers them, such as `position`; used where the frame has it.

    Returns
    -------
    narwhals LazyFrame
        The frame with `_number` and the bounds `_low` and `_high`: one event is strictly later than another
        if its `_low` is above the other's `_high`. All three are equal but for events known by their day.
    """
    frame = frame.filter(~nw.col(unit).is_null())
    if given in frame.columns:
        frame = frame.with_columns(nw.col(given).cast(nw.Int64).alias("_number"))
    else:
        frame, order = order_events(frame, facts)
        number = nw.col(TIME).cum_count().over(unit, order_by=order)
        frame = frame.with_columns(number.cast(nw.Int64).alias("_number"))
    low = high = nw.col("_number")
    if facts.unordered:
        frame = frame.with_columns(_number_days(frame).alias("_day"))
        unordered = is_unordered(frame)
        bounds = nw.col("_number").min().over(unit, "_day"), nw.col("_number").max().over(unit, "_day")
        frame = frame.with_columns(bounds[0].alias("_first"), bounds[1].alias("_last"))
        low = nw.when(unordered).then(nw.col("_first")).otherwise(low)
        high = nw.when(unordered).then(nw.col("_last")).otherwise(high)
    return frame.with_columns(low.alias("_low"), high.alias("_high"))


def is_unordered(frame: nw.LazyFrame) -> nw.Expr:
    """Tell events known by their day only and without a sequence number.

    Parameters
    ----------
    frame : narwhals LazyFrame
        One row is one event; needs `precision`.

    Returns
    -------
    narwhals Expr
        True or false, never missing.
    """
    by_day = (nw.col("precision") == "day").fill_null(False)
    return by_day & nw.col("sequence").is_null() if "sequence" in frame.columns else by_day


def _number_days(frame: nw.LazyFrame) -> nw.Expr:
    """Take the project's day where the table has it (`local_day`), else the day in UTC."""
    return nw.col("local_day") if "local_day" in frame.columns else nw.col(TIME) // DAY


def prefix_person(frame: nw.LazyFrame, *, otherwise: str) -> nw.Expr:
    """Name the person behind a unit, for clustering: the customer, else the device, else the unit alone.

    Parameters
    ----------
    frame : narwhals LazyFrame
        A frame that may have `customer` and `device_id`.
    otherwise : str
        The column of the unit that stands alone where neither is known.

    Returns
    -------
    narwhals Expr
        Text such as `c:4711`, `d:abc`, `u:17`; never missing where the unit is not.
    """
    keys = {"c:": "customer", "d:": "device_id"}
    found = [(prefix, column) for prefix, column in keys.items() if column in frame.columns]
    return nw.coalesce(
        *[nw.concat_str(nw.lit(prefix), nw.col(column).cast(nw.String)) for prefix, column in found],
        nw.concat_str(nw.lit("u:"), nw.col(otherwise).cast(nw.String)),
    )
