"""Evidence: how sure we are of a number, and whether it has changed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from journeylib.evidence.changes import (
        adjust_p_values,
        compare_estimates,
        judge_changes,
        smallest_detectable_change,
    )
    from journeylib.evidence.effective_n import clustered_effective_n, design_effect, kish_effective_n
    from journeylib.evidence.estimates import covariance, estimate, estimate_from_sums, sum_by_person
    from journeylib.evidence.intervals import (
        bootstrap_interval,
        newcombe_difference,
        nps_interval,
        t_interval,
        wilson_interval,
    )
    from journeylib.evidence.mix_and_rate import split_mix_and_rate
    from journeylib.evidence.suppression import suppress_small_bases

__all__ = [
    "adjust_p_values",
    "bootstrap_interval",
    "clustered_effective_n",
    "compare_estimates",
    "covariance",
    "design_effect",
    "estimate",
    "estimate_from_sums",
    "judge_changes",
    "kish_effective_n",
    "newcombe_difference",
    "nps_interval",
    "smallest_detectable_change",
    "split_mix_and_rate",
    "sum_by_person",
    "suppress_small_bases",
    "t_interval",
    "wilson_interval",
]

_MODULES = {
    "intervals": [name for name in __all__ if name.endswith("_interval")] + ["newcombe_difference"],
    "effective_n": ["clustered_effective_n", "design_effect", "kish_effective_n"],
    "estimates": ["covariance", "estimate", "estimate_from_sums", "sum_by_person"],
    "changes": ["adjust_p_values", "compare_estimates", "judge_changes", "smallest_detectable_change"],
    "mix_and_rate": ["split_mix_and_rate"],
    "suppression": ["suppress_small_bases"],
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (statsmodels takes a second to load)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
