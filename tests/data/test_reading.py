"""Reading exports as tools write them: separators, encodings, packed, quoted, cut off, typed."""

from __future__ import annotations

import gzip
from datetime import date, datetime

import pandas as pd
import pytest

from journeylib.data.problems import InputError

ROWS = [("2026-07-01T10:00:00Z", "Größe"), ("2026-07-02T10:00:00Z", "zur Kasse")]
NAMES = ["Größe", "zur Kasse"]


def write_text(separator: str = ",", end: str = "\n") -> str:
    return end.join(separator.join(cells) for cells in [("occurred_at", "name"), *ROWS]) + end


def refuse(shop) -> str:
    with pytest.raises(InputError) as caught:
        shop.make()
    message = str(caught.value)
    assert 1 <= len(message.splitlines()) <= 5
    return message


def names_of(shop) -> list[str]:
    return shop.make().read("events")["name"].tolist()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("declared", [True, False])
def test_separator_is_read_declared_or_not(shop, separator, declared):
    shown = "\\t" if separator == "\t" else separator
    options = f'separator = "{shown}"' if declared else ""
    assert names_of(shop.add("events", write_text(separator), options=options)) == NAMES


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "cp437"]
)
def test_encoding_is_read_where_it_is_declared(shop, encoding):
    content = write_text().encode(encoding)
    assert names_of(shop.add("events", content, options=f'encoding = "{encoding}"')) == NAMES


def test_mark_at_the_beginning_needs_no_declaration_also_before_a_quote(shop):
    assert (
        names_of(shop.add("events", "\ufeff" + write_text().replace("occurred_at", '"occurred_at"'))) == NAMES
    )


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_windows_and_of_old_macs(shop, end):
    assert names_of(shop.add("events", write_text(end=end))) == NAMES


def test_line_ends_may_be_mixed_and_the_last_one_missing(shop, aside):
    text = "occurred_at,name\r\n2026-07-01,a\n2026-07-02,b\rbad,c\r\n2026-07-03,d"
    shop.add("events", text)
    tables = shop.make()
    assert tables.read("events")["name"].tolist() == ["a", "b", "d"]
    assert aside(tables) == [(4, "bad_date", "occurred_at")]


def test_packed_file_is_read_whatever_it_is_called(shop):
    content = gzip.compress(write_text().encode())
    assert names_of(shop.add("events", content, file="events.csv.gz")) == NAMES
    shop.rest = ""
    assert names_of(shop.add("events", content, file="events.csv")) == NAMES


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (b"", "", "an empty file"),
        (b"\n \n", "", "an empty file"),
        (b"\n2026-07-01,a\n", "", "line 1: found no header"),
        (b"occurred_at,name\n", "", "no rows under the header"),
        (write_text().encode("latin-1"), "", "line 2: found a byte (0xf6) that is not utf-8"),
        (
            b"occurred_at,name\n" + b"2026-07-01,a\n" * 90_000 + b"2026-07-01,\xe9\n",
            "",
            "line 90002: found a byte",
        ),
        (b"occurred_at,name\n2026-07-01,\x81\n", 'encoding = "cp1252"', "line 2: found a byte (0x81)"),
        (write_text().encode(), 'encoding = "utf-16"', "bytes that are not utf-16"),
        (b"occurred_at,name\n2026-07-01,a\0b\n", "", "line 2: found a binary file"),
        (b"PK\x03\x04whatever", "", "an Excel or zip file; expected text in CSV. To mend it: save it as CSV"),
        (b"PAR1whatever", "", 'a Parquet file; expected text in CSV. To mend it: declare format = "parquet"'),
        (b"occurred_at,name\n", 'format = "parquet"', 'declare format = "csv"'),
        (
            b'occurred_at,name\n2026-07-01,"a\n2026-07-02,b\n',
            "",
            "line 2: found a quote that is opened and never",
        ),
        (b"occurred_at,name\n2026-07-01,a\n2026-07", "", "line 3: found a last row that ends in the middle"),
        (b"occurred_at,name,name\n2026-07-01,a,b\n", "", "line 1: found column 'name' 2 times"),
        (b"when,name\n2026-07-01,a\n", "", "line 1: found no column for occurred_at"),
    ],
)
def test_file_that_can_t_be_read_is_refused_with_the_line_and_what_to_do(shop, content, options, said):
    message = refuse(shop.add("events", content, options=options))
    assert message.startswith("events.csv") and said in message


