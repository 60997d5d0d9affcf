"""Detectable: the smallest change that data of this size can tell from noise."""

from __future__ import annotations

import numpy as np
from scipy import special

from journeylib.evidence.intervals import _adjust_nps, wilson_interval

__all__ = ["smallest_detectable_change"]

_KINDS = ("share", "nps", "mean", "count")


def smallest_detectable_change(
    kind: str,
    *,
    n_now: float,
    n_before: float,
    value: float = float("nan"),
    spread: float = float("nan"),
    promoters: float = float("nan"),
    detractors: float = float("nan"),
    covariance: float = 0.0,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """Give the smallest true change that two periods of this size would detect.

    Parameters
    ----------
    kind : str
        ``share``, ``nps``, ``mean`` or ``count``.
    n_now, n_before : float
        Effective n of each period.
    value : float
        Level expected in both: percent (share) or the count (count).
    spread : float
        Standard deviation of one unit (mean).
    promoters, detractors : float
        Shares 0 to 1 (nps).
    covariance : float
        Covariance of the two estimates, in the metric's unit squared.
    alpha, power : float
        Two-sided level of a single test, and the chance of detecting the change, 0 to 1.

    Returns
    -------
    float
        (z of 1 - alpha / 2 + z of power) times the standard error of the difference, in the metric's unit;
        missing where an n is 0 or missing. A share of 0 or 100 percent, which has no spread of its own, is
        moved to the centre of its Wilson interval.

    Raises
    ------
    ValueError
        If the kind is unknown.

    Examples
    --------
    >>> round(smallest_detectable_change("share", n_now=400, n_before=400, value=50), 1)
    9.9
    """
    base = np.array([n_now, n_before], float)
    base[~(base > 0)] = np.nan
    if kind == "share":
        share = np.full(2, value / 100)
        share = np.mean(wilson_interval(share * base, base), axis=0) if value in (0, 100) else share
        variances = 100**2 * share * (1 - share) / base
    elif kind == "nps":
        variances = _adjust_nps(promoters, detractors, base)[1]
    elif kind in _KINDS:
        variances = (spread if kind == "mean" else value) ** 2 / base
    else:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(_KINDS)}")
    error = np.sqrt(np.maximum(variances.sum() - 2 * covariance, 0.0))
    return float((special.ndtri(power) - special.ndtri(alpha / 2)) * error)
