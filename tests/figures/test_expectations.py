"""The dumbbell shows expectation behind perception, ranks only what may be ranked, and says its numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from journeylib.figures import get_alt_text, plot_expectations

#       touchpoint, expected, found, gap, low, high, n
ROWS = [
    ("payment", 4.0, 4.1, 0.1, -0.1, 0.3, 100),
    ("delivery", 4.2, 3.0, -1.2, -1.4, -1.0, 150),
    ("air_train", 4.5, 2.0, -2.5, -3.0, -2.0, 29),
    ("lounge", np.nan, np.nan, np.nan, np.nan, np.nan, np.nan),
]
COLUMNS = ["touchpoint", "expectation_mean", "perception_mean", "expectation_gap", "low", "high", "n"]


def make_measures(rows=ROWS, **columns) -> pd.DataFrame:
    wide = pd.DataFrame(rows, columns=COLUMNS)
    names = COLUMNS[1:4]
    return wide.melt(["touchpoint", "low", "high", "n"], names, "metric", "value").assign(**columns)


def read_labels(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def read_marks(ax: Axes, marker: str) -> list[tuple[float, float]]:
    return [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in ax.lines
        if line.get_marker() == marker
    ]


def read_texts(ax: Axes) -> list[str]:
    return [text.get_text().replace("\u00a0", " ") for text in ax.texts]


def test_the_widest_shortfall_stands_on_top_and_small_bases_below_unranked() -> None:
    assert read_labels(plot_expectations(make_measures())) == ["delivery", "payment", "air train", "lounge"]


def test_diamonds_stand_at_expectations_and_dots_at_perceptions() -> None:
    ax = plot_expectations(make_measures())
    assert read_marks(ax, "D") == [(4.2, 0.0), (4.0, 1.0), (4.5, 2.0)]
    assert read_marks(ax, "o") == [(3.0, 0.0), (4.1, 1.0), (2.0, 2.0)]


def test_dots_on_fewer_than_thirty_are_hollow() -> None:
    dots = [line for line in plot_expectations(make_measures()).lines if line.get_marker() == "o"]
    assert [dot.get_markerfacecolor() == "white" for dot in dots] == [False, False, True]


def test_each_mark_has_its_number_on_its_outer_side() -> None:
    ax = plot_expectations(make_measures(ROWS[1:2]))
    sides = {text.get_text(): text.get_horizontalalignment() for text in ax.texts[-2:]} | {
        text.get_text(): text.get_horizontalalignment() for text in ax.texts[:2]
    }
    assert sides["3.00"] == "right" and sides["4.20"] == "left"


def test_the_right_hand_column_says_gap_interval_and_base() -> None:
    texts = read_texts(plot_expectations(make_measures()))
    assert "\u22121.20 (\u22121.40 to \u22121.00)   n 150" in texts
    assert "+0.10 (\u22120.10 to +0.30)   n 100" in texts
    assert "base too small to show" in texts


def test_the_title_names_the_widest_shortfall_that_is_told_from_noise() -> None:
    title = plot_expectations(make_measures()).get_title(loc="left")
    assert title == "Delivery falls furthest short of what was expected: by 1.20 points"
    title = plot_expectations(make_measures(ROWS[:1])).get_title(loc="left")
    assert title == "Nowhere can a shortfall against what was expected be told from noise"
    title = plot_expectations(make_measures(ROWS[2:])).get_title(loc="left")
    assert title == "No place has the 30 respondents that a firm gap needs"


def test_the_alt_text_holds_every_number() -> None:
    words = get_alt_text(plot_expectations(make_measures())).replace("\u00a0", " ")
    assert "delivery expected 4.20, found 3.00, gap \u22121.20 (\u22121.40 to \u22121.00) n 150" in words
    assert "lounge base too small to show" in words


def test_only_the_reviewed_period_and_the_whole_place_are_drawn() -> None:
    parts = [
        make_measures(),
        make_measures(which="previous"),
        make_measures(segment="plan=plus"),
    ]
    measures = pd.concat(parts, ignore_index=True)
    assert len(read_labels(plot_expectations(measures))) == 4


def test_shuffled_rows_give_the_same_figure_and_an_empty_table_is_said_in_words() -> None:
    measures = make_measures()
    shuffled = plot_expectations(measures.sample(frac=1, random_state=2))
    assert get_alt_text(shuffled) == get_alt_text(plot_expectations(measures))
    assert get_alt_text(plot_expectations(measures.iloc[:0])).startswith("No expectation by touchpoint")


def test_an_unknown_column_of_places_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of"):
        plot_expectations(make_measures(), by="channel")
