"""The worst place of each stage of a journey map, by one written rule, and the bases that are too small."""

from __future__ import annotations

import pandas as pd

__all__ = ["WORST_RULE", "hide_map_bases", "mark_worst"]

LOW_BASE, LEAST_LOST = 30, 10.0
#: The rule in the words of the report.
WORST_RULE = (
    "The worst place of a stage is the touchpoint with the lowest satisfaction, where at least two of the "
    "stage have 30 answers or more on the same scale. Else it is the one after which the largest share came "
    "to no later stage, where at least two were met by 30 or more and that share is 10 % or more; the "
    "touchpoint of the sale is left out, since leaving after it is no loss. The worst has the lowest number; "
    "that is no proof that it differs from the next."
)
HIDDEN = {
    "n": ["n", "reach_share", "reach_low", "reach_high", "no_further_share", "no_further_low",
          "no_further_high", "went_on_n", "went_on_share", "went_on_low", "went_on_high"],
    "satisfaction_n": ["satisfaction", "satisfaction_low", "satisfaction_high", "satisfaction_n"],
    "gap_n": ["expectation", "gap", "gap_low", "gap_high", "gap_n"],
}  # fmt: skip


def hide_map_bases(journey_map: pd.DataFrame, *, minimum_base: int) -> pd.DataFrame:
    """Hide the numbers of a map that stand on too few units.

    Parameters
    ----------
    journey_map : DataFrame
        One row is one touchpoint or one stage.
    minimum_base : int
        Units below which a number is hidden; a count of 0 is shown.

    Returns
    -------
    DataFrame
        Same rows; hidden numbers are missing, `low_base` marks rows with a shown base under 30.
    """
    shown = journey_map.copy()
    for base, names in HIDDEN.items():
        shown[names] = shown[names].astype("float64")
        small = shown[base].gt(0) & shown[base].lt(minimum_base)
        shown[names] = shown[names].mask(small)
    bases = shown[["n", "satisfaction_n"]]
    return shown.assign(low_base=(bases.gt(0) & bases.lt(LOW_BASE)).any(axis=1))


def mark_worst(journey_map: pd.DataFrame) -> pd.DataFrame:
    """Mark the worst place of each stage, as `WORST_RULE` says.

    Parameters
    ----------
    journey_map : DataFrame
        One row is one touchpoint or one stage, in the order of the journey.

    Returns
    -------
    DataFrame
        Same rows with `is_worst` and `worst_by` (satisfaction, no_further or empty); at most one a stage,
        none where there is nothing to compare it with.
    """
    worst: dict[object, str] = {}
    for _, group in journey_map[journey_map["touchpoint"] != ""].groupby("stage", sort=False):
        row, by = _find_worst(group)
        worst |= {row: by} if by else {}
    by_row = [worst.get(row, "") for row in journey_map.index]
    marked = journey_map.assign(worst_by=pd.Series(by_row, journey_map.index, dtype="str"))
    return marked.assign(is_worst=marked["worst_by"] != "")[list(journey_map)]


def _find_worst(group: pd.DataFrame) -> tuple[object, str]:
    judged = group[group["satisfaction"].notna() & group["satisfaction_n"].ge(LOW_BASE)]
    if judged["satisfaction_by"].ne("ces").any():
        judged = judged[judged["satisfaction_by"] != "ces"]
    one_scale = len(judged[["scale_min", "scale_max", "satisfaction_by"]].drop_duplicates()) == 1
    if len(judged) >= 2 and one_scale:
        return judged.sort_values(["satisfaction", "touchpoint"]).index[0], "satisfaction"
    left = group[group["no_further_share"].notna() & group["n"].ge(LOW_BASE)]
    if len(left) >= 2 and left["no_further_share"].max() >= LEAST_LOST:
        ordered = left.sort_values(["no_further_share", "touchpoint"], ascending=[False, True])
        return ordered.index[0], "no_further"
    return None, ""
