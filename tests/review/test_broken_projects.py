"""Whatever is wrong with a project: exit 2, one to five sentences on how to mend it, no report touched."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

PERIOD = "2024Q3"
TOML, BOOK, CLICKS, SURVEY, POINTS = (
    "journey.toml",
    "survey_codebook.csv",
    "raw/clicks.csv",
    "raw/survey.csv",
    "touchpoints.csv",
)
READS_CLICKS = '[sources.events.clicks]\npath = "raw/clicks.csv"\n'
READS_SURVEY = '[sources.survey.autumn]\npath = "raw/survey.csv"\n'
Break = Callable[[Path], object]


def swap(file: str, old: str, new: str) -> Break:
    """Replace one piece of a file."""

    def change(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text, f"{old!r} does not stand in {file}"
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")

    return change


def swap_all(file: str, old: str, new: str) -> Break:
    return lambda folder: (folder / file).write_text((folder / file).read_text().replace(old, new))


def write(file: str, content: bytes | str) -> Break:
    raw = content if isinstance(content, bytes) else content.encode()
    return lambda folder: (folder / file).write_bytes(raw)


def add(file: str, text: str) -> Break:
    def change(folder: Path) -> None:
        path = folder / file
        path.write_text((path.read_text() if path.exists() else "") + text, encoding="utf-8", newline="\n")

    return change


def cut(file: str, letters: int) -> Break:
    """Cut off a file's last letters."""
    return lambda folder: (folder / file).write_bytes((folder / file).read_bytes()[:-letters])


def remove(file: str) -> Break:
    return lambda folder: (folder / file).unlink()


def both(*breaks: Break) -> Break:
    def change(folder: Path) -> None:
        for one in breaks:
            one(folder)

    return change


def make_folder_of(file: str) -> Break:
    return both(remove(file), lambda folder: (folder / file).mkdir())


def rename_clicks(name: str) -> Break:
    return both(lambda folder: (folder / CLICKS).rename(folder / name), swap(TOML, CLICKS, name))


def pack_clicks(keep: float) -> Break:
    def change(folder: Path) -> None:
        packed = gzip.compress((folder / CLICKS).read_bytes())
        (folder / "raw/clicks.csv.gz").write_bytes(packed[: int(len(packed) * keep)])

    return both(change, swap(TOML, CLICKS, "raw/clicks.csv.gz"))


def turn_into_parquet(keep: float = 1.0, drop: str = "") -> Break:
    def change(folder: Path) -> None:
        clicks = pd.read_csv(folder / CLICKS)
        path = folder / "raw/clicks.parquet"
        clicks.drop(columns=[drop] if drop else []).to_parquet(path)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])

    return both(change, swap(TOML, CLICKS, "raw/clicks.parquet"))


def head(file: str) -> Break:
    return lambda folder: (folder / file).write_text((folder / file).read_text().splitlines()[0] + "\n")


def declare(key: str, *, of: str = READS_CLICKS) -> Break:
    """Add a line to the section of a source."""
    return swap(TOML, of, f"{of}{key}\n")


