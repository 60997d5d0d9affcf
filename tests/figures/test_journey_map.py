"""The journey map says where it is worst, hides nothing, and no two texts touch."""

from __future__ import annotations

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.patches import FancyBboxPatch

from journeylib.figures import get_alt_text, plot_journey_map

COLUMNS = ["stage", "touchpoint", "channel", "online", "n", "reach_share", "satisfaction", "satisfaction_n",
           "expectation", "gap", "no_further_share", "went_on_n", "went_on_share", "is_measured", "is_worst",
           "worst_by"]  # fmt: skip
NO, RATED = np.nan, "satisfaction"
ROWS = [
    ("decision", "", "", None, 90, 90.0, NO, NO, NO, NO, NO, 60, 66.7, True, False, ""),
    ("decision", "basket", "site", True, 80, 80.0, 4.2, 50, NO, NO, 20.0, NO, NO, True, False, ""),
    ("decision", "payment", "site", True, 60, 60.0, 3.1, 40, 4.0, -0.9, 30.0, NO, NO, True, True, RATED),
    ("use", "", "", None, 50, 50.0, NO, NO, NO, NO, NO, NO, NO, True, False, ""),
    ("use", "help", "site", True, 50, 50.0, NO, NO, NO, NO, NO, NO, NO, True, False, ""),
    ("use", "poster", "street", False, NO, NO, NO, NO, NO, NO, NO, NO, NO, False, False, ""),
]  # fmt: skip
MAP = pd.DataFrame(ROWS, columns=COLUMNS).assign(unit_of_analysis="people", scale_min=1.0, scale_max=5.0)


def read_texts(ax: Axes) -> list[str]:
    return [text.get_text().replace("\u00a0", " ") for text in ax.texts if text.get_text()]


def make_map(places: int, stages: int) -> pd.DataFrame:
    """Make a map of so many touchpoints with long names, each with all that can be written beside a mark."""
    channels = ["site", "app", "phone", "shop", "post", "site"]
    rows = []
    for number in range(stages):
        stage = {"stage": f"stage {number}", "touchpoint": "", "n": 1000 - number, "satisfaction": 3.5}
        rows.append({**stage, "went_on_n": 600, "went_on_share": 60.0, "satisfaction_n": 200})
        rows += [
            {"stage": f"stage {number}", "touchpoint": f"information_booth at_departures {place}",
             "channel": channels[place % 6], "online": place % 6 < 2, "n": 500,
             "reach_share": 100.0 - 3 * place, "satisfaction": 2.5 + place / 12, "satisfaction_n": 90,
             "gap": -0.5, "expectation": 4.0,
             "is_measured": place % 7 > 0, "is_worst": place == number, "worst_by": "satisfaction"}
            for place in range(number, places, stages)
        ]  # fmt: skip
    table = pd.DataFrame(rows).assign(unit_of_analysis="people", scale_min=1.0, scale_max=5.0)
    return table.assign(
        is_measured=table["is_measured"].astype(object).where(table["is_measured"].notna(), True)
    )


def test_the_title_says_where_it_is_worst_and_where_most_are_lost() -> None:
    title = plot_journey_map(MAP).get_title(loc="left").replace("\u00a0", " ").replace("\n", " ")
    assert title == (
        "Satisfaction is lowest at payment: 3.10 on 1 to 5, 0.9 below what was expected (n 40); "
        "of the stages, decision loses most: 67 % of its customers go on"
    )


def test_a_stage_on_a_low_base_is_not_said_to_lose_most() -> None:
    few = MAP.assign(n=MAP["n"].clip(upper=29), is_worst=False, worst_by="")
    title = plot_journey_map(few).get_title(loc="left")
    assert title == "3 of 4 touchpoints are measured, none of them can be called the worst"


def test_each_touchpoint_has_its_name_its_share_and_its_satisfaction_beside_it() -> None:
    texts = read_texts(plot_journey_map(MAP))
    assert {"basket", "80 %", "4.20", "payment", "60 %", "3.10", "(−0.9)", "help", "50 %"} <= set(texts)
    assert {"Decision", "90 customers", "Use", "67 % go on (60)"} <= set(texts)


