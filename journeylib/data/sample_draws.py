"""Draws and times of the made-up sample: codes by share, days by season, Berlin's clock to UTC and back."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = [
    "DAYS",
    "END",
    "FIRST_DAY",
    "QUARTERS",
    "START",
    "count_days",
    "draw_beta",
    "draw_codes",
    "draw_habits",
    "draw_starts",
    "find_start",
    "to_local",
    "to_utc",
]

FIRST_DAY, LAST_DAY = pd.Timestamp("2024-10-01"), pd.Timestamp("2026-10-10")
DAYS = (LAST_DAY - FIRST_DAY).days + 1
QUARTERS = tuple(f"{year}Q{quarter}" for year in (2024, 2025, 2026) for quarter in (1, 2, 3, 4))[3:11]
ZONE = "Europe/Berlin"
# The same season in both years, so that season alone never differs from the year before.
_MONTHS = np.array([0.95, 0.92, 0.95, 1.0, 1.0, 0.97, 0.97, 0.97, 1.0, 1.02, 1.2, 1.25])
_WEEKDAYS = np.array([1.05, 1.0, 0.98, 0.97, 0.92, 0.95, 1.13])
_HOURS = np.array([6, 3, 2, 1, 1, 3, 10, 22, 30, 34, 38, 40, 44, 42, 38, 36, 40, 48, 58, 70, 76, 66, 40, 18])
_IS_EVENING, _IS_WEEKEND = np.arange(24) >= 18, np.arange(7) >= 5


def draw_codes(shares: object, size: int, *, rng: np.random.Generator) -> np.ndarray:
    """Draw codes 0, 1, 2, ... with the given shares.

    Parameters
    ----------
    shares : array-like
        One non-negative weight a code (1-d), or one row of weights for each draw (2-d); any sum.
    size : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of int64
        One code a draw.

    Examples
    --------
    >>> draw_codes([0, 1, 0], 3, rng=np.random.default_rng(0)).tolist()
    [1, 1, 1]
    """
    edges = np.cumsum(np.asarray(shares, dtype="float64"), axis=-1)
    drawn = rng.random(size) * edges[..., -1]
    if edges.ndim == 1:
        return np.searchsorted(edges, drawn, side="right")
    return (drawn[:, None] >= edges).sum(axis=1)


def draw_starts(size: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw when things begin: by season, weekday and hour.

    Parameters
    ----------
    size : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    tuple of two ndarray of int64
        Days since the first day (0 to `DAYS` - 1), and seconds since 1970 UTC.

    Examples
    --------
    >>> days, starts = draw_starts(2, rng=np.random.default_rng(0))
    >>> bool((starts >= START).all() and (days < DAYS).all())
    True
    """
    calendar = pd.date_range(FIRST_DAY, LAST_DAY)
    weights = _MONTHS[calendar.month.to_numpy() - 1] * _WEEKDAYS[calendar.day_of_week.to_numpy()]
    days = draw_codes(weights, size, rng=rng)
    seconds = draw_codes(_HOURS, size, rng=rng) * 3600 + rng.integers(0, 3600, size)
    return days, to_utc(_MIDNIGHT + days * 86_400 + seconds)


