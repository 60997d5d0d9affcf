from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from scipy import stats
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from journeylib.evidence.changes import (
    adjust_p_values,
    compare_estimates,
    judge_changes,
    smallest_detectable_change,
)
from journeylib.evidence.estimates import covariance, estimate, sum_by_person

NAN = float("nan")


def compare(kind: str, now: object, before: object, *, people: tuple = (None, None)) -> pd.Series:
    """Compare one metric of two samples as the rooms do: estimates, covariance, row by row."""
    sums = [sum_by_person(values, people=who) for values, who in zip((now, before), people, strict=True)]
    rows = [
        pd.DataFrame([estimate(kind, values, people=who)])
        for values, who in zip((now, before), people, strict=True)
    ]
    return compare_estimates(rows[0], rows[1].assign(covariance=covariance(kind, *sums))).iloc[0]


def answers(**numbers: int) -> np.ndarray:
    return np.repeat(
        [1.0, 0.0, -1.0], [numbers.get(name, 0) for name in ("promoters", "passives", "detractors")]
    )


def test_shares_change_by_newcombe_and_the_score_test():
    # Source: reference_values/two_proportion_ztest.json: 200 of 2000 against 250 of 2000.
    found = compare("share", np.arange(2000) < 200, np.arange(2000) < 250)
    expected = confint_proportions_2indep(200, 2000, 250, 2000, method="newcomb")
    assert_allclose(found["p_value"], 0.012350947711191423, atol=1e-9)
    assert_allclose(found[["change_low", "change_high"]].astype(float), 100 * np.array(expected), rtol=1e-9)
    assert_allclose(found["change"], -2.5)


def test_shares_of_newcombes_paper_in_percent():
    # Source: reference_values/newcombe_diff.json: 56 of 70 against 48 of 80.
    found = compare("share", np.arange(70) < 56, np.arange(80) < 48)
    assert_allclose(
        found[["change_low", "change_high"]].astype(float), [5.243147240236498, 33.387265403690614], atol=1e-7
    )
    assert_allclose(found["p_value"], proportions_ztest([56, 48], [70, 80])[1], rtol=1e-12)


def test_shares_of_a_full_panel_are_tested_nearly_as_by_mcnemar():
    # Both yes 30, now only 12, before only 4, neither 14: McNemar's z is (12 - 4) / sqrt(12 + 4) = 2.
    now, before = np.repeat([1.0, 1, 0, 0], [30, 12, 4, 14]), np.repeat([1.0, 0, 1, 0], [30, 12, 4, 14])
    found = compare("share", now, before, people=(np.arange(60), np.arange(60)))
    phi, pooled = np.corrcoef(now, before)[0, 1], 76 / 120
    z = (8 / 60) / np.sqrt(pooled * (1 - pooled) * 2 / 60 * (1 - phi))
    assert_allclose(found["p_value"], 2 * stats.norm.sf(z), rtol=1e-9)
    assert_allclose(found["p_value"], 2 * stats.norm.sf(2), atol=0.01)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_equal_shares_without_any_variance_have_p_1_and_an_interval_around_0(share):
    found = compare("share", np.full(50, share), np.full(40, share))
    assert (found["change"], found["p_value"]) == (0.0, 1.0)
    assert found["change_low"] < -5 and found["change_high"] > 5


def test_0_against_100_percent_is_a_change():
    found = compare("share", np.ones(30), np.zeros(30))
    assert found["p_value"] < 1e-10 and found["change_low"] > 80 and found["change_high"] <= 100


def test_means_change_by_welch():
    rng = np.random.default_rng(1)
    now, before = rng.normal(4, 1, 80), rng.normal(3.7, 2, 60)
    found = compare("mean", now, before)
    welch = stats.ttest_ind(now, before, equal_var=False)
    interval = welch.confidence_interval(0.95)
    assert_allclose(found.tolist(), [now.mean() - before.mean(), *interval, welch.pvalue], rtol=1e-10)


