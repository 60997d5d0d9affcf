"""The built wheel, in an empty environment and away from the repository, makes a sample and reviews it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OPTIONAL = {"pyspark"}  # the extra `spark`; imported where events are on Spark already

pytestmark = pytest.mark.wheel


def clean_environment() -> dict[str, str]:
    """Return this process's environment without the repository's paths; Jupyter's files are this venv's."""
    left_out = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST"}
    kept = {key: value for key, value in os.environ.items() if key not in left_out}
    return kept | {"JUPYTER_PATH": str(Path(sysconfig.get_path("data")) / "share" / "jupyter")}


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    arguments = [str(part) for part in command]
    return subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, env=clean_environment())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("journeylib-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Return the folder of commands of an environment that holds the wheel; the libraries are this venv's.

    A path in a .pth file brings the libraries and none of this venv's own .pth files, so the repository,
    which is installed here for editing, is not on the new environment's path.
    """
    folder = tmp_path_factory.mktemp("empty") / "environment"
    venv.create(folder, with_pip=True)
    commands = folder / ("Scripts" if os.name == "nt" else "bin")
    python = commands / ("python.exe" if os.name == "nt" else "python")
    done = run(python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    (Path(done.stdout.strip()) / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return commands


def read_imports() -> set[str]:
    """Return the libraries that the package imports, anywhere in its code."""
    found = set()
    for path in (ROOT / "journeylib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"journeylib"}


def test_the_run_lock_brings_each_library_that_the_package_imports():
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements-run.txt").read_text("utf-8"), re.M))
    brings = packages_distributions()
    lost = {
        name
        for name in read_imports() - OPTIONAL
        if not {dist.lower().replace("_", "-") for dist in brings.get(name, [])} & locked
    }
    assert not lost


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
