"""Baskets: how many are left behind, and what they were worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from scipy import special

from journeylib.journey.contacts import read_moment
from journeylib.journey.engine import collect_table, keep_table
from journeylib.journey.frames import TIME, Events, open_events, rename_safely
from journeylib.journey.measuring import (
    MEASURE_COLUMNS,
    Measure,
    cut_periods,
    name_segments,
    tabulate_measures,
)
from journeylib.journey.order import ORDER_COLUMNS, inspect_events, prefix_person, rank_events
from journeylib.journey.step_times import read_window
from journeylib.journey.steps import match_steps, parse_steps

__all__ = ["follow_baskets", "measure_baskets"]

_MEASURES = (
    Measure("basket_count", "count", "baskets", units="baskets"),
    Measure("basket_abandonment", "share", "baskets", units="baskets", total="abandoned"),
)
_SUMS = ("baskets", "abandoned", "known_value", "order_value", "valued_orders", "censored")
_PARTS = 10_000
_ESTIMATED = "abandoned baskets times the mean value of the ordered ones"


@contextmanager
def follow_baskets(
    events: Events,
    *,
    bought: str,
    started: str | None = None,
    within: str | float | pd.Timedelta = "1D",
    as_of: int | str | pd.Timestamp | None = None,
    by: Sequence[str] = (),
) -> Iterator[nw.LazyFrame]:
    """Follow each basket from its start to an order.

    Parameters
    ----------
    events, bought, started, within, as_of, by
        As for `measure_baskets`.

    Yields
    ------
    narwhals LazyFrame
        One row is one basket, computed, there only inside the `with` block: `basket`, `_person`,
        `_started_at`, the columns of `by` (of its first event), `_value` (of the started step's
        events, in 1/10000), `_order_value` (of its orders), `_valued` (orders with a value), `_bought` and
        `_censored` (1 or 0).
    """
    steps = parse_steps([bought] if started is None else [bought, started])
    required = {TIME, "name", "basket", *(step.column for step in steps), *by}
    optional = ["customer", "device_id", "local_day", "value", *ORDER_COLUMNS]
    frame = open_events(events, required=sorted(required), optional=optional)
    facts, safe = inspect_events(frame), [rename_safely(column) for column in by]
    matches = match_steps(frame, steps)
    known = facts.last_at if as_of is None else read_moment(as_of)
    value = nw.lit(None, nw.Int64)
    if "value" in frame.columns:  # in whole numbers, so that sums do not depend on the order of rows
        value = (nw.col("value").cast(nw.Float64) * _PARTS).round().cast(nw.Int64)
    person = prefix_person(matches.frame, otherwise="basket")
    marked = matches.frame.filter(nw.col(TIME) <= known)
    marked = marked.with_columns(person.alias("_person"), value.alias("_worth"))
    orders = marked.filter(matches.can_serve(0)).select(TIME, "basket", "_person", "_worth")
    useful = ~matches.can_serve(0) if started is None else matches.can_serve(1)
    ranked = rank_events(marked.filter(useful), facts, unit="basket")
    first = ranked.group_by("basket").agg(
        nw.col("_number").min(),
        (nw.col("_worth").sum() if started else nw.col("_worth").min() * 0).cast(nw.Int64).alias("_value"),
        nw.col("_person").min(),
    )
    entry = ranked.select("basket", "_number", nw.col(TIME).alias("_started_at"), *safe)
    window = read_window(within)
    opened = first.join(entry, on=["basket", "_number"], how="inner")
    opened = opened.with_columns((nw.col("_started_at") + window).alias("_ends")).drop("_number")
    with keep_table(opened) as baskets, keep_table(orders) as bought_events:
        found = baskets.join(_find_orders(baskets, bought_events), on="basket", how="left")
        is_open = nw.when(nw.col("_ends") > known).then(1).otherwise(0).alias("_censored")
        has_order = nw.when(nw.col("_orders") > 0).then(1).otherwise(0).alias("_bought")
        with keep_table(found.with_columns(is_open, has_order)) as followed:
            yield followed


def _find_orders(baskets: nw.LazyFrame, orders: nw.LazyFrame) -> nw.LazyFrame:
    """Find the orders of each basket: by its id, else the person's last basket before the order."""
    named = orders.filter(~nw.col("basket").is_null()).select("basket", TIME, "_worth")
    numbered = baskets.with_columns(
        nw.col("_started_at").cum_count().over("_person", order_by=["_started_at", "basket"]).alias("_no")
    )
    columns = ["_person", TIME, "_kind", "_no", "_worth"]
    starts = numbered.with_columns(nw.col("_started_at").alias(TIME), nw.lit(0).alias("_kind"))
    starts = starts.with_columns(nw.lit(None, nw.Int64).alias("_worth"), nw.col("_no").cast(nw.Int64))
    loose = orders.filter(nw.col("basket").is_null() & ~nw.col("_person").is_null())
    loose = loose.with_columns(nw.lit(1).alias("_kind"), nw.lit(0).cast(nw.Int64).alias("_no"))
    both = nw.concat([starts.select(columns), loose.select(columns)])
    latest = nw.col("_no").cum_max().over("_person", order_by=[TIME, "_kind", "_no"])
    placed = both.with_columns(latest.alias("_of")).filter(nw.col("_kind") == 1)
    keys = numbered.select("_person", nw.col("_no").cast(nw.Int64).alias("_of"), "basket")
    given = placed.join(keys, on=["_person", "_of"], how="inner").select("basket", TIME, "_worth")
    near = baskets.select("basket", "_started_at", "_ends").join(
        nw.concat([named, given]), on="basket", how="inner"
    )
    near = near.filter((nw.col(TIME) >= nw.col("_started_at")) & (nw.col(TIME) <= nw.col("_ends")))
    return near.group_by("basket").agg(
        nw.len().cast(nw.Int64).alias("_orders"),
        nw.col("_worth").sum().cast(nw.Int64).alias("_order_value"),
        nw.col("_worth").count().cast(nw.Int64).alias("_valued"),
    )


