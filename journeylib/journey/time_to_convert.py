"""Time to convert: how long from the first step to the last, and how much longer than it should take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from journeylib.evidence.effective_n import clustered_effective_n
from journeylib.evidence.survival import estimate_survival, find_median_time
from journeylib.journey.frames import Events
from journeylib.journey.measuring import MEASURE_COLUMNS, name_segments
from journeylib.journey.medians import covary_medians, draw_people
from journeylib.journey.outcomes import NoUnitsError
from journeylib.journey.step_times import read_step_times, read_window
from journeylib.journey.steps import Step, parse_steps
from journeylib.journey.unit_measures import UnitMeasure, measure_placed_units

__all__ = ["measure_time_to_convert", "trace_time_to_convert"]

MINUTE = 60_000_000


def trace_time_to_convert(
    events: Events,
    steps: Sequence[str],
    *,
    unit: str = "people",
    within: str | float | pd.Timedelta | None = None,
    periods: Mapping[str, tuple[int, int]] | None = None,
    as_of: int | str | pd.Timestamp | None = None,
    by: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """Trace the share that has come to the last step, by the time since the first.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event; as for `count_funnel`. Row order does not matter.
    steps : sequence of str
        Touchpoints, `event:NAME` or `stage:NAME`, at least two; each is strictly later than the one before.
    unit : str
        `people`, `sessions` or `baskets`.
    within : str, float or Timedelta, optional
        For how long a unit is followed, `7D` or a number of days, the end included. Without it until `as_of`
        (people: until the period's end).
    periods : mapping, optional
        Name to (start, end) in microseconds UTC, [start, end), in which the first step lies.
    as_of : int, str or Timestamp, optional
        What was known when. Default: the last event.
    by : str or sequence of str, optional
        Segment columns; a unit has the label of its first step's event.

    Returns
    -------
    pandas.DataFrame
        One row is one time at which somebody converted or was last seen, in one period and segment (empty:
        all): `which`, `segment`, `minutes`, `at_risk`, `converted`, `censored` (units), `share` (percent that
        has converted by then) with `low` and `high`, and `median_minutes` with `median_low` and `median_high`
        (the same in each row of a curve; missing where fewer than half convert).

    Raises
    ------
    ValueError
        As for `count_funnel`, and with fewer than two steps.

    Notes
    -----
    Kaplan-Meier, where those who have not converted yet are censored at the end of the time for which they
    could be followed: the interval is log-log (see `estimate_survival`), with the effective n by person where
    a person has several units.

    Examples
    --------
    >>> names = ["view", "buy", "view", "view"]
    >>> events = pd.DataFrame({"customer": list("aabc"), "name": names})
    >>> events["occurred_at"] = [0, 2 * MINUTE, 0, 5 * MINUTE]
    >>> curve = trace_time_to_convert(events, ["event:view", "event:buy"])
    >>> curve[["minutes", "share"]].values.tolist()
    [[0.0, 0.0], [2.0, 50.0], [5.0, 50.0]]
    """
    lines = _read_lines(events, steps, unit, within, periods, as_of, by)
    curves = []
    for which in dict.fromkeys(lines["which"]):
        for segment in sorted(set(lines.loc[lines["which"] == which, "segment"])):
            here = lines[(lines["which"] == which) & (lines["segment"] == segment)]
            curves.append(_describe_curve(here).assign(which=which, segment=segment))
    names = ["which", "segment", "minutes", "at_risk", "converted", "censored", "share", "low", "high"]
    names += ["median_minutes", "median_low", "median_high"]
    return pd.concat(curves, ignore_index=True)[names] if curves else pd.DataFrame(columns=names)


def _read_lines(
    events: Events,
    steps: Sequence[str],
    unit: str,
    within: str | float | pd.Timedelta | None,
    periods: Mapping[str, tuple[int, int]] | None,
    as_of: int | str | pd.Timestamp | None,
    by: str | Sequence[str] | None,
) -> pd.DataFrame:
    """One row a unit, period and segment: how many minutes it was followed, and whether it converted."""
    if len(steps) < 2:
        raise ValueError(f"time to convert needs two steps or more, found {list(steps)!r}")
    segments = [by] if isinstance(by, str) else list(by or [])
    options: dict[str, Any] = {"unit": unit, "within": within, "periods": periods, "as_of": as_of}
    times = read_step_times(events, steps, columns=segments, **options)
    window, last = read_window(within), times[f"time_{len(steps)}"]
    ends = times["as_of"].astype("Int64")
    if window is not None:
        ends = ends.clip(upper=times["time_1"] + window)
    elif periods is not None and unit == "people":
        closes = times["which"].map({which: end - 1 for which, (_, end) in periods.items()}).astype("Int64")
        ends = ends.where(ends < closes, closes)
    minutes = (last.fillna(ends) - times["time_1"]).astype("float64") / MINUTE
    lines = times.assign(duration=minutes, has_ended=last.notna())
    parts = [name_segments(lines, "")]
    parts += [lines.assign(segment=name_segments(lines[[name]], name)["segment"].array) for name in segments]
    return pd.concat(parts, ignore_index=True)


def _describe_curve(lines: pd.DataFrame) -> pd.DataFrame:
    """Describe one curve, with its median in each row."""
    by_person = lines.groupby("person")["has_ended"].agg(["sum", "count"])
    effective = clustered_effective_n(by_person["sum"], by_person["count"])
    survival = estimate_survival(lines["duration"], lines["has_ended"], n_effective=effective)
    median = find_median_time(survival)
    curve = survival.rename(columns={"time": "minutes", "ended": "converted", "high": "_high", "low": "_low"})
    curve = curve.assign(share=100 * (1 - curve["lasting"]))
    curve = curve.assign(low=100 * (1 - curve["_high"]), high=100 * (1 - curve["_low"]))
    medians = {"median_minutes": median["median"], "median_low": median["low"], "median_high": median["high"]}
    return curve.assign(**medians, n_effective=effective)


def measure_time_to_convert(
    events: Events,
    funnel: str,
    steps: Sequence[str],
    *,
    periods: Mapping[str, tuple[int, int]],
    unit: str = "people",
    within: str | float | pd.Timedelta | None = None,
    as_of: int | str | pd.Timestamp | None = None,
    by: str | Sequence[str] | None = None,
    targets: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Measure the median time to convert, and the time that each step takes above its target.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        As for `trace_time_to_convert`.
    funnel : str
        The funnel's name, the start of `item`.
    steps : sequence of str
        As for `count_funnel`, at least two.
    periods : mapping
        `reviewed`, `previous`, `year_ago` to (start, end) in microseconds UTC, [start, end).
    unit, within, as_of, by
        As for `trace_time_to_convert`.
    targets : mapping, optional
        Step (its label) to the minutes that it should take from the step before. Another step's target is the
        median of those who converted in the reviewed period (else: in the first period with any).

    Returns
    -------
    pandas.DataFrame
        The measure table: one row is one metric in one segment (empty: all) and period. `minutes_to_convert`
        (item `<funnel>`; Kaplan-Meier median; no row where fewer than half convert), `excess_minutes` (item
        `<funnel>/<step>`, from the second step on; the mean, over the units that made the step and whose
        window has closed, of the minutes above the target; who was faster counts 0). `note` says the target.

    Raises
    ------
    ValueError
        As for `count_funnel`; where a target names no step or lies below 0.

    Notes
    -----
    Excess: percentile bootstrap by person. One target serves all periods, so that these can be compared, and
    is taken as given: its own uncertainty is not in the interval. The excess of units that gave up is not
    known and not in it.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": list("aabbcc"), "name": ["view", "buy"] * 3})
    >>> events["occurred_at"] = [0, 2 * MINUTE, 0, 4 * MINUTE, 0, 9 * MINUTE]
    >>> steps, periods = ["event:view", "event:buy"], {"reviewed": (0, 99 * MINUTE)}
    >>> found = measure_time_to_convert(events, "shop", steps, periods=periods, targets={"event:buy": 3})
    >>> found[["metric", "item", "value"]].round(2).values.tolist()
    [['minutes_to_convert', 'shop', 4.0], ['excess_minutes', 'shop/event:buy', 2.33]]
    """
    parsed = parse_steps(steps)
    _check_targets(targets or {}, parsed)
    try:
        lines = _read_lines(events, steps, unit, within, periods, as_of, by)
    except NoUnitsError:
        return pd.DataFrame(columns=list(MEASURE_COLUMNS))
    tables = [_tabulate_medians(lines, funnel, unit, list(periods))]
    closed = lines[~lines["is_censored"].astype(bool)]
    for number, step in enumerate(parsed[1:], 2):
        took = (closed[f"time_{number}"] - closed[f"time_{number - 1}"]).astype("Float64") / MINUTE
        target, words = _choose_target(closed, took, step, targets or {}, list(periods), len(parsed))
        timed = closed.assign(excess=(took - target).clip(lower=0))
        excess = UnitMeasure("excess_minutes", "mean", unit, "excess", item=f"{funnel}/{step.label}")
        table = measure_placed_units(timed, [excess], which=list(periods)).assign(note=words)
        tables.append(_bootstrap_means(table, timed))
    found = [table for table in tables if len(table)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(MEASURE_COLUMNS))


def _bootstrap_means(table: pd.DataFrame, timed: pd.DataFrame) -> pd.DataFrame:
    """Replace the t intervals, which would reach below 0, by percentiles of means of drawn people."""
    ends: list[tuple[float, float]] = []
    for _, row in table.iterrows():
        here = timed[(timed["which"] == row["which"]) & (timed["segment"] == row["segment"])]
        by_person = here.dropna(subset=["excess"]).groupby("person")["excess"].agg(["sum", "count"])
        total, units = by_person.astype(float).sort_values(["sum", "count"]).to_numpy().T
        drawn = draw_people(len(total), rows=len(total), n_resamples=2000, random_state=0)
        means = np.concatenate([(piece @ total) / (piece @ units) for piece in drawn])
        ends.append(tuple(np.quantile(means, [0.025, 0.975])) if len(total) > 1 else (np.nan, np.nan))
    low, high = ([float(end[side]) for end in ends] for side in (0, 1))
    return table.assign(low=low, high=high, method="bootstrap_by_person")


def _check_targets(targets: Mapping[str, float], steps: Sequence[Step]) -> None:
    labels = [step.label for step in steps[1:]]
    for label, minutes in targets.items():
        if label not in labels:
            raise ValueError(f"targets name {label!r}, which is no step after the first: {', '.join(labels)}")
        if not minutes >= 0:
            raise ValueError(f"the target of {label!r} must be 0 minutes or more, found {minutes!r}")


def _choose_target(
    closed: pd.DataFrame,
    took: pd.Series,
    step: Step,
    targets: Mapping[str, float],
    which: Sequence[str],
    n_steps: int,
) -> tuple[float, str]:
    """Take the declared target, else the median of those who converted."""
    if step.label in targets:
        return float(targets[step.label]), f"above the target of {targets[step.label]:g} minutes"
    converted = took[(closed["reached"] == n_steps) & (closed["segment"] == "")]
    for name in sorted(which, key=lambda name: name != "reviewed"):
        here = converted[closed.loc[converted.index, "which"] == name].dropna()
        if len(here):
            median = float(np.median(here.to_numpy(float)))
            return median, f"above {median:.1f} minutes, the median of those who converted"
    return np.nan, ""


def _tabulate_medians(lines: pd.DataFrame, funnel: str, unit: str, which: Sequence[str]) -> pd.DataFrame:
    """Tabulate the Kaplan-Meier medians; their intervals give the errors for a comparison."""
    groups: dict[Any, pd.DataFrame] = dict(iter(lines.groupby(["segment", "which"])))
    found: dict[Any, dict[str, Any]] = {}
    for key, group in groups.items():
        curve = _describe_curve(group).iloc[0]
        error = (curve["median_high"] - curve["median_low"]) / (-2 * special.ndtri(0.025))
        row = {"value": curve["median_minutes"], "low": curve["median_low"], "high": curve["median_high"]}
        row |= {"n": len(group), "n_effective": curve["n_effective"], "kind": "mean"}
        found[key] = row | {"method": "kaplan_meier", "spread": error * curve["n_effective"] ** 0.5}
    rows = []
    for segment in sorted(set(lines["segment"])):
        now = (segment, "reviewed")
        for here in ((segment, name) for name in which if (segment, name) in found):
            shared = np.nan if here == now else 0.0
            if here != now and now in found:
                pair = found[now], found[here]
                shared = covary_medians(groups[now], groups[here], estimates=pair)
            place = {"metric": "minutes_to_convert", "segment": segment, "item": funnel, "which": here[1]}
            rows.append({**place, "unit_of_analysis": unit, **found[here], "covariance": shared})
    table = pd.DataFrame(rows, columns=list(MEASURE_COLUMNS)).dropna(subset=["value"])
    texts = dict.fromkeys(["stage", "touchpoint", "persona", "note"], "")
    return table.assign(**texts)[list(MEASURE_COLUMNS)].reset_index(drop=True)
