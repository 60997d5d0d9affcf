"""What a rerun restated: told from an older report; hidden numbers stay so, and nothing can make it fail."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from journeylib.review.findings import FINDINGS_COLUMNS, KEY, write_findings
from journeylib.review.restating import list_restated, restate_findings, say_restated

MANIFEST = {
    "inputs": [{"file": "clicks.csv", "sha256": "a"}],
    "as_of_us": 1_790_000_000_000_000,
    "timezone": "Europe/Berlin",
    "configuration": {},
    "rows": [],
    "packages": {},
}


def make_findings(*rows) -> pd.DataFrame:
    """Metric, segment, value; a missing value is a suppressed one."""
    table = pd.DataFrame(rows, columns=["metric", "segment", "value"]).astype({"value": "float64"})
    table = table.assign(unit="percent", n=100, suppressed=table["value"].isna(), unit_of_analysis="people")
    texts = {name: "" for name in (*KEY, "period", "method", "note", "verdict") if name not in table}
    return table.assign(**texts).reindex(columns=FINDINGS_COLUMNS)


def publish(folder, findings, manifest=MANIFEST):
    folder.mkdir(parents=True)
    write_findings(findings, folder / "findings.csv")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


OLD = make_findings(
    ("nps", "", 10.0), ("nps", "plan=a", 20.0), ("csat_top2", "", np.nan), ("ces_mean", "", 1.0)
)


def test_each_kind_of_change_is_named_once(tmp_path):
    older = publish(tmp_path / "old", OLD)
    now = make_findings(
        ("nps", "", 11.0), ("nps", "plan=a", 20.0), ("csat_top2", "", 50.0), ("csat_mean", "", 4.0)
    )
    table, said = restate_findings(older, now, MANIFEST | {"inputs": [{"file": "clicks.csv", "sha256": "b"}]})
    found = dict(zip(table["metric"], table["what"], strict=True))
    assert found == {
        "nps": "restated",
        "csat_top2": "no longer hidden",
        "ces_mean": "gone",
        "csat_mean": "new",
    }
    assert (said["restated"], said["compared"], said["new"], said["gone"]) == (2, 3, 1, 1)
    assert said["because"] == ["1 files are new or other ones, 0 are no longer read"]


@pytest.mark.parametrize("factor", [1.0, 1 + 1e-12])
def test_the_same_numbers_are_not_restated(tmp_path, factor):
    older = publish(tmp_path / "old", OLD)
    table, said = restate_findings(older, OLD.assign(value=OLD["value"] * factor), MANIFEST)
    assert table.empty and said == {}


@pytest.mark.parametrize("broken", ["nothing", "not a table", "no manifest", "other columns", "no json"])
def test_an_older_report_that_is_not_whole_never_makes_it_fail(tmp_path, broken):
    older = tmp_path / "old"
    if broken != "nothing":
        publish(older, OLD)
    if broken == "not a table":
        (older / "findings.csv").write_bytes(b"\x00\xff")
    if broken == "other columns":
        (older / "findings.csv").write_text("a,b\n1,2\n")
    if broken == "no manifest":
        (older / "manifest.json").unlink()
    if broken == "no json":
        (older / "manifest.json").write_text("{")
    table, said = restate_findings(older, OLD.assign(value=3.0), MANIFEST)
    assert table.empty and said == {} and "what" in table


def test_the_chapter_says_it_with_the_headlines_alone(tmp_path):
    older = publish(tmp_path / "old", OLD)
    now = make_findings(
        ("nps", "", 11.5), ("nps", "plan=a", 25.0), ("csat_top2", "", 50.0), ("ces_mean", "", np.nan)
    )
    table, said = restate_findings(older, now, MANIFEST)
    report = publish(tmp_path / "new", now, MANIFEST | {"restated": said})
    (report / "tables").mkdir()
    table.to_csv(report / "tables" / "restated.csv", index=False)
    shown = list_restated(report)
    assert len(shown) == 3 and "hidden" in shown.to_numpy()
    assert "10" in shown.iloc[0]["Before"] and "11.5" in shown.iloc[0]["Now"]
    assert say_restated(report).startswith("4 of the 4 findings that an older report")
    nothing = publish(tmp_path / "alike", OLD, MANIFEST | {"restated": {}})
    assert (
        say_restated(nothing)
        == say_restated("")
        == "No number of an older report on this period was restated."
    )
    assert list_restated("").empty
