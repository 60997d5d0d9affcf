"""B4: the five jobs on 1 to 100 million events with 1 GB for the engine, features kept as Parquet."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

from benchmarks.five_jobs import CHECKSUMS, make_events
from benchmarks.running import HERE, run_python, say

__all__ = ["SIZES", "grow_beyond_memory"]

SIZES = (1, 3, 10, 30, 100)
_LIMIT, _PEAK_MB, _SLOPE = "1GB", 2560, 1.15


def grow_beyond_memory(baselines: Path, work: Path, *, largest: int) -> dict[str, Any]:
    """Run ours at each size up to the largest, and fit the slope of log CPU on log events."""
    runs = []
    for millions in (size for size in SIZES if size <= largest):
        say(f"B4, {millions} million events, engine limit {_LIMIT}")
        events = make_events(baselines, work, millions)
        place = work / "b4"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        taken = run_python(HERE / "jobs_ours.py", str(baselines), str(events), str(place), _LIMIT)
        check, expected = taken["told"]["check"], CHECKSUMS.get(millions, "")
        if expected and check != expected:
            raise SystemExit(f"other results at {millions} million events: {check}, not {expected}")
        kept = sum(path.stat().st_size for path in (place / "kept").iterdir())
        features = (place / "features.parquet").stat().st_size
        sizes = {"kept_mb": round(kept / 1e6), "features_mb": round(features / 1e6)}
        sizes |= {"events_mb": round(sum(path.stat().st_size for path in events.iterdir()) / 1e6)}
        runs.append({"millions": millions, **taken, **sizes})
        shutil.rmtree(place, ignore_errors=True)
    missing = [size for size in SIZES if size > largest]
    peak = max(run["peak_mb"] for run in runs)
    rows = [_judge("peak memory of the process, MB", peak, _PEAK_MB)]
    if len(runs) > 1:
        rows.append(_judge("slope of log CPU on log events", _fit_slope(runs), _SLOPE))
    from_ten = [run for run in runs if run["millions"] >= 10]
    if len(from_ten) > 1:
        rows.append({"what": "slope from 10 million on", "ratio": _fit_slope(from_ten)})
    return {"benchmark": "B4", "limit": _LIMIT, "runs": runs, "not_run": missing, "ratios": rows}


def _judge(what: str, value: float, target: float) -> dict[str, Any]:
    return {"what": what, "ratio": round(value, 3), "target": target, "met": value <= target}


def _fit_slope(runs: list[dict[str, Any]]) -> float:
    """Fit a straight line by least squares to log CPU over log events."""
    points = [(math.log(run["millions"]), math.log(run["cpu"])) for run in runs]
    middle = [sum(values) / len(points) for values in zip(*points, strict=True)]
    along = sum((x - middle[0]) ** 2 for x, _ in points)
    return round(sum((x - middle[0]) * (y - middle[1]) for x, y in points) / along, 3)
