"""The first page: every sentence and cell is made from findings, and says no more than they do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.review.findings import FINDINGS_COLUMNS
from journeylib.review.first_page import (
    rank_changes,
    say_detectable,
    say_limits,
    say_missing,
    write_sentences,
)
from journeylib.review.first_tables import list_actions, list_changes, list_pains
from journeylib.review.wording import list_chapter_changes, say_change, say_place, say_unit


def finding(metric: str, value: float, **more: object) -> dict[str, object]:
    """Return one finding; what is not given is empty."""
    row: dict[str, object] = dict.fromkeys(FINDINGS_COLUMNS, np.nan)
    row |= dict.fromkeys(["stage", "touchpoint", "persona", "segment", "item", "note", "method"], "")
    units = {"nps": "nps", "csat_mean": "points", "session_count": "count", "events_per_session": "count"}
    row |= {
        "period": "2026Q3",
        "chapter": "what_they_say",
        "metric": metric,
        "value": value,
        "low": value - 2,
        "high": value + 2,
    }
    row |= {"n": 500, "unit": units.get(metric, "percent"), "suppressed": False, "verdict": "not_compared"}
    row |= {"unit_of_analysis": "respondents", "year_ago_verdict": "not_compared", "minimum_effect": 2.0}
    return {**row, **more}


def changed(verdict: str, change: float = 5.0) -> dict[str, object]:
    """Return the part of a finding that compares it with the period before."""
    return {
        "verdict": verdict,
        "previous": 35.0,
        "change": change,
        "change_low": change - 3,
        "change_high": change + 3,
        "q_value": 0.01,
    }


def test_a_headline_without_a_change_says_so_before_its_number() -> None:
    sentences = write_sentences(pd.DataFrame([finding("nps", 40.0, **changed("no_change", 1.0))]))
    assert sentences[0].startswith(
        "No change that we can tell from noise: Net promoter score, 40.0 (38.0 to 42.0, n 500)"
    )
    assert "+1.0 (−2.0 to +4.0)" in sentences[0]


def test_what_was_not_compared_is_never_called_no_change() -> None:
    note = "not compared: events begin on 4 January 2024"
    sentences = write_sentences(pd.DataFrame([finding("nps", 40.0, note=note)]))
    assert (
        sentences[-1] == "Nothing is compared with the period before, because events begin on 4 January 2024."
    )
    assert not any("noise" in sentence for sentence in sentences)


def test_the_largest_change_is_named_with_how_many_were_tested() -> None:
    rows = [
        finding("csat_top2", 40.0, touchpoint="delivery", **changed("fell", -9.0)),
        finding("nps", 40.0, **changed("no_change", 1.0)),
    ]
    last = write_sentences(pd.DataFrame(rows))[-1]
    assert last.startswith("Fell most: Satisfied (top two): delivery, from 35.0 % to 40.0 %")
    assert "1 of 2 changes since the period before is more than noise" in last


def test_a_change_against_last_year_is_told_where_the_last_quarter_shows_none() -> None:
    older = {
        "year_ago": 60.0,
        "year_ago_change": -20.0,
        "year_ago_low": -25.0,
        "year_ago_high": -15.0,
        "year_ago_verdict": "fell",
    }
    rows = pd.DataFrame(
        [finding("drop_off", 40.0, item="shop/purchase", **changed("no_change", 1.0), **older)]
    )
    assert (
        "Against a year before, drop-off before “purchase” (funnel shop) fell most: from 60.0 % to 40.0 %"
        in write_sentences(rows)[-1]
    )
    assert list_changes(rows)["Verdict"].tolist() == [
        "no change that we can tell from noise; fell against last year"
    ]


def test_at_most_five_rows_changes_first_and_targets_beside_them() -> None:
    rows = [finding("csat_top2", 50, touchpoint=f"t{n}", **changed("rose", 3 + n)) for n in range(7)]
    rows.append(finding("nps", 40.0, **changed("no_change", 1.0)))
    table = list_changes(pd.DataFrame(rows), targets={"nps": 45.0})
    assert len(table) == 5
    assert table["What"].tolist()[:4] == [
        *(f"Satisfied (top two): t{n}" for n in (6, 5, 4)),
        "Net promoter score",
    ]
    assert table.set_index("What").loc["Net promoter score", "Target"] == "45.0"


def test_for_a_year_the_period_before_and_last_year_are_told_once() -> None:
    same = {
        "year_ago": 35.0,
        "year_ago_change": 5.0,
        "year_ago_low": 2.0,
        "year_ago_high": 8.0,
        "year_ago_verdict": "rose",
    }
    rows = pd.DataFrame([finding("nps", 40.0, **changed("rose"), **same)])
    assert "Against a year before" not in write_sentences(rows)[-1]
    assert list_changes(rows).columns.tolist() == ["What", "Now", "Before", "Verdict"]
    assert list_changes(rows)["Verdict"].tolist() == ["rose"]


def test_pains_rank_people_lost_and_never_a_low_base() -> None:
    rows = [
        finding("drop_off", 50.0, item="shop/pay", n=100, unit_of_analysis="people"),
        finding("drop_off", 20.0, item="shop/cart", n=1000, unit_of_analysis="people"),
        finding("drop_off", 90.0, item="shop/gift", n=29, unit_of_analysis="people"),
        finding("csat_top2", 30.0, touchpoint="call", n=29),
        finding("csat_top2", 60.0, touchpoint="delivery", n=200),
        finding("csat_top2", np.nan, touchpoint="hidden", n=np.nan, suppressed=True),
    ]
    table = list_pains(pd.DataFrame(rows), touchpoints=[{"touchpoint": "delivery", "owner": "logistics"}])
    assert table["Pain"].tolist() == ["Lost before “cart”", "Lost before “pay”", "Least satisfied"]
    assert table["Whom"].tolist() == [
        "200 of 1,000 people",
        "50 of 100 people",
        "80 of 200 respondents are not satisfied",
    ]
    assert table["Owner"].tolist() == ["", "", "logistics"]


def test_actions_say_what_became_of_their_metric() -> None:
    actions = [
        {"action": "Mend it", "metric": "nps"},
        {"action": "Call back", "metric": "repeat_contact_rate"},
    ]
    table = list_actions(actions, pd.DataFrame([finding("nps", 40.0, **changed("rose"))]))
    assert table["Verdict"].tolist() == ["rose", "not measured"]
    assert table["Change"].tolist() == ["+5.0 (+2.0 to +8.0)", "–"]


def test_the_smallest_detectable_change_follows_from_the_interval_of_the_difference() -> None:
    text = say_detectable(pd.DataFrame([finding("nps", 40.0, **changed("no_change", 1.0))]))
    assert f"Net promoter score {3 / 1.959964 * (1.959964 + 0.841621):.1f}" in text


def test_who_is_missing_is_said_from_the_response_rate_where_there_is_one() -> None:
    rows = [finding("nps", 40.0), finding("response_rate", 25.0, n=2000, unit_of_analysis="people")]
    assert say_missing(pd.DataFrame(rows)).startswith(
        "Of 2,000 customers with an event in the period 25.0 % answered"
    )
    assert say_missing(pd.DataFrame(rows[:1])).startswith("Only those who answered are heard, 500")
    assert say_missing(pd.DataFrame([finding("session_count", 10, unit_of_analysis="sessions")])) == ""


def test_an_empty_table_of_findings_makes_a_page_all_the_same() -> None:
    nothing = pd.DataFrame(columns=FINDINGS_COLUMNS)
    assert write_sentences(nothing) == ["Nothing is compared with the period before."]
    assert list_changes(nothing).empty and list_pains(nothing).empty and say_detectable(nothing) == ""


def test_a_chapters_changes_do_not_say_one_loss_three_times() -> None:
    rows = [
        finding(name, 40.0, item="shop/pay", **changed("rose"))
        for name in ("drop_off", "step_conversion", "step_count")
    ]
    table = list_chapter_changes(pd.DataFrame(rows), "what_they_say")
    assert table["What"].tolist() == ["Drop-off before “pay” (funnel shop)"]
    assert table["Verdict"].tolist() == ["▲ rose"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (82.07, "percent", "82.1 %"),
        (-3.2, "nps", "−3.2"),
        (4.064, "points", "4.06"),
        (17031.0, "count", "17,031"),
        (None, "nps", "–"),
    ],
)
def test_numbers_read_as_the_report_writes_them(value: float | None, unit: str, text: str) -> None:
    assert say_unit(value, unit) == text


def test_a_change_of_a_percentage_is_in_points() -> None:
    row = pd.Series(finding("csat_top2", 40.0, **changed("rose")))
    assert say_change(row) == "+5.0 points (+2.0 to +8.0)"


def test_a_segment_is_named_in_words() -> None:
    row = pd.Series(finding("nps", 40.0, segment="age_group=18-24"))
    assert say_place(row) == "Net promoter score (age group: 18-24)"


def test_a_count_at_a_touchpoint_never_crowds_out_what_is_good_or_bad() -> None:
    rows = [
        finding("customer_count", 50.0, touchpoint="page", **changed("fell", -90.0)),
        finding("customer_count", 50.0, unit="count", **changed("fell", -90.0)),
        finding("csat_top2", 40.0, **changed("rose")),
    ]
    ranked = rank_changes(pd.DataFrame(rows))
    assert ranked[["metric", "touchpoint"]].values.tolist() == [["csat_top2", ""], ["customer_count", ""]]


def test_what_is_worse_than_expected_hurts_with_its_owner_and_once() -> None:
    rows = [
        finding("expectation_gap", -1.1, touchpoint="delivery", unit="points", high=-0.9),
        finding("expectation_gap", -0.1, touchpoint="help", unit="points", high=0.1),
        finding("csat_top2", 30.0, touchpoint="delivery"),
        finding("csat_top2", 60.0, touchpoint="help"),
        finding("csat_top2", 10.0, touchpoint="help", persona="A"),
    ]
    pains = list_pains(pd.DataFrame(rows), touchpoints=[{"touchpoint": "delivery", "owner": "logistics"}])
    assert pains[["Pain", "Where", "Owner"]].values.tolist() == [
        ["Worse than expected", "delivery", "logistics"],
        ["Least satisfied", "help", ""],
    ]


def test_who_is_missing_and_what_could_be_seen_stand_in_one_sentence() -> None:
    row = finding("nps", 40.0, **changed("no_change", 1.0))
    said = say_limits(pd.DataFrame([row]))
    assert said.startswith("Only those who answered are heard, 500 at most;")
    assert ", and the smallest change that this period could show" in said
    assert say_limits(pd.DataFrame([row]).iloc[:0]) == ""
