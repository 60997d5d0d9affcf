"""Kaplan-Meier against R's and lifelines' numbers, and a plain share where nothing is censored."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from journeylib.evidence.survival import estimate_survival, find_median_time

# R survival::aml; values of lifelines 0.30.0, equal to R survival 3.5.3 (reference_values/survival_aml.json)
MAINTAINED = ([9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161], [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0])
OTHERS = ([5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45], [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1])
SHARES = {
    9: 0.9090909091,
    13: 0.8181818182,
    18: 0.7159090909,
    23: 0.6136363636,
    31: 0.4909090909,
    34: 0.3681818182,
    48: 0.1840909091,
}


def test_the_curve_is_that_of_r_and_lifelines():
    found = estimate_survival(*MAINTAINED).set_index("time")
    assert found.loc[list(SHARES), "lasting"].tolist() == pytest.approx(list(SHARES.values()), abs=1e-9)
    assert found.loc[9, ["low", "high"]].tolist() == pytest.approx([0.50808, 0.986674], abs=1e-5)
    assert found.loc[48, ["low", "high"]].tolist() == pytest.approx([0.011738, 0.525015], abs=1e-5)


@pytest.mark.parametrize(("group", "median"), [(MAINTAINED, 31), (OTHERS, 23)])
def test_the_median_and_its_interval_are_those_of_r_and_statsmodels(group, median):
    found = find_median_time(estimate_survival(*group))
    assert found["median"] == median
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = SurvfuncRight(*group).quantile_ci(0.5)
    assert found["low"] == low
    assert found["high"] == pytest.approx(high) if np.isfinite(high) else np.isnan(found["high"])


def test_without_censoring_the_median_is_the_plain_one():
    for values in ([1, 2, 3, 4], [3, 1, 2], [5], [2, 2, 7, 7]):
        assert find_median_time(estimate_survival(values, np.ones(len(values))))["median"] == np.median(
            values
        )


def test_the_median_is_missing_where_half_never_ends():
    assert np.isnan(find_median_time(estimate_survival([1, 2, 3], [1, 0, 0]))["median"])
    assert np.isnan(find_median_time(estimate_survival([], []))["median"])


def test_rows_may_come_in_any_order_and_as_counts():
    time, ended = map(np.array, MAINTAINED)
    order = np.random.default_rng(0).permutation(time.size)
    whole = estimate_survival(time, ended)
    pd.testing.assert_frame_equal(estimate_survival(time[order], ended[order]), whole)
    twice = estimate_survival(time, ended, counts=np.full(time.size, 2))
    pd.testing.assert_frame_equal(estimate_survival(np.tile(time, 2), np.tile(ended, 2)), twice)
    assert twice["lasting"].tolist() == pytest.approx(whole["lasting"].tolist())


def test_half_the_effective_n_gives_the_interval_of_half_the_units():
    time, ended = MAINTAINED
    twice = estimate_survival(time, ended, counts=[2] * 11, n_effective=11)
    assert twice["low"].tolist() == pytest.approx(estimate_survival(time, ended)["low"].tolist())


def test_a_negative_duration_and_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="0 or more, found -1"):
        estimate_survival([-1, 2], [1, 1])
    with pytest.raises(ValueError, match="the same length"):
        estimate_survival([1, 2], [1])
