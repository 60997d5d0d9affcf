"""Stability agrees with a plain definition, and the mixture agrees where groups are clear."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.utils import check_random_state

from journeylib.personas import PersonaClusterer, compare_with_mixture, judge_stability, measure_stability


def measure_plainly(points: np.ndarray, labels: np.ndarray, *, n_resamples: int, seed: int) -> list[float]:
    """Return the mean Jaccard similarity of each cluster with sets of rows, as Hennig (2007) writes it."""
    rng = check_random_state(seed)
    found: list[list[float]] = [[] for _ in set(labels.tolist())]
    for _ in range(n_resamples):
        drawn = rng.randint(0, len(points), len(points))
        rows, times = np.unique(drawn, return_counts=True)
        model = KMeans(len(found), n_init=5, random_state=rng.randint(2**31 - 1))
        again = model.fit(points[rows], sample_weight=times).labels_
        new = [{row for row, label in zip(rows, again, strict=True) if label == one} for one in set(again)]
        for cluster, values in enumerate(found):
            old = {row for row in rows if labels[row] == cluster}
            if old:
                values.append(max(len(old & each) / len(old | each) for each in new))
    return [float(np.mean(values)) for values in found]


def test_stability_is_hennigs_jaccard_similarity() -> None:
    rng = np.random.default_rng(1)
    points = np.vstack([rng.normal(0, 1, (30, 2)), rng.normal(2, 1, (20, 2)), rng.normal(9, 1, (15, 2))])
    labels = KMeans(3, n_init=5, random_state=0).fit_predict(points)
    ours = measure_stability(points, labels, n_resamples=6, random_state=3)
    assert ours.tolist() == pytest.approx(measure_plainly(points, labels, n_resamples=6, seed=3))


def test_clear_groups_are_very_stable_and_a_cut_through_a_cloud_is_not() -> None:
    rng = np.random.default_rng(2)
    clear = np.vstack([rng.normal(0, 1, (40, 2)), rng.normal(9, 1, (40, 2))])
    assert measure_stability(clear, np.repeat([0, 1], 40), n_resamples=5, random_state=0).min() == 1
    cloud = rng.normal(size=(100, 8))
    cut = KMeans(5, n_init=5, random_state=0).fit_predict(cloud)
    assert judge_stability(float(measure_stability(cloud, cut, random_state=0).min())) == "not to be trusted"


def test_the_mixture_agrees_on_clear_groups_and_has_nothing_to_say_about_one() -> None:
    rng = np.random.default_rng(3)
    clear = np.vstack([rng.normal(0, 1, (40, 2)), rng.normal(9, 1, (40, 2))])
    two = PersonaClusterer(n_clusters=2, n_init=3, random_state=0).fit(clear)
    assert compare_with_mixture(two, clear)["share_alike"] == 1
    one = PersonaClusterer(n_clusters=1).fit(clear)
    assert np.isnan(compare_with_mixture(one, clear)["adjusted_rand"])
