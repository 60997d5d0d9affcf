"""Personas as a table of marks: what each group does more and less than all the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from journeylib.figures.alt_text import format_value, set_alt_text, write_nothing_to_show
from journeylib.figures.saving import keep_numbers
from journeylib.figures.theme import COLOURS, INK, QUIET, SMALL_POINTS, make_axes, wrap_labels, write_heading

__all__ = ["plot_personas"]

#: Marks grow with the difference up to this many standard deviations; smaller ones than the least get none.
_LARGEST, _LEAST, _POINTS = 2.5, 0.2, 15.0
#: With more personas than this their names don't fit below the columns; their numbers do.
_MOST_NAMES = 5


def plot_personas(
    differences: pd.DataFrame,
    *,
    shares: Mapping[str, float] | None = None,
    most: int = 12,
    ax: Axes | None = None,
) -> Axes:
    """Draw the standardised differences of personas: filled is more than the others, hollow is less.

    Parameters
    ----------
    differences : pandas.DataFrame
        One row is one feature of one persona, as from `compare_features`: `persona`, `feature`, `difference`
        (standard deviations), and `label` (the feature in words), `cluster` (the number; else the order of
        rows counts) where they are there. Missing differences have no mark.
    shares : mapping, optional
        Name of a persona to her share of the customers, in percent.
    most : int, default 12
        Features at the most, those that differ most in some persona.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib.axes.Axes
        One column a persona, one row a feature; each mark with its number beside it.

    Examples
    --------
    >>> differences = pd.DataFrame({"persona": ["early", "late"], "feature": "evening_share",
    ...     "difference": [-1.5, 1.5], "label": "evening sessions"})
    >>> plot_personas(differences).get_title(loc="left")
    'The 2 groups differ most in evening sessions'
    """
    known = differences.dropna(subset="difference") if len(differences) else pd.DataFrame({"persona": []})
    if known.empty or known["persona"].nunique() < 2:
        return write_nothing_to_show(ax, "No differences between groups to show: there is one group.")
    known = _complete(known)
    personas = known.drop_duplicates("persona").sort_values("cluster")["persona"].tolist()
    chosen = _choose_features(known, personas, most=most)
    labels = wrap_labels([known.loc[known["feature"] == name, "label"].iloc[0] for name in chosen])
    axes = make_axes(ax, labels=labels, row_inches=0.2)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(-0.5, len(personas) - 0.5)
    axes.set_xticks(range(len(personas)), _write_columns(personas, shares or {}), color=INK)
    differences_of = _read_differences(known)
    for column, persona in enumerate(personas):
        for row, feature in enumerate(chosen):
            _draw_mark(axes, column, row, differences_of[persona].get(feature))
    largest = [known.loc[known["feature"] == name, "label"].iloc[0] for name in _rank(known).index[:3]]
    title = f"The {len(personas)} groups differ most in {_join(largest)}"
    write_heading(axes, title, marks=_list_marks())
    keep_numbers(axes, differences)
    return set_alt_text(axes, _say_all(differences_of, known, personas, chosen, shares or {}, title=title))


def _complete(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that the table may lack."""
    if "label" not in rows:
        rows = rows.assign(label=rows["feature"].astype(str).str.replace("_", " "))
    return rows if "cluster" in rows else rows.assign(cluster=pd.factorize(rows["persona"])[0])


def _rank(known: pd.DataFrame) -> pd.Series:
    """Return each feature's largest difference in size, the largest first, ties by name."""
    sizes = known.assign(size=known["difference"].abs()).groupby("feature")["size"].max()
    return sizes.sort_index().sort_values(ascending=False, kind="stable")


def _choose_features(known: pd.DataFrame, personas: list[str], *, most: int) -> list[str]:
    """Choose the features that differ most, below each other by the persona that has most of them."""
    kept = _rank(known).index[:most]
    table = known.pivot_table(index="feature", columns="persona", values="difference").loc[kept, personas]
    place = table.fillna(float("-inf")).to_numpy().argmax(axis=1)
    order = pd.DataFrame({"place": place, "most": -table.max(axis=1)}, index=kept)
    return [str(name) for name in order.sort_values(["place", "most"], kind="stable").index]


def _read_differences(known: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return each persona's difference in each feature that has one."""
    return {
        str(persona): dict(zip(rows["feature"].astype(str), rows["difference"].astype(float), strict=True))
        for persona, rows in known.groupby("persona")
    }


def _draw_mark(axes: Axes, column: int, row: int, difference: float | None) -> None:
    """Draw one difference as a mark whose size grows with it, and its number."""
    if difference is None:
        return
    colour = COLOURS["now"] if difference > 0 else COLOURS["lost"]
    size = max(_POINTS * min(abs(difference), _LARGEST) / _LARGEST, 3.0)
    if abs(difference) >= _LEAST:
        face = colour if difference > 0 else "white"
        axes.plot([column - 0.1], [row], marker="o", markersize=size, color=colour, markerfacecolor=face)
    words = format_value(difference, kind="nps")
    axes.text(column + 0.06, row, words, va="center", fontsize=SMALL_POINTS, color=QUIET)


def _write_columns(personas: list[str], shares: Mapping[str, float]) -> list[str]:
    """Write what stands below each column: number and share, and the name where it fits."""
    texts = []
    for number, persona in enumerate(personas, start=1):
        share = f", {format_value(shares[persona], kind='share')}" if persona in shares else ""
        fits = len(personas) <= _MOST_NAMES
        name = wrap_labels([persona], width=110 // len(personas) - 4)[0] if fits else ""
        texts.append("\n".join(filter(None, [f"{number}{share}", name])))
    return texts


def _list_marks() -> list[Artist]:
    shape: dict[str, Any] = {"marker": "o", "markersize": 8, "linestyle": "none"}
    more, less = COLOURS["now"], COLOURS["lost"]
    return [
        Line2D([], [], color=more, label="More than the other customers", **shape),
        Line2D([], [], color=less, markerfacecolor="white", label="Less", **shape),
        Line2D([], [], linestyle="none", label="Numbers: standard deviations"),
    ]


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _say_all(
    differences_of: dict[str, dict[str, float]],
    known: pd.DataFrame,
    personas: list[str],
    chosen: list[str],
    shares: Mapping[str, float],
    *,
    title: str,
) -> str:
    """Say every number of the figure, persona by persona."""
    label = known.drop_duplicates("feature").set_index("feature")["label"]
    parts = []
    for number, persona in enumerate(personas, start=1):
        share = f" ({format_value(shares[persona], kind='share')})" if persona in shares else ""
        told = [
            f"{label[name]} {format_value(differences_of[persona][name], kind='nps')}"
            for name in chosen
            if name in differences_of[persona]
        ]
        parts.append(f"{number}, {persona}{share}: {', '.join(told)}")
    return f"Marks by feature and group, in standard deviations. {title}. {'; '.join(parts)}."
