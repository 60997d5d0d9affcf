"""Features count what each customer did, in the unit of their name."""

from __future__ import annotations

import pandas as pd
import pytest

from journeylib.journey import split_into_sessions
from journeylib.personas import build_features

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
MONDAY = 4 * DAY  # 1970-01-05
#       customer, occurred_at, touchpoint, stage, device_type
ROWS = [
    ("a", MONDAY, "ad", "awareness", "mobile"),
    ("a", MONDAY + 4 * MINUTE, "cart", "decision", "mobile"),
    ("a", MONDAY + 2 * DAY, "home", "consideration", "desktop"),
    ("a", MONDAY + 5 * DAY + 17 * HOUR, "ad", "awareness", "mobile"),  # a Saturday, 17 in UTC, 18 in Berlin
    ("b", MONDAY, "home", "consideration", "desktop"),
    (None, MONDAY, "home", "consideration", "desktop"),
]
EVENTS = split_into_sessions(
    pd.DataFrame(ROWS, columns=["customer", "occurred_at", "touchpoint", "stage", "device_type"]).assign(
        name="n"
    )
)


def test_one_row_is_one_customer_with_enough_sessions_and_the_rest_is_counted() -> None:
    features = build_features(EVENTS, min_sessions=3)
    assert features.index.tolist() == ["a"]
    assert features.attrs == {"customers_seen": 2, "customers_left_out": 1, "min_sessions": 3}


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("session_count", 3),
        ("active_days", 3),
        ("events_per_session", 4 / 3),
        ("mean_session_minutes", 4),  # the two sessions of one event have no known length
        ("days_between_sessions", (5 + 17 / 24) / 2),
        ("weekend_share", 1 / 3),
        ("evening_share", 1 / 3),
        ("decision_session_share", 1 / 3),
        ("decision_share", 1 / 4),
        ("touchpoint_ad_share", 2 / 4),
        ("entry_ad_share", 2 / 3),
        ("device_mobile_share", 2 / 3),
        ("entry_cart_share", 0),
    ],
)
def test_feature_has_the_value_counted_by_hand(feature: str, expected: float) -> None:
    features = build_features(EVENTS, min_sessions=1, time_zone="Europe/Berlin")
    assert features.loc["a", feature] == pytest.approx(expected)


def test_a_customer_whose_sessions_have_one_event_has_no_length() -> None:
    features = build_features(EVENTS, min_sessions=1)
    assert features.loc["b", ["mean_session_minutes", "days_between_sessions"]].isna().all()


def test_the_evening_begins_at_eighteen_in_the_zone_also_in_summer() -> None:
    july = pd.Timestamp("2026-07-06 16:00", tz="UTC")  # 18 in Berlin
    times = [july, july - pd.Timedelta(seconds=1)]
    for at, expected in zip(times, [1.0, 0.0], strict=True):
        events = split_into_sessions(pd.DataFrame({"customer": ["a"], "occurred_at": [at], "name": "n"}))
        features = build_features(events, min_sessions=1, time_zone="Europe/Berlin")
        assert features.loc["a", "evening_share"] == expected


def test_without_a_zone_no_hour_is_read() -> None:
    assert "evening_share" not in build_features(EVENTS, min_sessions=1)


def test_the_window_keeps_its_start_and_leaves_out_its_end() -> None:
    window = {"start": MONDAY + 2 * DAY, "end": MONDAY + 5 * DAY + 17 * HOUR}
    features = build_features(EVENTS, **window, min_sessions=1)
    assert features["session_count"].to_dict() == {"a": 1.0}


def test_orders_and_contacts_in_the_window_are_counted_and_none_is_zero() -> None:
    orders = pd.DataFrame({"customer": ["a", "a", "x"], "ordered_at": [MONDAY, MONDAY - 1, MONDAY]})
    contacts = pd.DataFrame({"customer": [], "opened_at": pd.to_datetime([])})
    features = build_features(EVENTS, orders=orders, contacts=contacts, start=MONDAY, min_sessions=1)
    assert features["order_count"].to_dict() == {"a": 1.0, "b": 0.0}
    assert features["contact_count"].tolist() == [0.0, 0.0]


def test_frame_parquet_and_shuffled_rows_give_the_same_features(tmp_path) -> None:
    EVENTS.to_parquet(tmp_path / "events.parquet")
    expected = build_features(EVENTS, min_sessions=1)
    pd.testing.assert_frame_equal(build_features(tmp_path / "events.parquet", min_sessions=1), expected)
    shuffled = build_features(EVENTS.sample(frac=1, random_state=1), min_sessions=1)
    pd.testing.assert_frame_equal(shuffled, expected)


def test_another_window_gets_the_same_columns_so_that_it_can_be_predicted() -> None:
    first = build_features(EVENTS, min_sessions=1)
    later = build_features(EVENTS, start=MONDAY + DAY, min_sessions=1, like=first)
    assert list(later) == list(first)
    assert later.loc["a", "entry_ad_share"] == 0.5 and later.loc["a", "decision_share"] == 0.0


def test_segments_are_never_features() -> None:
    with_segment = EVENTS.assign(**{"segment.age": "old"})
    assert not [name for name in build_features(with_segment, min_sessions=1) if "age" in name.split("_")]


def test_no_customer_at_all_gives_no_rows() -> None:
    features = build_features(EVENTS.assign(customer=None), min_sessions=1)
    assert len(features) == 0 and features.attrs["customers_seen"] == 0


def test_events_without_sessions_are_refused_with_the_function_to_call() -> None:
    with pytest.raises(ValueError, match="call split_into_sessions first"):
        build_features(EVENTS.drop(columns=["session", "position"]))
