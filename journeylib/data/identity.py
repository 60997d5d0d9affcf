"""Who did it: what happens on a device before and after a sign-in, joined to the person who signs in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from journeylib.data.reading_batches import Part
from journeylib.data.reading_run import ReadingRun

__all__ = ["count_people", "stitch_events"]


def stitch_events(run: ReadingRun, parts: Sequence[Part]) -> None:
    """Give the events of a device on which nobody was signed in to the one person who signs in there.

    Parameters
    ----------
    run : ReadingRun
        The engine with `event_rows`; afterwards `customer` is filled and `stitched` true in the events that
        were joined, and the engine has a table `shared_devices`.
    parts : sequence of Part
        What `collect_events` returned.

    Notes
    -----
    A person is known on a device by an event that keeps all rules and has both `device_id` and a `customer`
    or `signed_in_as`. Where exactly one person is known on a device, its events without a person, earlier and
    later ones, are that person's. A device with two or more persons is shared, and none of its events is
    joined to anybody, since nobody can say whose they are. An event that has a customer keeps it, so two
    customers are never merged. Only ids count, so the order of the rows and of the events does not matter.
    """
    have = {name for part in parts for name in part.names}
    connection = run.connection
    connection.execute("CREATE TABLE shared_devices (device_id VARCHAR)")
    if "device_id" not in have or not have & {"customer", "signed_in_as"}:
        return
    signed = "SELECT device_id, {} AS person FROM event_rows WHERE fault = 0 AND {} IS NOT NULL"
    persons = [signed.format("customer", "customer")]
    if "signed_in_as" in have:
        persons.append(signed.format("signed_in_as", "signed_in_as"))
    connection.execute(
        "CREATE TABLE known_devices AS WITH nameless AS (SELECT DISTINCT device_id FROM event_rows "
        "WHERE customer IS NULL AND device_id IS NOT NULL) "
        "SELECT device_id, min(person) AS person, min(person) <> max(person) AS shared "
        f"FROM ({' UNION ALL '.join(persons)}) SEMI JOIN nameless USING (device_id) GROUP BY device_id"
    ).fetchall()
    connection.execute(
        "INSERT INTO shared_devices SELECT device_id FROM known_devices WHERE shared"
    ).fetchall()
    for part in parts:
        if "device_id" in part.names and {"customer", "signed_in_as"} & set(part.names):
            # Written anew, by all cores: an UPDATE of so many rows keeps the old ones beside, on one core.
            connection.execute(
                f"CREATE TABLE {part.table}_joined AS SELECT part.* REPLACE "
                "(coalesce(part.customer, known.person) AS customer, "
                "part.stitched OR (part.customer IS NULL AND known.person IS NOT NULL) AS stitched) "
                f"FROM {part.table} AS part "
                "LEFT JOIN (SELECT * FROM known_devices WHERE NOT shared) AS known "
                "ON part.customer IS NULL AND part.device_id = known.device_id"
            ).fetchall()
            connection.execute(f"DROP TABLE {part.table}")
            connection.execute(f"ALTER TABLE {part.table}_joined RENAME TO {part.table}")


def count_people(run: ReadingRun) -> dict[str, Any]:
    """Count people before and after events were joined to the persons of their devices.

    Parameters
    ----------
    run : ReadingRun
        The engine with `event_rows`, all rules marked.

    Returns
    -------
    dict
        events (used), customers, people_before and people_after (customers, and each device with an event of
        nobody as one more), stitched (events), stitched_percent (of the used ones), shared_devices. Empty
        where no event has a device and a customer.
    """
    row = run.connection.execute(
        "SELECT count(*), count(DISTINCT customer), "
        "count(DISTINCT customer) FILTER (NOT stitched), "
        "count(DISTINCT device_id) FILTER (customer IS NULL OR stitched), "
        "count(DISTINCT device_id) FILTER (customer IS NULL), "
        "count(*) FILTER (stitched), count(device_id), "
        "(SELECT count(*) FROM shared_devices) FROM event_rows WHERE fault = 0"
    ).fetchall()[0]
    events, customers, own, devices_before, devices_after, stitched, with_device, shared = map(int, row)
    if not customers or not with_device:
        return {}
    return {
        "events": events,
        "customers": customers,
        "people_before": own + devices_before,
        "people_after": customers + devices_after,
        "stitched": stitched,
        "stitched_percent": 100 * stitched / events,
        "shared_devices": shared,
    }
