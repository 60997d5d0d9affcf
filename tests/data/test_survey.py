"""Survey exports by the codebook: codes, orientation, duplicates, waves that differ, rules of respondents."""

from __future__ import annotations

import pandas as pd
import pytest

from journeylib.data.problems import InputError
from journeylib.data.responses import find_codes

BOOK = """\
question,wave,column,role,touchpoint,stage,label,scale_min,scale_max,orientation,blank,not_applicable,values
id,,ID,respondent,,,,,,,,,
at,,At,answered_at,,,,,,,,,
w,,W,weight,,,,,,,,,
nps,,Q1,nps,,,How likely?,0,10,,11;Blank,,
clean,,Q2,csat,toilets,,How clean?,1,5,,0;Blank,6,
effort,,Q3,ces,cart,decision,How hard?,1,7,lower_is_better,,,
problem,,Q4,problem,,,,,,,0,,1=yes;2=no
text,,Q5,comment,,,,,,,,,
"""
HEADER = "ID,At,W,Q1,Q2,Q3,Q4,Q5\n"
GOOD = "r1,2026-07-01,1.5,9,4,2,1,fine\n"
TOUCHPOINTS = "touchpoint,stage\ntoilets,post-purchase\ncart,decision\n"


@pytest.fixture
def survey(shop):
    """Return a function that makes the tables of one wave from its rows."""

    def make(
        rows: str, *, book: str = BOOK, options: str = 'period = "2026Q3"', header: str = HEADER, **more
    ):
        shop.rest = ""
        shop.write("survey_codebook.csv", book)
        shop.write("touchpoints.csv", TOUCHPOINTS)
        return shop.add("survey", header + rows, options=options).make(**more)

    return make


def answers_of(tables, question: str) -> pd.DataFrame:
    answers = tables.read("answers")
    return answers[answers["question"] == question].reset_index(drop=True)


@pytest.mark.parametrize(
    ("row", "rule", "column"),
    [
        (",2026-07-01,1,9,4,2,1,\n", "missing_respondent", "ID"),
        ("r2,1 July,1,9,4,2,1,\n", "bad_date", "At"),
        ("r2,2126-07-01,1,9,4,2,1,\n", "future", "At"),
        ("r2,2026-07-01,heavy,9,4,2,1,\n", "bad_weight", "W"),
        ("r2,2026-07-01,-1,9,4,2,1,\n", "bad_weight", "W"),
        ("r2,2026-07-01,inf,9,4,2,1,\n", "bad_weight", "W"),
        ("r2,2026-10-02,1,9,4,2,1,\n", "after_as_of", ""),
        ("r2,2026-07-01,1,9,4,2,1,a,b\n", "malformed_row", ""),
        ("r1,2026-07-01,1,9,4,,1,\n", "duplicate_respondent", "ID"),
    ],
)
def test_respondent_who_breaks_a_rule_is_set_aside_with_the_line(survey, steps, aside, us, row, rule, column):
    tables = survey(GOOD + row + GOOD.replace("r1", "r3"), as_of_us=us("2026-10-01T00:00:00Z"))
    assert steps(tables, "survey") == {"rows in": 3, rule: 1, "used": 2}
    assert aside(tables, "survey") == ([(3, rule, column)] if rule != "after_as_of" else [])
    assert len(tables.read("responses")) == 2


def test_wave_without_a_period_needs_a_date_in_each_row(survey, steps):
    tables = survey(GOOD + "r2,,1,9,4,2,1,\n", options="")
    assert steps(tables, "survey") == {"rows in": 2, "missing_answered_at": 1, "used": 1}
    assert tables.read("responses")["period"].tolist() == [""]
    with pytest.raises(InputError, match="a wave without period and without dates"):
        survey(GOOD, options="", book=BOOK.replace("at,,At,answered_at,,,,,,,,,\n", ""))


def test_of_one_respondent_s_rows_the_last_complete_one_is_kept(survey, aside):
    rows = "r1,2026-07-01,1,1,1,1,1,\nr1,2026-07-02,1,2,2,2,1,\nr1,2026-07-03,1,3,0,3,1,\n"
    tables = survey(rows)
    assert answers_of(tables, "nps")["value"].tolist() == [2]
    assert [line for line, *_ in aside(tables, "survey")] == [2, 4]


