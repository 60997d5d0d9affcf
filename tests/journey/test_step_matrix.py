"""Step matrix, loops and times between states, against plain loops."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import mean, median

import duckdb
import pandas as pd
import pytest

from journeylib.evidence.estimates import estimate
from journeylib.journey import count_transitions, split_into_sessions
from journeylib.journey.step_matrix import count_loops, count_steps, time_transitions

SECOND = 1_000_000
MINUTE = 60 * SECOND


@pytest.fixture(scope="module")
def sessions(make_events) -> pd.DataFrame:
    """90 events of 5 people, ties in time among them, some states missing."""
    lines = [f"{'abcde'[i % 5]} {(i * 997) % 21000 // 7 * 7} {'vcbx'[(i * i) % 4]}" for i in range(90)]
    states = [[None, "page", "till", "page", "help"][(i * 7 + i // 4) % 5] for i in range(90)]
    return split_into_sessions(make_events("\n".join(lines), event_id=range(90), touchpoint=states))


def list_states(events: pd.DataFrame, key: str, order: str, *, collapse: bool = False) -> dict:
    """List (state, time) of each unit in order, by loops."""
    units: dict = defaultdict(list)
    for row in events.sort_values(order).to_dict("records"):
        state = row["touchpoint"] if pd.notna(row["touchpoint"]) else "(unmapped)"
        if not collapse or not units[row[key]] or units[row[key]][-1][0] != state:
            units[row[key]].append((state, row["occurred_at"]))
    return units


@pytest.mark.parametrize("unit", ["sessions", "people"])
@pytest.mark.parametrize("collapse", [True, False])
def test_the_step_matrix_equals_a_plain_count(sessions, unit, collapse):
    key = ("session", "position") if unit == "sessions" else ("customer", "person_position")
    units = list_states(sessions, *key, collapse=collapse)
    found = count_steps(sessions, unit=unit, collapse=collapse, most_steps=6)
    wanted = Counter(
        (step, unit[step - 1][0] if step <= len(unit) else "(end)")
        for unit in units.values()
        for step in range(1, 7)
    )
    assert dict(zip(zip(found["step"], found["state"], strict=True), found["n"], strict=True)) == dict(wanted)
    assert found.groupby("step")["share"].sum().tolist() == pytest.approx([100.0] * 6)
    assert found.groupby("step")["n"].sum().unique().tolist() == [len(units)]


def test_units_that_are_over_only_grow(sessions):
    found = count_steps(sessions, most_steps=30)
    over = found[found["state"] == "(end)"].set_index("step")["n"]
    assert over.is_monotonic_increasing
    assert over.loc[30] == sessions["session"].nunique()


def test_a_session_counts_whole_in_the_period_in_which_it_starts(make_events):
    events = split_into_sessions(make_events("a 9 v\na 10 b\nb 10 v"))
    periods = {"reviewed": (10 * SECOND, 20 * SECOND), "previous": (0, 10 * SECOND)}
    found = count_steps(events, column="name", most_steps=2, periods=periods)
    rows = found[["which", "step", "state", "n"]].values.tolist()
    assert rows == [
        ["reviewed", 1, "v", 1],
        ["reviewed", 2, "(end)", 1],
        ["previous", 1, "v", 1],
        ["previous", 2, "b", 1],
    ]


def test_people_s_steps_are_numbered_within_the_period(make_events):
    events = split_into_sessions(make_events("a 9 v\na 10 b\nb 10 v"))
    found = count_steps(
        events, column="name", unit="people", most_steps=1, periods={"reviewed": (10**7, 10**8)}
    )
    assert found[["state", "n"]].values.tolist() == [["b", 1], ["v", 1]]


def test_steps_follow_each_other_though_events_were_taken_out(sessions):
    kept = sessions[sessions["touchpoint"].notna()]
    found = count_steps(kept, most_steps=3)
    assert found[found["step"] == 1]["n"].sum() == kept["session"].nunique()
    assert (found[found["state"] == "(unmapped)"]).empty


def test_loops_equal_a_plain_count(sessions):
    found = count_loops(sessions).set_index("state")
    assert (found["n"] == found["units"] + found["repeats"] + found["returns"]).all()
    units = list_states(sessions, "session", "position")
    for state, row in found.iterrows():
        held = [[name for name, _ in unit] for unit in units.values() if state in dict(unit)]
        repeats = sum(a == b == state for names in held for a, b in zip(names, names[1:], strict=False))
        runs = [
            sum(name == state and (not i or names[i - 1] != state) for i, name in enumerate(names))
            for names in held
        ]
        assert [row["units"], row["repeats"]] == [len(held), repeats]
        assert [row["returns"], row["units_returning"]] == [
            sum(runs) - len(runs),
            sum(run > 1 for run in runs),
        ]


def test_the_share_that_comes_back_has_its_interval_by_person(sessions):
    row = count_loops(sessions).set_index("state").loc["page"]
    units = list_states(sessions, "session", "position")
    owner = sessions.drop_duplicates("session").set_index("session")["customer"]
    held = {key: [name for name, _ in unit] for key, unit in units.items() if "page" in dict(unit)}
    back = [
        sum(name == "page" and (not i or names[i - 1] != "page") for i, name in enumerate(names)) > 1
        for names in held.values()
    ]
    wanted = estimate("share", [float(value) for value in back], people=[owner[key] for key in held])
    assert row[["return_share", "low", "high", "n_effective"]].tolist() == pytest.approx(
        [wanted[name] for name in ("value", "low", "high", "n_effective")]
    )
    assert row["n_effective"] != row["units"]


def test_times_between_states_equal_plain_medians_and_counts_those_of_transitions(sessions):
    gaps = defaultdict(list)
    for unit in list_states(sessions, "session", "position").values():
        for (here, before), (there, after) in zip(unit, unit[1:], strict=False):
            gaps[here, there].append((after - before) / MINUTE)
    found = time_transitions(sessions)
    inner = found[(found["from"] != "(start)") & (found["to"] != "(end)")]
    rows = inner.set_index(["from", "to"])[["n", "median_minutes", "mean_minutes"]]
    assert {pair: tuple(row) for pair, row in rows.iterrows()} == {
        pair: pytest.approx((len(times), median(times), mean(times))) for pair, times in gaps.items()
    }
    ends = found.drop(inner.index)
    assert ends["median_minutes"].isna().all() and ends["mean_minutes"].isna().all()
    pd.testing.assert_frame_equal(found[["which", "from", "to", "n", "share"]], count_transitions(sessions))


def test_units_whose_order_is_not_known_are_left_out(make_events):
    events = make_events("a 0 v\na 0 b\nb 0 v\nc 5 v", precision=["day", "day", "day", "second"])
    found = count_steps(split_into_sessions(events), column="name", most_steps=1)
    assert found["n"].tolist() == [2]


@pytest.mark.parametrize("count", [count_steps, count_loops, time_transitions])
def test_rows_may_be_shuffled_and_come_in_any_form(sessions, count, tmp_path):
    wanted = count(sessions)
    sessions.to_parquet(tmp_path / "events.parquet")
    for events in (
        sessions.sample(frac=1, random_state=3),
        tmp_path / "events.parquet",
        duckdb.from_df(sessions),
    ):
        pd.testing.assert_frame_equal(count(events), wanted)


@pytest.mark.parametrize("count", [count_steps, count_loops, time_transitions])
def test_no_events_and_one_event_give_what_there_is(sessions, count):
    assert count(sessions.iloc[:0]).empty
    assert count(sessions.iloc[:1])["n"].unique().tolist() == [1]


def test_what_is_wrong_is_said_in_a_sentence(make_events):
    with pytest.raises(ValueError, match="call split_into_sessions first"):
        count_steps(make_events("a 1 v"), column="name")
    events = split_into_sessions(make_events("- 1 v"))
    with pytest.raises(ValueError, match="no event has a customer"):
        count_steps(events, column="name", unit="people")
    with pytest.raises(ValueError, match="unit must be one of people, sessions"):
        count_steps(events, column="name", unit="baskets")
    with pytest.raises(ValueError, match="most_steps must be 1 or more"):
        count_steps(events, column="name", most_steps=0)


def test_the_web_shop_s_steps_equal_a_plain_count(web_shop):
    events = split_into_sessions(web_shop)
    found = count_steps(events, column="name", most_steps=5)
    plain = events[events["position"] <= 5].groupby(["position", "name"]).size()
    inner = found[found["state"] != "(end)"].set_index(["step", "state"])["n"]
    assert inner.sort_index().to_dict() == plain.to_dict()
    assert found.groupby("step")["n"].sum().unique().tolist() == [3605]
