"""The made-up service desk: contacts by phone, mail and chat, a chatbot, and second contacts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from journeylib.data.sample_customers import NEVER, name_customers, pick_rates
from journeylib.data.sample_draws import DAYS, END, FIRST_DAY, draw_codes, draw_starts, find_start, to_utc
from journeylib.data.sample_files import write_times
from journeylib.data.sample_programmes import HELP

__all__ = ["BOT", "draw_contacts", "export_contacts"]

_TOPICS = ("delivery", "returns", "payment", "product", "account", "technical")
_TOPIC_SHARES, _TECHNICAL = (0.42, 0.2, 0.12, 0.16, 0.1, 0.0), 5
_CHANNELS, _CHANNEL_SHARES = ("phone", "email", "chat"), (0.34, 0.28, 0.38)
_PHONE, _MAIL, _CHAT = range(3)
_DAY, _HOUR = 86_400, 3_600
# The chatbot answers most chats to the end, but many of those come back by another channel within a week.
BOT = {"escalated": 0.22, "comes_again": 0.45, "human_comes_again": 0.14, "bot_share_of_chats": 0.75}
_HARD_COMES_AGAIN, _OPEN_SHARE = 0.85, 0.03


def draw_contacts(
    orders: pd.DataFrame, customers: pd.DataFrame, *, first: int = 0, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw service contacts: after orders, without, with technical problems, and what follows from each.

    Parameters
    ----------
    orders : DataFrame
        As from `draw_orders`.
    customers : DataFrame
        As from `add_programmes`.
    first : int
        The running number of the first contact.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row is one contact, by time: `contact`, `case`, `owner`, `opened`, `answered`, `resolved` (seconds
        UTC; resolved -1 = still open), `channel`, `handled_by`, `topic`, `repeated` (0 or 1).

    Examples
    --------
    >>> from journeylib.data.sample_customers import draw_customers
    >>> from journeylib.data.sample_orders import draw_orders
    >>> from journeylib.data.sample_programmes import add_programmes
    >>> rng = np.random.default_rng(0)
    >>> nobody = add_programmes(draw_customers(0, rng=rng), rng=rng)
    >>> nothing = pd.DataFrame({"owner": [], "occurred": []})
    >>> len(draw_contacts(draw_orders(nothing, nobody, rng=rng), nobody, rng=rng))
    0
    """
    firsts = pd.concat(
        [
            _ask_about_orders(orders, customers, rng=rng),
            _ask_otherwise(customers, rng=rng),
            _ask_about_problems(customers),
        ],
        ignore_index=True,
    )
    firsts = _choose_channels(firsts.assign(case=np.arange(len(firsts))), rng=rng)
    contacts = pd.concat([firsts, _escalate(firsts, rng=rng), _ask_again(firsts, rng=rng)], ignore_index=True)
    contacts = contacts.assign(case=contacts["case"] + 70_001 + first)
    return _add_times(contacts.loc[contacts["opened"] <= END], first=first, rng=rng)


def _ask_about_orders(
    orders: pd.DataFrame, customers: pd.DataFrame, *, rng: np.random.Generator
) -> pd.DataFrame:
    first = int(customers["number"].iloc[0]) if len(customers) else 0
    person = orders["owner"].to_numpy() - first
    asks = rng.random(len(orders)) < pick_rates(customers["persona"].to_numpy()[person], "contacts_per_order")
    asked = orders.loc[asks]
    size = len(asked)
    return pd.DataFrame(
        {
            "owner": asked["owner"].to_numpy(),
            "opened": asked["ordered"].to_numpy() + rng.integers(_DAY, 6 * _DAY, size),
            "topic": draw_codes(_TOPIC_SHARES, size, rng=rng),
            "is_hard": False,
        }
    )


