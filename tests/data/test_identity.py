"""Identity: a sign-in names a device's other events, shared devices never; two customers are never merged."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journeylib.data.people import NO_KEY

HEADER = ["event_id", "occurred_at", "name", "device_id", "customer", "signed_in_as"]


def read(shop, rows, *, out="out") -> pd.DataFrame:
    shop.rest = ""
    frame = pd.DataFrame(rows, columns=HEADER)
    tables = shop.add("events", frame.to_csv(index=False)).make(key=NO_KEY, out=out)
    return (
        tables.read("events")
        .set_index("event_id")["customer"]
        .astype(object)
        .where(lambda x: x.notna(), None)
    )


def event(number: int, device: str = "", customer: str = "", signed: str = "") -> tuple:
    return (f"e{number}", f"2026-07-{1 + number % 28:02d}T10:00:00Z", "view", device, customer, signed)


def test_sign_in_names_the_devices_earlier_and_later_events(shop):
    found = read(shop, [event(0, "d1"), event(1, "d1", "anna"), event(2, "d1"), event(3, "d2"), event(4)])
    assert found.to_dict() == {"e0": "anna", "e1": "anna", "e2": "anna", "e3": None, "e4": None}


def test_counts_of_people_before_and_after(shop):
    read(shop, [event(0, "d1"), event(1, "d1", "anna"), event(2, "d2"), event(3, "d3", "bob")])
    assert shop.make(key=NO_KEY).facts["identity"] == {
        "events": 4,
        "customers": 2,
        "people_before": 4,  # anna, bob, and the devices d1 and d2 of nobody
        "people_after": 3,
        "stitched": 1,
        "stitched_percent": 25.0,
        "shared_devices": 0,
    }


def test_shared_device_is_joined_to_nobody_also_where_only_a_sign_in_says_so(shop):
    rows = [event(0, "d1"), event(1, "d1", "anna"), event(2, "d1", "bob")]
    assert read(shop, rows)["e0"] is None
    rows = [event(0, "d1"), event(1, "d1", "anna", "bob")]
    found = read(shop, rows)
    assert (found["e0"], found["e1"]) == (None, "anna")
    assert shop.make(key=NO_KEY).facts["identity"]["shared_devices"] == 1


def test_row_that_is_set_aside_names_nobody(shop):
    bad = ("e1", "yesterday", "view", "d1", "anna", "")
    assert read(shop, [event(0, "d1"), bad])["e0"] is None


IDS = st.sampled_from(["", "", "a", "b", "c"])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(st.tuples(st.sampled_from(["", "x", "y", "z"]), IDS, IDS), min_size=1, max_size=14),
    seed=st.integers(0, 9),
)
def test_properties_hold_whatever_the_ids_and_their_order(shop, cells, seed):
    rows = [event(number, *one) for number, one in enumerate(cells)]
    order = np.random.default_rng(seed).permutation(len(rows))
    found = read(shop, rows)
    assert found.sort_index().equals(read(shop, [rows[place] for place in order]).sort_index())
    for number, (device, customer, signed) in enumerate(cells):
        persons = {person for there, *named in cells if there == device for person in named if person}
        own = customer or signed
        expected = own or (next(iter(persons)) if device and len(persons) == 1 else None)
        assert found[f"e{number}"] == expected, (number, cells)
