"""The scores this room knows, and what one answer is worth in each of them."""

from __future__ import annotations

import pandas as pd

from journeylib.data.problems import ArgumentError

__all__ = ["SCORES", "check_scales", "find_points"]

# metric: (role of the questions, kind of the estimate); the order is the order of every result
SCORES: dict[str, tuple[str, str]] = {
    "nps": ("nps", "nps"),
    "csat_mean": ("csat", "mean"),
    "csat_top2": ("csat", "share"),
    "ces_mean": ("ces", "mean"),
    "ces_top3": ("ces", "share"),
}


def find_points(answers: pd.DataFrame, *, metric: str) -> pd.Series:
    """Translate each answer into the points that it brings to one score.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer; columns ``role``, ``value``, ``scale_min``, ``scale_max``, oriented so that
        higher is better.
    metric : str
        One of nps, csat_mean, csat_top2, ces_mean, ces_top3.

    Returns
    -------
    pandas.Series
        One value an answer, on the same index: -1, 0 or 1 for nps (detractor 0-6, passive 7-8, promoter
        9-10), 0 or 1 for the two shares, scale points for the two means. Missing where the answer is
        missing, has another role, or (ces_top3) was not given on a scale from 1 to 7. Row order does not
        matter.

    Raises
    ------
    ValueError
        If the metric is not known.

    Notes
    -----
    The cuts are conventions of the field: NPS after Reichheld (2003), top two boxes for satisfaction,
    5 to 7 of "made it easy" for CES 2.0.

    Examples
    --------
    >>> answers = pd.DataFrame({"role": "nps", "value": [10.0, 8.0, 0.0], "scale_min": 0, "scale_max": 10})
    >>> find_points(answers, metric="nps").tolist()
    [1.0, 0.0, -1.0]
    """
    if metric not in SCORES:
        raise ArgumentError(f"metric is {metric!r}; expected one of {', '.join(SCORES)}")
    value = answers["value"]
    fits = answers["role"].eq(SCORES[metric][0]) & value.notna()
    if metric == "nps":
        points = value.ge(9).astype(float) - value.le(6).astype(float)
    elif metric == "csat_top2":
        points = value.ge(answers["scale_max"] - 1).astype(float)
    elif metric == "ces_top3":
        points = value.ge(5).astype(float)
        fits &= answers["scale_min"].eq(1) & answers["scale_max"].eq(7)
    else:
        points = value.astype(float)
    return points.where(fits)


def check_scales(answers: pd.DataFrame) -> None:
    """Refuse answers whose scale is not declared, does not fit the role, or is left by an answer.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer of role nps, csat or ces; columns ``question``, ``role``, ``value``,
        ``scale_min``, ``scale_max``. Missing values are not looked at.

    Returns
    -------
    None
        Nothing; the answers are fit to be scored. Row order does not matter.

    Raises
    ------
    ValueError
        If a scale is missing or upside down, an nps question is not declared from 0 to 10, an answer lies
        outside its scale, or an nps answer is not a whole number.

    Examples
    --------
    >>> answers = pd.DataFrame({"question": "Q1", "role": "csat", "value": [6.0]})
    >>> check_scales(answers.assign(scale_min=1, scale_max=5))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    journeylib.data.problems.ArgumentError: question Q1: 1 answers lie outside the scale 1 to 5, ...
    """
    answered = answers[answers["value"].notna()]
    ends = answered[["question", "role", "scale_min", "scale_max"]].drop_duplicates().sort_values("question")
    for question, role, low, high in ends.itertuples(index=False):
        if pd.isna(low) or pd.isna(high) or low >= high:
            raise ArgumentError(
                f"question {question}: role {role} needs a declared scale, found scale_min {low} and "
                f"scale_max {high}; declare both ends, the lower one first"
            )
        if role == "nps" and (low, high) != (0, 10):
            raise ArgumentError(
                f"question {question}: role nps needs the ends 0 and 10, found {low:g} and {high:g}; "
                "declare scale_min 0 and scale_max 10, or use the role csat"
            )
    value = answered["value"]
    _refuse(
        answered[(value < answered["scale_min"]) | (value > answered["scale_max"])], "lie outside the scale"
    )
    _refuse(answered[answered["role"].eq("nps") & value.mod(1).ne(0)], "are not whole numbers on the scale")


def _refuse(faulty: pd.DataFrame, what: str) -> None:
    """Raise for the first question that has faulty answers."""
    if faulty.empty:
        return
    first = faulty.sort_values(["question", "value"]).iloc[0]
    scale = f"{first['scale_min']:g} to {first['scale_max']:g}"
    count = int(faulty["question"].eq(first["question"]).sum())
    raise ArgumentError(
        f"question {first['question']}: {count} answers {what} {scale}, for instance {first['value']:g}; "
        "declare such codes as blank or not applicable, or mend the scale"
    )
