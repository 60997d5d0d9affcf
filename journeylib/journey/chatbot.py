"""The chatbot: what it settles for good and hands on, and how it does beside people on the same topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from journeylib.evidence.changes import adjust_p_values, compare_estimates
from journeylib.evidence.estimates import covariance, estimate, sum_by_person
from journeylib.journey.contacts import DAY, link_contacts
from journeylib.journey.unit_measures import UnitMeasure, measure_units

__all__ = ["compare_bot_with_human", "measure_chatbot"]

_LEFT_OUT = "contacts left out: their 7 days are not over, or person or topic is missing"
_COLUMNS = ("metric", "topic", "bot", "human", "n_bot", "n_human", "difference", "low", "high", "p_value")


def measure_chatbot(
    contacts: pd.DataFrame,
    *,
    periods: Mapping[str, tuple[int, int]],
    as_of: int | str | pd.Timestamp | None = None,
    by: Sequence[str] = ("topic",),
) -> pd.DataFrame:
    """Measure what became of the contacts that began with the bot.

    Parameters
    ----------
    contacts : pandas.DataFrame
        Trusted table service_contacts, one row is one contact, with `handled_by` (bot, human). Row order does
        not matter.
    periods : mapping
        `reviewed`, `previous`, `year_ago` to (start, end) in microseconds UTC, [start, end), in which the
        contacts were opened.
    as_of : int, str or Timestamp, optional
        What was known when. Default: the last time in the table.
    by : sequence of str
        Columns to break down by.

    Returns
    -------
    pandas.DataFrame
        The measure table, percent of the bot's contacts: `resolved_containment` (ended in the bot, and no
        further contact of the person on the topic within 7 days by any channel, and not abandoned),
        `containment_rate` (ended in the bot), `escalation_rate` (a human took over within 7 days). No rows
        at all without a bot, nor where no contact has a time of solution, because then abandoned chats can't
        be told from resolved ones and containment alone is never given.

    Raises
    ------
    ValueError
        Where a column is missing or a period does not end after it starts.

    Notes
    -----
    A human took over: a later contact of the same case (without a case number: of the same person on the
    topic) was handled by a human. Abandoned: no solution within 7 days. Contacts whose 7 days are not over,
    or without person or topic, are left out and counted in `note`. Effective n by person.

    Examples
    --------
    >>> contacts = pd.DataFrame({"contact": ["1", "2"], "customer": ["a", "b"], "topic": "bill",
    ...     "opened_at": [0, 5], "resolved_at": [9, None], "handled_by": "bot"})
    >>> measure_chatbot(contacts, periods={"reviewed": (0, 9)}, as_of=8 * DAY, by=[])[
    ...     ["metric", "value"]].values.tolist()
    [['resolved_containment', 50.0], ['containment_rate', 100.0], ['escalation_rate', 0.0]]
    """
    linked = link_contacts(contacts, as_of=as_of)
    if linked["resolved_at"].isna().all():
        linked = linked.iloc[:0]
    lines = follow_bot_contacts(linked)
    measures = [
        UnitMeasure(metric, "share", "contacts", column, left_out=_LEFT_OUT)
        for metric, column in (
            ("resolved_containment", "is_resolved_contained"),
            ("containment_rate", "is_contained"),
            ("escalation_rate", "is_escalated"),
        )
    ]
    return measure_units(lines, measures, periods=periods, time="opened_at", by=by)


def follow_bot_contacts(linked: pd.DataFrame) -> pd.DataFrame:
    """Say of each contact with the bot whether a human took over, and whether it was settled for good.

    Parameters
    ----------
    linked : pandas.DataFrame
        Table of `link_contacts`.

    Returns
    -------
    pandas.DataFrame
        One row is one contact handled by the bot, with `person`, `is_escalated`, `is_contained` and
        `is_resolved_contained`; all missing while its 7 days are not over, or without person or topic.
    """
    bot = linked[linked["handled_by"] == "bot"]
    case = linked["case_id"].where(linked["case_id"].notna(), _join_keys(linked))
    humans = linked.assign(_case=case, human_at=linked["opened_at"])[linked["handled_by"] == "human"]
    asked = bot.assign(_case=case)[["contact", "opened_at", "_case"]].dropna(subset=["_case"])
    pairs = asked.merge(humans[["_case", "human_at", "contact"]], on="_case", suffixes=("", "_human"))
    wait = pairs["human_at"] - pairs["opened_at"]
    is_later = (wait > 0) | ((wait == 0) & (pairs["contact_human"] > pairs["contact"]))
    taken = set(pairs.loc[is_later & (wait <= 7 * DAY), "contact"])
    escalated = bot["contact"].isin(taken).astype("boolean").where(bot["came_back"].notna())
    return bot.assign(
        person=bot["customer"],
        is_escalated=escalated,
        is_contained=~escalated,
        is_resolved_contained=~escalated & ~bot["came_back"] & bot["resolved_within"],
    )


def _join_keys(linked: pd.DataFrame) -> pd.Series:
    """Name person and topic, for contacts without a case number; missing where either is."""
    known = linked["customer"].notna() & linked["topic"].notna()
    keys = linked["customer"].astype(str) + "\n" + linked["topic"].astype(str)
    return keys.astype("object").where(known, None)


def compare_bot_with_human(
    contacts: pd.DataFrame,
    *,
    period: tuple[int, int] | None = None,
    as_of: int | str | pd.Timestamp | None = None,
    score: str | None = None,
    minimum_base: int = 10,
) -> pd.DataFrame:
    """Compare the contacts of bot and humans topic by topic.

    Parameters
    ----------
    contacts : pandas.DataFrame
        Trusted table service_contacts, one row is one contact. Row order does not matter.
    period : tuple of int, optional
        (start, end) in microseconds UTC, [start, end), in which the contacts were opened; else all.
    as_of : int, str or Timestamp, optional
        What was known when. Default: the last time in the table.
    score : str, optional
        A column with each contact's satisfaction, higher is better; missing where nobody answered.
    minimum_base : int
        Contacts of either kind below which a topic is not shown.

    Returns
    -------
    pandas.DataFrame
        One row is one metric in one topic, and at its topic empty over all topics: `metric`
        (`repeat_contact_rate` and `resolved_within_days`, percent; the score's own name, its mean), `topic`,
        `bot`, `human`, `n_bot`, `n_human`, `difference` (bot minus human) with `low`, `high` and `p_value`
        (missing over all topics), and `q_value` (Benjamini-Hochberg over all rows with a p-value).

    Raises
    ------
    ValueError
        Where the score's column is missing.

    Notes
    -----
    Bots get the easy topics, so only contacts on one topic are compared. Over all topics both are weighted by
    the bot's contacts; its interval joins those of the topics (Zou & Donner 2008, MOVER). Shares: Newcombe's
    interval, score test; means: Welch; effective n by person, and people who used both count once. The kind
    of handling was chosen, not drawn: a difference is associated with it, not caused by it.

    Examples
    --------
    >>> contacts = pd.DataFrame({"contact": [f"{i:02}" for i in range(40)], "topic": "bill",
    ...     "customer": [f"c{i}" for i in range(40)], "opened_at": 0, "resolved_at": 5,
    ...     "handled_by": ["bot", "human"] * 20})
    >>> found = compare_bot_with_human(contacts, as_of=8 * DAY)
    >>> found[["metric", "topic", "n_bot", "difference"]].values.tolist()[0]
    ['repeat_contact_rate', 'bill', 20, 0.0]
    """
    if score is not None and score not in contacts:
        raise ValueError(f"service contacts lack the column {score!r} with the scores")
    linked = link_contacts(contacts, as_of=as_of)
    if period is not None:
        linked = linked[(linked["opened_at"] >= period[0]) & (linked["opened_at"] < period[1])]
    known = linked[linked["topic"].notna() & linked["handled_by"].isin(["bot", "human"])]
    outcomes = {"repeat_contact_rate": known["came_back"]}
    if linked["resolved_at"].notna().any():
        outcomes["resolved_within_days"] = known["resolved_within"]
    if score is not None:
        outcomes[score] = known[score]
    rows: list[dict[str, Any]] = []
    for metric, values in outcomes.items():
        lines = known.assign(_value=values.astype("Float64").astype("float64")).dropna(subset=["_value"])
        rows += _compare_topics(lines, metric, "mean" if metric == score else "share", minimum_base)
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    return table.assign(q_value=adjust_p_values(table["p_value"].astype(float)))


def _compare_topics(lines: pd.DataFrame, metric: str, kind: str, minimum_base: int) -> list[dict[str, Any]]:
    """Compare within each topic that has the base, and over these topics."""
    rows = []
    for topic in sorted(lines["topic"].unique()):
        here = lines[lines["topic"] == topic]
        sides = [here[here["handled_by"] == handler] for handler in ("bot", "human")]
        if min(map(len, sides)) >= minimum_base:
            rows.append({"metric": metric, "topic": topic, **_compare_sides(sides, kind)})
    if rows:
        rows.append({"metric": metric, "topic": "", **_join_topics(pd.DataFrame(rows))})
    return rows


def _compare_sides(sides: list[pd.DataFrame], kind: str) -> dict[str, Any]:
    """Compare the values of bot and human."""
    found = [estimate(kind, side["_value"], people=side["customer"]) for side in sides]
    shared = covariance(kind, *[sum_by_person(side["_value"], people=side["customer"]) for side in sides])
    pair = [pd.DataFrame([row]) for row in found]
    change = compare_estimates(pair[0], pair[1].assign(covariance=shared)).iloc[0]
    values = {"bot": found[0]["value"], "human": found[1]["value"]}
    counts = {"n_bot": found[0]["n"], "n_human": found[1]["n"]}
    ends = {"low": change["change_low"], "high": change["change_high"], "p_value": change["p_value"]}
    return {**values, **counts, "difference": change["change"], **ends}


def _join_topics(rows: pd.DataFrame) -> dict[str, Any]:
    """Weigh the topics by the bot's contacts, and join their intervals."""
    weight = rows["n_bot"] / rows["n_bot"].sum()
    joined = {name: float((weight * rows[name]).sum()) for name in ("bot", "human", "difference")}
    below = float(np.sqrt(((weight * (rows["difference"] - rows["low"])) ** 2).sum()))
    above = float(np.sqrt(((weight * (rows["high"] - rows["difference"])) ** 2).sum()))
    ends = {"low": joined["difference"] - below, "high": joined["difference"] + above, "p_value": np.nan}
    return {**joined, "n_bot": rows["n_bot"].sum(), "n_human": rows["n_human"].sum(), **ends}
