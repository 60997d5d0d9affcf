"""The grammar of journey.toml: what is refused, on which line, with which word to mend it."""

from __future__ import annotations

import pytest

from journeylib.data.problems import InputError, Problem, say_nearest
from journeylib.data.project import read_instant, read_project
from journeylib.data.starting import write_starting_project

ONE = '[sources.events.one]\npath = "events.csv"\n'
OURS = ONE + "[sources.events.one.columns]\n"
WAVE = '[sources.survey.w]\npath = "events.csv"\n'
CLICKS = "occurred_at,name\n2026-07-01T10:00:00Z,view\n"


def refuse(shop) -> str:
    with pytest.raises(InputError) as caught:
        shop.read()
    return str(caught.value)


def test_smallest_project_has_the_defaults_of_the_design(shop):
    project = shop.add("events", CLICKS).read()
    assert (project.slug, project.name, project.timezone) == ("shop", "shop", "Europe/Berlin")
    assert project.gates == {
        "max_unmapped": 2.0, "max_quarantined": 5.0, "freshness_days": 3.0, "strict": False
    }  # fmt: skip
    assert project.privacy == {"key_env": "JOURNEY_KEY", "minimum_base": 10, "sensitive": []}
    assert project.survey_freshness_days is None
    assert project.sources_of("orders") == ()
    assert project.period("2026Q3").timezone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[projct]\na = 1", 4, "did you mean project?"),
        ('[sources.event.one]\npath = "a.csv"', 4, "did you mean events?"),
        (ONE + 'separater = ";"', 6, "did you mean separator?"),
        (ONE + 'format = "xlsx"', 6, "csv or parquet"),
        (ONE + 'encoding = "latin-99"', 6, "an encoding's name"),
        (ONE + 'encoding = "hex"', 6, "an encoding's name"),
        (ONE + 'separator = "::"', 6, "one character"),
        (ONE + 'timezone = "Berlin"', 6, "an IANA time zone"),
        (ONE + 'date_format = "dd.mm"', 6, "a format with % signs"),
        (ONE + 'date_format = "%Q"', 6, "a format with % signs"),
        (ONE + "date_format = 3", 6, "a list of such"),
        (ONE + 'columns = "a"', 6, "a section of key = value"),
        (ONE + 'period = "2026"', 6, "unknown key"),
        ("[sources.events.one]\npath = 3", 5, "text in quotes"),
        ('[sources.events.one]\nformat = "csv"', 4, "no path"),
        ('[sources.events.one]\npath = "click.csv"', 5, "no such file"),
        ('[sources.events.one]\npath = "raw/*.csv"', 5, "no file that matches the pattern"),
        ('[sources.events]\npath = "events.csv"', 4, "no name"),
        (WAVE + 'period = "Q3"', 6, "2026Q3"),
        (WAVE + '[sources.survey.w.columns]\na = "b"', 4, "survey_codebook.csv"),
        (OURS + 'customr = "x"', 7, "customer?"),
        (OURS + "name = []", 7, "list of names"),
        (OURS.replace("events.one", "consents.one") + '"segment.a" = "x"', 7, "unknown column"),
        ('[funnel.buy]\nsteps = ["a"]', 5, "two or more touchpoints"),
        ('[funnel.buy]\nsteps = ["a", "b"]\nunit = "person"', 6, "people, sessions, baskets"),
        ('[funnel.buy]\nsteps = ["a", "b"]\norder = "loose"', 6, "ordered, strict, any"),
        ('[funnel.buy]\nsteps = ["a", "b"]\nwindow_days = 0', 6, "days above 0"),
        ('[funnel.buy]\nsteps = ["a", "b"]\nwindow_days = nan', 6, "days above 0"),
        ('[funnel.buy]\nsteps = ["a", "b"]\nwindow = 7', 6, "did you mean window_days?"),
        ('[targets]\nnps = "high"', 5, "a number"),
        ("[minimum_effect]\nnps = nan", 5, "a number"),
        ("[gates]\nmax_unmapped = 200", 5, "percent from 0 to 100"),
        ("[gates]\nfreshness_days = -1", 5, "a number of days"),
        ("[gates]\nfreshness_days = { clicks = 3 }", 5, "events = 3, survey = 40"),
        ('[gates]\nstrict = "yes"', 5, "true or false"),
        ("[privacy]\nminimum_base = 0", 5, "a whole number from 1 up"),
        ("[privacy]\nminimum_base = true", 5, "a whole number"),
        ("[privacy]\nsensitive = [1]", 5, "a list of texts"),
        ('[engine]\nname = "pandas"', 5, "duckdb"),
        ('[engine]\nname = "spark"\nmaster = "local{2}"', 6, "a master of Spark"),
        ('[engine]\nname = "spark"\nmaster = "sc://host:1;token=a"', 6, "no secret in journey.toml"),
        ('[engine]\nmemory_limit = "much"', 5, "an amount of memory"),
        ("[notify]\ncommand = 1", 5, "text in quotes"),
    ],
)
def test_fault_in_the_settings_is_named_with_its_line_and_a_way_to_mend_it(shop, text, line, said):
    shop.write("events.csv", CLICKS)
    message = refuse(shop.declare(text))
    assert message.startswith(f"journey.toml, line {line}, ")
    assert said in message
    assert "To mend it: " in message


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ('slug = "shop"\n', "begin the file with [project]"),
        ('[project]\nslug = "a b"\n', "letters, digits, - and _ only"),
        ('[project]\ntimezone = "Mars/Base"\n', "an IANA time zone"),
        ("[project]\nfiscal_start_month = 13\n", "a month from 1 to 12"),
        ('[project]\nas_of = "soon"\n', "a date or a time"),
        ("[project]\nas_of = 07:00:00\n", "a date or a time"),
        ("[[project]]\nslug = 'a'\n", "a section [project]"),
        ("[project\n", "text that is not TOML"),
        ('[project]\nname = "Shop\n', "text that is not TOML"),
    ],
)
def test_fault_in_the_head_is_named(shop, head, said):
    shop.head = head
    assert said in refuse(shop.add("events", CLICKS))


