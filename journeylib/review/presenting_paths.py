"""What the chapter on paths shows, as text: sequences, order, loops and the test of order."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from journeylib.review.metrics import METRICS
from journeylib.review.presenting import hide_small_bases
from journeylib.review.wording import say_difference, say_name, say_unit

__all__ = ["fold_small_cells", "present_order", "present_patterns", "present_returns", "say_chain"]


def fold_small_cells(matrix: pd.DataFrame, *, minimum_base: int = 10) -> pd.DataFrame:
    """Return a step matrix whose cells on small bases are one cell a step, so that no unit is lost.

    Parameters
    ----------
    matrix : DataFrame
        Of `count_steps`.
    minimum_base : int
        Units below which a cell is folded.

    Returns
    -------
    DataFrame
        The same columns; the state of folded cells is `all others`, which has no row where it is too small
        itself.
    """
    small = matrix["n"] < minimum_base
    keys = [name for name in ("which", "step", "unit_of_analysis") if name in matrix]
    folded = matrix[small].groupby(keys, as_index=False)[["n", "share"]].sum().assign(state="all others")
    whole = pd.concat([matrix[~small], folded[folded["n"] >= minimum_base]], ignore_index=True)
    return whole.sort_values("step", kind="stable", ignore_index=True)[list(matrix.columns)]


def present_patterns(
    patterns: pd.DataFrame, *, without: Sequence[str] = (), most: int = 10, minimum_base: int = 10
) -> pd.DataFrame | None:
    """Return the sequences that go with converting, or with not converting, as text.

    Parameters
    ----------
    patterns : DataFrame
        Of `find_patterns`.
    without : sequence of str
        States that are left out, such as a funnel's own steps, which go with converting by definition.
    most : int
        Rows at the most, the largest differences first; sequences of two steps and more.
    minimum_base : int
        Units that hold a sequence below which it is not shown.

    Returns
    -------
    DataFrame or None
        In this order, In, Of those who converted, Of the others, Difference in points; None where
        no sequence can be told from noise.
    """
    told = (patterns["goes_with"] != "") & (patterns["length"] > 1) & (patterns["n"] >= minimum_base)
    own = [bool(set(pattern) & set(without)) for pattern in patterns["pattern"]]
    sure = patterns[told & ~pd.Series(own, patterns.index, dtype=bool)]
    ranked = sure.sort_values("difference", key=lambda column: -column.abs(), kind="stable").head(most)
    rows = []
    for row in ranked.to_dict("records"):
        low, high = (say_difference(row[f"difference_{end}"], "percent") for end in ("low", "high"))
        rows.append(
            {
                "In this order": " → ".join(map(say_name, row["pattern"])),
                "Found in": f"{row['n']:,}\u00a0{row['unit_of_analysis']}",
                "Of those who converted": say_unit(row["share_converted"], "percent"),
                "Of the others": say_unit(row["share_other"], "percent"),
                "Difference, points": f"{say_difference(row['difference'], 'percent')} ({low} to {high})",
            }
        )
    return pd.DataFrame(rows).set_index("In this order") if rows else None


def present_order(order: pd.DataFrame, *, minimum_base: int = 10) -> pd.DataFrame | None:
    """Return how far journeys keep to the expected order, beside what random order would give, as text.

    Parameters
    ----------
    order : DataFrame
        Of `measure_stage_order`.
    minimum_base : int
        Units below which a number is hidden.

    Returns
    -------
    DataFrame or None
        What, Now, 95 % interval, In random order, Before; None where nothing has an order.
    """
    shown = hide_small_bases(order, minimum_base=minimum_base)
    now = shown[(shown["which"] == "reviewed") & shown["value"].notna()]
    before = shown[shown["which"] == "previous"].set_index("metric")["value"]
    rows = [
        {
            "What": METRICS[row["metric"]].title,
            "Now": say_unit(row["value"], METRICS[row["metric"]].unit),
            "95 % interval": " to ".join(
                say_unit(row[end], METRICS[row["metric"]].unit) for end in ("low", "high")
            ),
            "In random order": say_unit(row["random_value"], METRICS[row["metric"]].unit),
            "Before": say_unit(before.get(row["metric"]), METRICS[row["metric"]].unit),
        }
        for row in now.to_dict("records")
    ]
    return pd.DataFrame(rows).set_index("What") if rows else None


def present_returns(loops: pd.DataFrame, *, most: int = 6, minimum_base: int = 10) -> pd.DataFrame | None:
    """Return at which touchpoints sessions go round in circles, as text, the most repeats and returns first.

    Parameters
    ----------
    loops : DataFrame
        Of `count_loops`.
    most : int
        Rows at the most.
    minimum_base : int
        Sessions below which a touchpoint is not shown.

    Returns
    -------
    DataFrame or None
        Touchpoint, Sessions with it, Again at once, Came back after something else; None without a loop.
    """
    found = loops[(loops["units"] >= minimum_base) & (loops["repeats"] + loops["returns"] >= minimum_base)]
    ranked = found.assign(again=found["repeats"] + found["returns"])
    ranked = ranked.sort_values(["again", "state"], ascending=[False, True]).head(most)
    rows = [
        {
            "Touchpoint": say_name(row["state"]),
            "Sessions with it": f"{row['units']:,}",
            "Again at once, times": f"{row['repeats']:,}",
            "Again later, times": f"{row['returns']:,}",
            "Sessions that came back to it": f"fewer than {minimum_base}"
            if 0 < row["units_returning"] < minimum_base
            else say_unit(row["return_share"], "percent"),
        }
        for row in ranked.to_dict("records")
    ]
    return pd.DataFrame(rows).set_index("Touchpoint") if rows else None


def say_chain(chain: pd.DataFrame) -> str | None:
    """Return in words whether the next step depends on more than the present one.

    Parameters
    ----------
    chain : DataFrame
        Of `compare_chain_orders`.

    Returns
    -------
    str or None
        One or two sentences; None where nothing could be tested.
    """
    now = chain[chain["which"].isin(["reviewed", "all"]) & chain["p_value"].notna()]
    if now.empty:
        return None
    row = now.iloc[0]
    chance = "less than 0.001" if row["p_value"] < 0.001 else f"{row['p_value']:.3f}"
    rough = " Many steps are rare, so that this p is rough." if row["sparse_share"] > 20 else ""
    first = "**What comes next depends on more than where somebody is: also on where they came from.** "
    if row["verdict"] != "first order is not enough":
        first = (
            "**What comes next depends on where somebody is; that it also depends on where they came from "
        )
        first += "can't be told from noise.** "
    return (
        f"{first}Test of the second order against the first: p {chance}, on {row['n']:,} steps; knowing the "
        f"step before narrows the next down by {row['gain_bits']:.2f} bits.{rough}"
    )
