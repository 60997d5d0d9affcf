"""Every function of the journey room, and a review, give the same on pandas, Parquet, DuckDB and Spark.

How each is called, and a plain second definition of each, stand in engine_cases.py. There is one Spark for
the whole file, and one batch of events holds all variants but the empty and the one-row table.
"""

from __future__ import annotations

import importlib.util
import inspect
import pkgutil
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from journeylib import journey
from journeylib.data import make_sample
from journeylib.data.people import find_key
from journeylib.data.project import read_project
from journeylib.journey.spark import explain_missing_spark, share_spark
from journeylib.review.findings import KEY, read_recorded
from journeylib.review.opening import open_review
from journeylib.review.preparation import prepare_review
from journeylib.review.reconciling import reconcile_sources

ROOT = Path(__file__).resolve().parents[2]
PERIOD = "2026Q3"


def load_cases() -> ModuleType:
    spec = importlib.util.spec_from_file_location("engine_cases", Path(__file__).parent / "engine_cases.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cases = load_cases()
SIZES = ("batch", "empty", "one row")
# What opens and hands back tables for all others, and is tested through them.
BOUNDARY = {"frames.open_events", "frames.return_rows", "labels.read_labels"}


def list_functions() -> set[str]:
    """List the functions in `__all__` of the room's modules whose first argument is `events`."""
    found = set()
    for module in pkgutil.iter_modules(journey.__path__):
        loaded = importlib.import_module(f"journeylib.journey.{module.name}")
        for name in getattr(loaded, "__all__", []):
            function = getattr(loaded, name)
            if inspect.isfunction(function) and "events" in inspect.signature(function).parameters:
                found.add(f"{module.name}.{name}")
    return found


NAMES = sorted(cases.CASES)


def test_each_function_that_takes_events_has_a_case_here() -> None:
    assert list_functions() - BOUNDARY == set(cases.CASES)


def cut(events: pd.DataFrame, size: str) -> pd.DataFrame:
    return {"batch": events, "empty": events.iloc[:0], "one row": events.sort_values("row").iloc[:1]}[size]


@pytest.fixture(scope="session")
def frames() -> dict[tuple[str, bool], pd.DataFrame]:
    """Hold the events as pandas frames, by size, before (True) and after they are split into sessions."""
    batch = cases.make_batch()
    split = cases.split(batch)
    return {(size, raw): cut(batch if raw else split, size) for size in SIZES for raw in (True, False)}


def make_arrow(frame: pd.DataFrame) -> pa.Table:
    """Give columns types that an empty table has too."""
    texts = {name: pa.string() for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name])}
    schema = pa.schema(
        [
            (name, texts.get(name) or (pa.float64() if name == "value" else pa.int64()))
            for name in frame.columns
        ]
    )
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


def read_plainly(table: Any) -> pd.DataFrame:
    """Bring a result to pandas; a row an event or a session has no order of its own."""
    if isinstance(table, duckdb.DuckDBPyRelation):
        table = table.to_arrow_table().to_pandas()
    elif hasattr(table, "toArrow"):
        table = table.toArrow().to_pandas()
    keys = [name for name in ("row", "session", "customer") if name in table.columns]
    key = [name for name in keys if table[name].is_unique]
    table = table.sort_values(key[0], ignore_index=True) if key else table.reset_index(drop=True)
    return table.astype(object).where(table.notna(), None)


def answer(call: Callable[[Any], Any], table: Any) -> pd.DataFrame | str:
    """Return what a function gives, or what it says against the table."""
    try:
        return read_plainly(call(table))
    except (ValueError, TypeError) as error:
        return f"{type(error).__name__}: {error}"


def check_same(found: pd.DataFrame | str, wanted: pd.DataFrame | str) -> None:
    if isinstance(wanted, str) or isinstance(found, str):
        assert isinstance(found, type(wanted)), (found, wanted)
        assert found == wanted
        return
    assert found.columns.tolist() == wanted.columns.tolist()
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False, rtol=1e-12, atol=0)


@pytest.fixture(scope="session")
def answers(frames: dict[tuple[str, bool], pd.DataFrame]) -> Callable[[str, str], list[pd.DataFrame | str]]:
    """Answer from pandas, once a function and size."""
    known: dict[tuple[str, str], list[pd.DataFrame | str]] = {}

    def give(name: str, size: str) -> list[pd.DataFrame | str]:
        one = cases.CASES[name]
        if (name, size) not in known:
            known[name, size] = [answer(call, frames[size, one.raw]) for call in one.calls]
        return known[name, size]

    return give


@pytest.mark.parametrize("name", NAMES)
def test_the_function_equals_its_plain_definition(name: str, frames: Any) -> None:
    one = cases.CASES[name]
    events = frames["batch", one.raw]
    timed = events[events["precision"] == "second"].reset_index(drop=True)
    found = [call(timed) for call in one.calls]
    one.check(timed, [table if isinstance(table, pd.DataFrame) else read_plainly(table) for table in found])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_parquet_and_duckdb_give_what_pandas_gives(
    name: str, size: str, frames: Any, answers: Any, tmp_path: Path
) -> None:
    one = cases.CASES[name]
    arrow = make_arrow(frames[size, one.raw])
    pa.parquet.write_table(arrow, tmp_path / "events.parquet", row_group_size=50)
    for table in (tmp_path / "events.parquet", duckdb.connect().from_arrow(arrow)):
        for call, wanted in zip(one.calls, answers(name, size), strict=True):
            check_same(answer(call, table), wanted)


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """Hold the one Spark of this file, as a review starts it, with settings that no number may depend on."""
    pytest.importorskip("pyspark", reason="pyspark is not installed (extra `spark`)")
    if missing := explain_missing_spark("local[2]"):
        pytest.skip(missing)
    settings = {
        "spark.sql.session.timeZone": "Asia/Tokyo",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",  # the tables are small, and compiling takes most of the time
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    }
    with pytest.MonkeyPatch.context() as patch:
        # Thousands of tiny queries: the thorough one of Java's compilers takes more time than it saves.
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseParallelGC")
        with share_spark("local[2]", memory_limit="2GB") as session:
            for name, value in settings.items():
                session.conf.set(name, value)
            yield session


