"""Channel paths: through which channels people came before they converted, or did not."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.journey.engine import collect_table, keep_table
from journeylib.journey.frames import TIME, Events, open_events, rename_safely
from journeylib.journey.measuring import cut_periods
from journeylib.journey.order import ORDER_COLUMNS, inspect_events, rank_events
from journeylib.journey.outcomes import NoUnitsError, _read_as_of, _read_window
from journeylib.journey.sequences import code_states, pack_sequences, unpack_words
from journeylib.journey.steps import Step, _explain_step, parse_steps

__all__ = ["list_channel_paths"]

_JOURNEY = ("_unit", "_journey", "_claimed", "_part")
_DAY = 86_400_000_000
_VALUE_UNIT = 10_000  # values are summed as whole ten-thousandths, so that no order of rows changes them
_COLUMNS = ["which", "path", "n", "conversions", "value", "n_open", "n_cut"]


def list_channel_paths(
    events: Events,
    *,
    conversion: str,
    channel: str = "channel",
    within: str | float | pd.Timedelta = "30D",
    value: str = "value",
    collapse: bool = True,
    with_times: bool = False,
    most_touches: int = 50,
    touches: str = "events",
    periods: Mapping[str, tuple[int, int]] | None = None,
    as_of: int | str | pd.Timestamp | None = None,
) -> pd.DataFrame:
    """List the channel paths that led to a conversion and those that did not.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event; needs `occurred_at`, `customer`, `name`, the channel's column and the one that
        `conversion` names. Events without a customer are left out. Row order does not matter.
    conversion : str
        A touchpoint, `event:NAME` or `stage:NAME`; each such event ends a path, its own channel is no touch.
    channel : str
        Column of the touches; an event where it is missing or empty is none.
    within : str, float or Timedelta
        Look-back window, `30D` or a number of days, its end included. 30 days is a convention.
    value : str
        Column of what a conversion is worth; missing is 0, no such column gives missing values.
    collapse : bool
        Count a run of the same channel as one touch, at the time of its last event.
    with_times : bool
        Add `days_before`, which time decay needs; equal paths with different times are then several rows.
    most_touches : int
        Touches of a path that are kept: the last ones before its end. Longer paths are counted in `n_cut`.
    touches : str
        `events`: every event with a channel is a touch. `sessions`: the first event of each session alone
        (`position` 1), as web analytics credits a session to what it came from.
    periods : mapping, optional
        Name to (start, end) in microseconds UTC, [start, end); a path belongs to the period in which it
        ends, its touches may lie before. Without it the whole table, `all`.
    as_of : int, str or Timestamp, optional
        What was known when; later events are not looked at. Default: the last event.

    Returns
    -------
    pandas.DataFrame
        One row is one path in one period: `which`, `path` (tuple of channels, first touch first; empty for
        conversions without a touch in the window), `n` (paths that are closed), `conversions`, `value`
        (in the unit of the column), `n_open` (paths without a conversion whose window has not closed, not in
        `n`), `n_cut` and, where asked for, `days_before` (tuple: days from each touch to the path's end).
        By period, then the most frequent first, then by path.

    Raises
    ------
    ValueError
        Where a column is missing, no event has a customer, the conversion matches nothing, or an option is
        out of range.

    Notes
    -----
    A conversion claims the person's touches since the last conversion that lie in its window. Touches that no
    conversion claims are paths without one: those of one person between the same conversions, a new path
    after a silence longer than the window. People with a touch or conversion known by its day only, beside
    another one of that day, are left out: their order is not known.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": list("aaab"), "occurred_at": pd.to_datetime(
    ...     ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-01"]), "name": ["ad", "mail", "buy", "ad"],
    ...     "channel": ["search", "email", None, "search"]})
    >>> paths = list_channel_paths(events, conversion="event:buy", as_of="2026-06-30")
    >>> paths[["path", "n", "conversions"]]
                  path  n  conversions
    0        (search,)  1            0
    1  (search, email)  1            1
    """
    step, window = parse_steps([conversion])[0], _read_window(within) or 0
    named: dict[str, tuple[int, int] | None] = dict(periods) if periods is not None else {"all": None}
    cut_periods({which: period for which, period in named.items() if period is not None})
    if touches not in ("events", "sessions"):
        raise ArgumentError(f"touches must be events or sessions, found {touches!r}")
    frame, known = _open_touches(events, step, channel, value, as_of, touches == "sessions")
    coded, names = code_states(frame, "_channel")
    coded = coded.with_columns(
        nw.when(nw.col("_converts") == 1).then(0).otherwise(nw.col("_state")).cast(nw.Int64).alias("_state")
    )
    steps = _number_touches(_claim_touches(coded, window), collapse=collapse, most=most_touches)
    has_value = "_value" in coded.columns
    with keep_table(_sum_journeys(steps, len(names), most_touches)) as journeys:
        times = collect_table(_date_touches(steps)) if with_times else None
        parts = [
            (_count_paths if times is None else _list_dated)(
                _choose_ended(journeys, period, window, known), names, most_touches, times
            ).assign(which=which)
            for which, period in named.items()
        ]
    found = pd.concat(parts, ignore_index=True)
    found["value"] = found["value"].astype("float64") / (_VALUE_UNIT if has_value else np.nan)
    return found[_COLUMNS + (["days_before"] if with_times else [])]


def _open_touches(
    events: Events,
    step: Step,
    channel: str,
    value: str,
    as_of: int | str | pd.Timestamp | None,
    first_only: bool,
) -> tuple[nw.LazyFrame, int]:
    """Open people's touches and conversions, ranked; and the last moment that is known."""
    required = [TIME, "customer", "name", channel, step.column, *(["position"] if first_only else [])]
    frame = open_events(events, required=required, optional=["local_day", value, *ORDER_COLUMNS])
    facts = inspect_events(frame)
    if facts.n and not facts.filled["customer"]:
        raise NoUnitsError("no event has a customer, so there are no people whose channels could be followed")
    known = _read_as_of(as_of, facts)
    wanted = nw.col(rename_safely(step.column)).cast(nw.String) == step.value
    label = nw.col(rename_safely(channel)).cast(nw.String).fill_null("")
    if first_only:
        label = nw.when(nw.col("position") == 1).then(label).otherwise(nw.lit(""))
    marked = frame.with_columns(
        nw.when(wanted.fill_null(False)).then(1).otherwise(0).cast(nw.Int64).alias("_converts"),
        label.alias("_channel"),
    )
    if facts.n and not collect_table(marked.select(nw.col("_converts").max()))["_converts"].iloc[0]:
        there = frame.select(nw.col(rename_safely(step.column)).cast(nw.String).alias(f"_{step.column}"))
        raise ValueError(_explain_step(step, collect_table(there.unique()).fillna("")))
    marked = marked.filter(
        (nw.col(TIME) <= known) & ((nw.col("_converts") == 1) | (nw.col("_channel") != ""))
    )
    ranked = rank_events(marked, facts, unit="customer").with_columns(nw.col("customer").alias("_unit"))
    if facts.unordered:
        people = ranked.group_by("_unit").agg((nw.col("_high") - nw.col("_low")).max().alias("_unsure"))
        ranked = ranked.join(people.filter(nw.col("_unsure") == 0).select("_unit"), on="_unit", how="inner")
    columns = ["_unit", "_number", "_converts", "_channel", TIME]
    if rename_safely(value) in frame.columns:
        worth = (nw.col(rename_safely(value)).cast(nw.Float64) * _VALUE_UNIT).round(0).cast(nw.Int64)
        ranked = ranked.with_columns(worth.fill_null(0).alias("_value"))
        columns.append("_value")
    return ranked.select(*columns), known


