"""What the chapters on behaviour show: small bases hidden, nothing announced, words fit numbers."""

from __future__ import annotations

import pandas as pd

from journeylib.review.presenting_behaviour import (
    present_lost,
    present_reasons,
    present_session_gaps,
    present_touchpoints,
)
from journeylib.review.presenting_paths import fold_small_cells, present_order, present_patterns, say_chain
from journeylib.review.presenting_service import present_attribution, present_bot, present_exposures


def make_touchpoints() -> pd.DataFrame:
    blank = {"reach": None, "reach_low": None, "reach_high": None, "entries": None, "entry_share": None}
    rows = [
        {"touchpoint": "tv", "is_measured": False, "n": None, "reached": None, "frequency": None, **blank},
        {"touchpoint": "old_page", "is_measured": True, "n": 0, "reached": 0, "frequency": None, **blank},
        {"touchpoint": "chat", "is_measured": True, "n": 9, "reached": 9, "frequency": 1.0, **blank},
        {"touchpoint": "page", "is_measured": True, "n": 80, "reached": 40, "frequency": 2.0}
        | {"reach": 40.0, "reach_low": 31.0, "reach_high": 50.0, "entries": 3, "entry_share": 3.0},
    ]
    return pd.DataFrame(rows).assign(stage=["awareness", None, "use", "use"], unit_of_analysis="people")


def test_a_touchpoint_that_is_not_measured_says_so_and_a_small_one_hides_its_numbers() -> None:
    shown = present_touchpoints(make_touchpoints())
    assert shown is not None
    met = shown["Met by, of all people"].tolist()
    assert met == ["not measured", "not in this period", "fewer than 10", "40.0 %"]
    assert shown.loc["page", ["Times each", "Sessions begin there"]].tolist() == ["2.0", "fewer than 10"]
    assert present_touchpoints(make_touchpoints().head(0)) is None


def test_the_gap_is_shown_only_where_it_makes_a_difference() -> None:
    counts = pd.DataFrame({"gap_minutes": [15, 30], "sessions": [12, 11]})
    counts = counts.assign(events_per_session=2.0, single_event_share=10.0)
    shown = present_session_gaps(counts)
    assert shown is not None and shown["Sessions"].tolist() == ["12", "11"]
    assert present_session_gaps(counts.assign(sessions=12)) is None


def test_losses_have_their_value_beside_them_and_small_ones_are_hidden() -> None:
    rows = [
        ("lost_count", "shop/cart", 40.0),
        ("value_lost", "shop/cart", 4321.5),
        ("lost_count", "shop/buy", 4.0),
    ]
    lost = pd.DataFrame(rows, columns=["metric", "item", "value"]).assign(which="reviewed", segment="")
    lost = lost.assign(
        low=lost["value"] / 2, high=lost["value"] * 2, n=[40, 40, 4], n_effective=9.0, kind="count"
    )
    lost = lost.assign(stage="", touchpoint="", persona="", unit_of_analysis="people", note="")
    shown = present_lost(lost, currency="EUR")
    assert shown is not None
    assert shown.loc["cart (funnel shop)", "Value lost"] == "4,322 EUR"
    assert shown.loc["buy (funnel shop)"].tolist() == ["fewer than 10", "", "", ""]


def test_two_labels_that_say_one_thing_stand_once_and_noise_stands_nowhere() -> None:
    reasons = pd.DataFrame(
        {
            "step": "buy",
            "kind": "label",
            "label": ["device=phone", "device=desk", "age=old"],
            "n_with": [50, 60, 20],
            "drop_off_with": [60.0, 40.0, 50.0],
            "n_without": [60, 50, 90],
            "drop_off_without": [40.0, 60.0, 49.0],
            "difference": [20.0, -20.0, 1.0],
            "low": [5.0, -35.0, -20.0],
            "high": [35.0, -5.0, 22.0],
            "lift": [1.2, 0.8, 1.0],
            "association": [
                "associated with more drop-off",
                "associated with less drop-off",
                "no association",
            ],
        }
    )
    shown = present_reasons(reasons)
    assert shown is not None and shown["Those who"].tolist() == ["device: phone"]
    assert present_reasons(reasons.tail(1)) is None


