"""Words of a figure, and how it is shown."""

from __future__ import annotations

import base64
import io
import math
from typing import Any

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes
from PIL import Image

from journeylib.figures import alt_text, get_alt_text, set_alt_text, show_figure
from journeylib.figures.alt_text import format_value, spell_name, write_nothing_to_show


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What went to IPython's display."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(alt_text, "display", lambda data, **more: calls.append({"data": data, **more}))
    return calls


def draw(text: str = "Two bars, 3 and 4.") -> Axes:
    _, ax = plt.subplots(figsize=(9.2, 2))
    ax.barh([0, 1], [3, 4])
    return set_alt_text(ax, text)


def test_a_shown_figure_is_a_png_of_150_pixels_an_inch_with_its_words_as_metadata_and_text(
    shown: list,
) -> None:
    show_figure(draw())
    picture = Image.open(io.BytesIO(base64.b64decode(shown[0]["data"]["image/png"])))
    assert picture.size == (1380, 300)
    assert shown[0]["metadata"] == {"image/png": {"alt": "Two bars, 3 and 4.", "width": 920}}
    assert shown[0]["data"]["text/plain"] == "Two bars, 3 and 4."
    assert shown[0]["raw"] is True


def test_a_shown_figure_is_closed(shown: list) -> None:
    show_figure(draw())
    assert plt.get_fignums() == []


def test_the_same_figure_gives_the_same_bytes_and_names_no_software(shown: list) -> None:
    show_figure(draw())
    show_figure(draw())
    first, second = (call["data"]["image/png"] for call in shown)
    assert first == second
    assert b"Software" not in base64.b64decode(first)


def test_a_figure_without_words_is_not_shown(shown: list) -> None:
    _, ax = plt.subplots()
    with pytest.raises(ValueError, match="no alt text"):
        show_figure(ax)
    assert shown == []


def test_the_words_of_all_axes_of_a_figure_are_joined(shown: list) -> None:
    _, (left, right) = plt.subplots(ncols=2)
    set_alt_text(left, "Left.")
    set_alt_text(right, "Right.")
    show_figure(right)
    assert shown[0]["metadata"]["image/png"]["alt"] == "Left. Right."


def test_white_space_in_the_words_becomes_one_space() -> None:
    assert get_alt_text(draw("Two\n bars,\u00a03 %.")) == "Two bars, 3 %."


@pytest.mark.parametrize("empty", ["", " \n "])
def test_empty_words_are_refused(empty: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        draw(empty)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (43.249, "share", "43.2\u00a0%"),
        (-8.0, "nps", "\u22128.0"),
        (0.0, "nps", "+0.0"),
        (1234.5678, "mean", "1,234.57"),
        (math.nan, "count", "not shown"),
    ],
)
def test_a_value_is_written_by_its_kind(value: float, kind: str, text: str) -> None:
    assert format_value(value, kind=kind) == text


def test_only_the_first_prefix_and_equals_sign_of_a_name_are_spelt_out() -> None:
    assert spell_name("event:a=b=c") == "a: b=c"


def test_nothing_to_show_is_said_in_title_and_alt_text() -> None:
    ax = write_nothing_to_show(None, "No funnel to show.")
    assert ax.get_title(loc="left") == get_alt_text(ax) == "No funnel to show."
    assert not ax.axison
