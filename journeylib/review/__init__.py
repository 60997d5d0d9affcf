"""Review: what to tell, from findings to the published page."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "build_journey_map": "journey_map",
    "compare_findings": "comparison",
    "concat_measures": "presenting",
    "explain": "metrics",
    "hide_small_bases": "presenting",
    "list_metrics": "metrics",
    "measure_journey_map": "journey_map",
    "open_review": "opening",
    "prepare_review": "preparation",
    "present_journey_map": "map_tables",
    "present_measures": "presenting",
    "read_report": "first_tables",
    "record_findings": "findings",
    "render_page": "page",
    "run_review": "run",
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
