"""Selections: the people whose journey holds a pattern, and the events of a selection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.journey.contacts import read_moment
from journeylib.journey.engine import collect_table, join_table, keep_table
from journeylib.journey.frames import TIME, Events, open_events, return_rows
from journeylib.journey.order import ORDER_COLUMNS, inspect_events, rank_events
from journeylib.journey.step_times import read_window
from journeylib.journey.steps import StepMatches, match_steps, parse_steps

__all__ = ["PatternStep", "keep_customers", "select_journeys"]

_NEVER = -(2**62)
_STATE = ["_from", "_from_time", "_start", "_between"]


class PatternStep(NamedTuple):
    """One step of a pattern, and what must hold between it and the step before.

    Attributes
    ----------
    step : str
        A touchpoint, `event:NAME` or `stage:NAME`.
    within : str, float, Timedelta or None
        The longest time since the step before, `1h` or a number of days, its end included.
    without : tuple of str
        Steps that must not come between.
    directly : bool
        No event of any kind comes between.
    times : int
        How often the step comes, at least; the conditions hold between these as well.
    """

    step: str
    within: str | float | pd.Timedelta | None = None
    without: tuple[str, ...] = ()
    directly: bool = False
    times: int = 1


def select_journeys(
    events: Events,
    pattern: Sequence[str | PatternStep],
    *,
    within: str | float | pd.Timedelta | None = None,
    period: tuple[int, int] | None = None,
    as_of: int | str | pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Select the people whose journey holds a pattern.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, with `customer`; events without one are left out. Row order does not matter.
    pattern : sequence of str or PatternStep
        Steps in their order; other events may come between them, but for what a `PatternStep` rules out.
    within : str, float or Timedelta, optional
        The longest time from the first step to the last, `7D` or a number of days, its end included.
    period : tuple of int, optional
        (start, end) in microseconds UTC, [start, end), in which the first step lies.
    as_of : int, str or Timestamp, optional
        What was known when; later events are not looked at. Default: the last event.

    Returns
    -------
    pandas.DataFrame
        One row is one person: `customer`, `started_at` and `ended_at` (int64 microseconds UTC) of the match
        that ends first (of several with this end the one that starts last). By customer.

    Raises
    ------
    ValueError
        Where a column is missing, a step matches nothing in the whole table, or an option is wrong.

    Notes
    -----
    Every function of this room can be asked about the people found: give it `keep_customers(events, found)`
    in place of the events. Each step is strictly later than the one before, and each event serves one step.
    All ways to lay the pattern over a journey are looked at, not only the earliest. Events known by their
    day only are neither before nor after other events of that day.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": list("aaabbb"), "occurred_at": [1, 2, 3, 1, 2, 3],
    ...     "name": ["view", "chat", "buy", "chat", "view", "buy"]})
    >>> select_journeys(events, ["event:view", "event:buy"])["customer"].tolist()
    ['a', 'b']
    >>> buy = PatternStep("event:buy", without=("event:chat",))
    >>> select_journeys(events, ["event:view", buy])["customer"].tolist()
    ['b']
    """
    wanted, forbidden = _read_pattern(pattern)
    matches, known = _open_people(events, [step.step for step in wanted] + forbidden)
    window = read_window(within)
    kept = ["_unit", TIME, "_low", "_high", "_steps"]
    useful = matches.frame.filter(nw.col(TIME) <= (known if as_of is None else read_moment(as_of)))
    with keep_table(useful.filter(nw.col("_steps") > 0).select(kept)) as hits:
        first = hits.filter(matches.can_serve(0))
        if period is not None:
            first = first.filter((nw.col(TIME) >= period[0]) & (nw.col(TIME) < period[1]))
        reached = first.with_columns(nw.col(TIME).alias("_start"))
        for number, step in enumerate(wanted[1:], 1):
            ruled_out = [len(wanted) + forbidden.index(name) for name in step.without]
            reached = _go_on(reached, hits, matches, number, ruled_out, step, window)
        found = reached.group_by("_unit").agg(
            nw.col("_start").min().alias("started_at"), nw.col(TIME).min().alias("ended_at")
        )
        return collect_table(found, order_by=["_unit"]).rename(columns={"_unit": "customer"})


