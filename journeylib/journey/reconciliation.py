"""Reconciliation: purchases in clicks beside orders, and support events beside service contacts."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from journeylib.journey.contacts import DAY, read_moment
from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME, Events, open_events
from journeylib.journey.steps import match_steps, parse_steps

__all__ = ["reconcile_contacts", "reconcile_purchases"]

_KEYS = ["customer", "day", "cents"]
_UNKNOWN_AMOUNT = -1


def reconcile_purchases(
    events: Events,
    orders: pd.DataFrame,
    *,
    purchase: str = "purchase",
    time_zone: str = "UTC",
    period: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """Count, day by day, which purchases in the clicks are among the orders, and the other way round.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event; `customer`, `value` (money). The day is `local_day` (days since 1970) where the
        events have it, else the day in UTC. Row order does not matter.
    orders : pandas.DataFrame
        Trusted table orders: `customer`, `ordered_at` (microseconds UTC or datetime), `revenue` (money).
    purchase : str
        The step that is a purchase: a touchpoint, `event:NAME` or `stage:NAME`.
    time_zone : str
        The zone in which the orders' days are read; that of `local_day`.
    period : tuple of int, optional
        (start, end) in microseconds UTC, [start, end), for both.

    Returns
    -------
    pandas.DataFrame
        One row is one day: `day` (date), `clicks` and `orders` (how many), `matched` (same person, day and
        amount), `other_amount` (same person and day), `clicks_other_day` and `orders_other_day` (same person
        and amount, a day apart), `only_in_clicks`, `only_in_orders`, `click_value` and `order_value` (money;
        missing amounts count nothing). Each click and each order is in one count only.

    Raises
    ------
    ValueError
        Where a column is missing, the purchase matches no event, or the events have no `local_day` and the
        zone is not UTC.

    Notes
    -----
    No number joins the two sources, so they are matched by what both say: amount to the cent first, then the
    day before or after, then the day alone. Purchases without a customer match orders without one, by amount.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": ["a", "b"], "name": "buy", "occurred_at": 0, "value": [9.5, 3.0]})
    >>> orders = pd.DataFrame({"customer": ["a", "c"], "ordered_at": 5, "revenue": [9.5, 4.0]})
    >>> found = reconcile_purchases(events, orders, purchase="event:buy")
    >>> found[["matched", "only_in_clicks", "only_in_orders"]].values.tolist()
    [[1, 1, 1]]
    """
    clicks = _count_events(events, [purchase], time_zone, period, needs=["value"])
    made = _count_rows(orders, "ordered_at", "revenue", time_zone, period)
    pairs, days = _match(clicks, made), {}
    for name, table in (("click_value", clicks), ("order_value", made)):
        days[name] = table.groupby("day")["value"].sum()
    table = pairs.rename(columns={"left": "clicks", "right": "orders"})
    table = table.rename(
        columns={"left_other_day": "clicks_other_day", "right_other_day": "orders_other_day"}
    )
    table = table.rename(columns={"only_left": "only_in_clicks", "only_right": "only_in_orders"})
    values = {name: table["day"].map(sums).fillna(0.0) for name, sums in days.items()}
    return _name_days(table.assign(**values))


def reconcile_contacts(
    events: Events,
    contacts: pd.DataFrame,
    *,
    steps: Sequence[str],
    channels: Sequence[str] | None = None,
    time_zone: str = "UTC",
    period: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """Count, day by day, which support events are among the service contacts, and the other way round.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, with `customer`; days as for `reconcile_purchases`.
    contacts : pandas.DataFrame
        Trusted table service_contacts: `customer`, `opened_at`, `channel`.
    steps : sequence of str
        The support events: touchpoints, `event:NAME` or `stage:NAME`.
    channels : sequence of str, optional
        The channels of service that these events lead to; without it all.
    time_zone, period
        As for `reconcile_purchases`.

    Returns
    -------
    pandas.DataFrame
        One row is one day: `day` (date), `events` and `contacts` (how many, with a customer), `matched` (same
        person and day), `events_other_day` and `contacts_other_day` (same person, a day apart),
        `only_in_events`, `only_in_contacts`. Each event and each contact is in one count only. Row order does
        not matter.

    Raises
    ------
    ValueError
        As for `reconcile_purchases`.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": ["a", "b"], "name": "chat", "occurred_at": 0})
    >>> contacts = pd.DataFrame({"customer": ["a"], "opened_at": [DAY], "channel": "chat"})
    >>> found = reconcile_contacts(events, contacts, steps=["event:chat"])
    >>> found[["events", "events_other_day", "only_in_events", "contacts_other_day"]].values.tolist()
    [[2, 1, 1, 0], [0, 0, 0, 1]]
    """
    asked = _count_events(events, steps, time_zone, period)
    if channels is not None:
        contacts = contacts[contacts["channel"].isin(list(channels))]
    opened = _count_rows(contacts, "opened_at", "", time_zone, period)
    pairs = _match(asked[asked["customer"] != ""], opened[opened["customer"] != ""])
    words = {"left": "events", "right": "contacts", "only_left": "only_in_events"}
    words |= {"only_right": "only_in_contacts", "left_other_day": "events_other_day"}
    table = pairs.rename(columns=words | {"right_other_day": "contacts_other_day"})
    return _name_days(table.drop(columns="other_amount"))


def _count_events(
    events: Events,
    steps: Sequence[str],
    time_zone: str,
    period: tuple[int, int] | None,
    needs: Sequence[str] = (),
) -> pd.DataFrame:
    """Count the events of the steps by person, day and amount, on the engine."""
    parsed = parse_steps(steps)
    required = {TIME, "name", "customer", *(step.column for step in parsed), *needs}
    frame = open_events(events, required=sorted(required), optional=["local_day"])
    if "local_day" not in frame.columns and time_zone != "UTC":
        raise ValueError(f"events lack local_day, so their days are those of UTC, not of {time_zone}")
    matches = match_steps(frame, parsed)
    chosen = matches.frame.filter(nw.col("_steps") > 0)
    if period is not None:
        chosen = chosen.filter((nw.col(TIME) >= period[0]) & (nw.col(TIME) < period[1]))
    day = nw.col("local_day") if "local_day" in frame.columns else nw.col(TIME) // DAY
    cents = nw.lit(0)
    if "value" in needs:
        cents = (nw.col("value").cast(nw.Float64) * 100).round().fill_null(_UNKNOWN_AMOUNT)
    keyed = chosen.select(
        nw.col("customer").cast(nw.String).fill_null("").alias("customer"),
        day.cast(nw.Int64).alias("day"),
        cents.cast(nw.Int64).alias("cents"),
    )
    found = collect_table(keyed.group_by(*_KEYS).agg(nw.len().cast(nw.Int64).alias("n")), order_by=_KEYS)
    return found.assign(value=found["n"] * found["cents"].clip(lower=0) / 100)


def _count_rows(
    table: pd.DataFrame, time: str, amount: str, time_zone: str, period: tuple[int, int] | None
) -> pd.DataFrame:
    """Count the rows of a small table by person, day and amount."""
    missing = [name for name in ("customer", time, *([amount] if amount else [])) if name not in table]
    if missing:
        raise ValueError(f"the table lacks the column(s) {', '.join(missing)}")
    moments = table[time].dropna()
    if pd.api.types.is_datetime64_any_dtype(moments.dtype):
        utc = pd.to_datetime(moments, utc=True)
    else:
        utc = pd.to_datetime(moments.astype("int64"), unit="us", utc=True)
    if period is not None:
        start, end = (pd.Timestamp(read_moment(edge), unit="us", tz="UTC") for edge in period)
        utc = utc[(utc >= start) & (utc < end)]
    days = utc.dt.tz_convert(time_zone).dt.tz_localize(None).dt.normalize() - pd.Timestamp(0)
    kept = table.loc[utc.index]
    cents = pd.Series(0.0, index=kept.index)
    if amount:
        cents = (kept[amount].astype("Float64").astype("float64") * 100).round().fillna(_UNKNOWN_AMOUNT)
    person = kept["customer"].astype("object").where(kept["customer"].notna(), "").astype(str)
    keyed = pd.DataFrame({"customer": person, "day": days.dt.days, "cents": cents}).astype({"cents": "int64"})
    found = keyed.groupby(_KEYS, as_index=False).size().rename(columns={"size": "n"})
    return found.assign(value=found["n"] * found["cents"].clip(lower=0) / 100)


def _match(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """Match counts by person, day and amount; then a day apart; then by person and day alone."""
    both = left[[*_KEYS, "n"]].merge(
        right[[*_KEYS, "n"]], on=_KEYS, how="outer", suffixes=("_left", "_right")
    )
    both = both.fillna({"n_left": 0, "n_right": 0}).astype({"n_left": "int64", "n_right": "int64"})
    both = both.sort_values(_KEYS, ignore_index=True).rename(columns={"n_left": "left", "n_right": "right"})
    is_known = both["cents"] >= 0
    both["matched"] = np.where(is_known, both[["left", "right"]].min(axis=1), 0)
    both["rest_left"], both["rest_right"] = (both[side] - both["matched"] for side in ("left", "right"))
    both["left_other_day"] = both["right_other_day"] = 0
    for shift in (1, -1):
        _match_other_day(both, shift)
    by_day = both.groupby(["customer", "day"])[["rest_left", "rest_right"]].sum()
    other = by_day.min(axis=1).where(by_day.index.get_level_values("customer") != "", 0)
    columns = ["left", "right", "matched", "left_other_day", "right_other_day", "rest_left", "rest_right"]
    days = both.groupby("day")[columns].sum()
    days["other_amount"] = other.groupby(level="day").sum()
    days["only_left"] = days["rest_left"] - days["other_amount"]
    days["only_right"] = days["rest_right"] - days["other_amount"]
    order = ["left", "right", "matched", "other_amount", "left_other_day", "right_other_day"]
    return days[[*order, "only_left", "only_right"]].astype("int64").reset_index()


def _match_other_day(both: pd.DataFrame, shift: int) -> None:
    """Match what is left with the same person and amount on a neighbouring day; changes the counts."""
    there = both[["customer", "day", "cents", "rest_right"]].assign(day=both["day"] - shift, row=both.index)
    near = both[["customer", "day", "cents", "rest_left"]].merge(there, on=_KEYS, how="left")
    smaller = near[["rest_left", "rest_right"]].fillna(0).min(axis=1)
    taken = np.where(both["cents"] >= 0, smaller, 0).astype("int64")
    both["left_other_day"] += taken
    both["rest_left"] -= taken
    rows = near["row"][taken > 0].astype("int64").to_numpy()
    both.loc[rows, "right_other_day"] += taken[taken > 0]
    both.loc[rows, "rest_right"] -= taken[taken > 0]


def _name_days(table: pd.DataFrame) -> pd.DataFrame:
    """Write the days as dates."""
    return table.assign(day=(pd.Timestamp(0) + pd.to_timedelta(table["day"], unit="D")).dt.date)
