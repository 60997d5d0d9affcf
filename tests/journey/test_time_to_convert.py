"""Time to convert: a Kaplan-Meier curve by hand, open windows, excess time above a target."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from journeylib.evidence.survival import estimate_survival
from journeylib.journey import count_funnel
from journeylib.journey.step_times import read_step_times
from journeylib.journey.time_to_convert import measure_time_to_convert, trace_time_to_convert
from journeylib.review.metrics import METRICS

SECOND = 1_000_000
MINUTE = 60 * SECOND
STEPS = ["event:view", "event:cart", "event:buy"]


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    size = 900
    return pd.DataFrame(
        {
            "customer": [f"c{i}" for i in rng.integers(0, 120, size)],
            "occurred_at": rng.integers(0, 500, size) * MINUTE,
            "name": rng.choice(["view", "cart", "buy", "ping"], size, p=[0.4, 0.2, 0.1, 0.3]),
            "device": rng.choice(["x", "y"], size),
        }
    )


def follow_plainly(events: pd.DataFrame, names: list[str], within: int) -> dict[str, list[int]]:
    """Give the times of each person's steps: the earliest event that is strictly later in the order."""
    found = {}
    for customer, lines in events.sort_values(["occurred_at", "name"], kind="stable").groupby("customer"):
        times: list[int] = []
        for at, name in zip(lines["occurred_at"], lines["name"], strict=True):
            in_time = not times or at <= times[0] + within
            if len(times) < len(names) and name == names[len(times)] and in_time:
                times.append(at)
        if times:
            found[customer] = times
    return found


def test_step_times_are_those_of_a_plain_definition_and_of_the_funnel(many):
    within = pd.Timedelta("90min")
    found = read_step_times(many, STEPS, within=within, as_of=10_000 * MINUTE)
    plain = follow_plainly(many, ["view", "cart", "buy"], 90 * MINUTE)
    times = found.set_index("unit")[["time_1", "time_2", "time_3"]]
    assert {unit: list(row.dropna()) for unit, row in times.iterrows()} == plain
    funnel = count_funnel(many, STEPS, within=within, as_of=10_000 * MINUTE)
    assert [(found["reached"] >= k).sum() for k in (1, 2, 3)] == funnel["n"].tolist()


def test_the_curve_is_kaplan_meier_of_the_times(many):
    found = trace_time_to_convert(many, STEPS, within="90min", as_of=400 * MINUTE)
    plain = follow_plainly(many[many["occurred_at"] <= 400 * MINUTE], ["view", "cart", "buy"], 90 * MINUTE)
    ends = [(t[2] - t[0] if len(t) == 3 else min(90 * MINUTE, 400 * MINUTE - t[0])) for t in plain.values()]
    wanted = estimate_survival(np.array(ends) / MINUTE, [len(t) == 3 for t in plain.values()])
    assert found["minutes"].tolist() == wanted["time"].tolist()
    assert found["share"].tolist() == pytest.approx((100 * (1 - wanted["lasting"])).tolist())
    assert found["low"].dropna().tolist() == pytest.approx((100 * (1 - wanted["high"])).dropna().tolist())
    assert found["converted"].sum() == sum(len(t) == 3 for t in plain.values())


def test_open_windows_are_censored_and_not_lost(make_events):
    events = make_events("a 0 view\na 60 buy\nb 0 view\nc 500 view\nc 520 ping")
    found = trace_time_to_convert(events, ["event:view", "event:buy"], within="100s")
    assert found[["minutes", "converted", "censored"]].round(3).values.tolist() == [
        [0.333, 0, 1],
        [1.0, 1, 0],
        [1.667, 0, 1],
    ]
    assert found["share"].tolist() == [0, 50, 50], "c is left before a converts"


def test_a_conversion_at_the_end_of_the_window_counts_and_a_second_later_does_not(make_events):
    events = make_events("a 0 view\na 100 buy\nb 0 view\nb 101 buy\nz 999 ping")
    found = trace_time_to_convert(events, ["event:view", "event:buy"], within="100s")
    assert found["converted"].sum() == 1
    assert found["share"].max() == 50


