"""Findings: what the chapters record, and the table that the whole review is made from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from journeylib.review.metrics import METRICS

__all__ = ["FINDINGS_COLUMNS", "KEY", "read_recorded", "record_findings", "record_table", "write_findings"]

KEY = ["chapter", "metric", "stage", "touchpoint", "persona", "segment", "unit_of_analysis", "item"]
FINDINGS_COLUMNS = [
    "period", "chapter", "metric", "stage", "touchpoint", "persona", "segment", "unit_of_analysis", "item",
    "value", "low", "high", "n", "n_effective", "unit", "method", "suppressed", "note",
    "previous", "change", "change_low", "change_high", "p_value", "q_value", "minimum_effect", "verdict",
    "year_ago", "year_ago_change", "year_ago_low", "year_ago_high", "year_ago_verdict",
]  # fmt: skip
RECORDED = [
    *KEY, "which", "value", "low", "high", "n", "n_effective", "method", "kind", "spread", "promoters",
    "detractors", "covariance", "series", "note",
]  # fmt: skip
TEXTS = [*KEY, "which", "method", "kind", "series", "note"]


def record_findings(measures: pd.DataFrame, *, chapter: str, folder: str | Path) -> int:
    """Record what a chapter measured, for the second pass of the review.

    Parameters
    ----------
    measures : DataFrame
        One row is one metric of one place in one period (`which` is reviewed, previous or year_ago).
    chapter : str
        The chapter's name.
    folder : str or Path
        Where to record; '' records nothing (a notebook that is read by hand).

    Returns
    -------
    int
        How many rows are about the reviewed period.

    Raises
    ------
    ValueError
        If a metric is not in the registry, or a row stands twice.
    """
    unknown = sorted(set(measures["metric"]) - set(METRICS))
    if unknown:
        raise ValueError(
            f"metric {unknown[0]!r} is not in the registry; add it to journeylib/review/metrics.py"
        )
    recorded = measures.assign(chapter=chapter).reindex(columns=RECORDED)
    recorded[TEXTS] = recorded[TEXTS].astype("str").fillna("")
    twice = recorded.duplicated([*KEY, "which"])
    if twice.any():
        raise ValueError(
            f"recorded twice in {chapter}: {recorded.loc[twice, [*KEY, 'which']].iloc[0].to_dict()}"
        )
    if str(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        numbers = {name: "float64" for name in RECORDED if name not in TEXTS}
        recorded.astype(numbers).to_parquet(Path(folder) / f"{chapter}.parquet", index=False)
    return int((recorded["which"] == "reviewed").sum())


def record_table(table: pd.DataFrame, *, name: str, folder: str | Path) -> int:
    """Record the numbers behind a larger figure or table, which the report keeps as tables/<name>.csv.

    Parameters
    ----------
    table : DataFrame
        Without people's rows; small bases are hidden before.
    name : str
        The file's name without its ending.
    folder : str or Path
        Where to record; '' records nothing.

    Returns
    -------
    int
        The number of rows.
    """
    if str(folder):
        place = Path(folder) / "tables"
        place.mkdir(parents=True, exist_ok=True)
        table.to_csv(place / f"{name}.csv", index=False, lineterminator="\n", float_format="%.17g")
    return len(table)


def read_recorded(folder: str | Path) -> pd.DataFrame:
    """Return all that the chapters recorded, sorted; one row is one metric of one place in one period.

    Parameters
    ----------
    folder : str or Path
        The folder of `record_findings`.

    Returns
    -------
    DataFrame
        The recorded columns; empty where nothing was recorded.
    """
    parts = [pd.read_parquet(path) for path in sorted(Path(folder).glob("*.parquet"))]
    if not parts:
        return pd.DataFrame(
            {name: pd.Series(dtype="str" if name in TEXTS else "float64") for name in RECORDED}
        )
    whole = pd.concat(parts, ignore_index=True)
    place = {name: number for number, name in enumerate(METRICS)}
    order = whole.assign(place=whole["metric"].map(place)).sort_values(
        ["chapter", "place", *KEY[2:], "which"], kind="stable"
    )
    return order.drop(columns="place").reset_index(drop=True)


def write_findings(findings: pd.DataFrame, path: str | Path) -> None:
    """Write findings.csv: one row is one metric of one place in the reviewed period, in full precision.

    Parameters
    ----------
    findings : DataFrame
        With the columns of the contract.
    path : str or Path
        The file.
    """
    shown = findings[FINDINGS_COLUMNS].copy()
    shown["n"] = shown["n"].astype("Int64")
    shown.to_csv(path, index=False, lineterminator="\n", float_format="%.17g")
