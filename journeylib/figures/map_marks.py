"""The marks of the journey map: size for reach, shade for satisfaction, ring for expectation."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from journeylib.figures.alt_text import format_value, spell_name
from journeylib.figures.map_layout import LINE, Item, Label, name_points
from journeylib.figures.map_text import VALUE_POINTS, measure_text
from journeylib.figures.theme import COLOURS, INK, QUIET

__all__ = [
    "SHADES",
    "choose_reference",
    "draw_item",
    "draw_mark",
    "make_label",
    "mark_size",
    "read_levels",
    "shade_of",
]

#: From the best to the worst: ever darker, so that it reads in grey, and from blue to orange for colour.
SHADES = LinearSegmentedColormap.from_list("satisfaction", ["#d6e8f6", "#f4cfa0", "#dd7a2a", "#8a3000"])
LARGEST, SMALLEST, UNKNOWN, RING = 17.0, 5.0, 12.0, 8.0  # points across
WORST_FACE = "#fff3e8"


def read_levels(places: pd.DataFrame) -> tuple[pd.Series, pd.Series, tuple[float, float], str]:
    """Read what the shade of each mark says, and over which range.

    Parameters
    ----------
    places : pandas.DataFrame
        One row is one touchpoint.

    Returns
    -------
    tuple of Series, Series, (float, float) and str
        Shade of satisfaction and of expectation, 0 (best) to 1 (worst), missing where there is none (the
        latter as far from the former as the gap says, though other questions may have measured it); the
        values at which the shade is lightest and darkest; and what it is: satisfaction, percent of scale, no
        further, or nothing. The range is at least a fifth of the scale, so that noise does not look large.
    """
    scales = places.loc[places["satisfaction"].notna(), ["scale_min", "scale_max"]]
    if scales.empty:
        share = places["no_further_share"]
        kind = "no further" if share.notna().any() else "nothing"
        low, high = _widen(share.min(), share.max(), least=20.0, ends=(0.0, 100.0))
        return (share - low) / (high - low), share * float("nan"), (low, high), kind
    ends = scales.iloc[0]
    kind = "satisfaction" if len(scales.drop_duplicates()) == 1 else "percent of scale"
    said = places["satisfaction"]
    expected = (said - places["gap"]).where(places["gap"].notna() & said.notna(), places["expectation"])
    limits = (float(ends["scale_min"]), float(ends["scale_max"]))
    if kind != "satisfaction":
        width = places["scale_max"] - places["scale_min"]
        said, expected = (100 * (one - places["scale_min"]) / width for one in (said, expected))
        limits = (0.0, 100.0)
    both = pd.concat([said, expected])
    low, high = _widen(both.min(), both.max(), least=(limits[1] - limits[0]) / 5, ends=limits)
    return (high - said) / (high - low), (high - expected) / (high - low), (high, low), kind


def _widen(low: float, high: float, *, least: float, ends: tuple[float, float]) -> tuple[float, float]:
    """Widen a range to a least width, within the ends of the scale."""
    if pd.isna(low) or pd.isna(high):
        return ends
    spare = max(0.0, least - (high - low)) / 2
    bottom = max(low - spare, ends[0]) if pd.notna(ends[0]) else low - spare
    return bottom, max(high + spare, bottom + least)


def shade_of(level: float) -> tuple[float, float, float]:
    """Give the colour of a level.

    Parameters
    ----------
    level : float
        0 (best) to 1 (worst); missing is white.

    Returns
    -------
    tuple of float
        Red, green, blue.
    """
    return to_rgb("white") if pd.isna(level) else to_rgb(SHADES(min(max(float(level), 0.0), 1.0)))


def choose_reference(largest: float) -> float:
    """Choose the share that the largest mark stands for.

    Parameters
    ----------
    largest : float
        The largest share of the map, in percent; may be missing.

    Returns
    -------
    float
        100, or where all touchpoints reach few, the next round share.
    """
    return next((share for share in (2.0, 5.0, 10.0, 20.0, 50.0) if largest <= share), 100.0)


def mark_size(share: float, *, reference: float) -> float:
    """Give the size of a mark, whose area is in proportion to the share.

    Parameters
    ----------
    share, reference : float
        Percent that met the touchpoint, and the percent that the largest mark stands for.

    Returns
    -------
    float
        Points across; tiny shares, and missing ones, have a mark that can still be seen.
    """
    if pd.isna(share):
        return SMALLEST * 1.4
    return max(SMALLEST, LARGEST * (share / reference) ** 0.5)


def make_label(row: pd.Series, *, expected: float, reference: float) -> Label:
    """Make what is drawn of a touchpoint.

    Parameters
    ----------
    row : pandas.Series
        Its row of the map.
    expected : float
        Shade of its expectation; missing without a ring.
    reference : float
        The share that the largest mark stands for.

    Returns
    -------
    Label
        Its mark's width in inches, and its texts.
    """
    size = mark_size(row["reach_share"], reference=reference) + (RING if pd.notna(expected) else 0.0)
    has_share = bool(row["is_measured"] and pd.notna(row["reach_share"]))
    mark = (size if row["is_measured"] else UNKNOWN) / 72 + 0.02
    return Label(mark, has_share, (spell_name(row["touchpoint"]),), tuple(list_values(row)))


def list_values(row: pd.Series) -> list[str]:
    """List what is written below a touchpoint's name.

    Parameters
    ----------
    row : pandas.Series
        A touchpoint of the map.

    Returns
    -------
    list of str
        Satisfaction, a space and its gap to the expectation; where nobody was asked, the share that came no
        further; or that it is not measured, or too small to show.
    """
    if not row["is_measured"]:
        return ["not measured"]
    if pd.notna(row["satisfaction"]):
        score = format_value(row["satisfaction"], kind="mean")
        if pd.notna(row["gap"]):
            gap = f"{row['gap']:+.1f}".replace("-", "\u2212")
            score += f" ({gap})" if gap[1:] != "0.0" else " (\u00b10.0)"
        return [score + (" ease" if row["satisfaction_by"] == "ces" else "")]
    if pd.notna(row["no_further_share"]):
        return [f"\u2193 {_say_share(row['no_further_share'])}"]
    return [] if pd.notna(row["reach_share"]) else ["too few to show"]


def _say_share(share: float) -> str:
    return "<1\u00a0%" if 0 < share < 0.5 else f"{share:.0f}\u00a0%"


def draw_item(
    ax: Axes, item: Item, row: pd.Series, *, level: float, expected: float, reference: float
) -> None:
    """Draw a touchpoint: its mark, its name and its values.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes in inches.
    item : Item
        Where it stands.
    row : pandas.Series
        Its row of the map.
    level, expected : float
        Shades of satisfaction and expectation, from `read_levels`.
    reference : float
        The share that the largest mark stands for.

    Returns
    -------
    None
        The axes are changed.
    """
    style: dict[str, Any] = {"fontsize": VALUE_POINTS, "va": "center", "zorder": 6}
    label = item.label
    middle = item.y - (LINE / 2 if label.has_share else 0.0)
    draw_mark(
        ax, item.x, middle, size=mark_size(row["reach_share"], reference=reference), level=level,
        expected=expected, is_square=row["unit_of_analysis"] == "respondents",
        is_measured=bool(row["is_measured"]), is_low=bool(row["low_base"]),
    )  # fmt: skip
    if label.has_share:
        share = _say_share(row["reach_share"])
        ax.text(item.x, middle + label.mark / 2 + LINE / 2, share, ha="center", color=QUIET, **style)
    x, y = item.x_text, item.y - LINE * (len(label.name) + len(label.values) - 1) / 2
    for line in label.name:
        ax.text(x, y, line, ha="left", color=INK, **{**style, "fontsize": name_points(item.width)})
        y += LINE
    for line in label.values:
        first, space, more = line.partition(" ")
        if row["is_measured"] and pd.notna(row["satisfaction"]):
            ax.text(x, y, first, ha="left", color=INK, weight="bold", **style)
            x_more = x + measure_text(first + space, VALUE_POINTS, "bold")
            ax.text(x_more, y, more, ha="left", color=QUIET, **style)
        else:
            ax.text(x, y, line, ha="left", color=QUIET, **style)
        y += LINE


def draw_mark(
    ax: Axes,
    x: float,
    y: float,
    *,
    size: float,
    level: float = float("nan"),
    expected: float = float("nan"),
    is_square: bool = False,
    is_measured: bool = True,
    is_low: bool = False,
) -> None:
    """Draw one mark, on the map or in its legend.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes in inches.
    x, y : float
        Its middle.
    size : float
        Points across.
    level, expected : float
        Shades of satisfaction (disc) and expectation (ring); missing is white, and no ring.
    is_square, is_measured, is_low : bool
        Known from the survey only (square), measured at all (else hatched), on a low base (dotted edge).

    Returns
    -------
    None
        The axes are changed.
    """
    shape: dict[str, Any] = {"marker": "s" if is_square else "o", "zorder": 4}
    if not is_measured:
        hatch = {"hatch": "//////", "facecolor": "white", "edgecolor": COLOURS["before"], "linewidth": 0.8}
        ax.scatter([x], [y], s=UNKNOWN**2, label="not measured", **{**shape, **hatch})
        return
    if pd.notna(expected):
        outer = {"facecolor": shade_of(expected), "edgecolor": QUIET, "linewidth": 0.8, "zorder": 2}
        ax.scatter([x], [y], s=(size + RING) ** 2, **{**shape, **outer})
        ax.scatter(
            [x], [y], s=(size + 2.6) ** 2, **{**shape, "facecolor": "white", "linewidth": 0, "zorder": 3}
        )
    edge: dict[str, Any] = {"edgecolor": INK, "linewidth": 0.9, "linestyle": ":" if is_low else "-"}
    ax.scatter([x], [y], s=size**2, facecolor=shade_of(level), **{**shape, **edge})
