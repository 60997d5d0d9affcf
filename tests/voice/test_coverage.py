"""Who is behind the numbers: coverage, matching, response rate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.evidence import wilson_interval
from journeylib.voice import count_coverage, count_matches, measure_response_rate

RESPONSES = pd.DataFrame(
    {
        "response": ["a", "b", "c", "d", "e"],
        "wave": ["spring", "spring", "spring", "spring", "summer"],
        "which": ["previous", "previous", "previous", "previous", "reviewed"],
    }
)
ANSWERS = pd.DataFrame(
    [
        ("a", "Q1", "csat", 4.0, False, "", "previous"),
        ("b", "Q1", "csat", None, True, "", "previous"),
        ("c", "Q1", "csat", None, False, "", "previous"),
        ("e", "Q1", "csat", 5.0, False, "", "reviewed"),
        ("a", "Q8", "comment", None, False, "too loud", "previous"),
        ("b", "Q8", "comment", None, False, " ", "previous"),
    ],
    columns=["response", "question", "role", "value", "not_applicable", "text", "which"],
)
COUNTS = ["which", "question", "n_asked", "n_answered", "n_not_applicable", "n_blank", "answered_share"]


def test_coverage_counts_asked_answered_not_applicable_and_blank_per_question_and_period():
    assert count_coverage(RESPONSES, ANSWERS)[COUNTS].values.tolist() == [
        ["reviewed", "Q1", 1, 1, 0, 0, 100.0],
        ["previous", "Q1", 4, 1, 1, 2, 25.0],
        ["previous", "Q8", 4, 1, 0, 3, 25.0],
    ]


def test_answered_not_applicable_and_blank_sum_to_asked_also_for_shuffled_rows():
    table = count_coverage(RESPONSES, ANSWERS)
    assert (table[["n_answered", "n_not_applicable", "n_blank"]].sum(axis=1) == table["n_asked"]).all()
    mixed = count_coverage(RESPONSES.sample(frac=1, random_state=1), ANSWERS.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(mixed, table)


def test_the_raw_text_of_a_scaled_question_is_no_answer_where_it_has_no_value():
    answers = pd.DataFrame({"response": ["a", "b"], "question": "Q1", "role": "csat", "value": [4.0, None]})
    answers = answers.assign(text=["4", "99"], scale_min=1, scale_max=5)
    assert count_coverage(None, answers)[["n_answered", "n_blank"]].values.tolist() == [[1, 1]]


def test_nullable_columns_of_the_trusted_tables_are_taken_as_they_come():
    answers = pd.DataFrame({"response": ["a", "b"], "question": "Q1", "role": "csat"})
    answers["value"] = pd.array([4, None], dtype="Float64")
    answers["not_applicable"] = pd.array([None, True], dtype="boolean")
    assert count_coverage(None, answers)[["n_answered", "n_not_applicable"]].values.tolist() == [[1, 1]]


def test_without_responses_those_who_left_everything_blank_are_not_seen():
    table = count_coverage(None, ANSWERS).query("which == 'previous' and question == 'Q1'")
    assert table[["n_asked", "n_blank"]].values.tolist() == [[3, 1]]


def test_coverage_of_nothing_is_an_empty_table():
    table = count_coverage(RESPONSES.iloc[:0], ANSWERS.iloc[:0])
    assert table.empty and table.columns.tolist()[:2] == ["which", "question"]


def test_matches_tell_known_from_unknown_customers_and_from_none():
    responses = pd.DataFrame(
        {"customer": ["k1", "k2", "k9", None, ""], "which": ["reviewed"] * 4 + ["previous"]}
    )
    assert count_matches(responses, {"k1", "k2", "k3"}).values.tolist() == [
        ["reviewed", "matched", 2, 50.0],
        ["reviewed", "unknown_customer", 1, 25.0],
        ["reviewed", "no_customer", 1, 25.0],
        ["previous", "matched", 0, 0.0],
        ["previous", "unknown_customer", 0, 0.0],
        ["previous", "no_customer", 1, 100.0],
    ]


def test_a_survey_without_customers_matches_nobody():
    table = count_matches(pd.DataFrame({"response": ["a", "b"]}), {"k1"})
    assert table["n"].tolist() == [0, 0, 2]
    assert count_matches(RESPONSES.iloc[:0], {"k1"}).empty


def test_response_rate_is_the_share_of_active_customers_who_answered():
    responses = pd.DataFrame({"response": [1, 2, 3, 4], "customer": ["a", "a", "z", None]})
    row = measure_response_rate(responses, {"reviewed": ["a", "b", "c", "d", "d"]}).iloc[0]
    assert (row["metric"], row["unit_of_analysis"], row["kind"]) == ("response_rate", "people", "share")
    assert (row["value"], row["n"], row["n_effective"], row["n_not_active"]) == (25.0, 4, 4.0, 1)
    assert (row["low"], row["high"]) == pytest.approx([100 * end for end in wilson_interval(1, 4)])


def test_response_rate_of_two_periods_has_the_covariance_of_those_active_in_both():
    responses = pd.DataFrame(
        {"response": [1, 2, 3], "customer": ["a", "b", "a"], "which": ["reviewed"] * 2 + ["previous"]}
    )
    table = measure_response_rate(responses, {"previous": list("abcd"), "reviewed": list("abcd")})
    assert table[["which", "value"]].values.tolist() == [["reviewed", 50.0], ["previous", 25.0]]
    assert np.isnan(table["covariance"].iloc[0])
    now, before = np.array([1, 1, 0, 0]), np.array([1, 0, 0, 0])
    assert table["covariance"].iloc[1] == pytest.approx(1e4 * ((now - 0.5) * (before - 0.25)).sum() / 16)
    strangers = measure_response_rate(responses, {"previous": list("wxyz"), "reviewed": list("abcd")})
    assert strangers["covariance"].iloc[1] == 0.0


def test_a_response_without_any_answer_counts_only_where_answers_are_not_looked_at():
    responses = pd.DataFrame({"response": ["r1", "r2"], "customer": ["a", "b"]})
    answers = pd.DataFrame({"response": ["r1", "r2"], "value": [4.0, None]})
    active = {"reviewed": ["a", "b"]}
    assert measure_response_rate(responses, active)["value"].tolist() == [100.0]
    assert measure_response_rate(responses, active, answers=answers)["value"].tolist() == [50.0]


def test_response_rate_needs_customers_and_periods():
    active = {"reviewed": ["a"], "previous": ["a"]}
    with pytest.raises(ValueError, match="column customer is missing"):
        measure_response_rate(pd.DataFrame({"response": [1]}), active)
    with pytest.raises(ValueError, match="column which is missing"):
        measure_response_rate(pd.DataFrame({"response": [1], "customer": ["a"]}), active)
    assert measure_response_rate(pd.DataFrame({"customer": ["a"]}), {"reviewed": []}).empty
