"""The worked examples as a folder: configuration and words, never data, and in agreement with themselves."""

from __future__ import annotations

import tomllib

import pandas as pd
import pytest

NAMES = ["airport_survey", "clothes_shop", "web_shop"]
STAGES = {"awareness", "consideration", "decision", "post-purchase"}
ALLOWED = {"README.md", "journey.toml", "survey_codebook.csv", "touchpoints.csv"}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_holds_no_data(examples, name):
    files = [path for path in (examples / name).rglob("*") if path.is_file()]
    assert {path.name for path in files} <= ALLOWED
    assert sum(path.stat().st_size for path in files) < 40_000


@pytest.mark.parametrize("name", NAMES)
def test_the_slug_is_the_folder_and_the_readme_shows_the_command(examples, name):
    settings = tomllib.loads((examples / name / "journey.toml").read_text(encoding="utf-8"))
    assert settings["project"]["slug"] == name
    readme = (examples / name / "README.md").read_text(encoding="utf-8")
    assert f"journey review examples/{name} --data ../shared/data --period " in readme
    assert "icence" in readme
    for source in (source for table in settings["sources"].values() for source in table.values()):
        assert source["path"] in readme


@pytest.mark.parametrize("name", NAMES)
def test_touchpoints_have_a_known_stage_and_stand_once(examples, name):
    touchpoints = pd.read_csv(examples / name / "touchpoints.csv", dtype=str, keep_default_na=False)
    assert set(touchpoints["stage"]) <= STAGES
    assert touchpoints["touchpoint"].is_unique


def test_funnel_steps_of_the_web_shop_are_touchpoints(examples):
    folder = examples / "web_shop"
    settings = tomllib.loads((folder / "journey.toml").read_text(encoding="utf-8"))
    touchpoints = pd.read_csv(folder / "touchpoints.csv", dtype=str, keep_default_na=False)
    for funnel in settings["funnel"].values():
        assert set(funnel["steps"]) <= set(touchpoints["touchpoint"])


def test_codebook_and_touchpoints_of_the_airport_agree(examples):
    folder = examples / "airport_survey"
    codebook = pd.read_csv(folder / "survey_codebook.csv", dtype=str, keep_default_na=False)
    touchpoints = pd.read_csv(folder / "touchpoints.csv", dtype=str, keep_default_na=False)
    stages = touchpoints.set_index("touchpoint")["stage"]
    asked = codebook[codebook["touchpoint"] != ""]
    assert (stages.loc[asked["touchpoint"]].to_numpy() == asked["stage"].to_numpy()).all()
    assert asked["touchpoint"].is_unique
    assert set(touchpoints["pattern"]) == {""}, "a survey has no events that a pattern could match"


def test_only_the_overall_question_of_the_airport_has_neither_touchpoint_nor_stage(examples):
    codebook = pd.read_csv(
        examples / "airport_survey" / "survey_codebook.csv", dtype=str, keep_default_na=False
    )
    scored = codebook[codebook["role"].isin(["csat", "ces"])]
    assert scored.loc[scored["touchpoint"] == "", "column"].to_list() == ["Q7ALL"]
    assert scored.loc[scored["stage"] == "", "column"].to_list() == ["Q7ALL"]
