"""Preparation: features on scales that may be compared, without those that say nothing or say it twice."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

__all__ = ["FeaturePreparer"]

#: The spread between the quartiles of a normal variable, in standard deviations.
_QUARTILES = 1.349


class FeaturePreparer(TransformerMixin, BaseEstimator):
    """Prepare features for clustering: counts log1p, extremes drawn in, repetitions dropped, robust scaling.

    One row in is one row out. Missing values are read as the column's median. The order of rows does not
    matter; of two columns that say nearly the same the one that stands first is kept.

    Parameters
    ----------
    winsorise : float, default 0.01
        Share (0 to 0.5) of the values at each end that is drawn in to the quantile there.
    near_constant : float, default 0.95
        A column in which one value has at least this share (0 to 1) of the rows is dropped.
    max_correlation : float, default 0.9
        A column whose correlation with an earlier, kept one is larger than this, in size, is dropped.

    Attributes
    ----------
    dropped_ : pandas.DataFrame
        One row is one dropped column: `feature`, `why` (near constant, repeats), `kept_instead`, `value` (the
        share of the commonest value, or the correlation).
    kept_ : numpy.ndarray
        Numbers of the kept columns.
    is_log_, low_, high_, fill_, centre_, scale_ : numpy.ndarray
        What was learnt for each kept column; `centre_` and `scale_` after log1p.

    Notes
    -----
    log1p is taken of columns without negative values that go beyond 1, which are counts, minutes or days;
    shares stay as they are. A column is scaled by its median and by the spread between its quartiles over
    1.349; where most values are equal, so that this spread is less than half the standard deviation, by the
    standard deviation.

    Examples
    --------
    >>> features = pd.DataFrame({"session_count": [3, 5, 9, 20], "active_days": [3, 5, 9, 20], "seen": 1})
    >>> preparer = FeaturePreparer().fit(features)
    >>> preparer.get_feature_names_out().tolist(), preparer.dropped_["why"].tolist()
    (['session_count'], ['near constant', 'repeats'])
    """

    def __init__(
        self, winsorise: float = 0.01, near_constant: float = 0.95, max_correlation: float = 0.9
    ) -> None:
        self.winsorise = winsorise
        self.near_constant = near_constant
        self.max_correlation = max_correlation

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn which columns to keep, and how to scale them.

        Parameters
        ----------
        X : array or DataFrame
            One row is one customer; numbers, missing values allowed.
        y : None
            Ignored.

        Returns
        -------
        FeaturePreparer
            Itself.
        """
        values = _read(self, X, reset=True)
        names = _check_feature_names_in(self, None)
        filled, self.fill_ = _fill(values)
        # Below 0 nothing is a count; up to 1 it may be a share.
        self.is_log_ = (filled.min(axis=0) >= 0) & (filled.max(axis=0) > 1)
        filled = _take_logs(filled, self.is_log_)
        ends = np.quantile(filled, [self.winsorise, 1 - self.winsorise], axis=0)
        self.low_, self.high_ = ends[0], ends[1]
        filled = np.clip(filled, self.low_, self.high_)
        commonest = np.array([_share_of_commonest(column) for column in filled.T])
        varied = np.flatnonzero((commonest < self.near_constant) & (self.high_ > self.low_))
        constant = [(names[i], "near constant", "", commonest[i]) for i in set(range(len(names))) - {*varied}]
        kept, repeated = _drop_repetitions(filled, varied, names, most=self.max_correlation)
        columns = ["feature", "why", "kept_instead", "value"]
        self.dropped_ = pd.DataFrame([*sorted(constant), *repeated], columns=columns)
        self.kept_ = np.array(kept, dtype="int64")
        for name in ("is_log_", "low_", "high_", "fill_"):
            setattr(self, name, getattr(self, name)[self.kept_])
        self.centre_, self.scale_ = _measure_scale(filled[:, self.kept_])
        return self

    def transform(self, X: Any) -> Any:
        """Prepare rows as learnt.

        Parameters
        ----------
        X : array or DataFrame
            The same columns as in `fit`.

        Returns
        -------
        array or DataFrame
            One row a row, the kept columns; 0 is the median, 1 about one standard deviation.
        """
        check_is_fitted(self)
        values = _read(self, X, reset=False)[:, self.kept_]
        values = _take_logs(np.where(np.isnan(values), self.fill_, values), self.is_log_)
        return (np.clip(values, self.low_, self.high_) - self.centre_) / self.scale_

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the kept columns.

        Parameters
        ----------
        input_features : sequence of str, optional
            Names of the columns, where they had none in `fit`.

        Returns
        -------
        numpy.ndarray
            Names, in order.
        """
        check_is_fitted(self)
        return _check_feature_names_in(self, input_features)[self.kept_]


def _read(preparer: FeaturePreparer, X: Any, *, reset: bool) -> np.ndarray:
    read: np.ndarray = validate_data(
        preparer,
        X,
        dtype="float64",
        ensure_all_finite="allow-nan",
        reset=reset,
        ensure_min_samples=2 if reset else 1,
    )
    return read


def _fill(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put each column's median where a value is missing; a column without any value becomes 0."""
    known = ~np.isnan(values)
    medians = np.array(
        [
            np.median(column[seen]) if seen.any() else 0.0
            for column, seen in zip(values.T, known.T, strict=True)
        ]
    )
    return np.where(known, values, medians), medians


def _take_logs(values: np.ndarray, is_log: np.ndarray) -> np.ndarray:
    """Take log1p of some columns; a negative value among counts that are new is read as 0."""
    return np.where(is_log, np.log1p(np.where(is_log, np.maximum(values, 0.0), 0.0)), values)


def _share_of_commonest(column: np.ndarray) -> float:
    return float(np.unique(column, return_counts=True)[1].max() / len(column))


def _drop_repetitions(
    values: np.ndarray, varied: np.ndarray, names: np.ndarray, *, most: float
) -> tuple[list[int], list[tuple[Any, ...]]]:
    """Keep a column unless it goes with one that is kept already."""
    kept: list[int] = []
    dropped: list[tuple[Any, ...]] = []
    together = (
        np.atleast_2d(np.corrcoef(values[:, varied], rowvar=False)) if len(varied) else np.empty((0, 0))
    )
    for place, column in enumerate(varied):
        with_kept = [(abs(together[place, at]), at) for at, other in enumerate(varied) if other in kept]
        strongest, at = max(with_kept, default=(0.0, 0))
        if strongest > most:
            dropped.append((names[column], "repeats", names[varied[at]], together[place, at]))
        else:
            kept.append(int(column))
    return kept, dropped


def _measure_scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the median and the spread of each column."""
    if not values.shape[1]:
        return np.empty(0), np.empty(0)
    low, centre, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    spread, deviation = (high - low) / _QUARTILES, values.std(axis=0)
    return centre, np.where(spread >= deviation / 2, spread, deviation)
