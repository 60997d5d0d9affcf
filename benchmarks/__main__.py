"""Run the benchmarks: python -m benchmarks [b1] [b2] [b3] [b4] [options]; results and docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.beyond_memory import grow_beyond_memory
from benchmarks.five_jobs import compare_with_pandas, compare_with_sql
from benchmarks.report import describe_machine, print_ratios, write_report
from benchmarks.running import HERE, find_baselines
from benchmarks.web_shop import compare_with_peer


def main() -> None:
    """Run what was asked for, keep the figures as JSON, and write docs/benchmarks.md from all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("which", nargs="*", help="b1, b2, b3, b4 or report; default: the four")
    beside = HERE.parent.parent / "shared" / "baselines"
    parser.add_argument("--baselines", type=Path, default=beside, help="default: ../shared/baselines")
    cache = Path(tempfile.gettempdir()) / "journeylib_benchmarks"
    parser.add_argument("--work", type=Path, default=cache, help="for data and environments")
    parser.add_argument("--millions", type=int, default=10, help="events of B2 and B3, in millions")
    parser.add_argument("--largest", type=int, default=100, help="largest size of B4, in millions")
    parser.add_argument("--rounds", type=int, default=2, help="how often each side runs, in turn")
    given = parser.parse_args()
    which = given.which or ["b1", "b2", "b3", "b4"]
    if unknown := set(which) - {"b1", "b2", "b3", "b4", "report"}:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}")
    if set(which) - {"report"}:
        given.baselines = find_baselines(given.baselines)
    given.work.mkdir(parents=True, exist_ok=True)
    sizes = {"millions": given.millions, "rounds": given.rounds}
    jobs = {
        "b1": lambda: compare_with_peer(given.baselines, given.work, rounds=given.rounds),
        "b2": lambda: compare_with_sql(given.baselines, given.work, **sizes),
        "b3": lambda: compare_with_pandas(given.baselines, given.work, **sizes),
        "b4": lambda: grow_beyond_memory(given.baselines, given.work, largest=given.largest),
    }
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    for name in (name for name in which if name in jobs):
        found = {**jobs[name](), "machine": describe_machine()}
        print_ratios(found)
        (results / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    write_report(results, HERE.parent / "docs" / "benchmarks.md")


if __name__ == "__main__":
    main()
