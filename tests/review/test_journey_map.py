"""The journey map as a table: from behaviour, from a survey, from both; what is not measured stays on it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from journeylib.evidence import wilson_interval
from journeylib.journey.places import find_unit, measure_places
from journeylib.review.findings import record_table
from journeylib.review.first_tables import read_map
from journeylib.review.journey_map import MAP_COLUMNS, build_journey_map, measure_journey_map
from journeylib.review.map_tables import list_unmeasured, present_journey_map, say_journey_map
from journeylib.review.metrics import METRICS

STAGES = {"ad": "awareness", "page": "consideration", "cart": "decision", "till": "decision", "help": "use"}
#         customer, minute, touchpoint
STEPS = [
    ("ann", 1, "ad"), ("ann", 2, "page"), ("ann", 3, "cart"), ("ann", 4, "till"), ("ann", 9, "help"),
    ("bob", 5, "page"), ("bob", 6, "cart"),
    ("cid", 7, "help"), ("cid", 8, "page"),
]  # fmt: skip
EVENTS = pd.DataFrame(STEPS, columns=["customer", "occurred_at", "touchpoint"])
EVENTS = EVENTS.assign(name=EVENTS["touchpoint"], stage=EVENTS["touchpoint"].map(STAGES))
TOUCHPOINTS = pd.DataFrame(
    {
        "stage": ["awareness", "awareness", "consideration", "decision", "decision", "use"],
        "touchpoint": ["ad", "poster", "page", "cart", "till", "help"],
        "expected_order": [1, 2, 3, 4, 5, 6],
        "owner": ["marketing", "marketing", "shop", "shop", "till team", ""],
        "channel": ["search", "street", "site", "site", "site", "site"],
        "online": ["yes", "no", "yes", "yes", "yes", "yes"],
    }
)


def make_answers(
    scores: dict[str, list[float]], *, role: str = "csat", stage: str = "decision"
) -> pd.DataFrame:
    """Make one answer a respondent and touchpoint, on a scale from 1 to 5."""
    rows = [
        {
            "response": f"r{number}",
            "question": f"{role}_{place}",
            "role": role,
            "touchpoint": place,
            "value": value,
        }
        for place, values in scores.items()
        for number, value in enumerate(values)
    ]
    return pd.DataFrame(rows).assign(stage=stage, scale_min=1.0, scale_max=5.0)


def look_up(journey_map: pd.DataFrame, place: str, stage: str = "") -> pd.Series:
    rows = journey_map[journey_map["touchpoint"] == place]
    return (rows[rows["stage"] == stage] if stage else rows).iloc[0]


def test_each_stage_has_its_total_before_its_touchpoints_in_the_order_of_the_journey() -> None:
    found = build_journey_map(EVENTS, touchpoints=TOUCHPOINTS.iloc[::-1])
    assert list(found.columns) == MAP_COLUMNS
    assert found[["stage", "touchpoint"]].agg("/".join, axis=1).tolist() == [
        "awareness/", "awareness/ad", "awareness/poster", "consideration/", "consideration/page",
        "decision/", "decision/cart", "decision/till", "use/", "use/help",
    ]  # fmt: skip


def test_people_are_counted_once_of_all_that_were_active() -> None:
    page = look_up(build_journey_map(EVENTS, touchpoints=TOUCHPOINTS), "page")
    low, high = wilson_interval(3, 3)
    assert page[["n", "base", "reach_share"]].tolist() == [3.0, 3.0, 100.0]
    assert page[["reach_low", "reach_high"]].tolist() == pytest.approx([100 * low, 100 * high])
    assert look_up(build_journey_map(EVENTS, touchpoints=TOUCHPOINTS), "till")["n"] == 1


def test_who_met_a_later_stage_only_before_did_not_go_on() -> None:
    total = look_up(build_journey_map(EVENTS, touchpoints=TOUCHPOINTS), "", "consideration")
    assert total[["n", "went_on_n", "went_on_share"]].tolist() == pytest.approx([3, 2, 200 / 3])


def test_a_later_stage_at_the_same_time_counts_as_afterwards() -> None:
    day = EVENTS.assign(occurred_at=0)
    assert look_up(build_journey_map(day, touchpoints=TOUCHPOINTS), "", "consideration")["went_on_n"] == 3


def test_who_leaves_after_the_sale_is_not_counted_as_lost() -> None:
    found = build_journey_map(EVENTS, touchpoints=TOUCHPOINTS)
    assert look_up(found, "cart")["no_further_share"] == 50.0
    assert math.isnan(look_up(found, "till")["no_further_share"])
    assert math.isnan(look_up(found, "help")["no_further_share"])


def test_a_listed_touchpoint_without_data_is_not_measured_and_never_zero() -> None:
    found = build_journey_map(EVENTS, touchpoints=TOUCHPOINTS)
    poster = look_up(found, "poster")
    assert not poster["is_measured"] and math.isnan(poster["n"]) and math.isnan(poster["reach_share"])
    assert list_unmeasured(found).index.tolist() == ["poster"]


def test_a_touchpoint_with_events_outside_the_period_was_met_by_nobody() -> None:
    found = build_journey_map(EVENTS, touchpoints=TOUCHPOINTS, start=5, end=9)
    assert look_up(found, "ad")[["is_measured", "n", "base"]].tolist() == [True, 0.0, 2.0]
    assert look_up(found, "page")["n"] == 2


def test_shuffled_events_give_the_same_map() -> None:
    shuffled = EVENTS.sample(frac=1, random_state=3)
    one, two = (build_journey_map(events, touchpoints=TOUCHPOINTS) for events in (EVENTS, shuffled))
    pd.testing.assert_frame_equal(one, two)


def test_without_customers_sessions_are_counted_and_called_so() -> None:
    visits = EVENTS.rename(columns={"customer": "session"}).assign(customer=None, position=1)
    visits["session"] = pd.factorize(visits["session"])[0]
    assert find_unit(visits) == "sessions"
    page = look_up(build_journey_map(visits, touchpoints=TOUCHPOINTS), "page")
    assert page[["unit_of_analysis", "n"]].tolist() == ["sessions", 3.0]


def test_sessions_of_one_device_widen_the_interval() -> None:
    visits = pd.DataFrame({"session": range(8), "device_id": list("aaaabbbb"), "occurred_at": range(8)})
    visits = visits.assign(name="v", stage="use", touchpoint=["page"] * 4 + ["help"] * 4)
    places = visits[["stage", "touchpoint"]].drop_duplicates()
    found = measure_places(visits, places, periods={"reviewed": (0, 9)}, unit="sessions")
    page = found[(found["metric"] == "reach_rate") & (found["touchpoint"] == "page")].iloc[0]
    assert page["n"] == 8 and page["n_effective"] < 3


def test_a_survey_alone_makes_a_map_of_respondents() -> None:
    answers = make_answers({"cart": [4, 5, 3], "till": [2, 3]})
    found = build_journey_map(answers=answers, touchpoints=TOUCHPOINTS)
    till = look_up(found, "till")
    assert till[["unit_of_analysis", "n", "base", "satisfaction"]].tolist() == ["respondents", 2.0, 3.0, 2.5]
    assert till[["scale_min", "scale_max", "satisfaction_by"]].tolist() == [1.0, 5.0, "csat"]
    assert not look_up(found, "ad")["is_measured"]
    assert look_up(found, "", "decision")["satisfaction_n"] == 3


def test_an_answer_without_a_stage_is_placed_where_its_touchpoint_is_listed() -> None:
    answers = make_answers({"till": [2, 3]}, stage="")
    assert look_up(build_journey_map(answers=answers, touchpoints=TOUCHPOINTS), "till")["stage"] == "decision"


def test_expectation_and_gap_stand_on_those_who_answered_both() -> None:
    met = make_answers({"till": [2, 3, 1]}, role="perception")
    hoped = make_answers({"till": [4, 4, 5, 1]}, role="expectation")
    till = look_up(build_journey_map(answers=pd.concat([met, hoped]), touchpoints=TOUCHPOINTS), "till")
    assert till[["expectation", "gap", "gap_n"]].tolist() == pytest.approx([13 / 3, -7 / 3, 3])
    assert till["satisfaction_by"] == "perception"


def test_ease_stands_in_where_nobody_was_asked_for_satisfaction_and_is_called_so() -> None:
    found = build_journey_map(answers=make_answers({"till": [4, 5]}, role="ces"), touchpoints=TOUCHPOINTS)
    assert look_up(found, "till")[["satisfaction", "satisfaction_by"]].tolist() == [4.5, "ces"]
    assert "ease 4.50" in present_journey_map(found, by="touchpoint").loc["till", "Satisfaction"]


@pytest.mark.parametrize(("many", "worst"), [(30, "till"), (29, "")])
def test_the_worst_place_has_the_lowest_satisfaction_of_thirty_answers_or_more(many: int, worst: str) -> None:
    answers = make_answers({"cart": [4.0, 5.0] * 20, "till": ([2.0, 3.0] * 20)[:many]})
    found = build_journey_map(answers=answers, touchpoints=TOUCHPOINTS)
    assert "".join(found.loc[found["is_worst"], "touchpoint"]) == worst
    assert set(found["worst_by"]) == ({"", "satisfaction"} if worst else {""})


def test_without_satisfaction_the_worst_place_is_where_most_come_no_further() -> None:
    journeys = [["page", "list", "cart"]] * 10 + [["page"], ["page", "list"]] * 15
    people = [
        (f"c{number}", time, place)
        for number, journey in enumerate(journeys)
        for time, place in enumerate(journey)
    ]
    events = pd.DataFrame(people, columns=["customer", "occurred_at", "touchpoint"])
    stages = {"page": "consideration", "list": "consideration", "cart": "decision"}
    events = events.assign(name="x", stage=events["touchpoint"].map(stages))
    found = build_journey_map(pd.concat([events, events.assign(customer="z" + events["customer"])]))
    assert found.loc[found["is_worst"], ["touchpoint", "worst_by"]].values.tolist() == [
        ["page", "no_further"]
    ]
    assert "75.0 %" in say_journey_map(found)


def test_small_bases_are_hidden_in_a_review_and_marked_in_exploring() -> None:
    hidden = look_up(build_journey_map(EVENTS, touchpoints=TOUCHPOINTS, minimum_base=3), "cart")
    shown = look_up(build_journey_map(EVENTS, touchpoints=TOUCHPOINTS), "cart")
    assert math.isnan(hidden["n"]) and math.isnan(hidden["no_further_share"]) and hidden["is_measured"]
    assert shown["n"] == 2 and shown["low_base"]


def test_custom_stages_without_an_order_come_by_name_after_the_known_ones() -> None:
    events = EVENTS.replace({"stage": {"use": "zeal", "awareness": "a new one"}})
    stages = build_journey_map(events)["stage"].drop_duplicates().tolist()
    assert stages == ["consideration", "decision", "a new one", "zeal"]


def test_one_event_makes_a_map_of_one_touchpoint() -> None:
    found = build_journey_map(EVENTS.head(1))
    assert found[["touchpoint", "n"]].values.tolist() == [["", 1.0], ["ad", 1.0]]
    assert say_journey_map(found) == "- No stage and no touchpoint has the base to be ranked."


def test_no_events_and_no_touchpoints_make_an_empty_map() -> None:
    found = build_journey_map(EVENTS.iloc[:0])
    assert list(found.columns) == MAP_COLUMNS and found.empty


def test_a_map_of_nothing_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="needs events, answers, or both"):
        build_journey_map()


def test_findings_of_the_map_have_three_periods_registered_metrics_and_covariances() -> None:
    found = measure_journey_map(
        EVENTS, touchpoints=TOUCHPOINTS, periods={"previous": (0, 5), "reviewed": (5, 10)}
    )
    assert set(found["metric"]) <= set(METRICS)
    assert set(found["which"]) == {"reviewed", "previous"}
    assert not found.duplicated(["metric", "stage", "touchpoint", "which"]).any()
    before = found[found["which"] == "previous"].set_index(["metric", "stage", "touchpoint"])
    assert before.loc[("customer_count", "decision", ""), "covariance"] == 0.0
    assert found.loc[found["which"] == "reviewed", "covariance"].isna().all()


def test_the_page_reads_back_the_recorded_map(tmp_path) -> None:
    found = build_journey_map(EVENTS, touchpoints=TOUCHPOINTS)
    assert record_table(found, name="journey_map", folder=tmp_path) == 10
    read = read_map(tmp_path)
    np.testing.assert_array_equal(read["n"], found["n"])
    (tmp_path / "tables" / "journey_map.csv").unlink()
    assert read_map(tmp_path).empty


def test_the_table_of_stages_leaves_out_what_nobody_knows() -> None:
    table = present_journey_map(build_journey_map(EVENTS, touchpoints=TOUCHPOINTS))
    assert list(table.columns) == ["Who was there", "Went on to a later stage"]
    assert table.loc["Decision", "Who was there"] == "2 customers, 66.7 % (low base)"
