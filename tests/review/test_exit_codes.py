"""What fails while running is exit 1 and one sentence; what may not be relied on is exit 3; the rest is 0."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from journeylib.review.publishing import hold_lock

PERIOD = "2024Q3"


@pytest.fixture
def published(tmp_path: Path, make_report: Callable[..., Path]) -> Path:
    make_report(tmp_path / "out" / "tiny" / PERIOD)
    return tmp_path / "out"


def check_failed(ended, says: str) -> None:
    """Assert exit 1, an empty stdout and one sentence."""
    assert (ended.code, ended.out) == (1, ""), ended
    assert re.fullmatch(rf"journey: {says}\.\n", ended.err), ended.err
    assert "Traceback" not in ended.err


def ended_process(process: subprocess.Popen[str], *, seconds: float = 90):
    out, err = process.communicate(timeout=seconds)
    return SimpleNamespace(code=process.returncode, out=out, err=err)


CHAPTER = "where_customers_leave"
FAULTS = {
    "an error": (
        "shares = 1\nraise ValueError('no share\\nof nothing')",
        rf"chapter {CHAPTER} failed in code cell 2 \(shares = 1\): ValueError: no share",
    ),
    "a dead kernel": (
        "import os\nos._exit(9)",
        rf"chapter {CHAPTER} lost its kernel in code cell 2 \(import os\); the machine .* short of memory",
    ),
    "a cell that takes too long": (
        "import time\ntime.sleep(90)",
        rf"chapter {CHAPTER} took longer than 2 seconds in code cell 2 \(import time\); "
        "give it more with --seconds",
    ),
    "a full disk": (
        "open('/dev/full', 'w').write('x' * 9999)",
        rf"chapter {CHAPTER} failed in code cell 2 .*No space left on device",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_chapter_that_fails_is_named_with_its_cell_and_the_others_are_stopped(
    fault, tiny, command, chapters, published, look
):
    code, says = FAULTS[fault]
    chapters({CHAPTER: code, "what_they_say": "import time\nfor _ in range(60):\n    time.sleep(1)"})
    reports, began = look(published), time.monotonic()
    limit = ["--seconds", 2] if fault == "a cell that takes too long" else []
    if limit:
        chapters({CHAPTER: code})
    ended = command("review", tiny, "--period", PERIOD, "--out", published, *limit)
    check_failed(ended, says)
    assert time.monotonic() - began < 45, "the other chapter was waited for"
    assert look(published) == reports
    assert not list(published.rglob("run-*")), "work files are left"


def test_the_first_page_is_a_chapter_too(tiny, command, chapters, published, look):
    chapters({"first_page": "1 / 0"})
    reports = look(published)
    ended = command("review", tiny, "--period", PERIOD, "--out", published)
    check_failed(ended, r"chapter first_page failed in code cell 2 \(1 / 0\): ZeroDivisionError: .*")
    assert look(published) == reports


def test_no_kernel_and_no_temporary_folder_is_left_where_a_chapter_fails(
    tiny, driver, kernels, scratch, tmp_path
):
    child = f"child = subprocess.Popen(['sleep', '77', {str(scratch / 'x')!r}])"
    long = f"import subprocess, time\n{child}\nopen({str(tmp_path / 'begun')!r}, 'w')\ntime.sleep(60)"
    begun = f"os.path.exists({str(tmp_path / 'begun')!r})"
    wait = f"import os, time\nwhile not {begun}:\n    time.sleep(0.05)\n1 / 0"
    process = driver("review", tiny, "--period", PERIOD, codes={CHAPTER: wait, "what_they_say": long})
    ended = ended_process(process)
    check_failed(ended, rf"chapter {CHAPTER} failed in code cell 2 .*ZeroDivisionError: division by zero")
    assert kernels() == [], "a kernel, or what it has started, runs on"
    assert list(scratch.iterdir()) == []
    assert not list((tmp_path / "reports").rglob("run-*"))


def test_a_second_run_at_the_same_time_is_one_sentence(tiny, command, published, look):
    reports = look(published)
    with hold_lock(published / "tiny" / "run"):
        ended = command("review", tiny, "--period", PERIOD, "--out", published)
    check_failed(ended, r"another run is writing to .*/tiny; wait until it ends, or choose another --out")
    assert look(published) == reports


def test_an_out_that_is_a_file_is_one_sentence(tiny, command, tmp_path):
    (tmp_path / "out").write_text("not a folder")
    ended = command("review", tiny, "--period", PERIOD, "--out", tmp_path / "out")
    check_failed(ended, r"can't write to .*/out/tiny \(.*\); choose another --out")
    assert (tmp_path / "out").read_text() == "not a folder"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_an_out_where_nothing_can_be_made_is_one_sentence(tiny, command):
    ended = command("review", tiny, "--period", PERIOD, "--out", "/proc/reports")
    check_failed(ended, r"can't write to /proc/reports/tiny \(.*\); choose another --out")


@pytest.fixture
def mount() -> Iterator[Callable[..., None]]:
    """Mount something where that is permitted; it is unmounted at the end."""
    mounted: list[Path] = []

    def do(*words: object, at: Path) -> None:
        done = subprocess.run(["mount", *map(str, words), str(at)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("mounting is not permitted here")
        mounted.append(at)

    if os.name == "nt" or not Path("/bin/mount").exists():
        pytest.skip("needs mount")
    yield do
    for at in reversed(mounted):
        subprocess.run(["umount", str(at)], capture_output=True, check=False)


def test_a_read_only_out_is_one_sentence_and_its_report_stays(tiny, command, published, look, mount):
    reports = look(published)
    mount("--bind", published, at=published)
    mount("-o", "remount,ro,bind", at=published)
    ended = command("review", tiny, "--period", PERIOD, "--out", published)
    check_failed(ended, r"can't write to .*/out/tiny \(Read-only file system\); choose another --out")
    assert look(published) == reports


@pytest.mark.parametrize("kilobytes", [16, 110])
def test_a_full_disk_is_one_sentence_and_the_last_report_stays(
    kilobytes, tiny, command, chapters, tmp_path, make_report, look, mount
):
    chapters({"what_they_say": "open('half.bin', 'wb').write(bytes(60_000))"})
    out = tmp_path / "disk"
    out.mkdir()
    mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "none", at=out)
    make_report(out / "tiny" / PERIOD, "good")
    reports = look(out)
    ended = command("review", tiny, "--period", PERIOD, "--out", out)
    check_failed(ended, ".*")
    assert re.search("[Nn]o space left|full|write|disk", ended.err), ended.err
    assert look(out) == reports
    assert not list(out.rglob("run-*")), "what was half written is gone"


@pytest.mark.parametrize("kilobytes", [60])
def test_a_file_that_may_not_grow_is_one_sentence(kilobytes, tiny, driver, published, look):
    resource = pytest.importorskip("resource", reason="needs limits on a process")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))

    reports = look(published)
    codes = {"what_they_say": "open('big.bin', 'wb').write(bytes(100_000))"}
    process = driver("review", tiny, "--period", PERIOD, "--out", published, codes=codes, prepare=limit)
    ended = ended_process(process)
    check_failed(ended, ".*")
    assert look(published) == reports
    assert not list(published.rglob("run-*"))


def test_a_disk_that_fills_while_the_report_is_published_is_one_sentence(
    tiny, command, chapters, published, look, monkeypatch
):
    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    chapters()
    reports = look(published)
    monkeypatch.setattr(os, "fsync", refuse)
    ended = command("review", tiny, "--period", PERIOD, "--out", published)
    check_failed(ended, r"could not write under .*/out: No space left on device; nothing was replaced")
    assert look(published) == reports


def test_a_machine_short_of_memory_is_one_sentence(tiny, command, published, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("journeylib.review.run.prepare_review", fail)
    ended = command("review", tiny, "--out", published)
    check_failed(ended, "the machine is short of memory; nothing was replaced")


def test_a_fault_of_our_own_is_one_sentence_and_a_way_to_see_where(tiny, command, published, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise KeyError("unexpected\nvery")

    monkeypatch.setattr("journeylib.review.run.prepare_review", fail)
    ended = command("review", tiny, "--out", published)
    check_failed(ended, r"KeyError: .*; nothing was replaced; JOURNEY_DEBUG=1 shows where")
    monkeypatch.setenv("JOURNEY_DEBUG", "1")
    with pytest.raises(KeyError):
        command("review", tiny, "--out", published)


def change_settings(folder: Path, more: str) -> None:
    with (folder / "journey.toml").open("a", encoding="utf-8") as settings:
        settings.write(more)


def drop_last_days(folder: Path) -> None:
    """Leave out what happened from 17 September on: the log ends 14 days before the quarter."""
    clicks = folder / "raw" / "clicks.csv"
    lines = clicks.read_text().splitlines(keepends=True)
    clicks.write_text("".join(line for line in lines if line < "2024-09-17" or line.startswith("occ")))


def map_no_purchase(folder: Path) -> None:
    points = folder / "touchpoints.csv"
    points.write_text(points.read_text().replace("purchase,", ",").replace("add*,", ","))
    settings = folder / "journey.toml"
    settings.write_text(settings.read_text().replace('"basket"', '"event:add_basket"'))


def break_rows(folder: Path) -> None:
    clicks = folder / "raw" / "clicks.csv"
    clicks.write_text(clicks.read_text().replace("2024-07-1", "soon"))


NOT_TO_BE_RELIED_ON = {
    "stale": (drop_last_days, "", "Stale: the last event .*is of 16 September 2024, 14 days before"),
    "strict gate on rows set aside": (
        break_rows,
        "[gates]\nstrict = true\n",
        r"Rows of events set aside: \d+\.\d %, more than the 5 % that the gate allows",
    ),
}


@pytest.mark.parametrize("why", NOT_TO_BE_RELIED_ON)
def test_a_report_not_to_be_relied_on_is_published_says_why_and_is_exit_3(
    why, tiny, command, chapters, tmp_path
):
    chapters()
    change, settings, says = NOT_TO_BE_RELIED_ON[why]
    change(tiny)
    change_settings(tiny, settings)
    ended = command("review", tiny, "--period", PERIOD, "--out", tmp_path / "out")
    page = tmp_path / "out" / "tiny" / PERIOD / "review.html"
    assert (ended.code, ended.out) == (3, f"{page}\n")
    assert re.search(says, ended.err), ended.err
    assert re.search(says, page.read_text(encoding="utf-8")), "the page says why"
    assert "Do not rely on this review" in page.read_text(encoding="utf-8")
    checked = command("check", tiny, "--period", PERIOD)
    assert checked.code == 0, "the input is right; only the report can't be relied on"
    assert re.search(says, checked.out)


def test_an_amber_gate_is_exit_0_and_the_page_says_it(tiny, command, chapters, tmp_path):
    chapters()
    map_no_purchase(tiny)
    ended = command("review", tiny, "--period", PERIOD, "--out", tmp_path / "out")
    page = tmp_path / "out" / "tiny" / PERIOD / "review.html"
    assert (ended.code, ended.out) == (0, f"{page}\n")
    assert "Rely on this review with caution" in page.read_text(encoding="utf-8")
    assert "Events without a touchpoint" in ended.err
