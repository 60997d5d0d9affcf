"""The tables beside journey.toml: a test for each rule of codebook, touchpoints, changes and actions."""

from __future__ import annotations

import pytest

from journeylib.data.codebook import CODEBOOK, read_codebook, split_codes
from journeylib.data.project_tables import read_actions, read_changes, read_touchpoints

HEADER = ",".join(CODEBOOK)


def problems_of(read, folder, file: str, text: str | bytes) -> list[str]:
    (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    problems = []
    read(folder, problems)
    return [str(problem) for problem in problems]


def row(**cells: str) -> str:
    whole = {"question": "q1", "column": "Q1", "role": "csat", "scale_min": "1", "scale_max": "5"} | cells
    return ",".join(whole.get(name, "") for name in CODEBOOK)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"question": ""}, "question: found an empty cell"),
        ({"column": ""}, "column: found an empty cell"),
        ({"question": "Source_Row"}, "a name that the kit does not use itself"),
        ({"role": "npss"}, "did you mean nps?"),
        ({"role": ""}, "role: found an empty cell; expected one of nps, csat, ces"),
        ({"stage": "purchase"}, "stage: found 'purchase'"),
        ({"orientation": "up"}, "higher_is_better or lower_is_better"),
        ({"scale_min": ""}, "found no scale"),
        ({"scale_max": "five"}, "scale_max: found 'five'; expected a number"),
        ({"scale_max": "inf"}, "scale_max: found 'inf'; expected a number"),
        ({"scale_min": "5", "scale_max": "1"}, "found a scale from 5 to 1; expected the lower end first"),
        ({"role": "nps", "scale_max": "10"}, "a scale from 1 to 10 for nps; expected 0 and 10"),
        ({"role": "nps", "scale_min": "0", "scale_max": "10", "blank": "11;0"}, "blank: found code '0'"),
        (
            {"role": "nps", "scale_min": "0", "scale_max": "10", "not_applicable": "6"},
            "take it out of not_applicable",
        ),
        ({"role": "ces", "scale_max": "7"}, "no orientation for ces"),
    ],
)
def test_codebook_row_that_breaks_a_rule_is_refused_with_its_line(tmp_path, cells, said):
    text = f"{HEADER}\n{row(question='q0', column='Q0')}\n{row(**cells)}\n"
    found = problems_of(read_codebook, tmp_path, "survey_codebook.csv", text)
    assert all(one.startswith("survey_codebook.csv, line 3, ") for one in found)
    assert any(said in one for one in found)


@pytest.mark.parametrize(
    "cells",
    [
        {"role": "nps", "scale_min": "0", "scale_max": "10", "blank": "11;Blank"},
        {"role": "ces", "scale_max": "7", "orientation": "lower_is_better"},
        {"role": "csat", "blank": "0;6;Blank"},
        {"role": "comment", "scale_min": "", "scale_max": ""},
    ],
)
def test_codebook_row_that_keeps_the_rules_is_accepted(tmp_path, cells):
    assert problems_of(read_codebook, tmp_path, "survey_codebook.csv", f"{HEADER}\n{row(**cells)}\n") == []


def test_question_twice_in_a_wave_is_refused_also_where_only_its_case_differs(tmp_path):
    for second in ("q1", "Q1"):
        text = f"{HEADER}\n{row()}\n{row(question=second)}\n"
        found = problems_of(read_codebook, tmp_path, "survey_codebook.csv", text)
        assert len(found) == 1 and f"question {second!r} on lines 2, 3" in found[0]
    text = f"{HEADER}\n{row()}\n{row(wave='2026')}\n"
    assert problems_of(read_codebook, tmp_path, "survey_codebook.csv", text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("question,column,role,colour\n", "line 1: found unknown column 'colour'"),
        ("question,column\n", "line 1: found no column 'role'"),
        ("question,column,role,role\n", "line 1: found column 'role' twice"),
        ("question,column,role\n\nq,Q\n", "line 3: found 2 cells; expected 3 cells"),
        ('question,column,role\n"q,Q,comment\nr,R,comment\n', "line 2: found 1 cells"),
        ("", "line 1: found no column 'question'"),
        ("question,column,role\nq,Größe,comment\n".encode("latin-1"), "save it as CSV in UTF-8"),
    ],
)
def test_table_that_is_no_table_is_refused(tmp_path, text, said):
    assert any(said in one for one in problems_of(read_codebook, tmp_path, "survey_codebook.csv", text))


