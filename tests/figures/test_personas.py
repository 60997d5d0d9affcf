"""The figure of personas shows each difference as a mark with its number, more filled and less hollow."""

from __future__ import annotations

import numpy as np
import pandas as pd

from journeylib.figures import get_alt_text, plot_personas

#       cluster, persona, feature, label, difference
ROWS = [
    (0, "early birds", "evening_share", "evening sessions", -1.5),
    (0, "early birds", "order_count", "orders", 0.1),
    (1, "night owls", "evening_share", "evening sessions", 1.5),
    (1, "night owls", "order_count", "orders", -0.4),
]
DIFFERENCES = pd.DataFrame(ROWS, columns=["cluster", "persona", "feature", "label", "difference"])


def read_marks(ax) -> list[tuple[float, float, bool]]:
    return [
        (round(float(line.get_xdata()[0])), float(line.get_ydata()[0]), line.get_markerfacecolor() != "white")
        for line in ax.lines
    ]


def test_more_is_filled_less_is_hollow_and_a_small_difference_has_its_number_alone() -> None:
    ax = plot_personas(DIFFERENCES)
    rows = [label.get_text() for label in ax.get_yticklabels()]
    evening, orders = float(rows.index("evening sessions")), float(rows.index("orders"))
    expected = [(0.0, evening, False), (1.0, evening, True), (1.0, orders, False)]
    assert sorted(read_marks(ax)) == sorted(expected)
    assert sorted(text.get_text() for text in ax.texts) == ["+0.1", "+1.5", "−0.4", "−1.5"]


def test_columns_carry_number_share_and_name() -> None:
    ax = plot_personas(DIFFERENCES, shares={"early birds": 60.0, "night owls": 40.0})
    labels = [label.get_text().replace("\u00a0", " ") for label in ax.get_xticklabels()]
    assert labels == ["1, 60.0 %\nearly birds", "2, 40.0 %\nnight owls"]


def test_the_features_that_differ_most_are_drawn() -> None:
    assert [label.get_text() for label in plot_personas(DIFFERENCES, most=1).get_yticklabels()] == [
        "evening sessions"
    ]


def test_the_alt_text_says_every_number() -> None:
    text = get_alt_text(plot_personas(DIFFERENCES, shares={"night owls": 40.0})).replace("\u00a0", " ")
    assert "1, early birds: orders +0.1, evening sessions −1.5" in text
    assert "2, night owls (40.0 %): orders −0.4, evening sessions +1.5" in text


def test_more_personas_than_fit_have_numbers_without_names() -> None:
    many = pd.DataFrame({"persona": list("abcdef"), "feature": "x", "difference": np.arange(6.0) - 2.5})
    labels = [label.get_text() for label in plot_personas(many).get_xticklabels()]
    assert labels == list("123456")


def test_one_group_is_said_in_words() -> None:
    for table in (pd.DataFrame(), DIFFERENCES.head(0), DIFFERENCES.head(2).assign(difference=np.nan)):
        assert "there is one group" in plot_personas(table).get_title(loc="left")


def test_shuffled_rows_give_the_same_figure() -> None:
    shuffled = DIFFERENCES.sample(frac=1, random_state=2)
    assert get_alt_text(plot_personas(shuffled)) == get_alt_text(plot_personas(DIFFERENCES))
