"""Customer-journey analysis in notebooks: surveys, clickstreams, orders and service in one picture."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "PersonaClusterer": "personas",
    "assign_touchpoints": "journey",
    "build_features": "personas",
    "build_journey_map": "review",
    "count_funnel": "journey",
    "count_transitions": "journey",
    "explain": "review",
    "guess_touchpoints": "journey",
    "join_answers": "voice",
    "open_review": "review",
    "plot_funnel": "figures",
    "plot_journey_map": "figures",
    "plot_personas": "figures",
    "plot_scores": "figures",
    "present_measures": "review",
    "read_answers": "data",
    "read_events": "data",
    "record_findings": "review",
    "save_figure": "figures",
    "score_answers": "voice",
    "select_customers": "journey",
    "set_theme": "figures",
    "show_figure": "figures",
    "split_into_sessions": "journey",
    "write_project": "data",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public function when it is first asked for, so that `import journeylib` takes no time."""
    if name not in _HOMES:
        raise AttributeError(f"module 'journeylib' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"journeylib.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, for tab completion."""
    return [*__all__, "__version__"]
