"""Suppression: small bases are hidden, and so is what would give them away."""

from __future__ import annotations

import math
from collections import defaultdict

import pandas as pd

__all__ = ["suppress_small_bases"]

_HIDDEN = [
    "value",
    "low",
    "high",
    "n",
    "n_effective",
    "spread",
    "promoters",
    "detractors",
    "covariance",
    "change",
    "change_low",
    "change_high",
    "p_value",
    "q_value",
    "year_ago_change",
    "year_ago_low",
    "year_ago_high",
]
_PLACE = ["period", "chapter", "which", "metric", "stage", "touchpoint", "unit_of_analysis", "item"]


def suppress_small_bases(findings: pd.DataFrame, *, minimum_base: int = 10) -> pd.DataFrame:
    """Hide rows on too few units, and the cells from which a total would give them away.

    Parameters
    ----------
    findings : pandas.DataFrame
        One row a metric in one place, with ``n`` and ``segment`` (``column=label``, empty for the total) and
        whatever else of the measure table or of findings is there; ``kind`` (or ``unit``) tells counts. Rows
        that ``suppressed`` already marks stay hidden.
    minimum_base : int
        Units below which a row is hidden.

    Returns
    -------
    pandas.DataFrame
        The same rows in the same order. ``suppressed`` tells which rows are hidden; these have value,
        interval, n, effective n and what is computed from them missing. Row order does not change which.

    Notes
    -----
    Hidden in its own right: a base under the minimum, or a missing base under a value; a count from 1 to the
    minimum less 1 (a count of 0 is shown). Hidden with it: where the total of the same metric, place and
    period is shown, labels of one segment column (and likewise personas) are hidden from the smallest base
    on, ties by label, until at least two are hidden and they hold the minimum base together; else total minus
    shown cells would give a small base away. A label without units protects nobody and is not one of the two.

    Examples
    --------
    >>> table = pd.DataFrame({"metric": "nps", "segment": ["", "plan=a", "plan=b", "plan=c"],
    ...     "value": [30.0, 10.0, 20.0, 40.0], "n": [160, 4, 56, 100]})
    >>> suppress_small_bases(table)[["segment", "value", "n", "suppressed"]]
      segment  value      n  suppressed
    0           30.0  160.0       False
    1  plan=a    NaN    NaN        True
    2  plan=b    NaN    NaN        True
    3  plan=c   40.0  100.0       False
    """
    result = findings.copy()
    n = result["n"].astype(float)
    given = result["suppressed"] if "suppressed" in result else pd.Series(False, index=result.index)
    hidden = given.where(given.notna(), False).astype(bool) | _find_small(result, n, minimum_base)
    known = -1.0
    while known != hidden.sum():
        known = float(hidden.sum())
        for along in ("segment", "persona"):
            hidden = _hide_complements(result, n, hidden, minimum_base, along=along)
    result["suppressed"] = hidden
    for name in _HIDDEN:
        if name in result:
            result[name] = result[name].astype(float).mask(hidden)
    return result


def _find_small(table: pd.DataFrame, n: pd.Series, minimum_base: int) -> pd.Series:
    """Mark the rows whose own base is too small."""
    kind, unit = (
        table[name] if name in table else pd.Series("", index=table.index) for name in ("kind", "unit")
    )
    empty_count = ((kind == "count") | (unit == "count")) & (n == 0)
    unknown = n.isna() & table["value"].notna() if "value" in table else n.isna()
    return ((n < minimum_base) & ~empty_count) | unknown


def _hide_complements(
    table: pd.DataFrame, n: pd.Series, hidden: pd.Series, minimum_base: int, *, along: str
) -> pd.Series:
    """Mark the labels that have to go along with hidden ones, per place and segment column (or persona)."""
    if along not in table or table.empty:
        return hidden
    labels = table[along].astype(object).fillna("").astype(str).tolist()
    names = [name for name in (*_PLACE, "segment", "persona") if name in table and name != along]
    places = table[names].astype(object).fillna("").assign(everywhere=0)
    numbers = places.groupby(list(places), sort=False).ngroup().tolist()
    bases, out = n.tolist(), hidden.tolist()
    totals, groups = set(), defaultdict(list)
    for row, (place, label) in enumerate(zip(numbers, labels, strict=True)):
        if label:
            groups[place, label.partition("=")[0] if along == "segment" else ""].append(row)
        elif not out[row]:
            totals.add(place)
    for (place, _), rows in groups.items():
        if place in totals:
            cells = [(bases[row], labels[row], row) for row in rows]
            for row in _choose_complements(cells, out, minimum_base):
                out[row] = True
    return pd.Series(out, index=table.index, dtype=bool)


def _choose_complements(
    cells: list[tuple[float, str, int]], hidden: list[bool], minimum_base: int
) -> list[int]:
    """Choose the next smallest labels until the hidden ones can't be told from the total."""
    gone = [base for base, _, row in cells if hidden[row] and base != 0]
    count, behind = len(gone), math.inf if any(map(math.isnan, gone)) else sum(gone)
    chosen: list[int] = []
    for base, _, row in sorted(cell for cell in cells if not hidden[cell[2]] and cell[0] > 0):
        if count == 0 or (count >= 2 and behind >= minimum_base):
            break
        chosen.append(row)
        count, behind = count + 1, behind + base
    return chosen
