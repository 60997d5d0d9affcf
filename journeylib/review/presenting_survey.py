"""What a chapter shows of expectations and of response style: tables as text, and sentences."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from journeylib.review.metrics import METRICS
from journeylib.review.presenting import hide_small_bases
from journeylib.review.wording import say_difference, say_name, say_unit

__all__ = ["present_adjusted", "present_gaps", "present_styles", "say_styles"]

# Per index: its column, that of its distance from the others, and how it is said in a sentence.
_INDICES = {
    "acquiescence_index": (
        "Agrees less disagrees",
        "Agreeing, against others",
        "agree {} with whatever is said",
    ),
    "extreme_index": ("At the ends", "Ends, against others", "keep {} to the ends of the scale"),
    "midpoint_index": ("In the middle", "Middle, against others", "keep {} to the middle of the scale"),
}


def present_gaps(
    gaps: pd.DataFrame, moved: pd.DataFrame | None = None, *, minimum_base: int = 10
) -> pd.DataFrame | None:
    """Return what was found against what was expected, as text: one row a place, the widest shortfall first.

    Parameters
    ----------
    gaps : DataFrame
        Of `measure_expectation_gap`.
    moved : DataFrame or None
        Of `split_gap_change`: the change of each gap and what it comes from.
    minimum_base : int
        Respondents below which numbers are hidden, and a change whose earlier base was so small.

    Returns
    -------
    DataFrame or None
        Touchpoint, Found less expected with its interval, Found, Expected, n, Gap in standard deviations, and
        the change with its two parts; None where the survey asked for no expectations.
    """
    shown = hide_small_bases(gaps[gaps["which"].eq("reviewed")], minimum_base=minimum_base)
    places = shown[shown["metric"].eq("expectation_gap")].sort_values(["value", "touchpoint"])
    keys, rows = ["stage", "touchpoint", "segment"], []
    for _, row in places.iterrows():
        own = shown[(shown[keys] == row[keys]).all(axis=1)].set_index("metric")["value"]
        hidden = pd.isna(row["value"])
        cells = {
            "Touchpoint": say_name(row["touchpoint"] or row["stage"]),
            "Found less expected": f"fewer than {minimum_base}" if hidden else say_points(row["value"]),
            "95 % interval": "" if hidden else f"{say_points(row['low'])} to {say_points(row['high'])}",
            "Found": say_unit(own["perception_mean"], "points"),
            "Expected": say_unit(own["expectation_mean"], "points"),
            "n": "" if hidden else f"{int(row['n']):,}" + (" (low base)" if row["n"] < 30 else ""),
            "In standard deviations": "" if hidden else say_points(row["dz"]),
        }
        if moved is not None and len(moved):
            cells |= _say_move(moved[(moved[keys] == row[keys]).all(axis=1)], hidden, minimum_base)
        rows.append(cells)
    return pd.DataFrame(rows).set_index("Touchpoint") if rows else None


def say_points(value: float) -> str:
    """Return scale points with their sign."""
    return say_unit(value, "points", signed=True)


def _say_move(move: pd.DataFrame, hidden: bool, minimum_base: int) -> dict[str, str]:
    """Return the cells on the change of one gap."""
    names = {
        "Change": "change",
        "From what was found": "from_perception",
        "From what was expected": "from_expectation",
    }
    if hidden or move.empty or move["n_before"].iloc[0] < minimum_base:
        return dict.fromkeys(names, "–")
    row = move.iloc[0]
    cells = {name: say_points(row[column]) for name, column in names.items()}
    ends = f"{say_points(row['change_low'])} to {say_points(row['change_high'])}"
    return cells | {"Change": f"{cells['Change']} ({ends})"}


def present_styles(styles: Sequence[pd.DataFrame], *, minimum_base: int = 10) -> pd.DataFrame | None:
    """Return how each group ticks whatever is asked, as text: one row a group, in the order of names.

    Parameters
    ----------
    styles : sequence of DataFrame
        Each of `measure_response_style`: one segment column.
    minimum_base : int
        Respondents below which a group is hidden.

    Returns
    -------
    DataFrame or None
        Group, n, and for each index the value (percent of the answers) and its distance from all others, with
        the interval; None where no style could be read.
    """
    rows = []
    for style in styles:
        now = style[style["which"].eq("reviewed") & style["segment"].ne("")]
        shown = hide_small_bases(now, minimum_base=minimum_base)
        for segment, group in shown.groupby("segment", sort=True):
            cells = {"Group": say_name(str(segment)).replace("=", ": ", 1)}
            base = int(now.loc[now["segment"].eq(segment), "n"].max())
            hidden = bool(group["value"].isna().all())
            cells["n"] = f"fewer than {minimum_base}" if hidden else f"{base:,}"
            cells["n"] += " (low base)" if minimum_base <= base < 30 else ""
            for metric, titles in _INDICES.items():
                cells |= dict(zip(titles, _say_index(group[group["metric"].eq(metric)]), strict=False))
            rows.append(cells)
    return pd.DataFrame(rows).set_index("Group") if rows else None


def _say_index(row: pd.DataFrame) -> tuple[str, str]:
    """Return one index of one group, and how far it lies from the others'."""
    if row.empty or pd.isna(row["value"].iloc[0]):
        return "–", "–"
    one = row.iloc[0]
    apart, low, high = (
        say_difference(one[name], "percent") for name in ("difference", "difference_low", "difference_high")
    )
    value = say_unit(one["value"], "percent")
    return (value, f"{apart} ({low} to {high})") if pd.notna(one["difference"]) else (value, "–")


