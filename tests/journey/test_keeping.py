"""Sessions that are kept: the same as split, whatever the events hold, and the same counts from them."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

from journeylib.data.problems import ArgumentError
from journeylib.journey import (
    count_funnel,
    count_transitions,
    keeping,
    split_into_sessions,
    summarise_sessions,
)
from journeylib.journey.customer_summaries import summarise_customers
from journeylib.journey.keeping import keep_sessions
from journeylib.journey.labels import read_labels
from journeylib.journey.paths import count_paths
from journeylib.journey.step_matrix import count_steps

NUMBERS = ["session", "position", "person_position"]
MINUTE = 60_000_000


@pytest.fixture(scope="module")
def clicks() -> pd.DataFrame:
    """3,000 events of 200 customers, with ties in time, gaps of exactly 30 minutes and names that lack."""
    rng = np.random.default_rng(5)
    names = rng.choice(["view", "Cart", "buy", "", "ärger"], 3_000)
    moments = rng.integers(0, 400, 3_000) * 15 * MINUTE
    frame = pd.DataFrame({"customer": rng.integers(0, 200, 3_000), "occurred_at": moments, "name": names})
    frame["name"] = frame["name"].astype("str").mask(rng.random(3_000) < 0.05)
    frame["channel"] = rng.choice(["web", "app"], 3_000)
    frame = frame.drop_duplicates(["customer", "occurred_at", "name"], ignore_index=True)
    return frame.assign(value=np.arange(float(len(frame))))


def read_kept(folder) -> pd.DataFrame:
    order = ["value"]
    found = duckdb.sql(f"SELECT * FROM '{folder}/*.parquet'").df().sort_values(order, ignore_index=True)
    labels = read_labels(folder)
    for column in labels:
        found[column] = found[column].map(dict(enumerate(labels[column])))
    return found


@pytest.mark.parametrize("batch", [1, 2, 7, 10_000])
def test_kept_sessions_are_those_of_a_split_in_batches_of_any_size(clicks, tmp_path, monkeypatch, batch):
    some = clicks.head(300)
    monkeypatch.setattr(keeping, "_BATCH", batch)
    found = read_kept(keep_sessions(some, tmp_path / "kept"))
    expected = split_into_sessions(some)
    assert found[NUMBERS].astype("int64").equals(expected[NUMBERS].astype("int64"))
    assert found["name"].fillna("-").tolist() == expected["name"].fillna("-").tolist()


def test_what_came_before_is_what_a_plain_loop_finds(clicks, tmp_path):
    found = read_kept(keep_sessions(clicks, tmp_path / "kept"))
    names = read_labels(tmp_path / "kept")["name"]
    ordered = found.sort_values(["customer", "person_position"], ignore_index=True)
    for back in (1, 2):
        codes = ordered[f"_before_{back}_name"].map(dict(enumerate(names)))
        expected = ordered.groupby("session")["name"].shift(back)
        assert codes.fillna("-").tolist() == expected.fillna("-").tolist()
    gaps = ordered.groupby("customer")["occurred_at"].diff().fillna(0).astype("int64")
    assert ordered["_before_gap"].tolist() == gaps.tolist()


@pytest.mark.parametrize("kind", ["given", "day", "nobody", "text"])
def test_other_events_are_kept_as_they_are_split(clicks, tmp_path, kind):
    events = clicks.head(400).copy()
    if kind == "given":
        events["session_given"] = events["value"].mod(7).map(lambda rest: f"s{rest}" if rest else None)
    if kind == "day":
        events["precision"] = np.where(events["value"] % 3 == 0, "day", "second")
    if kind == "nobody":
        events["customer"] = events["customer"].astype("Int64").mask(events["value"] % 5 == 0)
    if kind == "text":
        events["customer"] = "c" + events["customer"].astype(str)
    found = read_kept(keep_sessions(events, tmp_path / "kept"))
    expected = split_into_sessions(events)
    for number in NUMBERS:
        kept = found[number].fillna(-1).astype("int64").tolist()
        assert kept == expected[number].astype("Int64").fillna(-1).astype("int64").tolist()


def test_counts_from_kept_sessions_are_those_from_split_ones(clicks, tmp_path):
    kept, split = keep_sessions(clicks, tmp_path / "kept"), split_into_sessions(clicks)
    steps = ["event:view", "event:Cart", "event:view"]
    for count in (
        lambda events: count_transitions(events, column="name"),
        lambda events: count_transitions(events, column="channel", periods={"reviewed": (0, 10**9)}),
        lambda events: count_paths(events, column="name", length=2, most=None),
        lambda events: count_paths(events, column="name", length=3, most=None),
        lambda events: count_paths(events, column="name", length=4, most=None),
        lambda events: count_funnel(events, steps, within="1D", by="channel"),
        lambda events: count_funnel(events, steps, unit="sessions", order="strict"),
        lambda events: count_steps(events, column="name", unit="people", collapse=True),
        lambda events: count_steps(events, column="name"),
    ):
        pd.testing.assert_frame_equal(count(kept), count(split))
    found = summarise_sessions(kept).df().sort_values("session", ignore_index=True)
    expected = summarise_sessions(split)
    assert found[["session", "n_events"]].equals(expected[["session", "n_events"]])


def test_paths_are_those_of_a_plain_loop(clicks):
    split = split_into_sessions(clicks)
    ordered = split.assign(name=split["name"].fillna("").replace("", "(unmapped)"))
    seen: dict[tuple[str, ...], int] = {}
    for _, names in ordered.sort_values("position").groupby("session")["name"]:
        listed = names.tolist()
        for run in zip(listed, listed[1:], listed[2:], strict=False):
            seen[run] = seen.get(run, 0) + 1
    found = count_paths(split, column="name", most=None)
    steps = found[["step_1", "step_2", "step_3"]].itertuples(index=False, name=None)
    assert dict(zip(steps, found["n"], strict=True)) == seen
    assert found["share"].sum() == pytest.approx(100)
    assert found["n"].is_monotonic_decreasing


def test_a_run_needs_two_steps(clicks):
    with pytest.raises(ValueError, match="length must be 2 or more"):
        count_paths(split_into_sessions(clicks), column="name", length=1)


@pytest.mark.parametrize("is_kept", [True, False])
def test_customers_are_summarised_as_pandas_does(clicks, tmp_path, is_kept):
    events = keep_sessions(clicks, tmp_path / "kept") if is_kept else split_into_sessions(clicks)
    found = summarise_customers(
        events,
        counts={
            "bought": ("name", ["buy"]),
            "looked": ("name", ["view", "Cart"]),
            "web": ("channel", ["web"]),
        },
        distinct=["name", "channel"],
        totals=["value"],
        first=["channel"],
    )
    found = found.df().sort_values("customer", ignore_index=True) if is_kept else found
    found = found.set_index("customer")
    split = split_into_sessions(clicks).sort_values(["customer", "person_position"])
    people = split.groupby("customer")
    sessions = split.groupby(["customer", "session"])["occurred_at"].agg(["size", "min", "max"])
    length = (sessions["max"] - sessions["min"]) / 1e6
    inner = people["occurred_at"].diff().where(split["position"] > 1) / 1e6
    days = split["occurred_at"] // 86_400_000_000
    weekday = pd.to_datetime(split["occurred_at"], unit="us").dt.day_of_week
    expected = {
        "n_events": people.size(),
        "n_sessions": people["session"].nunique(),
        "bounces": (sessions["size"] == 1).groupby("customer").sum(),
        "longest_session_events": sessions["size"].groupby("customer").max(),
        "active_days": days.groupby(split["customer"]).nunique(),
        "weekend_events": (weekday >= 5).groupby(split["customer"]).sum(),
        "mean_gap_seconds": inner.groupby(split["customer"]).mean().fillna(0),
        "mean_session_seconds": length.groupby("customer").mean(),
        "bought": (split["name"] == "buy").groupby(split["customer"]).sum(),
        "looked": split["name"].isin(["view", "Cart"]).groupby(split["customer"]).sum(),
        "web": (split["channel"] == "web").groupby(split["customer"]).sum(),
        "n_name": people["name"].nunique(),
        "n_channel": people["channel"].nunique(),
        "total_value": people["value"].sum(),
        "span_seconds": (people["occurred_at"].max() - people["occurred_at"].min()) / 1e6,
    }
    for name, values in expected.items():
        assert np.allclose(found[name].astype(float), values.astype(float)), name
    assert found["first_channel"].tolist() == people["channel"].first().tolist()


def test_more_labels_than_a_number_has_bits_are_counted_all_the_same(tmp_path):
    names = [f"page_{number:03d}" for number in range(150)]
    events = pd.DataFrame({"customer": "a", "occurred_at": range(150), "name": names})
    events = pd.concat([events, events.head(90).assign(customer="b")], ignore_index=True)
    kept = keep_sessions(events, tmp_path / "kept")
    counts = {"few": ("name", names[:3]), "many": ("name", names[60:100]), "none": ("name", [])}
    found = summarise_customers(kept, counts=counts, distinct=["name"]).df().sort_values("customer")
    assert found[["n_name", "few", "many", "none"]].values.tolist() == [[150, 3, 40, 0], [90, 3, 30, 0]]


def test_features_beyond_memory_go_to_a_file(clicks, tmp_path):
    split = split_into_sessions(clicks)
    path = summarise_customers(split, path=tmp_path / "features.parquet")
    found = pd.read_parquet(path).sort_values("customer", ignore_index=True)
    pd.testing.assert_frame_equal(found, summarise_customers(split), check_dtype=False)


def test_an_empty_table_and_a_single_row_are_kept(tmp_path):
    events = pd.DataFrame({"customer": ["a"], "occurred_at": [5], "name": ["view"]})
    one = keep_sessions(events, tmp_path / "one")
    assert summarise_customers(one).df()[["n_events", "bounces"]].values.tolist() == [[1, 1]]
    none = keep_sessions(events.head(0), tmp_path / "none")
    assert len(count_transitions(none, column="name")) == 0


def test_a_folder_of_something_else_is_not_touched(clicks, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ArgumentError, match="something else than kept sessions"):
        keep_sessions(clicks, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_count_of_a_label_that_is_not_there_says_which_is_near(clicks):
    with pytest.raises(ArgumentError, match="did you mean view"):
        summarise_customers(split_into_sessions(clicks), counts={"views": ("name", ["vieww"])})
