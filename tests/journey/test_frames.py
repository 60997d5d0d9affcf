"""Frames: the same answer from pandas, Parquet, DuckDB relations and narwhals frames."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from journeylib.journey import (
    assign_touchpoints,
    count_funnel,
    count_transitions,
    measure_sessions,
    split_into_sessions,
    summarise_sessions,
)

KEYS = ["customer", "occurred_at", "name"]


@pytest.fixture
def events(make_events):
    made = make_events("b 5 v\na 1 v\na 2 v\na 3 b\na 9000 v\n- 4 b", _own=range(6))
    return made.assign(**{"segment.cohort": list("xyxyxy")})


@pytest.fixture(params=["path", "relation", "own relation", "lazy", "arrow"])
def other(request, events, tmp_path):
    table = pa.Table.from_pandas(events, preserve_index=False)
    path = tmp_path / "events.parquet"
    pq.write_table(table, path)
    connection = duckdb.connect()
    connection.register("given", table)
    forms = {
        "path": lambda: path,
        "relation": lambda: duckdb.from_arrow(table),
        "own relation": lambda: connection.table("given"),
        "lazy": lambda: nw.from_native(duckdb.read_parquet(str(path))),
        "arrow": lambda: table,
    }
    return forms[request.param]()


def test_row_results_are_the_same_and_come_back_as_a_relation(events, other):
    touchpoints = pd.DataFrame({"pattern": ["v"], "touchpoint": ["page"], "stage": ["look"]})
    wanted = split_into_sessions(assign_touchpoints(events, touchpoints))
    found = split_into_sessions(assign_touchpoints(other, touchpoints))
    assert isinstance(found, duckdb.DuckDBPyRelation)
    assert found.columns == wanted.columns.tolist()
    read = found.df().sort_values("_own", ignore_index=True)
    for column in ("session", "position", "touchpoint", "segment.cohort"):
        assert read[column].fillna("-").tolist() == wanted.sort_values("_own")[column].fillna("-").tolist()


def test_counts_are_the_same_and_come_back_as_pandas(events, other):
    wanted, found = split_into_sessions(events), split_into_sessions(other)
    periods = {"reviewed": (0, 10**10)}
    for count in (
        lambda table: count_funnel(table, ["event:v", "event:b"], by="segment.cohort"),
        lambda table: count_transitions(table, column="name"),
        lambda table: measure_sessions(table, periods=periods, by=["segment.cohort"]),
    ):
        pd.testing.assert_frame_equal(count(found), count(wanted))
    sessions = summarise_sessions(found).df().sort_values("session", ignore_index=True)
    pd.testing.assert_frame_equal(sessions, summarise_sessions(wanted), check_dtype=False)


def test_times_with_a_zone_without_one_and_in_microseconds_are_the_same(tmp_path):
    moments = pd.to_datetime(["2026-01-01 00:00", "2026-01-01 00:31"])
    plain = pd.DataFrame({"customer": "a", "occurred_at": moments, "name": "v"})
    forms = [
        plain,
        plain.assign(occurred_at=moments.tz_localize("UTC").tz_convert("Asia/Tokyo")),
        plain.assign(occurred_at=moments.as_unit("us").astype("int64")),
        plain.assign(occurred_at=moments.as_unit("ns")),
    ]
    summaries = [summarise_sessions(split_into_sessions(form)) for form in forms]
    assert summaries[0]["started_at"].tolist() == [1_767_225_600_000_000, 1_767_227_460_000_000]
    for summary in summaries[1:]:
        pd.testing.assert_frame_equal(summary, summaries[0])
    for number, form in enumerate(forms):
        form.to_parquet(tmp_path / f"{number}.parquet")
        summary = summarise_sessions(split_into_sessions(tmp_path / f"{number}.parquet")).df()
        assert sorted(summary["started_at"]) == summaries[0]["started_at"].tolist()


def test_the_callers_time_column_comes_back_as_it_was():
    moments = pd.to_datetime(["2026-01-01 00:00"]).tz_localize("Europe/Berlin")
    events = pd.DataFrame({"customer": "a", "occurred_at": moments, "name": "v"})
    assert split_into_sessions(events)["occurred_at"].dtype == events["occurred_at"].dtype


def test_text_times_in_a_relation_are_refused():
    relation = duckdb.sql("SELECT 'a' AS customer, '2026-01-01' AS occurred_at, 'v' AS name")
    with pytest.raises(TypeError, match="occurred_at must be int64 microseconds UTC"):
        split_into_sessions(relation)


def test_importing_the_room_opens_no_connection():
    code = "from journeylib.journey import engine; print(engine.connect_engine.cache_info().currsize)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
