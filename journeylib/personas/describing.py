"""What personas look like: shares with intervals, medians and standardised differences, without p-values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from journeylib.evidence.estimates import estimate
from journeylib.personas.naming import name_persona, say_difference, spell_feature
from journeylib.personas.preparation import FeaturePreparer

__all__ = ["compare_features", "describe_personas", "measure_personas"]

#: A persona is named after so many differences, none smaller than this (a small one, Cohen 1988), and none
#: of a feature that goes with one named already more closely than this.
_NAMED, _SMALL, _ALIKE = 3, 0.2, 0.7


def compare_features(features: pd.DataFrame, labels: Any) -> pd.DataFrame:
    """Compare each group with the rest, feature by feature.

    Parameters
    ----------
    features : pandas.DataFrame
        One row is one customer. Missing values are left out of medians and read as the median in differences.
    labels : array of int
        The group of each row.

    Returns
    -------
    pandas.DataFrame
        One row is one feature of one group: `cluster`, `persona` (its name), `feature`, `label` (in words),
        `median` and `median_rest` (in the feature's unit), `difference` (of means in standard deviations
        within the two, after `FeaturePreparer`; missing where there is one group), `words`, `is_named`. The
        largest differences, in size, come first. Features that are near constant or repeat another are left
        out.

    Notes
    -----
    There is no p-value, on purpose: groups are made so that they differ in these very features, and a test
    finds 'significant' differences in pure noise as well, every time (Gao, Bien & Witten 2022). What a
    difference is worth shows on variables that did not form the groups.

    Examples
    --------
    >>> features = pd.DataFrame({"session_count": [3, 4, 3, 4, 30, 40, 30, 40]})
    >>> compared = compare_features(features, [0, 0, 0, 0, 1, 1, 1, 1])
    >>> compared[["cluster", "persona", "median", "median_rest"]].values.tolist()
    [[0, 'fewer sessions', 3.5, 35.0], [1, 'more sessions', 35.0, 3.5]]
    """
    given = np.asarray(labels)
    preparer = FeaturePreparer().fit(features)
    names = [str(name) for name in preparer.get_feature_names_out()]
    prepared = np.asarray(preparer.transform(features), dtype="float64")
    together = np.abs(np.atleast_2d(np.corrcoef(prepared, rowvar=False))) if names else np.empty((0, 0))
    parts = []
    for cluster in np.unique(given):
        inside = given == cluster
        table = pd.DataFrame(
            {
                "cluster": int(cluster),
                "feature": names,
                "median": features.loc[inside, names].median().to_numpy(),
                "median_rest": features.loc[~inside, names].median().to_numpy(),
                "difference": _standardise(prepared[inside], prepared[~inside]),
            }
        )
        order = table["difference"].abs().sort_values(ascending=False, kind="stable").index
        named = _choose_named(table["difference"].to_numpy(), order.tolist(), together)
        told = [(names[at], float(table["difference"].iloc[at])) for at in named]
        name = "all customers" if inside.all() else name_persona(told)
        table = table.assign(persona=name, is_named=table.index.isin(named)).loc[order]
        parts.append(table)
    result = _tell_apart(pd.concat(parts, ignore_index=True))
    pairs = zip(result["feature"], result["difference"], strict=True)
    result["words"] = ["" if np.isnan(size) else say_difference(name, size) for name, size in pairs]
    result["label"] = result["feature"].map(spell_feature)
    columns = ["cluster", "persona", "feature", "label", "median", "median_rest", "difference", "words"]
    return result[[*columns, "is_named"]]


def describe_personas(features: pd.DataFrame, labels: Any, *, stability: Any = None) -> pd.DataFrame:
    """Describe each persona in one row.

    Parameters
    ----------
    features : pandas.DataFrame
        One row is one customer.
    labels : array of int
        The group of each row.
    stability : sequence of float, optional
        Each group's bootstrap Jaccard similarity, in the order of the labels.

    Returns
    -------
    pandas.DataFrame
        One row is one persona: `cluster`, `persona` (a name made from its largest differences), `n`
        (customers), `share`, `low`, `high` (percent of the customers with features, Wilson's 95 %
        interval), `stability` (where given), and the median of each feature under the feature's name.

    Examples
    --------
    >>> features = pd.DataFrame({"session_count": [3, 4, 3, 4, 3, 30, 40, 30]})
    >>> described = describe_personas(features, [0, 0, 0, 0, 0, 1, 1, 1])
    >>> described[["persona", "n", "share"]].values.tolist()
    [['fewer sessions', 5, 62.5], ['more sessions', 3, 37.5]]
    """
    given = np.asarray(labels)
    names = compare_features(features, given).drop_duplicates("cluster").set_index("cluster")["persona"]
    rows = []
    for place, cluster in enumerate(np.unique(given)):
        found = estimate("share", (given == cluster).astype(float))
        row: dict[str, Any] = {"cluster": int(cluster), "persona": names.get(cluster, "all customers")}
        row |= {"n": int((given == cluster).sum()), "share": found["value"]}
        row |= {"low": found["low"], "high": found["high"]}
        if stability is not None:
            row["stability"] = float(stability[place])
        rows.append(row | features.loc[given == cluster].median().to_dict())
    return pd.DataFrame(rows)


def measure_personas(personas: pd.Series) -> pd.DataFrame:
    """Measure which share of the customers each persona is.

    Parameters
    ----------
    personas : pandas.Series
        One row is one customer with enough events: the name of her persona.

    Returns
    -------
    pandas.DataFrame
        The measure table: one row is one persona, metric `persona_share`, in percent; `n` is all customers
        with a persona. The largest first.

    Examples
    --------
    >>> measure_personas(pd.Series(["a", "a", "a", "b"]))[["persona", "value", "n"]].values.tolist()
    [['a', 75.0, 4], ['b', 25.0, 4]]
    """
    counts = personas.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    rows = [
        {
            "metric": "persona_share",
            "persona": str(name),
            "unit_of_analysis": "people",
            "which": "reviewed",
            **estimate("share", (personas == name).to_numpy(dtype="float64")),
        }
        for name in counts.index
    ]
    texts = ["metric", "stage", "touchpoint", "persona", "segment", "item", "unit_of_analysis", "which"]
    numbers = ["value", "low", "high", "n", "n_effective", "method", "kind", "spread", "promoters"]
    columns = [*texts, *numbers, "detractors", "covariance", "note"]
    table = pd.DataFrame(rows).reindex(columns=columns)
    return table.assign(stage="", touchpoint="", segment="", item="", note="")


def _standardise(inside: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return the difference of means over the standard deviation within the two; missing without a rest."""
    if not len(inside) or not len(rest):
        return np.full(inside.shape[1], np.nan)
    squares = len(inside) * inside.var(axis=0) + len(rest) * rest.var(axis=0)
    deviation = np.sqrt(squares / (len(inside) + len(rest)))
    difference: np.ndarray = (inside.mean(axis=0) - rest.mean(axis=0)) / np.maximum(deviation, 1e-9)
    return difference


def _choose_named(differences: np.ndarray, order: list[int], together: np.ndarray) -> list[int]:
    """Choose the differences that name a persona, the largest first, each saying something of its own."""
    named: list[int] = []
    for at in order:
        if len(named) == _NAMED or not abs(differences[at]) >= _SMALL:
            break
        if all(together[at, other] <= _ALIKE for other in named):
            named.append(at)
    return named


def _tell_apart(table: pd.DataFrame) -> pd.DataFrame:
    """Add a number to the names of personas that would have the same."""
    firsts = table.drop_duplicates("cluster")
    same = firsts["persona"].duplicated(keep=False)
    number = firsts.groupby("persona").cumcount() + 1
    names = firsts["persona"].where(~same, firsts["persona"] + " (" + number.astype(str) + ")")
    return table.assign(persona=table["cluster"].map(dict(zip(firsts["cluster"], names, strict=True))))
