"""Pseudonyms: published values, the same in SQL and in Python, and no source id of a person in any file."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from journeylib.data.people import find_key, fingerprint_key, hmac_sql, pseudonymise

# RFC 4231, test cases 1, 2 and 6 (a key longer than the block of 64 bytes); 1 and 2 are also in the shared
# reference values hmac_sha256.json. The kit keeps the first 32 of 64 digits.
RFC_4231 = [
    (b"\x0b" * 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 131,
        "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
]


@pytest.mark.parametrize(("key", "text", "digest"), RFC_4231)
def test_published_values_are_met_in_python_and_in_sql(key, text, digest):
    assert pseudonymise(pd.Series([text]), key=key).tolist() == [digest[:32]]
    with duckdb.connect() as connection:
        sql = f"SELECT {hmac_sql('id', key=key)} FROM (SELECT ? AS id)"
        assert connection.execute(sql, [text]).fetchall() == [(digest[:32],)]


@pytest.mark.parametrize("length", [1, 63, 64, 65, 200])
def test_sql_and_python_agree_for_any_length_of_key_and_any_text(length):
    key = bytes(range(1, length + 1))
    ids = pd.Series(["a", "Zoë", "日本", "o'hara", '"', "x" * 500, "a b", None], dtype="str")
    with duckdb.connect() as connection:
        frame = pd.DataFrame({"id": ids})
        connection.register("ids", frame)
        found = connection.execute(f"SELECT {hmac_sql('id', key=key)} FROM ids").fetchall()
    python = pseudonymise(ids, key=key)
    assert [row[0] or "missing" for row in found] == python.fillna("missing").tolist()


def test_missing_stays_missing_and_no_ids_give_an_empty_text_column():
    assert pseudonymise(pd.Series([None, "a"], dtype="str"), key=b"k").isna().tolist() == [True, False]
    for empty in (pd.Series([None, None]), pd.Series([], dtype="str")):
        assert str(pseudonymise(empty, key=b"k").dtype) == "str"


def test_key_is_from_the_environment_then_the_demo_then_forgotten(tmp_path, monkeypatch):
    monkeypatch.delenv("JOURNEY_KEY", raising=False)
    first, second = find_key(tmp_path), find_key(tmp_path)
    assert first[1] == second[1] == "this run" and first[0] != second[0] and len(first[0]) == 32
    (tmp_path / "demo_key.txt").write_text("demo-of-the-tests\n")
    assert find_key(tmp_path) == (b"demo-of-the-tests", "demo")
    (tmp_path / "demo_key.txt").write_text("a real key by mistake\n")
    assert find_key(tmp_path)[1] == "this run"
    monkeypatch.setenv("MY_KEY", "secret")
    assert find_key(tmp_path, variable="MY_KEY") == (b"secret", "environment")


def test_fingerprint_tells_keys_apart():
    assert fingerprint_key(b"a") != fingerprint_key(b"b") and len(fingerprint_key(b"a")) == 8


PEOPLE = [f"person-{name}-4711" for name in ("anna", "bob", "cleo")]


@pytest.fixture
def whole(shop):
    """A shop with every table in which people have ids."""
    a, b, c = PEOPLE
    shop.write(
        "survey_codebook.csv",
        "question,column,role,scale_min,scale_max\nid,ID,respondent,,\nnps,Q,nps,0,10\n",
    )
    shop.add("events", "event_id,customer,device_id,signed_in_as,occurred_at,name\n"
             f"e1,{b},dev-{b},{b},2026-07-01,view\ne2,{a},,,2026-07-01,view\ne3,,dev-{a},{c},2026-07-02,buy\n"
             f"e4,,dev-{c},,2026-07-02,buy\n")  # fmt: skip
    shop.add("orders", f"order,customer,ordered_at\no1,{c},2026-07-01\no2,{a},2026-07-02\n")
    shop.add("service_contacts", f"contact,customer,opened_at\nk1,{b},2026-07-01\nk2,,2026-07-01\n")
    shop.add("customers", f"customer,region\n{c},n\n{a},s\n{b},s\n")
    shop.add("consents", f"customer,purpose,granted_at\n{b},analytics,2026-07-01\n")
    return shop.add("survey", f"ID,Q\n{b},9\n{a},3\nperson-guest-4711,5\n", options='period = "2026Q3"')


def test_no_source_id_of_a_person_is_in_any_file_that_is_kept(whole):
    tables = whole.make()
    files = [path for path in tables.folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".parquet", ".csv", ".json"}
    assert len([path for path in files if path.suffix == ".parquet"]) == 7
    found = [
        (path.name, word) for path in files for word in (b"4711", b"person-") if word in path.read_bytes()
    ]
    assert found == []
    for path in files:  # compressed pages could hide what the bytes don't show
        if path.suffix == ".parquet":
            assert "4711" not in pd.read_parquet(path).to_csv()


def test_one_person_has_one_pseudonym_in_all_tables(whole):
    tables = whole.make()
    customers = set(tables.read("customers")["customer"])
    assert len(customers) == 3
    for table in ("events", "orders", "service_contacts", "consents", "responses"):
        assert set(tables.read(table)["customer"].dropna()) <= customers
    assert tables.read("responses")["customer"].notna().tolist() == [True, True, False]


def test_two_keys_give_equal_tables_up_to_the_pseudonyms_in_the_same_order(whole):
    first, second = whole.make(key=b"one", out="a"), whole.make(key=b"x" * 99, out="b")
    assert first.facts == second.facts
    pseudonyms = ["customer", "device_id", "signed_in_as", "response"]
    for table in first.facts["tables"]:
        left, right = first.read(table), second.read(table)
        pd.testing.assert_frame_equal(
            left.drop(columns=pseudonyms, errors="ignore"), right.drop(columns=pseudonyms, errors="ignore")
        )
        for name in set(pseudonyms) & set(left):
            both = pd.DataFrame({"left": left[name], "right": right[name]})
            assert (both["left"].isna() == both["right"].isna()).all()
            assert (
                both.dropna().drop_duplicates().shape[0] == both["left"].nunique() == both["right"].nunique()
            )
            assert not set(both["left"].dropna()) & set(both["right"].dropna())
