"""The made-up service desk: contacts, and the help pages and parcel pages that customers open around them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from journeylib.data.sample_customers import name_customers, pick_rates
from journeylib.data.sample_draws import DAYS, END, draw_codes, draw_starts
from journeylib.data.sample_files import write_times
from journeylib.data.sample_journeys import CARE_CODES, EVENTS, frame_sessions

__all__ = ["draw_care_sessions", "draw_contacts", "export_contacts"]

_TOPICS, _TOPIC_SHARES = (
    ("delivery", "returns", "payment", "product", "account"),
    (0.42, 0.2, 0.12, 0.16, 0.1),
)
_CHANNELS, _CHANNEL_SHARES = ("phone", "email", "chat"), (0.4, 0.35, 0.25)
_DAY, _HOUR = 86_400, 3_600
_REPEAT_SHARE, _BOT_SHARE, _OPEN_SHARE = 0.22, 0.6, 0.03


def draw_contacts(
    orders: pd.DataFrame, customers: pd.DataFrame, *, first: int = 0, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw service contacts: some after orders, some without, and second contacts in the same case.

    Parameters
    ----------
    orders : DataFrame
        As from `draw_orders`.
    customers : DataFrame
        As from `draw_customers`.
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
    >>> rng = np.random.default_rng(0)
    >>> nobody = draw_customers(0, rng=rng)
    >>> nothing = pd.DataFrame({"owner": [], "occurred": []})
    >>> len(draw_contacts(draw_orders(nothing, nobody, rng=rng), nobody, rng=rng))
    0
    """
    personas, offset = (
        customers["persona"].to_numpy(),
        int(customers["number"].min()) if len(customers) else 0,
    )
    asks = rng.random(len(orders)) < pick_rates(
        personas[orders["owner"].to_numpy() - offset], "contacts_per_order"
    )
    after = orders.loc[asks, "ordered"].to_numpy() + rng.integers(_DAY, 6 * _DAY, int(asks.sum()))
    other = np.repeat(
        np.arange(len(customers)), rng.poisson(pick_rates(personas, "contacts_per_quarter") * DAYS / 91.3125)
    )
    days, started = draw_starts(len(other), rng=rng)
    is_customer = (days >= customers["joined_day"].to_numpy()[other]) & (
        days < customers["left_day"].to_numpy()[other]
    )
    owner = np.concatenate(
        [orders.loc[asks, "owner"].to_numpy(), customers["number"].to_numpy()[other[is_customer]]]
    )
    opened = np.concatenate([after, started[is_customer]]).astype("int64")
    topic = draw_codes(_TOPIC_SHARES, len(owner), rng=rng)
    again = np.flatnonzero(rng.random(len(owner)) < _REPEAT_SHARE)
    cases = np.concatenate([np.arange(len(owner)), again])
    later = opened[again] + rng.integers(4 * _HOUR, 6 * _DAY, len(again))
    contacts = pd.DataFrame(
        {
            "case": 70_001 + first + cases,
            "owner": owner[cases].astype("int64"),
            "opened": np.concatenate([opened, later]).astype("int64"),
            "topic": np.array(_TOPICS, dtype=object)[topic[cases]],
            "repeated": np.concatenate(
                [np.zeros(len(owner), dtype="int64"), (rng.random(len(again)) < 0.5) * 1]
            ),
        }
    )
    return _add_handling(contacts.loc[contacts["opened"] <= END], first=first, rng=rng)


def _add_handling(contacts: pd.DataFrame, *, first: int, rng: np.random.Generator) -> pd.DataFrame:
    """Add channel, bot or human, and the times of the first answer and of the solution."""
    contacts = contacts.sort_values(["opened", "case"], kind="stable").reset_index(drop=True)
    size = len(contacts)
    channel = draw_codes(_CHANNEL_SHARES, size, rng=rng)
    is_bot = (channel == 2) & (rng.random(size) < _BOT_SHARE)
    wait = rng.exponential(np.array([240.0, 7.0 * _HOUR, 90.0])[channel])
    answered = contacts["opened"].to_numpy() + np.where(is_bot, 2, 5 + wait).astype("int64")
    resolved = answered + (60 + rng.exponential(np.array([0.6, 30.0, 0.5])[channel] * _HOUR)).astype("int64")
    is_open = (rng.random(size) < _OPEN_SHARE) | (resolved > END)
    return contacts.assign(
        contact=900_001 + first + np.arange(size),
        channel=np.array(_CHANNELS, dtype=object)[channel],
        handled_by=np.where(is_bot, "bot", "human"),
        answered=np.minimum(answered, END),
        resolved=np.where(is_open, -1, resolved),
    )


def draw_care_sessions(
    orders: pd.DataFrame, contacts: pd.DataFrame, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the visits after an order (tracking, manual, review) and before a contact (help pages, chat).

    Parameters
    ----------
    orders, contacts : DataFrame
        As from `draw_orders` and `draw_contacts`.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row is one session, as `frame_sessions` describes.

    Examples
    --------
    >>> order = pd.DataFrame({"owner": [0], "ordered": [1_740_000_000]})
    >>> contact = pd.DataFrame({"owner": [0], "opened": [1_740_000_000], "channel": ["phone"]})
    >>> len(draw_care_sessions(order, contact, rng=np.random.default_rng(1))) <= 5
    True
    """
    bought, ordered = orders["owner"].to_numpy(), orders["ordered"].to_numpy()
    asked, opened = contacts["owner"].to_numpy(), contacts["opened"].to_numpy()
    is_chat = (contacts["channel"] == "chat").to_numpy()
    plans = [
        ("parcel_tracking", bought, ordered, 0.60, (1 * _DAY, 4 * _DAY), 2),
        ("page_manual", bought, ordered, 0.20, (3 * _DAY, 7 * _DAY), 2),
        ("review_written", bought, ordered, 0.14, (6 * _DAY, 20 * _DAY), 1),
        ("page_help", asked, opened, 0.60, (-4 * _HOUR, -900), 3),
        ("chat_open", asked[is_chat], opened[is_chat], 1.00, (-120, -30), 1),
    ]
    found = []
    for page, owner, when, share, (soonest, latest), most in plans:
        goes = rng.random(len(owner)) < share
        size = int(goes.sum())
        found.append(
            frame_sessions(
                owner=owner[goes],
                start=when[goes] + rng.integers(soonest, latest, size),
                mobile=rng.random(size) < 0.65,
                entry=np.full(size, EVENTS.index("page_account")),
                care=np.full(size, CARE_CODES[page]),
                cares=rng.integers(1, most + 1, size),
            )
        )
    return pd.concat(found, ignore_index=True)


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
