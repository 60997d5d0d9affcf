"""Attribution: every model splits what was there, and the two that need it refuse without lost paths."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from journeylib.journey.attribution import MODELS, attribute_conversions, compare_attribution
from journeylib.journey.attribution_models import find_removal_effects, split_by_shapley, weigh_touches

CHANNELS = ["search", "email", "social", "direct", "ad"]


def make_paths(seed: int, n: int = 40) -> pd.DataFrame:
    """Make paths of 1 to 6 touches, repeats among them, with and without conversions, and one of none."""
    generator = np.random.default_rng(seed)
    paths = [tuple(generator.choice(CHANNELS, generator.integers(1, 7)).tolist()) for _ in range(n)]
    times = generator.integers(1, 50, n)
    won = generator.binomial(times, 0.3)
    days = [tuple(np.sort(generator.random(len(path)) * 30)[::-1].tolist()) for path in paths]
    table = pd.DataFrame({"n": times, "conversions": won, "value": won * generator.random(n) * 100})
    table["path"] = pd.Series(paths, dtype=object)
    table["days_before"] = pd.Series(days, dtype=object)
    nobody = pd.DataFrame({"n": [4], "conversions": [4], "value": [9.5], "path": [()], "days_before": [()]})
    return pd.concat([table, nobody], ignore_index=True)


def read_credit(table: pd.DataFrame) -> dict[str, float]:
    return dict(zip(table["channel"], table["conversions"], strict=True))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_credit_and_value_sum_to_those_of_the_paths(model, seed):
    paths = make_paths(seed)
    credit = attribute_conversions(paths, model=model)
    assert math.fsum(credit["conversions"]) == pytest.approx(paths["conversions"].sum(), abs=1e-9)
    assert math.fsum(credit["value"]) == pytest.approx(paths["value"].sum(), abs=1e-8)
    assert math.fsum(credit["share"]) == pytest.approx(100, abs=1e-9)
    assert read_credit(credit)["(no touch)"] == 4


@pytest.mark.parametrize("model", MODELS)
def test_rows_may_come_in_any_order(model):
    paths = make_paths(4)
    shuffled = attribute_conversions(paths.sample(frac=1, random_state=1), model=model)
    pd.testing.assert_frame_equal(attribute_conversions(paths, model=model), shuffled, rtol=1e-12)


def test_rules_give_their_weights():
    path = ["search", "email", "social", "direct"]
    assert weigh_touches(path, rule="first") == [1, 0, 0, 0]
    assert weigh_touches(path, rule="last") == [0, 0, 0, 1]
    assert weigh_touches(path, rule="last_non_direct") == [0, 0, 1, 0]
    assert weigh_touches(["direct", "Direct"], rule="last_non_direct") == [0, 1]
    assert weigh_touches(path, rule="linear") == [0.25] * 4
    assert weigh_touches(path, rule="position") == pytest.approx([0.4, 0.1, 0.1, 0.4])
    assert weigh_touches(path[:2], rule="position") == [0.5, 0.5]
    assert weigh_touches(path[:1], rule="position") == [1]
    assert weigh_touches(path[:3], rule="time_decay", days_before=[14, 7, 0]) == pytest.approx(
        [1 / 7, 2 / 7, 4 / 7]
    )


def test_touches_of_long_ago_weigh_without_underflow():
    weights = weigh_touches(["a", "b"], rule="time_decay", days_before=[9_000_007, 9_000_000])
    assert weights == pytest.approx([1 / 3, 2 / 3])


# Published: S. Bryl', Multi-channel attribution with R, part 1 (analyzecore.com, 2016), three journeys:
# C1 > C2 > C3 > purchase; C1 > nothing; C2 > C3 > nothing. Removal effects 0.5, 1, 1.
BRYL = [("C1", "C2", "C3"), ("C1",), ("C2", "C3")]
# S. Puzyrov, Markov chain attribution: simple explanation of removal effect (serhiipuzyrov.com, 2019):
# from the start 4/5 to ads, 1/5 to mailing; ads 2/4 convert, 1/4 go to mailing, 1/4 end; mailing converts.
# So the chance is 0.8 x (0.5 + 0.25) + 0.2 = 0.8; 0.2 without ads, 0.4 without mailing.
PUZYROV = pd.DataFrame(
    {"path": ["ads", "mailing", "ads;mailing", "ads"], "n": [2, 1, 1, 1], "conversions": [2, 1, 1, 0]}
)


def test_removal_effects_are_those_of_published_examples():
    assert find_removal_effects(BRYL, [1, 1, 1], [1, 0, 0]).to_dict() == pytest.approx(
        {"C1": 0.5, "C2": 1.0, "C3": 1.0}
    )
    paths = [path.split(";") for path in PUZYROV["path"]]
    effects = find_removal_effects(paths, PUZYROV["n"], PUZYROV["conversions"])
    assert effects.to_dict() == pytest.approx({"ads": 0.75, "mailing": 0.5})
    assert read_credit(attribute_conversions(PUZYROV, model="markov")) == pytest.approx(
        {"ads": 2.4, "mailing": 1.6}
    )


def absorb(paths: pd.DataFrame, removed: str | None) -> float:
    """Chance of a conversion by the fundamental matrix N = (I - Q)^-1, B = N R, of the whole chain.

    The removed channel stays in the chain as a third absorbing state, unlike in the package.
    """
    states = ["start", *sorted({channel for path in paths["path"] for channel in path})]
    ends = ["won", "lost", "removed"]
    counts = pd.DataFrame(0.0, index=states, columns=[*states, *ends])
    for path, n, won in paths[["path", "n", "conversions"]].itertuples(index=False):
        for here, there in itertools.pairwise(["start", *path]):
            counts.loc[here, there] += n
        counts.loc[path[-1], "won"] += won
        counts.loc[path[-1], "lost"] += n - won
    if removed:
        counts["removed"] += counts[removed]
        counts = counts.drop(columns=removed).drop(index=removed)
        states.remove(removed)
    chances = counts.div(counts.sum(axis=1), axis=0).fillna(0)
    fundamental = np.linalg.inv(np.eye(len(states)) - chances[states].to_numpy())
    absorbed = fundamental @ chances[ends].to_numpy()
    np.testing.assert_allclose(absorbed.sum(axis=1), 1)
    return float(absorbed[0, 0])


@pytest.mark.parametrize("seed", range(5))
def test_markov_equals_an_absorbing_chain_by_its_fundamental_matrix(seed):
    paths = make_paths(seed).iloc[:-1]
    whole = absorb(paths, None)
    effects = {channel: 1 - absorb(paths, channel) / whole for channel in CHANNELS}
    total = paths["conversions"].sum()
    wanted = {channel: total * effect / sum(effects.values()) for channel, effect in effects.items()}
    assert read_credit(attribute_conversions(paths, model="markov")) == pytest.approx(wanted, rel=1e-12)


def test_markov_equals_a_simulated_chain():
    paths = [("a", "b"), ("a",), ("b", "a"), ("b",)]
    effects = find_removal_effects(paths, [30, 40, 20, 10], [15, 4, 6, 5])
    generator = np.random.default_rng(0)
    draws = {None: 0, "a": 0, "b": 0}
    leave = {"start": [("a", 70), ("b", 30)], "a": [("b", 30), ("won", 10), ("lost", 50)],
             "b": [("a", 20), ("won", 20), ("lost", 20)]}  # fmt: skip
    for removed in draws:
        for _ in range(20_000):
            state = "start"
            while state in leave and state != removed:
                targets, counts = zip(*leave[state], strict=True)
                state = targets[np.searchsorted(np.cumsum(counts), generator.random() * sum(counts), "right")]
            draws[removed] += state == "won"
    simulated = [1 - draws[channel] / draws[None] for channel in "ab"]
    assert effects.tolist() == pytest.approx(simulated, abs=0.02)


def shapley_by_orders(paths: list[tuple[str, ...]], n: list[float], won: list[float]) -> dict[str, float]:
    """Shapley by its definition: the mean gain of a channel over all orders in which channels may come."""
    channels = sorted({channel for path in paths for channel in path})
    times: dict[frozenset, float] = {}
    wins: dict[frozenset, float] = {}
    for path, often, conversions in zip(paths, n, won, strict=True):
        key = frozenset(path)
        times[key], wins[key] = times.get(key, 0) + often, wins.get(key, 0) + conversions

    def worth(there: frozenset) -> float:
        kept = {key: key & there for key in times}
        return sum(times[key] * wins.get(left, 0) / times.get(left, 1) for key, left in kept.items())

    credit = dict.fromkeys(channels, 0.0)
    orders = list(itertools.permutations(channels))
    for order in orders:
        for place, channel in enumerate(order):
            before = frozenset(order[:place])
            credit[channel] += (worth(before | {channel}) - worth(before)) / len(orders)
    return credit


@pytest.mark.parametrize("seed", range(3))
def test_shapley_equals_the_mean_over_all_orders(seed):
    paths = make_paths(seed).iloc[:-1]
    rows = paths["path"].tolist(), paths["n"].tolist(), paths["conversions"].tolist()
    found = split_by_shapley(*rows)
    assert found.to_dict() == pytest.approx(shapley_by_orders(*rows), abs=1e-9)
    assert math.fsum(found) == pytest.approx(paths["conversions"].sum(), abs=1e-9)


def test_shapley_of_two_channels_is_as_by_hand():
    # w(a) = 10 x 0.1 + 10 x 0.1 = 2, w(b) = 10 x 0.2 + 10 x 0.2 = 4, w(ab) = 1 + 2 + 6 = 9:
    # a gets (2 + 9 - 4) / 2, b gets (4 + 9 - 2) / 2.
    found = split_by_shapley([("a",), ("b",), ("a", "b")], [10, 10, 10], [1, 2, 6])
    assert found.to_dict() == pytest.approx({"a": 3.5, "b": 5.5})


def test_shapley_treats_channels_alike_that_do_alike():
    paths = [("a",), ("b",), ("a", "b"), ("c",), ("a", "c"), ("b", "c")]
    found = split_by_shapley(paths, [10, 10, 8, 5, 6, 6], [1, 1, 4, 2, 3, 3])
    assert found["a"] == pytest.approx(found["b"], abs=1e-12)
    assert found["c"] != pytest.approx(found["a"], abs=0.1)


def test_shapley_gives_nothing_to_a_channel_that_changes_nothing():
    paths = [("a",), ("z",), ("a", "z"), ("b",), ("b", "z"), ("a", "b"), ("a", "b", "z")]
    found = split_by_shapley(paths, [10, 30, 20, 10, 10, 4, 8], [2, 0, 4, 3, 3, 2, 4])
    assert found["z"] == pytest.approx(0, abs=1e-12)
    assert found["a"] > 0


def test_shapley_takes_twelve_channels_and_refuses_thirteen():
    names = [f"c{number:02d}" for number in range(13)]
    paths = [tuple(names[place : place + 4]) for place in range(9)]
    found = split_by_shapley(paths, [20] * 9, list(range(9)))
    assert len(found) == 12
    assert math.fsum(found) == pytest.approx(36, abs=1e-9)
    with pytest.raises(ValueError, match="at most 12 channels, found 13"):
        split_by_shapley([*paths, (names[12],)], [20] * 10, [1] * 10)


@pytest.mark.parametrize("model", ["markov", "shapley"])
def test_markov_and_shapley_are_refused_without_paths_that_did_not_convert(model):
    paths = pd.DataFrame({"path": ["a;b", "b"], "n": [2, 1], "conversions": [2, 1]})
    with pytest.raises(ValueError, match="needs paths without a conversion, and here every path has one"):
        attribute_conversions(paths, model=model)


def test_all_models_stand_side_by_side_with_their_spread():
    paths = make_paths(7)
    table = compare_attribution(paths)
    assert set(MODELS) <= set(table.columns)
    for model in MODELS:
        assert math.fsum(table[model]) == pytest.approx(paths["conversions"].sum(), abs=1e-9)
        alone = read_credit(attribute_conversions(paths, model=model))
        assert dict(zip(table["channel"], table[model], strict=True)) == pytest.approx(alone)
    assert (table["spread"] == table[list(MODELS)].max(axis=1) - table[list(MODELS)].min(axis=1)).all()
    assert table["note"].unique().tolist() == ["a credit rule, not a cause"]
    assert table[list(MODELS)].mean(axis=1).is_monotonic_decreasing


def test_models_that_the_paths_do_not_allow_are_named():
    paths = pd.DataFrame({"path": ["a;b", "b"], "n": [2, 1], "conversions": [2, 1]})
    table = compare_attribution(paths)
    assert not {"markov", "shapley", "time_decay"} & set(table.columns)
    note = table["note"].iloc[0]
    assert all(word in note for word in ("Markov needs", "Shapley needs", "time_decay needs"))
    with pytest.raises(ValueError, match="Markov needs"):
        compare_attribution(paths, models=["last", "markov"])


def test_periods_are_split_apart():
    paths = pd.concat([make_paths(1).assign(which="reviewed"), make_paths(2).assign(which="previous")])
    both = attribute_conversions(paths, model="markov")
    alone = attribute_conversions(make_paths(2), model="markov")
    assert both["which"].drop_duplicates().tolist() == ["reviewed", "previous"]
    assert compare_attribution(paths)["which"].drop_duplicates().tolist() == ["reviewed", "previous"]
    there = both[both["which"] == "previous"].reset_index(drop=True)
    pd.testing.assert_frame_equal(there.drop(columns="which"), alone.drop(columns="which"))


def test_empty_and_single_paths_give_what_there_is():
    paths = make_paths(1)
    assert attribute_conversions(paths.iloc[:0]).empty
    assert compare_attribution(paths.iloc[:0]).empty
    only = pd.DataFrame({"path": ["a"], "n": [3], "conversions": [1]})
    for model in set(MODELS) - {"time_decay"}:
        assert read_credit(attribute_conversions(only, model=model)) == pytest.approx({"a": 1})
    lost = pd.DataFrame({"path": ["a;b"], "n": [3], "conversions": [0]})
    assert attribute_conversions(lost, model="markov")["conversions"].tolist() == [0, 0]
    assert attribute_conversions(lost, model="markov")["share"].isna().all()


def test_wrong_paths_are_refused_in_a_sentence():
    paths = pd.DataFrame({"path": ["a"], "n": [1], "conversions": [1]})
    with pytest.raises(ValueError, match="paths lack the column"):
        attribute_conversions(paths.drop(columns="n"))
    with pytest.raises(ValueError, match="more conversions than n"):
        attribute_conversions(paths.assign(conversions=2))
    with pytest.raises(ValueError, match="model must be one of first"):
        attribute_conversions(paths, model="magic")
    with pytest.raises(ValueError, match="time_decay needs days_before"):
        attribute_conversions(paths, model="time_decay")
    with pytest.raises(ValueError, match="half_life_days must be above 0"):
        attribute_conversions(paths, half_life_days=0)
