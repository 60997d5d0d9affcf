"""The built wheel, in an empty environment and away from the repository, makes a sample and reviews it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = shutil.which("uv")
NO_REGISTRY = (
    "temporary failure in name resolution",
    "name or service not known",
    "network is unreachable",
    "no route to host",
    "connection refused",
    "connection timed out",
    "connection error",
    "could not connect",
    "failed to fetch",
    "dns error",
    "newconnectionerror",
    "max retries exceeded",
)

pytestmark = pytest.mark.wheel


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what points back to the repository or this venv."""
    left_out = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST", "JUPYTER_PATH"}
    return {key: value for key, value in os.environ.items() if key not in left_out}


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    arguments = [str(part) for part in command]
    return subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, env=clean_environment())


def install(python: Path, *arguments: str, cwd: Path) -> None:
    if UV:
        done = run(UV, "pip", "install", "--quiet", "--python", python, *arguments, cwd=cwd)
    else:
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = run(python, *pip, *arguments, cwd=cwd)
    if done.returncode == 0:
        return
    cause = done.stdout + done.stderr
    if os.environ.get("CI") != "true" and any(sign in cause.lower() for sign in NO_REGISTRY):
        pytest.skip(f"no package registry can be reached: {cause.strip().splitlines()[-1]}")
    pytest.fail(f"the installation failed:\n{cause}")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("journeylib-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Return the folder of commands of an environment that holds the run lock and the wheel alone."""
    folder = tmp_path_factory.mktemp("empty") / "environment"
    venv.create(folder, with_pip=UV is None)
    commands = folder / ("Scripts" if os.name == "nt" else "bin")
    python = commands / ("python.exe" if os.name == "nt" else "python")
    install(python, "--require-hashes", "-r", str(ROOT / "requirements-run.txt"), cwd=folder)
    install(python, "--no-deps", str(wheel), cwd=folder)
    return commands


def test_wheel_holds_the_package_and_every_notebook_and_no_tests(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    notebooks = {
        f"journeylib/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "notebooks").rglob("*.ipynb")
        if ".ipynb_checkpoints" not in path.parts
    }
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "journeylib").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert notebooks
    assert notebooks | files <= names
    foreign = [n for n in names if not n.startswith(("journeylib/", "journeylib-"))]
    assert not foreign, foreign
    assert not [name for name in names if "checkpoint" in name or "__pycache__" in name]


def test_installed_package_comes_from_the_wheel_and_not_from_the_repository(installed, tmp_path):
    done = run(installed / "python", "-c", "import journeylib; print(journeylib.__file__)", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(installed.parent)


def test_installed_wheel_makes_a_sample_and_reviews_it(installed, tmp_path):
    made = run(installed / "journey", "sample", "shop", cwd=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    reviewed = run(installed / "journey", "review", "shop", cwd=tmp_path)
    assert reviewed.returncode == 0, reviewed.stdout + reviewed.stderr
    page = tmp_path / reviewed.stdout.splitlines()[-1]
    assert page.name == "review.html"
    assert page.is_file()
    assert page.stat().st_size > 10_000
    assert str(ROOT) not in page.read_text(encoding="utf-8")


def test_module_and_command_are_the_same(installed, tmp_path):
    command = run(installed / "journey", "--help", cwd=tmp_path)
    module = run(installed / "python", "-m", "journeylib", "--help", cwd=tmp_path)
    assert command.returncode == 0, command.stderr
    assert (module.returncode, module.stdout) == (0, command.stdout)
