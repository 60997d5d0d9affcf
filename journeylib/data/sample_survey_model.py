"""What the made-up survey is drawn from: who answers, and the exact chances of each answer.

The draw and truth.json both read the numbers here, so that what is told as planted is what was planted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from journeylib.data.sample_draws import QUARTERS

__all__ = [
    "EXPECTED",
    "RATINGS",
    "STATEMENTS",
    "Item",
    "find_response_shares",
    "list_chances",
    "list_items",
    "list_nps_chances",
    "weigh_moods",
]

# Each rated touchpoint: mean of the answers before rounding, and the share of respondents who met it.
RATINGS = {
    "search": (3.9, 0.75),
    "product_view": (4.1, 0.95),
    "checkout": (4.0, 0.80),
    "payment": (4.0, 0.75),
    "delivery": (2.9, 0.75),
    "packaging": (4.2, 0.75),
    "invoice": (4.1, 0.70),
    "help": (3.8, 0.45),
    "call": (3.9, 0.40),
    "store": (4.2, 0.35),
}
# What was expected of a touchpoint, and how it was found: means before rounding, on 1 to 5.
EXPECTED = {"product_view": (3.9, 3.9), "payment": (4.1, 4.0), "delivery": (4.2, 2.9), "help": (3.4, 3.5)}
# Statements that have nothing to do with satisfaction, in pairs that contradict each other: mean agreement.
STATEMENTS = {
    "agree_fast": 3.3,
    "agree_patient": 2.7,
    "agree_talk": 2.9,
    "agree_alone": 3.1,
    "agree_plain": 3.2,
    "agree_pretty": 2.8,
}
RESPONSE_SHARE, ANONYMOUS_SHARE, BLANK_SHARE, COMMENT_SHARE = 0.35, 0.08, 0.03, 0.22
PROBLEM_SHARE, ANGRY_SHARE, PROBLEM_FALL = 0.17, 0.025, 1.6
# Respondents who tick the same box down the whole form: their share, and how often each box.
CARELESS_SHARE, CARELESS_BOXES = 0.03, {3: 0.5, 4: 0.3, 5: 0.2}
# A region whose answers run high on every scale: by this share of the scale's length.
STYLE_REGION, STYLE_SHIFT = "Sachsen", 0.10
# How much likelier the contented are to answer (0 = not at all), and each kind of customer.
MOOD_TILT, PERSONA_FACTORS = 0.25, (0.90, 1.00, 1.10, 1.02)
# In one wave the happier plans answer more, and every plan recommends less.
SHIFT_WAVE, SHIFTED_SHARES = "2026Q3", {"basic": 0.205, "plus": 0.485, "family": 0.67}
NPS_MEANS, NPS_NOISE = {"basic": 7.7, "plus": 9.3, "family": 10.5}, 1.4
NPS_FALLS = {"basic": 0.458, "plus": 0.55, "family": 0.75}  # so that the total stays where it was
# Help was asked for as effort until this wave (1 to 5, less is better), then as ease (1 to 7).
EASE_FROM = QUARTERS.index("2026Q1")
EXPECTED_FROM = QUARTERS.index("2025Q3")
_MOODS = np.linspace(-8.0, 8.0, 1601)


class Item(NamedTuple):
    """A question: ends of its scale, mean before rounding, weight of the mood, noise, share who met it."""

    low: int
    high: int
    mean: float
    slope: float
    noise: float
    met: float = 1.0


def find_response_shares(quarter: str) -> dict[str, float]:
    """Return the share of each plan's customers who answer a wave; over all plans it is always the same.

    Parameters
    ----------
    quarter : str
        The wave.

    Returns
    -------
    dict of str to float
        Plan to share, 0 to 1.

    Examples
    --------
    >>> find_response_shares("2026Q2")["family"], find_response_shares("2026Q3")["family"]
    (0.35, 0.67)
    """
    return SHIFTED_SHARES if quarter == SHIFT_WAVE else dict.fromkeys(SHIFTED_SHARES, RESPONSE_SHARE)


def weigh_moods(mood: np.ndarray) -> np.ndarray:
    """Return by what factor customers' satisfaction makes an answer likelier; its mean over all is 1.

    Parameters
    ----------
    mood : ndarray of float
        Satisfaction, standard normal over the customers.

    Returns
    -------
    ndarray of float
        One factor each, the same in every wave and plan: so that the moods of those who answer never change.

    Examples
    --------
    >>> weigh_moods(np.array([0.0])).tolist()
    [1.0]
    """
    return 1 + MOOD_TILT * (2 * ndtr(mood) - 1)


def list_items() -> dict[str, Item]:
    """Return the questions on a scale from 1 to 5, by name; answers run from 1, low, to 5.

    Returns
    -------
    dict of str to Item
        Overall satisfaction, each rated touchpoint, what was expected and found, and the statements.

    Examples
    --------
    >>> list_items()["perceive_delivery"].mean < list_items()["expect_delivery"].mean
    True
    """
    items = {"csat_overall": Item(1, 5, 3.95, 0.5, 0.6)}
    items |= {f"csat_{name}": Item(1, 5, mean, 0.4, 0.75, met) for name, (mean, met) in RATINGS.items()}
    for name, (expected, found) in EXPECTED.items():
        items[f"expect_{name}"] = Item(1, 5, expected, 0.1, 0.7)
        items[f"perceive_{name}"] = Item(1, 5, found, 0.4, 0.75, RATINGS[name][1])
    return items | {name: Item(1, 5, mean, 0.0, 1.0) for name, mean in STATEMENTS.items()}


def list_chances(item: Item, *, shift: float = 0.0, careless: float = 0.0) -> np.ndarray:
    """Return the chance of each answer to a question, among those who answer it.

    Parameters
    ----------
    item : Item
        The question.
    shift : float
        Response style, as a share of the scale's length.
    careless : float
        Share of respondents who tick one box down the form, and so also where they met nothing.

    Returns
    -------
    ndarray of float
        One chance a point of the scale, from the lowest; they sum to 1. Integrated over the moods, not
        simulated.

    Examples
    --------
    >>> list_chances(Item(1, 3, 2.0, 0.0, 1.0)).round(3).tolist()
    [0.309, 0.383, 0.309]
    """
    points = np.arange(item.low, item.high + 1)
    density = weigh_moods(_MOODS) * np.exp(-(_MOODS**2) / 2)
    centre = item.mean + shift * (item.high - item.low) + item.slope * _MOODS
    below = ndtr((points[:-1, None] + 0.5 - centre) / item.noise) @ (density / density.sum())
    honest = np.diff(np.concatenate([[0.0], below, [1.0]]))
    boxes = np.array([CARELESS_BOXES.get(int(point), 0.0) for point in points])
    share = careless / (careless + (1 - careless) * item.met)
    return (1 - share) * honest + share * boxes


def list_nps_chances(plan: str, quarter: str, *, shift: float = 0.0) -> np.ndarray:
    """Return the chance of each answer from 0 to 10 in a plan and wave.

    Parameters
    ----------
    plan : str
        basic, plus or family.
    quarter : str
        The wave.
    shift : float
        Response style, as a share of the scale's length.

    Returns
    -------
    ndarray of float
        Eleven chances. Those with a problem recommend less; a few are through with the shop and say 0.

    Examples
    --------
    >>> round(float(list_nps_chances("plus", "2026Q2").sum()), 9)
    1.0
    """
    mean = NPS_MEANS[plan] - (NPS_FALLS[plan] if quarter == SHIFT_WAVE else 0.0)
    parts = {
        mean: (1 - ANGRY_SHARE) * (1 - PROBLEM_SHARE),
        mean - PROBLEM_FALL: (1 - ANGRY_SHARE) * PROBLEM_SHARE,
        -4.0: ANGRY_SHARE,
    }
    chances = [
        share * list_chances(Item(0, 10, centre, 1.0, NPS_NOISE), shift=shift)
        for centre, share in parts.items()
    ]
    return np.sum(chances, axis=0)