def test_excess_is_the_mean_above_the_target_and_never_below_nothing(make_events):
    text = "a 0 view\na 60 buy\nb 0 view\nb 180 buy\nc 0 view\nc 600 buy\nd 0 view"
    options = {"periods": {"reviewed": (0, 3600 * SECOND)}}
    declared = measure_time_to_convert(
        make_events(text), "shop", ["event:view", "event:buy"], targets={"event:buy": 2}, **options
    )
    row = declared[declared["metric"] == "excess_minutes"].squeeze()
    assert (row["item"], row["n"]) == ("shop/event:buy", 3)
    assert row["value"] == pytest.approx((0 + 1 + 8) / 3)
    assert 0 <= row["low"] <= row["value"] <= row["high"] <= 8
    assert row["note"] == "above the target of 2 minutes"
    found = measure_time_to_convert(make_events(text), "shop", ["event:view", "event:buy"], **options)
    row = found[found["metric"] == "excess_minutes"].squeeze()
    assert row["value"] == pytest.approx(7 / 3), "above 3 minutes, the converters' median"
    assert "3.0 minutes, the median of those who converted" in row["note"]
    assert found[found["metric"] == "minutes_to_convert"]["value"].item() == 6.5, (
        "flat at a half from 3 to 10"
    )
    assert set(found["metric"]) <= set(METRICS)


def test_one_target_serves_both_periods_and_overlapping_periods_are_counted_each(make_events):
    text = "a 0 view\na 60 buy\nb 1000 view\nb 1600 buy\nc 1000 view\nc 1300 buy"
    periods = {"reviewed": (0, 500 * SECOND), "previous": (500 * SECOND, 9999 * SECOND)}
    periods["year_ago"] = periods["previous"]
    found = measure_time_to_convert(make_events(text), "shop", ["event:view", "event:buy"], periods=periods)
    excess = found[found["metric"] == "excess_minutes"].set_index("which")
    assert excess["value"].to_dict() == {"reviewed": 0, "previous": 6.5, "year_ago": 6.5}
    assert excess["n"].tolist() == [1, 2, 2]
    assert excess.loc["previous", "covariance"] == 0


def test_segments_hold_each_unit_once(many):
    periods = {"reviewed": (0, 9999 * MINUTE)}
    found = measure_time_to_convert(many, "shop", STEPS, periods=periods, within="90min", by="device")
    excess = found[(found["metric"] == "excess_minutes") & (found["item"] == "shop/event:cart")]
    counts = excess.set_index("segment")["n"]
    assert counts["device=x"] + counts["device=y"] == counts[""]
    curves = trace_time_to_convert(many, STEPS, within="90min", by="device")
    sizes = curves.groupby("segment")["at_risk"].max()
    assert sizes["device=x"] + sizes["device=y"] == sizes[""]


def test_shuffled_rows_and_every_way_in_give_the_same(many, tmp_path):
    wanted = trace_time_to_convert(many, STEPS, within="90min")
    many.to_parquet(tmp_path / "events.parquet")
    relation = duckdb.from_arrow(pa.Table.from_pandas(many))
    for events in (many.sample(frac=1, random_state=1), tmp_path / "events.parquet", relation):
        pd.testing.assert_frame_equal(trace_time_to_convert(events, STEPS, within="90min"), wanted)


def test_several_sessions_of_a_person_widen_the_band(make_events):
    lines = [f"{who} {10 * i} view" for i in range(20) for who in "abcd"]
    lines += [f"{who} {10 * i + 5} buy" for i in range(20) for who in "ab"]
    events = make_events("\n".join(lines))
    events = events.assign(session=events["customer"] + (events["occurred_at"] // (10 * SECOND)).astype(str))
    events = events.assign(position=events.groupby("session")["occurred_at"].rank().astype(int))
    steps = ["event:view", "event:buy"]
    alone = events.assign(customer=None)
    bands = [trace_time_to_convert(table, steps, unit="sessions").iloc[0] for table in (events, alone)]
    assert bands[0]["share"] == bands[1]["share"]
    assert bands[0]["high"] - bands[0]["low"] > 2 * (bands[1]["high"] - bands[1]["low"])


def test_empty_one_row_and_nameless_events_are_measured(make_events):
    one, steps, periods = (
        make_events("a 0 view\nb 1 ping"),
        ["event:view", "event:ping"],
        {"reviewed": (0, 9)},
    )
    assert trace_time_to_convert(one, steps)["converted"].sum() == 0
    assert trace_time_to_convert(one.iloc[:0], steps).empty
    assert measure_time_to_convert(one.iloc[:0], "shop", steps, periods=periods).empty
    nameless = one.assign(customer=None)
    assert measure_time_to_convert(nameless, "shop", steps, periods=periods).empty


def test_wrong_targets_and_a_single_step_are_refused(make_events):
    events, periods = make_events("a 0 view\na 1 buy"), {"reviewed": (0, 9)}
    steps = ["event:view", "event:buy"]
    with pytest.raises(ValueError, match="no step after the first: event:buy"):
        measure_time_to_convert(events, "shop", steps, periods=periods, targets={"event:view": 3})
    with pytest.raises(ValueError, match="0 minutes or more"):
        measure_time_to_convert(events, "shop", steps, periods=periods, targets={"event:buy": -3})
    with pytest.raises(ValueError, match="two steps or more"):
        trace_time_to_convert(events, ["event:view"])
