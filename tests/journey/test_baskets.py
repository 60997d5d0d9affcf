"""Baskets: left behind or ordered within the window, orders without a basket, and the value lost."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from journeylib.evidence.estimates import covariance, estimate, sum_by_person
from journeylib.journey.baskets import measure_baskets
from journeylib.review.metrics import METRICS

SECOND = 1_000_000
DAY = 86_400 * SECOND
PERIODS = {"reviewed": (10 * DAY, 20 * DAY), "previous": (0, 10 * DAY)}


def make_events(text: str) -> pd.DataFrame:
    """Read lines of `customer basket second name value`; `-` is missing."""
    rows = [line.split() for line in text.strip().splitlines()]
    events = pd.DataFrame(rows, columns=["customer", "basket", "second", "name", "value"], dtype="str")
    events = events.where(events != "-")
    return events.assign(
        occurred_at=events.pop("second").astype("int64") * SECOND, value=events["value"].astype(float)
    )


def measure(events, **options):
    options = {"periods": {"reviewed": (0, DAY)}, "bought": "event:buy", "as_of": 50 * DAY, **options}
    return measure_baskets(events, **options)


def read(found, metric, column="value", which="reviewed", segment=""):
    keys = (found["metric"] == metric) & (found["which"] == which) & (found["segment"] == segment)
    return found.loc[keys, column].item()


def test_an_order_at_the_end_of_the_window_counts_and_a_second_later_does_not():
    text = "a x 0 add -\na x 86400 buy 9\nb y 0 add -\nb y 86401 buy 9"
    assert read(measure(make_events(text)), "basket_abandonment") == 50


def test_a_basket_whose_window_is_open_is_left_out_and_counted():
    found = measure(make_events("a x 0 add -\nb y 1 add -\nb y 5 buy 9"), as_of=DAY)
    assert read(found, "basket_abandonment", "n") == 1
    assert read(found, "basket_abandonment") == 100
    assert read(found, "basket_abandonment", "note") == "1 baskets left out, their window has not closed"


def test_an_order_without_a_basket_is_the_persons_last_basket_before_it():
    text = "a x 0 add -\na y 50 add -\na - 60 buy 9\nb z 70 add -\nb - 69 buy 9\nc w 10 add -\nc - 10 buy 5"
    found = measure(make_events(text))
    assert read(found, "basket_count") == 4
    assert read(found, "basket_abandonment") == 50, "y and w are bought; b bought before z"


def test_a_basket_of_another_person_is_not_bought_by_a_nameless_order():
    assert read(measure(make_events("a x 0 add -\n- - 5 buy 9")), "basket_abandonment") == 100


def test_value_lost_is_the_value_put_in_where_it_is_known():
    text = "a x 0 add 10.5\na x 1 add 4\na x 2 pay 14.5\nb y 0 add 20\nb y 5 buy 20\nb z 9 add 3"
    found = measure(make_events(text), started="event:add")
    assert read(found, "basket_value_lost") == 17.5
    assert read(found, "basket_value_lost", "n") == 2
    assert read(found, "basket_value_lost", "note") == ""
    reach = 1.959963984540054 * (14.5**2 + 3**2) ** 0.5
    assert read(found, "basket_value_lost", "high") == pytest.approx(17.5 + reach)


def test_value_lost_is_estimated_from_the_orders_where_it_is_not():
    text = "a x 0 add -\nb y 0 add -\nb y 5 buy 20\nc z 0 add -\nc z 9 buy 30"
    found = measure(make_events(text))
    assert read(found, "basket_value_lost") == 25
    assert "times the mean value" in read(found, "basket_value_lost", "note")
    shares = [25, (20 - 25) / 2, (30 - 25) / 2]
    reach = 1.959963984540054 * sum(share**2 for share in shares) ** 0.5
    assert read(found, "basket_value_lost", "high") == pytest.approx(25 + reach)
    without = measure(make_events("a x 0 add -\nb y 0 add -\nb y 5 buy -"))
    assert "basket_value_lost" not in set(without["metric"]), "no order has a value"


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    baskets = pd.DataFrame(
        {
            "basket": [f"b{i:03}" for i in range(300)],
            "customer": [f"c{i}" for i in rng.integers(0, 90, 300)],
            "occurred_at": rng.integers(0, 20 * DAY, 300),
            "device": rng.choice(["x", "y"], 300),
        }
    )
    bought = baskets[rng.random(300) < 0.4]
    wait = rng.exponential(0.5, len(bought)) * DAY
    orders = bought.assign(occurred_at=bought["occurred_at"] + wait.astype("int64"), name="buy")
    return pd.concat(
        [baskets.assign(name="add"), orders.assign(value=rng.integers(500, 9000, len(orders)) / 100)],
        ignore_index=True,
    )


def test_the_share_its_interval_and_covariance_are_those_of_a_plain_definition(many):
    found = measure(many, periods=PERIODS, by=["device"])
    start = many[many["name"] == "add"].set_index("basket")
    end = many[many["name"] == "buy"].set_index("basket")["occurred_at"].reindex(start.index)
    left = ~(end - start["occurred_at"] <= DAY)
    sums = {}
    for which, (begin, close) in PERIODS.items():
        here = (start["occurred_at"] >= begin) & (start["occurred_at"] < close)
        wanted = estimate("share", left[here], people=start.loc[here, "customer"])
        for column in ("value", "low", "high", "n", "n_effective"):
            assert read(found, "basket_abandonment", column, which) == pytest.approx(wanted[column])
        sums[which] = sum_by_person(left[here], people=start.loc[here, "customer"])
        parts = [read(found, "basket_count", "value", which, f"device={label}") for label in "xy"]
        assert sum(parts) == read(found, "basket_count", which=which)
    shared = covariance("share", sums["reviewed"], sums["previous"])
    assert read(found, "basket_abandonment", "covariance", "previous") == pytest.approx(shared)
    assert set(found["metric"]) <= set(METRICS)


def test_shuffled_rows_and_every_way_in_give_the_same(many, tmp_path):
    wanted = measure(many, periods=PERIODS, by=["device"])
    many.to_parquet(tmp_path / "events.parquet")
    relation = duckdb.from_arrow(pa.Table.from_pandas(many))
    for events in (many.sample(frac=1, random_state=7), tmp_path / "events.parquet", relation):
        pd.testing.assert_frame_equal(measure(events, periods=PERIODS, by=["device"]), wanted)


def test_empty_and_one_row_inputs_are_measured():
    one = make_events("a x 0 add -\na - 9 buy -")
    assert measure(one.iloc[:0]).empty
    assert read(measure(one), "basket_abandonment") == 0
    with pytest.raises(ValueError, match="lack the column.*basket"):
        measure(one.drop(columns="basket"))
