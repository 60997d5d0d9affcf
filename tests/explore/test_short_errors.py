"""A wrong name in a notebook is answered in a few lines, not in forty lines of traceback."""

from __future__ import annotations

import re

import pytest
from IPython.core.interactiveshell import InteractiveShell

SETUP = """
import pandas as pd
from journeylib.data import read_events
from journeylib.journey import assign_touchpoints, count_funnel, list_journey
from journeylib.voice import join_answers, score_answers
events = pd.DataFrame({"customer": ["a"], "occurred_at": [1], "name": ["view"], "device_type": ["phone"]})
answers = pd.DataFrame({"response": [1], "question": "Q", "role": "nps", "value": [9]})
answers = answers.assign(scale_min=0, scale_max=10)
"""
CALLS = [
    ('count_funnel(events, ["event:view"], by="devise_type")', "did you mean device_type?"),
    ('count_funnel(events, ["event:veiw"])', "did you mean 'view'?"),
    ('count_funnel(events, ["event:view"], unit="person")', "unit must be one of people, sessions, baskets"),
    ('assign_touchpoints(events, pd.DataFrame({"pattern": ["a"]}))', "lack the column(s) touchpoint, stage"),
    ('score_answers(answers, by="stagee")', "did you mean stage?"),
    ('score_answers(answers, by="segment.plan")', "column segment.plan is missing"),
    ('score_answers(answers.assign(scale_max=5))', "role nps needs the ends 0 and 10"),
    ("join_answers(answers, events)", "column customer is missing"),
    ('list_journey(events, "a")', "call split_into_sessions first"),
    ('read_events("no_such_file.csv")', "no such file here or in a folder above"),
]  # fmt: skip


@pytest.fixture(scope="module")
def shell():
    made = InteractiveShell()
    assert made.run_cell(SETUP).success
    return made


@pytest.mark.parametrize(("call", "said"), CALLS)
def test_a_wrong_name_is_answered_in_one_short_sentence(shell, capsys, call, said):
    result = shell.run_cell(call)
    assert not result.success
    shown = re.sub(r"\x1b\[[0-9;]*m", "", "".join(capsys.readouterr()))
    assert said in shown
    assert len(shown.strip().splitlines()) <= 3, shown
    assert "Traceback" not in shown
