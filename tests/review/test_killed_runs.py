"""Killed or stopped at any moment: the last good report is there, the next succeeds, nothing runs on."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PERIOD = "2024Q3"
LONG = "import time\nfor _ in range(600):\n    time.sleep(0.1)"
pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs signals and /proc")


def wait_until(true: Callable[[], object], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=90)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_are_one_sentence_and_leave_nothing(
    number, tiny, driver, kernels, scratch, tmp_path, make_report, look
):
    make_report(tmp_path / "reports" / "tiny" / PERIOD)
    reports = look(tmp_path / "reports")
    codes = {"what_they_say": LONG, "where_customers_leave": LONG}
    process = driver("review", tiny, "--period", PERIOD, codes=codes)
    wait_until(lambda: len(kernels()) == 2)
    process.send_signal(number)
    began = time.monotonic()
    assert finish(process) == (1, "", "journey: stopped; nothing was replaced.\n")
    assert time.monotonic() - began < 20
    assert kernels() == []
    assert list(scratch.iterdir()) == []
    assert look(tmp_path / "reports") == reports


@pytest.mark.parametrize("command", ["check", "review"])
def test_stopped_while_it_reads_it_is_one_sentence_too(command, tiny, driver, scratch, tmp_path):
    clicks = tiny / "raw" / "clicks.csv"
    head, *rows = clicks.read_text().splitlines(keepends=True)
    many = [row.replace(",e", f",e{copy}_") for copy in range(3000) for row in rows]
    clicks.write_text(head + "".join(many))
    process = driver(command, tiny, "--period", PERIOD)
    made = scratch if command == "check" else tmp_path / "reports"
    wait_until(lambda: list(made.rglob("trusted")))
    process.send_signal(signal.SIGINT)
    assert finish(process) == (1, "", "journey: stopped; nothing was replaced.\n")
    assert not list(made.rglob("trusted"))


def test_killed_in_a_chapter_the_kernels_end_and_the_next_run_succeeds_and_clears_up(
    tiny, driver, kernels, scratch, tmp_path, make_report
):
    place = make_report(tmp_path / "reports" / "tiny" / PERIOD)
    codes = {"what_they_say": LONG, "where_customers_leave": LONG}
    process = driver("review", tiny, "--period", PERIOD, codes=codes)
    wait_until(lambda: len(kernels()) == 2)
    process.kill()
    finish(process)
    assert (place / "review.html").read_text() == "the last good report"
    wait_until(lambda: kernels() == [], seconds=15)
    long_ago = time.time() - 3600
    for left in scratch.iterdir():
        os.utime(left, (long_ago, long_ago))
    code, out, err = finish(driver("review", tiny, "--period", PERIOD))
    assert (code, out) == (0, f"reports/tiny/{PERIOD}/review.html\n"), err
    assert "the last good report" not in (place / "review.html").read_text()
    versions = sorted(path.name for path in (tmp_path / "reports" / "tiny" / ".versions").iterdir())
    assert [name for name in versions if not name.endswith(".lock")] == [f"{PERIOD}@2"]
    assert list(scratch.iterdir()) == [], "what the killed run left is cleared"


def test_killed_at_any_moment_a_whole_report_is_there(tiny, driver, kernels, scratch, tmp_path, make_report):
    """Time a run, then kill runs at moments spread over it, the last ones close to its end."""
    place = make_report(tmp_path / "reports" / "tiny" / PERIOD)
    began = time.monotonic()
    assert finish(driver("review", tiny, "--period", PERIOD))[0] == 0
    whole = time.monotonic() - began
    for share in (0.5, 0.85, 0.97):
        process = driver("review", tiny, "--period", PERIOD)
        time.sleep(whole * share)
        process.kill()
        finish(process)
        page = (place / "review.html").read_text(encoding="utf-8")
        assert page.rstrip().endswith("</html>"), f"killed after {share:.0%} of a run"
        assert (place / "manifest.json").is_file() and (place / "tables" / "rows.csv").is_file()
    wait_until(lambda: kernels() == [], seconds=15)
    assert finish(driver("review", tiny, "--period", PERIOD))[0] == 0
    left = {path.name for path in (tmp_path / "reports" / "tiny" / ".versions").iterdir()}
    assert len([name for name in left if not name.endswith(".lock")]) == 1, left


def test_the_next_run_puts_back_what_a_killed_run_took_away_also_where_its_own_input_is_wrong(
    tiny, command, tmp_path, make_report
):
    place = make_report(tmp_path / "out" / "tiny" / PERIOD)
    place.unlink()  # the moment between two renames, where links can't be made
    (tiny / "raw" / "clicks.csv").write_text("")
    assert command("review", tiny, "--period", PERIOD, "--out", tmp_path / "out").code == 2
    assert (place / "review.html").read_text() == "the last good report"


def test_a_run_that_puts_a_report_back_says_so(tiny, command, chapters, tmp_path, make_report):
    chapters()
    place = make_report(tmp_path / "out" / "tiny" / PERIOD)
    place.unlink()
    ended = command("review", tiny, "--period", PERIOD, "--out", tmp_path / "out")
    assert ended.code == 0
    assert "its last good report had been put back" in ended.err
    assert "the last good report" not in (place / "review.html").read_text()
