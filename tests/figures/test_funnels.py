"""The funnel's axes hold what the table says."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from journeylib.figures import get_alt_text, plot_drop_off, plot_funnel

FUNNEL = pd.DataFrame(
    {
        "which": ["reviewed"] * 3 + ["previous"] * 3,
        "segment": "",
        "unit_of_analysis": "people",
        "step": [1, 2, 3] * 2,
        "label": ["event:product_view", "basket", "stage:purchase"] * 2,
        "n": [200, 120, 30, 180, 90, 45],
        "lost": [0, 80, 90, 0, 90, 45],
        "drop_off": [np.nan, 40.0, 75.0, np.nan, 50.0, 50.0],
        "drop_off_low": [np.nan, 33.5, 66.0, np.nan, 42.8, 39.8],
        "drop_off_high": [np.nan, 46.9, 82.2, np.nan, 57.2, 60.2],
    }
)


def read_bars(ax: Axes) -> list[float]:
    return [bar.get_width() for bar in ax.patches]


def read_texts(ax: Axes) -> list[str]:
    return [text.get_text().replace("\u00a0", " ") for text in ax.texts]


def read_labels(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def test_a_bar_is_as_long_as_the_count_and_steps_are_spelt_out() -> None:
    ax = plot_funnel(FUNNEL)
    assert read_bars(ax) == [200, 120, 30]
    assert read_labels(ax) == ["product view", "basket", "purchase"]


def test_the_first_step_stands_on_top() -> None:
    low, high = plot_funnel(FUNNEL).get_ylim()
    assert low > high


def test_bars_are_labelled_with_count_share_of_the_first_and_loss_between() -> None:
    texts = read_texts(plot_funnel(FUNNEL))
    assert "120   60.0 % of first" in texts
    assert "30   15.0 % of first" in texts
    assert "\u25bc 90 lost (75.0 %)" in texts


def test_the_period_before_is_a_thin_mark_at_its_count() -> None:
    assert [line.get_xdata()[0] for line in plot_funnel(FUNNEL).lines] == [180, 90, 45]


def test_title_and_alt_text_say_the_numbers() -> None:
    ax = plot_funnel(FUNNEL)
    title = ax.get_title(loc="left").replace("\u00a0", " ").replace("\n", " ")
    assert title == "Of 200 people who started with product view, 30 (15.0 %) reached purchase"
    assert "basket 120 60.0 % of first, period before 90" in get_alt_text(ax)


def test_shuffled_rows_give_the_same_bars() -> None:
    assert read_bars(plot_funnel(FUNNEL.sample(frac=1, random_state=3))) == [200, 120, 30]


def test_of_segments_the_total_is_drawn() -> None:
    both = pd.concat([FUNNEL.assign(segment="device=mobile", n=1), FUNNEL])
    assert read_bars(plot_funnel(both)) == [200, 120, 30]


def test_several_segments_without_a_total_are_refused_with_an_example() -> None:
    both = pd.concat([FUNNEL.assign(segment="device=a"), FUNNEL.assign(segment="device=b")])
    with pytest.raises(ValueError, match="device=a"):
        plot_funnel(both)


def test_the_whole_table_counts_as_reviewed() -> None:
    assert read_bars(plot_funnel(FUNNEL.head(3).assign(which="all"))) == [200, 120, 30]


def test_a_suppressed_step_has_no_bar_and_says_so() -> None:
    table = FUNNEL.head(3).assign(n=[200, 120, np.nan])
    ax = plot_funnel(table)
    assert read_bars(ax) == [200, 120, 0]
    assert read_texts(ax)[-1] == "base too small to show"
    assert "too few to show reached purchase" in get_alt_text(ax)


def test_step_counts_of_a_measure_table_give_the_same_funnel() -> None:
    items = ["shop/product_view", "shop/basket", "shop/purchase"]
    measures = pd.DataFrame(
        {"metric": "step_count", "item": items, "which": "reviewed", "value": [200, 120, 30]}
    )
    assert read_bars(plot_funnel(measures)) == [200, 120, 30]


def test_measures_of_two_funnels_are_refused() -> None:
    measures = pd.DataFrame({"metric": "step_count", "item": ["a/x", "b/x"], "value": [2, 1]})
    with pytest.raises(ValueError, match="funnels a, b"):
        plot_funnel(measures)


@pytest.mark.parametrize("table", [FUNNEL.iloc[:0], pd.DataFrame(), FUNNEL.assign(n=0)])
def test_an_empty_funnel_is_said_in_words(table: pd.DataFrame) -> None:
    assert "nobody started it" in get_alt_text(plot_funnel(table))


def test_one_step_is_a_funnel_too() -> None:
    ax = plot_funnel(FUNNEL.head(1))
    assert ax.get_title(loc="left") == "200 people who reached product view"


def test_the_caller_s_axes_are_drawn_on_and_returned() -> None:
    _, given = plt.subplots()
    assert plot_funnel(FUNNEL, ax=given) is given


def test_the_table_is_not_changed() -> None:
    before = FUNNEL.copy(deep=True)
    plot_funnel(FUNNEL)
    plot_drop_off(FUNNEL)
    pd.testing.assert_frame_equal(FUNNEL, before)


def make_measures() -> pd.DataFrame:
    rows = FUNNEL.dropna(subset="drop_off")
    return pd.DataFrame(
        {
            "metric": "drop_off",
            "which": rows["which"],
            "item": "shop/" + rows["label"],
            "value": rows["drop_off"],
            "low": rows["drop_off_low"],
            "high": rows["drop_off_high"],
            "n": rows["n"] + rows["lost"],
        }
    )


def test_counts_stand_in_one_column_beyond_the_mark_of_the_period_before() -> None:
    before = FUNNEL.assign(which="previous", n=FUNNEL["n"] * 3)
    ax = plot_funnel(pd.concat([FUNNEL.assign(which="reviewed"), before]))
    counts = [text for text in ax.texts if "lost" not in text.get_text()]
    places = {text.get_position()[0] for text in counts}
    assert len(counts) == len(FUNNEL) and len(places) == 1
    assert places.pop() > 3 * FUNNEL["n"].max()


@pytest.mark.parametrize("table", [FUNNEL, make_measures()])
def test_drop_off_has_whiskers_from_low_to_high_and_the_base_of_the_step_before(table: pd.DataFrame) -> None:
    ax = plot_drop_off(table)
    whiskers = [list(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2]
    assert whiskers == [[33.5, 46.9], [66.0, 82.2]]
    assert read_texts(ax) == ["40.0 %   n 200", "75.0 %   n 120"]
    assert read_labels(ax) == ["before basket", "before purchase"]


def test_the_largest_drop_off_is_the_title() -> None:
    title = plot_drop_off(make_measures()).get_title(loc="left").replace("\u00a0", " ").replace("\n", " ")
    assert title.startswith(
        "The largest loss is before purchase: 75.0 % of the 120 that got that far (66.0 %"
    )


def test_a_drop_off_on_fewer_than_thirty_is_hollow_and_never_the_title() -> None:
    measures = make_measures().head(2).assign(n=[30, 29])
    ax = plot_drop_off(measures)
    dots = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"]
    assert dots == ["#0173b2", "white"]
    assert "before basket" in ax.get_title(loc="left")
    assert read_texts(ax)[1].endswith("low base")


def test_two_funnels_have_their_name_beside_the_step() -> None:
    measures = pd.concat([make_measures().head(1), make_measures().head(1).assign(item="app/basket")])
    assert read_labels(plot_drop_off(measures)) == ["before basket (shop)", "before basket (app)"]


def test_segments_of_a_drop_off_are_left_out() -> None:
    measures = pd.concat([make_measures(), make_measures().assign(segment="device=mobile")]).fillna(
        {"segment": ""}
    )
    assert len(read_labels(plot_drop_off(measures))) == 2


def test_no_drop_off_is_said_in_words() -> None:
    assert "No drop-off to show" in get_alt_text(plot_drop_off(make_measures().iloc[:0]))
