"""The metric registry: what each number of the review means. It is the glossary as well."""

from __future__ import annotations

import pandas as pd

from journeylib.review.behaviour_metrics import BEHAVIOUR_METRICS
from journeylib.review.metric_record import COUNT, NPS, WEIGHTED, WILSON, Metric, T
from journeylib.review.service_metrics import SERVICE_METRICS

__all__ = ["METRICS", "Metric", "explain", "list_metrics"]


METRICS: dict[str, Metric] = {
    "nps": Metric(
        "Net promoter score",
        "nps",
        "promoters (9-10) less detractors (0-6)",
        "answers on 0-10",
        NPS,
        minimum_effect=3,
    ),
    "csat_mean": Metric(
        "Satisfaction, mean", "points", "sum of the answers", "answers on the scale", T, minimum_effect=0.1
    ),
    "csat_top2": Metric(
        "Satisfied (top two)",
        "percent",
        "answers on the top two points",
        "answers on the scale",
        WILSON,
        minimum_effect=2,
    ),
    "ces_mean": Metric(
        "Ease, mean",
        "points",
        "sum of the answers, higher is easier",
        "answers on the scale",
        T,
        minimum_effect=0.1,
    ),
    "ces_top3": Metric(
        "Found it easy (5 to 7)", "percent", "answers 5 to 7", "answers on 1-7", WILSON, minimum_effect=2
    ),
    "response_rate": Metric(
        "Response rate",
        "percent",
        "customers with an event who answered",
        "customers with an event",
        WILSON,
        minimum_effect=1,
    ),
    "session_count": Metric(
        "Sessions", "count", "sessions that began", "", COUNT, better="neither", relative_effect=0.05
    ),
    "customer_count": Metric(
        "Customers seen", "count", "people with a session", "", COUNT, better="neither", relative_effect=0.05
    ),
    "events_per_session": Metric(
        "Events a session",
        "count",
        "events",
        "sessions that began",
        "t on people's sums, 95 %",
        better="neither",
        minimum_effect=0.2,
    ),
    "bounce_rate": Metric(
        "Sessions of one event",
        "percent",
        "sessions with one event",
        "sessions that began",
        WILSON,
        better="less",
        minimum_effect=2,
    ),
    "conversion_rate": Metric(
        "Conversion",
        "percent",
        "entrants who reached the last step in order within the window",
        "entrants whose window has closed",
        WILSON,
        "from the first step on",
        minimum_effect=1,
    ),
    "step_count": Metric(
        "Reached the step",
        "count",
        "those who reached the step",
        "",
        COUNT,
        "from the first step on",
        "neither",
        relative_effect=0.05,
    ),
    "step_conversion": Metric(
        "Went on to the step",
        "percent",
        "those who reached the step",
        "those who reached the step before",
        WILSON,
        "from the first step on",
        minimum_effect=2,
    ),
    "drop_off": Metric(
        "Drop-off before the step",
        "percent",
        "those who reached the step before and not this one",
        "those who reached the step before",
        WILSON,
        "from the first step on",
        "less",
        minimum_effect=2,
    ),
    "persona_share": Metric(
        "Share of the persona",
        "percent",
        "customers of the persona, found in 12 months of behaviour",
        "customers with three sessions or more in the 12 months to the period's end",
        WILSON,
        "the 12 months to the period's end",
        better="neither",
        minimum_effect=2,
    ),
    "reach_rate": Metric(
        "Met it",
        "percent",
        "people (or sessions) with an event at the touchpoint or in the stage",
        "people (or sessions) with an event",
        WILSON,
        better="neither",
        minimum_effect=2,
    ),
    "no_further_rate": Metric(
        "Came no further",
        "percent",
        "those who met nothing of a later stage, then or afterwards",
        "those who met the touchpoint",
        WILSON,
        better="less",
        minimum_effect=2,
    ),
    "stage_conversion": Metric(
        "Went on to a later stage",
        "percent",
        "those who met something of a later stage, then or afterwards",
        "those with an event in the stage",
        WILSON,
        minimum_effect=2,
    ),
}

