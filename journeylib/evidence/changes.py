"""Changes: the difference between two periods, its interval and p-value, and the verdict in one word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from journeylib.evidence.detectable import _KINDS, smallest_detectable_change
from journeylib.evidence.intervals import _adjust_nps, newcombe_difference

__all__ = ["adjust_p_values", "compare_estimates", "judge_changes", "smallest_detectable_change"]


def compare_estimates(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Compare two measure tables row by row: change, interval of the difference and p-value.

    Parameters
    ----------
    now, before : pandas.DataFrame
        One row a metric in one place, aligned by position, with ``value, n_effective, kind`` and, where the
        kind needs them, ``spread, promoters, detractors``. ``before`` may carry the ``covariance`` with the
        row of ``now`` (missing means 0). A row of ``before`` without a value was not measured then.

    Returns
    -------
    pandas.DataFrame
        Index of ``now``; ``change, change_low, change_high`` (now minus before, in the metric's unit) and the
        two-sided ``p_value``. All four are missing where either row has no value or no units.

    Raises
    ------
    ValueError
        If the lengths differ, a kind is unknown, or a row's two kinds differ.

    Notes
    -----
    Share: Newcombe's hybrid on effective n; score test (pooled z). Mean: Welch. NPS: raw change; interval and
    p are Wald on the adjusted parts (Rocks 2016), so the interval's centre is a little off the raw change.
    Count: Wald on compound-Poisson variances. The covariance enters each as a correlation, cut at -1 and 1.
    Where the difference has no variance, p is 1 if the values are equal, else 0.

    Examples
    --------
    >>> now = pd.DataFrame({"value": [80.0], "n_effective": [70], "kind": ["share"]})
    >>> before = pd.DataFrame({"value": [60.0], "n_effective": [80], "kind": ["share"]})
    >>> compare_estimates(now, before).round(3)
       change  change_low  change_high  p_value
    0    20.0       5.243       33.387    0.008
    """
    if len(now) != len(before):
        raise ValueError(f"now has {len(now)} rows and before {len(before)}: align them row by row first")
    pairs = _pair_rows(now, before)
    names = ["change", "change_low", "change_high", "p_value"]
    result = pd.DataFrame(np.nan, index=now.index, columns=names, dtype=float)
    for kind, compare in (("share", _compare_shares), ("nps", _compare_nps), ("", _compare_amounts)):
        rows = np.flatnonzero(pairs["kind"].isin([kind] if kind else ["mean", "count"]))
        result.iloc[rows] = np.column_stack(compare(pairs.iloc[rows]))
    return result


def adjust_p_values(p: ArrayLike) -> Any:
    """Adjust a family of p-values for its size: Benjamini-Hochberg q-values.

    Parameters
    ----------
    p : array_like
        p-values of one family. Missing values are no part of the family and stay missing.

    Returns
    -------
    pandas.Series or numpy.ndarray
        One q-value a p-value, in the same order; a Series for a Series.

    References
    ----------
    Benjamini & Hochberg (1995), JRSS B 57:289-300. Computed by statsmodels.

    Examples
    --------
    >>> [round(float(q), 4) for q in adjust_p_values([0.01, 0.04, float("nan"), 0.03])]
    [0.03, 0.04, nan, 0.04]
    """
    values = np.asarray(p, float)
    present = ~np.isnan(values)
    adjusted = np.full(values.shape, np.nan)
    if present.any():
        from statsmodels.stats.multitest import multipletests  # takes seconds to load

        adjusted[present] = multipletests(values[present], method="fdr_bh")[1]
    return pd.Series(adjusted, index=p.index, name="q_value") if isinstance(p, pd.Series) else adjusted


