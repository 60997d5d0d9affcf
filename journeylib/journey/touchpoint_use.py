"""Use of touchpoints: who met each one, how often, where sessions begin; and which are not measured."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.evidence.estimates import estimate_from_sums
from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME, Events, open_events
from journeylib.journey.order import prefix_person

__all__ = ["count_touchpoints"]

_COLUMNS = [
    "touchpoint", "stage", "is_measured", "n", "reached", "reach", "reach_low", "reach_high", "frequency",
    "entries", "entry_share", "entry_low", "entry_high", "unit_of_analysis",
]  # fmt: skip


def count_touchpoints(
    events: Events,
    listed: pd.DataFrame | None = None,
    *,
    period: tuple[int, int] | None = None,
    unit: str = "people",
) -> pd.DataFrame:
    """Count who met each touchpoint, how often, and how many sessions began there.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, after `assign_touchpoints` and `split_into_sessions`. Row order does not matter.
    listed : pandas.DataFrame, optional
        The team's own table, one row a pattern, with `touchpoint` and `stage`: its order is kept, and what
        stands there without an event is in the result as not measured.
    period : tuple of int, optional
        (start, end) in microseconds UTC, [start, end); else the whole table. A session begins in the period
        of its first event.
    unit : str, default "people"
        `people` (events without a customer reach nobody known) or `sessions`.

    Returns
    -------
    pandas.DataFrame
        One row is one touchpoint: `touchpoint`, `stage`, `is_measured` (it has an event in the whole table),
        `n` (events), `reached` (people or sessions), `reach` (percent of all that were active) with
        `reach_low` and `reach_high`, `frequency` (events a unit reached), `entries` (sessions that begin
        there), `entry_share` (percent of all sessions) with `entry_low` and `entry_high`, and
        `unit_of_analysis`. Numbers are missing where it is not measured. Listed ones first, then by name.

    Raises
    ------
    ArgumentError
        Where a column is missing or `unit` is unknown.

    Notes
    -----
    Wilson; sessions with the effective n by person. Events without a touchpoint count among all that were
    active, and have no row.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [1, 2, 3], "session": [1, 1, 2],
    ...     "position": [1, 2, 1], "touchpoint": ["page", "till", "page"]})
    >>> listed = pd.DataFrame({"touchpoint": ["poster", "page"], "stage": ["awareness", "consideration"]})
    >>> found = count_touchpoints(events, listed)
    >>> found[["touchpoint", "is_measured", "reach", "entries"]].values.tolist()
    [['poster', False, nan, nan], ['page', True, 100.0, 2.0], ['till', True, 50.0, 0.0]]
    """
    if unit not in ("people", "sessions"):
        raise ArgumentError(f"unit must be people or sessions, found {unit!r}")
    key = "customer" if unit == "people" else "session"
    required = {TIME, "touchpoint", "session", "position", key}
    frame = open_events(events, required=sorted(required), optional=["customer", "device_id", "stage"])
    frame = frame.with_columns(prefix_person(frame, otherwise="session").alias("_person"))
    stage = nw.col("stage") if "stage" in frame.columns else nw.lit(None, nw.String)
    named = frame.select("touchpoint", stage.alias("stage")).group_by("touchpoint")
    places = collect_table(named.agg(nw.col("stage").min()), order_by=["touchpoint"])
    if period is not None:
        frame = frame.filter((nw.col(TIME) >= period[0]) & (nw.col(TIME) < period[1]))
    met = _sum_events(frame.filter(~nw.col(key).is_null()), key)
    entries = collect_table(
        frame.filter(nw.col("position") == 1)
        .group_by("touchpoint", "_person")
        .agg(nw.len().cast(nw.Int64).alias("sessions"))
    )
    rows = [_describe(name, met, entries) for name in places["touchpoint"].dropna()]
    found = places.dropna(subset=["touchpoint"]).assign(is_measured=True).reset_index(drop=True)
    found = pd.concat([found, pd.DataFrame(rows, index=found.index)], axis=1)
    return _add_listed(found, listed).assign(unit_of_analysis=unit)[_COLUMNS]


def _sum_events(frame: nw.LazyFrame, key: str) -> pd.DataFrame:
    """One row a person and touchpoint: events and units; without a touchpoint: all that were active."""
    parts = []
    for keys in (["touchpoint", "_person"], ["_person"]):
        each = frame.group_by(*keys, *([] if key == "customer" else [key]))
        units = each.agg(nw.len().cast(nw.Int64).alias("events"))
        totals = [nw.len().cast(nw.Int64).alias("units"), nw.col("events").sum().cast(nw.Int64)]
        parts.append(collect_table(units.group_by(*keys).agg(*totals)))
    return pd.concat([parts[0].dropna(subset=["touchpoint"]), parts[1].assign(touchpoint="")])


def _describe(name: str, met: pd.DataFrame, entries: pd.DataFrame) -> dict[str, Any]:
    """Describe one touchpoint in numbers."""
    everyone = met[met["touchpoint"] == ""].set_index("_person")["units"].sort_index()
    mine = met[met["touchpoint"] == name].set_index("_person")
    sessions = entries.groupby("_person")["sessions"].sum().sort_index()
    begun = entries[entries["touchpoint"] == name].set_index("_person")["sessions"]
    row: dict[str, Any] = {"n": int(mine["events"].sum()), "reached": int(mine["units"].sum())}
    row["frequency"] = row["n"] / row["reached"] if row["reached"] else np.nan
    row["entries"] = int(begun.sum())
    for label, part, whole in (("reach", mine["units"], everyone), ("entry", begun, sessions)):
        if whole.empty:
            continue
        share = estimate_from_sums("share", part.reindex(whole.index, fill_value=0), whole)
        value = "reach" if label == "reach" else "entry_share"
        row |= {value: share["value"], f"{label}_low": share["low"], f"{label}_high": share["high"]}
    return row


def _add_listed(found: pd.DataFrame, listed: pd.DataFrame | None) -> pd.DataFrame:
    """Put the listed touchpoints first, those without an event too."""
    found = found.reindex(columns=_COLUMNS)
    if listed is None or listed.empty:
        return found.assign(is_measured=found["is_measured"].astype(bool))
    kept = [name for name in ("touchpoint", "stage") if name in listed]
    own = (
        listed[kept].drop_duplicates("touchpoint", ignore_index=True).reindex(columns=["touchpoint", "stage"])
    )
    both = own.merge(found, on="touchpoint", how="left", suffixes=("", "_seen"))
    both["stage"] = both["stage"].where(both["stage"].notna(), both["stage_seen"])
    others = found[~found["touchpoint"].isin(own["touchpoint"])]
    table = pd.concat([both, others], ignore_index=True) if len(others) else both
    return table.assign(is_measured=table["is_measured"].notna())