def test_faulty_duplicate_does_not_push_a_good_row_aside(survey, steps):
    tables = survey(GOOD + GOOD.replace("2026-07-01", "later"))
    assert steps(tables, "survey") == {"rows in": 2, "bad_date": 1, "used": 1}


def test_equal_answers_of_two_respondents_are_no_duplicates(survey, steps):
    book = BOOK.replace("id,,ID,respondent,,,,,,,,,\n", "")
    assert steps(survey(GOOD * 3, book=book), "survey") == {"rows in": 3, "used": 3}


def test_blank_and_not_applicable_are_told_apart_per_item_and_counted(survey, steps, aside):
    rows = "r1,,,0,5,1,1,a\nr2,,,11,6,,0,\nr3,,,Blank,0,8,2,\nr4,,,6,Blank,x,3,b\nr5,,,6.0,6.0,7.0,1.0,\n"
    tables = survey(rows)
    assert answers_of(tables, "nps")["value"].tolist() == [0, 6, 6]  # 0 and 6 are answers here
    clean = answers_of(tables, "clean")
    assert clean["value"].dropna().tolist() == [5]
    assert clean["not_applicable"].tolist() == [False, True, True]
    assert steps(tables, "answers") == {
        "rows in": 25, "blank": 2 + 2 + 1 + 1 + 3, "not_applicable": 2, "unknown_code": 2, "used": 12
    }  # fmt: skip
    assert aside(tables, "answers") == [(4, "unknown_code", "Q3"), (5, "unknown_code", "Q3")]
    assert "0" not in set(answers_of(tables, "text")["text"])


def test_reversed_item_is_turned_so_that_higher_is_better(survey):
    tables = survey("r1,,,9,4,1,1,\nr2,,,9,4,7,1,\nr3,,,9,4,4,1,\n")
    assert answers_of(tables, "effort")["value"].tolist() == [7, 1, 4]
    assert answers_of(tables, "effort")["text"].tolist() == ["1", "7", "4"]


def test_half_a_point_is_no_answer_on_a_narrow_scale_but_is_on_a_slider(survey, steps):
    book = BOOK + "slider,,Q6,perception,,,How well?,0,100,,,,\n"
    tables = survey(
        "r1,,,9,4,1,1,a,62.5\nr2,,,8.5,4,1,1,a,101\n", book=book, header="ID,At,W,Q1,Q2,Q3,Q4,Q5,Q6\n"
    )
    assert answers_of(tables, "slider")["value"].tolist() == [62.5]
    assert steps(tables, "answers")["unknown_code"] == 2


@pytest.mark.parametrize(
    "cells", [["very bad", "2", "very good"], ["1", "2", "3"], ["very bad", "so so", "very good"]]
)
def test_export_may_hold_labels_instead_of_codes_or_at_the_ends_alone(survey, cells):
    book = BOOK.replace("How clean?,1,5,,0;Blank,6,", "How clean?,1,3,,,,1=very bad;2=so so;3=very good")
    rows = "".join(f"r{place},,,9,{cell},1,1,\n" for place, cell in enumerate(cells))
    assert answers_of(survey(rows, book=book), "clean")["value"].tolist() == [1, 2, 3]


def test_segment_s_codes_become_labels_and_an_undocumented_one_is_other(survey):
    tables = survey(
        "r1,,,9,4,1,1,\nr2,,,9,4,1,2.0,\nr3,,,9,4,1,7,\nr4,,,9,4,1,0,\nr5,,,9,4,1,,\nr6,,,9,4,1,no,\n"
    )
    found = tables.read("responses")["segment.problem"].fillna("missing")
    assert found.tolist() == ["yes", "no", "other", "missing", "missing", "no"]


def test_language_and_country_are_fields_and_segments(survey):
    book = BOOK + "lang,,Q5,language,,,,,,,,,d=German\n"
    responses = survey(GOOD.replace("fine", "d"), book=book).read("responses")
    assert responses[["language", "segment.lang"]].to_numpy().tolist() == [["German", "German"]]
    assert responses["country"].isna().all()


def test_weights_dates_and_columns_of_responses(survey, us):
    rows = "r1;2026-07-01;1,25;9;4;2;1;a\nr2;2026-07-01T10:00Z;;9;4;2;1;\n"
    responses = survey(rows, header=HEADER.replace(",", ";")).read("responses")
    assert list(responses) == [
        "response", "customer", "answered_at", "wave", "period", "weight", "language", "country", "seconds",
        "segment.problem",
    ]  # fmt: skip
    assert responses["weight"].tolist()[0] == 1.25 and responses["weight"].isna().tolist() == [False, True]
    assert responses["answered_at"].tolist() == [us("2026-07-01T00:00:00+02:00"), us("2026-07-01T10:00:00Z")]
    kinds = {"customer": "str", "language": "str", "answered_at": "Int64", "seconds": "Float64"}
    assert {name: str(responses[name].dtype) for name in kinds} == kinds