@pytest.fixture(scope="module")
def on_spark(spark: Any, frames: Any) -> dict[tuple[str, bool], Any]:
    """Hold the events on Spark; the batch in two parts, cut at random."""
    made = {key: spark.createDataFrame(make_arrow(frame)) for key, frame in frames.items()}
    for raw in (True, False):
        made["batch", raw] = made["batch", raw].repartition(2).persist()
        for size in ("empty", "one row"):
            made[size, raw] = made[size, raw].coalesce(1).persist()
    return made


@pytest.mark.spark
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_spark_gives_what_pandas_gives(name: str, size: str, on_spark: Any, answers: Any) -> None:
    one = cases.CASES[name]
    calls = list(zip(one.calls, answers(name, size), strict=True))
    for call, wanted in calls if size == "batch" else calls[:1]:
        check_same(answer(call, on_spark[size, one.raw]), wanted)


# ---- a review -------------------------------------------------------------------------------------------

CHAPTERS = ("journey_map", "who_they_are", "where_customers_leave")  # some of those that read events
# The functions of the third are tested one by one above; on Spark as a chapter it takes more than a minute.
ON_SPARK = CHAPTERS[:2]


def record_chapters(folder: Path, work: Path, chapters: tuple[str, ...] = CHAPTERS) -> pd.DataFrame:
    """Run the chapters that read events, in this process, and return what they record."""
    spec = importlib.util.spec_from_file_location("simulate", ROOT / "scripts" / "simulate.py")
    assert spec and spec.loader
    simulation = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(simulation)
    given = {"tables": str(folder), "period": PERIOD, "record_to": str(work)}
    for name in chapters:
        simulation.run_cells(ROOT / "notebooks" / "review" / f"{name}.ipynb", given)
    recorded = read_recorded(work)
    return recorded.sort_values([*KEY, "which"], ignore_index=True)


def prepare(folder: Path, work: Path) -> Path:
    project = read_project(folder)
    return prepare_review(project, work / "trusted", key=find_key(folder)[0], period=PERIOD).folder


def check_findings(found: pd.DataFrame, wanted: pd.DataFrame, *, least: int = 500) -> None:
    assert len(wanted) >= least
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-9, atol=1e-9)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample(tmp_path_factory.mktemp("made") / "sample", customers=200)


@pytest.fixture(scope="module")
def trusted(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(sample, tmp_path_factory.mktemp("duckdb"))


@pytest.fixture(scope="module")
def findings(trusted: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return record_chapters(trusted, tmp_path_factory.mktemp("recorded"))


def test_shuffled_and_repartitioned_events_give_the_same_findings(
    trusted: Path, findings: pd.DataFrame, tmp_path: Path
) -> None:
    shutil.copytree(trusted, tmp_path / "trusted")
    whole = tmp_path / "trusted" / "events.parquet"
    events = pa.parquet.read_table(whole)
    whole.unlink()
    parts = tmp_path / "parts"
    parts.mkdir()
    order = np.random.default_rng(8).permutation(len(events))
    for number, rows in enumerate(np.array_split(order, [7, 7, len(order) // 5, len(order) // 2])):
        pa.parquet.write_table(
            events.take(pa.array(rows)), parts / f"{number}.parquet", row_group_size=1 + 500 * number
        )
    split = cases.sessions.split_into_sessions(parts / "*.parquet")  # sessions anew, of the shuffled events
    whole.mkdir()
    again = split.to_arrow_table()
    order = np.random.default_rng(9).permutation(len(again))
    for number, rows in enumerate(np.array_split(order, 3)):
        pa.parquet.write_table(again.take(pa.array(rows)), whole / f"{number}.parquet", row_group_size=900)
    check_findings(record_chapters(tmp_path / "trusted", tmp_path / "recorded"), findings)


@pytest.mark.spark
def test_a_review_on_spark_gives_the_findings_of_duckdb(
    spark: Any, sample: Path, trusted: Path, findings: pd.DataFrame, tmp_path: Path
) -> None:
    shutil.copytree(sample, tmp_path / "sample")
    with (tmp_path / "sample" / "journey.toml").open("a", encoding="utf-8") as settings:
        settings.write('\n[engine]\nname = "spark"\nmaster = "local[2]"\n')
    folder = prepare(tmp_path / "sample", tmp_path)
    assert (folder / "events.parquet").is_dir(), "the sessions were not written by Spark"
    wanted = findings[findings["chapter"].isin(ON_SPARK)].reset_index(drop=True)
    check_findings(record_chapters(folder, tmp_path / "recorded", ON_SPARK), wanted, least=60)
    told = [reconcile_sources(open_review(place)) for place in (folder, trusted)]
    assert len(told[1]) > 0
    pd.testing.assert_frame_equal(*told)


@pytest.mark.spark
def test_another_process_shares_the_spark_of_the_run(spark: Any) -> None:
    code = "from journeylib.journey import spark; print(spark.connect_spark().sparkContext.applicationId)"
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=120
    )
    assert ran.stdout.strip() == spark.sparkContext.applicationId, ran.stderr[-500:]
