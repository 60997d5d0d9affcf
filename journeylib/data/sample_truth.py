"""What was planted in the made-up sample: effects, things left alike on purpose, and dirt."""

from __future__ import annotations

from collections import Counter
from typing import Any

from journeylib.data.sample_customers import ENTRIES, PERSONAS
from journeylib.data.sample_draws import QUARTERS
from journeylib.data.sample_effects import list_effects, list_non_differences
from journeylib.data.sample_survey_truth import describe_survey_truth

__all__ = ["describe_truth"]

_FOLLOWS = (
    "conversion_rate, step_count of purchases, orders and parcel tracking rise from 2026Q2 on, on phones",
    "session_count, customer_count and all counts of the funnels fall from 2026-07-01 on: a persona has "
    "gone; bounce_rate, events_per_session and product to cart may move with the mix of those who stay",
    "people who buy after the payment page (the funnel by people, window 7 days) are more than sessions: "
    "some try again, and from 2026-07-01 on some are reminded; the truth of that step is the session's",
    "session_count rises a little from 2026-02-01 on: members of the loyalty programme come more often",
    "contacts about technical help fall from 2026-04-15 on",
)


def describe_truth(*, customers: int, seed: int, counts: dict[str, Counter[str]]) -> dict[str, Any]:
    """Return the content of truth.json.

    Parameters
    ----------
    customers : int
        Number of customers drawn.
    seed : int
        Seed of the random generator.
    counts : dict of str to Counter
        `rows` by file, `dirt` by `table/kind`, `payments` by `quarter/device/event`, `realised` sums by name,
        `robots` by device.

    Returns
    -------
    dict
        Plain values that JSON can hold.

    Examples
    --------
    >>> counts = {name: Counter() for name in ("rows", "dirt", "payments", "realised", "robots")}
    >>> describe_truth(customers=1, seed=2, counts=counts)["made_up"]
    True
    """
    survey = describe_survey_truth(customers=customers)
    return {
        "made_up": True,
        "customers": customers,
        "seed": seed,
        "timezone": "Europe/Berlin",
        "first_day": "2024-10-01",
        "last_day": "2026-10-10",
        "quarters": list(QUARTERS),
        "personas": [
            {**persona._asdict(), "entries": dict(zip(ENTRIES, persona.entries, strict=True))}
            for persona in PERSONAS
        ],
        "persona_of_each_customer": "truth_personas.csv.gz",
        "effects": [*list_effects(counts), *survey.pop("effects")],
        "follows_from_the_effects": list(_FOLLOWS),
        "non_differences": [*list_non_differences(), *survey.pop("non_differences")],
        **survey,
        "exposures": "days with TV spots or posters bring no more sessions than others",
        "seasons": "months and weekdays differ in number of sessions, alike in both years",
        "robots": sorted(counts["robots"]),
        "dirt": {key: counts["dirt"][key] for key in sorted(counts["dirt"])},
        "rows": {key: counts["rows"][key] for key in sorted(counts["rows"])},
    }
