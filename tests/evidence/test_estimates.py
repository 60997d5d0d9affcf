from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from scipy import stats

from journeylib.evidence.estimates import covariance, estimate, estimate_from_sums, sum_by_person
from journeylib.evidence.intervals import nps_interval, wilson_interval

KINDS = ["share", "nps", "mean", "count"]


def draw(kind: str, size: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind == "mean":
        return rng.normal(3.3, 1.1, size)
    return rng.choice({"share": [0.0, 1.0], "nps": [-1.0, 0.0, 1.0], "count": [1.0]}[kind], size)


def test_share_is_wilson_in_percent_with_the_raw_n():
    found = estimate("share", [1, 1, 0, 0, 1])
    low, high = wilson_interval(3, 5)
    assert (found["value"], found["n"], found["n_effective"], found["method"]) == (60.0, 5, 5.0, "wilson")
    assert_allclose([found["low"], found["high"]], [100 * low, 100 * high], rtol=1e-15)
    assert np.isnan(found["spread"]) and np.isnan(found["promoters"])


def test_nps_is_raw_with_the_adjusted_interval():
    # Source: reference_values/nps_ci.json, 8 promoters, 1 passive, 1 detractor.
    found = estimate("nps", [1] * 8 + [0] + [-1])
    assert_allclose(
        [found["value"], found["low"], found["high"]], [70, 14.731716347904673, 92.96059134440304], atol=1e-9
    )
    assert (found["promoters"], found["detractors"], found["method"]) == (0.8, 0.1, "adjusted_wald")


def test_mean_is_students_t_with_the_sample_sd():
    scores = np.array([3.0, 4, 4, 5, 2, 5, 5, 1])
    found = estimate("mean", scores)
    interval = stats.ttest_1samp(scores, 0).confidence_interval(0.95)
    assert_allclose([found["value"], found["low"], found["high"]], [scores.mean(), *interval], rtol=1e-12)
    assert_allclose(found["spread"], scores.std(ddof=1), rtol=1e-12)
    assert found["method"] == "t"


def test_count_is_compound_poisson_by_person():
    found = estimate("count", np.ones(6), people=list("aaabbc"))
    reach = stats.norm.isf(0.025) * np.sqrt(9 + 4 + 1)
    assert (found["value"], found["n"], found["low"], found["method"]) == (6.0, 6, 0.0, "compound_poisson")
    assert_allclose([found["high"], found["n_effective"]], [6 + reach, 36 / 14], rtol=1e-12)


def test_count_of_one_unit_a_person_is_plain_poisson():
    found = estimate("count", np.ones(100))
    assert found["n_effective"] == 100.0
    assert_allclose([found["low"], found["high"]], [100 - 19.59964, 100 + 19.59964], atol=1e-4)


def test_count_of_0_is_a_number_and_has_the_exact_poisson_upper_end():
    found = estimate_from_sums("count", None, [])
    assert (found["value"], found["low"], found["n"], found["n_effective"]) == (0.0, 0.0, 0, 0.0)
    assert_allclose(found["high"], -np.log(0.025), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 2, 3, 10, 333])
def test_one_unweighted_unit_a_person_has_exactly_n(kind, size):
    values = draw(kind, size, size)
    assert estimate(kind, values)["n_effective"] == size
    assert estimate(kind, values, people=[f"p{i}" for i in range(size)])["n_effective"] == size


@pytest.mark.parametrize("kind", ["share", "nps", "mean"])
def test_without_units_everything_is_missing_but_n(kind):
    for values in ([], [np.nan, np.nan]):
        found = estimate(kind, values)
        assert (found["n"], found["n_effective"]) == (0, 0.0)
        assert np.isnan([found["value"], found["low"], found["high"], found["spread"]]).all()


def test_one_answer_has_a_value_but_no_interval_of_a_mean():
    found = estimate("mean", [4.0])
    assert (found["value"], found["n"]) == (4.0, 1)
    assert np.isnan([found["low"], found["high"], found["spread"]]).all()


def test_equal_answers_have_no_spread():
    found = estimate("mean", np.full(7, 4.1))
    assert (found["spread"], found["low"], found["high"]) == (0.0, found["value"], found["value"])


def test_missing_values_missing_weights_and_zero_weights_are_left_out():
    found = estimate("share", [1, 0, np.nan, 1, 1], weights=[1, 1, 1, np.nan, 0])
    assert (found["value"], found["n"]) == (50.0, 2)


