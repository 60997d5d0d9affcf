"""The made-up web clicks as the tracking tool exports them: ids, arrival times, devices, baskets, amounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from journeylib.data.sample_customers import name_customers
from journeylib.data.sample_draws import END, START, to_local
from journeylib.data.sample_events import ROBOT
from journeylib.data.sample_files import write_cents, write_times
from journeylib.data.sample_journeys import EVENTS

__all__ = ["BAD_TIMES", "CLICK_COLUMNS", "count_payments", "name_devices", "number_clicks", "write_clicks"]

CLICK_COLUMNS = (
    "event_id", "ts", "received", "user_id", "device", "event", "device_type", "browser", "utm_campaign",
    "cart_id", "amount",
)  # fmt: skip
# Desktop, phone, robots that say so, and robots that call themselves a browser.
_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/131",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Safari/605.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15) Chrome/131 Mobile",
    "Mozilla/5.0 (compatible; PriceBot/2.1; +http://bot.example)",
    "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/131",
)
_CAMPAIGNS = {
    "ad_click": "search_ads",
    "mail_click": "newsletter",
    "social_click": "social",
    "reminder_click": "reminder",
}
_IN_BASKET = [
    EVENTS.index(name) for name in ("cart_add", "checkout_start", "payment_view", "order_confirmed")
]
# What a broken clock writes; the last three lie in the future.
BAD_TIMES = (
    "", "0000-00-00 00:00:00", "31.02.2025", "n/a", "2038-01-19 03:14:07", "2095-03-24 12:00:00",
    "2099-12-31 23:59:59",
)  # fmt: skip
_LATE_SHARE, _LATEST = 0.02, 71 * 3600
_FIRST_EVENT, _FIRST_BASKET = 100_000_001, 10_000_001
_FIRST = START // 86_400 - 2
_DAYS = write_times(np.arange(_FIRST, END // 86_400 + 2) * 86_400, style="%Y-%m-%d ")
_CLOCK = write_times(np.arange(86_400), style="%H:%M:%S")
_PAYMENT, _ORDER = EVENTS.index("payment_view"), EVENTS.index("order_confirmed")


def number_clicks(
    sessions: pd.DataFrame, clicks: pd.DataFrame, *, first: int = 0, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the click export as numbers, before it is soiled; what arrives after its end is not in it.

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
        One row is one click, by time: `number` (of the event), `occurred` and `arrived` (seconds since 1970
        UTC; one click in fifty arrives an hour to 71 hours late), `owner`, `signed_in`, `mobile`, `name` and
        `entry` (codes of `EVENTS`), `basket` (0 = none), `cents`.

    Examples
    --------
    >>> from journeylib.data.sample_events import draw_clicks
    >>> from journeylib.data.sample_journeys import frame_sessions
    >>> one, rng = np.array([0]), np.random.default_rng(0)
    >>> session = frame_sessions(owner=one, start=one + 1_740_000_000, mobile=one > 0)
    >>> number_clicks(session, draw_clicks(session, rng=rng).assign(cents=0), rng=rng)["number"].tolist()
    [100000001]
    """
    occurred, session = clicks["occurred"].to_numpy(), clicks["session"].to_numpy()
    lag = rng.integers(0, 3, len(clicks))
    late = np.flatnonzero(rng.random(len(clicks)) < _LATE_SHARE)
    lag[late] += rng.integers(3600, _LATEST, len(late))
    rows = np.flatnonzero(occurred + lag <= END)
    rows = rows[np.lexsort((session[rows], occurred[rows]))]
    session, name = session[rows], clicks["name"].to_numpy()[rows]
    met = {
        column: sessions[column].to_numpy()[session] for column in ("owner", "signed_in", "mobile", "entry")
    }
    basket = np.where(
        np.isin(name, _IN_BASKET), sessions["basket"].to_numpy()[session] + first + _FIRST_BASKET, 0
    )
    return pd.DataFrame(
        {
            "number": first + _FIRST_EVENT + np.arange(len(rows)),
            "occurred": occurred[rows],
            "arrived": (occurred + lag)[rows],
            **met,
            "name": name,
            "basket": basket,
            "cents": clicks["cents"].to_numpy()[rows],
        }
    )


