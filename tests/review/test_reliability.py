"""Which period is reviewed, and whether the review may be relied on: boundaries to the second."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

PERIOD_END = datetime(2024, 9, 30, 22, tzinfo=UTC)  # midnight in Berlin


def keep_until(folder: Path, last: datetime, *, received: datetime | None = None) -> None:
    """End the log with an event at an instant; with `received`, the log tells when each row was received."""
    path = folder / "raw" / "clicks.csv"
    head, *rows = path.read_text().splitlines()
    rows = [row for row in rows if row < last.strftime("%Y-%m-%dT%H")]
    rows.append(f"{last:%Y-%m-%dT%H:%M:%SZ},view_item,c1,last,mobile")
    if received is not None:
        times = [*[row.split(",")[0] for row in rows[:-1]], f"{received:%Y-%m-%dT%H:%M:%SZ}"]
        head, rows = (
            f"{head},received_at",
            [f"{row},{at}" for row, at in zip(rows, times, strict=True)],
        )
    path.write_text("\n".join([head, *rows]) + "\n")


@pytest.fixture
def judge(tiny: Path, command: Callable) -> Callable[..., list[str]]:
    """Return what `journey check` says of the period: its line and the reasons."""

    def run(*words: str) -> list[str]:
        ended = command("check", tiny, *words)
        assert (ended.code, ended.err) == (0, ""), ended
        lines = ended.out.splitlines()
        first = next(place for place, line in enumerate(lines) if line.startswith("period "))
        return lines[first:]

    return run


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ([], "2024Q2"),
        (["--period", "latest"], "2024Q2"),
        (["--period", "last"], "2024Q3"),
        (["--period", "latest", "--as-of", "2024-10-01"], "2024Q3"),
        (["--period", "latest", "--as-of", "2024-09-30T23:59:59"], "2024Q2"),
        (["--period", "latest", "--as-of", "2024-09-30T22:00:00Z"], "2024Q3"),
        (["--period", "last", "--as-of", "2024-06-29"], "2024Q2"),
        (["--period", "2024Q3"], "2024Q3"),
        (["--period", "2024-07"], "2024-07"),
        (["--period", "2024"], "2024"),
        (["--period", "FY2024Q3"], "FY2024Q3"),
        (["--period", "FY2024"], "FY2024"),
    ],
)
def test_the_period_that_is_asked_for_is_reviewed(words, label, judge):
    assert judge(*words)[0].startswith(f"period {label}: ")


def test_a_fiscal_year_is_named_by_the_year_it_ends_in(tiny, judge):
    settings = tiny / "journey.toml"
    settings.write_text(settings.read_text().replace("[project]", "[project]\nfiscal_start_month = 7"))
    assert judge("--period", "FY2025Q1")[0].startswith("period FY2025Q1: ")
    assert judge("--period", "latest", "--as-of", "2024-10-02")[0].startswith("period FY2025Q1: ")


def test_fresh_and_complete_data_are_to_be_relied_on(judge):
    assert judge("--period", "2024Q3") == [
        "period 2024Q3: The data are fresh and complete, and all gates are passed"
    ]


@pytest.mark.parametrize(("seconds", "stale"), [(0, False), (1, True)])
def test_three_days_without_an_event_are_fresh_and_a_second_more_is_stale(seconds, stale, tiny, judge):
    keep_until(tiny, PERIOD_END - timedelta(days=3, seconds=seconds))
    reasons = judge("--period", "2024Q3")[1:]
    assert (
        any("Stale: the last event of 2024Q3 is of 27 September 2024" in one for one in reasons) == stale
    ), reasons


@pytest.mark.parametrize(("freshness", "stale"), [("11", False), ("9", True), ("{ events = 11 }", False)])
def test_the_project_says_how_fresh_events_must_be(freshness, stale, tiny, judge):
    keep_until(tiny, PERIOD_END - timedelta(days=10))
    with (tiny / "journey.toml").open("a") as settings:
        settings.write(f"[gates]\nfreshness_days = {freshness}\n")
    assert any("Stale" in one for one in judge("--period", "2024Q3")) == stale


@pytest.mark.parametrize(("days", "stale"), [(None, False), (40, False), (2, True)])
def test_a_survey_is_stale_only_where_the_project_says_so(days, stale, tiny, judge):
    if days is not None:
        with (tiny / "journey.toml").open("a") as settings:
            settings.write(f"[gates]\nfreshness_days = {{ survey = {days} }}\n")
    assert any("Stale: the last survey answer" in one for one in judge("--period", "2024Q3")) == stale


@pytest.mark.parametrize(("seconds", "provisional"), [(0, False), (1, True)])
def test_data_received_until_72_hours_after_the_end_are_final_and_a_second_less_is_provisional(
    seconds, provisional, tiny, judge
):
    received = PERIOD_END + timedelta(hours=72) - timedelta(seconds=seconds)
    keep_until(tiny, PERIOD_END - timedelta(hours=9), received=received)
    reasons = judge("--period", "2024Q3")[1:]
    assert any(one.strip().startswith("Provisional: ") for one in reasons) == provisional, reasons


def test_without_a_time_of_receipt_a_closed_period_is_not_provisional(judge):
    assert not any("Provisional" in one for one in judge("--period", "2024Q3", "--as-of", "2024-10-01"))


def test_a_period_that_is_still_open_at_as_of_is_provisional(judge):
    assert any(
        "2024Q3 was still open then" in one for one in judge("--period", "2024Q3", "--as-of", "2024-09-29")
    )


def test_what_lies_after_as_of_is_left_out_and_is_no_fault(tiny, command):
    ended = command("check", tiny, "--period", "2024Q2", "--as-of", "2024-07-05")
    used, left = re.search(r"events clicks: .*left out after_as_of (\d+), used (\d+)", ended.out).groups()
    assert int(used) + int(left) == 146
    assert "set aside" not in ended.out


def test_the_projects_own_as_of_gives_way_to_the_commands(tiny, judge):
    settings = tiny / "journey.toml"
    settings.write_text(settings.read_text().replace("[project]", '[project]\nas_of = "2024-07-02"'))
    assert judge()[0].startswith("period 2024Q2: ")
    assert judge("--as-of", "2024-10-02")[0].startswith("period 2024Q3: ")
