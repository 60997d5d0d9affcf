"""The first table of touchpoints, guessed from names; sessions by gap."""

from __future__ import annotations

import pandas as pd
import pytest

from journeylib.data.project_tables import TOUCHPOINTS
from journeylib.journey import assign_touchpoints, count_sessions, guess_touchpoints

MINUTE = 60_000_000


@pytest.mark.parametrize(
    ("name", "touchpoint"),
    [
        ("page_home", "home"),
        ("Startseite", "home"),
        ("productDetail", "product_view"),
        ("Produktsuche", "search"),
        ("In den Warenkorb", "add_to_cart"),
        ("Zur Kasse", "checkout"),
        ("Zahlungsart", "payment"),
        ("Bestellung abgeschlossen", "purchase"),
        ("order_completed", "purchase"),
        ("order_returned", "return"),
        ("Rücksendung", "return"),
        ("parcel_tracking", "delivery"),
        ("mail_click", "newsletter"),
        ("ad_click", "ad"),
        ("address_added", "address_added"),
        ("Anruf Hotline", "call"),
        ("chatbot_open", "chatbot"),
        ("login", "account"),
        ("panier", "add_to_cart"),
        ("xyz 9", "xyz_9"),
    ],
)
def test_the_words_of_a_name_tell_its_touchpoint(name, touchpoint):
    guessed = guess_touchpoints(pd.DataFrame({"name": [name]}))
    assert guessed["touchpoint"].tolist() == [touchpoint]
    assert guessed["guessed"].tolist() == ["position" if "_" in touchpoint and touchpoint not in
                                           ("add_to_cart", "product_view") else "word"]  # fmt: skip


def test_an_unknown_name_stands_after_the_purchase_where_most_of_its_events_do():
    rows = [("a", 1, "zeta"), ("a", 2, "kauf"), ("a", 3, "omega"), ("a", 4, "omega"), ("b", 1, "zeta")]
    events = pd.DataFrame(rows, columns=["customer", "occurred_at", "name"])
    stages = guess_touchpoints(events).set_index("pattern")["stage"]
    assert stages[["zeta", "omega", "kauf"]].tolist() == ["consideration", "post-purchase", "decision"]
    shuffled = guess_touchpoints(events.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(shuffled, guess_touchpoints(events))


def test_the_guess_has_the_columns_of_the_file_and_maps_every_event():
    events = pd.DataFrame({"name": ["view [new]", "view *", "cart", None]})
    guessed = guess_touchpoints(events)
    assert list(guessed)[: len(TOUCHPOINTS)] == list(TOUCHPOINTS)
    mapped = assign_touchpoints(events.dropna(), guessed)
    assert mapped["touchpoint"].tolist() == ["view_new", "view", "add_to_cart"]


def test_no_events_give_no_touchpoints():
    assert guess_touchpoints(pd.DataFrame({"name": pd.Series(dtype="str")})).empty


def test_sessions_are_counted_at_the_exact_gap():
    events = pd.DataFrame({"customer": "a", "occurred_at": [0, 30 * MINUTE, 60 * MINUTE + 1], "name": "v"})
    assert count_sessions(events)["sessions"].tolist() == [3, 2, 1]
    assert count_sessions(events, gap_minutes=[30])["single_event_share"].tolist() == [50.0]


def test_no_events_have_no_sessions():
    events = pd.DataFrame({"customer": [], "occurred_at": [], "name": []}).astype({"occurred_at": "int64"})
    assert count_sessions(events, gap_minutes=[30])["sessions"].tolist() == [0]
