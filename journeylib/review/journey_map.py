"""The journey map as a table: who met which touchpoint, who went on, how satisfied, and the worst places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.evidence.intervals import wilson_interval
from journeylib.journey.frames import Events
from journeylib.journey.places import find_unit, measure_places
from journeylib.review.map_places import find_goal, list_map_places, place_answers
from journeylib.review.map_survey import SURVEY_COLUMNS, measure_map_survey
from journeylib.review.map_worst import hide_map_bases, mark_worst

__all__ = ["MAP_COLUMNS", "build_journey_map", "measure_journey_map"]

PLACE = ["stage", "touchpoint"]
BEHAVIOUR = {
    "reach_rate": ["reach_share", "reach_low", "reach_high", "base"],
    "no_further_rate": ["no_further_share", "no_further_low", "no_further_high"],
    "stage_conversion": ["went_on_share", "went_on_low", "went_on_high"],
}
MAP_COLUMNS = [
    *PLACE, "channel", "online", "owner", "expected_order", "is_measured", "unit_of_analysis",
    "n", "base", "reach_share", "reach_low", "reach_high", *SURVEY_COLUMNS,
    "no_further_share", "no_further_low", "no_further_high",
    "went_on_n", "went_on_share", "went_on_low", "went_on_high", "low_base", "is_worst", "worst_by",
]  # fmt: skip
TEXTS = [*PLACE, "channel", "owner", "unit_of_analysis", "satisfaction_by"]
EVER = 2**62


def build_journey_map(
    events: Events | None = None,
    *,
    answers: pd.DataFrame | None = None,
    responses: pd.DataFrame | None = None,
    touchpoints: pd.DataFrame | Sequence[Mapping[str, Any]] | None = None,
    start: int | str | pd.Timestamp | None = None,
    end: int | str | pd.Timestamp | None = None,
    minimum_base: int = 0,
) -> pd.DataFrame:
    """Build the journey map of one period: one row a touchpoint, after the total of its stage.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame, narwhals LazyFrame or None
        One row is one event, after `assign_touchpoints` (and `split_into_sessions` where no customer is
        known). None makes the map from the survey alone. Row order does not matter.
    answers : DataFrame or None
        One row is one answer, with role, touchpoint and stage; None makes the map from behaviour alone. With
        a column `which`, the reviewed ones count.
    responses : DataFrame or None
        One row is one respondent; left out, looked for in the answers.
    touchpoints : DataFrame, sequence of mapping, or None
        The team's table: stage, touchpoint and, where known, channel, online, owner, expected_order. A listed
        touchpoint without events and answers stays, as not measured. None takes those of events and answers.
    start, end : int, str, Timestamp or None
        The period of the events, [start, end): microseconds UTC, or a time that is read as UTC where it has
        no zone. None is open. The answers are taken as they are given.
    minimum_base : int
        Numbers on fewer units than this are hidden, as the review does; 0 shows all, and marks them.

    Returns
    -------
    DataFrame
        Columns `MAP_COLUMNS`. Rows with an empty touchpoint are the totals of a stage. `n` of `base` units
        (`unit_of_analysis`: people, sessions; respondents where only the survey knows the place) met it:
        `reach_share` in percent with interval. `satisfaction` in scale points with interval and respondents;
        `expectation` and `gap` (met less expected) of those who answered both. `no_further_share`: percent of
        those who met a touchpoint and met nothing of a later stage afterwards; `went_on_share`: percent of
        those in a stage who did; the former is not told of the touchpoint of the sale (`find_goal`).
        `low_base`: a base under 30. `is_worst`: see `mark_worst`; `worst_by` is satisfaction or no_further.
        Numbers that are not known are missing.

    Raises
    ------
    ValueError
        Where neither events nor answers are given, or a column is missing.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [1, 2, 3], "name": "view"})
    >>> events = events.assign(touchpoint=["page", "till", "page"], stage=["consideration", "decision", None])
    >>> build_journey_map(events)[["stage", "touchpoint", "n"]].values.tolist()[:2]
    [['consideration', '', 1.0], ['consideration', 'page', 1.0]]
    """
    if events is None and answers is None:
        raise ArgumentError("a journey map needs events, answers, or both")
    if answers is not None and "which" in answers:
        answers = answers[answers["which"] == "reviewed"]
        if responses is not None and "which" in responses:
            responses = responses[responses["which"] == "reviewed"]
    places = list_map_places(events, answers, touchpoints)
    rows = _lay_out_rows(places)
    if events is not None:
        period = (_read_time(start, -EVER), _read_time(end, EVER))
        rows = rows.merge(_read_behaviour(events, places, period), on=PLACE, how="left")
    if answers is not None:
        placed = place_answers(answers, places)
        rows = rows.merge(measure_map_survey(placed, responses), on=PLACE, how="left")
        rows = _add_respondents(rows, count=placed["response"].nunique())
    rows = rows.reindex(columns=MAP_COLUMNS)
    rows["is_measured"] = rows["n"].notna().astype(bool)
    return mark_worst(hide_map_bases(_set_types(rows[MAP_COLUMNS]), minimum_base=minimum_base))


def measure_journey_map(
    events: Events | None,
    *,
    periods: Mapping[str, tuple[int, int]],
    touchpoints: pd.DataFrame | Sequence[Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """Measure what customers did at each place of the map, in each period, for the findings.

    Parameters
    ----------
    events : as for `build_journey_map`
        One row is one event; None measures nothing.
    periods : mapping
        `reviewed`, `previous`, `year_ago` to (start, end) in microseconds UTC, [start, end).
    touchpoints : as for `build_journey_map`
        The team's table, which says in which order the stages come.

    Returns
    -------
    DataFrame
        The measure table of `measure_places`, of all touchpoints and stages that have events.
    """
    if events is None:
        return pd.DataFrame({"metric": [], "which": []})
    places = list_map_places(events, None, touchpoints)
    return _measure(events, places, periods, find_unit(events))


def _measure(
    events: Events, places: pd.DataFrame, periods: Mapping[str, tuple[int, int]], unit: str
) -> pd.DataFrame:
    """Measure the touchpoints that have events; who leaves after the sale is not counted as lost."""
    met = places[places["has_events"].astype(bool)]
    measured = measure_places(events, met, periods=periods, unit=unit)
    stage, touchpoint = find_goal(places)
    is_goal = (measured["stage"] == stage) & (measured["touchpoint"] == touchpoint)
    return measured[~(is_goal & measured["metric"].eq("no_further_rate"))].reset_index(drop=True)


def _lay_out_rows(places: pd.DataFrame) -> pd.DataFrame:
    """Put the total of each stage before its touchpoints."""
    parts = [
        part
        for stage, group in places.groupby("stage", sort=False)
        for part in (pd.DataFrame({"stage": [stage], "touchpoint": [""]}), group)
    ]
    rows = pd.concat(parts, ignore_index=True) if parts else places.copy()
    return rows.astype({"online": "boolean", "has_events": "boolean"})


def _read_behaviour(events: Events, places: pd.DataFrame, period: tuple[int, int]) -> pd.DataFrame:
    """Lay the measures of one period out as one row a place."""
    met = places[places["has_events"].astype(bool)]
    unit = find_unit(events)
    measured = _measure(events, places, {"reviewed": period}, unit)
    found = pd.concat([met[PLACE], met[["stage"]].drop_duplicates().assign(touchpoint="")])
    found = found.assign(unit_of_analysis=unit)
    for metric, names in BEHAVIOUR.items():
        one = measured.loc[measured["metric"] == metric, [*PLACE, "value", "low", "high", "n"]]
        one = one.rename(columns=dict(zip(["value", "low", "high", "n"], names, strict=False)))
        found = found.merge(one[[*PLACE, *names]], on=PLACE, how="left")
    found["n"] = (found["reach_share"] * found["base"] / 100).round()
    found["went_on_n"] = (found["went_on_share"] * found["n"] / 100).round()
    found[["n", "base"]] = found[["n", "base"]].fillna(0)
    return found


def _add_respondents(rows: pd.DataFrame, *, count: int) -> pd.DataFrame:
    """Where only the survey knows a place, take those who judged it, of all respondents."""
    added = rows.assign(**{name: rows.get(name) for name in ("unit_of_analysis", "n", "base")})
    added = added.reindex(columns=list(dict.fromkeys([*added.columns, *BEHAVIOUR["reach_rate"]])))
    only = added["n"].isna() & added["judged"].gt(0)
    judged = added.loc[only, "judged"].astype("float64")
    low, high = wilson_interval(judged.to_numpy(), max(count, 1))
    share = {"n": judged, "base": count, "reach_share": 100 * judged / max(count, 1)}
    share |= {"reach_low": 100 * low, "reach_high": 100 * high, "unit_of_analysis": "respondents"}
    told = pd.DataFrame(share, index=judged.index)
    for name in told:
        added[name] = told[name].astype(object).reindex(added.index).where(only, added[name])
    return added


def _set_types(rows: pd.DataFrame) -> pd.DataFrame:
    """Give each column the type that it has also where nothing is known."""
    typed = rows.copy()
    for name in TEXTS:
        typed[name] = typed[name].astype(object).where(typed[name].notna(), "").astype("str")
    others = {*TEXTS, "online", "is_measured", "low_base", "is_worst", "worst_by"}
    return typed.astype({name: "float64" for name in MAP_COLUMNS if name not in others})


def _read_time(value: int | str | pd.Timestamp | None, otherwise: int) -> int:
    """Read an end of the period as microseconds UTC."""
    if value is None:
        return otherwise
    if not isinstance(value, (str, pd.Timestamp)):
        return int(value)
    moment = pd.Timestamp(value)
    utc = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    return int((utc - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(microseconds=1))
