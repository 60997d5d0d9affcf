"""The step matrix as a table of shades."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.axes import Axes

from journeylib.figures.alt_text import get_alt_text
from journeylib.figures.step_matrix import plot_step_matrix

STEPS = pd.DataFrame(
    [
        (1, "home_page", 60, 60.0),
        (1, "search", 40, 40.0),
        (2, "search", 30, 30.0),
        (2, "(unmapped)", 8, 8.0),
        (2, "(end)", 62, 62.0),
        (3, "(end)", 100, 100.0),
        (4, "(end)", 100, 100.0),
    ],
    columns=["step", "state", "n", "share"],
).assign(which="all", unit_of_analysis="sessions")


def read_cells(ax: Axes) -> dict[tuple[int, int], str]:
    """Read each written cell by its row and column."""
    return {
        (round(text.get_position()[1]), round(text.get_position()[0])): text.get_text() for text in ax.texts
    }


def test_each_cell_holds_its_share_and_the_end_comes_last() -> None:
    ax = plot_step_matrix(STEPS.sample(frac=1, random_state=1))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["home page", "search", "unmapped", "over"]
    assert read_cells(ax) == {
        (0, 0): "60",
        (1, 0): "40",
        (1, 1): "30",
        (2, 1): "8.0",
        (3, 1): "62",
        (3, 2): "100",
    }
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "3"]


def test_the_shade_is_the_share_but_what_is_over_has_none() -> None:
    shades = plot_step_matrix(STEPS).images[0].get_array()
    assert shades.tolist() == [[60, 0, 0], [40, 30, 0], [0, 8, 0], [0, 0, 0]]


def test_title_and_alt_text_are_made_from_the_numbers() -> None:
    ax = plot_step_matrix(STEPS)
    title = ax.get_title(loc="left").replace("\u00a0", " ")
    assert title == "Of 100 sessions, 60.0 % start with home page; 62.0 % are over before step 2"
    assert "step 2: search 30.0 %, unmapped 8.0 %, over 62.0 %" in get_alt_text(ax).replace("\u00a0", " ")


def test_rare_states_are_summed() -> None:
    ax = plot_step_matrix(STEPS, most_states=1)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["home page", "all others", "over"]
    assert read_cells(ax)[1, 1] == "38"


def test_steps_beyond_the_most_are_not_drawn() -> None:
    ax = plot_step_matrix(STEPS, most_steps=1)
    assert read_cells(ax) == {(0, 0): "60", (1, 0): "40"}
    assert ax.get_title(loc="left").replace("\u00a0", " ") == "Of 100 sessions, 60.0 % start with home page"


def test_other_periods_are_left_out() -> None:
    both = pd.concat([STEPS.assign(which="reviewed"), STEPS.assign(which="previous", share=1.0)])
    assert read_cells(plot_step_matrix(both))[0, 0] == "60"


def test_nothing_to_show_is_said_in_words() -> None:
    assert "No steps to show" in get_alt_text(plot_step_matrix(STEPS.iloc[:0]))


def test_wrong_input_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="lacks share;"):
        plot_step_matrix(STEPS.drop(columns="share"))
    with pytest.raises(ValueError, match="most_steps=0"):
        plot_step_matrix(STEPS, most_steps=0)
