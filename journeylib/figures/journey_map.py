"""The journey map: stages side by side, touchpoints in lanes, how many go on, and where it is worst."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle

from journeylib.figures.alt_text import set_alt_text, spell_name, write_nothing_to_show
from journeylib.figures.map_layout import GUTTER, TO_TEXT, Column, Item, Layout, choose_lanes, lay_out_map
from journeylib.figures.map_legend import draw_legend, measure_legend
from journeylib.figures.map_marks import WORST_FACE, choose_reference, draw_item, make_label, read_levels
from journeylib.figures.map_text import VALUE_POINTS, balance_text, measure_text, wrap_text
from journeylib.figures.map_words import UNITS, complete_map, describe_map, say_map
from journeylib.figures.saving import keep_numbers
from journeylib.figures.theme import COLOURS, HAIRLINE, INK, QUIET, SMALL_POINTS, TITLE_POINTS, WIDTH_INCHES

__all__ = ["plot_journey_map"]

STAGE_POINTS, LINE = 10.0, 0.145
FLOW, FLOW_FACE, FLOW_INK = 0.27, "#e3edf5", "#9cc3df"
MARGIN, TITLE_LINE = 0.1, 0.2


def plot_journey_map(journey_map: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    r"""Draw the journey map: stages as columns, lanes as rows, a mark a touchpoint.

    Parameters
    ----------
    journey_map : pandas.DataFrame
        Table of `build_journey_map`, or as read from its CSV: one row is one touchpoint, or the total of a
        stage (touchpoint empty), in the order of the journey. `stage` and `touchpoint` are needed; what is
        missing is drawn as not measured.
    ax : matplotlib.axes.Axes, optional
        Where to draw; its size decides how names are wrapped. Without it a new figure, 16:9, higher where
        the touchpoints need more room.

    Returns
    -------
    matplotlib.axes.Axes
        Axes in inches. Area of a mark: share of all that met it. Shade: satisfaction, darker is worse (share
        that came no further where nobody was asked). Ring: expectation. Square: known from the survey only.
        Boxed: the worst of its stage. Hatched: not measured. Band on top: how many go on to a later stage.

    Raises
    ------
    ValueError
        Where `stage` or `touchpoint` is missing.

    Examples
    --------
    >>> places = pd.DataFrame({"stage": "decision", "touchpoint": ["", "basket", "payment"],
    ...     "n": [90, 80, 60], "reach_share": [90.0, 80.0, 60.0], "satisfaction": [None, 4.2, 3.1],
    ...     "satisfaction_n": [None, 50, 40], "is_worst": [False, False, True],
    ...     "worst_by": ["", "", "satisfaction"]})
    >>> plot_journey_map(places).get_title(loc="left").replace("\u00a0", " ")
    'Satisfaction is lowest at payment: 3.10 (n 40)'
    """
    table = complete_map(journey_map)
    places = table[table["touchpoint"] != ""].reset_index(drop=True)
    if places.empty:
        return write_nothing_to_show(ax, "No journey map to show: the table has no touchpoints.")
    totals = table[table["touchpoint"] == ""].drop_duplicates("stage").set_index("stage")
    stages = list(dict.fromkeys(table["stage"]))
    sentence = say_map(places, totals)
    width, height = (WIDTH_INCHES - 2 * MARGIN, 0.0) if ax is None else _read_size(ax)
    title = balance_text(sentence, inches=width, points=TITLE_POINTS, weight="bold")
    if ax is None:
        height = WIDTH_INCHES * 9 / 16 - TITLE_LINE * len(title) - 2 * MARGIN
    levels = read_levels(places)
    legend = measure_legend(places, levels, width=width)
    heads = _write_heads(totals, stages)
    flows = _list_flows(totals, stages)
    top = LINE * (1 + max(map(len, heads.values()))) + 0.08 + (FLOW + 0.1 if flows else 0.0)
    lanes = choose_lanes(places)
    reference = choose_reference(places["reach_share"].max())
    labels = [
        make_label(row, expected=expected, reference=reference)
        for (_, row), expected in zip(places.iterrows(), levels[1], strict=True)
    ]
    layout = lay_out_map(
        places, lanes, labels, stages=stages, width=width, top=top, height=height - legend.height - 0.08
    )
    height = max(height, layout.bottom + legend.height + 0.08)
    axes = _make_axes(width, height, TITLE_LINE * len(title)) if ax is None else ax
    _set_up(axes, width, height)
    _draw_frame(axes, layout, heads, top=top)
    _draw_flows(axes, layout, totals, flows, top=top - 0.08 - FLOW / 2)
    for item in layout.items:
        row = places.iloc[item.row]
        if row["is_worst"]:
            _draw_box(axes, item)
        level, expected = levels[0].iloc[item.row], levels[1].iloc[item.row]
        draw_item(axes, item, row, level=level, expected=expected, reference=reference)
    draw_legend(axes, legend, top=layout.bottom + 0.08)
    axes.set_title("\n".join(title), loc="left", fontsize=TITLE_POINTS, fontweight="bold", color=INK, pad=6)
    keep_numbers(axes, journey_map)
    keep_numbers(axes, journey_map)
    return set_alt_text(axes, describe_map(places, totals, sentence=sentence))


def _read_size(ax: Axes) -> tuple[float, float]:
    """Read the size of the caller's axes in inches."""
    figure = ax.get_figure(root=True)
    box, dpi = ax.get_window_extent(), 100.0 if figure is None else figure.dpi
    return box.width / dpi, box.height / dpi


