"""The clothes shop: sessions without customers, days without a time of day, an order column."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest


def _review(period, data, examples, run, read, out):
    code = run("review", examples / "clothes_shop", "--data", data, "--period", period, "--out", out)
    folder = out / "clothes_shop" / period
    return SimpleNamespace(code=code, folder=folder, findings=read(folder))


@pytest.fixture(scope="module")
def year(data, examples, run, read, tmp_path_factory):
    return _review("2008", data, examples, run, read, tmp_path_factory.mktemp("clothes_year"))


@pytest.fixture(scope="module")
def quarter(data, examples, run, read, tmp_path_factory):
    return _review("2008Q2", data, examples, run, read, tmp_path_factory.mktemp("clothes_quarter"))


@pytest.fixture(scope="module")
def clicks(data):
    """The raw file, read without the kit."""
    return pd.read_csv(data / "eshop_clothing_2008.csv.gz", sep=";")


def test_check_finds_nothing_wrong(data, examples, run):
    assert run("check", examples / "clothes_shop", "--data", data) == 0


def test_the_year_is_made_but_not_to_be_relied_on_since_the_file_stops_in_august(year):
    assert year.code == 3
    page = (year.folder / "review.html").read_text(encoding="utf-8")
    assert "2008-08-13" in page or "13 August" in page


def test_sessions_of_the_year(year, one_row):
    count = one_row(year.findings, "session_count")
    assert count["value"] == 24026
    assert count["unit_of_analysis"] == "sessions"
    mean = one_row(year.findings, "events_per_session")
    assert mean["value"] == pytest.approx(165474 / 24026, abs=1e-9)  # 6.887
    assert mean["n"] == 24026


def test_sessions_of_the_second_quarter(quarter, clicks, one_row):
    assert quarter.code == 0
    spring = clicks[clicks["month"].between(4, 6)]
    sessions = spring["session ID"].nunique()
    assert sessions == 17031
    assert one_row(quarter.findings, "session_count")["value"] == sessions
    mean = one_row(quarter.findings, "events_per_session")
    assert mean["value"] == pytest.approx(len(spring) / sessions, abs=1e-9)
    assert mean["value"] == pytest.approx(6.817, abs=0.0005)


def test_a_session_never_passes_for_a_person(year, quarter):
    for findings in (year.findings, quarter.findings):
        assert "people" not in set(findings["unit_of_analysis"])
        assert not set(findings["metric"]) & {"customer_count", "retention_rate", "churn_rate"}


def test_nothing_is_compared_with_a_time_before_the_file(quarter):
    rows = quarter.findings[quarter.findings["suppressed"].str.lower() != "true"]
    assert set(rows["verdict"]) == {"not_compared"}


def test_no_conversion_is_told_since_the_file_has_no_purchase(year, quarter):
    for findings in (year.findings, quarter.findings):
        assert not set(findings["metric"]) & {"conversion_rate", "basket_abandonment"}
