"""Many files of one source: they are read together, and each row still has its own file and line."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest

from journeylib.data import reading_batches
from journeylib.data.problems import InputError

HEADER = "event_id,occurred_at,name\n"
DAYS = 12


def write_days(shop, *, change: dict[int, bytes] | None = None, packed: bool = True) -> None:
    """Write a file a day with three rows, the last of them faulty; `change` gives a day other content."""
    for day in range(1, DAYS + 1):
        rows = "".join(f"e{day}-{row},2026-07-{day:02d}T10:00:0{row},view\n" for row in range(2))
        text = (HEADER + rows + f"e{day}-x,bad,view\n").encode()
        content = (change or {}).get(day, text)
        name = f"raw/clicks_{day:02d}.csv" + (".gz" if packed else "")
        shop.write(name, gzip.compress(content) if packed else content)
    if "sources.events" not in shop.rest:
        shop.declare(f'[sources.events.one]\npath = "raw/clicks_*.csv{".gz" if packed else ""}"')


def refuse(shop) -> str:
    with pytest.raises(InputError) as caught:
        shop.make()
    return str(caught.value)


@pytest.fixture
def passes(monkeypatch):
    """How many files each pass of the engine has read."""
    read: list[int] = []
    one, joined = reading_batches._Reading.read_one, reading_batches._Reading._read_path

    def count_one(self, file):
        read.append(1)
        return one(self, file)

    def count_joined(self, path, files):
        read.append(len(files))
        return joined(self, path, files)

    monkeypatch.setattr(reading_batches._Reading, "read_one", count_one)
    monkeypatch.setattr(reading_batches._Reading, "_read_path", count_joined)
    return read


@pytest.mark.parametrize("packed", [True, False])
def test_files_of_one_kind_are_read_in_one_pass_and_rows_keep_file_and_line(shop, steps, passes, packed):
    write_days(shop, packed=packed)
    tables = shop.make()
    assert passes == [DAYS]
    assert steps(tables) == {"rows in": 3 * DAYS, "bad_date": DAYS, "used": 2 * DAYS}
    aside = tables.read_quarantine()
    assert aside["line"].tolist() == [4] * DAYS
    assert [name[11:13] for name in aside["file"]] == [f"{day:02d}" for day in range(1, DAYS + 1)]
    assert [one["rows"] for one in tables.facts["inputs"]] == [3] * DAYS


def test_malformed_rows_missing_last_line_ends_marks_and_windows_line_ends_among_many(shop, steps, passes):
    changed = {
        1: b"\xef\xbb\xbf" + HEADER.encode() + b"a,2026-07-01,view,more\nb,2026-07-01,view\nc,bad,view",
        2: HEADER.replace("\n", "\r\n").encode() + b"d,2026-07-01,view\r\ne,bad\r\nf,bad,view\r\n",
        3: HEADER.strip().encode(),
        4: HEADER.encode() + b"only one cell\nanother\ng,2026-07-01,view",
        5: HEADER.encode(),
        DAYS: b"\xef\xbb\xbf" + HEADER.encode() + b"h,bad,view\n",
    }
    write_days(shop, change=changed)
    tables = shop.make()
    assert passes == [DAYS]
    rest = DAYS - len(changed)
    assert steps(tables) == {
        "rows in": 3 + 3 + 3 + 1 + 3 * rest,
        "malformed_row": 4,
        "bad_date": 3 + rest,
        "used": 3 + 2 * rest,
    }
    aside = tables.read_quarantine()
    found = {
        day: list(zip(rows["line"], rows["rule"], strict=True))
        for day, rows in aside.groupby(aside["file"].str.slice(11, 13).astype(int))
    }
    assert found[1] == [(2, "malformed_row"), (4, "bad_date")]
    assert found[2] == [(3, "malformed_row"), (4, "bad_date")]
    assert found[4] == [(2, "malformed_row"), (3, "malformed_row")] and found[DAYS] == [(2, "bad_date")]
    assert 3 not in found and 5 not in found and found[6] == [(4, "bad_date")]
    assert [one["rows"] for one in tables.facts["inputs"]] == [3, 3, 0, 3, 0, *[3] * (rest), 1]


def test_files_with_quotes_blank_lines_or_another_header_are_read_alone_and_in_their_place(shop, passes):
    changed = {
        3: b'event_id,occurred_at,name\nq,2026-07-03,"two\nlines"\nr,bad,view\n',
        5: HEADER.encode() + b"\ns,2026-07-05,view\n\nt,bad,view\n",
        8: b"name;occurred_at;event_id\nview;2026-07-08;u\nview;bad;v\n",
    }
    write_days(shop, change=changed)
    tables = shop.make()
    assert sorted(passes) == [1, 1, 1, 1, 2, 2, 4]
    aside = tables.read_quarantine()
    assert aside["line"].tolist() == [4, 4, 4, 4, 5, 4, 4, 3, 4, 4, 4, 4]
    assert tables.read("events")["name"].tolist().count("two\nlines") == 1
    assert {"q", "s", "u"} <= set(tables.read("events")["event_id"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEADER.encode() + b"a,2026-07-07,view\nb,2026", "line 3: found a last row that ends in the middle"),
        (HEADER.encode() + b'a,2026-07-07,"view\nb,2026-07-07,x\n', "a quote that is opened and never"),
        (HEADER.encode() + b"a,2026-07-07,\xe9\n", "line 2: found a byte (0xe9) that is not utf-8"),
        (HEADER.encode() + b"a,2026-07-07,a\0b\n", "line 2: found a binary file"),
        (b"id,when,what\na,2026-07-07,view\n", "line 1: found no column for occurred_at"),
        (b"", "an empty file"),
    ],
)
def test_one_faulty_file_among_many_is_named(shop, content, said):
    write_days(shop, change={7: content})
    message = refuse(shop)
    assert message.startswith("raw/clicks_07.csv.gz") and said in message


def test_packed_file_that_was_cut_off_is_named_among_many(shop):
    write_days(shop)
    path = shop.folder / "raw/clicks_07.csv.gz"
    path.write_bytes(path.read_bytes()[:-9])
    message = refuse(shop)
    assert message.startswith("raw/clicks_07.csv.gz: found a gzip file that was cut off")


def test_joined_files_that_do_not_add_up_are_read_one_by_one(shop, steps, passes, monkeypatch):
    write_days(shop)
    wanted = shop.make().read("events")
    passes.clear()
    monkeypatch.setattr(reading_batches._Reading, "_count", lambda self, part: 3)
    tables = shop.make(out="again")
    assert passes == [DAYS, *[1] * DAYS]
    pd.testing.assert_frame_equal(tables.read("events"), wanted)
    assert steps(tables)["used"] == 2 * DAYS


def test_small_tables_of_many_files_keep_file_and_line_too(shop, steps, aside):
    for day in range(1, 5):
        shop.write(f"raw/{day}.csv", f"order,ordered_at,revenue\no{day},2026-07-0{day},1\nx{day},bad,1\n")
    tables = shop.declare('[sources.orders.one]\npath = "raw/*.csv"').make()
    assert steps(tables, "orders") == {"rows in": 8, "bad_date": 4, "used": 4}
    assert aside(tables, "orders") == [(3, "bad_date", "ordered_at")] * 4
    assert tables.read_quarantine()["file"].tolist() == [f"raw/{day}.csv" for day in range(1, 5)]


@pytest.mark.parametrize("batch", [1, 200, 1 << 20])
def test_how_many_files_are_joined_changes_nothing(shop, monkeypatch, batch):
    write_days(shop, packed=False)
    monkeypatch.setattr(reading_batches, "BATCH", batch)
    tables = shop.make()
    assert tables.read("events")["event_id"].tolist() == sorted(
        (f"e{day}-{row}" for day in range(1, DAYS + 1) for row in range(2)),
        key=lambda name: (int(name[1:].split("-")[0]), name),
    )
    assert tables.read_quarantine()["line"].tolist() == [4] * DAYS


def test_check_writes_the_same_books_as_a_review_and_nobody_s_id(shop):
    write_days(shop)
    shop.add("orders", "order,customer,ordered_at\no1,anna-4711,2026-07-01\no2,anna-4711,bad\n")
    whole = shop.make()
    from journeylib.data.trusted import write_trusted_tables

    checked = write_trusted_tables(shop.read(), shop.folder / "checked", key=b"k", complete=False)
    for name in ("waterfall.csv", "quarantine.csv"):
        assert (whole.folder / name).read_bytes() == (checked.folder / name).read_bytes()
    shown = ("identity", "consent")  # counts of people, which only a chapter shows
    kept = [{key: one for key, one in made.facts.items() if key not in shown} for made in (whole, checked)]
    assert kept[0] == kept[1]
    assert not any("anna" in pd.read_parquet(path).to_csv() for path in checked.folder.glob("*.parquet"))