def test_blank_codes_count_for_ids_and_weights_too(survey, steps):
    book = BOOK.replace("w,,W,weight,,,,,,,,,", "w,,W,weight,,,,,,,-9,,")
    book = book.replace("id,,ID,respondent,,,,,,,,,", "id,,ID,respondent,,,,,,,none,,")
    tables = survey("r1,,-9,9,4,2,1,\nnone,,1,9,4,2,1,\n", book=book)
    assert steps(tables, "survey") == {"rows in": 2, "missing_respondent": 1, "used": 1}
    assert tables.read("responses")["weight"].isna().all()


def test_answer_takes_the_stage_of_its_touchpoint_where_none_is_given(survey):
    answers = survey(GOOD).read("answers")
    assert answers.set_index("question").loc[["nps", "clean", "effort"], "stage"].tolist() == [
        "",
        "post-purchase",
        "decision",
    ]
    assert list(answers) == [
        "response", "question", "role", "touchpoint", "stage", "value", "not_applicable", "text", "scale_min",
        "scale_max", "series",
    ]  # fmt: skip


def two_waves(shop, book: str, first: str, second: str):
    shop.write("survey_codebook.csv", book)
    for wave, text in (("2025", first), ("2026", second)):
        shop.write(f"{wave}.csv", text)
        shop.declare(f'[sources.survey.{wave}]\npath = "{wave}.csv"\nperiod = "{wave}"')
    return shop.make()


def test_waves_may_have_other_columns_and_a_wave_s_own_row_goes_before_the_one_for_all(shop):
    book = (
        "question,wave,column,role,label,scale_min,scale_max\n"
        "clean,,Q2,csat,How clean?,1,5\n"
        "clean,2025,Q7,csat,How clean?,1,7\n"
        "warm,2026,Q9,csat,How warm?,1,5\n"
        "lost,2031,Q9,csat,How lost?,1,5\n"
    )
    tables = two_waves(shop, book, "Q7\n7\n\n6\n", "Q2,Q9,other\n5,1,x\n")
    answers = tables.read("answers")
    assert answers.groupby("question")["value"].apply(list).to_dict() == {"clean": [7, 6, 5], "warm": [1]}
    series = answers.drop_duplicates(["question", "series"])["series"].tolist()
    assert series == ["How clean? [1 to 7]", "How clean? [1 to 5]", "How warm? [1 to 5]"]
    assert tables.read("responses")["wave"].tolist() == ["2025", "2025", "2025", "2026"]
    assert [wave["responses"] for wave in tables.facts["waves"]] == [3, 1]
    assert any("line 5: wave '2031' is no declared source" in note for note in tables.facts["notes"])


@pytest.mark.parametrize(
    ("label", "top", "same"), [("Clean?", "5", True), ("Very clean?", "5", False), ("Clean?", "7", False)]
)
def test_series_differs_where_the_label_or_the_scale_changed(shop, label, top, same):
    book = (
        "question,wave,column,role,label,scale_min,scale_max\n"
        f"clean,2025,Q,csat,Clean?,1,5\nclean,2026,Q,csat,{label},1,{top}\n"
    )
    series = two_waves(shop, book, "Q\n1\n", "Q\n1\n").read("answers")["series"]
    assert (series.nunique() == 1) == same


def test_undated_wave_whose_period_begins_after_as_of_is_left_out(shop, steps, us):
    book = "question,column,role,scale_min,scale_max\nclean,Q,csat,1,5\n"
    two_waves(shop, book, "Q\n1\n", "Q\n1\n")
    tables = shop.make(as_of_us=us("2025-12-01T00:00:00Z"))
    assert steps(tables, "survey", "2026") == {"rows in": 1, "after_as_of": 1, "used": 0}
    assert [wave["wave"] for wave in tables.facts["waves"]] == ["2025"]
    assert tables.read("responses")["wave"].tolist() == ["2025"]


