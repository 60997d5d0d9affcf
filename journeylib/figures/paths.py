"""Ways through: the largest flows between touchpoints, and what became of the rows that came in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from journeylib.figures.alt_text import format_value, set_alt_text, spell_name, write_nothing_to_show
from journeylib.figures.saving import keep_numbers
from journeylib.figures.scores import write_column
from journeylib.figures.theme import COLOURS, INK, TEXT_POINTS, make_axes, wrap_labels, write_heading

__all__ = ["plot_transitions", "plot_waterfall"]

_CAME, _USED = "rows in", "used"


def plot_transitions(transitions: pd.DataFrame, *, most: int = 12, ax: Axes | None = None) -> Axes:
    r"""Draw the largest flows from one touchpoint to the next as bars.

    Parameters
    ----------
    transitions : pandas.DataFrame
        Table of `count_transitions`: one row is one pair, `from`, `to`, `n`, how often the second came right
        after the first, and `share`, percent of all that leave `from` (without it, of the rows given). Where
        `which` is there, the reviewed period (or `all`) is drawn.
    most : int, default 12
        How many flows to draw, the largest first; how many others there are is said.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib.axes.Axes
        One bar a flow; ties are settled by name, so row order does not matter. At the right: count, and
        its share of all that followed the same touchpoint, in percent.

    Raises
    ------
    ValueError
        Where the columns of the pair are missing, or `most` is below 1.

    Examples
    --------
    >>> flows = pd.DataFrame({"from": ["search", "search"], "to": ["product", "exit"], "n": [90, 10]})
    >>> plot_transitions(flows).get_title(loc="left")
    'The largest flow runs from search to product: 90 times, 90.0\xa0% of what follows search'
    """
    if most < 1:
        raise ValueError(f"most={most}: expected a number of flows, 1 or more.")
    flows = _rank_flows(transitions)
    if flows.empty:
        return write_nothing_to_show(ax, "No flows to show: the table of transitions is empty.")
    shown = flows.head(most)
    axes = make_axes(ax, labels=wrap_labels(shown["start"] + " \u2192 " + shown["end"], width=38))
    axes.barh(range(len(shown)), shown["n"], height=0.55, color=COLOURS["now"], zorder=2)
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_xlabel("How often the second follows the first, and its share of all that follow the first")
    counts = zip(shown["n"], shown["share"], strict=True)
    words = [f"{n:,.0f}   {format_value(share, kind='share')}" for n, share in counts]
    write_column(axes, words)
    top = shown.iloc[0]
    title = (
        f"The largest flow runs from {top['start']} to {top['end']}: {top['n']:,.0f} times, "
        f"{format_value(top['share'], kind='share')} of what follows {top['start']}"
    )
    write_heading(axes, title)
    rest = len(flows) - len(shown)
    others = f" {rest} smaller {'flow is' if rest == 1 else 'flows are'} not drawn." if rest else ""
    names = zip(shown["start"], shown["end"], words, strict=True)
    parts = [f"{start} to {end} {text} of what follows" for start, end, text in names]
    keep_numbers(axes, transitions)
    return set_alt_text(axes, f"Bars of the largest flows. {title}. {'; '.join(parts)}.{others}")


def plot_waterfall(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    r"""Draw how many rows came in, how many each rule set aside, and how many were used.

    Parameters
    ----------
    rows : pandas.DataFrame
        The trusted tables' waterfall, `step` (`rows in`, `set aside`, `left out`, `used`), `rule` and `rows`;
        several sources are summed. Row order does not matter.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib.axes.Axes
        First what came in, then a hatched bar a rule, the most frequent first, each beginning where the one
        above ends, last what was used.

    Raises
    ------
    ValueError
        Where a column is missing, or rows in are not rows set aside or left out plus rows used.

    Examples
    --------
    >>> rows = pd.DataFrame({"step": ["rows in", "set aside", "used"], "rule": ["", "bad_date", ""],
    ...     "rows": [200, 3, 197]})
    >>> plot_waterfall(rows).get_title(loc="left")
    'Of 200 rows, 197 are used (98.5\xa0%) and 3 are not, most for: bad date'
    """
    if rows.empty:
        return write_nothing_to_show(ax, "No rows to show: nothing was read.")
    names, counts = _read_waterfall(rows)
    came, used, aside = counts[0], counts[-1], counts[1:-1]
    axes = make_axes(ax, labels=wrap_labels(names))
    colours = [COLOURS["before"], COLOURS["now"]]
    axes.barh([0, len(names) - 1], [came, used], height=0.55, color=colours, zorder=2)
    hatched: dict[str, Any] = {"color": "white", "edgecolor": COLOURS["lost"], "hatch": "////"}
    left = came
    for position, count in enumerate(aside, start=1):
        left -= count
        axes.barh(position, count, left=left, height=0.55, zorder=2, **hatched)
    _label_counts(axes, counts, came=came)
    axes.set_xlim(0, max(came, 1) * 1.22)
    axes.grid(visible=False)
    axes.set_xticks([])
    title = _say_waterfall(names, counts)
    write_heading(axes, title)
    parts = [f"{name} {count:,.0f}" for name, count in zip(names, counts, strict=True)]
    keep_numbers(axes, rows)
    return set_alt_text(axes, f"Waterfall of rows. {title}. {'; '.join(parts)}.")


def _rank_flows(transitions: pd.DataFrame) -> pd.DataFrame:
    """Bring the flows into the order start, end, n, share; the largest first."""
    missing = sorted({"from", "to", "n"} - set(transitions.columns))
    if missing:
        raise ValueError(f"The table of transitions lacks {', '.join(missing)}; expected from, to and n.")
    flows = transitions.dropna(subset=["from", "to", "n"])
    if "which" in flows:
        flows = flows.loc[flows["which"].isin(["reviewed", "all"])]
    count = flows["n"].astype("float64")
    share = (
        flows["share"] if "share" in flows else 100 * count / count.groupby(flows["from"]).transform("sum")
    )
    start, end = flows["from"].map(spell_name), flows["to"].map(spell_name)
    ranked = pd.DataFrame({"start": start, "end": end, "n": count, "share": share.astype("float64")})
    return ranked.sort_values(["n", "start", "end"], ascending=[False, True, True], ignore_index=True)


def _read_waterfall(rows: pd.DataFrame) -> tuple[list[str], list[int]]:
    """Read names and counts, rules by frequency, and refuse rows that do not add up."""
    missing = sorted({"step", "rule", "rows"} - set(rows.columns))
    if missing:
        raise ValueError(f"The waterfall lacks {', '.join(missing)}; expected step, rule and rows.")
    counts = rows.groupby("step")["rows"].sum()
    came, used = int(counts.get(_CAME, 0)), int(counts.get(_USED, 0))
    aside = rows.loc[~rows["step"].isin([_CAME, _USED]) & (rows["rows"] > 0)]
    rules = pd.DataFrame(aside.groupby(["rule", "step"])["rows"].sum().reset_index())
    rules = rules.sort_values(["rows", "rule"], ascending=[False, True], kind="stable")
    if came != int(rules["rows"].sum()) + used:
        raise ValueError(
            f"The waterfall does not add up: {came:,} rows in, {rules['rows'].sum():,} not used, "
            f"{used:,} used; expected in = set aside + left out + used."
        )
    pairs = zip(rules["rule"].map(spell_name), rules["step"], strict=True)
    names = [rule if step == "set aside" else f"{rule}, {step}" for rule, step in pairs]
    return ["rows in", *names, "rows used"], [came, *(int(count) for count in rules["rows"]), used]


def _label_counts(ax: Axes, counts: Sequence[int], *, came: int) -> None:
    """Write each count, and its share of the rows that came in, behind its bar."""
    end = came
    for position, count in enumerate(counts):
        end = count if position in (0, len(counts) - 1) else end
        percent = 100 * count / max(came, 1)
        small = "under 0.1\u00a0%" if 0 < percent < 0.1 else format_value(percent, kind="share")
        share = f"   {small}" if position and came else ""
        left = end + max(came, 1) * 0.012
        ax.text(left, position, f"{count:,}{share}", va="center", fontsize=TEXT_POINTS, color=INK)
        end -= count if 0 < position < len(counts) - 1 else 0


def _say_waterfall(names: Sequence[str], counts: Sequence[int]) -> str:
    """Make the title from what came in, what was used, and the rule that set most aside."""
    came, used, aside = counts[0], counts[-1], list(counts[1:-1])
    if not came:
        return "No rows came in"
    if not sum(aside):
        return f"All {came:,} rows are used"
    worst = names[1 + aside.index(max(aside))]
    share = format_value(100 * used / came, kind="share")
    return f"Of {came:,} rows, {used:,} are used ({share}) and {sum(aside):,} are not, most for: {worst}"
