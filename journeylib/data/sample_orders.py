"""The made-up orders: one for each purchase on the site, and a few by phone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from journeylib.data.sample_customers import name_customers
from journeylib.data.sample_draws import draw_codes, draw_starts, find_start, to_local
from journeylib.data.sample_files import write_cents, write_times

__all__ = ["LAUNCH", "draw_orders", "export_orders"]

_PRODUCTS = ("shoes", "jackets", "bags", "outdoor", "kids", "smart home")
_PRODUCT_SHARES = (0.3, 0.2, 0.2, 0.18, 0.12, 0.0)
# A launch has no before; it takes a part of its sales from outdoor.
LAUNCH: dict[str, Any] = {
    "product": "smart home",
    "started_on": "2026-05-04",
    "shares_after": (0.3, 0.2, 0.2, 0.12, 0.12, 0.06),
}
_STYLES = ("%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M")
_RETURNED_SHARE, _PHONE_SHARE = 0.09, 0.05


def draw_orders(
    purchases: pd.DataFrame, customers: pd.DataFrame, *, first: int = 0, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw an order for each purchase on the site, and a few by phone that the clicks do not know.

    Parameters
    ----------
    purchases : DataFrame
        One row is one purchase: `owner` (customer's running number), `occurred` (seconds since 1970 UTC).
    customers : DataFrame
        As from `draw_customers`; they order by phone.
    first : int
        The running number of the first order.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row is one order, by time: `order`, `owner`, `ordered` (seconds UTC), `cents`, `returned` (0 or
        1), `product`, `purchase` (row of `purchases`, -1 by phone).

    Examples
    --------
    >>> from journeylib.data.sample_customers import draw_customers
    >>> rng = np.random.default_rng(0)
    >>> one = pd.DataFrame({"owner": [0], "occurred": [1_740_000_000]})
    >>> int(draw_orders(one, draw_customers(1, rng=rng), rng=rng)["purchase"][0])
    0
    """
    by_phone = int(round(len(purchases) * _PHONE_SHARE)) if len(customers) else 0
    callers = rng.integers(0, max(len(customers), 1), by_phone)
    days, called = draw_starts(by_phone, rng=rng)
    joined, left = customers["joined_day"].to_numpy()[callers], customers["left_day"].to_numpy()[callers]
    is_customer = (days >= joined) & (days < left) & (days < customers["gone_day"].to_numpy()[callers])
    owner = np.concatenate(
        [purchases["owner"].to_numpy(), customers["number"].to_numpy()[callers[is_customer]]]
    )
    orders = pd.DataFrame(
        {
            "owner": owner.astype("int64"),
            "ordered": np.concatenate([purchases["occurred"].to_numpy(), called[is_customer]]).astype(
                "int64"
            ),
            "purchase": np.concatenate([np.arange(len(purchases)), np.full(is_customer.sum(), -1)]).astype(
                "int64"
            ),
        }
    )
    size = len(orders)
    orders["cents"] = (rng.lognormal(3.8, 0.85, size) * 10).astype("int64") * 10 + 9
    orders["returned"] = (rng.random(size) < _RETURNED_SHARE).astype("int64")
    before, after = (
        draw_codes(shares, size, rng=rng) for shares in (_PRODUCT_SHARES, LAUNCH["shares_after"])
    )
    is_launched = (orders["ordered"] >= find_start(LAUNCH["started_on"])).to_numpy()
    orders["product"] = np.array(_PRODUCTS, dtype=object)[np.where(is_launched, after, before)]
    orders = orders.sort_values(["ordered", "owner"], kind="stable").reset_index(drop=True)
    return orders.assign(order=500_001 + first + np.arange(size))


def export_orders(orders: pd.DataFrame) -> pd.DataFrame:
    """Return the shop system's export of the orders, with its own column names and local times.

    Orders from the site have German times, those by phone come from another tool: 2025-03-01 10:00.

    Parameters
    ----------
    orders : DataFrame
        As from `draw_orders`.

    Returns
    -------
    DataFrame
        One row is one order, all columns text; money in EUR with two decimals.

    Examples
    --------
    >>> order = {"order": 1, "owner": 0, "ordered": 0, "cents": 990, "returned": 0, "product": "bags"}
    >>> order |= {"purchase": 0}
    >>> export_orders(pd.DataFrame([order])).iloc[0].tolist()
    ['1', 'C-0100000', '01.01.1970 01:00', '9.90', '0', 'bags']
    """
    local = to_local(orders["ordered"].to_numpy())
    online, by_phone = (write_times(local, style=style) for style in _STYLES)
    return pd.DataFrame(
        {
            "Bestellnr": orders["order"].astype("str"),
            "Kunde": name_customers(orders["owner"].to_numpy()),
            "Bestellt": np.where(orders["purchase"] >= 0, online, by_phone),
            "Summe EUR": write_cents(orders["cents"].to_numpy()),
            "Retoure": orders["returned"].astype("str"),
            "Warengruppe": orders["product"],
        }
    ).astype("str")
