"""Twelve typed rows with every trap of the airport file: what they give is computed by hand here.

Wave 2016, four rows (number: overall, restaurants, wayfinding, problem):
    1:  4      3  4  2
    2:  0      6  0  0    blank, never used, blank; problem blank
    3:  6      2  6  3    not applicable; problem code 3 is in no code list
    4:  2      0  5  1
  overall (4 + 2) / 2 = 3, restaurants (3 + 2) / 2 = 2.5, wayfinding (4 + 5) / 2 = 4.5;
  recommend was not asked.

Wave 2017, eight rows (number: recommend, overall, restaurants, wayfinding, problem, weight):
    1: 10      5      4      5  2  0.5
    2:  9      4      6      6  2  1.5
    3: 11      Blank  0      0  0  1.0    11 is blank, not a promoter
    4:  0      3      3      4  1  2.0    0 is an answer
    5:  6      4      Blank  5  1  1.0    6 is an answer from 0 to 10
    6:  8      0      5      3  3  0.5
    7:  9      4      6      6  2  1.5    equal to 2 in all but the number: another respondent
    8: empty   6      2      2  2  1.0
  recommend: 10 9 0 6 8 9, so 3 promoters, 1 passive, 2 detractors of 6: (3 - 2) / 6 = 16.67.
    (11 as a promoter 28.57; 7 dropped as a duplicate 0; 0 or 6 left out 40.)
  weighted: promoters 0.5 + 1.5 + 1.5 = 3.5, detractors 2 + 1 = 3, all 7: 0.5 / 7 = 7.14.
  problem=yes: 0 and 6, so -100 of 2; problem=no: 10 9 9, so 100 of 3; problem=other: 8, so 0 of 1.
  overall: 5 4 3 4 4, mean 20 / 5 = 4, top two 4 of 5 = 80; weighted 24.5 / 6.5 = 3.769.
    (with 0 and 6 as points 26 / 7 = 3.714.)
  restaurants: 4 3 5 2, mean 14 / 4 = 3.5, top two 50. wayfinding: 5 4 5 3 2, mean 19 / 5 = 3.8.
The numbers 1 to 4 stand in both waves and are different people.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

# The 2016 file: a star before the key, spaces inside and after names, the date of the interview as a date,
# bytes of latin-1, the arrival as 'N'.
WAVE_2016 = """\
*RESPNUM,INTDATE,AIRLINE,ARRTIME,DEPTIME,Q7 FOOD,Q7ALL ,Q14FIND,Q15PROBLEM,Q17CITY,LANG,WEIGHT
1,05/11/2016 12:00:00 AM,DELTA,14:30:00,18:05:00,3,4,4,2,OAKLAND,1,1.0
2,05/09/2016 12:00:00 AM,AIR CANADA,N,17:20:00,6,0,0,0,MONTRÉAL,1,1.0
3,05/15/2016 12:00:00 AM,JETBLUE,8:45:00,11:35:00,2,6,6,3,OAKLAND,2,1.0
4,05/16/2016 12:00:00 AM,UNITED INTL,18:00:00,19:20:00,0,2,5,1,OAKLAND,1,1.0
"""

# The 2017 file: no star, recommend is new, the date is a day of May, a time has three
# shapes, a name holds a comma in quotes.
WAVE_2017 = """\
RESPNUM,INTDATE,AIRLINE,ARRTIME,DEPTIME,Q7FOOD,Q7ALL,Q14FIND ,Q15PROBLEM,NETPRO,Q17CITY,LANG,WEIGHT
1,13,AIR CANADA,6:00:00,12/31/1899 09:30:00 AM,4,5,5,2,10,MONTRÉAL,1,0.5
2,13,AIR CANADA,8:30 AM,12/31/1899 09:30:00 AM,6,4,6,2,9,MONTRÉAL,1,1.5
3,8,"CHINA EASTERN, LTD",N,12/31/1899 12:55:00 PM,0,Blank,0,0,11,OAKLAND,2,1.0
4,25,DELTA,9:00:00,12/31/1899 11:30:00 AM,3,3,4,1,0,OAKLAND,1,2.0
5,30,DELTA,7:30 AM,12/31/1899 11:30:00 AM,Blank,4,5,1,6,OAKLAND,3,1.0
6,22,UNITED,N,12/31/1899 08:00:00 AM,5,0,3,3,8,OAKLAND,1,0.5
7,13,AIR CANADA,8:30 AM,12/31/1899 09:30:00 AM,6,4,6,2,9,MONTRÉAL,1,1.5
8,24,UNITED,10:00:00,12/31/1899 12:50:00 PM,2,6,2,2,,OAKLAND,1,1.0
"""

CODEBOOK = """\
question,wave,column,role,touchpoint,stage,label,scale_min,scale_max,orientation,blank,not_applicable,values
respondent,2016,*RESPNUM,respondent,,,Respondent,,,,,,
respondent,2017,RESPNUM,respondent,,,Respondent,,,,,,
weight,,WEIGHT,weight,,,Weight,,,,,,
language,,LANG,language,,,Language,,,,,,1=English
home_city,,Q17CITY,segment,,,Home city,,,,,,MONTRÉAL=Montréal;OAKLAND=Oakland
problem,,Q15PROBLEM,problem,,,Problem,,,,0,,1=yes;2=no
nps,2017,NETPRO,nps,,,Recommend,0,10,higher_is_better,11,,
csat_overall,,Q7ALL,csat,,,Overall,1,5,higher_is_better,0;Blank,6,
csat_food,2016,Q7 FOOD,csat,restaurants,post-purchase,Restaurants,1,5,higher_is_better,0;Blank,6,
csat_food,2017,Q7FOOD,csat,restaurants,post-purchase,Restaurants,1,5,higher_is_better,0;Blank,6,
ces_wayfinding,,Q14FIND,ces,wayfinding,post-purchase,Finding the way,1,5,higher_is_better,0;Blank,6,
"""

# minimum_base = 1: with twelve rows all would be suppressed.
SETTINGS = """\
[project]
slug = "traps"
timezone = "America/Los_Angeles"

