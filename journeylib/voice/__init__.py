"""What customers say: scores per place and segment, survey weights, coverage, and why a score moved."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from journeylib.voice.coverage import count_coverage, count_matches
    from journeylib.voice.expectations import measure_expectation_gap, split_gap_change
    from journeylib.voice.join import join_answers
    from journeylib.voice.response_rate import measure_response_rate
    from journeylib.voice.response_style import find_response_styles, measure_response_style
    from journeylib.voice.score_changes import split_score_change
    from journeylib.voice.scores import score_answers
    from journeylib.voice.style_adjustment import adjust_for_style
    from journeylib.voice.weights import describe_weights, rake_weights

__all__ = [
    "adjust_for_style",
    "count_coverage",
    "count_matches",
    "describe_weights",
    "find_response_styles",
    "join_answers",
    "measure_expectation_gap",
    "measure_response_rate",
    "measure_response_style",
    "rake_weights",
    "score_answers",
    "split_gap_change",
    "split_score_change",
]

_MODULES = {
    "adjust_for_style": "style_adjustment",
    "count_coverage": "coverage",
    "count_matches": "coverage",
    "describe_weights": "weights",
    "find_response_styles": "response_style",
    "join_answers": "join",
    "measure_expectation_gap": "expectations",
    "measure_response_rate": "response_rate",
    "measure_response_style": "response_style",
    "rake_weights": "weights",
    "score_answers": "scores",
    "split_gap_change": "expectations",
    "split_score_change": "score_changes",
}


def __getattr__(name: str) -> Any:
    """Import a public function when it is first asked for, so that importing the room stays light."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
