"""From the figures of the benchmarks to docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["describe_machine", "print_ratios", "write_report"]

_PACKAGES = ("duckdb", "narwhals", "pandas", "numpy", "pyarrow", "scikit-learn")
_TITLES = {
    "b1": "B1. The peer's jobs on a million events of the web shop",
    "b2": "B2. Five jobs on ten million events, against hand-tuned SQL and the sort alone",
    "b3": "B3. The same against idiomatic pandas",
    "b4": "B4. The five jobs beyond memory: engine limit 1 GB",
}
_HEAD = """# Benchmarks

Made by `make bench` (twin: `python -m benchmarks`) from the figures in `benchmarks/results/`. Ours and theirs
run in the same run on the same machine, each in a process of its own, in turn; of several rounds the cheapest
of each side counts. CPU is user and system seconds of the process and its children, peak memory the largest
resident set. Seconds depend on the machine and on who else uses it; the ratios are what counts. `python -m
benchmarks b2` runs one of them.

Ours are public functions: `keep_sessions`, `count_funnel`, `count_transitions`, `count_paths`,
`summarise_customers`; in B1 also `count_steps`, `split_into_sessions`, `measure_sessions`, `fit_k_means` and
`measure_candidates`.
"""


def describe_machine() -> dict[str, Any]:
    """Describe the machine and the versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = {name: metadata.version(name) for name in _PACKAGES}
    load = round(os.getloadavg()[0], 1)
    return {"cores": os.cpu_count(), "memory_gb": round(memory), "load": load} | {
        "python": platform.python_version(),
        "versions": versions,
    }


def print_ratios(found: dict[str, Any]) -> None:
    """Print the table of ratios of one benchmark."""
    print("\n".join([f"{found['benchmark']}:", *_tabulate(found)]))


def write_report(results: Path, target: Path) -> None:
    """Write the page from all results that are there, and what is said of them by hand."""
    parts = [_HEAD]
    for name, title in _TITLES.items():
        path = results / f"{name}.json"
        if not path.is_file():
            parts.append(f"## {title}\n\nNot run.\n")
            continue
        found = json.loads(path.read_text(encoding="utf-8"))
        parts.append(f"## {title}\n\n{_say_machine(found)}\n\n" + "\n".join(_tabulate(found)) + "\n")
        if name == "b4":
            parts.append("\n".join(_tabulate_sizes(found)) + "\n")
        note = results / f"{name}.md"
        if note.is_file():
            parts.append(note.read_text(encoding="utf-8"))
    target.write_text("\n".join(part.strip() + "\n" for part in parts), encoding="utf-8")


def _say_machine(found: dict[str, Any]) -> str:
    machine = found["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    rounds = f"{found['rounds']} rounds, " if "rounds" in found else ""
    size = f"{found['millions']} million events, " if "millions" in found else ""
    place = f"{machine['cores']} cores, {machine['memory_gb']} GB, load {machine['load']} at the end"
    return f"{size}{rounds}{place}; Python {machine['python']}, {versions}."


def _tabulate(found: dict[str, Any]) -> list[str]:
    lines = ["| what | ours | theirs | ratio | target | met |", "|---|---|---|---|---|---|"]
    for row in found["ratios"]:
        ours, theirs = (f"{row[key]:.2f} {row['unit']}" if key in row else "" for key in ("ours", "theirs"))
        target = f"at most {row['target']:g}" if "target" in row else "printed"
        met = {True: "yes", False: "**no**"}.get(row.get("met", None), "")  # type: ignore[arg-type]
        lines.append(f"| {row['what']} | {ours} | {theirs} | {row['ratio']:g} | {target} | {met} |")
    return lines


def _tabulate_sizes(found: dict[str, Any]) -> list[str]:
    head = "| million events | CPU s | wall s | peak MB | Parquet MB in | kept MB | features MB | checksum |"
    lines = [head, "|---|---|---|---|---|---|---|---|"]
    for run in found["runs"]:
        sizes = f"{run['events_mb']} | {run['kept_mb']} | {run['features_mb']} | {run['told']['check']}"
        lines.append(
            f"| {run['millions']} | {run['cpu']:.1f} | {run['wall']:.0f} | {run['peak_mb']:.0f} | {sizes} |"
        )
    if found["not_run"]:
        sizes = ", ".join(f"{size} million" for size in found["not_run"])
        lines += ["", f"Not run: {sizes}."]
    return lines
