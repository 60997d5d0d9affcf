"""Estimates: a value with its interval, n and effective n, from units or from sums per person.

A person with five sessions is one draw, not five; so everything is computed from one row a person.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from journeylib.evidence.effective_n import (
    _read_sums,
    _sum_exactly,
    _unit_variance,
    clustered_effective_n,
)
from journeylib.evidence.intervals import nps_interval, t_interval, wilson_interval
from journeylib.evidence.person_sums import covariance, sum_by_person

__all__ = ["covariance", "estimate", "estimate_from_sums", "sum_by_person"]

_ALLOWED = {"share": {0.0, 1.0}, "nps": {-1.0, 0.0, 1.0}, "count": {1.0}, "mean": None}


def estimate(
    kind: str, values: ArrayLike, *, weights: ArrayLike | None = None, people: ArrayLike | None = None
) -> dict[str, Any]:
    """Estimate a share, NPS, mean or count from one row a unit.

    Parameters
    ----------
    kind : str
        ``share``, ``nps``, ``mean`` or ``count``.
    values : array_like
        One row a unit: 0 or 1 (share), -1, 0 or 1 (nps), the score (mean), 1 (count). Missing values are left
        out. Row order does not matter.
    weights : array_like, optional
        Weight of each unit; units with a missing or zero weight are left out.
    people : array_like, optional
        The person of each unit, where a person may have several. A unit without a person stands alone.

    Returns
    -------
    dict
        ``value, low, high`` (percent 0-100, NPS points, scale points or a count), ``n``, ``n_effective``,
        ``method``, ``kind``, ``spread`` (standard deviation of one unit; means only), ``promoters`` and
        ``detractors`` (shares 0 to 1; nps only). Value and interval are missing without units.

    Raises
    ------
    ValueError
        If the kind is unknown, or a value does not belong to it.

    Notes
    -----
    See `estimate_from_sums`.

    Examples
    --------
    >>> found = estimate("share", [1, 1, 0, 0, 1])
    >>> found["value"], found["n"], found["n_effective"], round(found["low"], 1)
    (60.0, 5, 5.0, 23.1)
    """
    _check_values(kind, values)
    sums = sum_by_person(values, weights=weights, people=people)
    return estimate_from_sums(
        kind, sums["total"], sums["units"], squares=sums["squares"], counts=sums["count"]
    )


def estimate_from_sums(
    kind: str,
    totals: ArrayLike | None,
    units: ArrayLike,
    *,
    squares: ArrayLike | None = None,
    counts: ArrayLike | None = None,
) -> dict[str, Any]:
    """Estimate a share, NPS, mean or count from one row a person.

    Parameters
    ----------
    kind : str
        ``share``, ``nps``, ``mean`` or ``count``.
    totals : array_like or None
        Per person: successes (share), promoters minus detractors (nps), sum of scores (mean); times weights
        where there are any. Not used for a count.
    units : array_like
        Per person: number of units, or sum of their weights. People without units are left out.
    squares : array_like, optional
        Per person: sum of squared values; needed for nps and mean.
    counts : array_like, optional
        Per person: raw number of units, where ``units`` are sums of weights.

    Returns
    -------
    dict
        As from `estimate`. People's order does not matter.

    Raises
    ------
    ValueError
        If the kind is unknown, squares are needed and missing, or lengths differ.

    Notes
    -----
    Share: Wilson on the effective n (Newcombe 1998). NPS: adjusted Wald on the effective n (Rocks 2016).
    Mean: t with effective n - 1 degrees of freedom. Effective n: `clustered_effective_n`. Count: compound
    Poisson by person, that is people arrive at random and bring their units along: variance = sum of squared
    units per person, interval value +- z * se clipped at 0, effective n = count^2 / variance; a count of 0
    has the exact Poisson upper end, 3.69.

    Examples
    --------
    >>> found = estimate_from_sums("share", [3, 0, 3, 0], [3, 3, 3, 3])
    >>> found["value"], found["n"], round(found["n_effective"], 2), found["method"]
    (50.0, 12, 3.27, 'wilson_effective_n')
    """
    if kind not in _ALLOWED:
        raise ValueError(f"kind is {kind!r}, expected one of share, nps, mean, count")
    if kind == "count":
        return _estimate_count(np.asarray(units, float), counts)
    if totals is None or (squares is None and kind != "share"):
        wanted = "totals" if kind == "share" else "totals and squares"
        raise ValueError(f"a {kind} from sums needs {wanted} per person")
    total, unit, square, count = _read_sums(totals, units, squares, counts)
    n = int(_sum_exactly(count))
    if n == 0:
        return _fill(kind, value=np.nan, low=np.nan, high=np.nan, n=0, n_effective=0.0)
    effective = clustered_effective_n(total, unit, squares=square, counts=count)
    value = _sum_exactly(total) / _sum_exactly(unit)
    if kind == "share":
        low, high = wilson_interval(min(value, 1.0) * effective, effective)
        return _fill(kind, value=100 * value, low=100 * low, high=100 * high, n=n, n_effective=effective)
    if kind == "nps":
        polar, base = _sum_exactly(square), 2 * _sum_exactly(unit)
        up, down = (polar + _sum_exactly(total)) / base, max(polar - _sum_exactly(total), 0.0) / base
        low, high = nps_interval(up, down, effective)
        found = _fill(kind, value=100 * value, low=low, high=high, n=n, n_effective=effective)
        return {**found, "promoters": up, "detractors": down}
    spread = np.sqrt(_unit_variance(total, unit, square, count) * n / (n - 1)) if n > 1 else np.nan
    low, high = t_interval(value, spread, effective)
    return _fill(kind, value=value, low=low, high=high, n=n, n_effective=effective, spread=float(spread))


def _estimate_count(units: np.ndarray, counts: ArrayLike | None) -> dict[str, Any]:
    """Count of units as a compound Poisson sum over people."""
    value, variance = _sum_exactly(units), _sum_exactly(units**2)
    if value == 0:
        high = float(special.chdtri(2, 0.025) / 2)
        return _fill("count", value=0.0, low=0.0, high=high, n=0, n_effective=0.0)
    reach = float(-special.ndtri(0.025)) * variance**0.5
    raw = value if counts is None else _sum_exactly(np.asarray(counts, float))
    return _fill(
        "count",
        value=value,
        low=max(value - reach, 0.0),
        high=value + reach,
        n=round(raw),
        n_effective=value**2 / variance,
    )


def _fill(kind: str, **found: Any) -> dict[str, Any]:
    """Put the estimate's keys in their order, and leave empty what the kind does not have."""
    method = {"share": "wilson", "nps": "adjusted_wald", "mean": "t", "count": "compound_poisson"}[kind]
    if kind != "count" and found["n_effective"] != found["n"]:
        method += "_effective_n"
    keys = ("value", "low", "high", "n", "n_effective", "method", "kind", "spread", "promoters", "detractors")
    return {key: {**found, "method": method, "kind": kind}.get(key, float("nan")) for key in keys}


def _check_values(kind: str, values: ArrayLike) -> None:
    """Refuse an unknown kind, and values that do not belong to it."""
    if kind not in _ALLOWED:
        raise ValueError(f"kind is {kind!r}, expected one of share, nps, mean, count")
    allowed = _ALLOWED[kind]
    found = np.unique(np.asarray(values, float))
    strange = [] if allowed is None else [value for value in found[~np.isnan(found)] if value not in allowed]
    if strange:
        wanted = ", ".join(f"{value:g}" for value in sorted(allowed or ()))
        raise ValueError(f"a {kind} takes values {wanted}; found {strange[0]:g}")
