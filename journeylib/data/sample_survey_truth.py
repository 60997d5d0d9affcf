"""What was planted in the made-up survey: effects with their exact size, and rows left alike on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
from scipy.stats import norm

from journeylib.data import sample_survey_model as model
from journeylib.data.sample_survey_expected import (
    PLAN_SHARES,
    STYLE_SHARE,
    find_gap,
    find_mean,
    find_presence,
    list_segments,
    mix_styles,
    score_nps,
)
from journeylib.evidence.mix_and_rate import split_mix_and_rate

__all__ = ["describe_survey_truth"]

PERIOD, BEFORE, YEAR_AGO, AGAINST = "2026Q3", "2026Q2", "2025Q3", ("previous", "year_ago")
_TOTAL = {"stage": "", "touchpoint": "", "persona": "", "segment": "", "item": ""}
_STAYING = 0.86  # of the customers drawn, about so many are there in a wave
_ASKED_BY_BH = 3.3  # standard errors that Benjamini-Hochberg asks of a change, about
_MIDPOINT = (
    "midpoint: mix = sum of (share now - share before) * mean of the two scores, rate = sum of mean of the "
    "two shares * (score now - score before); those who gave no id are a segment of their own"
)
_WEIGHTED = (
    "difference of the expected NPS; weights are in proportion to 1 / the plan's chance to answer, so the "
    "weighted total has the plans in the shares that the customers have"
)
_RATED = "round(mean + weight * person + noise + style * length of the scale), kept in the scale"
_STYLE_TEXTS = {
    "acquiescence_index": "percent of the statements agreed with less percent disagreed with, as ticked",
    "csat_mean": f"{_RATED}: raw, high for style",
    "csat_mean_adjusted": "the raw mean less the region's distance from all respondents in the mean tick on "
    "statements that have nothing to do with satisfaction",
}


def describe_survey_truth(*, customers: int) -> dict[str, Any]:
    """Return the survey's part of truth.json.

    Parameters
    ----------
    customers : int
        Number of customers drawn.

    Returns
    -------
    dict
        `effects` and `non_differences`, lists of plain values that JSON can hold; and `survey`: what else is
        known of it. Every number is computed from the chances of the answers, none is simulated.

    Examples
    --------
    >>> truth = describe_survey_truth(customers=2000)
    >>> sorted(truth), truth["effects"][0]["by"]
    (['effects', 'non_differences', 'survey'], 'segment.plan')
    """
    return {
        "effects": [_describe_mix(), *_describe_falls(), *_describe_style(), *_describe_delivery()],
        "non_differences": _describe_non_differences(),
        "survey": _describe_survey(customers),
    }


def _count_answers(customers: int) -> float:
    """Return how many answers to one question a wave has, about."""
    return _STAYING * customers * model.RESPONSE_SHARE * (1 - model.BLANK_SHARE)


def _describe_mix() -> dict[str, Any]:
    """Return the mix shift: its parts by the midpoint formula, and how sure their signs are at 2,000."""
    before, now = list_segments(BEFORE), list_segments(PERIOD)
    shares = [{name: row[0] for name, row in table.items()} for table in (before, now)]
    scores = [{name: row[1] for name, row in table.items()} for table in (before, now)]
    parts = split_mix_and_rate(shares[0], scores[0], shares[1], scores[1])
    mix, rate = (float(parts[name].iloc[-1]) for name in ("mix", "rate"))
    mix_error, rate_error = _find_errors(before, now, _count_answers(2000))
    columns = ["share_before", "share_now", "score_before", "score_now"]
    return {
        "name": "a mix shift hides a fall in recommendation",
        "where": {"metric": "nps", **_TOTAL},
        "period": PERIOD,
        "against": "previous",
        "truth": None,
        "metric": "nps",
        "by": "segment.plan",
        "mix": mix,
        "rate": rate,
        "change": mix + rate,
        "mix_standard_error": mix_error,
        "rate_standard_error": rate_error,
        "segments": {name: parts.loc[name, columns].to_dict() for name in now},
        "formula": _MIDPOINT,
        "tested_at": 2000,
        "power": float(min(norm.cdf(mix / mix_error), norm.cdf(-rate / rate_error))),
        "power_is": "the chance that mix is found above 0, and that rate is found below 0",
    }


def _find_errors(
    before: Mapping[str, tuple[float, ...]], now: Mapping[str, tuple[float, ...]], n: float
) -> tuple[float, float]:
    """Return the standard errors of mix and rate with n answers a wave, as if nobody answered in both."""
    variance_of_mix = variance_of_rate = 0.0
    middle = {name: (row[1] + before[name][1]) / 2 for name, row in now.items()}
    for table in (before, now):
        mean = sum(row[0] * middle[name] for name, row in table.items())
        for name, (share, _, variance) in table.items():
            moved, half = now[name][0] - before[name][0], (before[name][0] + now[name][0]) / 2
            variance_of_mix += share * (middle[name] - mean) ** 2 / n + moved**2 * variance / (4 * n * share)
            variance_of_rate += half**2 * variance / (n * share)
    return variance_of_mix**0.5, variance_of_rate**0.5


def _describe_falls() -> list[dict[str, Any]]:
    """Return what follows from the mix shift: each plan falls, and so does the weighted total."""
    before, now, n = list_segments(BEFORE), list_segments(PERIOD), _count_answers(20_000)
    falls = {plan: score_nps(plan, PERIOD)[0] - score_nps(plan, BEFORE)[0] for plan in PLAN_SHARES}
    rows = []
    for plan, fall in falls.items():
        error = sum(table[plan][2] / (n * table[plan][0]) for table in (before, now)) ** 0.5
        rows.append(("recommendation falls in every plan", "nps", f"plan={plan}", fall, error))
    variances = [
        sum(share**2 * table[plan][2] / table[plan][0] for plan, share in PLAN_SHARES.items())
        for table in (before, now)
    ]
    title = "recommendation falls once weights mend who answered"
    weighted = {quarter: _score_weighted(quarter) for quarter in (PERIOD, BEFORE, YEAR_AGO)}
    error = (1.1 * sum(variances) / n) ** 0.5
    each = [(*row, against) for row, against in product(rows, AGAINST)]
    each += [
        (title, "nps_weighted", "", weighted[PERIOD] - weighted[quarter], error, against)
        for quarter, against in ((BEFORE, "previous"), (YEAR_AGO, "year_ago"))
    ]
    return [
        {
            "name": name,
            "where": {"metric": metric, **_TOTAL, "segment": segment},
            "period": PERIOD,
            "against": against,
            "truth": truth,
            "formula": _WEIGHTED,
            "tested_at": 20_000,
            "power": float(norm.cdf(-truth / error - _ASKED_BY_BH)),
        }
        for name, metric, segment, truth, error, against in each
    ]


def _score_weighted(quarter: str) -> float:
    """Return the expected weighted NPS: each plan with its share of the customers who are there."""
    there = {plan: share * find_presence(plan, quarter) for plan, share in PLAN_SHARES.items()}
    return sum(share * score_nps(plan, quarter)[0] for plan, share in there.items()) / sum(there.values())


def _describe_style() -> list[dict[str, Any]]:
    """Return the region whose answers run high for style: its index, raw and adjusted satisfaction."""
    shifts, statements = (0.0, model.STYLE_SHIFT), list(model.STATEMENTS)
    plain, styled = (
        {
            "acquiescence_index": 100 * find_mean(statements, shift=shift, function=lambda x: np.sign(x - 3)),
            "csat_mean": find_mean(["csat_overall"], shift=shift),
            "height": find_mean(statements, shift=shift),
        }
        for shift in shifts
    )
    everybody = mix_styles(plain["height"], styled["height"])
    for values in (plain, styled):
        values["csat_mean_adjusted"] = values["csat_mean"] - (values["height"] - everybody)
    n = _count_answers(2000) * (1 - model.ANONYMOUS_SHARE) * STYLE_SHARE
    square = find_mean(["csat_overall"], shift=model.STYLE_SHIFT, function=np.square)
    error = ((square - styled["csat_mean"] ** 2) / n) ** 0.5
    apart = (styled["csat_mean"] - plain["csat_mean"]) / error
    return [
        {
            "name": "a region answers high for style, not for satisfaction",
            "where": {"metric": metric, **_TOTAL, "segment": f"region={model.STYLE_REGION}"},
            "period": PERIOD,
            "against": "",
            "truth": styled[metric],
            "other_regions": plain[metric],
            "style_segment": f"segment.region={model.STYLE_REGION}",
            "formula": text,
            "tested_at": 2000,
            "power": float(norm.cdf(apart - 1.96)) if metric == "csat_mean" else 0.99,
            "power_is": "of the raw mean: the chance that it lies above the other regions', noise apart; "
            "else at least the chance that the index tells the region from the others",
        }
        for metric, text in _STYLE_TEXTS.items()
    ]


def _describe_delivery() -> list[dict[str, Any]]:
    """Return the touchpoint that is worse than expected, and satisfies least."""
    gaps = {name: find_gap(name) for name in model.EXPECTED}
    means = {
        name: mix_styles(*(find_mean([f"csat_{name}"], shift=shift) for shift in (0.0, model.STYLE_SHIFT)))
        for name in model.RATINGS
    }
    told = {
        "expectation_gap": ("delivery is worse than expected", gaps, "from 2025Q3 on"),
        "csat_mean": ("delivery satisfies less than any other touchpoint", means, "in every wave"),
    }
    return [
        {
            "name": name,
            "where": {"metric": metric, **_TOTAL, "stage": "*", "touchpoint": "delivery"},
            "period": PERIOD,
            "against": "",
            "truth": values["delivery"],
            "others": {place: value for place, value in values.items() if place != "delivery"},
            "formula": f"mean of {_RATED}; a gap: found less expected, of those who answered both; "
            f"the same {when}",
            "tested_at": 2000,
            "power": 0.99,
            "power_is": "at least the chance that it lies below 0 (the gap), or below every other touchpoint",
        }
        for metric, (name, values, when) in told.items()
    ]


def _describe_non_differences() -> list[dict[str, Any]]:
    """Return the rows of findings that are drawn alike in every wave that is compared."""
    alike = "drawn alike in every wave; who answers shifts by plan, and these answers do not differ by plan"
    help_places = [{"metric": "ces_*", "touchpoint": "help"}, {"metric": "ces_*", "stage": "post-purchase"}]
    order_places = [{"metric": "ces_*", "touchpoint": "checkout"}, {"metric": "ces_*", "stage": "decision"}]
    gaps = [{"metric": "expectation_*"}, {"metric": "perception_*"}]
    groups = [
        ("satisfaction, in total and everywhere", [{"metric": "csat_*"}], AGAINST),
        ("ease of ordering", order_places, AGAINST),
        ("ease of getting help; a year ago it was another question", help_places, ("previous",)),
        ("what was expected, what was found, and the gap", gaps, AGAINST),
    ]
    return [
        {"name": name, "where": where, "period": PERIOD, "against": against, "why": alike}
        for name, places, compared in groups
        for where, against in product(places, compared)
    ]


def _describe_survey(customers: int) -> dict[str, Any]:
    """Return what else is known of the survey: who answers, who is careless, what changed between waves."""
    moods = np.linspace(-8.0, 8.0, 1601)
    density = np.exp(-(moods**2) / 2)
    tilt = float(moods @ (model.weigh_moods(moods) * density) / density.sum())
    return {
        "response": "chance to answer = the plan's share in the wave * (1 + tilt * (2 * Phi(satisfaction) "
        "- 1)) * factor of the kind of customer; the same over all plans together in every wave",
        "response_share": model.RESPONSE_SHARE,
        "response_shares_of_plans_2026Q3": model.SHIFTED_SHARES,
        "tilt": model.MOOD_TILT,
        "persona_factors": list(model.PERSONA_FACTORS),
        "mean_satisfaction_of_respondents": tilt,
        "mean_satisfaction_of_customers": 0.0,
        "respondents_a_wave": round(_STAYING * min(customers, 20_000) * model.RESPONSE_SHARE),
        "careless_share": model.CARELESS_SHARE,
        "careless": "one box down all questions from 1 to 5, under 60 seconds; four in five fail the check",
        "style": f"{model.STYLE_REGION}: every answer {model.STYLE_SHIFT:g} of the scale's length higher "
        "before rounding, in every wave, also where a statement says the opposite of another",
        "added": {"csat_packaging": "2025Q2", "expect_*, perceive_*": "2025Q3"},
        "series_breaks": {"ces_help": "from 2026Q1 ease on 1 to 7; before, effort on 1 to 5, less is better"},
    }
