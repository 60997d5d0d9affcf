from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

from journeylib.evidence.effective_n import clustered_effective_n, design_effect, kish_effective_n


def test_kish_is_8_thirds_for_weights_1_1_2():
    assert_allclose(kish_effective_n([1, 1, 2]), 16 / 6, rtol=1e-15)
    assert_allclose(design_effect([1, 1, 2]), 1.125, rtol=1e-15)


@pytest.mark.parametrize("weight", [1.0, 0.3, 7.7])
def test_kish_is_exactly_n_for_equal_weights(weight):
    assert kish_effective_n(np.full(37, weight)) == 37.0
    assert design_effect(np.full(37, weight)) == 1.0


def test_kish_leaves_out_missing_weights_and_is_0_without_any():
    assert kish_effective_n([1, np.nan, 1]) == 2.0
    assert kish_effective_n([]) == kish_effective_n([0, 0]) == 0.0
    assert np.isnan(design_effect([]))


def test_kish_refuses_a_negative_weight():
    with pytest.raises(ValueError, match="0 or more, found -1"):
        kish_effective_n([1, -1])


def test_one_unit_a_person_is_worth_exactly_n():
    for n in (1, 2, 3, 10, 49, 1001):
        totals = np.arange(n) % 3 == 0
        assert clustered_effective_n(totals, np.ones(n)) == float(n)


def test_people_whose_units_are_all_alike_are_worth_a_little_more_than_the_people():
    # 4 people, 3 equal sessions each: s2 = 3 / 11, clustered variance 4 / 3 * 4 * (1.5 / 12)^2 = 1 / 12.
    assert_allclose(clustered_effective_n([3, 0, 3, 0], [3, 3, 3, 3]), (3 / 11) / (1 / 12), rtol=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
def test_unit_variance_over_effective_n_is_the_cluster_robust_variance_of_statsmodels(weighted):
    rng = np.random.default_rng(2)
    people = rng.integers(0, 25, 200)
    values = np.round(rng.normal(people / 5, 2))
    weights = rng.uniform(0.5, 2, 200) if weighted else np.ones(200)
    fit = sm.WLS(values, np.ones(200), weights=weights).fit(cov_type="cluster", cov_kwds={"groups": people})
    sums = [np.bincount(people, part) for part in (weights * values, weights, weights * values**2)]
    found = clustered_effective_n(sums[0], sums[1], squares=sums[2], counts=np.bincount(people))
    mean = np.average(values, weights=weights)
    variance = np.average((values - mean) ** 2, weights=weights) * 200 / 199
    assert_allclose(variance / found, fit.cov_params()[0, 0], rtol=1e-10)
    assert found < 100


@pytest.mark.parametrize("successes", [[0, 0, 0], [1, 2, 3], [0.0, 0.0, 0.0]])
def test_without_any_variance_it_is_kish_over_units_per_person(successes):
    units = [1, 2, 3]
    assert_allclose(clustered_effective_n(successes, units), 36 / 14, rtol=1e-15)


def test_one_person_is_worth_one_unit_however_many_sessions():
    assert clustered_effective_n([3], [7]) == 1.0


def test_it_is_never_above_the_number_of_units():
    # Every person has one success in two units: less spread than chance, which is luck and not knowledge.
    assert clustered_effective_n([1, 1, 1, 2], [2, 2, 2, 2]) == 8.0


def test_people_without_units_do_not_count_and_an_empty_table_is_0():
    assert clustered_effective_n([3, 0, 3, 0, 0], [3, 3, 3, 3, 0]) == clustered_effective_n(
        [3, 0, 3, 0], [3, 3, 3, 3]
    )
    assert clustered_effective_n([], []) == 0.0


def test_a_large_level_with_a_small_spread_keeps_its_digits():
    scores = np.array([1.0, 2, 3, 4, 2, 3])
    people = np.array([0, 0, 1, 1, 2, 2])

    def found(shift: float) -> float:
        moved = scores + shift
        sums = [np.bincount(people, part) for part in (moved, np.ones(6), moved**2)]
        return clustered_effective_n(sums[0], sums[1], squares=sums[2])

    assert_allclose(found(1e5), found(0), rtol=1e-5)


def test_weights_without_raw_counts_and_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="raw counts"):
        clustered_effective_n([1, 0], [0.5, 1.5])
    with pytest.raises(ValueError, match="one entry a person"):
        clustered_effective_n([1, 0], [1])
