"""A figure saved for slides: 16:9, its words inside, its numbers beside it, the same bytes each time."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from PIL import Image

from journeylib.figures import plot_funnel, save_figure, set_alt_text

FUNNEL = pd.DataFrame({"step": [1, 2, 3], "label": ["view", "cart", "buy"], "n": [200, 90, 30]})


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_a_figure_is_saved_with_its_words_and_numbers(tmp_path):
    paths = save_figure(plot_funnel(FUNNEL), tmp_path / "slides" / "funnel")
    assert [path.name for path in paths] == ["funnel.png", "funnel.csv", "funnel.txt"]
    pd.testing.assert_frame_equal(pd.read_csv(paths[1]), FUNNEL)
    with Image.open(paths[0]) as picture:
        assert picture.width / picture.height == pytest.approx(16 / 9, rel=0.002)
        assert round(picture.info["dpi"][0]) == 150
        assert picture.info["Title"].startswith("Of 200 that started with view")
        assert "buy 30" in picture.info["Description"]
    assert picture.info["Description"] in paths[2].read_text(encoding="utf-8")


@pytest.mark.parametrize("size", [(12, 3), (6, 9), (16, 9)])
def test_no_side_shrinks_and_the_callers_figure_stays_as_it_was(tmp_path, size):
    figure, ax = plt.subplots(figsize=size)
    ax.set_title("Three of four stay")
    set_alt_text(ax, "Three of four stay.")
    path = save_figure(figure, tmp_path / "a", table=FUNNEL)[0]
    with Image.open(path) as picture:
        assert picture.width >= size[0] * 150 - 1 and picture.height >= size[1] * 150 - 1
        assert picture.width / picture.height == pytest.approx(16 / 9, rel=0.002)
    assert figure.get_size_inches().tolist() == list(size)


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    one = save_figure(plot_funnel(FUNNEL), tmp_path / "one.png")
    two = save_figure(plot_funnel(FUNNEL), tmp_path / "two.png")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


@pytest.mark.parametrize(
    ("title", "text", "table", "said"),
    [
        ("", "words", FUNNEL, "no title"),
        ("A title", "", FUNNEL, "no alt text"),
        ("A title", "words", None, "keeps no numbers"),
    ],
)
def test_a_figure_without_title_words_or_numbers_is_refused(tmp_path, title, text, table, said):
    ax = plt.figure().subplots()
    ax.set_title(title)
    if text:
        set_alt_text(ax, text)
    with pytest.raises(ValueError, match=said):
        save_figure(ax, tmp_path / "a", table=table)
    assert not list(tmp_path.iterdir())