def _make_axes(width: float, height: float, title: float) -> Axes:
    """Make a figure around axes of this size, with room for the title."""
    whole = (width + 2 * MARGIN, height + title + 2 * MARGIN)
    figure = plt.figure(figsize=whole)
    return figure.add_axes((MARGIN / whole[0], MARGIN / whole[1], width / whole[0], height / whole[1]))


def _set_up(ax: Axes, width: float, height: float) -> None:
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _write_heads(totals: pd.DataFrame, stages: list[str]) -> dict[str, list[str]]:
    """Write what stands below the name of each stage."""
    heads = {}
    for stage in stages:
        row, lines = _read_total(totals, stage), []
        if row is not None and pd.notna(row["n"]):
            lines.append(f"{row['n']:,.0f} {UNITS.get(row['unit_of_analysis'], 'customers')}")
        if row is not None and pd.notna(row["satisfaction"]):
            what = "ease" if row["satisfaction_by"] == "ces" else "satisfaction"
            lines.append(f"{what} {row['satisfaction']:.2f}")
        heads[stage] = lines or ["not measured"]
    return heads


def _list_flows(totals: pd.DataFrame, stages: list[str]) -> list[str]:
    """List the stages of which it is known how many went on, the last one apart."""
    known = totals.index[totals["went_on_share"].notna()]
    return [stage for stage in stages[:-1] if stage in known]


def _draw_frame(ax: Axes, layout: Layout, heads: dict[str, list[str]], *, top: float) -> None:
    """Draw the lanes' bands and names, the stages' names and what stands below them."""
    right = layout.columns[-1].right
    for number, (lane, upper, lower) in enumerate(layout.lanes):
        face = "#f6f8fa" if number % 2 == 0 else "white"
        ax.add_patch(Rectangle((0, upper), right, lower - upper, facecolor=face, linewidth=0, zorder=0))
        lines = wrap_text(spell_name(lane), inches=lower - upper - 0.06, points=SMALL_POINTS, weight="bold")
        ax.text(
            GUTTER / 2, (upper + lower) / 2, "\n".join(lines) if lane else "", rotation=90, ha="center",
            va="center", fontsize=SMALL_POINTS, fontweight="bold", color=QUIET, linespacing=1.0,
        )  # fmt: skip
    points = STAGE_POINTS
    for column in layout.columns:
        while points > VALUE_POINTS and measure_text(_spell_stage(column), points, "bold") > _room(column):
            points -= 0.25
    for number, column in enumerate(layout.columns):
        if number:
            ax.plot([column.left] * 2, [top, layout.bottom], color=HAIRLINE, linewidth=1.0, zorder=1)
        x = column.left + 0.05
        ax.text(x, 0.09, _spell_stage(column), fontsize=points, fontweight="bold", color=INK, va="center")
        for place, line in enumerate(heads[column.stage], start=1):
            ax.text(x, 0.1 + LINE * place, line, fontsize=VALUE_POINTS, color=QUIET, va="center")


