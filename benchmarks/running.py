"""Running one side of a benchmark in a process of its own, and reading what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["HERE", "Taken", "find_baselines", "make_once", "run_python", "say"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
Taken = dict[str, Any]


def run_python(
    script: Path, *arguments: str, python: str = sys.executable, env: Mapping[str, str] | None = None
) -> Taken:
    """Run a Python script that prints one line of JSON last, and measure the process.

    Parameters
    ----------
    script : Path
        What to run.
    *arguments : str
        Its arguments.
    python : str
        The interpreter.
    env : mapping, optional
        Further environment variables.

    Returns
    -------
    dict
        What the script printed, with ``cpu`` (user and system seconds of the process and its children),
        ``peak_mb`` (the largest resident set of any of them) and ``wall``.

    Raises
    ------
    RuntimeError
        Where the script fails or prints no JSON.
    """
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore", **(env or {})}
    command = [python, str(script), *arguments]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    lines = [line for line in printed.splitlines() if line.startswith("{")]
    if process.returncode or not lines:
        raise RuntimeError(f"{script.name} {' '.join(arguments)} ended with {process.returncode}")
    measured = {"cpu": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1024, "wall": wall}
    told = json.loads(lines[-1])
    kept = {"told": told} | {name: round(value, 2) for name, value in measured.items()}
    say(f"  {script.name}: {kept['cpu']:.1f} CPU s, {kept['peak_mb']:.0f} MB, {wall:.0f} s")
    return kept


def find_baselines(folder: Path) -> Path:
    """Return the folder of the baselines, or end with one sentence where it is not there."""
    if not (folder / "spec.py").is_file():
        raise SystemExit(
            f"The baselines are not in {folder} (spec.py is missing there). They are kept beside the "
            "repository, not in it; give their folder: python -m benchmarks --baselines FOLDER"
        )
    return folder.resolve()


def make_once(target: Path, command: Sequence[str]) -> Path:
    """Make a file or folder by a command, unless an earlier run has made it."""
    if not target.exists():
        say(f"Making {target.name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.part")
        made = [str(beside) if part == "{}" else part for part in command]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        beside.rename(target)
    return target


def say(text: str) -> None:
    """Say what is going on, on stderr."""
    print(text, file=sys.stderr, flush=True)
