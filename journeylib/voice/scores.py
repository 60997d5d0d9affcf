"""NPS, CSAT and CES per place and segment, plain and weighted, each with its interval and its coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from journeylib.evidence import covariance, estimate_from_sums
from journeylib.voice.coverage import count_asked
from journeylib.voice.measures import build_measures
from journeylib.voice.respondents import PERIODS, list_respondents, prepare_survey, read_by
from journeylib.voice.scales import SCORES
from journeylib.voice.units import KEYS, average_units, select_questions, sum_units

__all__ = ["score_answers"]

_COUNTS = ("n_asked", "n_not_applicable", "n_without_label", "n_without_weight")
_LOW_BASE = 30


def score_answers(
    answers: pd.DataFrame,
    *,
    responses: pd.DataFrame | None = None,
    by: str | Sequence[str] | None = None,
    weighted: bool = False,
) -> pd.DataFrame:
    """Score the answers of role nps, csat and ces, overall or per place and segment.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer to one question, higher is better, with the declared ends of its scale. Blank
        and not applicable answers have no value and never count. With a column ``which`` (reviewed, previous,
        year_ago) each period is scored. Row order does not matter.
    responses : pandas.DataFrame, optional
        One row is one respondent in one wave: ``response`` and, where they are known, ``customer``,
        ``weight``, ``wave``, ``which`` and the segment columns. Left out, these are looked for in
        ``answers``.
    by : str or sequence of str, optional
        Any of ``touchpoint``, ``stage`` and one ``segment.<name>``. Without touchpoint and stage: the
        headline, from the questions that have neither. ``stage`` takes all questions of the stage, those of
        its touchpoints too.
    weighted : bool, default False
        Weight each respondent by ``weight``; the metrics are then called ``<metric>_weighted``. Respondents
        without a finite weight above 0 are left out and counted.

    Returns
    -------
    pandas.DataFrame
        One row is one score (nps, csat_mean, csat_top2, ces_mean, ces_top3) of one place, segment and period:
        a measure table, values in percent, NPS points or scale points. ``n`` is respondents: who answers
        several questions of a place counts once, with the mean of what the answers bring. ``item`` is "" for
        all questions of the place; where it has more than one, a row a question follows. Further columns:
        ``series`` (what was asked, and how: differs where question or scale changed), ``n_asked``,
        ``n_not_applicable``, ``n_without_label``, ``n_without_weight`` (respondents), ``low_base`` (n < 30).
        A place without answers has no row. No joint score is made of questions on different scales; their own
        rows say so in ``note``.

    Raises
    ------
    ValueError
        If ``by`` is not understood, a needed column is missing, a scale is not declared or does not fit.

    Notes
    -----
    Intervals: Wilson for shares, adjusted Wald for NPS, t for means; weights enter by Kish's effective n.
    A customer who responds several times in a period is one cluster. Where respondents bring shares between 0
    and 1 (several questions), the intervals are a little wide, never too narrow. ``covariance`` is that with
    the reviewed score of the same key, from customers who are in both; 0.0 where nobody is.

    Examples
    --------
    >>> answers = pd.DataFrame({"response": [1, 2, 3, 4], "value": [10, 9, 8, 3]})
    >>> answers = answers.assign(question="Q1", role="nps", scale_min=0, scale_max=10)
    >>> score_answers(answers)[["metric", "value", "n"]].values.tolist()
    [['nps', 25.0, 4]]
    """
    places, segment = read_by(by)
    answers, responses = prepare_survey(answers, responses)
    people = list_respondents(answers, responses, segment=segment, weighted=weighted)
    asked = select_questions(answers, people, places=places)
    rows: list[dict[str, Any]] = []
    for metric, (_, kind) in SCORES.items():
        units = average_units(asked, metric=metric)
        rows.extend(_score_places(units[units["label"].notna()], kind=kind, metric=metric, weighted=weighted))
    return _lay_out(pd.DataFrame(rows), asked=asked, people=people, segment=segment)


def _score_places(units: pd.DataFrame, *, kind: str, metric: str, weighted: bool) -> list[dict[str, Any]]:
    """Score each place and label in each of its periods, the reviewed one first."""
    rows: list[dict[str, Any]] = []
    group = ["place", "which"]
    used = units[units["weight"].notna()]
    keys: dict[Any, dict[str, Any]] = (
        used.drop_duplicates(group).set_index(group)[[*KEYS, "label"]].to_dict("index")  # type: ignore[assignment]
    )
    taken, weighed = (table.groupby(group, observed=True).size().to_dict() for table in (units, used))
    by_place: Any = sum_units(used, within=group).groupby(level=group, observed=True)
    sums: dict[Any, pd.DataFrame] = {key: table.droplevel([0, 1]) for key, table in by_place}
    for place, which in sorted(sums, key=lambda pair: (pair[0], PERIODS.index(pair[1]))):
        here = sums[place, which]
        found = estimate_from_sums(
            kind, here["total"], here["units"], squares=here["squares"], counts=here["count"]
        )
        if which == "reviewed":
            found["covariance"] = np.nan
        else:
            reviewed = sums.get((place, "reviewed"))
            found["covariance"] = 0.0 if reviewed is None else covariance(kind, reviewed, here)
        name = f"{metric}_weighted" if weighted else metric
        lost = taken[place, which] - weighed[place, which]
        key = keys[place, which]
        rows.append({"metric": name, **key, "which": which, **found, "n_without_weight": lost})
    return rows


def _count_reach(asked: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Count per score, label and period: asked, not applicable; and answered without a label."""
    key = [*KEYS, "which"]
    flags = asked[["place", "respondent", "not_applicable"]].assign(is_answered=asked["value"].notna())
    flags = flags.groupby(["place", "respondent"]).max().reset_index()
    about = asked[[*key, "label", "place", "respondent"]].drop_duplicates(["place", "respondent"])
    each = about.merge(flags, on=["place", "respondent"], validate="one_to_one")
    each["n_not_applicable"] = each["not_applicable"] & ~each["is_answered"]
    each["n_without_label"] = each["label"].isna() & each["is_answered"]
    silent = each.groupby([*key, "label"])["n_not_applicable"].sum().reset_index()
    lost = each.groupby(key)["n_without_label"].sum().reset_index()
    reach = count_asked(asked, people, keys=KEYS).merge(silent, on=[*key, "label"], how="left")
    return reach.merge(lost, on=key, how="left")


