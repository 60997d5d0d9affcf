"""The matrix of channels: what stands in the cells, and what is not shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.figures import get_alt_text, plot_channel_pairs

PAIRS = pd.DataFrame(
    [
        ("", "chat", "chat", 6, 120, 5.0),
        ("", "chat", "phone", 24, 120, 20.0),
        ("", "phone", "chat", 2, 20, 10.0),
        ("", "phone", "phone", 6, 20, 30.0),
        ("topic=bill", "chat", "phone", 50, 50, 100.0),
    ],
    columns=["segment", "from_channel", "to_channel", "repeats", "contacts", "share"],
)


def read_texts(ax) -> list[str]:
    return [text.get_text().replace("\u00a0", " ") for text in ax.texts]


def test_each_pair_of_all_topics_has_its_share_and_each_channel_what_came_back() -> None:
    ax = plot_channel_pairs(PAIRS.sample(frac=1, random_state=1))
    assert read_texts(ax) == [
        "5.0 %",
        "20.0 %",
        "25.0 % came back",
        "10.0 %",
        "30.0 %",
        "40.0 % came back\nindicative",
    ]
    assert np.asarray(ax.images[0].get_array()).tolist() == [[5, 20], [10, 30]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["chat (n 120)", "phone (n 20)"]


def test_the_title_is_the_largest_share_on_a_firm_base() -> None:
    title = plot_channel_pairs(PAIRS).get_title(loc="left").replace("\u00a0", " ").replace("\n", " ")
    assert title.startswith("Of 120 contacts by chat, 20.0 % led to another by phone")


def test_a_channel_under_the_base_is_named_without_numbers() -> None:
    ax = plot_channel_pairs(PAIRS, minimum_base=30)
    assert "base too small" in read_texts(ax)
    assert "30.0" not in get_alt_text(ax) and "base too small to show" in get_alt_text(ax)


def test_nothing_to_show_and_a_missing_column_are_said() -> None:
    assert "No repeat contacts to show" in get_alt_text(plot_channel_pairs(PAIRS.iloc[:0]))
    assert "No repeat contacts to show" in get_alt_text(plot_channel_pairs(PAIRS, minimum_base=500))
    none = PAIRS.iloc[:2].assign(share=0.0, repeats=0)
    assert "Nobody came back" in plot_channel_pairs(none).get_title(loc="left")
    with pytest.raises(ValueError, match="lacks share;"):
        plot_channel_pairs(PAIRS.drop(columns="share"))
