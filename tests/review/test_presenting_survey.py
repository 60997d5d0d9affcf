"""What the report shows of expectations and response style; and that it shows nothing where nothing is."""

from __future__ import annotations

import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from journeylib.review.executed import keep_shown_cells
from journeylib.review.presenting_survey import present_adjusted, present_gaps, present_styles, say_styles
from journeylib.voice import (
    adjust_for_style,
    measure_expectation_gap,
    measure_response_style,
    split_gap_change,
)


def make_gaps(size: int, *, which: str = "reviewed") -> pd.DataFrame:
    rows = [(f"r{i}", role, 4 if role == "expectation" else 2 + i % 2) for i in range(size)
            for role in ("expectation", "perception")]  # fmt: skip
    answers = pd.DataFrame(rows, columns=["response", "role", "value"])
    answers["question"] = answers["role"]
    return answers.assign(touchpoint="delivery", stage="x", scale_min=1, scale_max=5, which=which)


def make_ticks(size: int) -> pd.DataFrame:
    """Two lands: one agrees with all statements, the other with half of them."""
    rows = []
    for person in range(2 * size):
        high = person < size
        for place, item in enumerate("abcdefQ"):
            tick = 5 - (person + place) % 2 if high else 2 + 2 * ((person + place) % 2)
            role = "csat" if item == "Q" else "importance"
            rows.append((f"r{person:03d}", item, role, tick, "AT" if high else "DE"))
    answers = pd.DataFrame(rows, columns=["response", "question", "role", "value", "segment.land"])
    return answers.assign(scale_min=1, scale_max=5)


def test_gaps_show_the_interval_and_what_their_change_comes_from() -> None:
    gaps = measure_expectation_gap(pd.concat([make_gaps(40), make_gaps(12, which="previous")]))
    shown = present_gaps(gaps, split_gap_change(gaps))
    assert shown is not None and list(shown.index) == ["delivery"]
    assert shown.loc["delivery", "Found less expected"] == "−1.50"
    assert shown.loc["delivery", "n"] == "40"
    assert shown.loc["delivery", "Change"].startswith("+0.00 (")


def test_gaps_on_nine_respondents_are_hidden_with_everything_that_tells_them() -> None:
    gaps = measure_expectation_gap(pd.concat([make_gaps(9), make_gaps(40, which="previous")]))
    shown = present_gaps(gaps, split_gap_change(gaps))
    assert shown is not None
    assert shown.iloc[0].tolist() == ["fewer than 10", "", "–", "–", "", "", "–", "–", "–"]


def test_a_change_whose_earlier_base_was_under_ten_is_not_shown() -> None:
    gaps = measure_expectation_gap(pd.concat([make_gaps(40), make_gaps(9, which="previous")]))
    shown = present_gaps(gaps, split_gap_change(gaps))
    assert shown is not None and shown.loc["delivery", "Change"] == "–"


def test_a_style_of_its_own_is_said_in_a_plain_sentence() -> None:
    styles = [measure_response_style(make_ticks(40), by="segment.land")]
    words = say_styles(styles)
    assert words is not None
    assert "**land AT**: respondents agree more than all others with whatever is said, by 100.0" in words
    table = present_styles(styles)
    assert table is not None and table.loc["land: AT", "n"] == "40"
    adjusted = present_adjusted([adjust_for_style(make_ticks(40), by="segment.land")])
    assert adjusted is not None and adjusted.loc["land: AT", "Satisfaction, mean: raw"].startswith("4.50")


def test_groups_under_ten_are_hidden_and_nothing_is_said_of_them() -> None:
    styles = [measure_response_style(make_ticks(9), by="segment.land")]
    assert say_styles(styles) == "- No group answers in a style of its own that we can tell from noise."
    table = present_styles(styles)
    assert table is not None and set(table["n"]) == {"fewer than 10"}
    assert set(table.drop(columns="n").to_numpy().ravel()) == {"–"}
    adjusted = present_adjusted([adjust_for_style(make_ticks(9), by="segment.land")])
    assert adjusted is not None and set(adjusted.drop(columns="n").to_numpy().ravel()) == {"–"}


def test_where_nothing_was_asked_nothing_is_shown() -> None:
    empty = make_gaps(0)
    assert present_gaps(measure_expectation_gap(empty)) is None
    nothing = [measure_response_style(make_ticks(0), by="segment.land")]
    assert present_styles(nothing) is None and say_styles(nothing) is None
    assert present_adjusted([]) is None


def test_a_section_whose_code_shows_nothing_is_left_out_of_the_report() -> None:
    shown = new_output("display_data", data={"text/html": "<p>1</p>"})
    cells = [
        new_markdown_cell("# Title"), new_code_cell("1"),
        new_markdown_cell("## Gone"), new_code_cell("2"), new_markdown_cell("after"),
        new_markdown_cell("## Kept"), new_code_cell("3"), new_code_cell("4", outputs=[shown]),
        new_markdown_cell("## Words alone"),
    ]  # fmt: skip
    kept = keep_shown_cells(new_notebook(cells=cells), chapter="x").cells
    assert [cell.source for cell in kept] == ["# Title", "1", "## Kept", "3", "4", "## Words alone"]
