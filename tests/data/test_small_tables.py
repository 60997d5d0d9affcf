"""Orders, service contacts, customers, consents, exposures: each rule, its line, and the sum that is kept."""

from __future__ import annotations

import pandas as pd
import pytest

from journeylib.data.problems import InputError

FAR = "2126-01-01"
# table: its header, a row that keeps all rules, and for each rule the cells that break it.
TABLES = {
    "orders": (
        "order,customer,ordered_at,revenue,returned,product",
        {"order": "o1", "customer": "anna", "ordered_at": "2026-07-01", "revenue": "9.5", "returned": "no"},
        [
            ({"order": ""}, "missing_order", "order"),
            ({"ordered_at": ""}, "missing_ordered_at", "ordered_at"),
            ({"ordered_at": "1.7.26"}, "bad_date", "ordered_at"),
            ({"ordered_at": FAR}, "future", "ordered_at"),
            ({"revenue": "free"}, "bad_number", "revenue"),
            ({"revenue": "-0.01"}, "below_0", "revenue"),
            ({"returned": "perhaps"}, "unknown_code", "returned"),
            ({"order": "o1"}, "duplicate_order", "order"),
        ],
    ),
    "service_contacts": (
        "contact,customer,opened_at,first_response_at,resolved_at,handled_by,repeated_question",
        {"contact": "k1", "customer": "anna", "opened_at": "2026-07-01T10:00", "handled_by": "Bot"},
        [
            ({"contact": ""}, "missing_contact", "contact"),
            ({"opened_at": ""}, "missing_opened_at", "opened_at"),
            ({"opened_at": "soon"}, "bad_date", "opened_at"),
            ({"first_response_at": "soon"}, "bad_date", "first_response_at"),
            ({"resolved_at": FAR}, "future", "resolved_at"),
            ({"handled_by": "cat"}, "unknown_code", "handled_by"),
            ({"repeated_question": "2"}, "unknown_code", "repeated_question"),
            ({"contact": "k1"}, "duplicate_contact", "contact"),
        ],
    ),
    "customers": (
        "customer,region,joined_at,left_at,leave_reason",
        {"customer": "anna", "region": "north", "joined_at": "2020-01-01", "left_at": FAR},
        [
            ({"customer": ""}, "missing_customer", "customer"),
            ({"joined_at": "2020"}, "bad_date", "joined_at"),
            ({"joined_at": FAR}, "future", "joined_at"),
            ({"left_at": "never"}, "bad_date", "left_at"),
            ({"customer": "anna"}, "duplicate_customer", "customer"),
        ],
    ),
    "consents": (
        "customer,purpose,granted_at,withdrawn_at",
        {"customer": "anna", "purpose": "analysis", "granted_at": "2026-01-01", "withdrawn_at": FAR},
        [
            ({"customer": ""}, "missing_customer", "customer"),
            ({"purpose": ""}, "missing_purpose", "purpose"),
            ({"granted_at": "yes"}, "bad_date", "granted_at"),
            ({"granted_at": FAR}, "future", "granted_at"),
            ({"withdrawn_at": "no"}, "bad_date", "withdrawn_at"),
        ],
    ),
    "exposures": (
        "day,touchpoint,reached,cost",
        {"day": "2026-07-01", "touchpoint": "tv spot", "reached": "1000", "cost": "20.5"},
        [
            ({"day": ""}, "missing_day", "day"),
            ({"day": "Monday"}, "bad_date", "day"),
            ({"touchpoint": ""}, "missing_touchpoint", "touchpoint"),
            ({"reached": "many"}, "bad_number", "reached"),
            ({"reached": "-1"}, "below_0", "reached"),
            ({"cost": "-1"}, "below_0", "cost"),
        ],
    ),
}
RULES = [(table, *case) for table, (_, _, cases) in TABLES.items() for case in cases]


def write_rows(table: str, *rows: dict[str, str]) -> str:
    header, good, _ = TABLES[table]
    id_name = header.split(",")[0]
    lines = [header]
    for place, cells in enumerate(rows):
        whole = good | ({id_name: f"id{place}"} if place and good[id_name].isalnum() else {}) | cells
        lines.append(",".join(whole.get(name, "") for name in header.split(",")))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("table", "cells", "rule", "column"), RULES)
def test_row_that_breaks_a_rule_is_set_aside_with_its_line(shop, steps, aside, table, cells, rule, column):
    tables = shop.add(table, write_rows(table, {}, cells, {})).make()
    assert steps(tables, table) == {"rows in": 3, rule: 1, "used": 2}
    assert aside(tables, table) == [(3, rule, column)]
    assert len(tables.read(table)) == 2


