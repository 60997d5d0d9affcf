"""Who was lost at a step, and one customer's own journey."""

from __future__ import annotations

import pandas as pd
import pytest

from journeylib.data import ArgumentError
from journeylib.journey import count_funnel, list_journey, select_customers, split_into_sessions

DAY = 86_400_000_000
STEPS = ["event:view", "event:cart", "event:buy"]
ROWS = [
    ("all", 0, "view"), ("all", 1, "cart"), ("all", 2, "buy"),
    ("cart", 0, "view"), ("cart", 5, "cart"),
    ("late", 0, "view"), ("late", 1, "cart"), ("late", 7 * DAY + 1, "buy"),
    ("look", 3, "view"),
    ("open", 15 * DAY, "view"),
    (None, 4, "view"),
    ("end", 20 * DAY, "other"),
]  # fmt: skip
EVENTS = pd.DataFrame(ROWS, columns=["customer", "occurred_at", "name"])


@pytest.mark.parametrize(
    ("step", "outcome", "who"),
    [
        ("event:buy", "dropped", ["cart", "late"]),
        ("event:cart", "dropped", ["look"]),
        ("event:cart", "reached", ["all", "cart", "late"]),
        ("event:view", "reached", ["all", "cart", "late", "look"]),
        ("event:view", "converted", ["all"]),
    ],
)
def test_customers_of_an_outcome_are_those_that_the_funnel_counts(step, outcome, who):
    funnel = count_funnel(EVENTS, STEPS, within="7D")
    found = select_customers(EVENTS, funnel, step=step, outcome=outcome)
    assert found["customer"].tolist() == who
    counted = funnel.set_index("label").loc[step]
    if outcome != "converted":
        assert len(found) == counted["lost" if outcome == "dropped" else "n"]
    shuffled = select_customers(EVENTS.sample(frac=1, random_state=2), funnel, step=step, outcome=outcome)
    pd.testing.assert_frame_equal(shuffled, found)


def test_steps_in_place_of_a_funnel_give_the_same():
    funnel = count_funnel(EVENTS, STEPS, within="7D")
    one = select_customers(EVENTS, funnel, step="event:buy")
    pd.testing.assert_frame_equal(one, select_customers(EVENTS, STEPS, step="event:buy", within=7))
    assert one["last_step"].tolist() == ["event:cart", "event:cart"]


def test_without_a_window_who_comes_late_has_come():
    assert select_customers(EVENTS, STEPS, step="event:buy")["customer"].tolist() == ["cart"]


def test_ids_that_are_numbers_stay_numbers():
    events = pd.DataFrame({"customer": [7, 8, 8], "occurred_at": [1, 1, 2], "name": ["view", "view", "cart"]})
    assert select_customers(events, STEPS[:2], step="event:cart")["customer"].tolist() == [7]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"step": "event:bye"}, "did you mean event:buy"),
        ({"step": "event:view"}, "no step 'event:view' that customers can have dropped"),
        ({"step": "event:buy", "outcome": "lost"}, "outcome must be one of"),
    ],
)
def test_what_is_not_understood_is_refused_in_a_sentence(options, said):
    with pytest.raises(ArgumentError, match=said):
        select_customers(EVENTS, STEPS, **options)


def test_a_funnel_of_sessions_knows_no_customers():
    events = split_into_sessions(EVENTS)
    with pytest.raises(ArgumentError, match="counts sessions"):
        select_customers(events, count_funnel(events, STEPS, unit="sessions"), step="event:buy")


def test_a_journey_is_told_in_its_order_with_the_silence_between():
    minute = 60_000_000
    times = [0, 31 * minute, 0, 31 * minute]
    events = pd.DataFrame(
        {"customer": ["a", "a", "a", "b"], "occurred_at": times, "name": ["v", "x", "w", "v"]}
    )
    told = list_journey(split_into_sessions(events.assign(touchpoint="t")), "a", time_zone="Asia/Tokyo")
    assert told["name"].tolist() == ["v", "w", "x"]
    assert told[["session", "position"]].values.tolist() == [[1, 1], [1, 2], [2, 1]]
    assert told["minutes_since_last"].tolist()[1:] == [0, 31]
    assert str(told["occurred_at"][0]) == "1970-01-01 09:00:00+09:00"
    assert list_journey(split_into_sessions(events), "nobody").empty
