"""The places of a journey map: which touchpoints there are, and the order of stages and touchpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.journey.frames import Events
from journeylib.journey.places import list_places

__all__ = ["STAGE_ORDER", "find_goal", "list_map_places", "place_answers"]

PLACE = ["stage", "touchpoint"]
FACTS = ["channel", "online", "owner", "expected_order"]
#: Where the touchpoints' own table gives no order: the journey, and the parts of what follows a purchase.
STAGE_ORDER = (
    "awareness",
    "consideration",
    "decision",
    "purchase",
    "post-purchase",
    "onboarding",
    "use",
    "support",
    "loyalty",
    "advocacy",
)
TRUTH = {"yes": True, "true": True, "1": True, "1.0": True, "no": False, "false": False, "0": False}
TRUTH |= {"0.0": False}


def list_map_places(
    events: Events | None,
    answers: pd.DataFrame | None,
    touchpoints: pd.DataFrame | Sequence[Mapping[str, Any]] | None,
) -> pd.DataFrame:
    """List the touchpoints of a map, in the order of the journey.

    Parameters
    ----------
    events : as for `assign_touchpoints`, or None
        One row is one event, with touchpoint and stage.
    answers : DataFrame or None
        One row is one answer, with touchpoint and stage where its question has them.
    touchpoints : DataFrame, sequence of mapping, or None
        The team's own table; its touchpoints come first, others that events or answers name follow.

    Returns
    -------
    DataFrame
        One row is one touchpoint: stage, touchpoint, channel, online, owner, expected_order (missing values
        as such, texts empty), and has_events. Stages come in the order of their first expected_order where
        each stage has one, else in that of `STAGE_ORDER`, others last by name; touchpoints within a stage by
        expected_order, then as the table lists them, then by name.
    """
    listed = _read_listed(touchpoints)
    met = pd.DataFrame(columns=PLACE) if events is None else list_places(events)
    asked = pd.DataFrame(columns=PLACE)
    if answers is not None:
        asked = place_answers(answers, listed)[PLACE].astype("str").drop_duplicates().sort_values(PLACE)
        asked = asked[(asked != "").all(axis=1)]
    places = pd.concat([listed, met, asked], ignore_index=True)
    places = places.reindex(columns=[*PLACE, *FACTS])
    places = places.drop_duplicates(PLACE, ignore_index=True)
    keys = places[PLACE].astype("str").agg("\t".join, axis=1) if len(places) else pd.Series(dtype="str")
    has_events = keys.isin(met[PLACE].astype("str").agg("\t".join, axis=1)) if len(met) else False
    for name in ("channel", "owner"):
        places[name] = places[name].astype(object).where(places[name].notna(), "").astype("str")
    places["online"] = places["online"].map(_read_truth).astype("boolean")
    places["expected_order"] = pd.to_numeric(places["expected_order"], errors="coerce").astype("float64")
    return _sort_places(places.assign(has_events=has_events))


def find_goal(places: pd.DataFrame) -> tuple[str, str]:
    """Find the touchpoint at which the sale is made; leaving after it is no loss.

    Parameters
    ----------
    places : DataFrame
        One row is one touchpoint, from `list_map_places`.

    Returns
    -------
    tuple of str
        Stage and touchpoint: the last one with events of the stage `purchase` or `decision`, else of the last
        stage but one; empty texts where there is none.
    """
    met = places[places["has_events"].astype(bool)]
    stages = list(dict.fromkeys(places["stage"]))
    sale = [stage for stage in ("purchase", "decision") if stage in stages] or stages[-2:-1]
    inside = met[met["stage"].isin(sale[:1])]
    return (str(inside["stage"].iloc[-1]), str(inside["touchpoint"].iloc[-1])) if len(inside) else ("", "")


def place_answers(answers: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Give the answers about a touchpoint the stage in which the touchpoint is listed.

    Parameters
    ----------
    answers : DataFrame
        One row is one answer.
    places : DataFrame
        One row is one touchpoint: stage and touchpoint.

    Returns
    -------
    DataFrame
        The same rows; touchpoint and stage are text, empty where there is none. A touchpoint that is listed
        in several stages keeps the stage of its answers.
    """
    placed = answers.copy()
    for name in PLACE:
        given = placed[name] if name in placed else pd.Series("", index=placed.index)
        placed[name] = given.astype(object).where(given.notna(), "").astype("str")
    once = places[places["touchpoint"].ne("") & ~places["touchpoint"].duplicated(keep=False)]
    stage = placed["touchpoint"].map(once.set_index("touchpoint")["stage"])
    placed["stage"] = stage.where(stage.notna(), placed["stage"]).astype("str")
    return placed


def _read_listed(touchpoints: pd.DataFrame | Sequence[Mapping[str, Any]] | None) -> pd.DataFrame:
    """Read the team's table: one row a touchpoint, though it may have several patterns."""
    if touchpoints is None or not len(touchpoints):
        return pd.DataFrame(columns=[*PLACE, *FACTS])
    table = pd.DataFrame(touchpoints)
    missing = [name for name in PLACE if name not in table]
    if missing:
        raise ArgumentError(f"touchpoints lack the column(s) {', '.join(missing)}")
    for name in PLACE:
        table[name] = table[name].astype(object).where(table[name].notna(), "").astype("str").str.strip()
    table = table[(table[PLACE] != "").all(axis=1)].reindex(columns=[*PLACE, *FACTS])
    table = table.astype(object).where(table.notna() & (table != ""), None)
    return table.groupby(PLACE, sort=False, as_index=False).first()


def _read_truth(value: Any) -> Any:
    return None if value is None or pd.isna(value) else TRUTH.get(str(value).strip().lower())


def _sort_places(places: pd.DataFrame) -> pd.DataFrame:
    first = places.groupby("stage")["expected_order"].min()
    known = {stage: number for number, stage in enumerate(STAGE_ORDER)}
    ranks = first if first.notna().all() else first.index.to_series().map(known)
    keyed = places.assign(
        rank=places["stage"].map(ranks).fillna(np.inf).astype("float64"),
        known=places["stage"].map(known).fillna(len(known)),
        row=range(len(places)),
    )
    keyed = keyed.sort_values(["rank", "known", "stage", "expected_order", "row"], kind="stable")
    return keyed.drop(columns=["rank", "known", "row"]).reset_index(drop=True)
