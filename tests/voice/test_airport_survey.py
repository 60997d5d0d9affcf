"""The airport survey of 2016 and 2017 (DataSF, public domain): the figures that a right analysis finds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from journeylib.evidence import compare_estimates
from journeylib.voice import count_coverage, describe_weights, score_answers

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not (DATA / "sfo_survey_2017.csv").exists(), reason="../shared/data/sfo_survey_2017.csv is absent"
)
# question: role, touchpoint, lower end, upper end, blank codes, not-applicable codes
QUESTIONS = {
    "NETPRO": ("nps", "", 0, 10, [11], []),
    "Q7ALL": ("csat", "", 1, 5, [0], [6]),
    "Q14FIND": ("ces", "wayfinding", 1, 5, [0], [6]),
    "Q7FOOD": ("csat", "food", 1, 5, [0], [6]),
    "Q9FOOD": ("csat", "food", 1, 5, [0], [6]),
}


def read_wave(year, which):
    """One wave in the shape of the tables responses and answers."""
    raw = pd.read_csv(DATA / f"sfo_survey_{year}.csv", encoding="latin-1", dtype=str)
    raw.columns = raw.columns.str.strip().str.strip("*")
    response = f"{year}-" + raw["RESPNUM"]
    answers = []
    for question, (role, touchpoint, low, high, blank, unused) in QUESTIONS.items():
        if question not in raw:
            continue
        code = pd.to_numeric(raw[question], errors="coerce")
        kept = code.notna() & ~code.isin(blank)
        one = pd.DataFrame(
            {"response": response, "value": code.mask(code.isin(unused)), "not_applicable": code.isin(unused)}
        )
        one = one.assign(
            question=question, role=role, touchpoint=touchpoint, stage="", scale_min=low, scale_max=high
        )
        answers.append(one[kept])
    responses = pd.DataFrame({"response": response, "which": which, "wave": year})
    responses["weight"] = pd.to_numeric(raw["WEIGHT"], errors="coerce") if "WEIGHT" in raw else None
    if "Q15PROBLEM" in raw:
        responses["segment.problem"] = raw["Q15PROBLEM"].map({"1": "yes", "2": "no", "3": "other"})
    return pd.concat(answers).assign(which=which, series=lambda table: table["question"]), responses


@pytest.fixture(scope="module")
def wave_2017():
    return read_wave("2017", "reviewed")


@pytest.fixture(scope="module")
def headline(wave_2017):
    answers, responses = wave_2017
    return score_answers(answers, responses=responses).set_index("metric")


def test_nps_is_39_84_of_2746(headline):
    assert headline.loc["nps", "value"] == pytest.approx(100 * (1436 - 342) / 2746)
    assert round(headline.loc["nps", "value"], 2) == 39.84
    assert headline.loc["nps", "n"] == 2746


def test_weighted_nps_is_40_40(wave_2017):
    answers, responses = wave_2017
    row = score_answers(answers, responses=responses, weighted=True).set_index("metric").loc["nps_weighted"]
    assert round(row["value"], 2) == 40.40
    assert row["n_effective"] < row["n"] == 2746


def test_csat_is_4_064_and_82_07_percent_of_2688(headline):
    assert round(headline.loc["csat_mean", "value"], 3) == 4.064
    assert round(headline.loc["csat_top2", "value"], 2) == 82.07
    assert headline.loc["csat_top2", "n"] == 2688


def test_ces_of_finding_the_way_is_4_413_of_2683(wave_2017):
    answers, responses = wave_2017
    table = score_answers(answers, responses=responses, by="touchpoint")
    row = table[table["metric"].eq("ces_mean")].iloc[0]
    assert (row["touchpoint"], round(row["value"], 3), row["n"]) == ("wayfinding", 4.413, 2683)
    assert row["n_not_applicable"] == 57 and row["n_asked"] == 2831
    assert not table["metric"].eq("ces_top3").any()


def test_nps_with_a_problem_is_18_77_and_without_43_65(wave_2017):
    answers, responses = wave_2017
    table = score_answers(answers, responses=responses, by="segment.problem")
    nps = table[table["metric"].eq("nps")].set_index("segment")
    assert nps["value"].round(2).to_dict() == {
        "problem=no": 43.65,
        "problem=other": 3.7,
        "problem=yes": 18.77,
    }
    assert nps["n"].sum() + nps["n_without_label"].iloc[0] == 2746


def test_food_joins_two_questions_once_a_respondent(wave_2017):
    answers, responses = wave_2017
    table = score_answers(answers, responses=responses, by="touchpoint")
    food = table[table["metric"].eq("csat_mean") & table["touchpoint"].eq("food")].set_index("item")
    own = answers[answers["touchpoint"].eq("food")].groupby("response")["value"].mean().dropna()
    assert food.index.tolist() == ["", "Q7FOOD", "Q9FOOD"]
    assert (food.loc["", "value"], food.loc["", "n"]) == (pytest.approx(own.mean()), len(own))


def test_overall_satisfaction_did_not_move_from_2016_in_a_way_that_can_be_told_from_noise(wave_2017):
    before = read_wave("2016", "previous")
    answers, responses = (pd.concat(pair) for pair in zip(wave_2017, before, strict=True))
    table = score_answers(answers, responses=responses)
    csat = table[table["metric"].str.startswith("csat")]
    now, then = (csat[csat["which"].eq(which)].reset_index(drop=True) for which in ("reviewed", "previous"))
    assert then["value"].tolist() == [pytest.approx(4.038, abs=5e-4), pytest.approx(80.99, abs=5e-3)]
    change = compare_estimates(now, then)
    assert change["change"].round(2).tolist() == [0.03, 1.08]
    assert ((change["change_low"] < 0) & (change["change_high"] > 0)).all()
    assert table[table["metric"].eq("nps")]["which"].tolist() == ["reviewed"]


def test_coverage_and_weights_of_2017(wave_2017):
    answers, responses = wave_2017
    counts = count_coverage(responses, answers).set_index("question")
    assert counts.loc["NETPRO", ["n_asked", "n_answered", "n_blank"]].tolist() == [2831, 2746, 85]
    assert counts.loc["Q14FIND", ["n_asked", "n_answered", "n_not_applicable", "n_blank"]].tolist() == [
        2831,
        2683,
        57,
        91,
    ]
    told = describe_weights(responses["weight"])
    assert told["mean"] == pytest.approx(1, abs=1e-3)
    assert told["effective_n"] == pytest.approx(
        responses["weight"].sum() ** 2 / (responses["weight"] ** 2).sum()
    )
