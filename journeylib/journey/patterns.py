"""Patterns: closed sequential patterns, and which of them go with converting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from journeylib.evidence.changes import adjust_p_values, compare_estimates
from journeylib.evidence.estimates import covariance, estimate_from_sums
from journeylib.journey.frames import Events
from journeylib.journey.pattern_mining import Pattern, holds_pattern, mine_closed_patterns
from journeylib.journey.sequences import count_sequences, number_states
from journeylib.journey.steps import parse_steps

__all__ = ["find_patterns"]

_ALPHA = 0.05
_LENGTHS = (1, 2, 3, 4, 5, 6, 8, 11, 16, 23, 32, 46)  # where strata of the number of steps begin
_CHANGES = {
    "change": "difference",
    "change_low": "difference_low",
    "change_high": "difference_high",
    "p_value": "p_value",
}
_COLUMNS = [
    "pattern", "length", "n", "support", "n_converted", "n_other", "share_converted", "share_other",
    "difference", "difference_low", "difference_high", "p_value", "q_value", "goes_with", "unit_of_analysis",
]  # fmt: skip


def find_patterns(
    events: Events,
    *,
    conversion: str,
    column: str = "touchpoint",
    unit: str = "people",
    gaps: bool = False,
    collapse: bool = False,
    min_support: float = 5.0,
    longest: int = 4,
    most_steps: int = 60,
    most_shown: int = 50,
    most_candidates: int = 20_000,
    period: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """Find closed sequential patterns, with support and the difference between converted and others.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event; after `split_into_sessions` where the unit is sessions. Row order does not
        matter.
    conversion : str
        A touchpoint, `event:NAME` or `stage:NAME`; of units that have it, only what came before the first
        such event is looked at.
    column : str
        What patterns are made of; missing or empty is the state `(unmapped)`.
    unit : str
        `people` (events without a customer are left out) or `sessions`.
    gaps : bool
        False: the steps of a pattern follow each other directly. True: anything may come between them.
    collapse : bool
        Count a run of the same state once.
    min_support : float
        Percent of all units that must hold a pattern, above 0.
    longest : int
        Steps of the longest pattern; closed means closed among patterns of up to so many steps.
    most_steps : int
        Steps of a unit that are looked at, from its first.
    most_shown : int
        Patterns to show, those with the highest support.
    most_candidates : int
        Patterns to count at most; more are refused rather than left out silently.
    period : tuple, optional
        (start, end) in microseconds UTC, [start, end): people's events in it, or sessions that start in it.

    Returns
    -------
    pandas.DataFrame
        One row is one pattern: `pattern` (tuple), `length`, `n` (units that hold it, however often),
        `support` (percent of all units), `n_converted` and `n_other` (units that hold it), `share_converted`
        and `share_other` (percent of the converted, and of the others with as many steps, that hold it),
        `difference` (points) with `difference_low`, `difference_high`, `p_value`, `q_value`, `goes_with`
        (`conversion`, `no conversion`, or empty where it can't be told from noise) and `unit_of_analysis`.
        The highest support first, then longer, then by name.

    Raises
    ------
    ValueError
        Where a column is missing, an option is out of range, no unit converted, or more patterns than
        `most_candidates` reach the support.

    Notes
    -----
    Closed: no longer pattern that contains it is held by just as many units. A conversion ends what is looked
    at, and the more steps, the more patterns: so both shares are over units with the same number of steps, in
    strata (1 to 5, 6-7, 8-10, 11-15, ...) with Mantel-Haenszel weights; strata with one side only count for
    neither. Newcombe's interval and the score test on the effective n (Kish; for sessions by person too).
    q: Benjamini-Hochberg over all rows shown, which are chosen by support, not by difference. `goes_with`
    needs q at most 5 % and an interval without 0; it says what goes together, not what causes.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": list("aaabb"), "occurred_at": range(5),
    ...     "touchpoint": ["search", "page", "till", "search", "help"], "name": "x"})
    >>> found = find_patterns(events, conversion="till")
    >>> found[["pattern", "n", "share_converted", "share_other"]].values.tolist()[:2]
    [[('search',), 2, 100.0, 100.0], [('search', 'help'), 1, 0.0, 100.0]]
    """
    if not 0 < min_support <= 100 or longest < 1 or most_shown < 1:
        raise ValueError(
            "min_support must be above 0 and at most 100 percent, longest and most_shown 1 or more, found "
            f"{min_support}, {longest}, {most_shown}"
        )
    step = parse_steps([conversion])[0]
    states = number_states(
        events, column=column, unit=unit, period=period, conversion=step, collapse=collapse
    )
    counted = count_sequences(states, most=most_steps, by_person=unit == "sessions")
    if len(counted) and not counted["converted"].any():
        raise ValueError(f"no {unit} converted: no event that counts matches {conversion!r}")
    units = counted.groupby("sequence", sort=False)["n"].sum().sort_index()
    needed = min_support / 100 * counted["n"].sum()
    sequences, weights = list(units.index), units.tolist()
    closed = mine_closed_patterns(
        sequences, weights, needed=needed, longest=longest, gaps=gaps, most_candidates=most_candidates
    )
    shown = sorted(closed, key=lambda pattern: (-closed[pattern], -len(pattern), pattern))[:most_shown]
    held = np.array([[holds_pattern(path, pattern, gaps=gaps) for path in sequences] for pattern in shown])
    numbers = counted["sequence"].map({path: row for row, path in enumerate(sequences)}).to_numpy("int64")
    return _compare(counted, shown, held[:, numbers] if shown else held, unit)


def _compare(counted: pd.DataFrame, shown: list[Pattern], held: np.ndarray, unit: str) -> pd.DataFrame:
    """Compare the share of the converted that hold each pattern with that of others as long."""
    won, n = counted["converted"].to_numpy(bool), counted["n"].to_numpy("int64")
    weights = _weigh_lengths(counted)
    people = counted["person"].to_numpy() if "person" in counted else None
    rows, now, before = [], [], []
    for pattern, holds in zip(shown, held, strict=True):
        both = [_estimate(holds, n * (won == side), weights, people) for side in (True, False)]
        has_sums = len(both[0][1]) and len(both[1][1])  # a row a person, where persons matter
        shared = covariance("share", both[0][1], both[1][1]) if has_sums else 0.0
        now.append(both[0][0])
        before.append({**both[1][0], "covariance": shared})
        counts = {"n": int(n[holds].sum()), "n_converted": int(n[holds & won].sum())}
        rows.append({"pattern": pattern, "length": len(pattern), **counts})
    names = ["value", "n_effective", "kind", "covariance"]
    sides = [pd.DataFrame(side, columns=names) for side in (now, before)]
    table = pd.DataFrame(rows, columns=["pattern", "length", "n", "n_converted"])
    table = table.assign(support=100 * table["n"] / (n.sum() or 1), n_other=table["n"] - table["n_converted"])
    table = table.assign(share_converted=sides[0]["value"], share_other=sides[1]["value"])
    change = compare_estimates(*sides) if shown else pd.DataFrame(columns=list(_CHANGES), dtype=float)
    table = pd.concat([table, change.rename(columns=_CHANGES)], axis=1).assign(unit_of_analysis=unit)
    table["q_value"] = adjust_p_values(table["p_value"])
    sure = (table["q_value"] <= _ALPHA) & (table["difference_low"] * table["difference_high"] > 0)
    words = np.where(table["difference"] > 0, "conversion", "no conversion")
    table["goes_with"] = pd.Series(words, table.index).where(sure, "")
    return table[_COLUMNS]


def _weigh_lengths(counted: pd.DataFrame) -> np.ndarray:
    """Weigh units so that converted and others have the same mix of lengths (Mantel-Haenszel weights)."""
    length = np.searchsorted(_LENGTHS, counted["sequence"].map(len).to_numpy("int64"), side="right")
    won, n = counted["converted"].to_numpy(bool), counted["n"].to_numpy(float)
    sides = [
        np.bincount(length, n * (won == side), len(_LENGTHS) + 1).astype(float) for side in (True, False)
    ]
    total = sides[0] + sides[1]
    shared = np.divide(sides[0] * sides[1], total, out=np.zeros_like(total), where=total > 0)
    each = [np.divide(shared, side, out=np.zeros_like(side), where=side > 0) for side in sides]
    return np.where(won, each[0][length], each[1][length])


def _estimate(
    holds: np.ndarray, n: np.ndarray, weights: np.ndarray, people: np.ndarray | None
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Estimate one side's share, with its effective n, and its sums per person where persons matter."""
    weighted = n * weights
    if not weighted.sum():
        return {"value": np.nan, "n_effective": 0.0, "kind": "share"}, pd.DataFrame()
    if people is None:
        share, kish = 100 * weighted[holds].sum() / weighted.sum(), weighted.sum() ** 2
        kish /= (weighted * weights).sum()
        return {"value": float(share), "n_effective": float(kish), "kind": "share"}, pd.DataFrame()
    each = pd.DataFrame({"total": weighted * holds, "units": weighted, "count": n}).groupby(people).sum()
    each = each[each["units"] > 0]
    found = estimate_from_sums("share", each["total"], each["units"], counts=each["count"])
    return {name: found[name] for name in ("value", "n_effective", "kind")}, each
