"""Funnels: how many people, sessions or baskets come how far, and where the others are lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from journeylib.evidence.estimates import estimate_from_sums
from journeylib.journey.frames import Events
from journeylib.journey.measuring import MEASURE_COLUMNS, Measure, tabulate_measures
from journeylib.journey.outcomes import NoUnitsError, describe_funnel, sum_outcomes
from journeylib.journey.steps import Step, parse_steps

__all__ = ["count_funnel", "measure_funnel"]

_WHOLE = "all"
_SUMS = ("reached_", "censored")


def count_funnel(
    events: Events,
    steps: Sequence[str],
    *,
    unit: str = "people",
    order: str = "ordered",
    within: str | float | pd.Timedelta | None = None,
    periods: Mapping[str, tuple[int, int]] | None = None,
    as_of: int | str | pd.Timestamp | None = None,
    by: str | Sequence[str] | None = None,
    attempts: str = "first",
    exclude: Sequence[str] = (),
) -> pd.DataFrame:
    """Count how many units reach each step of a funnel.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event; needs `occurred_at`, `name`, the columns that the steps name, and `customer`,
        `session` or `basket` for the unit. Row order does not matter.
    steps : sequence of str
        Touchpoints, `event:NAME` or `stage:NAME`; a step may be listed again and then needs another event.
    unit : str
        `people` (events without a customer are left out), `sessions` or `baskets`.
    order : str
        `ordered`: each step strictly later than the one before, anything between them; the earliest next
        step is taken. `strict`: the steps directly after each other, nothing between them, from any entry
        event in the period; the longest run counts. `any`: in any order around the entry; a unit reaches
        step k if different events serve all of the first k steps.
    within : str, float or Timedelta, optional
        Window from the entry to the last step, `7D` or a number of days, its end included; for `any` as
        long before the entry as after it. Without one, people are followed to the period's end, sessions
        and baskets to their own.
    periods : mapping, optional
        Name to (start, end) in microseconds UTC, [start, end). Without it the whole table, `all`.
    as_of : int, str or Timestamp, optional
        What was known when, microseconds UTC or a time (UTC); later events are not looked at. Default: the
        last event.
    by : str or sequence of str, optional
        Columns of which each label is a segment; a unit has the label of its entry event.
    attempts : str
        `first`: what followed the entry. `every`: each unit counts as often as it sets out; the next attempt
        starts at the first event of the first step after the former one has closed, by its last step, by an
        excluded step or by the end of its window. Only in order `ordered`.
    exclude : sequence of str
        Steps after which a unit is lost: what comes after the first of them since its entry does not count.
        Only in order `ordered`.

    Returns
    -------
    pandas.DataFrame
        One row is one step in one period and segment (empty: all): `which`, `segment`, `unit_of_analysis`,
        `step` (1, 2, ...), `label`, `n` (units that reach it), `entrants`, `lost` (units that reached the
        step before and not this one), `conversion` (percent of entrants) with `low`, `high`, `n_effective`,
        `step_conversion` (percent of the step before, missing for the first) with `step_low`, `step_high`,
        `step_n_effective`, `drop_off` (100 - step_conversion) with `drop_off_low`, `drop_off_high`, and
        `n_censored` (entrants left out because their window has not closed). `n` never rises.
        ``attrs["funnel"]`` holds steps, unit, order and window, for `select_customers` and `write_project`.

    Raises
    ------
    ValueError
        Where a column is missing, a step matches nothing in the whole table, no event has the unit, or an
        option is unknown.

    Notes
    -----
    Entrants are units with an event of the first step in the period; the first such event in the period is
    their entry, and there is no second attempt but for `strict` and where `attempts` is `every`. Intervals:
    Wilson (Newcombe 1998), for sessions, baskets and attempts on the effective n, clustered by person.
    Entrants whose entry + window lies after `as_of` are censored, whether they converted or not; without a
    window nobody is. Events known by their day only are neither before nor after other events of that day.

    Examples
    --------
    >>> events = pd.DataFrame(
    ...     {"customer": list("aaab"), "occurred_at": [1, 2, 3, 4], "name": ["view", "view", "buy", "view"]}
    ... )
    >>> count_funnel(events, ["event:view", "event:buy"])[["label", "n", "drop_off"]]
            label  n  drop_off
    0  event:view  2       NaN
    1   event:buy  1      50.0
    """
    parsed = parse_steps(steps)
    segments = [by] if isinstance(by, str) else list(by or [])
    options: dict[str, Any] = {"unit": unit, "order": order, "within": within, "as_of": as_of}
    options |= {"attempts": attempts, "exclude": exclude}
    named: dict[str, tuple[int, int] | None] = dict(periods) if periods is not None else {_WHOLE: None}
    sums = sum_outcomes(events, parsed, periods=named, segments=segments, by_person=False, **options)
    rows = []
    for which in named:
        here = sums[sums["which"] == which]
        for segment in sorted({"", *here["segment"]}):
            group = here[here["segment"] == segment]
            place = {"which": which, "segment": segment, "unit_of_analysis": unit}
            rows += [{**place, **row} for row in _describe_steps(group, parsed)]
    table = pd.DataFrame(rows)
    table.attrs["funnel"] = describe_funnel(steps, **options)
    return table


def measure_funnel(
    events: Events,
    funnel: str,
    steps: Sequence[str],
    *,
    periods: Mapping[str, tuple[int, int]],
    unit: str = "people",
    order: str = "ordered",
    within: str | float | pd.Timedelta | None = None,
    as_of: int | str | pd.Timestamp | None = None,
    by: str | Sequence[str] | None = None,
    attempts: str = "first",
    exclude: Sequence[str] = (),
) -> pd.DataFrame:
    """Measure a funnel's conversion and drop-off for a review.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        As for `count_funnel`.
    funnel : str
        The funnel's name, the start of `item`.
    steps : sequence of str
        As for `count_funnel`.
    periods : mapping
        `reviewed`, `previous`, `year_ago` to (start, end) in microseconds UTC, [start, end).
    unit, order, within, as_of, by, attempts, exclude
        As for `count_funnel`.

    Returns
    -------
    pandas.DataFrame
        The measure table: one row is one metric in one segment (empty: all) and period. `conversion_rate`
        (item `<funnel>`; percent of entrants that reach the last step), `step_count` (item
        `<funnel>/<step>`; units), `step_conversion` and `drop_off` (item `<funnel>/<step>`, from the second
        step on; percent of the units at the step before). `note` says how many entrants were left out.
        No rows where no event has a customer and the unit is people, nor for a period without entrants.

    Raises
    ------
    ValueError
        As for `count_funnel`.

    Notes
    -----
    Units of one person are not independent: effective n by person. `covariance` with the reviewed period
    comes from people in both.

    Examples
    --------
    >>> names = ["view", "buy", "view"]
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [1, 2, 3], "name": names})
    >>> found = measure_funnel(events, "shop", ["event:view", "event:buy"], periods={"reviewed": (0, 9)})
    >>> found[["metric", "item", "value"]].values.tolist()[:2]
    [['conversion_rate', 'shop', 50.0], ['step_count', 'shop/event:view', 2.0]]
    """
    parsed = parse_steps(steps)
    segments = [by] if isinstance(by, str) else list(by or [])
    try:
        sums = sum_outcomes(
            events,
            parsed,
            unit=unit,
            order=order,
            within=within,
            periods=periods,
            as_of=as_of,
            segments=segments,
            attempts=attempts,
            exclude=exclude,
        )
    except NoUnitsError:
        return pd.DataFrame(columns=list(MEASURE_COLUMNS))
    table = tabulate_measures(sums, _list_measures(funnel, parsed, unit), which=list(periods))
    left_out = sums.groupby(["which", "segment"])["censored"].sum()
    counts = [left_out[key] for key in zip(table["which"], table["segment"], strict=True)]
    notes = [f"{count} {unit} left out, their window has not closed" if count else "" for count in counts]
    return table.assign(note=notes)


def _list_measures(funnel: str, steps: Sequence[Step], unit: str) -> list[Measure]:
    items = {number: f"{funnel}/{step.label}" for number, step in enumerate(steps, 1)}
    measures = [
        Measure(
            "conversion_rate", "share", unit, units="reached_1", total=f"reached_{len(steps)}", item=funnel
        )
    ]
    for number, item in items.items():
        measures.append(Measure("step_count", "count", unit, units=f"reached_{number}", item=item))
    for metric, total in (("step_conversion", "reached"), ("drop_off", "lost")):
        for number in range(2, len(steps) + 1):
            before, here = f"reached_{number - 1}", f"{total}_{number}"
            measures.append(Measure(metric, "share", unit, units=before, total=here, item=items[number]))
    return measures


def _describe_steps(group: pd.DataFrame, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Describe each step in one row, from one row for all people with the same sums."""
    people = group["people"].to_numpy()
    group = pd.DataFrame(
        {name: np.repeat(group[name].to_numpy(), people) for name in group if str(name).startswith(_SUMS)}
    )
    entered = group["reached_1"]
    rows: list[dict[str, Any]] = []
    for number, step in enumerate(steps, 1):
        here = group[f"reached_{number}"]
        share = estimate_from_sums("share", here, entered)
        row = {"step": number, "label": step.label, "n": int(here.sum()), "entrants": int(entered.sum())}
        before = group[f"reached_{number - 1}"] if number > 1 else None
        on = estimate_from_sums("share", here, before) if before is not None else dict.fromkeys(share, np.nan)
        row["lost"] = int(before.sum() - here.sum()) if before is not None else 0
        row |= {
            "conversion": share["value"],
            **{name: share[name] for name in ("low", "high", "n_effective")},
        }
        row |= {"step_conversion": on["value"], "step_low": on["low"], "step_high": on["high"]}
        row |= {"step_n_effective": on["n_effective"], "drop_off": 100 - on["value"]}
        row |= {"drop_off_low": 100 - on["high"], "drop_off_high": 100 - on["low"]}
        rows.append({**row, "n_censored": int(group["censored"].sum())})
    return rows
