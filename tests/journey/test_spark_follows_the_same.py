"""Spark, DuckDB and pandas in give the same times, baskets, reasons, selections and reconciliations.

One Spark session and one batch of events: ties, days without a time, missing customers and baskets, orders
without a basket, a segment with a dot in its name, shuffled rows.
"""

from __future__ import annotations

import os
import shutil

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from journeylib.journey.baskets import measure_baskets
from journeylib.journey.drop_off_reasons import find_drop_off_reasons
from journeylib.journey.lost_units import list_lost
from journeylib.journey.reconciliation import reconcile_purchases
from journeylib.journey.selections import PatternStep, keep_customers, select_journeys
from journeylib.journey.time_to_convert import measure_time_to_convert, trace_time_to_convert

pytestmark = pytest.mark.spark
SECOND = 1_000_000
DAY = 86_400 * SECOND
PERIODS = {"reviewed": (DAY, 2 * DAY), "previous": (0, DAY)}
STEPS = ["event:view", "event:cart", "event:buy"]


def make_batch() -> pd.DataFrame:
    """Make 240 events of 40 people over two days, in no order; some tied, some known by their day only."""
    rng = np.random.default_rng(12)
    rows = []
    for i in range(240):
        person = i % 40
        moment = i // 120 * DAY + (i * 7919 % 997 * 60) * SECOND
        name = str(rng.choice(["view", "cart", "buy", "ask"], p=[0.35, 0.25, 0.25, 0.15]))
        row = {
            "row": i,
            "customer": f"p{person:02}",
            "occurred_at": moment,
            "event_id": f"e{i * 31 % 240:03}",
        }
        row |= {"name": name, "precision": "second", "sequence": None, "touchpoint": name[:2]}
        row |= {"segment.cohort": ["x", "y", None][person % 3], "value": [None, 9.99, 3.3][i % 3]}
        row |= {"basket": None if name in ("view", "ask") or i % 4 == 0 else f"b{i % 80}"}
        if person == 3:
            row["occurred_at"] = moment // (7_200 * SECOND) * (7_200 * SECOND)
        if person in (5, 6):
            row |= {"precision": "day", "occurred_at": moment // DAY * DAY}
        if person in (8, 9):
            row["customer"] = None
        rows.append(row)
    batch = pd.DataFrame(rows).astype({"sequence": "Int64"})
    return batch.sample(frac=1, random_state=4).reset_index(drop=True)


@pytest.fixture(scope="module")
def tables():
    """Hold the same events as a pandas frame, a DuckDB relation of the caller's own, and on Spark."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java 17 or newer, and there is no java here")
    sql = pytest.importorskip("pyspark.sql")
    options = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "Asia/Tokyo",  # a zone that no number may depend on
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = sql.SparkSession.builder.master("local[2]").appName("journeylib-tests")
    for name, value in options.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    batch = make_batch()
    arrow = pa.Table.from_pandas(batch, preserve_index=False)
    spark = session.createDataFrame(arrow).repartition(2).persist()
    yield {"pandas": batch, "duckdb": duckdb.connect().from_arrow(arrow), "spark": spark}
    session.stop()


def check_same(tables, count) -> pd.DataFrame:
    found = {name: count(table) for name, table in tables.items()}
    pd.testing.assert_frame_equal(found["duckdb"], found["pandas"])
    pd.testing.assert_frame_equal(found["spark"], found["pandas"])
    return found["pandas"]


def test_times_to_convert_are_the_same(tables):
    by = ["segment.cohort"]
    curve = check_same(tables, lambda table: trace_time_to_convert(table, STEPS, within="30h", by=by))
    assert curve["converted"].sum() > 3
    options = {"periods": PERIODS, "within": "30h", "as_of": 9 * DAY}
    found = check_same(tables, lambda table: measure_time_to_convert(table, "shop", STEPS, **options))
    assert set(found["which"]) == {"reviewed", "previous"}


def test_baskets_are_the_same(tables):
    options = {"bought": "event:buy", "by": ["segment.cohort"], "as_of": 9 * DAY, "periods": PERIODS}
    found = check_same(tables, lambda table: measure_baskets(table, **options))
    assert found.loc[found["metric"] == "basket_abandonment", "value"].between(1, 99).any()
    started = check_same(tables, lambda table: measure_baskets(table, started="event:cart", **options))
    assert (started.loc[started["metric"] == "basket_value_lost", "value"] > 0).any()


def test_what_goes_with_dropping_off_is_the_same(tables):
    options = {"labels": ["segment.cohort"], "minimum_base": 3}
    found = check_same(tables, lambda table: find_drop_off_reasons(table, STEPS, **options))
    assert {"label", "met before"} == set(found["kind"])


def test_selections_and_journeys_are_the_same(tables):
    buy = PatternStep("event:buy", without=("event:ask",), within="8h")
    pattern = ["event:view", PatternStep("event:cart", times=1), buy]
    chosen = check_same(tables, lambda table: select_journeys(table, pattern, within="20h"))
    assert 0 < len(chosen) < 40
    check_same(tables, lambda table: list_lost(table, STEPS, step="event:buy", within="30h"))
    kept = keep_customers(tables["spark"], chosen).toArrow().to_pandas()
    wanted = keep_customers(tables["pandas"], chosen)
    assert sorted(kept["row"]) == sorted(wanted["row"])
    assert kept.columns.tolist() == wanted.columns.tolist()


def test_purchases_are_reconciled_the_same(tables):
    orders = pd.DataFrame({"customer": ["p02", "p07"], "ordered_at": [DAY, DAY], "revenue": [9.99, 3.3]})
    found = check_same(tables, lambda table: reconcile_purchases(table, orders, purchase="event:buy"))
    assert found["clicks"].sum() == (tables["pandas"]["name"] == "buy").sum()