def test_means_of_a_full_panel_have_the_paired_standard_error():
    rng = np.random.default_rng(2)
    before = rng.normal(3, 1, 200)
    now = before + rng.normal(0.1, 0.5, 200)
    people = np.arange(200)
    found = compare("mean", now, before, people=(people, people))
    half = (found["change_high"] - found["change_low"]) / 2
    paired = (now - before).std(ddof=1) / np.sqrt(200)
    assert_allclose(half, stats.t.isf(0.025, 398) * paired, rtol=0.01)
    assert (
        half < 0.6 * np.diff(compare("mean", now, before)[["change_low", "change_high"]].astype(float))[0] / 2
    )


@pytest.mark.parametrize(("before", "p"), [(4.0, 1.0), (5.0, 0.0)])
def test_means_without_any_spread_have_p_1_if_equal_and_else_0(before, p):
    found = compare("mean", np.full(40, 4.0), np.full(33, before))
    assert found.tolist() == [4.0 - before] * 3 + [p]


def test_equal_means_of_different_bases_do_not_differ_by_a_rounding_error():
    found = compare("mean", np.full(3, 4.1), np.full(7, 4.1))
    assert (found["change"], found["p_value"]) == (0.0, 1.0)


def test_a_mean_of_one_answer_has_a_change_but_no_interval():
    found = compare("mean", [4.0], [3.0, 5, 2])
    assert_allclose(found["change"], 4 - 10 / 3)
    assert found[["change_low", "change_high", "p_value"]].isna().all()


def test_nps_changes_raw_with_interval_and_p_from_the_adjusted_parts():
    # Source of centres and margins: reference_values/nps_ci.json (50/30/20 of 100; 300/400/300 of 1000).
    now, before = (
        answers(promoters=50, passives=30, detractors=20),
        answers(promoters=300, passives=400, detractors=300),
    )
    found = compare("nps", now, before)
    half = np.hypot(44.20129700570441 - 29.126213592233007, 4.792531475493105)
    assert_allclose(found["change"], 30.0)
    assert_allclose(found["change_low"], 29.126213592233007 - half, atol=1e-9)
    assert_allclose(found["change_high"], 29.126213592233007 + half, atol=1e-9)
    assert_allclose(
        found["p_value"], 2 * stats.norm.sf(29.126213592233007 / (half / stats.norm.isf(0.025))), rtol=1e-9
    )


def test_nps_from_all_detractors_to_all_promoters_stays_inside_200():
    found = compare("nps", answers(promoters=40), answers(detractors=40))
    assert found["change"] == 200.0
    assert 150 < found["change_low"] < found["change_high"] <= 200


def test_equal_nps_of_the_same_panel_is_no_change_and_not_a_division_by_0():
    same, people = answers(promoters=20, detractors=20), np.arange(40)
    found = compare("nps", same, same, people=(people, people))
    assert (found["change"], found["p_value"]) == (0.0, 1.0)
    assert_allclose(found["change_high"], 0, atol=1e-3)


def test_counts_change_by_wald_on_compound_poisson_variances():
    found = compare("count", np.ones(100), np.ones(64))
    assert_allclose(found["change_low"], 36 - stats.norm.isf(0.025) * np.sqrt(164), rtol=1e-12)
    assert_allclose(found["p_value"], 2 * stats.norm.sf(36 / np.sqrt(164)), rtol=1e-12)


def test_counts_of_heavy_users_are_less_sure():
    few = compare(
        "count", np.ones(100), np.ones(64), people=(np.repeat(range(10), 10), np.repeat(range(20, 28), 8))
    )
    assert_allclose(few["p_value"], 2 * stats.norm.sf(36 / np.sqrt(10 * 100 + 8 * 64)), rtol=1e-12)


def test_a_count_of_0_is_compared():
    table = pd.DataFrame({"value": [0.0, 0.0], "n_effective": [0.0, 0.0], "kind": "count"})
    before = pd.DataFrame({"value": [49.0, 0.0], "n_effective": [49.0, 0.0], "kind": "count"})
    found = compare_estimates(table, before)
    assert_allclose(found.iloc[0], [-49, -49 - 13.71972, -49 + 13.71972, 2.56e-12], atol=1e-4)
    assert found.iloc[1].tolist() == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("kind", ["share", "nps", "mean", "count"])
