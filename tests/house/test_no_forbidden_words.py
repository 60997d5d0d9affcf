"""No file of the repository names a folder of one machine, and no module is a drawer for anything."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Put together from parts, so that this file does not hold what it looks for. A letter, digit, dot or slash
# before it makes it the middle of an address or of a longer path.
MACHINE_PATH = re.compile(r"(?<![\w./~-])/(?:" + "|".join(["work", "root", "farm", r"home/[\w.-]+"]) + ")/")
USER_FOLDER = re.compile(r"[A-Za-z]:\\{1,2}Users\\{1,2}\w|(?<![\w./~-])/Users/\w")
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "core", "base", "tools"}
# Locks hold addresses and hashes alone.
LEFT_OUT = {"uv.lock", "requirements-run.txt", "requirements-test.txt"}


def list_files() -> list[Path]:
    """Return the repository's files, those not yet added among them, ignored ones left out."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not in a git repository")
    names = [name for name in done.stdout.decode("utf-8").split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def find_machine_paths(text: str) -> list[str]:
    return [
        f"line {text.count(chr(10), 0, found.start()) + 1}: {text[found.start() : found.start() + 40]!r}"
        for pattern in (MACHINE_PATH, USER_FOLDER)
        for found in pattern.finditer(text)
    ]


def test_no_file_names_a_folder_of_one_machine():
    wrong = []
    for path in list_files():
        if path.name in LEFT_OUT or path == Path(__file__).resolve():
            continue
        content = path.read_bytes()
        if b"\0" in content:
            continue
        text = content.decode("utf-8", errors="replace")
        wrong += [f"{path.relative_to(ROOT)} {where}" for where in find_machine_paths(text)]
    assert not wrong, "\n".join(wrong)


def test_no_module_is_a_drawer_for_anything():
    wrong = [
        str(path.relative_to(ROOT))
        for path in list_files()
        if path.suffix == ".py"
        and ({path.stem, *path.parent.relative_to(ROOT).parts} & DRAWERS or path.stem.strip("_") in DRAWERS)
    ]
    assert not wrong, f"name the module by its one idea: {wrong}"


def test_nothing_of_the_package_or_the_example_report_is_hidden_by_gitignore():
    list_files()
    visible = [
        "journeylib/data/reading.py",
        "journeylib/review/page.py",
        "data/sample/journey.toml",
        "data/sample/exports/clicks.csv",
        "notebooks/review/first_page.ipynb",
        "reports/README.md",
        "reports/example/review.html",
        "reports/example/notebooks/first_page.ipynb",
        "reports/example/data/findings.csv",
    ]
    hidden = ["reports/my_shop/2026Q3/review.html", ".venv/bin/python", "reports/.work/lock"]
    command = ["git", "check-ignore", "--no-index", *visible, *hidden]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert sorted(done.stdout.split()) == sorted(hidden)


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("path = '" + "/" + "work/main'", True),
        ("see " + "/" + "root/.cache", True),
        ("open(" + "/" + "home/anna/data.csv)", True),
        ("C:" + "\\Users\\anna", True),
        ("https://shop.example/home/garden/", False),
        ("the path /home is a page", False),
        ("reports/work/x", False),
    ],
)
def test_machine_paths_are_told_from_addresses(text, is_found):
    assert bool(find_machine_paths(text)) == is_found
