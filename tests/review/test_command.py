"""The command itself: what it prints where, and what it says to a command that it does not know."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PERIOD = "2024Q3"


def run(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "journeylib", *map(str, words)]
    return subprocess.run(command, text=True, check=False, **{"capture_output": True, **options})


WRONG = {
    "no command": ([], "journey: the following arguments are required: COMMAND; see journey --help"),
    "a misspelt command": (["revew", "x"], r"invalid choice: 'revew'.*did you mean review\?"),
    "no folder": (["review"], "journey review: the following arguments are required: folder"),
    "a misspelt option": (["review", "x", "--perid", "2024Q3"], r"--perid 2024Q3; did you mean --period\?"),
    "a misspelt option with =": (["review", "x", "--ouput=y"], r"--ouput=y; did you mean --out\?"),
    "a shortened option": (["check", "x", "--per", "2024"], "unrecognized arguments: --per 2024"),
    "an option of another command": (["check", "x", "--out", "y"], "unrecognized arguments: --out y"),
    "an option without its value": (["review", "x", "--out"], "--out: expected one argument"),
    "no time at all": (["review", "x", "--seconds", "0"], "--seconds: '0' is no whole number from 1 up"),
    "half a second": (["review", "x", "--seconds", "0.5"], "--seconds: '0.5' is no whole number"),
    "no customer": (["sample", "x", "--customers", "0"], "--customers: '0' is no whole number from 1 up"),
    "a seed below 0": (["sample", "x", "--seed", "few"], "--seed: 'few' is no whole number from 0 up"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_command_is_exit_2_and_one_sentence(name, command):
    words, says = WRONG[name]
    ended = command(*words)
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert re.search(says, ended.err), ended.err


@pytest.mark.parametrize("words", [["--help"], ["review", "--help"], ["check", "-h"]])
def test_help_is_exit_0_and_tells_the_exit_codes(words, command):
    ended = command(*words)
    assert ended.code == 0
    assert "made and published, but not to be relied on" in ended.out


def test_python_m_and_the_script_are_the_same_command():
    script = Path(sys.executable).with_name("journey")
    if not script.is_file():
        pytest.skip("the script is not installed here")
    told = subprocess.run([script, "--help"], capture_output=True, text=True, check=False)
    assert told.stdout == run("--help").stdout


def test_init_begins_a_project_and_overwrites_nothing(command, tmp_path):
    ended = command("init", tmp_path / "shop")
    assert (ended.code, ended.out) == (0, f"{tmp_path / 'shop'}\n")
    assert (tmp_path / "shop" / "journey.toml").is_file()
    again = command("init", tmp_path / "shop")
    assert again.code == 2 and "there already" in again.err
    empty = command("check", tmp_path / "shop")
    assert empty.code == 2 and "no source" in empty.err, "nothing is declared yet, and it says so"


@pytest.mark.parametrize("kind", ["a file", "a full folder"])
def test_sample_overwrites_nothing_but_a_sample(kind, command, tmp_path):
    place = tmp_path / "place"
    if kind == "a file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "mine.txt").write_text("mine")
    ended = command("sample", place)
    assert (ended.code, ended.out) == (2, "") and "name another folder" in ended.err
    assert (place if kind == "a file" else place / "mine.txt").read_text() == "mine"


def test_review_prints_the_path_of_the_page_and_nothing_else(tiny, command, chapters, tmp_path):
    chapters({"what_they_say": "import os\nos.system('echo from a program')\nprint('from a cell')"})
    ended = command("review", tiny, "--period", PERIOD, "--out", tmp_path / "out")
    page = tmp_path / "out" / "tiny" / PERIOD / "review.html"
    assert (ended.code, ended.out, ended.err) == (0, f"{page}\n", "")
    assert page.is_file()


def test_progress_is_told_to_a_person_who_watches(tiny, command, chapters, tmp_path, monkeypatch):
    chapters()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    ended = command("review", tiny, "--period", PERIOD, "--out", tmp_path / "out")
    assert ended.code == 0
    for told in ("reading", "running 7 chapters", "chapter what_they_say is done", "writing the page"):
        assert told in ended.err


def test_check_writes_nothing_and_adds_up(tiny, command, look, tmp_path):
    before = look(tmp_path)
    ended = command("check", tiny, "--period", PERIOD)
    assert ended.code == 0
    assert "events clicks: rows in 146, used 146" in ended.out
    assert "survey autumn: rows in 72, used 72" in ended.out
    assert look(tmp_path) == before


@pytest.mark.skipif(os.name == "nt", reason="needs /dev/full")
def test_a_full_standard_output_is_one_sentence(tiny):
    with open("/dev/full", "w") as full:
        done = run(
            "check", tiny, "--period", PERIOD, stdout=full, stderr=subprocess.PIPE, capture_output=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith("journey: No space left on device") and "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.skipif(os.name == "nt", reason="needs a pipe that closes")
def test_a_reader_that_goes_away_gets_no_traceback(tiny):
    reading, writing = os.pipe()
    os.close(reading)
    done = run(
        "check", tiny, "--period", PERIOD, stdout=writing, stderr=subprocess.PIPE, capture_output=False
    )
    os.close(writing)
    assert done.stderr == ""


def test_data_may_stand_elsewhere(tiny, command, tmp_path):
    (tiny / "raw").rename(tmp_path / "elsewhere")
    (tmp_path / "exports").mkdir()
    (tmp_path / "elsewhere").rename(tmp_path / "exports" / "raw")
    assert command("check", tiny).code == 2
    assert command("check", tiny, "--data", tmp_path / "exports").code == 0
