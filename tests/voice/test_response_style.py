"""Response style: indices from unrelated questions, told against all others, and scores raw and adjusted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from journeylib.voice import adjust_for_style, find_response_styles, measure_response_style
from journeylib.voice.respondents import prepare_survey
from journeylib.voice.response_style import score_styles


def make_ticks(ticks, *, reversed_items=(), labels=None, scale=(1, 5)):
    """Answers as the kit reads them: `ticks` one row a respondent, items a, b, c, ...; text as ticked."""
    low, high = scale
    rows = []
    for person, row in enumerate(ticks):
        for item, tick in zip("abcdefgh", row, strict=False):
            value = low + high - tick if item in reversed_items else tick
            rows.append((f"r{person}", item, "importance", value, str(tick)))
    answers = pd.DataFrame(rows, columns=["response", "question", "role", "value", "text"])
    answers = answers.assign(scale_min=low, scale_max=high, series="s")
    labels = labels or ["one"] * len(ticks)
    answers["segment.land"] = answers["response"].map({f"r{i}": label for i, label in enumerate(labels)})
    return answers


def read(table, metric, segment=""):
    rows = table[table["metric"].eq(metric) & table["segment"].eq(segment)]
    assert len(rows) == 1, rows
    return rows.iloc[0]


def test_indices_count_ticks_above_below_at_the_ends_and_in_the_middle():
    scores = score_styles(prepare_survey(make_ticks([[5, 4, 3, 1, 5, 3, 2, 4]]), None)[0]).iloc[0]
    assert scores["acquiescence_index"] == pytest.approx(100 * (4 - 2) / 8)
    assert scores["extreme_index"] == pytest.approx(100 * 3 / 8)
    assert scores["midpoint_index"] == pytest.approx(100 * 2 / 8)
    assert scores["height"] == pytest.approx((27 / 8 - 1) / 4)


def test_who_agrees_with_a_statement_and_with_its_opposite_agrees_for_style():
    answers = make_ticks([[5, 5, 5, 5]], reversed_items="bd")
    assert answers["value"].tolist() == [5, 1, 5, 1]
    scores = score_styles(prepare_survey(answers, None)[0])
    assert scores["acquiescence_index"].tolist() == [100.0] and scores["is_balanced"].all()
    unknown = score_styles(prepare_survey(answers.drop(columns="text"), None)[0])
    assert unknown["acquiescence_index"].tolist() == [0.0] and not unknown["is_balanced"].any()


def test_without_a_reversed_question_the_note_says_what_is_in_the_index():
    note = read(measure_response_style(make_ticks([[5, 4, 3, 1]] * 3), by="segment.land"), "extreme_index")
    assert "no reversed question" in note["note"]


def test_a_scale_without_a_middle_has_no_midpoint_index():
    table = measure_response_style(make_ticks([[1, 2, 3, 4]] * 3, scale=(1, 4)), by="segment.land")
    assert set(table["metric"]) == {"acquiescence_index", "extreme_index"}
    assert read(table, "acquiescence_index")["value"] == 0


@pytest.mark.parametrize("questions, rows", [(3, 0), (4, 1)])
def test_three_questions_tell_no_style_and_four_do(questions, rows):
    answers = make_ticks([[5, 5, 5, 5]])
    answers = answers[answers["question"].isin(list("abcd")[:questions])]
    assert len(score_styles(prepare_survey(answers, None)[0])) == rows


def test_a_respondent_needs_half_of_the_questions():
    answers = make_ticks([[5, 5, 5, 5], [1, 1, None, None], [1, None, None, None]])
    assert score_styles(prepare_survey(answers, None)[0])["n_items"].tolist() == [4, 2]


def test_own_items_may_be_named():
    answers = make_ticks([[5, 5, 5, 5]]).assign(role="csat")
    assert measure_response_style(answers, by="segment.land").empty
    assert len(measure_response_style(answers, by="segment.land", items=list("abcd")))


def make_two_lands(size, *, lift, seed=0):
    """Two lands of `size` respondents each; the first ticks higher by `lift` before rounding."""
    rng = np.random.default_rng(seed)
    shift = np.repeat([lift, 0.0], size)[:, None]
    ticks = np.clip(np.rint(3 + shift + rng.standard_normal((2 * size, 6))), 1, 5).astype(int)
    return make_ticks(ticks.tolist(), reversed_items="bdf", labels=["high"] * size + ["plain"] * size)


def test_the_difference_from_the_others_is_welch():
    answers = make_two_lands(40, lift=0.5)
    row = read(measure_response_style(answers, by="segment.land"), "acquiescence_index", "land=high")
    scores = score_styles(prepare_survey(answers, None)[0])["acquiescence_index"]
    high = scores[answers.groupby("response")["segment.land"].first().eq("high").to_numpy()]
    plain = scores.drop(high.index)
    test = stats.ttest_ind(high, plain, equal_var=False)
    assert row["p_value"] == pytest.approx(test.pvalue)
    assert row["difference"] == pytest.approx(high.mean() - plain.mean())
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(test.confidence_interval())


@pytest.mark.parametrize("size, told", [(29, []), (30, ["land=high", "land=plain"])])
def test_groups_are_told_apart_from_thirty_respondents_on(size, told):
    assert find_response_styles(make_two_lands(size, lift=1.2), by="segment.land") == told


def test_equal_groups_are_not_told_apart_and_shuffling_changes_nothing():
    answers = make_two_lands(60, lift=0.0)
    assert find_response_styles(answers, by="segment.land") == []
    shuffled = answers.sample(frac=1, random_state=1)
    one, two = (measure_response_style(table, by="segment.land") for table in (answers, shuffled))
    pd.testing.assert_frame_equal(one, two)


def test_a_difference_under_ten_points_is_not_told_however_sure():
    ticks = [[4, 3, 3, 3, 3, 3, 3, 3]] * 200 + [[4, 3, 3, 3, 3, 3, 3, 4]] * 2
    ticks += [[3] * 8] * 200 + [[4] + [3] * 7] * 2
    labels = ["high"] * 202 + ["plain"] * 202
    table = measure_response_style(make_ticks(ticks, labels=labels), by="segment.land")
    row = read(table, "midpoint_index", "land=high")
    assert row["q_value"] < 1e-10 and -13 < row["difference"] < -10 and row["differs"]
    answers = make_ticks(ticks, labels=labels)
    twice = answers.assign(question=answers["question"] + "2", value=3, text="3")
    table = measure_response_style(pd.concat([answers, twice]), by="segment.land")
    row = read(table, "midpoint_index", "land=high")
    assert row["q_value"] < 1e-10 and -10 < row["difference"] < 0 and not row["differs"]


def test_by_must_be_one_segment_and_empty_answers_give_an_empty_table():
    with pytest.raises(ValueError, match="one segment column"):
        measure_response_style(make_ticks([[5, 5, 5, 5]]), by="touchpoint")
    empty = make_ticks([[5, 5, 5, 5]]).iloc[:0]
    assert measure_response_style(empty, by="segment.land").empty
    assert adjust_for_style(empty, by="segment.land").empty


def add_scores(answers, values, *, role="csat", is_reversed=False, scale=(1, 5)):
    """One scored question more, as ticked; reversed ones are stored oriented."""
    low, high = scale
    about = answers.drop_duplicates("response").sort_values("response", key=lambda r: r.str[1:].astype(int))
    stored = [low + high - value if is_reversed else value for value in values]
    scored = about.assign(question="Q", role=role, value=stored, text=[str(value) for value in values])
    return pd.concat([answers, scored.assign(scale_min=low, scale_max=high)], ignore_index=True)


def test_a_score_that_is_high_for_style_alone_is_equal_after_adjusting_and_the_total_stays():
    ticks = [[4] * 4] * 2 + [[3] * 4] * 2
    answers = add_scores(make_ticks(ticks, labels=["high", "high", "low", "low"]), [4, 5, 3, 4])
    table = adjust_for_style(answers, by="segment.land").set_index(["segment", "metric"])["value"]
    assert table["land=high", "csat_mean"] - table["land=low", "csat_mean"] == 1.0
    assert table["land=high", "csat_mean_adjusted"] == table["land=low", "csat_mean_adjusted"] == 4.0
    assert table.groupby("metric").mean().tolist() == [4.0, 4.0]


def test_where_a_reversed_question_was_ticked_high_the_adjusted_score_is_higher():
    ticks = [[4] * 4] * 2 + [[3] * 4] * 2
    answers = make_ticks(ticks, labels=["high", "high", "low", "low"])
    answers = add_scores(answers, [5, 6, 3, 4], role="ces", is_reversed=True, scale=(1, 7))
    table = adjust_for_style(answers, by="segment.land", metric="ces_mean")
    table = table.set_index(["segment", "metric"])["value"]
    assert table["land=high", "ces_mean"] == 2.5 and table["land=low", "ces_mean"] == 4.5
    # half a step of 4 either way, on a scale of length 6: 0.125 * 6
    assert table["land=high", "ces_mean_adjusted"] == 3.25
    assert table["land=low", "ces_mean_adjusted"] == 3.75


def test_only_means_are_adjusted():
    with pytest.raises(ValueError, match="csat_mean or ces_mean"):
        adjust_for_style(make_ticks([[5, 5, 5, 5]]), by="segment.land", metric="nps")
    with pytest.raises(ValueError, match="segment column"):
        adjust_for_style(make_ticks([[5, 5, 5, 5]]), by="touchpoint")
