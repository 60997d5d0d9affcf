"""Intervals: shares (Wilson, Newcombe), NPS (adjusted Wald), means (t) and anything else (bootstrap).

Numbers go in and come out as scalars or as arrays; shares are 0 to 1, and n may be a fraction, because an
effective n is one. Where n is 0 or missing the interval is missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from journeylib.evidence.bootstrap import bootstrap_interval

__all__ = ["bootstrap_interval", "newcombe_difference", "nps_interval", "t_interval", "wilson_interval"]


def wilson_interval(successes: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> tuple[Any, Any]:
    """Give the Wilson score interval of a share.

    Parameters
    ----------
    successes : array_like
        Number of successes, 0 to ``n``; a fraction is allowed.
    n : array_like
        Number of units, or effective n.
    confidence : float
        Share of such intervals that hold the truth, 0 to 1.

    Returns
    -------
    tuple
        (low, high) as shares 0 to 1; floats for scalars, else arrays. Exactly 0 low without a success and
        exactly 1 high where all are successes. Missing where ``n`` is 0 or missing.

    Raises
    ------
    ValueError
        If there are fewer than 0 or more than ``n`` successes.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17:857-872, method 3.

    Examples
    --------
    >>> low, high = wilson_interval(81, 263)
    >>> round(low, 4), round(high, 4)
    (0.2553, 0.3662)
    """
    is_scalar = np.ndim(successes) == 0 and np.ndim(n) == 0
    count, base = np.broadcast_arrays(np.asarray(successes, float), np.asarray(n, float))
    base = np.where(base > 0, base, np.nan)
    if np.any((count < 0) | (count > base)):
        raise ValueError("successes lie outside 0 to n: give a count of successes and the number of units")
    share, reach = np.atleast_1d(count) / np.atleast_1d(base), -special.ndtri((1 - confidence) / 2)
    shrink = 1 + reach**2 / base
    middle = (share + reach**2 / (2 * base)) / shrink
    half = reach * np.sqrt(share * (1.0 - share) / base + reach**2 / (4.0 * base**2)) / shrink
    low, high = middle - half, middle + half
    low = np.where((count == 0) & (base > 0), 0.0, low)
    high = np.where((count == base) & (base > 0), 1.0, high)
    return _as_given(low, is_scalar), _as_given(high, is_scalar)


def newcombe_difference(
    share_now: ArrayLike,
    n_now: ArrayLike,
    share_before: ArrayLike,
    n_before: ArrayLike,
    *,
    correlation: ArrayLike = 0.0,
    confidence: float = 0.95,
) -> tuple[Any, Any]:
    """Give Newcombe's hybrid score interval of a difference of two shares, now minus before.

    Parameters
    ----------
    share_now, share_before : array_like
        Shares 0 to 1.
    n_now, n_before : array_like
        Units behind each share, or effective n.
    correlation : array_like
        Correlation of the two estimates, -1 to 1: 0 where nobody is in both periods, the phi coefficient of
        the paired answers where everybody is.
    confidence : float
        Share of such intervals that hold the truth, 0 to 1.

    Returns
    -------
    tuple
        (low, high) of the difference, -1 to 1; floats for scalars, else arrays. Missing where an n is 0.

    Raises
    ------
    ValueError
        If a share lies outside 0 to 1.

    Notes
    -----
    With correlation 0 this is method 10 for independent shares (Newcombe 1998, Statistics in Medicine
    17:873-890); with it, the paired hybrid score (17:2635-2650), without the paper's continuity correction of
    phi.

    Examples
    --------
    >>> low, high = newcombe_difference(56 / 70, 70, 48 / 80, 80)
    >>> round(low, 4), round(high, 4)
    (0.0524, 0.3339)
    """
    is_scalar = all(np.ndim(part) == 0 for part in (share_now, n_now, share_before, n_before, correlation))
    now, before = np.asarray(share_now, float), np.asarray(share_before, float)
    if np.any((now < 0) | (now > 1) | (before < 0) | (before > 1)):
        raise ValueError("a share lies outside 0 to 1: give shares, not percent")
    phi = np.clip(np.asarray(correlation, float), -1, 1)
    base, base_before = np.asarray(n_now, float), np.asarray(n_before, float)
    low_now, high_now = wilson_interval(now * base, base, confidence=confidence)
    low_before, high_before = wilson_interval(before * base_before, base_before, confidence=confidence)
    below_now, above_now = now - low_now, high_now - now
    below_before, above_before = before - low_before, high_before - before
    low = now - before - _join_widths(below_now, above_before, phi)
    high = now - before + _join_widths(above_now, below_before, phi)
    return _as_given(low, is_scalar), _as_given(high, is_scalar)


def nps_interval(
    promoters: ArrayLike, detractors: ArrayLike, n: ArrayLike, *, confidence: float = 0.95
) -> tuple[Any, Any]:
    """Give the adjusted Wald interval of a Net Promoter Score.

    Parameters
    ----------
    promoters, detractors : array_like
        Shares 0 to 1 of the answers.
    n : array_like
        Number of answers, or effective n.
    confidence : float
        Share of such intervals that hold the truth, 0 to 1.

    Returns
    -------
    tuple
        (low, high) in NPS points, clipped to -100 to 100; floats for scalars, else arrays. The interval is
        centred a little nearer to 0 than the score itself. Missing where ``n`` is 0 or missing.

    Raises
    ------
    ValueError
        If the shares are negative or sum to more than 1.

    References
    ----------
    Rocks (2016), The American Statistician 70(4): n + 3 answers, 3/4 more promoters and detractors.

    Examples
    --------
    >>> low, high = nps_interval(0.5, 0.2, 100)
    >>> round(low, 2), round(high, 2)
    (14.05, 44.2)
    """
    is_scalar = all(np.ndim(part) == 0 for part in (promoters, detractors, n))
    centre, variance = _adjust_nps(promoters, detractors, n)
    reach = -special.ndtri((1 - confidence) / 2) * np.sqrt(variance)
    low, high = np.clip(centre - reach, -100, 100), np.clip(centre + reach, -100, 100)
    return _as_given(low, is_scalar), _as_given(high, is_scalar)


def t_interval(mean: ArrayLike, sd: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> tuple[Any, Any]:
    """Give Student's t interval of a mean.

    Parameters
    ----------
    mean, sd : array_like
        The mean, and the sample standard deviation of one unit (n - 1 below), in the same unit.
    n : array_like
        Number of units, or effective n; n - 1 degrees of freedom.
    confidence : float
        Share of such intervals that hold the truth, 0 to 1.

    Returns
    -------
    tuple
        (low, high) in the unit of the mean; floats for scalars, else arrays. Missing where ``n`` is not above
        1. Of width 0 where all units are equal.

    Examples
    --------
    >>> low, high = t_interval(4.0, 1.0, 25)
    >>> round(low, 3), round(high, 3)
    (3.587, 4.413)
    """
    is_scalar = all(np.ndim(part) == 0 for part in (mean, sd, n))
    base = np.asarray(n, float)
    base = np.where(base > 1, base, np.nan)
    reach = -special.stdtrit(base - 1, (1 - confidence) / 2) * np.asarray(sd, float) / np.sqrt(base)
    centre = np.asarray(mean, float)
    return _as_given(centre - reach, is_scalar), _as_given(centre + reach, is_scalar)


def _adjust_nps(promoters: ArrayLike, detractors: ArrayLike, n: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Centre (NPS points) and its variance with three answers added (3/4, 3/2, 3/4)."""
    up, down = np.asarray(promoters, float), np.asarray(detractors, float)
    base = np.asarray(n, float)
    base = np.where(base > 0, base, np.nan)
    if np.any((up < 0) | (down < 0) | (up + down > 1 + 1e-9)):
        raise ValueError("shares of promoters and detractors are 0 to 1 and sum to 1 at most")
    up, down = (up * base + 0.75) / (base + 3), (down * base + 0.75) / (base + 3)
    variance = (up + down - (up - down) ** 2) / (base + 3)
    return 100 * (up - down), 100**2 * variance


def _join_widths(first: np.ndarray, second: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """Length of the difference of two correlated widths (MOVER)."""
    return np.sqrt(np.maximum(first**2 + second**2 - 2 * correlation * first * second, 0.0))


def _as_given(values: np.ndarray, is_scalar: bool) -> Any:
    """Give a float for scalars, an array otherwise."""
    return float(np.ravel(values)[0]) if is_scalar else np.asarray(values, float)