def test_weights_move_the_value_and_kish_the_interval():
    found = estimate("share", [1, 0, 0], weights=[2, 1, 1])
    low, _ = wilson_interval(0.5 * 16 / 6, 16 / 6)
    assert (found["value"], found["n"], found["method"]) == (50.0, 3, "wilson_effective_n")
    assert_allclose([found["n_effective"], found["low"]], [16 / 6, 100 * low], rtol=1e-14)


def test_weighted_nps_uses_effective_n_in_place_of_n():
    found = estimate("nps", [1, 1, 0, -1], weights=[3, 1, 1, 1])
    assert_allclose(found["value"], 50.0)
    assert_allclose([found["low"], found["high"]], nps_interval(4 / 6, 1 / 6, 3.0), rtol=1e-12)


def test_weighted_spread_is_the_weighted_sample_sd():
    scores, weights = np.array([1.0, 3, 4, 5]), np.array([2.0, 1, 1, 0.5])
    mean = np.average(scores, weights=weights)
    expected = np.sqrt(np.average((scores - mean) ** 2, weights=weights) * 4 / 3)
    assert_allclose(estimate("mean", scores, weights=weights)["spread"], expected, rtol=1e-12)


def test_equal_weights_change_nothing():
    answers = draw("nps", 50, 1)
    plain, weighted = estimate("nps", answers), estimate("nps", answers, weights=np.full(50, 0.25))
    assert plain == pytest.approx(weighted, nan_ok=True)


def test_all_successes_end_at_exactly_100_also_with_weights():
    rng = np.random.default_rng(7)
    found = estimate("share", np.ones(31), weights=rng.uniform(0.1, 3, 31))
    assert (found["value"], found["high"]) == (100.0, 100.0)
    assert estimate("share", np.zeros(31), weights=rng.uniform(0.1, 3, 31))["low"] == 0.0


def test_sessions_of_the_same_people_widen_the_interval():
    bought = np.repeat([1.0, 0, 0, 1, 0], 6)
    by_person = estimate("share", bought, people=np.repeat(list("abcde"), 6))
    by_session = estimate("share", bought)
    assert by_person["n"] == by_session["n"] == 30
    assert by_person["n_effective"] < 6
    assert by_person["high"] - by_person["low"] > 2 * (by_session["high"] - by_session["low"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_shuffled_rows_give_the_same_bytes(kind, weighted):
    rng = np.random.default_rng(8)
    values, people = draw(kind, 300, 2), rng.choice([*"abcdefghijklmnopqrstuvwxyz", None], 300)
    weights = rng.uniform(0.2, 5, 300) if weighted else None
    sums = sum_by_person(values, weights=weights, people=people)
    found = estimate(kind, values, weights=weights, people=people)
    for _ in range(5):
        order = rng.permutation(300)
        part = None if weights is None else weights[order]
        assert_frame_equal(
            sum_by_person(values[order], weights=part, people=people[order]), sums, check_exact=True
        )
        assert repr(estimate(kind, values[order], weights=part, people=people[order])) == repr(found)


@pytest.mark.parametrize("kind", ["share", "nps", "mean"])
def test_sums_in_any_order_of_people_give_the_same_bytes(kind):
    rng = np.random.default_rng(9)
    values, people = draw(kind, 500, 3), rng.integers(0, 90, 500)
    sums = sum_by_person(values, weights=rng.uniform(0.2, 5, 500), people=people)
    mixed = sums.sample(frac=1, random_state=1)
    one, two = (
        estimate_from_sums(kind, part["total"], part["units"], squares=part["squares"], counts=part["count"])
        for part in (sums, mixed)
    )
    assert repr(one) == repr(two)


def test_sums_hold_one_row_a_person_and_units_without_a_person_stand_alone():
    sums = sum_by_person([1, 0, 1, 1, np.nan], weights=[2, 1, 1, 1, 1], people=["b", "b", "a", None, "a"])
    assert sums.index.tolist()[:2] == ["a", "b"] and pd.isna(sums.index[2])
    assert sums["total"].tolist() == [1.0, 2.0, 1.0]
    assert sums["units"].tolist() == [1.0, 3.0, 1.0]
    assert sums["count"].tolist() == [1, 2, 1]


def test_the_engines_sums_give_what_the_rows_give():
    rng = np.random.default_rng(10)
    bought, people = draw("share", 400, 4), rng.integers(0, 60, 400)
    rows = estimate("share", bought, people=people)
    sums = estimate_from_sums("share", np.bincount(people, bought), np.bincount(people))
    assert repr(rows) == repr(sums)


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("share", [0, 1, 60], "a share takes values 0, 1; found 60"),
        ("nps", [9, 10], "a nps takes values -1, 0, 1; found 9"),
        ("count", [3], "a count takes values 1; found 3"),
        ("rate", [1], "expected one of share, nps, mean, count"),
    ],
)
def test_values_of_another_kind_are_refused(kind, values, words):
    with pytest.raises(ValueError, match=words):
        estimate(kind, values)


