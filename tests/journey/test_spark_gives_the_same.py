"""Spark, DuckDB, pandas in, and a plain definition in Python give the same numbers.

One Spark session and one batch of events hold all variants: ties, given sessions, days without a time,
missing customers, a segment with a dot in its name, shuffled rows.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from journeylib.evidence.estimates import estimate
from journeylib.journey import (
    assign_touchpoints,
    count_funnel,
    count_transitions,
    count_unmapped,
    measure_sessions,
    split_into_sessions,
    summarise_sessions,
)

pytestmark = pytest.mark.spark
SECOND = 1_000_000
DAY = 86_400 * SECOND
STEPS = ["page", "event:cart", "stage:decision"]
PERIODS = {"reviewed": (DAY, 2 * DAY), "previous": (0, DAY)}
TOUCHPOINTS = pd.DataFrame(
    {
        "pattern": ["view*", "cart", "buy", ""],
        "touchpoint": ["page", "basket", "till", "poster"],
        "stage": ["consideration", "decision", "decision", "awareness"],
        "channel": ["", "web", "", "print"],
        "online": ["yes", "yes", "", "no"],
    }
)


def make_batch() -> pd.DataFrame:
    """Make 120 events of 12 people, each kind of person a variant, in no order."""
    rows = []
    for i in range(120):
        person = i % 12
        moment = i // 60 * DAY + (50_000 + i * 7919 % 11 * 700) * SECOND
        row = {"row": i, "customer": f"p{person}", "occurred_at": moment, "event_id": f"e{i * 31 % 120:03d}"}
        row |= {"name": ["view_1", "cart", "buy", "view_2", "ping"][i * 13 % 5], "precision": "second"}
        row |= {"sequence": i % 3 or None, "channel": "app", "segment.cohort": ["x", "y", None][person % 3]}
        if person == 3:  # ties in time and sequence, settled by the event's id
            row |= {"occurred_at": moment // (2_000 * SECOND) * (2_000 * SECOND), "sequence": None}
        if person in (4, 5):
            row["session_given"] = f"s{i % 4}"
        if person == 6:  # known by the day only
            row |= {"precision": "day", "occurred_at": moment // DAY * DAY, "sequence": None}
        if person in (7, 8):
            row |= {"customer": None, "device_id": f"d{person}"}
        if person == 9:
            row["customer"] = None
        rows.append(row)
    batch = pd.DataFrame(rows).astype({"sequence": "Int64"})
    return batch.sample(frac=1, random_state=4).reset_index(drop=True)


def split_plainly(batch: pd.DataFrame) -> dict[int, tuple[int, int]]:
    """Give each row (row of the session's first event, position), by loops."""
    found, last = {}, {}
    key = ["occurred_at", "sequence", "event_id", "name"]
    for row in batch.sort_values(key, na_position="last").to_dict("records"):
        given = row["session_given"] if pd.notna(row["session_given"]) else None
        person = next(
            (f"{kind}{row[kind]}" for kind in ("customer", "device_id") if pd.notna(row[kind])), None
        )
        day = row["occurred_at"] if row["precision"] == "day" and given is None else None
        unit = (person, given, day) if person or given else ("alone", row["row"], None)
        before = last.get(unit)
        is_new = before is None or (not given and row["occurred_at"] - before[2] > 1800 * SECOND)
        first, place = (row["row"], 1) if is_new else (before[0], before[1] + 1)
        last[unit] = (first, place, row["occurred_at"])
        found[row["row"]] = (first, place)
    return found


@pytest.fixture(scope="module")
def spark():
    pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed (extra `spark`)")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("no Java on this machine, which Spark needs")
    options = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "4",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "Asia/Tokyo",  # a zone that no number may depend on
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.ui.showConsoleProgress": "false",
        "spark.default.parallelism": "2",
    }
    builder = pyspark.sql.SparkSession.builder.master("local[2]").appName("journeylib-tests")
    for name, value in options.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def tables(spark):
    """Hold the same events after sessions: from pandas, on DuckDB, and on Spark."""
    batch = make_batch()
    arrow = pa.Table.from_pandas(batch, preserve_index=False)
    sources = {"pandas": batch, "duckdb": duckdb.from_arrow(arrow), "spark": spark.createDataFrame(arrow)}
    made = {
        name: split_into_sessions(assign_touchpoints(table, TOUCHPOINTS)) for name, table in sources.items()
    }
    made["spark"] = made["spark"].repartition(2).persist()
    return made