@pytest.mark.parametrize("table", list(TABLES))
def test_all_rows_good_one_row_and_malformed_rows(shop, steps, aside, table):
    tables = shop.add(table, write_rows(table, {})).make()
    assert steps(tables, table) == {"rows in": 1, "used": 1} and aside(tables, table) == []
    shop.rest = ""
    tables = shop.add(table, write_rows(table, {}) + "a,b,c,d,e,f,g,h,i\n" + "x\n").make()
    assert steps(tables, table) == {"rows in": 3, "malformed_row": 2, "used": 1}
    assert aside(tables, table) == [(3, "malformed_row", ""), (4, "malformed_row", "")]


@pytest.mark.parametrize("table", list(TABLES))
def test_empty_column_keeps_its_type_in_the_file(shop, table):
    tables = shop.add(table, write_rows(table, {})).make()
    kinds = {"text": "str", "id": "str", "time": "Int64", "number": "Float64", "flag": "boolean"}
    from journeylib.data.tables import TABLES as KNOWN

    found = {name: str(dtype) for name, dtype in tables.read(table).dtypes.items()}
    assert found == {name: kinds[column.kind] for name, column in KNOWN[table].columns.items()}


def test_row_that_breaks_two_rules_is_counted_by_the_first_and_does_not_push_its_id_aside(shop, steps, aside):
    text = write_rows("orders", {"ordered_at": "x", "revenue": "-1"}, {"order": "o1"})
    tables = shop.add("orders", text).make()
    assert steps(tables, "orders") == {"rows in": 2, "bad_date": 1, "used": 1}
    assert aside(tables, "orders") == [(2, "bad_date", "ordered_at")]


def test_of_two_rows_with_one_id_the_one_after_as_of_does_not_count(shop, steps, us):
    text = write_rows("orders", {"ordered_at": "2026-08-01"}, {"order": "o1"})
    tables = shop.add("orders", text).make(as_of_us=us("2026-07-15T00:00:00Z"))
    assert steps(tables, "orders") == {"rows in": 2, "after_as_of": 1, "used": 1}


def test_revenue_with_a_decimal_comma_flags_and_day_precision(shop, us):
    text = "order;ordered_at;revenue;returned\no1;01.07.2026;12,50;Y\no2;02.07.2026;;\n"
    orders = shop.add("orders", text, options='date_format = "%d.%m.%Y"').make().read("orders")
    assert orders["revenue"].tolist()[0] == 12.5 and orders["revenue"].isna().tolist() == [False, True]
    assert orders["returned"].tolist()[0] and orders["returned"].isna().tolist() == [False, True]
    assert orders["ordered_at"].tolist()[0] == us("2026-07-01T00:00:00+02:00")


def test_known_codes_are_kept_in_lower_case(shop):
    contacts = (
        shop.add("service_contacts", write_rows("service_contacts", {})).make().read("service_contacts")
    )
    assert contacts["handled_by"].tolist() == ["bot"]


def test_rows_are_sorted_by_the_source_s_customer_whatever_their_order_and_key(shop):
    rows = [{"order": f"o{n}", "customer": name} for n, name in enumerate(["zoe", "", "anna", "mia"])]
    made = []
    for number, order in enumerate(([0, 1, 2, 3], [3, 1, 0, 2])):
        shop.rest = ""
        text = write_rows("orders", *[rows[place] for place in order])
        made.append(shop.add("orders", text).make(key=bytes([number]), out=f"out{number}").read("orders"))
    assert made[0]["order"].tolist() == made[1]["order"].tolist() == ["o2", "o3", "o0", "o1"]
    pd.testing.assert_frame_equal(made[0].drop(columns="customer"), made[1].drop(columns="customer"))
    assert not set(made[0]["customer"].dropna()) & set(made[1]["customer"].dropna())


def test_two_sources_of_one_table_are_counted_apart_and_read_as_one(shop, steps):
    shop.add("customers", write_rows("customers", {}), columns='"segment.plan" = "region"')
    shop.write("more.csv", "customer\nanna\nbob\n")
    shop.declare('[sources.customers.two]\npath = "more.csv"')
    tables = shop.make()
    assert steps(tables, "customers", "one") == {"rows in": 1, "used": 1}
    assert steps(tables, "customers", "two") == {"rows in": 2, "duplicate_customer": 1, "used": 1}
    assert tables.read("customers")["segment.plan"].tolist()[0] == "north"


def test_table_without_a_usable_row_is_refused_and_one_without_rows_too(shop):
    for text, said in (
        (write_rows("orders", {"ordered_at": "?"}), "line 2, ordered_at"),
        ("order,ordered_at\n", "no rows"),
    ):
        shop.rest = ""
        with pytest.raises(InputError, match=said):
            shop.add("orders", text).make()