def write_clicks(clicks: pd.DataFrame) -> pa.StringArray:
    r"""Write clicks as lines of CSV.

    Parameters
    ----------
    clicks : DataFrame
        As from `number_clicks`; with `bad_time` (place in `BAD_TIMES`, 0 = none) and `cut_short` (cells that
        are kept, 0 = all) as from `soil_clicks`, where they are there.

    Returns
    -------
    pyarrow.StringArray
        One line a click in the order given, line end included; its cells are `CLICK_COLUMNS`. Times are in
        UTC; `user_id` is empty where nobody was signed in.

    Examples
    --------
    >>> one = {"number": 7, "occurred": 1_740_000_000, "arrived": 1_740_000_001, "owner": 0}
    >>> one |= {"signed_in": True, "mobile": False, "name": 4, "entry": 4, "basket": 0, "cents": 0}
    >>> write_clicks(pd.DataFrame([one])).to_pylist()[0][:64]
    'e7,2025-02-19 21:20:00,2025-02-19 21:20:01,C-0100000,00000000,pa'
    """
    columns = {name: clicks[name].to_numpy() for name in clicks}
    owner, mobile = columns["owner"].astype("int64"), columns["mobile"].astype("int64")
    is_robot = owner <= ROBOT
    machines, places = np.unique(owner * 2 + mobile, return_inverse=True)
    people = np.where(machines >= 0, machines // 2, -1)
    campaigns = [_CAMPAIGNS.get(name, "") for name in EVENTS]
    cells = [
        pc.binary_join_element_wise("e", pa.array(columns["number"]).cast(pa.string()), ""),
        _spoil_times(_write_times(columns["occurred"]), columns.get("bad_time")),
        _write_times(columns["arrived"]),
        _take(name_customers(people), np.where(columns["signed_in"], places, -1)),
        _take(name_devices(machines // 2, machines % 2), places),
        _take(EVENTS, columns["name"]),
        _take(("desktop", "mobile"), np.where(is_robot, 0, mobile)),
        _take(_BROWSERS, np.where(is_robot, 4, mobile * 2) + np.where(is_robot, mobile, owner % 3 // 2)),
        _take(campaigns, columns["entry"]),
        _take_few(columns["basket"], lambda found: [f"k{number}" for number in found.tolist()]),
        _take_few(columns["cents"], write_cents, end="\n"),
    ]
    return _cut_lines(pc.binary_join_element_wise(*cells, ","), columns.get("cut_short"))


def _take(texts: Iterable[str], places: np.ndarray, *, end: str = "") -> pa.StringArray:
    """Return the text at each place; an empty one at places below 0."""
    words = pa.array([*(text + end for text in texts), end], type=pa.string())
    return words.take(pa.array(np.where(places < 0, len(words) - 1, places)))


def _take_few(
    numbers: np.ndarray, write: Callable[[np.ndarray], Iterable[str]], *, end: str = ""
) -> pa.StringArray:
    """Write the numbers above 0, which few rows have; an empty text elsewhere."""
    rows = np.flatnonzero(numbers > 0)
    found, at = np.unique(numbers[rows], return_inverse=True)
    places = np.full(len(numbers), -1)
    places[rows] = at
    return _take(write(found), places, end=end)


def _write_times(seconds: np.ndarray) -> pa.StringArray:
    """Write times in the sample's span by looking up their day and their clock."""
    return pc.binary_join_element_wise(
        _take(_DAYS, seconds // 86_400 - _FIRST), _take(_CLOCK, seconds % 86_400), ""
    )


def _spoil_times(times: pa.StringArray, bad: np.ndarray | None) -> pa.StringArray:
    if bad is None or not bad.any():
        return times
    return pc.replace_with_mask(times, pa.array(bad > 0), _take(BAD_TIMES, bad[bad > 0]))


def _cut_lines(lines: pa.StringArray, kept: np.ndarray | None) -> pa.StringArray:
    if kept is None or not kept.any():
        return lines
    rows = np.flatnonzero(kept)
    cells = [line.split(",") for line in lines.take(pa.array(rows)).to_pylist()]
    short = [",".join(cell[:number]) + "\n" for cell, number in zip(cells, kept[rows].tolist(), strict=True)]
    return pc.replace_with_mask(lines, pa.array(kept > 0), pa.array(short))


def name_devices(owners: np.ndarray, mobile: np.ndarray) -> np.ndarray:
    """Return device ids that give nothing away: an odd factor maps numbers below 2**32 onto each other.

    Parameters
    ----------
    owners : ndarray of int
        Running numbers of customers, visitors or robots.
    mobile : ndarray of int
        1 for the owner's phone, 0 for the desktop.

    Returns
    -------
    ndarray of object
        One text a device.

    Examples
    --------
    >>> name_devices(np.array([0, 1]), np.array([0, 0])).tolist()
    ['00000000', '3c6ef362']
    """
    scrambled = ((np.asarray(owners).astype("int64") * 2 + mobile) * 2_654_435_761) % 2**32
    return np.array([f"{code:08x}" for code in scrambled.tolist()], dtype=object)


def count_payments(clicks: pd.DataFrame) -> dict[str, int]:
    """Count the baskets at the payment page and at the order, by quarter and device.

    Parameters
    ----------
    clicks : DataFrame
        As from `number_clicks`.

    Returns
    -------
    dict of str to int
        Keys like `2026Q3/mobile/payment_view`; a basket counts once, in the quarter of its step.

    Examples
    --------
    >>> step = {"occurred": 1_740_000_000, "name": EVENTS.index("payment_view"), "basket": 1, "mobile": True}
    >>> count_payments(pd.DataFrame([step]))
    {'2025Q1/mobile/payment_view': 1}
    """
    steps = clicks.loc[clicks["name"].isin([_PAYMENT, _ORDER])].drop_duplicates(["name", "basket"])
    local = pd.DatetimeIndex(to_local(steps["occurred"].to_numpy()).astype("datetime64[s]"))
    device = np.where(steps["mobile"], "mobile", "desktop")
    event = np.array(EVENTS, dtype=object)[steps["name"].to_numpy()]
    keys = pd.Series(local.to_period("Q").astype("str"), dtype=object) + "/" + device + "/" + event
    return {str(key): int(count) for key, count in keys.value_counts().sort_index().items()}