for _name, _title, _told, _base, _better in (
    (
        "expectation_mean",
        "Expected, mean",
        "answers on what was expected",
        "also said what they found",
        "neither",
    ),
    (
        "perception_mean",
        "Found, mean",
        "answers on what was found",
        "also said what they had expected",
        "more",
    ),
    ("expectation_gap", "Found against expected", "found less expected", "answered both", "more"),
):
    METRICS[_name] = Metric(
        _title, "points", f"sum of {_told}", f"respondents who {_base}", T, "the period", _better, 0.1
    )
for _name, _title, _told in (
    ("acquiescence_index", "Agrees whatever is said", "above the middle of the scale less ticks below it"),
    ("extreme_index", "Ticks the ends of the scale", "at either end of the scale"),
    ("midpoint_index", "Ticks the middle of the scale", "in the middle of the scale"),
):
    _base = "a respondent's ticks on questions that have nothing to do with one another"
    METRICS[_name] = Metric(_title, "percent", f"ticks {_told}", _base, T, "the period", "neither", 5)
METRICS |= BEHAVIOUR_METRICS | SERVICE_METRICS

_SCORES = ("nps", "csat_mean", "csat_top2", "ces_mean", "ces_top3")
for _name in _SCORES:
    _plain = METRICS[_name]
    METRICS[f"{_name}_weighted"] = Metric(
        f"{_plain.title}, weighted",
        _plain.unit,
        f"{_plain.numerator}, each with its weight",
        f"{_plain.denominator}, each with its weight",
        _plain.interval + WEIGHTED,
        minimum_effect=_plain.minimum_effect,
    )

for _name in ("csat_mean", "ces_mean"):
    METRICS[f"{_name}_adjusted"] = Metric(
        f"{METRICS[_name].title}, less response style",
        "points",
        "sum of the answers, each less how high its respondent ticks on unrelated questions",
        "answers of respondents whose style is known",
        T,
        minimum_effect=METRICS[_name].minimum_effect,
    )


def list_metrics(names: list[str] | None = None) -> pd.DataFrame:
    """Return the glossary: one row is one metric.

    Parameters
    ----------
    names : list of str or None
        The metrics to list; None lists all.

    Returns
    -------
    DataFrame
        metric, title, unit, numerator, denominator, interval, window, better, minimum_effect (in the unit,
        or in percent of the value before, in words).

    Examples
    --------
    >>> list_metrics(["nps"]).loc[0, "denominator"]
    'answers on 0-10'
    """
    rows = []
    for name, metric in METRICS.items():
        if names is None or name in names:
            effect = (
                f"{metric.relative_effect:.0%} of the value before"
                if metric.relative_effect
                else f"{metric.minimum_effect:g}"
            )
            fields = [
                metric.title,
                metric.unit,
                metric.numerator,
                metric.denominator,
                metric.interval,
                metric.window,
                metric.better,
            ]
            rows.append([name, *fields, effect])
    columns = [
        "metric",
        "title",
        "unit",
        "numerator",
        "denominator",
        "interval",
        "window",
        "better",
        "minimum_effect",
    ]
    return pd.DataFrame(rows, columns=columns)


def explain(name: str) -> pd.Series:
    """Return one metric's definition.

    Parameters
    ----------
    name : str
        The metric's name in findings.csv, such as ``ces_mean``.

    Returns
    -------
    Series
        One entry a part of the definition.

    Raises
    ------
    ValueError
        If the registry does not know the name.

    Examples
    --------
    >>> explain("nps")["unit"]
    'nps'
    """
    if name not in METRICS:
        raise ValueError(f"no metric {name!r}; there are {', '.join(METRICS)}")
    return list_metrics([name]).iloc[0]