def test_table_may_have_semicolons_a_mark_and_blank_lines_as_spreadsheets_write_them(tmp_path):
    text = "\ufeffquestion;column;role;label\r\n\r\nq;Q;comment;What, if anything?\r\n"
    (tmp_path / "survey_codebook.csv").write_bytes(text.encode())
    book = read_codebook(tmp_path, [])
    assert book[["question", "label", "line", "values"]].to_numpy().tolist() == [
        ["q", "What, if anything?", 3, ""]
    ]


def test_codes_are_split_and_named():
    assert split_codes(" 1 = yes ;; 2=no; 99 ") == {"1": "yes", "2": "no", "99": ""}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a,,decision,,", "touchpoint: found an empty cell"),
        ("a,cart,checkout,,", "stage: found 'checkout'"),
        ("a,cart,,,", "stage: found an empty cell"),
        ("a,cart,decision,maybe,", "online: found 'maybe'; expected yes or no"),
        ("a,cart,decision,,dear", "cost: found 'dear'; expected a number"),
        ("a,pay,consideration,,", "touchpoint 'pay' in stages decision and consideration"),
    ],
)
def test_touchpoint_that_breaks_a_rule_is_refused_with_its_line(tmp_path, line, said):
    text = f"pattern,touchpoint,stage,online,cost\npay*,pay,decision,yes,3.5\n{line}\n"
    found = problems_of(read_touchpoints, tmp_path, "touchpoints.csv", text)
    assert len(found) == 1 and found[0].startswith("touchpoints.csv, line 3, ") and said in found[0]


def test_touchpoints_online_is_yes_no_or_unknown(tmp_path):
    text = "touchpoint,stage,online\na,decision,Yes\nb,decision,0\nc,decision,\n"
    (tmp_path / "touchpoints.csv").write_text(text)
    online = read_touchpoints(tmp_path, [])["online"]
    assert online.astype(object).where(online.notna(), None).tolist() == [True, False, None]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x,mended,2026-07-01,", "kind: found 'mended'; expected one of mend, launch, programme"),
        ("x,mend,01.07.2026,", "started_on: found '01.07.2026'; expected a date"),
        ("x,mend,,", "started_on: found an empty cell"),
        ("x,mend,2026-07-01,random", "assignment: found 'random'"),
        (",mend,2026-07-01,", "change: found an empty cell"),
    ],
)
def test_change_that_breaks_a_rule_is_refused(tmp_path, line, said):
    text = f"change,kind,started_on,assignment\n{line}\n"
    found = problems_of(read_changes, tmp_path, "changes.csv", text)
    assert len(found) == 1 and said in found[0]


def test_action_needs_a_name_and_a_date_that_is_one(tmp_path):
    found = problems_of(read_actions, tmp_path, "actions.csv", "action,due\n,2026-07-01\nmend,soon\n")
    assert [one.split(";")[0] for one in found] == [
        "actions.csv, line 2, action: found an empty cell",
        "actions.csv, line 3, due: found 'soon'",
    ]


def test_table_that_is_not_there_is_empty_with_its_columns(tmp_path):
    problems = []
    tables = [
        read(tmp_path, problems) for read in (read_codebook, read_touchpoints, read_changes, read_actions)
    ]
    assert problems == [] and [len(table) for table in tables] == [0, 0, 0, 0]
    assert tables[1]["online"].dtype == "boolean"
