"""The second pass: what is called a change, what is noise, what is hidden, and what is not compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from journeylib.review.comparison import compare_findings
from journeylib.review.findings import FINDINGS_COLUMNS, read_recorded, record_findings, write_findings


def share(which: str, value: float, n: int, **place: str) -> dict[str, object]:
    """Return one measured share: percent of n."""
    row = {"metric": "csat_top2", "which": which, "value": value, "low": value - 1, "high": value + 1, "n": n}
    row |= {"n_effective": float(n), "method": "wilson", "kind": "share", "unit_of_analysis": "respondents"}
    places = {
        "stage": "",
        "touchpoint": "",
        "persona": "",
        "segment": "",
        "item": "",
        "series": "asked so",
        "note": "",
    }
    return {**places, **row, "covariance": 0.0 if which != "reviewed" else np.nan, **place}


def compare(rows: list[dict[str, object]], tmp_path, **options: object) -> pd.DataFrame:
    """Record the rows as a chapter would, and run the second pass."""
    record_findings(pd.DataFrame(rows), chapter="what_they_say", folder=tmp_path)
    return compare_findings(read_recorded(tmp_path), period="2026Q3", **options)


def test_a_large_change_on_a_large_base_rose(tmp_path) -> None:
    found = compare([share("reviewed", 80, 2000), share("previous", 70, 2000)], tmp_path).iloc[0]
    assert found["verdict"] == "rose"
    assert found["change"] == pytest.approx(10)
    assert found["change_low"] > 0 and found["q_value"] < 0.05


def test_a_change_below_the_smallest_that_counts_is_none_however_sure(tmp_path) -> None:
    rows = [share("reviewed", 51.5, 1_000_000), share("previous", 50, 1_000_000)]
    assert compare(rows, tmp_path)["verdict"].item() == "no_change"
    assert compare(rows, tmp_path, minimum_effects={"csat_top2": 1.0})["verdict"].item() == "rose"


def test_a_weighted_score_takes_the_plain_ones_smallest_change(tmp_path) -> None:
    rows = [
        {**share("reviewed", 54, 100_000), "metric": "csat_top2_weighted"},
        {**share("previous", 50, 100_000), "metric": "csat_top2_weighted"},
    ]
    assert compare(rows, tmp_path, minimum_effects={"csat_top2": 5.0})["verdict"].item() == "no_change"


def test_many_true_nulls_give_few_arrows(tmp_path) -> None:
    random = np.random.default_rng(1)
    rows = []
    for place in range(400):
        for which in ("reviewed", "previous"):
            answered = random.binomial(400, 0.5)
            rows.append(share(which, 100 * answered / 400, 400, touchpoint=f"place {place:03d}"))
    found = compare(rows, tmp_path, minimum_effects={"csat_top2": 0.1})
    assert (found["p_value"] < 0.05).sum() >= 8  # twenty would be called a change one by one
    assert found["verdict"].isin(["rose", "fell"]).sum() <= 1


def test_rows_without_a_value_before_are_not_compared_and_not_in_the_family(tmp_path) -> None:
    found = compare(
        [share("reviewed", 80, 2000)], tmp_path, reasons={"respondents": "not compared: nobody was asked"}
    ).iloc[0]
    assert found["verdict"] == "not_compared"
    assert np.isnan(found["q_value"]) and np.isnan(found["previous"])
    assert found["note"] == "not compared: nobody was asked"


def test_a_base_of_nine_is_hidden_and_one_of_ten_is_shown_as_low(tmp_path) -> None:
    rows = [
        share(which, 50, n, touchpoint=f"n {n:02d}")
        for n in (9, 10, 29, 30)
        for which in ("reviewed", "previous")
    ]
    found = compare(rows, tmp_path).set_index("touchpoint")
    assert found["verdict"].to_dict() == {
        "n 09": "suppressed",
        "n 10": "low_base",
        "n 29": "low_base",
        "n 30": "no_change",
    }
    assert found.loc["n 09", ["value", "low", "high", "n", "change", "previous"]].isna().all()
    assert found["suppressed"].to_dict() == {"n 09": True, "n 10": False, "n 29": False, "n 30": False}
    assert found.loc["n 10", "note"] == "low base, indicative"


def test_a_changed_question_breaks_the_series(tmp_path) -> None:
    rows = [share("reviewed", 80, 2000), {**share("previous", 60, 2000), "series": "asked otherwise"}]
    assert compare(rows, tmp_path)["verdict"].item() == "series_break"


def test_year_ago_is_a_family_of_its_own(tmp_path) -> None:
    rows = [share("reviewed", 80, 2000), share("previous", 79.5, 2000), share("year_ago", 60, 2000)]
    found = compare(rows, tmp_path).iloc[0]
    assert (found["verdict"], found["year_ago_verdict"]) == ("no_change", "rose")
    assert found["year_ago_change"] == pytest.approx(20)


def test_the_order_of_rows_does_not_matter(tmp_path) -> None:
    rows = [
        share(which, 50 + 3 * place, 300, touchpoint=f"{place}")
        for place in range(6)
        for which in ("reviewed", "previous", "year_ago")
    ]
    first = compare(rows, tmp_path / "a")
    again = compare(rows[::-1], tmp_path / "b")
    pd.testing.assert_frame_equal(first, again)


def test_nothing_recorded_gives_an_empty_table_with_all_columns(tmp_path) -> None:
    found = compare_findings(read_recorded(tmp_path), period="2026Q3")
    assert found.empty and list(found.columns)[: len(FINDINGS_COLUMNS)] == FINDINGS_COLUMNS


def test_findings_are_written_in_full_precision_and_hidden_ones_are_empty(tmp_path) -> None:
    rows = [share("reviewed", 100 / 3, 300), share("reviewed", 50, 4, touchpoint="small")]
    write_findings(compare(rows, tmp_path / "recorded"), tmp_path / "findings.csv")
    lines = (tmp_path / "findings.csv").read_text().splitlines()
    assert lines[0] == ",".join(FINDINGS_COLUMNS)
    assert ",33.333333333333336," in lines[1] and ",300," in lines[1]
    hidden = dict(zip(FINDINGS_COLUMNS, lines[2].split(","), strict=True))
    assert [hidden[name] for name in ("value", "low", "high", "n", "suppressed")] == ["", "", "", "", "True"]


def test_data_that_are_not_to_be_relied_on_give_no_arrow_in_either_family(tmp_path) -> None:
    rows = [share("reviewed", 80, 2000), share("previous", 60, 2000), share("year_ago", 60, 2000)]
    found = compare(rows, tmp_path, arrows=False).iloc[0]
    assert (found["verdict"], found["year_ago_verdict"]) == ("not_compared", "not_compared")
    assert found["value"] == 80 and found["previous"] == 60


def test_a_metric_that_the_registry_does_not_know_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="not in the registry"):
        record_findings(
            pd.DataFrame([{**share("reviewed", 1, 50), "metric": "happiness"}]), chapter="a", folder=tmp_path
        )


def test_a_finding_that_is_recorded_twice_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="recorded twice"):
        record_findings(pd.DataFrame([share("reviewed", 1, 50)] * 2), chapter="a", folder=tmp_path)
