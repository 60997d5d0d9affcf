"""Scores of groups raw and less their response style, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.evidence import compare_estimates
from journeylib.voice.measures import build_measures
from journeylib.voice.respondents import PERIODS, list_respondents, prepare_survey, read_by
from journeylib.voice.response_style import estimate_mean, read_ticks, score_styles, select_style_items
from journeylib.voice.scales import SCORES
from journeylib.voice.units import average_units, select_questions

__all__ = ["adjust_for_style"]

MEANS = [metric for metric, (_, kind) in SCORES.items() if kind == "mean"]


def adjust_for_style(
    answers: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    by: str | Sequence[str],
    metric: str = "csat_mean",
    items: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Score groups raw and less their response style, each beside all others.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer to one question; as for ``score_answers``. ``text`` holds the ticked code.
    responses : pandas.DataFrame, optional
        One row is one respondent in one wave; as for ``score_answers``.
    by : str or sequence of str
        One ``segment.<name>``, and perhaps ``touchpoint`` or ``stage``; without these the headline.
    metric : str, default "csat_mean"
        csat_mean or ces_mean. Shares and NPS count answers over a line, which no shift of points can mend.
    items : sequence of str, optional
        The questions to read the style from, as for ``measure_response_style``; the scored ones are none of
        them.

    Returns
    -------
    pandas.DataFrame
        A measure table in scale points, two rows a place, group and period: ``<metric>`` and
        ``<metric>_adjusted``, both of the respondents whose style is known, so that the two compare; and
        ``others``, ``difference``, ``difference_low``, ``difference_high``: the group less all other labelled
        respondents. Empty where the style can't be read. Row order does not matter.

    Raises
    ------
    ValueError
        If ``by`` holds no segment column, or the metric is no mean.

    Notes
    -----
    Each answer less the distance of the respondent's own mean tick, on questions that have nothing to do with
    the score, from that of all respondents of the period, both as a share of the scale's length: within-
    subject centring (Fischer 2004) by the unrelated items that Baumgartner & Steenkamp (2001) ask for. The
    total does not move. Limits: it takes style to shift every answer alike, so where answers are near the
    scale's end already, and can't be shifted further, it takes off a little too much; what a group really
    thinks of the unrelated items is taken for style; it does nothing about extreme or midpoint answering; and
    it adds noise, which the interval holds.

    References
    ----------
    Baumgartner & Steenkamp (2001), Journal of Marketing Research 38:143-156. Fischer (2004), Journal of
    Cross-Cultural Psychology 35:263-282.

    Examples
    --------
    >>> ticks = [(person, item, 4 if person < 2 else 3) for person in range(4) for item in "abcdQ"]
    >>> answers = pd.DataFrame(ticks, columns=["response", "question", "value"]).assign(scale_min=1, scale_max=5)
    >>> answers["role"] = answers["question"].map({"Q": "csat"}).fillna("importance")
    >>> answers["segment.country"] = ["AT" if person < 2 else "DE" for person, _, _ in ticks]
    >>> adjust_for_style(answers, by="segment.country")[["segment", "metric", "value"]].values.tolist()
    [['country=AT', 'csat_mean', 4.0], ['country=AT', 'csat_mean_adjusted', 3.5], ['country=DE', 'csat_mean', 3.0], ['country=DE', 'csat_mean_adjusted', 3.5]]
    """  # noqa: E501
    places, segment = read_by(by)
    if not segment:
        raise ArgumentError(f"by is {by!r}; expected a segment column such as segment.region")
    if metric not in MEANS:
        raise ArgumentError(
            f"metric is {metric!r}; expected {' or '.join(MEANS)}: only a mean can be adjusted"
        )
    chosen = select_style_items(answers, items, role=SCORES[metric][0])
    answers, responses = prepare_survey(chosen, responses)
    people = list_respondents(answers, responses, segment=segment)
    styles = score_styles(answers, items=items)
    styles["distance"] = styles["height"] - styles.groupby("which")["height"].transform("mean")
    asked = select_questions(answers, people, places=places)
    asked = asked[asked["item"].eq("") & asked["role"].eq(SCORES[metric][0])]
    asked = asked.assign(distance=asked["respondent"].map(styles.set_index("respondent")["distance"]))
    asked = asked[asked["distance"].notna()]
    rows: list[dict[str, Any]] = []
    units = _average_both(asked, _find_direction(answers), metric=metric)
    for which in PERIODS:
        now = units[units["which"].eq(which) & units["label"].notna()]
        for (stage, touchpoint), group in now.groupby(["stage", "touchpoint"], observed=True):
            place = {"stage": str(stage), "touchpoint": str(touchpoint), "which": which}
            rows += _measure_groups(group, segment=segment, metric=metric, place=place)
    table = build_measures([row["own"] for row in rows])
    rest = build_measures([row["rest"] for row in rows])
    ends = compare_estimates(table.drop(columns="covariance"), rest.drop(columns="covariance"))
    names = ["difference", "difference_low", "difference_high"]
    table = table.assign(others=rest["value"]).join(ends.iloc[:, :3].set_axis(names, axis="columns"))
    order = ["which", "stage", "touchpoint", "segment", "metric"]
    rank = table.assign(which=table["which"].map(PERIODS.index)).sort_values(order, kind="stable").index
    return table.loc[rank].reset_index(drop=True)


def _find_direction(answers: pd.DataFrame) -> pd.Series:
    """Return -1 for the questions that count the other way round, else 1."""
    answered = answers[answers["value"].notna()]
    key = [answered[name].astype("str").rename(name) for name in ("question", "series", "which")]
    return 1 - 2 * read_ticks(answered)[1].groupby(key).any().astype(float)


def _average_both(asked: pd.DataFrame, direction: pd.Series, *, metric: str) -> pd.DataFrame:
    """Average each respondent's answers to a place, raw (``points``) and adjusted (``adjusted``)."""
    key = pd.MultiIndex.from_frame(asked[["question", "series", "which"]].astype("str"))
    length = asked["scale_max"] - asked["scale_min"]
    style = asked["distance"] * length * direction.reindex(key).to_numpy()
    raw = average_units(asked, metric=metric)
    mended = average_units(asked.assign(value=asked["value"] - style), metric=metric)
    return raw.assign(adjusted=mended["points"])


def _measure_groups(
    units: pd.DataFrame, *, segment: str, metric: str, place: dict[str, str]
) -> list[dict[str, dict[str, Any]]]:
    """Measure each group of one place and period, and all others beside it, raw and adjusted."""
    rows = []
    for label in sorted(set(units["label"].astype("str"))):
        own = units["label"].eq(label)
        for name, column in ((metric, "points"), (f"{metric}_adjusted", "adjusted")):
            about = {**place, "metric": name, "segment": f"{segment.removeprefix('segment.')}={label}"}
            about["unit_of_analysis"] = "respondents"
            parts = {"own": units[own], "rest": units[~own]}
            rows.append(
                {
                    part: {**about, **estimate_mean(group[column], group["person"])[0]}
                    for part, group in parts.items()
                }
            )
    return rows
