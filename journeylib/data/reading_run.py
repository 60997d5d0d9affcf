"""What the readers of all tables share: the project, the key, the engine, the limits of time, the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from journeylib.data.ledger import Ledger
from journeylib.data.project import Project

__all__ = ["ReadingRun", "count_rules", "write_parquet"]


@dataclass
class ReadingRun:
    """One run that makes trusted tables.

    Attributes
    ----------
    folder : Path
        Where the trusted tables are written.
    work : Path
        A folder for copies and spilled rows.
    as_of_us : int or None
        The declared instant as of which the data are looked at, microseconds UTC.
    ceiling_us : int
        A time after this instant is from the future.
    complete : bool
        Whether chapters will read the tables; where not, what can't fail is left out: the order of rows,
        pseudonyms, and columns that no rule needs.
    facts : dict
        What was found out on the way, for facts.json.
    raw : dict
        Rows of small tables with the source's own ids, for a reader that needs them; never written.
    """

    project: Project
    folder: Path
    work: Path
    key: bytes
    as_of_us: int | None
    ceiling_us: int
    connection: duckdb.DuckDBPyConnection
    say: Callable[[str], None]
    ledger: Ledger = field(default_factory=Ledger)
    complete: bool = True
    facts: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def next_number(self) -> int:
        """Return a number that tells apart the engine's tables of one run."""
        return next(self._numbers)

    def is_late(self, times: pd.Series) -> pd.Series:
        """Return which times lie after the declared instant; a missing time does not."""
        if self.as_of_us is None:
            return pd.Series(False, index=times.index)
        return (times > self.as_of_us).fillna(False).astype(bool)


def count_rules(faults: pd.DataFrame, *, malformed: int) -> dict[str, int]:
    """Return how many rows break each rule, malformed rows among them.

    Parameters
    ----------
    faults : DataFrame
        One row a row of the source, with its `rule` ('' where it keeps all).
    malformed : int
        How many rows are no rows at all.

    Returns
    -------
    dict
        Rule to number of rows; rules that no row breaks are absent.
    """
    counts: Mapping[object, int] = faults.loc[faults["rule"] != "", "rule"].value_counts().to_dict()
    by_rule = {str(rule): int(number) for rule, number in counts.items()}
    return by_rule | ({"malformed_row": malformed} if malformed else {})


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table to Parquet; a column without any value is text, never a column of no type.

    Parameters
    ----------
    table : DataFrame
        The table; its index is not kept.
    path : Path
        The file to write.
    """
    untyped = [name for name in table if table[name].dtype == object]
    table.astype(dict.fromkeys(untyped, "str")).to_parquet(path, index=False)
