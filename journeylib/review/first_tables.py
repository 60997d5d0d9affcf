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

__all__ = ["list_actions", "list_changes", "list_pains", "read_report"]

MOST_ROWS = 5
PLACE = ["metric", "touchpoint", "stage", "segment", "item", "unit_of_analysis"]
TEXTS = ["period", "chapter", *PLACE, "persona", "unit", "method", "note", "verdict", "year_ago_verdict"]


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
    """Return what hurts: the steps that lose most, and the touchpoints with the lowest satisfaction.

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
        Rows on a low base are never ranked.
    """
    owners = {str(one.get("touchpoint")): str(one.get("owner") or "") for one in touchpoints}
    based = findings[
        (findings["n"] >= 30) & (findings["segment"] == "") & ~findings["suppressed"].astype(bool)
    ]
    lost = based[based["metric"] == "drop_off"]
    lost = lost.assign(many=lost["value"] * lost["n"] / 100, others=lost["unit_of_analysis"] != "people")
    lost = lost.sort_values(["others", "many", "item"], ascending=[True, False, True]).head(3)
    scores = based[(based["metric"] == "csat_top2") & (based["touchpoint"] != "") & (based["item"] == "")]
    low = scores.sort_values(["value", "touchpoint"]).head(MOST_ROWS - len(lost))
    shown = []
    for _, row in lost.iterrows():
        funnel, _, step = row["item"].partition("/")
        whom = f"{row['many']:,.0f} of {int(row['n']):,} {row['unit_of_analysis']}"
        pain = f"Lost before “{say_step(step)}”"
        shown.append([pain, f"funnel {say_name(funnel)}", say_with_interval(row), whom, owners.get(step, "")])
    for _, row in low.iterrows():
        whom = (
            f"{row['n'] * (1 - row['value'] / 100):,.0f} of {int(row['n']):,} respondents are not satisfied"
        )
        where = say_name(row["touchpoint"])
        shown.append(
            ["Least satisfied", where, say_with_interval(row), whom, owners.get(row["touchpoint"], "")]
        )
    table = pd.DataFrame(shown, columns=["Pain", "Where", "How much", "Whom", "Owner"])
    return table if table["Owner"].any() else table.drop(columns="Owner")


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
    whole = findings[(findings[["stage", "touchpoint", "segment"]] == "").all(axis=1)]
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
