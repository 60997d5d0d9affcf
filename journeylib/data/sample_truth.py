"""What was planted in the made-up sample: effects, things left alike on purpose, and dirt."""

from __future__ import annotations

from collections import Counter
from typing import Any

from journeylib.data.sample_customers import PERSONAS
from journeylib.data.sample_draws import QUARTERS
from journeylib.data.sample_journeys import MENDED_ON, PAYMENT
from journeylib.data.sample_survey import RATINGS

__all__ = ["describe_truth"]


def describe_truth(*, customers: int, seed: int, counts: dict[str, Counter[str]]) -> dict[str, Any]:
    """Return the content of truth.json.

    Parameters
    ----------
    customers : int
        Number of customers drawn.
    seed : int
        Seed of the random generator.
    counts : dict of str to Counter
        `rows` by file, `dirt` by `table/kind`, `payments` by `quarter/device/event`.

    Returns
    -------
    dict
        Plain values that JSON can hold.

    Examples
    --------
    >>> empty = {"rows": Counter(), "dirt": Counter(), "payments": Counter()}
    >>> describe_truth(customers=1, seed=2, counts=empty)["made_up"]
    True
    """
    return {
        "made_up": True,
        "customers": customers,
        "seed": seed,
        "timezone": "Europe/Berlin",
        "first_day": "2024-10-01",
        "last_day": "2026-10-10",
        "quarters": list(QUARTERS),
        "personas": [persona._asdict() for persona in PERSONAS],
        "effects": [_describe_payment(counts["payments"]), _describe_delivery()],
        "follows_from_the_effects": [
            "conversion_rate, orders, parcel tracking and contacts about orders rise from 2026Q2 on",
            "basket_abandonment falls from 2026Q2 on, on phones only",
            "2026Q3 against 2026Q2: no planted difference, the page was mended on the first day of 2026Q2",
        ],
        "non_differences": [
            "payment to purchase on desktop, in every quarter",
            "each funnel step before the payment page, in every quarter and on every device",
            "every survey score (nps, csat of each touchpoint, ces, share with a problem), from wave to wave",
            "shopping sessions: a quarter against the same quarter a year before",
            "survey scores between regions, plans, countries, languages and ages",
        ],
        "seasons": "months and weekdays differ in number of sessions, alike in both years",
        "dirt": {key: counts["dirt"][key] for key in sorted(counts["dirt"])},
        "rows": {key: counts["rows"][key] for key in sorted(counts["rows"])},
    }


def _describe_payment(payments: Counter[str]) -> dict[str, Any]:
    """Return the planted loss at the payment page, with what was realised by chance."""
    realised = {}
    for quarter in QUARTERS:
        for device in ("mobile", "desktop"):
            reached, bought = (
                payments[f"{quarter}/{device}/{step}"] for step in ("payment_view", "order_confirmed")
            )
            share = round(100 * bought / reached, 2) if reached else None
            realised[f"{quarter}/{device}"] = {
                "baskets_at_payment": reached,
                "baskets_bought": bought,
                "percent": share,
            }
    return {
        "name": "payment page loses phone users until it is mended",
        "where": {"touchpoint": "payment", "funnel": "purchase", "segment": "device_type=mobile"},
        "formula": "chance that a session which reaches the payment page goes on to the order, in percent",
        "mended_on": MENDED_ON,
        "mobile_before": 100 * PAYMENT["mobile_before"],
        "mobile_after": 100 * PAYMENT["mobile_after"],
        "desktop_always": 100 * PAYMENT["desktop"],
        "seen_in": "2026Q3 against 2025Q3 (a year ago); 2026Q2 against 2026Q1 (previous)",
        "realised": realised,
    }


def _describe_delivery() -> dict[str, Any]:
    """Return the planted low satisfaction with delivery."""
    return {
        "name": "delivery satisfies less than any other touchpoint",
        "where": {"touchpoint": "delivery", "metric": "csat_mean"},
        "formula": "round(mean + 0.4 * person + 0.75 * noise), both standard normal, kept in 1 to 5",
        "means": {touchpoint: mean for touchpoint, (mean, _) in RATINGS.items()},
        "seen_in": "every wave; it does not change from wave to wave",
    }