def test_people_in_both_periods_narrow_the_interval(kind):
    rng = np.random.default_rng(3)
    values = {"share": rng.integers(0, 2, 90), "nps": rng.integers(-1, 2, 90), "mean": rng.normal(3, 1, 90)}
    now = values.get(kind, np.ones(90)).astype(float)
    before = now.copy()
    before[:20] = now[20:40]
    people = np.arange(90)
    apart, paired = (compare(kind, now, before, people=(people, others)) for others in (people + 500, people))
    assert paired["change"] == apart["change"]
    assert paired["change_high"] - paired["change_low"] < 0.8 * (apart["change_high"] - apart["change_low"])


def test_a_row_not_measured_before_is_missing_and_its_neighbours_are_not():
    now = pd.DataFrame(
        {"value": [50.0, 50.0, 50.0], "n_effective": [40.0] * 3, "kind": "share"}, index=[5, 3, 9]
    )
    before = pd.DataFrame(
        {"value": [NAN, 40.0, 40.0], "n_effective": [NAN, 50, 0], "kind": [None, "share", "share"]}
    )
    found = compare_estimates(now, before)
    assert found.index.tolist() == [5, 3, 9]
    assert found.isna().all(axis=1).tolist() == [True, False, True]


def test_two_kinds_are_not_compared():
    now, before = (
        pd.DataFrame({"value": [50.0], "n_effective": [40.0], "kind": [kind]}) for kind in ("share", "mean")
    )
    with pytest.raises(ValueError, match="row 0: a share can't be compared with a mean"):
        compare_estimates(now, before)
    with pytest.raises(ValueError, match="expected one of share"):
        compare_estimates(now.assign(kind="rate"), before)
    with pytest.raises(ValueError, match="align them"):
        compare_estimates(now, before.iloc[:0])


def test_an_empty_table_compares_to_an_empty_table():
    empty = pd.DataFrame({"value": [], "n_effective": [], "kind": []})
    assert compare_estimates(empty, empty).columns.tolist() == [
        "change",
        "change_low",
        "change_high",
        "p_value",
    ]


def test_each_row_is_compared_as_if_it_stood_alone():
    rows = {
        "value": [50.0, 3.0, 20.0, 90.0],
        "n_effective": [40.0, 30, 50, 60],
        "kind": ["share", "mean", "nps", "count"],
    }
    now = pd.DataFrame(rows).assign(spread=1.1, promoters=0.5, detractors=0.3)
    before = now.assign(value=[41.0, 2.5, 10.0, 70.0], promoters=0.4, covariance=[2.0, 0.01, 5.0, 30.0])
    whole = compare_estimates(now, before)
    alone = pd.concat([compare_estimates(now.iloc[[i]], before.iloc[[i]]) for i in range(4)])
    mixed = compare_estimates(now.iloc[[2, 0, 3, 1]], before.iloc[[2, 0, 3, 1]]).sort_index()
    assert_frame_equal(whole, alone)
    assert_frame_equal(whole, mixed, check_exact=True)


def test_benjamini_hochberg_gives_the_published_values_in_any_order():
    # Source: reference_values/benjamini_hochberg.json (Benjamini & Hochberg 1995).
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.324,
        0.4262,
        0.5719,
        0.6528,
        0.759,
        1.0,
    ]
    q = [0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.063857, 0.063857, 0.0645, 0.0765]
    q += [0.486, 0.581182, 0.714875, 0.753231, 0.813214, 1.0]
    assert_allclose(adjust_p_values(p), q, atol=1e-6)
    assert (adjust_p_values(p) <= 0.05).sum() == 4
    assert_allclose(adjust_p_values(p[::-1]), q[::-1], atol=1e-6)


def test_missing_p_values_are_no_part_of_the_family():
    found = adjust_p_values(pd.Series([0.02, NAN, 0.04], index=[4, 2, 8]))
    assert_allclose(found, [0.04, NAN, 0.04])
    assert found.index.tolist() == [4, 2, 8]
    assert adjust_p_values([]).size == 0 and np.isnan(adjust_p_values([NAN])).all()


