"""Answers joined to the touchpoint reached last before them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.data import ArgumentError
from journeylib.voice import join_answers, score_answers

DAY = 86_400_000_000


def make_answers(times, customers=None, **more) -> pd.DataFrame:
    number = len(times)
    table = {"response": [f"r{n}" for n in range(number)], "customer": customers or ["a"] * number}
    table |= {"answered_at": times, "question": "Q1", "role": "nps", "value": 9.0}
    return pd.DataFrame({**table, "scale_min": 0, "scale_max": 10, **more})


def make_events(rows) -> pd.DataFrame:
    events = pd.DataFrame(rows, columns=["customer", "occurred_at", "name"])
    return events.assign(
        touchpoint=events["name"], stage=events["name"].map({"pay": "decision"}).fillna("use")
    )


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (10, "matched"),  # the moment of the event itself
        (9, "no_events_within"),
        (10 + 30 * DAY, "matched"),  # the window's end is included
        (11 + 30 * DAY, "no_events_within"),
    ],
)
def test_the_window_holds_both_of_its_ends(at, status):
    joined = join_answers(make_answers([at]), make_events([("a", 10, "pay")]))
    assert joined["match_status"].tolist() == [status]
    assert joined["stage"].tolist() == ["decision" if status == "matched" else ""]


def test_each_answer_says_why_it_is_not_matched():
    customers = ["a", "b", "z", None, "", "a"]
    times = pd.array([5, 5, 5, 5, 5, None], dtype="Int64")
    joined = join_answers(make_answers(times, customers), make_events([("a", 1, "pay"), ("b", 9, "pay")]))
    expected = "matched no_events_within unknown_customer no_customer no_customer no_time"
    assert joined["match_status"].tolist() == expected.split()


def test_ties_in_time_are_settled_by_sequence_then_id_then_name():
    events = make_events([("a", 1, "pay"), ("a", 1, "help"), ("a", 1, "chat")])
    assert join_answers(make_answers([5]), events)["last_touchpoint"].tolist() == ["pay"]
    ordered = events.assign(sequence=pd.array([1, 3, 2], dtype="Int64"))
    assert join_answers(make_answers([5]), ordered)["last_touchpoint"].tolist() == ["help"]
    missing_last = events.assign(sequence=pd.array([1, 3, None], dtype="Int64"))
    assert join_answers(make_answers([5]), missing_last)["last_touchpoint"].tolist() == ["chat"]


def test_a_place_that_the_question_names_is_kept_and_its_stage_is_filled():
    answers = make_answers([5, 5, 5], touchpoint=["help", "", "pay"], stage=["", "loyalty", ""])
    joined = join_answers(answers, make_events([("a", 1, "pay")]))
    assert joined["touchpoint"].tolist() == ["help", "", "pay"]
    assert joined["stage"].tolist() == ["", "loyalty", "decision"]
    assert joined["last_touchpoint"].tolist() == ["pay"] * 3


def test_rows_order_and_index_stay_and_shuffled_tables_give_the_same():
    answers = make_answers([5, 12, 25], ["b", "a", "b"]).set_axis([7, 3, 7])
    events = make_events([("a", 10, "pay"), ("b", 3, "help"), ("b", 20, "pay"), ("b", 30, "chat")])
    joined = join_answers(answers, events)
    assert joined.index.tolist() == [7, 3, 7]
    assert joined["last_touchpoint"].tolist() == ["help", "pay", "pay"]
    shuffled = join_answers(answers.iloc[::-1], events.sample(frac=1, random_state=3)).iloc[::-1]
    pd.testing.assert_frame_equal(shuffled, joined)


def test_times_in_any_zone_mean_the_same_instant():
    utc = pd.Series(pd.to_datetime(["2026-07-01 12:00"])).dt.tz_localize("UTC")
    events = make_events([("a", 0, "pay")]).assign(occurred_at=utc.dt.tz_convert("Asia/Tokyo"))
    for at in (utc, utc.dt.tz_convert("America/New_York"), utc.dt.tz_localize(None)):
        assert join_answers(make_answers(at), events)["days_since_touchpoint"].tolist() == [0.0]


def test_events_without_a_touchpoint_are_none():
    events = make_events([("a", 1, "pay"), ("a", 2, "ping")])
    events.loc[1, ["touchpoint", "stage"]] = np.nan
    assert join_answers(make_answers([5]), events)["last_touchpoint"].tolist() == ["pay"]


def test_parquet_gives_the_same_as_a_frame(tmp_path):
    events = make_events([("a", 1, "pay"), ("b", 2, "help")])
    events.to_parquet(tmp_path / "events.parquet")
    answers = make_answers([5, 5], ["a", "b"])
    joined = join_answers(answers, str(tmp_path / "events.parquet"))
    pd.testing.assert_frame_equal(joined, join_answers(answers, events))


def test_scores_by_stage_need_the_joined_frame_alone():
    joined = join_answers(
        make_answers([5, 5, 5], ["a", "b", "z"]), make_events([("a", 1, "pay"), ("b", 2, "help")])
    )
    scores = score_answers(joined, by="stage")
    assert scores[["stage", "value", "n"]].values.tolist() == [["decision", 100.0, 1], ["use", 100.0, 1]]


@pytest.mark.parametrize("events", [make_events([]), make_events([("z", 1, "pay")])])
def test_nobody_known_matches_nobody(events):
    events = events.astype({"customer": "str", "occurred_at": "int64", "name": "str"})
    events = events.astype({"touchpoint": "str", "stage": "str"})
    assert join_answers(make_answers([5]), events)["match_status"].tolist() == ["unknown_customer"]


def test_no_answers_stay_none():
    assert join_answers(make_answers([5]).iloc[:0], make_events([("a", 1, "pay")])).empty


@pytest.mark.parametrize(("within", "said"), [("0D", "longer than nothing"), (-1, "longer than nothing")])
def test_a_window_of_nothing_is_refused(within, said):
    with pytest.raises(ArgumentError, match=said):
        join_answers(make_answers([5]), make_events([("a", 1, "pay")]), within=within)


def test_answers_without_a_customer_column_are_refused():
    with pytest.raises(ArgumentError, match="column customer is missing"):
        join_answers(make_answers([5]).drop(columns="customer"), make_events([("a", 1, "pay")]))
