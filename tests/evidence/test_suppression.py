from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from journeylib.evidence.suppression import suppress_small_bases


def tabulate(bases: dict[str, int], **other: object) -> pd.DataFrame:
    """One metric, the total first; values differ per row."""
    table = pd.DataFrame({"segment": list(bases), "n": list(bases.values())})
    return table.assign(
        metric="nps", which="reviewed", value=np.arange(len(table)) + 0.5, low=0.0, high=1.0, **other
    )


def hide(bases: dict[str, int], **other: object) -> list[str]:
    found = suppress_small_bases(tabulate(bases, **other))
    return sorted(found.loc[found["suppressed"], "segment"])


def test_nine_units_are_hidden_and_ten_are_shown():
    found = suppress_small_bases(
        pd.DataFrame({"segment": "", "metric": ["a", "b"], "value": [1.0, 2.0], "n": [9, 10]})
    )
    assert found["suppressed"].tolist() == [True, False]
    assert found["n"].tolist()[1] == 10 and np.isnan(found["n"][0])


def test_a_hidden_row_keeps_nothing_that_tells_its_number():
    numbers = [
        "value",
        "low",
        "high",
        "n",
        "n_effective",
        "spread",
        "promoters",
        "detractors",
        "covariance",
        "change",
        "q_value",
    ]
    table = pd.DataFrame({name: [4.0] for name in numbers}).assign(metric="nps", segment="", note="why")
    found = suppress_small_bases(table)
    assert found[numbers].isna().all(axis=None)
    assert found["note"].tolist() == ["why"] and found["suppressed"].all()
    assert table["value"].tolist() == [4.0], "the table that was given stays as it is"


def test_one_hidden_label_takes_the_next_smallest_along():
    assert hide({"": 160, "plan=a": 4, "plan=b": 56, "plan=c": 100}) == ["plan=a", "plan=b"]


def test_two_hidden_labels_that_hold_the_base_together_are_enough():
    assert hide({"": 160, "plan=a": 4, "plan=b": 6, "plan=c": 50, "plan=d": 100}) == ["plan=a", "plan=b"]


def test_two_hidden_labels_that_are_too_few_together_take_a_third_along():
    assert hide({"": 159, "plan=a": 4, "plan=b": 5, "plan=c": 50, "plan=d": 100}) == [
        "plan=a",
        "plan=b",
        "plan=c",
    ]


def test_an_empty_label_protects_nobody():
    assert hide({"": 154, "plan=a": 4, "plan=b": 0, "plan=c": 50, "plan=d": 100}) == [
        "plan=a",
        "plan=b",
        "plan=c",
    ]


def test_an_empty_label_alone_takes_nothing_along():
    assert hide({"": 150, "plan=b": 0, "plan=c": 50, "plan=d": 100}) == ["plan=b"]


def test_ties_are_settled_by_the_label():
    assert hide({"": 44, "plan=c": 20, "plan=b": 20, "plan=a": 4}) == ["plan=a", "plan=b"]


def test_without_a_shown_total_nothing_goes_along():
    assert hide({"plan=a": 4, "plan=b": 56, "plan=c": 100}) == ["plan=a"]
    assert hide({"": 8, "plan=a": 3, "plan=b": 5}) == ["", "plan=a", "plan=b"]


def test_each_segment_column_period_and_metric_stands_alone():
    bases = {"": 60, "plan=a": 4, "plan=b": 56, "home=x": 20, "home=y": 40}
    now, before = tabulate(bases), tabulate(bases).assign(which="previous", n=60)
    other = tabulate(bases).assign(metric="csat_mean", n=60)
    found = suppress_small_bases(pd.concat([now, before, other], ignore_index=True))
    assert found.loc[found["suppressed"], ["metric", "which", "segment"]].values.tolist() == [
        ["nps", "reviewed", "plan=a"],
        ["nps", "reviewed", "plan=b"],
    ]


def test_personas_are_protected_like_segments():
    table = tabulate({"": 60}).drop(columns="segment").loc[[0, 0, 0]].reset_index(drop=True)
    found = suppress_small_bases(table.assign(segment="", persona=["", "A", "B"], n=[60, 4, 56]))
    assert found["suppressed"].tolist() == [False, True, True]


def test_a_count_of_0_is_shown_and_counts_from_1_to_9_are_hidden():
    assert hide({"": 60, "plan=a": 0, "plan=b": 60}, kind="count") == []
    assert hide({"": 61, "plan=a": 1, "plan=b": 20, "plan=c": 40}, kind="count") == ["plan=a", "plan=b"]
    assert hide({"": 61, "plan=a": 9, "plan=b": 20, "plan=c": 32}, unit="count") == ["plan=a", "plan=b"]


def test_a_value_without_a_base_is_hidden():
    table = pd.DataFrame({"metric": "nps", "segment": "", "value": [3.0, np.nan], "n": [np.nan, np.nan]})
    assert suppress_small_bases(table)["suppressed"].tolist() == [True, False]


def test_the_minimum_base_can_be_set():
    table = tabulate({"": 160, "plan=a": 4, "plan=b": 56})
    assert not suppress_small_bases(table, minimum_base=3)["suppressed"].any()


def test_shuffled_rows_hide_the_same_and_a_second_pass_hides_no_more():
    table = tabulate({"": 159, "plan=a": 4, "plan=b": 5, "plan=c": 50, "plan=d": 50, "plan=e": 50})
    once = suppress_small_bases(table)
    shuffled = suppress_small_bases(table.sample(frac=1, random_state=3)).sort_index()
    assert_frame_equal(once, shuffled)
    assert_frame_equal(once, suppress_small_bases(once))


def test_rows_keep_their_order_and_index_also_where_labels_repeat():
    table = tabulate({"": 60, "plan=a": 4, "plan=b": 56}).set_index(pd.Index([7, 7, 7]))
    found = suppress_small_bases(table)
    assert found.index.tolist() == [7, 7, 7]
    assert found["suppressed"].tolist() == [False, True, True]


def test_an_empty_table_stays_empty():
    found = suppress_small_bases(tabulate({}))
    assert found.empty and "suppressed" in found


@pytest.mark.parametrize("kind", ["share", "count"])
def test_totals_never_allow_a_hidden_cell_or_a_small_group_to_be_recovered(kind):
    rng = np.random.default_rng(5)
    tables = []
    for case in range(150):
        bases = rng.choice([0, 1, 3, 5, 9, 10, 12, 40, 200], rng.integers(1, 6))
        labels = {f"plan={place}": int(base) for place, base in enumerate(bases)}
        tables.append(tabulate({"": int(bases.sum()), **labels}, kind=kind).assign(item=f"case {case}"))
    given = pd.concat(tables, ignore_index=True)
    given = given.assign(base=given["n"], hidden=suppress_small_bases(given)["suppressed"])
    assert given["hidden"].any() and not given["hidden"].all()
    for _, cells in given.groupby("item"):
        hidden, parts = cells["hidden"].iloc[0], cells.iloc[1:][cells["base"].iloc[1:] > 0]
        behind = parts.loc[parts["hidden"], "base"]
        if hidden:
            assert len(behind) == len(parts), "a hidden total has no shown parts"
        else:
            assert behind.sum() == 0 or behind.sum() >= 10, "total minus the shown cells is a small base"
            assert len(behind) != 1, "total minus the shown cells is one hidden cell"
