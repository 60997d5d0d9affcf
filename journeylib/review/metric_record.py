"""One metric of the registry, in words, and the words for how its interval is made."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["COUNT", "MEDIAN", "NPS", "T", "WEIGHTED", "WILSON", "Metric"]

WILSON = "Wilson, 95 %; on sessions and baskets with the effective n of people"
T = "t, 95 %"
COUNT = "Wald, 95 %, each person's count taken as one draw"
NPS = "adjusted Wald, 95 % (Rocks 2016)"
WEIGHTED = "; with the effective n of the weights (Kish 1965)"
MEDIAN = "percentile bootstrap of people, 95 %"


@dataclass(frozen=True)
class Metric:
    """One metric, in words.

    Attributes
    ----------
    title : str
        Its name in the report.
    unit : str
        percent, nps, points, count, minutes, days or money.
    numerator, denominator : str
        What is counted, over what.
    interval : str
        How its interval is made.
    window : str
        The stretch of time that it speaks of.
    better : str
        ``more``, ``less`` or ``neither``.
    minimum_effect : float
        The smallest change that is called one, in the metric's unit; a convention that a project may change.
    relative_effect : float
        Where above 0: the smallest change as a share of the value before (counts).
    """

    title: str
    unit: str
    numerator: str
    denominator: str
    interval: str
    window: str = "the period"
    better: str = "more"
    minimum_effect: float = 0.0
    relative_effect: float = 0.0
