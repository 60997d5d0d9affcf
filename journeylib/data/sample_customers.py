"""The made-up customers: four kinds of people who differ in rates of behaviour, and in nothing else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from journeylib.data.sample_draws import DAYS, count_days, draw_codes

__all__ = [
    "ENTRIES",
    "PERSONAS",
    "Persona",
    "draw_customers",
    "label_personas",
    "name_customers",
    "pick_rates",
]

ENTRIES = (
    "ad_click",
    "mail_click",
    "social_click",
    "referral_click",
    "page_home",
    "app_open",
    "page_product",
)


class Persona(NamedTuple):
    """Rates of one kind of customer; `entries`: shares of `ENTRIES`, the first event of a session."""

    name: str
    journey: str
    share: float
    sessions_per_year: float
    mobile_share: float
    evening_share: float
    weekend_share: float
    entries: tuple[float, ...]
    service_share: float
    listings: float
    product_views: float
    cart_share: float
    contacts_per_order: float
    contacts_per_year: float
    gone_on: str


PERSONAS = (
    Persona(
        "evening lookers",
        "from a social post to many products on a phone in the evening, now and then to an order",
        0.27, 2.7, 0.82, 0.84, 0.30, (0.06, 0.02, 0.66, 0.10, 0.05, 0.03, 0.08), 0.02, 1.1, 2.8,
        0.16, 0.08, 0.06, "",
    ),
    Persona(
        "weekday buyers",
        "straight to the shop from a desk at work, one product, an order",
        0.27, 2.2, 0.20, 0.08, 0.05, (0.07, 0.03, 0.01, 0.03, 0.66, 0.01, 0.19), 0.03, 0.2, 1.2,
        0.60, 0.08, 0.06, "",
    ),
    Persona(
        "offer followers",
        "from a newsletter or the app to an offer on a phone at the weekend",
        0.22, 2.6, 0.92, 0.40, 0.58, (0.10, 0.74, 0.02, 0.01, 0.02, 0.10, 0.01), 0.02, 0.6, 1.5,
        0.38, 0.10, 0.06, "2026-07-01",
    ),
    Persona(
        "help seekers",
        "to the account, the manual and the help pages, then to the chatbot or the phone",
        0.24, 2.4, 0.60, 0.48, 0.24, (0.04, 0.05, 0.04, 0.06, 0.36, 0.10, 0.35), 0.82, 0.5, 1.5,
        0.40, 0.40, 0.60, "",
    ),
)  # fmt: skip
REGIONS = ("Baden-Württemberg", "Bayern", "Berlin", "Hessen", "Nordrhein-Westfalen", "Sachsen", "Thüringen")
_REGION_SHARES = (0.17, 0.20, 0.10, 0.10, 0.28, 0.09, 0.06)
PLANS, _PLAN_SHARES = ("basic", "plus", "family"), (0.55, 0.30, 0.15)
COUNTRIES, _COUNTRY_SHARES = ("DE", "AT", "CH"), (0.86, 0.09, 0.05)
LANGUAGES, _LANGUAGE_SHARES = ("de", "en", "fr"), (0.72, 0.21, 0.07)
AGES, _AGE_SHARES = (1, 2, 3), (0.35, 0.40, 0.25)
_REASONS, _REASON_SHARES = ("price", "moved", "service", "not given"), (0.3, 0.2, 0.2, 0.3)
_TURNOVER = 0.10
# Heavy tail: the regulars are behind most sessions; nobody is more than 30 times the mean.
_REGULARS, _OFTEN, _SELDOM, _SPREAD, _MOST = 0.27, 3.40, 0.16, 0.55, 30.0
NEVER = 10**6


def draw_customers(count: int, *, first: int = 0, rng: np.random.Generator) -> pd.DataFrame:
    """Draw customers; as many leave over the two years as join, so that their number keeps its level.

    Parameters
    ----------
    count : int
        Number of customers.
    first : int
        The running number of the first one.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row is one customer: `number`, `customer` (the id in the exports), `persona` (code of `PERSONAS`),
        `activity` (factor on the rates, mean about 1, with a heavy tail), `satisfaction` (standard normal),
        `region`, `plan`, `country`, `language`, `age_group`, `joined_day` and `left_day` (days since the
        first day; 1,000,000 = still here), `leave_reason`, `gone_day` (from when the kind has vanished: it
        comes no more, but does not give notice). Nothing is missing.

    Examples
    --------
    >>> draw_customers(2, rng=np.random.default_rng(0))["customer"].tolist()
    ['C-0100000', 'C-0100001']
    """
    number = first + np.arange(count)
    fate, turn = rng.random(count), rng.integers(20, DAYS, count)
    leaves = fate < _TURNOVER
    joins = ~leaves & (fate < 2 * _TURNOVER)

    def choose(words: tuple[object, ...], shares: tuple[float, ...]) -> np.ndarray:
        return np.array(words, dtype=object)[draw_codes(shares, count, rng=rng)]

    persona = draw_codes([persona.share for persona in PERSONAS], count, rng=rng)
    gone = np.array([count_days(persona.gone_on) if persona.gone_on else NEVER for persona in PERSONAS])
    return pd.DataFrame(
        {
            "number": number,
            "customer": name_customers(number),
            "persona": persona,
            "activity": _draw_activity(count, rng=rng),
            "satisfaction": rng.standard_normal(count),
            "region": choose(REGIONS, _REGION_SHARES),
            "plan": choose(PLANS, _PLAN_SHARES),
            "country": choose(COUNTRIES, _COUNTRY_SHARES),
            "language": choose(LANGUAGES, _LANGUAGE_SHARES),
            "age_group": choose(AGES, _AGE_SHARES).astype("int64"),
            "joined_day": np.where(joins, turn, -rng.integers(1, 1_400, count)),
            "left_day": np.where(leaves, turn, NEVER),
            "leave_reason": np.where(leaves, choose(_REASONS, _REASON_SHARES), ""),
            "gone_day": gone[persona],
        }
    )


def _draw_activity(count: int, *, rng: np.random.Generator) -> np.ndarray:
    level = np.where(rng.random(count) < _REGULARS, _OFTEN, _SELDOM)
    return np.minimum(level * rng.lognormal(-(_SPREAD**2) / 2, _SPREAD, count), _MOST)


def name_customers(numbers: np.ndarray) -> np.ndarray:
    """Return the ids that all exports use for customers.

    Parameters
    ----------
    numbers : ndarray of int
        Running numbers from 0; a negative one has no customer behind it and gets an empty text.

    Returns
    -------
    ndarray of object
        One text a number.

    Examples
    --------
    >>> name_customers(np.array([7, -1])).tolist()
    ['C-0100007', '']
    """
    codes, places = np.unique(np.asarray(numbers), return_inverse=True)
    return np.array(
        [f"C-{100_000 + code:07d}" if code >= 0 else "" for code in codes.tolist()], dtype=object
    )[places]


def pick_rates(personas: np.ndarray, name: str) -> np.ndarray:
    """Return one rate of each customer's kind.

    Parameters
    ----------
    personas : ndarray of int
        Codes of `PERSONAS`.
    name : str
        A field of `Persona`.

    Returns
    -------
    ndarray of float
        The rate, in the order given; for `entries` one row of shares each.

    Examples
    --------
    >>> pick_rates(np.array([1, 1]), "weekend_share").tolist()
    [0.05, 0.05]
    """
    return np.array([getattr(persona, name) for persona in PERSONAS])[personas]


def label_personas(customers: pd.DataFrame) -> pd.DataFrame:
    """Return each customer's true kind, which no export tells.

    Parameters
    ----------
    customers : DataFrame
        As from `draw_customers`.

    Returns
    -------
    DataFrame
        One row is one customer: `customer`, `persona` (its name).

    Examples
    --------
    >>> list(label_personas(draw_customers(1, rng=np.random.default_rng(0))))
    ['customer', 'persona']
    """
    names = np.array([persona.name for persona in PERSONAS], dtype=object)
    return pd.DataFrame(
        {"customer": customers["customer"], "persona": names[customers["persona"].to_numpy()]}
    )
