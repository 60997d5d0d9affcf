"""Effective n: how many independent units the data are worth, after weights and repeated people."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["clustered_effective_n", "design_effect", "kish_effective_n"]


def kish_effective_n(weights: ArrayLike) -> float:
    """Count how many equally weighted units the weighted units are worth.

    Parameters
    ----------
    weights : array_like
        One weight a unit, 0 or more; missing weights are left out. Row order does not matter.

    Returns
    -------
    float
        Kish's (sum w)^2 / sum w^2: exactly the number of units where all weights are equal; 0.0 without units
        or where all weights are 0.

    Raises
    ------
    ValueError
        If a weight is negative.

    References
    ----------
    Kish (1965), Survey Sampling, chapter 11.

    Examples
    --------
    >>> kish_effective_n([1, 1, 2])
    2.6666666666666665
    """
    kept = _check_weights(weights)
    if kept.size == 0 or kept.max() == 0:
        return 0.0
    if kept.min() == kept.max():
        return float(kept.size)
    return _sum_exactly(kept) ** 2 / _sum_exactly(kept**2)


def design_effect(weights: ArrayLike) -> float:
    """Tell by what factor the weights raise the variance.

    Parameters
    ----------
    weights : array_like
        One weight a unit, 0 or more; missing weights are left out. Row order does not matter.

    Returns
    -------
    float
        Number of units over their effective n, 1.0 or more; missing where the effective n is 0.

    References
    ----------
    Kish (1965), Survey Sampling, chapter 11.

    Examples
    --------
    >>> design_effect([1, 1, 2])
    1.125
    """
    effective = kish_effective_n(weights)
    return _check_weights(weights).size / effective if effective else float("nan")


def clustered_effective_n(
    totals: ArrayLike, units: ArrayLike, *, squares: ArrayLike | None = None, counts: ArrayLike | None = None
) -> float:
    """Count how many independent units the units of these people are worth for a share or a mean.

    Parameters
    ----------
    totals : array_like
        Per person: sum of the values of the person's units (times weights, if any).
    units : array_like
        Per person: number of units (sum of weights, if any).
    squares : array_like, optional
        Per person: sum of squared values (times weights). Left out for shares, where it equals ``totals``.
    counts : array_like, optional
        Per person: raw number of units, where ``units`` are sums of weights.

    Returns
    -------
    float
        Exactly the number of people where each has one unit and no weight; Kish's where each has one weighted
        unit; else unit variance over person-clustered variance of the ratio, at most the number of units.
        Where the values do not vary between people: (sum of units)^2 / sum of squared units. 0.0 without
        units. People's order does not matter; people without units are left out.

    Notes
    -----
    Both variances carry their small-sample factor, n / (n - 1) over units and G / (G - 1) over people. The
    cap at the number of units follows Korn & Graubard (1998): a variance that looks smaller than that of
    independent units is more often chance than knowledge.

    References
    ----------
    Kish (1965); Korn & Graubard (1998), Survey Methodology 24:193-201; Taylor linearisation of a ratio:
    Cochran (1977), Sampling Techniques, chapter 6.

    Examples
    --------
    >>> clustered_effective_n([3, 0, 3, 0], [3, 3, 3, 3])
    3.2727272727272725
    """
    total, unit, square, count = _read_sums(totals, units, squares, counts)
    n = _sum_exactly(count)
    if n == 0 or _sum_exactly(unit) == 0:
        return 0.0
    if np.all(count == 1):
        return kish_effective_n(unit)
    people = count.size
    clustered = _sum_exactly(_influence(total, unit) ** 2)
    variance = _unit_variance(total, unit, square, count)
    if people == 1 or clustered <= 1e-14 * variance:
        return kish_effective_n(unit)
    return min(variance / (n - 1) * n / (clustered * people / (people - 1)), n)


def _influence(totals: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Measure what each person moves the ratio by: (total - ratio * units) / sum of units."""
    base = _sum_exactly(units)
    ratio = _sum_exactly(totals) / base
    return (totals - ratio * units) / base


def _unit_variance(totals: np.ndarray, units: np.ndarray, squares: np.ndarray, counts: np.ndarray) -> float:
    """Weighted variance of one unit around the ratio (n below): within people plus between people.

    Split in two so that a large mean with a small spread does not cancel to noise.
    """
    base = _sum_exactly(units)
    ratio = _sum_exactly(totals) / base
    own = totals / units
    within = squares - totals * own
    within = np.where((counts == 1) | (within <= 1e-14 * squares), 0.0, within)
    variance = _sum_exactly(within + units * (own - ratio) ** 2) / base
    return variance if variance > (1e-13 * ratio) ** 2 else 0.0


def _read_sums(
    totals: ArrayLike, units: ArrayLike, squares: ArrayLike | None, counts: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Per-person sums as float arrays, people without units left out."""
    total, unit = np.asarray(totals, float), np.asarray(units, float)
    square = total if squares is None else np.asarray(squares, float)
    count = unit if counts is None else np.asarray(counts, float)
    if not total.shape == unit.shape == square.shape == count.shape:
        raise ValueError("totals, units, squares and counts need one entry a person each")
    if np.any(unit < 0) or np.any(count != np.floor(count)):
        raise ValueError("units are 0 or more; where they are sums of weights, give the raw counts as well")
    here = (unit > 0) & (count > 0)
    return total[here], unit[here], square[here], count[here]


def _check_weights(weights: ArrayLike) -> np.ndarray:
    """Weights as floats without missing ones."""
    given = np.asarray(weights, float).ravel()
    kept = given[~np.isnan(given)]
    if np.any(kept < 0):
        raise ValueError(f"weights are 0 or more, found {kept.min():g}")
    return kept


def _sum_exactly(values: np.ndarray) -> float:
    """Sum that does not depend on the order: whole numbers are exact anyway, others go through fsum."""
    if values.size == 0:
        return 0.0
    if np.all(values == np.floor(values)) and np.abs(values).max() * values.size < 2**53:
        return float(np.sum(values))
    return math.fsum(values.tolist())