# What is broken, how, and what the sentence must say (a regular expression).
BROKEN: dict[str, tuple[Break, str]] = {
    # journey.toml
    "no toml": (remove(TOML), r"journey\.toml: .*no such file.*journey init"),
    "toml is a folder": (make_folder_of(TOML), r"journey\.toml: .*a folder|directory"),
    "toml empty": (write(TOML, ""), r"journey\.toml.*\[project\]"),
    "toml binary": (write(TOML, b"\xff\xfe\x00x"), r"journey\.toml.*not UTF-8"),
    "toml cut off in a key": (lambda f: (f / TOML).write_text((f / TOML).read_text()[:30]), "line 3"),
    "toml cut off in a section": (lambda f: (f / TOML).write_text((f / TOML).read_text()[:60]), "line 5"),
    "toml says a key twice": (swap(TOML, 'slug = "tiny"', 'slug = "tiny"\nslug = "x"'), "line 3.*TOML"),
    "unknown key": (swap(TOML, "timezone", "time_zone"), "line 3.*time_zone.*did you mean timezone"),
    "unknown section": (add(TOML, "[target]\nnps = 3\n"), r"\[target\].*did you mean targets"),
    "unknown key of a source": (declare('separater = ";"'), "line 7.*separater.*did you mean separator"),
    "unknown table": (swap(TOML, "sources.events", "sources.event"), "'event'.*did you mean events"),
    "source without a name": (swap(TOML, "events.clicks", "events"), r"sources\.events\.<name>"),
    "no sources": (both(swap(TOML, READS_CLICKS, ""), swap(TOML, READS_SURVEY, "")), "no source"),
    "bad time zone": (swap(TOML, "Berlin", "Berln"), "line 3.*'Europe/Berln'.*IANA.*Europe/Berlin"),
    "time zone is a number": (swap(TOML, '"Europe/Berlin"', "1"), "line 3.*timezone.*found 1"),
    "bad zone of a source": (declare('timezone = "CET+1:00"'), "line 7.*IANA"),
    "bad as_of": (swap(TOML, 'slug = "tiny"', 'slug = "tiny"\nas_of = "yesterday"'), "line 3.*'yesterday'"),
    "slug that leaves OUT": (swap(TOML, '"tiny"', '"../tiny"'), r"line 2.*'\.\./tiny'"),
    "month 13": (swap(TOML, "[project]", "[project]\nfiscal_start_month = 13"), "line 2.*13.*1 to 12"),
    "unknown column of ours": (add(TOML, "[sources.events.clicks.columns]\nnam = 'x'\n"), "nam.*name"),
    "no column named": (add(TOML, "[sources.events.clicks.columns]\nname = []\n"), r"name: found \[\]"),
    "unknown format": (declare('format = "json"'), "'json'.*csv or parquet"),
    "unknown encoding": (declare('encoding = "utf-9"'), "line 7.*'utf-9'"),
    "encoding that makes no text": (declare('encoding = "hex"'), "line 7.*'hex'"),
    "separator of two letters": (declare('separator = ";;"'), "line 7.*';;'.*one character"),
    "target for an unknown metric": (swap(TOML, "nps =", "npps ="), r"line 1\d.*'npps'.*did you mean nps"),
    "target in quotes": (swap(TOML, "nps = 30", 'nps = "30"'), r"line 1\d.*a number"),
    "target that is no number": (swap(TOML, "nps = 30", "nps = nan"), r"line 1\d.*a number"),
    "minimum effect, unknown metric": (add(TOML, "[minimum_effect]\nx = 1\n"), "unknown metric 'x'"),
    "gate above 100 percent": (add(TOML, "[gates]\nmax_unmapped = 200\n"), "200.*from 0 to 100"),
    "freshness below 0": (add(TOML, "[gates]\nfreshness_days = -3\n"), "-3.*days"),
    "freshness of an unknown table": (add(TOML, "[gates]\nfreshness_days = {clicks = 3}\n"), "clicks.*days"),
    "minimum base 0": (add(TOML, "[privacy]\nminimum_base = 0\n"), "found 0.*from 1 up"),
    "key variable that can't be": (add(TOML, '[privacy]\nkey_env = "A=B"\n'), "'A=B'.*environment"),
    "unknown engine": (add(TOML, '[engine]\nname = "polars"\n'), "'polars'.*duckdb"),
    "memory without a number": (add(TOML, '[engine]\nmemory_limit = "much"\n'), "'much'.*memory"),
    # funnels
    "funnel step that does not exist": (swap(TOML, '"basket"', '"bascet"'), "line 12.*'bascet'.*basket"),
    "funnel event that never comes": (swap(TOML, "event:purchase", "event:buy"), "line 12.*'event:buy'"),
    "funnel stage that does not exist": (swap(TOML, "event:purchase", "stage:buy"), "line 12.*'stage:buy'"),
    "funnel with one step": (swap(TOML, '"basket", "event:purchase"', ""), "line 12.*two or more"),
    "funnel of an unknown unit": (swap(TOML, "window_days = 7", 'unit = "visits"'), "line 13.*'visits'"),
    "funnel window below 0": (swap(TOML, "window_days = 7", "window_days = -7"), "line 13.*-7.*above 0"),
    # sources as files
    "source missing": (remove(CLICKS), r"line 6.*no such file.*raw/clicks\.csv.*--data"),
    "source is a folder": (make_folder_of(CLICKS), "line 6.*(a folder|no such file).*raw/clicks"),
    "pattern that matches nothing": (swap(TOML, CLICKS, "raw/*.tsv"), r"line 6.*no file.*pattern.*\*\.tsv"),
    "source empty": (write(CLICKS, ""), r"raw/clicks\.csv: found an empty file"),
    "source of blank lines": (write(CLICKS, "\n\n"), r"raw/clicks\.csv: found an empty file"),
    "source binary": (write(CLICKS, bytes(range(256)) * 9), r"raw/clicks\.csv, line \d"),
    "source with a zero byte": (write(CLICKS, "occurred_at,name\n2024-07-01,\0\n"), "line 2.*binary"),
    "source is a workbook": (write(CLICKS, b"PK\x03\x04" + bytes(99)), r"clicks\.csv.*(binary|Excel)"),
    "source cut off in a row": (cut(CLICKS, 30), r"clicks\.csv, line 147.*ends in the middle.*again"),
    "survey cut off in a row": (cut(SURVEY, 8), r"survey\.csv, line 73.*ends in the middle.*again"),
    "source cut off in a quote": (add(CLICKS, '2024-07-01T10:00:00Z,"vie'), "line 148.*quote.*never closed"),
    "gzip cut off": (pack_clicks(0.9), r"clicks\.csv\.gz: .*gzip.*cut off"),
    "not gzip, named .gz": (rename_clicks("raw/clicks.csv.gz"), r"clicks\.csv\.gz: .*gzip"),
    "Parquet cut off": (turn_into_parquet(0.7), r"clicks\.parquet: .*not whole Parquet"),
    "CSV named Parquet": (rename_clicks("raw/clicks.parquet"), r"clicks\.parquet: .*not whole Parquet"),
    "Parquet without a column": (turn_into_parquet(drop="name"), r"clicks\.parquet.*no column for name"),
    "source of a header alone": (head(CLICKS), r"clicks\.csv: found no rows"),
    "survey of a header alone": (head(SURVEY), r"survey\.csv: found no rows"),
    "not UTF-8, no encoding said": (
        lambda f: (f / SURVEY).write_bytes((f / SURVEY).read_text().replace(",s", ",ö").encode("latin-1")),
        r"survey\.csv, line \d+.*0xf6.*not utf-8.*latin-1",
    ),
    "not in the encoding that was said": (declare('encoding = "utf-16"'), r"clicks\.csv.*utf-16"),
    # columns
    "column missing": (swap(CLICKS, "name", "nme"), "line 1.*no column for name.*nme"),
    "mapped column missing": (
        add(TOML, "[sources.events.clicks.columns]\nbasket = 'cart'\n"),
        r"clicks\.csv, line 1.*'cart'.*basket",
    ),
    "column twice": (swap(CLICKS, "event_id", "name"), "line 1.*'name' 2 times"),
    "wrong separator": (declare('separator = ";"'), r"clicks\.csv, line 1.*separator"),
    "wrong separator of a survey": (declare('separator = ";"', of=READS_SURVEY), r"survey\.csv.*separator"),
    # times
    "all dates bad": (swap_all(CLICKS, "2024-", "x"), r"line 2, occurred_at.*bad_date.*date_format"),
    "all dates of a survey bad": (swap_all(SURVEY, "2024-", "x"), "line 2, answered.*bad_date.*date_format"),
    "wrong date_format": (declare('date_format = "%d.%m.%Y"'), "line 2, occurred_at.*bad_date"),
    "date_format of no format": (declare('date_format = "YYYY-MM"'), "line 7.*'YYYY-MM'.*%"),
    "date_format with an unknown sign": (declare('date_format = "%Q"'), r"%Q"),
    "all from the future": (swap_all(CLICKS, "2024-", "2924-"), "line 2, occurred_at.*future"),
    "wave without period and dates": (
        swap(BOOK, "when,answered,answered_at,,,,,,,,,\n", ""),
        r"journey\.toml.*wave without period.*period = ",
    ),
    "wave of no period": (declare('period = "autumn"', of=READS_SURVEY), "line 10.*'autumn'.*2026Q3"),
    "wave of two files": (
        both(swap(TOML, SURVEY, "raw/s*.csv"), lambda f: (f / "raw/s2.csv").write_text("id\n1\n")),
        r"journey\.toml.*2 files",
    ),
    # codebook
    "no codebook": (remove(BOOK), r"survey_codebook\.csv: found no"),
    "codebook empty": (write(BOOK, ""), r"survey_codebook\.csv.*'question'|empty"),
    "codebook binary": (write(BOOK, b"\x89PNG\x00\xff"), r"survey_codebook\.csv"),
    "codebook is a folder": (make_folder_of(BOOK), r"survey_codebook\.csv"),
    "codebook with an unknown column": (swap(BOOK, "orientation", "orient"), "line 1.*mean orientation"),
    "codebook without scale": (swap(BOOK, "How happy?,1,5", "How happy?,,"), "line 7.*scale.*csat"),
    "codebook scale in words": (swap(BOOK, "1,7", "one,7"), "line 6, scale_min.*'one'"),
    "nps from 1 to 10": (swap(BOOK, "us?,0,10", "us?,1,10"), "line 5.*from 1 to 10 for nps.*0"),
    "nps blank code inside the scale": (swap(BOOK, "10,,11", "10,,10"), "line 5, blank.*'10'"),
    "ces without orientation": (swap(BOOK, "higher_is_better", ""), "line 6, orientation.*ces"),
    "orientation unknown": (swap(BOOK, "higher_is_better", "up"), "line 6, orientation.*'up'"),
    "role unknown": (swap(BOOK, "csat", "csatt"), "line 7, role.*'csatt'.*did you mean csat"),
    "stage unknown in the codebook": (swap(BOOK, "consideration", "thinking"), "line 7, stage.*'thinking'"),
    "codebook column that the file lacks": (swap(BOOK, "q1,nps", "q9,nps"), r"line 5.*'q9'.*raw/survey\.csv"),
    "question twice": (add(BOOK, "happy,q3,csat,,,How?,1,5,,0,6,\n"), "line 9.*'happy' on lines 7, 9"),
    "codebook row cut off": (cut(BOOK, 20), r"survey_codebook\.csv, line 8.*cells"),
    # tables beside
    "touchpoint of an unknown stage": (swap(POINTS, "consideration", "thinking"), r"points\.csv, line 2"),
    "touchpoint row cut off": (add(POINTS, "mail,post\n"), r"touchpoints\.csv, line 5.*2 cells"),
    "touchpoint in two stages": (add(POINTS, "x,shop,decision,web,yes\n"), r"line 5, stage.*'shop'"),
    "online neither yes nor no": (swap(POINTS, "web,yes", "web,often"), r"line 2, online.*'often'"),
    "action without a real date": (add("actions.csv", "action,due\nmend,soon\n"), "line 2, due.*'soon'"),
    "change of an unknown kind": (
        add("changes.csv", "change,kind,started_on\nx,repair,2024-07-01\n"),
        r"changes\.csv, line 2, kind.*'repair'.*mend",
    ),
}  # fmt: skip

