"""Consent by purpose at the time of the event: which events may be analysed, and whom that leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from journeylib.data.connection import quote_name
from journeylib.data.events import list_faults, mark_events
from journeylib.data.ledger import BY_DECISION
from journeylib.data.problems import InputError, Problem
from journeylib.data.reading_batches import Part
from journeylib.data.reading_run import ReadingRun
from journeylib.data.small_tables import write_small_table
from journeylib.data.tables import Column

__all__ = ["PURPOSE", "mark_without_consent", "measure_consent", "read_consents"]

PURPOSE, RULE = "analytics", "no_consent"
MOST_LABELS = 12  # a column with more labels is no segment
MOST_SHOWN = 8


def read_consents(run: ReadingRun) -> None:
    """Read the table consents before the events, and keep the spans of consent in the engine as `granted`.

    Parameters
    ----------
    run : ReadingRun
        The run; without a source of consents nothing is done.

    Raises
    ------
    InputError
        If events are declared and no row has the purpose `analytics`, or a file can't be read.

    Notes
    -----
    A consent is in force from `granted_at` until `withdrawn_at`, this instant not included, and without end
    where there is none. A row without `granted_at` grants nothing: it is a refusal.
    """
    sources = run.project.sources_of("consents")
    if not sources:
        return
    write_small_table(run, "consents")
    consents = run.raw.pop("consents")
    purposes = consents["purpose"].str.lower()
    if run.project.sources_of("events") and len(consents) and not (purposes == PURPOSE).any():
        listed = sorted(purposes.unique())
        more = f" and {len(listed) - MOST_SHOWN} more" if len(listed) > MOST_SHOWN else ""
        found = f"no consent to the purpose {PURPOSE}; it has {', '.join(listed[:MOST_SHOWN])}{more}"
        expected = f"rows whose purpose is {PURPOSE}, since events are used for nothing else"
        mend = f"export the purpose under the name {PURPOSE}, or take out [{sources[0].section}]"
        raise InputError(Problem(sources[0].shown[0], found, expected, mend, column="purpose"))
    granted = consents[(purposes == PURPOSE) & consents["granted_at"].notna()]
    spans = granted[["customer", "granted_at", "withdrawn_at"]].astype(
        {"granted_at": "int64", "withdrawn_at": "Int64"}
    )
    run.connection.register("spans_of_consent", spans)
    run.connection.execute(
        "CREATE TABLE granted AS SELECT CAST(customer AS VARCHAR) AS customer, granted_at, "
        "CAST(withdrawn_at AS BIGINT) AS withdrawn_at FROM spans_of_consent"
    ).fetchall()
    run.connection.unregister("spans_of_consent")


def mark_without_consent(run: ReadingRun, parts: Sequence[Part], columns: Mapping[str, Column]) -> None:
    """Set the rule `no_consent` on events without a consent in force when they occurred.

    Parameters
    ----------
    run : ReadingRun
        The engine with the parts and, where consents are declared, `granted`.
    parts : sequence of Part
        What `collect_events` returned.
    columns : mapping of str to Column
        The columns of events.

    Notes
    -----
    An event of nobody has no consent either: it is set aside too.
    """
    if not run.project.sources_of("consents"):
        return
    run.say("looking for events without consent")
    covered = (
        "SELECT source_row FROM {table} JOIN granted ON {customer} = granted.customer "
        "AND {table}.occurred_at >= granted.granted_at "
        "AND (granted.withdrawn_at IS NULL OR {table}.occurred_at < granted.withdrawn_at) "
        "WHERE {table}.fault = 0"
    )
    mark_events(run, parts, columns, RULE, where=f"{{customer}} IS NULL OR source_row NOT IN ({covered})")
    if run.complete:
        _count_own_segments(run, columns)


def _count_own_segments(run: ReadingRun, columns: Mapping[str, Column]) -> None:
    """Count events with and without consent in all and by the events' own segments, and for each customer."""
    code = 1 + list_faults(columns).index((RULE, BY_DECISION[RULE]))
    asked = f"FROM event_rows WHERE fault IN (0, {code})"
    without = f"count(*) FILTER (fault = {code})"
    person = "coalesce(customer, device_id, session_given)"
    counts = f"count(*), {without}, count(DISTINCT {person})"
    nobody = f"count(*) FILTER (customer IS NULL), {counts}"
    row = run.connection.execute(f"SELECT {nobody} {asked}").fetchall()[0]
    rows: list[Any] = [("", "", *row[1:])]
    for name in columns:
        if name == "device_type" or name.startswith("segment."):
            label = quote_name(name)
            query = f"SELECT '{{}}', {label}, {counts} {asked} GROUP BY 2 ORDER BY 2 NULLS LAST"
            found = run.connection.execute(query.format(name.replace("'", "''"))).fetchall()
            rows += found if 2 <= len(found) <= MOST_LABELS else []
    run.facts["consent"] = {"nobody": int(row[0]), "shares": [_describe(*one) for one in rows]}
    run.connection.execute(
        f"CREATE TABLE asked AS SELECT customer, count(*) AS events, {without} AS without {asked} "
        "AND customer IS NOT NULL GROUP BY customer"
    ).fetchall()


def measure_consent(run: ReadingRun) -> None:
    """Add to the facts which share of events has no consent, by the segments of the table customers.

    Parameters
    ----------
    run : ReadingRun
        The run, events and customers read. `consent` among its facts then holds `nobody` (events that name no
        customer) and `shares`: one entry a segment and label (both empty: all events), with events, without
        (consent), percent, and people (customers, else devices, else given sessions).
    """
    customers = run.raw.pop("customers", None)
    if "consent" not in run.facts or customers is None:
        return
    names = [str(name) for name in customers if name == "region" or str(name).startswith("segment.")]
    for name in names:
        labels = customers[["customer", name]].rename(columns={name: "label"}).astype("str")
        run.connection.register("labels", labels)
        found = run.connection.execute(
            "SELECT label, sum(events), sum(without), count(*) FROM asked LEFT JOIN labels USING (customer) "
            "GROUP BY 1 ORDER BY 1 NULLS LAST"
        ).fetchall()
        run.connection.unregister("labels")
        if 2 <= len(found) <= MOST_LABELS:
            run.facts["consent"]["shares"] += [_describe(name, *one) for one in found]


def _describe(segment: str, label: str | None, events: int, without: int, people: int) -> dict[str, Any]:
    return {
        "segment": segment,
        "label": "(missing)" if label is None else label,
        "events": int(events),
        "without": int(without),
        "percent": 100 * int(without) / int(events) if events else 0.0,
        "people": int(people),
    }
