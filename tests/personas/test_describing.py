"""Personas are described by shares, medians and differences, and never by p-values on what made them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind
from sklearn.cluster import KMeans

from journeylib.evidence import wilson_interval
from journeylib.journey import split_into_sessions
from journeylib.personas import (
    build_features,
    compare_features,
    count_answered,
    count_journeys,
    describe_personas,
    find_personas,
    measure_personas,
    score_personas,
)

# customer: sessions, evening share
FEATURES = pd.DataFrame(
    {
        "session_count": [3.0, 4, 3, 4, 5, 30, 40, 30],
        "evening_share": [0.9, 0.8, 0.9, 0.7, 0.8, 0.1, 0.2, 0.3],
    },
    index=list("abcdefgh"),
)
LABELS = [0, 0, 0, 0, 0, 1, 1, 1]
PERSONAS = pd.Series(["early"] * 2 + ["late"] * 2, index=list("abcd"))


def test_share_has_wilsons_interval_and_medians_stand_beside_it() -> None:
    table = describe_personas(FEATURES, LABELS, stability=[0.9, 0.8])
    low, high = wilson_interval(5, 8)
    first = table.iloc[0]
    assert (first["n"], first["share"], first["stability"]) == (5, 62.5, 0.9)
    assert (first["low"], first["high"]) == pytest.approx((100 * low, 100 * high))
    assert table["session_count"].tolist() == [4, 30]


def test_the_name_is_made_from_differences_that_say_something_of_their_own() -> None:
    names = describe_personas(FEATURES, LABELS)["persona"].tolist()
    assert names == ["fewer sessions", "more sessions"]  # the evenings go with the sessions: told once


def test_difference_is_in_standard_deviations_within_groups() -> None:
    shares = FEATURES[["evening_share"]]
    found = compare_features(shares, LABELS).iloc[0]
    inside, rest = shares["evening_share"].iloc[:5], shares["evening_share"].iloc[5:]
    within = np.sqrt((5 * inside.var(ddof=0) + 3 * rest.var(ddof=0)) / 8)
    assert found["difference"] == pytest.approx((inside.mean() - rest.mean()) / within, rel=0.05)
    assert (found["median"], found["median_rest"]) == (0.8, 0.2)


def test_groups_that_would_share_a_name_are_numbered() -> None:
    table = pd.DataFrame({"evening_share": [0.1, 0.1, 0.5, 0.5, 0.9, 0.9, 0.9, 0.9, 0.5, 0.5] * 3})
    labels = (table["evening_share"].rank(method="dense") - 1).astype(int).to_numpy()
    table += np.random.default_rng(0).normal(0, 0.01, table.shape)
    names = describe_personas(table, labels)["persona"]
    assert names.is_unique


def test_no_p_value_is_given_since_noise_always_differs_in_what_formed_the_groups() -> None:
    # reference_values/circular_test_null.json: t-tests on the clustering variables reject in every run
    noise = np.random.default_rng(0).normal(size=(200, 5))
    labels = KMeans(2, n_init=5, random_state=0).fit_predict(noise)
    p_values = ttest_ind(noise[labels == 0], noise[labels == 1]).pvalue
    assert p_values.min() * 5 < 0.001
    frame = pd.DataFrame(noise, columns=list("abcde"))
    for table in (compare_features(frame, labels), describe_personas(frame, labels)):
        assert not [name for name in table if "p_" in name or "value" in name]


def test_persona_shares_add_up_and_are_measured_among_all_customers() -> None:
    table = measure_personas(PERSONAS)
    assert table["value"].sum() == 100 and set(table["n"]) == {4}
    assert set(table["metric"]) == {"persona_share"} and set(table["unit_of_analysis"]) == {"people"}
    assert measure_personas(PERSONAS.head(0)).empty


def test_survey_scores_are_given_by_persona_and_strangers_are_left_out() -> None:
    responses = pd.DataFrame({"response": [1, 2, 3, 4], "customer": ["a", "b", "c", "x"]})
    answers = pd.DataFrame({"response": [1, 2, 3, 4], "question": "Q", "role": "csat", "value": [5, 4, 1, 1]})
    scores = score_personas(answers.assign(scale_min=1, scale_max=5), responses, PERSONAS)
    means = scores[scores["metric"] == "csat_mean"].set_index("persona")["value"]
    assert means.to_dict() == {"early": 4.5, "late": 1.0}
    assert set(scores["segment"]) == {""}


def test_coverage_counts_customers_once_and_in_the_reviewed_period_alone() -> None:
    responses = pd.DataFrame(
        {"customer": ["a", "a", "c", None], "which": ["reviewed"] * 2 + ["previous"] * 2}
    )
    table = count_answered(responses, PERSONAS).set_index("persona")
    assert table["answered"].to_dict() == {"early": 1, "late": 0}
    assert table.loc["early", "coverage"] == 50


def test_a_journey_is_told_from_ten_customers_on_and_not_from_nine() -> None:
    def count(customers: int) -> list[str]:
        names = [f"c{number}" for number in range(customers)]
        events = pd.DataFrame({"customer": np.repeat(names, 3), "occurred_at": np.arange(3 * customers)})
        events = events.assign(name="n", touchpoint=["ad", "page", "page"] * customers)
        personas = pd.Series("all", index=names)
        return count_journeys(split_into_sessions(events), personas)["journey"].tolist()

    assert count(10) == ["ad → page"]
    assert count(9) == []


def test_few_customers_are_no_groups_and_no_error() -> None:
    found = find_personas(FEATURES)
    assert found.reason == "No groups: fewer than 20 customers are too few."
    assert found.personas.empty and found.table.empty
    nobody = find_personas(FEATURES.head(0))
    assert nobody.model is None and "no customer has enough sessions" in nobody.reason


def test_a_frozen_definition_scores_another_window() -> None:
    names = [f"c{number}" for number in range(40)]
    kinds = {"ad": names[:20], "home": names[20:]}
    rows = [
        (name, day * 86_400_000_000, start)
        for start, some in kinds.items()
        for place, name in enumerate(some)
        for day in range(0, 3 * (4 + place % 3), 3)
    ]
    events = pd.DataFrame(rows, columns=["customer", "occurred_at", "touchpoint"]).assign(name="n")
    events = split_into_sessions(events)
    features = build_features(events)
    model = find_personas(features, n_clusters=2).model
    later = build_features(events, start=86_400_000_000, min_sessions=1, like=features)
    assert model is not None
    same = pd.Series(model.labels_, features.index).eq(pd.Series(model.predict(later), later.index))
    assert same.mean() > 0.9
