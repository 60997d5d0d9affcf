"""Flows and the waterfall of rows."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.axes import Axes

from journeylib.figures import get_alt_text, plot_transitions, plot_waterfall

FLOWS = pd.DataFrame(
    {
        "which": "reviewed",
        "from": ["(start)", "search", "search", "product"],
        "to": ["search", "product", "(end)", "(end)"],
        "n": [100, 60, 40, 60],
        "share": [100.0, 60.0, 40.0, 100.0],
    }
)
WATERFALL = pd.DataFrame(
    [
        ("events", "clicks", "rows in", "", 100),
        ("events", "clicks", "left out", "identical_row", 5),
        ("events", "clicks", "set aside", "bad_date", 10),
        ("events", "clicks", "used", "", 85),
        ("orders", "shop", "rows in", "", 20),
        ("orders", "shop", "set aside", "bad_date", 1),
        ("orders", "shop", "used", "", 19),
    ],
    columns=["table", "source", "step", "rule", "rows"],
)


def read_labels(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def read_texts(ax: Axes) -> list[str]:
    return [text.get_text().replace("\u00a0", " ") for text in ax.texts]


def test_flows_are_drawn_the_largest_first_and_ties_by_name() -> None:
    ax = plot_transitions(FLOWS.sample(frac=1, random_state=1))
    assert [bar.get_width() for bar in ax.patches] == [100, 60, 60, 40]
    assert read_labels(ax)[1:3] == ["product \u2192 end of session", "search \u2192 product"]


def test_only_the_most_are_drawn_and_the_others_are_counted() -> None:
    ax = plot_transitions(FLOWS, most=3)
    assert len(ax.patches) == 3
    assert "1 smaller flow is not drawn." in get_alt_text(ax)


def test_given_shares_stay_though_rows_were_left_out() -> None:
    assert read_texts(plot_transitions(FLOWS.iloc[[1]])) == ["60   60.0 %"]


def test_missing_shares_are_of_all_that_leave_the_same_touchpoint() -> None:
    assert read_texts(plot_transitions(FLOWS.drop(columns="share"))) == [
        "100   100.0 %",
        "60   100.0 %",
        "60   60.0 %",
        "40   40.0 %",
    ]


def test_other_periods_are_left_out() -> None:
    both = pd.concat([FLOWS, FLOWS.assign(which="previous", n=900)])
    assert max(bar.get_width() for bar in plot_transitions(both).patches) == 100


def test_no_flows_are_said_in_words() -> None:
    assert "No flows to show" in get_alt_text(plot_transitions(FLOWS.iloc[:0]))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="lacks to;"):
        plot_transitions(FLOWS.drop(columns="to"))


def test_most_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="most=0"):
        plot_transitions(FLOWS, most=0)


def test_the_waterfall_sums_sources_and_orders_rules_by_frequency() -> None:
    ax = plot_waterfall(WATERFALL.sample(frac=1, random_state=2))
    assert read_labels(ax) == ["rows in", "bad date", "identical row, left out", "rows used"]
    assert read_texts(ax) == ["120", "11   9.2 %", "5   4.2 %", "104   86.7 %"]


def test_bars_of_the_waterfall_hang_from_each_other_down_to_the_rows_used() -> None:
    bars = plot_waterfall(WATERFALL).patches
    spans = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars)
    assert spans == [(0, 104), (0, 120), (104, 109), (109, 120)]


def test_what_was_set_aside_is_hatched_and_not_told_by_colour_alone() -> None:
    assert [bar.get_hatch() for bar in plot_waterfall(WATERFALL).patches] == [None, None, "////", "////"]


def test_the_waterfall_s_title_names_what_most_rows_were_lost_for() -> None:
    title = plot_waterfall(WATERFALL).get_title(loc="left").replace("\u00a0", " ")
    assert title == "Of 120 rows, 104 are used (86.7 %) and 16 are not, most for: bad date"


def test_a_clean_source_says_that_all_rows_are_used() -> None:
    clean = pd.DataFrame({"step": ["rows in", "used"], "rule": "", "rows": [7, 7]})
    assert plot_waterfall(clean).get_title(loc="left") == "All 7 rows are used"


def test_a_share_below_a_tenth_of_a_percent_is_not_written_as_nothing() -> None:
    rows = pd.DataFrame(
        {"step": ["rows in", "set aside", "used"], "rule": ["", "bad", ""], "rows": [9000, 1, 8999]}
    )
    assert "1   under 0.1 %" in read_texts(plot_waterfall(rows))


def test_a_waterfall_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="120 rows in, 16 not used, 103 used"):
        plot_waterfall(WATERFALL.assign(rows=WATERFALL["rows"].where(WATERFALL.index != 6, 18)))


def test_no_waterfall_is_said_in_words() -> None:
    assert "nothing was read" in get_alt_text(plot_waterfall(WATERFALL.iloc[:0]))
