"""Customer-journey analysis in notebooks: surveys, clickstreams, orders and service in one picture."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "assign_touchpoints": "journey",
    "concat_measures": "review",
    "count_coverage": "voice",
    "count_funnel": "journey",
    "count_transitions": "journey",
    "explain": "review",
    "hide_small_bases": "review",
    "measure_funnel": "journey",
    "measure_response_rate": "voice",
    "measure_sessions": "journey",
    "open_review": "review",
    "plot_drop_off": "figures",
    "plot_funnel": "figures",
    "plot_scores": "figures",
    "plot_transitions": "figures",
    "plot_waterfall": "figures",
    "present_measures": "review",
    "read_project": "data",
    "record_findings": "review",
    "score_answers": "voice",
    "set_theme": "figures",
    "show_figure": "figures",
    "split_into_sessions": "journey",
    "split_score_change": "voice",
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
