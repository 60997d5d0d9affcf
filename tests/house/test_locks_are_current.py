"""pyproject.toml -> uv.lock -> requirements-run.txt and requirements-test.txt, without calling uv.

`make lock` mends every failure here.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
GROUPS = {"requirements-run.txt": ["build"], "requirements-test.txt": ["build", "test"]}
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


def read_toml(name: str) -> dict:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def read_pins(name: str) -> dict[tuple[str, str], set[str]]:
    """Return (package, version) -> its hashes, as the requirement file has them."""
    pins: dict[tuple[str, str], set[str]] = {}
    current = None
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("#") or not line.strip():
            continue
        if found := PIN.match(line):
            current = (canonicalize_name(found[1]), found[2])
            assert current not in pins, f"{name}: {current} stands there twice"
            pins[current] = set()
        assert current is not None, f"{name}: a line before the first package: {line}"
        pins[current] |= set(HASH.findall(line))
    return pins


def read_locked() -> dict[str, list[dict]]:
    packages: dict[str, list[dict]] = {}
    for package in read_toml("uv.lock")["package"]:
        packages.setdefault(canonicalize_name(package["name"]), []).append(package)
    return packages


def hashes_of(package: dict) -> set[str]:
    files = package.get("wheels", []) + ([package["sdist"]] if "sdist" in package else [])
    return {file["hash"] for file in files}


def close_over(locked: dict[str, list[dict]], starts: list[dict]) -> dict[tuple[str, str], set[str]]:
    """Return (package, version) -> hashes of everything that the starts need, by the lock's own graph."""
    wanted: dict[tuple[str, str], set[str]] = {}
    seen, waiting = set(), list(starts)
    while waiting:
        need = waiting.pop()
        for package in locked[canonicalize_name(need["name"])]:
            if "version" in need and need["version"] != package["version"]:
                continue
            wanted[(canonicalize_name(package["name"]), package["version"])] = hashes_of(package)
            extras = need.get("extra", [])
            for key in [(package["name"], package["version"], extra) for extra in ["", *extras]]:
                if key in seen:
                    continue
                seen.add(key)
                extra = key[2]
                optional = package.get("optional-dependencies", {})
                waiting += optional.get(extra, []) if extra else package.get("dependencies", [])
    return wanted


def as_triples(entries: list[dict]) -> set[tuple[str, str, str]]:
    """Return (name, extra, specifier) of the lock's record of what the project asked for."""
    return {
        (
            canonicalize_name(e["name"]),
            "extra" if "extra" in e.get("marker", "") else "",
            sort(e["specifier"]),
        )
        for e in entries
    }


def sort(specifier: str) -> str:
    return ",".join(sorted(part.strip() for part in specifier.split(",")))


def from_lines(lines: list[str], extra: str = "") -> set[tuple[str, str, str]]:
    requirements = [Requirement(line) for line in lines]
    return {(canonicalize_name(r.name), extra, sort(str(r.specifier))) for r in requirements}


def test_uv_lock_was_made_from_this_pyproject():
    asked, project = read_toml("pyproject.toml"), read_toml("pyproject.toml")["project"]
    record = read_locked()["journeylib"][0]["metadata"]
    expected = from_lines(project["dependencies"])
    for lines in project["optional-dependencies"].values():
        expected |= from_lines(lines, "extra")
    assert as_triples(record["requires-dist"]) == expected
    groups = {name: as_triples(entries) for name, entries in record["requires-dev"].items()}
    assert groups == {name: from_lines(lines) for name, lines in asked["dependency-groups"].items()}
    assert sort(read_toml("uv.lock")["requires-python"]) == sort(project["requires-python"])


def test_uv_lock_names_no_registry_but_the_public_one():
    sources = {
        next(iter(package["source"].values())) for name in read_locked().values() for package in name
    } - {"."}
    assert sources == {"https://pypi.org/simple"}


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_requirement_file_holds_what_the_lock_holds_and_nothing_else(name):
    locked = read_locked()
    project = locked["journeylib"][0]
    starts = list(project["dependencies"])
    for group in GROUPS[name]:
        starts += project["dev-dependencies"][group]
    expected, pins = close_over(locked, starts), read_pins(name)
    assert sorted(pins) == sorted(expected)
    wrong = [pin for pin in pins if pins[pin] != expected[pin]]
    assert not wrong, f"{name}: hashes differ from uv.lock: {wrong}; run `make lock`"
    assert all(pins.values()), f"{name}: a package without a hash"


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_every_dependency_of_the_project_is_pinned_within_its_limits(name):
    pyproject, pins = read_toml("pyproject.toml"), read_pins(name)
    lines = list(pyproject["project"]["dependencies"])
    for group in GROUPS[name]:
        lines += pyproject["dependency-groups"][group]
    for requirement in map(Requirement, lines):
        versions = [v for package, v in pins if package == canonicalize_name(requirement.name)]
        assert versions, f"{name} lacks {requirement.name}; run `make lock`"
        assert all(v in requirement.specifier for v in versions), f"{requirement} is pinned to {versions}"


def test_running_needs_neither_spark_nor_the_test_tools():
    names = {package for package, _ in read_pins("requirements-run.txt")}
    assert not names & {"pyspark", "py4j", "pytest", "nbval", "mypy", "ruff", "hypothesis"}


def test_both_files_pin_the_same_version_of_a_package():
    assert set(read_pins("requirements-run.txt")) <= set(read_pins("requirements-test.txt"))
