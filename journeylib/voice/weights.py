"""Survey weights: rake respondents to known shares, and tell what the weights cost in precision."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from journeylib.evidence import design_effect, kish_effective_n

__all__ = ["describe_weights", "rake_weights"]


def rake_weights(
    responses: pd.DataFrame,
    targets: Mapping[str, Mapping[object, float]],
    *,
    tolerance: float = 1e-8,
    trim_medians: float | None = 5,
    max_iterations: int = 1000,
) -> pd.Series:
    """Weight respondents so that they meet known shares of several columns at once.

    Parameters
    ----------
    responses : pandas.DataFrame
        One row is one respondent of one wave; a column for each target.
    targets : mapping of str to mapping of label to float
        Per column the share, 0 to 1, of each label in the population; the shares of a column sum to 1.
    tolerance : float, default 1e-8
        Largest distance of a weighted share from its target, 0 to 1, that is let pass.
    trim_medians : float or None, default 5
        Weights above this many medians are cut to it once, then raked again, after which some may lie above
        it again, where the targets leave no other way. None: no trimming.
    max_iterations : int, default 1000
        Rounds over all columns before raking gives up.

    Returns
    -------
    pandas.Series
        One weight a respondent, on the index of ``responses``, with mean 1. Respondents with a missing label
        in any target column have no weight (missing), since no target speaks of them. Row order does not
        matter; respondents with the same labels have the same weight.

    Raises
    ------
    ValueError
        If a column is missing, shares do not sum to 1, a label has no target or a share of 0, a target has no
        respondent, or the raking does not settle (targets that contradict each other in the combinations that
        occur).

    Notes
    -----
    Iterative proportional fitting (Deming & Stephan 1940). The trimming at 5 medians is a convention.

    References
    ----------
    Deming & Stephan (1940), Annals of Mathematical Statistics 11:427-444. Kish (1965), Survey Sampling.

    Examples
    --------
    >>> responses = pd.DataFrame({"age": ["young", "old", "old", "old"]})
    >>> rake_weights(responses, {"age": {"young": 0.5, "old": 0.5}}).round(3).tolist()
    [2.0, 0.667, 0.667, 0.667]
    """
    if not targets:
        raise ValueError("targets: none given; expected a mapping of column to label and share")
    absent = [column for column in targets if column not in responses]
    if absent:
        raise ValueError(f"responses: column {absent[0]} has targets but is missing")
    labels = responses[list(targets)]
    complete = labels[labels.notna().all(axis=1)]
    goals = {column: _read_shares(column, shares, complete[column]) for column, shares in targets.items()}
    cells = complete.groupby(list(targets)).size()
    codes = [goal.index.get_indexer(cells.index.get_level_values(column)) for column, goal in goals.items()]
    counts, shares = cells.to_numpy(float), [goal.to_numpy() for goal in goals.values()]
    weights = _rake(np.ones(len(cells)), counts, codes, shares, tolerance, max_iterations)
    if trim_medians is not None:
        ceiling = trim_medians * float(np.median(np.repeat(weights, cells.to_numpy())))
        if weights.max() > ceiling:
            trimmed = np.minimum(weights, ceiling)
            weights = _rake(trimmed, counts, codes, shares, tolerance, max_iterations)
    of_cell = pd.Series(weights, index=cells.index, name="weight").reset_index()
    joined = labels.merge(of_cell, on=list(targets), how="left", validate="many_to_one")
    return pd.Series(joined["weight"].to_numpy(), index=responses.index, name="weight")


def describe_weights(weights: ArrayLike) -> pd.Series:
    """Tell what a set of weights costs in precision.

    Parameters
    ----------
    weights : array_like
        One weight a respondent; missing, infinite, 0 and negative ones are not usable and are counted.

    Returns
    -------
    pandas.Series
        ``n`` (respondents with a usable weight), ``n_without_weight``, ``design_effect`` (Kish: n over
        effective n, 1 = no loss), ``effective_n`` (equally weighted respondents that would tell as much),
        ``smallest``, ``mean``, ``largest`` (missing without a usable weight). Row order does not matter.

    References
    ----------
    Kish (1965), Survey Sampling, chapter 11.

    Examples
    --------
    >>> describe_weights([1, 1, 2, None])[["n", "n_without_weight", "design_effect"]].tolist()
    [3.0, 1.0, 1.125]
    """
    given = pd.to_numeric(pd.Series(np.asarray(weights).ravel())).astype(float)
    usable = np.sort(given[np.isfinite(given) & given.gt(0)].to_numpy())
    has_any = usable.size > 0
    return pd.Series(
        {
            "n": float(usable.size),
            "n_without_weight": float(given.size - usable.size),
            "design_effect": design_effect(usable),
            "effective_n": kish_effective_n(usable),
            "smallest": usable[0] if has_any else np.nan,
            "mean": usable.mean() if has_any else np.nan,
            "largest": usable[-1] if has_any else np.nan,
        },
        name="weights",
    )


def _read_shares(column: str, shares: Mapping[object, float], found: pd.Series) -> pd.Series:
    """Check the target shares of one column against the labels that occur."""
    goal = pd.Series(shares, dtype=float)
    if goal.isna().any() or goal.lt(0).any() or abs(goal.sum() - 1) > 1e-6:
        raise ValueError(
            f"targets of {column}: shares are 0 to 1 and sum to 1, found a sum of {goal.sum():g}"
        )
    goal = goal[goal.gt(0)] / goal.sum()
    untold = sorted(set(found) - set(goal.index), key=str)
    if untold:
        count = int(found.eq(untold[0]).sum())
        raise ValueError(
            f"targets of {column}: {count} respondents are {untold[0]!r}, which has no target above 0"
        )
    empty = sorted(set(goal.index) - set(found), key=str)
    if empty:
        raise ValueError(
            f"targets of {column}: no respondent is {empty[0]!r}, which should be "
            f"{100 * goal[empty[0]]:.1f} % of them; join it with another label"
        )
    return goal


def _rake(
    weights: np.ndarray,
    counts: np.ndarray,
    codes: list[np.ndarray],
    goals: list[np.ndarray],
    tolerance: float,
    max_iterations: int,
) -> np.ndarray:
    """Fit the weights of the cells (combinations of labels) until every margin is met; mean weight 1."""
    people = counts.sum()
    for _ in range(max_iterations):
        for code, goal in zip(codes, goals, strict=True):
            weights = weights * (goal * people / np.bincount(code, weights * counts, goal.size))[code]
        margins = [
            np.bincount(code, weights * counts, goal.size) / people
            for code, goal in zip(codes, goals, strict=True)
        ]
        if max(np.abs(margin - goal).max() for margin, goal in zip(margins, goals, strict=True)) <= tolerance:
            return weights
    raise ValueError(
        f"raking did not settle within {max_iterations} rounds: the targets contradict each other in the "
        "combinations of labels that occur; join labels or drop a column"
    )
