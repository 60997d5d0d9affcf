"""Stability: whether the same clusters come again in resamples, and whether another method finds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.utils import check_random_state

__all__ = ["compare_with_mixture", "fit_k_means", "judge_stability", "measure_stability"]

#: Hennig (2007): from where on a cluster is worth trusting, stable, very stable.
TRUSTED, STABLE, VERY_STABLE = 0.6, 0.75, 0.85


def measure_stability(
    points: Any,
    labels: Any,
    *,
    n_resamples: int = 25,
    n_init: int = 5,
    random_state: Any = None,
) -> np.ndarray:
    """Measure how well each cluster comes again when the customers are resampled.

    Parameters
    ----------
    points : array or DataFrame
        One row is one customer, as k-means sees it.
    labels : array of int
        The clusters, 0, 1, ..., each of them with at least one customer.
    n_resamples : int, default 25
        How often as many customers are drawn with replacement and clustered anew into as many clusters.
    n_init : int, default 5
        Starts of k-means in each resample.
    random_state : int, RandomState or None
        Seed.

    Returns
    -------
    numpy.ndarray
        One value a cluster, 0 to 1: the mean over resamples of the Jaccard similarity (customers in both
        over customers in either) with the most similar cluster of the resample, over the customers drawn,
        each counted once.

    References
    ----------
    Hennig (2007), Cluster-wise assessment of cluster stability, Computational Statistics & Data Analysis 52.

    Examples
    --------
    >>> points = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    >>> measure_stability(points, [0, 0, 0, 1, 1, 1], random_state=0).tolist()
    [1.0, 1.0]
    """
    values, given = np.asarray(points, dtype="float64"), np.asarray(labels)
    number, rng = int(given.max()) + 1, check_random_state(random_state)
    found = []
    for _ in range(n_resamples):
        drawn, times = np.unique(rng.randint(0, len(values), len(values)), return_counts=True)
        if len(drawn) < number:
            continue
        again = fit_k_means(values[drawn], number, n_init=n_init, rng=rng, weights=times).labels_
        both = np.zeros((number, number))
        np.add.at(both, (given[drawn], again), 1)
        either = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
        best = (both / np.maximum(either, 1)).max(axis=1)
        found.append(np.where(both.sum(axis=1) > 0, best, np.nan))
    if not found:
        return np.full(number, np.nan)
    seen = ~np.isnan(found)
    return np.where(seen, found, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)


def judge_stability(jaccard: float) -> str:
    """Put a cluster's stability in Hennig's words.

    Parameters
    ----------
    jaccard : float
        As from `measure_stability`.

    Returns
    -------
    str
        very stable (.85 or more), stable (.75), a pattern, its edges in doubt (.6), else not to be trusted.

    Examples
    --------
    >>> [judge_stability(value) for value in (0.9, 0.75, 0.6, 0.59)]
    ['very stable', 'stable', 'a pattern, its edges in doubt', 'not to be trusted']
    """
    words = [(VERY_STABLE, "very stable"), (STABLE, "stable"), (TRUSTED, "a pattern, its edges in doubt")]
    return next((word for least, word in words if jaccard >= least), "not to be trusted")


def compare_with_mixture(
    clusterer: Any, features: Any, *, sample_size: int = 5_000, random_state: Any = 0
) -> pd.Series:
    """Compare clusters with those of a Gaussian mixture, a second family of methods, on the same customers.

    Parameters
    ----------
    clusterer : PersonaClusterer
        Fitted.
    features : DataFrame or array
        The customers that it was fitted on.
    sample_size : int, default 5000
        So many customers at the most, drawn at random.
    random_state : int, RandomState or None
        Seed.

    Returns
    -------
    pandas.Series
        `n` customers compared, `n_clusters` of both, `adjusted_rand` (1: the same, 0: as by chance;
        missing where there is one cluster), `share_alike` (0 to 1, the share of customers in the clusters
        that match best).

    Notes
    -----
    The mixture has full covariances and 3 starts, and is given the number of clusters.

    Examples
    --------
    >>> from journeylib.personas.clusters import PersonaClusterer
    >>> rng = np.random.default_rng(0)
    >>> features = np.vstack([rng.normal(0, 1, (60, 2)), rng.normal(9, 1, (60, 2))])
    >>> model = PersonaClusterer(n_clusters=2, random_state=0).fit(features)
    >>> float(compare_with_mixture(model, features)["adjusted_rand"])
    1.0
    """
    points = clusterer.prepare(features)
    labels = clusterer.predict(features)
    rng = check_random_state(random_state)
    if len(points) > sample_size:
        rows = np.sort(rng.choice(len(points), sample_size, replace=False))
        points, labels = points[rows], labels[rows]
    number = int(clusterer.n_clusters_)
    found = {"n": len(points), "n_clusters": number, "adjusted_rand": np.nan, "share_alike": np.nan}
    if number > 1 and len(points) > number:
        mixture = GaussianMixture(number, n_init=3, reg_covar=1e-4, random_state=rng.randint(2**31 - 1))
        other = mixture.fit_predict(points)
        counts = pd.crosstab(labels, other)
        found["adjusted_rand"] = float(adjusted_rand_score(labels, other))
        found["share_alike"] = float(counts.max(axis=1).sum() / len(points))
    return pd.Series(found)


def fit_k_means(
    points: np.ndarray, number: int, *, n_init: int, rng: Any, weights: np.ndarray | None = None
) -> KMeans:
    """Fit k-means from several starts.

    Parameters
    ----------
    points : numpy.ndarray
        One row is one customer.
    number : int
        How many clusters.
    n_init : int
        How many starts; the tightest result is taken.
    rng : RandomState
        Source of randomness.
    weights : numpy.ndarray, optional
        How often each row counts.

    Returns
    -------
    sklearn.cluster.KMeans
        Fitted.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [9.0]])
    >>> int(fit_k_means(points, 2, n_init=2, rng=check_random_state(0)).n_clusters)
    2
    """
    model = KMeans(number, n_init=n_init, random_state=rng.randint(2**31 - 1))
    return model.fit(points, sample_weight=weights)
