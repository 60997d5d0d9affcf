"""Funnels: three orders, three units, windows, censoring, ties, repeats, and the measures made of them."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest

from journeylib.evidence.estimates import estimate, estimate_from_sums
from journeylib.evidence.intervals import wilson_interval
from journeylib.journey import count_funnel, measure_funnel, split_into_sessions

SECOND = 1_000_000
DAY = 86_400 * SECOND
WEB_STEPS = [
    "catalog",
    "product_view",
    "add_to_cart",
    "cart",
    "shipping_details",
    "payment_details",
    "purchase",
]


def count_names(events: pd.DataFrame, *names: str, **options) -> list[int]:
    return count_funnel(events, [f"event:{name}" for name in names], **options)["n"].tolist()


def test_each_step_comes_later_than_the_one_before_with_anything_between(make_events):
    events = make_events("a 1 v\na 2 x\na 3 c\na 4 b\nb 1 c\nb 2 v\nb 3 b\nc 1 b\nc 2 c\nd 1 v")
    assert count_names(events, "v", "c", "b") == [3, 1, 1]


def test_one_event_serves_one_step_and_a_step_may_be_listed_again(make_events):
    events = make_events("a 1 v\na 2 b\nb 1 v\nb 2 v\nb 3 b\nc 1 v\nc 2 b\nc 3 v")
    assert count_names(events, "v", "v", "b") == [3, 2, 1]
    found = count_funnel(events, ["event:v", "event:v", "event:b"])
    assert found["label"].tolist() == ["event:v", "event:v (2)", "event:b"]


def test_repeated_events_do_not_break_the_count(make_events):
    events = make_events("a 1 v\na 2 v\na 3 c\na 4 c\na 5 b\na 6 b\nb 1 v\nb 2 b\nb 3 c\nb 4 b")
    assert count_names(events, "v", "c", "b") == [2, 2, 2]


def test_events_at_one_moment_are_ordered_by_sequence_then_event_id_then_name(make_events):
    events = make_events("a 1 v\na 1 b\nb 1 v\nb 1 b")
    assert count_names(events, "v", "b") == [2, 0]
    assert count_names(events.assign(sequence=[1, 2, 2, 1]), "v", "b") == [2, 1]
    assert count_names(events.assign(event_id=["1", "2", "2", "1"]), "v", "b") == [2, 1]


def test_shuffled_rows_give_the_same_funnel(make_events):
    text = "\n".join(f"{'abcde'[i % 5]} {(i * 37) % 100} {'vcbx'[(i * 7) % 4]}" for i in range(80))
    events = make_events(text)
    for order in ("ordered", "strict", "any"):
        plain = count_funnel(events, ["event:v", "event:c", "event:b"], order=order)
        mixed = count_funnel(
            events.sample(frac=1, random_state=3), ["event:v", "event:c", "event:b"], order=order
        )
        pd.testing.assert_frame_equal(plain, mixed)


def test_strict_wants_nothing_between_and_takes_the_longest_run(make_events):
    events = make_events("a 1 v\na 2 x\na 3 c\na 4 v\na 5 c\na 6 b\nb 1 v\nb 2 c\nb 3 x\nb 4 b\nc 1 c\nc 2 v")
    assert count_names(events, "v", "c", "b", order="strict") == [3, 2, 1]


def test_any_order_counts_the_steps_met_in_the_order_of_the_list(make_events):
    events = make_events("a 1 b\na 2 c\na 3 v\nb 1 b\nb 2 v\nc 1 v\nc 2 c\nd 1 c\nd 2 b")
    assert count_names(events, "v", "c", "b", order="any") == [3, 2, 1]


def test_any_order_wants_a_different_event_for_each_step(make_events):
    events = make_events("a 1 v\na 2 b\nb 1 v\nb 2 v\nb 3 b", stage="s")
    assert count_names(events, "v", "v", "b", order="any") == [2, 1, 1]
    mixed = count_funnel(events, ["event:v", "stage:s", "event:b"], order="any")
    assert mixed["n"].tolist() == [2, 2, 1]


def test_the_window_runs_from_the_entry_and_its_end_counts(make_events):
    events = make_events(f"a 0 v\na {86_400} b\nb 0 v\nb {86_401} b\nz {9 * 86_400} x")
    assert count_names(events, "v", "b", within="1D") == [2, 1]
    assert count_names(events, "v", "b", within=1) == [2, 1]
    assert count_names(events, "v", "b", within=pd.Timedelta(hours=25)) == [2, 2]


def test_the_window_starts_at_the_first_attempt_and_there_is_no_second(make_events):
    events = make_events(f"a 0 v\na {5 * 86_400} v\na {5 * 86_400 + 1} b\nz {9 * 86_400} x")
    assert count_names(events, "v", "b", within="1D") == [1, 0]


def test_entrants_whose_window_is_open_are_censored_even_if_they_converted(make_events):
    events = make_events(
        f"a 0 v\na 9 b\nb {2 * 86_400} v\nb {2 * 86_400 + 1} b\nc {86_400 + 1} v\nz {2 * 86_400 + 1} x"
    )
    found = count_funnel(events, ["event:v", "event:b"], within="1D")
    assert found["n"].tolist() == [2, 1]
    assert found["n_censored"].tolist() == [1, 1]
    later = count_funnel(events, ["event:v", "event:b"], within="1D", as_of=4 * DAY)
    assert (later["n"].tolist(), later["n_censored"].tolist()) == ([3, 2], [0, 0])


def test_what_happened_after_as_of_is_not_known(make_events):
    events = make_events("a 0 v\na 10 b\nb 5 v\nc 20 v")
    found = count_funnel(events, ["event:v", "event:b"], as_of=9 * SECOND)
    assert found["n"].tolist() == [2, 0]
    assert count_names(events, "v", "b", as_of="1970-01-01 00:00:10") == [2, 1]
    assert count_names(events, "v", "b", as_of=pd.Timestamp("1970-01-01 01:00:10", tz="Europe/Berlin")) == [
        2,
        1,
    ]


def test_entrants_enter_in_the_period_and_without_a_window_are_followed_to_its_end(make_events):
    events = make_events("a 5 v\na 15 v\na 25 b\nb 12 v\nb 19 b\nc 9 v\nc 12 b\nd 10 v\ne 20 v")
    periods = {"reviewed": (10 * SECOND, 20 * SECOND), "previous": (0, 10 * SECOND)}
    found = count_funnel(events, ["event:v", "event:b"], periods=periods)
    assert found[["which", "n"]].values.tolist() == [
        ["reviewed", 3],
        ["reviewed", 1],
        ["previous", 2],
        ["previous", 0],
    ]
    longer = count_funnel(events, ["event:v", "event:b"], periods=periods, within="10s")
    assert longer["n"].tolist() == [3, 2, 2, 1]
    assert longer["n_censored"].tolist() == [0, 0, 0, 0]


def test_sessions_are_followed_to_their_own_end(make_events):
    events = split_into_sessions(make_events("a 5 v\na 15 b\na 9000 v\nb 6 v\nb 9000 b"))
    periods = {"reviewed": (0, 10 * SECOND)}
    found = count_funnel(events, ["event:v", "event:b"], unit="sessions", periods=periods)
    assert found["n"].tolist() == [2, 1]
    assert count_names(events, "v", "b", unit="sessions") == [3, 1]
    assert count_names(events, "v", "b") == [2, 2]


def test_baskets_are_units_of_their_own(make_events):
    events = make_events(
        "a 1 add\na 2 pay\na 3 add\n- 4 add\n- 5 pay\na 6 x", basket=["k", "k", "l", "m", "m", None]
    )
    found = count_funnel(events, ["event:add", "event:pay"], unit="baskets")
    assert found["n"].tolist() == [3, 2]
    assert found["unit_of_analysis"].unique().tolist() == ["baskets"]


def test_events_without_a_customer_are_no_people(make_events):
    assert count_names(make_events("a 1 v\n- 2 v\n- 3 b\na 4 b"), "v", "b") == [1, 1]
    with pytest.raises(ValueError, match="no event has a customer"):
        count_names(make_events("- 1 v\n- 2 b"), "v", "b")


def test_no_order_is_claimed_within_a_day(make_events):
    day = 86_400
    events = make_events(f"a 0 v\na 0 w\nb 0 v\nb {day} w\nc 0 v\nc 50 w\nd 100 v\nd 0 w", precision="day")
    events.loc[[5, 6], "precision"] = "second"
    assert count_names(events, "v", "w") == [4, 1]
    assert count_names(events, "v", "w", order="strict") == [4, 1]
    assert count_names(events, "v", "w", order="any") == [4, 4]
    in_sequence = events.iloc[:2].assign(sequence=[1, 2])
    assert count_names(in_sequence, "v", "w") == [1, 1]


def test_the_projects_own_day_counts_where_it_is_known(make_events):
    events = make_events("a 0 v\na 3600 w", precision=["day", "second"])
    assert count_names(events, "v", "w") == [1, 0]
    assert count_names(events.assign(local_day=[0, 1]), "v", "w") == [1, 1]


def test_steps_name_touchpoints_events_and_stages(make_events):
    events = make_events(
        "a 1 v\na 2 c\na 3 b", touchpoint=["page", None, "till"], stage=["look", None, "buy"]
    )
    assert count_funnel(events, ["page", "event:c", "stage:buy"])["n"].tolist() == [1, 1, 1]
    assert count_funnel(events, ["stage:look", "till"])["n"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            ["event:v", "event:bye"],
            r"step 'event:bye' matches no event: .* did you mean 'buy'\? Found: buy, v",
        ),
        (["pag"], r"no touchpoint 'pag'; did you mean 'page'"),
        (["stage:x"], "lack the column"),
        ([], "steps must be a list of 1 to 20"),
        ("event:v", "steps must be a list"),
        (["event:v", " "], "step 2 is empty"),
        (["event:"], "step 1 is empty"),
    ],
)
def test_a_step_that_matches_nothing_is_refused_with_what_exists(make_events, steps, message):
    events = make_events("a 1 v\na 2 buy", touchpoint="page")
    with pytest.raises(ValueError, match=message):
        count_funnel(events, steps)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "visits"}, "unit must be one of people, sessions, baskets"),
        ({"order": "loose"}, "order must be one of ordered, strict, any"),
        ({"within": "0D"}, "within must be longer"),
        ({"unit": "sessions"}, "call split_into_sessions first"),
        ({"periods": {"reviewed": (2, 1)}}, "must end after it starts"),
        ({"by": "device"}, "lack the column"),
    ],
)
def test_unknown_options_are_refused(make_events, options, message):
    with pytest.raises(ValueError, match=message):
        count_funnel(make_events("a 1 v"), ["event:v"], **options)


def test_an_empty_table_gives_zeros_and_one_row_gives_one(make_events):
    one = make_events("a 1 v")
    found = count_funnel(one.iloc[:0], ["event:v", "event:b"])
    assert found["n"].tolist() == [0, 0]
    assert found["conversion"].isna().all()
    assert count_names(one, "v") == [1]


def test_rates_and_their_intervals_are_those_of_wilson(make_events):
    events = make_events("a 1 v\na 2 c\na 3 b\nb 1 v\nb 2 c\nc 1 v\nd 1 v")
    last = count_funnel(events, ["event:v", "event:c", "event:b"]).iloc[-1]
    assert (last["n"], last["entrants"], last["lost"]) == (1, 4, 1)
    assert (last["conversion"], last["step_conversion"], last["drop_off"]) == (25, 50, 50)
    assert (last["low"], last["high"]) == pytest.approx([100 * x for x in wilson_interval(1, 4)])
    low, high = wilson_interval(1, 2)
    assert (last["drop_off_low"], last["drop_off_high"]) == pytest.approx((100 - 100 * high, 100 - 100 * low))
    assert (last["n_effective"], last["step_n_effective"]) == (4, 2)


def test_sessions_of_one_person_count_as_less_than_as_many_people(make_events):
    lines = [f"a {i * 9000} v\na {i * 9000 + 1} b" for i in range(4)] + [f"b {i * 9000} v" for i in range(4)]
    lines += [f"c {i * 9000} v" for i in range(2)] + ["c 1 b"]
    events = split_into_sessions(make_events("\n".join(lines)))
    last = count_funnel(events, ["event:v", "event:b"], unit="sessions").iloc[-1]
    wanted = estimate_from_sums("share", [4, 0, 1], [4, 4, 2])
    assert last["n_effective"] == pytest.approx(wanted["n_effective"])
    assert last["n_effective"] < 10
    assert (last["low"], last["high"]) == pytest.approx((wanted["low"], wanted["high"]))


def test_segments_are_those_of_the_entry_and_add_up(make_events):
    events = make_events("a 1 v\na 2 b\nb 1 v\nc 1 v\nc 2 b")
    events["segment.cohort"] = ["x", "y", "y", None, "x"]
    found = count_funnel(events, ["event:v", "event:b"], by="segment.cohort")
    counts = found.set_index(["segment", "step"])["n"].unstack().to_dict("index")
    assert counts == {
        "": {1: 3, 2: 2},
        "cohort=(missing)": {1: 1, 2: 1},
        "cohort=x": {1: 1, 2: 1},
        "cohort=y": {1: 1, 2: 0},
    }


def test_counts_never_rise_and_any_is_at_least_ordered_is_at_least_strict():
    chance = random.Random(5)
    rows = [
        (chance.choice("abcdefgh"), chance.randrange(40) * SECOND, chance.choice("vcbx")) for _ in range(160)
    ]
    events = pd.DataFrame(rows, columns=["customer", "occurred_at", "name"])
    for steps in ("vcb", "vvb", "bcv", "vcv", "bbb"):
        counts = {order: count_names(events, *steps, order=order) for order in ("strict", "ordered", "any")}
        for numbers in counts.values():
            assert numbers == sorted(numbers, reverse=True)
        assert all(
            one <= two <= three
            for one, two, three in zip(counts["strict"], counts["ordered"], counts["any"], strict=True)
        )


def test_ordered_counts_equal_a_plain_greedy_count_on_random_logs(count_greedily):
    chance = random.Random(11)
    rows = [(chance.randrange(30), chance.randrange(400) * SECOND, chance.choice("vcbx")) for _ in range(500)]
    events = pd.DataFrame(rows, columns=["customer", "occurred_at", "name"])
    for steps in ("vcb", "vvb", "bcv", "vcvc"):
        assert count_names(events, *steps) == count_greedily(events, list(steps), "customer")


def test_positions_from_sessions_give_the_same_as_counting_anew(make_events):
    text = "\n".join(f"{'abcde'[i % 5]} {(i * 37) % 100} {'vcbx'[(i * 7) % 4]}" for i in range(80))
    events = split_into_sessions(make_events(text))
    plain = events.drop(columns=["position", "person_position"])
    for order in ("ordered", "strict", "any"):
        assert count_names(events, "v", "c", "b", order=order) == count_names(
            plain, "v", "c", "b", order=order
        )


def test_a_funnel_is_measured_for_the_review(make_events):
    events = make_events("a 1 v\na 2 b\nb 1 v\nc 1 v\na 11 v\nb 12 v\nb 13 b\nd 14 v\nd 15 b")
    periods = {"reviewed": (10 * SECOND, 20 * SECOND), "previous": (0, 10 * SECOND)}
    found = measure_funnel(events, "shop", ["event:v", "event:b"], periods=periods)
    rows = found.set_index(["metric", "item", "which"])
    assert rows.loc[("conversion_rate", "shop", "reviewed"), "value"] == pytest.approx(200 / 3)
    assert rows.loc[("conversion_rate", "shop", "previous"), "value"] == pytest.approx(100 / 3)
    assert rows.loc[("step_count", "shop/event:b", "reviewed"), ["value", "n"]].tolist() == [2, 2]
    assert rows.loc[("drop_off", "shop/event:b", "reviewed"), ["value", "n"]].tolist() == [
        pytest.approx(100 / 3),
        3,
    ]
    assert rows.loc[("step_conversion", "shop/event:b", "reviewed"), "value"] == pytest.approx(200 / 3)
    assert ("drop_off", "shop/event:v", "reviewed") not in rows.index
    assert set(found["unit_of_analysis"]) == {"people"}
    wanted = estimate("share", [0, 1, 1])
    assert rows.loc[("conversion_rate", "shop", "reviewed"), "low"] == pytest.approx(wanted["low"])


def test_people_in_both_periods_give_the_covariance(make_events):
    events = make_events("a 1 v\na 2 b\nb 1 v\nc 1 v\na 11 v\na 12 b\nb 12 v\nd 14 v")
    periods = {"reviewed": (10 * SECOND, 20 * SECOND), "previous": (0, 10 * SECOND)}
    found = measure_funnel(events, "shop", ["event:v", "event:b"], periods=periods)
    rate = found[found["metric"] == "conversion_rate"].set_index("which")
    # a and b are in both; influences (x - 1/3)/3 times sqrt(3/2)*sqrt(2/3), in percent squared.
    assert rate.loc["previous", "covariance"] == pytest.approx(10_000 * ((2 / 9) ** 2 + (1 / 9) ** 2))
    assert np.isnan(rate.loc["reviewed", "covariance"])


def test_a_measured_funnel_says_how_many_were_left_out(make_events):
    events = make_events(f"a 0 v\nb {86_400} v\nz {86_401} x")
    found = measure_funnel(events, "shop", ["event:v"], periods={"reviewed": (0, 9 * DAY)}, within="1D")
    assert found["note"].unique().tolist() == ["1 people left out, their window has not closed"]
    assert found["n"].tolist() == [1, 1]


def test_without_customers_a_funnel_on_people_has_no_rows(make_events):
    events = make_events("- 1 v\n- 2 b")
    assert measure_funnel(events, "shop", ["event:v"], periods={"reviewed": (0, DAY)}).empty
    with pytest.raises(ValueError, match="matches no event"):
        measure_funnel(events, "shop", ["event:w"], periods={"reviewed": (0, DAY)})


def test_a_period_without_entrants_has_no_rows(make_events):
    periods = {"reviewed": (0, 10 * SECOND), "previous": (-10 * SECOND, 0)}
    found = measure_funnel(make_events("a 1 v\na 2 b"), "shop", ["event:v", "event:b"], periods=periods)
    assert set(found["which"]) == {"reviewed"}
    assert measure_funnel(make_events("a 1 v").iloc[:0], "shop", ["event:v"], periods=periods).empty


@pytest.mark.parametrize(
    ("unit", "key", "counts"),
    [
        ("people", "customer", [600, 596, 502, 419, 315, 209, 109]),
        ("sessions", "session", [2837, 2108, 602, 271, 96, 27, 4]),
    ],
)
def test_the_web_shops_funnel_equals_an_independent_greedy_count(web_shop, count_greedily, unit, key, counts):
    events = split_into_sessions(web_shop)
    assert count_greedily(events, WEB_STEPS, key) == counts
    assert count_names(events, *WEB_STEPS, unit=unit) == counts
