"""The made-up visits: sessions by each customer's rates, and the clicks inside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from journeylib.data.sample_customers import pick_rates
from journeylib.data.sample_draws import DAYS, draw_codes, draw_starts, to_utc

__all__ = [
    "CARE_CODES",
    "EVENTS",
    "PAYMENT",
    "draw_clicks",
    "draw_sessions",
    "draw_visitors",
    "frame_sessions",
]

EVENTS = (
    "ad_click", "mail_click", "page_home", "search_site", "page_product", "page_category", "cart_add",
    "checkout_start", "payment_view", "order_confirmed", "parcel_tracking", "page_manual", "page_help",
    "chat_open", "review_written", "page_account", "debug_ping", "ab_test_assigned",
)  # fmt: skip
_CODE = {name: code for code, name in enumerate(EVENTS)}
CARE_CODES = {
    name: _CODE[name]
    for name in ("parcel_tracking", "page_manual", "page_help", "chat_open", "review_written")
}
# The planted effect: who sees the payment page goes on to buy with these chances.
MENDED_ON = "2026-04-01"
PAYMENT = {"mobile_before": 0.45, "mobile_after": 0.82, "desktop": 0.82}
_CHECKOUT_SHARE, _PAYMENT_SHARE, _BOUNCE_SHARE, _SIGNED_OUT_SHARE = 0.80, 0.90, 0.15, 0.10
_QUARTER_DAYS = 365.25 / 4
_NO_CARE = -1


def draw_sessions(customers: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the customers' shopping sessions; the payment page loses mobile ones until it is mended.

    Parameters
    ----------
    customers : DataFrame
        As from `draw_customers`; nobody has sessions before joining or after leaving.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row is one session, as `frame_sessions` describes.

    Examples
    --------
    >>> from journeylib.data.sample_customers import draw_customers
    >>> rng = np.random.default_rng(0)
    >>> len(draw_sessions(draw_customers(0, rng=rng), rng=rng))
    0
    """
    personas, activity = customers["persona"].to_numpy(), customers["activity"].to_numpy()
    mean = pick_rates(personas, "sessions_per_quarter") * activity * DAYS / _QUARTER_DAYS
    owner = np.repeat(np.arange(len(customers)), rng.poisson(mean))
    days, start = draw_starts(len(owner), rng=rng)
    is_customer = (days >= customers["joined_day"].to_numpy()[owner]) & (
        days < customers["left_day"].to_numpy()[owner]
    )
    owner, start = owner[is_customer], start[is_customer]
    kind, size = personas[owner], len(owner)
    mobile = rng.random(size) < pick_rates(kind, "mobile_share")
    views = np.where(
        rng.random(size) < _BOUNCE_SHARE, 0, 1 + rng.poisson(pick_rates(kind, "product_views") - 1)
    )
    mended = start >= to_utc(np.array([MENDED_ON], dtype="datetime64[s]").astype("int64"))[0]
    buys = np.where(
        mobile, np.where(mended, PAYMENT["mobile_after"], PAYMENT["mobile_before"]), PAYMENT["desktop"]
    )
    stays = np.column_stack(
        [
            (views > 0) & (rng.random(size) < pick_rates(kind, "cart_share")),
            rng.random(size) < _CHECKOUT_SHARE,
            rng.random(size) < _PAYMENT_SHARE,
            rng.random(size) < buys,
        ]
    )
    reach = np.logical_and.accumulate(stays, axis=1).sum(axis=1)
    return frame_sessions(
        owner=customers["number"].to_numpy()[owner],
        start=start,
        mobile=mobile,
        entry=draw_codes(pick_rates(kind, "entries"), size, rng=rng) if size else np.zeros(0, dtype="int64"),
        listings=rng.integers(0, 3, size),
        views=views,
        reach=reach,
        retries=((reach == 3) & (rng.random(size) < 0.3)).astype("int64"),
        signed_in=(reach > 0) | (rng.random(size) >= _SIGNED_OUT_SHARE),
        unmapped=draw_codes([0.95, 0.03, 0.02], size, rng=rng),
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
    days, start = draw_starts(count, rng=rng)
    return frame_sessions(
        owner=-1 - first - np.arange(count),
        start=start,
        mobile=rng.random(count) < 0.7,
        entry=draw_codes([0.45, 0.0, 0.2, 0.2, 0.15], count, rng=rng),
        listings=rng.integers(0, 2, count),
        views=rng.poisson(0.9, count),
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
        cart, checkout, payment, purchase), `retries` (payment page seen again), `care` (code of `EVENTS` or
        -1), `cares` (how often), `signed_in`.

    Examples
    --------
    >>> one = np.array([0])
    >>> int(frame_sessions(owner=one, start=one, mobile=one > 0)["reach"][0])
    0
    """
    sessions = pd.DataFrame({"owner": owner, "start": start, "mobile": mobile})
    zero: dict[str, Any] = {
        name: 0 for name in ("entry", "unmapped", "listings", "views", "reach", "retries", "cares")
    }
    return sessions.assign(**{**zero, "care": _NO_CARE, "signed_in": True, **given})


def draw_clicks(sessions: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the clicks of sessions: which page, and seconds between pages.

    Parameters
    ----------
    sessions : DataFrame
        As from `frame_sessions`.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row is one click, in order within its session: `session` (row of `sessions`), `name` (code of
        `EVENTS`), `occurred` (seconds since 1970 UTC; between two clicks lie 3 to 1,200 seconds).

    Examples
    --------
    >>> one = np.array([0])
    >>> session = frame_sessions(owner=one, start=one, mobile=one > 0, views=one + 1, reach=one + 1)
    >>> [EVENTS[code] for code in draw_clicks(session, rng=np.random.default_rng(0))["name"]]
    ['ad_click', 'page_product', 'cart_add']
    """
    reach, care = sessions["reach"].to_numpy(), sessions["care"].to_numpy()
    one = np.ones(len(sessions), dtype="int64")
    unmapped = sessions["unmapped"].to_numpy()
    # Who comes straight to a product page counts that page among the views.
    straight = (sessions["entry"].to_numpy() == _CODE["page_product"]) & (sessions["views"].to_numpy() > 0)
    parts = [
        (one - straight, sessions["entry"].to_numpy()),
        ((unmapped > 0) * one, _CODE["debug_ping"] + np.maximum(unmapped - 1, 0)),
        (sessions["listings"].to_numpy(), one * _CODE["page_category"]),
        (sessions["views"].to_numpy(), one * _CODE["page_product"]),
        *[((reach >= level) * one, one * (_CODE["cart_add"] + level - 1)) for level in (1, 2, 3)],
        (sessions["retries"].to_numpy(), one * _CODE["payment_view"]),
        ((reach >= 4) * one, one * _CODE["order_confirmed"]),
        (sessions["cares"].to_numpy(), np.where(care == _NO_CARE, 0, care)),
    ]
    counts = np.column_stack([count for count, _ in parts]).ravel()
    name = np.repeat(np.column_stack([names for _, names in parts]).ravel(), counts)
    session = np.repeat(np.repeat(np.arange(len(sessions)), len(parts)), counts)
    name = np.where(
        (name == _CODE["page_category"]) & (rng.random(len(name)) < 0.3), _CODE["search_site"], name
    )
    gaps = np.minimum(3 + (rng.exponential(45.0, len(name))).astype("int64"), 1_200)
    total = np.cumsum(gaps)
    is_first = np.diff(session, prepend=-1) != 0
    base = np.repeat(total[is_first], np.diff(np.append(np.flatnonzero(is_first), len(name))))
    occurred = sessions["start"].to_numpy()[session] + total - base
    return pd.DataFrame({"session": session, "name": name, "occurred": occurred})
