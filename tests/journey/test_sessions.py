"""Sessions: the 30 minutes, given sessions, ties, days, missing columns, real logs."""

from __future__ import annotations

import pandas as pd
import pytest

from journeylib.journey import split_into_sessions

SECOND = 1_000_000
DAY = 86_400 * SECOND
ADDED = ["session", "position", "person_position"]


def number_sessions(events: pd.DataFrame) -> list[int]:
    """Number the sessions 1, 2, ... in the order of their first event."""
    starts = events.groupby("session")["occurred_at"].min().sort_values(kind="stable")
    return events["session"].map({session: place for place, session in enumerate(starts.index, 1)}).tolist()


# The four cases of reference_values/sessionize.json (convention: a gap strictly greater than 30 minutes).
@pytest.mark.parametrize(
    ("times", "sessions"),
    [
        ([0, 1800, 3601], [1, 1, 2]),
        (["2026-03-31T23:50:00Z", "2026-04-01T00:05:00Z", "2026-04-01T00:40:00Z"], [1, 1, 2]),
        (["2026-03-29T00:50:00Z", "2026-03-29T01:05:00Z"], [1, 1]),
    ],
    ids=["boundary", "midnight", "summer time"],
)
def test_a_gap_of_exactly_30_minutes_goes_on_and_one_second_more_starts_anew(times, sessions):
    stamps = pd.to_datetime(times, unit="s" if isinstance(times[0], int) else None, utc=True)
    events = pd.DataFrame({"customer": "a", "occurred_at": stamps, "name": "view"})
    assert number_sessions(split_into_sessions(events)) == sessions


def test_late_rows_give_the_same_sessions_as_sorted_rows():
    events = pd.DataFrame({"customer": "a", "occurred_at": [0, 1800 * SECOND, 3601 * SECOND], "name": "view"})
    late = events.iloc[[2, 0, 1]]
    found = split_into_sessions(late)
    assert found.index.tolist() == [2, 0, 1]
    pd.testing.assert_frame_equal(found.sort_index(), split_into_sessions(events))


def test_a_local_night_hour_that_summer_time_skips_is_no_gap():
    local = pd.to_datetime(["2026-03-29 01:50", "2026-03-29 03:05"]).tz_localize("Europe/Berlin")
    events = pd.DataFrame({"customer": "a", "occurred_at": local, "name": "view"})
    assert number_sessions(split_into_sessions(events)) == [1, 1]


def test_the_gap_is_counted_from_the_last_event_and_can_be_chosen(make_events):
    events = make_events("a 0 view\na 1500 view\na 3000 view\na 4500 view")
    assert split_into_sessions(events)["session"].nunique() == 1
    assert split_into_sessions(events, gap_minutes=15)["session"].nunique() == 4
    with pytest.raises(ValueError, match="gap_minutes must be 0 or more"):
        split_into_sessions(events, gap_minutes=-1)


def test_people_with_the_same_times_have_their_own_sessions(make_events):
    found = split_into_sessions(make_events("a 0 view\nb 0 view\na 5 buy\nb 6 buy"))
    assert found.groupby("session")["customer"].agg(["nunique", "first"]).values.tolist() == [
        [1, "a"],
        [1, "b"],
    ]
    assert found["person_position"].tolist() == [1, 1, 2, 2]


def test_a_given_session_spans_any_gap_and_splits_where_no_gap_is(make_events):
    events = make_events("a 0 view\na 9000 view\na 9001 view\na 9002 view")
    events["session_given"] = ["s1", "s1", "s2", None]
    found = split_into_sessions(events)
    assert found["session"].nunique() == 3
    assert found["position"].tolist() == [1, 2, 1, 1]
    assert found["person_position"].tolist() == [1, 2, 3, 4]
    computed = split_into_sessions(events, respect_given=False)
    assert number_sessions(computed) == [1, 2, 2, 2]


def test_interleaved_given_sessions_stay_whole(make_events):
    events = make_events("a 0 view\na 1 view\na 2 view\na 3 view", session_given=["p", "q", "p", "q"])
    found = split_into_sessions(events)
    assert found.groupby("session_given")["session"].nunique().tolist() == [1, 1]
    assert found["position"].tolist() == [1, 1, 2, 2]


def test_the_same_given_session_of_two_people_is_two_sessions(make_events):
    found = split_into_sessions(make_events("a 0 view\nb 1 view\na 2 view", session_given="s1"))
    assert found["session"].nunique() == 2
    assert found["position"].tolist() == [1, 1, 2]


def test_the_person_is_the_customer_else_the_device_else_the_given_session(make_events):
    events = make_events("a 0 view\n- 1 view\n- 2 view\n- 3 view\n- 4 view")
    events["device_id"] = ["d1", "d1", "d1", None, None]
    events["session_given"] = [None, None, None, "a", "a"]
    found = split_into_sessions(events)
    assert number_sessions(found) == [1, 2, 2, 3, 3]
    assert found["person_position"].tolist() == [1, pd.NA, pd.NA, pd.NA, pd.NA]


def test_an_event_without_any_person_is_a_session_of_its_own(make_events):
    found = split_into_sessions(make_events("- 0 view\n- 1 view\na 2 view"))
    assert found["session"].nunique() == 3
    assert found["position"].tolist() == [1, 1, 1]


