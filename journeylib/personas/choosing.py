"""How many clusters: one written rule, the table of all candidates, and 'none' as a possible answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import silhouette_score

from journeylib.personas.components import find_patterns, permute_columns
from journeylib.personas.stability import STABLE, TRUSTED, VERY_STABLE, fit_k_means, measure_stability

__all__ = ["RULE", "Choice", "choose_number", "measure_candidates"]

#: The rule for the number of groups, in words; 5 % is `min_share`.
RULE = (
    "A number of groups may be trusted if each group holds at least 5 % of the customers, and ten of "
    "them, and comes again in resamples with a Jaccard similarity of 0.6 or more. Of these numbers, "
    "those in the highest class of stability are kept, judged by their weakest group (Hennig 2007: "
    "very stable from 0.85, stable from 0.75, a pattern from 0.6); of those, the ones whose gap to "
    "column-permuted data lies within one standard error of the largest; of those, the one with the "
    "highest silhouette, to two decimals, and at a tie the smallest. There are no groups where no "
    "number is left, or where even one of 99 column-permuted tables splits as tightly."
)
_MIN_CUSTOMERS = 10
_N_NULL, _N_TEST, _FEW_STARTS, _NULL_STARTS, _SILHOUETTE_ROWS = 20, 99, 5, 5, 2_000


class Choice(NamedTuple):
    """How many clusters, why, the table of candidates, and centres and stability of each candidate."""

    number: int
    reason: str
    table: pd.DataFrame
    centres: dict[int, np.ndarray]
    jaccard: dict[int, np.ndarray]


def measure_candidates(
    points: np.ndarray, numbers: Sequence[int], *, n_init: int, rng: Any, n_resamples: int = 25
) -> Choice:
    """Cluster into each number of clusters, and measure how good and how stable the clusters are.

    Parameters
    ----------
    points : numpy.ndarray
        One row is one customer, as k-means sees it.
    numbers : sequence of int
        Numbers of clusters, 2 or more each.
    n_init : int
        Starts of k-means.
    rng : RandomState
        Source of randomness.
    n_resamples : int, default 25
        How often the customers are resampled for the stability; 0 looks at tightness alone, in a fraction of
        the time, and leaves `lowest_jaccard` missing. Not enough for a choice, but for a first look.

    Returns
    -------
    Choice
        The first of the numbers, without a reason. The table has one row a number: `n_clusters`, `silhouette`
        (on 2,000 customers at the most), `spread` (log of the squared distances within), `smallest_share`
        (0 to 1), `lowest_jaccard`.

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> points = np.repeat([[0.0], [9.0]], 10, axis=0)
    >>> measure_candidates(points, [2], n_init=2, rng=rng).table["lowest_jaccard"].tolist()
    [1.0]
    """
    rows: list[dict[str, Any]] = []
    centres, jaccard = {}, {}
    some = rng.permutation(len(points))[:_SILHOUETTE_ROWS]
    for number in numbers:
        model = fit_k_means(points, number, n_init=n_init, rng=rng)
        labels, centres[number] = model.labels_, model.cluster_centers_
        found = len(set(labels[some].tolist()))
        jaccard[number] = measure_stability(
            points, labels, n_resamples=n_resamples, n_init=_FEW_STARTS, random_state=rng
        )
        rows.append(
            {
                "n_clusters": number,
                "spread": _take_log(model.inertia_),
                "silhouette": silhouette_score(points[some], labels[some])
                if 1 < found < len(some)
                else np.nan,
                "smallest_share": np.bincount(labels, minlength=number).min() / len(points),
                "lowest_jaccard": float(jaccard[number].min()),
            }
        )
    return Choice(numbers[0], "", pd.DataFrame(rows), centres, jaccard)


def choose_number(
    points: np.ndarray,
    prepared: np.ndarray,
    numbers: Sequence[int],
    *,
    n_init: int,
    min_share: float,
    rng: Any,
) -> Choice:
    """Choose the number of clusters by the rule.

    Parameters
    ----------
    points : numpy.ndarray
        One row is one customer, as k-means sees it.
    prepared : numpy.ndarray
        The same customers' prepared features, whose columns are permuted for comparison; `points` are these,
        or their shared patterns.
    numbers : sequence of int
        The candidates, 2 or more each.
    n_init : int
        Starts of k-means.
    min_share : float
        The smallest share (0 to 1) of customers that a cluster may hold.
    rng : RandomState
        Source of randomness.

    Returns
    -------
    Choice
        `number` is 1 where there are no clusters. The table has one row a candidate, besides the columns of
        `measure_candidates`: `gap` and `gap_error` (the mean log of the squared distances within clusters in
        20 permuted tables, less that of the data, with its standard error), `is_trusted`, `is_chosen`.

    References
    ----------
    Tibshirani, Walther & Hastie (2001), Estimating the number of clusters via the gap statistic, JRSS B 63;
    here with column-permuted data for reference, as in Witten & Tibshirani (2010), JASA 105.

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> points = rng.uniform(size=(200, 2))
    >>> choose_number(points, points, [2, 3], n_init=5, min_share=0.05, rng=rng).number
    1
    """
    found = measure_candidates(points, numbers, n_init=n_init, rng=rng)
    patterns = 0 if points.shape[1] == prepared.shape[1] else points.shape[1]
    nulls = [_draw_null(prepared, patterns, rng) for _ in range(_N_NULL)]
    own = dict(zip(found.table["n_clusters"], found.table["spread"], strict=True))
    chance = np.array([[_measure_spread(null, number, rng) for number in numbers] for null in nulls])
    table = found.table.assign(
        gap=chance.mean(axis=0) - np.array(list(own.values())),
        gap_error=chance.std(axis=0, ddof=1) * np.sqrt(1 + 1 / _N_NULL),
    )
    min_share = max(min_share, _MIN_CUSTOMERS / len(points))
    table["is_trusted"] = (table["smallest_share"] >= min_share) & (table["lowest_jaccard"] >= TRUSTED)
    number = _apply_rule(table)
    as_tight = 0
    if number > 1:
        spreads = chance[:, list(numbers).index(number)].tolist()
        spreads += [
            _measure_spread(_draw_null(prepared, patterns, rng), number, rng)
            for _ in range(_N_TEST - _N_NULL)
        ]
        as_tight = int((np.array(spreads) <= own[number]).sum())
    table["is_chosen"] = (table["n_clusters"] == number) & (as_tight == 0)
    reason = _say_why(table, number=number, as_tight=as_tight, min_share=min_share)
    return Choice(1 if as_tight else number, reason, table, found.centres, found.jaccard)


def _draw_null(prepared: np.ndarray, patterns: int, rng: Any) -> np.ndarray:
    """Shuffle each column, and do with the result what was done with the data."""
    null = permute_columns(prepared, rng)
    return (null - null.mean(axis=0)) @ find_patterns(null, patterns) if patterns else null


def _measure_spread(null: np.ndarray, number: int, rng: Any) -> float:
    """Return the log of the squared distances within clusters of permuted data, from few starts.

    Few are enough where there are no clusters, since all splits of noise are about as tight.
    """
    return _take_log(fit_k_means(null, number, n_init=_NULL_STARTS, rng=rng).inertia_)


def _take_log(spread: float) -> float:
    return float(np.log(max(spread, 1e-300)))


def _apply_rule(table: pd.DataFrame) -> int:
    """Return the number of clusters that the table speaks for, 1 where none may be trusted."""
    trusted = table[table["is_trusted"] & (table["gap"] > 0)]
    if trusted.empty:
        return 1
    lowest = trusted["lowest_jaccard"]
    stability = (lowest >= STABLE).astype(int) + (lowest >= VERY_STABLE).astype(int)
    stable = trusted[stability == stability.max()]
    best = stable.sort_values("gap", kind="stable").iloc[-1]
    near = stable[stable["gap"] >= best["gap"] - best["gap_error"]]
    near = near.assign(silhouette=near["silhouette"].round(2))
    first = near.sort_values(["silhouette", "n_clusters"], ascending=[False, True]).iloc[0]
    return int(first["n_clusters"])


def _say_why(table: pd.DataFrame, *, number: int, as_tight: int, min_share: float) -> str:
    """Say in words what the rule found."""
    numbers = f"{table['n_clusters'].min()} to {table['n_clusters'].max()}"
    if number == 1:
        small, loose = table["smallest_share"] < min_share, table["lowest_jaccard"] < TRUSTED
        parts = [
            (int((loose & ~small).sum()), "hold a group that does not come again in resamples"),
            (int(small.sum()), f"hold a group of less than {min_share:.0%}"),
            (int((~small & ~loose).sum()), "split no more tightly than column-permuted data"),
        ]
        said = ", ".join(f"{count} {words}" for count, words in parts if count)
        return f"No groups: of the numbers {numbers}, {said}."
    row = table[table["n_clusters"] == number].iloc[0]
    if as_tight:
        return (
            f"No groups: {number} groups look best, but {as_tight} of {_N_TEST} tables with permuted columns "
            "split as tightly, so that chance will do as an explanation."
        )
    return (
        f"{number} groups: each comes again in resamples (Jaccard {row['lowest_jaccard']:.2f} or more) and "
        f"holds {row['smallest_share']:.0%} of the customers or more; of the numbers as stable its gap "
        f"to permuted columns, {row['gap']:.3f}, is within one standard error of the largest; silhouette "
        f"{row['silhouette']:.2f}; none of {_N_TEST} permuted tables splits as tightly."
    )
