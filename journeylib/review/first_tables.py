"""The first page's tables: what changed, what hurts whom, what became of the last review's actions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from journeylib.review.chapter import find_folder
from journeylib.review.first_page import (
    TOLD,
    against_year_ago,
    is_same_comparison,
    pick_headlines,
    rank_changes,
)
from journeylib.review.wording import (
    say_change,
    say_name,
    say_place,
    say_step,
    say_unit,
    say_value,
    say_verdict,
    say_with_interval,
)

__all__ = ["list_actions", "list_changes", "list_pains", "read_map", "read_report"]

MOST_ROWS = 5
PLACE = ["metric", "touchpoint", "stage", "persona", "segment", "item", "unit_of_analysis"]
TEXTS = ["period", "chapter", *PLACE, "unit", "method", "note", "verdict", "year_ago_verdict"]


def list_changes(findings: pd.DataFrame, *, targets: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Return what changed: at most five rows, those that can be told from noise first, then the headlines.

    Parameters
    ----------
    findings : DataFrame
        One row a finding.
    targets : mapping or None
        The project's targets by metric.

    Returns
    -------
    DataFrame
        Text: What, Now (with interval), Before, Last year, Target, Verdict (against the period before, and
        against last year where that can be told from noise). Last year is left out where it is the period
        before, Target where there is none.
    """
    once = is_same_comparison(findings)
    told = rank_changes(findings)
    older = findings.loc[rank_changes(against_year_ago(findings)).index]
    rows = pd.concat([told.head(3), older.head(2), pick_headlines(findings), told]).drop_duplicates(PLACE)
    shown = []
    for _, row in rows.head(MOST_ROWS).iterrows():
        target = (targets or {}).get(row["metric"])
        verdict = say_verdict(row["verdict"])
        if row["year_ago_verdict"] in TOLD and not once:
            verdict += f"; {say_verdict(row['year_ago_verdict'])} against last year"
        cells = [
            say_place(row),
            say_with_interval(row),
            say_value(row, "previous"),
            say_value(row, "year_ago"),
        ]
        shown.append([*cells, say_unit(target, row["unit"]) if target is not None else "", verdict])
    table = pd.DataFrame(shown, columns=["What", "Now", "Before", "Last year", "Target", "Verdict"])
    unused = ["Last year"] if once else []
    return table.drop(columns=[*unused, *(["Target"] if not table["Target"].any() else [])])


def list_pains(findings: pd.DataFrame, *, touchpoints: Sequence[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Return what hurts: the steps that lose most, what is worse than expected, the lowest satisfaction.

    Parameters
    ----------
    findings : DataFrame
        One row a finding.
    touchpoints : sequence of mapping
        The project's touchpoints; gives the owner.

    Returns
    -------
    DataFrame
        Text, at most five rows: Pain, Where, How much (with interval), Whom, and Owner where one is known.
        Rows on a low base are never ranked; a step that several funnels have, and a touchpoint, stand once.
    """
    owners = {str(one.get("touchpoint")): str(one.get("owner") or "") for one in touchpoints}
    whole = (findings[["segment", "persona"]] == "").all(axis=1)
    based = findings[whole & (findings["n"] >= 30) & ~findings["suppressed"].astype(bool)]
    shown = _list_losses(based)
    places = based[(based["touchpoint"] != "") & (based["item"] == "")]
    gaps = places[(places["metric"] == "expectation_gap") & (places["high"] < 0)]
    scores = places[places["metric"] == "csat_top2"]
    ordered = [part.sort_values(["value", "touchpoint"]) for part in (gaps, scores)]
    judged = pd.concat([ordered[0].head(1), ordered[1]]).drop_duplicates("touchpoint")
    for _, row in judged.head(MOST_ROWS - len(shown)).iterrows():
        pain = "Worse than expected" if row["metric"] == "expectation_gap" else "Least satisfied"
        whom = f"{int(row['n']):,} respondents, on average"
        if row["metric"] == "csat_top2":
            many = row["n"] * (1 - row["value"] / 100)
            whom = f"{many:,.0f} of {int(row['n']):,} respondents are not satisfied"
        shown.append((pain, say_name(row["touchpoint"]), say_with_interval(row), whom, row["touchpoint"]))
    table = pd.DataFrame(shown, columns=["Pain", "Where", "How much", "Whom", "Owner"])
    table["Owner"] = table["Owner"].map(lambda touchpoint: owners.get(touchpoint, "")).astype("str")
    return table if table["Owner"].any() else table.drop(columns="Owner")


def _list_losses(based: pd.DataFrame) -> list[tuple[str, ...]]:
    """List the three steps before which most units are lost, people first; the last part is the step."""
    lost = based[based["metric"] == "drop_off"]
    lost = lost.assign(
        many=lost["value"] * lost["n"] / 100,
        others=lost["unit_of_analysis"] != "people",
        step=lost["item"].map(lambda item: str(item).partition("/")[2]),
    )
    lost = lost.sort_values(["others", "many", "item"], ascending=[True, False, True])
    shown: list[tuple[str, ...]] = []
    for _, row in lost.drop_duplicates("step").head(3).iterrows():
        whom = f"{row['many']:,.0f} of {int(row['n']):,} {row['unit_of_analysis']}"
        pain = f"Lost before “{say_step(row['step'])}”"
        where = f"funnel {say_name(row['item'].partition('/')[0])}"
        shown.append((pain, where, say_with_interval(row), whom, str(row["step"])))
    return shown


def list_actions(actions: Sequence[Mapping[str, Any]], findings: pd.DataFrame) -> pd.DataFrame:
    """Return what the last review decided, and what became of the metric.

    Parameters
    ----------
    actions : sequence of mapping
        The rows of actions.csv.
    findings : DataFrame
        One row a finding.

    Returns
    -------
    DataFrame
        Text: Action, Owner, Due, Status, Its metric, Change, Verdict. Empty without actions.
    """
    rows = []
    whole = findings[(findings[["stage", "touchpoint", "persona", "segment"]] == "").all(axis=1)]
    for action in actions:
        cells = [str(action.get(name) or "") for name in ("action", "owner", "due", "status")]
        metric = str(action.get("metric") or "")
        found = whole[whole["metric"] == metric]
        if len(found):
            row = found.iloc[0]
            rows.append([*cells, say_place(row), say_change(row), say_verdict(row["verdict"])])
        else:
            rows.append([*cells, say_name(metric), "–", "not measured"])
    columns = ["Action of the last review", "Owner", "Due", "Status", "Its metric", "Change", "Verdict"]
    return pd.DataFrame(rows, columns=columns)


def read_report(folder: str | Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the findings and the manifest of a finished review.

    Parameters
    ----------
    folder : str or Path
        The report's folder, named relative to here or to a folder above.

    Returns
    -------
    tuple of DataFrame and dict
        One row a finding (places as text, '' for all), and the manifest.
    """
    found = find_folder(folder)
    findings = pd.read_csv(found / "findings.csv", dtype=dict.fromkeys(TEXTS, "str"))
    findings[TEXTS] = findings[TEXTS].fillna("")
    return findings, json.loads((found / "manifest.json").read_text(encoding="utf-8"))


def read_map(folder: str | Path) -> pd.DataFrame:
    """Read the journey map of a finished review, the numbers behind its figure.

    Parameters
    ----------
    folder : str or Path
        The report's folder, named relative to here or to a folder above.

    Returns
    -------
    DataFrame
        One row is one touchpoint, or the total of a stage; empty where the review has no map.
    """
    path = find_folder(folder) / "tables" / "journey_map.csv"
    return pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=["stage", "touchpoint"])
