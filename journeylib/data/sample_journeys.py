"""The made-up sessions: drawn by each customer's own rates, which lie around those of the kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from journeylib.data.sample_customers import ENTRIES, pick_rates
from journeylib.data.sample_draws import DAYS, draw_beta, draw_codes, draw_habits, draw_starts, find_start
from journeylib.data.sample_programmes import BONUS, REMINDERS

__all__ = [
    "EVENTS",
    "FUNNEL",
    "MENDED_ON",
    "PAYMENT",
    "draw_reminders",
    "draw_sessions",
    "draw_visitors",
    "frame_sessions",
]

EVENTS = (
    *ENTRIES, "page_category", "search_site", "cart_add", "checkout_start", "payment_view", "order_confirmed",
    "parcel_tracking", "page_manual", "page_help", "page_account", "bot_open", "chat_open", "complaint_form",
    "renewal_view", "review_written", "reminder_click", "bonus_page", "debug_ping", "ab_test_assigned",
)  # fmt: skip
# The planted effect: a session that sees the payment page goes on to buy with these chances.
MENDED_ON = "2026-04-01"
PAYMENT = {"mobile_before": 0.42, "mobile_after": 0.84, "desktop": 0.84}
# From cart to checkout and from checkout to payment: the same for everybody, always.
FUNNEL = {"checkout": 0.80, "payment": 0.90}
_BOUNCE_SHARE, _SIGNED_OUT_SHARE = 0.10, 0.06
# How alike customers of one kind are: the higher, the closer to the kind's rates.
_ALIKE = {
    "mobile": 18.0,
    "evening": 18.0,
    "weekend": 18.0,
    "service": 22.0,
    "cart": 10.0,
    "entries": 22.0,
    "views": 10.0,
}
_CARE = ("page_account", "page_manual", "page_help", "bot_open", "complaint_form", "renewal_view")
_CARE_SHARES = (0.27, 0.20, 0.33, 0.12, 0.04, 0.04)
_YEAR, _DAY = 365.25, 86_400
_NO_CARE = -1


def draw_sessions(customers: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the customers' sessions; the payment page loses mobile ones until it is mended.

    Parameters
    ----------
    customers : DataFrame
        As from `add_programmes`; nobody has sessions before joining, after leaving or once the kind is gone.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row is one session, as `frame_sessions` describes.

    Examples
    --------
    >>> from journeylib.data.sample_customers import draw_customers
    >>> from journeylib.data.sample_programmes import add_programmes
    >>> rng = np.random.default_rng(0)
    >>> len(draw_sessions(add_programmes(draw_customers(0, rng=rng), rng=rng), rng=rng))
    0
    """
    rates = _draw_rates(customers["persona"].to_numpy(), rng=rng)
    person, start, extra = _draw_times(customers, rates, rng=rng)
    size = len(person)
    mobile = rng.random(size) < rates["mobile"][person]
    entry = draw_codes(rates["entries"][person], size, rng=rng) if size else np.zeros(0, dtype="int64")
    # The app is on phones.
    mobile |= entry == ENTRIES.index("app_open")
    serves = rng.random(size) < rates["service"][person]
    bounces = rng.random(size) < _BOUNCE_SHARE
    views = np.where(bounces, 0, 1 + rng.poisson(rates["views"][person])) * ~serves
    cares = np.where(serves, 1 + rng.poisson(0.9, size), 0)
    reach = _draw_reach(start, mobile, (views > 0) & (rng.random(size) < rates["cart"][person]), rng=rng)
    care = np.array([EVENTS.index(name) for name in _CARE])[draw_codes(_CARE_SHARES, size, rng=rng)]
    return frame_sessions(
        owner=customers["number"].to_numpy()[person],
        start=start,
        mobile=mobile,
        entry=np.where(serves & (rng.random(size) < 0.7), EVENTS.index("page_account"), entry),
        listings=rng.poisson(rates["listings"][person]) * (views > 0),
        views=views,
        reach=reach,
        retries=((reach == 3) & (rng.random(size) < 0.3)).astype("int64"),
        care=np.where(serves, care, _NO_CARE),
        cares=cares,
        signed_in=(reach > 0) | serves | (rng.random(size) >= _SIGNED_OUT_SHARE),
        unmapped=draw_codes([0.955, 0.027, 0.018], size, rng=rng),
        extra=extra,
    )


