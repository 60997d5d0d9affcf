"""The change of a score, split into who answered and how they scored."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.voice import score_answers, split_score_change


def make_survey(counts):
    """NPS answers from rows of which, segment, promoters, passives, detractors."""
    rows = [
        (which, label, value)
        for which, label, *sizes in counts
        for value, size in zip((10, 7, 0), sizes, strict=True)
        for _ in range(size)
    ]
    answers = pd.DataFrame(rows, columns=["which", "segment.plan", "value"])
    answers["response"] = [f"r{place}" for place in range(len(answers))]
    responses = answers[["response", "which", "segment.plan"]]
    answers = answers.drop(columns="segment.plan").assign(
        question="Q1", role="nps", scale_min=0, scale_max=10
    )
    return answers, responses


# reference_values/nps_mix_rate_decomposition.json: shares .5/.5 to .8/.2, NPS 40 to 38 and 0 to -2
SIMPSON = make_survey(
    [
        ("previous", "A", 20, 30, 0),
        ("previous", "B", 0, 50, 0),
        ("previous", "A", 20, 30, 0),
        ("previous", "B", 0, 50, 0),
        ("reviewed", "A", 76, 124, 0),
        ("reviewed", "B", 0, 49, 1),
    ]
)


def test_every_segment_falls_by_2_while_the_total_rises_by_10():
    parts = split_score_change(*SIMPSON, metric="nps", by="segment.plan").set_index("segment")
    assert parts.index.tolist() == ["plan=A", "plan=B", ""]
    assert parts["score_before"].tolist() == pytest.approx([40, 0, 20])
    assert parts["score_now"].tolist() == pytest.approx([38, -2, 30])
    assert parts["share_now"].tolist() == pytest.approx([80, 20, 100])
    assert parts.loc["", ["change", "mix", "rate"]].tolist() == pytest.approx([10, 12, -2])
    assert parts[["n_before", "n"]].values.tolist() == [[100, 200], [100, 50], [200, 250]]


def test_totals_are_the_scores_of_score_answers_also_where_labels_are_missing():
    rng = np.random.default_rng(8)
    answers, responses = SIMPSON
    responses = responses.assign(weight=rng.uniform(0.3, 3, len(responses)))
    responses.loc[::7, "segment.plan"] = None
    for weighted, metric in ((False, "nps"), (True, "nps_weighted")):
        parts = split_score_change(answers, responses, metric=metric, by="segment.plan").set_index("segment")
        scores = score_answers(answers, responses=responses, weighted=weighted).set_index("which")
        assert "plan=(no label)" in parts.index
        assert parts.loc["", "score_now"] == pytest.approx(scores.loc["reviewed", "value"])
        assert parts.loc["", "score_before"] == pytest.approx(scores.loc["previous", "value"])
        assert parts["mix"].iloc[:-1].sum() + parts["rate"].iloc[:-1].sum() == pytest.approx(
            parts.loc["", "change"]
        )


def test_a_segment_that_is_new_is_all_mix():
    survey = make_survey(
        [("previous", "A", 5, 5, 0), ("reviewed", "A", 5, 5, 0), ("reviewed", "B", 0, 10, 0)]
    )
    parts = split_score_change(*survey, metric="nps", by="segment.plan").set_index("segment")
    assert parts.loc["plan=B", ["score_before", "n_before"]].isna().tolist() == [True, False]
    assert parts.loc["", ["change", "mix", "rate"]].tolist() == pytest.approx([-25, -25, 0])


def test_one_split_per_touchpoint_and_none_where_a_period_is_missing():
    answers, responses = SIMPSON
    answers = pd.concat(
        [answers.assign(touchpoint="app"), answers[answers["which"].eq("reviewed")].assign(touchpoint="shop")]
    )
    parts = split_score_change(answers, responses, metric="nps", by=["touchpoint", "segment.plan"])
    assert parts["touchpoint"].tolist() == ["app"] * 3


def test_year_ago_can_be_the_period_before():
    answers, responses = (table.replace({"which": {"previous": "year_ago"}}) for table in SIMPSON)
    parts = split_score_change(answers, responses, metric="nps", by="segment.plan", before="year_ago")
    assert parts["mix"].iloc[-1] == pytest.approx(12)
    assert split_score_change(answers, responses, metric="nps", by="segment.plan").empty


def test_shuffled_rows_give_the_identical_split():
    answers, responses = SIMPSON
    mixed = answers.sample(frac=1, random_state=1), responses.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(
        split_score_change(*mixed, metric="nps", by="segment.plan"),
        split_score_change(*SIMPSON, metric="nps", by="segment.plan"),
        check_exact=True,
    )


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"metric": "churn_rate", "by": "segment.plan"}, "metric is 'churn_rate'"),
        ({"metric": "nps", "by": "touchpoint"}, "no segment column"),
        ({"metric": "nps", "by": "segment.plan", "before": "reviewed"}, "before is 'reviewed'"),
    ],
)
def test_arguments_that_are_not_understood_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        split_score_change(*SIMPSON, **arguments)
