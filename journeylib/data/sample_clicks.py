"""The made-up web clicks as the tracking tool exports them: ids, arrival times, devices, baskets, amounts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from journeylib.data.sample_customers import name_customers
from journeylib.data.sample_draws import END, to_local
from journeylib.data.sample_files import write_cents, write_times
from journeylib.data.sample_journeys import EVENTS

__all__ = ["CLICK_COLUMNS", "count_payments", "export_clicks", "split_by_month"]

CLICK_COLUMNS = (
    "event_id", "ts", "received", "user_id", "device", "event", "device_type", "browser", "utm_campaign",
    "cart_id", "amount",
)  # fmt: skip
_BROWSERS = {
    True: (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) Safari/604.1",
        "Mozilla/5.0 (Linux; Android 15) Chrome/131 Mobile",
    ),
    False: (
        "Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/131",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Safari/605.1",
    ),
}
_CAMPAIGNS = {"ad_click": "search_ads", "mail_click": "newsletter"}
_IN_BASKET = [
    EVENTS.index(name) for name in ("cart_add", "checkout_start", "payment_view", "order_confirmed")
]
_LATE_SHARE, _LATEST = 0.02, 71 * 3600


def export_clicks(
    sessions: pd.DataFrame, clicks: pd.DataFrame, *, first: int = 0, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the click export before it is soiled; what has not arrived when the export ends is not in it.

    Parameters
    ----------
    sessions : DataFrame
        As from `frame_sessions`.
    clicks : DataFrame
        As from `draw_clicks`, with `cents` (0 = no amount).
    first : int
        The running number of the first event and basket.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row is one click, by time: the text columns `CLICK_COLUMNS`, and the numbers `occurred` and
        `arrived` (seconds since 1970 UTC). Times are written in UTC; `user_id` is empty where nobody was
        signed in; one click in fifty arrives an hour to 71 hours late.

    Examples
    --------
    >>> from journeylib.data.sample_journeys import draw_clicks, frame_sessions
    >>> one, rng = np.array([0]), np.random.default_rng(0)
    >>> session = frame_sessions(owner=one, start=one + 1_740_000_000, mobile=one > 0)
    >>> export_clicks(session, draw_clicks(session, rng=rng).assign(cents=0), rng=rng)["ts"].tolist()
    ['2025-02-19 21:20:00']
    """
    is_late = rng.random(len(clicks)) < _LATE_SHARE
    lag = rng.integers(0, 3, len(clicks)) + np.where(is_late, rng.integers(3600, _LATEST, len(clicks)), 0)
    clicks = clicks.assign(arrived=clicks["occurred"] + lag)
    clicks = (
        clicks.loc[clicks["arrived"] <= END]
        .sort_values(["occurred", "session"], kind="stable")
        .reset_index(drop=True)
    )
    met = sessions.iloc[clicks["session"]]
    owner, mobile = met["owner"].to_numpy(), met["mobile"].to_numpy()
    names = np.array(EVENTS, dtype=object)
    campaigns = np.array([_CAMPAIGNS.get(name, "") for name in EVENTS], dtype=object)
    columns = {
        "event_id": [f"e{number:08d}" for number in range(first + 1, first + len(clicks) + 1)],
        "ts": write_times(clicks["occurred"].to_numpy()),
        "received": write_times(clicks["arrived"].to_numpy()),
        "user_id": np.where(met["signed_in"], name_customers(owner), ""),
        "device": _name_devices(owner, mobile),
        "event": names[clicks["name"].to_numpy()],
        "device_type": np.where(mobile, "mobile", "desktop"),
        "browser": np.where(mobile, _pick_browser(owner, True), _pick_browser(owner, False)),
        "utm_campaign": campaigns[met["entry"].to_numpy()],
        "cart_id": _name_baskets(clicks, first=first),
        "amount": np.where(clicks["cents"] > 0, write_cents(clicks["cents"].to_numpy()), ""),
    }
    return pd.DataFrame(columns).astype("str").assign(occurred=clicks["occurred"], arrived=clicks["arrived"])


def _name_devices(owner: np.ndarray, mobile: np.ndarray) -> np.ndarray:
    """Return device ids that give nothing away: an odd factor maps numbers below 2**32 onto each other."""
    scrambled = ((owner.astype("int64") * 2 + mobile) * 2_654_435_761) % 2**32
    codes, places = np.unique(scrambled, return_inverse=True)
    return np.array([f"{code:08x}" for code in codes.tolist()], dtype=object)[places]


def _pick_browser(owner: np.ndarray, mobile: bool) -> np.ndarray:
    return np.array(_BROWSERS[mobile], dtype=object)[owner % 3 // 2]


def _name_baskets(clicks: pd.DataFrame, *, first: int) -> np.ndarray:
    """Return one basket id a session, on the steps from the cart to the order."""
    is_basket = clicks["name"].isin(_IN_BASKET).to_numpy()
    places = pd.factorize(clicks["session"].to_numpy()[is_basket])[0]
    baskets = np.full(len(clicks), "", dtype=object)
    baskets[is_basket] = [f"k{first + place + 1:07d}" for place in places.tolist()]
    return baskets


def count_payments(clicks: pd.DataFrame) -> dict[str, int]:
    """Count the baskets at the payment page and at the order, by quarter and device.

    Parameters
    ----------
    clicks : DataFrame
        As from `export_clicks`.

    Returns
    -------
    dict of str to int
        Keys like `2026Q3/mobile/payment_view`; a basket counts once, in the quarter of its step.

    Examples
    --------
    >>> step = {"occurred": 1_740_000_000, "event": "payment_view", "cart_id": "k1", "device_type": "mobile"}
    >>> count_payments(pd.DataFrame([step]))
    {'2025Q1/mobile/payment_view': 1}
    """
    steps = clicks.loc[clicks["event"].isin(["payment_view", "order_confirmed"])].drop_duplicates(
        ["event", "cart_id"]
    )
    quarter = (
        pd.DatetimeIndex(to_local(steps["occurred"].to_numpy()).astype("datetime64[s]"))
        .to_period("Q")
        .astype("str")
    )
    keys = pd.Series(quarter, index=steps.index) + "/" + steps["device_type"] + "/" + steps["event"]
    return {str(key): int(count) for key, count in keys.value_counts().sort_index().items()}


def split_by_month(clicks: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Split the export into the months in which the clicks arrived.

    Parameters
    ----------
    clicks : DataFrame
        With `arrived` (seconds since 1970 UTC).

    Returns
    -------
    dict of str to DataFrame
        Month, such as `2026-07` (UTC), to its rows in the order given; months without rows are absent.

    Examples
    --------
    >>> list(split_by_month(pd.DataFrame({"arrived": [0, 40 * 86_400]})))
    ['1970-01', '1970-02']
    """
    months = clicks["arrived"].to_numpy().astype("datetime64[s]").astype("datetime64[M]").astype("str")
    return {str(month): part for month, part in clicks.groupby(months, sort=True)}
