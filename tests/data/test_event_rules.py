"""Each rule of events: its name, the line of the row that breaks it, and that rows in = used + the rest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journeylib.data.problems import InputError

HEADER = "event_id,customer,occurred_at,received_at,name,precision,online,value,sequence,session_given\n"
GOOD = "e1,anna,2026-07-01T10:00:00Z,2026-07-01T10:00:05Z,view,second,yes,1.5,1,s1\n"
AS_OF = "2026-10-01T00:00:00Z"


def change(**cells: str) -> str:
    names = HEADER.strip().split(",")
    whole = dict(zip(names, GOOD.strip().split(","), strict=True)) | {"event_id": "e2"} | cells
    return ",".join(whole[name] for name in names) + "\n"


@pytest.mark.parametrize(
    ("cells", "rule", "column"),
    [
        ({"occurred_at": ""}, "missing_occurred_at", "occurred_at"),
        ({"name": " "}, "missing_name", "name"),
        ({"occurred_at": "yesterday"}, "bad_date", "occurred_at"),
        ({"received_at": "2026-13-01"}, "bad_date", "received_at"),
        ({"value": "ten"}, "bad_number", "value"),
        ({"sequence": "1.5"}, "bad_number", "sequence"),
        ({"sequence": "99999999999999999999"}, "bad_number", "sequence"),
        ({"online": "maybe"}, "unknown_code", "online"),
        ({"precision": "hour"}, "unknown_code", "precision"),
        ({"occurred_at": "2026-07-03T10:00:06Z"}, "future", "occurred_at"),
        ({"occurred_at": "2126-07-03T10:00:00Z", "received_at": ""}, "future", "occurred_at"),
        ({"received_at": "2126-07-03T10:00:00Z"}, "future", "received_at"),
        ({"occurred_at": "2026-10-01T00:00:01Z", "received_at": ""}, "after_as_of", ""),
        ({"received_at": "2026-10-01T00:00:01Z"}, "after_as_of", ""),
        ({"event_id": "e1", "received_at": "2026-07-01T10:00:06Z"}, "duplicate_event_id", "event_id"),
    ],
)
def test_row_that_breaks_a_rule_is_set_aside_with_its_line(shop, steps, aside, us, cells, rule, column):
    shop.add("events", HEADER + GOOD + "\n" + change(**cells) + change(event_id="e3"))
    tables = shop.make(as_of_us=us(AS_OF))
    assert steps(tables) == {"rows in": 3, rule: 1, "used": 2}
    assert aside(tables) == ([(4, rule, column)] if rule != "after_as_of" else [])
    assert len(tables.read("events")) == 2


def test_row_with_too_many_cells_is_malformed(shop, steps, aside):
    tables = shop.add("events", HEADER + GOOD + GOOD.strip() + ",more\n").make()
    assert steps(tables) == {"rows in": 2, "malformed_row": 1, "used": 1}
    assert aside(tables) == [(3, "malformed_row", "")]


def test_row_that_breaks_two_rules_is_counted_once(shop, steps):
    tables = shop.add("events", HEADER + GOOD + change(occurred_at="bad", value="ten")).make()
    assert steps(tables) == {"rows in": 2, "bad_date": 1, "used": 1}


@pytest.mark.parametrize("seconds", [0, 1])
def test_event_a_day_after_its_receipt_is_a_wrong_clock_and_one_second_more_is_the_future(
    shop, steps, seconds
):
    row = change(occurred_at=f"2026-07-02T10:00:0{5 + seconds}Z")
    assert steps(shop.add("events", HEADER + GOOD + row).make()).get("future", 0) == seconds


@pytest.mark.parametrize(("second", "rule"), [("00", ""), ("01", "after_as_of")])
def test_event_exactly_at_as_of_is_used_and_one_second_later_left_out(shop, steps, us, second, rule):
    row = change(occurred_at=f"2026-10-01T00:00:{second}Z", received_at="")
    found = steps(shop.add("events", HEADER + GOOD + row).make(as_of_us=us(AS_OF)))
    assert found == ({"rows in": 2, rule: 1, "used": 1} if rule else {"rows in": 2, "used": 2})


def test_as_of_before_all_rows_is_one_clear_sentence_and_so_is_a_wave_after_it(shop, us):
    shop.add("events", HEADER + GOOD)
    with pytest.raises(InputError, match="--as-of: found as_of 2020-01-01T01:00.*earlier than all rows"):
        shop.make(as_of_us=us("2020-01-01T00:00:00Z"))
    shop.head += "as_of = 2020-01-01\n"
    with pytest.raises(InputError, match="journey.toml: found as_of 2020"):
        shop.make()


def test_source_whose_rows_lie_after_as_of_is_left_out_and_the_rest_is_read(shop, steps, us):
    shop.add("events", HEADER + GOOD).add("orders", "order,ordered_at\no1,2026-11-01\n")
    tables = shop.make(as_of_us=us(AS_OF))
    assert steps(tables, "orders") == {"rows in": 1, "after_as_of": 1, "used": 0}
    assert not tables.has("orders") and tables.has("events")


def test_clock_of_the_machine_does_not_matter_where_as_of_is_declared(shop, monkeypatch, us):
    rows = GOOD + change(occurred_at="2026-10-01T00:00:01Z", received_at="")
    shop.add("events", HEADER + rows)
    books = []
    for number, now in enumerate(("1970-01-02T00:00:00Z", "2026-12-01T00:00:00Z", "2090-01-01T00:00:00Z")):
        monkeypatch.setattr("time.time_ns", lambda now=now: us(now) * 1000)
        tables = shop.make(as_of_us=us(AS_OF), out=f"out{number}")
        books.append((tables.folder / "waterfall.csv").read_text() + str(tables.facts))
    assert len(set(books)) == 1


def test_as_of_is_the_newest_time_in_any_source_where_none_is_declared(shop, us):
    shop.add("events", HEADER + GOOD).add("orders", "order,ordered_at\no1,2026-07-02T00:00:00Z\n")
    facts = shop.make().facts
    assert (facts["as_of_us"], facts["as_of_declared"]) == (us("2026-07-02T00:00:00Z"), False)
    assert facts["spans"]["received"][1] == us("2026-07-01T10:00:05Z")


def test_of_rows_with_one_id_the_first_received_is_kept_also_across_files(shop, steps, aside):
    shop.write("raw/a.csv", HEADER + change(event_id="e1", received_at="2026-07-01T12:00:00Z", name="late"))
    shop.write("raw/b.csv", HEADER + change(event_id="e1", received_at="", name="unknown") + GOOD)
    tables = shop.declare('[sources.events.one]\npath = "raw/*.csv"').make()
    assert tables.read("events")["name"].tolist() == ["view"]
    assert steps(tables) == {"rows in": 3, "duplicate_event_id": 2, "used": 1}
    assert tables.read_quarantine()["file"].tolist() == ["raw/a.csv", "raw/b.csv"]


def test_faulty_row_does_not_push_a_good_one_of_the_same_id_aside(shop, steps):
    rows = change(event_id="e1", received_at="2026-07-01T10:00:00Z", value="ten") + GOOD
    assert steps(shop.add("events", HEADER + rows).make()) == {"rows in": 2, "bad_number": 1, "used": 1}


def test_identical_rows_without_an_id_are_counted_and_kept(shop, steps):
    tables = shop.add(
        "events", "occurred_at,name\n" + "2026-07-01T10:00,view\n" * 3 + "2026-07-01T10:00,buy\n"
    ).make()
    assert steps(tables) == {"rows in": 4, "used": 4}
    assert tables.facts["identical_events"] == 2
    assert any("2 events without an id repeat another event" in note for note in tables.facts["notes"])


def test_events_without_customers_are_said_and_sign_in_goes_for_the_customer(shop):
    tables = shop.add("events", "occurred_at,name\n2026-07-01,view\n").make()
    assert any("sessions are counted, people are not" in note for note in tables.facts["notes"])
    assert tables.read("events")["customer"].isna().all()
    shop.rest = ""
    tables = shop.add(
        "events", "occurred_at,name,signed_in_as\n2026-07-01,view,anna\n2026-07-02,view,\n"
    ).make()
    events = tables.read("events")
    assert (events["customer"] == events["signed_in_as"]).tolist() == [True, False]
    assert tables.facts["notes"] == []


def test_local_day_is_the_day_of_the_business(shop):
    text = "occurred_at,name\n2026-06-30T21:59:59Z,a\n2026-06-30T22:00:00Z,b\n"
    days = shop.add("events", text).make().read("events")["local_day"].tolist()
    assert [str(np.datetime64(day, "D")) for day in days] == ["2026-06-30", "2026-07-01"]


def test_events_have_the_columns_of_the_contract_and_are_sorted_by_the_source_s_customer(shop):
    rows = change(event_id="e2", customer="zoe") + change(event_id="e3", customer="") + GOOD
    shop.add("events", HEADER + rows, columns='"segment.plan" = "session_given"')
    events = shop.make().read("events")
    assert list(events) == [
        "event_id",
        "customer",
        "device_id",
        "signed_in_as",
        "occurred_at",
        "received_at",
        "precision",
        "sequence",
        "session_given",
        "name",
        "touchpoint",
        "stage",
        "channel",
        "online",
        "device_type",
        "user_agent",
        "campaign",
        "basket",
        "value",
        "segment.plan",
        "local_day",
    ]
    assert events["event_id"].tolist() == ["e1", "e2", "e3"]
    kinds = {
        name: str(events[name].dtype) for name in ("occurred_at", "local_day", "value", "basket", "channel")
    }
    assert kinds == {
        "occurred_at": "int64", "local_day": "int32", "value": "float64", "basket": "str", "channel": "str"
    }  # fmt: skip


def test_one_row_is_enough_and_a_source_without_a_usable_row_is_refused(shop, steps):
    assert steps(shop.add("events", HEADER + GOOD).make()) == {"rows in": 1, "used": 1}
    shop.rest = ""
    with pytest.raises(InputError) as caught:
        shop.add("events", HEADER + change(occurred_at="01/07/2026") * 3).make()
    message = str(caught.value)
    assert message.startswith("events.csv, line 2, occurred_at: found no usable row (3 rows; 3 are set aside")
    assert "date_format" in message and len(message.splitlines()) == 1


def hash_of(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@pytest.mark.parametrize("ids", [True, False])
def test_shuffled_rows_give_the_same_file_byte_for_byte(shop, ids):
    rows = [
        f"{f'e{n}' if ids else ''},c{n % 3},2026-07-01T10:00:0{n % 2}Z,{'view' if n % 4 else 'buy'},{n % 5}"
        for n in range(24)
    ]
    made = []
    for number in range(3):
        shop.rest = ""
        order = np.random.default_rng(number).permutation(len(rows))
        text = "event_id,customer,occurred_at,name,value\n" + "\n".join(rows[place] for place in order) + "\n"
        made.append(hash_of(shop.add("events", text).make(out=f"out{number}").path("events")))
    assert len(set(made)) == 1


def test_two_runs_give_the_same_books_and_facts(shop):
    shop.add("events", HEADER + GOOD + change(value="ten"))
    first, second = shop.make(out="a"), shop.make(out="b")
    for name in ("waterfall.csv", "quarantine.csv", "facts.json", "events.parquet"):
        assert hash_of(first.folder / name) == hash_of(second.folder / name)
    assert not (first.folder / "reading").exists()


CELL = st.sampled_from(
    ["", "2026-07-01", "2026-07-01T10:00:00Z", "2126-01-01", "bad", "1", "x,y", '"q', "ä\n", "e1"]
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELL, CELL, CELL, CELL, CELL), max_size=8))
def test_waterfall_adds_up_whatever_the_cells_hold(shop, steps, aside, rows):
    good = ("e0", "2026-07-01", "2026-07-01", "view", "1")
    frame = pd.DataFrame([good, *rows], columns=["event_id", "occurred_at", "received_at", "name", "value"])
    shop.rest = ""
    tables = shop.add("events", frame.to_csv(index=False)).make()
    found = steps(tables)
    assert found["rows in"] == len(frame)
    assert found["used"] == len(tables.read("events")) >= 1
    lines = frame.map(lambda cell: cell.count("\n")).sum(axis=1).to_numpy()
    starts = 2 + np.arange(len(frame)) + np.concatenate([[0], np.cumsum(lines)[:-1]])
    assert {line for line, *_ in aside(tables)} <= set(starts)
    assert len(aside(tables)) == found["rows in"] - found["used"]
