"""Stage order: whether journeys go as the team expects, beside what a random order would give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from journeylib.journey.frames import Events
from journeylib.journey.measuring import MEASURE_COLUMNS, Measure, tabulate_measures
from journeylib.journey.outcomes import NoUnitsError
from journeylib.journey.sequences import count_sequences, number_states
from journeylib.journey.step_matrix import _name_periods

__all__ = ["compare_with_allowed", "measure_stage_order"]

_METRICS = ("stage_order_score", "backward_step_share", "journey_conformance")
_MOST_JOURNEYS = 20_000  # distinct journeys whose random orders are drawn; of more, a sample


def measure_stage_order(
    events: Events,
    order: Sequence[str],
    *,
    column: str = "stage",
    unit: str = "people",
    allowed: Sequence[Sequence[str]] | None = None,
    most_steps: int = 40,
    n_permutations: int = 20,
    random_state: int = 0,
    periods: Mapping[str, tuple[int, int]] | None = None,
) -> pd.DataFrame:
    """Measure how far journeys keep to the expected order of stages.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event; after `split_into_sessions` where the unit is sessions. Row order does not
        matter.
    order : sequence of str
        The stages in their expected order, two or more; events of other stages are left out.
    column : str
        The column of the stages; any other column of states will do.
    unit : str
        `people` (events without a customer are left out) or `sessions`.
    allowed : sequence of sequences of str, optional
        Journeys that count as expected, of stages in `order`; default the whole order, once through.
    most_steps : int
        Changes of stage after which a journey is cut; `note` says how many were.
    n_permutations : int
        Random orders of each journey, for what random order gives.
    random_state : int
        Seed of those.
    periods : mapping, optional
        Name to (start, end) in microseconds UTC, [start, end): people's events in it, or sessions that start
        in it. Without it the whole table, `all`.

    Returns
    -------
    pandas.DataFrame
        The measure table with `random_value`: one row is one metric in one period. `stage_order_score`
        (percent of pairs of stages of one unit whose first reach is in the expected order; n is pairs),
        `backward_step_share` (percent of changes of stage that go back; n is changes) and
        `journey_conformance` (mean over units, 0 to 100: 100 x (1 - edits to the nearest allowed journey /
        the most that could be needed); n is units). No row for a metric that no unit has.

    Raises
    ------
    ValueError
        Where a column is missing, the order has fewer than two stages or one twice, an allowed journey is
        empty or names a stage that is not in it, or an option is unknown.

    Notes
    -----
    A run of one stage counts once. Random order: the same visits of the same unit, shuffled so that no stage
    follows itself; the mean of seeded draws (of more than 20,000 different journeys a sample is drawn). For
    backward steps it is exactly 50, since an order and its reverse are equally likely; for pairs it is not,
    since a stage that is visited more often is reached earlier by chance. Intervals by person (effective n).
    An edit is one stage put in, left out or replaced; the most is the length of the longer of the two.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": list("aaabb"), "occurred_at": range(5), "name": "x",
    ...     "stage": ["see", "want", "buy", "want", "see"]})
    >>> found = measure_stage_order(events, ["see", "want", "buy"])
    >>> found[["metric", "value", "n"]].round(1).values.tolist()[:2]
    [['stage_order_score', 75.0, 4], ['backward_step_share', 33.3, 3]]
    """
    places = _check_order(order)
    paths = _check_allowed(allowed if allowed is not None else [order], places)
    parts, cut = [], {}
    randoms: dict[str, dict[str, float]] = {}
    named = _name_periods(periods)
    for which, period in named.items():
        try:
            states = number_states(events, column=column, unit=unit, period=period, collapse=True)
        except NoUnitsError:
            continue
        counted = count_sequences(states, most=most_steps, by_person=True)
        scored = _score_sequences(counted["sequence"].drop_duplicates(), places, paths)
        table = counted.merge(scored, on="sequence")
        table = table[table["length"] > 0]
        units = table.groupby("visits")["n"].sum()
        randoms[which] = _measure_random(units, paths, n_permutations, random_state)
        cut[which] = int(table["n_cut"].sum())
        parts.append(_sum_by_person(table).assign(which=which, segment=""))
    if not parts:
        return pd.DataFrame(columns=[*MEASURE_COLUMNS, "random_value"])
    sums = pd.concat(parts, ignore_index=True).assign(is_customer=True)
    found = _tabulate(sums, unit, list(named))
    notes = {which: f"{n} {unit} cut after {most_steps} changes of stage" for which, n in cut.items() if n}
    found["note"] = [notes.get(which, "") for which in found["which"]]
    found[["low", "high"]] = found[["low", "high"]].clip(0, 100)
    keys = zip(found["which"], found["metric"], strict=True)
    found["random_value"] = [randoms[which][metric] for which, metric in keys]
    return found


def compare_with_allowed(journeys: Sequence[Sequence[int]], allowed: Sequence[Sequence[int]]) -> np.ndarray:
    """Compare journeys with the nearest allowed one: 1 - edit distance / the largest possible.

    Parameters
    ----------
    journeys : sequence of sequences of int
        Journeys as numbers of stages.
    allowed : sequence of sequences of int
        Allowed journeys, one or more.

    Returns
    -------
    numpy.ndarray
        One number a journey, 0 to 1; 1 where it is an allowed one.

    Notes
    -----
    Levenshtein's distance, all journeys at once.

    Examples
    --------
    >>> compare_with_allowed([[0, 1, 2], [1, 0], [2]], [[0, 1, 2]]).round(2).tolist()
    [1.0, 0.33, 0.33]
    """
    codes, lengths = _fill_codes(journeys)
    return _compare_codes(codes, lengths, allowed)


def _compare_codes(codes: np.ndarray, lengths: np.ndarray, allowed: Sequence[Sequence[int]]) -> np.ndarray:
    best = np.zeros(len(codes))
    for path in allowed:
        row = [np.full(len(codes), place) for place in range(len(path) + 1)]
        distance = row[-1]
        for step in range(codes.shape[1]):
            above, row = row, [np.full(len(codes), step + 1)]
            for place, stage in enumerate(path, 1):
                replaced = above[place - 1] + (codes[:, step] != stage)
                row.append(np.minimum(replaced, np.minimum(above[place], row[-1]) + 1))
            distance = np.where(lengths == step + 1, row[-1], distance)
        best = np.maximum(best, 1 - distance / np.maximum(np.maximum(lengths, len(path)), 1))
    return best


def _check_order(order: Sequence[str]) -> dict[str, int]:
    if isinstance(order, str) or len(order) < 2 or len(set(order)) < len(order):
        raise ValueError(f"order must list two or more different stages, found {order!r}")
    return {stage: place for place, stage in enumerate(order)}


def _check_allowed(allowed: Sequence[Sequence[str]], places: dict[str, int]) -> list[list[int]]:
    for path in allowed:
        unknown = [stage for stage in path if stage not in places]
        if isinstance(path, str) or not len(path) or unknown:
            raise ValueError(f"an allowed journey must list stages of the order, found {path!r}")
    if not len(allowed):
        raise ValueError("allowed must hold one journey or more")
    return [[places[stage] for stage in path] for path in allowed]


def _score_sequences(
    sequences: pd.Series, places: dict[str, int], allowed: Sequence[Sequence[int]]
) -> pd.DataFrame:
    """Score each distinct sequence once: pairs in order, steps back, conformance."""
    rows = []
    for sequence in sequences:
        visits = [places[stage] for stage in sequence if stage in places]
        visits = [stage for number, stage in enumerate(visits) if not number or visits[number - 1] != stage]
        pairs = list(combinations(dict.fromkeys(visits), 2))
        moves = list(pairwise(visits))
        in_order, back = sum(a < b for a, b in pairs), sum(a > b for a, b in moves)
        rows.append((sequence, tuple(visits), len(visits), len(pairs), in_order, len(moves), back))
    names = ["sequence", "visits", "length", "pairs", "in_order", "moves", "back"]
    scored = pd.DataFrame(rows, columns=names).astype({"sequence": object, "visits": object})
    return scored.assign(conformance=100 * compare_with_allowed(scored["visits"].tolist(), allowed))


def _measure_random(
    units: pd.Series, allowed: Sequence[Sequence[int]], n_permutations: int, random_state: int
) -> dict[str, float]:
    """Measure journeys whose visits come in random order; `units` counts them by their visits."""
    journeys = sorted(units.index)
    often = units.loc[journeys].to_numpy(float) if journeys else np.zeros(0)
    if not often.sum():
        return dict.fromkeys(_METRICS, np.nan)
    generator = np.random.default_rng(random_state)
    if len(journeys) > _MOST_JOURNEYS:
        often = generator.multinomial(_MOST_JOURNEYS, often / often.sum()).astype(float)
        journeys = [journey for journey, times in zip(journeys, often, strict=True) if times]
        often = often[often > 0]
    codes, lengths = _fill_codes(journeys)
    longest, drawn = codes.shape[1], []
    codes = _shuffle_visits(codes, lengths, 30 * longest, generator)
    for _ in range(n_permutations):
        codes = _shuffle_visits(codes, lengths, longest, generator)
        pairs, in_order = _count_pairs(codes)
        near = often @ _compare_codes(codes, lengths, allowed) / often.sum()
        drawn.append((100 * (often @ in_order) / max(often @ pairs, 1), 50.0, 100 * near))
    return dict(zip(_METRICS, np.mean(drawn, axis=0).tolist(), strict=True))


def _shuffle_visits(
    codes: np.ndarray, lengths: np.ndarray, steps: int, generator: np.random.Generator
) -> np.ndarray:
    """Shuffle each journey so that no stage follows itself, which is how visits are counted.

    A walk of random swaps, each undone where it puts a stage beside itself, and half of the journeys turned
    round first: each order that can be reached is equally likely in the end.
    """
    places, rows = np.arange(codes.shape[1])[None, :], np.arange(len(codes))
    turns = (generator.random(len(codes)) < 0.5)[:, None] & (places < lengths[:, None])
    turned = np.take_along_axis(codes, np.where(turns, lengths[:, None] - 1 - places, places), axis=1)
    walk = np.pad(turned, ((0, 0), (1, 1)), constant_values=-1)
    for _ in range(steps):
        i, j = ((generator.random(len(codes)) * lengths).astype("int64") + 1 for _ in range(2))
        a, b = walk[rows, i], walk[rows, j]
        walk[rows, i], walk[rows, j] = b, a
        beside = (walk[rows, i - 1] == b) | (walk[rows, i + 1] == b)
        beside |= (walk[rows, j - 1] == a) | (walk[rows, j + 1] == a)
        bad = rows[beside]
        walk[bad, i[beside]], walk[bad, j[beside]] = a[beside], b[beside]
    return walk[:, 1:-1]


def _count_pairs(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count each journey's pairs of stages, and those first reached in the expected order."""
    never = codes.shape[1]
    stages = range(int(codes.max(initial=-1)) + 1)
    first = [np.where(codes == stage, np.arange(never), never).min(axis=1) for stage in stages]
    pairs, in_order = np.zeros(len(codes)), np.zeros(len(codes))
    for a, b in combinations(stages, 2):
        both = (first[a] < never) & (first[b] < never)
        pairs, in_order = pairs + both, in_order + (both & (first[a] < first[b]))
    return pairs, in_order


def _fill_codes(journeys: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Put journeys as numbers of stages in rows, filled up with -1; and their lengths."""
    lengths = np.array([len(journey) for journey in journeys], dtype="int64")
    codes = np.full((len(journeys), max(int(lengths.max(initial=0)), 1)), -1, dtype="int64")
    for row, journey in enumerate(journeys):
        codes[row, : len(journey)] = journey
    return codes, lengths


def _sum_by_person(table: pd.DataFrame) -> pd.DataFrame:
    """Sum over each person's units."""
    sums = {name: table["n"] * table[name] for name in ("pairs", "in_order", "moves", "back", "conformance")}
    sums |= {"squares": table["n"] * table["conformance"] ** 2, "units": table["n"]}
    return pd.DataFrame({"person": table["person"], **sums}).groupby("person", as_index=False).sum()


def _tabulate(sums: pd.DataFrame, unit: str, which: list[str]) -> pd.DataFrame:
    measures = [
        Measure(_METRICS[0], "share", unit, units="pairs", total="in_order"),
        Measure(_METRICS[1], "share", unit, units="moves", total="back"),
        Measure(_METRICS[2], "mean", unit, units="units", total="conformance", squares="squares"),
    ]
    return tabulate_measures(sums, measures, which=which)
