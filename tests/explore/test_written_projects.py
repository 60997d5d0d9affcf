"""A project written from a notebook: what it holds, what it refuses, and that nothing is overwritten."""

from __future__ import annotations

import tomllib

import pandas as pd
import pytest

from journeylib.data import ArgumentError, InputError, read_answers, read_events, read_project, write_project
from journeylib.journey import assign_touchpoints, count_funnel, guess_touchpoints

ROWS = "user,time,event\na,2026-07-01 10:00,cart\na,2026-07-02 10:00,buy\nb,2026-09-30 10:00,cart\n"


@pytest.fixture
def clicks(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/clicks.csv").write_text(ROWS, encoding="utf-8")
    return read_events(tmp_path / "raw/clicks.csv", time_zone="Europe/Berlin")


@pytest.fixture
def survey(tmp_path, clicks):
    (tmp_path / "raw/survey 1.csv").write_text('wer;wann;"Q ""1"""\na;02.07.2026;9\n', encoding="utf-8")
    options = {"customer": "wer", "time": "wann", "time_zone": "Europe/Berlin", "blank": "99"}
    return read_answers(tmp_path / "raw/survey 1.csv", questions={'Q "1"': "nps"}, **options)


def test_the_project_says_what_was_read_and_counted(tmp_path, clicks, survey):
    touchpoints = guess_touchpoints(clicks)
    funnel = count_funnel(
        assign_touchpoints(clicks, touchpoints), ["add_to_cart", "purchase"], within="36h", order="any"
    )
    folder = write_project(tmp_path / "my shop", clicks, survey, touchpoints, funnel=funnel)
    settings = tomllib.loads((folder / "journey.toml").read_text(encoding="utf-8"))
    assert settings["project"] == {"slug": "my_shop", "name": "my_shop", "timezone": "Europe/Berlin"}
    assert settings["sources"]["events"]["clicks"]["path"] == "../raw/clicks.csv"
    counted = {"unit": "people", "order": "any", "window_days": 1.5}
    assert settings["funnel"]["main"] == {"steps": ["add_to_cart", "purchase"], **counted}
    project = read_project(folder)
    asked = project.codebook.set_index("role")
    assert asked.loc["nps", ["column", "scale_min", "scale_max", "blank"]].tolist() == ['Q "1"', 0, 10, "99"]
    assert asked.loc["customer", "column"] == "wer"
    assert project.touchpoints["touchpoint"].tolist() == ["add_to_cart", "purchase"]


def test_events_alone_are_a_project_and_the_command_names_its_quarter(tmp_path, clicks):
    folder = write_project(tmp_path / "shop", clicks)
    assert "--period 2026Q3" in (folder / "journey.toml").read_text(encoding="utf-8").splitlines()[1]
    assert len(read_project(folder).sources) == 1


def test_it_may_be_written_again_but_nothing_else_is_overwritten(tmp_path, clicks):
    folder = write_project(tmp_path / "shop", clicks)
    before = (folder / "journey.toml").read_bytes()
    write_project(folder, clicks)
    assert (folder / "journey.toml").read_bytes() == before
    (folder / "journey.toml").write_bytes(before.split(b"\n", 1)[1])
    with pytest.raises(InputError, match="a journey.toml that somebody wrote"):
        write_project(folder, clicks)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/notes.txt").write_text("mine")
    with pytest.raises(InputError, match="'notes.txt' in it"):
        write_project(tmp_path / "other", clicks)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["notes.txt"]


def test_what_would_not_pass_the_check_is_not_written(tmp_path, clicks):
    touchpoints = guess_touchpoints(clicks).assign(stage="dezision")
    with pytest.raises(InputError, match="did you mean decision"):
        write_project(tmp_path / "shop", clicks, touchpoints=touchpoints)
    assert not (tmp_path / "shop").exists()


def test_a_frame_of_unknown_origin_is_refused(tmp_path, clicks):
    with pytest.raises(ArgumentError, match="does not say which events it was read from"):
        write_project(tmp_path / "shop", pd.DataFrame({"name": ["a"]}))
    with pytest.raises(ArgumentError, match="does not say which survey"):
        write_project(tmp_path / "shop", clicks, clicks)
    with pytest.raises(ArgumentError, match="what count_funnel returned"):
        write_project(tmp_path / "shop", clicks, funnel=pd.DataFrame({"n": [1]}))


def test_rows_that_were_filtered_in_the_notebook_are_warned_of(tmp_path, clicks):
    with pytest.warns(UserWarning, match="2 of the 3 rows of events"):
        write_project(tmp_path / "shop", clicks.head(2))


def test_answers_known_by_their_day_need_the_zone_of_the_events(tmp_path, clicks, survey):
    there = read_events(tmp_path / "raw/clicks.csv", time_zone="Asia/Tokyo")
    with pytest.raises(InputError, match="answers known by their day"):
        write_project(tmp_path / "shop", there, survey)