@pytest.mark.parametrize(
    "cut", [lambda packed: packed[:-9], lambda packed: packed[:20], lambda packed: b"plain"]
)
def test_packed_file_that_is_not_whole_is_refused(shop, cut):
    packed = gzip.compress(write_text().encode() * 50)
    assert "gzip file" in refuse(shop.add("events", cut(packed), file="events.csv.gz"))


@pytest.mark.parametrize("mark", [";", "\t", "|", ","])
@pytest.mark.parametrize("columns", ["", 'name = "name"'])
def test_wrong_separator_is_answered_with_the_right_one(shop, mark, columns):
    declared = "," if mark != "," else ";"
    message = refuse(
        shop.add("events", write_text(mark), options=f'separator = "{declared}"', columns=columns)
    )
    shown = "\\t" if mark == "\t" else mark
    assert f'write separator = "{shown}"' in message and len(message.splitlines()) == 1


def test_column_that_the_file_does_not_have_is_answered_with_the_nearest(shop):
    shop.add("events", "ts,event\n2026-07-01,a\n", columns='occurred_at = "tss"\nname = "event"')
    message = refuse(shop)
    assert (
        "found no column 'tss'; expected the column for occurred_at" in message
        and "did you mean ts?" in message
    )


def test_header_may_have_outer_spaces_and_quotes(shop):
    shop.add(
        "events", ' "occurred_at" , name ,"a, b"\n2026-07-01, "x, y" ,1\n', columns='"segment.ab" = "a, b"'
    )
    events = shop.make().read("events")
    assert events[["name", "segment.ab"]].to_numpy().tolist() == [["x, y", "1"]]


def test_text_loses_outer_blanks_of_all_kinds_and_an_empty_cell_is_missing(shop):
    shop.add("events", "occurred_at,name,channel\n2026-07-01,\u00a0 a\t,  \n2026-07-02,b,''\n")
    events = shop.make().read("events")
    assert events["name"].tolist() == ["a", "b"]
    assert events["channel"].isna().tolist() == [True, False]


def test_lines_of_faulty_rows_are_right_beside_quoted_line_ends_and_blank_lines(shop, steps, aside):
    text = (
        "occurred_at,name\n"  # 1
        '2026-07-01,"one\ntwo\n\nthree"\n'  # 2 to 5
        "\n"  # 6
        "bad,a\n"  # 7
        "2026-07-02,b,too many\n"  # 8
        '"too few"\n'  # 9
        '2026-07-03,"c"d\n'  # 10: text after a closed quote
        '2026-07-04,"say ""hi""\nthere"\n'  # 11 and 12
        "2026-07-05,\n"  # 13
        '2026-07-06,6" wide\n'  # 14
        "worse,e\n"  # 15
    )
    tables = shop.add("events", text).make()
    assert aside(tables) == [
        (8, "malformed_row", ""),
        (9, "malformed_row", ""),
        (10, "malformed_row", ""),
        (7, "bad_date", "occurred_at"),
        (13, "missing_name", "name"),
        (15, "bad_date", "occurred_at"),
    ]
    assert steps(tables) == {"rows in": 9, "malformed_row": 3, "bad_date": 2, "missing_name": 1, "used": 3}
    assert tables.read("events")["name"].tolist() == ["one\ntwo\n\nthree", 'say "hi"\nthere', '6" wide']


def test_lines_are_right_below_a_header_of_two_lines_and_in_a_file_of_one_column(shop, aside):
    text = 'occurred_at,name,"what\nwas it"\n2026-07-01,a,\n\nbad,b,\n'
    assert aside(shop.add("events", text).make()) == [(5, "bad_date", "occurred_at")]
    shop.rest = ""
    columns = 'occurred_at = "t"\nname = "t"'
    tables = shop.add("events", "t\n2026-07-01\n\nbad\n2026-07-02\n", columns=columns).make()
    assert aside(tables) == [(3, "missing_occurred_at", "occurred_at"), (4, "bad_date", "occurred_at")]


