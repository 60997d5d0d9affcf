"""The declared sources of a project, checked before any file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from journeylib.data.casts import EPOCHS, is_date_format
from journeylib.data.periods import Period, parse_period
from journeylib.data.problems import say_nearest
from journeylib.data.project_keys import SettingsReader
from journeylib.data.source_files import find_files
from journeylib.data.tables import FILE_KEYS, TABLES

__all__ = ["Source", "read_sources"]

FORMATS = ("csv", "parquet")
PERIOD_SHAPES = "write 2026, 2026Q3, 2026-07 or FY2026Q3"


@dataclass(frozen=True)
class Source:
    """One declared export: its files and how to read them.

    Attributes
    ----------
    table : str
        The table that it fills, ``survey`` for a survey export.
    name : str
        Its own name; for a survey the wave.
    files : tuple of Path
        The files that its path or pattern matches, sorted.
    shown : tuple of str
        The same files as they are named in messages and in the manifest: relative, never absolute.
    format : str
        ``csv`` or ``parquet``; empty where each file's own name tells.
    timezone : str
        The zone of times without an offset.
    day_timezone : str
        The business's zone, to which a day without a time of day belongs.
    columns : dict
        Our column name to the list of theirs that are joined by a space.
    period : Period or None
        For a survey: the period that all of its answers belong to.
    """

    table: str
    name: str
    files: tuple[Path, ...]
    shown: tuple[str, ...]
    format: str = ""
    encoding: str = "utf-8"
    separator: str = ""
    date_formats: tuple[str, ...] = ()
    timezone: str = "UTC"
    day_timezone: str = "UTC"
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    period: Period | None = None

    @property
    def section(self) -> str:
        """Return the name of its section in journey.toml."""
        return f"sources.{self.table}.{self.name}"

    def format_of(self, path: Path) -> str:
        """Return a file's format: the declared one, else what its name says."""
        return self.format or ("parquet" if path.suffix.lower() in (".parquet", ".pq") else "csv")


def read_sources(
    reader: SettingsReader, *, base: Path, timezone: str, fiscal_start_month: int = 1
) -> tuple[Source, ...]:
    """Return the declared sources; what is wrong is added to the reader's problems.

    Parameters
    ----------
    reader : SettingsReader
        The parsed journey.toml.
    base : Path
        The folder that relative paths start from.
    timezone : str
        The project's zone, for sources that do not name their own.
    fiscal_start_month : int
        The month in which the fiscal year begins, for the periods of waves.

    Returns
    -------
    tuple of Source
        In the order of the file.
    """
    tables = reader.settings.get("sources", {})
    found: list[Source] = []
    if not isinstance(tables, dict):
        reader.refuse("sources", "", tables, "[sources.<table>.<name>]", "name a table and a source")
        return ()
    known = [*TABLES, "survey"]
    for table, named in tables.items():
        place = f"sources.{table}"
        if table not in known:
            expected, mend = f"one of {', '.join(known)}", say_nearest(table, known)
            reader.refuse(place, "", f"unknown table {table!r}", expected, mend)
        elif not isinstance(named, dict) or not all(isinstance(value, dict) for value in named.values()):
            reader.refuse(place, "", "no name", f"[{place}.<name>]", "give the source a name of its own")
        else:
            for name, settings in named.items():
                section = SourceSection(reader, table, name, base, timezone, fiscal_start_month)
                source = section.read(settings)
                if source is not None:
                    found.append(source)
    return tuple(found)


