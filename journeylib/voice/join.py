"""Joining what customers say to what they did: the last touchpoint before an answer, within a window."""

from __future__ import annotations

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.journey.engine import collect_table, join_table
from journeylib.journey.frames import TIME, Events, open_events

__all__ = ["join_answers"]

STATUSES = ("matched", "no_events_within", "unknown_customer", "no_time", "no_customer")
_TIES = ("sequence", "event_id", "name")
_ADDED = ("last_touchpoint", "last_stage", "days_since_touchpoint", "match_status")


def join_answers(
    answers: pd.DataFrame, events: Events, *, within: str | float | pd.Timedelta = "30D"
) -> pd.DataFrame:
    """Join each answer to the touchpoint that its customer reached last before it.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer, from `read_answers`, or the answers of a review with `customer` and
        `answered_at` joined to them. Times may be in any zone, without one UTC, or int64 microseconds UTC.
        Row order does not matter.
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, after `assign_touchpoints`. Events without a touchpoint are no touchpoint.
    within : str, float or Timedelta, default "30D"
        How long before the answer the touchpoint may lie, `30D` or a number of days, its end included. 30
        days are a convention.

    Returns
    -------
    pandas.DataFrame
        A new table, the same rows, order and index, with ``match_status``: ``matched``,
        ``no_events_within`` (a known customer, but no touchpoint in the window), ``unknown_customer`` (an id
        that no event has), ``no_time``, ``no_customer`` (anonymous); ``last_touchpoint`` and ``last_stage``
        ("" unless matched) and ``days_since_touchpoint`` (missing unless matched). ``touchpoint`` and
        ``stage`` are filled with them where the question names neither; where it names a touchpoint alone,
        with the stage that events give it. What the question itself names is kept.

    Raises
    ------
    ArgumentError
        Where a column is missing or the window is not longer than nothing.

    Notes
    -----
    An event at the moment of the answer itself counts as before it. Ties in time are settled as everywhere:
    sequence (missing last), event id, name. The last touchpoint is what came before the answer, not what
    caused it.

    Examples
    --------
    >>> answers = pd.DataFrame({"response": ["r1"], "customer": "a", "answered_at": [5], "question": "Q1"})
    >>> events = pd.DataFrame({"customer": "a", "occurred_at": [3, 6], "name": ["pay", "help"]})
    >>> events = events.assign(touchpoint=["payment", "help"], stage=["decision", "post-purchase"])
    >>> join_answers(answers, events)[["touchpoint", "stage", "match_status"]].values.tolist()
    [['payment', 'decision', 'matched']]
    """
    missing = [name for name in ("response", "customer", "answered_at") if name not in answers]
    if missing:
        found = ", ".join(map(str, answers.columns))
        raise ArgumentError(f"answers: column {missing[0]} is missing; found {found}")
    window = pd.Timedelta(within) if isinstance(within, (str, pd.Timedelta)) else pd.Timedelta(days=within)
    if window <= pd.Timedelta(0):
        raise ArgumentError(f"within must be longer than nothing, found {within!r}")
    rows = _read_keys(answers)
    asked = rows.drop_duplicates("_asked")
    required = [TIME, "name", "customer", "touchpoint", "stage"]
    frame = open_events(events, required=required, optional=["sequence", "event_id"])
    frame = frame.with_columns(nw.col("customer").cast(nw.String))
    known = set(collect_table(frame.select("customer").unique())["customer"].dropna())
    last = _find_last(frame, asked, int(window / pd.Timedelta(microseconds=1)))
    joined = asked.merge(last, on="_asked", how="left")
    given, timed = joined["_customer"].notna(), joined["_at"].notna()
    joined["match_status"] = "matched"
    for status, holds in (
        ("no_events_within", joined["last_touchpoint"].isna()),
        ("no_time", ~timed),
        ("unknown_customer", ~joined["_customer"].isin(known)),
        ("no_customer", ~given),
    ):
        joined["match_status"] = joined["match_status"].mask(holds, status)
    added = joined.set_index("_asked").loc[rows["_asked"], list(_ADDED)]
    return _fill_places(answers, added.set_axis(answers.index), _list_stages(frame))