def test_settings_in_another_encoding_are_refused_with_the_line(shop):
    shop.write("journey.toml", '[project]\nname = "Café"\n'.encode("latin-1"))
    with pytest.raises(InputError, match=r"journey.toml, line 2: found bytes that are not UTF-8"):
        read_project(shop.folder)


def test_folder_without_settings_and_no_folder_at_all_point_to_init(shop):
    for folder in (shop.folder, shop.folder / "none"):
        with pytest.raises(InputError, match="journey init FOLDER makes one"):
            read_project(folder)


def test_project_without_a_source_is_refused(shop):
    assert "no source" in refuse(shop)


def test_survey_without_a_codebook_is_refused(shop):
    assert "survey_codebook.csv: found no question" in refuse(
        shop.add("survey", CLICKS, options='period = "2026"')
    )


def test_all_faults_come_in_one_message_of_at_most_five_lines(shop):
    for number in range(9):
        shop.declare(f"[wrong{number}]\na = 1")
    lines = refuse(shop).splitlines()
    assert len(lines) == 5
    assert lines[-1].startswith("... and 5 more of this kind")


def test_data_folder_replaces_the_base_of_relative_paths(shop, tmp_path):
    shop.declare('[sources.events.one]\npath = "raw/*.csv"').write("journey.toml", shop.head + shop.rest)
    for name in ("b.csv", "a.csv", "._a.csv", "notes.txt"):
        path = tmp_path / "elsewhere" / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CLICKS)
    source = read_project(shop.folder, data=tmp_path / "elsewhere").sources[0]
    assert source.shown == ("raw/a.csv", "raw/b.csv")
    with pytest.raises(InputError, match="--data: found .* which is no folder"):
        read_project(shop.folder, data=tmp_path / "nowhere")


def test_file_whose_own_name_looks_like_a_pattern_is_found(shop):
    assert shop.add("events", CLICKS, file="clicks[1].csv").read().sources[0].shown == ("clicks[1].csv",)


def test_freshness_may_differ_for_events_and_survey(shop):
    shop.add("events", CLICKS).declare("[gates]\nfreshness_days = { events = 1, survey = 40 }")
    project = shop.read()
    assert (project.gates["freshness_days"], project.survey_freshness_days) == (1.0, 40.0)


def test_segments_that_differ_only_by_case_are_refused(shop):
    shop.add("events", CLICKS, columns='"segment.Plan" = "name"\n"segment.plan" = "name"')
    assert "differ by more than their case" in refuse(shop)


def test_as_of_without_an_offset_is_in_the_project_s_zone(shop, us):
    shop.head += "as_of = 2026-10-10\n"
    assert shop.add("events", CLICKS).read().as_of_us == us("2026-10-10T00:00:00+02:00")
    assert read_instant("2026-10-10T06:00:00Z", timezone="Asia/Tokyo") == us("2026-10-10T06:00:00Z")


def test_new_project_is_filled_in_and_never_overwritten(tmp_path):
    folder = write_starting_project(tmp_path / "my shop")
    assert 'slug = "my_shop"' in (folder / "journey.toml").read_text()
    with pytest.raises(InputError, match="a new or empty folder"):
        write_starting_project(folder)
    with pytest.raises(InputError, match="no source"):
        read_project(folder)


def test_nearest_word_is_proposed_and_else_the_words_are_listed():
    assert say_nearest("custmer", ["customer", "name"]) == "did you mean customer?"
    assert say_nearest("zzz", ["customer", "name"]) == "it has customer, name"
    assert say_nearest("zzz", [str(n) for n in range(14)]).endswith("and 2 more")
    assert say_nearest("zzz", []) == "it has none"


def test_problem_names_file_line_column_what_was_found_and_expected():
    problem = Problem("a.csv", "x", "y", "write y", line=3, column="role")
    assert str(problem) == "a.csv, line 3, role: found x; expected y. To mend it: write y."
