"""make's targets exist, say what they do, install nothing needlessly and leave the last line to the job."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGETS = [
    "review",
    "test",
    "lab",
    "lint",
    "format",
    "outputs",
    "picture",
    "simulate",
    "bench",
    "clean",
    "help",
]
TARGETS += ["lock"]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not on this machine")


def make(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # A make around this test must not hand its own flags down.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *arguments], cwd=cwd, capture_output=True, text=True, env=environment)


@pytest.fixture
def installed(tmp_path):
    """Return a copy of the Makefile's folder whose environment counts as installed; `python` prints."""
    for name in ("Makefile", "pyproject.toml", "requirements-run.txt", "requirements-test.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "data/sample").mkdir(parents=True)
    (tmp_path / "data/sample/journey.toml").touch()
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "ran $*"\n')
    python.chmod(0o755)
    for stamp in (".installed-run", ".installed-test"):
        (tmp_path / ".venv" / stamp).touch()
    return tmp_path


def test_help_lists_every_target():
    done = make("help")
    listed = re.findall(r"^  (\w+)\s+\S", done.stdout, flags=re.MULTILINE)
    assert done.returncode == 0, done.stderr
    assert sorted(listed) == sorted(TARGETS)


def test_help_is_what_make_alone_says():
    assert make().stdout == make("help").stdout


@pytest.mark.parametrize("target", TARGETS)
def test_target_can_be_made(target):
    done = make("--dry-run", "UV=uv", target)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("tool", ["", "uv"])
def test_review_on_a_fresh_machine_installs_the_run_lock_only(tool):
    done = make("--dry-run", f"UV={tool}", "VENV=not-there", "review")
    assert "--require-hashes -r requirements-run.txt" in done.stdout
    assert "requirements-test.txt" not in done.stdout
    assert ("uv pip install" in done.stdout) == bool(tool)
    assert ("-m pip install" in done.stdout) == (not tool)


def test_test_on_a_fresh_machine_installs_the_test_lock_only():
    done = make("--dry-run", "UV=", "VENV=not-there", "test")
    assert "--require-hashes -r requirements-test.txt" in done.stdout
    assert "requirements-run.txt" not in done.stdout


def test_nothing_is_installed_twice(installed):
    for target in ("review", "test"):
        done = make("UV=", target, cwd=installed)
        assert done.returncode == 0, done.stderr
        assert "Installing" not in done.stderr
        assert "pip install" not in done.stdout


def test_a_newer_lock_is_installed_again(installed):
    os.utime(installed / "requirements-run.txt", (2e9, 2e9))
    done = make("--dry-run", "UV=", "review", cwd=installed)
    assert "--require-hashes -r requirements-run.txt" in done.stdout


# `make -C` says "Leaving directory" last, whatever a Makefile wishes; who needs that asks make to be silent.
@pytest.mark.parametrize("flags", [[], ["--no-print-directory", "-C", "."]])
def test_nothing_is_printed_after_the_review_s_last_line(installed, flags):
    done = make("UV=", *flags, "review", cwd=installed)
    assert done.stdout.splitlines()[-1] == "ran -m journeylib review data/sample"


def test_tests_print_nothing_after_pytest_s_summary(installed):
    done = make("UV=", "test", cwd=installed)
    assert done.stdout.splitlines()[-1].startswith("ran -m pytest")


def test_bench_runs_the_benchmarks_and_stops_at_a_failure(installed):
    done = make("UV=", "ARGS=b2 --rounds 1", "bench", cwd=installed)
    assert done.stdout.splitlines() == ["ran -m benchmarks b2 --rounds 1"]
    (installed / ".venv/bin/python").write_text("#!/bin/sh\nexit 3\n")
    assert make("UV=", "bench", cwd=installed).returncode != 0


def test_a_python_too_old_is_refused_in_one_sentence(tmp_path):
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = make("UV=", f"PYTHON={old}", f"VENV={tmp_path}/env", "review")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr
    assert not (tmp_path / "env").exists()


def test_lock_without_uv_says_what_to_install():
    done = make("UV=", "lock")
    assert done.returncode != 0
    assert "make lock needs uv" in done.stderr


def test_clean_leaves_reports_and_the_sample(installed):
    (installed / "reports/my_shop").mkdir(parents=True)
    (installed / "journeylib/__pycache__").mkdir(parents=True)
    assert make("clean", cwd=installed).returncode == 0
    assert (installed / "reports/my_shop").is_dir()
    assert (installed / "data/sample/journey.toml").is_file()
    assert not (installed / ".venv").exists()
    assert not (installed / "journeylib/__pycache__").exists()


def test_contributing_names_a_python_twin_for_each_target():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `make (\w+)` \| `([^`]+)`", text, flags=re.MULTILINE)
    twins = dict(rows)
    assert sorted(twins) == sorted(set(TARGETS) - {"help"})
