"""B1: the peer's jobs on a million events of the web shop, ours and theirs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.running import HERE, Taken, make_once, run_python, say

__all__ = ["compare_with_peer"]

_PEER = "retentioneering==5.2.4"
_TENTH = 0.1


def compare_with_peer(baselines: Path, work: Path, *, rounds: int) -> dict[str, Any]:
    """B1: ours against the peer, who lives in an environment of its own under the work folder."""
    source = baselines.parent / "data" / "ecom_events.csv.gz"
    if not source.is_file():
        raise SystemExit(f"The web shop's log is not there: {source}")
    maker = [sys.executable, str(baselines / "make_ecom_1m.py"), str(source), "{}"]
    events = make_once(work / "ecom_1m.parquet", maker)
    python = _make_environment(work / "peer")
    sides: dict[str, list[Taken]] = {"peer": [], "ours": []}
    for number in range(rounds):
        say(f"B1, round {number + 1} of {rounds}")
        sides["ours"].append(run_python(HERE / "web_shop_ours.py", str(events), str(work)))
        peer = baselines / "retentioneering_baseline.py"
        sides["peer"].append(run_python(peer, str(events), python=str(python)))
    best = {side: min(runs, key=lambda run: float(run["told"]["total_cpu"])) for side, runs in sides.items()}
    ours, theirs = best["ours"]["told"], best["peer"]["told"]
    rows: list[dict[str, Any]] = [_compare("all", ours["total_cpu"], theirs["total_cpu"], _TENTH)]
    for name, taken in theirs["operations"].items():
        rows.append(_compare(name, ours["operations"][name]["cpu"], taken["cpu"], 1.0))
    return {"benchmark": "B1", "rounds": rounds, "runs": sides, "ratios": rows}


def _compare(what: str, mine: float, other: float, target: float) -> dict[str, Any]:
    ratio = mine / max(other, 0.01)
    row = {"what": what, "ours": mine, "theirs": other, "unit": "CPU s"}
    return {**row, "ratio": round(ratio, 3), "target": target, "met": ratio <= target}


def _make_environment(folder: Path) -> Path:
    """Make the peer's environment, outside the repository, once."""
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not python.exists():
        say(f"Installing {_PEER} into an environment of its own")
        uv = shutil.which("uv")
        if uv:
            subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
            install = [uv, "pip", "install", "--quiet", "--python", str(python)]
        else:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            install = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, _PEER, "pyarrow"], check=True)
    return python