# Other words after the command, and what the sentence must say.
ASKED: dict[str, tuple[list[str], str]] = {
    "misspelt parameter": (["-p", "nam=1"], "--parameter.*'nam'.*most_rows"),
    "misspelt parameter, near": (["-p", "most_row=1"], "did you mean most_rows"),
    "parameter without a value": (["--parameter", "most_rows"], "--parameter.*NAME=VALUE"),
    "parameter of a wrong type": (["-p", "most_rows=many"], "most_rows=many.*a whole number"),
    "parameter below 1": (["-p", "most_rows=0"], "most_rows=0.*above 0"),
    "parameter twice": (["-p", "most_rows=3", "-p", "most_rows=4"], "'most_rows' twice"),
    "parameter that the run sets": (["-p", "tables=elsewhere"], "unknown parameter 'tables'"),
    "as-of that is no time": (["--as-of", "yesterday"], "--as-of.*'yesterday'.*2026-10-10"),
    "as-of before all data": (
        ["--as-of", "1999-01-01"],
        "(after_as_of|earlier than all rows).*(choose a )?later",
    ),
    "period that is none": (["--period", "Q3"], "--period.*'Q3'.*2026Q3"),
    "month 13": (["--period", "2024-13"], "--period.*'2024-13'"),
    "year 0001": (["--period", "0001"], "--period.*'0001'"),
    "period outside the data": (["--period", "2019Q3"], "2019Q3.*no row.*2024-04-02 to 2024-09-30"),
    "fiscal period outside the data": (["--period", "FY2030"], "FY2030.*no row"),
    "data folder that is not there": (["--data", "nowhere"], "--data.*no such folder"),
}
MOST_LINES = 5


