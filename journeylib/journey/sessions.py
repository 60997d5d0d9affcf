"""Sessions: which events of one person belong together."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw

from journeylib.journey.frames import TIME, Events, open_events, return_rows
from journeylib.journey.order import ORDER_COLUMNS, PERSON_COLUMNS, EventFacts, inspect_events, order_events

__all__ = ["ADDED", "MINUTE", "number_sessions", "split_into_sessions"]

ADDED = ["session", "position", "person_position"]
MINUTE = 60_000_000
_BY_GAP, _WHOLE, _ALONE = 0, 1, 2
_NOBODY = 9


def split_into_sessions(events: Events, *, gap_minutes: float = 30, respect_given: bool = True) -> Any:
    """Split the events of each person into sessions, and number the events within them.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event; needs `occurred_at` and `name`; uses `customer`, `device_id`, `session_given`,
        `sequence`, `event_id` and `precision` where they are there. Row order does not matter.
    gap_minutes : float
        Minutes of silence, more than which start a new session; a gap of exactly that long does not.
    respect_given : bool
        Take `session_given` for the session wherever an event has one, whatever the gaps; two people with
        the same given session have two sessions. Events without one are split by their own gaps.

    Returns
    -------
    pandas.DataFrame or native relation
        One row is one event: the events with `session` (int64, unique over the table, the same for any order
        of the rows; ascending but not without holes), `position` (1 for the first event of the session) and
        `person_position` (1 for the first event of the customer; missing without a customer).

    Raises
    ------
    ValueError
        Where a column or a time is missing, or `gap_minutes` is negative.

    Notes
    -----
    30 minutes is the convention of web analytics (GA4), not a finding. A session is not split at midnight nor
    at a change of campaign. The person is the customer, else the device, else the given session alone; an
    event without any of them is a session of its own. Events come in the order of time, `sequence` (missing
    last), `event_id`, `name`. Events known by their day only (precision `day`) and without a given session:
    those of one person and one day are one session, apart from the person's other sessions; the gap rule
    does not touch them, and their positions repeat but claim no order.

    Examples
    --------
    >>> import pandas as pd
    >>> minutes = pd.to_datetime(["2026-01-01 10:00", "2026-01-01 10:30", "2026-01-01 11:01"])
    >>> events = pd.DataFrame({"customer": "a", "occurred_at": minutes, "name": ["view", "cart", "view"]})
    >>> split_into_sessions(events)[["name", "session", "position", "person_position"]]
       name  session  position  person_position
    0  view        1         1                1
    1  cart        1         2                2
    2  view        3         1                3
    """
    if gap_minutes < 0:
        raise ValueError(f"gap_minutes must be 0 or more, found {gap_minutes}")
    useful = [*PERSON_COLUMNS, *ORDER_COLUMNS]
    frame = open_events(events, required=[TIME, "name"], optional=useful, whole=True)
    frame = frame.drop([column for column in ADDED if column in frame.columns])
    facts = inspect_events(frame)
    frame = number_sessions(frame, facts, gap_minutes=gap_minutes, respect_given=respect_given)
    return return_rows(events, frame, columns=ADDED)


def number_sessions(
    frame: nw.LazyFrame, facts: EventFacts, *, gap_minutes: float, respect_given: bool
) -> nw.LazyFrame:
    """Give opened events the numbers of their sessions; see `split_into_sessions`.

    Parameters
    ----------
    frame : narwhals LazyFrame
        One row is one event, as from `open_events`.
    facts : EventFacts
        From `inspect_events` of the same frame.
    gap_minutes, respect_given
        As for `split_into_sessions`.

    Returns
    -------
    narwhals LazyFrame
        The frame with the columns of `ADDED`, and some of its own that start with `_`.
    """
    frame, order = order_events(frame, facts)
    frame, persons_are_units = _number_units(frame, facts, respect_given)
    last = nw.col(TIME).shift(1).over("_unit", order_by=order)
    frame = frame.with_columns(
        (nw.col(TIME) - last).alias("_gap"),
        nw.col(TIME).cum_count().over("_unit", order_by=order).cast(nw.Int64).alias("_number"),
    )
    is_first = (nw.col("_number") == 1) | (nw.col("_gap") > round(gap_minutes * MINUTE))
    if "_rule" in frame.columns:
        is_first = (is_first & (nw.col("_rule") == _BY_GAP)) | (nw.col("_rule") == _ALONE)
        is_first = is_first | (nw.col("_number") == 1)
    start = nw.when(is_first).then(nw.col("_number")).otherwise(0)
    frame = frame.with_columns(start.alias("_start"))
    frame = frame.with_columns(nw.col("_start").cum_max().over("_unit", order_by="_number").alias("_start"))
    return frame.with_columns(
        (nw.col("_unit") + nw.col("_start")).cast(nw.Int64).alias("session"),
        (nw.col("_number") - nw.col("_start") + 1).cast(nw.Int64).alias("position"),
        _number_by_person(facts, order, persons_are_units).alias("person_position"),
    )


def _number_units(frame: nw.LazyFrame, facts: EventFacts, respect_given: bool) -> tuple[nw.LazyFrame, bool]:
    """Give each row the number of its unit, within which the gap rule works.

    A unit is a person, or a person's given session, or a person's day. Its number is the count of events in
    the units before it, so that unit + number of the session's first event is unique and compact.
    """
    given = respect_given and facts.filled.get("session_given", 0) > 0
    persons_are_units = not given and not facts.day_rows
    frame, keys = _name_units(frame, facts, given)
    units = frame.group_by(*keys).agg(nw.len().cast(nw.Int64).alias("_n"))
    before = nw.col("_n").cum_sum().over(order_by=keys) - nw.col("_n")
    units = units.with_columns(before.cast(nw.Int64).alias("_unit")).drop("_n")
    if not persons_are_units:
        units = units.with_columns(nw.col("_unit").min().over("_kind", "_person").alias("_code"))
    numbered = frame.join(units, on=keys, how="left")
    return numbered.drop([key for key in keys if key.startswith("_")]), persons_are_units


def _name_units(frame: nw.LazyFrame, facts: EventFacts, given: bool) -> tuple[nw.LazyFrame, list[str]]:
    """Add the columns that tell units apart, as few as these events need, and the rule within the unit."""
    if facts.filled.get("customer") == facts.n and not given and not facts.day_rows:
        return frame, ["customer"]
    here = [column for column in PERSON_COLUMNS if facts.filled.get(column)]
    kind, person = nw.lit(_NOBODY), nw.lit("")
    for number, column in reversed(list(enumerate(here))):
        kind = nw.when(~nw.col(column).is_null()).then(nw.lit(number)).otherwise(kind)
    if here:
        person = nw.coalesce(*[nw.col(column).cast(nw.String) for column in here], nw.lit(""))
    frame = frame.with_columns(kind.cast(nw.Int64).alias("_kind"), person.alias("_person"))
    has_given = ~nw.col("session_given").is_null() if given else nw.lit(False)
    is_day = (nw.col("precision") == "day").fill_null(False) if facts.day_rows else nw.lit(False)
    frame = frame.with_columns(has_given.alias("_has_given"), (is_day & ~has_given).alias("_has_day"))
    label = nw.col("session_given").cast(nw.String).fill_null("") if given else nw.lit("")
    rule = nw.when(nw.col("_has_given") | nw.col("_has_day")).then(nw.lit(_WHOLE)).otherwise(nw.lit(_BY_GAP))
    rule = nw.when(nw.col("_kind") == _NOBODY).then(nw.lit(_ALONE)).otherwise(rule)
    frame = frame.with_columns(
        label.alias("_label"),
        nw.when(nw.col("_has_day")).then(nw.col(TIME)).otherwise(nw.lit(0)).cast(nw.Int64).alias("_day"),
        rule.cast(nw.Int64).alias("_rule"),
    )
    return frame, ["_kind", "_person", "_has_given", "_has_day", "_label", "_day"]


def _number_by_person(facts: EventFacts, order: list[str], persons_are_units: bool) -> nw.Expr:
    """Place an event among the customer's own; missing without a customer."""
    if not facts.filled.get("customer"):
        return nw.lit(None, nw.Int64)
    number = nw.col("_number")
    if not persons_are_units:
        number = nw.col(TIME).cum_count().over("_code", order_by=order)
    if facts.filled["customer"] == facts.n:
        return number.cast(nw.Int64)
    return nw.when(~nw.col("customer").is_null()).then(number).otherwise(None).cast(nw.Int64)
