"""Periods of a review: a year, a quarter, a month, calendar or fiscal, in the business's own time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

__all__ = ["Period", "parse_period", "period_at", "previous_period", "year_ago_period"]

_SHAPE = re.compile(r"^(?P<fiscal>FY)?(?P<year>\d{4})(?:Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?$")


@dataclass(frozen=True)
class Period:
    """One period, [start, end): its label, its first month, its length and the instants of both ends.

    Attributes
    ----------
    label : str
        ``2026``, ``2026Q3``, ``2026-07`` or the fiscal ``FY2026``, ``FY2026Q3`` (the year it ends in).
    first_month : int
        Months since year 0 of its first month.
    months : int
        12, 3 or 1.
    start_us, end_us : int
        Microseconds since 1970 UTC of local midnight at both ends; the end is not part of the period.
    fiscal_start_month : int
        1 to 12; matters where the label begins with FY.
    timezone : str
        IANA name of the business's zone.
    """

    label: str
    first_month: int
    months: int
    start_us: int
    end_us: int
    fiscal_start_month: int = 1
    timezone: str = "UTC"

    @property
    def bounds(self) -> tuple[int, int]:
        """Return (start, end) in microseconds UTC."""
        return self.start_us, self.end_us

    @property
    def first_day(self) -> date:
        """Return the first local day."""
        return date(*_year_month(self.first_month), 1)

    @property
    def end_day(self) -> date:
        """Return the local day just after the period."""
        return date(*_year_month(self.first_month + self.months), 1)


def _year_month(months: int) -> tuple[int, int]:
    return months // 12, months % 12 + 1


def _midnight_us(months: int, timezone: str) -> int:
    year, month = _year_month(months)
    return int(datetime(year, month, 1, tzinfo=ZoneInfo(timezone)).timestamp()) * 1_000_000


def _build(first_month: int, months: int, timezone: str, fiscal_start_month: int, *, fiscal: bool) -> Period:
    shift = (fiscal_start_month - 1) if fiscal else 0
    # A fiscal year is named by the calendar year in which it ends.
    year, month = _year_month(first_month - shift + (12 if fiscal and shift else 0))
    label = f"FY{year}" if fiscal else f"{year}"
    if months == 3:
        label += f"Q{(month - 1) // 3 + 1}"
    elif months == 1:
        label = "{}-{:02d}".format(*_year_month(first_month))
    return Period(
        label=label,
        first_month=first_month,
        months=months,
        start_us=_midnight_us(first_month, timezone),
        end_us=_midnight_us(first_month + months, timezone),
        fiscal_start_month=fiscal_start_month if fiscal else 1,
        timezone=timezone,
    )


def parse_period(label: str, *, timezone: str = "UTC", fiscal_start_month: int = 1) -> Period:
    """Read a period's label.

    Parameters
    ----------
    label : str
        ``2026``, ``2026Q3``, ``2026-07``, ``FY2026`` or ``FY2026Q3``.
    timezone : str
        IANA name of the zone in which a day begins.
    fiscal_start_month : int
        The month (1 to 12) in which the fiscal year begins; used by labels with FY alone.

    Returns
    -------
    Period
        The period, [start, end), with its ends in microseconds UTC.

    Raises
    ------
    ValueError
        If the label has none of these shapes.

    Examples
    --------
    >>> parse_period("FY2026Q1", fiscal_start_month=7).first_day
    datetime.date(2025, 7, 1)
    """
    match = _SHAPE.match(label.strip())
    if match is None or (match["fiscal"] and match["month"]) or int(match["year"]) < 1000:
        raise ValueError(f"{label!r} is no period: write 2026, 2026Q3, 2026-07, FY2026 or FY2026Q3")
    fiscal, year = bool(match["fiscal"]), int(match["year"])
    first = year * 12
    if fiscal:
        first += (fiscal_start_month - 1) - (12 if fiscal_start_month > 1 else 0)
    months = 12
    if match["quarter"]:
        first, months = first + 3 * (int(match["quarter"]) - 1), 3
    elif match["month"]:
        first, months = first + int(match["month"]) - 1, 1
    return _build(first, months, timezone, fiscal_start_month, fiscal=fiscal)


def previous_period(period: Period) -> Period:
    """Return the period of the same length just before.

    Parameters
    ----------
    period : Period
        The reviewed period.

    Returns
    -------
    Period
        It ends where the given one starts.

    Examples
    --------
    >>> previous_period(parse_period("2026Q1")).label
    '2025Q4'
    """
    return _shifted(period, period.months)


def year_ago_period(period: Period) -> Period:
    """Return the same period one year earlier; for a year that is the previous period.

    Parameters
    ----------
    period : Period
        The reviewed period.

    Returns
    -------
    Period
        The same months of the year before.

    Examples
    --------
    >>> year_ago_period(parse_period("2026-02")).label
    '2025-02'
    """
    return _shifted(period, 12)


def _shifted(period: Period, months: int) -> Period:
    fiscal = period.label.startswith("FY")
    return _build(
        period.first_month - months, period.months, period.timezone, period.fiscal_start_month, fiscal=fiscal
    )


def period_at(
    instant_us: int, *, months: int = 3, timezone: str = "UTC", fiscal_start_month: int = 1
) -> Period:
    """Return the period of the given length in which an instant lies.

    Parameters
    ----------
    instant_us : int
        Microseconds since 1970 UTC.
    months : int
        Length in months: 1, 3 or 12.
    timezone : str
        IANA name of the zone in which a day begins.
    fiscal_start_month : int
        The month (1 to 12) in which the fiscal year begins; 1 gives calendar labels.

    Returns
    -------
    Period
        The period whose [start, end) holds the instant.

    Examples
    --------
    >>> period_at(0).label
    '1970Q1'
    """
    local = datetime.fromtimestamp(instant_us / 1_000_000, tz=UTC).astimezone(ZoneInfo(timezone))
    shift = fiscal_start_month - 1
    since = local.year * 12 + local.month - 1 - shift
    return _build(
        since // months * months + shift, months, timezone, fiscal_start_month, fiscal=fiscal_start_month > 1
    )
