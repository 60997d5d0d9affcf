"""Data: from exports as tools write them to tables that can be trusted."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "ArgumentError": "problems",
    "InputError": "problems",
    "count_rows": "reading_frames",
    "describe_columns": "reading_frames",
    "make_sample": "sample",
    "parse_period": "periods",
    "pseudonymise": "people",
    "read_answers": "exploring",
    "read_events": "exploring",
    "read_project": "project",
    "read_trusted_tables": "trusted",
    "write_project": "writing",
    "write_trusted_tables": "trusted",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public function when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return list(__all__)
