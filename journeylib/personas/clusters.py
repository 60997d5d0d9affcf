"""Clusters of customers who behave alike, as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from journeylib.personas.choosing import Choice, choose_number, measure_candidates
from journeylib.personas.components import SharedPatterns
from journeylib.personas.preparation import FeaturePreparer

__all__ = ["PersonaClusterer"]


class PersonaClusterer(ClusterMixin, TransformerMixin, BaseEstimator):
    """Group customers by what they do; the number of groups may be chosen, and may turn out to be one.

    k-means on prepared features and their shared patterns. One row is one customer. The same customers in
    another order get the same labels; label 0 is the largest group. Missing values are read as the median.

    Parameters
    ----------
    n_clusters : "auto" or int, default "auto"
        How many groups; `auto` chooses from 2 to `max_clusters` by the rule in `choosing.RULE`, and gives one
        group, labels 0, where no number may be trusted.
    max_clusters : int, default 8
        The most groups that `auto` tries; fewer where a group would have fewer than ten customers on average.
    min_share : float, default 0.05
        The smallest share (0 to 1) of the customers that a group of `auto` may hold.
    preparer : transformer, "passthrough" or None
        What prepares the features; None is `FeaturePreparer()`, "passthrough" takes them as they are.
    use_patterns : bool, default True
        Whether to cluster on the features' shared patterns (`SharedPatterns`), or on each feature.
    n_init : int, default 25
        Starts of k-means.
    sample_size : int, default 4000
        With more customers, number, starts and stability are settled on so many, drawn at random, and k-means
        goes on from there with all.
    random_state : int, RandomState or None
        Seed. The same seed and customers give the same labels.

    Attributes
    ----------
    labels_ : numpy.ndarray
        Group of each row, 0, 1, ...
    n_clusters_ : int
        How many groups there are.
    cluster_centers_ : numpy.ndarray
        One row a group, in the space in which distances are taken.
    stability_ : numpy.ndarray
        Bootstrap Jaccard similarity of each group (`measure_stability`); 1 where there is one group.
    choice_ : pandas.DataFrame
        The candidates with what the rule looks at; empty where no number could be tried.
    reason_ : str
        Why so many, in a sentence.
    preparer_, patterns_ : transformers
        As fitted; None where not used.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> centres = np.repeat([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]], [60, 50, 40], axis=0)
    >>> model = PersonaClusterer(random_state=0).fit(centres + rng.normal(size=(150, 2)))
    >>> model.n_clusters_, np.bincount(model.labels_).tolist()
    (3, [60, 50, 40])
    """

    def __init__(
        self,
        n_clusters: Any = "auto",
        *,
        max_clusters: int = 8,
        min_share: float = 0.05,
        preparer: Any = None,
        use_patterns: bool = True,
        n_init: int = 25,
        sample_size: int = 4_000,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.max_clusters = max_clusters
        self.min_share = min_share
        self.preparer = preparer
        self.use_patterns = use_patterns
        self.n_init = n_init
        self.sample_size = sample_size
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: missing values are welcome where the preparer fills them."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.preparer is None
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the groups.

        Parameters
        ----------
        X : array or DataFrame
            One row is one customer, such as from `build_features`; numbers.
        y : None
            Ignored.

        Returns
        -------
        PersonaClusterer
            Itself.

        Raises
        ------
        ValueError
            Where there are fewer than two customers, or fewer than `n_clusters`.
        """
        if getattr(X, "shape", (1,))[0] == 0:
            raise ValueError("there are no customers to group: the table of features has no rows")
        values = self._read(X, reset=True)
        self._check_number(len(values))
        rng = check_random_state(self.random_state)
        order = _order_rows(values)
        with threadpool_limits(limits=1):  # several threads would add in an order of their own
            prepared, points = self._fit_preparation(self._name(values[order]), rng)
            rows = np.arange(len(points))
            if len(rows) > self.sample_size:
                rows = np.sort(rng.choice(rows, self.sample_size, replace=False))
            chosen = self._choose(prepared[rows], points[rows], rng)
            self._settle(points, chosen, is_sample=len(rows) < len(points))
        self.labels_ = np.empty(len(values), dtype="int64")
        self.labels_[order] = _find_nearest(points, self.cluster_centers_)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Put customers into the groups that were found, those of another quarter too.

        Parameters
        ----------
        X : array or DataFrame
            The same columns as in `fit`.

        Returns
        -------
        numpy.ndarray
            The nearest group of each row.
        """
        return _find_nearest(self.prepare(X), self.cluster_centers_)

    def transform(self, X: Any) -> Any:
        """Measure how far customers are from the centre of each group.

        Parameters
        ----------
        X : array or DataFrame
            The same columns as in `fit`.

        Returns
        -------
        array or DataFrame
            One row a customer, one column a group.
        """
        return (
            cdist(self.prepare(X), self.cluster_centers_)
            if self.cluster_centers_.shape[1]
            else (np.zeros((len(X), 1)))
        )

    def prepare(self, X: Any) -> np.ndarray:
        """Bring customers to the space in which distances are taken.

        Parameters
        ----------
        X : array or DataFrame
            The same columns as in `fit`.

        Returns
        -------
        numpy.ndarray
            One row a customer, one column a shared pattern or a prepared feature.
        """
        check_is_fitted(self)
        found: Any = self._name(self._read(X, reset=False))
        for step in (self.preparer_, self.patterns_):
            found = found if step is None else step.transform(found)
        return np.asarray(found, dtype="float64")

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns of `transform`.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        numpy.ndarray
            `distance_to_cluster_0` and so on.
        """
        check_is_fitted(self)
        return np.array([f"distance_to_cluster_{number}" for number in range(self.n_clusters_)], dtype=object)

    def _read(self, X: Any, *, reset: bool) -> np.ndarray:
        finite: Any = "allow-nan" if self.preparer is None else True
        least = 2 if reset else 1
        read: np.ndarray = validate_data(
            self, X, dtype="float64", ensure_all_finite=finite, ensure_min_samples=least, reset=reset
        )
        return read

    def _name(self, values: np.ndarray) -> Any:
        names = getattr(self, "feature_names_in_", None)
        return values if names is None else pd.DataFrame(values, columns=names)

    def _check_number(self, n: int) -> None:
        if self.n_clusters == "auto":
            return
        if not isinstance(self.n_clusters, (int, np.integer)) or self.n_clusters < 1:
            raise ValueError(f"n_clusters={self.n_clusters!r}: expected 'auto' or a whole number from 1 up")
        if self.n_clusters > n:
            raise ValueError(f"n_clusters={self.n_clusters} groups can't be made of n_samples={n} customers")

    def _fit_preparation(self, values: Any, rng: Any) -> tuple[np.ndarray, np.ndarray]:
        """Fit the steps before k-means; return prepared features and points."""
        self.preparer_, self.patterns_ = None, None
        if self.preparer != "passthrough":
            self.preparer_ = FeaturePreparer() if self.preparer is None else clone(self.preparer)
            values = self.preparer_.fit_transform(values)
        prepared = np.asarray(values, dtype="float64")
        if not self.use_patterns or not prepared.shape[1]:
            return prepared, prepared
        seed = rng.randint(2**31 - 1)
        self.patterns_ = SharedPatterns(sample_size=self.sample_size, random_state=seed)
        return prepared, np.asarray(self.patterns_.fit_transform(values), dtype="float64")

    def _choose(self, prepared: np.ndarray, points: np.ndarray, rng: Any) -> Choice:
        """Settle how many groups there are, and where they roughly lie."""
        different = len(np.unique(points, axis=0)) if points.shape[1] else 1
        if self.n_clusters != "auto":
            number = min(int(self.n_clusters), different)
            if number == 1:
                return _choose_one(
                    "One group, as asked for." if self.n_clusters == 1 else "No groups: all alike."
                )
            chosen = measure_candidates(points, [number], n_init=self.n_init, rng=rng)
            return chosen._replace(reason=f"{number} groups, as asked for.")
        most = min(self.max_clusters, len(points) // 10, different)
        if most < 2:
            why = "fewer than 20 customers are too few" if len(points) < 20 else "all customers are alike"
            return _choose_one(f"No groups: {why}.")
        return choose_number(
            points, prepared, range(2, most + 1), n_init=self.n_init, min_share=self.min_share, rng=rng
        )

    def _settle(self, points: np.ndarray, chosen: Choice, *, is_sample: bool) -> None:
        """Keep the groups that were chosen, the largest first."""
        self.n_clusters_, self.reason_, self.choice_ = chosen.number, chosen.reason, chosen.table
        if chosen.number == 1:
            self.cluster_centers_, self.stability_ = points.mean(axis=0, keepdims=True), np.ones(1)
            return
        centres = chosen.centres[chosen.number]
        if is_sample:
            centres = KMeans(chosen.number, init=centres, n_init=1).fit(points).cluster_centers_
        sizes = np.bincount(_find_nearest(points, centres), minlength=chosen.number)
        order = np.lexsort([*centres.T[::-1], -sizes])
        self.cluster_centers_, self.stability_ = centres[order], chosen.jaccard[chosen.number][order]


def _choose_one(reason: str) -> Choice:
    return Choice(1, reason, pd.DataFrame(), {}, {})


def _find_nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    if not centres.shape[1]:
        return np.zeros(len(points), dtype="int64")
    nearest: np.ndarray = cdist(points, centres).argmin(axis=1).astype("int64")
    return nearest


def _order_rows(values: np.ndarray) -> np.ndarray:
    """Return an order of rows that depends on what stands in them alone, not on how they came."""
    mixed = np.zeros(len(values), dtype="uint64")
    for column in np.where(np.isnan(values), np.inf, values + 0.0).T:  # + 0.0 makes one zero of two
        mixed = (mixed ^ np.ascontiguousarray(column).view("uint64")) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.argsort(mixed, kind="stable")
