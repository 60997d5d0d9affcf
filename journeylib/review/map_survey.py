"""What customers say, place by place, for the journey map: satisfaction, and the expectation behind it."""

from __future__ import annotations

import pandas as pd

from journeylib.voice.expectations import measure_expectation_gap
from journeylib.voice.scores import score_answers

__all__ = ["SURVEY_COLUMNS", "measure_map_survey"]

PLACE = ["stage", "touchpoint"]
SCORE = ["satisfaction", "satisfaction_low", "satisfaction_high", "satisfaction_n"]
GAP = ["expectation", "gap", "gap_low", "gap_high", "gap_n"]
SURVEY_COLUMNS = [*SCORE, "scale_min", "scale_max", "satisfaction_by", *GAP]
# What stands for satisfaction: the first of these roles that a place has, and the mean that it gives.
ROLES = {"csat": "csat", "perception": "csat", "ces": "ces"}


def measure_map_survey(answers: pd.DataFrame, responses: pd.DataFrame | None) -> pd.DataFrame:
    """Measure satisfaction, expectation and their gap for each touchpoint and each stage.

    Parameters
    ----------
    answers : DataFrame
        One row is one answer of the reviewed period, with stage and touchpoint as text.
    responses : DataFrame or None
        One row is one respondent.

    Returns
    -------
    DataFrame
        One row is one touchpoint, or one stage (touchpoint empty), with any of these: `satisfaction` (the
        mean of its csat questions, else of its perception, else of its ces questions, as `satisfaction_by`
        says) with interval and respondents, the ends of its scale, `expectation` and `gap`, both from those
        who answered both, and `judged`, respondents who rated anything there. Stages have no gap.
    """
    said = answers[answers["value"].notna()]
    parts = []
    for role, scored_as in ROLES.items():
        one = said[said["role"] == role].assign(role=scored_as)
        for by in ("touchpoint", "stage"):
            scored = one[(one[PLACE[: 2 if by == "touchpoint" else 1]] != "").all(axis=1)]
            places = PLACE if by == "touchpoint" else "stage"
            parts.append(_score(scored, responses, by=places).assign(satisfaction_by=role))
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    for more in (_measure_gaps(said, responses), _count_judges(said)):
        found = found.drop_duplicates(PLACE).merge(more, on=PLACE, how="outer")
    return found.reindex(columns=[*PLACE, *SURVEY_COLUMNS, "judged"])


def _count_judges(said: pd.DataFrame) -> pd.DataFrame:
    """Count the respondents who judged a touchpoint or a stage."""
    staged = said[(said["stage"] != "") & said["role"].isin([*ROLES, "nps"])]
    placed = staged[staged["touchpoint"] != ""]
    both = pd.concat([placed, staged.assign(touchpoint="")])
    return both.groupby(PLACE)["response"].nunique().astype("float64").rename("judged").reset_index()


def _score(answers: pd.DataFrame, responses: pd.DataFrame | None, *, by: str | list[str]) -> pd.DataFrame:
    """Score the places, each over all its questions; none where their scales differ."""
    columns = [*PLACE, *SCORE, "scale_min", "scale_max"]
    if answers.empty:
        return pd.DataFrame(columns=columns)
    scores = score_answers(answers, responses=responses, by=by)
    scores = scores[scores["metric"].isin(["csat_mean", "ces_mean"]) & (scores["item"] == "")]
    names = dict(zip(["value", "low", "high", "n"], SCORE, strict=True))
    keys = [by] if isinstance(by, str) else by
    ends = answers.groupby(keys)[["scale_min", "scale_max"]].first().reset_index()
    return scores.rename(columns=names)[[*PLACE, *SCORE]].merge(ends, on=keys, how="left")[columns]


def _measure_gaps(said: pd.DataFrame, responses: pd.DataFrame | None) -> pd.DataFrame:
    """Measure what was expected of each touchpoint, and how far what was found differs from it."""
    measured = measure_expectation_gap(said, responses, by=PLACE)
    names = dict(zip(["value", "low", "high", "n"], GAP[1:], strict=True))
    gaps = measured[measured["metric"] == "expectation_gap"].rename(columns=names)[[*PLACE, *GAP[1:]]]
    expected = measured.loc[measured["metric"] == "expectation_mean", [*PLACE, "value"]]
    joined = gaps.merge(expected.rename(columns={"value": "expectation"}), on=PLACE, how="left")
    return joined[[*PLACE, *GAP]].astype(dict.fromkeys(GAP, "float64"))
