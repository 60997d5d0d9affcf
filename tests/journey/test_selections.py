"""Selections: patterns against a search by hand, time limits, and what must not come between."""

from __future__ import annotations

from itertools import combinations

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from journeylib.journey.customers import list_journey
from journeylib.journey.lost_units import list_lost
from journeylib.journey.selections import PatternStep, keep_customers, select_journeys

SECOND = 1_000_000
MINUTE = 60 * SECOND


def search_plainly(events, pattern, *, within=None):
    """Try every way to lay the pattern over each person's events, in plain Python."""
    found = {}
    for customer, lines in events.groupby("customer"):
        rows = list(
            lines.sort_values(["occurred_at", "name"])[["occurred_at", "name"]].itertuples(index=False)
        )
        for chosen in combinations(range(len(rows)), len(pattern)):
            holds = all(rows[at][1] == step.step for at, step in zip(chosen, pattern, strict=True))
            for (one, two), step in zip(zip(chosen, chosen[1:], strict=False), pattern[1:], strict=True):
                between = [name for _, name in rows[one + 1 : two]]
                holds &= not set(between) & set(step.without)
                holds &= not (step.directly and between)
                holds &= step.within is None or rows[two][0] - rows[one][0] <= step.within
            start, end = rows[chosen[0]][0], rows[chosen[-1]][0]
            holds &= within is None or end - start <= within
            if holds:
                best = found.get(customer, (0, 2**60))
                found[customer] = min(best, (start, end), key=lambda match: (match[1], -match[0]))
    return found


def name_steps(pattern):
    """Write a plain pattern as the function takes it: microseconds as Timedelta, names as events."""
    return [
        step._replace(
            step=f"event:{step.step}",
            without=tuple(f"event:{name}" for name in step.without),
            within=None if step.within is None else pd.Timedelta(microseconds=step.within),
        )
        for step in pattern
    ]


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "customer": [f"c{i}" for i in rng.integers(0, 60, 480)],
            "occurred_at": rng.integers(0, 40, 480) * SECOND,
            "name": rng.choice(list("abcd"), 480),
        }
    )


@pytest.mark.parametrize(
    "pattern",
    [
        [PatternStep("a"), PatternStep("b")],
        [PatternStep("a"), PatternStep("b", within=5 * SECOND)],
        [PatternStep("a"), PatternStep("b", without=("c",))],
        [PatternStep("a"), PatternStep("b", directly=True)],
        [PatternStep("a"), PatternStep("a", without=("b", "c")), PatternStep("d", within=9 * SECOND)],
        [PatternStep("a"), PatternStep("b", directly=True), PatternStep("c", without=("a",))],
        [PatternStep("a", without=("a",)), PatternStep("c", without=("a",), within=4 * SECOND)],
    ],
    ids=str,
)
@pytest.mark.parametrize("within", [None, 12 * SECOND])
def test_a_pattern_is_found_exactly_where_a_search_of_all_ways_finds_it(many, pattern, within):
    if pattern[0].without:
        pattern = [pattern[0]._replace(without=()), *pattern[1:]]
    window = None if within is None else pd.Timedelta(microseconds=within)
    found = select_journeys(many, name_steps(pattern), within=window)
    wanted = search_plainly(many, pattern, within=within)
    assert found["customer"].tolist() == sorted(wanted)
    assert (
        dict(zip(found["customer"], zip(found["started_at"], found["ended_at"], strict=True), strict=True))
        == wanted
    )
    assert 0 < len(found) < 60


def test_a_later_attempt_is_found_where_the_first_was_too_slow(make_events):
    events = make_events("a 0 view\na 100 view\na 130 buy")
    found = select_journeys(events, ["event:view", PatternStep("event:buy", within="30s")])
    assert found[["started_at", "ended_at"]].values.tolist() == [[100 * SECOND, 130 * SECOND]]


def test_exactly_the_limit_holds_and_one_second_more_does_not(make_events):
    events = make_events("a 0 view\na 3600 buy\nb 0 view\nb 3601 buy")
    step = PatternStep("event:buy", within="1h")
    assert select_journeys(events, ["event:view", step])["customer"].tolist() == ["a"]
    assert select_journeys(events, ["event:view", "event:buy"], within="1h")["customer"].tolist() == ["a"]


def test_a_step_that_comes_several_times_needs_as_many_events(make_events):
    events = make_events("a 0 view\na 1 view\na 2 buy\nb 0 view\nb 2 buy")
    pattern = [PatternStep("event:view", times=2), "event:buy"]
    assert select_journeys(events, pattern)["customer"].tolist() == ["a"]


