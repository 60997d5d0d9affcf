"""Found against expected: paired within the respondent, with interval and dz; and why a gap moved."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from journeylib.voice import measure_expectation_gap, split_gap_change


def make_answers(pairs, *, touchpoint="delivery", stage="post-purchase", **columns):
    """One expectation and one perception a respondent, on 1 to 5; None is not answered."""
    rows = [
        (f"r{place}", role, value)
        for place, pair in enumerate(pairs)
        for role, value in zip(("expectation", "perception"), pair, strict=True)
    ]
    answers = pd.DataFrame(rows, columns=["response", "role", "value"])
    answers["question"] = answers["role"] + "_" + touchpoint
    answers = answers.assign(touchpoint=touchpoint, stage=stage, scale_min=1, scale_max=5, series="s")
    return answers.assign(**columns)


def pick(table, metric, which="reviewed", **where):
    rows = table[table["metric"].eq(metric) & table["which"].eq(which)]
    for name, wanted in where.items():
        rows = rows[rows[name].eq(wanted)]
    assert len(rows) == 1, rows
    return rows.iloc[0]


FOUR = [(5, 3), (4, 4), (3, 2), (5, 3)]


def test_the_gap_is_found_less_expected_with_the_paired_t_interval():
    table = measure_expectation_gap(make_answers(FOUR))
    gap, differences = pick(table, "expectation_gap"), np.array([-2, 0, -1, -2])
    reach = stats.t.ppf(0.975, 3) * differences.std(ddof=1) / 2
    assert (gap["value"], gap["n"]) == (-1.25, 4)
    assert (gap["low"], gap["high"]) == pytest.approx((-1.25 - reach, -1.25 + reach))
    assert gap["dz"] == pytest.approx(-1.25 / differences.std(ddof=1))


def test_published_paired_comparison_comes_out_again():
    # Student (1908), Biometrika 6:1-25, hours of sleep gained; t.test(paired = TRUE) in R's ?sleep
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    answers = make_answers(zip(first, second, strict=True)).assign(scale_min=-10, scale_max=10)
    gap = pick(measure_expectation_gap(answers), "expectation_gap")
    assert gap["value"] == pytest.approx(1.58)
    assert (gap["low"], gap["high"]) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
    assert gap["dz"] * np.sqrt(10) == pytest.approx(4.0621, abs=1e-4)


def test_only_those_who_answered_both_count_in_any_of_the_three():
    table = measure_expectation_gap(make_answers([*FOUR, (5, None), (None, 1)]))
    assert table["n"].tolist() == [4, 4, 4]
    values = [
        pick(table, name)["value"] for name in ("perception_mean", "expectation_mean", "expectation_gap")
    ]
    assert values == [3.0, 4.25, -1.25] and values[0] - values[1] == values[2]


def test_not_applicable_is_no_perception():
    answers = make_answers(FOUR)
    answers["not_applicable"] = answers["response"].eq("r0") & answers["role"].eq("perception")
    assert pick(measure_expectation_gap(answers), "expectation_gap")["n"] == 3


def test_several_questions_of_a_role_are_averaged_within_the_respondent():
    more = make_answers([(1, 5)]).assign(question=lambda table: table["question"] + "_2")
    table = measure_expectation_gap(pd.concat([make_answers([(5, 3), (4, 4)]), more]))
    assert pick(table, "expectation_mean")["value"] == (3 + 4) / 2
    assert pick(table, "expectation_gap")["value"] == (1 + 0) / 2


def test_over_a_stage_each_respondent_counts_once():
    answers = pd.concat([make_answers([(5, 3), (4, 4)]), make_answers([(5, 5)], touchpoint="help")])
    gap = pick(measure_expectation_gap(answers, by="stage"), "expectation_gap", stage="post-purchase")
    assert (gap["n"], gap["value"]) == (2, (-1.0 + 0.0) / 2)
    assert pick(measure_expectation_gap(answers, by=None), "expectation_gap")["value"] == -0.5


def test_by_a_segment_those_without_a_label_are_left_out():
    answers = make_answers(FOUR)
    label = {"r0": "a", "r1": "a", "r2": "b"}
    responses = pd.DataFrame({"response": ["r0", "r1", "r2", "r3"]})
    responses["segment.plan"] = responses["response"].map(label)
    table = measure_expectation_gap(answers, responses, by=["touchpoint", "segment.plan"])
    gaps = table[table["metric"].eq("expectation_gap")]
    assert gaps[["segment", "value", "n"]].values.tolist() == [["plan=a", -1.0, 2], ["plan=b", -1.0, 1]]


def test_satisfaction_never_stands_in_for_a_missing_perception():
    answers = make_answers(FOUR)
    answers["role"] = answers["role"].replace("perception", "csat")
    table = measure_expectation_gap(answers)
    assert table["metric"].tolist() == ["expectation_mean"]
    assert table["n"].tolist() == [4] and "no question of role perception" in table["note"].iloc[0]


def test_roles_on_different_scales_are_not_compared(caplog):
    answers = make_answers(FOUR)
    answers.loc[answers["role"].eq("perception"), "scale_max"] = 7
    assert measure_expectation_gap(answers).empty
    assert "different scales" in caplog.text


def test_one_respondent_has_a_value_and_no_interval_and_equal_gaps_have_no_dz():
    one = pick(measure_expectation_gap(make_answers([(5, 3)])), "expectation_gap")
    assert one["value"] == -2 and np.isnan([one["low"], one["high"], one["dz"]]).all()
    same = pick(measure_expectation_gap(make_answers([(5, 3), (4, 2), (3, 1)])), "expectation_gap")
    assert same["value"] == -2 and np.isnan(same["dz"])


def test_without_such_questions_the_table_is_empty_and_has_its_columns():
    full, empty = measure_expectation_gap(make_answers(FOUR)), measure_expectation_gap(make_answers([]))
    assert empty.empty and list(empty) == list(full)
    assert split_gap_change(empty).empty


def test_shuffled_rows_give_the_same_table():
    answers = pd.concat([make_answers(FOUR), make_answers(FOUR, touchpoint="help")], ignore_index=True)
    shuffled = answers.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(measure_expectation_gap(answers), measure_expectation_gap(shuffled))


def make_two_periods(**columns):
    """The same customers in both periods: expectation rises by 1 for one, perception falls by 1 for two."""
    before = make_answers([(4, 4), (4, 3), (3, 3)], which="previous")
    now = make_answers([(5, 3), (4, 2), (3, 3)], which="reviewed", **columns)
    both = pd.concat([before, now], ignore_index=True)
    return both.assign(customer=both["response"])


def test_the_change_of_a_gap_is_split_into_expectation_and_perception():
    moved = split_gap_change(measure_expectation_gap(make_two_periods())).iloc[0]
    assert (moved["gap_before"], moved["gap"]) == pytest.approx((-1 / 3, -4 / 3))
    assert (moved["change"], moved["from_expectation"]) == pytest.approx((-1.0, -1 / 3))
    assert moved["from_perception"] == pytest.approx(-2 / 3)
    assert moved["from_expectation"] + moved["from_perception"] == pytest.approx(moved["change"])


def test_customers_of_both_periods_are_paired_in_the_interval_of_the_change():
    paired = split_gap_change(measure_expectation_gap(make_two_periods())).iloc[0]
    strangers = make_two_periods().drop(columns="customer")
    alone = split_gap_change(measure_expectation_gap(strangers)).iloc[0]
    assert paired["change"] == alone["change"]
    assert paired["change_high"] - paired["change_low"] < alone["change_high"] - alone["change_low"]


def test_a_changed_question_and_an_unknown_period_are_no_comparison():
    assert split_gap_change(measure_expectation_gap(make_two_periods(series="another"))).empty
    with pytest.raises(ValueError, match="expected previous or year_ago"):
        split_gap_change(measure_expectation_gap(make_two_periods()), before="reviewed")
