"""Features: one row a customer, what she does in rates and shares, with the unit in each name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from journeylib.journey.frames import Events
from journeylib.personas.behaviour import DAY_US, count_events, count_sessions, list_labels, open_window

__all__ = ["build_features"]

_MINUTE_US = 60_000_000
#: Column of the events, what its features are called, and whether only a session's first event counts.
_COUNTERS = (
    ("device_type", "device_{}_share", True),
    ("touchpoint", "entry_{}_share", True),
    ("channel", "entry_channel_{}_share", True),
    ("stage", "{}_share", False),
    ("touchpoint", "touchpoint_{}_share", False),
)


def build_features(
    events: Events,
    *,
    orders: pd.DataFrame | None = None,
    contacts: pd.DataFrame | None = None,
    start: Any = None,
    end: Any = None,
    min_sessions: int = 3,
    time_zone: str | None = None,
    like: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Build a table of what each customer does, to find personas in.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, after `split_into_sessions`; stages, touchpoints, channels and devices are used
        where they are there. Events without a customer are left out. Row order does not matter.
    orders : pandas.DataFrame, optional
        One row is one order: `customer`, `ordered_at`.
    contacts : pandas.DataFrame, optional
        One row is one contact with service: `customer`, `opened_at`.
    start, end : int, str or time, optional
        The window, [start, end): microseconds UTC, or a time (without a zone UTC); open where not given.
    min_sessions : int, default 3
        Customers with fewer sessions in the window are left out: a share of one or two is 0, 1/2 or 1 by
        chance. How many are, stands in `attrs`.
    time_zone : str, optional
        The customers' zone, such as `Europe/Berlin`. Without it there is no `evening_share`, and days are
        those of `local_day`, else UTC.
    like : pandas.DataFrame, optional
        Features of another window; the same columns are built, so that its personas can be predicted. What
        no longer occurs is 0.

    Returns
    -------
    pandas.DataFrame
        One row is one customer (the index, sorted). Counts are plain numbers in the window; a column on
        `_share` is a share from 0 to 1: `<stage>_share` and `touchpoint_<name>_share` of events,
        `<stage>_session_share`, `entry_<touchpoint>_share`, `entry_channel_<channel>_share`,
        `device_<type>_share`, `weekend_share` and `evening_share` (from 18 o'clock) of sessions. Further
        `session_count`, `active_days`, `events_per_session`, `mean_session_minutes` (over sessions of two or
        more events; missing without one, since the last page's time is not known), `days_between_sessions`
        (mean), `order_count`, `contact_count`. `attrs` says `customers_seen`, `customers_left_out` and
        `min_sessions`. No rows where no customer has enough sessions.

    Raises
    ------
    ValueError
        Where a column is missing.

    Notes
    -----
    Attributes such as age, region or plan are no features, and `segment.` columns are never read: personas
    are about behaviour, and what goes with them is described afterwards. How long ago a customer last came is
    left out as well, since it says whether she stays rather than who she is. Labels on fewer than 0.5 % of
    the events, and beyond the 30 most frequent of a column, have no feature of their own.

    Examples
    --------
    >>> from journeylib.journey.sessions import split_into_sessions
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [0, 60_000_000, 0], "name": "view"})
    >>> features = build_features(split_into_sessions(events), min_sessions=1)
    >>> features[["session_count", "events_per_session", "mean_session_minutes"]].values.tolist()
    [[1.0, 2.0, 1.0], [1.0, 1.0, nan]]
    """
    window = (_read_time(start), _read_time(end))
    frame = open_window(events, start=window[0], end=window[1])
    labels = list_labels(frame) if like is None else list_labels(frame, most=1_000, smallest_share=0.0)
    counters = _name_counters(labels, like)
    stages = labels.loc[labels["column"] == "stage", ["label", "slug"]].drop_duplicates("slug")
    sessions = count_sessions(frame, stages=stages["label"].tolist(), time_zone=time_zone)
    kept = sessions[sessions["sessions"] >= min_sessions]
    counted = count_events(frame, counters).reindex(kept.index)
    features = _describe_sessions(kept, counted, stages["slug"].tolist(), has_hours=time_zone is not None)
    for name, (_, _, is_first) in counters.items():
        features[name] = counted[name] / (kept["sessions"] if is_first else counted["events"])
    for name, table, at in (("order", orders, "ordered_at"), ("contact", contacts, "opened_at")):
        if table is not None:
            features[f"{name}_count"] = _count_rows(table, features.index, at=at, window=window)
    if like is not None:
        features = features.reindex(columns=like.columns, fill_value=0.0)
    features.attrs = {
        "customers_seen": len(sessions),
        "customers_left_out": len(sessions) - len(kept),
        "min_sessions": min_sessions,
    }
    return features


def _name_counters(labels: pd.DataFrame, like: pd.DataFrame | None) -> dict[str, tuple[str, str, bool]]:
    """Name the count of each label; labels that differ in case or punctuation alone keep the first."""
    counters: dict[str, tuple[str, str, bool]] = {}
    for column, pattern, is_first in _COUNTERS:
        for row in labels[labels["column"] == column].itertuples():
            name = pattern.format(row.slug)
            if like is None or name in like.columns:
                counters.setdefault(name, (column, str(row.label), is_first))
    return counters


def _describe_sessions(
    sessions: pd.DataFrame, counted: pd.DataFrame, stages: list[str], *, has_hours: bool
) -> pd.DataFrame:
    """Turn counts of sessions into features; whole numbers are divided here and nowhere before."""
    number = sessions["sessions"].astype("float64")
    span = (sessions["last_us"] - sessions["first_us"]) / DAY_US
    features = pd.DataFrame(
        {
            "session_count": number,
            "active_days": sessions["days"].astype("float64"),
            "events_per_session": counted["events"] / number,
            "mean_session_minutes": sessions["lasted_us"]
            / _MINUTE_US
            / sessions["longer"].replace(0, np.nan),
            "days_between_sessions": span / (number - 1).replace(0, np.nan),
            "weekend_share": sessions["weekend"] / number,
        }
    )
    if has_hours:
        features["evening_share"] = sessions["evening"] / sessions["timed"].replace(0, np.nan)
    for place, slug in enumerate(stages):
        features[f"{slug}_session_share"] = sessions[f"reached_{place}"] / number
    return features


def _count_rows(
    table: pd.DataFrame, customers: pd.Index, *, at: str, window: tuple[int | None, int | None]
) -> pd.Series:
    """Count the rows of a small table by customer in the window."""
    missing = [name for name in ("customer", at) if name not in table]
    if missing:
        raise ValueError(f"the table of {at.split('_')[0]} rows lacks {', '.join(missing)}")
    times = table[at]
    if not pd.api.types.is_numeric_dtype(times.dtype):
        times = pd.to_datetime(times, utc=True).astype("datetime64[us, UTC]")
        times = times.astype("int64").where(times.notna())
    inside = times.notna()
    if window[0] is not None:
        inside &= times >= window[0]
    if window[1] is not None:
        inside &= times < window[1]
    counts = table.loc[inside, "customer"].value_counts()
    return counts.reindex(customers).fillna(0).astype("float64")


def _read_time(value: Any) -> int | None:
    """Read an edge of the window as microseconds UTC."""
    if value is None or isinstance(value, (int, np.integer)):
        return None if value is None else int(value)
    stamp = pd.Timestamp(value)
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return int(stamp.as_unit("us").value)
