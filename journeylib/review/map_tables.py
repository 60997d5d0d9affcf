"""The journey map as text for a reader: stage by stage, touchpoint by touchpoint, and what was found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pandas as pd

from journeylib.review.wording import say_name, say_unit

__all__ = ["list_unmeasured", "present_journey_map", "say_journey_map"]

LOW_BASE = 30
UNITS = {"people": "customers", "sessions": "sessions", "respondents": "respondents"}


def present_journey_map(
    journey_map: pd.DataFrame, *, by: Literal["stage", "touchpoint"] = "stage"
) -> pd.DataFrame:
    """Return the journey map as text: one row a stage, or one row a measured touchpoint.

    Parameters
    ----------
    journey_map : DataFrame
        Table of `build_journey_map`.
    by : {"stage", "touchpoint"}
        What one row is.

    Returns
    -------
    DataFrame
        Text, each number with its interval or base; columns in which nothing is known are left out. Stages:
        who was there, went on to a later stage, satisfaction, worst place and its owner. Touchpoints: who met
        it, satisfaction, expected, found against expected, came no further, owner.
    """
    is_stage = journey_map["touchpoint"] == ""
    rows = journey_map[is_stage if by == "stage" else ~is_stage & journey_map["is_measured"]]
    if by == "stage":
        worst = journey_map[journey_map["is_worst"]].drop_duplicates("stage").set_index("stage")
        cells: dict[str, Callable[[pd.Series], str]] = {
            "Stage": lambda row: say_name(row["stage"]).capitalize(),
            "Who was there": _say_reach,
            "Went on to a later stage": lambda row: _say_interval(row, "went_on", "percent"),
            "Satisfaction": _say_satisfaction,
            "Worst place": lambda row: _say_worst(worst, row["stage"]),
            "Owner": lambda row: _find_owner(worst, row["stage"]),
        }
    else:
        cells = {
            "Touchpoint": lambda row: (
                say_name(row["touchpoint"]) + (" (worst of stage)" if row["is_worst"] else "")
            ),
            "Stage": lambda row: say_name(row["stage"]),
            "Who met it": _say_reach,
            "Satisfaction": _say_satisfaction,
            "Expected": lambda row: "" if pd.isna(row["gap"]) else say_unit(row["expectation"], "points"),
            "Found against expected": _say_gap,
            "Came no further": lambda row: _say_interval(row, "no_further", "percent"),
            "Owner": lambda row: str(row["owner"]),
        }
    made = {name: [say(row) for _, row in rows.iterrows()] for name, say in cells.items()}
    first = next(iter(made))
    table = pd.DataFrame({name: column for name, column in made.items() if any(column) or name == first})
    return table.set_index(first)


def list_unmeasured(journey_map: pd.DataFrame) -> pd.DataFrame:
    """Return the listed touchpoints of which no data are there, as text.

    Parameters
    ----------
    journey_map : DataFrame
        Table of `build_journey_map`.

    Returns
    -------
    DataFrame
        Touchpoint, Stage, Channel, Owner; empty where all are measured.
    """
    rows = journey_map[(journey_map["touchpoint"] != "") & ~journey_map["is_measured"]]
    table = pd.DataFrame(
        {
            "Touchpoint": [say_name(name) for name in rows["touchpoint"]],
            "Stage": [say_name(name) for name in rows["stage"]],
            "Channel": list(rows["channel"]),
            "Owner": list(rows["owner"]),
        }
    )
    return table.set_index("Touchpoint")


def say_journey_map(journey_map: pd.DataFrame, *, most: int = 3) -> str:
    """Return what the map shows as Markdown bullets with numbers.

    Parameters
    ----------
    journey_map : DataFrame
        Table of `build_journey_map`.
    most : int
        Bullets at the most.

    Returns
    -------
    str
        Markdown: the stage that loses most, then the worst places of the stages; a sentence where nothing
        could be ranked.
    """
    firm = journey_map["went_on_share"].notna() & journey_map["n"].ge(LOW_BASE)
    totals = journey_map[(journey_map["touchpoint"] == "") & firm]
    lines = []
    for _, row in totals.sort_values("went_on_share", kind="stable").head(1).iterrows():
        who = UNITS.get(row["unit_of_analysis"], "customers")
        told = f"of {row['n']:,.0f} {who} {_say_interval(row, 'went_on', 'percent')} went on to a later stage"
        lines.append(f"- **{say_name(row['stage']).capitalize()} loses most**: {told}.")
    worst = journey_map[journey_map["is_worst"]]
    rated = worst[worst["worst_by"] == "satisfaction"].sort_values("satisfaction", kind="stable")
    left = worst[worst["worst_by"] == "no_further"].sort_values("no_further_share", ascending=False)
    for _, row in pd.concat([rated, left]).iterrows():
        where = (
            f"**{say_name(row['touchpoint']).capitalize()}** is the worst place of {say_name(row['stage'])}"
        )
        gap = f"; found against expected {_say_gap(row)}" if pd.notna(row["gap"]) else ""
        lines.append(f"- {where}: {_say_number(row)}{gap}.")
    return "\n".join(lines[:most]) or "- No stage and no touchpoint has the base to be ranked."


def _say_number(row: pd.Series) -> str:
    if row["worst_by"] == "satisfaction":
        return f"satisfaction {_say_satisfaction(row)}"
    return f"{_say_interval(row, 'no_further', 'percent')} came to no later stage"


def _say_interval(row: pd.Series, name: str, unit: str) -> str:
    """Say a share with its interval; nothing where it is not known."""
    value, low, high = (row[f"{name}_{part}"] for part in ("share", "low", "high"))
    if pd.isna(value):
        return ""
    return f"{say_unit(value, unit)} ({say_unit(low, unit)} to {say_unit(high, unit)})"


def _say_reach(row: pd.Series) -> str:
    if pd.isna(row["n"]):
        return "too few to show" if row["is_measured"] else "not measured"
    who = UNITS.get(row["unit_of_analysis"], "customers")
    low = " (low base)" if row["n"] < LOW_BASE else ""
    return f"{row['n']:,.0f} {who}, {say_unit(row['reach_share'], 'percent')}{low}"


def _say_satisfaction(row: pd.Series) -> str:
    if pd.isna(row["satisfaction"]):
        return ""
    value, low, high = (say_unit(row[f"satisfaction{part}"], "points") for part in ("", "_low", "_high"))
    what = "ease " if row["satisfaction_by"] == "ces" else ""
    return f"{what}{value} ({low} to {high}, n {row['satisfaction_n']:,.0f})"


def _say_gap(row: pd.Series) -> str:
    if pd.isna(row["gap"]):
        return ""
    gap, low, high = (say_unit(row[name], "points", signed=True) for name in ("gap", "gap_low", "gap_high"))
    return f"{gap} ({low} to {high}, n {row['gap_n']:,.0f})"


def _say_worst(worst: pd.DataFrame, stage: str) -> str:
    found = worst[worst.index == stage]
    return "".join(f"{say_name(row['touchpoint'])}: {_say_number(row)}" for _, row in found.iterrows())


def _find_owner(worst: pd.DataFrame, stage: str) -> str:
    return "".join(str(row["owner"]) for _, row in worst[worst.index == stage].iterrows())