def test_the_first_step_lies_in_the_period_and_nothing_after_as_of_counts(make_events):
    events = make_events("a 0 view\na 5 buy\nb 10 view\nb 12 buy\nc 10 view\nc 40 buy")
    pattern = ["event:view", "event:buy"]
    found = select_journeys(events, pattern, period=(10 * SECOND, 20 * SECOND), as_of=30 * SECOND)
    assert found["customer"].tolist() == ["b"]


def test_no_order_is_claimed_within_a_day(make_events):
    day = 86_400
    events = make_events(f"a 0 view\na 0 buy\nb 0 view\nb {day} buy", precision="day")
    assert select_journeys(events, ["event:view", "event:buy"])["customer"].tolist() == ["b"]
    assert select_journeys(events, ["event:buy", "event:view"])["customer"].tolist() == []


def test_shuffled_rows_and_every_way_in_select_the_same(many, tmp_path):
    pattern = ["event:a", PatternStep("event:b", without=("event:c",), within="9s")]
    wanted = select_journeys(many, pattern)
    shuffled = many.sample(frac=1, random_state=3)
    many.to_parquet(tmp_path / "events.parquet")
    relation = duckdb.from_arrow(pa.Table.from_pandas(many))
    for events in (shuffled, tmp_path / "events.parquet", relation):
        pd.testing.assert_frame_equal(select_journeys(events, pattern), wanted)


def test_empty_and_one_row_inputs_select_nobody_or_one(make_events):
    one = make_events("a 0 view")
    assert select_journeys(one, ["event:view"]).values.tolist() == [["a", 0, 0]]
    assert select_journeys(one.iloc[:0], ["event:view", "event:buy"]).empty


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ([], "a list of one step or more"),
        ("event:view", "a list of one step or more"),
        ([PatternStep("event:view", directly=True)], "nothing comes before it"),
        ([PatternStep("event:view", times=0)], "times must be 1 or more"),
        (["event:view", PatternStep("event:view", without="event:view")], "a list of steps"),
        (["event:view", PatternStep("event:view", within="0s")], "longer than nothing"),
        (["event:vew"], "did you mean 'view'"),
    ],
)
def test_a_pattern_that_makes_no_sense_is_refused(make_events, pattern, words):
    with pytest.raises(ValueError, match=words):
        select_journeys(make_events("a 0 view"), pattern)


def test_a_selection_keeps_its_events_and_the_others_the_rest(make_events, tmp_path):
    events = make_events("a 0 view\nb 1 view\n- 2 view", **{"segment.cohort": ["x", "y", "z"]})
    chosen = pd.DataFrame({"customer": ["b"]})
    assert keep_customers(events, chosen)["occurred_at"].tolist() == [SECOND]
    assert keep_customers(events, chosen, outside=True)["occurred_at"].tolist() == [0, 2 * SECOND]
    events.to_parquet(tmp_path / "events.parquet")
    kept = keep_customers(tmp_path / "events.parquet", chosen)
    assert kept.columns == list(events.columns)
    assert kept.fetchall() == [("b", SECOND, "view", "y")]
    others = keep_customers(tmp_path / "events.parquet", chosen, outside=True)
    assert sorted(row[1] for row in others.fetchall()) == [0, 2 * SECOND]


def test_who_was_lost_at_a_step_is_listed_with_when(make_events):
    events = make_events("a 0 view\na 5 cart\na 9 buy\nb 0 view\nb 7 cart\nc 0 view\nd 86399 view")
    found = list_lost(events, ["event:view", "event:cart", "event:buy"], step="event:buy")
    assert found.values.tolist() == [["b", 0, 7 * SECOND]]
    steps = ["event:view", "event:cart"]
    assert list_lost(events, steps, step="event:cart")["customer"].tolist() == ["c", "d"]
    closed = list_lost(events, steps, step="event:cart", within="1h", as_of=86_400 * SECOND)
    assert closed["customer"].tolist() == ["c"], "d's window is open still"
    with pytest.raises(ValueError, match="one after the first"):
        list_lost(events, steps, step="event:view")


def test_no_time_is_told_between_events_known_by_their_day(make_events):
    events = make_events("a 0 view\na 86400 view\na 90000 buy", precision=["second", "day", "second"])
    events = events.assign(session=1, position=[1, 2, 3])
    assert list_journey(events, "a")["minutes_since_last"].isna().all()
    told = list_journey(events.assign(precision="second"), "a")["minutes_since_last"]
    assert told.tolist()[1:] == [1440.0, 60.0]
