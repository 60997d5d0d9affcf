"""Medians of waiting times, where some wait still, with intervals by drawing people."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from journeylib.evidence.effective_n import clustered_effective_n
from journeylib.evidence.estimates import covariance, sum_by_person

__all__ = ["covary_medians", "draw_people", "estimate_median"]

_NEAR_HALF = 1e-9
_ENOUGH = 0.3
_CELLS = 2_000_000


def estimate_median(
    durations: ArrayLike,
    *,
    has_ended: ArrayLike | None = None,
    people: ArrayLike | None = None,
    n_resamples: int = 1000,
    random_state: int = 0,
) -> dict[str, Any]:
    """Estimate the median of durations of which some have not ended yet.

    Parameters
    ----------
    durations : array_like
        One row a unit: how long it lasted, or has lasted so far. Missing ones are left out. Row order does
        not matter.
    has_ended : array_like, optional
        Whether it has ended; without it all have.
    people : array_like, optional
        The person of each unit; whole people are drawn. A unit without a person stands alone.
    n_resamples : int
        Number of resamples.
    random_state : int
        Seed; the same seed gives the same interval.

    Returns
    -------
    dict
        As from `estimate`: `value, low, high` in the durations' unit, `n`, `n_effective`, `method`, `kind`
        (`mean`, so that two periods are compared by Welch) and `spread` (standard error from the interval
        times the root of the effective n). Value or high is missing where more than half have not ended.

    Notes
    -----
    The median of the Kaplan-Meier curve, which is the plain median where all have ended; leaving out what has
    not ended would make it too short. Percentile bootstrap by person (Efron & Tibshirani 1993, chapter 13).
    Effective n: that of the share which has ended by the median.

    Examples
    --------
    >>> found = estimate_median([1, 2, 3, 4, 5, 6, 7])
    >>> found["value"], found["low"], found["high"], found["n"]
    (4.0, 2.0, 6.0, 7)
    """
    lines = _read_lines(durations, has_ended, people)
    lines = lines.sort_values(["duration", "ended"], ascending=[True, False], kind="stable")
    value = float(_find_medians(lines, np.ones((1, len(lines))))[0]) if len(lines) else math.inf
    low = high = math.nan
    if lines["code"].nunique() > 1 and math.isfinite(value):
        codes, size = lines["code"].to_numpy(), int(lines["code"].max()) + 1
        medians = [
            _find_medians(lines, drawn[:, codes])
            for drawn in draw_people(
                size, rows=len(lines), n_resamples=n_resamples, random_state=random_state
            )
        ]
        ends = np.quantile(np.concatenate(medians), [0.025, 0.975], method="inverted_cdf")
        low, high = (float(end) if np.isfinite(end) else math.nan for end in ends)
    sums = _sum_ended(lines, value)
    effective = clustered_effective_n(sums["total"], sums["units"]) if len(lines) else 0.0
    spread = (high - low) / (-2 * special.ndtri(0.025)) * math.sqrt(effective)
    found: dict[str, Any] = {"value": value if math.isfinite(value) else math.nan, "low": low, "high": high}
    found |= {"n": len(lines), "n_effective": effective, "method": "median_bootstrap_by_person"}
    return {**found, "kind": "mean", "spread": spread, "promoters": math.nan, "detractors": math.nan}


def draw_people(n_people: int, *, rows: int, n_resamples: int, random_state: int) -> list[np.ndarray]:
    """Draw people with replacement, again and again.

    Parameters
    ----------
    n_people : int
        How many there are, and how many are drawn each time.
    rows : int
        Rows of the table that the draws will weigh; sets how many resamples come in one piece.
    n_resamples : int
        Number of resamples.
    random_state : int
        Seed.

    Returns
    -------
    list of numpy.ndarray
        Pieces with one row a resample and one column a person: how often the person is drawn.

    Examples
    --------
    >>> draw_people(3, rows=3, n_resamples=2, random_state=0)[0].sum(axis=1).tolist()
    [3, 3]
    """
    generator = np.random.default_rng(random_state)
    at_once = max(1, _CELLS // max(rows, n_people))
    pieces = []
    for start in range(0, n_resamples, at_once):
        size = min(at_once, n_resamples - start)
        drawn = generator.integers(0, n_people, (size, n_people)) + np.arange(size)[:, None] * n_people
        pieces.append(np.bincount(drawn.ravel(), minlength=size * n_people).reshape(size, n_people))
    return pieces


def covary_medians(
    now: pd.DataFrame, before: pd.DataFrame, *, estimates: tuple[dict[str, Any], dict[str, Any]]
) -> float:
    """Give the covariance of two medians that comes from the people in both periods.

    Parameters
    ----------
    now, before : pandas.DataFrame
        One row a unit: `duration`, `has_ended`, `person`. Row order does not matter.
    estimates : tuple of dict
        What `estimate_median` gave for the two.

    Returns
    -------
    float
        In the durations' unit squared; 0.0 where nobody is in both, or a median has no interval.

    Notes
    -----
    A median moves with the share that has ended by it, so the two medians correlate as these two shares do.

    Examples
    --------
    >>> waits = pd.DataFrame({"duration": [1, 2, 3], "has_ended": True, "person": ["a", "b", "c"]})
    >>> found = estimate_median(waits["duration"])
    >>> covary_medians(waits, waits.assign(person=["d", "e", "f"]), estimates=(found, found))
    0.0
    """
    errors, sums = [], []
    for table, found in zip((now, before), estimates, strict=True):
        lines = _read_lines(table["duration"], table["has_ended"], table["person"])
        ended = _sum_ended(lines, found["value"])
        share = float(ended["total"].sum() / max(ended["units"].sum(), 1))
        variance = 100**2 * share * (1 - share) / max(found["n_effective"], 1)
        errors.append((found["spread"] / max(found["n_effective"], 1) ** 0.5, variance**0.5))
        sums.append(ended)
    scale = [error / spread if spread > 0 else 0.0 for error, spread in errors]
    product = scale[0] * scale[1]
    return float(product * covariance("share", *sums)) if np.isfinite(product) and product > 0 else 0.0


def _read_lines(durations: ArrayLike, has_ended: ArrayLike | None, people: ArrayLike | None) -> pd.DataFrame:
    """One row a unit with the number of its person; people are numbered by what they waited, not by name."""
    duration = np.asarray(durations, float).ravel()
    ended = np.ones(duration.size, bool) if has_ended is None else np.asarray(has_ended, bool).ravel()
    person = np.full(duration.size, None, object) if people is None else np.asarray(people, object).ravel()
    here = ~np.isnan(duration)
    lines = pd.DataFrame({"duration": duration[here], "ended": ended[here]})
    codes = pd.factorize(person[here])[0]
    alone = codes < 0
    codes = np.where(alone, codes.max(initial=-1) + np.cumsum(alone), codes)
    groups: dict[int, list[tuple[float, bool]]] = {}
    for code, value, over in zip(codes.tolist(), lines["duration"], lines["ended"], strict=True):
        groups.setdefault(code, []).append((value, over))
    ranked = {code: rank for rank, code in enumerate(sorted(groups, key=lambda code: sorted(groups[code])))}
    named = pd.Series(person[here], dtype=object).where(~alone, None)
    return lines.assign(code=[ranked[code] for code in codes.tolist()], person=named.array)


def _sum_ended(lines: pd.DataFrame, median: float) -> pd.DataFrame:
    """Sum by person how many units have ended by the median."""
    return sum_by_person(lines["ended"] & (lines["duration"] <= median), people=lines["person"])


def _find_medians(lines: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Find the Kaplan-Meier median of sorted lines under each row of weights; infinite where there is none.

    Mostly the first rows, down to a share of 0.3, are enough, and all of these have ended.
    """
    times, ended = lines["duration"].to_numpy(float), lines["ended"].to_numpy(bool)
    enough = np.flatnonzero(_trace(ended, np.ones((1, len(times))))[0] <= _ENOUGH)
    medians = np.full(len(weights), np.inf)
    todo = np.arange(len(weights))
    for cut in ([int(enough[0]) + 1] if enough.size else []) + [len(times)]:
        if todo.size:
            total = weights[todo].sum(axis=1, keepdims=True)
            found = _read_medians(times, ended, weights[todo, :cut], total)
            medians[todo] = found
            todo = todo[~np.isfinite(found)]
    return medians


