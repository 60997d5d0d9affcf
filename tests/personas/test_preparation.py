"""Preparation drops what says nothing or says it twice, and puts the rest on one scale."""

from __future__ import annotations

import numpy as np
import pandas as pd

from journeylib.personas import FeaturePreparer
from journeylib.personas.components import SharedPatterns

RNG = np.random.default_rng(0)
FEATURES = pd.DataFrame(
    {
        "session_count": RNG.poisson(8, 200).astype(float),
        "weekend_share": RNG.uniform(0, 1, 200),
        "seen": 1.0,
    }
).assign(active_days=lambda table: table["session_count"])


def test_constant_and_repeating_columns_are_dropped_and_the_reason_is_remembered() -> None:
    preparer = FeaturePreparer().fit(FEATURES)
    assert preparer.get_feature_names_out().tolist() == ["session_count", "weekend_share"]
    assert preparer.dropped_[["feature", "why", "kept_instead"]].values.tolist() == [
        ["seen", "near constant", ""],
        ["active_days", "repeats", "session_count"],
    ]


def test_a_column_is_near_constant_from_ninety_five_percent_on() -> None:
    almost = np.r_[np.zeros(94), np.arange(1, 7)]
    quite = np.r_[np.zeros(95), np.arange(1, 6)]
    table = pd.DataFrame({"almost": RNG.permutation(almost), "quite": RNG.permutation(quite)})
    assert FeaturePreparer().fit(table).get_feature_names_out().tolist() == ["almost"]


def test_the_median_becomes_zero_and_extremes_are_drawn_in() -> None:
    table = FEATURES.assign(session_count=np.r_[np.full(199, 5.0) + np.arange(199) % 3, 1e6])
    prepared = FeaturePreparer().set_output(transform="pandas").fit_transform(table)
    assert prepared["weekend_share"].median() == 0
    assert prepared["session_count"].max() < 3


def test_a_missing_value_reads_as_the_median() -> None:
    preparer = FeaturePreparer().fit(FEATURES)
    missing = FEATURES.head(1).assign(session_count=np.nan)
    at_median = FEATURES.head(1).assign(session_count=FEATURES["session_count"].median())
    assert (preparer.transform(missing) == preparer.transform(at_median)).all()


def test_shares_stay_as_they_are_and_counts_become_logarithms() -> None:
    assert FeaturePreparer().fit(FEATURES).is_log_.tolist() == [True, False]


def test_patterns_are_kept_only_where_features_go_together() -> None:
    theme = RNG.normal(size=(400, 1))
    noise = RNG.normal(size=(400, 10))
    together = np.hstack([theme + RNG.normal(size=(400, 4)), noise])
    assert SharedPatterns(random_state=0).fit(together).n_patterns_ == 1
    assert SharedPatterns(random_state=0).fit(noise).n_patterns_ == 0
    assert np.allclose(SharedPatterns(random_state=0).fit_transform(together).std(ddof=1), 1)
