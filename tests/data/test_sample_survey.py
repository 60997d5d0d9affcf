"""The made-up survey: drawn as its truth says, accepted by the kit's own codebook rules, and found again."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from journeylib.data import sample_survey
from journeylib.data.answers import read_answers_of_wave
from journeylib.data.codebook import read_codebook
from journeylib.data.sample_customers import PLANS, REGIONS, draw_customers
from journeylib.data.sample_draws import FIRST_DAY, QUARTERS
from journeylib.data.sample_programmes import add_programmes
from journeylib.data.sample_survey import count_careless, draw_wave, export_wave
from journeylib.data.sample_survey_expected import PLAN_SHARES, STYLE_SHARE, find_presence
from journeylib.data.sample_survey_model import EXPECTED, RESPONSE_SHARE, SHIFTED_SHARES, list_items
from journeylib.data.sample_survey_truth import describe_survey_truth
from journeylib.voice import find_response_styles, measure_expectation_gap, split_score_change

TEMPLATES = Path(sample_survey.__file__).with_name("sample_project")
WAVES = {"reviewed": "2026Q3", "previous": "2026Q2"}
TRUTH = describe_survey_truth(customers=2000)
BLANK = ["", "99", "k.A."]


def draw(size, quarter, *, seed=1, **options):
    people = draw_customers(size, rng=np.random.default_rng([seed, 0]))
    people = add_programmes(people, rng=np.random.default_rng([seed, 2]))
    wave = QUARTERS.index(quarter)
    answers = draw_wave(people, wave, rng=np.random.default_rng([seed, 1, wave]), **options)
    return answers, people


def read_numbers(answers, question):
    item = list_items().get(question)
    numbers = pd.to_numeric(answers[question].where(~answers[question].isin(BLANK)))
    return numbers.where(numbers <= (10 if item is None else item.high))


@pytest.fixture(scope="module")
def book():
    problems: list = []
    table = read_codebook(TEMPLATES, problems)
    assert problems == []
    return table


@pytest.fixture(scope="module")
def survey(book):
    """Answers and responses of two waves of 2,000 customers, read by the kit's own reader."""
    answers, responses = [], []
    for which, quarter in WAVES.items():
        drawn, people = draw(2000, quarter)
        own, others = book[book["wave"] == quarter], book[book["wave"] == ""]
        questions = pd.concat([own, others[~others["question"].isin(own["question"])]])
        taken = pd.DataFrame({"response": quarter + drawn["respondent"], "customer": drawn["respondent"]})
        plan = people.set_index("customer")[["plan", "region"]].add_prefix("segment.")
        responses.append(taken.join(plan, on="customer").assign(which=which, wave=quarter))
        cells = read_answers_of_wave(drawn.where(drawn.ne("")), taken, questions)
        assert not cells["fate"].eq("unknown_code").any()
        answers.append(cells[cells["fate"].isin(["used", "not_applicable"])].assign(which=which))
    return pd.concat(answers, ignore_index=True), pd.concat(responses, ignore_index=True)


def test_columns_drift_and_each_stands_in_the_codebook(book):
    people = draw_customers(40, rng=np.random.default_rng(3))
    names = {}
    for wave, quarter in enumerate(QUARTERS):
        export = export_wave(draw_wave(people, wave, rng=np.random.default_rng(wave)), wave)
        names[quarter] = {name.strip() for name in export}
        assert names[quarter] == set(book.loc[book["wave"].isin(["", quarter]), "column"])
    assert {"E_delivery", "P_delivery"} & names["2025Q2"] == set()
    assert {"E_delivery", "P_delivery"} <= names["2025Q3"]
    assert len({tuple(sorted(each)) for each in names.values()}) >= 6


def test_help_was_effort_on_five_points_and_is_ease_on_seven(book):
    asked = book[book["question"] == "ces_help"].set_index("wave")
    for quarter, ends in {"2025Q4": (1, 5, "lower_is_better"), "2026Q1": (1, 7, "higher_is_better")}.items():
        assert tuple(asked.loc[quarter, ["scale_min", "scale_max", "orientation"]]) == ends
    assert asked["label"].nunique() == 2


