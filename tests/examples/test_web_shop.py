"""The web shop: accounts, sessions, purchases; its funnels against a count that knows nothing of the kit."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pandas as pd
import pytest

STEPS = ["catalog", "product_view", "add_to_cart", "cart", "shipping_details", "payment_details", "purchase"]
START, END = pd.Timestamp("2024-04-01"), pd.Timestamp("2024-07-01")
WINDOW = pd.Timedelta(days=30)
MINIMUM_BASE = 10


@pytest.fixture(scope="module")
def quarter(data, examples, run, read, tmp_path_factory):
    out = tmp_path_factory.mktemp("web_quarter")
    code = run("review", examples / "web_shop", "--data", data, "--period", "2024Q2", "--out", out)
    folder = out / "web_shop" / "2024Q2"
    return SimpleNamespace(code=code, folder=folder, findings=read(folder))


@pytest.fixture(scope="module")
def log(data):
    """The raw log in its total order: time, then name."""
    events = pd.read_csv(data / "ecom_events.csv.gz")
    events["at"] = pd.to_datetime(events["timestamp"])
    return events.sort_values(["at", "event"], kind="stable")


def _walk(events, begin, window):
    """Return how many steps are reached from the event at `begin`, each next step as soon as it comes."""
    reached = 1
    for at, name in events[begin + 1 :]:
        if reached == len(STEPS) or (window is not None and at - events[begin][0] > window):
            break
        reached += name == STEPS[reached]
    return reached


def _count_by_hand(log, unit, *, window=None):
    """Return for each step the units that reached it, first step within the quarter.

    A unit whose window has not closed when the log ends is left out: it is not lost yet.
    """
    as_of = log["at"].max()
    counts = [0] * len(STEPS)
    for _, rows in log.groupby(unit):
        events = list(zip(rows["at"], rows["event"], strict=True))
        starts = [i for i, (at, name) in enumerate(events) if name == STEPS[0] and START <= at < END]
        if not starts or (window is not None and events[starts[0]][0] + window > as_of):
            continue
        for step in range(_walk(events, starts[0], window)):
            counts[step] += 1
    return counts


FUNNELS = [("purchase", "people", "user_id", WINDOW), ("purchase_in_session", "sessions", "session_id", None)]


def test_check_finds_nothing_wrong(data, examples, run):
    assert run("check", examples / "web_shop", "--data", data) == 0


def test_the_review_may_be_relied_on(quarter):
    assert quarter.code == 0
    assert (quarter.folder / "review.html").stat().st_size > 0


def test_the_count_by_hand_takes_repeated_events_right():
    # One person: product_view before catalog does not count, the second catalog opens no second attempt,
    # and a purchase without a payment step is not a purchase of an ordered funnel.
    names = ["product_view", "catalog", "catalog", "product_view", "product_view", "add_to_cart", "purchase"]
    log = pd.DataFrame({"user_id": "a", "event": names})
    log["at"] = START + pd.to_timedelta(range(len(names)), unit="min")
    assert _count_by_hand(log, "user_id") == [1, 1, 1, 0, 0, 0, 0]


def test_the_window_counts_from_the_first_step_and_an_open_window_is_left_out():
    log = pd.DataFrame(
        [
            ("in", "catalog", START), ("in", "product_view", START + WINDOW),
            ("late", "catalog", START), ("late", "product_view", START + WINDOW + pd.Timedelta(seconds=1)),
            ("open", "catalog", START + pd.Timedelta(seconds=2)),
        ],
        columns=["user_id", "event", "at"],
    )  # fmt: skip
    assert _count_by_hand(log, "user_id", window=WINDOW)[:2] == [2, 1]


@pytest.mark.parametrize(("funnel", "unit", "column", "window"), FUNNELS)
def test_funnel_counts_equal_the_greedy_count(quarter, log, rows_of, funnel, unit, column, window):
    expected = _count_by_hand(log, column, window=window)
    assert expected[0] > 500
    for step, count in zip(STEPS, expected, strict=True):
        rows = rows_of(quarter.findings, "step_count", item=f"{funnel}/{step}", touchpoint=step)
        if rows.empty:  # a step may stand without its touchpoint: the item says which it is
            rows = rows_of(quarter.findings, "step_count", item=f"{funnel}/{step}")
        assert len(rows) == 1, step
        row = rows.iloc[0]
        assert row["unit_of_analysis"] == unit
        if 0 < count < MINIMUM_BASE:
            assert row["suppressed"].lower() == "true" and pd.isna(row["value"]), step
        else:
            assert row["value"] == count, step


@pytest.mark.parametrize(("funnel", "unit", "column", "window"), FUNNELS)
def test_conversion_is_the_last_step_over_the_first(quarter, log, one_row, funnel, unit, column, window):
    expected = _count_by_hand(log, column, window=window)
    row = one_row(quarter.findings, "conversion_rate", item=funnel)
    assert row["unit_of_analysis"] == unit
    assert row["n"] == expected[0]
    assert row["value"] == pytest.approx(expected[-1] / expected[0] * 100, abs=1e-9)


def test_sessions_of_the_quarter_are_those_that_begin_in_it(quarter, log, one_row):
    begins = log.groupby("session_id")["at"].min()
    row = one_row(quarter.findings, "session_count")
    assert row["value"] == ((begins >= START) & (begins < END)).sum() == 2765
    assert row["unit_of_analysis"] == "sessions"


def test_no_event_is_unmapped(examples, log):
    touchpoints = pd.read_csv(examples / "web_shop" / "touchpoints.csv", dtype=str, keep_default_na=False)
    assert set(log["event"]) == set(touchpoints["pattern"])


@pytest.mark.parametrize("given", [True, False], ids=["given", "computed"])
def test_over_the_whole_log_there_are_3605_sessions_given_and_computed_alike(
    data, examples, run, read, one_row, tmp_path, given
):
    project = tmp_path / "web_shop"
    shutil.copytree(examples / "web_shop", project)
    settings = (project / "journey.toml").read_text(encoding="utf-8")
    assert 'session_given = "session_id"\n' in settings
    if not given:
        settings = settings.replace('session_given = "session_id"\n', "")
        (project / "journey.toml").write_text(settings, encoding="utf-8")
    # The log ends in June, so the year is made with exit 3: it is not over.
    assert run("review", project, "--data", data, "--period", "2024", "--out", tmp_path / "out") == 3
    findings = read(tmp_path / "out" / "web_shop" / "2024")
    assert one_row(findings, "session_count")["value"] == 3605
    assert one_row(findings, "events_per_session")["value"] == pytest.approx(31106 / 3605, abs=1e-9)
