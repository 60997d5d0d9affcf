"""The benchmarks: what they say where something is missing, and the page that they write."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.beyond_memory import _fit_slope  # noqa: E402
from benchmarks.report import write_report  # noqa: E402
from benchmarks.running import run_python  # noqa: E402


def test_without_the_baselines_one_sentence_says_what_to_do(tmp_path):
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "b2",
        "--baselines",
        str(tmp_path),
        "--work",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "The baselines are not in" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_process_is_measured_with_its_children(tmp_path):
    script = tmp_path / "busy.py"
    script.write_text(
        "import subprocess, sys\n"
        "code = 'import time\\nwhile time.process_time() < 0.4: pass'\n"
        "subprocess.run([sys.executable, '-c', code], check=True)\nprint('{\"done\": 1}')\n"
    )
    taken = run_python(script)
    assert taken["told"] == {"done": 1}
    assert taken["cpu"] >= 0.4
    script.write_text("raise SystemExit(3)")
    with pytest.raises(RuntimeError, match="ended with 3"):
        run_python(script)


def test_a_line_through_powers_has_the_power_for_its_slope():
    runs = [{"millions": size, "cpu": 3 * size**1.1} for size in (1, 3, 10)]
    assert _fit_slope(runs) == pytest.approx(1.1, abs=1e-3)


def test_the_page_says_what_was_missed_and_what_was_not_run(tmp_path):
    machine = {"cores": 2, "memory_gb": 23, "load": 1.0, "python": "3.11", "versions": {"duckdb": "2"}}
    row = {
        "what": "CPU",
        "ours": 9.0,
        "theirs": 10.0,
        "unit": "CPU s",
        "ratio": 0.9,
        "target": 0.6,
        "met": False,
    }
    found = {"benchmark": "B2", "rounds": 1, "millions": 10, "machine": machine, "ratios": [row]}
    (tmp_path / "b2.json").write_text(json.dumps(found))
    (tmp_path / "b2.md").write_text("It missed since it was made up.\n")
    write_report(tmp_path, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert "| CPU | 9.00 CPU s | 10.00 CPU s | 0.9 | at most 0.6 | **no** |" in page
    assert "It missed since it was made up." in page
    assert page.count("Not run.") == 3
