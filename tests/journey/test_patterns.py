"""Patterns: mining against brute force, and no false alarms where nothing differs."""

from __future__ import annotations

import itertools

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from journeylib.evidence import adjust_p_values, newcombe_difference
from journeylib.journey import split_into_sessions
from journeylib.journey.pattern_mining import holds_pattern, mine_closed_patterns
from journeylib.journey.patterns import find_patterns


def make_walks(seed: int, people: int, *, chance: float = 0.1, pull: str = "") -> pd.DataFrame:
    """Make people who draw states at random until they convert or go; after `pull` they convert more."""
    generator = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        for step in range(40):
            state = "abcd"[generator.choice(4, p=[0.4, 0.3, 0.2, 0.1])]
            rows.append((f"p{person}", step, state))
            if generator.random() < (chance + 0.4 if pull and state == pull else chance):
                rows.append((f"p{person}", step + 1, "buy"))
                break
            if generator.random() < 0.15:
                break
    return pd.DataFrame(rows, columns=["customer", "occurred_at", "name"])


def read_sequences(events: pd.DataFrame) -> list[tuple[tuple[str, ...], bool]]:
    found = []
    for _, rows in events.sort_values(["occurred_at", "name"]).groupby("customer"):
        names = tuple(rows["name"])
        found.append((names[: names.index("buy")], True) if "buy" in names else (names, False))
    return found


def read_row(found: pd.DataFrame, *pattern: str) -> pd.Series:
    return found[[row == pattern for row in found["pattern"]]].squeeze()


def hold_plainly(path: tuple[str, ...], pattern: tuple[str, ...], gaps: bool) -> bool:
    if gaps:
        return any(tuple(path[place] for place in places) == pattern
                   for places in itertools.combinations(range(len(path)), len(pattern)))  # fmt: skip
    return pattern in [path[start : start + len(pattern)] for start in range(len(path))]


def mine_plainly(paths: list[tuple[str, ...]], needed: float, longest: int, gaps: bool) -> dict:
    """Try every pattern over the states that there are, then drop those that are not closed."""
    states = sorted({state for path in paths for state in path})
    every = [pattern for size in range(1, longest + 1) for pattern in itertools.product(states, repeat=size)]
    support = {pattern: sum(hold_plainly(path, pattern, gaps) for path in paths) for pattern in every}
    frequent = {pattern: held for pattern, held in support.items() if held >= needed and held}
    return {
        pattern: held
        for pattern, held in frequent.items()
        if not any(
            len(other) > len(pattern) and more == held and hold_plainly(other, pattern, gaps)
            for other, more in frequent.items()
        )
    }


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_mined_patterns_are_those_of_brute_force(gaps, seed):
    generator = np.random.default_rng(seed)
    paths = [tuple(generator.choice(list("abc"), generator.integers(1, 7)).tolist()) for _ in range(14)]
    options = {"longest": 4, "gaps": gaps}
    for needed in (1, 3, 6):
        wanted = mine_plainly(paths, needed, **options)
        assert (
            mine_closed_patterns(paths, [1] * 14, needed=needed, most_candidates=10**6, **options) == wanted
        )
        assert wanted


def test_weights_count_as_repeated_sequences():
    paths, weights = [("a", "b"), ("b", "c"), ("a", "c", "b")], [3, 2, 1]
    repeated = [path for path, often in zip(paths, weights, strict=True) for _ in range(often)]
    options = {"needed": 2, "longest": 3, "gaps": True, "most_candidates": 99}
    assert mine_closed_patterns(paths, weights, **options) == mine_closed_patterns(
        repeated, [1] * 6, **options
    )


def test_a_pattern_held_by_as_many_as_a_longer_one_is_not_shown():
    events = pd.DataFrame({"customer": list("aaabbbc"), "occurred_at": range(7), "name": list("xyzxyzw")})
    events.loc[7] = ["c", 9, "buy"]
    found = find_patterns(events, conversion="event:buy", column="name")
    assert found["pattern"].tolist() == [("x", "y", "z"), ("w",)]
    assert found["n"].tolist() == [2, 1]


@pytest.mark.parametrize("gaps", [False, True])
def test_counts_are_those_of_a_plain_count(gaps):
    events = make_walks(1, 60)
    found = find_patterns(
        events, conversion="event:buy", column="name", gaps=gaps, min_support=10, longest=3, most_shown=500
    )
    units = read_sequences(events)
    assert set(found["pattern"]) == set(mine_plainly([path for path, _ in units], 6, 3, gaps))
    for row in found.itertuples():
        held = [won for path, won in units if hold_plainly(path, row.pattern, gaps)]
        assert [row.n, row.n_converted, row.n_other] == [len(held), sum(held), len(held) - sum(held)]
        assert row.support == pytest.approx(100 * len(held) / 60)
    assert (found["length"] > 1).any()


def test_units_of_one_length_give_newcombe_and_the_score_test():
    names = [["a", "b"]] * 30 + [["b", "b"]] * 20 + [["a", "b"]] * 10 + [["b", "b"]] * 40
    rows = []
    for person, states in enumerate(names):
        rows += [(f"p{person:03d}", place, state) for place, state in enumerate(states)]
        rows += [(f"p{person:03d}", 5, "buy")] if person < 50 else []
    events = pd.DataFrame(rows, columns=["customer", "occurred_at", "name"])
    found = find_patterns(events, conversion="event:buy", column="name")
    row = read_row(found, "a", "b")
    assert row[["share_converted", "share_other", "difference"]].tolist() == pytest.approx([60, 20, 40])
    low, high = newcombe_difference(0.6, 50, 0.2, 50)
    assert [row["difference_low"], row["difference_high"]] == pytest.approx([100 * low, 100 * high])
    z = 0.4 / np.sqrt(0.4 * 0.6 * (1 / 50 + 1 / 50))
    assert row["p_value"] == pytest.approx(2 * stats.norm.sf(z))
    assert row["goes_with"] == "conversion"
    assert read_row(found, "b", "b")["goes_with"] == "no conversion"
    assert found["q_value"].tolist() == pytest.approx(adjust_p_values(found["p_value"].to_numpy()).tolist())