def _ask_otherwise(customers: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    mean = pick_rates(customers["persona"].to_numpy(), "contacts_per_year") * DAYS / 365.25
    person = np.repeat(np.arange(len(customers)), rng.poisson(mean))
    days, started = draw_starts(len(person), rng=rng)
    here = days >= customers["joined_day"].to_numpy()[person]
    for column in ("left_day", "gone_day"):
        here &= days < customers[column].to_numpy()[person]
    return pd.DataFrame(
        {
            "owner": customers["number"].to_numpy()[person[here]],
            "opened": started[here],
            "topic": draw_codes(_TOPIC_SHARES, int(here.sum()), rng=rng),
            "is_hard": False,
        }
    )


def _ask_about_problems(customers: pd.DataFrame) -> pd.DataFrame:
    """Return the contacts of contract customers with a technical problem: each asks, in the daytime."""
    asked = customers.loc[customers["problem_day"] < NEVER]
    minute = asked["number"].to_numpy() % 480
    local = int(FIRST_DAY.timestamp()) + asked["problem_day"].to_numpy() * _DAY + 10 * _HOUR + minute * 60
    return pd.DataFrame(
        {
            "owner": asked["number"].to_numpy(),
            "opened": to_utc(local),
            "topic": _TECHNICAL,
            "is_hard": asked["is_hard"],
        }
    )


def _choose_channels(firsts: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Add channel and bot or human; before the support chat, technical chats meet the bot alone."""
    size = len(firsts)
    channel = draw_codes(_CHANNEL_SHARES, size, rng=rng)
    technical = (firsts["topic"] == _TECHNICAL).to_numpy()
    has_chat = (firsts["opened"] >= find_start(HELP["support_chat_on"])).to_numpy()
    is_bot = (channel == _CHAT) & ((rng.random(size) < BOT["bot_share_of_chats"]) | ~has_chat)
    return firsts.assign(channel=channel, is_bot=is_bot & ~(technical & has_chat), repeated=0, escalated=0)


def _escalate(firsts: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Return the human contacts, in the same case, to which the bot hands some of its chats."""
    rows = firsts["is_bot"].to_numpy() & (rng.random(len(firsts)) < BOT["escalated"])
    firsts["escalated"] = rows * 1
    handed = firsts.loc[rows]
    return handed.assign(
        opened=handed["opened"] + rng.integers(120, 1_200, len(handed)), is_bot=False, escalated=0
    )


def _ask_again(firsts: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Return the second contacts, within six days, by phone or mail: often after the bot alone."""
    ended_by_bot = firsts["is_bot"].to_numpy() & (firsts["escalated"] == 0).to_numpy()
    chance = np.where(ended_by_bot, BOT["comes_again"], BOT["human_comes_again"])
    chance = np.where(firsts["is_hard"], _HARD_COMES_AGAIN, chance)
    again = firsts.loc[rng.random(len(firsts)) < chance]
    size = len(again)
    return again.assign(
        opened=again["opened"] + rng.integers(4 * _HOUR, 6 * _DAY, size),
        channel=np.where(rng.random(size) < 0.6, _PHONE, _MAIL),
        is_bot=False,
        escalated=0,
        repeated=(rng.random(size) < 0.5) * 1,
    )


def _add_times(contacts: pd.DataFrame, *, first: int, rng: np.random.Generator) -> pd.DataFrame:
    """Add the times of the first answer and of the solution."""
    contacts = contacts.sort_values(["opened", "case"], kind="stable").reset_index(drop=True)
    size, channel, opened = len(contacts), contacts["channel"].to_numpy(), contacts["opened"].to_numpy()
    is_bot = contacts["is_bot"].to_numpy().astype(bool)
    wait = rng.exponential(np.array([240.0, 7.0 * _HOUR, 90.0])[channel])
    answered = opened + np.where(is_bot, 2, 5 + wait).astype("int64")
    length = np.array([0.6, 30.0, 0.5])[channel] * _HOUR * np.where(contacts["is_hard"], 6.0, 1.0)
    resolved = answered + (60 + rng.exponential(length)).astype("int64")
    is_open = (rng.random(size) < _OPEN_SHARE) | (resolved > END) | (contacts["escalated"] == 1).to_numpy()
    return pd.DataFrame(
        {
            "contact": 900_001 + first + np.arange(size),
            "case": contacts["case"],
            "owner": contacts["owner"].astype("int64"),
            "opened": opened,
            "answered": np.minimum(answered, END),
            "resolved": np.where(is_open, -1, resolved),
            "channel": np.array(_CHANNELS, dtype=object)[channel],
            "handled_by": np.where(is_bot, "bot", "human"),
            "topic": np.array(_TOPICS, dtype=object)[contacts["topic"].to_numpy()],
            "repeated": contacts["repeated"],
        }
    )


def export_contacts(contacts: pd.DataFrame) -> pd.DataFrame:
    """Return the service desk's export of the contacts: an API's nested names, flattened, times in UTC.

    Parameters
    ----------
    contacts : DataFrame
        As from `draw_contacts`.

    Returns
    -------
    DataFrame
        One row is one contact, all columns text; the solution's time is empty while the case is open.

    Examples
    --------
    >>> contact = {"contact": 1, "case": 1, "owner": 0, "opened": 0, "answered": 9, "resolved": -1}
    >>> contact |= {"topic": "returns", "channel": "chat", "handled_by": "bot", "repeated": 0}
    >>> export_contacts(pd.DataFrame([contact])).columns[:3].tolist()
    ['ticket.id', 'ticket.case_id', 'ticket.requester.external_id']
    """
    style = "%Y-%m-%dT%H:%M:%SZ"
    resolved = contacts["resolved"].to_numpy()
    return pd.DataFrame(
        {
            "ticket.id": contacts["contact"].astype("str"),
            "ticket.case_id": contacts["case"].astype("str"),
            "ticket.requester.external_id": name_customers(contacts["owner"].to_numpy()),
            "ticket.created_at": write_times(contacts["opened"].to_numpy(), style=style),
            "ticket.metrics.first_reply_at": write_times(contacts["answered"].to_numpy(), style=style),
            "ticket.metrics.solved_at": write_times(
                np.maximum(resolved, 0), style=style, missing=resolved < 0
            ),
            "ticket.via.channel": contacts["channel"],
            "ticket.assignee.type": contacts["handled_by"],
            "ticket.topic": contacts["topic"],
            "ticket.asked_before": contacts["repeated"].astype("str"),
        }
    ).astype("str")