def test_rows_of_many_quoted_lines_are_whole_in_a_larger_file(shop, steps, aside):
    rows = "".join(f'2026-07-01,"{n}\n{"text, " * 30}\n""{n}"""\n' for n in range(20_000))
    tables = shop.add("events", "occurred_at,name\n" + rows + "bad,b\n").make()
    assert steps(tables) == {"rows in": 20_001, "bad_date": 1, "used": 20_000}
    assert aside(tables) == [(60_002, "bad_date", "occurred_at")]


def test_lines_are_right_in_a_packed_file_in_another_encoding_with_windows_line_ends(shop, aside):
    text = 'occurred_at;name\r\n2026-07-01;"ä\r\nö"\r\n\r\n2026-07-01;a;b\r\nbad;ü\r\n'
    content = gzip.compress(text.encode("cp1252"))
    tables = shop.add("events", content, file="e.csv.gz", options='encoding = "cp1252"').make()
    assert aside(tables) == [(5, "malformed_row", ""), (6, "bad_date", "occurred_at")]


def test_cell_of_three_megabytes_is_read_and_lines_after_it_are_right(shop, aside):
    tables = shop.add("events", 'occurred_at,name\n2026-07-01,"' + "x\n" * 1_500_000 + '"\nbad,b\n').make()
    assert len(tables.read("events")["name"][0]) == 2_999_999
    assert aside(tables) == [(1_500_003, "bad_date", "occurred_at")]


def test_several_files_of_one_source_may_be_of_both_kinds_and_one_without_rows(shop, steps):
    shop.write("raw/a.csv", "occurred_at,name\n")
    shop.write("raw/b.csv", "occurred_at,name\n2026-07-01,a\n2026-07-02,a,b\n")
    pd.DataFrame({"occurred_at": [datetime(2026, 7, 3)], "name": ["c"]}).to_parquet(
        shop.folder / "raw/c.parquet"
    )
    tables = shop.declare('[sources.events.one]\npath = "raw/*"').make()
    assert tables.read("events")["name"].tolist() == ["a", "c"]
    assert steps(tables) == {"rows in": 3, "malformed_row": 1, "used": 2}
    assert [one["rows"] for one in tables.facts["inputs"]] == [0, 2, 1]
    assert all(len(one["sha256"]) == 64 for one in tables.facts["inputs"])


# Parquet


def read_parquet(shop, frame: pd.DataFrame, *, options: str = "", columns: str = "") -> pd.DataFrame:
    frame.to_parquet(shop.folder / "events.parquet")
    place = "sources.events.one"
    shop.rest = f'[{place}]\npath = "events.parquet"\n{options}\n[{place}.columns]\n{columns}\n'
    return shop.make().read("events")


def test_parquet_with_typed_and_with_text_times_gives_the_same_instants(shop, us):
    wanted = us("2026-07-01T10:00:00+02:00")
    local, text = datetime(2026, 7, 1, 10), "2026-07-01 10:00:00"
    zoned = pd.Timestamp("2026-07-01T08:00", tz="UTC")
    for value in (local, text, zoned, zoned.tz_convert("Asia/Tokyo")):
        events = read_parquet(shop, pd.DataFrame({"occurred_at": [value], "name": ["a"]}))
        assert events[["occurred_at", "precision"]].to_numpy().tolist() == [[wanted, "second"]]
    nanoseconds = pd.DataFrame({"occurred_at": pd.Series([local]).astype("datetime64[ns]"), "name": ["a"]})
    assert read_parquet(shop, nanoseconds)["occurred_at"].tolist() == [wanted]


def test_parquet_dates_are_days_of_the_business(shop, us):
    events = read_parquet(shop, pd.DataFrame({"occurred_at": [date(2026, 7, 1)], "name": ["a"]}))
    assert events["occurred_at"].tolist() == [us("2026-07-01T00:00:00+02:00")]
    assert events["precision"].tolist() == ["day"]


def test_parquet_numbers_become_the_text_that_the_same_id_has_in_csv(shop):
    frame = pd.DataFrame(
        {
            "t": ["2026-07-01"] * 2,
            "n": [7, 8],
            "channel": [3.0, None],
            "basket": [2.5, 1e15],
            "online": [True, False],
        }
    )
    events = read_parquet(shop, frame, columns='occurred_at = "t"\nname = "n"')
    assert events["name"].tolist() == ["7", "8"]
    assert events["channel"].tolist()[0] == "3" and events["channel"].isna().tolist() == [False, True]
    assert events["basket"].tolist() == ["2.5", "1000000000000000"]
    assert events["online"].tolist() == [True, False]


