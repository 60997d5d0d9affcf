"""The made-up clicks: the pages of each session, in order, and the seconds between them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from journeylib.data.sample_draws import END
from journeylib.data.sample_journeys import EVENTS

__all__ = ["draw_clicks", "draw_robots"]

_CODE = {name: code for code, name in enumerate(EVENTS)}
_SEARCH_SHARE = 0.3
_PAUSE, _SHORTEST, _LONGEST = 45.0, 3, 1_200
ROBOT = -1_000_000_000
# One robot for so many customers; it opens pages faster than people do, day and night.
_ROBOT_SHARE, _ROBOT_PAGES = 1 / 700, 110


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
    >>> from journeylib.data.sample_journeys import frame_sessions
    >>> one = np.array([0])
    >>> session = frame_sessions(owner=one, start=one, mobile=one > 0, views=one + 1, reach=one + 1)
    >>> [EVENTS[code] for code in draw_clicks(session, rng=np.random.default_rng(0))["name"]]
    ['ad_click', 'page_product', 'cart_add']
    """
    counts, names = _list_parts(sessions)
    parts = len(counts)
    many = np.column_stack(counts).ravel()
    name = np.repeat(np.column_stack(names).astype("int8").ravel(), many)
    session = np.repeat(np.repeat(np.arange(len(sessions)), parts), many)
    listed = np.flatnonzero(name == _CODE["page_category"])
    name[listed[rng.random(len(listed)) < _SEARCH_SHARE]] = _CODE["search_site"]
    gaps = _SHORTEST + rng.exponential(_PAUSE, len(name)).astype("int64")
    total = np.cumsum(np.minimum(gaps, _LONGEST))
    is_first = np.diff(session, prepend=-1) != 0
    base = np.repeat(total[is_first], np.diff(np.append(np.flatnonzero(is_first), len(name))))
    occurred = sessions["start"].to_numpy()[session] + total - base
    return pd.DataFrame({"session": session, "name": name, "occurred": occurred})


def _list_parts(sessions: pd.DataFrame) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return how often each part of a session comes, and its event, in the order of the parts."""
    columns = {name: sessions[name].to_numpy() for name in sessions}
    one, reach, pays = np.ones(len(sessions), dtype="int64"), columns["reach"], columns["pays"]
    unmapped, care = columns["unmapped"], columns["care"]
    # Who comes straight to a product page counts that page among the views.
    straight = (columns["entry"] == _CODE["page_product"]) & (columns["views"] > 0)
    parts = [
        (one - straight, columns["entry"]),
        ((unmapped > 0) * one, _CODE["debug_ping"] + np.maximum(unmapped - 1, 0)),
        (columns["listings"], one * _CODE["page_category"]),
        (columns["views"], one * _CODE["page_product"]),
        ((reach >= 1) * one, one * _CODE["cart_add"]),
        ((reach >= 2) * one, one * _CODE["checkout_start"]),
        ((reach >= 3) * one + columns["retries"] + (pays >= 1), one * _CODE["payment_view"]),
        (((reach >= 4) | (pays >= 2)) * one, one * _CODE["order_confirmed"]),
        (columns["cares"], np.where(care < 0, 0, care)),
    ]
    return [count for count, _ in parts], [names for _, names in parts]


def draw_robots(
    customers: int, *, first: int = 0, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw what robots do: many product pages a minute, around the clock, signed in as nobody.

    Parameters
    ----------
    customers : int
        Number of customers in the block; there is about one robot for 700 of them.
    first : int
        The running number of the first customer, after which robots are numbered.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    tuple of two DataFrame
        Robots as sessions (`owner` from -1,000,000,000 down, `start`; every second one is `mobile`, which
        here says that it calls itself a browser), and their clicks as from `draw_clicks`.

    Examples
    --------
    >>> len(draw_robots(1_400, rng=np.random.default_rng(0))[0])
    2
    """
    before, after = (int((first + count) * _ROBOT_SHARE) for count in (0, customers))
    number = np.arange(before, after)
    pages = rng.poisson(_ROBOT_PAGES, len(number))
    # A run of pages every two seconds, then a rest of some hours, on and on.
    start = END - rng.integers(30, 640, len(number)) * 86_400
    robot = np.repeat(np.arange(len(number)), pages)
    steps = np.where(rng.random(len(robot)) < 0.1, rng.integers(7_200, 21_600, len(robot)), 2)
    total = np.cumsum(steps)
    base = np.repeat(total[np.cumsum(pages) - pages], pages) if len(robot) else total
    sessions = pd.DataFrame(
        {"owner": ROBOT - number, "start": start, "mobile": number % 2 == 1, "signed_in": False}
    )
    clicks = pd.DataFrame(
        {"session": robot, "name": _CODE["page_product"], "occurred": start[robot] + total - base}
    )
    return sessions.assign(entry=_CODE["page_product"], basket=0), clicks