def judge_changes(
    table: pd.DataFrame, *, minimum_base: int = 10, low_base: int = 30, alpha: float = 0.05
) -> pd.Series:
    """Say in one word what became of each metric.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a metric in one place: ``change, change_low, change_high, q_value, n, n_before`` and, where
        known, ``minimum_effect`` (missing means 0), ``suppressed`` (False), ``comparable`` (True) and
        ``series_break`` (False).
    minimum_base : int
        Units below which a number is hidden: such a row is suppressed, and one whose earlier base was so
        small is not compared, since its change would give the earlier number away.
    low_base : int
        Units, in either period, below which no arrow is given.
    alpha : float
        False discovery rate, 0 to 1.

    Returns
    -------
    pandas.Series
        Index of the table; ``verdict``, the first that holds of: suppressed, not_compared, series_break,
        low_base, rose or fell, no_change. Rose and fell need all three: the interval of the difference
        excludes 0 on the change's side, q is at most ``alpha``, and the change reaches the minimum effect.

    Examples
    --------
    >>> table = pd.DataFrame({"change": [5.0, 5.0], "change_low": [2.0, -1.0], "change_high": [8.0, 11.0],
    ...     "q_value": [0.01, 0.2], "minimum_effect": 3.0, "n": 500, "n_before": 500})
    >>> judge_changes(table).tolist()
    ['rose', 'no_change']
    """
    change, low, high, q, n, n_before = (
        table[name].astype(float)
        for name in ("change", "change_low", "change_high", "q_value", "n", "n_before")
    )
    sure = (q <= alpha) & (change.abs() >= _take(table, "minimum_effect", 0.0).astype(float) - 1e-9)
    known = _take(table, "comparable", True).astype(bool) & change.notna()
    conditions = {
        "suppressed": _take(table, "suppressed", False).astype(bool) | ((n > 0) & (n < minimum_base)),
        "not_compared": ~known | ((n_before > 0) & (n_before < minimum_base)),
        "series_break": _take(table, "series_break", False).astype(bool),
        "low_base": ~((n >= low_base) & (n_before >= low_base)),
        "rose": sure & (change > 0) & (low > 0),
        "fell": sure & (change < 0) & (high < 0),
    }
    holds = [condition.to_numpy(bool) for condition in conditions.values()]
    chosen = np.select(holds, list(conditions), default="no_change")
    return pd.Series(chosen, index=table.index, name="verdict", dtype="str")


