"""Robots in the headlines, late events, consent: against counts made by hand, hidden where few people are."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from journeylib.data.periods import parse_period
from journeylib.data.trusted import TrustedTables
from journeylib.journey.sessions import split_into_sessions
from journeylib.review.event_checks import check_events
from journeylib.review.trusted_events import compare_with_robots, list_consent, list_late_events, say_people

MINUTE, HOUR = 60_000_000, 3_600_000_000
PERIOD = parse_period("2026Q3", timezone="UTC", fiscal_start_month=1)


@pytest.fixture
def tables(tmp_path):
    """Two people; a robot of its own, and one whose user agent stands among a person's events."""
    start = PERIOD.start_us
    rows = [("a", "d1", 0), ("a", "d1", 20), ("a", "d1", 70), ("b", "d2", 0)]
    used = pd.DataFrame(rows, columns=["customer", "device_id", "minute"])
    used = used.assign(occurred_at=start + used.pop("minute") * MINUTE, name="view")
    used = used.assign(
        event_id=[f"e{n}" for n in range(4)], session_given=None, precision="second", sequence=None
    )
    used["received_at"] = used["occurred_at"] + pd.Series([0, 72 * HOUR, 72 * HOUR + 1, 0])
    robots = used.drop(columns="received_at").head(3).assign(customer=[None, None, "a"])
    robots = robots.assign(device_id=["r", "r", "d1"], event_id=["r1", "r2", "r3"])
    robots["occurred_at"] = [start, start + 31 * MINUTE, start + 45 * MINUTE]
    split_into_sessions(used).to_parquet(tmp_path / "events.parquet")
    robots.to_parquet(tmp_path / "robots.parquet")
    return TrustedTables(tmp_path, {})


def test_headlines_with_robots_are_counted_as_if_they_were_people(tables):
    found = check_events(tables, {"reviewed": PERIOD})["robots"][0]
    # a has sessions at 0-20 and 70; with the robot's event at 45 they are one. r has two; b is not touched.
    assert found == {
        "which": "reviewed",
        "events": 4,
        "events_with_robots": 7,
        "sessions": 3,
        "sessions_with_robots": 4,
        "people": 2,
        "people_with_robots": 3,
    }
    review = SimpleNamespace(settings={"event_checks": {"robots": [found]}}, periods={"reviewed": PERIOD})
    shown = compare_with_robots(review)
    assert shown.loc["Events, 2026Q3"].tolist() == ["4", "7", "+75.00 %"]


def test_an_event_is_late_after_more_than_72_hours(tables):
    found = check_events(tables, {"reviewed": PERIOD})["late"][0]
    assert (found["events"], found["received"], found["late"]) == (4, 4, 1)
    review = SimpleNamespace(settings={"event_checks": {"late": [found]}}, periods={"reviewed": PERIOD})
    assert list_late_events(review).loc["2026Q3", "Later than 72 hours"] == "1 (25.00 %)"


def test_nothing_is_said_of_robots_where_there_are_none(tables):
    (tables.folder / "robots.parquet").unlink()
    assert check_events(tables, {"reviewed": PERIOD})["robots"] == []


def test_consent_of_few_people_is_hidden_with_the_label_it_would_follow_from():
    def share(segment, label, people):
        numbers = {"events": 10 * people, "without": people, "percent": 10.0, "people": people}
        return {"segment": segment, "label": label, **numbers}

    labels = [("x", 200), ("y", 50), ("z", 9)]
    shares = [share("", "", 259), *(share("segment.plan", *one) for one in labels)]
    facts = SimpleNamespace(facts={"consent": {"nobody": 0, "shares": shares}})
    shown = list_consent(SimpleNamespace(tables=facts, minimum_base=10))
    assert shown["Share"].tolist() == ["10.0 %", "10.0 %", "hidden", "hidden"]
    assert list_consent(SimpleNamespace(tables=SimpleNamespace(facts={}), minimum_base=10)).empty


def test_people_are_told_in_words():
    facts = {"events": 4, "customers": 2, "people_before": 4, "people_after": 3, "stitched": 1}
    facts |= {"stitched_percent": 25.0, "shared_devices": 1}
    said = say_people(SimpleNamespace(tables=SimpleNamespace(facts={"identity": facts})))
    assert (
        "1 of 4 events (25.0 %)" in said
        and "1 device is shared" in said
        and "4 people before and are 3" in said
    )
    assert "no event was joined" in say_people(SimpleNamespace(tables=SimpleNamespace(facts={})))
