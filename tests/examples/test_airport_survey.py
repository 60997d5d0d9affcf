"""The airport survey: two waves of a real passenger survey, reviewed as the example says."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

# Published in ../shared/data/README.md and checked there against the raw files: value and its rounding.
EXACT_TO = 0.005


@pytest.fixture(scope="module")
def review(data, examples, run, read, tmp_path_factory):
    out = tmp_path_factory.mktemp("airport")
    code = run("review", examples / "airport_survey", "--data", data, "--period", "2017", "--out", out)
    folder = out / "airport_survey" / "2017"
    return SimpleNamespace(code=code, folder=folder, findings=read(folder))


@pytest.fixture(scope="module")
def waves(data):
    """The raw files, read without the kit: text as it stands."""
    read = {
        wave: pd.read_csv(
            data / f"sfo_survey_{wave}.csv", encoding="latin-1", dtype=str, keep_default_na=False
        ).rename(columns=str.strip)
        for wave in ("2016", "2017")
    }
    return read


@pytest.fixture(scope="module")
def codebook(examples):
    return pd.read_csv(examples / "airport_survey" / "survey_codebook.csv", dtype=str, keep_default_na=False)


def test_check_finds_nothing_wrong(data, examples, run):
    assert run("check", examples / "airport_survey", "--data", data) == 0


def test_the_review_may_be_relied_on(review):
    assert review.code == 0
    assert (review.folder / "review.html").stat().st_size > 0


def test_nps_counts_zero_to_six_and_leaves_out_only_eleven_and_empty(review, one_row):
    # 1,436 promoters, 968 passives, 342 detractors of 2,746; 41.63 would mean that 11 was counted.
    row = one_row(review.findings, "nps")
    assert row["value"] == pytest.approx((1436 - 342) / 2746 * 100, abs=1e-9)
    assert row["n"] == 2746
    assert row["low"] < 39.84 < row["high"]


def test_weighted_nps_stands_beside_the_plain_one(review, one_row):
    row = one_row(review.findings, "nps_weighted")
    assert row["value"] == pytest.approx(40.40, abs=EXACT_TO)
    assert row["n"] == 2746
    assert row["n_effective"] < 2746


@pytest.mark.parametrize(("label", "value", "n"), [("yes", 18.77, 309), ("no", 43.65, 2330)])
def test_nps_of_those_with_and_without_a_problem(review, one_row, label, value, n):
    row = one_row(review.findings, "nps", segment=f"problem={label}")
    assert row["value"] == pytest.approx(value, abs=EXACT_TO)
    assert row["n"] == n


def test_the_undocumented_problem_code_is_shown_as_other(review, rows_of):
    labels = review.findings.loc[review.findings["segment"].str.startswith("problem="), "segment"]
    assert set(labels) == {"problem=yes", "problem=no", "problem=other"}


def test_overall_satisfaction_now_and_before(review, one_row):
    row = one_row(review.findings, "csat_mean")
    assert row["value"] == pytest.approx(4.064, abs=0.0005)
    assert row["previous"] == pytest.approx(4.038, abs=0.0005)
    assert row["n"] == 2688
    top = one_row(review.findings, "csat_top2")
    assert top["value"] == pytest.approx(82.07, abs=EXACT_TO)
    assert top["previous"] == pytest.approx(80.99, abs=EXACT_TO)
    assert top["n"] == 2688


def test_the_change_of_the_overall_score_is_no_change_that_can_be_told_from_noise(review, one_row):
    for metric in ("csat_mean", "csat_top2"):
        row = one_row(review.findings, metric)
        assert row["verdict"] == "no_change", metric
        assert row["change_low"] < 0 < row["change_high"], metric


def test_nps_is_not_compared_since_2016_did_not_ask(review):
    rows = review.findings[review.findings["metric"].isin(["nps", "nps_weighted"])]
    rows = rows[rows["suppressed"].str.lower() != "true"]
    assert set(rows["verdict"]) == {"not_compared"}
    assert rows["previous"].isna().all()


def test_for_a_year_the_year_ago_is_the_previous_period(review, one_row):
    row = one_row(review.findings, "csat_mean")
    assert row["year_ago"] == row["previous"]
    assert row["year_ago_verdict"] == "no_change"


def test_ease_of_finding_the_way(review, one_row):
    row = one_row(review.findings, "ces_mean", touchpoint="wayfinding")
    assert row["value"] == pytest.approx(4.413, abs=0.0005)
    assert row["n"] == 2683


def test_ease_on_a_five_point_scale_has_no_top_three(review):
    assert "ces_top3" not in set(review.findings["metric"])


def test_every_touchpoint_of_the_codebook_has_its_mean_and_n_as_counted_from_the_raw_file(
    review, waves, codebook, one_row
):
    items = codebook[codebook["role"].isin(["csat", "ces"]) & (codebook["touchpoint"] != "")]
    assert (items["role"] == "csat").sum() >= 12
    for item in items.itertuples():
        now, before = (
            pd.to_numeric(waves[wave][item.column].where(waves[wave][item.column].isin(list("12345"))))
            for wave in ("2017", "2016")
        )
        row = one_row(review.findings, f"{item.role}_mean", touchpoint=item.touchpoint)
        assert row["n"] == now.count(), item.question
        assert row["value"] == pytest.approx(now.mean(), abs=1e-9), item.question
        assert row["previous"] == pytest.approx(before.mean(), abs=1e-9), item.question
        assert row["stage"] == "", item.question


def test_no_code_of_the_raw_files_is_left_undeclared(waves, codebook):
    for item in codebook[codebook["role"].isin(["csat", "ces", "nps"])].itertuples():
        known = {str(code) for code in range(int(item.scale_min), int(item.scale_max) + 1)}
        known |= {"", *item.blank.split(";"), *item.not_applicable.split(";")}
        for wave in [item.wave] if item.wave else ["2016", "2017"]:
            assert set(waves[wave][item.column]) <= known, (item.question, wave)


def test_sensitive_columns_are_never_read(codebook):
    sensitive = ("AGE", "GENDER", "INC", "ZIP", "COUNTRY", "LIVE")
    assert not [column for column in codebook["column"] if any(word in column for word in sensitive)]
