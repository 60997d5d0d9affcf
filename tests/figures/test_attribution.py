"""Ranges of credit by channel."""

from __future__ import annotations

import pandas as pd
import pytest

from journeylib.figures.alt_text import get_alt_text
from journeylib.figures.attribution import plot_attribution

RANGES = pd.DataFrame(
    {
        "which": "all",
        "channel": ["search", "email", "paid_social", "(no touch)"],
        "first": [60.0, 30.0, 8.0, 2.0],
        "last": [20.0, 70.0, 8.0, 2.0],
        "markov": [50.0, 40.0, 8.0, 2.0],
        "lowest": [20.0, 30.0, 8.0, 2.0],
        "highest": [60.0, 70.0, 8.0, 2.0],
    }
)


def test_each_channel_has_its_range_the_highest_mean_first() -> None:
    ax = plot_attribution(RANGES.sample(frac=1, random_state=1))
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "email",
        "search",
        "paid social",
        "no touch in the window",
    ]
    wide = [line for line in ax.lines if line.get_linewidth() == 5]
    assert [list(line.get_xdata()) for line in wide] == [[30, 70], [20, 60], [8, 8], [2, 2]]
    assert [text.get_text() for text in ax.texts] == ["30 to 70", "20 to 60", "8", "2"]


def test_the_marked_models_stand_on_the_range_and_in_the_legend() -> None:
    ax = plot_attribution(RANGES)
    dots = {line.get_marker(): list(line.get_xdata()) for line in ax.lines if line.get_marker() in "oD"}
    assert dots == {"o": [70, 20, 8, 2], "D": [40, 50, 8, 2]}
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words == ["Lowest to highest model", "Last", "Markov"]
    words = [
        text.get_text() for text in plot_attribution(RANGES.drop(columns="markov")).get_legend().get_texts()
    ]
    assert words == ["Lowest to highest model", "Last"]


def test_title_and_alt_text_say_the_range_and_that_it_is_a_rule() -> None:
    ax = plot_attribution(RANGES)
    title = ax.get_title(loc="left").replace("\n", " ")
    assert title == "Of 100 conversions, email gets 30 to 70 and search 20 to 60, depending on the rule"
    alt = get_alt_text(ax)
    assert "email 30 to 70 (first 30, last 70, Markov 40)" in alt
    assert alt.endswith("Each model is a credit rule, not a cause.")


def test_only_the_most_are_drawn_and_the_others_are_counted() -> None:
    ax = plot_attribution(RANGES, most=3)
    assert len(ax.get_yticklabels()) == 3
    assert "1 more channel is not drawn." in get_alt_text(ax)


def test_other_periods_are_left_out() -> None:
    before = RANGES.assign(which="previous", highest=900.0)
    ax = plot_attribution(pd.concat([RANGES.assign(which="reviewed"), before]))
    assert len(ax.get_yticklabels()) == 4


def test_nothing_to_show_is_said_in_words() -> None:
    assert "No attribution to show" in get_alt_text(plot_attribution(RANGES.iloc[:0]))


def test_wrong_input_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="lacks lowest;"):
        plot_attribution(RANGES.drop(columns="lowest"))
    with pytest.raises(ValueError, match="two models at most"):
        plot_attribution(RANGES, models=("first", "last", "markov"))
