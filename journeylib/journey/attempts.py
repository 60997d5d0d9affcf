"""Attempts: every way that a unit sets out on a funnel, and steps after which it is lost to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import narwhals.stable.v2 as nw

from journeylib.journey.engine import collect_table, keep_table
from journeylib.journey.frames import TIME
from journeylib.journey.reach import FunnelRule
from journeylib.journey.steps import StepMatches

__all__ = ["follow_attempts"]

_LARGEST = 2**63 - 1
MOST_ATTEMPTS = 100


@contextmanager
def follow_attempts(
    matches: StepMatches, rule: FunnelRule, *, n_steps: int, every: bool
) -> Iterator[nw.LazyFrame]:
    """Follow each unit's first attempt in a period, or every one, through an ordered funnel.

    Parameters
    ----------
    matches : StepMatches
        As for `follow_units`; its steps from `n_steps` on are those that end an attempt.
    rule : FunnelRule
        The window, the periods and the segment columns; the order is `ordered`.
    n_steps : int
        How many steps the funnel has.
    every : bool
        Follow every attempt, else the first alone.

    Yields
    ------
    narwhals LazyFrame
        One row is one attempt: as from `follow_units`. There only inside the `with` block.

    Notes
    -----
    An attempt starts at the first event of the first step in the period. It closes with the last step, with
    the first excluded step after its start, or when its window ends, whichever comes first; the next starts
    at the next event of the first step after that. Without a window an attempt that does not convert stays
    open. After 100 attempts of a unit in a period no more are followed.
    """
    keys = [TIME, "_unit", "_person", "_number", "_low", "_high", "_steps", *rule.segments]
    useful = (nw.col(TIME) <= rule.as_of) & (nw.col("_steps") > 0)
    with ExitStack() as kept:
        hits = kept.enter_context(keep_table(matches.frame.filter(useful).select(keys)))
        rounds = []
        for number, period in enumerate(rule.periods):
            first = hits.filter(matches.can_serve(0))
            if period is not None:
                first = first.filter((nw.col(TIME) >= period[0]) & (nw.col(TIME) < period[1]))
            chosen = first
            for _ in range(MOST_ATTEMPTS if every else 1):
                entries = _enter(chosen, first, rule, number)
                found = kept.enter_context(keep_table(_follow(hits, entries, matches, n_steps)))
                rounds.append(found)
                if not every:
                    break
                chosen = _find_next(first, found, n_steps)
                if collect_table(chosen.select(nw.len().alias("n")))["n"].iloc[0] == 0:
                    break
        yield nw.concat(rounds).select("_period", "_unit", "_person", "_censored", *rule.segments, "_reached")


def _enter(chosen: nw.LazyFrame, first: nw.LazyFrame, rule: FunnelRule, number: int) -> nw.LazyFrame:
    """Start each unit's attempt at the first of the chosen events."""
    period = rule.periods[number]
    starts = chosen.group_by("_unit").agg(nw.col("_number").min())
    entry = starts.join(first, on=["_unit", "_number"], how="inner")
    closes = nw.col(TIME) + rule.within if rule.within is not None else nw.lit(_LARGEST)
    ends = closes
    if period is not None and rule.within is None and rule.unit == "people":
        ends = nw.lit(period[1] - 1)
    is_open = (closes > rule.as_of) if rule.within is not None else nw.lit(False)
    values = {
        "_period": nw.lit(number),
        "_ends": ends,
        "_censored": nw.when(is_open).then(1).otherwise(0),
        "_start": nw.col("_high"),
    }
    entry = entry.with_columns(*[value.cast(nw.Int64).alias(name) for name, value in values.items()])
    return entry.select("_unit", "_person", *values, *rule.segments)


def _follow(hits: nw.LazyFrame, entries: nw.LazyFrame, matches: StepMatches, n_steps: int) -> nw.LazyFrame:
    """Take the earliest next step, step by step, as far as nothing ends the attempt."""
    stop = nw.lit(_LARGEST)
    chain = entries
    if matches.n_steps > n_steps:
        barred = hits.filter(matches.can_serve(*range(n_steps, matches.n_steps)))
        after = entries.select("_unit", "_start").join(
            barred.select("_unit", "_low"), on="_unit", how="inner"
        )
        stops = after.filter(nw.col("_low") > nw.col("_start")).group_by("_unit")
        chain = chain.join(stops.agg(nw.col("_low").min().alias("_stop")), on="_unit", how="left")
        stop = nw.col("_stop").fill_null(_LARGEST)
    chain = chain.with_columns(
        stop.cast(nw.Int64).alias("_stop"),
        nw.col("_start").alias("_at"),
        nw.lit(1).cast(nw.Int64).alias("_reached"),
    )
    for number in range(1, n_steps):
        step = hits.filter(matches.can_serve(number)).select("_unit", "_low", "_high", TIME)
        here = chain.filter(nw.col("_reached") == number).select("_unit", "_ends", "_stop", "_at")
        near = here.join(step, on="_unit", how="inner").filter(
            (nw.col("_low") > nw.col("_at"))
            & (nw.col(TIME) <= nw.col("_ends"))
            & (nw.col("_high") < nw.col("_stop"))
        )
        found = near.group_by("_unit").agg(nw.col("_high").min().alias("_next"))
        chain = chain.join(found, on="_unit", how="left")
        arrived = ~nw.col("_next").is_null()
        chain = chain.with_columns(
            nw.when(arrived)
            .then(nw.lit(number + 1))
            .otherwise(nw.col("_reached"))
            .cast(nw.Int64)
            .alias("_reached"),
            nw.when(arrived).then(nw.col("_next")).otherwise(nw.col("_at")).cast(nw.Int64).alias("_at"),
        ).drop("_next")
    return chain


def _find_next(first: nw.LazyFrame, done: nw.LazyFrame, n_steps: int) -> nw.LazyFrame:
    """Find the events of the first step after a unit's attempt has closed."""
    closed = done.select("_unit", "_ends", "_stop", "_at", "_reached")
    both = first.join(closed, on="_unit", how="inner")
    converted = nw.col("_reached") == n_steps
    given_up = (nw.col(TIME) > nw.col("_ends")) | (nw.col("_low") > nw.col("_stop"))
    return both.filter((converted & (nw.col("_low") > nw.col("_at"))) | (~converted & given_up))
