"""Raking and what weights cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from journeylib.voice import describe_weights, rake_weights

ROWS = (
    [("a", "x", "n")] * 3
    + [("a", "y", "s")]
    + [("b", "x", "s")] * 2
    + [("b", "y", "n")] * 2
    + [("c", "x", "n"), ("c", "y", "s"), ("c", "y", "s"), ("c", "x", "s")]
)
RESPONSES = pd.DataFrame(ROWS, columns=["age", "sex", "area"])
TARGETS = {
    "age": {"a": 0.5, "b": 0.3, "c": 0.2},
    "sex": {"x": 0.45, "y": 0.55},
    "area": {"n": 0.6, "s": 0.4},
}


def test_twelve_respondents_get_the_weights_that_the_package_ipfn_gives():
    # ipfn 1.4.4 (PyPI), convergence_rate 1e-14, on the cell counts of the same table
    peer = {
        ("a", "x", "n"): 1.286718266408904,
        ("a", "y", "s"): 2.139845187375539,
        ("b", "x", "s"): 0.3708953611155168,
        ("b", "y", "n"): 1.4291046482028558,
        ("c", "x", "n"): 0.4816359043675753,
        ("c", "x", "s"): 0.3164185846307848,
        ("c", "y", "s"): 0.8009727528813217,
    }
    weights = rake_weights(RESPONSES, TARGETS)
    assert weights.tolist() == pytest.approx([peer[row] for row in ROWS], abs=1e-6)


def test_raking_is_the_smallest_change_in_kullback_leibler_distance_that_meets_the_targets():
    goals = {(column, label): share for column, shares in TARGETS.items() for label, share in shares.items()}
    design = np.array(
        [[row[column] == label for column, label in goals] for row in RESPONSES.to_dict("records")], float
    )
    wanted = np.array(list(goals.values()))

    def dual(multipliers):
        return np.exp(design @ multipliers).mean() - wanted @ multipliers

    solved = np.exp(design @ minimize(dual, np.zeros(len(goals)), method="BFGS", options={"gtol": 1e-10}).x)
    assert rake_weights(RESPONSES, TARGETS).tolist() == pytest.approx(solved.tolist(), abs=1e-5)


def test_weights_meet_every_margin_and_have_mean_1():
    weights = rake_weights(RESPONSES, TARGETS)
    assert weights.mean() == pytest.approx(1, abs=1e-9)
    for column, shares in TARGETS.items():
        margin = weights.groupby(RESPONSES[column]).sum() / weights.sum()
        assert margin.to_dict() == pytest.approx(shares, abs=2e-8)


def test_shuffled_respondents_get_the_identical_weights():
    mixed = RESPONSES.sample(frac=1, random_state=2)
    pd.testing.assert_series_equal(
        rake_weights(mixed, TARGETS).sort_index(), rake_weights(RESPONSES, TARGETS), check_exact=True
    )


def test_targets_equal_to_the_sample_leave_everyone_at_1():
    responses = pd.DataFrame({"age": ["young", "old", "old", "old"]})
    assert rake_weights(responses, {"age": {"young": 0.25, "old": 0.75}}).tolist() == pytest.approx([1.0] * 4)


def test_weights_above_five_medians_are_trimmed_and_the_margins_still_hold():
    rng = np.random.default_rng(4)
    responses = pd.DataFrame(
        {"u": rng.choice(list("ab"), 400, p=[0.97, 0.03]), "v": rng.choice(list("cd"), 400, p=[0.9, 0.1])}
    )
    targets = {"u": {"a": 0.8, "b": 0.2}, "v": {"c": 0.6, "d": 0.4}}
    trimmed, free = rake_weights(responses, targets), rake_weights(responses, targets, trim_medians=None)
    assert free.max() > 5 * free.median()
    assert trimmed.max() < free.max()
    for weights in (trimmed, free):
        for column, shares in targets.items():
            margin = weights.groupby(responses[column]).sum() / weights.sum()
            assert margin.to_dict() == pytest.approx(shares, abs=2e-8)


def test_a_respondent_with_a_missing_label_has_no_weight():
    responses = pd.DataFrame({"age": ["young", "old", None, "old"]}, index=[7, 5, 3, 1])
    weights = rake_weights(responses, {"age": {"young": 0.5, "old": 0.5}})
    assert weights.index.tolist() == [7, 5, 3, 1]
    assert weights.isna().tolist() == [False, False, True, False]
    assert weights.tolist()[:2] == pytest.approx([1.5, 0.75])


@pytest.mark.parametrize(
    "targets, sentence",
    [
        ({}, "none given"),
        ({"income": {"low": 1.0}}, "column income has targets but is missing"),
        ({"age": {"a": 0.5, "b": 0.5}}, "4 respondents are 'c', which has no target above 0"),
        ({"age": {"a": 0.5, "b": 0.5, "c": 0.0}}, "4 respondents are 'c', which has no target above 0"),
        ({"age": {"a": 0.5, "b": 0.2, "c": 0.2, "d": 0.1}}, "no respondent is 'd', which should be 10.0 %"),
        ({"age": {"a": 0.5, "b": 0.3, "c": 0.3}}, "sum to 1, found a sum of 1.1"),
        ({"age": {"a": 1.5, "b": -0.3, "c": -0.2}}, "shares are 0 to 1"),
    ],
)
def test_missing_targets_and_empty_cells_are_refused_with_a_sentence(targets, sentence):
    with pytest.raises(ValueError, match=sentence):
        rake_weights(RESPONSES, targets)


def test_targets_that_contradict_each_other_are_refused():
    responses = pd.DataFrame({"u": ["a", "b"], "v": ["c", "d"]})
    with pytest.raises(ValueError, match="did not settle within 50 rounds"):
        rake_weights(responses, {"u": {"a": 0.5, "b": 0.5}, "v": {"c": 0.9, "d": 0.1}}, max_iterations=50)


def test_no_respondents_are_an_empty_cell():
    with pytest.raises(ValueError, match="no respondent is"):
        rake_weights(RESPONSES.iloc[:0], TARGETS)


def test_described_weights_have_kish_figures_by_hand():
    told = describe_weights([1.0, 1.0, 2.0, None, 0.0])
    assert told[["n", "n_without_weight", "smallest", "largest"]].tolist() == [3, 2, 1, 2]
    assert told["effective_n"] == pytest.approx(16 / 6)
    assert told["design_effect"] == pytest.approx(3 * 6 / 16)
    assert told["mean"] == pytest.approx(4 / 3)


def test_equal_weights_cost_nothing_and_no_weights_are_missing():
    assert describe_weights([0.4] * 7)[["design_effect", "effective_n"]].tolist() == [1.0, 7.0]
    none = describe_weights([])
    assert (none["n"], none["effective_n"]) == (0, 0)
    assert np.isnan(none["design_effect"]) and np.isnan(none["largest"])
