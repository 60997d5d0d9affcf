"""A period's label, its ends in the business's zone, the one before and the one a year before."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from journeylib.data.periods import parse_period, period_at, previous_period, year_ago_period


@pytest.mark.parametrize(
    ("label", "first", "end"),
    [
        ("2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("2026Q3", date(2026, 7, 1), date(2026, 10, 1)),
        ("2026Q4", date(2026, 10, 1), date(2027, 1, 1)),
        ("2026-07", date(2026, 7, 1), date(2026, 8, 1)),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1)),
    ],
)
def test_calendar_label_gives_its_first_day_and_the_day_after_it(label, first, end):
    period = parse_period(label)
    assert (period.first_day, period.end_day, period.label) == (first, end, label)


@pytest.mark.parametrize(
    ("label", "month", "first", "end"),
    [
        ("FY2026", 7, date(2025, 7, 1), date(2026, 7, 1)),
        ("FY2026Q1", 7, date(2025, 7, 1), date(2025, 10, 1)),
        ("FY2026Q4", 10, date(2026, 7, 1), date(2026, 10, 1)),
        ("FY2026Q1", 2, date(2025, 2, 1), date(2025, 5, 1)),
        ("FY2026Q2", 1, date(2026, 4, 1), date(2026, 7, 1)),
    ],
)
def test_fiscal_year_is_named_by_the_year_in_which_it_ends(label, month, first, end):
    period = parse_period(label, fiscal_start_month=month)
    assert (period.first_day, period.end_day, period.label) == (first, end, label)


@pytest.mark.parametrize(
    "label",
    ["", "2026Q5", "2026Q0", "2026-13", "2026-7", "26", "0000", "FY2026-07", "Q3", "2026q3", "latest"],
)
def test_any_other_label_is_refused_with_the_shapes_that_are_known(label):
    with pytest.raises(ValueError, match="write 2026, 2026Q3, 2026-07, FY2026 or FY2026Q3"):
        parse_period(label)


def test_period_ends_at_local_midnight_on_both_sides_of_a_clock_change():
    period = parse_period("2026Q1", timezone="Europe/Berlin")  # the clock goes forward on 29 March
    berlin = ZoneInfo("Europe/Berlin")
    starts = datetime(2026, 1, 1, tzinfo=berlin), datetime(2026, 4, 1, tzinfo=berlin)
    assert period.bounds == tuple(int(at.timestamp()) * 1_000_000 for at in starts)
    assert (period.end_us - period.start_us) / 3_600_000_000 == 90 * 24 - 1


def test_month_in_which_the_clock_goes_back_has_one_hour_more():
    period = parse_period("2026-10", timezone="Europe/Berlin")
    assert (period.end_us - period.start_us) / 3_600_000_000 == 31 * 24 + 1


@pytest.mark.parametrize(
    ("label", "previous", "year_ago"),
    [
        ("2026Q1", "2025Q4", "2025Q1"),
        ("2026-01", "2025-12", "2025-01"),
        ("2026", "2025", "2025"),
        ("FY2026Q1", "FY2025Q4", "FY2025Q1"),
    ],
)
def test_previous_has_the_same_length_and_year_ago_the_same_months(label, previous, year_ago):
    period = parse_period(label, fiscal_start_month=4)
    assert previous_period(period).label == previous
    assert previous_period(period).end_us == period.start_us
    assert year_ago_period(period).label == year_ago


def test_instant_on_the_boundary_belongs_to_the_later_period():
    start = parse_period("2026Q3", timezone="Europe/Berlin").start_us
    labels = [period_at(at, timezone="Europe/Berlin").label for at in (start - 1, start)]
    assert labels == ["2026Q2", "2026Q3"]


@pytest.mark.parametrize(
    ("month", "label"), [(1, "2026Q3"), (7, "FY2027Q1"), (10, "FY2026Q4"), (9, "FY2026Q4")]
)
def test_period_at_an_instant_knows_the_fiscal_year(month, label):
    at = int(datetime(2026, 8, 15, tzinfo=UTC).timestamp()) * 1_000_000
    assert period_at(at, fiscal_start_month=month).label == label


def test_period_at_gives_years_and_months_too():
    at = int(datetime(2026, 8, 15, tzinfo=UTC).timestamp()) * 1_000_000
    assert [period_at(at, months=months).label for months in (1, 12)] == ["2026-08", "2026"]
