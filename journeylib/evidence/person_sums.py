"""Sums per person: the one table from which estimates, and covariances of two periods, are computed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from journeylib.evidence.effective_n import _influence, _sum_exactly

__all__ = ["covariance", "sum_by_person"]

_KINDS = ("share", "nps", "mean", "count")


def sum_by_person(
    values: ArrayLike, *, weights: ArrayLike | None = None, people: ArrayLike | None = None
) -> pd.DataFrame:
    """Sum units into one row a person, which is all that an estimate and a covariance need.

    Parameters
    ----------
    values : array_like
        One row a unit: 0 or 1 for a share, -1, 0 or 1 for NPS, the score for a mean, 1 for a count. Missing
        values are left out.
    weights : array_like, optional
        Weight of each unit, 0 or more. Units with a missing or zero weight are left out.
    people : array_like, optional
        The person of each unit. A unit without a person stands alone and is never found in another period.

    Returns
    -------
    pandas.DataFrame
        One row a person (index ``person``; missing for units that stand alone): ``total`` (sum of weight
        times value), ``units`` (sum of weights), ``squares`` (sum of weight times squared value), ``count``
        (number of units). The same, to the last bit and in the same order, for shuffled rows.

    Raises
    ------
    ValueError
        If the lengths differ or a weight is negative.

    Examples
    --------
    >>> sum_by_person([1, 0, 1], people=["a", "a", "b"])
            total  units  squares  count
    person
    a         1.0    2.0      1.0      2
    b         1.0    1.0      1.0      1
    """
    value = np.asarray(values, float).ravel()
    weight = np.ones(value.size) if weights is None else np.asarray(weights, float).ravel()
    person = np.full(value.size, None, object) if people is None else np.asarray(people, object).ravel()
    if not value.size == weight.size == person.size:
        raise ValueError("values, weights and people need the same length")
    if np.any(weight < 0):
        raise ValueError(f"weights are 0 or more, found {np.nanmin(weight):g}")
    here = ~np.isnan(value) & (weight > 0)
    value, weight, person = value[here], weight[here], person[here]
    codes, labels = pd.factorize(person, sort=True)
    order = np.lexsort((weight, value, np.where(codes < 0, len(labels), codes)))
    value, weight, codes = value[order], weight[order], codes[order]
    alone = codes < 0
    codes = np.where(alone, len(labels) + np.cumsum(alone) - 1, codes)
    size = len(labels) + int(alone.sum())
    sums = {
        "total": np.bincount(codes, weight * value, size),
        "units": np.bincount(codes, weight, size),
        "squares": np.bincount(codes, weight * value**2, size),
        "count": np.bincount(codes, minlength=size),
    }
    index = pd.Index(np.append(labels, np.full(int(alone.sum()), None, object)), dtype=object, name="person")
    return pd.DataFrame(sums, index=index)


def covariance(kind: str, now: pd.DataFrame, before: pd.DataFrame) -> float:
    """Give the covariance of two estimates of one metric that comes from the people in both periods.

    Parameters
    ----------
    kind : str
        ``share``, ``nps``, ``mean`` or ``count``.
    now, before : pandas.DataFrame
        One row a person, as from `sum_by_person`: index the person, columns ``total`` (not needed for a
        count), ``units``, and ``count`` where units are sums of weights. A missing person matches nobody.

    Returns
    -------
    float
        In the report's unit squared (percent, NPS points, scale points, counts); 0.0 where nobody is in both.
        Row order does not matter.

    Raises
    ------
    ValueError
        If the kind is unknown, or a person has two rows in one period.

    Notes
    -----
    Sum over common people of the two linearised influences (total - ratio * units) / sum of units, with the
    same small-sample factors as the variances, so that a full panel gives the paired t-test's variance.
    Count: sum of units now times units before.

    Examples
    --------
    >>> now = sum_by_person([1, 0, 1, 0], people=list("abcd"))
    >>> covariance("share", now, now)
    625.0
    """
    if kind not in _KINDS:
        raise ValueError(f"kind is {kind!r}, expected one of share, nps, mean, count")
    one, two = _influence_by_person(kind, now), _influence_by_person(kind, before)
    where = one.index.astype(object).get_indexer(two.index.astype(object))
    products = one.to_numpy()[where[where >= 0]] * two.to_numpy()[where >= 0]
    scale = 100.0**2 if kind in ("share", "nps") else 1.0
    return scale * _sum_exactly(products)


def _influence_by_person(kind: str, sums: pd.DataFrame) -> pd.Series:
    """Influence of each known person on the estimate, with the small-sample factor of its variance."""
    known = sums.index.notna()
    if sums.index[known].has_duplicates:
        raise ValueError("a person has two rows in one period: sum by person first")
    if kind == "count":
        return sums["units"].astype(float)[known]
    here = (sums["units"] > 0).to_numpy()
    kept, known = sums[here], known[here]
    if kept.empty:
        return pd.Series(dtype=float)
    total, unit = kept["total"].to_numpy(float), kept["units"].to_numpy(float)
    n = _sum_exactly(kept["count" if "count" in kept else "units"].to_numpy(float))
    people = len(kept)
    factor = people / (people - 1) if people > 1 else 1.0
    if kind != "mean":
        factor *= (n - 1) / n if people > 1 else 1.0
    return pd.Series(_influence(total, unit) * factor**0.5, index=kept.index)[known]
