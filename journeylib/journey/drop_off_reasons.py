"""What goes with dropping off: the labels and earlier touchpoints of those who leave at a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from journeylib.evidence.changes import adjust_p_values, compare_estimates
from journeylib.evidence.estimates import covariance, estimate_from_sums
from journeylib.journey.engine import collect_table
from journeylib.journey.frames import Events, rename_safely, restore_name
from journeylib.journey.measuring import MISSING_LABEL
from journeylib.journey.step_times import StepTimes, follow_step_times

__all__ = ["find_drop_off_reasons"]

_SUMS = ("units", "lost")


def find_drop_off_reasons(
    events: Events,
    steps: Sequence[str],
    *,
    step: str | None = None,
    labels: Sequence[str] = (),
    met: str | None = "touchpoint",
    unit: str = "people",
    within: str | float | pd.Timedelta | None = None,
    period: tuple[int, int] | None = None,
    as_of: int | str | pd.Timestamp | None = None,
    minimum_base: int = 10,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Find what goes with dropping off before a funnel's steps.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event; as for `count_funnel`. Row order does not matter.
    steps : sequence of str
        Touchpoints, `event:NAME` or `stage:NAME`; each is strictly later than the one before.
    step : str, optional
        The step (its label) before which units were lost; without it all but the first.
    labels : sequence of str
        Columns whose label a unit has from its entry event, such as `device_type`, or the channel of entry.
    met : str, optional
        A column such as `touchpoint`: what a unit met before it reached the step from which it was lost or
        went on; None leaves that out.
    unit : str
        `people`, `sessions` or `baskets`.
    within : str, float or Timedelta, optional
        Window from the first step on, `7D` or a number of days. Entrants whose window is open are left out.
    period : tuple of int, optional
        (start, end) in microseconds UTC, [start, end), in which the entry lies; else the whole table.
    as_of : int, str or Timestamp, optional
        What was known when. Default: the last event.
    minimum_base : int
        Units, with or without the label, below which a row is not shown.
    alpha : float
        False discovery rate, 0 to 1.

    Returns
    -------
    pandas.DataFrame
        One row is one label at one step, by step and q: `step`, `kind` (`label`, `met before`), `label`
        (`column=value`), `n_with`, `lost_with` and `drop_off_with` (percent), `n_without` and
        `drop_off_without` (all other units at the step before), `difference` (percentage points, with minus
        without) with `low` and `high`, `lift` (drop-off with the label over that of all; missing where nobody
        was lost), `p_value`, `q_value` and `association`: `associated with more drop-off`, `associated with
        less drop-off` or `no association that we can tell from noise`.

    Raises
    ------
    ValueError
        As for `count_funnel`, and where `step` is not one after the first.

    Notes
    -----
    Newcombe's interval and the score test, on the effective n by person where a person has several units;
    Benjamini-Hochberg over all rows shown. An association needs q at most alpha and an interval without 0. It
    is no cause: whoever carries a label may differ in much else.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": [f"c{i}" for i in range(40)] + [f"c{i}" for i in range(20)],
    ...     "occurred_at": [0] * 40 + [9] * 20, "name": ["view"] * 40 + ["buy"] * 20,
    ...     "device": ["desktop"] * 20 + ["mobile"] * 20 + ["desktop"] * 20})
    >>> found = find_drop_off_reasons(events, ["event:view", "event:buy"], labels=["device"], met=None)
    >>> found[["label", "drop_off_with", "difference", "lift"]].values.tolist()[1]
    ['device=mobile', 100.0, 100.0, 2.0]
    """
    periods = None if period is None else {"all": period}
    options: dict[str, Any] = {"unit": unit, "within": within, "periods": periods, "as_of": as_of}
    with follow_step_times(events, steps, columns=list(labels), met=met, **options) as found:
        numbers = _choose_steps(found, step)
        sums = {number: _sum_labels(found, number, list(labels), met) for number in numbers}
    rows: list[dict[str, Any]] = []
    for number, (everyone, by_label) in sums.items():
        for (kind, label), group in by_label.groupby(["kind", "label"], sort=True):
            row = _pair(everyone, group.set_index("person"), minimum_base)
            if row is not None:
                rows.append({"step": found.steps[number - 1].label, "kind": kind, "label": label, **row})
    rows = _compare(rows)
    return _judge(rows, [found.steps[number - 1].label for number in numbers], alpha)


def _choose_steps(found: StepTimes, step: str | None) -> list[int]:
    labels = [each.label for each in found.steps]
    if step is None:
        return list(range(2, len(labels) + 1))
    if step not in labels[1:]:
        raise ValueError(f"step must be one after the first, {', '.join(labels[1:])}; found {step!r}")
    return [labels.index(step) + 1]


