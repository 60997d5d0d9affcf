"""Paths: what follows what within a session."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from journeylib.journey.engine import collect_table, join_table
from journeylib.journey.frames import TIME, Events, open_events, rename_safely
from journeylib.journey.measuring import cut_periods
from journeylib.journey.order import inspect_events, is_unordered

__all__ = ["END", "START", "UNMAPPED", "count_transitions"]

START, END, UNMAPPED = "(start)", "(end)", "(unmapped)"


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
    required = [TIME, "session", "position", column]
    frame = open_events(events, required=required, optional=["precision", "sequence"])
    edges = sorted({piece for parts in pieces.values() for piece in parts})
    coded, states = _code_states(_choose_sessions(frame, edges), rename_safely(column))
    before = nw.col("_to").shift(1).over("session", order_by="position")
    pairs = coded.with_columns(before.fill_null(-1).cast(nw.Int64).alias("_from"))
    moves = collect_table(pairs.group_by("_piece", "_from", "_to").agg(nw.len().cast(nw.Int64).alias("n")))
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


def _code_states(frame: nw.LazyFrame, column: str) -> tuple[nw.LazyFrame, dict[int, str]]:
    """Replace the states by small numbers, which is what the window sorts; names come back in the result."""
    frame = frame.with_columns(nw.col(column).cast(nw.String).fill_null("").alias("_name"))
    names = collect_table(frame.select("_name").unique(), order_by=["_name"])["_name"].tolist()
    codes = pd.DataFrame(
        {"_name": pd.Series(names, dtype="str"), "_to": np.arange(len(names), dtype="int64")}
    )
    coded = join_table(frame.select("session", "position", "_piece", "_name"), codes, on=["_name"])
    states = {number: name or UNMAPPED for number, name in enumerate(names)}
    return coded.drop("_name"), {**states, -1: START, -2: END}


def _add_ends(moves: pd.DataFrame) -> pd.DataFrame:
    """Add the moves to the end: a state is left as often as it is come to, so what is lacking ends there."""
    came = moves.groupby(["which", "_to"])["n"].sum().rename_axis(["which", "_from"])
    left = moves[moves["_from"] >= 0].groupby(["which", "_from"])["n"].sum()
    ends = came.sub(left, fill_value=0).astype("int64").rename("n").reset_index().assign(_to=-2)
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
