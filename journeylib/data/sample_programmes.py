"""What the made-up company did: a loyalty programme, reminders, a support chat, clearer instructions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from journeylib.data.sample_customers import NEVER
from journeylib.data.sample_draws import DAYS, count_days, find_start
from journeylib.data.sample_files import write_days

__all__ = ["BONUS", "HELP", "REMINDERS", "add_programmes", "count_bonus", "export_customers"]

# Members choose to join, the active ones more often; afterwards they come more often by `lift`, no more.
BONUS: dict[str, Any] = {"started_on": "2026-02-01", "lift": 0.15, "steepness": 1.1, "level": -1.0}
# Who is lost at the payment page gets a mail, but for those held out; `returns` of them come back for it.
REMINDERS: dict[str, Any] = {"started_on": "2026-07-01", "held_out": 0.3, "returns": 0.35}
# Contract customers (plans plus and family) meet technical problems; where help is hard to get they leave.
HELP: dict[str, Any] = {
    "contract_plans": ("plus", "family"),
    "problems_per_year": 0.35,
    "hard_before": 0.60,
    "support_chat_on": "2026-01-15",
    "hard_after": 0.30,
    "leaves_if_hard": 0.40,
    "leaves_if_easy": 0.03,
    "clearer_instructions_on": "2026-04-15",
    "clearer_instructions_share": 0.5,
    "problems_with_clearer_instructions": 0.55,
    "reason": "technical help",
}


def add_programmes(customers: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Add to customers which programmes they are in, their technical problem, and who leaves for it.

    Parameters
    ----------
    customers : DataFrame
        As from `draw_customers`.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        The customers in the same order, with `bonus_day` (1,000,000 = no member), `is_reminded`,
        `has_instructions` (the clearer ones), `problem_day` (the first technical problem, 1,000,000 =
        none), `is_hard` (help was hard to get); `left_day` and `leave_reason` with those who left for it.

    Examples
    --------
    >>> from journeylib.data.sample_customers import draw_customers
    >>> rng = np.random.default_rng(0)
    >>> add_programmes(draw_customers(3, rng=rng), rng=rng)["is_reminded"].dtype
    dtype('bool')
    """
    size = len(customers)
    chance = 1 / (1 + np.exp(-BONUS["level"] - BONUS["steepness"] * np.log(customers["activity"].to_numpy())))
    joins = rng.random(size) < chance
    bonus_day = count_days(BONUS["started_on"]) + rng.exponential(30.0, size).astype("int64")
    customers = customers.assign(
        bonus_day=np.where(joins & (bonus_day < DAYS), bonus_day, NEVER),
        is_reminded=rng.random(size) >= REMINDERS["held_out"],
        has_instructions=rng.random(size) < HELP["clearer_instructions_share"],
    )
    problem_day, is_hard = _draw_problems(customers, rng=rng)
    leaves = rng.random(size) < np.where(is_hard, HELP["leaves_if_hard"], HELP["leaves_if_easy"])
    left_day = problem_day + rng.integers(8, 45, size)
    leaves &= (left_day < DAYS) & (left_day < customers["left_day"].to_numpy())
    return customers.assign(
        problem_day=problem_day,
        is_hard=is_hard,
        left_day=np.where(leaves, left_day, customers["left_day"]),
        leave_reason=np.where(leaves, HELP["reason"], customers["leave_reason"]),
    )


