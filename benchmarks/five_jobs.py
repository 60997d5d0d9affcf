"""B2 and B3: sessions, funnel, transitions, three-step paths and 21 features on ten million events."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from benchmarks.running import HERE, Taken, make_once, run_python, say

__all__ = ["CHECKSUMS", "compare_with_pandas", "compare_with_sql", "make_events"]

CHECKSUMS = {1: "c10bfae4ca", 10: "ad509b955a", 50: "6c80003dbd"}


def make_events(baselines: Path, work: Path, millions: int) -> Path:
    """Make the log of so many million events, once."""
    command = [sys.executable, str(baselines / "make_events.py"), str(millions * 1_000_000), "{}"]
    return make_once(work / f"events_{millions}m", command)


def compare_with_sql(baselines: Path, work: Path, *, millions: int, rounds: int) -> dict[str, Any]:
    """B2: ours against the hand-tuned SQL and against the sort alone, in turn, so often."""
    events = make_events(baselines, work, millions)
    sides: dict[str, list[Taken]] = {"sort": [], "sql": [], "ours": []}
    for number in range(rounds):
        say(f"B2, {millions} million events, round {number + 1} of {rounds}")
        sides["sort"].append(run_python(HERE / "sort_alone.py", str(events)))
        sides["ours"].append(_run_ours(baselines, events, work))
        sides["sql"].append(run_python(baselines / "duckdb_baseline.py", str(events)))
    best = _check_and_pick(sides, millions)
    rows = [
        _compare("CPU against the hand-tuned SQL", best, "cpu", "ours", "sql", 0.6),
        _compare("CPU against the sort alone", best, "cpu", "ours", "sort", 5.0),
        _compare("stretch: CPU against the SQL", best, "cpu", "ours", "sql", 0.4),
        _compare("stretch: CPU against the sort", best, "cpu", "ours", "sort", 3.0),
    ]
    return {"benchmark": "B2", "millions": millions, "rounds": rounds, "runs": sides, "ratios": rows}


def compare_with_pandas(baselines: Path, work: Path, *, millions: int, rounds: int) -> dict[str, Any]:
    """B3: ours against idiomatic pandas, in turn, so often."""
    events = make_events(baselines, work, millions)
    sides: dict[str, list[Taken]] = {"pandas": [], "ours": []}
    for number in range(rounds):
        say(f"B3, {millions} million events, round {number + 1} of {rounds}")
        sides["ours"].append(_run_ours(baselines, events, work))
        sides["pandas"].append(run_python(baselines / "pandas_baseline.py", str(events)))
    best = _check_and_pick(sides, millions)
    rows = [
        _compare("CPU against pandas", best, "cpu", "ours", "pandas", 0.75),
        _compare("peak memory against pandas", best, "peak_mb", "ours", "pandas", 0.5),
    ]
    return {"benchmark": "B3", "millions": millions, "rounds": rounds, "runs": sides, "ratios": rows}


def _run_ours(baselines: Path, events: Path, work: Path) -> Taken:
    return run_python(HERE / "jobs_ours.py", str(baselines), str(events), str(work))


def _check_and_pick(sides: dict[str, list[Taken]], millions: int) -> dict[str, Taken]:
    """Check that all sides have the same results, and take each side's cheapest round."""
    for side, runs in sides.items():
        found = {str(run["told"].get("check", "")) for run in runs} - {""}
        if side != "sort" and found != {CHECKSUMS.get(millions, next(iter(found)))}:
            raise SystemExit(f"{side} has other results: {', '.join(found)}, not {CHECKSUMS.get(millions)}")
    return {side: min(runs, key=lambda run: run["cpu"]) for side, runs in sides.items()}


def _compare(
    what: str, best: dict[str, Taken], measure: str, ours: str, theirs: str, target: float
) -> dict[str, Any]:
    mine, other = best[ours][measure], best[theirs][measure]
    ratio = mine / other
    row = {"what": what, "ours": mine, "theirs": other, "unit": "CPU s" if measure == "cpu" else "MB"}
    return {**row, "ratio": round(ratio, 3), "target": target, "met": ratio <= target}
