"""Stages: the team's table of patterns, and what it leaves unmapped."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from journeylib.journey import assign_touchpoints, count_unmapped


def make_touchpoints(*rows: str) -> pd.DataFrame:
    columns = ["pattern", "touchpoint", "stage", "channel", "online"]
    return pd.DataFrame([row.split("|") for row in rows], columns=columns)


TOUCHPOINTS = make_touchpoints(
    "view_sale|sale|decision|web|yes",
    "view_*|product|consideration||yes",
    "|poster|awareness|print|no",
    "Shop?|shop|decision|store|no",
    "view_never|never|decision||",
)


def assign_names(*names: str | None) -> pd.DataFrame:
    return assign_touchpoints(pd.DataFrame({"name": list(names)}, dtype="str"), TOUCHPOINTS)


def test_the_first_matching_row_wins():
    assert assign_names("view_sale", "view_1", "view_never")["touchpoint"].tolist() == [
        "sale",
        "product",
        "product",
    ]


def test_patterns_match_the_whole_name_and_tell_upper_from_lower_case():
    found = assign_names("Shop1", "shop1", "Shop", "my view_1")
    assert found["touchpoint"].fillna("-").tolist() == ["shop", "-", "-", "-"]
    assert found["stage"].fillna("-").tolist() == ["decision", "-", "-", "-"]


def test_an_empty_pattern_matches_nothing_not_even_an_empty_name():
    assert assign_names("", None, "poster")["touchpoint"].isna().all()


def test_an_event_keeps_its_own_channel_only_where_the_table_names_none():
    events = pd.DataFrame({"name": ["view_sale", "view_1", "ping"], "channel": ["app", "app", "app"]})
    assert assign_touchpoints(events, TOUCHPOINTS)["channel"].tolist() == ["web", "app", "app"]


def test_online_is_true_false_or_missing():
    found = assign_names("view_1", "Shop1", "ping")
    assert found["online"].tolist() == [True, False, pd.NA]


def test_rows_keep_their_order_index_and_other_columns():
    events = pd.DataFrame({"name": ["view_1", "ping", "Shop1"], "n": [1, 2, 3]}, index=[7, 3, 5])
    found = assign_touchpoints(events, TOUCHPOINTS)
    assert found.index.tolist() == [7, 3, 5]
    assert found["n"].tolist() == [1, 2, 3]
    assert found["touchpoint"].fillna("-").tolist() == ["product", "-", "shop"]


def test_older_touchpoints_are_overwritten():
    events = pd.DataFrame({"name": ["ping"], "touchpoint": ["old"], "stage": ["old"], "online": [True]})
    found = assign_touchpoints(events, TOUCHPOINTS)
    assert found[["touchpoint", "stage", "online"]].isna().all().all()


def test_an_empty_table_and_a_table_without_patterns_work():
    empty = assign_touchpoints(pd.DataFrame({"name": pd.Series([], dtype="str")}), TOUCHPOINTS)
    assert empty.columns.tolist() == ["name", "touchpoint", "stage", "channel", "online"]
    nothing = assign_touchpoints(pd.DataFrame({"name": ["view_1"]}), TOUCHPOINTS.iloc[[2]])
    assert nothing["touchpoint"].isna().all()


def test_a_relation_of_the_callers_own_connection_stays_there():
    connection = duckdb.connect()
    relation = connection.sql(
        "SELECT 'view_1' AS name, 'it''s' AS \"segment.x\" UNION ALL SELECT 'ping', NULL"
    )
    touchpoints = make_touchpoints("view_*|it's|consideration||yes")
    found = assign_touchpoints(relation, touchpoints)
    assert isinstance(found, duckdb.DuckDBPyRelation)
    assert found.columns == ["name", "segment.x", "touchpoint", "stage", "channel", "online"]
    assert sorted(found.fetchall()) == [
        ("ping", None, None, None, None, None),
        ("view_1", "it's", "it's", "consideration", None, True),
    ]


def test_a_table_that_cannot_be_read_is_refused():
    events = pd.DataFrame({"name": ["a"]})
    with pytest.raises(ValueError, match="touchpoints lack the column.*stage"):
        assign_touchpoints(events, TOUCHPOINTS.drop(columns="stage"))
    with pytest.raises(ValueError, match="online is 'maybe'"):
        assign_touchpoints(events, make_touchpoints("a|a|a||maybe"))


def test_unmapped_names_are_counted_with_their_share_of_all_events():
    events = assign_names("view_1", "b", "a", "b", "a", "c", "view_2", None)
    found = count_unmapped(events)
    assert found["name"].fillna("-").tolist() == ["a", "b", "c", "-"]
    assert found["n"].tolist() == [2, 2, 1, 1]
    assert found["share"].tolist() == [25.0, 25.0, 12.5, 12.5]


def test_nothing_unmapped_and_no_events_give_an_empty_count():
    assert count_unmapped(assign_names("view_1")).empty
    assert count_unmapped(assign_names()).columns.tolist() == ["name", "n", "share"]


def test_counting_unmapped_needs_touchpoints():
    with pytest.raises(ValueError, match="call assign_touchpoints first"):
        count_unmapped(pd.DataFrame({"name": ["a"]}))