def test_a_step_matrix_loses_no_unit_where_its_small_cells_are_folded() -> None:
    matrix = pd.DataFrame({"step": [1, 1, 1, 1], "state": list("abcd"), "n": [80, 9, 8, 3]})
    matrix = matrix.assign(share=matrix["n"].astype(float), which="reviewed", unit_of_analysis="sessions")
    folded = fold_small_cells(matrix)
    assert folded[["state", "n"]].values.tolist() == [["a", 80], ["all others", 20]]
    assert fold_small_cells(matrix.head(2))["state"].tolist() == ["a"]


def test_patterns_of_the_funnel_itself_are_left_out() -> None:
    patterns = pd.DataFrame({"pattern": [("home", "page"), ("page", "cart"), ("page",)], "length": [2, 2, 1]})
    numbers = {"n": 40, "share_converted": 50.0, "share_other": 20.0, "difference": 30.0}
    patterns = patterns.assign(**numbers, difference_low=10.0, difference_high=45.0)
    patterns = patterns.assign(goes_with="conversion", unit_of_analysis="sessions")
    shown = present_patterns(patterns, without=["cart"])
    assert shown is not None and shown.index.tolist() == ["home → page"]
    assert present_patterns(patterns.assign(goes_with="")) is None


def test_an_order_stands_beside_that_of_chance() -> None:
    order = pd.DataFrame({"metric": ["stage_order_score"] * 2, "which": ["reviewed", "previous"]})
    order = order.assign(value=[80.0, 90.0], low=70.0, high=88.0, n=50, n_effective=50.0, random_value=52.0)
    order = order.assign(kind="share", segment="", item="", stage="", touchpoint="", persona="")
    order = order.assign(unit_of_analysis="people")
    shown = present_order(order)
    assert shown is not None
    assert shown.iloc[0][["Now", "In random order", "Before"]].tolist() == ["80.0 %", "52.0 %", "90.0 %"]


def test_the_test_of_order_says_what_it_found_or_nothing() -> None:
    chain = pd.DataFrame({"which": ["reviewed"], "n": [900], "p_value": [0.4], "gain_bits": [0.01]})
    chain = chain.assign(sparse_share=50.0, verdict="first order is enough")
    said = say_chain(chain)
    assert said is not None and "can't be told from noise" in said and "rough" in said
    assert say_chain(chain.assign(p_value=None)) is None


def test_the_bot_is_judged_only_on_a_base_and_attribution_needs_conversions() -> None:
    row = {
        "metric": "repeat_contact_rate",
        "topic": "bill",
        "bot": 60.0,
        "human": 20.0,
        "n_bot": 40,
        "n_human": 50,
    }
    beside = pd.DataFrame([row]).assign(difference=40.0, low=20.0, high=55.0, p_value=0.001, q_value=0.001)
    shown = present_bot(beside)
    assert shown is not None and shown["Verdict"].tolist() == ["higher with the bot"]
    small = present_bot(beside.assign(n_bot=12))
    assert small is not None and small["Verdict"].tolist() == ["low base, indicative"]
    assert present_bot(beside.assign(n_bot=9)) is None
    credit = pd.DataFrame(
        {"which": "reviewed", "channel": ["ad"], "first": [9.0], "lowest": 9.0, "highest": 9.0}
    )
    assert present_attribution(credit.assign(spread=0.0, note="")) is None


def test_exposures_show_no_share_of_a_few_respondents() -> None:
    compared = pd.DataFrame({"period": ["2026Q3"], "touchpoint": ["tv"], "shown": [9000.0], "cost": [80.0]})
    compared = compared.assign(heard=2, answered=9, share=22.0, low=6.0, high=55.0)
    shown = present_exposures(compared)
    assert shown is not None and shown["First heard of us there"].tolist() == [""]
    assert present_exposures(compared.assign(shown=None)) is None
