"""Scores of survey answers: values, places, segments, weights, periods, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from journeylib.evidence import kish_effective_n, nps_interval, wilson_interval
from journeylib.voice import score_answers


def make_answers(rows, **columns):
    """Answers from rows of response, question, role, touchpoint, stage, value; nps on 0-10, others on 1-5."""
    names = ["response", "question", "role", "touchpoint", "stage", "value"]
    answers = pd.DataFrame(rows, columns=names).assign(not_applicable=False, series="s")
    answers["scale_min"] = np.where(answers["role"] == "nps", 0, 1)
    answers["scale_max"] = np.where(answers["role"] == "nps", 10, 5)
    return answers.assign(**columns)


def make_one_question(values, *, role="csat", **columns):
    return make_answers([(f"r{i}", "Q1", role, "", "", value) for i, value in enumerate(values)], **columns)


def pick(table, metric, **where):
    """The one row of a metric."""
    rows = table[table["metric"].eq(metric)]
    for name, wanted in where.items():
        rows = rows[rows[name].eq(wanted)]
    assert len(rows) == 1, rows
    return rows.iloc[0]


def test_nps_counts_9_and_10_as_promoters_and_0_to_6_as_detractors():
    row = pick(score_answers(make_one_question([0, 6, 7, 8, 9, 10, 10, 8], role="nps")), "nps")
    assert (row["value"], row["n"], row["kind"]) == (12.5, 8, "nps")
    assert (row["promoters"], row["detractors"]) == (3 / 8, 2 / 8)
    assert (row["low"], row["high"]) == pytest.approx(nps_interval(3 / 8, 2 / 8, 8))


def test_nps_of_published_case_has_the_published_interval():
    # reference_values/nps_ci.json, case 2: 15 promoters, 10 passives, 5 detractors
    row = pick(score_answers(make_one_question([9] * 15 + [7] * 10 + [6] * 5, role="nps")), "nps")
    assert row["value"] == pytest.approx(33.333333333333336, abs=1e-9)
    assert (row["low"], row["high"]) == pytest.approx((4.778131074580888, 55.827929531479725), abs=1e-9)


@pytest.mark.parametrize("value, points", [(6, -100), (7, 0), (8, 0), (9, 100)])
def test_nps_cuts_lie_between_6_and_7_and_between_8_and_9(value, points):
    assert pick(score_answers(make_one_question([value] * 3, role="nps")), "nps")["value"] == points


def test_csat_top2_is_the_share_of_the_top_two_points_and_the_mean_stands_beside_it():
    table = score_answers(make_one_question([1, 3, 4, 5, 5]))
    assert table["metric"].tolist() == ["csat_mean", "csat_top2"]
    top, mean = pick(table, "csat_top2"), pick(table, "csat_mean")
    assert (top["value"], top["n"]) == (60.0, 5)
    assert (top["low"], top["high"]) == pytest.approx([100 * end for end in wilson_interval(3, 5)])
    assert mean["value"] == 3.6
    assert mean["spread"] == pytest.approx(np.std([1, 3, 4, 5, 5], ddof=1))
    interval = stats.t.interval(0.95, 4, 3.6, stats.sem([1, 3, 4, 5, 5]))
    assert (mean["low"], mean["high"]) == pytest.approx(interval)


def test_csat_top2_follows_the_declared_scale():
    table = score_answers(make_one_question([8, 9, 10, 5], scale_min=1, scale_max=10))
    assert pick(table, "csat_top2")["value"] == 50.0


def test_ces_top3_exists_on_scales_from_1_to_7_only():
    wide = score_answers(make_one_question([4, 5, 6, 7], role="ces", scale_max=7))
    assert (pick(wide, "ces_top3")["value"], pick(wide, "ces_mean")["value"]) == (75.0, 5.5)
    narrow = score_answers(make_one_question([4, 5, 5, 3], role="ces"))
    assert narrow["metric"].tolist() == ["ces_mean"]


def test_blank_and_not_applicable_answers_never_count_but_are_counted():
    answers = make_one_question([5, 1, None, 3, 4])
    answers["not_applicable"] = [False, False, False, True, False]
    responses = pd.DataFrame({"response": ["r0", "r1", "r2", "r3", "r4", "r5"]})
    row = pick(score_answers(answers, responses=responses), "csat_mean")
    assert row["value"] == pytest.approx(10 / 3)
    assert (row["n"], row["n_not_applicable"], row["n_asked"]) == (3, 1, 6)


def test_other_roles_are_ignored():
    answers = make_answers([("a", "Q1", "csat", "", "", 4), ("a", "Q2", "importance", "", "", 1)])
    assert score_answers(answers)["metric"].tolist() == ["csat_mean", "csat_top2"]


PLACES = [
    ("a", "all", "csat", "", "", 5),
    ("b", "all", "csat", "", "", 3),
    ("a", "food1", "csat", "food", "use", 5),
    ("a", "food2", "csat", "food", "use", 2),
    ("b", "food1", "csat", "food", "use", 1),
    ("a", "shops", "csat", "shops", "use", 4),
    ("c", "plan", "csat", "", "decision", 2),
]


def test_the_headline_takes_only_questions_without_touchpoint_and_stage():
    row = pick(score_answers(make_answers(PLACES)), "csat_mean")
    assert (row["value"], row["n"], row["touchpoint"], row["stage"], row["item"]) == (4.0, 2, "", "", "")


def test_a_respondent_with_several_questions_of_a_touchpoint_counts_once():
    table = score_answers(make_answers(PLACES), by="touchpoint")
    mean = pick(table, "csat_mean", touchpoint="food", item="")
    assert (mean["value"], mean["n"], mean["n_effective"], mean["stage"]) == (2.25, 2, 2.0, "")
    top = pick(table, "csat_top2", touchpoint="food", item="")
    assert (top["value"], top["n"]) == (25.0, 2)


def test_item_rows_appear_only_where_a_place_has_several_questions():
    table = score_answers(make_answers(PLACES), by="touchpoint")
    food = table[table["metric"].eq("csat_mean") & table["touchpoint"].eq("food")]
    assert food[["item", "value", "n"]].values.tolist() == [
        ["", 2.25, 2],
        ["food1", 3.0, 2],
        ["food2", 2.0, 1],
    ]
    assert table[table["touchpoint"].eq("shops")]["item"].tolist() == ["", ""]


def test_a_stage_takes_its_own_questions_and_those_of_its_touchpoints():
    table = score_answers(make_answers(PLACES), by="stage")
    use = pick(table, "csat_mean", stage="use", item="")
    assert (use["value"], use["n"], use["touchpoint"]) == (pytest.approx(((5 + 2 + 4) / 3 + 1) / 2), 2, "")
    assert pick(table, "csat_mean", stage="decision")["value"] == 2.0


def test_nps_over_several_questions_is_the_mean_of_each_respondents_mean():
    rows = [
        ("a", "N1", "nps", "app", "", 10),
        ("a", "N2", "nps", "app", "", 0),
        ("b", "N1", "nps", "app", "", 9),
    ]
    row = pick(score_answers(make_answers(rows), by="touchpoint"), "nps", item="")
    assert (row["value"], row["n"]) == (50.0, 2)
    assert (row["promoters"], row["detractors"]) == (0.75, 0.25)


def test_segments_are_written_as_column_and_label_and_missing_labels_are_counted():
    answers = make_one_question([10, 9, 0, 5, 8], role="nps")
    responses = pd.DataFrame(
        {"response": [f"r{i}" for i in range(5)], "segment.problem": ["no", "no", "yes", None, ""]}
    )
    table = score_answers(answers, responses=responses, by="segment.problem")
    assert table[["segment", "value", "n", "n_asked", "n_without_label"]].values.tolist() == [
        ["problem=no", 100.0, 2, 2, 2],
        ["problem=yes", -100.0, 1, 1, 2],
    ]
    assert table["note"].tolist() == ["2 without a label left out"] * 2


def test_touchpoint_and_segment_combine():
    responses = pd.DataFrame({"response": ["a", "b", "c"], "segment.plan": ["x", "y", "y"]})
    table = score_answers(make_answers(PLACES), responses=responses, by=["segment.plan", "touchpoint"])
    means = table[table["metric"].eq("csat_mean") & table["item"].eq("")]
    assert means[["touchpoint", "segment", "value"]].values.tolist() == [
        ["food", "plan=x", 3.5],
        ["food", "plan=y", 1.0],
        ["shops", "plan=x", 4.0],
    ]


def test_segment_scores_weighted_by_their_n_give_the_headline():
    rng = np.random.default_rng(1)
    answers = make_one_question(rng.integers(0, 11, 40), role="nps")
    responses = pd.DataFrame({"response": answers["response"], "segment.x": rng.choice(list("abc"), 40)})
    parts = score_answers(answers, responses=responses, by="segment.x")
    whole = pick(score_answers(answers, responses=responses), "nps")
    assert np.average(parts["value"], weights=parts["n"]) == pytest.approx(whole["value"])
    assert parts["n"].sum() == whole["n"]


def test_weighted_scores_have_their_own_name_and_kish_effective_n():
    answers = make_one_question([10, 10, 0, 8], role="nps")
    weights = [1.0, 0.5, 2.0, 1.0]
    responses = pd.DataFrame({"response": ["r0", "r1", "r2", "r3"], "weight": weights})
    table = score_answers(answers, responses=responses, weighted=True)
    assert table["metric"].tolist() == ["nps_weighted"]
    row = table.iloc[0]
    assert row["value"] == pytest.approx(100 * (1.5 - 2.0) / 4.5)
    assert (row["n"], row["n_effective"]) == (4, pytest.approx(kish_effective_n(weights)))
    assert (row["low"], row["high"]) == pytest.approx(nps_interval(1.5 / 4.5, 2 / 4.5, 4.5**2 / 6.25))


def test_equal_weights_give_the_plain_score():
    answers = make_one_question([1, 4, 5, 2])
    responses = pd.DataFrame({"response": ["r0", "r1", "r2", "r3"], "weight": 0.25})
    plain, weighted = score_answers(answers), score_answers(answers, responses=responses, weighted=True)
    columns = ["value", "low", "high", "n", "n_effective", "spread"]
    pd.testing.assert_frame_equal(plain[columns], weighted[columns])


@pytest.mark.parametrize("useless", [None, 0.0, -1.0, np.inf])
def test_respondents_without_a_usable_weight_are_left_out_of_the_weighted_score_and_counted(useless):
    responses = pd.DataFrame({"response": ["r0", "r1", "r2"], "weight": [1.0, 1.0, useless]})
    table = score_answers(make_one_question([5, 4, 1]), responses=responses, weighted=True)
    row = pick(table, "csat_mean_weighted")
    assert (row["value"], row["n"], row["n_without_weight"]) == (4.5, 2, 1)
    assert row["note"] == "1 without a usable weight left out"


def test_without_any_usable_weight_there_is_no_weighted_score():
    responses = pd.DataFrame({"response": ["r0", "r1"], "weight": [None, 0.0]})
    assert score_answers(make_one_question([5, 4]), responses=responses, weighted=True).empty


def test_a_customer_who_responds_several_times_is_one_cluster():
    answers = make_one_question([5, 5, 5, 1, 1, 1])
    responses = pd.DataFrame({"response": [f"r{i}" for i in range(6)], "customer": list("aaabbb")})
    alone = pick(score_answers(answers), "csat_mean")
    together = pick(score_answers(answers, responses=responses), "csat_mean")
    assert (alone["n"], alone["n_effective"]) == (6, 6.0)
    assert (together["value"], together["n"]) == (3.0, 6)
    assert together["n_effective"] < 2.5
    assert together["low"] < alone["low"]


def test_respondents_without_customer_are_not_one_cluster():
    responses = pd.DataFrame({"response": [f"r{i}" for i in range(4)], "customer": [None, "", None, None]})
    row = pick(score_answers(make_one_question([5, 5, 1, 1]), responses=responses), "csat_mean")
    assert row["n_effective"] == 4.0


def make_panel(now, before, customers_before=None, year_ago=()):
    """One csat question in two or three periods; customers are a, b, c, ... in order."""
    letters = list("abcdefghijkl")
    names = [("reviewed", now, letters), ("previous", before, customers_before or letters)]
    names += [("year_ago", year_ago, letters)]
    answers, responses = [], []
    for which, values, customers in names:
        for place, value in enumerate(values):
            answers.append((f"{which}{place}", "Q1", "csat", "", "", value))
            responses.append((f"{which}{place}", customers[place], which))
    responses = pd.DataFrame(responses, columns=["response", "customer", "which"])
    return make_answers(answers, which=responses["which"]), responses


def test_a_full_panel_has_the_paired_t_tests_variance():
    now, before = [5, 4, 4, 2, 5, 3], [4, 4, 3, 1, 5, 1]
    answers, responses = make_panel(now, before)
    table = score_answers(answers, responses=responses)
    mean = table[table["metric"].eq("csat_mean")]
    assert mean["which"].tolist() == ["reviewed", "previous"]
    assert np.isnan(mean["covariance"].iloc[0])
    variance = (mean["spread"] ** 2 / mean["n_effective"]).sum() - 2 * mean["covariance"].iloc[1]
    t = (mean["value"].iloc[0] - mean["value"].iloc[1]) / np.sqrt(variance)
    assert t == pytest.approx(stats.ttest_rel(now, before).statistic)


def test_covariance_is_0_where_nobody_is_in_both_periods_and_where_customers_are_not_known():
    answers, responses = make_panel([5, 4, 1], [4, 4, 2], customers_before=["x", "y", "z"])
    assert score_answers(answers, responses=responses)["covariance"].dropna().tolist() == [0.0, 0.0]
    answers, responses = make_panel([5, 4, 1], [4, 4, 2])
    assert score_answers(answers)["covariance"].dropna().tolist() == [0.0, 0.0]
    same_ids = answers.assign(response=answers["response"].str[-1])
    assert score_answers(same_ids)["covariance"].dropna().tolist() == [0.0, 0.0]


def test_year_ago_is_compared_with_the_reviewed_period_too():
    answers, responses = make_panel([5, 1, 3], [2, 2, 2], year_ago=[4, 2, 3])
    mean = score_answers(answers, responses=responses).query("metric == 'csat_mean'").set_index("which")
    assert mean.index.tolist() == ["reviewed", "previous", "year_ago"]
    assert mean.loc["previous", "covariance"] == pytest.approx(0)
    assert mean.loc["year_ago", "covariance"] == pytest.approx(np.cov([5, 1, 3], [4, 2, 3])[0, 1] / 3)


def test_a_response_may_stand_in_two_periods_of_comparison():
    answers, responses = make_panel([5, 4], [3, 1])
    double = answers["which"].eq("previous")
    answers = pd.concat([answers, answers[double].assign(which="year_ago")])
    responses = pd.concat([responses, responses[responses["which"].eq("previous")].assign(which="year_ago")])
    mean = score_answers(answers, responses=responses).query("metric == 'csat_mean'")
    assert mean[["which", "value", "n"]].values.tolist() == [
        ["reviewed", 4.5, 2],
        ["previous", 2.0, 2],
        ["year_ago", 2.0, 2],
    ]


def test_a_changed_question_shows_in_series():
    answers, _ = make_panel([5, 4], [3, 1])
    answers["series"] = np.where(answers["which"].eq("reviewed"), "How satisfied? 1-5", "Happy? 1-5")
    table = score_answers(answers).query("metric == 'csat_mean'")
    assert table["series"].tolist() == ["How satisfied? 1-5", "Happy? 1-5"]


def test_series_of_a_place_joins_those_of_its_answered_questions():
    answers = make_answers(PLACES).assign(series=lambda table: table["question"] + " 1-5")
    answers.loc[len(answers)] = {
        **answers.iloc[2].to_dict(),
        "question": "food3",
        "value": None,
        "series": "food3",
    }
    table = score_answers(answers, by="touchpoint").query("metric == 'csat_mean' and touchpoint == 'food'")
    assert table["series"].tolist() == ["food1 1-5 + food2 1-5", "food1 1-5", "food2 1-5"]


def test_questions_on_different_scales_get_no_joint_score_but_their_own():
    answers = make_answers(PLACES[2:5])
    answers.loc[answers["question"].eq("food2"), "scale_max"] = 7
    table = score_answers(answers, by="touchpoint").query("metric == 'csat_mean'")
    assert table[["item", "value"]].values.tolist() == [["food1", 3.0], ["food2", 2.0]]
    assert table["note"].str.contains("scales differ").all()


def test_a_scale_may_differ_between_periods_since_series_tells():
    answers, _ = make_panel([7, 7], [3, 1])
    answers.loc[answers["which"].eq("reviewed"), "scale_max"] = 7
    table = score_answers(answers).query("metric == 'csat_top2'")
    assert table["value"].tolist() == [100.0, 0.0]


def test_asked_counts_only_waves_that_had_the_question():
    answers = make_answers([("a", "Q1", "csat", "", "", 4), ("c", "Q2", "csat", "app", "", 4)])
    responses = pd.DataFrame({"response": list("abcd"), "wave": ["spring", "spring", "summer", "summer"]})
    assert pick(score_answers(answers, responses=responses), "csat_mean")["n_asked"] == 2


def test_low_base_is_flagged_below_30():
    assert score_answers(make_one_question([4, 5] * 15))["low_base"].tolist() == [False, False]
    assert score_answers(make_one_question([4, 5] * 14 + [3]))["low_base"].tolist() == [True, True]


def test_one_respondent_gives_a_value_without_an_interval_of_the_mean():
    row = pick(score_answers(make_one_question([4])), "csat_mean")
    assert (row["value"], row["n"]) == (4.0, 1)
    assert np.isnan(row["low"]) and np.isnan(row["spread"])


@pytest.mark.parametrize("answers", [make_one_question([4]).iloc[:0], make_one_question([None, None])])
@pytest.mark.parametrize("by", [None, "touchpoint", "stage"])
def test_no_answers_give_no_rows_but_all_columns(answers, by):
    table = score_answers(answers, by=by)
    full = score_answers(make_one_question([4]))
    assert table.empty
    pd.testing.assert_series_equal(table.dtypes, full.dtypes)


def test_shuffled_rows_give_the_identical_table():
    rng = np.random.default_rng(3)
    rows = [
        (f"r{i}", f"Q{q}", "csat", f"t{q // 2}", "use", rng.integers(1, 6))
        for i in range(40)
        for q in range(4)
    ]
    responses = pd.DataFrame({"response": [f"r{i}" for i in range(40)], "weight": rng.uniform(0.2, 3, 40)})
    responses["customer"] = [f"c{i % 25}" for i in range(40)]
    responses["segment.x"] = rng.choice(["a", "b", None], 40)
    responses["which"] = np.where(np.arange(40) < 20, "reviewed", "previous")
    answers = make_answers(rows).merge(responses[["response", "which"]])
    for by in ("touchpoint", "stage", ["touchpoint", "segment.x"]):
        straight = score_answers(answers, responses=responses, by=by, weighted=True)
        mixed = score_answers(
            answers.sample(frac=1, random_state=5),
            responses=responses.sample(frac=1, random_state=6),
            by=by,
            weighted=True,
        )
        pd.testing.assert_frame_equal(straight, mixed, check_exact=True)


def test_the_input_is_left_as_it_was():
    answers, responses = make_panel([5, 4], [3, 1])
    copies = answers.copy(), responses.copy()
    score_answers(answers, responses=responses, by="touchpoint")
    pd.testing.assert_frame_equal(answers, copies[0])
    pd.testing.assert_frame_equal(responses, copies[1])


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"role": "nps", "scale_min": 1, "scale_max": 10}, "needs the ends 0 and 10, found 1 and 10"),
        (
            {"role": "nps", "scale_min": 0, "scale_max": 10, "value": 11},
            "outside the scale 0 to 10, for instance 11",
        ),
        ({"role": "nps", "scale_min": 0, "scale_max": 10, "value": 8.5}, "not whole numbers"),
        ({"scale_max": None}, "needs a declared scale"),
        ({"scale_min": 5, "scale_max": 1}, "needs a declared scale"),
        ({"value": 6}, "outside the scale 1 to 5, for instance 6"),
        ({"value": 0}, "outside the scale 1 to 5, for instance 0"),
        ({"which": "now"}, "which holds 'now'"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_a_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        score_answers(make_one_question([4, 5]).assign(**changes))


@pytest.mark.parametrize(
    "by, sentence",
    [
        ("channel", "by holds 'channel'"),
        (["touchpoint", "segment."], "by holds 'segment.'"),
        (["segment.a", "segment.b"], "2 segment columns"),
        ("segment.a", "column segment.a is missing"),
    ],
)
def test_by_that_is_not_understood_is_refused(by, sentence):
    with pytest.raises(ValueError, match=sentence):
        score_answers(make_one_question([4, 5]), by=by)


def test_missing_columns_and_contradicting_responses_are_refused():
    answers = make_one_question([4, 5])
    with pytest.raises(ValueError, match="answers: column value is missing"):
        score_answers(answers.drop(columns="value"))
    with pytest.raises(ValueError, match="responses: column weight is missing"):
        score_answers(answers, responses=pd.DataFrame({"response": ["r0"]}), weighted=True)
    twice = pd.DataFrame({"response": ["r0", "r0"], "weight": [1.0, 2.0]})
    with pytest.raises(ValueError, match="second row that differs in weight"):
        score_answers(answers, responses=twice, weighted=True)
