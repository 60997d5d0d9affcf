"""Stage order: pairs, steps back, and distance to the expected journey, against plain definitions."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import cache

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from journeylib.evidence.estimates import estimate_from_sums
from journeylib.journey import split_into_sessions
from journeylib.journey.stage_order import (
    _fill_codes,
    _shuffle_visits,
    compare_with_allowed,
    measure_stage_order,
)

ORDER = ["see", "want", "buy", "use"]
METRICS = ["stage_order_score", "backward_step_share", "journey_conformance"]


def make_stages(text: str) -> pd.DataFrame:
    """Read lines of `customer stage stage ...`, one event a second."""
    rows = [
        (line.split()[0], place, stage)
        for line in text.strip().splitlines()
        for place, stage in enumerate(line.split()[1:])
    ]
    events = pd.DataFrame(rows, columns=["customer", "occurred_at", "stage"])
    return events.assign(name="x", occurred_at=events["occurred_at"] * 1_000_000)


def make_random(seed: int, people: int = 30) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    lines = [
        f"p{person} " + " ".join(generator.choice([*ORDER, "other"], generator.integers(1, 9)))
        for person in range(people)
    ]
    return make_stages("\n".join(lines))


def read_values(found: pd.DataFrame) -> dict[str, float]:
    return dict(zip(found["metric"], found["value"], strict=True))


@cache
def count_edits(one: tuple, two: tuple) -> int:
    """Levenshtein's distance by its recursive definition."""
    if not one or not two:
        return len(one) + len(two)
    return min(
        count_edits(one[1:], two) + 1,
        count_edits(one, two[1:]) + 1,
        count_edits(one[1:], two[1:]) + (one[0] != two[0]),
    )


def score_plainly(events: pd.DataFrame, allowed: list[tuple[str, ...]]) -> pd.DataFrame:
    """One row a person: pairs, pairs in order, moves, moves back, conformance."""
    rows = []
    for _, stages in events.sort_values("occurred_at").groupby("customer")["stage"]:
        visits = tuple(stage for stage, _ in itertools.groupby(stage for stage in stages if stage in ORDER))
        if not visits:
            continue
        first = {stage: visits.index(stage) for stage in visits}
        pairs = [(a, b) for a, b in itertools.combinations(ORDER, 2) if a in first and b in first]
        moves = [(ORDER.index(a), ORDER.index(b)) for a, b in itertools.pairwise(visits)]
        near = max(1 - count_edits(visits, path) / max(len(visits), len(path)) for path in allowed)
        in_order = sum(first[a] < first[b] for a, b in pairs)
        rows.append((len(pairs), in_order, len(moves), sum(a > b for a, b in moves), 100 * near))
    return pd.DataFrame(rows, columns=["pairs", "in_order", "moves", "back", "conformance"])


@pytest.mark.parametrize("allowed", [[tuple(ORDER)], [("see", "buy"), ("want", "buy", "use")]])
def test_the_three_measures_equal_their_plain_definitions_and_intervals(allowed):
    events = make_random(1)
    found = measure_stage_order(events, ORDER, allowed=allowed).set_index("metric")
    plain = score_plainly(events, allowed)
    wanted = [
        estimate_from_sums("share", plain["in_order"], plain["pairs"]),
        estimate_from_sums("share", plain["back"], plain["moves"]),
        estimate_from_sums("mean", plain["conformance"], [1] * len(plain), squares=plain["conformance"] ** 2),
    ]
    for metric, row in zip(METRICS, wanted, strict=True):
        columns = ["value", "low", "high", "n", "n_effective"]
        assert found.loc[metric, columns].tolist() == pytest.approx([row[column] for column in columns]), (
            metric
        )


def test_journeys_as_expected_are_100_and_reversed_ones_0():
    assert read_values(measure_stage_order(make_stages("a see want buy use"), ORDER)) == {
        "stage_order_score": 100,
        "backward_step_share": 0,
        "journey_conformance": 100,
    }
    reversed_ones = read_values(measure_stage_order(make_stages("a use buy want see"), ORDER))
    assert [reversed_ones["stage_order_score"], reversed_ones["backward_step_share"]] == [0, 100]


def test_only_the_first_reach_of_a_stage_counts_for_pairs_but_every_change_for_steps_back():
    values = read_values(measure_stage_order(make_stages("a see want see want buy"), ORDER))
    assert values["stage_order_score"] == 100
    assert values["backward_step_share"] == pytest.approx(25)


def test_runs_and_stages_outside_the_order_are_no_changes():
    plain = measure_stage_order(make_stages("a see want buy"), ORDER)
    longer = measure_stage_order(make_stages("a see see other see want other buy buy"), ORDER)
    pd.testing.assert_frame_equal(plain, longer)


def arrange(visits: tuple) -> list[tuple]:
    """List every order of these visits in which no stage follows itself."""
    orders = sorted(set(itertools.permutations(visits)))
    return [order for order in orders if all(a != b for a, b in itertools.pairwise(order))]


def test_every_order_without_a_stage_after_itself_is_equally_likely():
    visits = (0, 1, 0, 2, 1)
    orders = arrange(visits)
    codes, lengths = _fill_codes([visits] * 6000)
    drawn = _shuffle_visits(codes, lengths, 30 * len(visits), np.random.default_rng(1))
    counts = Counter(map(tuple, drawn.tolist()))
    assert set(counts) == set(orders)
    assert stats.chisquare([counts[order] for order in orders]).pvalue > 0.01


