"""Writing a project's folder from what was read in a notebook, so that the review gives the same numbers."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from journeylib.data.codebook import CODEBOOK
from journeylib.data.periods import parse_period
from journeylib.data.problems import ArgumentError, InputError, Problem
from journeylib.data.project import read_project
from journeylib.data.project_tables import TOUCHPOINTS

__all__ = ["format_project", "write_files", "write_project"]

FIRST_LINE = (
    "# Written by journeylib.write_project, which writes it anew; take this line away once you edit it."
)
FILES = ("journey.toml", "survey_codebook.csv", "touchpoints.csv")
SHAPES = {"month": "{0.year}-{0.month:02d}", "quarter": "{0.year}Q{0.quarter}", "year": "{0.year}"}


def write_project(
    folder: str | Path,
    events: pd.DataFrame,
    answers: pd.DataFrame | None = None,
    touchpoints: pd.DataFrame | None = None,
    *,
    funnel: pd.DataFrame | None = None,
    name: str = "",
) -> Path:
    """Write a project from what was read in a notebook: `journey review` on it gives the same numbers.

    Parameters
    ----------
    folder : str or Path
        A new or empty folder, or one that this function wrote (its first line says so); never another.
    events : DataFrame
        What `read_events` returned, or what was made from it: which file, columns and zone are taken from
        there, rows are not.
    answers : DataFrame, optional
        What `read_answers` returned, or what was made from it.
    touchpoints : DataFrame, optional
        The edited table of `guess_touchpoints`; columns that touchpoints.csv does not have are left out.
    funnel : DataFrame, optional
        What `count_funnel` returned; its steps, unit, order and window become the project's funnel.
    name : str
        The project's name in the report; empty for the folder's.

    Returns
    -------
    Path
        The folder, with journey.toml, survey_codebook.csv and touchpoints.csv. Paths in it are relative.
        Its second line is the command, with the shortest period that holds all events.

    Raises
    ------
    InputError
        Where the folder holds anything else, or what was written does not pass `journey check`.
    ArgumentError
        Where a frame was not read by `read_events` or `read_answers`.
    """
    folder = Path(folder)
    _check_folder(folder)
    sources = [_find_source(events, "events", "read_events")]
    if answers is not None:
        sources.append(_find_source(answers, "survey", "read_answers"))
    zone, slug = sources[0]["time_zone"], _make_slug(folder)
    _check_days(answers, sources, zone)
    with tempfile.TemporaryDirectory() as tried:  # what can't be read again is not written at all
        write_files(
            Path(tried), _format(sources, slug, name, zone, funnel, Path(tried)), sources, touchpoints
        )
        read_project(tried)
    text = _format(sources, slug, name, zone, funnel, folder.resolve())
    head = f"{FIRST_LINE}\n# journey review {folder.name} --period {_find_period(events, zone)}\n"
    folder.mkdir(parents=True, exist_ok=True)
    write_files(folder, head + text, sources, touchpoints)
    return folder


def format_project(
    sources: Sequence[Mapping[str, Any]],
    *,
    slug: str,
    zone: str,
    name: str = "",
    funnel: Mapping[str, Any] | None = None,
    base: Path | None = None,
) -> str:
    """Return the text of a journey.toml.

    Parameters
    ----------
    sources : sequence of mapping
        What `read_events` and `read_answers` keep of a source: table, name, path, separator, ...
    slug, zone, name : str
        The project's.
    funnel : mapping or None
        Steps, unit, order and window in days.
    base : Path or None
        The folder that the paths shall be relative to; None leaves them as they are.

    Returns
    -------
    str
        TOML.
    """
    head = {"slug": slug, "name": name or slug, "timezone": zone}
    parts = ["[project]", *_format_keys(head)]
    for source in sources:
        place = f"sources.{source['table']}.{_quote_key(source['name'])}"
        keys = {"path": _relate(source["path"], base)}
        keys |= {key: source[key] for key in ("format", "encoding", "separator", "date_format")}
        keys["timezone"] = "" if source["time_zone"] == zone else source["time_zone"]
        keys["period"] = source.get("period", "")
        parts += ["", f"[{place}]", *_format_keys(keys)]
        if source["table"] != "survey":
            parts += ["", f"[{place}.columns]", *_format_keys(source["columns"])]
    if funnel:
        keys = {key: funnel[key] for key in ("steps", "unit", "order", "window_days")}
        parts += ["", "[funnel.main]", *_format_keys(keys)]
    return "\n".join(parts) + "\n"


def _format_keys(keys: Mapping[str, Any]) -> list[str]:
    return [
        f"{_quote_key(key)} = {_quote(value)}" for key, value in keys.items() if value not in ("", None, [])
    ]


def _quote(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _quote_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quote(key)


def _relate(path: str, base: Path | None) -> str:
    if base is None:
        return path
    try:
        return Path(os.path.relpath(path, base)).as_posix()
    except ValueError:  # another drive of Windows
        return path


def _format(
    sources: list[dict[str, Any]], slug: str, name: str, zone: str, funnel: pd.DataFrame | None, base: Path
) -> str:
    recipe = None if funnel is None else funnel.attrs.get("funnel")
    if funnel is not None and recipe is None:
        raise ArgumentError("funnel does not say how it was counted; give what count_funnel returned.")
    return format_project(sources, slug=slug, zone=zone, name=name, funnel=recipe, base=base.resolve())


def write_files(
    folder: Path,
    text: str,
    sources: Sequence[Mapping[str, Any]],
    touchpoints: pd.DataFrame | None = None,
) -> None:
    """Write journey.toml, survey_codebook.csv and touchpoints.csv.

    Parameters
    ----------
    folder : Path
        A folder that is there.
    text : str
        The text of journey.toml.
    sources : sequence of mapping
        As for `format_project`; their codebooks are written.
    touchpoints : DataFrame or None
        The team's table.
    """
    (folder / FILES[0]).write_text(text, encoding="utf-8", newline="\n")
    questions = [row for source in sources for row in source.get("codebook", [])]
    tables: dict[str, tuple[tuple[str, ...], list[Any]]] = {FILES[1]: (CODEBOOK, questions)}
    places = pd.DataFrame(columns=list(TOUCHPOINTS)) if touchpoints is None else touchpoints
    kept = places[[column for column in TOUCHPOINTS if column in places]]
    tables[FILES[2]] = (TOUCHPOINTS, kept.astype(object).where(kept.notna(), "").to_dict("records"))
    for file, (columns, rows) in tables.items():
        out = io.StringIO()
        writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        (folder / file).write_text(out.getvalue(), encoding="utf-8", newline="\n")


def _check_folder(folder: Path) -> None:
    """Refuse a folder that holds anything but what this function wrote."""
    expected, mend = "a new folder, or one that write_project wrote", "name another folder"
    if not folder.exists():
        return
    held = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else ["a file of that name"]
    strange = [name for name in held if name not in FILES]
    if not strange and "journey.toml" in held:
        text = (folder / "journey.toml").read_text(encoding="utf-8", errors="replace")
        strange = [] if text.startswith(FIRST_LINE) else ["a journey.toml that somebody wrote"]
    elif held and not strange:
        strange = held
    if strange:
        raise InputError(Problem(str(folder), f"{strange[0]!r} in it", expected, mend))


def _find_source(frame: pd.DataFrame, table: str, reader: str) -> dict[str, Any]:
    source = frame.attrs.get("source", {})
    if source.get("table") != table:
        raise ArgumentError(
            f"This frame does not say which {table} it was read from; give what {reader} returned, "
            "or what was made from it by functions of journeylib."
        )
    used = sum(row["rows"] for row in frame.attrs["rows"] if row["step"] == "used" and row["table"] == table)
    rows = len(frame) if table == "events" else frame["response"].nunique()
    if rows != used:
        said = f"{rows:,} of the {used:,} rows of {table} that were read are in this frame"
        warnings.warn(f"{said}; the project reads all of them.", stacklevel=3)
    return dict(source)


def _check_days(answers: pd.DataFrame | None, sources: list[dict[str, Any]], zone: str) -> None:
    """Refuse answers known by their day in another zone than the project's: their midnights differ."""
    if answers is None or sources[-1]["time_zone"] == zone or "answered_at" not in answers:
        return
    local = answers["answered_at"].dropna().dt.tz_convert(sources[-1]["time_zone"])
    if len(local) and (local == local.dt.normalize()).any():
        found = f"answers known by their day, read in the zone {sources[-1]['time_zone']}"
        mend = f'read them with time_zone="{zone}", or the events with the zone of the answers'
        raise InputError(Problem(str(sources[-1]["name"]), found, f"the zone of the events, {zone}", mend))


def _make_slug(folder: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", folder.resolve().name).strip("_-") or "project"


def _find_period(events: pd.DataFrame, zone: str) -> str:
    """Return the shortest period that holds all events, else the quarter of the last one."""
    local = events["occurred_at"].dt.tz_convert(zone)
    ends = [int(moment.value // 1000) for moment in (local.min(), local.max())]
    for shape in SHAPES.values():
        label = shape.format(local.max())
        start, end = parse_period(label, timezone=zone).bounds
        if start <= ends[0] and ends[1] < end:
            return label
    return SHAPES["quarter"].format(local.max())
