"""Whether a review may be relied on: what periods cover, how fresh the data are, which gates are passed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd

from journeylib.data.ledger import BY_DECISION, NOT_A_FAULT
from journeylib.data.periods import Period
from journeylib.data.project import Project
from journeylib.data.trusted import TrustedTables

__all__ = ["judge_reliability", "label_answers", "measure_coverage"]

DAY_US = 86_400_000_000
WATERMARK_US = 3 * DAY_US  # 72 h: later rows of a period may still arrive


def label_answers(responses: pd.DataFrame, periods: Mapping[str, Period]) -> pd.Series:
    """Return, for each of the three periods, which responses belong to it.

    Parameters
    ----------
    responses : DataFrame
        One row a respondent in a wave; `period` is the wave's declared period or ''.
    periods : mapping
        reviewed, previous and year_ago.

    Returns
    -------
    Series
        Index (which, response's row); only the responses that belong. A response belongs to a period when its
        wave's period lies within it, or, where the wave declares none, when it was answered within it.
    """
    declared, at = responses["period"], responses["answered_at"]
    waves = [label for label in declared.unique() if label]
    parts = []
    for which, period in periods.items():
        inside = {label: _lies_within(label, period) for label in waves}
        answered = (at.notna() & (at >= period.start_us) & (at < period.end_us)).fillna(False)
        belongs = declared.map(inside).where(declared != "", answered).astype(bool)
        parts.append(pd.Series(which, index=responses.index[belongs], dtype="str"))
    return pd.concat(parts)


def _lies_within(label: str, period: Period) -> bool:
    wave = _read_period(label, period)
    return period.start_us <= wave.start_us and wave.end_us <= period.end_us


def _read_period(label: str, like: Period) -> Period:
    from journeylib.data.periods import parse_period

    return parse_period(label, timezone=like.timezone, fiscal_start_month=like.fiscal_start_month)


def measure_coverage(
    tables: TrustedTables, periods: Mapping[str, Period], *, freshness_days: float
) -> dict[str, Any]:
    """Return what each period holds of events, of the survey and of service contacts.

    Parameters
    ----------
    tables : TrustedTables
        The trusted tables.
    periods : mapping
        reviewed, previous and year_ago.
    freshness_days : float
        How many days without an event at either end of a period still count as covered.

    Returns
    -------
    dict
        For ``events``, ``survey`` and ``service_contacts`` where they exist, and each period: rows, covered,
        why (a sentence, where it is not covered), first_us and last_us.
    """
    coverage: dict[str, Any] = {}
    if tables.has("events"):
        first_of_all = tables.facts["spans"]["events"][0]
        coverage["events"] = {
            which: _cover_events(tables, period, first_of_all, freshness_days)
            for which, period in periods.items()
        }
    if tables.has("responses"):
        responses = tables.read("responses")
        coverage["survey"] = {which: _cover_survey(responses, period) for which, period in periods.items()}
    if tables.has("service_contacts"):
        opened = tables.read("service_contacts")["opened_at"].dropna().astype("int64").sort_values()
        coverage["service_contacts"] = {which: _cover_contacts(opened, one) for which, one in periods.items()}
    return coverage


def _cover_contacts(opened: pd.Series, period: Period) -> dict[str, Any]:
    """Say what a period holds; a desk may be quiet for days, so that only its first contact counts."""
    inside = opened[(opened >= period.start_us) & (opened < period.end_us)]
    why = ""
    if inside.empty:
        why = f"there is no service contact in {period.label}"
    elif opened.iloc[0] == inside.iloc[0] and inside.iloc[0] - period.start_us > WATERMARK_US:
        why = f"service contacts begin on {say_day(int(inside.iloc[0]), period.timezone)}"
    first, last = (int(inside.iloc[0]), int(inside.iloc[-1])) if len(inside) else (None, None)
    return {"rows": len(inside), "covered": not why, "why": why, "first_us": first, "last_us": last}


def _cover_events(
    tables: TrustedTables, period: Period, first_of_all: int, freshness_days: float
) -> dict[str, Any]:
    query = (
        f"SELECT count(*), min(occurred_at), max(occurred_at) FROM read_parquet('{tables.path('events')}') "
        f"WHERE occurred_at >= {period.start_us} AND occurred_at < {period.end_us}"
    )
    rows, first, last = duckdb.execute(query).fetchall()[0]
    slack = freshness_days * DAY_US
    why = ""
    if not rows:
        why = f"there is no event in {period.label}"
    elif first - period.start_us > slack and first_of_all >= first:
        why = f"events begin on {say_day(first, period.timezone)}"
    elif period.end_us - last > slack:
        why = f"the last event of {period.label} is of {say_day(last, period.timezone)}"
    return {"rows": int(rows), "covered": not why, "why": why, "first_us": first, "last_us": last}


def _cover_survey(responses: pd.DataFrame, period: Period) -> dict[str, Any]:
    mine = label_answers(responses, {"": period})
    rows = responses.loc[mine.index]
    declared = {label: _read_period(label, period).months for label in rows["period"].unique() if label}
    times = rows["answered_at"].dropna()
    why = ""
    if rows.empty:
        why = f"there is no survey answer of {period.label}"
    elif declared and sum(declared.values()) < period.months:
        why = f"the survey covers {sum(declared.values())} of the {period.months} months of {period.label}"
    first, last = (int(times.min()), int(times.max())) if len(times) else (None, None)
    return {"rows": len(rows), "covered": not why, "why": why, "first_us": first, "last_us": last}


def say_day(instant_us: int, timezone: str) -> str:
    """Return a local day such as 13 August 2008."""
    local = datetime.fromtimestamp(instant_us / 1e6, tz=UTC).astimezone(ZoneInfo(timezone))
    months = "January February March April May June July August September October November December".split()
    return f"{local.day} {months[local.month - 1]} {local.year}"


def judge_reliability(
    tables: TrustedTables,
    periods: Mapping[str, Period],
    coverage: Mapping[str, Any],
    project: Project,
    *,
    unmapped_percent: float,
) -> dict[str, Any]:
    """Say whether the review may be relied on, and why not.

    Parameters
    ----------
    tables : TrustedTables
        The trusted tables.
    periods : mapping
        reviewed, previous and year_ago.
    coverage : mapping
        Of `measure_coverage`.
    project : Project
        Its gates.
    unmapped_percent : float
        Share of events that no touchpoint's pattern matches.

    Returns
    -------
    dict
        status (rely, caution or do_not_rely), headline, reasons (sentences; the red ones first), exit_code (0
        or 3),
        and the gates with their figures.
    """
    red = [
        *_find_stale(tables, periods["reviewed"], coverage, project),
        *_find_open(tables, periods["reviewed"]),
    ]
    aside = _measure_quarantine(tables)
    gates = [
        ("events without a touchpoint", unmapped_percent, project.gates["max_unmapped"]),
        *[
            (f"rows of {table} set aside", percent, project.gates["max_quarantined"])
            for table, percent in aside.items()
        ],
    ]
    failed = [
        f"{name.capitalize()}: {value:.1f} %, more than the {limit:g} % that the gate allows."
        for name, value, limit in gates
        if value > limit
    ]
    amber: list[str] = []
    for one in coverage.values():
        reviewed = one["reviewed"]
        if reviewed["rows"] and reviewed["why"] and not any(reviewed["why"] in reason for reason in red):
            amber.append(
                f"{reviewed['why'][0].upper()}{reviewed['why'][1:]}, so the period is not fully covered."
            )
    (red if project.gates["strict"] else amber).extend(failed)
    status = "do_not_rely" if red else "caution" if amber else "rely"
    headline = {
        "do_not_rely": "What it shows is not complete",
        "caution": "Its numbers hold, and one thing should be known"
        if len(amber) == 1
        else "Its numbers hold, and some things should be known",
        "rely": "The data are fresh and complete, and all gates are passed",
    }[status]
    return {
        "status": status,
        "headline": headline,
        "reasons": [*red, *amber],
        "exit_code": 3 if red else 0,
        "gates": [
            {"gate": name, "percent": value, "limit": limit, "passed": bool(value <= limit)}
            for name, value, limit in gates
        ],
    }


def _find_stale(
    tables: TrustedTables, period: Period, coverage: Mapping[str, Any], project: Project
) -> list[str]:
    reasons = []
    limits = {"events": project.gates["freshness_days"], "survey": project.survey_freshness_days}
    for table, limit in limits.items():
        last = coverage.get(table, {}).get("reviewed", {}).get("last_us")
        if limit is None or last is None:
            continue
        days = (period.end_us - last) / DAY_US
        if days > limit:
            what = "event" if table == "events" else "survey answer"
            reasons.append(
                f"Stale: the last {what} of {period.label} is of {say_day(last, period.timezone)}, "
                f"{days:.0f} days before its end; at most {limit:g} are allowed."
            )
    return reasons


def _find_open(tables: TrustedTables, period: Period) -> list[str]:
    as_of, zone = int(tables.facts["as_of_us"]), period.timezone
    if "received" in tables.facts["spans"] and as_of < period.end_us + WATERMARK_US:
        return [
            f"Provisional: the data are as of {say_day(as_of, zone)}; events of {period.label} may arrive "
            "until 72 hours after its end."
        ]
    if tables.facts["as_of_declared"] and as_of < period.end_us:
        return [
            f"Provisional: the data are as of {say_day(as_of, zone)}, and {period.label} was still open then."
        ]
    return []


def _measure_quarantine(tables: TrustedTables) -> dict[str, float]:
    """Return the percentage of rows set aside for a fault, by table."""
    waterfall = tables.read_waterfall()
    waterfall = waterfall[~waterfall["rule"].isin([*NOT_A_FAULT, *BY_DECISION])]
    sums = waterfall.pivot_table(index="table", columns="step", values="rows", aggfunc="sum", fill_value=0)
    if "set aside" not in sums:
        return {str(table): 0.0 for table in sums.index}
    return {
        str(table): 100 * aside / rows if rows else 0.0
        for table, aside, rows in zip(sums.index, sums["set aside"], sums["rows in"], strict=True)
    }
