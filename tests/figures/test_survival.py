"""The curve of conversion by time: its steps, its band, its words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.figures import get_alt_text, plot_time_to_convert

CURVE = pd.DataFrame(
    {
        "which": "reviewed",
        "segment": "",
        "minutes": [1.0, 5.0, 20.0],
        "at_risk": [40, 30, 12],
        "share": [25.0, 60.0, 60.0],
        "low": [14.0, 45.0, 45.0],
        "high": [42.0, 76.0, 76.0],
        "median_minutes": 5.0,
        "median_low": 4.0,
        "median_high": np.nan,
    }
)


def test_the_curve_rises_in_steps_from_nobody_at_the_start() -> None:
    ax = plot_time_to_convert(CURVE.sample(frac=1, random_state=1))
    line = ax.lines[0]
    assert list(line.get_xdata()) == [0, 1, 5, 20]
    assert list(line.get_ydata()) == [0, 25, 60, 60]
    assert ax.get_title(loc="left") == "Half of 40 have converted after 5.0 minutes (4.0 minutes or more)"
    assert ax.get_xscale() == "linear"


def test_the_period_before_stands_beside_and_the_words_hold_all_numbers() -> None:
    before = CURVE.assign(which="previous", median_minutes=np.nan, share=[10.0, 20.0, 30.0])
    ax = plot_time_to_convert(pd.concat([before, CURVE]))
    words = get_alt_text(ax).replace("\u00a0", " ")
    assert "Now: n 40, half after 5.0 minutes, 60.0 % by 20.0 minutes, interval 45.0 % to 76.0 %" in words
    assert "Period before: n 40, 30.0 % by 20.0 minutes" in words
    assert len(ax.get_legend().get_texts()) == 2


def test_a_curve_that_never_comes_to_a_half_says_how_far_it_comes() -> None:
    title = plot_time_to_convert(CURVE.assign(median_minutes=np.nan, share=30.0)).get_title(loc="left")
    assert title.replace("\u00a0", " ") == "After 20.0 minutes 30.0 % of 40 have converted, fewer than half"


@pytest.mark.parametrize(("high", "top"), [(19.0, 20), (20.0, 20), (21.0, 40), (55.0, 60), (61.0, 100)])
def test_the_axis_ends_above_the_highest_band_and_the_half_is_marked_where_it_shows(
    high: float, top: float
) -> None:
    ax = plot_time_to_convert(CURVE.assign(share=10.0, low=5.0, high=high, median_minutes=np.nan))
    assert ax.get_ylim() == (0, top)
    halves = [line for line in ax.lines if list(line.get_ydata()) == [50, 50]]
    assert len(halves) == (top >= 50)


def test_segments_are_drawn_by_size_and_small_ones_only_named() -> None:
    parts = [("device=x", 40), ("device=y", 90), ("device=z", 9)]
    curves = pd.concat([CURVE.assign(segment=name, at_risk=size) for name, size in parts])
    ax = plot_time_to_convert(curves, by_segment=True)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["device: y", "device: x"]
    assert get_alt_text(ax).endswith("Not drawn: device: z.")
    assert ax.get_title(loc="left").startswith("device: y: half of 90")


def test_a_wide_span_of_time_is_on_a_log_scale_with_named_times() -> None:
    ax = plot_time_to_convert(CURVE.assign(minutes=[1.0, 60.0, 10_080.0]))
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "1 min",
        "10 min",
        "1 h",
        "6 h",
        "1 day",
        "7 days",
    ]


def test_nothing_to_show_is_said() -> None:
    assert "No time to convert to show" in get_alt_text(plot_time_to_convert(CURVE.iloc[:0]))
    assert "No time to convert to show" in get_alt_text(plot_time_to_convert(CURVE.assign(at_risk=9)))
