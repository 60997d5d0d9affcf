"""Journeys: who was lost at a step, and one person's journey, event by event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME, Events, open_events, restore_name
from journeylib.journey.order import ORDER_COLUMNS
from journeylib.journey.step_times import read_step_times
from journeylib.journey.steps import parse_steps

__all__ = ["list_lost", "read_journey"]

_SHOWN = ("session", "touchpoint", "stage", "name", "channel", "device_type", "basket", "value", "precision")


def list_lost(
    events: Events,
    steps: Sequence[str],
    *,
    step: str,
    unit: str = "people",
    within: str | float | pd.Timedelta | None = None,
    period: tuple[int, int] | None = None,
    as_of: int | str | pd.Timestamp | None = None,
) -> pd.DataFrame:
    """List who was lost at a step of an ordered funnel.

    Parameters
    ----------
    events, steps, unit, within, as_of
        As for `read_step_times`.
    step : str
        The label of a step after the first.
    period : tuple of int, optional
        (start, end) in microseconds UTC, [start, end), in which the first step lies.

    Returns
    -------
    pandas.DataFrame
        One row is one unit that reached the step before and not this one, and whose window has closed:
        `customer` (`session` or `basket`), `entered_at` and `last_step_at` (`Int64` microseconds UTC). It
        holds people: it is for work, not for a report.

    Raises
    ------
    ValueError
        As for `count_funnel`, and where `step` is not one after the first.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [1, 2, 3],
    ...     "name": ["view", "buy", "view"]})
    >>> list_lost(events, ["event:view", "event:buy"], step="event:buy")["customer"].tolist()
    ['b']
    """
    labels = [each.label for each in parse_steps(steps)]
    if step not in labels[1:]:
        raise ValueError(f"step must be one after the first, {', '.join(labels[1:])}; found {step!r}")
    number = labels.index(step)
    periods = None if period is None else {"all": period}
    options: dict[str, Any] = {"unit": unit, "within": within, "periods": periods, "as_of": as_of}
    times = read_step_times(events, steps, **options)
    lost = times[(times["reached"] == number) & ~times["is_censored"]]
    key = {"people": "customer", "sessions": "session", "baskets": "basket"}[unit]
    named = {key: lost["unit"], "entered_at": lost["time_1"], "last_step_at": lost[f"time_{number}"]}
    return pd.DataFrame(named).reset_index(drop=True)


def read_journey(events: Events, customer: str, *, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read one person's journey, event by event.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, with `customer`. Row order does not matter.
    customer : str
        The person.
    columns : sequence of str
        Further columns to show.

    Returns
    -------
    pandas.DataFrame
        One row is one event, in their order: `place` (1, 2, ...), `occurred_at` (UTC), `minutes_since`
        (since the event before; missing for the first, and where either is known by its day only), and what
        the table has of session, touchpoint, stage, name, channel, device_type, basket, value, precision.

    Raises
    ------
    ValueError
        Where a column is missing, or the person has no event.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": "a", "occurred_at": [0, 90_000_000], "name": ["view", "buy"]})
    >>> read_journey(events, "a")[["place", "name", "minutes_since"]].values.tolist()
    [[1, 'view', nan], [2, 'buy', 1.5]]
    """
    optional = [*_SHOWN, *ORDER_COLUMNS]
    frame = open_events(events, required=[TIME, "name", "customer", *columns], optional=optional)
    found = collect_table(frame.filter(nw.col("customer") == customer))
    if found.empty:
        raise ValueError(f"no event of the customer {customer!r}")
    found = found.rename(columns=restore_name)
    order = [name for name in (TIME, "sequence", "event_id", "name") if name in found]
    found = found.sort_values(order, na_position="last", ignore_index=True)
    since = found[TIME].diff().astype("float64") / 60_000_000
    if "precision" in found:
        by_day = found["precision"] == "day"
        since = since.mask(by_day | by_day.shift(1, fill_value=False))
    moments = pd.to_datetime(found[TIME], unit="us", utc=True)
    kept = [name for name in dict.fromkeys([*_SHOWN, *columns]) if name in found]
    told = found[kept].assign(place=range(1, len(found) + 1), occurred_at=moments, minutes_since=since)
    return told[["place", "occurred_at", "minutes_since", *kept]]
