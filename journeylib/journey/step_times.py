"""Step times: when each unit of an ordered funnel reached each step, followed on the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.journey.contacts import read_moment
from journeylib.journey.engine import collect_table, keep_table
from journeylib.journey.frames import TIME, Events, open_events, rename_safely
from journeylib.journey.measuring import cut_periods
from journeylib.journey.order import ORDER_COLUMNS, EventFacts, inspect_events, prefix_person, rank_events
from journeylib.journey.outcomes import NoUnitsError
from journeylib.journey.steps import Step, StepMatches, match_steps, parse_steps

__all__ = ["StepTimes", "follow_step_times", "read_step_times", "read_window"]

_UNITS = {
    "people": ("customer", "person_position"),
    "sessions": ("session", "position"),
    "baskets": ("basket", ""),
}
_LARGEST = 2**63 - 1


class StepTimes(NamedTuple):
    """Units and when they reached each step, and when they first met what was asked for."""

    units: nw.LazyFrame
    first_met: nw.LazyFrame | None
    steps: list[Step]
    periods: list[str]
    as_of: int


@contextmanager
def follow_step_times(
    events: Events,
    steps: Sequence[str],
    *,
    unit: str = "people",
    within: str | float | pd.Timedelta | None = None,
    periods: Mapping[str, tuple[int, int]] | None = None,
    as_of: int | str | pd.Timestamp | None = None,
    columns: Sequence[str] = (),
    met: str | None = None,
) -> Iterator[StepTimes]:
    """Follow each unit through an ordered funnel and keep the time and place of each step.

    Parameters
    ----------
    events, steps, unit, within, periods, as_of
        As for `count_funnel` with `order="ordered"`; without periods the whole table is one, `all`.
    columns : sequence of str
        Columns of which a unit has the value of its entry event.
    met : str, optional
        A column such as `touchpoint`, of which it is asked when a unit first met each value.

    Yields
    ------
    StepTimes
        `units`: one row is one unit that entered in one period, computed: `_period` (its place in
        `periods`), `_unit`, `_person`, the columns, `_reached` (1 or more), `_censored` (1 where its window
        has not closed), and for each step k `_at_k` (rank of the event, missing where not reached) and
        `_time_k` (microseconds UTC). `first_met`: one row is one unit and value of `met`, `_unit`, the column
        and `_first` (rank of the first such event); none without `met`. Both there only inside the `with`
        block.

    Raises
    ------
    NoUnitsError
        Where events are there, but none has the unit.
    ValueError
        As for `count_funnel`.
    """
    if unit not in _UNITS:
        raise ValueError(f"unit must be one of {', '.join(_UNITS)}, found {unit!r}")
    cut_periods(periods or {})
    parsed, window = parse_steps(steps), read_window(within)
    matches, facts = _open_matches(events, parsed, unit, [*columns, *([met] if met else [])])
    known = facts.last_at if as_of is None else read_moment(as_of)
    frame = matches.frame.filter(nw.col(TIME) <= known)
    safe = [rename_safely(column) for column in columns]
    ranges = list(periods.values()) if periods is not None else [None]
    hits = frame.filter(nw.col("_steps") > 0)
    with keep_table(
        hits.select(TIME, "_unit", "_person", "_number", "_low", "_high", "_steps", *safe)
    ) as hits:
        chain = _enter(hits, matches, ranges, safe, unit=unit, window=window, known=known)
        for number in range(2, matches.n_steps + 1):
            chain = _follow(chain, hits, matches, number)
        reached = nw.lit(1)
        for number in range(2, matches.n_steps + 1):
            reached = nw.when(~nw.col(f"_at_{number}").is_null()).then(number).otherwise(reached)
        with keep_table(chain.with_columns(reached.cast(nw.Int64).alias("_reached"))) as units:
            names = list(periods) if periods is not None else ["all"]
            if met is None:
                yield StepTimes(units, None, parsed, names, known)
                return
            column = rename_safely(met)
            values = frame.filter(~nw.col(column).is_null()).group_by("_unit", column)
            with keep_table(values.agg(nw.col("_high").min().alias("_first"))) as first_met:
                yield StepTimes(units, first_met, parsed, names, known)


def _open_matches(
    events: Events, steps: Sequence[Step], unit: str, columns: Sequence[str]
) -> tuple[StepMatches, EventFacts]:
    """Open the events, mark their steps, and rank them within their units."""
    key, given = _UNITS[unit]
    required = {TIME, "name", key, *(step.column for step in steps), *columns}
    kept = ["customer", "device_id", "local_day", *ORDER_COLUMNS, *([given] if given else [])]
    frame = open_events(events, required=sorted(required), optional=kept)
    facts = inspect_events(frame)
    if facts.n and key == "customer" and not facts.filled["customer"]:
        raise NoUnitsError("no event has a customer, so there are no people to follow; use unit='sessions'")
    matches = match_steps(frame, steps)
    ranked = rank_events(matches.frame, facts, unit=key, given=given)
    person = prefix_person(ranked, otherwise=key)
    return matches._replace(
        frame=ranked.with_columns(nw.col(key).alias("_unit"), person.alias("_person"))
    ), facts


def _enter(
    hits: nw.LazyFrame,
    matches: StepMatches,
    periods: Sequence[tuple[int, int] | None],
    columns: Sequence[str],
    *,
    unit: str,
    window: int | None,
    known: int,
) -> nw.LazyFrame:
    """Find each unit's first event of the first step in each period, and the end of its window."""
    entries = []
    for number, period in enumerate(periods):
        first = hits.filter(matches.can_serve(0))
        if period is not None:
            first = first.filter((nw.col(TIME) >= period[0]) & (nw.col(TIME) < period[1]))
        entry = first.group_by("_unit").agg(nw.col("_number").min())
        entry = entry.join(first, on=["_unit", "_number"], how="inner")
        closes = nw.col(TIME) + window if window is not None else nw.lit(_LARGEST)
        ends = closes
        if period is not None and window is None and unit == "people":
            ends = nw.lit(period[1] - 1)
        is_open = (closes > known) if window is not None else nw.lit(False)
        flags = {
            "_period": nw.lit(number),
            "_ends": ends,
            "_censored": nw.when(is_open).then(1).otherwise(0),
            "_at_1": nw.col("_high"),
            "_time_1": nw.col(TIME),
        }
        entry = entry.with_columns(*[value.cast(nw.Int64).alias(name) for name, value in flags.items()])
        entries.append(entry.select(*flags, "_unit", "_person", *columns))
    return nw.concat(entries)


