"""Single customers: who came how far in a funnel, and what one of them did, event by event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.data.problems import ArgumentError, say_nearest
from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME, Events, open_events
from journeylib.journey.order import ORDER_COLUMNS
from journeylib.journey.outcomes import describe_funnel, sum_outcomes
from journeylib.journey.steps import parse_steps

__all__ = ["list_journey", "select_customers"]

OUTCOMES = ("dropped", "reached", "converted")
_MINUTE = 60_000_000


def select_customers(
    events: Events,
    funnel: pd.DataFrame | Sequence[str],
    *,
    step: str,
    outcome: str = "dropped",
    within: str | float | pd.Timedelta | None = None,
    order: str = "ordered",
    as_of: int | str | pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Select the customers who were lost before a step of a funnel, or who reached it.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        The events that the funnel was counted on.
    funnel : pandas.DataFrame or sequence of str
        What `count_funnel` returned: it is counted the same way again, over the whole table. Or steps.
    step : str
        The step's label.
    outcome : {"dropped", "reached", "converted"}
        ``dropped``: came to the step before and not to this one. ``reached``: came to this one.
        ``converted``: came to this one and to the last.
    within, order, as_of
        As for `count_funnel`, where ``funnel`` is a list of steps; else its own are taken.

    Returns
    -------
    pandas.DataFrame
        One row is one customer, sorted: ``customer``, ``steps_reached`` and ``last_step``. As many rows as
        the funnel counts without periods; customers whose window has not closed are in none.

    Raises
    ------
    ArgumentError
        Where the step or the outcome is unknown, or the funnel does not count people.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [1, 2, 3], "name": list("vbv")})
    >>> select_customers(events, ["event:v", "event:b"], step="event:b")["customer"].tolist()
    ['b']
    """
    if isinstance(funnel, pd.DataFrame):
        recipe = funnel.attrs.get("funnel")
        if recipe is None:
            raise ArgumentError("funnel does not say how it was counted; give what count_funnel returned.")
    else:
        recipe = describe_funnel(funnel, unit="people", order=order, within=within, as_of=as_of)
    if recipe["unit"] != "people":
        raise ArgumentError(
            f"The funnel counts {recipe['unit']}; customers are known where it counts people."
        )
    if recipe.get("attempts", "first") != "first":
        raise ArgumentError(
            "The funnel counts every attempt; count it with attempts='first' to select people."
        )
    if outcome not in OUTCOMES:
        raise ArgumentError(f"outcome must be one of {', '.join(OUTCOMES)}, found {outcome!r}")
    parsed = parse_steps(recipe["steps"])
    labels = [one.label for one in parsed]
    if step not in labels or (outcome == "dropped" and step == labels[0]):
        known = labels[1:] if outcome == "dropped" else labels
        raise ArgumentError(f"no step {step!r} that customers can have {outcome}; {say_nearest(step, known)}")
    options: dict[str, Any] = {"unit": "people", "order": recipe["order"], "within": recipe["window_days"]}
    options["exclude"] = recipe.get("exclude", ())
    sums = sum_outcomes(events, parsed, **options, periods={"all": None}, as_of=recipe["as_of"], segments=[])
    number = labels.index(step) + 1
    reached = sum((sums[f"reached_{k}"] for k in range(1, len(labels) + 1)), start=pd.Series(0, sums.index))
    wanted = sums[f"lost_{number}"] if outcome == "dropped" else sums[f"reached_{number}"]
    if outcome == "converted":
        wanted = sums[f"reached_{len(labels)}"]
    chosen = sums.loc[wanted > 0, ["person"]].assign(steps_reached=reached)
    found = pd.DataFrame(
        {"customer": _read_ids(chosen["person"], events), "steps_reached": chosen["steps_reached"]}
    )
    found["last_step"] = found["steps_reached"].map(dict(enumerate(labels, 1))).astype("str")
    return found.sort_values("customer", ignore_index=True)


def list_journey(events: Events, customer: Any, *, time_zone: str = "UTC") -> pd.DataFrame:
    """List what one customer did, event by event.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event; after `split_into_sessions`.
    customer : str or int
        The customer's id, as the events have it.
    time_zone : str, default "UTC"
        The zone in which times are shown.

    Returns
    -------
    pandas.DataFrame
        One row is one event in its order: ``session`` (1 for the customer's first), ``position`` in it,
        ``occurred_at`` (local), ``minutes_since_last`` (missing for the first event, and where either event
        is known by its day only), ``name``, and
        ``touchpoint``, ``stage`` and ``channel`` where they are there. Empty for an unknown customer.

    Raises
    ------
    ArgumentError
        Where a column is missing.

    Examples
    --------
    >>> from journeylib.journey.sessions import split_into_sessions
    >>> events = pd.DataFrame({"customer": "a", "occurred_at": [0, 60_000_000], "name": ["view", "buy"]})
    >>> list_journey(split_into_sessions(events), "a")[["position", "minutes_since_last", "name"]]
       position  minutes_since_last  name
    0         1                 NaN  view
    1         2                 1.0   buy
    """
    required = [TIME, "customer", "name", "session", "position"]
    optional = ["touchpoint", "stage", "channel", "person_position", *ORDER_COLUMNS]
    frame = open_events(events, required=required, optional=optional)
    own = collect_table(frame.filter(nw.col("customer").cast(nw.String) == str(customer)))
    order = [name for name in (TIME, "sequence", "event_id", "name") if name in own]
    own = own.sort_values(order, na_position="last", ignore_index=True)
    gaps = own[TIME].diff() / _MINUTE
    if "precision" in own:
        by_day = (own["precision"] == "day").astype("boolean").fillna(False).astype(bool)
        gaps = gaps.mask(by_day | by_day.shift(1, fill_value=False))
    told = pd.DataFrame(
        {
            "session": pd.factorize(own["session"])[0] + 1,
            "position": own["position"].astype("int64"),
            TIME: pd.to_datetime(own[TIME].astype("int64"), unit="us", utc=True).dt.tz_convert(time_zone),
            "minutes_since_last": gaps.astype("float64"),
        }
    )
    return told.join(own[[name for name in ("name", "touchpoint", "stage", "channel") if name in own]])


def _read_ids(people: pd.Series, events: Events) -> pd.Series:
    """Return the customers' ids as the caller's table has them, which may be numbers."""
    ids = people.str.removeprefix("c:")
    if isinstance(events, pd.DataFrame) and not pd.api.types.is_string_dtype(events["customer"].dtype):
        known = {str(one): one for one in events["customer"].dropna().unique()}
        return ids.map(known).where(ids.isin(known), ids)
    return ids
