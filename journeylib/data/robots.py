"""Robots among the events: by what they call themselves, then by what no person does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from journeylib.data.events import list_faults, mark_events
from journeylib.data.ledger import BY_DECISION
from journeylib.data.reading_batches import Part
from journeylib.data.reading_run import ReadingRun
from journeylib.data.tables import Column

__all__ = ["ROBOT_RULES", "count_robots", "mark_robots"]

ROBOT_RULES = tuple(rule for rule in BY_DECISION if rule.startswith("robot_"))
SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
# The limits are conventions, so wide that a person does not meet them; a robot that keeps within them stays.
MANY_EVENTS = 50  # fewer tell no pattern from chance, and move no number
# A person reads before the next click. Only a robot fills two seconds in three of a minute, again and again.
BUSY_SECONDS, BUSY_MINUTES = 40, 3
# A person's pauses differ several times over. They are taken up to half an hour, which is within a session;
# events at one instant are one act, so pauses of 0 do not count.
EVEN_GAPS, EVEN_SHARE, EVEN_WIDTH, LONGEST_GAP = 50, 0.9, 0.1, 30 * MINUTE
# A person sleeps: 20 of a day's 24 hours with an event leave 4, and once may be a long flight.
WAKING_HOURS, WAKING_DAYS = 20, 2
# Somebody signed in on this device, so it is a person's, whatever an app writes as its user agent.
SIGNED_IN = (
    "({device_id} IS NOT NULL AND ({customer} IS NOT NULL "
    "OR {device_id} IN (SELECT device_id FROM shared_devices)))"
)
NAMED = "{user_agent} IN (SELECT user_agent FROM robot_agents)"


def mark_robots(run: ReadingRun, parts: Sequence[Part], columns: Mapping[str, Column]) -> None:
    """Set the robots' rules: the user agent's on each event of it, those of behaviour on all of one robot.

    Parameters
    ----------
    run : ReadingRun
        The engine with `event_rows` and `shared_devices`; `robots_spared` is added to its facts.
    parts : sequence of Part
        What `collect_events` returned.
    columns : mapping of str to Column
        The columns of events.

    Notes
    -----
    User agents are those that the library crawlerdetect names. Behaviour is judged for each device, else
    customer, else given session, with 50 events or more that the user agents left over, in this order:
    `robot_rate` (in 3 minutes or more, 40 different seconds with an event), `robot_even_gaps` (of 50 or more
    pauses up to 30 minutes, 90 % lie within a tenth of their median), `robot_day_and_night` (on 2 days (UTC)
    or more, events in 20 of the 24 hours). Events known by their day alone are not judged, nor is a device on
    which somebody signed in. The order of rows does not matter.
    """
    have = {name for part in parts for name in part.names}
    run.connection.execute("CREATE TABLE robot_agents (user_agent VARCHAR)")
    if "user_agent" in have:
        run.say("looking for robots")
        _name_agents(run)
        signed_in = SIGNED_IN.format(device_id="device_id", customer="customer")
        spared = (
            f"SELECT count(*) FROM event_rows WHERE fault = 0 AND {signed_in} "
            "AND user_agent IN (SELECT user_agent FROM robot_agents)"
        )
        run.facts["robots_spared"] = int(run.connection.execute(spared).fetchall()[0][0])
        mark_events(run, parts, columns, "robot_user_agent", where=f"{NAMED} AND NOT {SIGNED_IN}")
    _judge_behaviour(run)
    for rule in ROBOT_RULES[1:]:
        actors = f"SELECT id FROM robot_actors WHERE rule = '{rule}' AND kind = "
        by_kind = [
            f"{{device_id}} IN ({actors}0)",
            f"{{device_id}} IS NULL AND {{customer}} IN ({actors}1)",
            f"{{device_id}} IS NULL AND {{customer}} IS NULL AND {{session_given}} IN ({actors}2)",
        ]
        if run.connection.execute(f"SELECT 1 FROM robot_actors WHERE rule = '{rule}' LIMIT 1").fetchall():
            mark_events(run, parts, columns, rule, where=" OR ".join(f"({one})" for one in by_kind))


def count_robots(run: ReadingRun, columns: Mapping[str, Column]) -> list[dict[str, Any]]:
    """Count what the robots' rules set aside.

    Parameters
    ----------
    run : ReadingRun
        The engine with `event_rows`, all rules marked.
    columns : mapping of str to Column
        The columns of events.

    Returns
    -------
    list of dict
        One entry a rule that any event broke, in the order of the rules: rule, events, actors (devices, else
        customers, else given sessions, else one for all), naming_customer (events that name a customer).
    """
    codes = {1 + list_faults(columns).index((rule, BY_DECISION[rule])): rule for rule in ROBOT_RULES}
    found = run.connection.execute(
        "SELECT fault, count(*), count(DISTINCT coalesce(device_id, customer, session_given, '')), "
        f"count(customer) FROM event_rows WHERE fault IN ({', '.join(map(str, codes))}) GROUP BY 1 ORDER BY 1"
    ).fetchall()
    names = ("rule", "events", "actors", "naming_customer")
    return [dict(zip(names, (codes[row[0]], *map(int, row[1:])), strict=True)) for row in found]


def _name_agents(run: ReadingRun) -> None:
    """Fill `robot_agents` with the user agents, of those that differ, that the library takes for robots'."""
    from crawlerdetect import CrawlerDetect  # type: ignore[import-untyped]

    found = run.connection.execute(
        "SELECT DISTINCT user_agent FROM event_rows WHERE fault = 0 AND user_agent IS NOT NULL"
    ).fetchall()
    library = CrawlerDetect()
    robots = pd.DataFrame(
        {"user_agent": [str(text) for (text,) in found if library.is_crawler(str(text))]}, dtype="str"
    )
    run.connection.register("named_agents", robots)
    run.connection.execute("INSERT INTO robot_agents SELECT user_agent FROM named_agents").fetchall()
    run.connection.unregister("named_agents")