def test_ties_are_settled_by_sequence_then_event_id_then_name(make_events):
    events = make_events("a 0 e\na 0 d\na 0 c\na 0 b\na 0 a")
    events["sequence"] = [1, 2, None, None, None]
    events["event_id"] = ["9", "9", "1", "2", "2"]
    found = split_into_sessions(events)
    assert found.sort_values("position")["name"].tolist() == ["e", "d", "c", "a", "b"]


def test_shuffled_rows_give_the_same_sessions(make_events):
    text = "\n".join(f"{'abc'[i % 3]} {(i * 700) % 9000} {'xyz'[i % 2]}" for i in range(40))
    events = make_events(text, event_id=[f"e{i}" for i in range(40)])
    plain = split_into_sessions(events)
    for seed in range(5):
        found = split_into_sessions(events.sample(frac=1, random_state=seed))
        pd.testing.assert_frame_equal(found.sort_index(), plain)


def test_events_of_one_day_without_a_time_are_one_session_apart_from_the_clicks(make_events):
    events = make_events(f"a 0 visit\na 0 ask\na 60 click\na {86_400} visit\nb 0 visit")
    events["precision"] = ["day", "day", "second", "day", "day"]
    found = split_into_sessions(events)
    assert found["session"].nunique() == 4
    assert found.loc[[0, 1], "session"].nunique() == 1
    assert found.loc[2, "position"] == 1


def test_days_with_a_given_session_and_a_sequence_keep_both(make_events):
    events = make_events("- 0 click\n- 0 click\n- 0 click", precision="day")
    events = events.assign(session_given="s", sequence=[3, 1, 2])
    found = split_into_sessions(events)
    assert found["session"].nunique() == 1
    assert found["position"].tolist() == [3, 1, 2]


def test_an_empty_table_gives_an_empty_table_with_the_columns(make_events):
    events = make_events("a 0 view").iloc[:0]
    found = split_into_sessions(events)
    assert len(found) == 0
    assert found.columns.tolist() == ["customer", "occurred_at", "name", *ADDED]


def test_one_row_is_one_session(make_events):
    found = split_into_sessions(make_events("a 7 view"))
    assert found[ADDED].values.tolist() == [[1, 1, 1]]


def test_the_callers_frame_is_not_touched_and_older_columns_are_overwritten(make_events):
    events = make_events("a 0 view\na 1 view", session=99, other=[1.5, None])
    before = events.copy()
    found = split_into_sessions(events)
    pd.testing.assert_frame_equal(events, before)
    assert found["session"].tolist() == [1, 1]
    assert found["other"].equals(events["other"])


def test_numbers_and_categories_serve_as_customers():
    events = pd.DataFrame({"customer": [2, 1, 2], "occurred_at": [0, 0, 1], "name": "view"})
    assert split_into_sessions(events)["position"].tolist() == [1, 1, 2]
    labelled = events.astype({"customer": "category", "name": "category"})
    assert split_into_sessions(labelled)["position"].tolist() == [1, 1, 2]
    mixed = events.assign(customer=pd.Series([2, "2x", 2], dtype=object))
    assert split_into_sessions(mixed)["position"].tolist() == [1, 1, 2]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"occurred_at": pd.to_datetime(["2026-01-01", None])},
            ValueError,
            "occurred_at is missing in 1 of 2",
        ),
        ({"occurred_at": ["2026-01-01", "2026-01-02"]}, TypeError, "must be datetime64 or int64"),
        ({"name": None}, ValueError, "lack the column"),
    ],
    ids=["no time", "text", "no name"],
)
def test_events_that_cannot_be_ordered_are_refused(make_events, change, error, message):
    events = make_events("a 0 view\na 1 view").assign(**change)
    events = events.drop(columns=[name for name, value in change.items() if value is None])
    with pytest.raises(error, match=message):
        split_into_sessions(events)


def test_session_numbers_are_unique_over_the_table_and_whole(make_events):
    text = "\n".join(f"{'abcd'[i % 4]} {i * 1300} view" for i in range(60))
    found = split_into_sessions(make_events(text))
    assert found["session"].dtype == "int64"
    assert found.groupby("session")["customer"].nunique().max() == 1
    positions = found.sort_values("position").groupby("session")["position"].agg(list)
    assert all(place == list(range(1, len(place) + 1)) for place in positions)


def test_the_web_shop_has_3605_sessions_given_and_computed_alike(web_shop):
    given = split_into_sessions(web_shop)
    computed = split_into_sessions(web_shop, respect_given=False)
    without = split_into_sessions(web_shop.drop(columns="session_given"))
    assert [frame["session"].nunique() for frame in (given, computed, without)] == [3605, 3605, 3605]
    assert given.groupby("session_given")["session"].nunique().max() == 1
    pairs = pd.DataFrame({"given": given["session"], "computed": computed["session"]}).drop_duplicates()
    assert len(pairs) == 3605


def test_the_clothes_shop_has_24026_sessions_of_6_887_clicks(clothes_shop):
    found = split_into_sessions(clothes_shop)
    sizes = found.groupby("session").size()
    assert len(sizes) == 24_026
    assert round(sizes.mean(), 3) == 6.887
    assert sizes.max() == 195
    assert (found["position"] == found["sequence"]).all()
    assert found["person_position"].isna().all()
