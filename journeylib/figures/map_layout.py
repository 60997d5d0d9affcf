"""Where things stand on the journey map: stages side by side, lanes below each other, names wrapped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import NamedTuple

import pandas as pd

from journeylib.figures.map_text import VALUE_POINTS, measure_text, wrap_text
from journeylib.figures.theme import SMALL_POINTS

__all__ = ["Column", "Item", "Label", "Layout", "choose_lanes", "lay_out_map", "name_points"]

#: Inches: one line of text, air around an item, gutter of lane names, narrowest item and narrowest mark.
LINE, AIR, GUTTER, NARROWEST, MARK = 0.135, 0.07, 0.33, 1.14, 0.3
#: Inches: before a mark, from it to its text, free at the right of text, and below which names are small.
LEFT, TO_TEXT, FREE, SMALL_BELOW = 0.04, 0.06, 0.06, 1.2
MOST_LANES = 4


class Label(NamedTuple):
    """What is drawn of a touchpoint: how wide its mark is, and its lines of text."""

    mark: float
    has_share: bool
    name: tuple[str, ...]
    values: tuple[str, ...]


class Item(NamedTuple):
    """A touchpoint on the map: its row in the table, the middle of its mark, its room and its label."""

    row: int
    x: float
    y: float
    x_text: float
    width: float
    height: float
    label: Label


@dataclass(frozen=True)
class Column:
    """A stage on the map: its name, and from where to where it reaches."""

    stage: str
    left: float
    right: float


@dataclass(frozen=True)
class Layout:
    """All places of a map, in inches from the upper left corner of the axes."""

    columns: list[Column]
    lanes: list[tuple[str, float, float]]
    items: list[Item] = field(repr=False)
    bottom: float


def choose_lanes(places: pd.DataFrame) -> pd.Series:
    """Choose the lane of each touchpoint: its channel; where there are many, the large ones and the rest.

    Parameters
    ----------
    places : pandas.DataFrame
        One row is one touchpoint: `channel` (text, may be empty) and `online` (true, false or missing).

    Returns
    -------
    pandas.Series
        A lane a row: at most four, the channels if these are four at most, else those with three touchpoints
        or more, and `other online`, `offline`, `other`; online before offline. Empty with a single lane.
    """
    channels = places["channel"]
    sizes = channels[channels != ""].value_counts().sort_index(kind="stable")
    rest = places["online"].map({True: "online", False: "offline"}).fillna("other")
    many = len(sizes) > MOST_LANES or (channels == "").any()
    large = sizes[sizes >= 3].sort_values(ascending=False, kind="stable").index[: MOST_LANES - 3 + 1]
    kept = channels.isin(large if many else sizes.index)
    is_online = channels[kept].isin(channels[kept & places["online"].eq(True)]).any()
    lanes = channels.where(kept, rest.replace("online", "other online" if is_online else "online"))
    if lanes.nunique() < 2:
        return pd.Series("", index=places.index)
    return lanes


def lay_out_map(
    places: pd.DataFrame,
    lanes: pd.Series,
    labels: Sequence[Label],
    *,
    stages: Sequence[str],
    width: float,
    top: float,
    height: float,
) -> Layout:
    """Lay the touchpoints out, each in the column of its stage and the row of its lane.

    Parameters
    ----------
    places : pandas.DataFrame
        One row is one touchpoint, in the order of the journey; needs `stage` and `online`.
    lanes : pandas.Series
        Its lane, from `choose_lanes`.
    labels : sequence of Label
        What is drawn of each touchpoint, its texts in one line each; they are wrapped here.
    stages : sequence of str
        The columns, from left to right; one without touchpoints keeps a narrow column.
    width, top, height : float
        Inches: width of the axes, where the lanes begin, and how far they should reach down.

    Returns
    -------
    Layout
        The places; `bottom` is below `height` where the touchpoints need more room.
    """
    names = _order_lanes(places, lanes)
    gutter = GUTTER if len(names) > 1 else 0.0
    pairs = list(zip(lanes, places["stage"], strict=True))
    cells = {
        (lane, stage): [row for row, pair in enumerate(pairs) if pair == (lane, stage)]
        for lane in names
        for stage in stages
    }
    best: _Grid | None = None
    for counts in _share_columns(cells, names, stages, most=int((width - gutter) / NARROWEST)):
        grid = _measure_grid(cells, counts, names, labels, wide=(width - gutter) / sum(counts.values()))
        if best is None or sum(grid.tall.values()) < sum(best.tall.values()) - LINE / 2:
            best = grid
    assert best is not None
    stretch = max(1.0, (height - top) / max(sum(best.tall.values()), 0.01))
    columns, left = [], gutter
    for stage in stages:
        columns.append(Column(stage, left, left + best.counts[stage] * best.wide))
        left = columns[-1].right
    items, bands, y = [], [], top
    for lane in names:
        bands.append((lane, y, y + best.tall[lane] * stretch))
        for column in columns:
            items += _place_cell(best, cells[lane, column.stage], column, bands[-1])
        y = bands[-1][2]
    return Layout(columns, bands, items, y)


@dataclass(frozen=True)
class _Grid:
    """Sub-columns of each stage, their width, the room of a mark, wrapped labels, height of each lane."""

    counts: dict[str, int]
    wide: float
    mark: float
    labels: list[Label]
    tall: dict[str, float]


def _measure_grid(
    cells: dict[tuple[str, str], list[int]],
    counts: dict[str, int],
    lanes: Sequence[str],
    labels: Sequence[Label],
    *,
    wide: float,
) -> _Grid:
    """Wrap the texts into the sub-columns, and measure how high each lane must be."""
    mark = max([MARK, *(label.mark for label in labels)])
    wrapped = [_wrap_label(label, wide, mark) for label in labels]
    tall = {}
    for lane in lanes:
        stacks = [
            sum(_stack_rows([_measure_item(wrapped[row]) for row in cells[lane, stage]], number))
            for stage, number in counts.items()
        ]
        words = [measure_text(word, SMALL_POINTS, "bold") + 0.1 for word in lane.split()]
        tall[lane] = max([max(stacks) + AIR, *words])
    return _Grid(counts, wide, mark, wrapped, tall)


def _place_cell(grid: _Grid, rows: list[int], column: Column, band: tuple[str, float, float]) -> list[Item]:
    """Place the touchpoints of one stage and lane, the spare height shared out between their rows."""
    number = grid.counts[column.stage]
    heights = _stack_rows([_measure_item(grid.labels[row]) for row in rows], number)
    spare = (band[2] - band[1] - sum(heights)) / (len(heights) + 1)
    items = []
    for place, row in enumerate(rows):
        step, across = divmod(place, number)
        y = band[1] + sum(heights[:step]) + (step + 1) * spare + heights[step] / 2
        x = column.left + across * grid.wide + LEFT
        height = _measure_item(grid.labels[row])
        ends = (x + grid.mark / 2, y, x + grid.mark + TO_TEXT, grid.wide, height)
        items.append(Item(row, *ends, grid.labels[row]))
    return items


def _order_lanes(places: pd.DataFrame, lanes: pd.Series) -> list[str]:
    """Put online lanes first, then the larger ones; what is left over goes last among its kind."""
    online = places["online"].eq(True).groupby(lanes).mean()
    size = lanes.value_counts()
    others = {"online": 1, "other online": 1, "offline": 2, "other": 3}
    return sorted(
        lanes.unique(),
        key=lambda lane: (online[lane] < 0.5, others.get(lane, 0), -size[lane], lane),
    )


def _share_columns(
    cells: dict[tuple[str, str], list[int]], lanes: Sequence[str], stages: Sequence[str], *, most: int
) -> Iterator[dict[str, int]]:
    """Give, for each number of sub-columns, the way to share them among the stages with fewest rows."""

    def count_rows(counts: Iterable[int]) -> tuple[int, int]:
        rows = [
            [-(-len(cells[lane, stage]) // number) for stage, number in zip(stages, counts, strict=True)]
            for lane in lanes
        ]
        return sum(max(row) for row in rows), sum(map(sum, rows))

    for spare in range(max(1, most - len(stages) + 1)):
        extra = combinations_with_replacement(range(len(stages)), spare)
        shared = [tuple(1 + one.count(place) for place in range(len(stages))) for one in extra]
        yield dict(zip(stages, min(shared, key=count_rows), strict=True))


def _wrap_label(label: Label, wide: float, mark: float) -> Label:
    room = wide - mark - TO_TEXT - FREE - LEFT
    values = [line for value in label.values for line in wrap_text(value, inches=room, points=VALUE_POINTS)]
    name = wrap_text(" ".join(label.name), inches=room, points=name_points(wide))
    return Label(label.mark, label.has_share, name, tuple(values))


def name_points(wide: float) -> float:
    """Give the size of a touchpoint's name in a column of this width.

    Parameters
    ----------
    wide : float
        Inches.

    Returns
    -------
    float
        Points.
    """
    return SMALL_POINTS if wide >= SMALL_BELOW else VALUE_POINTS


def _measure_item(label: Label) -> float:
    text = LINE * (len(label.name) + len(label.values))
    return max(label.mark + (LINE if label.has_share else 0.0), text) + AIR


def _stack_rows(heights: Sequence[float], number: int) -> list[float]:
    """Height of each row of a cell: that of its highest item."""
    return [max(heights[start : start + number]) for start in range(0, len(heights), number)]
