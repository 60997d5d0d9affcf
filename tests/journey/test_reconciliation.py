"""Reconciliation: every purchase and every order is in one count, by day and amount."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.journey.reconciliation import reconcile_contacts, reconcile_purchases

HOUR = 3_600_000_000
DAY = 24 * HOUR


def make_clicks(rows) -> pd.DataFrame:
    clicks = pd.DataFrame(rows, columns=["customer", "day", "value"])
    return clicks.assign(occurred_at=(clicks.pop("day") * DAY).astype("int64"), name="buy")


def make_orders(rows) -> pd.DataFrame:
    orders = pd.DataFrame(rows, columns=["customer", "day", "revenue"])
    return orders.assign(ordered_at=(orders.pop("day") * DAY).astype("int64"))


def sum_up(found) -> dict[str, int]:
    counts = found.drop(columns=["day", "click_value", "order_value"]).sum()
    return {name: int(count) for name, count in counts.items() if count}


def test_each_kind_of_match_is_counted_once():
    clicks = make_clicks(
        [
            ("a", 0, 9.5),  # the same
            ("b", 0, 9.5),  # another amount
            ("c", 0, 9.5),  # a day later in the orders
            ("d", 2, 9.5),  # a day earlier
            ("e", 0, 9.5),  # two days later: not matched
            (None, 0, 7.0),  # nameless, the same amount
            (None, 1, 7.0),  # nameless, another amount
            ("f", 0, None),  # amount not known
        ]
    )
    orders = make_orders(
        [("a", 0.5, 9.5), ("b", 0, 9.0), ("c", 1, 9.5), ("d", 1, 9.5), ("e", 2, 9.5), (None, 0, 7.0)]
        + [(None, 1, 8.0), ("f", 0, 3.0)]
    )
    found = reconcile_purchases(clicks, orders, purchase="event:buy")
    assert sum_up(found) == {
        "clicks": 8,
        "orders": 8,
        "matched": 2,
        "other_amount": 2,
        "clicks_other_day": 2,
        "orders_other_day": 2,
        "only_in_clicks": 2,
        "only_in_orders": 2,
    }
    assert [str(day) for day in found["day"]] == ["1970-01-01", "1970-01-02", "1970-01-03"]
    assert found["click_value"].sum() == pytest.approx(5 * 9.5 + 14)


def test_the_same_purchase_twice_matches_one_order_once():
    clicks = make_clicks([("a", 0, 5.0), ("a", 0, 5.0)])
    found = reconcile_purchases(clicks, make_orders([("a", 0, 5.0)]), purchase="event:buy")
    assert sum_up(found) == {"clicks": 2, "orders": 1, "matched": 1, "only_in_clicks": 1}


def test_days_are_those_of_the_projects_zone():
    clicks = make_clicks([("a", 0.99, 5.0)]).assign(local_day=np.array([1], dtype="int32"))
    orders = make_orders([("a", 0.99, 5.0)])
    found = reconcile_purchases(clicks, orders, purchase="event:buy", time_zone="Europe/Berlin")
    assert sum_up(found)["matched"] == 1
    with pytest.raises(ValueError, match="events lack local_day"):
        reconcile_purchases(
            clicks.drop(columns="local_day"), orders, purchase="event:buy", time_zone="Europe/Berlin"
        )


def test_counts_add_up_day_by_day_whatever_the_order_of_rows(tmp_path):
    rng = np.random.default_rng(6)
    rows = [(f"c{rng.integers(9)}", rng.integers(5), float(rng.integers(1, 4))) for _ in range(120)]
    clicks, orders = make_clicks(rows[:70]), make_orders(rows[50:])
    found = reconcile_purchases(clicks, orders, purchase="event:buy")
    parts = ["matched", "other_amount", "clicks_other_day", "only_in_clicks"]
    assert (found[parts].sum(axis=1) == found["clicks"]).all()
    parts = ["matched", "other_amount", "orders_other_day", "only_in_orders"]
    assert (found[parts].sum(axis=1) == found["orders"]).all()
    assert found["clicks_other_day"].sum() == found["orders_other_day"].sum() > 0
    shuffled = clicks.sample(frac=1, random_state=1), orders.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(reconcile_purchases(*shuffled, purchase="event:buy"), found)
    clicks.to_parquet(tmp_path / "events.parquet")
    again = reconcile_purchases(tmp_path / "events.parquet", orders, purchase="event:buy")
    pd.testing.assert_frame_equal(again, found)


def test_one_side_may_be_empty():
    clicks, orders = make_clicks([("a", 0, 5.0)]), make_orders([("a", 0, 5.0)])
    assert sum_up(reconcile_purchases(clicks, orders.iloc[:0], purchase="event:buy"))["only_in_clicks"] == 1
    assert sum_up(reconcile_purchases(clicks.iloc[:0], orders, purchase="event:buy"))["only_in_orders"] == 1
    assert reconcile_purchases(clicks.iloc[:0], orders.iloc[:0], purchase="event:buy").empty


def test_a_period_cuts_both_sources():
    clicks, orders = make_clicks([("a", 0, 5.0), ("a", 3, 5.0)]), make_orders([("a", 0, 5.0), ("a", 3, 5.0)])
    found = reconcile_purchases(clicks, orders, purchase="event:buy", period=(DAY, 4 * DAY))
    assert sum_up(found) == {"clicks": 1, "orders": 1, "matched": 1}


def test_support_events_are_matched_with_contacts_of_their_channel():
    events = make_clicks([("a", 0, None), ("b", 0, None), ("c", 1, None), (None, 0, None)]).assign(
        name="chat"
    )
    contacts = pd.DataFrame(
        {
            "customer": ["a", "c", "b", None],
            "opened_at": [HOUR, 2 * DAY, HOUR, HOUR],
            "channel": ["chat", "chat", "phone", "chat"],
        }
    )
    found = reconcile_contacts(events, contacts, steps=["event:chat"], channels=["chat"])
    sums = found.drop(columns="day").sum().to_dict()
    assert sums == {
        "events": 3,
        "contacts": 2,
        "matched": 1,
        "events_other_day": 1,
        "contacts_other_day": 1,
        "only_in_events": 1,
        "only_in_contacts": 0,
    }
    every = reconcile_contacts(events, contacts, steps=["event:chat"])
    assert every["matched"].sum() == 2
