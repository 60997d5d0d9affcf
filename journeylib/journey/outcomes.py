"""Outcomes: what became of each person's units in a funnel, summed on the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.journey.attempts import follow_attempts
from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME, Events, open_events, rename_safely
from journeylib.journey.labels import decode_columns, read_labels
from journeylib.journey.measuring import cut_periods, name_segments
from journeylib.journey.order import (
    ORDER_COLUMNS,
    EventFacts,
    inspect_events,
    prefix_person,
    rank_events,
)
from journeylib.journey.reach import FunnelRule, follow_units
from journeylib.journey.steps import Step, match_steps, parse_steps

__all__ = ["NoUnitsError", "describe_funnel", "sum_outcomes"]

_UNITS = {
    "people": ("customer", "person_position"),
    "sessions": ("session", "position"),
    "baskets": ("basket", ""),
}
_ORDERS = ("ordered", "strict", "any")


class NoUnitsError(ArgumentError):
    """No event has the unit that a funnel is to be counted on."""


def describe_funnel(
    steps: Sequence[str],
    *,
    unit: str,
    order: str,
    within: str | float | pd.Timedelta | None,
    as_of: int | str | pd.Timestamp | None,
    attempts: str = "first",
    exclude: Sequence[str] = (),
) -> dict[str, Any]:
    """Describe how a funnel is counted, in plain values that a project's settings can hold.

    Parameters
    ----------
    steps : sequence of str
        As for `count_funnel`.
    unit, order, within, as_of, attempts, exclude
        As for `count_funnel`.

    Returns
    -------
    dict
        steps, unit, order, window_days (a whole number where it is one; None without a window) and as_of
        (None for the last event); attempts and exclude where they are not the first alone and none.

    Examples
    --------
    >>> describe_funnel(["a", "b"], unit="people", order="ordered", within="7D", as_of=None)["window_days"]
    7
    """
    window = _read_window(within)
    days = None if window is None else window / 86_400_000_000
    whole = int(days) if days is not None and days == int(days) else days
    known = int(as_of) if isinstance(as_of, (int, np.integer)) else None if as_of is None else str(as_of)
    more: dict[str, Any] = {} if attempts == "first" else {"attempts": attempts}
    more |= {"exclude": list(exclude)} if exclude else {}
    return {"steps": list(steps), "unit": unit, "order": order, "window_days": whole, "as_of": known, **more}


def sum_outcomes(
    events: Events,
    steps: Sequence[Step],
    *,
    unit: str,
    order: str,
    within: str | float | pd.Timedelta | None,
    periods: Mapping[str, tuple[int, int] | None],
    as_of: int | str | pd.Timestamp | None,
    segments: Sequence[str],
    attempts: str = "first",
    exclude: Sequence[str] = (),
    by_person: bool = True,
) -> pd.DataFrame:
    """Sum, for each person, how many of the person's units reached each step.

    Parameters
    ----------
    events : as for `count_funnel`
        One row is one event.
    steps : sequence of Step
        From `parse_steps`.
    unit, order, within, as_of, attempts, exclude : as for `count_funnel`
        How to count.
    periods : mapping
        Name to (start, end) in microseconds UTC, or to None for the whole table.
    segments : sequence of str
        Columns of which each label is a segment.
    by_person : bool
        One row a person; else one row for all people of a period and segment with the same sums, with
        `people`, their number, in place of `person` and `is_customer`.

    Returns
    -------
    pandas.DataFrame
        One row is one person in one period and segment (empty: all): `which`, `segment`, `person`,
        `is_customer`, `reached_1` (entrants), `reached_2`, ..., `lost_2`, ... and `censored`, all numbers of
        units; censored units are in no other column.

    Raises
    ------
    NoUnitsError
        Where events are there, but none has the unit.
    ValueError
        Where an option is unknown, a column is missing or a step matches nothing.
    """
    _check_options(unit, order, periods)
    _check_attempts(order, attempts, exclude)
    key, given = _UNITS[unit]
    matched = [*steps, *(parse_steps(exclude) if exclude else [])]
    required = {TIME, "name", key, *(step.column for step in matched), *segments}
    kept = ["customer", "device_id", "local_day", *ORDER_COLUMNS, *([given] if given else [])]
    labels = read_labels(events)
    frame = open_events(events, required=sorted(required), optional=kept, as_codes=True)
    coded = {one.column for one in matched} & set(labels)
    coded = coded if len(coded) == 1 and not coded & set(segments) else set()
    frame = decode_columns(frame, {name: labels[name] for name in labels if name not in coded})
    facts = inspect_events(frame)
    matches = match_steps(frame, matched, {name: labels[name] for name in coded})
    matches = matches._replace(frame=_mark_units(matches.frame, facts, key, given))
    ranges = list(dict.fromkeys(periods.values()))
    safe = [rename_safely(column) for column in segments]
    window, known = _read_window(within), _read_as_of(as_of, facts)
    rule = FunnelRule(unit, order, window, known, ranges, safe, facts.unordered > 0)
    follow = follow_units(matches, rule)
    if exclude or attempts == "every":
        follow = follow_attempts(matches, rule, n_steps=len(steps), every=attempts == "every")
    with follow as outcomes:
        summed = [_sum_by_person(outcomes, column, len(steps), unit, by_person) for column in ("", *safe)]
        sums = pd.concat(summed)
    parts = [
        sums[sums["_period"] == ranges.index(period)].assign(which=which) for which, period in periods.items()
    ]
    found = pd.concat(parts, ignore_index=True).drop(columns="_period")
    for number in range(2, len(steps) + 1):
        found[f"lost_{number}"] = found[f"reached_{number - 1}"] - found[f"reached_{number}"]
    if not by_person:
        return found
    return found.assign(is_customer=found["person"].str.startswith("c:").astype(bool))


def _check_options(unit: str, order: str, periods: Mapping[str, tuple[int, int] | None]) -> None:
    if unit not in _UNITS:
        raise ArgumentError(f"unit must be one of {', '.join(_UNITS)}, found {unit!r}")
    if order not in _ORDERS:
        raise ArgumentError(f"order must be one of {', '.join(_ORDERS)}, found {order!r}")
    cut_periods({which: period for which, period in periods.items() if period is not None})


def _check_attempts(order: str, attempts: str, exclude: Sequence[str]) -> None:
    if attempts not in ("first", "every"):
        raise ArgumentError(f"attempts must be first or every, found {attempts!r}")
    if isinstance(exclude, str):
        raise ArgumentError(f"exclude is a list of steps, found {exclude!r}")
    if order != "ordered" and (exclude or attempts == "every"):
        raise ArgumentError(f"exclude and attempts='every' need order='ordered', found {order!r}")


def _read_window(within: str | float | pd.Timedelta | None) -> int | None:
    """Read the window as microseconds; a bare number is days."""
    if within is None:
        return None
    length = pd.Timedelta(within) if isinstance(within, (str, pd.Timedelta)) else pd.Timedelta(days=within)
    if length <= pd.Timedelta(0):
        raise ArgumentError(f"within must be longer than nothing, found {within!r}")
    return int(length / pd.Timedelta(microseconds=1))


def _read_as_of(as_of: int | str | pd.Timestamp | None, facts: EventFacts) -> int:
    if as_of is None:
        return facts.last_at
    if isinstance(as_of, (int, np.integer)):
        return int(as_of)
    moment = pd.Timestamp(as_of)
    utc = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    return int((utc - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(microseconds=1))


def _mark_units(frame: nw.LazyFrame, facts: EventFacts, key: str, given: str) -> nw.LazyFrame:
    """Rank the events of each unit, and name the person behind it."""
    if facts.n and key == "customer" and not facts.filled["customer"]:
        raise NoUnitsError("no event has a customer, so there are no people to count; use unit='sessions'")
    ranked = rank_events(frame, facts, unit=key, given=given)
    if key == "customer":  # one unit a person, who gets the prefix when all is counted
        return ranked.with_columns(nw.col(key).alias("_unit"), nw.col(key).alias("_person"))
    person = prefix_person(ranked, otherwise=key)
    return ranked.with_columns(nw.col(key).alias("_unit"), person.alias("_person"))


def _sum_by_person(
    outcomes: nw.LazyFrame, column: str, n_steps: int, unit: str, by_person: bool
) -> pd.DataFrame:
    """Sum the outcomes of each person's units in a period, and in each segment of a column."""
    keys = ["_period", "_person", *([column] if column else [])]
    steps = {f"reached_{number}": number for number in range(1, n_steps + 1)}
    is_counted = nw.col("_censored") == 0
    flags = {
        name: nw.when(is_counted & (nw.col("_reached") >= number)).then(1).otherwise(0)
        for name, number in steps.items()
    }
    totals = [nw.col(name).sum().cast(nw.Int64) for name in steps]
    summed = outcomes.with_columns(**flags).group_by(*keys)
    sums = summed.agg(*totals, nw.col("_censored").sum().cast(nw.Int64).alias("censored"))
    if not by_person:
        same = [name for name in sums.columns if name != "_person"]
        counted = sums.group_by(*same).agg(nw.len().cast(nw.Int64).alias("people"))
        return name_segments(collect_table(counted), column)
    if unit == "people":
        person = nw.concat_str(nw.lit("c:"), nw.col("_person").cast(nw.String))
        sums = sums.with_columns(person.alias("_person"))
    return name_segments(collect_table(sums), column).rename(columns={"_person": "person"})
