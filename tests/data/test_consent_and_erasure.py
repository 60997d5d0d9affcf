"""Consent in force at the time of the event, and the erasure list: in every table, and never printed."""

from __future__ import annotations

import pandas as pd
import pytest

from journeylib.data.people import NO_KEY
from journeylib.data.problems import InputError
from journeylib.data.trusted import write_trusted_tables

EVENTS = "event_id,occurred_at,name,device_id,customer,device_type\n"
CONSENTS = "customer,purpose,granted_at,withdrawn_at\n"


def add_events(shop, *rows: str):
    shop.rest = ""
    return shop.add("events", EVENTS + "".join(f"{row}\n" for row in rows))


@pytest.mark.parametrize(
    ("occurred", "used"),
    [
        ("2026-07-01T09:59:59Z", False),
        ("2026-07-01T10:00:00Z", True),
        ("2026-07-05T09:59:59Z", True),
        ("2026-07-05T10:00:00Z", False),
        ("2026-08-01T00:00:00Z", True),
    ],
)
def test_consent_counts_at_the_time_of_the_event(shop, steps, occurred, used):
    add_events(shop, f"e1,{occurred},view,d,anna,desktop", "e2,2026-08-02T00:00:00Z,view,d,anna,desktop")
    spans = "anna,analytics,2026-07-01T10:00:00Z,2026-07-05T10:00:00Z\nanna,Analytics,2026-07-20T00:00:00Z,\n"
    shop.add("consents", CONSENTS + spans + "anna,ads,2020-01-01,\n")
    assert steps(shop.make()) == (
        {"rows in": 2, "used": 2} if used else {"rows in": 2, "no_consent": 1, "used": 1}
    )


def test_refusal_and_nobody_have_no_consent_and_a_stitched_event_has_its_persons(shop, steps, aside):
    add_events(
        shop,
        "e1,2026-07-01T10:00:00Z,view,d1,,desktop",  # anna's device
        "e2,2026-07-01T11:00:00Z,view,d1,anna,desktop",
        "e3,2026-07-01T11:00:00Z,view,d2,,mobile",  # nobody's
        "e4,2026-07-01T11:00:00Z,view,d3,bob,mobile",  # refused
        "e5,2026-07-01T11:00:00Z,view,d4,eve,mobile",  # never asked
    )
    shop.add("consents", CONSENTS + "anna,analytics,2026-01-01,\nbob,analytics,,\n")
    tables = shop.make(key=NO_KEY)
    assert steps(tables) == {"rows in": 5, "no_consent": 3, "used": 2}
    assert aside(tables) == [] and set(tables.read("events")["customer"]) == {"anna"}
    consent = tables.facts["consent"]
    assert consent["nobody"] == 1
    shares = {(one["segment"], one["label"]): (one["without"], one["events"]) for one in consent["shares"]}
    assert shares == {("", ""): (3, 5), ("device_type", "desktop"): (0, 2), ("device_type", "mobile"): (3, 3)}


def test_share_without_consent_by_the_customers_segments(shop):
    add_events(shop, *(f"e{n},2026-07-01T10:00:00Z,view,d,c{n % 4},desktop" for n in range(8)))
    shop.add("consents", CONSENTS + "c0,analytics,2026-01-01,\nc1,analytics,2026-01-01,\n")
    shop.add("customers", "customer,region\nc0,north\nc1,south\nc2,south\n")
    shares = shop.make().facts["consent"]["shares"]
    found = {one["label"]: (one["percent"], one["people"]) for one in shares if one["segment"] == "region"}
    assert found == {"north": (0.0, 1), "south": (50.0, 2), "(missing)": (100.0, 1)}


def test_consents_without_the_purpose_are_refused_with_what_was_found(shop):
    add_events(shop, "e1,2026-07-01T10:00:00Z,view,d,anna,desktop")
    shop.add("consents", CONSENTS + "anna,newsletter,2026-01-01,\nanna,ads,2026-01-01,\n")
    with pytest.raises(
        InputError, match="consents.csv, purpose: found no consent to .*it has ads, newsletter"
    ):
        shop.make()
    add_events(shop, "e1,2026-07-01T10:00:00Z,view,d,bob,desktop")
    shop.add("consents", CONSENTS + "anna,analytics,2026-01-01,\n")
    with pytest.raises(InputError, match="1 are set aside by the rule no_consent.*granted_at before"):
        shop.make()


