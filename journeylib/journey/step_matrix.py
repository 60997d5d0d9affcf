"""Step matrix: where units stand at their first, second, third step; and where they come back to."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from journeylib.evidence.estimates import estimate_from_sums
from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME, Events
from journeylib.journey.measuring import cut_periods
from journeylib.journey.paths import END, START
from journeylib.journey.sequences import StateEvents, number_states

__all__ = ["count_loops", "count_steps", "time_transitions"]

_MINUTE = 60_000_000
_LOOP_COLUMNS = [
    "which", "state", "n", "units", "repeats", "returns", "units_returning", "return_share",
    "low", "high", "n_effective", "unit_of_analysis",
]  # fmt: skip


def count_steps(
    events: Events,
    *,
    column: str = "touchpoint",
    unit: str = "sessions",
    most_steps: int = 10,
    collapse: bool = False,
    periods: Mapping[str, tuple[int, int]] | None = None,
) -> pd.DataFrame:
    """Count where units stand at each of their steps: the step matrix.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event; after `split_into_sessions` where the unit is sessions. Row order does not
        matter.
    column : str
        What to follow: `touchpoint`, `stage`, `name`, `channel` or a column of your own. Events where it is
        missing or empty are the state `(unmapped)`.
    unit : str
        `sessions`, or `people` (events without a customer are left out).
    most_steps : int
        Steps to count, from the first.
    collapse : bool
        Count a run of the same state as one step.
    periods : mapping, optional
        Name to (start, end) in microseconds UTC, [start, end): sessions that start in it, whole, or people's
        events in it. Without it the whole table, `all`.

    Returns
    -------
    pandas.DataFrame
        One row is one state at one step: `which`, `step` (1, 2, ...), `state`, `n` (units there), `share` (in
        percent of all units) and `unit_of_analysis`. Units that are over by then are the state `(end)`, so
        that shares of a step sum to 100. By period and step, the most frequent first, `(end)` last.

    Raises
    ------
    ValueError
        Where a column is missing, an option is out of range or a period does not end after it starts.

    Notes
    -----
    Units that hold an event known by its day only, beside another event of that day, are left out: their
    order is not known.

    Examples
    --------
    >>> from journeylib.journey.sessions import split_into_sessions
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [1, 2, 3], "name": list("vbv")})
    >>> count_steps(split_into_sessions(events), column="name", most_steps=2)[["step", "state", "n", "share"]]
       step  state  n  share
    0     1      v  2  100.0
    1     2      b  1   50.0
    2     2  (end)  1   50.0
    """
    if most_steps < 1:
        raise ValueError(f"most_steps must be 1 or more, found {most_steps}")
    parts = []
    for which, period in _name_periods(periods).items():
        states = number_states(events, column=column, unit=unit, period=period, collapse=collapse)
        shown = states.frame.filter(nw.col("_step") <= most_steps)
        counted = shown.group_by("_step", "_state").agg(nw.len().cast(nw.Int64).alias("n"))
        table = collect_table(counted, order_by=["_step", "_state"])
        parts.append(_add_ended(table, states.names, most_steps).assign(which=which, unit_of_analysis=unit))
    columns = ["which", "step", "state", "n", "share", "unit_of_analysis"]
    return pd.concat(parts, ignore_index=True)[columns]


def count_loops(
    events: Events,
    *,
    column: str = "touchpoint",
    unit: str = "sessions",
    periods: Mapping[str, tuple[int, int]] | None = None,
) -> pd.DataFrame:
    """Count how often units stay at a state or come back to it.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        As for `count_steps`. Row order does not matter.
    column, unit, periods
        As for `count_steps`.

    Returns
    -------
    pandas.DataFrame
        One row is one state: `which`, `state`, `n` (events), `units` that have it, `repeats` (events directly
        after one of the same state), `returns` (events that come back to the state after another one),
        `units_returning`, `return_share` (percent of the units) with `low`, `high`, `n_effective`, and
        `unit_of_analysis`. n = units + repeats + returns. By period, the most returns first, then by name.

    Raises
    ------
    ValueError
        As for `count_steps`.

    Notes
    -----
    Interval: Wilson, on the effective n clustered by person where units are sessions. A loop says that people
    come back, not why.

    Examples
    --------
    >>> from journeylib.journey.sessions import split_into_sessions
    >>> events = pd.DataFrame({"customer": "a", "occurred_at": range(5), "name": list("vvbvb")})
    >>> loops = count_loops(split_into_sessions(events), column="name")
    >>> loops[["state", "n", "units", "repeats", "returns"]]
      state  n  units  repeats  returns
    0     b  2      1        0        1
    1     v  3      1        1        1
    """
    parts = []
    for which, period in _name_periods(periods).items():
        states = number_states(events, column=column, unit=unit, period=period)
        rows = [
            {"state": states.names[int(str(state)) - 1], **_describe_loops(group)}
            for state, group in _sum_loops(states).groupby("_state")
        ]
        parts.append(pd.DataFrame(rows, columns=_LOOP_COLUMNS).assign(which=which, unit_of_analysis=unit))
        parts[-1] = parts[-1].sort_values(["returns", "state"], ascending=[False, True])
    return pd.concat(parts, ignore_index=True)[_LOOP_COLUMNS]


def time_transitions(
    events: Events,
    *,
    column: str = "touchpoint",
    unit: str = "sessions",
    collapse: bool = False,
    periods: Mapping[str, tuple[int, int]] | None = None,
) -> pd.DataFrame:
    """Measure how long it takes from one state to the next, with start and end.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        As for `count_steps`. Row order does not matter.
    column, unit, collapse, periods
        As for `count_steps`; with `collapse` time runs from the first event of a run.

    Returns
    -------
    pandas.DataFrame
        One row is one transition: `which`, `from`, `to`, `n`, `share` (percent of all that leave `from`),
        `median_minutes` and `mean_minutes` between the two events. From `(start)` and to `(end)` there is no
        time: it is missing, since how long the last page was looked at is not known. By period, the most
        frequent first, then by name.

    Raises
    ------
    ValueError
        As for `count_steps`.

    Examples
    --------
    >>> from journeylib.journey.sessions import split_into_sessions
    >>> events = pd.DataFrame({"customer": "a", "occurred_at": [0, 120_000_000], "name": ["view", "buy"]})
    >>> time_transitions(split_into_sessions(events), column="name")[["from", "to", "n", "median_minutes"]]
          from     to  n  median_minutes
    0  (start)   view  1             NaN
    1      buy  (end)  1             NaN
    2     view    buy  1             2.0
    """
    parts = []
    for which, period in _name_periods(periods).items():
        states = number_states(events, column=column, unit=unit, period=period, collapse=collapse)
        before = nw.col("_state").shift(1).over("_unit", order_by="_step").fill_null(0)
        gap = nw.col(TIME) - nw.col(TIME).shift(1).over("_unit", order_by="_step")
        pairs = states.frame.with_columns(before.cast(nw.Int64).alias("_before"), gap.alias("_gap"))
        timed = pairs.with_columns((nw.col("_gap") / _MINUTE).alias("_minutes"))
        gaps = [nw.len().cast(nw.Int64).alias("n"), nw.col("_gap").sum().cast(nw.Int64)]
        median = nw.col("_minutes").median().cast(nw.Float64).alias("median_minutes")
        table = collect_table(timed.group_by("_before", "_state").agg(*gaps, median))
        parts.append(_name_pairs(table, states.names).assign(which=which))
    columns = ["which", "from", "to", "n", "share", "median_minutes", "mean_minutes"]
    return pd.concat(parts, ignore_index=True)[columns]


def _name_periods(
    periods: Mapping[str, tuple[int, int]] | None,
) -> dict[str, tuple[int, int] | None]:
    if periods is None:
        return {"all": None}
    cut_periods(periods)
    return dict(periods)


def _add_ended(table: pd.DataFrame, names: list[str], most_steps: int) -> pd.DataFrame:
    """Add the units that are over at each step, and the shares of all units."""
    units = int(table.loc[table["_step"] == 1, "n"].sum())
    here = table.groupby("_step")["n"].sum().reindex(range(1, most_steps + 1), fill_value=0)
    over = pd.DataFrame({"step": here.index, "state": END, "n": units - here.to_numpy(), "_last": True})
    states = pd.DataFrame({"step": table["_step"], "n": table["n"], "_last": False})
    states["state"] = pd.Series([names[state - 1] for state in table["_state"]], dtype="str")
    both = pd.concat([states, over[over["n"] > 0]], ignore_index=True)
    both["share"] = 100 * both["n"] / (units or 1)
    return both.sort_values(["step", "_last", "n", "state"], ascending=[True, True, False, True])


def _sum_loops(states: StateEvents) -> pd.DataFrame:
    """Sum visits per person and state, and count the people with the same sums."""
    before = nw.col("_state").shift(1).over("_unit", order_by="_step").fill_null(0)
    repeated = states.frame.with_columns(
        nw.when(before == nw.col("_state")).then(1).otherwise(0).cast(nw.Int64).alias("_repeat")
    )
    visits = repeated.group_by("_unit", "_state").agg(
        nw.col("_person").max(), nw.len().cast(nw.Int64).alias("n"), nw.col("_repeat").sum().cast(nw.Int64)
    )
    returns = nw.col("n") - nw.col("_repeat") - 1
    visits = visits.with_columns(returns.alias("_returns"), nw.lit(1).cast(nw.Int64).alias("_units"))
    came_back = nw.when(nw.col("_returns") > 0).then(1).otherwise(0).cast(nw.Int64).alias("_back")
    names = ["_units", "_back", "n", "_repeat", "_returns"]
    sums = [nw.col(name).sum().cast(nw.Int64) for name in names]
    people = visits.with_columns(came_back).group_by("_state", "_person").agg(*sums)
    counted = people.group_by("_state", "_units", "_back").agg(
        nw.len().cast(nw.Int64).alias("_people"), *[nw.col(name).sum().cast(nw.Int64) for name in names[2:]]
    )
    return collect_table(counted, order_by=["_state", "_units", "_back"])


def _describe_loops(group: pd.DataFrame) -> dict[str, object]:
    people = group["_people"].to_numpy()
    back, units = np.repeat(group["_back"].to_numpy(), people), np.repeat(group["_units"].to_numpy(), people)
    share = estimate_from_sums("share", back, units)
    row = {"n": int(group["n"].sum()), "units": int(units.sum()), "units_returning": int(back.sum())}
    row |= {"repeats": int(group["_repeat"].sum()), "returns": int(group["_returns"].sum())}
    return {
        **row,
        "return_share": share["value"],
        **{key: share[key] for key in ("low", "high", "n_effective")},
    }


def _name_pairs(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Add the moves to the end, shares and names: a state is left as often as it is come to."""
    states = dict(enumerate([START, *names]))
    came, left = table.groupby("_state")["n"].sum(), table.groupby("_before")["n"].sum()
    ends = came.sub(left.drop(0, errors="ignore"), fill_value=0).astype("int64")
    last = pd.DataFrame({"from": [states[state] for state in ends.index], "to": END, "n": ends.to_numpy()})
    is_start = table["_before"] == 0
    moves = pd.DataFrame({"from": table["_before"].map(states), "to": table["_state"].map(states)})
    moves = moves.assign(n=table["n"], median_minutes=table["median_minutes"].astype(float).mask(is_start))
    moves["mean_minutes"] = (table["_gap"].astype(float) / table["n"] / _MINUTE).mask(is_start)
    both = pd.concat([moves, last[last["n"] > 0]], ignore_index=True).astype({"from": "str", "to": "str"})
    both["share"] = 100 * both["n"] / both.groupby("from")["n"].transform("sum")
    return both.sort_values(["n", "from", "to"], ascending=[False, True, True], ignore_index=True)