def _claim_touches(touches: nw.LazyFrame, window: int) -> nw.LazyFrame:
    """Give each touch the conversion that claims it, else the silence after which its path starts."""
    done = nw.col("_converts").cum_sum().over("_unit", order_by="_number") - nw.col("_converts")
    touches = touches.with_columns(done.cast(nw.Int64).alias("_journey"))
    at = nw.when(nw.col("_converts") == 1).then(nw.col(TIME)).otherwise(None)
    touches = touches.with_columns(at.cast(nw.Int64).alias("_at"))
    touches = touches.with_columns(nw.col("_at").max().over("_unit", "_journey").alias("_at"))
    claimed = (nw.col(TIME) >= nw.col("_at") - window).fill_null(False)
    touches = touches.with_columns(nw.when(claimed).then(1).otherwise(0).cast(nw.Int64).alias("_claimed"))
    gap = nw.col(TIME) - nw.col(TIME).shift(1).over("_unit", "_journey", "_claimed", order_by="_number")
    silent = (gap > window).fill_null(False) & (nw.col("_claimed") == 0)
    touches = touches.with_columns(nw.when(silent).then(1).otherwise(0).cast(nw.Int64).alias("_silent"))
    part = nw.col("_silent").cum_sum().over("_unit", "_journey", "_claimed", order_by="_number")
    return touches.with_columns(part.cast(nw.Int64).alias("_part"))


