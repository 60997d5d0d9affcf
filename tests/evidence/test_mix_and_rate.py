from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal

from journeylib.evidence.mix_and_rate import split_mix_and_rate


def test_every_segment_fell_by_2_while_the_total_rose_by_10():
    # Source: reference_values/nps_mix_rate_decomposition.json.
    found = split_mix_and_rate(
        {"A": 0.5, "B": 0.5}, {"A": 40, "B": 0}, {"A": 0.8, "B": 0.2}, {"A": 38, "B": -2}
    )
    assert_allclose(
        found.loc["", ["score_before", "score_now", "change", "mix", "rate"]].astype(float),
        [20, 30, 10, 12, -2],
    )
    assert_allclose(found.loc[["A", "B"], "mix"], [11.7, 0.3])
    assert_allclose(found.loc[["A", "B"], "rate"], [-1.3, -0.7])


def test_mix_and_rate_sum_to_the_change_for_any_segments():
    rng = np.random.default_rng(1)
    for size in (1, 2, 7):
        parts = [pd.Series(rng.uniform(0, 50, size), index=list("abcdefg")[:size]) for _ in range(4)]
        found = split_mix_and_rate(*parts)
        before, now = (np.average(parts[i + 1], weights=parts[i]) for i in (0, 2))
        assert_allclose(found.loc["", "change"], now - before, atol=1e-12)
        assert_allclose(found["mix"] + found["rate"], found["change"], atol=1e-12)
        assert_allclose(
            found.iloc[:-1][["change", "mix", "rate"]].sum(),
            found.loc[""][["change", "mix", "rate"]],
            atol=1e-12,
        )


def test_a_segment_that_came_or_went_counts_wholly_as_mix():
    found = split_mix_and_rate(
        {"old": 50, "kept": 50}, {"old": 10, "kept": 30}, {"kept": 75, "new": 25}, {"kept": 30, "new": 90}
    )
    assert found["rate"].tolist() == [0.0, 0.0, 0.0, 0.0]
    assert_allclose(found.loc[["kept", "new", "old", ""], "mix"], [7.5, 22.5, -5, 25])
    assert np.isnan(found.loc["new", "score_before"]) and np.isnan(found.loc["old", "score_now"])


def test_a_segment_with_weight_0_is_absent_even_if_it_has_a_score():
    given = split_mix_and_rate({"a": 1, "b": 0}, {"a": 5, "b": 99}, {"a": 1, "b": 1}, {"a": 5, "b": 7})
    left_out = split_mix_and_rate({"a": 1}, {"a": 5}, {"a": 1, "b": 1}, {"a": 5, "b": 7})
    assert_frame_equal(given, left_out)


def test_the_order_of_segments_does_not_matter():
    first = split_mix_and_rate({"a": 1, "b": 3}, {"a": 0.1, "b": 0.7}, {"b": 2, "a": 3}, {"a": 0.3, "b": 0.2})
    second = split_mix_and_rate(
        {"b": 3, "a": 1}, {"b": 0.7, "a": 0.1}, {"a": 3, "b": 2}, {"b": 0.2, "a": 0.3}
    )
    assert_frame_equal(first, second, check_exact=True)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (({"a": 1}, {}, {"a": 1}, {"a": 3}), "'a' has weight but no score before"),
        (({"a": 1}, {"a": 3}, {"a": 0}, {"a": 3}), "no segment has any weight now"),
        (({"a": 1, "b": -1}, {"a": 3}, {"a": 1}, {"a": 3}), "found -1 for 'b'"),
        (({"": 1}, {"": 3}, {"": 1}, {"": 3}), "stands for the total"),
        ((pd.Series([1, 2], ["a", "a"]), {"a": 3}, {"a": 1}, {"a": 3}), "listed twice"),
    ],
)
def test_what_can_not_be_split_is_refused(parts, words):
    with pytest.raises(ValueError, match=words):
        split_mix_and_rate(*parts)
