"""Bootstrap: an interval for any statistic, by drawing units (or whole people) again and again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

__all__ = ["bootstrap_interval"]


def bootstrap_interval(
    values: ArrayLike,
    *,
    statistic: Callable[[np.ndarray], float],
    clusters: ArrayLike | None = None,
    n_resamples: int = 2000,
    random_state: int = 0,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Give the percentile bootstrap interval of any statistic of one column.

    Parameters
    ----------
    values : array_like
        One row a unit; missing values are left out. Row order does not matter.
    statistic : callable
        Takes a one-dimensional array of values, returns a number.
    clusters : array_like, optional
        The person (or other cluster) of each row: whole clusters are drawn. A row without a cluster is a
        cluster of its own.
    n_resamples : int
        Number of resamples.
    random_state : int
        Seed; the same seed gives the same interval.
    confidence : float
        Share of such intervals that hold the truth, 0 to 1.

    Returns
    -------
    tuple of float
        (low, high) in the statistic's unit; missing with fewer than two units (or clusters).

    References
    ----------
    Efron & Tibshirani (1993), chapter 13. Resampled by scipy.stats.bootstrap.

    Examples
    --------
    >>> bootstrap_interval([1, 2, 3, 4, 5, 6, 7], statistic=np.median)
    (2.0, 6.0)
    """
    groups = _split_by_cluster(np.asarray(values, float), clusters)
    if len(groups) < 2:
        return float("nan"), float("nan")

    from scipy import stats  # takes a second to load, which most that is counted need not wait for

    def of_drawn(drawn: np.ndarray) -> float:
        return float(statistic(np.concatenate([groups[place] for place in drawn])))

    result = stats.bootstrap(
        (np.arange(len(groups)),),
        of_drawn,
        vectorized=False,
        n_resamples=n_resamples,
        method="percentile",
        confidence_level=confidence,
        rng=np.random.default_rng(random_state),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def _split_by_cluster(values: np.ndarray, clusters: ArrayLike | None) -> list[np.ndarray]:
    """One array of sorted values per cluster, in an order that does not depend on the rows' order."""
    present = ~np.isnan(values)
    if clusters is None:
        return [np.array([value]) for value in np.sort(values[present])]
    codes = pd.factorize(np.asarray(clusters, object)[present])[0]
    kept = values[present]
    groups = [np.sort(kept[codes == code]) for code in range(codes.max(initial=-1) + 1)]
    groups += [np.array([value]) for value in kept[codes < 0]]
    return sorted(groups, key=lambda group: tuple(group))