[sources.survey.2016]
path = "wave_2016.csv"
encoding = "latin-1"
period = "2016"

[sources.survey.2017]
path = "wave_2017.csv"
encoding = "latin-1"
period = "2017"

[privacy]
minimum_base = 1
"""


def _write_project(folder):
    folder.mkdir()
    (folder / "journey.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "survey_codebook.csv").write_text(CODEBOOK, encoding="utf-8")
    (folder / "wave_2016.csv").write_bytes(WAVE_2016.encode("latin-1"))
    (folder / "wave_2017.csv").write_bytes(WAVE_2017.encode("latin-1"))
    return folder


@pytest.fixture(scope="module")
def review(run, read, tmp_path_factory):
    base = tmp_path_factory.mktemp("traps")
    project, out = _write_project(base / "traps"), base / "out"
    checked = run("check", project)
    code = run("review", project, "--period", "2017", "--out", out)
    return SimpleNamespace(checked=checked, code=code, findings=read(out / "traps" / "2017"))


def test_the_rows_are_twelve_and_hold_bytes_that_are_not_utf8():
    rows = WAVE_2016.splitlines()[1:] + WAVE_2017.splitlines()[1:]
    assert len(rows) == 12
    with pytest.raises(UnicodeDecodeError):
        WAVE_2017.encode("latin-1").decode("utf-8")


def test_dirty_columns_that_the_codebook_does_not_name_do_no_harm(review):
    assert (review.checked, review.code) == (0, 0)


# metric, where, value, n, previous (nan: not asked before)
NAN = float("nan")
EXPECTED = [
    ("nps", {}, 100 / 6, 6, NAN),
    ("nps_weighted", {}, 50 / 7, 6, NAN),
    ("nps", {"segment": "problem=yes"}, -100, 2, NAN),
    ("nps", {"segment": "problem=no"}, 100, 3, NAN),
    ("nps", {"segment": "problem=other"}, 0, 1, NAN),
    ("nps", {"segment": "home_city=Montréal"}, 100, 3, NAN),
    ("csat_mean", {}, 4.0, 5, 3.0),
    ("csat_mean_weighted", {}, 24.5 / 6.5, 5, 3.0),
    ("csat_top2", {}, 80, 5, 50),
    ("csat_mean", {"touchpoint": "restaurants"}, 3.5, 4, 2.5),
    ("csat_top2", {"touchpoint": "restaurants"}, 50, 4, 0),
    ("ces_mean", {"touchpoint": "wayfinding"}, 3.8, 5, 4.5),
]


@pytest.mark.parametrize(("metric", "where", "value", "n", "previous"), EXPECTED)
def test_a_number_is_the_one_computed_by_hand(review, one_row, metric, where, value, n, previous):
    row = one_row(review.findings, metric, **where)
    assert row["value"] == pytest.approx(value, abs=1e-9)
    assert row["n"] == n
    assert row["previous"] == pytest.approx(previous, abs=1e-9, nan_ok=True)


def test_a_column_that_only_changed_its_name_is_no_break_in_the_series(review, one_row):
    row = one_row(review.findings, "csat_mean", touchpoint="restaurants")
    assert row["change"] == pytest.approx(1.0)
    assert row["verdict"] == "low_base"  # four answers: judged after not_compared and series_break


def test_a_blank_problem_is_no_segment_and_an_undocumented_one_is_other(review):
    labels = {segment for segment in review.findings["segment"] if segment.startswith("problem=")}
    assert labels == {"problem=yes", "problem=no", "problem=other"}


def test_segments_are_read_in_the_encoding_that_the_project_declares(review):
    labels = {segment for segment in review.findings["segment"] if segment.startswith("home_city=")}
    assert labels == {"home_city=Montréal", "home_city=Oakland"}