def _spell_stage(column: Column) -> str:
    name = spell_name(column.stage)
    return name[:1].upper() + name[1:]


def _room(column: Column) -> float:
    return column.right - column.left - 0.1


def _draw_flows(ax: Axes, layout: Layout, totals: pd.DataFrame, flows: list[str], *, top: float) -> None:
    """Draw a band for the people of each stage, and within it those who went on to a later one."""
    if not flows:
        return
    most, shape = float(totals["n"].max()), _choose_words(layout, totals, flows)
    for number, column in enumerate(layout.columns):
        row = _read_total(totals, column.stage)
        if row is None or not row["n"] > 0:
            continue
        tall = max(FLOW * row["n"] / most, 0.02)
        wide = column.right - column.left - 0.08
        ax.add_patch(
            Rectangle((column.left + 0.04, top - tall / 2), wide, tall, facecolor=FLOW_FACE, linewidth=0)
        )
        if column.stage in flows:
            words = shape.format(row["went_on_share"], row["went_on_n"])
            _draw_arrow(ax, column, layout.columns[number + 1], row, words, middle=top, most=most)


def _read_total(totals: pd.DataFrame, stage: str) -> pd.Series | None:
    """Read the row of a stage; None where the table has none."""
    return next((row for name, row in totals.iterrows() if name == stage), None)


def _choose_words(layout: Layout, totals: pd.DataFrame, flows: list[str]) -> str:
    """Choose how to say who went on: as long as it fits into all columns."""
    for shape in ("{:.0f}\u00a0% go on ({:,.0f})", "{:.0f}\u00a0% ({:,.0f})"):
        told = [
            (column, shape.format(row["went_on_share"], row["went_on_n"]))
            for column in layout.columns
            if column.stage in flows and (row := _read_total(totals, column.stage)) is not None
        ]
        if all(measure_text(words, VALUE_POINTS, "bold") < _room(column) - 0.02 for column, words in told):
            return shape
    return "{:.0f}\u00a0%"


def _draw_arrow(
    ax: Axes, here: Column, there: Column, row: pd.Series, words: str, *, middle: float, most: float
) -> None:
    """Draw those who went on as an arrow into the next column, with share and count on it."""
    tall = max(FLOW * float(row["went_on_n"]) / most, 0.03)
    start, tip = here.left + 0.04, there.left + 0.16
    neck, half = tip - 0.12, tall / 2
    corners = [(start, middle - half), (neck, middle - half), (tip, middle), (neck, middle + half)]
    ax.add_patch(
        Polygon([*corners, (start, middle + half)], closed=True, facecolor=FLOW_INK, linewidth=0, zorder=2)
    )
    ax.text(
        (here.left + here.right) / 2,
        middle,
        words,
        ha="center",
        va="center",
        fontsize=VALUE_POINTS,
        color=INK,
        fontweight="bold",
        zorder=3,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.85, "linewidth": 0},
    )


def _draw_box(ax: Axes, item: Item) -> None:
    """Box the worst place of a stage."""
    left, upper = 2 * item.x - item.x_text + TO_TEXT - 0.03, item.y - item.height / 2
    ax.add_patch(
        FancyBboxPatch(
            (left, upper), item.width - 0.04, item.height, boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=WORST_FACE, edgecolor=COLOURS["lost"], linewidth=1.6, zorder=1.5,
        )
    )  # fmt: skip
