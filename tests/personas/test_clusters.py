"""The clusterer is a scikit-learn estimator, finds planted groups, and finds none in noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from journeylib.personas import FeaturePreparer, PersonaClusterer
from journeylib.personas.components import SharedPatterns

CHECKED = [FeaturePreparer(), SharedPatterns(), PersonaClusterer(n_clusters=3, n_init=3)]


@parametrize_with_checks(CHECKED)
def test_estimator_keeps_scikit_learns_rules(estimator, check) -> None:
    check(estimator)


def make_groups(
    sizes: tuple[int, ...] = (70, 60, 50), *, telling: int = 4, noise_features: int = 0, seed: int = 0
) -> pd.DataFrame:
    """Return groups that differ in some features, each group at its own place, and in no other."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    centres = rng.normal(0, 4, (len(sizes), telling))
    values = np.hstack(
        [
            centres[truth] + rng.normal(size=(len(truth), telling)),
            rng.normal(size=(len(truth), noise_features)),
        ]
    )
    table = pd.DataFrame(values, columns=[f"feature_{number}" for number in range(values.shape[1])])
    return table.assign(truth=truth).sample(frac=1, random_state=seed, ignore_index=True)


GROUPS = make_groups()
FEATURES = GROUPS.drop(columns="truth")
MODEL = PersonaClusterer(random_state=0, max_clusters=4, n_init=5).fit(FEATURES)


def test_planted_groups_are_found_and_their_number_is_chosen() -> None:
    assert MODEL.n_clusters_ == 3
    assert adjusted_rand_score(GROUPS["truth"], MODEL.labels_) > 0.95
    assert MODEL.choice_.set_index("n_clusters")["is_chosen"].to_dict()[3]
    assert MODEL.reason_.startswith("3 groups: each comes again")


def test_groups_are_found_among_many_features_that_say_nothing() -> None:
    noisy = make_groups((120, 100, 80), telling=10, noise_features=20)
    model = PersonaClusterer(random_state=0, max_clusters=4, n_init=5).fit(noisy.drop(columns="truth"))
    assert model.n_clusters_ == 3 and model.patterns_.n_patterns_ >= 2
    assert adjusted_rand_score(noisy["truth"], model.labels_) > 0.8


def test_label_0_is_the_largest_group() -> None:
    sizes = np.bincount(MODEL.labels_).tolist()
    assert sizes == sorted(sizes, reverse=True)


def test_shuffled_rows_give_the_same_partition() -> None:
    shuffled = FEATURES.sample(frac=1, random_state=7)
    again = PersonaClusterer(random_state=0, max_clusters=4, n_init=5).fit(shuffled)
    assert (again.labels_ == MODEL.labels_[shuffled.index]).all()
    assert (again.cluster_centers_ == MODEL.cluster_centers_).all()


def test_unseen_customers_go_to_the_nearest_group() -> None:
    unseen = FEATURES.groupby(MODEL.labels_).mean()
    assert MODEL.predict(unseen).tolist() == [0, 1, 2]
    assert (MODEL.predict(FEATURES) == MODEL.labels_).all()


@pytest.mark.parametrize("kind", ["uniform", "normal", "heavy tails", "one cloud", "counts"])
def test_noise_has_no_groups(kind: str) -> None:
    rng = np.random.default_rng(3)
    theme = rng.normal(size=(200, 1))
    tables = {
        "uniform": rng.uniform(size=(200, 3)),
        "normal": rng.normal(size=(200, 12)),
        "heavy tails": rng.exponential(size=(200, 12)) ** 2,
        "one cloud": theme + rng.normal(size=(200, 12)),
        "counts": rng.poisson(4 * np.exp(theme / 3), size=(200, 10)),
    }
    model = PersonaClusterer(random_state=0, max_clusters=3, n_init=5).fit(tables[kind])
    assert model.n_clusters_ == 1 and not model.labels_.any()
    assert model.reason_.startswith("No groups:")
    assert model.transform(tables[kind]).shape == (200, 1)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [(np.ones((50, 3)), "all customers are alike"), (np.eye(4), "too few"), (np.ones((2, 1)), "too few")],
)
def test_few_or_equal_customers_are_one_group(rows: np.ndarray, reason: str) -> None:
    model = PersonaClusterer(random_state=0).fit(rows)
    assert model.n_clusters_ == 1 and model.predict(rows).tolist() == [0] * len(rows)
    assert reason in model.reason_


def test_no_customers_and_one_customer_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="no customers to group"):
        PersonaClusterer().fit(FEATURES.head(0))
    with pytest.raises(ValueError, match="1 sample"):
        PersonaClusterer().fit(FEATURES.head(1))


@pytest.mark.parametrize(
    ("n_clusters", "words"), [(0, "from 1 up"), ("many", "from 1 up"), (999, "n_samples=180")]
)
def test_a_wrong_number_of_groups_is_refused(n_clusters: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PersonaClusterer(n_clusters=n_clusters).fit(FEATURES)


def test_distances_come_as_a_frame_with_names_where_asked_for() -> None:
    model = PersonaClusterer(n_clusters=2, n_init=3, random_state=0).set_output(transform="pandas")
    distances = model.fit_transform(FEATURES)
    assert list(distances) == ["distance_to_cluster_0", "distance_to_cluster_1"]
    assert (distances.to_numpy().argmin(axis=1) == model.labels_).all()


def test_the_clusterer_works_at_the_end_of_a_pipeline() -> None:
    last = PersonaClusterer(n_clusters=3, preparer="passthrough", n_init=3, random_state=0)
    labels = make_pipeline(StandardScaler(), last).fit_predict(FEATURES)
    assert adjusted_rand_score(GROUPS["truth"], labels) > 0.95


def test_more_customers_than_the_sample_hardly_change_the_groups() -> None:
    model = PersonaClusterer(n_clusters=3, sample_size=100, random_state=0).fit(FEATURES)
    assert adjusted_rand_score(MODEL.labels_, model.labels_) > 0.95


def test_a_group_under_the_smallest_share_is_not_chosen() -> None:
    table = make_groups((150, 5))
    model = PersonaClusterer(random_state=0, max_clusters=3, n_init=5).fit(table.drop(columns="truth"))
    assert model.n_clusters_ == 1 or np.bincount(model.labels_).min() >= 10
