"""The legend of the journey map: each sign that occurs on it, explained in a few words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from journeylib.figures.map_marks import SHADES, WORST_FACE, choose_reference, draw_mark, mark_size
from journeylib.figures.map_text import measure_text
from journeylib.figures.map_words import UNITS
from journeylib.figures.theme import COLOURS, QUIET

__all__ = ["Legend", "draw_legend", "measure_legend"]

POINTS, LINE, SPACE = 8.0, 0.24, 0.18
Levels = tuple[pd.Series, pd.Series, tuple[float, float], str]


@dataclass(frozen=True)
class Legend:
    """Signs and words in their lines: (sign, inches of the sign, words, left), and the height in inches."""

    lines: list[list[tuple[str, float, str, float]]]
    height: float


def measure_legend(places: pd.DataFrame, levels: Levels, *, width: float) -> Legend:
    """Choose the signs that occur, and lay them out in lines.

    Parameters
    ----------
    places : pandas.DataFrame
        One row is one touchpoint.
    levels : tuple
        From `read_levels`.
    width : float
        Inches.

    Returns
    -------
    Legend
        The lines.
    """
    lines: list[list[tuple[str, float, str, float]]] = [[]]
    left = 0.0
    for sign, wide, words in _list_signs(places, levels):
        needed = wide + 0.07 + measure_text(words, POINTS)
        if lines[-1] and left + needed > width:
            lines.append([])
            left = 0.0
        lines[-1].append((sign, wide, words, left))
        left += needed + SPACE
    return Legend(lines, LINE * len(lines) + 0.04)


def _list_signs(places: pd.DataFrame, levels: Levels) -> list[tuple[str, float, str]]:
    shade, expected, (light, dark), kind = levels
    signs = []
    unit = "percent" if kind == "percent of scale" else ""
    if kind == "satisfaction":
        signs.append(("shade", 0.8, f"satisfaction, {light:.1f} to {dark:.1f}"))
    elif kind == "percent of scale":
        signs.append(("shade", 0.8, f"satisfaction, {light:.0f} to {dark:.0f} {unit} of each scale"))
    elif kind == "no further":
        signs.append(("shade", 0.8, f"came no further, {light:.0f} to {dark:.0f}\u00a0%"))
    if expected.notna().any():
        signs.append(("ring", 0.3, "ring: expected; (\u22120.5): met less"))
    units = set(places.loc[places["reach_share"].notna(), "unit_of_analysis"])
    largest = choose_reference(places["reach_share"].max())
    shares = ", ".join(f"{largest * part:g}" for part in (0.1, 0.5, 1))
    if met := sorted(units - {"respondents"}):
        signs.append(("sizes", 0.7, f"{shares}\u00a0% of {UNITS.get(met[0], 'customers')} met it"))
        signs += [("square", 0.24, "share of respondents")] if len(units) > 1 else []
    elif units:
        signs.append(("square sizes", 0.7, f"{shares}\u00a0% of respondents judged it"))
    told = places["satisfaction"].isna() & places["no_further_share"].notna()
    if told.any():
        signs.append(("arrow", 0.1, "came to no later stage"))
    blank = shade.isna() & places["is_measured"]
    if blank.any() and kind != "nothing":
        signs.append(("blank", 0.2, "not asked" if kind != "no further" else "the sale, or no later stage"))
    worst = places.loc[places["is_worst"], "worst_by"]
    if len(worst):
        signs.append(("box", 0.3, "worst of its stage"))
    if places["low_base"].any():
        signs.append(("low", 0.24, "fewer than 30"))
    if (~places["is_measured"].astype(bool)).any():
        signs.append(("unknown", 0.24, "not measured"))
    return signs


def draw_legend(ax: Axes, legend: Legend, *, top: float) -> None:
    """Draw the legend.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes in inches.
    legend : Legend
        From `measure_legend`.
    top : float
        Where it begins, in inches.

    Returns
    -------
    None
        The axes are changed.
    """
    for number, line in enumerate(legend.lines):
        y = top + LINE * (number + 0.5)
        for sign, wide, words, left in line:
            _draw_sign(ax, sign, left, y, wide)
            ax.text(left + wide + 0.07, y, words, fontsize=POINTS, color=QUIET, va="center", zorder=6)


def _draw_sign(ax: Axes, sign: str, left: float, y: float, wide: float) -> None:
    middle = left + wide / 2
    if sign == "shade":
        ax.imshow(
            np.linspace(0, 1, 64)[None, :], cmap=SHADES, aspect="auto", zorder=3,
            extent=(left, left + wide, y + 0.06, y - 0.06),
        )  # fmt: skip
    elif sign == "ring":
        draw_mark(ax, middle, y, size=7, level=0.8, expected=0.2)
    elif sign.endswith("sizes"):
        for share, place in ((0.1, 0.06), (0.5, 0.26), (1, 0.56)):
            size = mark_size(share, reference=1)
            draw_mark(ax, left + place, y, size=size, is_square=sign.startswith("square"))
    elif sign == "square":
        draw_mark(ax, middle, y, size=10, is_square=True)
    elif sign == "blank":
        draw_mark(ax, middle, y, size=10)
    elif sign == "low":
        draw_mark(ax, middle, y, size=10, is_low=True)
    elif sign == "unknown":
        draw_mark(ax, middle, y, size=10, is_measured=False)
    elif sign == "arrow":
        ax.text(middle, y, "\u2193", fontsize=POINTS, color=QUIET, ha="center", va="center")
    elif sign == "box":
        ax.add_patch(
            FancyBboxPatch(
                (left, y - 0.07), wide, 0.14, boxstyle="round,pad=0,rounding_size=0.04",
                facecolor=WORST_FACE, edgecolor=COLOURS["lost"], linewidth=1.4,
            )
        )  # fmt: skip
