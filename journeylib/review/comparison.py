"""The second pass: what changed, what is noise, what may not be shown; one family of tests for all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from journeylib.evidence.changes import adjust_p_values, compare_estimates, judge_changes
from journeylib.evidence.suppression import suppress_small_bases
from journeylib.review.findings import FINDINGS_COLUMNS, KEY
from journeylib.review.metrics import METRICS

__all__ = ["compare_findings"]

LOW_BASE = 30


def compare_findings(
    recorded: pd.DataFrame,
    *,
    period: str,
    minimum_base: int = 10,
    minimum_effects: Mapping[str, float] | None = None,
    reasons: Mapping[str, str] | None = None,
    arrows: bool = True,
) -> pd.DataFrame:
    """Turn what the chapters recorded into findings: compared, tested as one family, small bases hidden.

    Parameters
    ----------
    recorded : DataFrame
        One row is one metric of one place in one period.
    period : str
        The reviewed period's label.
    minimum_base : int
        Units below which a number is hidden; below 30 it is shown as low base and never called a change.
    minimum_effects : mapping or None
        The project's own smallest changes by metric; a weighted score takes that of the plain one.
    reasons : mapping or None
        Why a period is not compared, by unit_of_analysis; goes into the note.
    arrows : bool
        False where the data are not to be relied on: numbers stand, and nothing is called a change.

    Returns
    -------
    DataFrame
        One row a finding of the reviewed period, with the columns of findings.csv and, for the first page,
        kind, spread, promoters, detractors, n_before, covariance. Does not depend on the order of rows.
    """
    shown = suppress_small_bases(recorded, minimum_base=minimum_base)
    now = shown[shown["which"] == "reviewed"].reset_index(drop=True)
    findings = now.assign(
        period=period, unit=now["metric"].map({name: metric.unit for name, metric in METRICS.items()})
    )
    for which, names in {
        "previous": ("previous", "change", "change_low", "change_high", "p_value", "q_value", "verdict"),
        "year_ago": (
            "year_ago",
            "year_ago_change",
            "year_ago_low",
            "year_ago_high",
            "year_ago_p",
            "year_ago_q",
            "year_ago_verdict",
        ),
    }.items():
        before = _align(now, shown[shown["which"] == which])
        compared = _compare(now, before, minimum_base, _smallest_effects(now, before, minimum_effects or {}))
        findings = findings.assign(**dict(zip(names, (compared[name] for name in compared), strict=True)))
        if which == "previous":
            findings["minimum_effect"] = _smallest_effects(now, before, minimum_effects or {})
            findings["n_before"], findings["covariance"] = before["n"], before["covariance"]
    known = dict(reasons or {})
    if not arrows:
        for name in ("verdict", "year_ago_verdict"):
            findings[name] = findings[name].mask(
                findings[name].isin(["rose", "fell", "no_change"]), "not_compared"
            )
    why = pd.Series(
        [known.get(unit, "") for unit in findings["unit_of_analysis"]], index=findings.index, dtype="str"
    )
    unsaid = findings["note"].eq("") & findings["verdict"].eq("not_compared")
    findings["note"] = findings["note"].mask(unsaid, why)
    findings["note"] = findings["note"].mask(
        findings["note"].eq("") & findings["n"].lt(LOW_BASE), "low base, indicative"
    )
    findings["suppressed"] = findings["suppressed"].astype(bool)
    extra = ["kind", "spread", "promoters", "detractors", "n_before", "covariance"]
    return findings[[*FINDINGS_COLUMNS, *extra]]


def _align(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of an earlier period in the order of the reviewed one; missing where there is none."""
    merged = now[KEY].merge(before.drop(columns="which"), on=KEY, how="left", validate="one_to_one")
    merged["suppressed"] = merged["suppressed"].astype("boolean").fillna(False).astype(bool)
    return merged


def _smallest_effects(now: pd.DataFrame, before: pd.DataFrame, own: Mapping[str, float]) -> pd.Series:
    effects = []
    for name, value in zip(now["metric"], before["value"], strict=True):
        metric = METRICS[name]
        plain = name.removesuffix("_weighted")
        if name in own or plain in own:
            effects.append(own.get(name, own.get(plain, 0.0)))
        elif metric.relative_effect:
            effects.append(metric.relative_effect * value if pd.notna(value) else np.nan)
        else:
            effects.append(metric.minimum_effect)
    return pd.Series(effects, index=now.index, dtype="float64")


def _compare(now: pd.DataFrame, before: pd.DataFrame, minimum_base: int, effects: pd.Series) -> pd.DataFrame:
    """Return value before, change, interval, p, q and verdict, one row a finding."""
    hidden = now["suppressed"].astype(bool)
    earlier = before.assign(value=before["value"].where(~before["suppressed"]))
    compared = compare_estimates(now, earlier).where(~hidden)
    compared.insert(0, "before", earlier["value"].where(~hidden))
    compared["q_value"] = adjust_p_values(compared["p_value"])
    broken = now["series"].ne(before["series"]) & before["series"].notna()
    table = compared.assign(
        n=now["n"],
        n_before=before["n"],
        minimum_effect=effects,
        suppressed=hidden,
        series_break=broken,
        comparable=compared["before"].notna(),
    )
    compared["verdict"] = judge_changes(table, minimum_base=minimum_base, low_base=LOW_BASE)
    return compared
