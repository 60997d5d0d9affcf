"""Every command in README.md runs with exit 0, in the order in which a reader meets it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from journeylib.data import make_sample

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(?:bash|sh)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
# What starts so is run. The rest must stand in NOT_RUN, so that no command slips through unread.
RUN = ("journey ", "make review", "python -m journeylib")
NOT_RUN = (
    "make test",  # this very run
    "make lab",  # does not end
    ". .venv/bin/activate",
    "python -m venv",
    "python -m pip install",
    "python -m pytest",
)
# The repository as a reader has it after cloning, without what is large or made by running.
LEFT_OUT = shutil.ignore_patterns(".venv*", ".git", "__pycache__", ".*_cache", ".hypothesis", "my_*", "tests")


def read_commands() -> list[str]:
    """Return the commands of the README's shell blocks in order, comments cut off."""
    lines = "\n".join(BLOCK.findall(README.read_text(encoding="utf-8"))).replace("\\\n", " ").splitlines()
    return [command for line in lines if (command := line.split(" #")[0].strip()) and command[0] != "#"]


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """Return a copy of the repository in which `journey` and `make` use this test's Python."""
    folder = tmp_path_factory.mktemp("readme") / "journey-kit"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    for path in (folder / "reports").iterdir():
        if path.is_dir() and path.name != "example":
            shutil.rmtree(path)
    # A small sample in the place of the usual one: what is tried here is the commands, four reviews of them.
    shutil.rmtree(folder / "data" / "sample")
    make_sample(folder / "data" / "sample", customers=200)
    commands = folder.parent / "commands"
    commands.mkdir()
    for name, words in {"journey": "-m journeylib", "python": ""}.items():
        (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n', encoding="utf-8")
        (commands / name).chmod(0o755)
    for stamp in ("installed-run", "installed-test"):
        (folder.parent / stamp).touch()
    return folder


def run(command: str, clone: Path) -> subprocess.CompletedProcess[str]:
    if command.startswith("make "):
        # The environment of this test stands for the one that make would fill: nothing is installed.
        stamp = clone.parent / "installed"
        command += f' UV= VENV="{sys.prefix}" INSTALLED_RUN="{stamp}-run" INSTALLED_TEST="{stamp}-test"'
    left_out = ("MAKE", "MFLAGS", "PYTHONPATH", "PYTEST_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    environment["PATH"] = os.pathsep.join([str(clone.parent / "commands"), environment["PATH"]])
    return subprocess.run(["bash", "-c", command], cwd=clone, capture_output=True, text=True, env=environment)


def play_the_reader(command: str, clone: Path) -> None:
    """After `journey init`, put exports and their description where a reader puts her own: the sample's."""
    folder = clone / command.split()[-1]
    exports = clone.parent / "exports"
    made = run(f'journey sample "{exports}" --customers 200', clone)
    assert made.returncode == 0, made.stderr
    shutil.copytree(exports, folder, dirs_exist_ok=True)


def test_readme_commands_run_in_order(clone):
    ran = []
    for command in read_commands():
        if not command.startswith(RUN):
            continue
        done = run(command, clone)
        assert done.returncode == 0, f"{command}\nexit {done.returncode}\n{done.stdout}{done.stderr}"
        ran.append((command, done.stdout))
        if re.match(r"(journey|python -m journeylib) init ", command):
            play_the_reader(command, clone)
    reviews = [(command, out) for command, out in ran if " review" in command]
    assert reviews, "the README does not show a review"
    for command, out in reviews:
        page = clone / out.splitlines()[-1]
        assert page.name == "review.html", f"{command}: the last line is {out.splitlines()[-1]!r}"
        assert page.is_file(), f"{command}: {page} is not there"


def test_each_command_is_run_or_named_as_not_run():
    unread = [command for command in read_commands() if not command.startswith(RUN + NOT_RUN)]
    assert not unread, f"say in RUN or NOT_RUN what becomes of {unread}"


def test_the_two_commands_stand_in_the_first_forty_lines():
    head = "\n".join(README.read_text(encoding="utf-8").splitlines()[:40])
    assert "make review" in head
    assert "make test" in head


def test_readme_is_short():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150


def test_links_and_pictures_of_the_readme_are_there():
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", README.read_text(encoding="utf-8"))
    lost = [target for target in targets if "://" not in target and not (ROOT / target).exists()]
    assert not lost, lost


def test_notebooks_in_the_readme_are_the_notebooks_that_there_are():
    named = set(re.findall(r"`notebooks/([\w/]+\.ipynb)`", README.read_text(encoding="utf-8")))
    there = {
        path.relative_to(ROOT / "notebooks").as_posix()
        for path in (ROOT / "notebooks").rglob("*.ipynb")
        if ".ipynb_checkpoints" not in path.parts
    }
    assert named == there