def test_parquet_column_without_any_value_stays_text_and_headers_lose_outer_spaces(shop):
    frame = pd.DataFrame({" occurred_at ": ["2026-07-01"], "name": ["a"], "channel": [None]})
    events = read_parquet(shop, frame)
    assert events["channel"].isna().all() and events["channel"].dtype == "str"


def test_parquet_columns_may_be_joined_and_epochs_are_numbers(shop, us):
    frame = pd.DataFrame({"d": [date(2026, 7, 1)], "t": ["10:30"], "name": ["a"], "at": [1782892800000]})
    joined = read_parquet(shop, frame, columns='occurred_at = ["d", "t"]')
    assert joined["occurred_at"].tolist() == [us("2026-07-01T10:30:00+02:00")]
    epoch = read_parquet(shop, frame, options='date_format = "epoch_ms"', columns='occurred_at = "at"')
    assert epoch["occurred_at"].tolist() == [us("2026-07-01T08:00:00Z")]


def test_faulty_row_of_parquet_is_named_by_its_number(shop, aside):
    pd.DataFrame({"occurred_at": ["2026-07-01", "bad"], "name": "a"}).to_parquet(shop.folder / "e.parquet")
    tables = shop.declare('[sources.events.one]\npath = "e.parquet"').make()
    assert aside(tables) == [(2, "bad_date", "occurred_at")]


def test_parquet_that_was_cut_off_is_refused(shop):
    pd.DataFrame({"occurred_at": ["2026-07-01"], "name": ["a"]}).to_parquet(shop.folder / "e.parquet")
    content = (shop.folder / "e.parquet").read_bytes()
    shop.add("events", content[:-20], file="e.parquet")
    assert "a file that is not whole Parquet" in refuse(shop)


# Times and numbers


def read_times(shop, times: list[str], *, options: str = "") -> list:
    rows = "".join(f'"{at}",e{place},{place}\n' for place, at in enumerate(times))
    shop.rest = ""
    events = shop.add(
        "events", "occurred_at,name,sequence\nbad,b,0\n2026-01-01T00:00,x,-1\n" + rows, options=options
    )
    found = events.make().read("events").set_index("name")["occurred_at"].to_dict()
    return [found.get(f"e{place}") for place in range(len(times))]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-07-01", "2026-07-01T00:00:00+02:00"),
        ("2026-7-1", "2026-07-01T00:00:00+02:00"),
        ("2026-07-01 10:00", "2026-07-01T10:00:00+02:00"),
        ("2026-07-01T9:05:07", "2026-07-01T09:05:07+02:00"),
        ("2026-07-01T10:00:00,25", "2026-07-01T10:00:00.25+02:00"),
        ("2026-07-01T10:00:00.123456789Z", "2026-07-01T10:00:00.123456Z"),
        ("2026-07-01T10:00:00 UTC", "2026-07-01T10:00:00Z"),
        ("2026-07-01T10:00:00+0530", "2026-07-01T10:00:00+05:30"),
        ("2026-07-01 10:00-03", "2026-07-01T10:00:00-03:00"),
        ("2026-7-1 9:05-03:00", "2026-07-01T09:05:00-03:00"),
        ("2026-02-30", None),
        ("2026-07-01 25:00", None),
        ("01.07.2026", None),
        ("20260701", None),
        ("infinity", None),
        ("now", None),
    ],
)
def test_time_without_a_declared_format_is_iso_in_the_business_s_zone(shop, us, text, instant):
    assert read_times(shop, [text]) == [us(instant) if instant else None]


def test_hour_that_the_clock_skips_is_the_one_after_and_the_repeated_one_the_second(shop, us):
    found = read_times(shop, ["2026-03-29 02:30", "2026-10-25 02:30", "2026-10-25 02:30+02:00"])
    assert found == [us("2026-03-29T01:30:00Z"), us("2026-10-25T01:30:00Z"), us("2026-10-25T00:30:00Z")]


