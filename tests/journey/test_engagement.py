"""Engaged sessions by GA4's rule, active days, use of touchpoints, lost value, exposures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.journey import count_funnel
from journeylib.journey.engagement import measure_engagement
from journeylib.journey.exposures import compare_exposures
from journeylib.journey.lost_value import measure_lost_value
from journeylib.journey.touchpoint_use import count_touchpoints

SECOND = 1_000_000
DAY = 86_400 * SECOND
PERIOD = {"reviewed": (0, 10 * DAY)}


def make_sessions(rows: list[tuple]) -> pd.DataFrame:
    """Rows of customer, session, seconds, name; positions follow the rows."""
    events = pd.DataFrame(rows, columns=["customer", "session", "seconds", "name"])
    position = events.groupby("session").cumcount() + 1
    return events.assign(occurred_at=events["seconds"] * SECOND, position=position, touchpoint=events["name"])


def rate(events: pd.DataFrame, **options) -> float:
    found = measure_engagement(events, periods=PERIOD, **options)
    return float(found.loc[found["metric"] == "engaged_session_rate", "value"].iloc[0])


def test_a_session_of_exactly_ten_seconds_is_not_engaged_and_one_second_more_is():
    exactly = make_sessions([("a", 1, 0, "page"), ("a", 1, 10, "scroll")])
    longer = make_sessions([("a", 1, 0, "page"), ("a", 1, 11, "scroll")])
    assert rate(exactly, views=["event:page"]) == 0
    assert rate(longer, views=["event:page"]) == 100


def test_two_views_or_a_key_event_make_a_session_engaged():
    events = make_sessions(
        [("a", 1, 0, "page"), ("b", 2, 0, "page"), ("b", 2, 1, "page"), ("c", 3, 0, "buy")]
    )
    assert rate(events) == pytest.approx(100 / 3)
    assert rate(events, key_events=["event:buy"]) == pytest.approx(200 / 3)
    assert rate(events, views=["event:buy"]) == 0


def test_engagement_is_the_same_for_shuffled_rows_and_has_the_segments_of_the_first_event():
    events = make_sessions([("a", 1, 0, "page"), ("a", 1, 30, "page"), ("b", 2, 5, "page")])
    events["device"] = ["phone", "desk", "desk"]
    found = measure_engagement(events, periods=PERIOD, by=["device"])
    shuffled = measure_engagement(events.sample(frac=1, random_state=2), periods=PERIOD, by=["device"])
    pd.testing.assert_frame_equal(found, shuffled)
    rates = found[found["metric"] == "engaged_session_rate"].set_index("segment")["value"]
    assert rates.to_dict() == {"": 50.0, "device=desk": 0.0, "device=phone": 100.0}


def test_active_days_are_counted_once_a_day_and_only_for_known_people():
    events = make_sessions([("a", 1, 0, "page"), ("a", 2, 60, "page"), ("a", 3, 90_000, "page")])
    events = pd.concat([events, make_sessions([(None, 4, 5, "page")])], ignore_index=True)
    found = measure_engagement(events, periods=PERIOD).set_index("metric")
    assert found.loc["active_days", ["value", "n"]].tolist() == [2.0, 1]
    nobody = measure_engagement(events.assign(customer=None), periods=PERIOD)
    assert "active_days" not in set(nobody["metric"])


def test_a_listed_touchpoint_without_an_event_is_not_measured_and_one_of_another_period_is():
    events = make_sessions(
        [("a", 1, 0, "page"), ("a", 1, 5, "till"), ("b", 2, 9, "page"), ("c", 3, 99, "old")]
    )
    listed = pd.DataFrame({"touchpoint": ["tv", "old", "page"], "stage": ["awareness", "use", "use"]})
    found = count_touchpoints(events, listed, period=(0, 50 * SECOND)).set_index("touchpoint")
    assert found.index.tolist() == ["tv", "old", "page", "till"]
    assert found["is_measured"].tolist() == [False, True, True, True]
    assert found.loc["page", ["reached", "reach", "frequency", "entries", "entry_share"]].tolist() == [
        2, 100.0, 1.0, 2, 100.0,
    ]  # fmt: skip
    assert found.loc["old", "reached"] == 0 and np.isnan(found.loc["tv", "reached"])


def test_lost_value_is_those_lost_times_who_goes_on_times_the_mean_order():
    rows = [(f"c{i}", i, i, "view") for i in range(10)]
    rows += [(f"c{i}", i, 20 + i, "cart") for i in range(6)] + [(f"c{i}", i, 40 + i, "buy") for i in range(3)]
    events = make_sessions(rows).assign(value=[None] * 16 + [10.0, 20.0, 30.0])
    steps = ["event:view", "event:cart", "event:buy"]
    found = measure_lost_value(events, "shop", steps, periods=PERIOD).set_index(["metric", "item"])
    assert found.loc[("lost_count", "shop/event:cart"), "value"] == 4
    assert found.loc[("value_lost", "shop/event:cart"), "value"] == pytest.approx(4 * 3 / 6 * 20)
    assert found.loc[("value_lost", "shop/event:buy"), "value"] == pytest.approx(3 * 20)
    assert count_funnel(events, steps)["lost"].tolist() == [0, 4, 3]
    fixed = measure_lost_value(events, "shop", steps, periods=PERIOD, order_value=5)
    assert fixed.loc[fixed["metric"] == "value_lost", "value"].tolist() == pytest.approx([10.0, 15.0])


def test_the_interval_of_lost_value_holds_the_truth_about_as_often_as_it_says():
    rng, held = np.random.default_rng(8), 0
    for _ in range(60):
        n = 150
        made, bought = rng.random(n) < 0.6, rng.random(n) < 0.5
        rows = [(f"c{i}", i, 0, "view") for i in range(n)]
        rows += [(f"c{i}", i, 1, "cart") for i in range(n) if made[i]]
        rows += [(f"c{i}", i, 2, "buy") for i in range(n) if made[i] and bought[i]]
        events = make_sessions(rows)
        events["value"] = np.where(events["name"] == "buy", rng.gamma(4, 10, len(events)), np.nan)
        found = measure_lost_value(events, "f", ["event:view", "event:cart", "event:buy"], periods=PERIOD)
        row = found[(found["metric"] == "value_lost") & (found["item"] == "f/event:cart")].iloc[0]
        held += row["low"] <= 150 * 0.4 * 0.5 * 40 <= row["high"]
    assert held >= 50  # 57 expected; fewer than 50 has a chance under 1 in 1,000


def test_an_order_value_below_zero_and_a_funnel_of_one_step_are_refused():
    events = make_sessions([("a", 1, 0, "view")])
    with pytest.raises(ValueError, match="order_value must be 0 or more"):
        measure_lost_value(events, "f", ["event:view"] * 2, periods=PERIOD, order_value=-1)
    with pytest.raises(ValueError, match="two steps or more"):
        measure_lost_value(events, "f", ["event:view"], periods=PERIOD)


def test_exposures_stand_beside_what_respondents_say_and_are_joined_to_nobody():
    shown = pd.DataFrame(
        {
            "day": pd.to_datetime(["2026-03-31", "2026-04-01"]),
            "touchpoint": "TV",
            "reached": [5, 7],
            "cost": 1.0,
        }
    )
    heard = pd.DataFrame(
        {"answered_at": pd.to_datetime(["2026-04-02"] * 4), "source": ["tv", "tv", "friends", None]}
    )
    found = compare_exposures(shown, heard)
    assert found[["period", "touchpoint", "heard", "answered"]].values.tolist() == [
        ["2026Q1", "tv", 0, 0], ["2026Q2", "friends", 1, 3], ["2026Q2", "tv", 2, 3],
    ]  # fmt: skip
    assert found["shown"].tolist()[0] == 5 and np.isnan(found["shown"].tolist()[1])
    by_month = compare_exposures(shown, heard, span="month")
    assert by_month["period"].tolist() == ["2026-03", "2026-04", "2026-04"]
    nobody = compare_exposures(shown, heard.head(0))
    assert nobody["answered"].tolist() == [0, 0] and nobody["share"].isna().all()


def test_a_day_belongs_to_the_quarter_of_the_project_s_zone():
    late = pd.DataFrame({"day": [pd.Timestamp("2026-06-30 22:30").value // 1000], "touchpoint": "tv"})
    none = pd.DataFrame({"answered_at": [], "source": []})
    assert compare_exposures(late, none, time_zone="Europe/Berlin")["period"].tolist() == ["2026Q3"]
    assert compare_exposures(late, none)["period"].tolist() == ["2026Q2"]
