"""The sections of journey.toml that are plain settings: project, gates, privacy, engine."""

from __future__ import annotations

import math
import re
import tomllib
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from journeylib.data.problems import InputError, Problem
from journeylib.data.project_keys import SettingsReader

__all__ = ["load_settings", "read_engine", "read_gates", "read_head", "read_instant", "read_privacy"]

SETTINGS = "journey.toml"
MASTER = r"(local(\[(\d+|\*)(, ?\d+)?\])?|yarn|(spark|k8s|sc)://\S+)?"
GATES = {"max_unmapped": 2.0, "max_quarantined": 5.0, "freshness_days": 3.0}


def load_settings(folder: Path) -> SettingsReader:
    """Read journey.toml as TOML.

    Parameters
    ----------
    folder : Path
        The project's folder.

    Returns
    -------
    SettingsReader
        The parsed file with its text; its sections are not checked yet.

    Raises
    ------
    InputError
        If the folder or the file is not there, can't be read, or is not TOML.
    """
    path, mend = folder / SETTINGS, "journey init FOLDER makes one"
    if not folder.is_dir():
        raise InputError(Problem(str(folder), "no such folder", "a folder that holds journey.toml", mend))
    try:
        text = path.read_text(encoding="utf-8-sig")
        return SettingsReader(SETTINGS, text, tomllib.loads(text))
    except FileNotFoundError:
        problem = Problem(str(path), "no such file", "a journey.toml in the project's folder", mend)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problem = Problem(
            SETTINGS, "bytes that are not UTF-8", "a text file in UTF-8", "save it as UTF-8", line=line
        )
    except OSError as error:
        problem = Problem(
            SETTINGS, str(error.strerror or error), "a file that can be read", "mend its rights"
        )
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"line (\d+)", str(error))
        found = f"text that is not TOML ({re.sub(r' *[(]at .*[)]$', '', str(error))})"
        line = int(match[1]) if match else text.count("\n") + 1
        problem = Problem(SETTINGS, found, "key = value", "close the quote or bracket", line=line)
    raise InputError(problem)


def read_head(reader: SettingsReader, folder: Path) -> dict[str, Any]:
    """Return the section [project]; what is wrong is added to the reader's problems.

    Parameters
    ----------
    reader : SettingsReader
        The parsed journey.toml.
    folder : Path
        The project's folder, whose name is the slug where none is given.

    Returns
    -------
    dict
        slug, name, timezone, fiscal_start_month, currency, and as_of_us (microseconds UTC, or None).
    """
    slug = re.sub(r"[^A-Za-z0-9_-]+", "_", folder.resolve().name).strip("_-") or "project"
    keys: dict[str, tuple[Any, Any]] = {
        "slug": (str, slug),
        "name": (str, ""),
        "timezone": (str, "UTC"),
        "fiscal_start_month": (int, 1),
        "currency": (str, ""),
        "as_of": (object, None),
    }
    head = reader.read_section("project", keys, required=True)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", head["slug"]):
        expected, mend = "letters, digits, - and _ only", 'write for example slug = "my_shop"'
        reader.refuse("project", "slug", head["slug"], expected, mend)
    reader.check_timezone("project", head["timezone"])
    month = head["fiscal_start_month"]
    if not 1 <= month <= 12:
        mend = "write fiscal_start_month = 1"
        reader.refuse("project", "fiscal_start_month", month, "a month from 1 to 12", mend)
    as_of, as_of_us = head.pop("as_of"), None
    try:
        as_of_us = None if as_of is None else read_instant(as_of, timezone=head["timezone"])
    except (ValueError, KeyError, OSError, OverflowError):
        mend = "write as_of = 2026-10-10T06:00:00Z"
        reader.refuse("project", "as_of", as_of, "a date or a time", mend)
    return {**head, "name": head["name"] or head["slug"], "as_of_us": as_of_us}


