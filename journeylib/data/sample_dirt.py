"""The dirt in the made-up exports: faulty rows in known numbers, as real tools write them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from journeylib.data.sample_draws import END, to_local
from journeylib.data.sample_files import CUT_SHORT

__all__ = ["pick_rows", "soil_clicks", "soil_table"]

_CLICKS = {
    "bad_date": 0.0015,
    "future": 0.0006,
    "local_time_as_utc": 0.002,
    "cut_short": 0.0002,
    "resent_id": 0.004,
    "identical_row": 0.001,
}
# These faults spare the steps from cart to order, so that the planted shares there are exact.
_ON_PAGES_ALONE = ("bad_date", "future", "local_time_as_utc", "cut_short")
# Per export and kind of dirt: the share of rows, the column, and what stands in it instead.
_TABLES: dict[str, dict[str, tuple[float, str, object]]] = {
    "orders": {
        "bad_date": (0.003, "Bestellt", "31.02.2025 10:00"),
        "unknown_customer": (0.006, "Kunde", "X-4711"),
        "negative_sum": (0.002, "Summe EUR", "-1.00"),
        "cut_short": (0.002, CUT_SHORT, 2),
        "identical_row": (0.003, "", ""),
    },
    "service": {
        "bad_date": (0.004, "ticket.created_at", "2025-13-01T00:00:00Z"),
        "unknown_code": (0.004, "ticket.assignee.type", "agent_007"),
        "identical_row": (0.004, "", ""),
    },
    "survey": {
        "bad_date": (0.004, "answered_at", "32.13.2025 25:00"),
        "unknown_code": (0.008, "csat_overall", "7"),
        "sent_twice": (0.008, "csat_overall", "4"),
    },
}
_TWICE = ("identical_row", "sent_twice")


def pick_rows(size: int, shares: Mapping[str, float], *, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Pick rows for each kind of dirt; no row has two kinds.

    Parameters
    ----------
    size : int
        Number of rows.
    shares : mapping of str to float
        Share of the rows for each kind, 0 to 1; at least one row each where there are 50 rows or more.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict of str to ndarray of int
        Row places, ascending.

    Examples
    --------
    >>> rows = pick_rows(100, {"a": 0.02, "b": 0.001}, rng=np.random.default_rng(0))
    >>> {kind: len(places) for kind, places in rows.items()}
    {'a': 2, 'b': 1}
    """
    least = 1 if size >= 50 else 0
    counts = [max(int(round(size * share)), least) for share in shares.values()]
    parts = np.split(rng.permutation(size)[: sum(counts)], np.cumsum(counts)[:-1])
    return {kind: np.sort(rows) for kind, rows in zip(shares, parts, strict=True)}


def soil_clicks(clicks: pd.DataFrame, *, rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, int]]:
    """Soil the click export: bad and future times, a clock on local time, rows cut short, rows sent twice.

    Parameters
    ----------
    clicks : DataFrame
        The export as numbers, as from `number_clicks`.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    tuple of DataFrame and dict
        The rows in order of arrival, with `bad_time` (place in `BAD_TIMES`, 0 = none) and `cut_short` (cells
        kept, 0 = all); and rows by kind of dirt.

    Examples
    --------
    >>> clicks = pd.DataFrame({"occurred": [0], "arrived": [0], "basket": [0]})
    >>> soil_clicks(clicks, rng=np.random.default_rng(0))[1]["future"]
    0
    """
    rows = pick_rows(len(clicks), _CLICKS, rng=rng)
    for kind in _ON_PAGES_ALONE:
        rows[kind] = rows[kind][clicks["basket"].to_numpy()[rows[kind]] == 0]
    occurred, local = clicks["occurred"].to_numpy().copy(), rows["local_time_as_utc"]
    occurred[local] = to_local(occurred[local])
    bad, kept = np.zeros(len(clicks), dtype="int64"), np.zeros(len(clicks), dtype="int64")
    bad[rows["bad_date"]] = rng.integers(1, 4, len(rows["bad_date"]))
    bad[rows["future"]] = rng.integers(4, 7, len(rows["future"]))
    kept[rows["cut_short"]] = rng.integers(2, 6, len(rows["cut_short"]))
    clicks = clicks.assign(occurred=occurred, bad_time=bad, **{CUT_SHORT: kept})
    arrived = clicks["arrived"].to_numpy()
    again = np.concatenate([rows["resent_id"], rows["identical_row"]])
    later = arrived[again]
    later[: len(rows["resent_id"])] += rng.integers(60, 7_200, len(rows["resent_id"]))
    arrived = np.concatenate([arrived, np.minimum(later, END)])
    order = np.argsort(arrived, kind="stable")
    places = np.concatenate([np.arange(len(clicks)), again])[order]
    counts = {kind: len(found) for kind, found in rows.items()}
    return clicks.iloc[places].assign(arrived=arrived[order]).reset_index(drop=True), counts


def soil_table(
    table: pd.DataFrame, export: str, *, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Soil a small export: wrong values in known columns, rows cut short, rows sent twice.

    Parameters
    ----------
    table : DataFrame
        The export as text.
    export : str
        ``orders``, ``service`` or ``survey``.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    tuple of DataFrame and dict
        The rows, those sent twice at the end, with `cut_short` (cells kept, 0 = all); rows by kind of dirt.

    Examples
    --------
    >>> one = pd.DataFrame({"answered_at": ["2025-01-01 10:00"], "csat_overall": ["5"]})
    >>> sum(soil_table(one, "survey", rng=np.random.default_rng(0))[1].values())
    0
    """
    kinds = _TABLES[export]
    rows = pick_rows(len(table), {kind: share for kind, (share, _, _) in kinds.items()}, rng=rng)
    parts = [table.assign(**{CUT_SHORT: 0})]
    for kind, (_, column, value) in kinds.items():
        target = parts[0]
        if kind in _TWICE:
            target = parts[0].iloc[rows[kind]].reset_index(drop=True)
            parts.append(target)
        if column:
            values = target[column].to_numpy(dtype=object).copy()
            values[slice(None) if kind in _TWICE else rows[kind]] = value
            target[column] = values.astype("int64") if column == CUT_SHORT else values
    return pd.concat(parts, ignore_index=True), {kind: len(found) for kind, found in rows.items()}
