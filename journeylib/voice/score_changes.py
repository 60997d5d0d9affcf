"""Why a score moved: who answered (mix) against how each segment fared (rate)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from journeylib.evidence import split_mix_and_rate
from journeylib.voice.respondents import list_respondents, prepare_survey, read_by
from journeylib.voice.scales import SCORES
from journeylib.voice.units import average_units, select_questions

__all__ = ["split_score_change"]

NO_LABEL = "(no label)"
_COLUMNS = [
    *("metric", "stage", "touchpoint", "segment", "share_before", "share_now", "score_before", "score_now"),
    *("n_before", "n", "change", "mix", "rate"),
]


def split_score_change(
    answers: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    metric: str,
    by: str | Sequence[str],
    before: str = "previous",
) -> pd.DataFrame:
    """Split the change of a score into mix (who answered) and rate (how they scored), per segment.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer to one question, with a column ``which``; as for ``score_answers``.
    responses : pandas.DataFrame, optional
        One row is one respondent in one wave; as for ``score_answers``.
    metric : str
        One of nps, csat_mean, csat_top2, ces_mean, ces_top3, or the same with ``_weighted``: shares and
        scores then weigh each respondent, and those without a usable weight are left out.
    by : str or sequence of str
        One ``segment.<name>``, and perhaps ``touchpoint`` or ``stage``; without these the headline is split.
    before : str, default "previous"
        The period to compare with: ``previous`` or ``year_ago``.

    Returns
    -------
    pandas.DataFrame
        One row is one segment of one place: ``metric``, ``stage``, ``touchpoint``, ``segment``
        (column=label), ``share_before``, ``share_now`` (percent of the respondents), ``score_before``,
        ``score_now`` (missing where nobody of the segment answered), ``n_before``, ``n`` (respondents),
        ``change``, ``mix`` and ``rate`` in the score's unit. A last row a place, with segment "", has the
        totals: its scores are those of ``score_answers``, and mix and rate sum to its change. Respondents
        without a label are a segment of their own, ``column=(no label)``, since the parts would not add up
        otherwise. A place without answers in one of the periods has no row. Row order does not matter.

    Raises
    ------
    ValueError
        If ``metric``, ``by`` or ``before`` is not understood, or a scale is not declared or does not fit.

    Notes
    -----
    Midpoint decomposition (Kitagawa 1955), see ``split_mix_and_rate``. Where question or scale changed
    between the periods, the change means nothing and so do its parts: compare ``series`` of ``score_answers``
    first.

    Examples
    --------
    >>> answers = pd.DataFrame(
    ...     {"response": [1, 2, 3, 4], "value": [5, 1, 5, 5], "segment.plan": ["a", "b", "a", "a"]}
    ... ).assign(question="Q1", role="csat", scale_min=1, scale_max=5)
    >>> answers["which"] = ["previous", "previous", "reviewed", "reviewed"]
    >>> parts = split_score_change(answers, metric="csat_mean", by="segment.plan")
    >>> parts[["segment", "change", "mix", "rate"]].values.tolist()
    [['plan=a', 2.5, 2.5, 0.0], ['plan=b', -0.5, -0.5, 0.0], ['', 2.0, 2.0, 0.0]]
    """
    places, segment = read_by(by)
    plain, weighted = metric.removesuffix("_weighted"), metric.endswith("_weighted")
    if plain not in SCORES:
        raise ValueError(f"metric is {metric!r}; expected one of {', '.join(SCORES)}, or one with _weighted")
    if not segment:
        raise ValueError("by holds no segment column; expected one such as segment.problem")
    if before not in ("previous", "year_ago"):
        raise ValueError(f"before is {before!r}; expected previous or year_ago")
    answers, responses = prepare_survey(answers, responses)
    people = list_respondents(answers, responses, segment=segment, weighted=weighted)
    asked = select_questions(answers, people, places=places)
    units = average_units(asked[asked["item"].eq("")], metric=plain)
    units = units[units["weight"].notna() & units["which"].isin(["reviewed", before])]
    tables = []
    for _, group in units.groupby(["stage", "touchpoint"]):
        if group["which"].nunique() == 2:
            place = {name: group[name].iloc[0] for name in ("stage", "touchpoint")}
            unit = 1.0 if SCORES[plain][1] == "mean" else 100.0
            tables.append(_split_place(group, segment=segment, unit=unit).assign(metric=metric, **place))
    return pd.concat(tables, ignore_index=True)[_COLUMNS] if tables else _make_empty()


def _split_place(units: pd.DataFrame, *, segment: str, unit: float) -> pd.DataFrame:
    """Split the change of one place."""
    name = segment.removeprefix("segment.")
    label = name + "=" + units["label"].astype("str").fillna(NO_LABEL)
    sums = pd.DataFrame(
        {
            "label": label,
            "is_now": units["which"].eq("reviewed"),
            "weight": units["weight"],
            "total": units["weight"] * units["points"] * unit,
            "n": 1,
        }
    )
    sums = sums.groupby(["is_now", "label"]).sum()
    scores = sums["total"] / sums["weight"]
    parts = split_mix_and_rate(
        sums["weight"].loc[False], scores.loc[False], sums["weight"].loc[True], scores.loc[True]
    )
    for column, is_now in (("n_before", False), ("n", True)):
        counts = sums["n"].loc[is_now]
        parts[column] = counts.reindex(parts.index, fill_value=0)
        parts.loc["", column] = counts.sum()
    parts[["share_before", "share_now"]] *= 100
    return (
        parts.astype({"n_before": "int64", "n": "int64"})
        .rename_axis("segment")
        .reset_index()
        .astype({"segment": "str"})
    )


def _make_empty() -> pd.DataFrame:
    """Lay out the table without rows."""
    texts = dict.fromkeys(_COLUMNS[:4], "str")
    counts = {"n_before": "int64", "n": "int64"}
    return pd.DataFrame(columns=_COLUMNS).astype({**dict.fromkeys(_COLUMNS, "float64"), **texts, **counts})
