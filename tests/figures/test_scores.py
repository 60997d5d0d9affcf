"""The dot plot ranks only what may be ranked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from journeylib.figures import get_alt_text, plot_scores

#       which, touchpoint, item, value, low, high, n
ROWS = [
    ("reviewed", "", "", 4.0, 3.9, 4.1, 500),
    ("reviewed", "wifi", "", 3.2, 3.0, 3.4, 30),
    ("reviewed", "air_train", "", 4.9, 4.1, 5.0, 29),
    ("reviewed", "shops", "", 4.1, 4.0, 4.2, 200),
    ("reviewed", "lounge", "", np.nan, np.nan, np.nan, np.nan),
    ("previous", "wifi", "", 3.5, 3.3, 3.7, 100),
]
MEASURES = pd.DataFrame(ROWS, columns=["which", "touchpoint", "item", "value", "low", "high", "n"]).assign(
    metric="csat_mean", stage="", persona="", segment="", kind="mean"
)


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


def test_firm_places_are_sorted_by_value_and_small_bases_stand_below_unranked() -> None:
    assert read_labels(plot_scores(MEASURES, metric="csat_mean")) == ["shops", "wifi", "air train", "lounge"]


def test_dots_stand_at_the_values_and_a_suppressed_place_has_none() -> None:
    assert read_marks(plot_scores(MEASURES, metric="csat_mean"), "o") == [(4.1, 0.0), (3.2, 1.0), (4.9, 2.0)]


def test_whiskers_run_from_low_to_high() -> None:
    ax = plot_scores(MEASURES, metric="csat_mean")
    ends = [
        list(line.get_xdata())
        for line in ax.lines
        if line.get_linewidth() == 2 and len(line.get_xdata()) == 2
    ]
    assert ends == [[4.0, 4.2], [3.0, 3.4], [4.1, 5.0]]


def test_thirty_answers_are_filled_and_twenty_nine_are_hollow_with_words() -> None:
    ax = plot_scores(MEASURES, metric="csat_mean")
    faces = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"]
    assert faces == ["#0173b2", "#0173b2", "white"]
    assert read_texts(ax) == [
        "4.10   n 200",
        "3.20   n 30",
        "4.90   n 29  low base",
        "base too small to show",
    ]


def test_the_previous_value_is_a_diamond_on_its_place_s_row() -> None:
    assert read_marks(plot_scores(MEASURES, metric="csat_mean"), "D") == [(3.5, 1.0)]


def test_the_headline_is_a_line_and_explained() -> None:
    ax = plot_scores(MEASURES, metric="csat_mean")
    assert [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"] == [4.0]
    assert "All together: 4.00" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_title_ranks_only_firm_places() -> None:
    title = plot_scores(MEASURES, metric="csat_mean").get_title(loc="left")
    assert title == "Shops is highest at 4.10, wifi lowest at 3.20"


def test_the_alt_text_says_every_value_interval_base_and_previous_value() -> None:
    text = get_alt_text(plot_scores(MEASURES, metric="csat_mean"))
    assert "wifi 3.20 n 30, interval 3.00 to 3.40, before 3.50" in text
    assert "lounge base too small to show" in text
    assert "All together 4.00." in text


def test_shuffled_rows_give_the_same_figure() -> None:
    shuffled = MEASURES.sample(frac=1, random_state=5)
    first, second = (get_alt_text(plot_scores(table, metric="csat_mean")) for table in (MEASURES, shuffled))
    assert first == second


def test_other_metrics_segments_and_periods_are_left_out() -> None:
    other = MEASURES.assign(metric="csat_top2")
    segments = MEASURES.assign(segment="country=DE")
    year_ago = MEASURES.assign(which="year_ago")
    ax = plot_scores(pd.concat([MEASURES, other, segments, year_ago]), metric="csat_mean")
    assert len(read_labels(ax)) == 4


def test_by_segment_names_column_and_label() -> None:
    table = MEASURES.head(2).assign(touchpoint="", segment=["", "problem=yes"])
    assert read_labels(plot_scores(table, metric="csat_mean", by="segment")) == ["problem: yes"]


def test_a_touchpoint_that_belongs_to_a_stage_is_found_and_a_stage_keeps_to_itself() -> None:
    table = MEASURES.assign(stage="use")
    assert "shops" in read_labels(plot_scores(table, metric="csat_mean"))
    assert read_labels(plot_scores(table, metric="csat_mean", by="stage")) == ["use"]


def test_single_questions_stand_only_where_the_place_has_no_joint_row() -> None:
    questions = MEASURES.loc[MEASURES["touchpoint"].isin(["shops"])]
    table = pd.concat(
        [MEASURES, questions.assign(item="Q1"), questions.assign(touchpoint="gate", item=["Q2"])]
    )
    table = pd.concat([table, questions.assign(touchpoint="gate", item=["Q3"])])
    labels = read_labels(plot_scores(table, metric="csat_mean"))
    assert sorted(label for label in labels if label[0] in "gs") == ["gate, Q2", "gate, Q3", "shops"]


def test_only_low_bases_are_not_ranked_in_the_title() -> None:
    title = plot_scores(MEASURES.assign(n=12), metric="csat_mean").get_title(loc="left")
    assert title == "No place has the 30 answers that a firm CSAT mean needs"


def test_nps_is_written_with_its_sign() -> None:
    table = MEASURES.loc[[3]].assign(metric="nps", kind="nps", value=-8.0)
    assert read_texts(plot_scores(table, metric="nps"))[0].startswith("\u22128.0")


@pytest.mark.parametrize("table", [MEASURES.iloc[:0], pd.DataFrame(), MEASURES.head(1)])
def test_no_rows_are_said_in_words(table: pd.DataFrame) -> None:
    assert "No CSAT mean by touchpoint to show" in get_alt_text(plot_scores(table, metric="csat_mean"))


def test_an_unknown_column_of_places_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="touchpoint, persona, segment, item"):
        plot_scores(MEASURES, metric="csat_mean", by="country")


def test_long_names_neither_overlap_nor_leave_the_figure() -> None:
    long = "screens_with_flight_information_and_a_very_long_name_"
    table = pd.concat([MEASURES.loc[[3]].assign(touchpoint=f"{long}{place}") for place in range(6)])
    ax = plot_scores(table, metric="csat_mean")
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(above.y0 > below.y1 for above, below in zip(boxes, boxes[1:], strict=False))
    assert min(box.x0 for box in boxes) >= 0
    assert max(text.get_window_extent().x1 for text in ax.texts) <= ax.figure.bbox.x1