def _draw_rates(personas: np.ndarray, *, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw each customer's own rates around those of the kind."""
    rates = {
        name: draw_beta(pick_rates(personas, f"{name}_share"), alike=_ALIKE[name], rng=rng)
        for name in ("mobile", "evening", "weekend", "service", "cart")
    }
    rates["views"] = pick_rates(personas, "product_views") - 1
    rates["views"] = rates["views"] * rng.gamma(_ALIKE["views"], 1 / _ALIKE["views"], len(personas))
    rates["listings"] = pick_rates(personas, "listings")
    shares = rng.standard_gamma(pick_rates(personas, "entries") * _ALIKE["entries"])
    return rates | {"entries": shares + 1e-9}


def _draw_times(
    customers: pd.DataFrame, rates: dict[str, np.ndarray], *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each session the customer's row, its start, and whether the loyalty programme brought it."""
    mean = pick_rates(customers["persona"].to_numpy(), "sessions_per_year") * DAYS / _YEAR
    mean = mean * customers["activity"].to_numpy()
    usual = rng.poisson(mean)
    more = rng.poisson(mean * BONUS["lift"])
    person = np.concatenate([np.repeat(np.arange(len(mean)), usual), np.repeat(np.arange(len(mean)), more)])
    extra = np.arange(len(person)) >= usual.sum()
    days, start = draw_habits(rates["evening"][person], rates["weekend"][person], rng=rng)
    last = np.minimum(customers["left_day"].to_numpy(), customers["gone_day"].to_numpy())
    is_customer = (days >= customers["joined_day"].to_numpy()[person]) & (days < last[person])
    is_customer &= ~extra | (days >= customers["bonus_day"].to_numpy()[person])
    return person[is_customer], start[is_customer], extra[is_customer]


def _draw_reach(
    start: np.ndarray, mobile: np.ndarray, in_cart: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """Return how far each session comes: 0 nothing, 1 cart, 2 checkout, 3 payment, 4 purchase."""
    size = len(start)
    stays = [in_cart, rng.random(size) < FUNNEL["checkout"], rng.random(size) < FUNNEL["payment"]]
    stays.append(rng.random(size) < _chance_to_pay(start, mobile))
    return np.logical_and.accumulate(np.column_stack(stays), axis=1).sum(axis=1)


def _chance_to_pay(start: np.ndarray, mobile: np.ndarray) -> np.ndarray:
    phone = np.where(start >= find_start(MENDED_ON), PAYMENT["mobile_after"], PAYMENT["mobile_before"])
    return np.where(mobile, phone, PAYMENT["desktop"])


def draw_reminders(
    sessions: pd.DataFrame, customers: pd.DataFrame, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the sessions that a mail brings back to the payment page, one to three days after a loss there.

    Parameters
    ----------
    sessions : DataFrame
        As from `draw_sessions`.
    customers : DataFrame
        As from `add_programmes`, the sessions' owners in order of their numbers.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row is one session, as `frame_sessions` describes, with the basket of the one that was lost.

    Examples
    --------
    >>> one = np.array([0])
    >>> who = pd.DataFrame({"number": [0], "is_reminded": [True]})
    >>> lost = frame_sessions(owner=one, start=one, mobile=one > 0, reach=one + 3)
    >>> len(draw_reminders(lost, who, rng=np.random.default_rng(0)))
    0
    """
    lost = (sessions["reach"] == 3).to_numpy() & (sessions["start"] >= find_start(REMINDERS["started_on"]))
    rows = np.flatnonzero(lost)
    first = int(customers["number"].iloc[0]) if len(customers) else 0
    reminded = customers["is_reminded"].to_numpy()[sessions["owner"].to_numpy()[rows] - first]
    rows = rows[reminded & (rng.random(len(rows)) < REMINDERS["returns"])]
    start = sessions["start"].to_numpy()[rows] + rng.integers(_DAY, 3 * _DAY, len(rows))
    mobile = sessions["mobile"].to_numpy()[rows]
    buys = rng.random(len(rows)) < _chance_to_pay(start, mobile)
    return frame_sessions(
        owner=sessions["owner"].to_numpy()[rows],
        start=start,
        mobile=mobile,
        entry=np.full(len(rows), EVENTS.index("reminder_click")),
        pays=1 + buys,
        basket=sessions["basket"].to_numpy()[rows],
    )


def draw_visitors(count: int, *, first: int = 0, rng: np.random.Generator) -> pd.DataFrame:
    """Draw sessions of visitors who never sign in, each with a device of its own.

    Parameters
    ----------
    count : int
        Number of sessions, one a visitor.
    first : int
        The running number of the first visitor.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row is one session, as `frame_sessions` describes; `owner` is negative, no customer.

    Examples
    --------
    >>> draw_visitors(2, rng=np.random.default_rng(0))["owner"].tolist()
    [-1, -2]
    """
    _, start = draw_starts(count, rng=rng)
    return frame_sessions(
        owner=-1 - first - np.arange(count),
        start=start,
        mobile=rng.random(count) < 0.7,
        entry=draw_codes([0.35, 0.0, 0.2, 0.1, 0.15, 0.0, 0.2], count, rng=rng),
        listings=rng.integers(0, 2, count),
        views=rng.poisson(0.6, count),
        signed_in=np.zeros(count, dtype=bool),
        unmapped=draw_codes([0.97, 0.02, 0.01], count, rng=rng),
    )


def frame_sessions(
    *, owner: np.ndarray, start: np.ndarray, mobile: np.ndarray, **given: np.ndarray
) -> pd.DataFrame:
    """Return sessions as a table, with zeros where nothing is given.

    Parameters
    ----------
    owner : ndarray of int
        Running numbers of customers; negative for visitors who are none.
    start : ndarray of int
        Seconds since 1970 UTC.
    mobile : ndarray of bool
        On a phone, else at a desktop.
    **given : ndarray
        Any of the other columns.

    Returns
    -------
    DataFrame
        One row is one session: `owner`, `start`, `mobile`, `entry` (code of `EVENTS`), `unmapped` (1 or 2: an
        event that touchpoints.csv does not know), `listings` and `views` (pages), `reach` (0 to 4: nothing,
        cart, checkout, payment, purchase), `retries` (payment page seen again), `pays` (1 straight to the
        payment page, 2 and bought), `care` (code of `EVENTS` or -1), `cares` (how often), `signed_in`,
        `extra` (1: brought by the loyalty programme), `basket` (the row, unless an older basket goes on).

    Examples
    --------
    >>> one = np.array([0])
    >>> int(frame_sessions(owner=one, start=one, mobile=one > 0)["reach"][0])
    0
    """
    sessions = pd.DataFrame({"owner": owner, "start": start, "mobile": mobile})
    zero: dict[str, Any] = {
        name: 0
        for name in ("entry", "unmapped", "listings", "views", "reach", "retries", "pays", "cares", "extra")
    }
    basket = np.arange(len(sessions))
    return sessions.assign(**{**zero, "care": _NO_CARE, "signed_in": True, "basket": basket, **given})
