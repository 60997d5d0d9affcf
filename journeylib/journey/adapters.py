"""Adapters: the events as other tools want them, renamed and sorted; none of these tools is needed."""

from __future__ import annotations

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME, Events, open_events, rename_safely
from journeylib.journey.order import ORDER_COLUMNS

__all__ = ["to_channel_paths", "to_eventstream", "to_pm4py"]


def to_eventstream(events: Events, *, name: str = "name", user: str = "customer") -> pd.DataFrame:
    """Give the events as retentioneering's eventstream reads them.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event. Row order does not matter.
    name : str, default "name"
        The column that names the event, such as `touchpoint`.
    user : str, default "customer"
        The column that names whose path it is, such as `session`.

    Returns
    -------
    pandas.DataFrame
        One row is one event: `user_id`, `event` and `timestamp` (datetime64 in UTC, without a zone), sorted
        by them in the order of events of this package. Events without a user or a name are left out.

    Raises
    ------
    ArgumentError
        Where a column is missing.

    Examples
    --------
    >>> names = ["buy", "view"]
    >>> events = pd.DataFrame({"customer": list("ba"), "occurred_at": [60_000_000, 0], "name": names})
    >>> to_eventstream(events)[["user_id", "event"]].values.tolist()
    [['a', 'view'], ['b', 'buy']]
    """
    found = _read_ordered(events, name, user)
    moments = pd.to_datetime(found[TIME].astype("int64"), unit="us")
    return pd.DataFrame({"user_id": found["_user"], "event": found["_event"], "timestamp": moments})


def to_pm4py(events: Events, *, name: str = "name", case: str = "customer") -> pd.DataFrame:
    """Give the events as pm4py reads an event log.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event. Row order does not matter.
    name : str, default "name"
        The column that names the activity, such as `touchpoint`.
    case : str, default "customer"
        The column that names the case, such as `session`.

    Returns
    -------
    pandas.DataFrame
        One row is one event: `case:concept:name` (text), `concept:name` and `time:timestamp` (datetime64 in
        UTC, with its zone), sorted by case and order. Events without a case or a name are left out.

    Raises
    ------
    ArgumentError
        Where a column is missing.

    Examples
    --------
    >>> names = ["buy", "view"]
    >>> events = pd.DataFrame({"customer": list("ba"), "occurred_at": [60_000_000, 0], "name": names})
    >>> to_pm4py(events)[["case:concept:name", "concept:name"]].values.tolist()
    [['a', 'view'], ['b', 'buy']]
    """
    found = _read_ordered(events, name, case)
    moments = pd.to_datetime(found[TIME].astype("int64"), unit="us", utc=True)
    columns = {"case:concept:name": found["_user"].astype("str"), "concept:name": found["_event"]}
    return pd.DataFrame({**columns, "time:timestamp": moments})


def to_channel_paths(paths: pd.DataFrame, *, separator: str = " > ") -> pd.DataFrame:
    """Give channel paths as the R and Python package ChannelAttribution reads them.

    Parameters
    ----------
    paths : pandas.DataFrame
        Of `list_channel_paths`: one row is one path; `path`, `n`, `conversions` and `value`.
    separator : str, default " > "
        What stands between two channels; no channel may hold it.

    Returns
    -------
    pandas.DataFrame
        One row is one path (of one period, where there are several): `path` (text), `total_conversions`,
        `total_conversion_value` (0 where it is not known) and `total_null` (paths that ended without a
        conversion); `which` where the paths have it. Conversions without a touch are left out, since that
        package has no place for them.

    Raises
    ------
    ArgumentError
        Where a column is missing, or a channel holds the separator.

    Examples
    --------
    >>> paths = pd.DataFrame({"path": [("ad", "site")], "n": [5], "conversions": [2], "value": [30.0]})
    >>> to_channel_paths(paths).values.tolist()
    [['ad > site', 2, 30.0, 3]]
    """
    if missing := sorted({"path", "n", "conversions", "value"} - set(paths.columns)):
        raise ArgumentError(
            f"paths lack the column(s) {', '.join(missing)}; give what list_channel_paths gave"
        )
    touched = paths[paths["path"].map(len) > 0]
    channels = {channel for path in touched["path"] for channel in path}
    if unfit := sorted(channel for channel in channels if separator.strip() in channel):
        raise ArgumentError(f"the channel {unfit[0]!r} holds {separator.strip()!r}; choose another separator")
    table = pd.DataFrame(
        {
            "path": [separator.join(path) for path in touched["path"]],
            "total_conversions": touched["conversions"].astype("int64").to_numpy(),
            "total_conversion_value": touched["value"].astype("float64").fillna(0.0).to_numpy(),
            "total_null": (touched["n"] - touched["conversions"]).astype("int64").to_numpy(),
        }
    )
    keys = ["path"]
    if "which" in touched:
        table, keys = table.assign(which=touched["which"].to_numpy()), ["which", "path"]
    summed = table.groupby(keys, as_index=False, sort=False).sum()
    return summed[["path", *table.columns.drop(["path"])]]


def _read_ordered(events: Events, name: str, user: str) -> pd.DataFrame:
    """Read the events of every user in order, with `_user` and `_event`."""
    frame = open_events(events, required=[TIME, name, user], optional=["name", *ORDER_COLUMNS])
    named = frame.with_columns(
        nw.col(rename_safely(user)).alias("_user"),
        nw.col(rename_safely(name)).cast(nw.String).alias("_event"),
    )
    found = collect_table(named.filter(~nw.col("_user").is_null() & ~nw.col("_event").is_null()))
    order = ["_user", TIME, *(column for column in ("sequence", "event_id", "name") if column in found)]
    return found.sort_values([*order, "_event"], na_position="last", ignore_index=True)
