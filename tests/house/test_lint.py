"""ruff, the type checker and the notebook normaliser have nothing to say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
EXTRA_KEYS = "metadata.papermill cell.metadata.papermill cell.metadata.execution"
NORMALISE = ["nbstripout", "--keep-output", "--keep-count", "--extra-keys", EXTRA_KEYS]
NOTEBOOKS = [p for p in sorted((ROOT / "notebooks").rglob("*.ipynb")) if ".ipynb_checkpoints" not in p.parts]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_ruff_finds_no_fault():
    done = run("ruff", "check", "--no-cache", "--output-format", "concise", ".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_is_formatted():
    done = run("ruff", "format", "--no-cache", "--check", ".")
    assert done.returncode == 0, done.stdout + done.stderr + "\nmake format mends this"


def test_types_are_right(tmp_path):
    done = run("mypy", "--cache-dir", str(tmp_path / "mypy"), "--no-error-summary")
    assert done.returncode == 0, done.stdout + done.stderr


def test_notebooks_are_normalised():
    assert NOTEBOOKS
    done = run(*NORMALISE, "--verify", *map(str, NOTEBOOKS))
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nmake format mends this"


def test_pre_commit_and_make_normalise_with_the_same_flags():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0][
        "hooks"
    ]
    flags = next(hook["args"] for hook in hooks if hook["id"] == "nbstripout")
    assert flags == NORMALISE[1:]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "--keep-output --keep-count" in makefile
    assert f'--extra-keys "{EXTRA_KEYS}"' in makefile