@pytest.mark.parametrize(
    ("answers", "warned"), [([1] * 200, True), ([1] * 199, False), ([1] * 200 + [0], False)]
)
def test_no_zero_among_200_nps_answers_is_a_warning(shop, answers, warned):
    shop.write("survey_codebook.csv", "question,column,role,scale_min,scale_max\nnps,Q,nps,0,10\n")
    tables = shop.add("survey", "Q\n" + "\n".join(map(str, answers)) + "\n", options='period = "2026"').make()
    assert any("200 answers and not one 0" in note for note in tables.facts["notes"]) == warned


@pytest.mark.parametrize(
    ("book", "header", "said"),
    [
        (
            BOOK.replace("Q2", "Q22"),
            HEADER,
            "line 6, column: found column 'Q22', which survey.csv does not have",
        ),
        (BOOK, HEADER.replace("Q5", "Q2"), "column 'Q2' 2 times"),
        (BOOK, HEADER.replace(",", ";"), 'write separator = ";"'),
        (BOOK + "id2,,Q5,respondent,,,,,,,,,\n", HEADER, "2 rows of role respondent for wave 'one'"),
        ("question,wave,column,role\nq,2031,Q1,comment\n", HEADER, "no question for wave 'one'"),
        ("question,column,role\nid,ID,respondent\n", HEADER, "no question for wave 'one'"),
    ],
)
def test_codebook_that_does_not_fit_the_file_is_refused(survey, book, header, said):
    options = 'period = "2026"\nseparator = ","'
    with pytest.raises(InputError) as caught:
        survey(GOOD, book=book, header=header, options=options)
    assert said in str(caught.value)


def test_wave_without_one_answer_is_refused_and_one_of_several_files_too(survey, shop):
    with pytest.raises(
        InputError, match=r"no usable answer \(5 answers; 5 are set aside by the rule blank\)"
    ):
        survey("r1,,,,,,,\n")
    shop.write("by.csv", HEADER + GOOD)
    with pytest.raises(InputError, match="declare a wave for each file"):
        shop.rest = '[sources.survey.one]\npath = "[bs]*y.csv"\nperiod = "2026"\n'
        shop.make()


def test_respondent_is_linked_where_the_id_is_a_known_customer_s(survey, shop):
    shop.write("c.csv", "customer,region,plan\nr1,north,gold\nr9,south,\n")
    crm = "[sources.customers.crm]"
    options = f'period = "2026"\n{crm}\npath = "c.csv"\n{crm[:-1]}.columns]\n"segment.plan" = "plan"'
    tables = survey(GOOD + GOOD.replace("r1", "r2"), options=options)
    responses = tables.read("responses")
    customers = tables.read("customers").set_index("segment.plan")["customer"]
    assert responses["customer"].fillna("").tolist() == [customers["gold"], ""]
    assert responses["segment.region"].fillna("").tolist() == ["north", ""]
    assert responses["segment.plan"].fillna("").tolist() == ["gold", ""]


def test_customer_given_beside_the_respondent_goes_before_it(survey):
    book = BOOK + "who,,Q5,customer,,,,,,,,,\n"
    responses = survey(GOOD, book=book).read("responses")
    assert responses["customer"].notna().all() and (responses["customer"] != responses["response"]).all()


def test_survey_in_parquet_with_typed_columns_reads_as_the_same_in_csv(shop, survey):
    rows = pd.DataFrame(
        {
            "ID": [1, 2],
            "At": pd.to_datetime(["2026-07-01", "2026-07-02"]),
            "W": [1.0, None],
            "Q1": [9.0, None],
            "Q2": [6, 4],
            "Q3": [1.0, 2.0],
            "Q4": [1.0, None],
            "Q5": [None, None],
        }
    )
    rows.to_parquet(shop.folder / "survey.parquet")
    shop.write("survey_codebook.csv", BOOK)
    shop.declare('[sources.survey.one]\npath = "survey.parquet"\nperiod = "2026Q3"')
    found = shop.make(out="a")
    expected = survey("1,2026-07-01,1,9,6,1,1,\n2,2026-07-02,,,4,2,,\n", out="b")
    for table in ("responses", "answers"):
        left, right = found.read(table), expected.read(table)
        pd.testing.assert_frame_equal(
            left.drop(columns="stage", errors="ignore"), right.drop(columns="stage", errors="ignore")
        )


def test_code_with_a_point_and_zero_is_the_code():
    assert find_codes(pd.Series(["6", "6.0", "6.00", "60", "6.5", None]), "6").tolist() == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
