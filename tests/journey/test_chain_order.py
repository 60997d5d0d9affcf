"""The test of first order against second: its size, its power, and a table worked by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from journeylib.journey import split_into_sessions
from journeylib.journey.chain_order import _test_order, compare_chain_orders

STEP = {0: [0.5, 0.3, 0.2, 0.0], 1: [0.3, 0.3, 0.2, 0.2], 2: [0.2, 0.4, 0.2, 0.2], 3: [0.4, 0.1, 0.2, 0.3]}


def simulate(generator: np.random.Generator, n: int, memory: float = 0.0) -> list[list[int]]:
    """Simulate n chains over states 1 to 3 with an end; with memory, some steps go back to the last state."""
    sums = {state: np.cumsum(chances) for state, chances in STEP.items()}
    chains = []
    for _ in range(n):
        chain = [0]
        while True:
            if len(chain) > 2 and generator.random() < memory:
                chain.append(chain[-2])
                continue
            drawn = int(np.searchsorted(sums[chain[-1]], generator.random(), "right")) + 1
            if drawn == 4:
                break
            chain.append(drawn)
        chains.append(chain)
    return chains


def count_triples(chains: list[list[int]]) -> pd.DataFrame:
    """Count triples by loops, the end (-2) as a state like others."""
    counts = Counter(
        triple for chain in chains for triple in zip(chain, chain[1:], [*chain[2:], -2], strict=False)
    )
    return pd.DataFrame([(*triple, n) for triple, n in counts.items()], columns=["i", "j", "k", "n"])


def make_sessions(chains: list[list[int]]) -> pd.DataFrame:
    rows = [(f"c{number}", place, f"s{state}") for number, chain in enumerate(chains)
            for place, state in enumerate(chain) if place]  # fmt: skip
    return split_into_sessions(pd.DataFrame(rows, columns=["customer", "occurred_at", "name"]))


def simulate_triples(generator: np.random.Generator, runs: int, n: int) -> list[pd.DataFrame]:
    """Simulate n chains in each of many runs, all at once, and count their triples."""
    sums = np.cumsum([STEP[state] for state in range(4)], axis=1)
    run = np.repeat(np.arange(runs), n)
    before, here, found = np.full(len(run), -1), np.zeros(len(run), dtype=int), []
    while len(run):
        drawn = (sums[here] <= generator.random(len(run))[:, None]).sum(axis=1) + 1
        found.append(np.column_stack([run, before, here, np.where(drawn == 4, -2, drawn)])[before >= 0])
        going = drawn < 4
        run, before, here = run[going], here[going], drawn[going]
    triples, counts = np.unique(np.concatenate(found), axis=0, return_counts=True)
    table = pd.DataFrame(triples, columns=["run", "i", "j", "k"]).assign(n=counts)
    return [group for _, group in table.groupby("run")]


def test_a_true_first_order_chain_is_rejected_about_once_in_twenty():
    runs = simulate_triples(np.random.default_rng(11), 400, 250)
    found = [_test_order(triples) for triples in runs]
    rejected = np.mean([row["p_value"] <= 0.05 for row in found])
    assert 0.025 <= rejected <= 0.08  # 5 % with a standard error of 1.1 points
    assert np.mean([row["statistic"] for row in found]) == pytest.approx(found[0]["df"], rel=0.05)


def test_a_chain_with_memory_is_found():
    chains = simulate(np.random.default_rng(3), 300, memory=0.25)
    row = compare_chain_orders(make_sessions(chains), column="name").iloc[0]
    assert row["verdict"] == "first order is not enough"
    assert row["p_value"] < 1e-6
    assert row["gain_bits"] > 0.01


def test_counts_from_events_give_the_test_of_the_chains():
    chains = simulate(np.random.default_rng(5), 120)
    row = compare_chain_orders(make_sessions(chains), column="name").iloc[0]
    plain = _test_order(count_triples(chains))
    assert {name: row[name] for name in plain} == pytest.approx(plain)
    assert row["n"] == sum(len(chain) - 1 for chain in chains)


def test_one_present_state_is_the_g_test_of_its_table():
    rows = [(2, 1, 3, 30), (2, 1, 4, 10), (5, 1, 3, 15), (5, 1, 4, 25)]
    triples = pd.DataFrame(rows, columns=["i", "j", "k", "n"])
    wanted = stats.chi2_contingency([[30, 10], [15, 25]], correction=False, lambda_="log-likelihood")
    found = _test_order(triples)
    assert [found["statistic"], found["df"], found["p_value"]] == pytest.approx(
        [wanted.statistic, wanted.dof, wanted.pvalue]
    )
    assert found["gain_bits"] == pytest.approx((wanted.statistic - 1) / (160 * np.log(2)))
    assert found["sparse_share"] == 0


def test_nothing_to_compare_is_not_tested():
    for chains in ([[0, 1]], [[0, 1, 2], [0, 1, 2]]):
        row = compare_chain_orders(make_sessions(chains), column="name").iloc[0]
        assert row["verdict"] == "not tested"
        assert np.isnan(row["p_value"])
    empty = compare_chain_orders(make_sessions([[0, 1]]).iloc[:0], column="name")
    assert empty[["n", "verdict"]].values.tolist() == [[0, "not tested"]]


def test_few_steps_are_called_sparse_and_rows_may_be_shuffled():
    events = make_sessions(simulate(np.random.default_rng(8), 6))
    found = compare_chain_orders(events, column="name")
    assert found["sparse_share"].iloc[0] > 50
    shuffled = compare_chain_orders(events.sample(frac=1, random_state=0), column="name")
    pd.testing.assert_frame_equal(found, shuffled)