def test_wrong_input_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="the same length"):
        sum_by_person([1, 0], people=["a"])
    with pytest.raises(ValueError, match="found -2"):
        sum_by_person([1, 0], weights=[1, -2])
    with pytest.raises(ValueError, match="totals and squares"):
        estimate_from_sums("mean", [3.0], [1])


def test_covariance_of_a_full_panel_is_what_makes_the_paired_t_test():
    rng = np.random.default_rng(11)
    before = rng.normal(3, 1, 40)
    now = 0.6 * before + rng.normal(0, 1, 40)
    people = np.arange(40)
    shared = covariance("mean", sum_by_person(now, people=people), sum_by_person(before, people=people))
    assert_allclose(shared, np.cov(now, before)[0, 1] / 40, rtol=1e-12)


def test_covariance_of_shares_is_that_of_the_answers_of_common_people():
    # a and b answered twice: now 3 of 4 yes, before 1 of 3 yes.
    now = sum_by_person([1, 1, 1, 0], people=list("abcd"))
    before = sum_by_person([1, 0, 0], people=list("abe"))
    expected = (0.25 / 4 * (2 / 3) / 3 + 0.25 / 4 * (-1 / 3) / 3) * 100**2
    assert_allclose(covariance("share", now, before), expected, rtol=1e-12)


def test_covariance_of_counts_is_units_now_times_units_before():
    now = pd.DataFrame({"units": [3, 2]}, index=["a", "b"])
    before = pd.DataFrame({"units": [5, 7]}, index=["b", "c"])
    assert covariance("count", now, before) == 10.0


@pytest.mark.parametrize("kind", ["share", "nps", "mean"])
@pytest.mark.parametrize("weighted", [False, True])
def test_covariance_with_itself_is_the_variance_behind_effective_n(kind, weighted):
    rng = np.random.default_rng(12)
    values, people = draw(kind, 200, 5), rng.integers(0, 40, 200)
    values = (
        np.where(people < 20, np.abs(values), -np.abs(values))
        if kind != "share"
        else (people + values > 20) * 1.0
    )
    weights = rng.uniform(0.5, 2, 200) if weighted else None
    sums = sum_by_person(values, weights=weights, people=people)
    found = estimate(kind, values, weights=weights, people=people)
    share, up, down = found["value"] / 100, found["promoters"], found["detractors"]
    unit = {
        "share": 1e4 * share * (1 - share),
        "nps": 1e4 * (up + down - share**2),
        "mean": found["spread"] ** 2,
    }
    assert found["n_effective"] < 150
    assert_allclose(covariance(kind, sums, sums), unit[kind] / found["n_effective"], rtol=1e-9)


def test_covariance_is_0_where_nobody_is_in_both_and_missing_people_match_nobody():
    now, before = sum_by_person([1, 0]), sum_by_person([1, 0])
    assert covariance("share", now, before) == 0.0
    assert covariance("mean", sum_by_person([1, 0], people=["a", "b"]), sum_by_person([], people=[])) == 0.0


def test_covariance_does_not_depend_on_the_order_of_people():
    rng = np.random.default_rng(13)
    now, before = (sum_by_person(draw("mean", 99, s), people=rng.permutation(99)) for s in (1, 2))
    mixed = covariance("mean", now.sample(frac=1, random_state=1), before.sample(frac=1, random_state=2))
    assert covariance("mean", now, before) == mixed


def test_covariance_refuses_a_person_with_two_rows():
    twice = pd.DataFrame({"total": [1, 0], "units": [1, 1]}, index=["a", "a"])
    with pytest.raises(ValueError, match="sum by person first"):
        covariance("share", twice, twice)
