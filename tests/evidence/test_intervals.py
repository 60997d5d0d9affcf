from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from journeylib.evidence.intervals import (
    bootstrap_interval,
    newcombe_difference,
    nps_interval,
    t_interval,
    wilson_interval,
)


# Source: reference_values/wilson.json (Newcombe 1998, Stat Med 17:857; R prop.test without correction).
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2552885198782742, 0.3662095769828),
        (15, 148, 0.06238639953073628, 0.16048724172330803),
        (0, 20, 0, 0.1611251580528194),
        (1, 29, 0.006113214292762667, 0.17175521879320294),
        (0, 10, 0, 0.27753279986288926),
        (10, 10, 0.7224672001371106, 1),
    ],
)
def test_wilson_gives_the_published_values(successes, n, low, high):
    assert_allclose(wilson_interval(successes, n), (low, high), atol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 17, 29.3, 1234, 0.4, 1e6 + 0.1])
def test_wilson_is_exactly_0_without_a_success_and_exactly_1_where_all_succeed(n):
    assert wilson_interval(0, n)[0] == 0.0
    assert wilson_interval(n, n)[1] == 1.0


def test_wilson_takes_arrays_and_fractions_of_n_and_equals_statsmodels():
    n = np.array([12.5, 40.0, 3.3, 900.25])
    successes = n * np.array([0.1, 0.5, 0.9, 0.33])
    expected = proportion_confint(successes, n, alpha=0.1, method="wilson")
    assert_allclose(wilson_interval(successes, n, confidence=0.9), expected, rtol=1e-12)


def test_wilson_is_missing_without_units_and_keeps_the_other_rows():
    low, high = wilson_interval([0, 5, np.nan], [0, 10, 10])
    assert_array_equal(np.isnan(low), [True, False, True])
    assert_allclose(high[1], 0.7634, atol=1e-4)
    assert all(np.isnan(wilson_interval(0, 0)))


def test_wilson_gives_plain_floats_for_scalars():
    assert [type(end) for end in wilson_interval(3, 10)] == [float, float]


@pytest.mark.parametrize("successes", [-1, 11])
def test_wilson_refuses_successes_outside_0_to_n(successes):
    with pytest.raises(ValueError, match="outside 0 to n"):
        wilson_interval(successes, 10)


# Source: reference_values/newcombe_diff.json (Newcombe 1998, Stat Med 17:873).
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.05243147240236498, 0.33387265403690614),
        ((9, 10), (3, 10), 0.1705227239345029, 0.809017973535488),
        ((5, 56), (0, 29), -0.038137147903536936, 0.19256001385511165),
        ((0, 10), (0, 20), -0.1611251580528194, 0.27753279986288926),
    ],
)
def test_newcombe_gives_the_published_values(first, second, low, high):
    found = newcombe_difference(first[0] / first[1], first[1], second[0] / second[1], second[1])
    assert_allclose(found, (low, high), atol=1e-9)


def test_newcombe_equals_statsmodels_on_many_tables():
    rng = np.random.default_rng(1)
    n = rng.integers(1, 400, (200, 2))
    x = rng.binomial(n, rng.random((200, 2)))
    found = newcombe_difference(x[:, 0] / n[:, 0], n[:, 0], x[:, 1] / n[:, 1], n[:, 1])
    expected = [
        confint_proportions_2indep(*x[i, [0]], n[i, 0], x[i, 1], n[i, 1], method="newcomb")
        for i in range(200)
    ]
    assert_allclose(np.array(found).T, expected, atol=1e-9)


def test_newcombe_with_a_correlation_is_the_paired_hybrid_score():
    # Both yes 30, now only 12, before only 4, neither 14; the formula is written out from Newcombe 1998,
    # Stat Med 17:2635, with phi uncorrected.
    both, now_only, before_only, neither = 30, 12, 4, 14
    n, now, before = 60, 42 / 60, 34 / 60
    phi = (both * neither - now_only * before_only) / np.sqrt(42 * 18 * 34 * 26)
    (l1, u1), (l2, u2) = (
        proportion_confint(42, n, method="wilson"),
        proportion_confint(34, n, method="wilson"),
    )
    low = now - before - np.sqrt((now - l1) ** 2 - 2 * phi * (now - l1) * (u2 - before) + (u2 - before) ** 2)
    high = now - before + np.sqrt((before - l2) ** 2 - 2 * phi * (before - l2) * (u1 - now) + (u1 - now) ** 2)
    assert_allclose(newcombe_difference(now, n, before, n, correlation=phi), (low, high), atol=1e-12)


