"""Reading foreign exports: guessed columns, found separators and zones, every row used or set aside."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from journeylib.data import InputError, count_rows, describe_columns, read_answers, read_events
from journeylib.data.guessing import find_date_format, guess_event_columns
from journeylib.data.questions import read_questions
from journeylib.voice import count_coverage, score_answers

QUESTIONS = {"Empfehlung": "nps", "Zufrieden insgesamt": "csat", "Zufrieden Kasse": "csat at checkout na 6"}


def write(folder: Path, text: str, name: str = "clicks.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_foreign_file_is_read_without_one_argument_but_its_zone(shop):
    clicks = read_events(shop / "klicks.csv", time_zone="America/New_York")
    known = describe_columns(clicks).set_index("ours")
    assert known.loc[["occurred_at", "customer", "name", "device_type"], "theirs"].tolist() == [
        "Zeitpunkt", "Kundennummer", "Aktion", "Gerät"]  # fmt: skip
    assert known.loc["(separator)", "theirs"] == ";"
    assert known.loc["(date_format)", "theirs"] == "%d.%m.%Y %H:%M:%S"
    assert set(clicks["customer"].dropna().str[0]) == {"K"}  # one's own ids stay readable
    assert str(clicks["occurred_at"].dtype) == "datetime64[us, UTC]"


def test_rows_in_are_rows_used_and_rows_set_aside_each_with_its_line(shop):
    clicks = read_events(shop / "klicks.csv", time_zone="America/New_York")
    rows = count_rows(clicks).set_index("rule")
    steps = count_rows(clicks).groupby("step")["rows"].sum()
    assert steps["rows in"] == steps["used"] + steps["set aside"]
    lines = (shop / "klicks.csv").read_bytes().count(b"\n")
    assert steps["rows in"] == lines - 1
    assert steps["used"] == len(clicks)
    assert rows.loc["bad_date", "first"].startswith(f"klicks.csv, line {lines - 2}")
    assert rows.loc["missing_name", "first"].startswith(f"klicks.csv, line {lines - 1}")
    assert rows.loc["malformed_row", "first"].startswith(f"klicks.csv, line {lines}")


def test_local_times_become_utc_over_the_change_of_the_clock(tmp_path):
    path = write(
        tmp_path, "user,time,event\na,2026-03-08 01:59,v\na,2026-03-08 03:00,v\na,2026-07-01 00:00,v\n"
    )
    clicks = read_events(path, time_zone="America/New_York")
    hours = [str(at)[:16] for at in clicks["occurred_at"]]
    assert hours == ["2026-03-08 06:59", "2026-03-08 07:00", "2026-07-01 04:00"]


def test_shuffled_rows_give_the_same_frame(tmp_path):
    rows = ["b;2026-01-01 10:00;view", "a;2026-01-02 10:00;buy", "a;2026-01-01 10:00;view"]
    one = read_events(write(tmp_path, "\n".join(["user;time;event", *rows]) + "\n", "one.csv"))
    other = read_events(write(tmp_path, "\n".join(["user;time;event", *rows[::-1]]) + "\n", "two.csv"))
    pd.testing.assert_frame_equal(one, other)


def test_a_wrong_column_is_answered_in_one_sentence_with_the_nearest_name(tmp_path):
    path = write(tmp_path, "user_id,time,event\na,2026-01-01,v\n")
    with pytest.raises(InputError) as said:
        read_events(path, customer="user")
    assert str(said.value) == (
        "clicks.csv, line 1: found no column 'user'; expected the column for customer. "
        "To mend it: did you mean user_id?"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user,event\na,v\n", 'write time="their_column"'),
        ("user,time,event\na,01/02/2026,v\n", "day and month can't be told apart"),
        ("user,time,event\n", "at least one row"),
        ("", "an empty file"),
    ],
)
def test_what_can_not_be_read_is_refused_in_a_sentence(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read_events(write(tmp_path, text))


def test_a_missing_file_is_named():
    with pytest.raises(InputError, match="no such file here or in a folder above"):
        read_events("no/such/clicks.csv")


def test_several_files_of_a_pattern_are_one_table(tmp_path):
    write(tmp_path, "user,time,event\na,2026-01-01 10:00,v\n", "day_1.csv")
    write(tmp_path, "user,time,event\nb,2026-01-02 10:00,v\n", "day_2.csv")
    assert read_events(tmp_path / "day_*.csv")["customer"].tolist() == ["a", "b"]


def test_a_relative_path_is_found_in_a_folder_above(tmp_path, monkeypatch):
    write(tmp_path, "user,time,event\na,2026-01-01 10:00,v\n")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert len(read_events("clicks.csv")) == 1


def test_parquet_is_read_as_csv_is(tmp_path):
    path = tmp_path / "clicks.parquet"
    pd.DataFrame({"user": ["a"], "time": ["2026-01-01 10:00"], "event": ["v"]}).to_parquet(path)
    assert read_events(path)[["customer", "name"]].values.tolist() == [["a", "v"]]


def test_the_frames_notes_are_small_and_survive_a_copy(shop):
    clicks = read_events(shop / "klicks.csv", time_zone="America/New_York")
    assert len(str(clicks.attrs)) < 5_000
    assert clicks.assign(more=1).attrs["source"]["separator"] == ";"


def test_answers_are_scored_as_they_are_and_blanks_are_counted(shop):
    survey = read_answers(
        shop / "umfrage.csv", questions=QUESTIONS, blank="k.A.", time_zone="America/New_York"
    )
    coverage = count_coverage(None, survey).set_index("question")
    n = survey["response"].nunique()
    assert (coverage["n_asked"] == n).all()
    assert coverage.loc["Empfehlung", "n_blank"] > 0
    assert coverage.loc["Zufrieden Kasse", "n_not_applicable"] > 0
    scores = score_answers(survey).set_index("metric")
    raw = pd.read_csv(shop / "umfrage.csv", sep=";", encoding="cp1252")["Empfehlung"]
    known = pd.to_numeric(raw, errors="coerce").dropna()
    assert scores.loc["nps", "n"] == len(known)
    assert scores.loc["nps", "value"] == pytest.approx(100 * ((known >= 9).mean() - (known <= 6).mean()))


def test_questions_may_be_one_text_and_give_the_same(shop):
    text = "; ".join(f"{column}: {role}" for column, role in QUESTIONS.items())
    options = {"blank": "k.A.", "time_zone": "America/New_York"}
    one = read_answers(shop / "umfrage.csv", questions=text, **options)
    pd.testing.assert_frame_equal(one, read_answers(shop / "umfrage.csv", questions=QUESTIONS, **options))


def test_a_scale_that_the_answers_do_not_fit_is_refused(tmp_path):
    rows = "\n".join(f"r{n},2026-01-01,{n % 7 + 1}" for n in range(50))
    path = write(tmp_path, f"user,date,Q2\n{rows}\n", "survey.csv")
    with pytest.raises(InputError, match="14 of 50 answers outside 1 to 5"):
        read_answers(path, questions={"Q2": "csat"})
    assert read_answers(path, questions={"Q2": "csat 1-7"})["value"].max() == 7


def test_lower_is_better_is_turned(tmp_path):
    path = write(tmp_path, "user,date,Q3\na,2026-01-01,1\n", "survey.csv")
    assert read_answers(path, questions="Q3: ces 1-7 lower_is_better")["value"].tolist() == [7]


def test_of_a_respondents_rows_the_last_complete_one_is_kept(tmp_path):
    path = write(tmp_path, "user,date,Q1,Q2\na,2026-01-01,3,3\na,2026-01-02,9,4\na,2026-01-03,5,\n", "s.csv")
    survey = read_answers(path, questions={"Q1": "nps", "Q2": "csat"}, respondent="user")
    assert survey["value"].tolist() == [9, 4]


@pytest.mark.parametrize(
    ("questions", "said"),
    [
        ({"Q": "npss"}, "did you mean nps"),
        ({"Q": "ces"}, "which end of its scale means easy"),
        ({"Q": "csat hihger_is_better"}, "did you mean higher_is_better"),
        ({"Q": {"role": "nps", "scale_mim": "0"}}, "did you mean scale_min"),
        ("Q1 nps", "column: role"),
        ({}, "no question"),
    ],
)
def test_a_question_that_is_not_understood_is_refused(questions, said):
    with pytest.raises(InputError, match=said):
        read_questions(questions)


def test_a_period_stands_in_for_a_missing_date(tmp_path):
    path = write(tmp_path, "user,Q1\na,9\n", "survey.csv")
    with pytest.raises(InputError, match='or give period="2026Q3"'):
        read_answers(path, questions={"Q1": "nps"})
    assert read_answers(path, questions={"Q1": "nps"}, period="2026Q3")["value"].tolist() == [9]


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["2026-07-01T10:00:00Z"], ""),
        (["1767225600"], "epoch_s"),
        (["1767225600000"], "epoch_ms"),
        (["13/07/2026 10:00"], "%d/%m/%Y %H:%M"),
        (["07/13/2026 10:00 PM"], "%m/%d/%Y %I:%M %p"),
        (["hello", "world"], None),
        ([None], None),
    ],
)
def test_the_way_times_are_written_is_found(cells, found):
    assert find_date_format(pd.Series(cells, dtype="str"), file="a.csv", column="t") == found


def test_a_column_said_to_be_absent_is_not_guessed():
    sample = pd.DataFrame({"user": ["a"], "time": ["2026-01-01"], "event": ["v"]})
    assert "customer" not in guess_event_columns(sample, {"customer": ""}, file="a.csv")