def test_what_is_not_measured_is_hatched_and_said() -> None:
    ax = plot_journey_map(MAP)
    hatched = [mark for mark in ax.collections if isinstance(mark, PathCollection) and mark.get_hatch()]
    assert len(hatched) == 2  # the poster, and its sign in the legend
    assert read_texts(ax).count("not measured") == 2


def test_marks_grow_by_area_with_the_share_that_met_the_touchpoint() -> None:
    ax = plot_journey_map(MAP.assign(gap=NO, expectation=NO))
    largest = sorted(float(mark.get_sizes()[0]) for mark in ax.collections[:3])
    assert largest[2] / largest[0] == pytest.approx(80 / 50)


def test_worse_is_darker_and_the_expectation_is_a_ring_behind() -> None:
    ax = plot_journey_map(MAP)
    grey = [float(np.dot(mark.get_facecolor()[0][:3], [0.299, 0.587, 0.114])) for mark in ax.collections]
    basket, ring, gap, payment = grey[:4]
    assert payment < ring < 0.99 < gap
    assert payment < basket


def test_the_worst_place_is_boxed_once_and_explained() -> None:
    ax = plot_journey_map(MAP)
    boxes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    assert len(boxes) == 2  # payment, and its sign in the legend
    assert "worst of its stage" in read_texts(ax)


def test_without_a_survey_the_shade_is_the_share_that_came_no_further() -> None:
    silent = MAP.assign(
        satisfaction=NO, satisfaction_n=NO, expectation=NO, gap=NO, is_worst=False, worst_by=""
    )
    texts = read_texts(plot_journey_map(silent))
    assert {"↓ 20 %", "↓ 30 %", "came no further, 15 to 35 %"} <= set(texts)


def test_the_alt_text_says_every_number() -> None:
    text = get_alt_text(plot_journey_map(MAP)).replace("\u00a0", " ")
    assert "payment, 60 customers (60 %), satisfaction 3.10 (n 40), expected 4.00" in text
    assert "poster, not measured" in text
    assert "Decision, 90 customers (90 %), 67 % went on" in text


def test_a_map_read_from_its_csv_is_the_same_figure(tmp_path) -> None:
    MAP.to_csv(tmp_path / "map.csv", index=False)
    again = plot_journey_map(pd.read_csv(tmp_path / "map.csv"))
    assert get_alt_text(again) == get_alt_text(plot_journey_map(MAP))
    assert read_texts(again) == read_texts(plot_journey_map(MAP))


@pytest.mark.parametrize(("places", "stages"), [(1, 1), (8, 4), (25, 4), (25, 8)])
def test_no_two_texts_overlap_and_none_leaves_the_figure(places: int, stages: int) -> None:
    ax = plot_journey_map(make_map(places, stages))
    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()
    boxes = [
        (text.get_text(), text.get_window_extent().shrunk(0.98, 0.8)) for text in ax.texts if text.get_text()
    ]
    touching = [(one, two) for (one, a), (two, b) in combinations(boxes, 2) if a.overlaps(b)]
    assert touching == []
    whole = figure.bbox.padded(1)
    assert [name for name, box in boxes if box.x1 > whole.x1 or box.y0 < whole.y0 or box.x0 < whole.x0] == []
    assert min(text.get_fontsize() for text in ax.texts) >= 8


def test_a_map_of_usual_size_is_sixteen_to_nine() -> None:
    width, height = plot_journey_map(make_map(8, 4)).get_figure(root=True).get_size_inches()
    assert width / height == pytest.approx(16 / 9, abs=0.01)


def test_it_draws_into_the_axes_that_are_given() -> None:
    given = plt.figure(figsize=(12, 7)).subplots()
    assert plot_journey_map(MAP, ax=given) is given
    assert len(plt.get_fignums()) == 1


def test_an_empty_map_says_so_in_words() -> None:
    assert "No journey map to show" in plot_journey_map(MAP.iloc[:0]).get_title(loc="left")


def test_a_table_without_stages_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks stage"):
        plot_journey_map(MAP.drop(columns="stage"))