def _read_keys(answers: pd.DataFrame) -> pd.DataFrame:
    """Return customer and time of each answer, with the number `_asked` of this pair."""
    at = answers["answered_at"]
    if pd.api.types.is_datetime64_any_dtype(at.dtype):
        utc = pd.to_datetime(at, utc=True).astype("datetime64[us, UTC]")
        at = utc.astype("int64").astype("Int64").mask(at.isna())
    customer = answers["customer"].astype("str").where(answers["customer"].notna())
    keys = pd.DataFrame({"_customer": customer.mask(customer == ""), "_at": at.astype("Int64")})
    number = keys.groupby(["_customer", "_at"], dropna=False, sort=True).ngroup().astype("int64")
    return keys.assign(_asked=number)


def _find_last(frame: nw.LazyFrame, asked: pd.DataFrame, window: int) -> pd.DataFrame:
    """Return, for each customer and time of an answer, the last touchpoint within the window."""
    whole = asked.dropna(subset=["_customer", "_at"])[["_customer", "_at", "_asked"]]
    names = {"_customer": "customer"}
    small = whole.rename(columns=names).astype({"_at": "int64", "customer": "str"})
    empty = pd.DataFrame({name: pd.Series(dtype="str") for name in ("last_touchpoint", "last_stage")})
    if small.empty:
        return empty.assign(_asked=pd.Series(dtype="int64"), days_since_touchpoint=pd.Series(dtype="float64"))
    placed = frame.filter(~nw.col("touchpoint").is_null() & (nw.col("touchpoint") != ""))
    near = join_table(placed, small, on=["customer"], how="inner")
    near = near.filter((nw.col(TIME) <= nw.col("_at")) & (nw.col(TIME) >= nw.col("_at") - window))
    newest = near.group_by("_asked").agg(nw.col(TIME).max().alias("_newest"))
    tied = near.join(newest, on="_asked", how="inner").filter(nw.col(TIME) == nw.col("_newest"))
    kept = ["_asked", "_at", TIME, "touchpoint", "stage", *[name for name in _TIES if name in tied.columns]]
    table = collect_table(tied.select(kept))
    order = ["_asked", *[name for name in _TIES if name in table], "touchpoint"]
    table = table.sort_values(order, na_position="last").drop_duplicates("_asked", keep="last")
    days = (table["_at"] - table[TIME]).astype("float64") / 86_400_000_000
    taken = table[["_asked"]].assign(last_touchpoint=table["touchpoint"], last_stage=table["stage"])
    return taken.assign(days_since_touchpoint=days)


def _list_stages(frame: nw.LazyFrame) -> dict[str, str]:
    """Return the stage of each touchpoint that events have met."""
    pairs = collect_table(frame.select("touchpoint", "stage").unique(), order_by=["touchpoint", "stage"])
    filled = pairs.dropna().drop_duplicates("touchpoint")
    return dict(zip(filled["touchpoint"].astype(str), filled["stage"].astype(str), strict=True))


def _fill_places(answers: pd.DataFrame, added: pd.DataFrame, stages: dict[str, str]) -> pd.DataFrame:
    """Add the join to the answers, and fill the places that their questions do not name."""
    added = added.copy()
    for name in ("last_touchpoint", "last_stage"):
        added[name] = added[name].astype("str").where(added[name].notna(), "")
    places = {}
    for name in ("touchpoint", "stage"):
        text = answers[name] if name in answers else pd.Series("", answers.index, dtype="str")
        places[name] = text.astype("str").where(text.notna(), "")
    nowhere = (places["touchpoint"] == "") & (places["stage"] == "")
    own_stage = places["touchpoint"].map(stages).astype("str").where(places["touchpoint"].isin(stages), "")
    touchpoint = places["touchpoint"].mask(nowhere, added["last_touchpoint"])
    stage = places["stage"].mask(places["stage"] == "", own_stage).mask(nowhere, added["last_stage"])
    return answers.assign(touchpoint=touchpoint, stage=stage, **{name: added[name] for name in _ADDED})