def _draw_problems(customers: pd.DataFrame, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return each customer's first technical problem in the time seen, and whether help was hard to get."""
    size = len(customers)
    start = np.maximum(customers["joined_day"].to_numpy(), 0)
    wait = rng.exponential(365.25 / HELP["problems_per_year"], size)
    change, better = count_days(HELP["clearer_instructions_on"]), HELP["problems_with_clearer_instructions"]
    before = np.maximum(change - start, 0)
    # From the change on, the rate of those with the clearer instructions is lower: their wait is stretched.
    slow = customers["has_instructions"].to_numpy() & (wait > before)
    day = (start + np.where(slow, before + (wait - before) / better, wait)).astype("int64")
    has = (
        customers["plan"].isin(HELP["contract_plans"]).to_numpy()
        & (day < DAYS)
        & (day < customers["left_day"].to_numpy())
    )
    hard = np.where(day < count_days(HELP["support_chat_on"]), HELP["hard_before"], HELP["hard_after"])
    return np.where(has, day, NEVER), has & (rng.random(size) < hard)


def count_bonus(customers: pd.DataFrame, sessions: pd.DataFrame) -> dict[str, int]:
    """Count sessions of members and of others in the quarter after everybody could join, 2026Q3.

    Parameters
    ----------
    customers : DataFrame
        As from `add_programmes`.
    sessions : DataFrame
        Theirs, as from `draw_sessions`: `owner`, `start`, `extra`.

    Returns
    -------
    dict of str to int
        `bonus/members` and `bonus/others` (customers who are there all quarter), their sessions
        `bonus/member_sessions` and `bonus/other_sessions`, and `bonus/extra_sessions` of the members.

    Examples
    --------
    >>> who = {"number": [0], "bonus_day": [0], "joined_day": [0], "left_day": [NEVER], "gone_day": [NEVER]}
    >>> nothing = pd.DataFrame({"owner": [], "start": [], "extra": []}, dtype="int64")
    >>> count_bonus(pd.DataFrame(who), nothing)["bonus/members"]
    1
    """
    first, last = (count_days(day) for day in ("2026-07-01", "2026-10-01"))
    there = (
        (customers["joined_day"] <= first) & (customers["left_day"] >= last) & (customers["gone_day"] >= last)
    )
    kinds = {
        "member": there & (customers["bonus_day"] <= first),
        "other": there & (customers["bonus_day"] >= last),
    }
    inside = sessions["start"].between(find_start("2026-07-01"), find_start("2026-10-01") - 1)
    met = sessions[inside]
    row = met["owner"].to_numpy() - (int(customers["number"].iloc[0]) if len(customers) else 0)
    found: dict[str, int] = {}
    for name, who in kinds.items():
        theirs = who.to_numpy()[row]
        found |= {f"bonus/{name}s": int(who.sum()), f"bonus/{name}_sessions": int(theirs.sum())}
        if name == "member":
            found["bonus/extra_sessions"] = int(met["extra"].to_numpy()[theirs].sum())
    return found


def export_customers(customers: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Return the CRM's export of the customers: German names, and dates in two formats.

    Parameters
    ----------
    customers : DataFrame
        As from `add_programmes`.
    rng : numpy.random.Generator
        Source of randomness: which rows come from the older system.

    Returns
    -------
    DataFrame
        One row is one customer, all columns text; dates are days without a time, empty where there is none,
        one row in eight as 2025-03-01 in place of 01.03.2025.

    Examples
    --------
    >>> from journeylib.data.sample_customers import draw_customers
    >>> rng = np.random.default_rng(0)
    >>> list(export_customers(add_programmes(draw_customers(1, rng=rng), rng=rng), rng=rng))[:2]
    ['Kundennummer', 'Bundesland']
    """
    is_older = rng.random(len(customers)) < 0.125

    def write(name: str) -> np.ndarray:
        days = customers[name].to_numpy()
        texts = [write_days(days, style=style, missing=days == NEVER) for style in ("%Y-%m-%d", "%d.%m.%Y")]
        return np.where(is_older, *texts)

    words = np.array(["nein", "ja"], dtype=object)
    return pd.DataFrame(
        {
            "Kundennummer": customers["customer"],
            "Bundesland": customers["region"],
            "Tarif": customers["plan"],
            "Kunde seit": write("joined_day"),
            "Gekündigt am": write("left_day"),
            "Grund": customers["leave_reason"],
            "Bonus seit": write("bonus_day"),
            "Zahlungserinnerung": words[customers["is_reminded"].to_numpy().astype("int64")],
            "Neue Anleitung": words[customers["has_instructions"].to_numpy().astype("int64")],
        }
    ).astype("str")
