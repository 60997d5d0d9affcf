"""One customer's journey as a picture: its marks, its lines and its words come from the numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from journeylib.figures import get_alt_text, plot_journey


def make_journey(n: int = 3) -> pd.DataFrame:
    moments = pd.to_datetime(["2025-12-31 10:00", "2025-12-31 10:01"] + ["2026-01-03 09:00"] * (n - 2))
    names = (["page", "basket_view"] + ["till", "page"] * n)[:n]
    return pd.DataFrame({"session": [1, 1] + [2] * (n - 2), "occurred_at": moments, "touchpoint": names})


def test_each_event_is_one_mark_in_the_row_of_its_touchpoint():
    ax = plot_journey(make_journey(4))
    assert ax.collections[0].get_offsets().tolist() == [[0, 0], [1, 1], [2, 2], [3, 0]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["page", "basket view", "till"]


def test_title_and_alt_text_say_when_and_what():
    ax = plot_journey(make_journey())
    title = ax.get_title(loc="left")
    assert title == "3 events in 2 sessions from 31 December 2025 to 3 January 2026, from page to till"
    assert "session 2 on 3 January: till" in get_alt_text(ax)


def test_a_long_journey_is_cut_and_says_so():
    ax = plot_journey(make_journey(50), most=20)
    assert len(ax.collections[0].get_offsets()) == 20
    assert "30 later events are not drawn" in get_alt_text(ax)


def test_an_empty_journey_says_so_and_a_wrong_table_is_refused():
    assert "no event" in get_alt_text(plot_journey(make_journey().head(0)))
    with pytest.raises(ValueError, match="use list_journey"):
        plot_journey(pd.DataFrame({"session": [1]}))


def test_an_event_without_a_touchpoint_has_its_own_name():
    journey = make_journey().assign(name="click", touchpoint=["page", None, ""])
    assert [label.get_text() for label in plot_journey(journey).get_yticklabels()] == ["page", "click"]
