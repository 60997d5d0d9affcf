"""What was expected against what was found: the gap, paired within each respondent, and why it moved."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.evidence import compare_estimates, covariance, estimate_from_sums, sum_by_person
from journeylib.voice.measures import build_measures
from journeylib.voice.respondents import PERIODS, list_respondents, prepare_survey, read_by

__all__ = ["measure_expectation_gap", "split_gap_change"]

METRICS = {"expectation_mean": "expectation", "perception_mean": "perception", "expectation_gap": "gap"}
_PLACES, _KEYS = ["stage", "touchpoint"], ["stage", "touchpoint", "segment"]
_LOW_BASE = 30
_log = logging.getLogger(__name__)


def measure_expectation_gap(
    answers: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    by: str | Sequence[str] | None = "touchpoint",
) -> pd.DataFrame:
    """Measure how far what respondents found lies above or below what they had expected.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer to one question, higher is better, with the declared ends of its scale. Those
        of role expectation and perception are read; blank and not applicable ones never count. With a column
        ``which`` (reviewed, previous, year_ago) each period is measured. Row order does not matter.
    responses : pandas.DataFrame, optional
        One row is one respondent in one wave; as for ``score_answers``.
    by : str, sequence of str or None, default "touchpoint"
        Any of ``touchpoint``, ``stage`` and one ``segment.<name>``; None for all places together.

    Returns
    -------
    pandas.DataFrame
        A measure table in scale points, three rows a place, segment and period: ``expectation_mean``,
        ``perception_mean`` and ``expectation_gap`` (perception less expectation, below 0 is worse than
        expected). All three stand on the same respondents, those who answered both about the place, so that
        gap = perception - expectation exactly; ``n`` is respondents. Further columns: ``dz`` (the gap over
        the standard deviation of the respondents' gaps; gaps only), ``series`` and ``low_base`` (n < 30).
        A place with questions of one role only has the one mean, of all who answered, and a ``note``; a
        place where the two roles stand on different scales is left out, with a warning. Without questions of
        these roles the table is empty.

    Raises
    ------
    ValueError
        If ``by`` is not understood, or a needed column is missing.

    Notes
    -----
    Paired t interval. Several questions of one role about a touchpoint are averaged within the respondent
    first; over a stage, or over all, a respondent counts once, with the mean over the touchpoints that he or
    she answered both about. Satisfaction never stands in for a missing perception: it is itself the answer
    to the gap (Oliver 1980), and a difference to it would count the expectation twice. ``covariance`` is that
    with the reviewed value, from customers who are in both periods; 0.0 where nobody is.

    References
    ----------
    Parasuraman, Zeithaml & Berry (1988), Journal of Retailing 64:12-40 (gap). Oliver (1980), Journal of
    Marketing Research 17:460-469. Lakens (2013), Frontiers in Psychology 4:863 (dz).

    Examples
    --------
    >>> answers = pd.DataFrame({"response": [1, 1, 2, 2], "role": ["expectation", "perception"] * 2})
    >>> answers = answers.assign(question=answers["role"], touchpoint="delivery", value=[5, 3, 4, 4])
    >>> gaps = measure_expectation_gap(answers.assign(scale_min=1, scale_max=5))
    >>> gaps[["metric", "value", "n"]].values.tolist()
    [['expectation_mean', 4.5, 2], ['perception_mean', 3.5, 2], ['expectation_gap', -1.0, 2]]
    """
    places, segment = read_by(by)
    if "role" in answers:
        answers = answers[answers["role"].isin(["expectation", "perception"])]
    answers, responses = prepare_survey(answers, responses)
    people = list_respondents(answers, responses, segment=segment)
    asked = answers[answers["value"].notna()]
    asked = asked.astype(dict.fromkeys(["stage", "touchpoint", "role", "question", "series", "which"], "str"))
    asked = _drop_mixed_scales(asked[(asked[places] != "").all(axis=1)], places)
    units = _average_places(_pair_answers(asked), places)
    units = units.join(people[["respondent", "person", "label"]].set_index("respondent"), on="respondent")
    rows: list[dict[str, Any]] = []
    for place, group in units[units["label"].notna()].groupby([*_PLACES, "label"], observed=True):
        keys = dict(zip([*_PLACES, "label"], map(str, place), strict=True))
        rows += _measure_place(group, keys=keys)
    table = build_measures(
        [{**row, "segment": _name_segment(segment, row["label"])} for row in rows], texts=["series"]
    )
    table["dz"] = np.array([row.get("dz", np.nan) for row in rows], dtype=float)
    return table.assign(low_base=table["n"] < _LOW_BASE)


def split_gap_change(gaps: pd.DataFrame, *, before: str = "previous") -> pd.DataFrame:
    """Split the change of each gap into what was expected moved and what was found moved.

    Parameters
    ----------
    gaps : pandas.DataFrame
        From ``measure_expectation_gap``, with two periods or more.
    before : str, default "previous"
        The period to compare with: ``previous`` or ``year_ago``.

    Returns
    -------
    pandas.DataFrame
        One row is one place and segment that has a gap in both periods: ``stage``, ``touchpoint``,
        ``segment``, ``gap_before``, ``gap``, ``n_before``, ``n``, ``change`` with ``change_low`` and
        ``change_high`` (Welch, people in both periods paired), ``from_expectation`` (less the move of the
        expectation: who expects more finds a wider gap) and ``from_perception``; the last two sum to the
        change. Scale points. Places whose questions changed between the periods are left out.

    Raises
    ------
    ValueError
        If ``before`` is another word.

    Examples
    --------
    >>> answers = pd.DataFrame({"response": [1, 1, 2, 2], "role": ["expectation", "perception"] * 2})
    >>> answers = answers.assign(question=answers["role"], touchpoint="delivery", value=[4, 3, 5, 3])
    >>> answers = answers.assign(scale_min=1, scale_max=5, which=["previous"] * 2 + ["reviewed"] * 2)
    >>> moved = split_gap_change(measure_expectation_gap(answers))
    >>> moved[["change", "from_expectation", "from_perception"]].values.tolist()
    [[-1.0, -1.0, 0.0]]
    """
    if before not in PERIODS[1:]:
        raise ArgumentError(f"before is {before!r}; expected previous or year_ago")
    complete = gaps[gaps["metric"].eq("expectation_gap")][[*_KEYS, "which"]]
    paired = gaps.merge(complete, on=[*_KEYS, "which"])
    now, earlier = (paired[paired["which"].eq(which)].drop(columns="which") for which in ("reviewed", before))
    both = now.merge(earlier, on=[*_KEYS, "metric", "series"], suffixes=("", "_before"))
    moved = both.assign(move=both["value"] - both["value_before"])
    moves = moved.pivot(index=_KEYS, columns="metric", values="move").reindex(columns=list(METRICS))
    rows = both[both["metric"].eq("expectation_gap")].reset_index(drop=True)
    names = ["value", "n_effective", "kind", "spread", "covariance"]
    ends = compare_estimates(
        rows[names], rows[[f"{name}_before" for name in names]].set_axis(names, axis="columns")
    )
    table = rows[[*_KEYS, "n_before", "n"]].assign(gap_before=rows["value_before"], gap=rows["value"])
    table = table.join(ends[["change", "change_low", "change_high"]]).set_index(_KEYS)
    table["from_expectation"] = -moves["expectation_mean"]
    table["from_perception"] = moves["perception_mean"]
    return table.sort_index().reset_index()


def _drop_mixed_scales(asked: pd.DataFrame, places: Sequence[str]) -> pd.DataFrame:
    """Leave out places whose questions stand on several scales within a period."""
    place = pd.Series("all places" if not places else "", asked.index, dtype="str")
    for name in places:
        place = place.where(place.eq(""), place + "/") + asked[name]
    scale = asked["scale_min"].astype("str") + " to " + asked["scale_max"].astype("str")
    key = pd.DataFrame({"place": place, "which": asked["which"], "scale": scale})
    mixed = key.groupby(["place", "which"])["scale"].transform("nunique").gt(1)
    for name in sorted(set(key.loc[mixed, "place"])):
        _log.warning("no expectation gap of %s: its questions are on different scales", name)
    return asked[~mixed]


def _pair_answers(asked: pd.DataFrame) -> pd.DataFrame:
    """Put a respondent's expectation and perception of one touchpoint side by side; one row a touchpoint."""
    key = ["respondent", "which", *_PLACES]
    means = asked.groupby([*key, "role"])["value"].mean().unstack("role")
    means = means.reindex(columns=["expectation", "perception"])
    texts = asked[["which", *_PLACES, "role", "series"]].drop_duplicates().sort_values(["role", "series"])
    series = texts.groupby(["which", *_PLACES])["series"].agg(" + ".join).rename("series")
    roles = texts.groupby(["which", *_PLACES])["role"].nunique().rename("n_roles")
    return means.reset_index().join(pd.concat([series, roles], axis=1), on=["which", *_PLACES])


def _average_places(pairs: pd.DataFrame, places: Sequence[str]) -> pd.DataFrame:
    """Average each respondent's pairs over the touchpoints of the asked place; single roles only alone."""
    nowhere = {name: "" for name in _PLACES if name not in places}
    known = pairs.assign(**nowhere)
    key = ["which", *_PLACES]
    best = known.groupby(key)["n_roles"].transform("max")
    known = known[known["n_roles"].eq(best)]
    unpaired = known["n_roles"].eq(2) & known[["expectation", "perception"]].isna().any(axis=1)
    kept = known[~unpaired]
    units = kept.groupby(["respondent", *key])[["expectation", "perception"]].mean().reset_index()
    units["gap"] = units["perception"] - units["expectation"]
    texts = kept[[*key, "series"]].drop_duplicates().sort_values("series")
    return units.join(texts.groupby(key)["series"].agg(" + ".join), on=key)


def _measure_place(group: pd.DataFrame, *, keys: dict[str, str]) -> list[dict[str, Any]]:
    """Measure one place and label in each of its periods, the reviewed one first."""
    rows: list[dict[str, Any]] = []
    for metric, column in METRICS.items():
        reviewed: pd.DataFrame | None = None
        for which in PERIODS:
            used = group[group["which"].eq(which) & group[column].notna()]
            if used.empty:
                continue
            sums = sum_by_person(used[column], people=used["person"])
            found = estimate_from_sums(
                "mean", sums["total"], sums["units"], squares=sums["squares"], counts=sums["count"]
            )
            found["covariance"] = np.nan
            if which == "reviewed":
                reviewed = sums
            else:
                found["covariance"] = 0.0 if reviewed is None else covariance("mean", reviewed, sums)
            about = {"metric": metric, "which": which, "unit_of_analysis": "respondents", "series": ""}
            about |= {"series": used["series"].iloc[0], "note": _write_note(used)}
            dz = {"dz": found["value"] / found["spread"]} if column == "gap" and found["spread"] > 0 else {}
            rows.append({**keys, **about, **found, **dz})
    return rows


def _write_note(used: pd.DataFrame) -> str:
    """Say why there is one mean and no gap."""
    for column, other in (("expectation", "perception"), ("perception", "expectation")):
        if used[column].isna().all():
            return f"no question of role {column} here: the {other} alone, no gap"
    return ""


def _name_segment(segment: str, label: str) -> str:
    """Write a segment as findings name it."""
    return f"{segment.removeprefix('segment.')}={label}" if segment else ""
