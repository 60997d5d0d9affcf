"""Parameters of chapters: names and types are checked before anything runs, and they reach the chapter."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from journeylib.data.problems import InputError
from journeylib.review.notebooks import check_parameters, find_notebooks
from journeylib.review.run import CHAPTERS

DECLARED = """\
tables = "x"
most_rows = 12  # rows of the longest table
share = 0.5
weighted = True
title = "Shop"
offset = 0
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "scores.ipynb"
    cell = new_code_cell(DECLARED, metadata={"tags": ["parameters"]})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(new_notebook(cells=[cell], metadata={"kernelspec": kernel}), path)
    return path


def test_values_take_the_type_of_the_default(notebook):
    given = {"most_rows": "3", "share": "0.25", "weighted": "false", "title": "2024", "offset": "-2"}
    chosen = check_parameters(given, [notebook])["scores"]
    assert chosen == {"most_rows": 3, "share": 0.25, "weighted": False, "title": "2024", "offset": -2}
    assert type(chosen["most_rows"]) is int and type(chosen["title"]) is str


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        (("mostrows", "3"), "unknown parameter 'mostrows'.*did you mean most_rows"),
        (("most_rows", "3.5"), "most_rows=3.5; expected a whole number above 0"),
        (("most_rows", "0"), "most_rows=0; expected a whole number above 0"),
        (("share", "half"), "share=half; expected a number above 0"),
        (("share", "nan"), "share=nan; expected a number above 0"),
        (("share", "inf"), "share=inf; expected a number above 0"),
        (("offset", "1.5"), "offset=1.5; expected a whole number\\."),
        (("weighted", "yes"), "weighted=yes; expected true or false"),
        (("tables", "elsewhere"), "unknown parameter 'tables'"),
    ],
)
def test_a_value_that_can_not_be_is_refused(notebook, pair, says):
    with pytest.raises(InputError, match=says):
        check_parameters(dict([pair]), [notebook])


def test_all_wrong_parameters_are_named_at_once(notebook):
    with pytest.raises(InputError) as caught:
        check_parameters({"most_rows": "x", "nam": "1"}, [notebook])
    assert len(caught.value.problems) == 2


def test_each_chapter_of_the_review_declares_what_the_run_sets():
    given = check_parameters({"most_rows": "5"}, [find_notebooks() / f"{name}.ipynb" for name, _ in CHAPTERS])
    assert set(given) == {name for name, _ in CHAPTERS}
    assert {"most_rows": 5} in given.values()


def test_a_parameter_reaches_its_chapter(tiny, command, chapters, tmp_path):
    chapters({"what_they_say": "print('rows', most_rows, period, tables)"})
    ended = command("review", tiny, "--period", "2024Q3", "--out", tmp_path / "out", "-p", "most_rows=7")
    assert ended.code == 0
    executed = tmp_path / "out" / "tiny" / "2024Q3" / "notebooks" / "what_they_say.ipynb"
    outputs = [cell.outputs for cell in nbformat.read(executed, 4).cells if cell.get("outputs")]
    assert outputs[0][0].text == "rows 7 2024Q3 trusted\n"


def test_the_working_directory_of_this_process_is_left_alone(tiny, command, chapters, tmp_path, monkeypatch):
    """Papermill changes it for the whole process, and two chapters run at a time."""
    chapters({name: "import os\nprint(os.path.basename(os.getcwd()))" for name, _ in CHAPTERS})
    monkeypatch.chdir(tmp_path)
    ended = command("review", "tiny", "--period", "2024Q3")
    assert (ended.code, ended.out) == (0, "reports/tiny/2024Q3/review.html\n")
    assert Path.cwd() == tmp_path
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    assert command("review", "../tiny", "--period", "2024Q2").out == "reports/tiny/2024Q2/review.html\n"
    assert (other / "reports" / "tiny" / "2024Q2" / "review.html").is_file()