def test_the_shares_that_truth_reckons_with_are_those_of_the_customers():
    people = draw_customers(20_000, rng=np.random.default_rng(8))
    shares = people["plan"].value_counts(normalize=True)
    assert set(shares.index) == set(PLANS) == set(PLAN_SHARES)
    assert all(abs(shares[plan] - share) < 0.015 for plan, share in PLAN_SHARES.items())
    assert abs((people["region"] == "Sachsen").mean() - STYLE_SHARE) < 0.01 and "Sachsen" in REGIONS
    assert abs(people["satisfaction"].mean()) < 0.03 and abs(people["satisfaction"].std() - 1) < 0.03
    means = people.groupby("persona")["satisfaction"].mean()
    assert means.abs().max() < 0.06, "satisfaction goes with the persona: the survey's truth is not exact"


def test_who_answers_shifts_by_plan_in_one_wave_and_in_total_in_none():
    found = {}
    for quarter in WAVES.values():
        answers, people = draw(20_000, quarter)
        days = people[["joined_day", "left_day"]]
        last = (pd.Period(quarter).end_time.normalize() - FIRST_DAY).days - 15
        here = (days["left_day"] > last) & (days["joined_day"] <= last)
        present = here.groupby(people["plan"]).mean()
        assert all(abs(present[plan] - find_presence(plan, quarter)) < 0.025 for plan in PLANS)
        taken = people.loc[here, "customer"].isin(answers["respondent"])
        found[quarter] = taken.groupby(people["plan"]).mean() / 0.92  # 8 % give no id
        assert abs(taken.mean() / 0.92 - RESPONSE_SHARE) < 0.015
    assert all(abs(share - RESPONSE_SHARE) < 0.03 for share in found["2026Q2"])
    assert all(abs(found["2026Q3"][plan] - share) < 0.04 for plan, share in SHIFTED_SHARES.items())


def test_those_who_answer_are_a_little_more_content_than_those_who_do_not():
    answers, people = draw(20_000, "2026Q2")
    mood = people.set_index("customer")["satisfaction"].reindex(answers["respondent"]).mean()
    assert mood == pytest.approx(TRUTH["survey"]["mean_satisfaction_of_respondents"], abs=0.04)


def test_invited_is_the_share_that_is_asked_at_all():
    whole, half, none = (len(draw(4_000, "2026Q2", invited=share)[0]) for share in (1.0, 0.5, 0.0))
    assert none == 0 and abs(half / whole - 0.5) < 0.06


def test_careless_respondents_tick_one_box_in_under_a_minute():
    answers, _ = draw(4_000, "2026Q2")
    careless = answers["seconds"].astype(int) < 60
    assert count_careless(answers) == careless.sum() and 0.02 < careless.mean() < 0.04
    block = answers[list(list_items())]
    boxes = block.where(~block.isin(BLANK)).apply(lambda row: row.nunique(), axis=1)
    assert boxes[careless].max() == 1 and boxes[~careless].min() > 1
    assert (answers.loc[careless, "attention"] != "2").mean() > 0.6
    assert (answers.loc[~careless, "attention"] != "2").mean() < 0.03


def test_blanks_come_in_three_ways_and_comments_in_three_languages():
    answers, _ = draw(4_000, "2026Q2")
    assert all((answers["nps"] == blank).any() for blank in BLANK)
    assert set(answers.loc[answers["comment"] != "", "language"]) == {"de", "en", "fr"}


def test_eight_waves_of_two_thousand_customers_stay_under_650_kilobytes():
    people = draw_customers(2_000, rng=np.random.default_rng(4))
    sizes = [
        len(export_wave(draw_wave(people, wave, rng=np.random.default_rng(wave)), wave).to_csv(index=False))
        for wave in range(8)
    ]
    assert sum(sizes) < 640_000


