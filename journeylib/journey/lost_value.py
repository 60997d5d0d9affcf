"""Lost value: the people lost before each step of a funnel, and the sales that went with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from scipy import stats

from journeylib.data.problems import ArgumentError
from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME, Events, open_events
from journeylib.journey.measuring import MEASURE_COLUMNS, cut_periods
from journeylib.journey.outcomes import NoUnitsError, sum_outcomes
from journeylib.journey.steps import match_steps, parse_steps

__all__ = ["measure_lost_value"]


def measure_lost_value(
    events: Events,
    funnel: str,
    steps: Sequence[str],
    *,
    periods: Mapping[str, tuple[int, int]],
    unit: str = "people",
    order: str = "ordered",
    within: str | float | pd.Timedelta | None = None,
    as_of: int | str | pd.Timestamp | None = None,
    order_value: float | None = None,
) -> pd.DataFrame:
    """Measure how many are lost before each step, and what they would have bought.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        As for `count_funnel`; without `order_value` with `value`, in money, at the last step's events.
    funnel : str
        The funnel's name, the start of `item`.
    steps : sequence of str
        As for `count_funnel`, at least two.
    periods : mapping
        `reviewed`, `previous`, `year_ago` to (start, end) in microseconds UTC, [start, end).
    unit, order, within, as_of
        As for `count_funnel`.
    order_value : float, optional
        The mean value of an order, taken as known; else the mean `value` of the last step's events in the
        period, whose own uncertainty is in the interval.

    Returns
    -------
    pandas.DataFrame
        The measure table, from the second step on (item `<funnel>/<step>`): `lost_count` (units at the step
        before that did not make this one) and, where orders have a value, `value_lost` (money).

    Raises
    ------
    ArgumentError
        As for `count_funnel`, with fewer than two steps, or an order value below 0.

    Notes
    -----
    Value lost = units lost before the step x share of those who made the step that came to the last one x
    mean order: what they would have bought had they gone on like the others. They may differ from those, and
    some come back later, so it is a size, not a forecast. Intervals: Wald on the parts of each person, by
    linearisation of the product (the delta method); a person's units count as one draw.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [1, 2, 3],
    ...     "name": ["view", "buy", "view"], "value": [None, 20.0, None]})
    >>> found = measure_lost_value(events, "shop", ["event:view", "event:buy"], periods={"reviewed": (0, 9)})
    >>> found[["metric", "item", "value"]].values.tolist()
    [['lost_count', 'shop/event:buy', 1.0], ['value_lost', 'shop/event:buy', 20.0]]
    """
    parsed = parse_steps(steps)
    if len(parsed) < 2:
        raise ArgumentError("a funnel needs two steps or more before anybody can be lost between them")
    if order_value is not None and not order_value >= 0:
        raise ArgumentError(f"order_value must be 0 or more, found {order_value!r}")
    cut_periods(periods)
    options: dict[str, Any] = {"unit": unit, "order": order, "within": within, "as_of": as_of}
    try:
        sums = sum_outcomes(events, parsed, periods=periods, segments=[], **options)
    except NoUnitsError:
        return pd.DataFrame(columns=list(MEASURE_COLUMNS))
    rows: list[dict[str, Any]] = []
    parts: dict[tuple[str, str, str], pd.Series] = {}
    for which in sorted(periods, key=lambda name: name != "reviewed"):
        group = sums[sums["which"] == which].set_index("person").sort_index()
        mean, error = (
            (order_value, 0.0) if order_value is not None else _read_mean(events, steps[-1], periods[which])
        )
        for number, step in enumerate(parsed[1:], 2):
            for metric, found in _estimate(group, number, len(parsed), mean, error).items():
                key = (metric, f"{funnel}/{step.label}", which)
                parts[key] = found.pop("parts")
                shared = _covary(parts, key)
                rows.append({"metric": metric, "item": key[1], "which": which, **found, "covariance": shared})
    table = pd.DataFrame(rows, columns=list(MEASURE_COLUMNS))
    texts = dict.fromkeys(["stage", "touchpoint", "persona", "segment", "note"], "")
    table = table.assign(**texts, unit_of_analysis=unit, method="delta_method_by_person", kind="count")
    return table.reset_index(drop=True)


def _read_mean(events: Events, last: str, period: tuple[int, int]) -> tuple[float | None, float]:
    """Give the mean value of the last step's events in the period and its standard error."""
    step = parse_steps([last])
    frame = open_events(events, required=[TIME, step[0].column], optional=["value"])
    if "value" not in frame.columns:
        return None, 0.0
    matches = match_steps(frame, step)
    inside = (nw.col(TIME) >= period[0]) & (nw.col(TIME) < period[1])
    found = collect_table(matches.frame.filter(matches.can_serve(0) & inside).select("value"))
    values = np.sort(found["value"].dropna().to_numpy(float))
    if not len(values):
        return None, 0.0
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else np.nan


def _estimate(
    group: pd.DataFrame, number: int, last: int, mean: float | None, error: float
) -> dict[str, dict[str, Any]]:
    """Estimate what was lost before a step; `parts` is each person's share of the value's uncertainty."""
    columns = [f"lost_{number}", f"reached_{number}", f"reached_{last}"]
    lost, made, bought = (group[name].astype(float) for name in columns)
    n = int(lost.sum())
    found = {"lost_count": _describe(float(n), lost, 0.0, n)}
    if mean is not None and made.sum() > 0:
        goes_on = bought.sum() / made.sum()
        part = mean * (goes_on * lost + n * (bought - goes_on * made) / made.sum())
        found["value_lost"] = _describe(n * goes_on * mean, part, n * goes_on * error, n)
    return found


def _describe(value: float, parts: pd.Series, error: float, n: int) -> dict[str, Any]:
    variance = float((parts**2).sum() + error**2)
    reach = stats.norm.isf(0.025) * variance**0.5
    effective = value**2 / variance if variance > 0 else 0.0
    ends = {"low": max(value - reach, 0.0), "high": value + reach}
    return {"value": value, **ends, "n": n, "n_effective": effective, "parts": parts}


def _covary(parts: Mapping[tuple[str, str, str], pd.Series], key: tuple[str, str, str]) -> float:
    """Sum, over the people in both periods, the products of their parts."""
    if key[2] == "reviewed":
        return np.nan
    now = parts.get((key[0], key[1], "reviewed"))
    return 0.0 if now is None else float((now * parts[key].reindex(now.index)).sum())
