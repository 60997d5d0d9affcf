"""Two sources on one thing: purchases in clicks beside orders, support events beside service contacts."""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd

from journeylib.data.connection import quote_text
from journeylib.journey.reconciliation import reconcile_contacts, reconcile_purchases
from journeylib.review.chapter import Review

__all__ = ["find_purchase", "find_support", "reconcile_sources"]

WORDS = ("purchase", "order", "order_confirmed", "buy")


def find_purchase(review: Review) -> str:
    """Return the step that is a purchase: a touchpoint named so, else the last step of the first funnel.

    Parameters
    ----------
    review : Review
        The open review.

    Returns
    -------
    str
        A touchpoint of the events, or the funnel's step; '' where neither is there.
    """
    here = _read_distinct(review, "touchpoint")
    named = [word for word in WORDS if word in here]
    lasts = [str(funnel["steps"][-1]) for funnel in review.settings["funnels"]]
    return [*named, *lasts, ""][0]


def find_support(review: Review) -> tuple[list[str], list[str]]:
    """Return the touchpoints after the purchase that have a channel of service, and these channels.

    Parameters
    ----------
    review : Review
        The open review.

    Returns
    -------
    tuple of two lists of str
        Touchpoints that events have, and channels that service contacts have; both empty where none fit.
    """
    contacts = review.tables.read("service_contacts")
    known = set(contacts["channel"].dropna().unique())
    here = _read_distinct(review, "touchpoint")
    rows = {
        one["touchpoint"]: one["channel"]
        for one in review.settings["touchpoints"]
        if one["stage"] == "post-purchase" and one["channel"] in known and one["touchpoint"] in here
    }
    return sorted(rows), sorted(set(rows.values()))


def reconcile_sources(review: Review) -> pd.DataFrame:
    """Count what two sources both know of the reviewed period.

    Parameters
    ----------
    review : Review
        The open review.

    Returns
    -------
    DataFrame
        As text, one row a pair of sources: What is compared, In both (same person and day; purchases at the
        same amount), A day or an amount apart, Only in the clicks, Only in the other source. Empty where
        fewer than two sources say anything. By day: `reconcile_purchases` and `reconcile_contacts`.
    """
    shown = []
    zone, bounds = review.periods["reviewed"].timezone, review.bounds()
    if "reviewed" in bounds and review.tables.has("events"):
        span: dict[str, Any] = {"time_zone": zone, "period": bounds["reviewed"]}
        purchase = find_purchase(review) if review.tables.has("orders") else ""
        if purchase:
            orders = review.tables.read("orders")
            table = reconcile_purchases(review.events, orders, purchase=purchase, **span)
            near = ["other_amount", "clicks_other_day"]
            shown.append(_describe("Purchases in the clicks, and orders", table, near, ("clicks", "orders")))
        steps, channels = find_support(review) if review.tables.has("service_contacts") else ([], [])
        if steps:
            contacts = review.tables.read("service_contacts")
            table = reconcile_contacts(review.events, contacts, steps=steps, channels=channels, **span)
            said = f"Support in the clicks ({', '.join(steps).replace('_', ' ')}), and contacts"
            said = f"{said} by {', '.join(channels)}"
            shown.append(_describe(said, table, ["events_other_day"], ("events", "contacts")))
    columns = [
        "What is compared", "In both", "A day or an amount apart", "Only in the clicks",
        "Only in the other source",
    ]  # fmt: skip
    return pd.DataFrame(shown, columns=columns).set_index("What is compared")


def _describe(what: str, table: pd.DataFrame, near: list[str], sides: tuple[str, str]) -> list[str]:
    sums = table.drop(columns="day").sum()
    left, right = (int(sums[side]) for side in sides)
    cells = [f"{int(sums['matched']):,}", f"{int(sums[near].sum()):,}"]
    for side, total in zip(sides, (left, right), strict=True):
        cells.append(f"{int(sums[f'only_in_{side}']):,} of {total:,}")
    return [what, *cells]


def _read_distinct(review: Review, column: str) -> set[str]:
    place = quote_text(review.tables.path("events"))
    query = f"SELECT DISTINCT {column} FROM read_parquet({place})"
    return {str(row[0]) for row in duckdb.execute(query).fetchall() if row[0] is not None}
