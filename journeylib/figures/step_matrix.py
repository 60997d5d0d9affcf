"""The step matrix as a table of shades: where sessions or people stand at each of their steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from journeylib.figures.alt_text import format_value, set_alt_text, spell_name, write_nothing_to_show
from journeylib.figures.theme import (
    COLOURS,
    HAIRLINE,
    INK,
    QUIET,
    SMALL_POINTS,
    TEXT_POINTS,
    make_axes,
    wrap_labels,
    write_heading,
)

__all__ = ["plot_step_matrix"]

_END = "(end)"
_OTHERS = "all others"
_UNITS = {"sessions": "sessions", "people": "people"}


def plot_step_matrix(
    steps: pd.DataFrame, *, most_steps: int = 10, most_states: int = 12, ax: Axes | None = None
) -> Axes:
    r"""Draw the share of sessions or people at each touchpoint, step by step.

    Parameters
    ----------
    steps : pandas.DataFrame
        Table of `count_steps`: one row is one state at one step; `step`, `state`, `n` and `share` (percent
        of all units). Where `which` is there, the reviewed period (or `all`) is drawn.
    most_steps : int, default 10
        Steps to draw, from the first.
    most_states : int, default 12
        States to draw, those with the highest share at any step; the rest are summed as `all others`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib.axes.Axes
        One row a state, one column a step, the share in percent in each cell and as its shade; last,
        without shade, the share that is over. Steps after the first at which all are over are not drawn. Row
        order of the input does not matter.

    Raises
    ------
    ValueError
        Where a column is missing, or `most_steps` or `most_states` is below 1.

    Examples
    --------
    >>> steps = pd.DataFrame({"step": [1, 2, 2], "state": ["page", "till", "(end)"], "n": [4, 1, 3],
    ...     "share": [100.0, 25.0, 75.0]})
    >>> plot_step_matrix(steps).get_title(loc="left")
    'Of 4, 100.0\xa0% start with page; 75.0\xa0% are over before step 2'
    """
    if most_steps < 1 or most_states < 1:
        raise ValueError(f"most_steps={most_steps}, most_states={most_states}: expected 1 or more.")
    rows = _read_steps(steps, most_steps)
    if rows.empty:
        return write_nothing_to_show(ax, "No steps to show: the step matrix is empty.")
    matrix = _arrange(rows, most_states)
    names = [_spell_state(state) for state in matrix.index]
    axes = make_axes(ax, labels=wrap_labels(names), row_inches=0.24)
    _draw_cells(axes, matrix, wrap_labels(names))
    total = int(rows.loc[rows["step"] == 1, "n"].sum())
    unit = _UNITS.get(str(rows["unit_of_analysis"].iloc[0]), "") if "unit_of_analysis" in rows else ""
    axes.set_xlabel(f"Step. In each cell: percent of all {unit}".rstrip())
    title = _say_matrix(matrix, total=total, unit=unit)
    write_heading(axes, title)
    parts = [_say_step(matrix, step) for step in matrix.columns.tolist()]
    return set_alt_text(axes, f"Table of shares by step. {title}. {'; '.join(parts)}.")


def _read_steps(steps: pd.DataFrame, most_steps: int) -> pd.DataFrame:
    missing = sorted({"step", "state", "n", "share"} - set(steps.columns))
    if missing:
        raise ValueError(f"The step matrix lacks {', '.join(missing)}; expected the table of count_steps.")
    rows = steps.loc[steps["step"] <= most_steps]
    if "which" in rows:
        rows = rows.loc[rows["which"].isin(["reviewed", "all"])]
    return rows


def _arrange(rows: pd.DataFrame, most_states: int) -> pd.DataFrame:
    """Put states in rows and steps in columns, the most frequent state first, the end last."""
    wide = rows.pivot_table(index="state", columns="step", values="share", aggfunc="sum", fill_value=0.0)
    inner = wide.drop(index=_END, errors="ignore")
    order = pd.DataFrame({"top": inner.max(axis=1), "name": inner.index.astype(str)}, index=inner.index)
    ranked = inner.loc[order.sort_values(["top", "name"], ascending=[False, True]).index]
    shown = ranked.head(most_states)
    if len(ranked) > most_states:
        shown = pd.concat([shown, ranked.iloc[most_states:].sum().to_frame(_OTHERS).T])
    if _END not in wide.index:
        return shown
    goes_on = (wide.loc[_END] < 100 - 1e-9).shift(1, fill_value=True)
    return pd.concat([shown, wide.loc[[_END]]]).loc[:, goes_on]


def _draw_cells(ax: Axes, matrix: pd.DataFrame, labels: Sequence[str]) -> None:
    """Draw shades and numbers; a share that rounds to nothing is left blank, what is over unshaded."""
    shades = matrix.mask(matrix.index.to_series() == _END, 0.0).to_numpy()
    top = max(float(shades.max()), 1.0)
    blues = sns.blend_palette(["#ffffff", COLOURS["now"]], as_cmap=True)
    ax.imshow(shades, cmap=blues, vmin=0, vmax=top, aspect="auto", zorder=1)
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    for row, (state, shares) in enumerate(zip(matrix.index, matrix.to_numpy(), strict=True)):
        for column, share in enumerate(shares):
            if share >= 0.05:
                shaded = "white" if shades[row, column] > 0.6 * top else INK
                ax.text(
                    column,
                    row,
                    _write_share(share),
                    ha="center",
                    va="center",
                    fontsize=SMALL_POINTS,
                    color=QUIET if state == _END else shaded,
                )
    if _END in matrix.index:
        ax.axhline(len(matrix) - 1.5, color=HAIRLINE, linewidth=1.0, zorder=2)
    ax.set_xticks(range(matrix.shape[1]), [str(step) for step in matrix.columns], fontsize=SMALL_POINTS)
    ax.tick_params(axis="x", labelcolor=QUIET)
    ax.set_yticks(range(len(labels)), labels, fontsize=TEXT_POINTS, color=INK)
    ax.set_ylim(len(labels) - 0.5, -0.5)


def _write_share(share: float) -> str:
    """Write one decimal only where it tells something: below 10, and just below 100."""
    return f"{share:.1f}" if share < 9.95 or 99 < share < 99.95 else f"{share:.0f}"


def _say_matrix(matrix: pd.DataFrame, *, total: int, unit: str) -> str:
    """Make the title from the commonest start and the first step before which half are over."""
    first = matrix.loc[[state for state in matrix.index if state not in (_END, _OTHERS)], matrix.columns[0]]
    start = f"{format_value(float(first.max()), kind='share')} start with {_spell_state(first.idxmax())}"
    who = f"Of {total:,} {unit}".rstrip()
    if _END not in matrix.index:
        return f"{who}, {start}"
    over = dict(zip(matrix.columns.tolist(), matrix.loc[[_END]].to_numpy()[0].tolist(), strict=True))
    step = next((step for step, share in over.items() if share >= 50), list(over)[-1])
    return f"{who}, {start}; {format_value(over[step], kind='share')} are over before step {step}"


def _say_step(matrix: pd.DataFrame, step: Any) -> str:
    shares = [(state, float(matrix.loc[state, step])) for state in matrix.index]
    said = [
        f"{_spell_state(state)} {format_value(share, kind='share')}" for state, share in shares if share > 0
    ]
    return f"step {step}: {', '.join(said)}"


def _spell_state(state: object) -> str:
    return {_END: "over", "(unmapped)": "unmapped"}.get(str(state), spell_name(state))