def measure_baskets(
    events: Events,
    *,
    periods: Mapping[str, tuple[int, int]],
    bought: str = "purchase",
    started: str | None = None,
    within: str | float | pd.Timedelta = "1D",
    as_of: int | str | pd.Timestamp | None = None,
    by: Sequence[str] = (),
) -> pd.DataFrame:
    """Measure how many baskets are left behind, and the value that is lost with them.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, with `basket`; `value` in money. Row order does not matter.
    periods : mapping
        `reviewed`, `previous`, `year_ago` to (start, end) in microseconds UTC, [start, end); a basket belongs
        to the one in which it starts.
    bought : str
        The step that is an order: a touchpoint, `event:NAME` or `stage:NAME`. An order without a basket is
        taken for the person's last basket that started before it.
    started : str, optional
        The step that starts a basket and carries the value of what is put in; without it a basket starts with
        its first event that is no order.
    within : str, float or Timedelta
        Window from the start to the order, `1D` or a number of days, its end included; a convention.
    as_of : int, str or Timestamp, optional
        What was known when. Default: the last event.
    by : sequence of str
        Segment columns; a basket has the labels of its first event.

    Returns
    -------
    pandas.DataFrame
        The measure table: one row is one metric in one segment (empty: all) and period. `basket_count`;
        `basket_abandonment` (percent: 1 - ordered baskets / baskets); `basket_value_lost` (money: the value
        in abandoned baskets, or where the started step has no values an estimate; then `note` says so; its n
        is the abandoned baskets). Baskets whose window has not closed are left out and counted in `note`.

    Raises
    ------
    ValueError
        Where a column is missing or a step matches nothing.

    Notes
    -----
    Effective n by person: customer, else device, else the basket alone. The value's interval is Wald, each
    person's part taken as one draw, the mean order value estimated from the same people.

    Examples
    --------
    >>> events = pd.DataFrame({"basket": ["x", "x", "y"], "name": ["add", "buy", "add"],
    ...     "occurred_at": [0, 9, 5], "customer": ["a", "a", "b"], "value": [None, 20.0, None]})
    >>> found = measure_baskets(events, periods={"reviewed": (0, 9)}, bought="event:buy", as_of="1970-01-03")
    >>> found[["metric", "value"]].values.tolist()
    [['basket_count', 2.0], ['basket_abandonment', 50.0], ['basket_value_lost', 20.0]]
    """
    cut_periods(periods)
    options: dict[str, Any] = {"started": started, "within": within, "as_of": as_of, "by": by}
    parts = []
    with follow_baskets(events, bought=bought, **options) as baskets:
        for which, (start, end) in periods.items():
            is_inside = (nw.col("_started_at") >= start) & (nw.col("_started_at") < end)
            inside = baskets.filter(is_inside)
            sums = [_sum_by_person(inside, column) for column in ("", *map(rename_safely, by))]
            parts += [part.assign(which=which) for part in sums]
    found = pd.concat(parts, ignore_index=True)
    if found.empty:
        return pd.DataFrame(columns=list(MEASURE_COLUMNS))
    found["is_customer"] = found["person"].str.startswith("c:").astype(bool)
    table = tabulate_measures(found, _MEASURES, which=list(periods))
    table = pd.concat([table, _tabulate_value_lost(found, list(periods))], ignore_index=True)
    left_out = found.groupby(["which", "segment"])["censored"].sum()
    counts = [int(left_out[key]) for key in zip(table["which"], table["segment"], strict=True)]
    words = [f"{count} baskets left out, their window has not closed" if count else "" for count in counts]
    notes = ["; ".join(filter(None, pair)) for pair in zip(table["note"], words, strict=True)]
    return table.assign(note=notes)


