"""Mix and rate: how much of a change in a total is who came, and how much is how they fared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["split_mix_and_rate"]


def split_mix_and_rate(
    weights_before: pd.Series | Mapping[str, float],
    scores_before: pd.Series | Mapping[str, float],
    weights_now: pd.Series | Mapping[str, float],
    scores_now: pd.Series | Mapping[str, float],
) -> pd.DataFrame:
    """Split the change of a total score into mix (who came) and rate (how they fared).

    Parameters
    ----------
    weights_before, weights_now : pandas.Series or mapping
        Units (or shares) of each segment in each period, by segment label, 0 or more; scaled to sum to 1. A
        segment that is missing, or has weight 0, is absent in that period.
    scores_before, scores_now : pandas.Series or mapping
        Score of each segment in each period, by segment label, in any unit (percent, points).

    Returns
    -------
    pandas.DataFrame
        One row a segment (index ``segment``, sorted by label) and a last row ``""`` for the total:
        ``share_before, share_now`` (0 to 1), ``score_before, score_now``, ``change, mix, rate`` in the
        score's unit. A segment's change is that of its contribution (share times score); its mix and rate sum
        to that, and the segments' to the total's. Input order does not matter.

    Raises
    ------
    ValueError
        If a segment that is present has no score, a weight is negative, a label is empty, or a period has no
        weight at all.

    Notes
    -----
    Midpoint decomposition, exact: mix = (share now - share before) * mean of the two scores, rate = mean of
    the two shares * (score now - score before). A segment that is absent in one period has no score there, so
    nothing can be said about how it fared: the score of the other period stands for both, its rate is 0, and
    its whole contribution is mix.

    References
    ----------
    Kitagawa (1955), Journal of the American Statistical Association 50:1168-1194.

    Examples
    --------
    >>> parts = split_mix_and_rate({"A": 5, "B": 5}, {"A": 40, "B": 0}, {"A": 8, "B": 2}, {"A": 38, "B": -2})
    >>> parts[["change", "mix", "rate"]].round(2)
             change   mix  rate
    segment
    A          10.4  11.7  -1.3
    B          -0.4   0.3  -0.7
               10.0  12.0  -2.0
    """
    before, now = _scale_weights(weights_before, "before"), _scale_weights(weights_now, "now")
    labels = sorted({*before.index, *now.index}, key=lambda label: (str(type(label)), label))
    if any(label == "" for label in labels):
        raise ValueError("a segment has an empty label, which stands for the total: name it")
    parts = pd.DataFrame(index=pd.Index(labels, name="segment", dtype=object))
    parts["share_before"] = before.reindex(labels, fill_value=0.0)
    parts["share_now"] = now.reindex(labels, fill_value=0.0)
    parts["score_before"] = _take_scores(scores_before, parts["share_before"], "before")
    parts["score_now"] = _take_scores(scores_now, parts["share_now"], "now")
    score_before = parts["score_before"].fillna(parts["score_now"])
    score_now = parts["score_now"].fillna(parts["score_before"])
    parts["change"] = parts["share_now"] * score_now - parts["share_before"] * score_before
    parts["mix"] = (parts["share_now"] - parts["share_before"]) * (score_before + score_now) / 2
    parts["rate"] = (parts["share_before"] + parts["share_now"]) / 2 * (score_now - score_before)
    total: dict[str, Any] = {name: math.fsum(parts[name]) for name in ("change", "mix", "rate")}
    total |= {"share_before": 1.0, "share_now": 1.0}
    total["score_before"] = math.fsum(parts["share_before"] * score_before)
    total["score_now"] = math.fsum(parts["share_now"] * score_now)
    parts.loc[""] = pd.Series(total)
    return parts


def _scale_weights(weights: pd.Series | Mapping[str, float], when: str) -> pd.Series:
    """Scale the weights of the segments that are present to sum to 1."""
    given = pd.Series(weights, dtype=float)
    if given.index.has_duplicates:
        raise ValueError(f"a segment is listed twice in the weights {when}: one row a segment")
    if (given < 0).any():
        raise ValueError(f"weights {when} are 0 or more, found {given.min():g} for {given.idxmin()!r}")
    present = given[given > 0]
    if present.empty:
        raise ValueError(f"no segment has any weight {when}: there is no total to split")
    return present / math.fsum(present)


def _take_scores(scores: pd.Series | Mapping[str, float], shares: pd.Series, when: str) -> pd.Series:
    """Take the scores of the segments that are present; missing for the absent ones."""
    found = pd.Series(scores, dtype=float).reindex(shares.index)
    lacking = found.isna() & (shares > 0)
    if lacking.any():
        raise ValueError(
            f"segment {lacking.idxmax()!r} has weight but no score {when}: give it or leave out both"
        )
    return found.where(shares > 0, np.nan)
