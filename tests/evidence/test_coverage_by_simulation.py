"""Intervals hold the truth as often as they say: several sessions a person, people in both periods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.evidence.changes import compare_estimates
from journeylib.evidence.estimates import covariance, estimate_from_sums
from journeylib.evidence.intervals import wilson_interval

REPEATS = 300


def estimate_row(kind: str, sums: pd.DataFrame) -> dict:
    return estimate_from_sums(kind, sums["total"], sums["units"], squares=sums.get("squares"))


def draw_sessions(rng: np.random.Generator, chance: np.ndarray) -> pd.DataFrame:
    """Each person's sessions (1 and more) and those that bought, by the person's own chance."""
    units = 1 + rng.poisson(4, chance.size)
    return pd.DataFrame({"total": rng.binomial(units, chance), "units": units})


def test_a_share_of_sessions_nested_in_people_is_covered_where_raw_wilson_is_not():
    rng = np.random.default_rng(20260)
    held = raw = 0
    alike, share = 1.0, 0.3
    for _ in range(REPEATS):
        sums = draw_sessions(rng, rng.beta(alike * share, alike * (1 - share), 80))
        found = estimate_row("share", sums)
        held += found["low"] <= 100 * share <= found["high"]
        low, high = wilson_interval(sums["total"].sum(), sums["units"].sum())
        raw += low <= share <= high
    assert 0.925 <= held / REPEATS <= 0.985
    assert raw / REPEATS < 0.8


def simulate_panel(
    kind: str, seed: int, *, common: int, alone: int, effect: float, repeats: int = REPEATS
) -> pd.DataFrame:
    """Two periods of the same true level: `common` people in both, `alone` in one only; many times."""
    rng = np.random.default_rng(seed)
    now, before = [], []
    for _ in range(repeats):
        trait = rng.normal(size=common + 2 * alone)
        frames = []
        for who in (np.arange(common + alone), np.r_[np.arange(common), common + alone + np.arange(alone)]):
            frames.append(draw_period(kind, rng, trait[who] + effect * (len(frames) == 0)).set_index(who))
        now.append(estimate_row(kind, frames[0]))
        before.append({**estimate_row(kind, frames[1]), "covariance": covariance(kind, *frames)})
    return compare_estimates(pd.DataFrame(now), pd.DataFrame(before))


def draw_period(kind: str, rng: np.random.Generator, trait: np.ndarray) -> pd.DataFrame:
    if kind == "share":
        return draw_sessions(rng, 1 / (1 + np.exp(1.5 - 1.5 * trait)))
    if kind == "count":
        units = rng.poisson(np.exp(0.5 * trait)) * (rng.random(trait.size) < 0.6)
        return pd.DataFrame({"total": units, "units": units})
    score = trait + rng.normal(0, 0.6, trait.size)
    score = np.digitize(score, [-0.7, 0.4]) - 1.0 if kind == "nps" else score
    return pd.DataFrame({"total": score, "units": 1.0, "squares": score**2})


@pytest.mark.parametrize("kind", ["share", "nps", "mean", "count"])
def test_the_difference_of_periods_that_share_people_is_covered(kind):
    found = simulate_panel(kind, 7, common=60, alone=30, effect=0.0)
    held = ((found["change_low"] <= 0) & (found["change_high"] >= 0)).mean()
    alarms = (found["p_value"] <= 0.05).mean()
    assert 0.925 <= held <= 0.985
    assert 0.015 <= alarms <= 0.075


def test_sharing_people_makes_a_true_change_easier_to_see():
    panel = simulate_panel("mean", 8, common=120, alone=0, effect=0.2, repeats=100)
    apart = simulate_panel("mean", 8, common=0, alone=120, effect=0.2, repeats=100)
    assert (panel["p_value"] <= 0.05).mean() > 0.6
    assert (apart["p_value"] <= 0.05).mean() < 0.5
