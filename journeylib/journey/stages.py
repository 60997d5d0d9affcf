"""Stages: which touchpoint, stage and channel each event belongs to, by the team's own table."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.journey.engine import collect_table, join_table
from journeylib.journey.frames import Events, open_events, return_rows

__all__ = ["assign_touchpoints", "count_unmapped"]

_ADDED = ["touchpoint", "stage", "channel", "online"]
_TRUTH = {
    **dict.fromkeys(("yes", "true", "1", "1.0"), True),
    **dict.fromkeys(("no", "false", "0", "0.0"), False),
}


def assign_touchpoints(events: Events, touchpoints: pd.DataFrame) -> Any:
    """Give each event its touchpoint, stage, channel and whether it is online, by its name.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event; needs `name`, uses `channel` where there is one. Row order does not matter.
    touchpoints : pandas.DataFrame
        One row is one pattern: `pattern`, `touchpoint`, `stage`, and where known `channel` and `online` (yes
        or no); other columns are left alone. Its order matters: the first row whose pattern matches the
        whole name wins. Patterns are globs that tell upper from lower case (`*`, `?`, `[ab]`). A row with an
        empty pattern is a touchpoint without events and matches nothing.

    Returns
    -------
    pandas.DataFrame or native relation
        One row is one event: the events with `touchpoint`, `stage`, `channel` and `online` added or
        overwritten. They are missing where no pattern matches or the table leaves them empty; but an event
        keeps its own channel where the table names none.

    Raises
    ------
    ValueError
        Where `name`, `pattern`, `touchpoint` or `stage` is missing as a column, or `online` is not yes or no.

    Examples
    --------
    >>> events = pd.DataFrame({"name": ["view_12", "buy", "ping"]})
    >>> patterns = {"pattern": ["view_*", "buy"], "touchpoint": ["product", "checkout"]}
    >>> touchpoints = pd.DataFrame({**patterns, "stage": ["consideration", "decision"]})
    >>> assign_touchpoints(events, touchpoints)[["name", "touchpoint"]]
          name touchpoint
    0  view_12    product
    1      buy   checkout
    2     ping        NaN
    """
    rules = _read_rules(touchpoints)
    frame = open_events(events, required=["name"], optional=["channel"], whole=True)
    own = nw.col("channel").cast(nw.String) if "channel" in frame.columns else None
    names = collect_table(frame.select("name").unique().filter(~nw.col("name").is_null()), order_by=["name"])
    table = _match_names(names["name"], rules)
    frame = frame.drop([column for column in ("touchpoint", "stage", "online") if column in frame.columns])
    if own is not None:
        frame = frame.with_columns(own.alias("_channel")).drop("channel")
    frame = join_table(frame, table, on=["name"])
    if own is not None:
        frame = frame.with_columns(nw.coalesce(nw.col("channel"), nw.col("_channel")).alias("channel"))
    return return_rows(events, frame, columns=_ADDED)


def count_unmapped(events: Events) -> pd.DataFrame:
    """Count the events whose name no touchpoint pattern matched.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, after `assign_touchpoints`. Row order does not matter.

    Returns
    -------
    pandas.DataFrame
        One row is one unmapped name: `name` (missing for events without one), `n`, and `share` in percent of
        all events, mapped or not; the most frequent first, then by name. The sum of `share` is the unmapped
        share that the gate `max_unmapped` looks at. Empty where all events are mapped.

    Raises
    ------
    ValueError
        Where the events have no column `name` or `touchpoint`.

    Examples
    --------
    >>> events = pd.DataFrame({"name": ["view", "ping", "ping"], "touchpoint": ["product", None, None]})
    >>> count_unmapped(events)
       name  n      share
    0  ping  2  66.666667
    """
    frame = open_events(events, required=["name", "touchpoint"])
    unmapped = (nw.col("touchpoint").is_null() | (nw.col("touchpoint") == "")).fill_null(True)
    flagged = frame.select("name", nw.when(unmapped).then(1).otherwise(0).cast(nw.Int64).alias("_unmapped"))
    counted = flagged.group_by("name", "_unmapped").agg(nw.len().cast(nw.Int64).alias("n"))
    names = collect_table(counted)
    names["share"] = 100 * names["n"] / names["n"].sum()
    found = names.loc[names["_unmapped"] == 1, ["name", "n", "share"]]
    return found.sort_values(["n", "name"], ascending=[False, True], ignore_index=True)


def _read_rules(touchpoints: pd.DataFrame) -> pd.DataFrame:
    """Read the team's table as text, blanks empty, without rows that have no pattern."""
    missing = [column for column in ("pattern", "touchpoint", "stage") if column not in touchpoints.columns]
    if missing:
        found = ", ".join(map(str, touchpoints.columns))
        raise ArgumentError(f"touchpoints lack the column(s) {', '.join(missing)}; found: {found}")
    rules = pd.DataFrame({"pattern": touchpoints["pattern"].map(_read_text)})
    for column in _ADDED:
        rules[column] = touchpoints[column].map(_read_text) if column in touchpoints.columns else ""
    strange = sorted({text for text in rules["online"] if text and text.lower() not in _TRUTH})
    if strange:
        raise ArgumentError(f"touchpoints: online is {strange[0]!r}, expected yes, no or empty")
    return rules[rules["pattern"] != ""]


def _read_text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value).strip()


def _match_names(names: pd.Series, rules: pd.DataFrame) -> pd.DataFrame:
    """Find, for each name that some pattern matches, what the first such row says."""
    listed = rules.to_dict("records")
    found = []
    for name in names:
        rule = next((rule for rule in listed if fnmatchcase(str(name), rule["pattern"])), None)
        if rule is not None:
            online = _TRUTH.get(rule["online"].lower())
            found.append([name, *(rule[column] or None for column in _ADDED[:3]), online])
    table = pd.DataFrame(found, columns=["name", *_ADDED], dtype=object)
    table["online"] = table["online"].astype("boolean")
    texts = ["touchpoint", "stage", "channel"]
    table[texts] = table[texts].astype("str")
    return table.astype({"name": names.dtype})
