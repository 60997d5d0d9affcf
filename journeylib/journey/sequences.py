"""Sequences: what each person or session did, in order, counted on the engine as small numbers.

States become numbers 1, 2, ...; a unit's sequence becomes the digits of a few whole numbers, so that one
sum a unit and one count bring back the distinct sequences and how many units have each. No row an event
ever comes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from journeylib.journey.engine import collect_table, join_table
from journeylib.journey.frames import TIME, Events, open_events, rename_safely
from journeylib.journey.labels import decode_columns, read_labels
from journeylib.journey.order import ORDER_COLUMNS, inspect_events, prefix_person, rank_events
from journeylib.journey.outcomes import NoUnitsError
from journeylib.journey.paths import UNMAPPED
from journeylib.journey.steps import Step

__all__ = ["StateEvents", "code_states", "count_sequences", "number_states", "pack_sequences", "unpack_words"]

_UNITS = {"people": ("customer", "person_position"), "sessions": ("session", "position")}
_BITS = 62


class StateEvents(NamedTuple):
    """Events as numbered states: the frame (`_unit`, `_step`, `_state`, `_converts`, the time), their names.

    `_step` counts from 1 within the unit, `_state` from 1 in the order of the names; state 0 is the
    conversion that ends a unit's sequence.
    """

    frame: nw.LazyFrame
    names: list[str]


def number_states(
    events: Events,
    *,
    column: str,
    unit: str = "sessions",
    period: tuple[int, int] | None = None,
    conversion: Step | None = None,
    collapse: bool = False,
) -> StateEvents:
    """Give each unit's states their numbers and places.

    Parameters
    ----------
    events : as for `open_events`
        One row is one event; after `split_into_sessions` where the unit is sessions.
    column : str
        What the states are; missing or empty is `(unmapped)`.
    unit : str
        `sessions` or `people` (events without a customer are left out).
    period : tuple, optional
        (start, end) in microseconds UTC: sessions that start in it, or people's events in it.
    conversion : Step, optional
        A unit's sequence ends before its first event of this step.
    collapse : bool
        Count a run of the same state once.

    Returns
    -------
    StateEvents
        One row is one event that counts. Units that hold an event known by its day only beside another event
        of that day are left out: their order is not known.

    Raises
    ------
    ValueError
        Where a column is missing, the unit is unknown or the period does not end after it starts.
    NoUnitsError
        Where events are there, but none has a customer and the unit is people.
    """
    frame, key = _open_units(events, column, [conversion.column] if conversion else [], unit, period)
    is_counted = _UNITS[unit][1] in frame.columns and (unit == "sessions" or period is None)
    converts = nw.lit(0)
    if conversion:
        is_step = nw.col(rename_safely(conversion.column)).cast(nw.String) == conversion.value
        converts = nw.when(is_step.fill_null(False)).then(1).otherwise(0)
    frame = frame.with_columns(
        nw.col(key).alias("_unit"),
        prefix_person(frame, otherwise=key).alias("_person"),
        converts.cast(nw.Int64).alias("_converts"),
    )
    is_kept = column in (labels := read_labels(events)) and not (conversion and conversion.column == column)
    if is_kept:
        coded, names = _read_codes(frame, rename_safely(column), labels[column])
    else:
        coded, names = code_states(frame, rename_safely(column))
    coded = coded.select("_unit", "_person", "_number", "_state", "_converts", TIME)
    if conversion:
        done = nw.col("_converts").cum_sum().over("_unit", order_by="_number")
        coded = coded.with_columns(done.alias("_done"))
        coded = coded.filter((nw.col("_done") == 0) | ((nw.col("_done") == 1) & (nw.col("_converts") == 1)))
        ended = nw.when(nw.col("_converts") == 1).then(0).otherwise(nw.col("_state"))
        coded = coded.with_columns(ended.cast(nw.Int64).alias("_state"))
    if collapse:
        before = nw.col("_state").shift(1).over("_unit", order_by="_number")
        coded = coded.with_columns(before.fill_null(-1).alias("_before"))
        coded = coded.filter(nw.col("_before") != nw.col("_state"))
    if is_counted and labels and not (conversion or collapse):  # as kept: nothing was left out since
        return StateEvents(coded.with_columns(nw.col("_number").alias("_step")), names)
    step = nw.col("_number").cum_count().over("_unit", order_by="_number")
    return StateEvents(coded.with_columns(step.cast(nw.Int64).alias("_step")), names)


def code_states(frame: nw.LazyFrame, column: str) -> tuple[nw.LazyFrame, list[str]]:
    """Add `_state`, a number from 1 on for each value of a column, in the order of the values.

    Parameters
    ----------
    frame : narwhals LazyFrame
        Any rows with the column.
    column : str
        Its name as `open_events` gives it; missing and empty values are one state.

    Returns
    -------
    tuple
        The frame with `_state`, and the states' names, that of state 1 first.
    """
    frame = frame.with_columns(nw.col(column).cast(nw.String).fill_null("").alias("_name"))
    found = collect_table(frame.group_by("_name").agg(nw.len()), order_by=["_name"])["_name"].tolist()
    codes = pd.DataFrame(
        {"_name": pd.Series(found, dtype="str"), "_state": np.arange(1, len(found) + 1, dtype="int64")}
    )
    return join_table(frame, codes, on=["_name"]).drop("_name"), [name or UNMAPPED for name in found]


def count_sequences(states: StateEvents, *, most: int, by_person: bool = False) -> pd.DataFrame:
    """Count how many units have each sequence of states.

    Parameters
    ----------
    states : StateEvents
        From `number_states`.
    most : int
        Steps after which a sequence is cut, from its start on.
    by_person : bool
        One row a person and sequence, for intervals by person where units are sessions.

    Returns
    -------
    pandas.DataFrame
        One row is one sequence: `sequence` (tuple of names), `converted` (bool), `n` (units), `n_cut` (those
        of them that went on), and `person` where asked for. The most frequent first, then by sequence.
    """
    person = [nw.col("_person").max()] if by_person else []
    converted = nw.col("_converts").max().cast(nw.Int64).alias("_converted")
    packed = pack_sequences(
        states.frame, ["_unit"], n_states=len(states.names), most=most, more=[converted, *person]
    )
    words = [name for name in packed.columns if name.startswith("_word")]
    keys = [*words, "_converted", *(["_person"] if by_person else [])]
    is_cut = nw.when(nw.col("_length") > most).then(1).otherwise(0).cast(nw.Int64)
    counted = packed.with_columns(is_cut.alias("_is_cut")).group_by(*keys)
    n = nw.len().cast(nw.Int64).alias("n")
    table = collect_table(counted.agg(n, nw.col("_is_cut").sum().cast(nw.Int64).alias("n_cut")))
    distinct = table[words].drop_duplicates(ignore_index=True)
    read = unpack_words(distinct, states.names, most=most)
    distinct["sequence"] = pd.Series(read, distinct.index, dtype=object)
    found = table[words].merge(distinct, on=words, how="left")[["sequence"]]
    found["converted"] = table["_converted"].astype(bool)
    if by_person:
        found["person"] = table["_person"]
    found[["n", "n_cut"]] = table[["n", "n_cut"]]
    order = [name for name in ("sequence", "converted", "person") if name in found]
    return found.sort_values(["n", *order], ascending=[False, *[True] * len(order)], ignore_index=True)


def pack_sequences(
    frame: nw.LazyFrame, keys: Sequence[str], *, n_states: int, most: int, more: Sequence[nw.Expr] = ()
) -> nw.LazyFrame:
    """Pack each group's states into a few whole numbers, the first state in the lowest digit.

    Parameters
    ----------
    frame : narwhals LazyFrame
        One row is one event with `_step` (from 1) and `_state` (0 to n_states).
    keys : sequence of str
        The columns that name a group.
    n_states : int
        The highest state.
    most : int
        Steps that are packed; later ones are only counted.
    more : sequence of narwhals Expr
        Further aggregates.

    Returns
    -------
    narwhals LazyFrame
        One row is one group: the keys, `_word0`, `_word1`, ..., `_length` (states other than 0) and the
        further aggregates.
    """
    base, parts = n_states + 1, list(_cut_words(n_states, most))
    rows = [(step, word, base**digit) for word, steps in enumerate(parts) for digit, step in enumerate(steps)]
    places = pd.DataFrame(rows, columns=["_step", "_place", "_power"], dtype="int64")
    placed = join_table(frame, places, on=["_step"])
    place = nw.col("_place").fill_null(-1)
    digits = {
        f"_word{word}": nw.when(place == word).then(nw.col("_state") * nw.col("_power")).otherwise(0)
        for word in range(len(parts))
    }
    is_state = nw.when(nw.col("_state") > 0).then(1).otherwise(0)
    placed = placed.with_columns(**digits, _length=is_state.cast(nw.Int64))
    sums = [nw.col(name).sum().cast(nw.Int64) for name in [*digits, "_length"]]
    return placed.group_by(*keys).agg(*sums, *more)


def unpack_words(table: pd.DataFrame, names: Sequence[str], *, most: int) -> list[tuple[str, ...]]:
    """Read the sequences back from their packed numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        One row is one sequence, with `_word0`, ... from `pack_sequences`.
    names : sequence of str
        The states' names, that of state 1 first.
    most : int
        As it was packed.

    Returns
    -------
    list of tuple
        One tuple of names a row.
    """
    columns = []
    for word, steps in enumerate(_cut_words(len(names), most)):
        left = table[f"_word{word}"].to_numpy("int64")
        for _ in steps:
            columns.append(left % (len(names) + 1))
            left = left // (len(names) + 1)
    codes = np.column_stack(columns) if columns else np.zeros((len(table), 0), "int64")
    named = ["", *names]
    return [tuple(named[code] for code in row if code) for row in codes.tolist()]


def _cut_words(n_states: int, most: int) -> Iterator[range]:
    """Cut steps 1 to most into runs that fit one 64-bit number each."""
    if most < 1:
        raise ValueError(f"a sequence must be cut after 1 step or more, found {most}")
    size = max(1, int(_BITS / np.log2(n_states + 2)))
    for start in range(1, most + 1, size):
        yield range(start, min(start + size, most + 1))


def _read_codes(frame: nw.LazyFrame, column: str, labels: Sequence[str]) -> tuple[nw.LazyFrame, list[str]]:
    """Add `_state` from the codes of kept sessions, which `code_states` would have to look for."""
    names = [name or UNMAPPED for name in labels]
    state = nw.col(column).cast(nw.Int64) + 1
    if "" in labels:
        return frame.with_columns(state.fill_null(labels.index("") + 1).alias("_state")), names
    return frame.with_columns(state.fill_null(len(names) + 1).alias("_state")), [*names, UNMAPPED]


def _open_units(
    events: Events, column: str, columns: Sequence[str], unit: str, period: tuple[int, int] | None
) -> tuple[nw.LazyFrame, str]:
    """Open the events of the units that count, with `_number`, their place within the unit."""
    if unit not in _UNITS:
        raise ValueError(f"unit must be one of {', '.join(_UNITS)}, found {unit!r}")
    if period is not None and period[0] >= period[1]:
        raise ValueError(f"a period must end after it starts, found {period[0]} to {period[1]}")
    key, given = _UNITS[unit]
    required = [TIME, key, "position" if unit == "sessions" else "name", column, *columns]
    useful = ["customer", "device_id", "local_day", "precision", "sequence", given]
    useful += [] if unit == "sessions" else list(ORDER_COLUMNS)
    frame = open_events(events, required=required, optional=useful, as_codes=True)
    labels = {name: found for name, found in read_labels(events).items() if name != column or name in columns}
    frame = decode_columns(frame, labels)
    if period is not None and unit == "people":
        frame = frame.filter((nw.col(TIME) >= period[0]) & (nw.col(TIME) < period[1]))
    facts = inspect_events(frame)
    if unit == "people" and facts.n and not facts.filled["customer"]:
        raise NoUnitsError("no event has a customer, so there are no people to follow; use unit='sessions'")
    frame = rank_events(frame, facts, unit=key, given=given)
    units = frame.group_by(key).agg(
        nw.col(TIME).min().alias("_started"), (nw.col("_high") - nw.col("_low")).max().alias("_unsure")
    )
    chosen = units.filter(nw.col("_unsure") == 0) if facts.unordered else units
    if period is not None and unit == "sessions":
        chosen = chosen.filter((nw.col("_started") >= period[0]) & (nw.col("_started") < period[1]))
    if facts.unordered or (period is not None and unit == "sessions"):
        frame = frame.join(chosen.select(key), on=key, how="inner")
    return frame, key
