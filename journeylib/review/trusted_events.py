"""Tables and sentences on how far events can be trusted: robots, clocks, late events, people, consent."""

from __future__ import annotations

from typing import Any

import pandas as pd

from journeylib.review.chapter import Review

__all__ = [
    "compare_with_robots",
    "list_clock_faults",
    "list_consent",
    "list_late_events",
    "list_robots",
    "say_people",
]

ROBOTS = {
    "robot_user_agent": "calls itself a robot (user agent)",
    "robot_rate": "an event in 40 or more of a minute's seconds, in three minutes or more",
    "robot_even_gaps": "nine of ten pauses are of one length",
    "robot_day_and_night": "events in 20 or more of a day's hours, on two days or more",
}
CLOCKS = {
    "bad_date": "the time can't be read",
    "before_1990": "before 1990: a clock that was never set",
    "future": "in the future, or received more than a day before it happened",
}
HIDDEN = "hidden"


def list_robots(review: Review) -> pd.DataFrame:
    """Return what the robots' rules set aside as text: one row a rule that any event broke.

    Parameters
    ----------
    review : Review
        The open review.

    Returns
    -------
    DataFrame
        Sign of a robot, Events, Devices or people, Events that name a customer.
    """
    rows = [
        [ROBOTS[one["rule"]], *(f"{one[name]:,}" for name in ("events", "actors", "naming_customer"))]
        for one in review.tables.facts.get("robots", [])
    ]
    columns = ["Sign of a robot", "Events", "Devices or people", "Events that name a customer"]
    return pd.DataFrame(rows, columns=columns).set_index("Sign of a robot")


def compare_with_robots(review: Review) -> pd.DataFrame:
    """Return the headline counts with and without robots as text: one row a count and period.

    Parameters
    ----------
    review : Review
        The open review.

    Returns
    -------
    DataFrame
        Count and period, Without robots (as in this report), With robots, Difference (percent of the count
        without). People are customers, else devices, else given sessions. Empty without robots.
    """
    rows = []
    for one in review.settings.get("event_checks", {}).get("robots", []):
        label = review.periods[one["which"]].label
        for name in ("events", "sessions", "people"):
            without, with_robots = one[name], one[f"{name}_with_robots"]
            share = f"{100 * (with_robots - without) / without:+.2f} %" if without else "–"
            share = share if with_robots != without else "none"
            rows.append([f"{name.capitalize()}, {label}", f"{without:,}", f"{with_robots:,}", share])
    columns = ["Count and period", "Without robots", "With robots", "Difference"]
    return pd.DataFrame(rows, columns=columns).drop_duplicates().set_index("Count and period")


def list_clock_faults(review: Review) -> pd.DataFrame:
    """Return the faults of clocks as text: one row a rule, and the clocks that were ahead and are believed.

    Parameters
    ----------
    review : Review
        The open review.

    Returns
    -------
    DataFrame
        Fault, Events, What was done.
    """
    waterfall = review.tables.read_waterfall()
    counts = waterfall[waterfall["table"] == "events"].groupby("rule")["rows"].sum()
    rows = [[words, f"{int(counts.get(rule, 0)):,}", "set aside"] for rule, words in CLOCKS.items()]
    ahead = review.tables.facts.get("clock_ahead")
    if ahead is not None and "received" in review.tables.facts["spans"]:
        said = "received before it happened, by a day at the most: a clock that is ahead"
        rows.append([said, f"{ahead:,}", "used as they are"])
    return pd.DataFrame(rows, columns=["Fault", "Events", "What was done"]).set_index("Fault")


def list_late_events(review: Review) -> pd.DataFrame:
    """Return how late events arrive as text: one row a period; empty without times of receipt.

    Parameters
    ----------
    review : Review
        The open review.

    Returns
    -------
    DataFrame
        Period, Events, With a time of receipt, Later than 72 hours, 99 of 100 arrive within (hours).
    """
    rows = []
    for one in review.settings.get("event_checks", {}).get("late", []):
        share = f"{one['late']:,} ({100 * one['late'] / one['received']:.2f} %)"
        cells = [f"{one['events']:,}", f"{one['received']:,}", share, f"{one['hours']:.1f} hours"]
        rows.append([review.periods[one["which"]].label, *cells])
    columns = ["Period", "Events", "With a time of receipt", "Later than 72 hours", "99 of 100 arrive within"]
    return pd.DataFrame(rows, columns=columns).drop_duplicates().set_index("Period")


def say_people(review: Review) -> str:
    """Say how many people there are before and after devices were joined to who signs in on them.

    Parameters
    ----------
    review : Review
        The open review.

    Returns
    -------
    str
        One to three sentences.
    """
    found: dict[str, Any] = review.tables.facts.get("identity") or {}
    if not found:
        return "No event has both a device and a customer, so no event was joined to a person by its device."
    shared = found["shared_devices"]
    words = "No device is shared by several customers."
    if shared:
        words = (
            f"{shared:,} device{'s are' if shared > 1 else ' is'} shared by several customers; what happened "
            "there without a sign-in was joined to nobody."
        )
    return (
        f"{found['stitched']:,} of {found['events']:,} events ({found['stitched_percent']:.1f} %) happened "
        "without a sign-in on a device on which exactly one customer signs in, and are counted as that "
        f"customer's. {words} Counting each device on which nobody signs in as one person, there were "
        f"{found['people_before']:,} people before and are {found['people_after']:,} after, "
        f"{found['customers']:,} of them customers."
    )


def list_consent(review: Review) -> pd.DataFrame:
    """Return the share of events without consent as text: one row a segment and label.

    Parameters
    ----------
    review : Review
        The open review.

    Returns
    -------
    DataFrame
        Whose events, Events, Without consent, Share. A label of fewer people than the minimum base is hidden,
        and the next smallest with it where it would follow from the rest. Empty without declared consents.
    """
    shares = pd.DataFrame((review.tables.facts.get("consent") or {}).get("shares", []))
    rows = []
    for segment, part in shares.groupby("segment", sort=False) if len(shares) else ():
        small = part["people"] < review.minimum_base
        if small.sum() == 1 and len(part) > 1:
            small |= part.index == part.loc[~small, "people"].idxmin()
        for one, hide in zip(part.to_dict("records"), small, strict=True):
            name = str(segment).removeprefix("segment.").replace("_", " ")
            numbers = [f"{one['events']:,}", f"{one['without']:,}", f"{one['percent']:.1f} %"]
            shown = [HIDDEN] * 3 if hide else numbers
            rows.append([f"{name}: {one['label']}" if segment else "All events", *shown])
    columns = ["Whose events", "Events", "Without consent", "Share"]
    return pd.DataFrame(rows, columns=columns).set_index("Whose events")
