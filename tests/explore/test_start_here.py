"""start_here on two files that are not the sample's: to the map, to a project, and to the same numbers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pandas as pd
import papermill
import pytest
from papermill.inspection import inspect_notebook

from journeylib.review.journey_map import build_journey_map
from journeylib.review.opening import open_review

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebooks/explore/start_here.ipynb"
PERIOD = "2026Q2"
KEEP = """
from pathlib import Path as _Path
_out = _Path(keep_in) / "numbers"
_out.mkdir()
funnel.to_csv(_out / "funnel.csv", index=False)
scores.to_csv(_out / "scores.csv", index=False)
events.groupby("session").size().to_csv(_out / "sessions.csv")
"""


@pytest.fixture(scope="module")
def run(shop: Path) -> Path:
    """Run the notebook on the foreign files, from a folder of its own; return what it kept."""
    kept, changed = shop / "kept", {}
    changed["clicks_file"] = str(shop / "klicks.csv")
    changed["clicks_zone"] = "America/New_York"
    changed["survey_file"] = str(shop / "umfrage.csv")
    changed["survey_zone"] = "America/New_York"
    changed["questions"] = (
        "Empfehlung: nps; Zufrieden insgesamt: csat; Zufrieden Kasse: csat at checkout na 6"
    )
    changed["keep_in"] = str(kept)
    known = inspect_notebook(str(NOTEBOOK))
    assert set(changed) <= set(known) and len(changed) <= 6
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(KEEP, id="keep-numbers"))
    nbformat.write(notebook, shop / "start_here.ipynb")
    began = time.perf_counter()
    done = papermill.execute_notebook(
        str(shop / "start_here.ipynb"),
        str(shop / "executed.ipynb"),
        parameters=changed,
        cwd=str(shop),
        progress_bar=False,
        execution_timeout=600,
    )
    print(f"start_here took {time.perf_counter() - began:.0f} s; to the map {_time_to_map(done):.0f} s")
    return kept


def _time_to_map(notebook: nbformat.NotebookNode) -> float:
    """Seconds until the first map is drawn, as the cells' own clocks have it."""
    total = 0.0
    for cell in notebook.cells:
        total += cell.metadata.get("papermill", {}).get("duration") or 0.0
        if "plot_journey_map" in cell.source:
            break
    return total


@pytest.fixture(scope="module")
def review(run: Path) -> Path:
    """Run `journey review` on the project that the notebook wrote; return the published folder."""
    command = [sys.executable, "-m", "journeylib", "review", "my_project", "--period", PERIOD, "--out", "out"]
    environment = os.environ | {"JOURNEY_KEY": "a key of the tests"}
    done = subprocess.run(command, cwd=run, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return run / "out" / "my_project" / PERIOD


@pytest.fixture(scope="module")
def findings(review: Path) -> pd.DataFrame:
    keys = ["stage", "touchpoint", "persona", "segment", "item"]
    found = pd.read_csv(
        review / "findings.csv", keep_default_na=False, na_values=[""], dtype=dict.fromkeys(keys, "str")
    )
    return found.assign(**{key: found[key].fillna("") for key in keys})


def test_the_map_is_saved_with_words_and_numbers(run):
    assert {path.name for path in run.glob("map.*")} == {"map.png", "map.csv", "map.txt"}
    places = pd.read_csv(run / "map.csv").set_index("touchpoint")
    assert places.loc["checkout", "satisfaction_n"] > 0
    assert {"home", "product_view", "add_to_cart", "checkout", "purchase", "help"} <= set(places.index)


def test_the_project_names_its_command_and_passes_the_check(run):
    lines = (run / "my_project/journey.toml").read_text(encoding="utf-8").splitlines()
    assert lines[1] == f"# journey review my_project --period {PERIOD}"
    assert 'path = "../../klicks.csv"' in lines
    command = [sys.executable, "-m", "journeylib", "check", "my_project", "--period", PERIOD]
    assert subprocess.run(command, cwd=run, capture_output=True, timeout=300).returncode == 0


def test_the_review_counts_as_many_sessions(run, findings):
    sessions = pd.read_csv(run / "numbers/sessions.csv")
    whole = (findings[["stage", "touchpoint", "persona", "segment"]] == "").all(axis=1)
    row = findings[whole & (findings["metric"] == "session_count")]
    assert row["value"].tolist() == [len(sessions)]


def test_the_review_counts_the_same_funnel(run, findings):
    funnel = pd.read_csv(run / "numbers/funnel.csv", keep_default_na=False, na_values=[""])
    funnel = funnel.assign(segment=funnel["segment"].fillna(""))
    assert (funnel["segment"] != "").any() and funnel["n_censored"].max() > 0
    findings = findings[findings["persona"] == ""]
    counts = findings[findings["metric"] == "step_count"].set_index(["segment", "item"])["value"]
    rates = findings[findings["metric"] == "drop_off"].set_index(["segment", "item"])[
        ["value", "low", "high"]
    ]
    for row in funnel.to_dict("records"):
        key = row["segment"], f"main/{row['label']}"
        if pd.notna(counts[key]):  # a review hides what is under ten
            assert counts[key] == row["n"]
        if row["step"] > 1 and pd.notna(rates.loc[key, "value"]):
            ours = [row["drop_off"], row["drop_off_low"], row["drop_off_high"]]
            assert rates.loc[key].tolist() == pytest.approx(ours, rel=1e-9)
    shown = counts[[("", f"main/{label}") for label in funnel["label"].unique()]]
    assert shown.notna().all()


def test_the_review_gives_the_same_scores(run, findings):
    scores = pd.read_csv(run / "numbers/scores.csv")
    whole = (findings[["stage", "touchpoint", "persona", "segment", "item"]] == "").all(axis=1)
    here = findings[whole & (findings["chapter"] == "what_they_say")].set_index("metric")
    assert set(scores["metric"]) == {"nps", "csat_mean", "csat_top2"}
    for row in scores.to_dict("records"):
        theirs = here.loc[row["metric"], ["value", "low", "high", "n"]].astype(float).tolist()
        assert theirs == pytest.approx([row[name] for name in ("value", "low", "high", "n")], rel=1e-9)


def test_the_review_draws_the_same_map(run, monkeypatch):
    monkeypatch.setenv("JOURNEY_KEY", "a key of the tests")
    opened = open_review(run / "my_project", period=PERIOD)
    answers, responses = opened.read_survey()
    start, end = opened.bounds()["reviewed"]
    places = opened.settings["touchpoints"]
    theirs = build_journey_map(
        opened.events, answers=answers, responses=responses, touchpoints=places, start=start, end=end
    )
    theirs.to_csv(run / "numbers/map.csv", index=False)
    ours = pd.read_csv(run / "map.csv")
    pd.testing.assert_frame_equal(pd.read_csv(run / "numbers/map.csv"), ours, rtol=1e-9)


def test_the_published_map_holds_the_same_numbers(run, review):
    table = review / "tables" / "journey_map.csv"
    assert table.is_file()
    keys = ["stage", "touchpoint"]
    theirs = pd.read_csv(table, keep_default_na=False, na_values=[""]).fillna({"touchpoint": ""})
    ours = pd.read_csv(run / "map.csv").fillna({"touchpoint": ""})
    both = ours.merge(theirs, on=keys, suffixes=("", "_review"))
    assert len(both) == len(ours)
    for name in ("n", "reach_share", "satisfaction", "no_further_share"):
        shown = both[both[f"{name}_review"].notna()]
        assert shown[name].tolist() == pytest.approx(shown[f"{name}_review"].tolist(), rel=1e-9)