def read_rows(table: object, key: str) -> pd.DataFrame:
    if isinstance(table, duckdb.DuckDBPyRelation):
        table = table.to_arrow_table().to_pandas()
    elif not isinstance(table, pd.DataFrame):
        table = table.toArrow().to_pandas()
    plain = table.astype(object).where(table.notna(), None)
    return plain.sort_values(key, ignore_index=True)


def check_same(tables: dict, count) -> pd.DataFrame:
    found = {name: count(table) for name, table in tables.items()}
    pd.testing.assert_frame_equal(found["duckdb"], found["pandas"])
    pd.testing.assert_frame_equal(found["spark"], found["pandas"])
    return found["pandas"]


def test_sessions_and_touchpoints_are_the_same_and_as_plainly_defined(tables):
    found = {name: read_rows(table, "row") for name, table in tables.items()}
    columns = ["row", "session", "position", "person_position", "touchpoint", "stage", "channel", "online"]
    columns += ["segment.cohort"]
    for name in ("duckdb", "spark"):
        assert found[name][columns].values.tolist() == found["pandas"][columns].values.tolist(), name
    plain = split_plainly(make_batch())
    firsts = found["pandas"].sort_values("position").groupby("session")["row"].first()
    split = {
        row["row"]: (firsts[row["session"]], row["position"]) for row in found["pandas"].to_dict("records")
    }
    assert split == plain


def test_summaries_of_sessions_are_the_same(tables):
    found = {name: read_rows(summarise_sessions(table), "session") for name, table in tables.items()}
    assert found["duckdb"].values.tolist() == found["pandas"].values.tolist()
    assert found["spark"].values.tolist() == found["pandas"].values.tolist()
    assert found["spark"].columns.tolist() == found["pandas"].columns.tolist()
    assert len(found["pandas"]) == len({first for first, _ in split_plainly(make_batch()).values()})


def test_ordered_funnels_are_the_same_and_equal_a_plain_greedy_count(tables):
    def count(table):
        return count_funnel(table, STEPS, unit="sessions", periods=PERIODS, by="segment.cohort")

    found = check_same(tables, count)
    events = tables["pandas"].sort_values("position")
    reached = [0, 0, 0]
    for _, session in events[events["precision"] == "second"].groupby("session"):
        step = 0
        for event in session.itertuples():
            if step == 0 and not DAY <= event.occurred_at < 2 * DAY:
                continue
            served = [event.touchpoint == "page", event.name == "cart", event.stage == "decision"]
            if step < 3 and served[step]:
                reached[step] += 1
                step += 1
    by_day = events[(events["precision"] == "day") & (events["occurred_at"] == DAY)]
    reached[0] += by_day.loc[by_day["touchpoint"] == "page", "session"].nunique()
    total = found[(found["which"] == "reviewed") & (found["segment"] == "")]
    assert total["n"].tolist() == reached
    assert reached[1] > 0


@pytest.mark.parametrize("order", ["strict", "any"])
def test_strict_and_any_funnels_on_people_with_a_window_are_the_same(tables, order):
    check_same(tables, lambda table: count_funnel(table, STEPS[:2], order=order, within="12h"))


def test_transitions_are_the_same_and_equal_a_plain_count(tables):
    found = check_same(tables, count_transitions)
    plain: Counter[tuple[str, str]] = Counter()
    for _, session in tables["pandas"].sort_values("position").groupby("session"):
        if (session["precision"] == "day").sum() > 1:
            continue
        states = ["(start)", *session["touchpoint"].fillna("(unmapped)"), "(end)"]
        plain.update(zip(states, states[1:], strict=False))
    pairs = zip(found["from"], found["to"], strict=True)
    assert dict(zip(pairs, found["n"], strict=True)) == dict(plain)


def test_measures_are_the_same_and_equal_a_plain_estimate(tables):
    found = check_same(tables, lambda table: measure_sessions(table, periods=PERIODS, by=["segment.cohort"]))
    sessions = summarise_sessions(tables["pandas"])
    events = tables["pandas"].drop_duplicates("session").set_index("session")
    people = events["customer"].fillna(events["device_id"])
    here = sessions[sessions["started_at"].between(DAY, 2 * DAY - 1)].set_index("session")
    wanted = estimate("share", here["n_events"] == 1, people=people[here.index].where(people.notna(), None))
    keys = (found["metric"] == "bounce_rate") & (found["which"] == "reviewed") & (found["segment"] == "")
    row = found[keys].squeeze()
    assert [row["value"], row["low"], row["n"]] == pytest.approx(
        [wanted["value"], wanted["low"], wanted["n"]]
    )


def test_unmapped_names_are_the_same(tables):
    found = check_same(tables, count_unmapped)
    assert found["name"].tolist() == ["ping"]
    assert found["n"].tolist() == [(make_batch()["name"] == "ping").sum()]
