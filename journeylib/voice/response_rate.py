"""The share of active customers who answered the survey."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from journeylib.evidence import covariance, estimate, sum_by_person
from journeylib.voice.measures import build_measures
from journeylib.voice.respondents import PERIODS

__all__ = ["measure_response_rate"]


def measure_response_rate(
    responses: pd.DataFrame,
    active_customers: Mapping[str, Collection[str]],
    *,
    answers: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Measure the share of a period's active customers who answered its survey.

    Parameters
    ----------
    responses : pandas.DataFrame
        One row is one respondent in one wave: ``response``, ``customer`` and, unless there is one period
        only, ``which``.
    active_customers : mapping of str to collection of str
        Per period (reviewed, previous, year_ago) the customers who were active in it; doubles count once.
    answers : pandas.DataFrame, optional
        One row is one answer. Given, a respondent counts only with at least one answer that has a value.

    Returns
    -------
    pandas.DataFrame
        One row is one period, in the columns of a measure table: ``metric`` response_rate,
        ``unit_of_analysis`` people, value and Wilson interval in percent, ``n`` active customers,
        ``covariance`` with the reviewed period from customers active in both, and ``n_not_active``:
        customers who answered without having been active, left out. Respondents without a customer can't
        be counted. A period without active customers has no row. Row order does not matter.

    Raises
    ------
    ValueError
        If ``responses`` has no column ``customer``, or none called ``which`` although there are several
        periods.

    Examples
    --------
    >>> responses = pd.DataFrame({"response": [1, 2], "customer": ["a", "z"]})
    >>> rate = measure_response_rate(responses, {"reviewed": ["a", "b", "c", "d"]})
    >>> rate[["metric", "value", "n", "n_not_active"]].values.tolist()
    [['response_rate', 25.0, 4, 1]]
    """
    if "customer" not in responses:
        raise ValueError(
            "responses: column customer is missing; without it nobody can be called a customer who answered"
        )
    if "which" not in responses and len(active_customers) > 1:
        raise ValueError(
            "responses: column which is missing; with several periods each response needs its period"
        )
    if answers is not None:
        valued = answers.loc[answers["value"].notna(), "response"]
        responses = responses[responses["response"].isin(valued)]
    rows: list[dict[str, object]] = []
    sums: dict[str, pd.DataFrame] = {}
    for which in [name for name in PERIODS if len(active_customers.get(name, ()))]:
        own = responses[responses["which"].eq(which)] if "which" in responses else responses
        answered = set(own["customer"].dropna()) - {""}
        active = sorted(customer for customer in set(active_customers[which]) if pd.notna(customer))
        values = np.array([customer in answered for customer in active], dtype=float)
        sums[which] = sum_by_person(values, people=active)
        shared = np.nan
        if which != "reviewed":
            shared = covariance("share", sums["reviewed"], sums[which]) if "reviewed" in sums else 0.0
        labels = {"metric": "response_rate", "unit_of_analysis": "people", "which": which}
        found = estimate("share", values, people=active)
        rows.append({**labels, **found, "covariance": shared, "n_not_active": len(answered - set(active))})
    return build_measures(rows, counts=["n_not_active"])
