"""A project: the folder that says where the exports are and what their columns mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from journeylib.data.codebook import read_codebook
from journeylib.data.erasure import read_erasure_list
from journeylib.data.funnel_settings import Funnel, read_funnels
from journeylib.data.periods import Period, parse_period
from journeylib.data.problems import InputError, Problem
from journeylib.data.project_keys import SettingsReader, find_line
from journeylib.data.project_settings import (
    SETTINGS,
    load_settings,
    read_engine,
    read_gates,
    read_head,
    read_instant,
    read_privacy,
)
from journeylib.data.project_tables import read_actions, read_changes, read_touchpoints
from journeylib.data.sources import Source, read_sources

__all__ = ["Project", "read_instant", "read_project"]


@dataclass(frozen=True)
class Project:
    """Everything that a project's folder says; nothing has been read from its sources yet."""

    folder: Path
    slug: str
    name: str
    timezone: str
    fiscal_start_month: int
    currency: str
    as_of_us: int | None
    sources: tuple[Source, ...]
    funnels: tuple[Funnel, ...]
    targets: dict[str, float]
    minimum_effect: dict[str, float]
    gates: dict[str, Any]
    survey_freshness_days: float | None
    privacy: dict[str, Any]
    engine: dict[str, Any]
    notify: str
    touchpoints: pd.DataFrame
    codebook: pd.DataFrame
    changes: pd.DataFrame
    actions: pd.DataFrame
    settings: dict[str, Any] = field(repr=False)
    erased: frozenset[str] = field(default=frozenset(), repr=False)

    def sources_of(self, table: str) -> tuple[Source, ...]:
        """Return the declared sources of one table."""
        return tuple(source for source in self.sources if source.table == table)

    def find_line(self, section: str, key: str = "") -> int | None:
        """Return the line of journey.toml on which a section or its key stands, for messages."""
        return find_line((self.folder / SETTINGS).read_text(encoding="utf-8-sig"), section, key)

    def period(self, label: str) -> Period:
        """Return a period in this project's zone and fiscal year."""
        return parse_period(label, timezone=self.timezone, fiscal_start_month=self.fiscal_start_month)


def read_project(folder: str | Path, *, data: str | Path | None = None) -> Project:
    """Read and check a project's folder: journey.toml and the tables beside it.

    Parameters
    ----------
    folder : str or Path
        The folder that holds journey.toml.
    data : str, Path or None
        Base of the sources' relative paths; None means the folder itself.

    Returns
    -------
    Project
        The checked configuration. The sources are found but not read.

    Raises
    ------
    InputError
        With one sentence for each thing that is wrong: file, line, key, what was found, what was expected.

    Examples
    --------
    >>> read_project("no such folder")
    Traceback (most recent call last):
    ...
    journeylib.data.problems.InputError: ...
    """
    folder = Path(folder)
    base = Path(data) if data is not None else folder
    if not base.is_dir() and data is not None:
        found = f"{str(data)!r}, which is no folder"
        raise InputError(Problem("--data", found, "the folder that the files are in", "mend the path"))
    reader = load_settings(folder)
    reader.check_sections()
    head = read_head(reader, folder)
    tables: dict[str, Any] = {
        "touchpoints": read_touchpoints(folder, reader.problems),
        "codebook": read_codebook(folder, reader.problems),
        "changes": read_changes(folder, reader.problems),
        "actions": read_actions(folder, reader.problems),
        "erased": read_erasure_list(folder, reader.problems),
    }
    year = {"timezone": head["timezone"], "fiscal_start_month": head["fiscal_start_month"]}
    sources = read_sources(reader, base=base, **year)
    gates, survey_days = read_gates(reader)
    settings: dict[str, Any] = {
        "funnels": read_funnels(reader),
        "targets": reader.read_numbers("targets"),
        "minimum_effect": reader.read_numbers("minimum_effect"),
        "privacy": read_privacy(reader),
        "engine": read_engine(reader),
        "notify": reader.read_section("notify", {"command": (str, "")})["command"],
        "settings": dict(reader.settings),
    }
    _check_something_is_declared(reader, sources, tables["codebook"])
    if reader.problems:
        raise InputError(reader.problems)
    return Project(
        folder=folder,
        sources=sources,
        gates=gates,
        survey_freshness_days=survey_days,
        **head,
        **tables,
        **settings,
    )


def _check_something_is_declared(
    reader: SettingsReader, sources: tuple[Source, ...], codebook: pd.DataFrame
) -> None:
    if reader.problems:
        return
    if not sources:
        expected = "at least one [sources.<table>.<name>] with a path"
        mend = "declare a source of events or a survey"
        reader.problems.append(Problem(SETTINGS, "no source", expected, mend))
    if codebook.empty and any(source.table == "survey" for source in sources):
        expected, mend = "one row for each survey column that matters", "write it beside journey.toml"
        reader.problems.append(Problem("survey_codebook.csv", "no question", expected, mend))
