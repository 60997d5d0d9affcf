"""Paths: what follows what within a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME, Events, open_events, rename_safely
from journeylib.journey.labels import code_columns, read_labels
from journeylib.journey.measuring import cut_periods
from journeylib.journey.order import inspect_events, is_unordered

__all__ = ["END", "START", "UNMAPPED", "count_paths", "count_transitions"]

START, END, UNMAPPED = "(start)", "(end)", "(unmapped)"
_NO_LABEL, _START, _END = -1, -2, -3


def count_transitions(
    events: Events, *, column: str = "touchpoint", periods: Mapping[str, tuple[int, int]] | None = None
) -> pd.DataFrame:
    """Count what follows what directly within sessions.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, after `split_into_sessions`. Row order does not matter.
    column : str
        What to count: `touchpoint`, `stage`, `name`, `channel` or a column of your own. Events where it is
        missing or empty are the state `(unmapped)`.
    periods : mapping, optional
        Name to (start, end) in microseconds UTC, [start, end); a session belongs to the period in which it
        starts, with all its events. Without it the whole table, `all`.

    Returns
    -------
    pandas.DataFrame
        One row is one transition: `which`, `from`, `to`, `n`, `share` in percent of all that leave `from`.
        `from` is `(start)` for what sessions start with, `to` is `(end)` for what they end with; a repeat is
        a transition to itself. By `which`, then the most frequent first, then by name. What leaves a state
        is as much as what comes to it.

    Raises
    ------
    ValueError
        Where a column is missing or a period does not end after it starts.

    Notes
    -----
    These are counts of neighbours. That the next step depends on the present one alone is a claim of its own,
    which they do not make. Sessions that hold more than one event known by its day only and without a
    sequence number are left out: their order is not known.

    Examples
    --------
    >>> from journeylib.journey.sessions import split_into_sessions
    >>> events = pd.DataFrame({"customer": "a", "occurred_at": [1, 2, 3], "name": ["view", "view", "buy"]})
    >>> count_transitions(split_into_sessions(events), column="name")[["from", "to", "n", "share"]]
          from     to  n  share
    0  (start)   view  1  100.0
    1      buy  (end)  1  100.0
    2     view    buy  1   50.0
    3     view   view  1   50.0
    """
    pieces = cut_periods(periods) if periods is not None else {"all": []}
    edges = sorted({piece for parts in pieces.values() for piece in parts})
    coded, states = _follow_states(events, column, edges, back=1)
    moves = _count_runs(coded, ["_1", "_0"], n_states=len(states), also=["_piece"])
    moves = moves.rename(columns={"_1": "_from", "_0": "_to"})
    parts = [
        moves[moves["_piece"].isin([edges.index(part) for part in parts] if edges else [0])].assign(
            which=which
        )
        for which, parts in pieces.items()
    ]
    found = (
        pd.concat(parts)[["which", "_from", "_to", "n"]]
        .groupby(["which", "_from", "_to"], as_index=False)
        .sum()
    )
    return _name_transitions(_add_ends(found), states, list(pieces))


def count_paths(
    events: Events, *, column: str = "touchpoint", length: int = 3, most: int | None = 20
) -> pd.DataFrame:
    """Count the most frequent runs of steps directly after each other within sessions.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event, after `split_into_sessions` or `keep_sessions`. Row order does not matter.
    column : str
        What to follow, as for `count_transitions`.
    length : int
        Steps in a run, 2 or more.
    most : int, optional
        Runs to give, the most frequent ones; None for all.

    Returns
    -------
    pandas.DataFrame
        One row is one run: `step_1`, `step_2`, ..., `n` (how often it occurs; a session of m events holds
        m - length + 1 runs, which overlap) and `share` (percent of all runs of this length). The most
        frequent first, then by name. Sessions shorter than that have none.

    Raises
    ------
    ValueError
        Where a column is missing or the length is less than 2.

    Notes
    -----
    Sessions that hold more than one event known by its day only are left out, as in `count_transitions`.

    Examples
    --------
    >>> from journeylib.journey.sessions import split_into_sessions
    >>> events = pd.DataFrame({"customer": "a", "occurred_at": [1, 2, 3, 4], "name": list("vvvb")})
    >>> count_paths(split_into_sessions(events), column="name")[["step_1", "step_2", "step_3", "n"]]
      step_1 step_2 step_3  n
    0      v      v      b  1
    1      v      v      v  1
    """
    if length < 2:
        raise ValueError(f"length must be 2 or more, found {length}")
    coded, states = _follow_states(events, column, [], back=length - 1)
    places = [f"_{back}" for back in reversed(range(length))]
    whole = coded.filter(nw.col(places[0]) != _START)
    found = _count_runs(whole, places, n_states=len(states))
    steps = {f"step_{number}": found[place].map(states) for number, place in enumerate(places, 1)}
    table = pd.DataFrame(steps).astype("str").assign(n=found["n"])
    table["share"] = 100 * table["n"] / table["n"].sum()
    keys = ["n", *steps]
    ordered = table.sort_values(keys, ascending=[False, *[True] * length], ignore_index=True)
    return ordered if most is None else ordered.head(most)


def _follow_states(
    events: Events, column: str, edges: list[tuple[int, int]], *, back: int
) -> tuple[nw.LazyFrame, dict[int, str]]:
    """Bring each event's state (`_0`) and those before it in the session (`_1`, ...; -2 before the start).

    Kept sessions have what came before beside each event; elsewhere a window over the session looks back.
    """
    required = [TIME, "session", "position", column]
    wanted = [f"_before_{number}_{column}" for number in range(1, back + 1)]
    labels = read_labels(events)
    is_coded = column in labels
    frame = open_events(events, required=required, optional=["precision", "sequence", *wanted], as_codes=True)
    safe = rename_safely(column)
    frame = _choose_sessions(frame, edges)
    if not is_coded:
        frame, found = code_columns(frame.select("session", "position", "_piece", safe), [safe])
        labels = {column: found[safe]}
    empty = labels[column].index("") if "" in labels[column] else -1
    states = {code: name or UNMAPPED for code, name in enumerate(labels[column])}
    state = _read_state(safe, empty).alias("_0")
    if is_coded and set(wanted) <= set(frame.columns):
        before = [
            nw.when(nw.col("position") <= number)
            .then(nw.lit(_START))
            .otherwise(_read_state(name, empty))
            .cast(nw.Int64)
            .alias(f"_{number}")
            for number, name in enumerate(wanted, 1)
        ]
        frame = frame.select("_piece", state, *before)
    else:
        frame = frame.select("session", "position", "_piece", state)
        before = [
            nw.col("_0").shift(number).over("session", order_by="position").alias(f"_{number}")
            for number in range(1, back + 1)
        ]
        frame = frame.with_columns(*before)
        filled = [nw.col(f"_{number}").fill_null(_START).cast(nw.Int64) for number in range(1, back + 1)]
        frame = frame.with_columns(*filled)
    return frame, {**states, _NO_LABEL: UNMAPPED, _START: START, _END: END}


def _count_runs(
    coded: nw.LazyFrame, places: list[str], *, n_states: int, also: Sequence[str] = ()
) -> pd.DataFrame:
    """Count the runs of states; each becomes one whole number where it fits, which is fastest to group by."""
    n = nw.len().cast(nw.Int64).alias("n")
    if n_states ** len(places) > 2**62:
        return collect_table(coded.group_by(*also, *places).agg(n))
    packed = nw.lit(0, nw.Int64)
    for place in places:
        packed = packed * n_states + (nw.col(place) - _END)
    packed_frame = coded.select(*also, packed.cast(nw.Int64).alias("_run"))
    found = collect_table(packed_frame.group_by(*also, "_run").agg(n))
    left = found.pop("_run").astype("int64")
    for place in reversed(places):
        found[place] = left % n_states + _END
        left = left // n_states
    return found


def _read_state(column: str, empty: int) -> nw.Expr:
    """Read a code as a state; missing and empty names are one state."""
    code = nw.col(column).cast(nw.Int64).fill_null(_NO_LABEL)
    return code if empty < 0 else nw.when(code == empty).then(nw.lit(_NO_LABEL)).otherwise(code)


def _choose_sessions(frame: nw.LazyFrame, edges: list[tuple[int, int]]) -> nw.LazyFrame:
    """Add the piece of time in which each session starts; leave out sessions without a known order."""
    facts = inspect_events(frame) if "precision" in frame.columns else None
    if not edges and not (facts and facts.unordered):
        return frame.with_columns(nw.lit(0).cast(nw.Int64).alias("_piece"))
    unordered = nw.lit(0)
    if facts and facts.unordered:
        unordered = nw.when(is_unordered(frame)).then(1).otherwise(0)
    sessions = frame.select("session", TIME, unordered.cast(nw.Int64).alias("_unordered"))
    sessions = sessions.group_by("session").agg(
        nw.col(TIME).min().alias("_started"), nw.col("_unordered").sum()
    )
    piece = nw.lit(None, nw.Int64) if edges else nw.lit(0)
    for number, (start, end) in enumerate(edges):
        inside = (nw.col("_started") >= start) & (nw.col("_started") < end)
        piece = nw.when(inside).then(nw.lit(number)).otherwise(piece)
    chosen = sessions.filter(nw.col("_unordered") < 2).with_columns(piece.cast(nw.Int64).alias("_piece"))
    chosen = chosen.filter(~nw.col("_piece").is_null()).select("session", "_piece")
    return frame.join(chosen, on="session", how="inner")


def _add_ends(moves: pd.DataFrame) -> pd.DataFrame:
    """Add the moves to the end: a state is left as often as it is come to, so what is lacking ends there."""
    came = moves.groupby(["which", "_to"])["n"].sum().rename_axis(["which", "_from"])
    left = moves[moves["_from"] != _START].groupby(["which", "_from"])["n"].sum()
    ends = came.sub(left, fill_value=0).astype("int64").rename("n").reset_index().assign(_to=_END)
    return pd.concat([moves, ends[ends["n"] > 0]], ignore_index=True)


def _name_transitions(moves: pd.DataFrame, states: dict[int, str], which: list[str]) -> pd.DataFrame:
    """Put names for numbers, add shares, and settle the order of the rows."""
    leaving = moves.groupby(["which", "_from"])["n"].transform("sum")
    named = pd.DataFrame(
        {
            "which": moves["which"],
            "from": moves["_from"].map(states),
            "to": moves["_to"].map(states),
            "n": moves["n"],
            "share": 100 * moves["n"] / leaving,
            "_place": moves["which"].map(which.index),
        }
    )
    keys = {"_place": True, "n": False, "from": True, "to": True}
    ordered = named.sort_values(list(keys), ascending=list(keys.values()), ignore_index=True)
    return ordered.drop(columns="_place")
