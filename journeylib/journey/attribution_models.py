"""Attribution models: how one path's credit, or that of all paths, is split among channels."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

__all__ = ["MOST_SHAPLEY_CHANNELS", "RULES", "find_removal_effects", "split_by_shapley", "weigh_touches"]

MOST_SHAPLEY_CHANNELS = 12
Path = Sequence[str]


def weigh_touches(
    path: Path,
    *,
    rule: str,
    days_before: Sequence[float] = (),
    half_life_days: float = 7.0,
    direct: Collection[str] = ("direct", "(direct)"),
) -> list[float]:
    """Weigh the touches of one path by a fixed rule.

    Parameters
    ----------
    path : sequence of str
        Channels, first touch first; one or more.
    rule : str
        `first`, `last`, `last_non_direct` (the last touch where all are direct), `linear`, `position` (40 %
        to the first and the last touch, 20 % to those between; halves where there are two), `time_decay`.
    days_before : sequence of float
        Days from each touch to the conversion, for `time_decay`.
    half_life_days : float
        Days after which a touch weighs half, for `time_decay`.
    direct : collection of str
        Names of the direct channel in lower case, for `last_non_direct`.

    Returns
    -------
    list of float
        One weight a touch, together 1.

    Notes
    -----
    The rules, 40-20-40 and 7 days are those of web analytics tools: conventions, not findings.

    Examples
    --------
    >>> weigh_touches(["search", "email", "email", "direct"], rule="position")
    [0.4, 0.1, 0.1, 0.4]
    """
    weights = RULES[rule](path, days_before, half_life_days, direct)
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def _mark(length: int, place: int) -> list[float]:
    return [float(number == place) for number in range(length)]


def _mark_last_non_direct(path: Path, direct: Collection[str]) -> list[float]:
    places = [number for number, channel in enumerate(path) if channel.strip().lower() not in direct]
    return _mark(len(path), places[-1] if places else len(path) - 1)


def _weigh_position(length: int) -> list[float]:
    return [1.0] * length if length < 3 else [0.4, *[0.2 / (length - 2)] * (length - 2), 0.4]


def _weigh_decay(days: Sequence[float], half_life: float) -> list[float]:
    nearest = min(days)
    return [2.0 ** (-(age - nearest) / half_life) for age in days]


#: Each rule takes the path, the days before its end, the half-life in days and the names of direct.
RULES: dict[str, Callable[[Path, Sequence[float], float, Collection[str]], list[float]]] = {
    "first": lambda path, days, half_life, direct: _mark(len(path), 0),
    "last": lambda path, days, half_life, direct: _mark(len(path), len(path) - 1),
    "last_non_direct": lambda path, days, half_life, direct: _mark_last_non_direct(path, direct),
    "linear": lambda path, days, half_life, direct: [1.0] * len(path),
    "position": lambda path, days, half_life, direct: _weigh_position(len(path)),
    "time_decay": lambda path, days, half_life, direct: _weigh_decay(days, half_life),
}


def find_removal_effects(paths: Sequence[Path], n: ArrayLike, conversions: ArrayLike) -> pd.Series:
    """Find by how much the chance of a conversion falls when a channel is removed from the Markov chain.

    Parameters
    ----------
    paths : sequence of sequences of str
        Channels, first touch first; one or more each.
    n, conversions : array_like
        Per path: how often it was gone, and how often it ended in a conversion.

    Returns
    -------
    pandas.Series
        Index the channels in order of their names; the removal effect, 0 to 1: the share of the chain's
        conversions that are lost when who comes to the channel never converts. All 0 without a conversion.

    Notes
    -----
    First-order chain over start, channels, conversion and none; transitions are counted from all paths. The
    chance of a conversion from the start is the exact solution of the absorbing chain's linear equations,
    not a simulation (Anderl et al. 2016). Removal effects do not sum to 1.

    Examples
    --------
    >>> paths = [["c1", "c2", "c3"], ["c1"], ["c2", "c3"]]
    >>> find_removal_effects(paths, [1, 1, 1], [1, 0, 0]).tolist()
    [0.5, 1.0, 1.0]
    """
    channels = sorted({channel for path in paths for channel in path})
    number = {channel: place for place, channel in enumerate(channels, 1)}
    moves, wins = np.zeros((len(channels) + 1,) * 2), np.zeros(len(channels) + 1)
    ends = np.zeros(len(channels) + 1)
    for path, times, won in zip(paths, np.asarray(n, float), np.asarray(conversions, float), strict=True):
        places = [0, *(number[channel] for channel in path)]
        np.add.at(moves, (places[:-1], places[1:]), times)
        wins[places[-1]] += won
        ends[places[-1]] += times
    leaving = moves.sum(axis=1) + ends
    leaving[leaving == 0] = 1.0
    moves, wins = moves / leaving[:, None], wins / leaving
    chance = _solve_chain(moves, wins, list(range(len(channels) + 1)))
    effects = []
    for place in range(1, len(channels) + 1):
        left = _solve_chain(moves, wins, [state for state in range(len(channels) + 1) if state != place])
        effects.append(max(1 - left / chance, 0.0) if chance > 0 else 0.0)
    return pd.Series(effects, index=pd.Index(channels, dtype="str"), name="removal_effect", dtype=float)


def _solve_chain(moves: np.ndarray, wins: np.ndarray, states: list[int]) -> float:
    """Solve (I - Q) x = r among these states, state 0 the start; moves to others never convert."""
    within = moves[np.ix_(states, states)]
    return float(np.linalg.solve(np.eye(len(states)) - within, wins[states])[0])


def split_by_shapley(paths: Sequence[Path], n: ArrayLike, worth: ArrayLike) -> pd.Series:
    """Split what all paths brought among channels by exact Shapley values.

    Parameters
    ----------
    paths : sequence of sequences of str
        Channels of each path; order and repeats do not matter.
    n, worth : array_like
        Per path: how often it was gone, and what it brought (conversions, or their value).

    Returns
    -------
    pandas.Series
        Index the channels in order of their names; the credit in the unit of `worth`. It sums to all of the
        worth, and is negative for a channel whose presence goes with fewer conversions.

    Raises
    ------
    ValueError
        With more than 12 channels.

    Notes
    -----
    The game: what a set S of channels is worth is what all paths would bring if of each path's channels only
    those in S had been there, and it brought as much as paths with exactly these channels did on average (0
    where no such path was seen). So paths without a conversion count, and a channel that changes no average
    gets nothing.

    Examples
    --------
    >>> split_by_shapley([["a"], ["b"], ["a", "b"]], [10, 10, 10], [1, 2, 6]).tolist()
    [3.5, 5.5]
    """
    channels = sorted({channel for path in paths for channel in path})
    if len(channels) > MOST_SHAPLEY_CHANNELS:
        raise ValueError(
            f"Shapley takes at most {MOST_SHAPLEY_CHANNELS} channels, found {len(channels)}: join some of "
            "them, or use another model"
        )
    bits = {channel: 1 << place for place, channel in enumerate(channels)}
    masks = np.array([sum(bits[channel] for channel in set(path)) for path in paths], dtype="int64")
    sets, place = np.unique(masks, return_inverse=True)
    times, brought = np.bincount(place, np.asarray(n, float)), np.bincount(place, np.asarray(worth, float))
    average = np.zeros(1 << len(channels))
    average[sets] = np.divide(brought, times, out=np.zeros(len(sets)), where=times > 0)
    everything = np.arange(1 << len(channels))
    game = np.zeros(1 << len(channels))
    for chosen, often in zip(sets, times, strict=True):
        game += often * average[everything & chosen]
    sizes = np.array([bin(chosen).count("1") for chosen in everything.tolist()])
    credit = []
    for bit in bits.values():
        without = everything[(everything & bit) == 0]
        ways = np.array([1 / (len(channels) * math.comb(len(channels) - 1, size)) for size in sizes[without]])
        credit.append(math.fsum(ways * (game[without | bit] - game[without])))
    return pd.Series(credit, index=pd.Index(channels, dtype="str"), name="credit", dtype=float)