def test_several_date_formats_are_tried_in_turn(shop, us):
    options = (
        'date_format = ["%Y-%m-%dT%H:%M", "%d.%m.%Y %-H:%M", "%d.%m.%Y", "%d/%b/%Y:%H:%M:%S %z", "epoch_ms"]'
    )
    texts = [
        "01.07.2026 9:30",
        "02.07.2026",
        "01/Jul/2026:10:00:00 +0200",
        "1782892800123",
        "7/2/2026",
        "9e30",
    ]
    wanted = [
        us("2026-07-01T09:30:00+02:00"), us("2026-07-02T00:00:00+02:00"), us("2026-07-01T08:00:00Z"),
        us("2026-07-01T08:00:00.123Z"), None, None,
    ]  # fmt: skip
    assert read_times(shop, texts, options=options) == wanted
    precision = shop.make().read("events").set_index("name")["precision"]
    assert precision[["e0", "e1", "e2", "e3"]].tolist() == ["second", "day", "second", "second"]


@pytest.mark.parametrize(
    ("form", "text", "instant"),
    [
        ("epoch_s", "1782892800", "2026-07-01T08:00:00Z"),
        ("epoch_s", "1782892800.5", "2026-07-01T08:00:00.5Z"),
        ("epoch_ms", "1.7828928E+12", "2026-07-01T08:00:00Z"),
        ("epoch_us", "1782892800000001", "2026-07-01T08:00:00.000001Z"),
        ("epoch_s", "-99999999999999", None),
        ("epoch_ms", "99999999999999999999999", None),
    ],
)
def test_epochs_are_read_and_an_impossible_one_is_a_bad_date(shop, us, form, text, instant):
    options = f'date_format = ["{form}", "%Y-%m-%dT%H:%M"]'
    assert read_times(shop, [text], options=options) == [us(instant) if instant else None]


def test_source_s_own_zone_is_for_its_clock_and_a_bare_day_is_the_business_s(shop, us):
    # A day in Tokyo begins on the day before in Berlin: as a calendar day it must stay what it is.
    found = read_times(shop, ["2026-07-01 10:00", "2026-07-01"], options='timezone = "Asia/Tokyo"')
    assert found == [us("2026-07-01T10:00:00+09:00"), us("2026-07-01T00:00:00+02:00")]
    events = shop.make().read("events").set_index("name")
    assert (pd.Timestamp("1970-01-01") + pd.Timedelta(days=int(events.loc["e1", "local_day"]))).day == 1


def test_joined_columns_are_read_as_one_text(shop, us):
    text = "year;month;day;name\n2026;7;1;a\n2026;7;;b\n"
    columns = 'occurred_at = ["year", "month", "day"]'
    tables = shop.add("events", text, options='date_format = "%Y %m %d"', columns=columns).make()
    assert tables.read("events")["occurred_at"].tolist() == [us("2026-07-01T00:00:00+02:00")]


@pytest.mark.parametrize(
    ("separator", "text", "value"),
    [
        (";", "12,50", 12.5),
        (";", "12.50", 12.5),
        (";", "-0,5", -0.5),
        (",", "1e3", 1000.0),
        (",", ".5", 0.5),
        (";", "1.234,56", None),
        (",", "1e999", None),
        (",", "0x10", None),
        (",", "nan", None),
        (",", "5 EUR", None),
    ],
)
def test_number_is_read_also_with_a_decimal_comma(shop, steps, separator, text, value):
    rows = [("occurred_at", "name", "value"), ("2026-07-01", "a", "1"), ("2026-07-01", "b", text)]
    tables = shop.add("events", "\n".join(separator.join(cells) for cells in rows) + "\n").make()
    found = tables.read("events").set_index("name")["value"].to_dict()
    assert found.get("b") == value
    assert steps(tables).get("bad_number", 0) == (value is None)


def test_whole_numbers_keep_all_their_digits(shop, aside):
    text = "occurred_at,name,sequence\n2026-07-01,a,1782892800000000001\n2026-07-01,b,3.0\n2026-07-01,c,3.5\n"
    tables = shop.add("events", text).make()
    assert set(tables.read("events")["sequence"]) == {1782892800000000001, 3}
    assert aside(tables) == [(4, "bad_number", "sequence")]