def _follow(chain: nw.LazyFrame, hits: nw.LazyFrame, matches: StepMatches, number: int) -> nw.LazyFrame:
    """Take the earliest event of a step that is strictly later than the step before and in the window."""
    step = hits.filter(matches.can_serve(number - 1)).select("_unit", "_low", "_high", TIME)
    before = chain.select("_period", "_unit", "_ends", nw.col(f"_at_{number - 1}").alias("_at"))
    near = before.filter(~nw.col("_at").is_null()).join(step, on="_unit", how="inner")
    near = near.filter((nw.col("_low") > nw.col("_at")) & (nw.col(TIME) <= nw.col("_ends")))
    found = near.group_by("_period", "_unit").agg(
        nw.col("_high").min().alias(f"_at_{number}"), nw.col(TIME).min().alias(f"_time_{number}")
    )
    return chain.join(found, on=["_period", "_unit"], how="left")


def read_step_times(
    events: Events,
    steps: Sequence[str],
    *,
    unit: str = "people",
    within: str | float | pd.Timedelta | None = None,
    periods: Mapping[str, tuple[int, int]] | None = None,
    as_of: int | str | pd.Timestamp | None = None,
    columns: Sequence[str] = (),
) -> pd.DataFrame:
    """Read when each unit of an ordered funnel reached each step.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        As for `count_funnel`; row order does not matter.
    steps : sequence of str
        Touchpoints, `event:NAME` or `stage:NAME`; each is strictly later than the one before, the earliest is
        taken.
    unit : str
        `people`, `sessions` or `baskets`.
    within : str, float or Timedelta, optional
        Window from the first step on, `7D` or a number of days, its end included.
    periods : mapping, optional
        Name to (start, end) in microseconds UTC, [start, end); without it the whole table, `all`.
    as_of : int, str or Timestamp, optional
        What was known when. Default: the last event.
    columns : sequence of str
        Columns of which a unit has the value of its first step's event.

    Returns
    -------
    pandas.DataFrame
        One row is one unit that entered in one period: `which`, `unit`, `person` (of the unit: `c:` customer,
        `d:` device, `u:` the unit alone), the columns, `reached` (steps), `is_censored` (window still open),
        `time_1`, `time_2`, ... (`Int64` microseconds UTC, missing where not reached) and `as_of`. By
        period and unit. As long as there are entrants: on billions of events, take one period.

    Examples
    --------
    >>> names = ["view", "buy", "view"]
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [1, 3, 5], "name": names})
    >>> read_step_times(events, ["event:view", "event:buy"])[["unit", "time_1", "time_2"]].values.tolist()
    [['a', 1, 3], ['b', 5, <NA>]]
    """
    options = {"unit": unit, "within": within, "periods": periods, "as_of": as_of, "columns": columns}
    with follow_step_times(events, steps, **options) as found:  # type: ignore[arg-type]
        times = [f"_time_{number}" for number in range(1, len(found.steps) + 1)]
        safe = [rename_safely(column) for column in columns]
        kept = found.units.select("_period", "_unit", "_person", "_reached", "_censored", *times, *safe)
        table = collect_table(kept, order_by=["_period", "_unit"])
    table = table.rename(columns={**dict(zip(safe, columns, strict=True)), "_unit": "unit"})
    table = table.rename(columns={name: name.removeprefix("_") for name in ("_person", "_reached", *times)})
    table[[name[1:] for name in times]] = table[[name[1:] for name in times]].astype("Int64")
    names = dict(enumerate(found.periods))
    table = table.assign(which=table["_period"].map(names).astype("str"), is_censored=table["_censored"] > 0)
    order = ["which", "unit", "person", *columns, "reached", "is_censored", *[name[1:] for name in times]]
    return table[order].assign(as_of=found.as_of)


def read_window(within: str | float | pd.Timedelta | None) -> int | None:
    """Read a length of time as microseconds.

    Parameters
    ----------
    within : str, float, Timedelta or None
        `7D`, or a number of days; None is no limit.

    Returns
    -------
    int or None
        Microseconds.

    Raises
    ------
    ValueError
        Where it is not longer than nothing.

    Examples
    --------
    >>> read_window("1h"), read_window(0.5), read_window(None)
    (3600000000, 43200000000, None)
    """
    if within is None:
        return None
    length = pd.Timedelta(within) if isinstance(within, (str, pd.Timedelta)) else pd.Timedelta(days=within)
    if length <= pd.Timedelta(0):
        raise ValueError(f"a window must be longer than nothing, found {within!r}")
    return int(length / pd.Timedelta(microseconds=1))
