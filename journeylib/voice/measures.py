"""The table that measurements come in: one row, one metric at one place in one period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

__all__ = ["MEASURE_COLUMNS", "build_measures"]

_TEXTS = (
    "metric",
    "stage",
    "touchpoint",
    "persona",
    "segment",
    "item",
    "unit_of_analysis",
    "which",
    "method",
    "kind",
)
_NUMBERS = ("value", "low", "high", "n_effective", "spread", "promoters", "detractors", "covariance")
MEASURE_COLUMNS = [
    *_TEXTS[:8],
    "value",
    "low",
    "high",
    "n",
    "n_effective",
    "method",
    "kind",
    *_NUMBERS[4:],
    "note",
]


def build_measures(
    rows: Iterable[Mapping[Any, Any]], *, texts: Sequence[str] = (), counts: Sequence[str] = ()
) -> pd.DataFrame:
    """Lay measurements out as one table with fixed columns and types.

    Parameters
    ----------
    rows : iterable of mapping
        One mapping a measurement; a dimension that is absent is "".
    texts, counts : sequence of str
        Names of further columns that hold text or whole numbers.

    Returns
    -------
    pandas.DataFrame
        One row is one measurement, in the given order; ``MEASURE_COLUMNS`` and the further columns. Without
        rows the table is empty and has the same columns and types.

    Examples
    --------
    >>> table = build_measures([{"metric": "nps", "value": 12.5, "n": 8}])
    >>> table[["metric", "stage", "value", "n"]].values.tolist()
    [['nps', '', 12.5, 8]]
    """
    table = pd.DataFrame(list(rows), columns=[*MEASURE_COLUMNS, *texts, *counts])
    types: dict[str, str] = dict.fromkeys([*_TEXTS, "note", *texts], "str")
    types |= dict.fromkeys(_NUMBERS, "float64") | dict.fromkeys(["n", *counts], "int64")
    blanks = {name: "" if kind == "str" else 0 for name, kind in types.items() if kind != "float64"}
    return table.astype(dict.fromkeys(blanks, object)).fillna(blanks).astype(types)
