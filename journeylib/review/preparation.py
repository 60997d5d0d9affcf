"""From a project to what chapters read: trusted tables, sessions, periods, and how far to trust them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd

from journeylib.data.codebook import split_codes
from journeylib.data.periods import Period, parse_period, period_at, previous_period, year_ago_period
from journeylib.data.problems import InputError, Problem, say_nearest
from journeylib.data.project import Project
from journeylib.data.trusted import TrustedTables, write_trusted_tables
from journeylib.journey.engine import connect_engine, use_engine
from journeylib.journey.sessions import split_into_sessions
from journeylib.journey.stages import assign_touchpoints, count_unmapped
from journeylib.review.chapter import SETTINGS_FILE
from journeylib.review.engine_choice import check_engine, open_on_engine, write_parquet
from journeylib.review.event_checks import check_events
from journeylib.review.metrics import METRICS
from journeylib.review.reliability import judge_reliability, measure_coverage

__all__ = ["SETTINGS_FILE", "choose_period", "prepare_review"]


@dataclass(frozen=True)
class Prepared:
    """What `prepare_review` made: the folder, the trusted tables, and the settings that chapters read."""

    folder: Path
    tables: TrustedTables
    settings: dict[str, Any]


def choose_period(label: str | None, tables: TrustedTables, project: Project) -> Period:
    """Return the period to review.

    Parameters
    ----------
    label : str or None
        A period; ``latest`` or None for the latest closed quarter (of a survey without events: the newest
        closed period that a wave declares); ``last`` for the newest quarter with data, also where it is
        still open.
    tables : TrustedTables
        The trusted tables, which know the instant as of which they are looked at.
    project : Project
        Gives the zone and the fiscal year.

    Returns
    -------
    Period
        The period.

    Raises
    ------
    InputError
        If the label is no period.
    """
    month = project.fiscal_start_month
    as_of = int(tables.facts["as_of_us"])
    if label == "last":
        newest = max([end for _, end in tables.facts["spans"].values()], default=as_of)
        return period_at(min(newest, as_of), timezone=project.timezone, fiscal_start_month=month)
    if label in (None, "", "latest"):
        waves = [project.period(wave["period"]) for wave in tables.facts["waves"] if wave["period"]]
        closed = [wave for wave in waves if wave.end_us <= as_of]
        if closed and "events" not in tables.facts["tables"]:
            return max(closed, key=lambda wave: (wave.end_us, wave.start_us))
        return previous_period(period_at(as_of, timezone=project.timezone, fiscal_start_month=month))
    try:
        return parse_period(str(label), timezone=project.timezone, fiscal_start_month=month)
    except ValueError:
        mend = "write 2026, 2026Q3, 2026-07, FY2026 or FY2026Q3, latest or last"
        raise InputError(Problem("--period", repr(label), "a period", mend)) from None


def prepare_review(
    project: Project,
    folder: str | Path,
    *,
    key: bytes,
    period: str | None = None,
    as_of_us: int | None = None,
    complete: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> Prepared:
    """Read, clean and sessionise once, for all chapters of a review.

    Parameters
    ----------
    project : Project
        The checked project.
    folder : str or Path
        Where the tables are written; what stands there is replaced.
    key : bytes
        The key of the pseudonyms.
    period : str or None
        See `choose_period`.
    as_of_us : int or None
        The instant as of which the data are looked at, microseconds UTC.
    complete : bool
        False for a check: all that can be wrong is found, and no sessions are made.
    say : callable
        Called with one sentence as the work goes on.

    Returns
    -------
    Prepared
        The trusted tables, with events mapped to touchpoints and split into sessions, and review.json.

    Raises
    ------
    InputError
        If anything that a person wrote or exported is wrong.
    """
    _check_metrics(project)
    check_engine(project)
    use_engine(memory_limit=project.engine["memory_limit"], spill=project.engine["spill"])
    tables = write_trusted_tables(project, folder, key=key, as_of_us=as_of_us, complete=complete, say=say)
    unmapped = pd.DataFrame({"name": [], "n": [], "share": []})
    if tables.has("events"):
        say("splitting events into sessions" if complete else "looking for events without a touchpoint")
        unmapped = _write_sessions(project, tables, complete=complete)
        _check_funnels(project, tables.path("events" if complete else "sessions"))
    chosen = choose_period(period, tables, project)
    periods = {"reviewed": chosen, "previous": previous_period(chosen), "year_ago": year_ago_period(chosen)}
    coverage = measure_coverage(tables, periods, freshness_days=project.gates["freshness_days"])
    _check_covered(chosen, coverage, tables, project)
    reliability = judge_reliability(
        tables, periods, coverage, project, unmapped_percent=float(unmapped["share"].sum())
    )
    settings = {
        "periods": {which: asdict(one) for which, one in periods.items()},
        "coverage": coverage,
        "reliability": reliability,
        "engine": project.engine,
        "funnels": [asdict(funnel) for funnel in project.funnels],
        "targets": project.targets,
        "minimum_effect": project.minimum_effect,
        "minimum_base": project.privacy["minimum_base"],
        "gates": project.gates,
        "name": project.name,
        "slug": project.slug,
        "currency": project.currency,
        "touchpoints": json.loads(project.touchpoints.drop(columns="line").to_json(orient="records")),
        "actions": json.loads(project.actions.drop(columns="line").to_json(orient="records")),
        "event_checks": check_events(tables, periods) if complete and tables.has("events") else {},
        "sources_heard": _name_sources(project.codebook),
        "unmapped": json.loads(unmapped.head(20).to_json(orient="records")),
    }
    (tables.folder / SETTINGS_FILE).write_text(
        json.dumps(settings, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
    return Prepared(tables.folder, tables, settings)


def _name_sources(codebook: pd.DataFrame) -> dict[str, str]:
    """Name the codes of the question where the company was first heard of."""
    asked = codebook[codebook["role"] == "heard_from"]
    return {code: name for text in asked["values"] for code, name in split_codes(str(text)).items() if name}


def _check_metrics(project: Project) -> None:
    problems = []
    for section, named in (("targets", project.targets), ("minimum_effect", project.minimum_effect)):
        for metric in named:
            if metric not in METRICS:
                mend = say_nearest(metric, list(METRICS))
                problems.append(
                    Problem(
                        "journey.toml",
                        f"unknown metric {metric!r}",
                        "a metric of the registry",
                        mend,
                        line=project.find_line(section, metric),
                        column=f"[{section}]",
                    )
                )
    if problems:
        raise InputError(problems)


def _write_sessions(project: Project, tables: TrustedTables, *, complete: bool) -> pd.DataFrame:
    """Map events to touchpoints, split them into sessions, and return the names that no pattern matches."""
    path = tables.path("events")
    raw = open_on_engine(path, project.engine) if complete else path
    patterns = project.touchpoints[project.touchpoints["pattern"] != ""]
    has_own = duckdb.execute(
        f"SELECT count(touchpoint) FROM read_parquet('{tables.path('events')}')"
    ).fetchall()[0][0]
    if patterns.empty and has_own:
        mapped = connect_engine().read_parquet(raw) if isinstance(raw, str) else raw
    else:
        mapped = assign_touchpoints(raw, project.touchpoints)
    unmapped = (
        count_unmapped(mapped)
        if len(patterns) or (has_own)
        else pd.DataFrame({"name": [], "n": [], "share": []})
    )
    made = tables.folder / "sessions.parquet"
    if not complete:
        mapped.project("name, touchpoint").distinct().to_parquet(str(made))
        return unmapped
    write_parquet(split_into_sessions(mapped), made)
    (tables.folder / "events.parquet").unlink()
    made.replace(tables.folder / "events.parquet")
    return unmapped


def _check_funnels(project: Project, path: str) -> None:
    """Refuse a step that is neither a listed touchpoint, nor an event, nor a stage."""
    events = f"read_parquet('{path}')"
    names = {str(row[0]) for row in duckdb.execute(f"SELECT DISTINCT name FROM {events}").fetchall()}
    places = {
        str(row[0])
        for row in duckdb.execute(
            f"SELECT DISTINCT touchpoint FROM {events} WHERE touchpoint IS NOT NULL"
        ).fetchall()
    }
    places |= set(project.touchpoints["touchpoint"])
    stages = set(project.touchpoints["stage"]) | {"awareness", "consideration", "decision", "post-purchase"}
    known = {"event": names, "stage": stages}
    problems = []
    for funnel in project.funnels:
        for step in funnel.steps:
            kind, mark, name = step.partition(":")
            among = known[kind] if mark and kind in known else places
            if (name if mark and kind in known else step) not in among:
                listed = (
                    sorted(f"{kind}:{one}" for one in among)
                    if mark and kind in known
                    else sorted(places) or sorted(f"event:{one}" for one in names)
                )
                column = f"[funnel.{funnel.name}] steps"
                problems.append(
                    Problem(
                        "journey.toml",
                        f"unknown step {step!r}",
                        "a touchpoint, event:NAME or stage:NAME",
                        say_nearest(step, listed),
                        line=project.find_line(f"funnel.{funnel.name}", "steps"),
                        column=column,
                    )
                )
    if problems:
        raise InputError(problems)


def _check_covered(chosen: Period, coverage: dict[str, Any], tables: TrustedTables, project: Project) -> None:
    if any(one["reviewed"]["rows"] for one in coverage.values()):
        return
    spans = []
    for table, (first, last) in sorted(tables.facts["spans"].items()):
        days = [
            datetime.fromtimestamp(us / 1e6, tz=UTC).astimezone(ZoneInfo(project.timezone)).date().isoformat()
            for us in (first, last)
        ]
        if table != "received":
            spans.append(f"{table} from {days[0]} to {days[1]}")
    waves = sorted({wave["period"] for wave in tables.facts["waves"] if wave["period"]})
    if waves:
        spans.append(f"survey waves of {', '.join(waves)}")
    raise InputError(
        Problem(
            "--period",
            f"{chosen.label}, in which there is no row",
            f"a period with data: {'; '.join(spans)}",
            "choose another period",
        )
    )
