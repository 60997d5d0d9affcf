"""From features to personas in one call: groups, names, differences, and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from journeylib.personas.clusters import PersonaClusterer
from journeylib.personas.describing import compare_features, describe_personas
from journeylib.personas.stability import compare_with_mixture

__all__ = ["FoundPersonas", "find_personas"]


@dataclass(frozen=True)
class FoundPersonas:
    """What `find_personas` found.

    Attributes
    ----------
    model : PersonaClusterer or None
        The fitted definition, which `predict`s other quarters; None with fewer than two customers.
    personas : pandas.Series
        Name of each customer's persona; empty where there are no groups.
    table : pandas.DataFrame
        One row a persona, as from `describe_personas`; empty where there are no groups.
    differences : pandas.DataFrame
        As from `compare_features`; empty where there are no groups.
    choice : pandas.DataFrame
        The numbers of groups that were tried.
    dropped : pandas.DataFrame or None
        The features that were not used, and why; None with fewer than two customers.
    mixture : pandas.Series
        As from `compare_with_mixture`; empty where there are no groups.
    reason : str
        Why so many groups, or none, in a sentence.
    """

    model: PersonaClusterer | None
    personas: pd.Series
    table: pd.DataFrame
    differences: pd.DataFrame
    choice: pd.DataFrame
    dropped: pd.DataFrame | None
    mixture: pd.Series
    reason: str


def find_personas(
    features: pd.DataFrame,
    *,
    n_clusters: Any = "auto",
    minimum_base: int = 10,
    random_state: Any = 0,
) -> FoundPersonas:
    """Find personas in a table of features, describe and name them; few customers are no error.

    Parameters
    ----------
    features : pandas.DataFrame
        One row is one customer, as from `build_features`; none at all is possible.
    n_clusters : "auto" or int, default "auto"
        As for `PersonaClusterer`.
    minimum_base : int, default 10
        With `auto`, no persona is smaller than so many customers (nor than 5 %).
    random_state : int, RandomState or None
        Seed.

    Returns
    -------
    FoundPersonas
        A plain record. Its tables are empty where there are no groups.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> sessions, evening = np.repeat([[3, 30], [0.1, 0.8]], 50, axis=1)
    >>> features = pd.DataFrame({"session_count": rng.poisson(sessions)})
    >>> features["evening_share"] = evening + rng.normal(0, 0.05, 100)
    >>> find_personas(features, n_clusters=2).table["n"].tolist()
    [50, 50]
    """
    nobody = pd.Series(dtype="str", index=features.index[:0], name="persona")
    none, nothing = pd.DataFrame(), pd.Series(dtype="float64")
    if len(features) < 2:
        number = "no customer has" if features.empty else "only one customer has"
        why = f"No groups: {number} enough sessions."
        return FoundPersonas(None, nobody, none, none, none, None, nothing, why)
    share = min(max(0.05, minimum_base / len(features)), 1.0)
    model = PersonaClusterer(n_clusters, min_share=share, random_state=random_state).fit(features)
    dropped = getattr(model.preparer_, "dropped_", None)
    if model.n_clusters_ == 1:
        return FoundPersonas(model, nobody, none, none, model.choice_, dropped, nothing, model.reason_)
    table = describe_personas(features, model.labels_, stability=model.stability_)
    names = table.set_index("cluster")["persona"]
    return FoundPersonas(
        model=model,
        personas=pd.Series(names.loc[model.labels_].to_numpy(), index=features.index, name="persona"),
        table=table,
        differences=compare_features(features, model.labels_),
        choice=model.choice_,
        dropped=dropped,
        mixture=compare_with_mixture(model, features, random_state=random_state),
        reason=model.reason_,
    )