def _judge_behaviour(run: ReadingRun) -> None:
    """Make `robot_actors`: kind (0 device, 1 customer, 2 given session), id, and the first rule broken."""
    signed_in = SIGNED_IN.format(device_id="device_id", customer="customer")
    run.connection.execute(f"""CREATE TABLE robot_actors AS
        WITH unsigned AS (
            SELECT CASE WHEN device_id IS NOT NULL THEN 0 WHEN customer IS NOT NULL THEN 1 ELSE 2 END AS kind,
                coalesce(device_id, customer, session_given) AS id, occurred_at AS us
            FROM event_rows WHERE fault = 0 AND precision = 'second'
                AND coalesce(device_id, customer, session_given) IS NOT NULL AND NOT {signed_in}),
        many AS (SELECT kind, id FROM unsigned GROUP BY ALL HAVING count(*) >= {MANY_EVENTS}),
        judged AS MATERIALIZED (SELECT * FROM unsigned SEMI JOIN many USING (kind, id)),
        minutes AS (
            SELECT kind, id, us // {MINUTE} AS minute FROM judged GROUP BY ALL
            HAVING count(DISTINCT us // {SECOND}) >= {BUSY_SECONDS}),
        busy AS (
            SELECT 'robot_rate' AS rule, kind, id FROM minutes GROUP BY ALL
            HAVING count(*) >= {BUSY_MINUTES}),
        pauses AS (
            SELECT kind, id, us - lag(us) OVER (PARTITION BY kind, id ORDER BY us) AS gap FROM judged),
        gaps AS (SELECT * FROM pauses WHERE gap > 0 AND gap <= {LONGEST_GAP}),
        middles AS (
            SELECT kind, id, median(gap) AS middle FROM gaps GROUP BY ALL HAVING count(*) >= {EVEN_GAPS}),
        even AS (
            SELECT 'robot_even_gaps' AS rule, kind, id FROM gaps JOIN middles USING (kind, id) GROUP BY ALL
            HAVING avg(CASE WHEN abs(gap - middle) <= {EVEN_WIDTH} * middle THEN 1 ELSE 0 END)
                >= {EVEN_SHARE}),
        days AS (
            SELECT kind, id, us // {DAY} AS day FROM judged GROUP BY ALL
            HAVING count(DISTINCT us // {HOUR}) >= {WAKING_HOURS}),
        sleepless AS (
            SELECT 'robot_day_and_night' AS rule, kind, id FROM days GROUP BY ALL
            HAVING count(*) >= {WAKING_DAYS})
        SELECT kind, id, CASE min(place) WHEN 1 THEN 'robot_rate' WHEN 2 THEN 'robot_even_gaps'
            ELSE 'robot_day_and_night' END AS rule
        FROM (SELECT 1 AS place, * FROM busy UNION ALL SELECT 2, * FROM even
            UNION ALL SELECT 3, * FROM sleepless)
        GROUP BY kind, id""").fetchall()
