"""Chain order: whether the next step depends on the present one alone."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from scipy import special

from journeylib.journey.engine import collect_table
from journeylib.journey.frames import Events
from journeylib.journey.sequences import number_states
from journeylib.journey.step_matrix import _name_periods

__all__ = ["compare_chain_orders"]

_ALPHA = 0.05
_FEW = 5


def compare_chain_orders(
    events: Events,
    *,
    column: str = "touchpoint",
    unit: str = "sessions",
    collapse: bool = False,
    periods: Mapping[str, tuple[int, int]] | None = None,
) -> pd.DataFrame:
    """Compare a first-order with a second-order chain by the likelihood-ratio test.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        As for `count_steps`. Row order does not matter.
    column, unit, collapse, periods
        As for `count_steps`.

    Returns
    -------
    pandas.DataFrame
        One row is one period: `which`, `n` (steps that have a present and an earlier state), `states`,
        `statistic` (G squared), `df`, `p_value`, `gain_bits` (by how many bits a step the state before last
        narrows down the next, less what chance alone would give), `sparse_share` (percent of cells where
        fewer than 5 steps are expected; the p-value is rough where it is high), `verdict` (`first order is
        enough`, `first order is not enough` at 5 %, or `not tested` where nothing could differ) and
        `unit_of_analysis`.

    Raises
    ------
    ValueError
        As for `count_steps`.

    Notes
    -----
    The null is that the next state depends on the present one alone; (start) and (end) are states like
    others. df counts only what was seen: for each present state (states before it - 1) x (states after
    it - 1). With many steps a difference too small to matter gives a small p: look at `gain_bits` too.

    References
    ----------
    Anderson & Goodman (1957), Annals of Mathematical Statistics 28:89-110.

    Examples
    --------
    >>> from journeylib.journey.sessions import split_into_sessions
    >>> customers = [f"c{i}" for i in range(80) for _ in range(3)]
    >>> names = [name for i in range(80) for name in (["a", "x", "a"] if i % 2 else ["b", "x", "b"])]
    >>> events = pd.DataFrame({"customer": customers, "occurred_at": range(240), "name": names})
    >>> compare_chain_orders(split_into_sessions(events), column="name")["verdict"].tolist()
    ['first order is not enough']
    """
    rows = []
    for which, period in _name_periods(periods).items():
        states = number_states(events, column=column, unit=unit, period=period, collapse=collapse)
        shift = [nw.col("_state").shift(k).over("_unit", order_by="_step").fill_null(0) for k in (1, 2)]
        lagged = states.frame.with_columns(shift[0].cast(nw.Int64).alias("_j"))
        lagged = lagged.with_columns(shift[1].cast(nw.Int64).alias("_i"))
        third = nw.when(nw.col("_step") > 1).then(nw.col("_i")).otherwise(-1).cast(nw.Int64)
        counted = lagged.with_columns(third.alias("_i")).group_by("_i", "_j", "_state")
        counts = collect_table(
            counted.agg(nw.len().cast(nw.Int64).alias("n")), order_by=["_i", "_j", "_state"]
        )
        triples = _list_triples(counts.rename(columns={"_i": "i", "_j": "j", "_state": "k"}))
        rows.append({"which": which, **_test_order(triples), "unit_of_analysis": unit})
    return pd.DataFrame(rows)


def _list_triples(counts: pd.DataFrame) -> pd.DataFrame:
    """Count triples of states from counts of events by the two states before them; -2 is the end.

    In `counts` i is -1 where an event is the first of its unit, and then j is 0, the start. A pair that is
    come to more often than it is left ends there.
    """
    came = counts.groupby(["j", "k"])["n"].sum().rename_axis(["i", "j"])
    followed = counts[counts["i"] >= 0]
    left = followed.groupby(["i", "j"])["n"].sum()
    ends = came.sub(left, fill_value=0).astype("int64").rename("n").reset_index().assign(k=-2)
    return pd.concat([followed, ends[ends["n"] > 0]], ignore_index=True)[["i", "j", "k", "n"]]


def _test_order(triples: pd.DataFrame) -> dict[str, object]:
    """Test, from counts of triples (i, j, k), whether k depends on i once j is known."""
    n, statistic, df, sparse, cells = 0, 0.0, 0, 0, 0
    here, counts = triples[["i", "j", "k"]].to_numpy("int64"), triples["n"].to_numpy(float)
    present = np.unique(here[:, 1])
    for state in present:
        rows = here[:, 1] == state
        before, row = np.unique(here[rows, 0], return_inverse=True)
        after, column = np.unique(here[rows, 2], return_inverse=True)
        seen = np.zeros((len(before), len(after)))
        seen[row, column] = counts[rows]
        expected = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / seen.sum()
        n += int(seen.sum())
        if len(before) > 1 and len(after) > 1:
            statistic += 2 * float(special.xlogy(seen, seen / expected).sum())
            df += (len(before) - 1) * (len(after) - 1)
            sparse, cells = sparse + int((expected < _FEW).sum()), cells + expected.size
    p_value = float(special.chdtrc(df, statistic)) if df else np.nan
    verdict = "first order is enough" if p_value > _ALPHA else "first order is not enough"
    return {
        "n": n,
        "states": int((present > 0).sum()),
        "statistic": statistic if df else np.nan,
        "df": df,
        "p_value": p_value,
        "gain_bits": max(statistic - df, 0.0) / (2 * n * np.log(2)) if df else np.nan,
        "sparse_share": 100 * sparse / cells if cells else np.nan,
        "verdict": verdict if df else "not tested",
    }
