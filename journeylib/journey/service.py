"""Service: repeat contacts, repeated questions, hand-offs, first-contact resolution and waiting times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from journeylib.evidence.estimates import estimate
from journeylib.journey.contacts import link_contacts, list_hand_offs, summarise_cases
from journeylib.journey.measuring import MEASURE_COLUMNS, MISSING_LABEL
from journeylib.journey.unit_measures import UnitMeasure, measure_units

__all__ = ["count_channel_pairs", "measure_service"]

MINUTE, HOUR = 60_000_000, 3_600_000_000
_OPEN = "contacts left out: their 7 days are not over, or person or topic is missing"
_UNKNOWN = "contacts left out: person, topic or the desk's flag is missing"
_NOT_FIRST = "contacts left out: not the first on their topic, 7 days not over, or person or topic missing"


def measure_service(
    contacts: pd.DataFrame,
    *,
    periods: Mapping[str, tuple[int, int]],
    as_of: int | str | pd.Timestamp | None = None,
    by: Sequence[str] = ("channel", "topic"),
    known_from: int | str | pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Measure how often service has to be asked again, and how long it takes.

    Parameters
    ----------
    contacts : pandas.DataFrame
        Trusted table service_contacts, one row is one contact; as for `link_contacts`. Row order does not
        matter.
    periods : mapping
        `reviewed`, `previous`, `year_ago` to (start, end) in microseconds UTC, [start, end).
    as_of : int, str or Timestamp, optional
        What was known when. Default: the last time in the table.
    by : sequence of str
        Columns to break down by; a case has the labels of its first contact.
    known_from : int, str or Timestamp, optional
        Since when all contacts are in the table; see `link_contacts`.

    Returns
    -------
    pandas.DataFrame
        The measure table: one row is one metric in one segment (empty: all) and period. Of contacts opened in
        the period: `contact_count`, `repeat_contact_rate` and `repeated_question_rate` (percent),
        `first_contact_resolution_rate` (percent of first contacts), `first_response_minutes` (median). Of
        cases opened in it: `resolution_hours` (median). Of cases resolved in it: `hand_offs_per_case` (mean).
        Rows with an item such as `chat to phone`: the repeats by pair of channels, in percent of the contacts
        in the first channel, and the hand-offs per case. A metric whose column is empty has no rows.

    Raises
    ------
    ValueError
        Where a column is missing or a period does not end after it starts.

    Notes
    -----
    Contacts whose 7 days are not over at `as_of` are censored, neither resolved nor repeated; `note` counts
    them. Waiting contacts and open cases count as lasting longer than they have so far (`estimate_median`).
    Effective n by person. A median is missing where more than half wait still.

    Examples
    --------
    >>> contacts = pd.DataFrame({"contact": ["1", "2", "3"], "customer": ["a", "a", "b"], "topic": "bill",
    ...     "opened_at": [0, 5, 6], "channel": ["chat", "phone", "chat"]})
    >>> found = measure_service(contacts, periods={"reviewed": (0, 9)}, as_of="1970-01-09", by=[])
    >>> found[["metric", "item", "value", "n"]].values.tolist()[2:]
    [['first_contact_resolution_rate', '', 50.0, 2], ['repeat_contact_rate', 'chat to phone', 50.0, 2]]
    """
    linked = link_contacts(contacts, as_of=as_of, known_from=known_from)
    lines = _describe_contacts(linked)
    found = [measure_units(lines, _list_measures(linked), periods=periods, time="opened_at", by=by)]
    found += _measure_repeat_pairs(lines, periods)
    if linked["resolved_at"].notna().any():
        cases = summarise_cases(linked).rename(columns={"customer": "person"})
        found += _measure_cases(cases, linked, periods, [column for column in by if column in cases])
    kept = [table for table in found if len(table)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=list(MEASURE_COLUMNS))


def _describe_contacts(linked: pd.DataFrame) -> pd.DataFrame:
    """Add to each contact its person, and what is measured of it as numbers."""
    answered = linked["first_response_at"].fillna(linked["as_of"]) - linked["opened_at"]
    return linked.assign(
        person=linked["customer"],
        one=1.0,
        wait_minutes=(answered.astype("Float64") / MINUTE).where(answered >= 0),
        is_answered=linked["first_response_at"].notna(),
    )


def _list_measures(linked: pd.DataFrame) -> list[UnitMeasure]:
    measures = [
        UnitMeasure("contact_count", "count", "contacts", "one"),
        UnitMeasure("repeat_contact_rate", "share", "contacts", "came_back", left_out=_OPEN),
        UnitMeasure("repeated_question_rate", "share", "contacts", "asked_again", left_out=_UNKNOWN),
        UnitMeasure(
            "first_contact_resolution_rate",
            "share",
            "contacts",
            "first_contact_resolved",
            left_out=_NOT_FIRST,
        ),
    ]
    if linked["first_response_at"].notna().any():
        words = "contacts left out: answered before they were opened"
        measures.append(
            UnitMeasure("first_response_minutes", "median", "contacts", "wait_minutes", "is_answered", words)
        )
    return measures


