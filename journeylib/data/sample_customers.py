"""The made-up customers: four kinds of people who differ in rates of behaviour, and in nothing else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from journeylib.data.sample_draws import DAYS, FIRST_DAY, draw_codes
from journeylib.data.sample_files import write_times

__all__ = ["PERSONAS", "Persona", "draw_customers", "export_customers", "name_customers", "pick_rates"]


class Persona(NamedTuple):
    """Rates of one kind of customer; `entries`: shares of ad, newsletter, home, search, product page."""

    name: str
    share: float
    sessions_per_quarter: float
    mobile_share: float
    entries: tuple[float, ...]
    product_views: float
    cart_share: float
    contacts_per_order: float
    contacts_per_quarter: float


PERSONAS = (
    Persona("long lookers", 0.30, 3.0, 0.65, (0.10, 0.10, 0.30, 0.30, 0.20), 3.2, 0.17, 0.10, 0.03),
    Persona("quick buyers", 0.25, 1.6, 0.60, (0.05, 0.10, 0.35, 0.10, 0.40), 1.3, 0.60, 0.10, 0.02),
    Persona("offer followers", 0.25, 2.4, 0.75, (0.30, 0.45, 0.10, 0.05, 0.10), 1.8, 0.36, 0.15, 0.03),
    Persona("help seekers", 0.20, 1.8, 0.55, (0.05, 0.10, 0.45, 0.25, 0.15), 1.8, 0.32, 0.45, 0.30),
)
REGIONS = ("Baden-Württemberg", "Bayern", "Berlin", "Hessen", "Nordrhein-Westfalen", "Sachsen", "Thüringen")
_REGION_SHARES = (0.17, 0.20, 0.10, 0.10, 0.28, 0.09, 0.06)
PLANS, _PLAN_SHARES = ("basic", "plus", "family"), (0.55, 0.30, 0.15)
COUNTRIES, _COUNTRY_SHARES = ("DE", "AT", "CH"), (0.86, 0.09, 0.05)
LANGUAGES, _LANGUAGE_SHARES = ("de", "en", "fr"), (0.72, 0.21, 0.07)
AGES, _AGE_SHARES = (1, 2, 3), (0.35, 0.40, 0.25)
_REASONS, _REASON_SHARES = ("price", "moved", "service", "not given"), (0.3, 0.2, 0.2, 0.3)
_TURNOVER = 0.10
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
        `activity` (factor on the rates, mean 1), `satisfaction` (standard normal), `region`, `plan`,
        `country`, `language`, `age_group`, `joined_day` and `left_day` (days since the first day;
        1,000,000 = still here), `leave_reason`. Nothing is missing.

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

    return pd.DataFrame(
        {
            "number": number,
            "customer": name_customers(number),
            "persona": draw_codes([persona.share for persona in PERSONAS], count, rng=rng),
            "activity": rng.gamma(4.0, 0.25, count),
            "satisfaction": rng.standard_normal(count),
            "region": choose(REGIONS, _REGION_SHARES),
            "plan": choose(PLANS, _PLAN_SHARES),
            "country": choose(COUNTRIES, _COUNTRY_SHARES),
            "language": choose(LANGUAGES, _LANGUAGE_SHARES),
            "age_group": choose(AGES, _AGE_SHARES).astype("int64"),
            "joined_day": np.where(joins, turn, -rng.integers(1, 1_400, count)),
            "left_day": np.where(leaves, turn, NEVER),
            "leave_reason": np.where(leaves, choose(_REASONS, _REASON_SHARES), ""),
        }
    )


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
    >>> pick_rates(np.array([1, 1]), "cart_share").tolist()
    [0.6, 0.6]
    """
    return np.array([getattr(persona, name) for persona in PERSONAS])[personas]


def export_customers(customers: pd.DataFrame) -> pd.DataFrame:
    """Return the CRM's export of the customers, with its own column names and German dates.

    Parameters
    ----------
    customers : DataFrame
        As from `draw_customers`.

    Returns
    -------
    DataFrame
        One row is one customer, all columns text; dates are days without a time, empty where there is none.

    Examples
    --------
    >>> list(export_customers(draw_customers(1, rng=np.random.default_rng(0))))[:2]
    ['Kundennummer', 'Bundesland']
    """
    midnight = int(FIRST_DAY.timestamp())
    left = customers["left_day"].to_numpy()
    stays = left == NEVER
    style = "%d.%m.%Y"
    return pd.DataFrame(
        {
            "Kundennummer": customers["customer"],
            "Bundesland": customers["region"],
            "Tarif": customers["plan"],
            "Kunde seit": write_times(midnight + customers["joined_day"].to_numpy() * 86_400, style=style),
            "Gekündigt am": write_times(
                midnight + np.where(stays, 0, left) * 86_400, style=style, missing=stays
            ),
            "Grund": customers["leave_reason"],
        }
    ).astype("str")
