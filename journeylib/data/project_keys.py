"""Reading journey.toml strictly: unknown keys, wrong types and their lines."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from journeylib.data.problems import Problem, say_nearest

__all__ = ["SECTIONS", "SettingsReader", "find_line"]

SECTIONS = (
    "project",
    "sources",
    "funnel",
    "targets",
    "minimum_effect",
    "gates",
    "privacy",
    "engine",
    "notify",
)
_TYPE_WORDS = {
    str: "text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a section of key = value",
    list: "a list",
}


def find_line(text: str, section: str, key: str = "") -> int | None:
    """Return the line of a section's header, or of a key in it.

    Parameters
    ----------
    text : str
        The text of journey.toml.
    section : str
        The section's name, with or without quotes.
    key : str
        A key in it; empty for the header.

    Returns
    -------
    int or None
        The line from 1: the header's where the key is not found, None where the section is not.

    Examples
    --------
    >>> find_line("[project]", "project")
    1
    """
    header = None
    wanted = re.sub(r"[\"'\s]", "", section)
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"\s*\[([^\[\]]+)\]\s*(#.*)?$", line)
        if match:
            here = re.sub(r"[\"'\s]", "", match[1])
            if header is not None and here != wanted:
                break
            if here == wanted or (not key and here.startswith(f"{wanted}.")):
                header = number
                if not key:
                    return number
            continue
        if header is not None and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    return header


class SettingsReader:
    """The parsed journey.toml with its text; problems are gathered, so that one run names them all."""

    def __init__(self, file: str, text: str, settings: Mapping[str, Any]) -> None:
        self.file, self.text, self.settings = file, text, settings
        self.problems: list[Problem] = []

    def refuse(self, section: str, key: str, found: Any, expected: str, mend: str) -> None:
        """Add a problem with the line on which the key stands."""
        shown = found if isinstance(found, str) and found.startswith(("unknown", "no ")) else repr(found)
        column = f"[{section}] {key}".strip()
        self.problems.append(
            Problem(self.file, shown, expected, mend, line=find_line(self.text, section, key), column=column)
        )

    def check_sections(self) -> None:
        """Refuse sections that the grammar does not know."""
        for name in self.settings:
            if name not in SECTIONS:
                self.refuse(
                    name, "", "unknown section", f"one of {', '.join(SECTIONS)}", say_nearest(name, SECTIONS)
                )

    def check_keys(self, section: str, found: Mapping[str, Any], known: Sequence[str]) -> None:
        """Refuse keys of a section that the grammar does not know."""
        for key in found:
            if key not in known:
                self.refuse(
                    section, key, "unknown key", f"one of {', '.join(known)}", say_nearest(key, known)
                )

    def check_timezone(self, section: str, name: Any) -> None:
        """Refuse a time zone that is not an IANA name."""
        try:
            if not isinstance(name, str) or not name or name.startswith("/") or ".." in name:
                raise ValueError
            ZoneInfo(name)
        except (ValueError, KeyError, OSError):
            self.refuse(
                section, "timezone", name, "an IANA time zone", 'write for example timezone = "Europe/Berlin"'
            )

    def read_section(
        self,
        name: str,
        keys: Mapping[str, tuple[Any, Any]],
        *,
        required: bool = False,
        at: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return a section's values with defaults; ``keys`` maps each key to (type, default)."""
        section = self.settings.get(name, {}) if at is None else at
        values = {key: default for key, (_, default) in keys.items()}
        if required and name not in self.settings:
            self.refuse(name, "", "no such section", f"a section [{name}]", f"begin the file with [{name}]")
            return values
        if not isinstance(section, dict):
            self.refuse(name, "", section, f"a section [{name}]", f"write [{name}] on a line of its own")
            return values
        self.check_keys(name, section, list(keys))
        for key, value in section.items():
            if key not in keys:
                continue
            kind = keys[key][0]
            accepted = (int, float) if kind is float else (kind,)
            if kind is object or (
                isinstance(value, accepted) and (kind is bool or not isinstance(value, bool))
            ):
                values[key] = float(value) if kind is float else value
            else:
                self.refuse(name, key, value, _TYPE_WORDS.get(kind, "another type"), f"mend {key}")
        return values

    def read_numbers(self, name: str) -> dict[str, float]:
        """Return a section whose keys are metrics and whose values are numbers."""
        section = self.settings.get(name, {})
        if not isinstance(section, dict):
            self.refuse(name, "", section, f"a section [{name}] of metric = number", "mend it")
            return {}
        numbers = {}
        for key, value in section.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                self.refuse(name, key, value, "a number", f"write {key} = 1.5")
            else:
                numbers[key] = float(value)
        return numbers