def _measure_repeat_pairs(lines: pd.DataFrame, periods: Mapping[str, tuple[int, int]]) -> list[pd.DataFrame]:
    """Measure, for each pair of channels, the repeats in percent of the contacts in the first."""
    tables = []
    pairs = lines.loc[lines["next_channel"].notna(), ["channel", "next_channel"]].dropna().drop_duplicates()
    for start, end in sorted(pairs.itertuples(index=False)):
        here = lines[lines["channel"] == start]
        went = here["came_back"] & (here["next_channel"] == end)
        pair = UnitMeasure(
            "repeat_contact_rate", "share", "contacts", "went", left_out=_OPEN, item=f"{start} to {end}"
        )
        known = went.where(here["came_back"].notna())
        tables.append(measure_units(here.assign(went=known), [pair], periods=periods, time="opened_at"))
    return tables


def _measure_cases(
    cases: pd.DataFrame, linked: pd.DataFrame, periods: Mapping[str, tuple[int, int]], by: Sequence[str]
) -> list[pd.DataFrame]:
    """Measure how long cases take, and how often they are handed on."""
    took = (cases["resolved_at"].fillna(cases["as_of"]) - cases["opened_at"]).astype("Float64") / HOUR
    timed = cases.assign(hours=took.where(took >= 0), is_over=cases["resolved_at"].notna())
    words = "cases left out: resolved before they were opened"
    hours = UnitMeasure("resolution_hours", "median", "contacts", "hours", "is_over", words)
    tables = [measure_units(timed, [hours], periods=periods, time="opened_at", by=by)]
    solved = cases[cases["resolved_at"].notna()]
    per_case = UnitMeasure("hand_offs_per_case", "mean", "contacts", "n_hand_offs")
    tables.append(measure_units(solved, [per_case], periods=periods, time="resolved_at", by=by))
    moves = list_hand_offs(linked).dropna(subset=["from_channel", "to_channel"])
    for (start, end), group in moves.groupby(["from_channel", "to_channel"]):
        counts = solved["case"].map(group["case"].value_counts()).fillna(0)
        pair = per_case._replace(value="moves", item=f"{start} to {end}")
        lines = solved.assign(moves=counts)
        tables.append(measure_units(lines, [pair], periods=periods, time="resolved_at"))
    return tables


def count_channel_pairs(
    contacts: pd.DataFrame,
    *,
    period: tuple[int, int] | None = None,
    as_of: int | str | pd.Timestamp | None = None,
    by: str | None = None,
) -> pd.DataFrame:
    """Count, for each pair of channels, how many contacts in the first led to another in the second.

    Parameters
    ----------
    contacts : pandas.DataFrame
        Trusted table service_contacts, one row is one contact. Row order does not matter.
    period : tuple of int, optional
        (start, end) in microseconds UTC, [start, end), in which the first contact was opened; else all.
    as_of : int, str or Timestamp, optional
        What was known when. Default: the last time in the table.
    by : str, optional
        A column to break down by, such as `topic`; its rows stand beside those of all.

    Returns
    -------
    pandas.DataFrame
        One row is one pair of channels in one segment (empty: all), pairs that never occurred included:
        `segment`, `from_channel`, `to_channel`, `repeats` (contacts in the first that were followed, within 7
        days, by one of the same person on the same topic in the second), `contacts` (in the first, whose 7
        days are over), `share` (percent) with `low` and `high` (Wilson on the effective n by person), and
        `n_effective`. Contacts without person, topic or channel are left out.

    Examples
    --------
    >>> contacts = pd.DataFrame({"contact": ["1", "2"], "customer": "a", "topic": "bill",
    ...     "opened_at": [0, 5], "channel": ["chat", "phone"]})
    >>> pairs = count_channel_pairs(contacts, as_of="1970-02-01")
    >>> pairs.loc[pairs["repeats"] > 0, ["from_channel", "to_channel", "share"]].values.tolist()
    [['chat', 'phone', 100.0]]
    """
    linked = link_contacts(contacts, as_of=as_of)
    if by is not None and by not in linked:
        raise ValueError(f"service contacts lack the column {by!r} to break down by")
    if period is not None:
        linked = linked[(linked["opened_at"] >= period[0]) & (linked["opened_at"] < period[1])]
    known = linked[linked["came_back"].notna() & linked["channel"].notna()]
    places = {"": known}
    for label in sorted(known[by].fillna(MISSING_LABEL).astype(str).unique()) if by else []:
        places[f"{by}={label}"] = known[known[by].fillna(MISSING_LABEL).astype(str) == label]
    channels = sorted(set(known["channel"]) | set(known["next_channel"].dropna()))
    rows = []
    for segment, lines in places.items():
        for start in channels:
            here = lines[lines["channel"] == start]
            for end in channels:
                went = (here["came_back"] & (here["next_channel"] == end)).astype(float)
                found = estimate("share", np.asarray(went), people=here["customer"])
                place = {"segment": segment, "from_channel": start, "to_channel": end}
                counts = {"repeats": int(went.sum()), "contacts": len(here), "share": found["value"]}
                ends = {key: found[key] for key in ("low", "high", "n_effective")}
                rows.append({**place, **counts, **ends})
    names = ["segment", "from_channel", "to_channel", "repeats", "contacts", "share", "low", "high"]
    return pd.DataFrame(rows, columns=[*names, "n_effective"])
