"""Shared patterns: what several features say together, each pattern counted once."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["SharedPatterns", "find_patterns", "permute_columns"]


class SharedPatterns(TransformerMixin, BaseEstimator):
    """Keep the principal components that are stronger than in column-permuted data, all at equal weight.

    Most features of a customer table are noise for the question at hand, and some themes have ten features
    where others have one. Distances over all features would count a theme as often as it has features, and
    drown in the noise. A component that is no stronger than where each column was shuffled by itself is
    dropped (Horn's parallel analysis); those that remain get standard deviation 1. Where there are few
    features, or none go together, all are kept as they are. Row order matters for the shuffling alone.

    Parameters
    ----------
    few_features : int, default 6
        With so many features or fewer nothing is changed.
    n_permutations : int, default 20
        How often the columns are shuffled.
    sample_size : int, default 5000
        The shuffling is done on so many rows at the most.
    random_state : int, RandomState or None
        Seed of sample and shuffling.

    Attributes
    ----------
    n_patterns_ : int
        How many components are kept; 0 where the features are kept as they are.
    centre_ : numpy.ndarray
        The columns' means.
    weights_ : numpy.ndarray or None
        One column a component: what each feature adds to it.

    References
    ----------
    Horn (1965), A rationale and test for the number of factors in factor analysis, Psychometrika 30.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> theme = rng.normal(size=(300, 1))
    >>> features = np.hstack([theme + rng.normal(size=(300, 5)), rng.normal(size=(300, 5))])
    >>> SharedPatterns(random_state=0).fit(features).n_patterns_
    1
    """

    def __init__(
        self,
        few_features: int = 6,
        n_permutations: int = 20,
        sample_size: int = 5_000,
        random_state: Any = None,
    ) -> None:
        self.few_features = few_features
        self.n_permutations = n_permutations
        self.sample_size = sample_size
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn which patterns are stronger than chance.

        Parameters
        ----------
        X : array or DataFrame
            One row is one customer, columns prepared, nothing missing.
        y : None
            Ignored.

        Returns
        -------
        SharedPatterns
            Itself.
        """
        values = validate_data(self, X, dtype="float64", ensure_min_samples=2, ensure_min_features=1)
        self.centre_, self.weights_, self.n_patterns_ = values.mean(axis=0), None, 0
        if values.shape[1] <= self.few_features:
            return self
        rng = check_random_state(self.random_state)
        rows = np.arange(len(values))
        if len(rows) > self.sample_size:
            rows = np.sort(rng.choice(rows, self.sample_size, replace=False))
        strength = _list_strengths(values[rows])
        by_chance = [_list_strengths(permute_columns(values[rows], rng)) for _ in range(self.n_permutations)]
        stronger = strength > np.max(by_chance, axis=0)
        self.n_patterns_ = int(np.logical_and.accumulate(stronger).sum())
        if self.n_patterns_:
            self.weights_ = find_patterns(values, self.n_patterns_)
        return self

    def transform(self, X: Any) -> Any:
        """Return each row's place on the patterns.

        Parameters
        ----------
        X : array or DataFrame
            The same columns as in `fit`.

        Returns
        -------
        array or DataFrame
            One column a pattern, standard deviation 1 in the rows of `fit`; the features where no pattern is
            kept.
        """
        check_is_fitted(self)
        values = validate_data(self, X, dtype="float64", reset=False)
        return values if self.weights_ is None else (values - self.centre_) @ self.weights_

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the patterns.

        Parameters
        ----------
        input_features : sequence of str, optional
            Names of the columns, where they had none in `fit`.

        Returns
        -------
        numpy.ndarray
            `pattern_0` and so on; the features' names where they are kept as they are.
        """
        check_is_fitted(self)
        if self.weights_ is not None:
            return np.array([f"pattern_{number}" for number in range(self.n_patterns_)], dtype=object)
        given = getattr(self, "feature_names_in_", input_features)
        names = [f"x{number}" for number in range(len(self.centre_))] if given is None else list(given)
        return np.array(names, dtype=object)


def find_patterns(values: np.ndarray, number: int) -> np.ndarray:
    """Find the strongest principal components.

    Parameters
    ----------
    values : numpy.ndarray
        One row is one customer.
    number : int
        How many.

    Returns
    -------
    numpy.ndarray
        One column a component; `(values - mean) @ it` has standard deviation 1. The largest weight is
        positive.

    Examples
    --------
    >>> find_patterns(np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]]), 1).round(3).tolist()
    [[0.5], [0.0]]
    """
    strengths, directions = np.linalg.eigh(np.cov(values, rowvar=False))
    order = np.argsort(-strengths, kind="stable")[:number]
    directions = directions[:, order]
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(number)]
    weights: np.ndarray = directions * np.sign(largest) / np.sqrt(np.maximum(strengths[order], 1e-12))
    return weights


def permute_columns(values: np.ndarray, rng: Any) -> np.ndarray:
    """Shuffle each column by itself, so that nothing goes together but by chance.

    Parameters
    ----------
    values : numpy.ndarray
        One row is one customer.
    rng : numpy Generator or RandomState
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        The same values in each column, in another order.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sorted(permute_columns(np.array([[1.0], [2.0]]), rng).ravel().tolist())
    [1.0, 2.0]
    """
    return np.column_stack([rng.permutation(column) for column in values.T])


def _list_strengths(values: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(np.cov(values, rowvar=False))[::-1]