SURE = {"change": 5.0, "change_low": 2.0, "change_high": 8.0, "q_value": 0.01, "minimum_effect": 3.0}
BASE = {"n": 500, "n_before": 500, "suppressed": False, "comparable": True, "series_break": False}


@pytest.mark.parametrize(
    ("different", "verdict"),
    [
        ({}, "rose"),
        ({"change": -5.0, "change_low": -8.0, "change_high": -2.0}, "fell"),
        ({"change_low": 0.0}, "no_change"),
        ({"q_value": 0.05}, "rose"),
        ({"q_value": 0.0501}, "no_change"),
        ({"q_value": NAN}, "no_change"),
        ({"minimum_effect": 5.0}, "rose"),
        ({"change": 84.3 - 79.3, "minimum_effect": 5.0}, "rose"),
        ({"minimum_effect": 5.1}, "no_change"),
        ({"minimum_effect": NAN}, "rose"),
        ({"change": -5.0}, "no_change"),
        ({"n": 29}, "low_base"),
        ({"n_before": 29}, "low_base"),
        ({"n": 30, "n_before": 30}, "rose"),
        ({"n_before": NAN}, "low_base"),
        ({"series_break": True, "n": 12}, "series_break"),
        ({"comparable": False, "series_break": True}, "not_compared"),
        ({"change": NAN, "series_break": True}, "not_compared"),
        ({"n_before": 9}, "not_compared"),
        ({"n_before": 10}, "low_base"),
        ({"suppressed": True, "comparable": False}, "suppressed"),
        ({"n": 9}, "suppressed"),
        ({"n": 0}, "low_base"),
        ({"suppressed": None, "comparable": None, "series_break": None}, "rose"),
    ],
)
def test_verdict(different, verdict):
    table = pd.DataFrame([SURE | BASE | different], index=[7])
    found = judge_changes(table)
    assert found.to_dict() == {7: verdict}


def test_verdict_needs_no_more_than_change_bases_and_q():
    table = pd.DataFrame([{**SURE, "n": 40, "n_before": 40}]).drop(columns="minimum_effect")
    assert judge_changes(table).tolist() == ["rose"]
    assert judge_changes(table, low_base=50).tolist() == ["low_base"]
    assert judge_changes(table, minimum_base=41).tolist() == ["suppressed"]
    assert judge_changes(table, alpha=0.001).tolist() == ["no_change"]
    assert judge_changes(table.iloc[:0]).tolist() == []


def test_detectable_change_of_a_mean_has_80_percent_power_by_statsmodels():
    found = smallest_detectable_change("mean", n_now=150, n_before=300, spread=2.0)
    power = NormalIndPower().power(found / 2.0, nobs1=150, ratio=2, alpha=0.05)
    assert_allclose(power, 0.8, atol=1e-4)


def test_detectable_change_of_each_kind_is_z_times_the_standard_error():
    z = stats.norm.isf(0.025) + stats.norm.isf(0.2)
    share = smallest_detectable_change("share", n_now=400, n_before=100, value=20)
    count = smallest_detectable_change("count", n_now=100, n_before=100, value=100)
    nps = smallest_detectable_change("nps", n_now=1000, n_before=1000, promoters=0.3, detractors=0.3)
    assert_allclose(share, z * 40 * np.sqrt(1 / 400 + 1 / 100), rtol=1e-12)
    assert_allclose(count, z * np.sqrt(200), rtol=1e-12)
    assert_allclose(nps, z / stats.norm.isf(0.025) * 4.792531475493105 * np.sqrt(2), rtol=1e-9)


def test_detectable_change_shrinks_in_a_panel_and_is_missing_without_a_base():
    apart = smallest_detectable_change("mean", n_now=100, n_before=100, spread=1)
    assert_allclose(
        smallest_detectable_change("mean", n_now=100, n_before=100, spread=1, covariance=0.0075), apart / 2
    )
    assert np.isnan(smallest_detectable_change("mean", n_now=100, n_before=0, spread=1))
    assert smallest_detectable_change("share", n_now=50, n_before=50, value=0) > 5
    with pytest.raises(ValueError, match="expected one of"):
        smallest_detectable_change("rate", n_now=1, n_before=1)
