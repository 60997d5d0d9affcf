"""The made-up sessions around orders and contacts: tracking, manual, review, help pages, chats."""

from __future__ import annotations

import numpy as np
import pandas as pd

from journeylib.data.sample_journeys import EVENTS, frame_sessions

__all__ = ["draw_care_sessions"]

_DAY, _HOUR = 86_400, 3_600


def draw_care_sessions(
    orders: pd.DataFrame, contacts: pd.DataFrame, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the sessions after an order (tracking, manual, review) and before a contact (help pages, chat).

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
    >>> contact = {"owner": [0], "opened": [1_740_000_000], "channel": ["phone"], "handled_by": ["human"]}
    >>> len(draw_care_sessions(order, pd.DataFrame(contact), rng=np.random.default_rng(1))) <= 5
    True
    """
    bought, ordered = orders["owner"].to_numpy(), orders["ordered"].to_numpy()
    asked, opened = contacts["owner"].to_numpy(), contacts["opened"].to_numpy()
    is_chat = (contacts["channel"] == "chat").to_numpy()
    is_bot = is_chat & (contacts["handled_by"] == "bot").to_numpy()
    is_human = is_chat & ~is_bot
    plans = [
        ("parcel_tracking", bought, ordered, 0.45, (1 * _DAY, 4 * _DAY), 2),
        ("page_manual", bought, ordered, 0.10, (3 * _DAY, 7 * _DAY), 2),
        ("review_written", bought, ordered, 0.10, (6 * _DAY, 20 * _DAY), 1),
        ("page_help", asked, opened, 0.45, (-4 * _HOUR, -900), 3),
        ("bot_open", asked[is_bot], opened[is_bot], 1.00, (-120, -30), 1),
        ("chat_open", asked[is_human], opened[is_human], 1.00, (-120, -30), 1),
    ]
    found = []
    for page, owner, when, share, (soonest, latest), most in plans:
        goes = rng.random(len(owner)) < share
        size = int(goes.sum())
        # A mail leads straight to the parcel, the manual and the review; help begins in the account.
        entry = "page_account" if owner is not bought else page
        found.append(
            frame_sessions(
                owner=owner[goes],
                start=when[goes] + rng.integers(soonest, latest, size),
                mobile=rng.random(size) < 0.6,
                entry=np.full(size, EVENTS.index(entry)),
                care=np.full(size, EVENTS.index(page)),
                cares=rng.integers(1, most + 1, size) - (entry == page),
            )
        )
    return pd.concat(found, ignore_index=True)
