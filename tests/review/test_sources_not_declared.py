"""A source that is not declared costs the parts that need it, and nothing else; the exit code stays 0."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from journeylib.data import make_sample
from journeylib.review.findings import KEY
from journeylib.review.preparation import prepare_review
from journeylib.review.run import CHAPTERS, choose_chapters

ROOT = Path(__file__).resolve().parents[2]
PERIOD = "2026Q3"
# What is recorded from the source, by the columns of the findings; the rest must be as with all sources.
DEPENDS = {
    "events": {"unit_of_analysis": {"people", "sessions", "baskets"}, "metric": {"response_rate"}},
    "survey": {"unit_of_analysis": {"respondents"}, "metric": {"response_rate"}},
    "customers": {"segment": {"plan", "region", "contract", "loyalty"}},
    "orders": {},
    "service_contacts": {"unit_of_analysis": {"contacts"}},
    "exposures": {},
}
# How often a customer orders and calls is part of what she does: without it the personas are found anew.
CHANGES_PERSONAS = ("orders", "service_contacts")
VALUES = ["value", "low", "high", "n", "n_effective", "which"]


def load_simulation() -> ModuleType:
    """Return scripts/simulate.py, which runs chapters in this process."""
    spec = importlib.util.spec_from_file_location("simulate", ROOT / "scripts" / "simulate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def review(folder: Path, work: Path) -> tuple[list[str], int, pd.DataFrame]:
    """Return the chapters of a review, the exit code that its data call for, and what was recorded."""
    from journeylib.data.people import find_key
    from journeylib.data.project import read_project
    from journeylib.review.findings import read_recorded
    from journeylib.review.notebooks import find_notebooks

    project = read_project(folder)
    prepared = prepare_review(project, work / "trusted", key=find_key(folder)[0], period=PERIOD)
    names = [name for name in choose_chapters(prepared.settings["coverage"]) if name != "first_page"]
    given = {"tables": str(work / "trusted"), "period": PERIOD, "record_to": str(work / "recorded")}
    for name in names:
        load_simulation().run_cells(find_notebooks() / f"{name}.ipynb", given)
    return names, prepared.settings["reliability"]["exit_code"], read_recorded(work / "recorded")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample(tmp_path_factory.mktemp("all") / "sample", customers=250)


@pytest.fixture(scope="module")
def whole(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], int, pd.DataFrame]:
    return review(sample, tmp_path_factory.mktemp("whole"))


def drop_source(sample: Path, table: str, folder: Path) -> Path:
    """Return a copy of the sample whose journey.toml does not declare a table's sources."""
    shutil.copytree(sample, folder)
    text = (folder / "journey.toml").read_text(encoding="utf-8")
    parts = re.split(r"(?m)^(?=\[)", text)
    kept = [part for part in parts if not part.startswith(f"[sources.{table}.")]
    assert len(kept) < len(parts), f"the sample declares no {table}"
    (folder / "journey.toml").write_text("".join(kept), encoding="utf-8")
    return folder


def mark_dependent(recorded: pd.DataFrame, table: str) -> pd.Series:
    """Return which recorded rows need a table."""
    needs = pd.Series(False, index=recorded.index)
    for column, values in DEPENDS[table].items():
        found = recorded[column].str.partition("=")[0] if column == "segment" else recorded[column]
        needs |= found.isin(values)
    return needs


@pytest.mark.parametrize("table", sorted(DEPENDS))
def test_a_source_that_is_not_declared_costs_what_needs_it_and_nothing_else(
    table: str, sample: Path, whole: tuple[list[str], int, pd.DataFrame], tmp_path: Path
) -> None:
    names, code, everything = whole
    left, left_code, rest = review(drop_source(sample, table, tmp_path / "part"), tmp_path)
    assert (code, left_code) == (0, 0)
    needed = {
        "events": ["where_customers_leave", "which_ways_they_go", "who_they_are"],
        "survey": ["what_they_say"],
        "service_contacts": ["when_they_ask_for_help"],
    }
    assert left == [name for name in names if name not in needed.get(table, [])]
    assert not mark_dependent(rest, table).any()
    if table in CHANGES_PERSONAS:
        rest, everything = rest[rest["persona"] == ""], everything[everything["persona"] == ""]
    expected = everything[~mark_dependent(everything, table) & everything["chapter"].isin(left)]
    order = [*KEY, "which"]
    pd.testing.assert_frame_equal(
        rest.sort_values(order)[[*KEY, *VALUES]].reset_index(drop=True),
        expected.sort_values(order)[[*KEY, *VALUES]].reset_index(drop=True),
    )
    assert len(rest), "nothing is left to review"


def test_the_chapters_stand_in_the_reader_s_order() -> None:
    order = ["first_page", "journey_map", "where_customers_leave", "which_ways_they_go"]
    order += ["when_they_ask_for_help", "what_they_say", "who_they_are"]
    assert [name for name, _ in CHAPTERS] == [*order, "how_far_to_trust_this"]