def make_hasty_buyers(seed: int) -> pd.DataFrame:
    """Make 150 who buy soon and 250 who look around for long, all drawing states alike."""
    generator = np.random.default_rng(seed)
    rows = []
    for person in range(400):
        steps = generator.geometric(0.3 if person < 150 else 0.1)
        states = generator.choice(list("abcd"), steps, p=[0.4, 0.3, 0.2, 0.1])
        rows += [(f"p{person}", step, state) for step, state in enumerate(states)]
        rows += [(f"p{person}", steps, "buy")] if person < 150 else []
    return pd.DataFrame(rows, columns=["customer", "occurred_at", "name"])


def test_looking_around_for_longer_is_no_pattern_that_goes_with_not_converting():
    alarms, apart = 0, []
    for seed in range(6):
        events = make_hasty_buyers(seed)
        found = find_patterns(events, conversion="event:buy", column="name", longest=3)
        alarms += int((found["goes_with"] != "").any())
        held = [found["n_converted"].iloc[0] / 150, found["n_other"].iloc[0] / 250]
        apart.append(held[1] - held[0])
    assert min(apart) > 0.1  # the bare shares differ, for length alone
    assert alarms <= 1


def test_a_state_after_which_people_convert_is_found():
    events = make_walks(5, 600, chance=0.05, pull="d")
    found = find_patterns(events, conversion="event:buy", column="name")
    assert read_row(found, "d")["goes_with"] == "conversion"
    assert read_row(found, "d")["q_value"] < 1e-6


def test_sessions_are_clustered_by_person():
    events = make_walks(6, 300)
    again = pd.concat([events.assign(occurred_at=events["occurred_at"] * 1_000_000 + day * 86_400_000_000)
                       for day in range(3)])  # fmt: skip
    events = split_into_sessions(again)
    sessions = find_patterns(events, conversion="event:buy", column="name", unit="sessions")
    people = find_patterns(make_walks(6, 300), conversion="event:buy", column="name")
    assert sessions["pattern"].tolist() == people["pattern"].tolist()
    assert sessions["n"].tolist() == (3 * people["n"]).tolist()
    assert sessions["difference"].tolist() == pytest.approx(people["difference"].tolist())
    width = {name: table["difference_high"] - table["difference_low"] for name, table in
             {"sessions": sessions, "people": people}.items()}  # fmt: skip
    assert (width["sessions"] / width["people"]).tolist() == pytest.approx([1.0] * len(people), rel=0.15)


def test_rows_may_be_shuffled_and_come_in_any_form(tmp_path):
    events = make_walks(2, 80)
    options = {"conversion": "event:buy", "column": "name", "gaps": True}
    wanted = find_patterns(events, **options)
    events.to_parquet(tmp_path / "events.parquet")
    for way in (events.sample(frac=1, random_state=1), tmp_path / "events.parquet", duckdb.from_df(events)):
        pd.testing.assert_frame_equal(find_patterns(way, **options), wanted)


def test_only_the_most_frequent_are_shown_and_they_alone_are_one_family():
    events = make_walks(2, 80)
    few = find_patterns(events, conversion="event:buy", column="name", most_shown=3)
    many = find_patterns(events, conversion="event:buy", column="name")
    assert few["pattern"].tolist() == many["pattern"].tolist()[:3]
    assert few["p_value"].tolist() == many["p_value"].tolist()[:3]
    assert few["q_value"].tolist() == pytest.approx(adjust_p_values(few["p_value"].to_numpy()).tolist())


def test_too_many_patterns_are_refused():
    with pytest.raises(ValueError, match="more than 5 patterns reach the support: raise min_support"):
        find_patterns(make_walks(2, 80), conversion="event:buy", column="name", most_candidates=5)


def test_no_events_and_one_event_give_what_there_is():
    events = make_walks(2, 5)
    assert find_patterns(events.iloc[:0], conversion="event:buy", column="name").empty
    bought = pd.DataFrame({"customer": ["a"], "occurred_at": [1], "name": ["buy"]})
    assert find_patterns(bought, conversion="event:buy", column="name").empty
    row = find_patterns(
        pd.DataFrame({"customer": "a", "occurred_at": [1, 2], "name": ["x", "buy"]}),
        conversion="event:buy",
        column="name",
    ).iloc[0]
    assert [row["pattern"], row["n"], row["goes_with"]] == [("x",), 1, ""]
    assert np.isnan(row["difference"])


def test_what_is_wrong_is_said_in_a_sentence():
    events = make_walks(2, 5)
    with pytest.raises(ValueError, match="no people converted: no event that counts matches 'event:bye'"):
        find_patterns(events, conversion="event:bye", column="name")
    with pytest.raises(ValueError, match="min_support must be above 0"):
        find_patterns(events, conversion="event:buy", column="name", min_support=0)


def test_a_pattern_is_held_with_or_without_gaps():
    assert not holds_pattern(("a", "c", "b"), ("b", "a"), gaps=True)
    assert holds_pattern(("a", "a", "b"), ("a", "b"), gaps=False)
    assert not holds_pattern((), ("a",), gaps=True)
