"""What the team knows: touchpoints.csv, changes.csv and actions.csv beside journey.toml."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from journeylib.data.problems import Problem
from journeylib.data.side_tables import read_side_table
from journeylib.data.tables import STAGES

__all__ = ["ACTIONS", "CHANGES", "TOUCHPOINTS", "read_actions", "read_changes", "read_touchpoints"]

TOUCHPOINTS = (
    "pattern",
    "touchpoint",
    "stage",
    "channel",
    "online",
    "owner",
    "expected_order",
    "cost",
    "effort",
    "reviewed_on",
)
CHANGES = ("change", "kind", "started_on", "audience", "comparison", "metric", "assignment", "cost")
ACTIONS = ("action", "owner", "due", "status", "metric", "expected_change")
YES_NO = {"": None, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def read_touchpoints(folder: Path, problems: list[Problem]) -> pd.DataFrame:
    """Read touchpoints.csv: one row is one pattern of event names, or one touchpoint without events.

    Parameters
    ----------
    folder : Path
        The project's folder.
    problems : list of Problem
        What is wrong is added here.

    Returns
    -------
    DataFrame
        The columns of the file as text, `online` as true, false or missing, and `line`.
    """
    required = ("touchpoint", "stage")
    table = read_side_table(folder, "touchpoints.csv", TOUCHPOINTS, required=required, problems=problems)
    rows = table.rows
    table.check_filled("touchpoint")
    table.check_words("stage", STAGES)
    for column in ("expected_order", "cost", "effort"):
        table.read_numbers(column)
    table.check_dates("reviewed_on")
    for line, online in rows.loc[~rows["online"].str.lower().isin(YES_NO), ["line", "online"]].itertuples(
        index=False
    ):
        table.refuse(int(line), "online", repr(online), "yes or no", "write yes or no")
    for touchpoint, group in rows.groupby("touchpoint", sort=False):
        stages = group["stage"].unique()
        if len(stages) > 1:
            found = f"touchpoint {touchpoint!r} in stages {' and '.join(stages)}"
            table.refuse(int(group["line"].iloc[-1]), "stage", found, "one stage a touchpoint", "choose one")
    return rows.assign(online=rows["online"].str.lower().map(YES_NO).astype("boolean"))


def read_changes(folder: Path, problems: list[Problem]) -> pd.DataFrame:
    """Read changes.csv: one row is one change that the team made.

    Parameters
    ----------
    folder : Path
        The project's folder.
    problems : list of Problem
        What is wrong is added here.

    Returns
    -------
    DataFrame
        The columns of the file as text, `started_on` checked to be a date, and `line`.
    """
    required = ("change", "kind", "started_on")
    table = read_side_table(folder, "changes.csv", CHANGES, required=required, problems=problems)
    table.check_filled("change")
    table.check_words("kind", ("mend", "launch", "programme"))
    table.check_words("assignment", ("", "experiment", "staggered", "chosen", "none"))
    table.check_dates("started_on")
    for line in table.rows.loc[table.rows["started_on"] == "", "line"]:
        table.refuse(int(line), "started_on", "an empty cell", "a date such as 2026-07-01", "fill it in")
    return table.rows


def read_actions(folder: Path, problems: list[Problem]) -> pd.DataFrame:
    """Read actions.csv: one row is one action that the last review decided.

    Parameters
    ----------
    folder : Path
        The project's folder.
    problems : list of Problem
        What is wrong is added here.

    Returns
    -------
    DataFrame
        The columns of the file as text, `due` checked to be a date, and `line`.
    """
    table = read_side_table(folder, "actions.csv", ACTIONS, required=("action",), problems=problems)
    table.check_filled("action")
    table.check_dates("due")
    return table.rows