def _sum_by_person(baskets: nw.LazyFrame, column: str) -> pd.DataFrame:
    """Sum each person's baskets, in each segment of a column."""
    keys = ["_person", *([column] if column else [])]
    is_closed = nw.col("_censored") == 0
    is_left = is_closed & (nw.col("_bought") == 0)
    is_ordered = is_closed & (nw.col("_bought") == 1)
    flags = {
        "baskets": nw.when(is_closed).then(1).otherwise(0),
        "abandoned": nw.when(is_left).then(1).otherwise(0),
        "known_value": nw.when(is_left).then(nw.col("_value").fill_null(0)).otherwise(0),
        "order_value": nw.when(is_ordered).then(nw.col("_order_value").fill_null(0)).otherwise(0),
        "valued_orders": nw.when(is_ordered & (nw.col("_valued") > 0)).then(1).otherwise(0),
        "censored": nw.col("_censored"),
    }
    summed = baskets.with_columns(**flags).group_by(*keys)
    totals = [nw.col(name).sum().cast(nw.Int64) for name in _SUMS]
    sums = collect_table(summed.agg(*totals), order_by=["_person"])
    sums = sums.assign(**{name: sums[name] / _PARTS for name in ("known_value", "order_value")})
    return name_segments(sums, column).rename(columns={"_person": "person"})


def _tabulate_value_lost(sums: pd.DataFrame, which: Sequence[str]) -> pd.DataFrame:
    """Tabulate the value lost, from the baskets' own values or from the mean order."""
    is_known = bool((sums["known_value"] > 0).any())
    groups: dict[Any, pd.DataFrame] = {
        key: group.set_index("person") for key, group in sums.groupby(["segment", "which"])
    }
    rows, shares = [], {}
    for segment in sorted(set(sums["segment"])):
        for here in ((segment, name) for name in which if (segment, name) in groups):
            group = groups[here]
            shares[here] = group["known_value"] if is_known else _estimate_shares(group)
            if shares[here].isna().any() or not group["baskets"].sum():
                continue
            value, variance = float(shares[here].sum()), float((shares[here] ** 2).sum())
            reach = -special.ndtri(0.025) * variance**0.5
            row = {"metric": "basket_value_lost", "segment": segment, "which": here[1], "value": value}
            row |= {"low": max(value - reach, 0.0), "high": value + reach, "n": int(group["abandoned"].sum())}
            row |= {"n_effective": value**2 / variance if variance else 0.0, "kind": "count"}
            rows.append({**row, "covariance": _covary(shares, segment, here[1])})
    table = pd.DataFrame(rows, columns=list(MEASURE_COLUMNS))
    texts = dict.fromkeys(["stage", "touchpoint", "persona", "item"], "")
    note = "" if is_known else _ESTIMATED
    return table.assign(**texts, note=note, unit_of_analysis="baskets", method="compound_poisson")


def _estimate_shares(group: pd.DataFrame) -> pd.Series:
    """Give each person's part of abandoned x mean order value, the mean's own uncertainty included."""
    ordered = group["valued_orders"].sum()
    if not ordered:
        return pd.Series(np.nan, index=group.index)
    mean = group["order_value"].sum() / ordered
    extra = group["order_value"] - mean * group["valued_orders"]
    return group["abandoned"] * mean + group["abandoned"].sum() * extra / ordered


def _covary(shares: dict[Any, pd.Series], segment: str, which: str) -> float:
    """Sum, over the people in both periods, the products of their parts."""
    now, here = shares.get((segment, "reviewed")), shares[(segment, which)]
    if which == "reviewed":
        return np.nan
    if now is None or now.isna().any():
        return 0.0
    return float((now * here.reindex(now.index)).sum())