@dataclass(frozen=True)
class SourceSection:
    """One section [sources.<table>.<name>] that is being read."""

    reader: SettingsReader
    table: str
    name: str
    base: Path
    timezone: str
    fiscal_start_month: int

    def refuse(self, key: str, found: Any, expected: str, mend: str) -> None:
        """Add a problem with one key of this section."""
        self.reader.refuse(f"sources.{self.table}.{self.name}", key, found, expected, mend)

    def read(self, settings: Mapping[str, Any]) -> Source | None:
        """Return the source, or None where something is wrong with it."""
        section, before = f"sources.{self.table}.{self.name}", len(self.reader.problems)
        keys: dict[str, tuple[Any, Any]] = {key: (str, "") for key in FILE_KEYS}
        keys |= {
            "date_format": (object, ""),
            "columns": (dict, {}),
            "timezone": (str, self.timezone),
            "encoding": (str, "utf-8"),
        }
        if self.table == "survey":
            keys["period"] = (str, "")
        values = self.reader.read_section(section, keys, at=settings)
        files, shown = self.find_files(values["path"])
        if values["format"] not in ("", *FORMATS):
            self.refuse("format", values["format"], "csv or parquet", 'write format = "csv"')
        if not _is_encoding(values["encoding"]):
            mend = 'write for example encoding = "latin-1"'
            self.refuse("encoding", values["encoding"], "an encoding's name", mend)
        if len(values["separator"]) > 1 or values["separator"] in ("\n", "\r", '"'):
            self.refuse("separator", values["separator"], "one character", 'write separator = ";"')
        if values["timezone"] != self.timezone:
            self.reader.check_timezone(section, values["timezone"])
        formats = self.read_date_formats(values["date_format"])
        columns = self.read_columns(values["columns"])
        period = self.read_period(values.get("period", ""))
        if len(self.reader.problems) > before:
            return None
        return Source(
            table=self.table,
            name=self.name,
            files=files,
            shown=shown,
            format=values["format"],
            encoding=values["encoding"],
            separator=values["separator"],
            date_formats=formats,
            timezone=values["timezone"],
            day_timezone=self.timezone,
            columns=columns,
            period=period,
        )

    def read_period(self, label: str) -> Period | None:
        """Return the declared period of a survey wave."""
        if not label:
            return None
        try:
            return parse_period(label, timezone=self.timezone, fiscal_start_month=self.fiscal_start_month)
        except (ValueError, KeyError, OSError):
            self.refuse("period", label, "a period such as 2026Q3", PERIOD_SHAPES)
            return None

    def find_files(self, path: str) -> tuple[tuple[Path, ...], tuple[str, ...]]:
        """Return the files that a path or a pattern matches, and how they are named in messages."""
        if not path:
            expected = "the path of a file, or a pattern of files"
            self.refuse("path", "no path", expected, 'write path = "clicks/*.csv"')
            return (), ()
        files, shown = find_files(path, self.base)
        if not files:
            kind = (
                "no file that matches the pattern" if any(mark in path for mark in "*?[") else "no such file"
            )
            under = "" if Path(path).is_absolute() else f" under {self.base.name or self.base}"
            mend = "mend path, or say with --data which folder it is in"
            self.refuse("path", kind, f"a file {path}{under}", mend)
        return files, shown

    def read_date_formats(self, value: Any) -> tuple[str, ...]:
        """Return the date formats, each known to the engine."""
        formats = [value] if isinstance(value, str) else value
        if not isinstance(formats, list) or not all(isinstance(one, str) for one in formats):
            expected = "text such as %d.%m.%Y %H:%M, or a list of such"
            self.refuse("date_format", value, expected, 'write date_format = "%Y-%m-%d %H:%M:%S"')
            return ()
        formats = [one for one in formats if one]
        for one in formats:
            if one not in EPOCHS and ("%" not in one or not is_date_format(one)):
                expected = "a format with % signs, epoch_s, epoch_ms or epoch_us"
                self.refuse("date_format", one, expected, 'write date_format = "%d.%m.%Y"')
        return tuple(formats)

    def read_columns(self, value: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """Return our columns with the list of theirs that each is joined from."""
        columns: dict[str, tuple[str, ...]] = {}
        if self.table == "survey":
            if value:
                expected = "nothing here: survey_codebook.csv names the columns"
                self.refuse("columns", "unknown key", expected, "move them to the codebook")
            return columns
        known, place = list(TABLES[self.table].columns), f"sources.{self.table}.{self.name}.columns"
        for ours, theirs in value.items():
            segment = ours.startswith("segment.") and len(ours) > len("segment.")
            names = [theirs] if isinstance(theirs, str) else theirs
            if ours not in known and not (segment and TABLES[self.table].segments):
                expected, mend = f"one of {', '.join(known)}", say_nearest(ours, known)
                self.reader.refuse(place, ours, "unknown column", expected, mend)
            elif segment and ours.lower() in [one.lower() for one in columns]:
                mend = "give one of them another name"
                self.reader.refuse(place, ours, ours, "segments that differ by more than their case", mend)
            elif not _are_names(names):
                expected = "the name of a column in the file, or a list of names"
                self.reader.refuse(place, ours, theirs, expected, f'write {ours} = "their_name"')
            else:
                columns[ours] = tuple(one.strip() for one in names)
        return columns


def _are_names(names: Any) -> bool:
    return (
        isinstance(names, list)
        and bool(names)
        and all(isinstance(one, str) and bool(one.strip()) for one in names)
    )


def _is_encoding(name: str) -> bool:
    try:
        return "a".encode(name).decode(name) == "a"
    except (LookupError, ValueError):
        return False