def _lay_out(
    scores: pd.DataFrame, *, asked: pd.DataFrame, people: pd.DataFrame, segment: str
) -> pd.DataFrame:
    """Add coverage, series and notes to the scores, and put the rows in their order."""
    if scores.empty:
        return build_measures([], texts=["series"], counts=_COUNTS).assign(low_base=pd.Series(dtype=bool))
    key = [*KEYS, "which"]
    used = asked.loc[asked["value"].notna(), [*key, "series", "is_mixed"]].drop_duplicates()
    asked_for = used.astype(object).groupby([*key, "is_mixed"])["series"]
    texts = asked_for.agg(_join_texts).reset_index()
    scores = scores.merge(_count_reach(asked, people), on=[*key, "label"], how="left")
    scores = scores.merge(texts, on=key, how="left")
    scores["segment"] = f"{segment.removeprefix('segment.')}=" + scores["label"] if segment else ""
    scores["unit_of_analysis"] = "respondents"
    scores["note"] = [_write_note(row) for row in scores.to_dict("records")]
    scores["order"] = scores["metric"].str.removesuffix("_weighted").map(list(SCORES).index)
    scores["period"] = scores["which"].map(PERIODS.index)
    scores = scores.sort_values(["order", "stage", "touchpoint", "segment", "item", "period"])
    table = build_measures(scores.to_dict("records"), texts=["series"], counts=_COUNTS)
    return table.assign(low_base=table["n"] < _LOW_BASE)


def _join_texts(texts: pd.Series) -> str:
    """Join the distinct texts of a score's questions."""
    return " + ".join(sorted(set(texts) - {""}))


def _write_note(row: Mapping[Any, Any]) -> str:
    """Say what was left out of a score."""
    parts = [
        (row["n_without_label"], "{} without a label left out"),
        (row["n_without_weight"], "{} without a usable weight left out"),
    ]
    texts = [text.format(f"{int(count):,}") for count, text in parts if count]
    if row["is_mixed"]:
        texts.append("no score over all questions of this place: their scales differ")
    return "; ".join(texts)
