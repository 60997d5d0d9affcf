"""Survival: how long things last where some have not ended yet, by Kaplan and Meier, with intervals."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

__all__ = ["estimate_survival", "find_median_time"]

_NEAR_HALF = 1e-9


def estimate_survival(
    durations: ArrayLike,
    has_ended: ArrayLike,
    *,
    counts: ArrayLike | None = None,
    n_effective: float | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Estimate the share that still lasts after each time, where some have not ended yet.

    Parameters
    ----------
    durations : array_like
        How long each unit has been watched, in any unit, 0 or more. Missing ones are left out.
    has_ended : array_like
        Whether it had ended by then (1 or True); else it is censored, that is it lasts longer than its
        duration. An end at the same time comes before a censoring.
    counts : array_like, optional
        How many units each row stands for.
    n_effective : float, optional
        How many independent units these are worth, where one person has several; widens the intervals.
    confidence : float
        Share of such intervals that hold the truth, 0 to 1.

    Returns
    -------
    pandas.DataFrame
        One row is one time at which something ended or was censored, in order: `time`, `at_risk`, `ended`,
        `censored`, `lasting` (share 0 to 1 that lasts longer than `time`), `low`, `high`. The interval is
        missing where all or none last. Row order of the input does not matter.

    Raises
    ------
    ValueError
        Where lengths differ or a duration is below 0.

    Notes
    -----
    Kaplan & Meier (1958); Greenwood's variance, on the log-log scale, which keeps the interval within 0 and 1
    (R: `conf.type = "log-log"`, the default of lifelines). With an effective n the variance is
    n / n_effective times as large.

    References
    ----------
    Kaplan & Meier (1958), JASA 53:457-481; Kalbfleisch & Prentice (2002), chapter 1.

    Examples
    --------
    >>> found = estimate_survival([9, 13, 13, 18], [1, 1, 0, 1])
    >>> found[["time", "at_risk", "lasting"]].values.tolist()
    [[9.0, 4.0, 0.75], [13.0, 3.0, 0.5], [18.0, 1.0, 0.0]]
    """
    length, ended = np.asarray(durations, float).ravel(), np.asarray(has_ended, float).ravel()
    count = np.ones(length.size) if counts is None else np.asarray(counts, float).ravel()
    if not length.size == ended.size == count.size:
        raise ValueError("durations, has_ended and counts need the same length")
    if np.any(length < 0):
        raise ValueError(f"a duration is 0 or more, found {np.nanmin(length):g}")
    here = ~np.isnan(length) & (count > 0)
    times, place = np.unique(length[here], return_inverse=True)
    all_here = np.bincount(place, count[here], times.size)
    over = np.bincount(place, count[here] * (ended[here] > 0), times.size)
    at_risk = all_here[::-1].cumsum()[::-1]
    inflation = at_risk[0] / n_effective if n_effective and times.size else 1.0
    lasting = np.cumprod(1 - over / at_risk)
    low, high = _find_band(lasting, over, at_risk, inflation, confidence)
    columns = {"time": times, "at_risk": at_risk, "ended": over, "censored": all_here - over}
    whole = {name: "int64" for name in ("at_risk", "ended", "censored")}
    return pd.DataFrame({**columns, "lasting": lasting, "low": low, "high": high}).astype(whole)


def _find_band(
    lasting: np.ndarray, over: np.ndarray, at_risk: np.ndarray, inflation: float, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Give the log-log interval of each share, missing where the share is 0 or 1."""
    left = at_risk - over
    terms = np.divide(over, at_risk * left, out=np.zeros_like(lasting), where=left > 0)
    inner = (lasting > 0) & (lasting < 1)
    log = np.log(lasting, out=np.full_like(lasting, -1.0), where=inner)
    reach = -special.ndtri((1 - confidence) / 2) * np.sqrt(inflation * np.cumsum(terms)) / np.abs(log)
    low, high = (np.where(inner, lasting ** np.exp(side * reach), np.nan) for side in (1, -1))
    return low, high


def find_median_time(survival: pd.DataFrame) -> dict[str, float]:
    """Find the time by which half have ended, with its interval.

    Parameters
    ----------
    survival : pandas.DataFrame
        Table of `estimate_survival`.

    Returns
    -------
    dict
        `median`, `low` and `high`, in the unit of the durations; missing where the curve (for an end of the
        interval: its band) never comes down to a half.

    Notes
    -----
    Where the curve runs flat at exactly one half, the median is the middle of the flat part, as in R's
    survival and as for a plain median of an even number. The interval holds the times at which a half lies
    within the curve's band (Brookmeyer & Crowley 1982, on the log-log scale).

    Examples
    --------
    >>> find_median_time(estimate_survival([1, 2, 3, 10], [1, 1, 1, 0]))["median"]
    2.5
    """
    steps = survival[survival["ended"] > 0]
    times, lasting = steps["time"].to_numpy(float), steps["lasting"].to_numpy(float)
    at = np.flatnonzero(lasting <= 0.5 + _NEAR_HALF)
    if not at.size:
        return dict.fromkeys(("median", "low", "high"), math.nan)
    first = at[0]
    median = times[first]
    if lasting[first] >= 0.5 - _NEAR_HALF and first + 1 < times.size:
        median = (times[first] + times[first + 1]) / 2
    gone = lasting <= _NEAR_HALF
    low = np.flatnonzero((steps["low"].to_numpy() <= 0.5) | gone)
    high = np.flatnonzero((steps["high"].to_numpy() < 0.5) & ~gone)
    ends = times[low[0]] if low.size else math.nan, times[high[0]] if high.size else math.nan
    return {"median": float(median), "low": float(min(ends[0], median)), "high": float(ends[1])}