def test_source_without_customers_has_no_consent_and_another_one_keeps_its_own(shop, steps):
    add_events(shop, "e1,2026-07-01T10:00:00Z,view,d,anna,desktop")
    shop.write("more/a.csv", EVENTS + "e2,2026-07-02T10:00:00Z,view,d,anna,desktop\n")
    shop.write("more/b.csv", "event_id,occurred_at,name\ne3,2026-07-02T10:00:00Z,view\n")
    shop.declare('[sources.events.two]\npath = "more/*.csv"')
    shop.add("consents", CONSENTS + "anna,analytics,2026-01-01,\n")
    tables = shop.make()
    assert steps(tables) == {"rows in": 1, "used": 1}
    assert steps(tables, source="two") == {"rows in": 2, "no_consent": 1, "used": 1}


CODEBOOK = "question,column,role,scale_min,scale_max\nid,who,respondent,,\nq1,nps,nps,0,10\n"


def make_all(shop):
    """Every table names anna and bob; anna is to be erased."""
    add_events(
        shop,
        "e1,2026-07-01T10:00:00Z,view,d1,,desktop",  # anna's device
        "e2,2026-07-01T11:00:00Z,view,d1,anna,desktop",
        "e3,someday,view,d1,anna,desktop",
        "e4,2026-07-01T11:00:00Z,view,d2,bob,mobile",
    )
    shop.add("orders", "order,customer,ordered_at\no1,anna,2026-07-01\no2,bob,2026-07-01\n")
    shop.add("service_contacts", "contact,customer,opened_at\nk1, anna ,2026-07-01\nk2,bob,2026-07-01\n")
    shop.add("customers", "customer\nanna\nbob\nanna\n")
    shop.add("consents", CONSENTS + "anna,analytics,2026-01-01,\nbob,analytics,2026-01-01,\n")
    shop.write("survey_codebook.csv", CODEBOOK)
    shop.write("wave.csv", "who,nps\nanna,9\nbob,3\n")
    return shop.declare('[sources.survey.w]\npath = "wave.csv"\nperiod = "2026Q3"')


def test_erased_people_leave_every_table_and_are_only_counted(shop, steps, aside):
    make_all(shop).write("erasure.csv", "customer\n anna \n\nsomebody else\n")
    tables = shop.make(key=NO_KEY)
    assert steps(tables) == {"rows in": 4, "erased": 3, "used": 1}
    for table, rows in (("orders", 2), ("service_contacts", 2), ("customers", 3), ("consents", 2)):
        assert steps(tables, table) == {"rows in": rows, "erased": rows - 1, "used": 1}, table
    assert steps(tables, "survey", "w") == {"rows in": 2, "erased": 1, "used": 1}
    for table in ("events", "orders", "service_contacts", "customers", "consents", "responses", "answers"):
        assert "anna" not in tables.read(table).to_csv(), table
    assert not tables.has("robots") and tables.read_quarantine().empty
    books = "".join(path.read_text() for path in tables.folder.glob("*.[cj]s*"))
    assert "anna" not in books and "somebody" not in books and "anna" not in repr(shop.read())


def test_a_check_counts_the_same_rows_as_a_review(shop):
    make_all(shop).write("erasure.csv", "customer\nanna\n")
    project, books = shop.read(), []
    for complete in (True, False):
        made = write_trusted_tables(project, shop.folder / f"t{complete}", key=b"k", complete=complete)
        books.append((made.folder / "waterfall.csv").read_text())
    assert books[0] == books[1]


def test_everybody_erased_is_no_fault_of_the_export(shop, steps):
    shop.add("orders", "order,customer,ordered_at\no1,anna,2026-07-01\n")
    shop.add("events", EVENTS + "e1,2026-07-01T10:00:00Z,view,d,bob,desktop\n")
    shop.write("erasure.csv", "customer\nanna\n")
    tables = shop.make()
    assert steps(tables, "orders") == {"rows in": 1, "erased": 1, "used": 0} and not tables.has("orders")


@pytest.mark.parametrize("text", ["anna\nbob\n", "customer,since\nanna,2026\n", "", "customer\nanna,bob\n"])
def test_a_list_that_can_not_be_read_is_refused_without_showing_an_id(shop, text):
    add_events(shop, "e1,2026-07-01T10:00:00Z,view,d,anna,desktop")
    shop.write("erasure.csv", text)
    with pytest.raises(InputError, match="erasure.csv, line") as caught:
        shop.read()
    assert "anna" not in str(caught.value) and "bob" not in str(caught.value)


def test_ids_are_compared_before_they_become_pseudonyms(shop):
    make_all(shop).write("erasure.csv", "customer\nanna\n")
    kept = [shop.make(key=key).read("orders")["order"].tolist() for key in (b"one", b"two")]
    assert kept == [["o2"], ["o2"]]
    assert isinstance(shop.make().read("orders"), pd.DataFrame)