def test_newcombe_narrows_with_the_correlation_and_stays_inside_minus_1_to_1():
    apart = newcombe_difference(0.6, 50, 0.5, 50)
    panel = newcombe_difference(0.6, 50, 0.5, 50, correlation=0.7)
    assert panel[1] - panel[0] < 0.65 * (apart[1] - apart[0])
    assert newcombe_difference(1, 3, 0, 3, correlation=-1)[1] <= 1


def test_newcombe_turns_round_when_the_periods_are_swapped():
    low, high = newcombe_difference(0.31, 87, 0.44, 120.5, correlation=0.2)
    assert_allclose(newcombe_difference(0.44, 120.5, 0.31, 87, correlation=0.2), (-high, -low), atol=1e-15)


def test_newcombe_refuses_percent():
    with pytest.raises(ValueError, match="not percent"):
        newcombe_difference(80, 70, 60, 80)


# Source: reference_values/nps_ci.json (Rocks 2016; adjusted Wald before clipping).
@pytest.mark.parametrize(
    ("promoters", "detractors", "n", "low", "high"),
    [
        (50, 20, 100, 14.051130178761607, 44.20129700570441),
        (15, 5, 30, 4.778131074580888, 55.827929531479725),
        (8, 1, 10, 14.731716347904673, 92.96059134440304),
        (0, 10, 10, -106.34260230136363, -47.5035515447902),
        (10, 0, 10, 47.5035515447902, 106.34260230136363),
        (300, 300, 1000, -4.792531475493105, 4.792531475493105),
    ],
)
def test_nps_gives_the_published_values_clipped_to_100(promoters, detractors, n, low, high):
    found = nps_interval(promoters / n, detractors / n, n)
    assert_allclose(found, np.clip((low, high), -100, 100), atol=1e-9)


def test_nps_is_missing_without_answers_and_takes_arrays():
    low, high = nps_interval([0.5, 0.5], [0.2, 0.2], [100, 0])
    assert_allclose(low, [14.0511, np.nan], atol=1e-4)
    assert_allclose(high, [44.2013, np.nan], atol=1e-4)


def test_nps_refuses_shares_that_sum_to_more_than_1():
    with pytest.raises(ValueError, match="sum to 1 at most"):
        nps_interval(0.7, 0.4, 50)


def test_t_interval_equals_scipy():
    scores = np.array([3.0, 4, 4, 5, 2, 5, 5, 1])
    found = t_interval(scores.mean(), scores.std(ddof=1), scores.size)
    assert_allclose(found, stats.ttest_1samp(scores, 0).confidence_interval(0.95), rtol=1e-12)


def test_t_interval_is_missing_for_one_unit_and_of_width_0_where_all_are_equal():
    assert all(np.isnan(t_interval(4.0, np.nan, 1)))
    assert t_interval(4.0, 0.0, 20) == (4.0, 4.0)


def test_bootstrap_of_a_mean_comes_close_to_the_t_interval():
    scores = np.random.default_rng(3).normal(10, 2, 200)
    found = bootstrap_interval(scores, statistic=np.mean)
    assert_allclose(found, t_interval(scores.mean(), scores.std(ddof=1), 200), atol=0.05)


def test_bootstrap_is_the_same_for_shuffled_rows_and_for_the_same_seed():
    rng = np.random.default_rng(4)
    values, people = rng.normal(size=60), rng.integers(0, 12, 60)
    order = rng.permutation(60)
    one = bootstrap_interval(values, statistic=np.median, clusters=people, n_resamples=300)
    two = bootstrap_interval(values[order], statistic=np.median, clusters=people[order], n_resamples=300)
    other = bootstrap_interval(values, statistic=np.median, clusters=people, n_resamples=300, random_state=1)
    assert one == two != other


def test_bootstrap_by_person_is_wider_where_a_persons_units_are_alike():
    values = np.repeat(np.random.default_rng(5).normal(size=30), 10)
    by_unit = bootstrap_interval(values, statistic=np.mean, n_resamples=500)
    by_person = bootstrap_interval(
        values, statistic=np.mean, clusters=np.repeat(range(30), 10), n_resamples=500
    )
    assert by_person[1] - by_person[0] > 2.5 * (by_unit[1] - by_unit[0])


def test_bootstrap_leaves_out_missing_values_and_needs_two_units():
    assert all(np.isnan(bootstrap_interval([3.0, np.nan], statistic=np.mean)))
    full = bootstrap_interval([1.0, 2, 3, np.nan], statistic=np.mean, n_resamples=200)
    assert full == bootstrap_interval([1.0, 2, 3], statistic=np.mean, n_resamples=200)


def test_bootstrap_takes_a_row_without_a_person_as_a_person_of_its_own():
    values = [1.0, 2, 3, 4]
    alone = bootstrap_interval(values, statistic=np.mean, clusters=[None, None, None, None], n_resamples=200)
    assert alone == bootstrap_interval(values, statistic=np.mean, n_resamples=200)