def _pair_rows(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Put the numbers of both periods side by side; kind is missing where a row can't be compared."""
    pairs = pd.DataFrame({"covariance": _take(before, "covariance", 0.0).to_numpy(float)})
    for name in ("value", "n_effective", "spread", "promoters", "detractors"):
        pairs[name] = _take(now, name, np.nan).to_numpy(float)
        pairs[f"{name}_before"] = _take(before, name, np.nan).to_numpy(float)
    measured = pairs["value"].notna() & pairs["value_before"].notna()
    kinds, kinds_before = now["kind"].to_numpy(object), before["kind"].to_numpy(object)
    for row in np.flatnonzero(measured):
        if kinds[row] not in _KINDS:
            raise ValueError(f"row {row}: kind is {kinds[row]!r}, expected one of {', '.join(_KINDS)}")
        if kinds[row] != kinds_before[row]:
            raise ValueError(f"row {row}: a {kinds[row]} can't be compared with a {kinds_before[row]}")
    based = (pairs["n_effective"] > 0) & (pairs["n_effective_before"] > 0)
    pairs["kind"] = pd.Series(kinds, dtype=object).where(measured & (based | (kinds == "count")))
    return pairs


def _compare_shares(pairs: pd.DataFrame) -> tuple[np.ndarray, ...]:
    """Newcombe's hybrid and the pooled score test, on effective n."""
    now, before, base, base_before = _both(pairs, "value", "n_effective")
    one, two = (np.clip(value / 100, 0, 1) for value in (now, before))
    phi = _correlate(pairs, 100**2 * one * (1 - one) / base, 100**2 * two * (1 - two) / base_before)
    low, high = newcombe_difference(one, base, two, base_before, correlation=phi)
    pooled = (one * base + two * base_before) / (base + base_before)
    variance = pooled * (1 - pooled) * (1 / base + 1 / base_before - 2 * phi / np.sqrt(base * base_before))
    return now - before, 100 * low, 100 * high, _test(one - two, variance)


def _compare_nps(pairs: pd.DataFrame) -> tuple[np.ndarray, ...]:
    """Wald on the adjusted parts, around the adjusted difference."""
    now, before, base, base_before = _both(pairs, "value", "n_effective")
    up, up_before, down, down_before = _both(pairs, "promoters", "detractors")
    raw = 100**2 * (up + down - (up - down) ** 2) / base
    raw_before = 100**2 * (up_before + down_before - (up_before - down_before) ** 2) / base_before
    phi = _correlate(pairs, raw, raw_before)
    centre, one = _adjust_nps(up, down, base)
    centre_before, two = _adjust_nps(up_before, down_before, base_before)
    variance = one + two - 2 * phi * np.sqrt(one * two)
    shift, reach = centre - centre_before, -special.ndtri(0.025) * np.sqrt(np.maximum(variance, 0))
    low, high = np.clip(shift - reach, -200, 200), np.clip(shift + reach, -200, 200)
    return now - before, low, high, _test(shift, variance)


def _compare_amounts(pairs: pd.DataFrame) -> tuple[np.ndarray, ...]:
    """Welch's t for means; Wald on compound-Poisson variances (normal, value as spread) for counts."""
    now, before, base, base_before = _both(pairs, "value", "n_effective")
    is_mean = (pairs["kind"] == "mean").to_numpy()
    spread, spread_before = _both(pairs, "spread")
    one = np.where(is_mean, spread, now) ** 2 / np.where(base > 0, base, np.inf)
    two = np.where(is_mean, spread_before, before) ** 2 / np.where(base_before > 0, base_before, np.inf)
    phi = _correlate(pairs, one, two)
    variance = one + two - 2 * phi * np.sqrt(one * two)
    with np.errstate(divide="ignore", invalid="ignore"):
        welch = (one + two) ** 2 / (one**2 / (base - 1) + two**2 / (base_before - 1))
    welch = np.where(one + two > 0, welch, np.inf)
    welch = np.where((base > 1) & (base_before > 1), welch, np.nan)
    freedom = np.where(is_mean, welch, np.inf)
    from scipy import stats  # takes seconds to load

    reach = stats.t.isf(0.025, freedom) * np.sqrt(np.maximum(variance, 0))
    change = now - before
    change = np.where(np.abs(change) <= 1e-12 * np.maximum(np.abs(now), np.abs(before)), 0.0, change)
    return change, change - reach, change + reach, _test(change, variance, freedom)


def _test(change: np.ndarray, variance: np.ndarray, freedom: np.ndarray | float = np.inf) -> np.ndarray:
    """Give the two-sided p; without any variance 1 where nothing changed, else 0."""
    from scipy import stats

    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.abs(change) / np.sqrt(np.maximum(variance, 0))
    return 2 * stats.t.sf(np.where((change == 0) & (variance <= 0), 0.0, statistic), freedom)


def _correlate(pairs: pd.DataFrame, variance: np.ndarray, variance_before: np.ndarray) -> np.ndarray:
    """Correlation of two estimates, 0 where one of them has no variance."""
    product = np.sqrt(np.maximum(variance * variance_before, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(np.where(product > 0, pairs["covariance"].to_numpy() / product, 0.0), -1, 1)


def _both(pairs: pd.DataFrame, *names: str) -> tuple[np.ndarray, ...]:
    """Take each named column of now and of before."""
    return tuple(pairs[name + end].to_numpy() for name in names for end in ("", "_before"))


def _take(table: pd.DataFrame, name: str, missing: Any) -> pd.Series:
    """Take a column, with a value for what is missing, be it the whole column."""
    if name not in table:
        return pd.Series(missing, index=table.index)
    return table[name].where(table[name].notna(), missing)
