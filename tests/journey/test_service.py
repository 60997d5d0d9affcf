"""Service: who comes back, who is asked again, how long it takes; each boundary by a second."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.evidence.bootstrap import bootstrap_interval
from journeylib.evidence.estimates import covariance, estimate, sum_by_person
from journeylib.journey.contacts import link_contacts, list_hand_offs, summarise_cases
from journeylib.journey.medians import estimate_median
from journeylib.journey.service import count_channel_pairs, measure_service
from journeylib.review.metrics import METRICS

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
PERIODS = {"reviewed": (30 * DAY, 60 * DAY), "previous": (0, 30 * DAY)}
LATE = 100 * DAY


def make_contacts(text: str, **columns: object) -> pd.DataFrame:
    """Read lines of `contact customer topic day channel`; `-` is missing; the day may be a fraction."""
    rows = [line.split() for line in text.strip().splitlines()]
    table = pd.DataFrame(rows, columns=["contact", "customer", "topic", "day", "channel"], dtype="str")
    table = table.where(table != "-")
    opened = (table.pop("day").astype(float) * 86_400).round().astype("int64") * SECOND
    return table.assign(opened_at=opened, **columns)


def look_up(table, metric, which="reviewed", segment="", item=""):
    keys = {"metric": metric, "which": which, "segment": segment, "item": item}
    found = table[np.logical_and.reduce([table[name] == value for name, value in keys.items()])]
    return found.squeeze()


def test_seven_days_to_the_second_is_a_repeat_and_one_second_more_is_not():
    contacts = make_contacts("1 a bill 0 chat\n2 a bill 7 phone\n3 b bill 0 chat\n4 b bill 7 chat")
    contacts.loc[3, "opened_at"] += SECOND
    linked = link_contacts(contacts, as_of=LATE).set_index("contact")
    assert linked["came_back"].to_dict() == {"1": True, "2": False, "3": False, "4": False}
    assert linked["is_first"].to_dict() == {"1": True, "2": False, "3": True, "4": True}
    assert linked.loc["1", "next_channel"] == "phone"
    assert pd.isna(linked.loc["3", "next_channel"])


def test_a_window_that_closes_at_as_of_counts_and_one_that_closes_a_second_later_does_not():
    contacts = make_contacts("1 a bill 0 chat\n2 b bill 0 chat")
    contacts.loc[1, "opened_at"] += SECOND
    linked = link_contacts(contacts, as_of=7 * DAY).set_index("contact")
    assert linked.loc["1", "came_back"] == False  # noqa: E712
    assert pd.isna(linked.loc["2", "came_back"])
    found = measure_service(contacts, periods={"reviewed": (0, DAY)}, as_of=7 * DAY, by=[])
    rate = look_up(found, "first_contact_resolution_rate")
    assert (rate["n"], rate["value"]) == (1, 100.0)
    assert rate["note"].startswith("1 contacts left out")


def test_another_person_or_topic_or_none_is_no_repeat():
    text = "1 a bill 0 chat\n2 b bill 1 chat\n3 a fees 1 chat\n4 - bill 1 chat\n5 - bill 2 chat\n6 a - 3 chat"
    linked = link_contacts(make_contacts(text), as_of=LATE).set_index("contact")
    assert linked["came_back"].isna().to_dict() == {
        **dict.fromkeys("123", False),
        **dict.fromkeys("456", True),
    }
    assert not linked["came_back"].fillna(False).any()


def test_contacts_at_the_same_instant_follow_each_other_by_number_whatever_the_order_of_rows():
    contacts = make_contacts("2 a bill 0 phone\n1 a bill 0 chat\n3 a bill 0 email")
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        linked = link_contacts(contacts.iloc[order], as_of=LATE).set_index("contact")
        assert linked.loc[["1", "2", "3"], "next_channel"].tolist()[:2] == ["phone", "email"]


def test_a_first_contact_is_resolved_only_if_solved_in_time_and_not_followed_by_another():
    text = "1 a bill 0 chat\n2 b bill 0 chat\n3 c bill 0 chat\n4 c bill 5 mail\n5 d bill 0 chat"
    solved = [DAY, 7 * DAY + SECOND, DAY, 6 * DAY, None]
    linked = link_contacts(make_contacts(text, resolved_at=solved), as_of=LATE).set_index("contact")
    assert linked["first_contact_resolved"].dropna().to_dict() == {
        "1": True,
        "2": False,
        "3": False,
        "5": False,
    }
    assert pd.isna(linked.loc["4", "first_contact_resolved"]), "not a first contact"


def test_what_is_not_known_yet_is_not_looked_at():
    contacts = make_contacts("1 a bill 0 chat\n2 a bill 5 chat", resolved_at=[6 * DAY, 6 * DAY])
    assert len(link_contacts(contacts, as_of=4 * DAY)) == 1
    assert link_contacts(contacts, as_of=5 * DAY)["resolved_at"].isna().all()


def test_a_question_is_repeated_only_with_a_contact_on_it_in_the_thirty_days_before():
    text = "1 a bill 0 chat\n2 a bill 30 chat\n3 a bill 61 chat\n4 b bill 0 chat\n5 b bill 3 chat"
    text += "\n6 - bill 3 chat"
    flags = [True, True, True, False, None, True]
    linked = link_contacts(make_contacts(text, repeated_question=flags), as_of=LATE).set_index("contact")
    found = linked["asked_again"]
    assert found.dropna().to_dict() == {"1": False, "2": True, "3": False, "4": False}
    assert found.isna().sum() == 2, "a missing flag and a missing person are unknown"


def test_where_the_table_begins_the_past_is_unknown_if_it_is_said_so():
    contacts = make_contacts("1 a bill 3 chat\n2 b bill 7 chat\n3 a bill 4 chat", repeated_question=True)
    linked = link_contacts(contacts, as_of=LATE, known_from=0).set_index("contact")
    assert pd.isna(linked.loc["1", "is_first"])
    assert linked.loc["2", "is_first"] == True  # noqa: E712
    assert linked.loc["3", "is_first"] == False  # noqa: E712
    assert linked["asked_again"].isna().tolist() == [True, False, True]


def test_cases_are_handed_on_where_channel_or_handler_changes():
    text = "1 a bill 0 chat\n2 a bill 1 chat\n3 a bill 2 phone\n4 a bill 3 phone\n5 b bill 0 chat"
    contacts = make_contacts(
        text,
        case_id=["x", "x", "x", "x", None],
        handled_by=["bot", "human", "human", None, "human"],
        resolved_at=[None, None, DAY, 4 * DAY, DAY],
    )
    linked = link_contacts(contacts, as_of=LATE)
    cases = summarise_cases(linked).set_index("case")
    assert cases["n_hand_offs"].to_dict() == {"x": 2, "contact 5": 0}
    assert cases["resolved_at"].to_dict() == {"x": 4 * DAY, "contact 5": DAY}
    moves = list_hand_offs(linked)[["from_channel", "to_channel"]].values.tolist()
    assert moves == [["chat", "chat"], ["chat", "phone"]]


def test_a_case_is_open_while_its_last_contact_is_not_solved():
    contacts = make_contacts("1 a bill 0 chat\n2 a bill 3 chat", case_id="x", resolved_at=[DAY, None])
    assert summarise_cases(link_contacts(contacts, as_of=LATE))["resolved_at"].isna().all()


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    size = 400
    opened = rng.integers(0, 60 * DAY, size) // SECOND * SECOND
    solved = pd.Series(opened + rng.exponential(30, size).astype("int64") * HOUR, dtype="Int64")
    return pd.DataFrame(
        {
            "contact": [f"k{i:03}" for i in range(size)],
            "customer": [f"c{i}" for i in rng.integers(0, 150, size)],
            "case_id": [f"x{i}" for i in rng.integers(0, 300, size)],
            "opened_at": opened,
            "first_response_at": opened + rng.integers(1, 90, size) * 60 * SECOND,
            "resolved_at": solved.mask(rng.random(size) < 0.1),
            "channel": rng.choice(["chat", "phone", "email"], size),
            "handled_by": rng.choice(["bot", "human"], size),
            "topic": rng.choice(["bill", "fees"], size),
            "repeated_question": rng.random(size) < 0.3,
        }
    )


@pytest.fixture(scope="module")
def measured(many) -> pd.DataFrame:
    return measure_service(many, periods=PERIODS, as_of=LATE)


def test_the_measures_are_those_of_a_plain_definition(many, measured):
    found = measured
    rows = many.sort_values(["opened_at", "contact"]).to_dict("records")
    lines = []
    for row in rows:
        mine = [r for r in rows if (r["customer"], r["topic"]) == (row["customer"], row["topic"])]
        later = [r for r in mine if 0 < r["opened_at"] - row["opened_at"] <= 7 * DAY]
        earlier = [r for r in mine if 0 < row["opened_at"] - r["opened_at"] <= 7 * DAY]
        before = [r for r in mine if 0 < row["opened_at"] - r["opened_at"] <= 30 * DAY]
        quick = pd.notna(row["resolved_at"]) and row["resolved_at"] - row["opened_at"] <= 7 * DAY
        lines.append(
            {
                "at": row["opened_at"],
                "customer": row["customer"],
                "repeat_contact_rate": bool(later),
                "repeated_question_rate": row["repeated_question"] and bool(before),
                "first_contact_resolution_rate": np.nan if earlier else float(quick and not later),
            }
        )
    plain = pd.DataFrame(lines)
    for metric in ("repeat_contact_rate", "repeated_question_rate", "first_contact_resolution_rate"):
        sums = {}
        for which, (start, end) in PERIODS.items():
            here = plain[(plain["at"] >= start) & (plain["at"] < end)]
            wanted = estimate("share", here[metric].astype(float), people=here["customer"])
            row = look_up(found, metric, which)
            keys = ["value", "low", "high", "n", "n_effective"]
            assert row[keys].tolist() == pytest.approx([wanted[key] for key in keys])
            sums[which] = sum_by_person(here[metric].astype(float), people=here["customer"])
        shared = covariance("share", sums["reviewed"], sums["previous"])
        assert look_up(found, metric, "previous")["covariance"] == pytest.approx(shared)
    assert look_up(found, "contact_count")["n"] + look_up(found, "contact_count", "previous")["n"] == 400
    waits = many.assign(minutes=(many["first_response_at"] - many["opened_at"]) / (60 * SECOND))
    now = waits[waits["opened_at"] >= 30 * DAY]
    assert look_up(found, "first_response_minutes")["value"] == np.median(now["minutes"])


def test_pairs_of_channels_add_up_to_all_repeats(many, measured):
    found = measured
    items = found[
        (found["metric"] == "repeat_contact_rate") & (found["which"] == "reviewed") & (found["item"] != "")
    ]
    for channel in ("chat", "phone", "email"):
        whole = look_up(found, "repeat_contact_rate", segment=f"channel={channel}")["value"]
        assert items[items["item"].str.startswith(channel)]["value"].sum() == pytest.approx(whole)
    moves = found[
        (found["metric"] == "hand_offs_per_case") & (found["which"] == "reviewed") & (found["segment"] == "")
    ]
    assert moves[moves["item"] != ""]["value"].sum() == pytest.approx(
        moves[moves["item"] == ""]["value"].item()
    )
    pairs = count_channel_pairs(many, period=PERIODS["reviewed"], as_of=LATE, by="topic")
    assert pairs[pairs["segment"] == ""]["repeats"].sum() == pairs[pairs["segment"] != ""]["repeats"].sum()
    chat = pairs[
        (pairs["segment"] == "") & (pairs["from_channel"] == "chat") & (pairs["to_channel"] == "phone")
    ]
    row = look_up(found, "repeat_contact_rate", item="chat to phone")
    assert chat[["share", "low", "high"]].squeeze().tolist() == pytest.approx(
        row[["value", "low", "high"]].tolist()
    )


def test_shuffled_contacts_give_the_same_measures(many, measured):
    shuffled = many.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(measure_service(shuffled, periods=PERIODS, as_of=LATE), measured)


def test_times_may_be_times(many):
    columns = ["opened_at", "first_response_at", "resolved_at"]
    timed = many.assign(**{name: pd.to_datetime(many[name], unit="us", utc=True) for name in columns})
    wanted = measure_service(many, periods=PERIODS, as_of=LATE, by=[])
    pd.testing.assert_frame_equal(measure_service(timed, periods=PERIODS, as_of="1970-04-11", by=[]), wanted)


def test_open_cases_make_the_median_longer_and_never_shorter(many):
    all_rows = measure_service(many.assign(case_id=None), periods=PERIODS, as_of=LATE, by=[])
    closed = many[many["resolved_at"].notna()].assign(case_id=None)
    without = measure_service(closed, periods=PERIODS, as_of=LATE, by=[])
    assert look_up(all_rows, "resolution_hours")["value"] > look_up(without, "resolution_hours")["value"]
    assert look_up(all_rows, "resolution_hours")["n"] == (many["opened_at"] >= 30 * DAY).sum()


def test_each_metric_is_in_the_registry_and_no_row_stands_twice(measured):
    found = measured
    assert set(found["metric"]) <= set(METRICS)
    assert not found.duplicated(["metric", "segment", "item", "unit_of_analysis", "which"]).any()


def test_empty_and_one_row_tables_are_measured():
    one = make_contacts("1 a bill 31 chat")
    assert measure_service(one.iloc[:0], periods=PERIODS).empty
    found = measure_service(one, periods=PERIODS, as_of=LATE)
    assert look_up(found, "contact_count")["value"] == 1
    assert look_up(found, "repeat_contact_rate")["value"] == 0
    assert "resolution_hours" not in set(found["metric"]), "no time of solution, no row"
    assert count_channel_pairs(one.iloc[:0]).empty


def test_missing_columns_are_named():
    with pytest.raises(ValueError, match="lack the column.*opened_at"):
        measure_service(pd.DataFrame({"contact": ["1"]}), periods=PERIODS)
    with pytest.raises(ValueError, match="lacks the column.*region"):
        measure_service(make_contacts("1 a bill 31 chat"), periods=PERIODS, by=["region"])


def test_a_median_without_open_ends_has_the_plain_bootstrap_interval():
    rng = np.random.default_rng(1)
    values, people = rng.exponential(10, 120), rng.integers(0, 40, 120)
    found = estimate_median(values, people=people, n_resamples=2000)
    low, high = bootstrap_interval(values, statistic=np.median, clusters=people)
    assert (found["value"], found["low"], found["high"]) == pytest.approx(
        (np.median(values), low, high), rel=0.02
    )
    shuffled = rng.permutation(120)
    again = estimate_median(values[shuffled], people=people[shuffled], n_resamples=2000)
    assert again == pytest.approx(found, nan_ok=True)


def test_a_median_does_not_depend_on_the_names_of_people():
    values = np.random.default_rng(2).exponential(10, 60)
    people = np.arange(60) // 3
    renamed = np.array([f"{name * 7919 % 61:02}" for name in people])
    first, second = (estimate_median(values, people=who) for who in (people, renamed))
    assert first == pytest.approx(second, nan_ok=True)


def test_a_median_is_missing_where_more_than_half_wait_still():
    found = estimate_median([1, 2, 3, 4], has_ended=[True, False, False, False])
    assert np.isnan(found["value"]) and np.isnan(found["low"])
    assert found["n"] == 4
    assert np.isnan(estimate_median([])["value"])
