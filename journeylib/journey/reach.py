"""Reach: how far each unit comes in a funnel, in one of three orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import narwhals.stable.v2 as nw

from journeylib.journey.engine import keep_table
from journeylib.journey.frames import TIME
from journeylib.journey.steps import StepMatches

__all__ = ["FunnelRule", "follow_units"]

_LARGEST = 2**63 - 1


class FunnelRule(NamedTuple):
    """How a funnel is counted; times and durations in microseconds, periods numbered by their place."""

    unit: str
    order: str
    within: int | None
    as_of: int
    periods: Sequence[tuple[int, int] | None]
    segments: Sequence[str]
    unordered: bool


@contextmanager
def follow_units(matches: StepMatches, rule: FunnelRule) -> Iterator[nw.LazyFrame]:
    """Follow each unit from its entry as far as it comes.

    Parameters
    ----------
    matches : StepMatches
        Events with `_unit`, `_person`, `_number`, `_low`, `_high`, `_steps`, the time, and the segments.
    rule : FunnelRule
        The order, the window, the periods and the segment columns.

    Yields
    ------
    narwhals LazyFrame
        One row is one unit that entered in one period: `_period`, `_unit`, `_person`, the segments of its
        entry event, `_reached` (number of steps, 1 or more) and `_censored` (1 where its window has not
        closed). Computed, and there only inside the `with` block.
    """
    frame = matches.frame.filter(nw.col(TIME) <= rule.as_of)
    bounds = ["_low", "_high"] if rule.unordered else []
    person = ["_person"] if rule.unit != "people" else []
    keys = [TIME, "_unit", *person, "_number", *bounds, "_steps", *rule.segments]
    if rule.order == "strict":
        frame, runs = _look_ahead(frame, matches.n_steps, rule)
        keys += runs
    useful = matches.can_serve(0) if rule.order == "strict" else nw.col("_steps") > 0
    with keep_table(frame.filter(useful).select(keys)) as kept, ExitStack() as stack:
        hits = kept
        if not bounds:
            hits = hits.with_columns(nw.col("_number").alias("_low"), nw.col("_number").alias("_high"))
        if not person:
            hits = hits.with_columns(nw.col("_unit").alias("_person"))
        entries = stack.enter_context(keep_table(_enter(hits, matches, rule)))
        follow = {"ordered": _follow_ordered, "any": _follow_any, "strict": _follow_strict}[rule.order]
        reached = follow(hits, entries, matches, rule)
        entered = entries.select("_period", "_unit", "_person", "_censored", *rule.segments)
        with keep_table(entered.join(reached, on=["_period", "_unit"], how="inner")) as outcomes:
            yield outcomes


def _enter(hits: nw.LazyFrame, matches: StepMatches, rule: FunnelRule) -> nw.LazyFrame:
    """Find each unit's first event in each period that serves the first step."""
    first = hits.filter(matches.can_serve(0))
    entries = []
    for number, period in enumerate(rule.periods):
        inside = first if period is None else first.filter(_is_inside(period))
        entry = (
            inside.group_by("_unit")
            .agg(nw.col("_number").min())
            .join(inside, on=["_unit", "_number"], how="inner")
        )
        closes = nw.col(TIME) + rule.within if rule.within is not None else nw.lit(_LARGEST)
        ends = closes
        if period is not None and rule.within is None and rule.unit == "people":
            ends = nw.lit(period[1] - 1)
        open_still = (closes > rule.as_of) if rule.within is not None else nw.lit(False)
        entries.append(
            entry.with_columns(
                nw.lit(number).cast(nw.Int64).alias("_period"),
                ends.cast(nw.Int64).alias("_ends"),
                nw.when(open_still).then(1).otherwise(0).cast(nw.Int64).alias("_censored"),
            ).select("_period", "_ends", "_censored", "_unit", "_person", "_high", TIME, *rule.segments)
        )
    return nw.concat(entries)


def _is_inside(period: tuple[int, int]) -> nw.Expr:
    return (nw.col(TIME) >= period[0]) & (nw.col(TIME) < period[1])