def check_sentences(err: str, says: str) -> None:
    lines = err.splitlines()
    assert 1 <= len(lines) <= MOST_LINES, err
    assert "Traceback" not in err and "Error:" not in err, err
    assert all(
        ": found " in line and "; expected " in line for line in lines if "more of this kind" not in line
    )
    assert "To mend it: " in lines[0], "each first sentence says how to mend it"
    assert str(Path.cwd()) not in err, "files are named as the project names them"
    assert re.search(says, err), f"{err!r} does not say {says!r}"


@pytest.fixture
def published(tmp_path: Path, make_report: Callable[..., Path]) -> Path:
    """Return an OUT that holds a last good report."""
    make_report(tmp_path / "out" / "tiny" / PERIOD)
    return tmp_path / "out"


@pytest.fixture(autouse=True)
def no_scratch_folder_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    yield
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_project_is_exit_2_and_a_sentence_that_says_how_to_mend_it(
    name, tiny, command, published, look
):
    change, says = BROKEN[name]
    change(tiny)
    project, reports = look(tiny), look(published)
    checked = command("check", tiny, "--period", PERIOD)
    reviewed = command("review", tiny, "--period", PERIOD, "--out", published)
    for ended in (checked, reviewed):
        assert (ended.code, ended.out) == (2, ""), ended
        check_sentences(ended.err, says)
    assert checked.err == reviewed.err, "check finds what review finds"
    assert look(published) == reports, "the last good report is untouched, and nothing else is left"
    assert look(tiny) == project, "nothing is written into the project's folder"


