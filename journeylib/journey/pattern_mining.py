"""Pattern mining: the closed sequential patterns of a set of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

__all__ = ["Pattern", "holds_pattern", "mine_closed_patterns"]

Pattern: TypeAlias = tuple[str, ...]
Places: TypeAlias = list[tuple[int, int]]


def mine_closed_patterns(
    sequences: Sequence[Pattern],
    weights: Sequence[float],
    *,
    needed: float,
    longest: int,
    gaps: bool,
    most_candidates: int,
) -> dict[Pattern, float]:
    """Mine the closed patterns that enough units hold.

    Parameters
    ----------
    sequences : sequence of tuple of str
        Distinct sequences.
    weights : sequence of float
        How many units have each.
    needed : float
        Units that must hold a pattern.
    longest : int
        Steps of the longest pattern.
    gaps : bool
        Whether anything may come between the steps of a pattern.
    most_candidates : int
        Patterns that may reach `needed`.

    Returns
    -------
    dict
        Pattern to the number of units that hold it; in no order.

    Raises
    ------
    ValueError
        Where more patterns reach it.

    Examples
    --------
    >>> mine_closed_patterns([("a", "b"), ("a", "c", "b")], [2, 1], needed=1, longest=3, gaps=True,
    ...     most_candidates=99)
    {('a', 'b'): 3, ('a', 'c', 'b'): 1}
    """
    frequent: dict[Pattern, float] = {}
    grown: dict[Pattern, Places] = {(): [(row, 0) for row in range(len(sequences))]}
    for _ in range(longest):
        found: dict[Pattern, Places] = {}
        for pattern, places in grown.items():
            for state, ends in _extend(sequences, places, gaps=gaps, is_first=not pattern).items():
                held = sum(weights[row] for row in {row for row, _ in ends})
                if held >= needed - 1e-9:
                    frequent[(*pattern, state)] = held
                    found[(*pattern, state)] = ends
            if len(frequent) > most_candidates:
                raise ValueError(
                    f"more than {most_candidates} patterns reach the support: raise min_support or "
                    "lower longest"
                )
        grown = found
    return _keep_closed(frequent, gaps=gaps)


def holds_pattern(sequence: Pattern, pattern: Pattern, *, gaps: bool) -> bool:
    """Tell whether a sequence holds a pattern.

    Parameters
    ----------
    sequence, pattern : tuple of str
        States in their order.
    gaps : bool
        Whether anything may come between the steps of the pattern.

    Returns
    -------
    bool
        True where it does.

    Examples
    --------
    >>> [holds_pattern(("a", "c", "b"), ("a", "b"), gaps=gaps) for gaps in (True, False)]
    [True, False]
    """
    if gaps:
        rest = iter(sequence)
        return all(state in rest for state in pattern)
    size = len(pattern)
    return any(sequence[start : start + size] == pattern for start in range(len(sequence) - size + 1))


def _extend(sequences: Sequence[Pattern], places: Places, *, gaps: bool, is_first: bool) -> dict[str, Places]:
    """List, for each state that can come next, where the longer pattern ends in each sequence.

    `places` holds (row, position after the pattern). With gaps the earliest end in a sequence is enough;
    without them a first step may lie anywhere, and a later one only at that position.
    """
    found: dict[str, Places] = {}
    for row, start in places:
        path = sequences[row]
        seen: set[str] = set()
        for place in range(start, len(path) if gaps or is_first else min(start + 1, len(path))):
            if not gaps or path[place] not in seen:
                seen.add(path[place])
                found.setdefault(path[place], []).append((row, place + 1))
    return found


def _keep_closed(frequent: dict[Pattern, float], *, gaps: bool) -> dict[Pattern, float]:
    """Drop each pattern that a pattern longer by one step holds with the same support."""
    open_ones = set()
    for pattern, held in frequent.items():
        cuts = range(len(pattern)) if gaps else (0, len(pattern) - 1)
        for cut in cuts:
            part = pattern[:cut] + pattern[cut + 1 :]
            if part and frequent.get(part) == held:
                open_ones.add(part)
    return {pattern: held for pattern, held in frequent.items() if pattern not in open_ones}
