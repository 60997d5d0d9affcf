"""What it looks like: result tables in, matplotlib Axes out, each with its words for who can't see it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from journeylib.figures.alt_text import get_alt_text, set_alt_text, show_figure
    from journeylib.figures.attribution import plot_attribution
    from journeylib.figures.drop_off import plot_drop_off
    from journeylib.figures.expectations import plot_expectations
    from journeylib.figures.funnels import plot_funnel
    from journeylib.figures.journey_map import plot_journey_map
    from journeylib.figures.journeys import plot_journey
    from journeylib.figures.paths import plot_transitions, plot_waterfall
    from journeylib.figures.personas import plot_personas
    from journeylib.figures.saving import save_figure
    from journeylib.figures.scores import plot_scores
    from journeylib.figures.service import plot_channel_pairs
    from journeylib.figures.step_matrix import plot_step_matrix
    from journeylib.figures.survival import plot_time_to_convert
    from journeylib.figures.theme import set_theme

_HOMES = {
    "get_alt_text": "alt_text",
    "set_alt_text": "alt_text",
    "show_figure": "alt_text",
    "plot_drop_off": "drop_off",
    "plot_expectations": "expectations",
    "plot_funnel": "funnels",
    "plot_transitions": "paths",
    "plot_waterfall": "paths",
    "plot_personas": "personas",
    "plot_journey": "journeys",
    "plot_journey_map": "journey_map",
    "plot_scores": "scores",
    "save_figure": "saving",
    "plot_channel_pairs": "service",
    "plot_time_to_convert": "survival",
    "plot_attribution": "attribution",
    "plot_step_matrix": "step_matrix",
    "set_theme": "theme",
}

__all__ = [
    "get_alt_text",
    "plot_attribution",
    "plot_channel_pairs",
    "plot_drop_off",
    "plot_expectations",
    "plot_funnel",
    "plot_journey",
    "plot_journey_map",
    "plot_personas",
    "plot_scores",
    "plot_step_matrix",
    "plot_time_to_convert",
    "plot_transitions",
    "plot_waterfall",
    "save_figure",
    "set_alt_text",
    "set_theme",
    "show_figure",
]


def __getattr__(name: str) -> Any:
    """Import matplotlib and seaborn only when the first figure is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, those not yet imported too."""
    return sorted(__all__)
