"""Paths: transitions within sessions, with their start and end."""

from __future__ import annotations

import pandas as pd
import pytest

from journeylib.journey import count_transitions, split_into_sessions

SECOND = 1_000_000


def read_counts(found: pd.DataFrame) -> dict[tuple[str, str], int]:
    return dict(zip(zip(found["from"], found["to"], strict=True), found["n"], strict=True))


def test_neighbours_within_a_session_are_counted_with_start_and_end(make_events):
    events = split_into_sessions(make_events("a 1 v\na 2 v\na 3 b\na 9000 v\nb 4 b"))
    assert read_counts(count_transitions(events, column="name")) == {
        ("(start)", "v"): 2,
        ("(start)", "b"): 1,
        ("v", "v"): 1,
        ("v", "b"): 1,
        ("v", "(end)"): 1,
        ("b", "(end)"): 2,
    }


def test_shares_are_of_all_that_leave_a_state_and_what_comes_leaves(make_events):
    text = "\n".join(f"{'abcd'[i % 4]} {(i * 997) % 20000} {'vcbx'[(i * 5) % 4]}" for i in range(70))
    found = count_transitions(split_into_sessions(make_events(text)), column="name")
    assert found.groupby("from")["share"].sum().tolist() == pytest.approx([100.0] * found["from"].nunique())
    left, came = found.groupby("from")["n"].sum(), found.groupby("to")["n"].sum()
    assert left.drop("(start)").to_dict() == came.drop("(end)").to_dict()
    assert left["(start)"] == came["(end)"]


def test_events_without_a_touchpoint_are_the_state_unmapped(make_events):
    events = split_into_sessions(make_events("a 1 v\na 2 x\na 3 y", touchpoint=["page", None, ""]))
    assert read_counts(count_transitions(events)) == {
        ("(start)", "page"): 1,
        ("page", "(unmapped)"): 1,
        ("(unmapped)", "(unmapped)"): 1,
        ("(unmapped)", "(end)"): 1,
    }


def test_a_session_counts_whole_in_the_period_in_which_it_starts(make_events):
    events = split_into_sessions(make_events("a 9 v\na 10 b\nb 10 v\nb 20 b\nc 20 v"))
    periods = {"reviewed": (10 * SECOND, 20 * SECOND), "previous": (0, 10 * SECOND)}
    found = count_transitions(events, column="name", periods=periods)
    assert found["which"].tolist() == ["reviewed"] * 3 + ["previous"] * 3
    assert found["n"].tolist() == [1] * 6


def test_the_most_frequent_come_first_and_rows_may_be_shuffled(make_events):
    text = "\n".join(f"{'abcd'[i % 4]} {(i * 997) % 20000} {'vcbx'[(i * 5) % 4]}" for i in range(70))
    events = split_into_sessions(make_events(text, event_id=range(70)))
    found = count_transitions(events, column="name")
    assert found["n"].is_monotonic_decreasing
    pd.testing.assert_frame_equal(
        found, count_transitions(events.sample(frac=1, random_state=2), column="name")
    )


def test_sessions_whose_order_is_not_known_are_left_out(make_events):
    events = make_events(
        "a 0 visit\na 0 ask\nb 0 visit\nc 5 v\nc 6 b", precision=["day"] * 3 + ["second"] * 2
    )
    found = count_transitions(split_into_sessions(events), column="name")
    assert read_counts(found) == {
        ("(start)", "visit"): 1,
        ("visit", "(end)"): 1,
        ("(start)", "v"): 1,
        ("v", "b"): 1,
        ("b", "(end)"): 1,
    }


def test_no_events_give_no_transitions(make_events):
    events = split_into_sessions(make_events("a 1 v"))
    assert count_transitions(events.iloc[:0], column="name").empty
    assert count_transitions(events, column="name", periods={"reviewed": (5, 9)}).empty
    assert len(count_transitions(events, column="name")) == 2


def test_transitions_need_sessions_and_touchpoints(make_events):
    with pytest.raises(ValueError, match="call split_into_sessions first"):
        count_transitions(make_events("a 1 v"), column="name")
    with pytest.raises(ValueError, match="call assign_touchpoints first"):
        count_transitions(split_into_sessions(make_events("a 1 v")))


def test_a_segment_column_can_be_followed(make_events):
    events = split_into_sessions(make_events("a 1 v\na 2 b").assign(**{"segment.page": ["x", "y"]}))
    assert ("x", "y") in read_counts(count_transitions(events, column="segment.page"))


def test_the_web_shops_transitions_equal_a_plain_count(web_shop):
    events = split_into_sessions(web_shop)
    found = read_counts(count_transitions(events, column="name"))
    ordered = events.sort_values(["session", "position"])
    plain = ordered.groupby(
        [ordered["name"], ordered.groupby("session")["name"].shift(-1).fillna("(end)")]
    ).size()
    assert {pair: n for pair, n in found.items() if pair[0] != "(start)"} == plain.to_dict()
    assert sum(n for (start, _), n in found.items() if start == "(start)") == 3605
