"""environment.yml says what pyproject.toml says: two lists of the same packages drift if nothing compares."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
# Where conda-forge calls a package by another name than PyPI.
PYPI_NAME = {"python-duckdb": "duckdb"}
CONDA_ONLY = {"python", "pip"}
# Pure Python without dependencies, which `-e .` fetches from PyPI; whether conda-forge has it is not known.
PIP_ONLY = {"crawlerdetect"}


def read_project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read_conda_list() -> list:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]


def as_pairs(lines: list[str]) -> dict[str, str]:
    requirements = [Requirement(line) for line in lines]
    return {PYPI_NAME.get(r.name.lower(), r.name.lower()): str(r.specifier) for r in requirements}


def test_conda_and_pip_users_get_the_same_packages_and_version_limits():
    conda = as_pairs([line for line in read_conda_list() if isinstance(line, str)])
    without_conda_only = {name: limits for name, limits in conda.items() if name not in CONDA_ONLY}
    wanted = as_pairs(read_project()["dependencies"])
    assert PIP_ONLY <= wanted.keys()
    assert without_conda_only == {name: limits for name, limits in wanted.items() if name not in PIP_ONLY}


def test_conda_asks_for_the_same_python():
    conda = as_pairs([line for line in read_conda_list() if isinstance(line, str)])
    assert conda["python"] == read_project()["requires-python"]


def test_conda_installs_the_project_itself_from_this_folder():
    parts = [part["pip"] for part in read_conda_list() if isinstance(part, dict)]
    assert parts == [["-e ."]]


def test_no_package_is_listed_twice():
    names = [Requirement(line).name.lower() for line in read_conda_list() if isinstance(line, str)]
    assert len(names) == len(set(names))