def draw_habits(
    evening: np.ndarray, weekend: np.ndarray, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw when people's sessions begin: by season, and by each one's own evenings and weekends.

    Parameters
    ----------
    evening, weekend : ndarray of float
        One chance a session: that it begins from 18 to 24 o'clock, and on a Saturday or Sunday.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    tuple of two ndarray of int64
        Days since the first day (0 to `DAYS` - 1), and seconds since 1970 UTC.

    Examples
    --------
    >>> draw_habits(np.ones(0), np.ones(0), rng=np.random.default_rng(0))[0].tolist()
    []
    """
    size = len(evening)
    calendar = pd.date_range(FIRST_DAY, LAST_DAY)
    weights = _MONTHS[calendar.month.to_numpy() - 1] * _WEEKDAYS[calendar.day_of_week.to_numpy()]
    is_weekend = _IS_WEEKEND[calendar.day_of_week.to_numpy()]
    days = _draw_either(weights, is_weekend, rng.random(size) < weekend, rng=rng)
    hours = _draw_either(_HOURS, _IS_EVENING, rng.random(size) < evening, rng=rng)
    return days, to_utc(_MIDNIGHT + days * 86_400 + hours * 3600 + rng.integers(0, 3600, size))


def _draw_either(
    weights: np.ndarray, inside: np.ndarray, wanted: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """Draw codes from those inside where wanted, from the others elsewhere."""
    drawn = np.empty(len(wanted), dtype="int64")
    for rows, kept in ((wanted, inside), (~wanted, ~inside)):
        drawn[rows] = draw_codes(np.where(kept, weights, 0), int(rows.sum()), rng=rng)
    return drawn


def draw_beta(mean: np.ndarray, *, alike: float, rng: np.random.Generator) -> np.ndarray:
    """Draw each person's own chance around a mean, by a beta distribution.

    Parameters
    ----------
    mean : ndarray of float
        Above 0 and below 1.
    alike : float
        How alike people are: the sum of the distribution's two parameters.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of float
        One chance a mean.

    Examples
    --------
    >>> bool(abs(draw_beta(np.full(9, 0.5), alike=1e9, rng=np.random.default_rng(0)) - 0.5).max() < 0.001)
    True
    """
    return rng.beta(mean * alike, (1 - mean) * alike)


def count_days(day: str) -> int:
    """Return how many days after the sample's first day a day lies.

    Parameters
    ----------
    day : str
        Such as ``2026-04-01``.

    Returns
    -------
    int
        Days; 0 for the first day.

    Examples
    --------
    >>> count_days("2024-10-02")
    1
    """
    return (pd.Timestamp(day) - FIRST_DAY).days


def find_start(day: str) -> int:
    """Return when a day begins in Berlin.

    Parameters
    ----------
    day : str
        Such as ``2026-04-01``.

    Returns
    -------
    int
        Seconds since 1970 UTC.

    Examples
    --------
    >>> find_start("1970-01-02")
    82800
    """
    return int(to_utc(np.array([day], dtype="datetime64[s]").astype("int64"))[0])


def to_utc(local: np.ndarray) -> np.ndarray:
    """Turn seconds on Berlin's clock into seconds since 1970 UTC; of an hour that comes twice, the later.

    Parameters
    ----------
    local : ndarray of int64
        Seconds since 1970 as if Berlin's clock were UTC.

    Returns
    -------
    ndarray of int64
        Seconds since 1970 UTC, in the order given.

    Examples
    --------
    >>> int(to_utc(np.array([7200]))[0])
    3600
    """
    clock = pd.DatetimeIndex(np.asarray(local).astype("datetime64[s]"))
    zoned = clock.tz_localize(ZONE, ambiguous=np.zeros(len(clock), dtype=bool), nonexistent="shift_forward")
    return zoned.tz_convert("UTC").tz_localize(None).as_unit("s").to_numpy().astype("int64")


def to_local(seconds: np.ndarray) -> np.ndarray:
    """Turn seconds since 1970 UTC into seconds on Berlin's clock.

    Parameters
    ----------
    seconds : ndarray of int64
        Seconds since 1970 UTC.

    Returns
    -------
    ndarray of int64
        Seconds since 1970 as if Berlin's clock were UTC, in the order given.

    Examples
    --------
    >>> int(to_local(np.array([3600]))[0])
    7200
    """
    zoned = pd.DatetimeIndex(np.asarray(seconds).astype("datetime64[s]")).tz_localize("UTC").tz_convert(ZONE)
    return zoned.tz_localize(None).as_unit("s").to_numpy().astype("int64")


_MIDNIGHT = int(FIRST_DAY.timestamp())
START = int(to_utc(np.array([_MIDNIGHT]))[0])
END = int(to_utc(np.array([_MIDNIGHT + DAYS * 86_400]))[0]) - 1
