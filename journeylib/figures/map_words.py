"""The words of the journey map: its title, a sentence, and all its numbers as text."""

from __future__ import annotations

import pandas as pd

from journeylib.figures.alt_text import format_value, spell_name

__all__ = ["LOW_BASE", "UNITS", "complete_map", "describe_map", "say_map"]

#: Fewer units than this are never ranked.
LOW_BASE = 30
#: What the units of analysis are called on the map.
UNITS = {"people": "customers", "sessions": "sessions", "respondents": "respondents"}
TEXTS = ["stage", "touchpoint", "channel", "owner", "unit_of_analysis", "satisfaction_by", "worst_by"]
NUMBERS = [
    "n", "base", "reach_share", "reach_low", "reach_high", "satisfaction", "satisfaction_low",
    "satisfaction_high", "satisfaction_n", "scale_min", "scale_max", "expectation", "gap", "gap_low",
    "gap_high", "gap_n", "no_further_share", "no_further_low", "no_further_high", "went_on_n",
    "went_on_share", "went_on_low", "went_on_high",
]  # fmt: skip


def complete_map(journey_map: pd.DataFrame) -> pd.DataFrame:
    """Give the table every column that the figure reads, with its type, also after a CSV.

    Parameters
    ----------
    journey_map : pandas.DataFrame
        Table of `build_journey_map`, or a part of its columns.

    Returns
    -------
    pandas.DataFrame
        The same rows. Without `is_measured`, what has any number is measured.

    Raises
    ------
    ValueError
        Where `stage` or `touchpoint` is missing.
    """
    missing = [name for name in ("stage", "touchpoint") if name not in journey_map]
    if missing:
        raise ValueError(f"The journey map lacks {', '.join(missing)}; expected stage and touchpoint.")
    table = journey_map.reset_index(drop=True)
    for name in TEXTS:
        given = table[name] if name in table else pd.Series("", index=table.index)
        table[name] = given.astype(object).where(given.notna(), "").astype("str")
    for name in NUMBERS:
        given = table[name] if name in table else pd.Series(float("nan"), index=table.index)
        table[name] = pd.to_numeric(given).astype("float64")
    known = table[["n", "reach_share", "satisfaction"]].notna().any(axis=1)
    for name, default in (("is_measured", known), ("is_worst", False), ("low_base", False)):
        given = table[name] if name in table else pd.Series(default, index=table.index)
        table[name] = given.astype("str").str.lower().eq("true")
    given = table["online"] if "online" in table else pd.Series("", index=table.index)
    table["online"] = given.astype("str").str.lower().map({"true": True, "false": False}).astype("boolean")
    return table


def say_map(places: pd.DataFrame, totals: pd.DataFrame) -> str:
    """Say in one sentence where it is worst, and where most are lost.

    Parameters
    ----------
    places, totals : pandas.DataFrame
        The touchpoints, and the totals by stage.

    Returns
    -------
    str
        The verdict with its numbers, without a full stop.
    """
    parts = []
    worst = places[places["is_worst"]]
    rated, left = (worst[worst["worst_by"] == by] for by in ("satisfaction", "no_further"))
    if len(rated):
        share = (rated["satisfaction"] - rated["scale_min"]) / (rated["scale_max"] - rated["scale_min"])
        key = share if share.notna().all() else rated["satisfaction"]
        row = rated.assign(key=key).sort_values("key", kind="stable").iloc[0]
        ends = f" on {row['scale_min']:g} to {row['scale_max']:g}" if pd.notna(row["scale_max"]) else ""
        gap = f", {abs(row['gap']):.1f} below what was expected" if row["gap"] < -0.05 else ""
        base = f"(n\u00a0{row['satisfaction_n']:,.0f})"
        score = f"{format_value(row['satisfaction'], kind='mean')}{ends}{gap} {base}"
        parts.append(f"satisfaction is lowest at {spell_name(row['touchpoint'])}: {score}")
    stages = totals[totals["went_on_share"].notna() & totals["n"].ge(LOW_BASE)]
    if len(stages):
        row = stages.sort_values("went_on_share", kind="stable").iloc[0]
        who = UNITS.get(row["unit_of_analysis"], "customers")
        told = f"{row['went_on_share']:.0f}\u00a0% of its {who} go on"
        parts.append(f"of the stages, {spell_name(row.name)} loses most: {told}")
    if len(left) and not len(rated):
        row = left.sort_values("no_further_share", kind="stable").iloc[-1]
        told, name = f"{row['no_further_share']:.0f}\u00a0%", spell_name(row["touchpoint"])
        parts.append(f"{told} of those at {name} come no further")
    if not parts:
        measured = int(places["is_measured"].sum())
        parts.append(
            f"{measured} of {len(places)} touchpoints are measured, none of them can be called the worst"
        )
    sentence = "; ".join(parts)
    return sentence[0].upper() + sentence[1:]


def describe_map(places: pd.DataFrame, totals: pd.DataFrame, *, sentence: str) -> str:
    """Say every number of the map, stage by stage.

    Parameters
    ----------
    places, totals : pandas.DataFrame
        The touchpoints, and the totals by stage.
    sentence : str
        The title.

    Returns
    -------
    str
        The text that stands in for the figure.
    """
    parts = [f"Journey map. {sentence}."]
    for stage, group in places.groupby("stage", sort=False):
        head = spell_name(stage).capitalize()
        head += "".join(_describe(row) for name, row in totals.iterrows() if name == stage)
        told = [spell_name(row["touchpoint"]) + _describe(row) for _, row in group.iterrows()]
        parts.append(f"{head}: {'; '.join(told)}.")
    return " ".join(parts)


def _describe(row: pd.Series) -> str:
    """Say the numbers of one touchpoint or stage."""
    if not row["is_measured"]:
        return ", not measured"
    words = ""
    if pd.notna(row["n"]):
        words += f", {row['n']:,.0f} {UNITS.get(row['unit_of_analysis'], 'customers')}"
        words += f" ({row['reach_share']:.0f}\u00a0%)" if pd.notna(row["reach_share"]) else ""
    if pd.notna(row["satisfaction"]):
        what = "ease" if row["satisfaction_by"] == "ces" else "satisfaction"
        words += f", {what} {row['satisfaction']:.2f} (n {row['satisfaction_n']:,.0f})"
    if pd.notna(row["expectation"]):
        words += f", expected {row['expectation']:.2f}"
    if pd.notna(row["no_further_share"]):
        words += f", {row['no_further_share']:.0f}\u00a0% came no further"
    if pd.notna(row["went_on_share"]):
        words += f", {row['went_on_share']:.0f}\u00a0% went on"
    words = words or ", base too small to show"
    return (
        words
        + (", low base" if row["low_base"] else "")
        + (", the worst of its stage" if row["is_worst"] else "")
    )
