"""What the chapters on behaviour show, as text: sessions, touchpoints, who is lost."""

from __future__ import annotations

import pandas as pd

from journeylib.review.metrics import METRICS
from journeylib.review.presenting import hide_small_bases
from journeylib.review.wording import say_difference, say_name, say_step, say_unit

__all__ = [
    "present_lost",
    "present_reasons",
    "present_session_gaps",
    "present_touchpoints",
]

_CERTAIN = ("associated with more drop-off", "associated with less drop-off")


def present_session_gaps(counts: pd.DataFrame) -> pd.DataFrame | None:
    """Return how many sessions there are by the gap that parts them, as text.

    Parameters
    ----------
    counts : DataFrame
        Of `count_sessions`.

    Returns
    -------
    DataFrame or None
        Silence that ends a session, Sessions, Events a session, Sessions of one event; None where the gap
        makes no difference, because the export names its sessions.
    """
    if counts["sessions"].nunique() < 2:
        return None
    rows = [
        {
            "Silence that ends a session": f"more than {row['gap_minutes']:g} minutes",
            "Sessions": say_unit(row["sessions"], "count"),
            "Events a session": say_unit(row["events_per_session"], "points"),
            "Of one event": say_unit(row["single_event_share"], "percent"),
        }
        for row in counts.to_dict("records")
    ]
    return pd.DataFrame(rows).set_index("Silence that ends a session")


def present_touchpoints(touchpoints: pd.DataFrame, *, minimum_base: int = 10) -> pd.DataFrame | None:
    """Return who met each touchpoint and how often, as text; those that no data speak of say so.

    Parameters
    ----------
    touchpoints : DataFrame
        Of `count_touchpoints`.
    minimum_base : int
        Units reached below which numbers are hidden.

    Returns
    -------
    DataFrame or None
        Touchpoint, Stage, Met by, 95 % interval, Times each, Sessions that begin there; None without any.
    """
    met = (
        "Met by, of all people"
        if set(touchpoints["unit_of_analysis"]) == {"people"}
        else "In, of all sessions"
    )
    rows = []
    for row in touchpoints.to_dict("records"):
        stage = "" if pd.isna(row["stage"]) else say_name(row["stage"])
        cells = {"Touchpoint": say_name(row["touchpoint"]), "Stage": stage}
        if not row["is_measured"] or not row["n"] > 0:
            words = "not in this period" if row["is_measured"] else "not measured"
            rows.append(
                cells | {met: words, "95 % interval": "", "Times each": "", "Sessions begin there": ""}
            )
            continue
        hidden = row["reached"] < minimum_base
        interval = f"{say_unit(row['reach_low'], 'percent')} to {say_unit(row['reach_high'], 'percent')}"
        few = 0 < row["entries"] < minimum_base
        cells |= {
            met: f"fewer than {minimum_base}" if hidden else say_unit(row["reach"], "percent"),
            "95 % interval": "" if hidden else interval,
            "Times each": "" if hidden else f"{row['frequency']:.1f}",
            "Sessions begin there": f"fewer than {minimum_base}"
            if few
            else say_unit(row["entry_share"], "percent"),
        }
        rows.append(cells)
    return pd.DataFrame(rows).set_index("Touchpoint") if rows else None


def present_lost(lost: pd.DataFrame, *, minimum_base: int = 10, currency: str = "") -> pd.DataFrame | None:
    """Return who was lost before each step and what they would have bought, as text.

    Parameters
    ----------
    lost : DataFrame
        Of `measure_lost_value`.
    minimum_base : int
        Lost units below which numbers are hidden.
    currency : str
        Stands after the money.

    Returns
    -------
    DataFrame or None
        Lost before, How many, 95 % interval, and Value lost with its interval where orders have a value; None
        without any.
    """
    now = hide_small_bases(lost[lost["which"] == "reviewed"], minimum_base=minimum_base)
    rows = []
    for item, own in now.groupby("item", sort=False):
        funnel, _, step = str(item).partition("/")
        cells = {"Lost before": f"{say_step(step)} (funnel {say_name(funnel)})"}
        for metric, title in (("lost_count", "How many"), ("value_lost", "Value lost")):
            found = own[own["metric"] == metric]
            if found.empty:
                continue
            row, unit = found.iloc[0], METRICS[metric].unit
            hidden = pd.isna(row["value"])
            texts = [say_unit(row[name], "count") for name in ("value", "low", "high")]
            mark = f" {currency}" if unit == "money" and currency else ""
            cells[title] = f"fewer than {minimum_base}" if hidden else texts[0] + mark
            cells[f"{title}, 95 % interval"] = "" if hidden else f"{texts[1]} to {texts[2]}"
        rows.append(cells)
    return pd.DataFrame(rows).fillna("").set_index("Lost before") if rows else None


def present_reasons(reasons: pd.DataFrame, *, most: int = 8) -> pd.DataFrame | None:
    """Return what goes with dropping off, as text: what can be told from noise, the largest difference first.

    Parameters
    ----------
    reasons : DataFrame
        Of `find_drop_off_reasons`.
    most : int
        Rows at the most.

    Returns
    -------
    DataFrame or None
        Before the step, With, Lost with it, Lost without it, Difference, 95 % interval, Times the average;
        None where nothing goes with dropping off.
    """
    sure = reasons[reasons["association"].isin(_CERTAIN)]
    columns = sure["label"].astype("str").str.split("=").str[0]
    mirrored = sure.assign(column=columns, size=sure["difference"].abs().round(9))  # two labels say one thing
    mirrored = mirrored.sort_values("difference", ascending=False, kind="stable")
    sure = sure.loc[mirrored.drop_duplicates(["step", "kind", "column", "size"]).index]
    ranked = sure.sort_values("difference", key=lambda column: -column.abs(), kind="stable").head(most)
    rows = []
    for row in ranked.to_dict("records"):
        column, _, label = str(row["label"]).partition("=")
        met = row["kind"] == "met before"
        low, high = (say_difference(row[name], "percent") for name in ("low", "high"))
        rows.append(
            {
                "Before the step": say_step(str(row["step"])),
                "Those who": f"had met {say_name(label)}"
                if met
                else f"{say_name(column)}: {say_name(label)}",
                "Lost": f"{say_unit(row['drop_off_with'], 'percent')} of {row['n_with']:,.0f}",
                "Of the others": f"{say_unit(row['drop_off_without'], 'percent')} of {row['n_without']:,.0f}",
                "Difference, points": f"{say_difference(row['difference'], 'percent')} ({low} to {high})",
                "Times the average": f"{row['lift']:.2f}",
            }
        )
    return pd.DataFrame(rows).set_index("Before the step") if rows else None
