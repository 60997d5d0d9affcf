"""What the made-up survey's numbers are on average, from the chances of its answers; nothing is simulated."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from journeylib.data import sample_survey_model as model
from journeylib.data.sample_customers import _PLAN_SHARES, _REGION_SHARES, _TURNOVER, PLANS, REGIONS
from journeylib.data.sample_draws import DAYS, FIRST_DAY, count_days
from journeylib.data.sample_programmes import HELP

__all__ = [
    "PLAN_SHARES",
    "STYLE_SHARE",
    "find_gap",
    "find_mean",
    "find_presence",
    "list_segments",
    "mix_styles",
    "score_nps",
]

PLAN_SHARES = dict(zip(PLANS, _PLAN_SHARES, strict=True))
STYLE_SHARE = dict(zip(REGIONS, _REGION_SHARES, strict=True))[model.STYLE_REGION]
NO_LABEL = "(no label)"
_POINTS = np.repeat([-100.0, 0.0, 100.0], [7, 2, 2])  # of the answers 0 to 10


def mix_styles(plain: float, styled: float) -> float:
    """Return the mean over all regions from the one without and the one with the region's style.

    Parameters
    ----------
    plain, styled : float
        The mean in the other regions, and in the region.

    Returns
    -------
    float
        The mean of all.

    Examples
    --------
    >>> mix_styles(4.0, 5.0)
    4.09
    """
    return (1 - STYLE_SHARE) * plain + STYLE_SHARE * styled


def score_nps(plan: str, quarter: str) -> tuple[float, float]:
    """Return the expected NPS of a plan in a wave, and the variance of one respondent.

    Parameters
    ----------
    plan : str
        basic, plus or family.
    quarter : str
        The wave.

    Returns
    -------
    tuple of float and float
        NPS points, and points squared.

    Examples
    --------
    >>> score_nps("basic", "2026Q3")[0] < score_nps("basic", "2026Q2")[0]
    True
    """
    plain, styled = (model.list_nps_chances(plan, quarter, shift=shift) for shift in (0, model.STYLE_SHIFT))
    both = (1 - STYLE_SHARE) * plain + STYLE_SHARE * styled
    mean = float(both @ _POINTS)
    return mean, float(both @ _POINTS**2) - mean**2


def find_presence(plan: str, quarter: str) -> float:
    """Return the share of a plan's customers, of all ever drawn, who are there when a wave is answered.

    Parameters
    ----------
    plan : str
        basic, plus or family: those with a contract also leave over technical help.
    quarter : str
        The wave, answered from 27 to 3 days before the quarter's last one.

    Returns
    -------
    float
        Share, 0 to 1.

    Examples
    --------
    >>> find_presence("plus", "2026Q3") < find_presence("basic", "2026Q3")
    True
    """
    last = (pd.Period(quarter).end_time.normalize() - FIRST_DAY).days
    shares = []
    for day in range(last - 27, last - 2):
        begun = np.arange(20, day + 1)
        stays, joined = _keep_contracts(plan, np.zeros(1), day)[0], _keep_contracts(plan, begun, day).sum()
        still = 1 - 2 * _TURNOVER + _TURNOVER * (DAYS - 1 - day) / (DAYS - 20)
        shares.append(still * stays + _TURNOVER * joined / (DAYS - 20))
    return float(np.mean(shares))


def _keep_contracts(plan: str, begun: np.ndarray, day: int) -> np.ndarray:
    """Return the chance that customers who began on some days have not left over technical help by a day."""
    if plan not in HELP["contract_plans"]:
        return np.ones(len(begun))
    days, change = np.arange(day + 2), count_days(HELP["clearer_instructions_on"])
    is_hard = np.where(
        days[:-1] < count_days(HELP["support_chat_on"]), HELP["hard_before"], HELP["hard_after"]
    )
    leaves = is_hard * HELP["leaves_if_hard"] + (1 - is_hard) * HELP["leaves_if_easy"]
    gone = np.clip(day - days[:-1] - 7, 0, 37) / 37  # who leaves does so 8 to 44 days after the problem
    kept = np.zeros(len(begun))
    clear = HELP["clearer_instructions_share"]
    for share, slower in ((1 - clear, 1.0), (clear, HELP["problems_with_clearer_instructions"])):
        met = np.minimum(days, change) + slower * np.maximum(days - change, 0)
        none = np.exp(-HELP["problems_per_year"] / 365.25 * met)  # no problem up to the day
        tail = np.cumsum((none[:-1] - none[1:])[::-1] * (leaves * gone)[::-1])[::-1]
        kept += share * (1 - tail[begun.astype("int64")] / none[begun.astype("int64")])
    return kept


def list_segments(quarter: str) -> dict[str, tuple[float, float, float]]:
    """Return for each plan of a wave's respondents: share, expected NPS, variance of one respondent.

    Parameters
    ----------
    quarter : str
        The wave.

    Returns
    -------
    dict of str to tuple
        The shares, 0 to 1, sum to 1: those who gave no id have no plan and are a segment of their own.

    Examples
    --------
    >>> list(list_segments("2026Q2"))
    ['basic', 'plus', 'family', '(no label)']
    """
    chances = model.find_response_shares(quarter)
    answering = {
        plan: share * find_presence(plan, quarter) * chances[plan] for plan, share in PLAN_SHARES.items()
    }
    whole, known = sum(answering.values()), 1 - model.ANONYMOUS_SHARE
    table = {plan: (known * answering[plan] / whole, *score_nps(plan, quarter)) for plan in answering}
    mean = sum(share * score for share, score, _ in table.values()) / known
    square = sum(share * (variance + score**2) for share, score, variance in table.values()) / known
    return table | {NO_LABEL: (model.ANONYMOUS_SHARE, mean, square - mean**2)}


def find_mean(
    questions: Sequence[str],
    *,
    shift: float = 0.0,
    function: Callable[[np.ndarray], np.ndarray] | None = None,
) -> float:
    """Return the expected answer to some questions from 1 to 5, as ticked.

    Parameters
    ----------
    questions : sequence of str
        Names; of several the mean.
    shift : float
        Response style, as a share of the scale's length.
    function : callable or None
        What is taken of an answer; None takes the answer itself.

    Returns
    -------
    float
        The mean, careless respondents included.

    Examples
    --------
    >>> find_mean(["csat_delivery"]) < find_mean(["csat_store"])
    True
    """
    points = np.arange(1.0, 6.0)
    taken = points if function is None else function(points)
    items = [model.list_items()[question] for question in questions]
    chances = [model.list_chances(item, shift=shift, careless=model.CARELESS_SHARE) for item in items]
    return float(np.mean([each @ taken for each in chances]))


def find_gap(touchpoint: str) -> float:
    """Return the expected gap (found less expected) of those who answered both about a touchpoint.

    Parameters
    ----------
    touchpoint : str
        One of `EXPECTED`.

    Returns
    -------
    float
        Scale points, over all regions. Careless respondents tick the same box twice: no gap.

    Examples
    --------
    >>> find_gap("delivery") < -1
    True
    """
    items, points, careful = model.list_items(), np.arange(1.0, 6.0), {}
    for part in ("perceive", "expect"):
        item = items[f"{part}_{touchpoint}"]
        means = [float(model.list_chances(item, shift=shift) @ points) for shift in (0, model.STYLE_SHIFT)]
        careful[part] = mix_styles(*means)
    met = items[f"perceive_{touchpoint}"].met
    share = model.CARELESS_SHARE / (model.CARELESS_SHARE + (1 - model.CARELESS_SHARE) * met)
    return (1 - share) * (careful["perceive"] - careful["expect"])