def read_instant(value: Any, *, timezone: str) -> int:
    """Return a date or time (text, or TOML's own) as microseconds UTC; without an offset it is local.

    Parameters
    ----------
    value : str, date or datetime
        For example ``2026-10-10`` or ``2026-10-10T06:00:00Z``.
    timezone : str
        The zone of a time without an offset.

    Returns
    -------
    int
        Microseconds since 1970 UTC.

    Raises
    ------
    ValueError
        If it is neither a date nor a time.

    Examples
    --------
    >>> read_instant("1970-01-01T01:00", timezone="Europe/Berlin")
    0
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise ValueError(f"{value!r} is neither a date nor a time")
    if value.tzinfo is None:
        value = value.replace(tzinfo=ZoneInfo(timezone))
    return round(value.timestamp() * 1_000_000)


def read_gates(reader: SettingsReader) -> tuple[dict[str, Any], float | None]:
    """Return the section [gates], and the freshness limit of surveys.

    Parameters
    ----------
    reader : SettingsReader
        The parsed journey.toml; what is wrong is added to its problems.

    Returns
    -------
    tuple of dict and float or None
        max_unmapped and max_quarantined in percent, freshness_days of events, strict; the survey's days.
    """
    keys: dict[str, tuple[Any, Any]] = {
        "max_unmapped": (float, GATES["max_unmapped"]),
        "max_quarantined": (float, GATES["max_quarantined"]),
        "freshness_days": (object, GATES["freshness_days"]),
        "strict": (bool, False),
    }
    gates = reader.read_section("gates", keys)
    for key in ("max_unmapped", "max_quarantined"):
        if not 0 <= gates[key] <= 100:
            reader.refuse("gates", key, gates[key], "percent from 0 to 100", f"write {key} = {GATES[key]:g}")
    days = gates["freshness_days"]
    by_table = days if isinstance(days, dict) else {"events": days}  # { events = 3, survey = 40 }
    if set(by_table) - {"events", "survey"} or not all(_is_days(value) for value in by_table.values()):
        mend = "write freshness_days = 3, or freshness_days = { events = 3, survey = 40 }"
        reader.refuse("gates", "freshness_days", days, "a number of days from 0 up", mend)
        by_table = {}
    gates["freshness_days"] = float(by_table.get("events", GATES["freshness_days"]))
    return gates, float(by_table["survey"]) if "survey" in by_table else None


def _is_days(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
    )


def read_privacy(reader: SettingsReader) -> dict[str, Any]:
    """Return the section [privacy].

    Parameters
    ----------
    reader : SettingsReader
        The parsed journey.toml; what is wrong is added to its problems.

    Returns
    -------
    dict
        key_env, minimum_base and sensitive.
    """
    keys: dict[str, tuple[Any, Any]] = {
        "key_env": (str, "JOURNEY_KEY"),
        "minimum_base": (int, 10),
        "sensitive": (list, []),
    }
    privacy = reader.read_section("privacy", keys)
    if privacy["minimum_base"] < 1:
        expected, mend = "a whole number from 1 up", "write minimum_base = 10"
        reader.refuse("privacy", "minimum_base", privacy["minimum_base"], expected, mend)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", privacy["key_env"]):
        expected, mend = "the name of an environment variable", 'write key_env = "JOURNEY_KEY"'
        reader.refuse("privacy", "key_env", privacy["key_env"], expected, mend)
    if not all(isinstance(one, str) for one in privacy["sensitive"]):
        reader.refuse("privacy", "sensitive", privacy["sensitive"], "a list of texts", 'write ["age"]')
    return privacy


def read_engine(reader: SettingsReader) -> dict[str, Any]:
    """Return the section [engine].

    Parameters
    ----------
    reader : SettingsReader
        The parsed journey.toml; what is wrong is added to its problems.

    Returns
    -------
    dict
        name, memory_limit, spill and master.
    """
    words: dict[str, tuple[Any, Any]] = {
        "name": (str, "duckdb"),
        "memory_limit": (str, ""),
        "spill": (str, ""),
        "master": (str, ""),
    }
    engine = reader.read_section("engine", words)
    if engine["name"] not in ("duckdb", "spark"):
        reader.refuse("engine", "name", engine["name"], "duckdb or spark", 'write name = "duckdb"')
    if not re.fullmatch(MASTER, engine["master"]):
        mend = 'write for example master = "local[2]" or master = "sc://host:15002"'
        reader.refuse("engine", "master", engine["master"], "a master of Spark or a Spark Connect URL", mend)
    if "token=" in engine["master"]:  # the manifest repeats what journey.toml says
        expected, mend = "no secret in journey.toml", "leave master empty and set SPARK_REMOTE to the URL"
        reader.refuse("engine", "master", "a token", expected, mend)
    if not re.fullmatch(r"(\d+(\.\d+)? ?[KMGT]i?B)?", engine["memory_limit"]):
        mend = 'write for example memory_limit = "2GB"'
        reader.refuse("engine", "memory_limit", engine["memory_limit"], "an amount of memory", mend)
    return engine
