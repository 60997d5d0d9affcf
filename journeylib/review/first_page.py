"""The first page's sentences: the verdict first, who is missing, what this period could have shown."""

from __future__ import annotations

import pandas as pd

from journeylib.review.metrics import METRICS
from journeylib.review.wording import (
    TOLD_TWICE,
    say_change,
    say_place,
    say_unit,
    say_value,
    say_verdict,
    say_with_interval,
)

__all__ = [
    "against_year_ago",
    "is_same_comparison",
    "pick_headlines",
    "rank_changes",
    "say_detectable",
    "say_limits",
    "say_missing",
    "write_sentences",
]

HEADLINES = ("nps", "csat_mean", "ces_mean", "conversion_rate", "session_count")
SAID = HEADLINES[:3]
NOT_COMPARED = "not compared: "
TOLD = ("rose", "fell")
NORMAL_975, NORMAL_80 = 1.959963984540054, 0.8416212335729143
YEAR_AGO = {
    "year_ago": "previous",
    "year_ago_change": "change",
    "year_ago_low": "change_low",
    "year_ago_high": "change_high",
    "year_ago_verdict": "verdict",
}


def pick_headlines(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings about everybody: no touchpoint, stage, segment or persona.

    Parameters
    ----------
    findings : DataFrame
        One row a finding.

    Returns
    -------
    DataFrame
        The headline metrics' rows, in the order of the first page; hidden ones are left out.
    """
    whole = (findings[["stage", "touchpoint", "segment", "persona"]] == "").all(axis=1)
    place = {name: number for number, name in enumerate(HEADLINES)}
    shown = findings[whole & ~findings["suppressed"].astype(bool) & findings["metric"].isin(HEADLINES)]
    return shown.assign(place=shown["metric"].map(place)).sort_values(["place", "item"], kind="stable")


def rank_changes(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the changes that can be told from noise, the largest against the smallest that counts first.

    Parameters
    ----------
    findings : DataFrame
        One row a finding.

    Returns
    -------
    DataFrame
        Rows that rose or fell; a loss that stands there as step_conversion and step_count too stands once.
        What is neither good nor bad in itself, such as a count, comes after the rest, and is left out of
        single stages and touchpoints.
    """
    told = findings[findings["verdict"].isin(TOLD) & ~findings["metric"].isin(TOLD_TWICE)]
    size = told["change"].abs() / told["minimum_effect"].where(told["minimum_effect"] > 0)
    neutral = told["metric"].map(lambda name: METRICS[name].better == "neither").astype(bool)
    placed = (told[["stage", "touchpoint"]] != "").any(axis=1)
    order = ["neutral", "size", "metric", "stage", "touchpoint", "item", "persona", "segment"]
    ranked = told.assign(size=size.fillna(0), neutral=neutral)[~(neutral & placed)]
    return ranked.sort_values(order, ascending=[True, False, *[True] * 6]).drop(columns="neutral")


def against_year_ago(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings with the comparison to a year before in place of that with the period before.

    Parameters
    ----------
    findings : DataFrame
        One row a finding.

    Returns
    -------
    DataFrame
        Same rows.
    """
    return findings.drop(columns=list(YEAR_AGO.values())).rename(columns=YEAR_AGO)


def is_same_comparison(findings: pd.DataFrame) -> bool:
    """Return whether the year before is the period before, as it is for a year, so that it is told once.

    Parameters
    ----------
    findings : DataFrame
        One row a finding.

    Returns
    -------
    bool
        True where all numbers of both agree.
    """
    return bool(findings["year_ago"].notna().any() and findings["year_ago"].equals(findings["previous"]))


def write_sentences(findings: pd.DataFrame) -> list[str]:
    """Return three sentences, the verdict first, each with its interval.

    Parameters
    ----------
    findings : DataFrame
        One row a finding of the reviewed period.

    Returns
    -------
    list of str
        What customers say, what they do, and what changed most; fewer where there is nothing to say.
    """
    rows = pick_headlines(findings)
    said, done = rows[rows["metric"].isin(SAID)], rows[~rows["metric"].isin(SAID)]
    sentences = [_say_headline(part.iloc[0]) for part in (said, done) if len(part)]
    return [*sentences, _say_changes(findings) + _say_year_ago(findings)]


def _say_headline(row: pd.Series) -> str:
    now = f"{say_place(row)}, {say_with_interval(row, n=True)}"
    if row["verdict"] in (*TOLD, "no_change"):
        before = f"before it was {say_value(row, 'previous')}, a change of {say_change(row)}"
        return f"{say_verdict(row['verdict']).capitalize()}: {now}; {before}."
    return f"{now}; {say_verdict(row['verdict'])}."


def _say_changes(findings: pd.DataFrame) -> str:
    told = rank_changes(findings)
    tested = int(findings["q_value"].notna().sum())
    if not tested:
        whys = sorted(
            {note.removeprefix(NOT_COMPARED) for note in findings["note"] if note.startswith(NOT_COMPARED)}
        )
        return f"Nothing is compared with the period before{', because ' + '; '.join(whys) if whys else ''}."
    if told.empty:
        return (
            f"No change that we can tell from noise in any of {tested:,} comparisons with the period before."
        )
    row = told.iloc[0]
    many = int(findings["verdict"].isin(TOLD).sum())
    verdict, before = say_verdict(row["verdict"]).capitalize(), say_value(row, "previous")
    what = f"{verdict} most: {say_place(row)}, from {before}"
    noise = (
        f"{many} of {tested:,} changes since the period before {'is' if many == 1 else 'are'} more than noise"
    )
    return f"{what} to {say_value(row)}, a change of {say_change(row)}; {noise}."


def _say_year_ago(findings: pd.DataFrame) -> str:
    told = rank_changes(against_year_ago(findings))
    if told.empty or is_same_comparison(findings):
        return ""
    row = told.iloc[0]
    return (
        f" Against a year before, {say_place(row, first=False)} {say_verdict(row['verdict'])} most: from "
        f"{say_value(row, 'previous')} to {say_value(row)}, a change of {say_change(row)}."
    )


def say_limits(findings: pd.DataFrame) -> str:
    """Return in one sentence who is missing, and the smallest change that this period could have shown.

    Parameters
    ----------
    findings : DataFrame
        One row a finding.

    Returns
    -------
    str
        A sentence; empty where there is neither a survey nor a comparison.
    """
    missing, smallest = say_missing(findings), say_detectable(findings)
    if not missing or not smallest:
        return missing or smallest
    return f"{missing[:-1]}, and {smallest[0].lower()}{smallest[1:]}"


def say_missing(findings: pd.DataFrame) -> str:
    """Return one sentence on who is missing from what customers say.

    Parameters
    ----------
    findings : DataFrame
        One row a finding.

    Returns
    -------
    str
        A sentence; empty where there is no survey.
    """
    scores = findings[findings["unit_of_analysis"] == "respondents"]
    if scores.empty:
        return ""
    whole = (findings["metric"] == "response_rate") & (findings["segment"] == "")
    rate = findings[whole & ~findings["suppressed"].astype(bool)]
    if len(rate):
        row = rate.iloc[0]
        return (
            f"Of {int(row['n']):,} customers with an event in the period {say_value(row)} answered "
            "the survey; what the others think is not known."
        )
    heard = int(scores["n"].max()) if scores["n"].notna().any() else 0
    return f"Only those who answered are heard, {heard:,} at most; what the others think is not known."


def say_detectable(findings: pd.DataFrame) -> str:
    """Return one sentence on the smallest change that this period could have shown.

    Parameters
    ----------
    findings : DataFrame
        One row a finding.

    Returns
    -------
    str
        For each compared headline, the change found in four of five periods in which it is there
        (5 % two-sided, power 80 %), from the interval of the difference; empty where nothing is compared.
    """
    parts = []
    for _, row in pick_headlines(findings).drop_duplicates("metric").iterrows():
        if pd.notna(row["change_low"]) and row["unit"] != "count":
            error = (row["change_high"] - row["change_low"]) / (2 * NORMAL_975)
            smallest = say_unit((NORMAL_975 + NORMAL_80) * error, row["unit"]).replace(" %", " points")
            parts.append(f"{METRICS[row['metric']].title} {smallest}")
    if not parts:
        return ""
    what = "The smallest change that this period could show (found four times in five where it is there)"
    return f"{what}: {'; '.join(parts)}."