def _follow_ordered(
    hits: nw.LazyFrame, entries: nw.LazyFrame, matches: StepMatches, rule: FunnelRule
) -> nw.LazyFrame:
    """Take the earliest next step that is strictly later, step by step."""
    chain = entries.select("_period", "_unit", "_ends", nw.col("_high").alias("_at"))
    chain = chain.with_columns(nw.lit(1).cast(nw.Int64).alias("_reached"))
    for number in range(1, matches.n_steps):
        step = hits.filter(matches.can_serve(number)).select("_unit", "_low", "_high", TIME)
        is_next = (nw.col("_low") > nw.col("_at")) & (nw.col(TIME) <= nw.col("_ends"))
        found = nw.when(is_next).then(nw.col("_high")).otherwise(None).alias("_next")
        chain = chain.join(step, on="_unit", how="left").with_columns(found)
        chain = chain.group_by("_period", "_unit", "_ends", "_reached").agg(
            nw.col("_next").min().alias("_at")
        )
        arrived = nw.when(~nw.col("_at").is_null()).then(nw.lit(number + 1)).otherwise(nw.col("_reached"))
        chain = chain.with_columns(arrived.cast(nw.Int64).alias("_reached"))
    return chain.select("_period", "_unit", "_reached")


def _follow_any(
    hits: nw.LazyFrame, entries: nw.LazyFrame, matches: StepMatches, rule: FunnelRule
) -> nw.LazyFrame:
    """Count, for each set of steps that share events, whether there are enough events for all of them."""
    starts = nw.col(TIME) - rule.within if rule.within is not None else nw.lit(-_LARGEST)
    if rule.within is None and rule.unit == "people":
        for number, period in enumerate(rule.periods):
            if period is not None:
                starts = nw.when(nw.col("_period") == number).then(nw.lit(period[0])).otherwise(starts)
    spans = entries.select("_period", "_unit", "_ends", starts.cast(nw.Int64).alias("_starts"))
    inside = (nw.col(TIME) >= nw.col("_starts")) & (nw.col(TIME) <= nw.col("_ends"))
    near = spans.join(hits.select("_unit", TIME, "_steps"), on="_unit", how="inner").filter(inside)
    sets = {f"_set{number}": chosen for number, chosen in enumerate(matches.list_shared_sets())}
    counted = [
        nw.when(matches.can_serve(*chosen)).then(1).otherwise(0).alias(name) for name, chosen in sets.items()
    ]
    sums = [nw.col(name).sum().cast(nw.Int64) for name in sets]
    totals = near.with_columns(*counted).group_by("_period", "_unit").agg(*sums)
    reached = nw.lit(matches.n_steps)
    for number in reversed(range(matches.n_steps)):
        short = nw.lit(False)
        for name in (name for name, chosen in sets.items() if chosen[-1] == number):
            short = short | (nw.col(name) < len(sets[name]))
        reached = nw.when(short).then(nw.lit(number)).otherwise(reached)
    return totals.select("_period", "_unit", reached.cast(nw.Int64).alias("_reached"))


def _look_ahead(frame: nw.LazyFrame, n_steps: int, rule: FunnelRule) -> tuple[nw.LazyFrame, list[str]]:
    """Bring the steps and times of the following events beside each event of a unit."""
    after = nw.col("_steps")
    if rule.unordered:
        follows = nw.col("_low") > nw.col("_high").shift(1).over("_unit", order_by="_number")
        after = nw.when(follows).then(nw.col("_steps")).otherwise(0)
    frame = frame.with_columns(after.alias("_after"))
    ahead = {}
    for number in range(1, n_steps):
        for name, column in ((f"_steps{number}", "_after"), (f"_time{number}", TIME)):
            ahead[name] = nw.col(column).shift(-number).over("_unit", order_by="_number")
    return frame.with_columns(**ahead), list(ahead)


def _follow_strict(
    hits: nw.LazyFrame, entries: nw.LazyFrame, matches: StepMatches, rule: FunnelRule
) -> nw.LazyFrame:
    """Take the longest run of events directly after each other, from any entry event in the period."""
    runs = []
    for number, period in enumerate(rule.periods):
        starts = hits if period is None else hits.filter(_is_inside(period))
        ends = nw.lit(_LARGEST)
        if rule.within is not None:
            ends = nw.col(TIME) + rule.within
        elif period is not None and rule.unit == "people":
            ends = nw.lit(period[1] - 1)
        length, unbroken = nw.lit(1), nw.lit(True)
        for step in range(1, matches.n_steps):
            serves = matches.can_serve(step, column=f"_steps{step}")
            unbroken = unbroken & serves.fill_null(False) & (nw.col(f"_time{step}") <= ends).fill_null(False)
            length = nw.when(unbroken).then(nw.lit(step + 1)).otherwise(length)
        run = starts.with_columns(
            length.cast(nw.Int64).alias("_reached"), nw.lit(number).cast(nw.Int64).alias("_period")
        )
        runs.append(run.group_by("_period", "_unit").agg(nw.col("_reached").max()))
    return nw.concat(runs)
