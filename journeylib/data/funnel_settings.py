"""The declared funnels of a project, checked before any event is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from journeylib.data.project_keys import SettingsReader

__all__ = ["Funnel", "read_funnels"]

CHOICES = {"unit": ("people", "sessions", "baskets"), "order": ("ordered", "strict", "any")}


@dataclass(frozen=True)
class Funnel:
    """One declared funnel: its steps, what is counted, how strict the order is, the window in days."""

    name: str
    steps: tuple[str, ...]
    unit: str
    order: str
    window_days: float | None


def read_funnels(reader: SettingsReader) -> tuple[Funnel, ...]:
    """Return the declared funnels; what is wrong is added to the reader's problems.

    Parameters
    ----------
    reader : SettingsReader
        The parsed journey.toml.

    Returns
    -------
    tuple of Funnel
        In the order of the file. Whether a step exists is known only when the events are read.
    """
    named = reader.settings.get("funnel", {})
    if not isinstance(named, dict) or not all(isinstance(value, dict) for value in named.values()):
        reader.refuse("funnel", "", "no name", "[funnel.<name>]", "give the funnel a name of its own")
        return ()
    return tuple(_read_funnel(reader, name, settings) for name, settings in named.items())


def _read_funnel(reader: SettingsReader, name: str, settings: dict[str, Any]) -> Funnel:
    section = f"funnel.{name}"
    keys: dict[str, tuple[Any, Any]] = {
        "steps": (list, []),
        "unit": (str, "people"),
        "order": (str, "ordered"),
        "window_days": (float, None),
    }
    values = reader.read_section(section, keys, at=settings)
    for key, words in CHOICES.items():
        if values[key] not in words:
            mend = f'write {key} = "{words[0]}"'
            reader.refuse(section, key, values[key], f"one of {', '.join(words)}", mend)
    steps = values["steps"]
    if len(steps) < 2 or not all(isinstance(step, str) and step.strip() for step in steps):
        expected = "two or more touchpoints, event:NAME or stage:NAME"
        reader.refuse(section, "steps", steps, expected, 'write steps = ["event:view", "event:buy"]')
    days = values["window_days"]
    if days is not None and not (math.isfinite(days) and days > 0):
        reader.refuse(section, "window_days", days, "days above 0", "write window_days = 7")
    names = tuple(str(step).strip() for step in steps)
    return Funnel(name, names, values["unit"], values["order"], days)
