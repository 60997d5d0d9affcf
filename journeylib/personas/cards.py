"""Cards: what personas say, with the coverage of the survey, and the journeys that many of them share."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.journey.engine import collect_table, join_table
from journeylib.journey.frames import Events
from journeylib.personas.behaviour import open_window
from journeylib.voice.scores import score_answers

__all__ = ["count_answered", "count_journeys", "score_personas"]

_PERSONA = "segment.persona"


def score_personas(answers: pd.DataFrame, responses: pd.DataFrame, personas: pd.Series) -> pd.DataFrame:
    """Score the survey by persona, over those who answered.

    Parameters
    ----------
    answers, responses : pandas.DataFrame
        As for `score_answers`; responses need `customer`.
    personas : pandas.Series
        The persona's name by customer (the index).

    Returns
    -------
    pandas.DataFrame
        A measure table of `score_answers`: one row is one overall score of one persona and period, `persona`
        filled, `segment` empty. Respondents without a persona are left out.

    Notes
    -----
    A persona is found in behaviour alone, so that the survey may describe it. Who answers is a choice:
    `count_answered` says for how many a score speaks.

    Examples
    --------
    >>> answers = pd.DataFrame({"response": [1, 2], "value": [10, 3], "question": "Q1", "role": "nps"})
    >>> answers = answers.assign(scale_min=0, scale_max=10)
    >>> responses = pd.DataFrame({"response": [1, 2], "customer": ["a", "b"]})
    >>> scored = score_personas(answers, responses, pd.Series({"a": "early", "b": "late"}))
    >>> scored[["metric", "persona", "value"]].values.tolist()
    [['nps', 'early', 100.0], ['nps', 'late', -100.0]]
    """
    named = responses.assign(**{_PERSONA: responses["customer"].map(personas)})
    named = named[named[_PERSONA].notna()]
    kept = answers[answers["response"].isin(named["response"])]
    if "customer" in kept.columns:
        kept = kept.drop(columns="customer")
    scores = score_answers(kept, responses=named, by=_PERSONA)
    persona = scores["segment"].str.removeprefix("persona=")
    return scores.assign(persona=persona, segment="")


def count_answered(responses: pd.DataFrame, personas: pd.Series) -> pd.DataFrame:
    """Count how many of each persona's customers answered the survey.

    Parameters
    ----------
    responses : pandas.DataFrame
        One row is one respondent: `customer`, and `which` where there are several periods (reviewed counts).
    personas : pandas.Series
        The persona's name by customer (the index).

    Returns
    -------
    pandas.DataFrame
        One row is one persona: `persona`, `customers`, `answered` (customers), `coverage` (percent).

    Examples
    --------
    >>> responses = pd.DataFrame({"customer": ["a", "a", None]})
    >>> count_answered(responses, pd.Series({"a": "early", "b": "early"})).values.tolist()
    [['early', 2, 1, 50.0]]
    """
    if "which" in responses:
        responses = responses[responses["which"] == "reviewed"]
    answered = personas.index.isin(responses["customer"].dropna())
    table = pd.DataFrame({"persona": personas.to_numpy(), "answered": answered})
    counts = table.groupby("persona")["answered"].agg(customers="size", answered="sum").reset_index()
    return counts.assign(coverage=100 * counts["answered"] / counts["customers"])


def count_journeys(
    events: Events,
    personas: pd.Series,
    *,
    start: int | None = None,
    end: int | None = None,
    minimum_base: int = 10,
) -> pd.DataFrame:
    """Count how sessions begin in each persona: the first three touchpoints, repetitions taken together.

    Parameters
    ----------
    events : as for `build_features`
        One row is one event, after `split_into_sessions`, with `touchpoint` and `stage`.
    personas : pandas.Series
        The persona's name by customer (the index).
    start, end : int or None
        Microseconds UTC, [start, end); None is open.
    minimum_base : int, default 10
        A journey is told only where so many of the persona's customers share it.

    Returns
    -------
    pandas.DataFrame
        One row is one journey of one persona: `persona`, `journey` (touchpoints joined by arrows),
        `customers` (who had it once or more often), `share` (percent of the persona's customers),
        `share_rest` (percent of the other personas' customers). Per persona the most shared first.

    Examples
    --------
    >>> from journeylib.journey.sessions import split_into_sessions
    >>> events = pd.DataFrame({"customer": "a", "occurred_at": [0, 1, 2], "name": "n", "stage": ""})
    >>> events = split_into_sessions(events.assign(touchpoint=["ad", "page", "page"]))
    >>> count_journeys(events, pd.Series({"a": "all"}), minimum_base=1)["journey"].tolist()
    ['ad → page']
    """
    empty = pd.DataFrame(columns=["persona", "journey", "customers", "share", "share_rest"])
    frame = open_window(events, start=start, end=end)
    if "touchpoint" not in frame.columns or personas.empty:
        return empty
    journeys = _string_together(frame)
    table = pd.DataFrame({"customer": personas.index.astype("str"), "persona": personas.to_numpy()})
    joined = join_table(journeys, table, on=["customer"], how="inner")
    steps = ["step_1", "step_2", "step_3"]
    people = joined.group_by("customer", "persona", *steps).agg(nw.len().alias("sessions"))
    counts = collect_table(people.group_by("persona", *steps).agg(nw.len().cast(nw.Int64).alias("customers")))
    named = counts[steps].astype(object).fillna("").to_numpy()
    counts["journey"] = [" → ".join(step for step in row if step) for row in named]
    counts = counts.groupby(["persona", "journey"])["customers"].sum().reset_index()
    sizes = personas.value_counts()
    size = counts["persona"].map(sizes)
    everywhere = counts.groupby("journey")["customers"].transform("sum")
    rest = (len(personas) - size).where(len(personas) > size)
    counts = counts.assign(
        share=100 * counts["customers"] / size, share_rest=100 * (everywhere - counts["customers"]) / rest
    )
    told = counts[(counts["customers"] >= minimum_base) & (counts["journey"] != "")]
    order = ["persona", "customers", "journey"]
    return told.sort_values(order, ascending=[True, False, True], ignore_index=True)[list(empty.columns)]


def _string_together(frame: nw.LazyFrame, *, furthest: int = 10) -> nw.LazyFrame:
    """Return each session's first three touchpoints unlike the one before, of its first ten events."""
    seen: Any = (
        (nw.col("position") <= furthest) & ~nw.col("touchpoint").is_null() & (nw.col("touchpoint") != "")
    )
    early = frame.filter(seen).select("customer", "session", "position", "touchpoint")
    before = nw.col("touchpoint").shift(1).over("session", order_by="position")
    early = early.with_columns(before.alias("before"))
    early = early.filter(nw.col("before").is_null() | (nw.col("before") != nw.col("touchpoint")))
    early = early.with_columns(
        nw.col("position").cum_count().over("session", order_by="position").alias("place")
    )
    steps = [
        nw.when(nw.col("place") == place).then(nw.col("touchpoint")).max().alias(f"step_{place}")
        for place in (1, 2, 3)
    ]
    return early.group_by("customer", "session").agg(*steps)