def _number_touches(touches: nw.LazyFrame, *, collapse: bool, most: int) -> nw.LazyFrame:
    """Count each path's touches, the last `most` of them from 1 on; earlier ones get 0 or less."""
    if collapse:
        after = nw.col("_state").shift(-1).over(*_JOURNEY, order_by="_number").fill_null(-1)
        touches = touches.with_columns(after.alias("_after"))
        touches = touches.filter((nw.col("_after") != nw.col("_state")) | (nw.col("_state") == 0))
    is_touch = nw.when(nw.col("_state") > 0).then(1).otherwise(0).cast(nw.Int64)
    touches = touches.with_columns(is_touch.alias("_is_touch"))
    total = nw.col("_is_touch").sum().over(*_JOURNEY)
    number = nw.col("_number").cum_count().over(*_JOURNEY, order_by="_number")
    touches = touches.with_columns(number.cast(nw.Int64).alias("_step"), total.cast(nw.Int64).alias("_total"))
    surplus = nw.when(nw.col("_total") > most).then(nw.col("_total") - most).otherwise(0)
    return touches.with_columns((nw.col("_step") - surplus).cast(nw.Int64).alias("_step"))


def _sum_journeys(steps: nw.LazyFrame, n_states: int, most: int) -> nw.LazyFrame:
    """One row a path of one person: its channels as packed numbers, when it ended, what it brought."""
    more = [nw.col("_converts").max(), nw.col(TIME).max().alias("_ended")]
    if "_value" in steps.columns:
        won = nw.when(nw.col("_converts") == 1).then(nw.col("_value")).otherwise(0)
        steps, more = steps.with_columns(won.alias("_value")), [*more, nw.col("_value").sum().cast(nw.Int64)]
    return pack_sequences(steps, _JOURNEY, n_states=n_states, most=most, more=more)


def _choose_ended(
    journeys: nw.LazyFrame, period: tuple[int, int] | None, window: int, known: int
) -> nw.LazyFrame:
    """Take the paths that end in the period, and mark those whose window has not closed."""
    if period is not None:
        journeys = journeys.filter((nw.col("_ended") >= period[0]) & (nw.col("_ended") < period[1]))
    is_open = (nw.col("_converts") == 0) & (nw.col("_ended") + window > known)
    return journeys.with_columns(nw.when(is_open).then(1).otherwise(0).cast(nw.Int64).alias("_open"))


def _count_paths(
    journeys: nw.LazyFrame, names: list[str], most: int, times: pd.DataFrame | None
) -> pd.DataFrame:
    """Count people's paths by their channels, on the engine."""
    words = [name for name in journeys.columns if name.startswith("_word")]
    sums = ["_converts", "_open", "_cut", *(["_value"] if "_value" in journeys.columns else [])]
    is_cut = nw.when(nw.col("_length") > most).then(1).otherwise(0).cast(nw.Int64).alias("_cut")
    counted = journeys.with_columns(is_cut).group_by(*words)
    totals = [nw.col(name).sum().cast(nw.Int64) for name in sums]
    table = collect_table(counted.agg(nw.len().cast(nw.Int64).alias("_n"), *totals))
    table["path"] = pd.Series(unpack_words(table, names, most=most), table.index, dtype=object)
    return _tabulate(table, ["path"])


def _date_touches(steps: nw.LazyFrame) -> nw.LazyFrame:
    """Take each kept touch's time before the end of its path."""
    before = nw.col(TIME).max().over(*_JOURNEY) - nw.col(TIME)
    kept = steps.with_columns(before.alias("_before")).filter((nw.col("_step") > 0) & (nw.col("_state") > 0))
    return kept.select(*_JOURNEY, "_step", "_before")


def _list_dated(
    journeys: nw.LazyFrame, names: list[str], most: int, times: pd.DataFrame | None
) -> pd.DataFrame:
    """Count people's paths by their channels and times, which come back touch by touch."""
    table = collect_table(journeys)
    table["_cut"] = (table["_length"] > most).astype("int64")
    keys, touches = list(_JOURNEY), pd.DataFrame() if times is None else times
    touches = touches.assign(_before=touches["_before"] / _DAY).sort_values([*keys, "_step"])
    ages = touches.groupby(keys)["_before"].agg(tuple).rename("days_before").reset_index()
    table["path"] = pd.Series(unpack_words(table, names, most=most), table.index, dtype=object)
    table = table.assign(_n=1).merge(ages, on=keys, how="left")
    days = [found if isinstance(found, tuple) else () for found in table["days_before"]]
    table["days_before"] = pd.Series(days, table.index, dtype=object)
    return _tabulate(table, ["path", "days_before"])


def _tabulate(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Name the counts, and settle the order of the rows."""
    table = table.assign(_value=table.get("_value", 0), n=table["_n"] - table["_open"])
    names = {"_converts": "conversions", "_value": "value", "_open": "n_open", "_cut": "n_cut"}
    counted = (
        table.rename(columns=names).groupby(keys, as_index=False, sort=False)[["n", *names.values()]].sum()
    )
    return counted.sort_values(["n", *keys], ascending=[False, *[True] * len(keys)], ignore_index=True)