def say_styles(styles: Sequence[pd.DataFrame]) -> str | None:
    """Say in plain sentences which groups answer in a style of their own.

    Parameters
    ----------
    styles : sequence of DataFrame
        Each of `measure_response_style`: one segment column.

    Returns
    -------
    str or None
        Markdown: a sentence a group and index that lies apart from the others, interval and all; a sentence
        where none does; None where no style could be read.
    """
    tables = [style for style in styles if len(style)]
    if not tables:
        return None
    now = pd.concat(tables, ignore_index=True)
    now = now[now["which"].eq("reviewed") & now["differs"]].sort_values(["segment", "metric"])
    lines = []
    for _, row in now.iterrows():
        more = "less" if row["difference"] < 0 else "more"
        words = _INDICES[row["metric"]][2].format(f"{more} than all others")
        low, high = (say_difference(row[name], "percent") for name in ("difference_low", "difference_high"))
        group = say_name(row["segment"]).replace("=", " ", 1)
        lines.append(
            f"- **{group}**: respondents {words}, by {abs(row['difference']):.1f} percentage points (95 % "
            f"interval of the difference {low} to {high}, n {int(row['n']):,}). Raw scores of this group "
            "can't be compared with those of others."
        )
    return "\n".join(lines) or "- No group answers in a style of its own that we can tell from noise."


def present_adjusted(adjusted: Sequence[pd.DataFrame], *, minimum_base: int = 10) -> pd.DataFrame | None:
    """Return the scores of groups raw and less their response style, side by side, in the order of names.

    Parameters
    ----------
    adjusted : sequence of DataFrame
        Each of `adjust_for_style`: one segment column.
    minimum_base : int
        Respondents below which a group is hidden.

    Returns
    -------
    DataFrame or None
        Group, n, Raw and Less style (each with its interval), and how far each lies from all others; None
        where no style could be read.
    """
    rows = []
    for table in adjusted:
        now = table[table["which"].eq("reviewed")]
        shown = hide_small_bases(now, minimum_base=minimum_base)
        for segment, group in shown.groupby("segment", sort=True):
            hidden = bool(group["value"].isna().all())
            cells = {"Group": say_name(str(segment)).replace("=", ": ", 1)}
            cells["n"] = f"fewer than {minimum_base}" if hidden else f"{int(group['n'].max()):,}"
            is_adjusted = group["metric"].str.endswith("_adjusted")
            for title, one in (("Raw", group[~is_adjusted]), ("Less style", group[is_adjusted])):
                row = one.iloc[0]
                title = f"{METRICS[row['metric'].removesuffix('_adjusted')].title}: {title.lower()}"
                cells[title] = "–" if hidden else _say_points(row, "value", "low", "high")
                apart = _say_points(row, "difference", "difference_low", "difference_high", signed=True)
                cells[f"Against others: {title.rpartition(': ')[2]}"] = "–" if hidden else apart
            rows.append(cells)
    return pd.DataFrame(rows).set_index("Group") if rows else None


def _say_points(row: pd.Series, value: str, low: str, high: str, *, signed: bool = False) -> str:
    """Return scale points with their interval."""
    words = [say_unit(row[name], "points", signed=signed) for name in (value, low, high)]
    return f"{words[0]} ({words[1]} to {words[2]})"
