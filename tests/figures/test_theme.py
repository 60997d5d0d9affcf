"""The look: contrast, sizes, and nothing changed by an import."""

from __future__ import annotations

import subprocess
import sys

import matplotlib
import matplotlib.pyplot as plt
import pytest

from journeylib.figures import set_theme
from journeylib.figures.theme import COLOURS, INK, QUIET, make_axes, wrap_labels, write_heading


def measure_contrast(colour: str) -> float:
    """Contrast with white by WCAG 2.2."""
    parts = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in matplotlib.colors.to_rgb(colour)
    ]
    return 1.05 / (0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2] + 0.05)


def test_every_colour_of_marks_has_a_contrast_of_three_on_white() -> None:
    assert {name: measure_contrast(colour) >= 3 for name, colour in COLOURS.items()} == dict.fromkeys(
        COLOURS, True
    )


def test_text_has_a_contrast_of_four_and_a_half_on_white() -> None:
    assert min(map(measure_contrast, [INK, QUIET])) >= 4.5


def test_importing_the_figures_changes_no_default_and_does_not_load_matplotlib() -> None:
    code = (
        "import sys, journeylib.figures; assert 'matplotlib' not in sys.modules; import matplotlib;"
        "before = dict(matplotlib.rcParams); from journeylib.figures import plot_scores;"
        "assert dict(matplotlib.rcParams) == before"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_set_theme_takes_the_font_that_matplotlib_ships() -> None:
    set_theme()
    assert matplotlib.rcParams["font.family"] == ["DejaVu Sans"]


def test_a_word_longer_than_the_line_is_broken_and_not_cut_off() -> None:
    assert "".join(wrap_labels(["x" * 70], width=30)[0].split("\n")) == "x" * 70


def test_rows_are_higher_where_two_neighbours_have_long_names() -> None:
    one = make_axes(None, labels=["a", "b"]).figure.get_figheight()
    two = make_axes(None, labels=["a\na\na", "b\nb\nb"]).figure.get_figheight()
    assert two - one == pytest.approx(2 * 2 * 0.16)


def test_row_labels_neither_touch_nor_leave_the_figure() -> None:
    labels = wrap_labels(["screens with flight information " * 3] * 6)
    ax = make_axes(None, labels=labels)
    write_heading(ax, "A title")
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(above.y0 > below.y1 for above, below in zip(boxes, boxes[1:], strict=False))
    assert min(box.x0 for box in boxes) >= 0


def test_the_title_begins_where_the_labels_begin_and_fits_the_figure() -> None:
    ax = make_axes(None, labels=["a rather long label"])
    write_heading(ax, "W" * 20 + " wide words and more of them" * 6)
    ax.figure.draw_without_rendering()
    title, label = ax._left_title.get_window_extent(), ax.get_yticklabels()[0].get_window_extent()
    assert title.x0 == pytest.approx(label.x0, abs=4)
    assert title.x1 <= ax.figure.bbox.x1


def test_axes_of_the_caller_are_used() -> None:
    _, given = plt.subplots()
    assert make_axes(given, labels=["a"]) is given
