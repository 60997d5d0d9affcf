"""Real reviews of the tiny project: the same bytes twice, faulty rows set aside, and a report with less."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

PERIOD = "2024Q3"
SAME = ("findings.csv", "review.html", "summary.md", "tables/rows.csv", "tables/quarantine.csv")


def review(project: str | Path, *words: object, cwd: Path, **env: str) -> SimpleNamespace:
    done = subprocess.run(
        [sys.executable, "-m", "journeylib", "review", str(project), "--period", PERIOD, *map(str, words)],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    page = cwd / done.stdout.strip()
    return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr, report=page.parent)


def spoil(folder: Path) -> None:
    """Put dirt into the clicks: each rule once or twice."""
    clicks = folder / "raw" / "clicks.csv"
    head, *rows = clicks.read_text().splitlines()
    dirt = [
        "soon,view_item,c1,d1,mobile",
        "2924-07-05T10:00:00Z,view_item,c1,d2,mobile",
        rows[0],
        rows[1],
        ",view_item,c1,d3,mobile",
        "2024-07-05T10:00:00Z,,c1,d4,mobile",
        "2024-07-05T10:00:00Z,view_item,c1",
    ]
    clicks.write_text("\n".join([head, *rows, *dirt]) + "\n")


def leave_out(folder: Path, section: str) -> None:
    settings = folder / "journey.toml"
    kept = [part for part in settings.read_text().split("\n\n") if not part.startswith(f"[{section}")]
    settings.write_text("\n\n".join(kept) + "\n")


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory, make_tiny: Callable[[Path], Path]):
    """Make every real review of this module, two at a time."""
    base = tmp_path_factory.mktemp("reviews")
    tiny = make_tiny(base / "tiny")
    dirty_clicks, survey_only = make_tiny(base / "clicks"), make_tiny(base / "survey")
    spoil(dirty_clicks)
    leave_out(dirty_clicks, "sources.survey")
    for section in ("sources.events", "funnel"):
        leave_out(survey_only, section)
    other = base / "a far away place"
    other.mkdir()
    keys = [{"JOURNEY_KEY": "one"}, {"JOURNEY_KEY": "another key, and a longer one"}]
    jobs = {
        "first": lambda: review(tiny.name, cwd=base, PYTHONHASHSEED="1", TZ="UTC", **keys[0]),
        "second": lambda: review(
            tiny,
            "--out",
            other / "out",
            cwd=other,
            PYTHONHASHSEED="2",
            TZ="Asia/Tokyo",
            LC_ALL="C",
            **keys[1],
        ),
        "dirty clicks only": lambda: review(dirty_clicks, "--out", "clicks reports", cwd=base),
        "survey only": lambda: review(survey_only, "--out", "survey reports", cwd=base),
    }
    with ThreadPoolExecutor(max_workers=2) as pool:
        started = {name: pool.submit(job) for name, job in jobs.items()}
        return {name: job.result() for name, job in started.items()}


def test_all_real_reviews_are_to_be_relied_on_and_print_their_page(reviewed):
    for name, one in reviewed.items():
        assert one.code == 0, (name, one.err)
        assert one.out.count("\n") == 1 and one.out.endswith("review.html\n")
        assert "Traceback" not in one.err and "Warning" not in one.err, one.err
    assert reviewed["first"].out == f"reports/tiny/{PERIOD}/review.html\n"


@pytest.mark.parametrize("name", SAME)
def test_two_runs_give_the_same_bytes_wherever_they_run_and_whatever_the_key(name, reviewed):
    first, second = ((reviewed[which].report / name).read_bytes() for which in ("first", "second"))
    assert first == second
    assert len(first) > 20


def test_the_manifest_differs_in_nothing_but_the_key(reviewed):
    first, second = ((reviewed[which].report / "manifest.json").read_text() for which in ("first", "second"))
    differ = [
        pair for pair in zip(first.splitlines(), second.splitlines(), strict=True) if pair[0] != pair[1]
    ]
    assert all('"key"' in line for pair in differ for line in pair), differ


def test_a_report_names_no_folder_of_this_machine_and_no_customer(reviewed):
    report = reviewed["first"].report
    for path in report.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            assert str(report.parents[2]) not in text, path.name
            assert not re.search(r"/(tmp|home|root)/", text), path.name
            assert not re.search(r"\bc(1|2)?\d,", text) or path.suffix == ".html", path.name


def test_findings_are_those_of_the_data(reviewed):
    findings = pd.read_csv(reviewed["first"].report / "findings.csv", keep_default_na=False)
    assert set(findings["period"]) == {PERIOD}
    overall = findings[
        (findings["segment"] == "") & (findings["touchpoint"] == "") & (findings["stage"] == "")
    ]
    nps = overall[overall["metric"] == "nps"].iloc[0]
    answers = [(place * 7 + 1) % 11 for place in range(36)]
    share = sum(one >= 9 for one in answers) - sum(one <= 6 for one in answers)
    assert float(nps["value"]) == pytest.approx(100 * share / 36)
    assert int(nps["n"]) == 36


def test_faulty_rows_are_set_aside_by_rule_and_the_review_still_runs(reviewed):
    dirty = reviewed["dirty clicks only"]
    rows = pd.read_csv(dirty.report / "tables" / "rows.csv", keep_default_na=False)
    aside = rows[rows["step"] == "set aside"].set_index(["table", "rule"])["rows"].to_dict()
    assert aside == {
        ("events", "bad_date"): 1,
        ("events", "duplicate_event_id"): 2,
        ("events", "future"): 1,
        ("events", "malformed_row"): 1,
        ("events", "missing_name"): 1,
        ("events", "missing_occurred_at"): 1,
    }
    for _, one in rows.groupby(["table", "source"]):
        steps = one.groupby("step")["rows"].sum()
        assert steps["rows in"] == steps.drop("rows in").sum()
    quarantine = pd.read_csv(dirty.report / "tables" / "quarantine.csv", keep_default_na=False)
    assert quarantine.set_index(["file", "line"]).loc[("raw/clicks.csv", 148), "rule"] == "bad_date"
    assert len(quarantine) == sum(aside.values())


def test_faulty_answers_are_set_aside_by_rule(tiny, command):
    survey = tiny / "raw" / "survey.csv"
    dirt = ["r9_1,2024-08-01 12:00,c1,12,4,3,n", "r9_2,when I had time,c2,7,4,3,s"]
    survey.write_text(survey.read_text() + "\n".join([*dirt, dirt[0].replace("12,4", "9,4")]) + "\n")
    ended = command("check", tiny, "--period", PERIOD)
    assert ended.code == 0
    assert (
        "survey autumn: rows in 75, set aside bad_date 1, set aside duplicate_respondent 1, used 73"
        in ended.out
    )
    assert "answers autumn: rows in 292, used 292" in ended.out, "the duplicate kept is the last complete one"
    survey.write_text(survey.read_text() + "r9_3,2024-08-01 12:00,c1,12,4,3,n\n")
    ended = command("check", tiny, "--period", PERIOD)
    assert "answers autumn: rows in 296, set aside unknown_code 1, used 295" in ended.out


def test_dirt_moves_no_number(reviewed):
    mine = ["metric", "stage", "touchpoint", "segment", "unit_of_analysis", "item", "value", "n"]
    clean, dirty = (
        pd.read_csv(reviewed[which].report / "findings.csv", keep_default_na=False)
        .query("chapter == 'where_customers_leave'")[mine]
        .reset_index(drop=True)
        for which in ("first", "dirty clicks only")
    )
    assert len(clean) > 10
    pd.testing.assert_frame_equal(clean, dirty)


@pytest.mark.parametrize(
    ("which", "there", "absent"),
    [
        ("dirty clicks only", "where_customers_leave", "what_they_say"),
        ("survey only", "what_they_say", "where_customers_leave"),
    ],
)
def test_a_source_that_is_not_declared_costs_its_chapter_and_nothing_else(which, there, absent, reviewed):
    chapters = {path.stem for path in (reviewed[which].report / "chapters").iterdir()}
    assert there in chapters and absent not in chapters
    findings = pd.read_csv(reviewed[which].report / "findings.csv", keep_default_na=False)
    assert absent not in set(findings["chapter"]) and len(findings) > 5