def _trace(ended: np.ndarray, weights: np.ndarray, total: np.ndarray | None = None) -> np.ndarray:
    """Follow the Kaplan-Meier share from row to row; ties go one after the other, which changes nothing."""
    before = np.cumsum(weights, axis=1)
    total = before[:, -1:] if total is None else total
    if ended.all():
        return 1 - before / total
    at_risk = total - before + weights
    over = np.where(ended, weights, 0)
    return np.cumprod(1 - np.divide(over, at_risk, out=np.zeros(over.shape), where=at_risk > 0), axis=1)


def _read_medians(times: np.ndarray, ended: np.ndarray, weights: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Read where each curve comes down to a half, and the middle of its flat part if it rests there."""
    cut = weights.shape[1]
    lasting = _trace(ended[:cut], weights, total)
    row, first = np.arange(len(weights)), (lasting <= 0.5 + _NEAR_HALF).argmax(axis=1)
    at_half = lasting[row, first]
    medians = np.where(at_half <= 0.5 + _NEAR_HALF, times[first], np.inf)
    for flat in np.flatnonzero(np.abs(at_half - 0.5) <= _NEAR_HALF):
        start = first[flat] + 1
        later = np.flatnonzero(ended[start:cut] & (weights[flat, start:] > 0))
        if later.size:
            medians[flat] = (times[start - 1] + times[start + later[0]]) / 2
        elif cut < len(times):
            medians[flat] = np.inf  # its flat part ends behind the cut
    return medians
