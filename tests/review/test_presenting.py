"""What chapters show: small bases never leave the notebook, and empty results are said in words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from journeylib.review.presenting import (
    concat_measures,
    hide_small_bases,
    list_definitions,
    present_measures,
    present_rows,
    present_splits,
    say_measures,
)


def measure(value: float, n: int, which: str = "reviewed", **more: object) -> dict[str, object]:
    """Return one measured mean."""
    row = {
        "metric": "csat_mean",
        "which": which,
        "value": value,
        "low": value - 0.1,
        "high": value + 0.1,
        "n": n,
    }
    places = {
        "stage": "",
        "touchpoint": "",
        "persona": "",
        "segment": "",
        "item": "",
        "unit_of_analysis": "respondents",
    }
    return {**places, **row, "n_effective": float(n), "kind": "mean", **more}


def test_a_small_base_is_shown_as_words_and_not_as_a_number() -> None:
    table = present_measures(
        pd.DataFrame([measure(4.1, 9, touchpoint="call"), measure(3.9, 25, touchpoint="shop")])
    )
    assert table["Now"].tolist() == ["fewer than 10", "3.90"]
    assert table["n"].tolist() == ["", "25 (low base)"]


def test_periods_stand_side_by_side_and_a_missing_one_is_a_dash() -> None:
    rows = [measure(4.1, 100), measure(4.0, 90, "previous"), measure(3.0, 80, touchpoint="call")]
    table = present_measures(pd.DataFrame(rows))
    assert table["Before"].tolist() == ["4.00", "–"]


def test_steps_of_a_funnel_below_the_base_are_hidden_with_what_gives_them_away() -> None:
    numbers = [
        "conversion",
        "low",
        "high",
        "step_conversion",
        "step_low",
        "step_high",
        "drop_off",
        "drop_off_low",
        "drop_off_high",
        "lost",
    ]
    funnel = pd.DataFrame({"n": [50, 9], "entrants": [50, 50], **{name: [1.0, 2.0] for name in numbers}})
    shown = hide_small_bases(funnel)
    assert shown.loc[1, ["n", *numbers]].isna().all() and shown.loc[0, ["n", *numbers]].notna().all()


def test_nothing_measured_is_said() -> None:
    assert say_measures(concat_measures()) == "- Nothing could be measured in this period."
    assert present_measures(concat_measures()).empty


def test_bullets_tell_the_interval_and_the_base() -> None:
    text = say_measures(pd.DataFrame([measure(4.1, 1234)]))
    assert text == "- **Satisfaction, mean**: 4.10 (95 % interval 4.00 to 4.20, n 1,234)"


def test_rows_of_a_source_add_up_in_the_table_that_is_shown() -> None:
    waterfall = pd.DataFrame({"step": ["rows in", "set aside", "left out", "used"], "rows": [10, 2, 3, 5]})
    waterfall = waterfall.assign(table="events", source="web", rule=["", "bad_date", "blank", ""])
    row = present_rows(waterfall).iloc[0]
    assert int(row["Rows in"]) == int(row["Used"]) + int(row["Set aside"]) + int(row["Left out"])
    assert row["By rule"] == "bad date 2, blank 3"


def test_a_split_with_a_small_segment_is_not_shown() -> None:
    split = pd.DataFrame({"metric": "nps", "segment": ["a=x", "a=y", ""], "n": [50, 9, 59], "n_before": 50})
    split = split.assign(change=1.0, mix=0.0, rate=1.0)
    assert present_splits([split]).empty
    shown = present_splits([split.assign(n=[50, 10, 60])])
    assert shown.index.tolist() == ["Net promoter score by a"] and shown["Change"].tolist() == ["+1.0"]


def test_every_metric_of_the_registry_is_defined_in_words() -> None:
    table = list_definitions()
    assert (table["What is counted"] != "").all() and (table["Smallest change that counts"] != "0").all()


def test_hidden_means_missing_and_the_rest_stays() -> None:
    shown = hide_small_bases(
        pd.DataFrame([measure(4.1, 9, touchpoint="a"), measure(4.1, 12, touchpoint="b")])
    )
    assert np.isnan(shown.loc[0, "value"]) and shown.loc[1, "value"] == 4.1