def test_random_values_are_what_all_orders_give():
    journeys = {"a": "see want see buy", "b": "buy see", "c": "want buy want"}
    events = make_stages("\n".join(f"{person} {stages}" for person, stages in journeys.items()))
    found = measure_stage_order(events, ORDER[:3], n_permutations=400).set_index("metric")["random_value"]
    scored = []
    for stages in journeys.values():
        orders = arrange(tuple(stages.split()))
        texts = "\n".join(f"p{number:03d} {' '.join(order)}" for number, order in enumerate(orders))
        scored.append(score_plainly(make_stages(texts), [tuple(ORDER[:3])]).mean())
    exact = pd.DataFrame(scored)
    by_chance = 100 * exact["in_order"].sum() / exact["pairs"].sum()
    assert found["stage_order_score"] == pytest.approx(by_chance, abs=3)
    assert abs(by_chance - 50) > 5  # who comes back is reached earlier by chance
    assert found["backward_step_share"] == 50 == 100 * exact["back"].sum() / exact["moves"].sum()
    assert found["journey_conformance"] == pytest.approx(exact["conformance"].mean(), abs=2)


def test_a_journey_with_hardly_another_order_is_turned_round_at_most():
    events = make_stages("a " + "see want " * 6)
    found = measure_stage_order(events, ORDER, n_permutations=200).set_index("metric")["random_value"]
    assert found["stage_order_score"] == pytest.approx(50, abs=10)


def test_random_journeys_lie_near_what_random_order_gives():
    found = measure_stage_order(make_random(2, people=600), ORDER)
    assert ((found["low"] < found["random_value"]) & (found["random_value"] < found["high"])).all()


def test_the_seed_settles_the_random_value_and_rows_may_be_shuffled():
    events = make_random(3)
    found = measure_stage_order(events, ORDER)
    shuffled = measure_stage_order(events.sample(frac=1, random_state=1), ORDER)
    pd.testing.assert_frame_equal(found, shuffled)
    other = measure_stage_order(events, ORDER, random_state=1)
    assert other["random_value"].iloc[2] != found["random_value"].iloc[2]


def test_all_ways_of_giving_events_give_the_same(tmp_path):
    events = make_random(4)
    events.to_parquet(tmp_path / "events.parquet")
    wanted = measure_stage_order(events, ORDER)
    for way in (tmp_path / "events.parquet", duckdb.from_df(events)):
        pd.testing.assert_frame_equal(measure_stage_order(way, ORDER), wanted)


def test_sessions_of_one_person_are_clustered():
    once = make_random(5)
    days = [once.assign(occurred_at=once["occurred_at"] + day * 86_400_000_000) for day in range(4)]
    events = split_into_sessions(pd.concat(days, ignore_index=True))
    sessions = measure_stage_order(events, ORDER, unit="sessions")
    people = measure_stage_order(once, ORDER)
    assert sessions["value"].tolist() == pytest.approx(people["value"].tolist())
    assert sessions["n"].tolist() == (4 * people["n"]).tolist()
    assert (sessions["n_effective"] < 1.5 * people["n_effective"]).all()  # and not four times
    assert sessions["random_value"].iloc[2] == pytest.approx(people["random_value"].iloc[2])


def test_periods_are_measured_apart_and_people_in_both_are_paired():
    once = make_random(6)
    events = pd.concat([once, once.assign(occurred_at=once["occurred_at"] + 100_000_000)])
    periods = {"reviewed": (100_000_000, 200_000_000), "previous": (0, 100_000_000)}
    found = measure_stage_order(events, ORDER, periods=periods)
    now, before = (found[found["which"] == which] for which in periods)
    assert now["value"].tolist() == before["value"].tolist()
    assert now["covariance"].isna().all()
    assert (before["covariance"] > 0).all()


def test_long_journeys_are_cut_and_the_note_says_how_many():
    events = make_stages("a see want see want see want\nb see want")
    found = measure_stage_order(events, ORDER, most_steps=3)
    assert found["note"].unique().tolist() == ["1 people cut after 3 changes of stage"]
    assert found.set_index("metric").loc["backward_step_share", "n"] == 3


def test_no_events_and_one_event_give_what_there_is():
    events = make_stages("a see")
    assert measure_stage_order(events.iloc[:0], ORDER).empty
    assert measure_stage_order(events.assign(customer=None), ORDER).empty
    assert measure_stage_order(events.assign(stage="other"), ORDER).empty
    found = measure_stage_order(events, ORDER)
    assert found[["metric", "value", "random_value"]].values.tolist() == [["journey_conformance", 25, 25]]


def test_comparing_with_allowed_journeys_equals_recursive_edits():
    generator = np.random.default_rng(0)
    journeys = [tuple(generator.integers(0, 3, generator.integers(0, 7)).tolist()) for _ in range(60)]
    allowed = [(0, 1, 2), (0, 2), (1, 1, 0, 2, 2)]
    wanted = [
        max(1 - count_edits(journey, path) / max(len(journey), len(path)) for path in allowed)
        for journey in journeys
    ]
    assert compare_with_allowed(journeys, allowed).tolist() == pytest.approx(wanted)
    assert compare_with_allowed([], allowed).tolist() == []


def test_what_is_wrong_is_said_in_a_sentence():
    events = make_stages("a see want")
    with pytest.raises(ValueError, match="order must list two or more different stages"):
        measure_stage_order(events, ["see", "see"])
    with pytest.raises(ValueError, match="an allowed journey must list stages of the order"):
        measure_stage_order(events, ORDER, allowed=[["see", "sue"]])
    with pytest.raises(ValueError, match="allowed must hold one journey or more"):
        measure_stage_order(events, ORDER, allowed=[])
    with pytest.raises(ValueError, match="call split_into_sessions first"):
        measure_stage_order(events, ORDER, unit="sessions")