def _sum_labels(
    found: StepTimes, number: int, labels: Sequence[str], met: str | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sum by person the units at the step before and those lost there: of all, and of each label."""
    here = found.units.filter((nw.col("_censored") == 0) & (nw.col("_reached") >= number - 1))
    is_lost = nw.when(nw.col("_reached") < number).then(1).otherwise(0).cast(nw.Int64)
    here = here.with_columns(is_lost.alias("_lost"))
    everyone = _sum_by_person(here, "").drop(columns="label").set_index("person")
    parts = [_sum_by_person(here, rename_safely(label)).assign(kind="label") for label in labels]
    if met is not None and found.first_met is not None:
        reached = here.select("_unit", "_person", "_lost", nw.col(f"_at_{number - 1}").alias("_at"))
        before = reached.join(found.first_met, on="_unit", how="inner")
        before = before.filter(nw.col("_first") < nw.col("_at"))
        own = found.steps[: number - 1]
        passed = {f"{met}={each.value}" for each in own if each.column == met}
        table = _sum_by_person(before, rename_safely(met)).assign(kind="met before")
        parts.append(table[~table["label"].isin(passed)])
    empty = pd.DataFrame(columns=["person", *_SUMS, "label", "kind"])
    return everyone, pd.concat(parts, ignore_index=True) if parts else empty


def _sum_by_person(units: nw.LazyFrame, column: str) -> pd.DataFrame:
    keys = ["_person", *([column] if column else [])]
    totals = [nw.len().cast(nw.Int64).alias("units"), nw.col("_lost").sum().cast(nw.Int64).alias("lost")]
    sums = collect_table(units.group_by(*keys).agg(*totals), order_by=["_person"])
    sums = sums.rename(columns={"_person": "person"})
    if not column:
        return sums.assign(label="")
    name = restore_name(column).removeprefix("segment.")
    labels = [f"{name}={MISSING_LABEL if pd.isna(value) else value}" for value in sums[column]]
    return sums.assign(label=labels).drop(columns=column)


def _pair(everyone: pd.DataFrame, having: pd.DataFrame, minimum_base: int) -> dict[str, Any] | None:
    """Pair the units with a label with all others; None where either are too few."""
    totals = everyone[list(_SUMS)]
    others = totals.sub(having[list(_SUMS)], fill_value=0)
    others = others[others["units"] > 0]
    if min(having["units"].sum(), others["units"].sum()) < minimum_base:
        return None
    sides = [side.rename(columns={"lost": "total"}).astype(float) for side in (having[list(_SUMS)], others)]
    with_it, without = [estimate_from_sums("share", side["total"], side["units"]) for side in sides]
    apart = not sides[0].index.isin(sides[1].index).any()
    shared = 0.0 if apart else covariance("share", *sides)
    overall = 100 * totals["lost"].sum() / totals["units"].sum()
    lost, lift = int(having["lost"].sum()), with_it["value"] / overall if overall > 0 else np.nan
    return {"_with": with_it, "_without": without | {"covariance": shared}, "_lost": lost, "_lift": lift}


def _compare(pairs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Compare all pairs at once."""
    if not pairs:
        return []
    sides = [pd.DataFrame([pair[side] for pair in pairs]) for side in ("_with", "_without")]
    changes = compare_estimates(*sides).to_dict("records")
    return [
        {
            **{name: pair[name] for name in ("step", "kind", "label")},
            "n_with": pair["_with"]["n"],
            "lost_with": pair["_lost"],
            "drop_off_with": pair["_with"]["value"],
            "n_without": pair["_without"]["n"],
            "drop_off_without": pair["_without"]["value"],
            "difference": change["change"],
            "low": change["change_low"],
            "high": change["change_high"],
            "lift": pair["_lift"],
            "p_value": change["p_value"],
        }
        for pair, change in zip(pairs, changes, strict=True)
    ]


def _judge(rows: Sequence[Mapping[str, Any]], steps: Sequence[str], alpha: float) -> pd.DataFrame:
    """Adjust the p-values for all rows shown, and say in words what goes with dropping off."""
    names = ["step", "kind", "label", "n_with", "lost_with", "drop_off_with", "n_without", "drop_off_without"]
    table = pd.DataFrame(rows, columns=[*names, "difference", "low", "high", "lift", "p_value"])
    table = table.assign(q_value=adjust_p_values(table["p_value"].astype(float)))
    is_sure = table["q_value"] <= alpha
    more, less = is_sure & (table["low"] > 0), is_sure & (table["high"] < 0)
    words = np.select(
        [more, less],
        ["associated with more drop-off", "associated with less drop-off"],
        default="no association that we can tell from noise",
    )
    table = table.assign(association=words.astype(str), _place=table["step"].map(list(steps).index))
    ordered = table.sort_values(["_place", "q_value", "p_value", "kind", "label"], ignore_index=True)
    return ordered.drop(columns="_place")
