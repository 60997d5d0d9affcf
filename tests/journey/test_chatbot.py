"""The chatbot: settled for good, handed on, left behind; and bot against human on the same topic."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.evidence.intervals import newcombe_difference
from journeylib.journey.chatbot import compare_bot_with_human, measure_chatbot
from journeylib.review.metrics import METRICS

SECOND = 1_000_000
DAY = 86_400 * SECOND
PERIODS = {"reviewed": (0, 30 * DAY)}
LATE = 100 * DAY


def make_contacts(rows) -> pd.DataFrame:
    """Make contacts from (contact, case, customer, day opened, hours to solve or None, handler)."""
    columns = ["contact", "case_id", "customer", "day", "hours", "handled_by"]
    table = pd.DataFrame(rows, columns=columns).assign(topic="bill", channel="chat")
    opened = (table.pop("day") * DAY).astype("int64")
    solved = opened + (table.pop("hours").astype("Float64") * 3600 * SECOND).astype("Int64")
    return table.assign(opened_at=opened, resolved_at=solved)


def read_rates(contacts, **options) -> dict[str, float]:
    found = measure_chatbot(contacts, periods=PERIODS, as_of=LATE, by=[], **options)
    return found.set_index("metric")["value"].to_dict()


def test_containment_resolved_containment_and_escalation_of_six_contacts():
    contacts = make_contacts(
        [
            ("1", "u", "a", 0, 1, "bot"),  # settled for good
            ("2", "v", "b", 0, None, "bot"),  # left behind
            ("3", "w", "c", 0, 1, "bot"),  # handed on within its case
            ("4", "w", "c", 0.1, 1, "human"),
            ("5", "x", "d", 0, 1, "bot"),  # came back in another case: ended in the bot, not for good
            ("6", "y", "d", 6, 1, "human"),
        ]
    )
    assert read_rates(contacts) == {
        "resolved_containment": 25.0,
        "containment_rate": 75.0,
        "escalation_rate": 25.0,
    }


def test_exactly_seven_days_later_a_contact_counts_and_a_second_more_does_not():
    rows = [("1", None, "a", 0, 1, "bot"), ("2", None, "a", 7, 1, "human")]
    assert read_rates(make_contacts(rows))["resolved_containment"] == 0.0
    later = make_contacts(rows)
    later.loc[1, "opened_at"] += SECOND
    assert read_rates(later)["resolved_containment"] == 100.0
    assert read_rates(later)["escalation_rate"] == 0.0


def test_contacts_whose_days_are_not_over_are_left_out_and_counted():
    contacts = make_contacts([("1", None, "a", 0, 1, "bot"), ("2", None, "b", 3, 1, "bot")])
    found = measure_chatbot(contacts, periods=PERIODS, as_of=8 * DAY, by=[])
    assert found["n"].tolist() == [1, 1, 1]
    assert found["note"].str.startswith("1 contacts left out").all()


def test_containment_is_never_given_alone():
    contacts = make_contacts([("1", None, "a", 0, None, "bot")])
    assert measure_chatbot(contacts, periods=PERIODS, as_of=LATE).empty, "nobody knows what was abandoned"
    people = make_contacts([("1", None, "a", 0, 1, "human")])
    assert measure_chatbot(people, periods=PERIODS, as_of=LATE).empty, "no bot"
    assert measure_chatbot(people.iloc[:0], periods=PERIODS).empty


def test_resolved_containment_is_never_above_containment_and_escalation_is_the_rest():
    rng = np.random.default_rng(3)
    rows = [
        (f"{i:03}", f"x{rng.integers(120)}", f"c{rng.integers(60)}", rng.integers(0, 30), hours, handler)
        for i, (hours, handler) in enumerate(
            zip(rng.choice([1.0, 300.0, None], 300), rng.choice(["bot", "human"], 300), strict=True)
        )
    ]
    contacts = make_contacts(rows)
    rates = read_rates(contacts)
    assert set(rates) <= set(METRICS)
    assert rates["containment_rate"] + rates["escalation_rate"] == pytest.approx(100)
    assert rates["resolved_containment"] < rates["containment_rate"]
    assert read_rates(contacts.sample(frac=1, random_state=1)) == rates


def make_two_topics() -> pd.DataFrame:
    """Bots get 90 easy and 30 hard contacts, humans 30 and 90; on each topic both are alike."""
    rows = []
    for topic, bot, human, back in (("easy", 90, 30, 0.1), ("hard", 30, 90, 0.5)):
        for handler, size in (("bot", bot), ("human", human)):
            for i in range(size):
                person = f"{topic}{handler}{i:02}"
                rows.append((person, topic, handler, 0))
                if i < back * size:
                    rows.append((person, topic, handler, 1))
    table = pd.DataFrame(rows, columns=["customer", "topic", "handled_by", "day"])
    number = [f"{i:04}" for i in range(len(table))]
    return table.assign(contact=number, opened_at=table["day"] * DAY, resolved_at=table["day"] * DAY + SECOND)


def test_within_topics_bot_and_human_are_alike_though_the_plain_rates_differ():
    contacts = make_two_topics()
    found = compare_bot_with_human(contacts, period=(0, DAY), as_of=LATE).set_index(["metric", "topic"])
    repeat = found.loc["repeat_contact_rate"]
    assert repeat["difference"].tolist() == pytest.approx([0, 0, 0])
    assert repeat.loc["easy", ["low", "high"]].tolist() == pytest.approx(
        [100 * end for end in newcombe_difference(0.1, 90, 0.1, 30)]
    )
    assert repeat.loc["", "bot"] == pytest.approx(0.75 * 10 + 0.25 * 50)
    assert repeat.loc["", "low"] > repeat.loc["hard", "low"]


def test_satisfaction_is_compared_where_people_answered():
    rng = np.random.default_rng(1)
    contacts = make_two_topics()
    score = np.where(contacts["handled_by"] == "bot", 3.0, 4.0) + rng.normal(0, 0.5, len(contacts))
    contacts = contacts.assign(csat=np.where(rng.random(len(contacts)) < 0.5, score, np.nan))
    found = (
        compare_bot_with_human(contacts, as_of=LATE, score="csat").set_index(["metric", "topic"]).loc["csat"]
    )
    assert (found["high"] < 0).all()
    assert (found.loc[["easy", "hard"], "q_value"] < 0.01).all()
    assert np.isnan(found.loc["", "p_value"])
    with pytest.raises(ValueError, match="lack the column 'nps'"):
        compare_bot_with_human(contacts, score="nps")


def test_topics_with_a_small_base_are_not_compared():
    contacts = make_two_topics()
    few = contacts[(contacts["topic"] == "easy") | (contacts["customer"] < "hardbot09")]
    assert set(compare_bot_with_human(few, as_of=LATE)["topic"]) == {"easy", ""}
    assert compare_bot_with_human(contacts.iloc[:5], as_of=LATE).empty
