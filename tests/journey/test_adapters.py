"""The peers' own tables: names, types and order that they read; and a touch a session for attribution."""

from __future__ import annotations

import pandas as pd
import pytest

from journeylib.journey.adapters import to_channel_paths, to_eventstream, to_pm4py
from journeylib.journey.channel_paths import list_channel_paths

HOUR = 3_600_000_000


def make_clicks() -> pd.DataFrame:
    events = pd.DataFrame(
        {
            "customer": ["b", "a", "a", None, "a"],
            "occurred_at": [HOUR, HOUR, HOUR, 0, 0],
            "event_id": ["1", "3", "2", "4", "5"],
            "name": ["buy", "buy", "cart", "view", "view"],
        }
    )
    return events.assign(touchpoint=["till", "till", None, "page", "page"])


def test_an_eventstream_has_the_peer_s_columns_in_the_order_of_events():
    found = to_eventstream(make_clicks())
    assert found.columns.tolist() == ["user_id", "event", "timestamp"]
    assert found["event"].tolist() == ["view", "cart", "buy", "buy"]
    assert found["timestamp"].dtype.kind == "M" and found["timestamp"].dt.tz is None
    pd.testing.assert_frame_equal(found, to_eventstream(make_clicks().sample(frac=1, random_state=1)))
    assert to_eventstream(make_clicks(), name="touchpoint")["event"].tolist() == ["page", "till", "till"]


def test_an_event_log_has_the_peer_s_columns_and_a_time_zone():
    found = to_pm4py(make_clicks())
    assert found.columns.tolist() == ["case:concept:name", "concept:name", "time:timestamp"]
    assert found["case:concept:name"].tolist() == ["a", "a", "a", "b"]
    assert str(found["time:timestamp"].dt.tz) == "UTC"
    assert to_pm4py(make_clicks().head(0)).empty


def test_channel_paths_keep_their_sums_and_refuse_a_channel_that_holds_the_separator():
    paths = pd.DataFrame(
        {
            "path": [("ad", "site"), ("ad", "site"), ("mail",), ()],
            "n": [3, 1, 2, 4],
            "conversions": [1, 1, 0, 4],
            "value": [10.0, 5.0, 0.0, 9.0],
        }
    )
    found = to_channel_paths(paths)
    assert found.values.tolist() == [["ad > site", 2, 15.0, 2], ["mail", 0, 0.0, 2]]
    with pytest.raises(ValueError, match="choose another separator"):
        to_channel_paths(paths.assign(path=[("a>b",)] * 4))
    with pytest.raises(ValueError, match="lack the column"):
        to_channel_paths(paths[["path"]])


def test_the_first_event_of_each_session_is_its_only_touch_where_that_is_asked_for():
    events = pd.DataFrame({"customer": "a", "occurred_at": [0, 1, 2 * HOUR, 2 * HOUR + 1]})
    events = events.assign(name=["ad", "page", "page", "buy"], channel=["search", "site", "site", "site"])
    events = events.assign(session=[1, 1, 2, 2], position=[1, 2, 1, 2])
    options = {"conversion": "event:buy", "as_of": 90 * 24 * HOUR}
    every = list_channel_paths(events, collapse=False, **options)
    assert every["path"].tolist() == [("search", "site", "site")]
    entries = list_channel_paths(events, touches="sessions", collapse=False, **options)
    assert entries["path"].tolist() == [("search", "site")]
    with pytest.raises(ValueError, match="touches must be"):
        list_channel_paths(events, touches="days", **options)
