"""What the tests of the worked examples share: running the command, reading findings, finding the data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
DIMENSIONS = ("touchpoint", "persona", "segment")
NUMBERS = (
    "value", "low", "high", "n", "n_effective", "previous", "change", "change_low", "change_high", "p_value",
    "q_value", "minimum_effect", "year_ago", "year_ago_change", "year_ago_low", "year_ago_high",
)  # fmt: skip


def run_command(*arguments: str | Path) -> int:
    """Return the exit code of `journey ...`, run in this process."""
    from journeylib.cli import main

    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    return int(code or 0)


def read_findings(folder: Path) -> pd.DataFrame:
    """Return findings.csv with its numbers as numbers and its empty texts as ''."""
    findings = pd.read_csv(folder / "findings.csv", dtype=str, keep_default_na=False)
    for name in NUMBERS:
        findings[name] = pd.to_numeric(findings[name], errors="coerce")
    return findings


def select_rows(findings: pd.DataFrame, metric: str, **where: str) -> pd.DataFrame:
    """Return the rows of one metric; touchpoint, persona and segment are empty unless asked for."""
    wanted = {name: "" for name in DIMENSIONS} | where
    if "touchpoint" not in where:
        wanted.setdefault("stage", "")
    rows = findings[findings["metric"] == metric]
    for name, value in wanted.items():
        rows = rows[rows[name] == value]
    return rows


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder with the public data, or skip where it is not there."""
    if not DATA.is_dir():
        pytest.skip("the public data of the worked examples (../shared/data) is not on this machine")
    return DATA


@pytest.fixture(scope="session")
def examples() -> Path:
    """Return the folder of the worked examples."""
    return ROOT / "examples"


@pytest.fixture(scope="session")
def run() -> Callable[..., int]:
    """Return the function that runs the command."""
    return run_command


@pytest.fixture(scope="session")
def read() -> Callable[[Path], pd.DataFrame]:
    """Return the function that reads findings.csv of a report's folder."""
    return read_findings


@pytest.fixture(scope="session")
def rows_of() -> Callable[..., pd.DataFrame]:
    """Return the function that selects the rows of one metric."""
    return select_rows


@pytest.fixture(scope="session")
def one_row() -> Callable[..., pd.Series]:
    """Return the function that selects the only row of one metric and place; none or two is a failure."""

    def select_one(findings: pd.DataFrame, metric: str, **where: str) -> pd.Series:
        rows = select_rows(findings, metric, **where)
        assert len(rows) == 1, f"{len(rows)} rows of {metric} at {where}, one was expected"
        return rows.iloc[0]

    return select_one
