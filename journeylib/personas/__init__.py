"""Personas: who the customers are, found in what they do and described by what they say."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from journeylib.personas.cards import count_answered, count_journeys, score_personas
    from journeylib.personas.clusters import PersonaClusterer
    from journeylib.personas.describing import compare_features, describe_personas, measure_personas
    from journeylib.personas.features import build_features
    from journeylib.personas.finding import find_personas
    from journeylib.personas.preparation import FeaturePreparer
    from journeylib.personas.stability import compare_with_mixture, judge_stability, measure_stability

_MODULES = {
    "FeaturePreparer": "preparation",
    "PersonaClusterer": "clusters",
    "build_features": "features",
    "compare_features": "describing",
    "compare_with_mixture": "stability",
    "count_answered": "cards",
    "count_journeys": "cards",
    "describe_personas": "describing",
    "find_personas": "finding",
    "judge_stability": "stability",
    "measure_personas": "describing",
    "measure_stability": "stability",
    "score_personas": "cards",
}

__all__ = [
    "FeaturePreparer",
    "PersonaClusterer",
    "build_features",
    "compare_features",
    "compare_with_mixture",
    "count_answered",
    "count_journeys",
    "describe_personas",
    "find_personas",
    "judge_stability",
    "measure_personas",
    "measure_stability",
    "score_personas",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (scikit-learn takes a second to load)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