def _read_pattern(pattern: Sequence[str | PatternStep]) -> tuple[list[PatternStep], list[str]]:
    """Read the steps, those that come several times as often as they come, and the forbidden steps."""
    if isinstance(pattern, str) or not len(pattern):
        raise ValueError(f"a pattern is a list of one step or more, found {pattern!r}")
    steps = [PatternStep(step) if isinstance(step, str) else step for step in pattern]
    for number, step in enumerate(steps):
        if step.times < 1:
            raise ValueError(f"times must be 1 or more, found {step.times} at {step.step!r}")
        if isinstance(step.without, str):
            raise ValueError(f"without is a list of steps, found {step.without!r}")
        if number == 0 and step.times == 1 and (step.within or step.without or step.directly):
            raise ValueError(f"{step.step!r} is the first step, so that nothing comes before it to limit")
    forbidden = list(dict.fromkeys(name for step in steps for name in step.without))
    return [step for step in steps for _ in range(step.times)], forbidden


def _open_people(events: Events, names: Sequence[str]) -> tuple[StepMatches, int]:
    """Open the events, mark their steps, and rank them within their people."""
    steps = parse_steps(names)
    required = {TIME, "name", "customer", *(step.column for step in steps)}
    kept = ["device_id", "local_day", "person_position", *ORDER_COLUMNS]
    frame = open_events(events, required=sorted(required), optional=kept)
    facts = inspect_events(frame)
    matches = match_steps(frame, steps)
    ranked = rank_events(matches.frame, facts, unit="customer", given="person_position")
    return matches._replace(frame=ranked.with_columns(nw.col("customer").alias("_unit"))), facts.last_at


def _go_on(
    reached: nw.LazyFrame,
    hits: nw.LazyFrame,
    matches: StepMatches,
    number: int,
    ruled_out: Sequence[int],
    step: PatternStep,
    window: int | None,
) -> nw.LazyFrame:
    """Find the events of a step that follow an event reached so far.

    The latest such event is the best one: fewest events and least time lie between, and the match that ends
    there starts latest. So each event only needs the highest rank and times before it.
    """
    after, before = 2 * nw.col("_high") + 1, 2 * nw.col("_low")
    parts = [
        _place(reached, after, _from=nw.col("_high"), _from_time=nw.col(TIME), _start=nw.col("_start")),
        _place(hits.filter(matches.can_serve(number)), before, _asks=nw.lit(1)),
    ]
    if ruled_out:
        parts.append(_place(hits.filter(matches.can_serve(*ruled_out)), after, _between=nw.col("_low")))
    states = [nw.col(name).cum_max().over("_unit", order_by="_key") for name in _STATE]
    found = nw.concat(parts).with_columns(*states)
    holds = (nw.col("_asks") == 1) & (nw.col("_from") >= 0) & (nw.col("_between") <= nw.col("_from"))
    if step.directly:
        holds = holds & (nw.col("_low") == nw.col("_from") + 1)
    limit = read_window(step.within)
    if limit is not None:
        holds = holds & (nw.col(TIME) - nw.col("_from_time") <= limit)
    if window is not None:
        holds = holds & (nw.col(TIME) - nw.col("_start") <= window)
    return found.filter(holds).select("_unit", TIME, "_low", "_high", "_start")


def _place(frame: nw.LazyFrame, key: nw.Expr, **values: nw.Expr) -> nw.LazyFrame:
    """Give rows their place in the common order, and what they know; what they do not know is never."""
    known = {"_asks": nw.lit(0), **dict.fromkeys(_STATE, nw.lit(_NEVER)), **values}
    columns = [value.cast(nw.Int64).alias(name) for name, value in {"_key": key, **known}.items()]
    return frame.select("_unit", TIME, "_low", "_high", *columns)


def keep_customers(events: Events, customers: pd.DataFrame, *, outside: bool = False) -> Any:
    """Keep the events of selected people, so that every function can be asked about them.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, with `customer`.
    customers : pandas.DataFrame
        One row is one person, `customer`, as from `select_journeys` or `list_lost`.
    outside : bool
        Keep the events of all others instead, those without a customer too.

    Returns
    -------
    pandas.DataFrame or native relation
        pandas: the rows kept, in their order. Else the relation, not yet computed, in no order.

    Raises
    ------
    ValueError
        Where `customer` is missing.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": list("ab"), "occurred_at": [1, 2], "name": "view"})
    >>> keep_customers(events, pd.DataFrame({"customer": ["b"]}))["occurred_at"].tolist()
    [2]
    """
    if "customer" not in customers:
        raise ValueError("the selection lacks the column customer")
    chosen = pd.DataFrame({"customer": customers["customer"].dropna().unique()}).assign(_is_chosen=1)
    if isinstance(events, pd.DataFrame):
        if "customer" not in events:
            raise ValueError("events lack the column customer")
        return events[events["customer"].isin(chosen["customer"]) != outside]
    frame = join_table(open_events(events, required=["customer"], whole=True), chosen, on=["customer"])
    is_chosen = (nw.col("_is_chosen") == 1).fill_null(False)
    return return_rows(events, frame.filter(~is_chosen if outside else is_chosen), columns=[])
