"""Summaries: one row a session, and the measures on sessions with their clustered intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.evidence.estimates import covariance, estimate, sum_by_person
from journeylib.journey import measure_sessions, split_into_sessions, summarise_sessions

SECOND = 1_000_000
HOUR = 3600 * SECOND
PERIODS = {"reviewed": (10 * HOUR, 20 * HOUR), "previous": (0, 10 * HOUR)}


@pytest.fixture
def events(make_events):
    """a: sessions of 2 and 1 events before, 1 in the period; b: 3 and 1 in it; c: 1 before."""
    text = f"""
    a 0 view
    a 60 buy
    a 9000 view
    a {11 * 3600} view
    b {12 * 3600} view
    b {12 * 3600 + 1} view
    b {12 * 3600 + 2} buy
    b {15 * 3600} view
    c 500 view
    """
    made = make_events(text, device=["x", "y", "x", "x", "x", "x", "y", None, "x"])
    return split_into_sessions(made.assign(touchpoint=made["name"].replace("view", "page")))


def look_up(table: pd.DataFrame, metric: str, which: str = "reviewed", segment: str = "") -> pd.Series:
    keys = (table["metric"] == metric) & (table["which"] == which) & (table["segment"] == segment)
    return table[keys].squeeze()


def test_a_session_is_summarised_in_one_row(events):
    found = summarise_sessions(events.rename(columns={"device": "segment.device"}))
    assert len(found) == 6
    first = found.iloc[0]
    assert first["customer"] == "a"
    assert (first["started_at"], first["ended_at"], first["n_events"]) == (0, 60 * SECOND, 2)
    assert (first["first_touchpoint"], first["last_touchpoint"]) == ("page", "buy")
    assert first["segment.device"] == "x"


def test_summaries_do_not_depend_on_the_order_of_rows(events):
    pd.testing.assert_frame_equal(
        summarise_sessions(events.sample(frac=1, random_state=1), by=["device"]),
        summarise_sessions(events, by=["device"]),
    )


def test_summaries_need_sessions(make_events):
    with pytest.raises(ValueError, match="call split_into_sessions first"):
        summarise_sessions(make_events("a 0 view"))


def test_sessions_customers_length_and_bounces_are_measured(events):
    found = measure_sessions(events, periods=PERIODS)
    values = {metric: look_up(found, metric)["value"] for metric in found["metric"].unique()}
    assert values == {
        "session_count": 3,
        "customer_count": 2,
        "events_per_session": 5 / 3,
        "bounce_rate": pytest.approx(200 / 3),
    }
    before = {metric: look_up(found, metric, "previous")["value"] for metric in found["metric"].unique()}
    assert before["session_count"] == 3
    assert before["events_per_session"] == 4 / 3
    assert found["unit_of_analysis"].unique().tolist() == ["sessions", "people"]


def test_intervals_and_covariance_are_those_of_sums_by_person(events):
    found = measure_sessions(events, periods=PERIODS)
    now = sum_by_person([1, 0, 1], people=["a", "b", "b"])
    before = sum_by_person([0, 1, 1], people=["a", "a", "c"])
    row, other = look_up(found, "bounce_rate"), look_up(found, "bounce_rate", "previous")
    wanted = estimate("share", [1, 0, 1], people=["a", "b", "b"])
    assert [row["low"], row["high"], row["n_effective"]] == pytest.approx(
        [wanted["low"], wanted["high"], wanted["n_effective"]]
    )
    assert np.isnan(row["covariance"])
    assert other["covariance"] == pytest.approx(covariance("share", now, before))
    length = look_up(found, "events_per_session")
    wanted = estimate("mean", [1, 3, 1], people=["a", "b", "b"])
    assert [length["spread"], length["low"], length["high"]] == pytest.approx(
        [wanted["spread"], wanted["low"], wanted["high"]]
    )


def test_a_session_belongs_to_the_period_in_which_it_starts(make_events):
    text = f"a {10 * 3600 - 1} view\na {10 * 3600} view\na {20 * 3600 - 1} view\na {20 * 3600} view"
    found = measure_sessions(split_into_sessions(make_events(text)), periods=PERIODS)
    for which in PERIODS:
        assert look_up(found, "session_count", which)["value"] == 1
        assert look_up(found, "events_per_session", which)["value"] == 2


def test_overlapping_and_equal_periods_are_counted_each(events):
    periods = {**PERIODS, "year_ago": PERIODS["previous"], "reviewed": (0, 20 * HOUR)}
    found = measure_sessions(events, periods=periods)
    counts = {which: look_up(found, "session_count", which)["value"] for which in periods}
    assert counts == {"reviewed": 6, "previous": 3, "year_ago": 3}
    assert look_up(found, "customer_count")["value"] == 3


def test_segments_are_those_of_the_first_event_and_add_up(events):
    renamed = events.rename(columns={"device": "segment.device"})
    found = measure_sessions(renamed, periods=PERIODS, by=["segment.device"])
    assert sorted(found["segment"].unique()) == ["", "device=(missing)", "device=x"]
    counts = found[(found["metric"] == "session_count") & (found["which"] == "reviewed")]
    assert counts.set_index("segment")["value"].to_dict() == {"": 3, "device=(missing)": 1, "device=x": 2}


def test_without_any_customer_nothing_is_said_about_people(make_events):
    events = split_into_sessions(make_events("- 0 view\n- 1 view\n- 9 view", device_id=["d", "d", "e"]))
    found = measure_sessions(events, periods=PERIODS | {"reviewed": (0, HOUR)})
    assert "people" not in set(found["unit_of_analysis"])
    assert "customer_count" not in set(found["metric"])
    assert look_up(found, "session_count")["value"] == 2


def test_a_device_is_a_cluster_but_no_customer(make_events):
    text = "- 0 view\n- 9000 view\n- 18000 view\n- 27000 view"
    events = split_into_sessions(make_events(text, device_id=["d", "d", "d", "e"]))
    row = look_up(measure_sessions(events, periods={"reviewed": (0, 20 * HOUR)}), "session_count")
    assert (row["value"], row["n_effective"]) == (4, 16 / 10)


def test_empty_tables_and_empty_periods_give_no_rows(events):
    assert measure_sessions(events.iloc[:0], periods=PERIODS).empty
    found = measure_sessions(events, periods={"reviewed": (90 * HOUR, 91 * HOUR)}, by=["device"])
    assert found.empty
    assert "covariance" in found.columns


def test_a_period_that_ends_before_it_starts_is_refused(events):
    with pytest.raises(ValueError, match="period 'reviewed' must end after it starts"):
        measure_sessions(events, periods={"reviewed": (5, 5)})


def test_the_clothes_shops_second_quarter_has_17031_sessions_of_6_817_clicks(clothes_shop):
    quarter = tuple(pd.Timestamp(day).value // 1000 for day in ("2008-04-01", "2008-07-01"))
    found = measure_sessions(split_into_sessions(clothes_shop), periods={"reviewed": quarter})
    assert look_up(found, "session_count")["value"] == 17_031
    assert round(look_up(found, "events_per_session")["value"], 3) == 6.817
    assert set(found["unit_of_analysis"]) == {"sessions"}