def test_the_mix_shift_is_split_by_the_midpoint_formula_and_hides_the_fall():
    mix = TRUTH["effects"][0]
    parts = mix["segments"].values()
    by_hand = sum(
        (one["share_now"] - one["share_before"]) * (one["score_now"] + one["score_before"]) / 2
        for one in parts
    )
    assert mix["mix"] == pytest.approx(by_hand) and mix["mix"] > 10 and mix["rate"] < -10
    assert abs(mix["change"]) < 0.5
    assert all(
        one["score_now"] < one["score_before"] for name, one in mix["segments"].items() if name in PLANS
    )


@pytest.mark.parametrize("quarter, column", [("2026Q2", "score_before"), ("2026Q3", "score_now")])
def test_expected_nps_of_each_plan_is_what_a_large_draw_gives(quarter, column):
    answers, people = draw(60_000, quarter)
    score = read_numbers(answers, "nps")
    points = (100.0 * (score >= 9) - 100.0 * (score <= 6)).where(score.notna())
    groups = points.groupby(answers["respondent"].map(people.set_index("customer")["plan"]))
    for plan, row in groups.agg(["mean", "sem"]).iterrows():
        expected = TRUTH["effects"][0]["segments"][plan][column]
        assert abs(row["mean"] - expected) < 4 * row["sem"], (plan, row["mean"], expected)


def test_expected_style_and_gap_are_what_a_large_draw_gives():
    answers, people = draw(60_000, "2026Q3")
    region = answers["respondent"].map(people.set_index("customer")["region"])
    ticks = answers[[name for name in answers if name.startswith("agree_")]]
    index = 100 * np.sign(ticks.apply(lambda column: read_numbers(answers, column.name)) - 3).mean(axis=1)
    truth = {effect["where"]["metric"]: effect for effect in TRUTH["effects"] if effect["against"] == ""}
    style = truth["acquiescence_index"]
    sachsen, others = index[region == "Sachsen"], index[region.ne("Sachsen") & region.notna()]
    assert abs(sachsen.mean() - style["truth"]) < 4 * sachsen.sem()
    assert abs(others.mean() - style["other_regions"]) < 4 * others.sem()
    gaps = {**truth["expectation_gap"]["others"], "delivery": truth["expectation_gap"]["truth"]}
    assert set(gaps) == set(EXPECTED)
    for touchpoint, gap in gaps.items():
        found = read_numbers(answers, f"perceive_{touchpoint}") - read_numbers(
            answers, f"expect_{touchpoint}"
        )
        assert found.mean() == pytest.approx(gap, abs=0.05)


def test_every_effect_is_strong_enough_where_it_is_tested():
    for effect in TRUTH["effects"]:
        assert effect["power"] >= 0.9, effect["name"]
        assert effect["period"] == "2026Q3" and effect["tested_at"] in (2_000, 20_000)


def test_no_row_is_planted_both_to_change_and_not_to():
    for effect in TRUTH["effects"]:
        for other in TRUTH["non_differences"]:
            same = fnmatchcase(effect["where"]["metric"], other["where"]["metric"])
            assert not (same and effect["against"] == other["against"]), (effect["name"], other["name"])


def test_the_mix_shift_is_found_again(survey):
    planted = TRUTH["effects"][0]
    total = split_score_change(*survey, metric=planted["metric"], by=planted["by"]).iloc[-1]
    for part in ("mix", "rate"):
        assert abs(total[part] - planted[part]) < 3 * planted[f"{part}_standard_error"]
    assert total["mix"] > 0 > total["rate"]


def test_the_region_s_style_is_found_again_and_no_other(survey):
    assert find_response_styles(*survey, by="segment.region") == ["region=Sachsen"]


def test_the_delivery_that_is_worse_than_expected_is_found_again(survey):
    gaps = measure_expectation_gap(*survey)
    gaps = gaps[gaps["metric"].eq("expectation_gap") & gaps["which"].eq("reviewed")].set_index("touchpoint")
    planted = next(e for e in TRUTH["effects"] if e["where"]["metric"] == "expectation_gap")
    assert gaps["value"].idxmin() == "delivery"
    assert gaps.loc["delivery", "low"] < planted["truth"] < gaps.loc["delivery", "high"] < -1