@pytest.mark.parametrize("name", ASKED)
def test_a_wrong_request_is_exit_2_and_a_sentence(name, tiny, command, published, look):
    words, says = ASKED[name]
    period = [] if "--period" in words else ["--period", PERIOD]
    reports = look(published)
    checked = command("check", tiny, *period, *words)
    reviewed = command("review", tiny, "--out", published, *period, *words)
    for ended in (checked, reviewed):
        assert (ended.code, ended.out) == (2, ""), ended
        check_sentences(ended.err, says)
    assert checked.err == reviewed.err
    assert look(published) == reports


def test_many_faults_are_five_lines_and_the_last_counts_the_rest(tiny, command):
    swap_all(BOOK, ",1,", ",,")(tiny)
    swap_all(BOOK, "decision", "buying")(tiny)
    swap_all(POINTS, "web,yes", "web,often")(tiny)
    swap(TOML, "timezone", "time_zone")(tiny)
    ended = command("check", tiny)
    assert ended.code == 2
    assert len(ended.err.splitlines()) == MOST_LINES
    assert re.search(r"and \d+ more of this kind", ended.err.splitlines()[-1])


SMALL = {
    "orders": ("order,customer,ordered_at,revenue\no1,c1,2024-07-02,19.5\n", "ordered_at"),
    "service_contacts": ("contact,customer,opened_at\ns1,c1,2024-07-02\n", "opened_at"),
    "customers": ("customer,region,joined_at\nc1,North,2023-01-01\n", "customer"),
    "consents": (
        "customer,purpose,granted_at\n" + "".join(f"c{i},analytics,2024-01-01\n" for i in range(24)),
        "purpose",
    ),
    "exposures": ("day,touchpoint,reached,cost\n2024-07-02,TV,1000,50\n", "day"),
}


def declare_small(folder: Path, table: str, text: str | bytes) -> None:
    write(f"raw/{table}.csv", text)(folder)
    add(TOML, f'[sources.{table}.one]\npath = "raw/{table}.csv"\n')(folder)


@pytest.mark.parametrize("table", SMALL)
def test_each_small_table_is_read_where_it_is_declared(table, tiny, command):
    declare_small(tiny, table, SMALL[table][0])
    ended = command("check", tiny, "--period", PERIOD)
    assert (ended.code, ended.err) == (0, "")
    rows = SMALL[table][0].count("\n") - 1
    assert f"{table} one: rows in {rows}, used {rows}" in ended.out


@pytest.mark.parametrize("table", SMALL)
@pytest.mark.parametrize("broken", ["no column", "empty", "binary", "header", "no file"])
def test_a_small_table_that_is_declared_and_broken_is_exit_2(table, broken, tiny, command):
    text, needed = SMALL[table]
    texts: dict[str, str | bytes] = {
        "no column": text.replace(needed, "other"),
        "empty": "",
        "binary": bytes(range(256)) * 4,
        "header": text.splitlines()[0] + "\n",
        "no file": text,
    }
    declare_small(tiny, table, texts[broken])
    if broken == "no file":
        (tiny / "raw" / f"{table}.csv").unlink()
    ended = command("check", tiny, "--period", PERIOD)
    assert (ended.code, ended.out) == (2, "")
    check_sentences(ended.err, rf"raw/{table}\.csv")


def run_in_shell(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "journeylib", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["source cut off in a row", "toml cut off in a key"])
def test_the_command_in_a_shell_says_the_same(name, tiny, published, look):
    change, says = BROKEN[name]
    change(tiny)
    reports = look(published)
    done = run_in_shell(
        "review", os.path.relpath(tiny, published), "--period", PERIOD, "--out", ".", cwd=published
    )
    assert (done.returncode, done.stdout) == (2, "")
    check_sentences(done.stderr, says)
    assert look(published) == reports
