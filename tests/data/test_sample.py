from __future__ import annotations

import gzip
import io
import json
import math
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from journeylib.data import sample
from journeylib.data.project import read_project
from journeylib.data.sample import CUSTOMERS, SEED, make_sample
from journeylib.data.sample_customers import NEVER, draw_customers
from journeylib.data.sample_dirt import pick_rows
from journeylib.data.sample_draws import DAYS, FIRST_DAY, QUARTERS, draw_codes, to_local, to_utc
from journeylib.data.sample_files import append_rows
from journeylib.data.sample_journeys import MENDED_ON, draw_sessions

COMMITTED = Path(__file__).parents[2] / "data" / "sample"
ZONE = "Europe/Berlin"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample(tmp_path_factory.mktemp("sample") / "shop")


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict:
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def clicks(folder: Path) -> pd.DataFrame:
    """Every row of the click export as text."""
    files = sorted((folder / "raw" / "clicks").glob("*.csv.gz"))
    return pd.concat([pd.read_csv(file, dtype=str) for file in files], ignore_index=True)


@pytest.fixture(scope="module")
def good_clicks(clicks: pd.DataFrame) -> pd.DataFrame:
    """Rows with a time and a name, once each, with the Berlin quarter."""
    times = pd.to_datetime(clicks["ts"], format="%Y-%m-%d %H:%M:%S", errors="coerce")
    good = clicks.assign(time=times)[times.lt("2026-10-12") & clicks["event"].notna()].drop_duplicates(
        "event_id"
    )
    local = good["time"].dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.tz_localize(None)
    return good.assign(quarter=local.dt.to_period("Q").astype(str))


@pytest.fixture(scope="module")
def waves(folder: Path) -> dict[str, pd.DataFrame]:
    """Each wave under the codebook's names."""
    book = read_codebook(folder)
    found = {}
    for wave in QUARTERS:
        answers = pd.read_csv(folder / "raw" / "survey" / f"survey_{wave}.csv", dtype=str).rename(
            columns=str.strip
        )
        named = book[book["wave"].isin(["", wave])]
        found[wave] = answers.rename(columns=dict(zip(named["column"], named["question"], strict=True)))
    return found


def read_codebook(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "survey_codebook.csv", dtype=str, keep_default_na=False)


def read_all(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def unpack(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: gzip.decompress(data) if name.endswith(".gz") else data for name, data in files.items()}


# The same bytes


def test_the_same_customers_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (
        make_sample(tmp_path / "a", customers=60, seed=3),
        make_sample(tmp_path / "b", customers=60, seed=3),
    )
    assert read_all(first) == read_all(second)


def test_another_seed_gives_other_journeys_answers_and_orders(tmp_path: Path) -> None:
    first, second = (
        unpack(read_all(make_sample(tmp_path / str(seed), customers=60, seed=seed))) for seed in (3, 4)
    )
    same = {name for name in first if first[name] == second.get(name)}
    assert same == {
        "journey.toml",
        "survey_codebook.csv",
        "touchpoints.csv",
        "changes.csv",
        "actions.csv",
        "demo_key.txt",
    }


def test_data_sample_is_what_the_default_seed_gives(folder: Path) -> None:
    made, committed = read_all(folder), read_all(COMMITTED)
    assert unpack(made) == unpack(committed)
    if "ng" not in zlib.ZLIB_RUNTIME_VERSION:  # another zlib packs the same text into other bytes
        assert made == committed


def test_packed_files_hold_no_time_and_no_name(folder: Path) -> None:
    heads = {path.read_bytes()[:10] for path in (folder / "raw" / "clicks").glob("*.gz")}
    assert heads == {b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"}


def test_lines_end_in_a_line_feed_alone(folder: Path) -> None:
    for name, data in unpack(read_all(folder)).items():
        assert b"\r" not in data, name
        assert data.endswith(b"\n"), name


def test_all_files_together_stay_under_one_megabyte(folder: Path) -> None:
    assert 500_000 < sum(len(data) for data in read_all(folder).values()) < 1_000_000


# The project


def test_the_project_is_accepted_by_the_kit(folder: Path) -> None:
    project = read_project(folder)
    assert {source.table for source in project.sources} == {
        "events",
        "orders",
        "service_contacts",
        "customers",
        "survey",
    }
    assert [source.period.label for source in project.sources_of("survey")] == list(QUARTERS)
    assert {funnel.name: funnel.unit for funnel in project.funnels} == {
        "purchase": "people",
        "session_purchase": "sessions",
    }
    assert set(project.targets) == {"nps", "conversion_rate"}


def test_a_sample_of_one_customer_is_a_valid_project(tmp_path: Path) -> None:
    assert read_project(make_sample(tmp_path / "one", customers=1)).slug == "sample"


def test_the_change_that_is_declared_is_the_one_that_is_planted(folder: Path) -> None:
    changes = pd.read_csv(folder / "changes.csv")
    assert changes["started_on"].tolist() == [MENDED_ON]


def test_it_says_first_that_the_data_are_made_up(folder: Path, truth: dict) -> None:
    assert (folder / "README.txt").read_text(encoding="utf-8").startswith("THESE DATA ARE MADE UP.")
    assert (truth["made_up"], truth["customers"], truth["seed"]) == (True, CUSTOMERS, SEED)


def test_every_column_of_every_wave_stands_in_the_codebook(folder: Path) -> None:
    book = read_codebook(folder)
    for wave in QUARTERS:
        text = (folder / "raw" / "survey" / f"survey_{wave}.csv").read_text(encoding="utf-8")
        header = [name.strip() for name in text.splitlines()[0].split(",")]
        assert sorted(header) == sorted(book.loc[book["wave"].isin(["", wave]), "column"]), wave


def test_column_names_drift_between_waves(folder: Path) -> None:
    book = read_codebook(folder)
    names = book.groupby("question")["column"].nunique()
    assert names[names > 1].index.tolist() == ["answered_at", "csat_delivery", "nps", "respondent", "weight"]
    assert book.loc[book["question"] == "csat_packaging", "wave"].tolist() == list(QUARTERS[2:])


# What is in the exports


def test_the_last_closed_quarter_is_fresh_and_final(clicks: pd.DataFrame) -> None:
    assert clicks["received"].max() > "2026-10-10 12"
    assert clicks["received"].max() < "2026-10-10 22:00:00"  # midnight in Berlin
    assert clicks["received"].min() > "2024-09-30 22:00:00"


def test_some_clicks_arrive_late_but_within_72_hours(good_clicks: pd.DataFrame) -> None:
    lag = pd.to_datetime(good_clicks["received"]) - good_clicks["time"]
    assert lag.max() < pd.Timedelta(hours=72)
    assert 0.01 < (lag > pd.Timedelta(hours=1)).mean() < 0.03


def test_under_two_percent_of_the_clicks_of_a_quarter_are_unmapped(
    folder: Path, good_clicks: pd.DataFrame
) -> None:
    patterns = pd.read_csv(folder / "touchpoints.csv", dtype=str)["pattern"].dropna()
    names = good_clicks["event"].drop_duplicates()
    known = {name for name in names for pattern in patterns if Path(name).match(pattern)}
    unmapped = (~good_clicks["event"].isin(known)).groupby(good_clicks["quarter"]).mean()
    assert unmapped.between(0.002, 0.02, inclusive="neither").all()
    assert all(any(Path(name).match(pattern) for name in names) for pattern in patterns)


def test_visitors_who_never_sign_in_have_a_device_and_buy_nothing(good_clicks: pd.DataFrame) -> None:
    unknown = good_clicks[good_clicks["user_id"].isna()]
    assert 0.03 < len(unknown) / len(good_clicks) < 0.2
    assert unknown["device"].notna().all() and unknown["cart_id"].isna().all()


def test_amounts_in_the_clicks_are_the_orders_of_the_shop(folder: Path, good_clicks: pd.DataFrame) -> None:
    orders = pd.read_csv(folder / "raw" / "orders" / "orders.csv", sep=";", dtype=str)
    paid = good_clicks.loc[good_clicks["event"] == "order_confirmed", "amount"]
    assert paid.notna().all() and good_clicks["amount"].notna().sum() == len(paid)
    known = paid.isin(set(orders["Summe EUR"])).mean()
    assert known > 0.98 and len(paid) < len(orders)


def test_crm_is_latin_1_and_orders_are_parted_by_semicolons(folder: Path) -> None:
    crm = (folder / "raw" / "crm" / "kunden.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        crm.decode("utf-8")
    assert "Thüringen" in crm.decode("latin-1") and "Gekündigt am" in crm.decode("latin-1").splitlines()[0]
    assert (folder / "raw" / "orders" / "orders.csv").read_text().splitlines()[0].count(";") == 5


def test_most_respondents_are_customers_and_some_are_anonymous(
    folder: Path, waves: dict[str, pd.DataFrame]
) -> None:
    crm = pd.read_csv(folder / "raw" / "crm" / "kunden.csv", encoding="latin-1", dtype=str)
    ids = pd.concat([wave["respondent"] for wave in waves.values()])
    assert ids.isin(set(crm["Kundennummer"])).mean() == pytest.approx(0.92, abs=0.03)
    assert ids[~ids.isin(set(crm["Kundennummer"]))].str.startswith("anon-").all()


# The dirt


def test_dirt_in_the_clicks_is_what_truth_says(clicks: pd.DataFrame, truth: dict) -> None:
    times = pd.to_datetime(clicks["ts"], format="%Y-%m-%d %H:%M:%S", errors="coerce")
    ahead = times - pd.to_datetime(clicks["received"], errors="coerce")
    identical = clicks.duplicated()
    found = {
        "clicks/bad_date": int((times.isna() & ~identical).sum()),
        "clicks/future": int((times >= "2026-10-12").sum()),
        "clicks/local_time_as_utc": int(ahead.between("30min", "2h").sum()),
        "clicks/cut_short": int(clicks["device_type"].isna().sum()),
        "clicks/identical_row": int(identical.sum()),
        "clicks/resent_id": int(clicks["event_id"].duplicated().sum() - identical.sum()),
    }
    planted = {kind: rows for kind, rows in truth["dirt"].items() if kind.startswith("clicks/")}
    # A clock on local time shows only where the click did not also arrive late.
    assert (
        0.9 * planted["clicks/local_time_as_utc"]
        <= found.pop("clicks/local_time_as_utc")
        <= planted.pop("clicks/local_time_as_utc")
    )
    assert found == planted and min(found.values()) >= 1


def test_dirt_in_orders_and_tickets_is_what_truth_says(folder: Path, truth: dict) -> None:
    orders = pd.read_csv(folder / "raw" / "orders" / "orders.csv", sep=";", dtype=str)
    tickets = pd.read_csv(folder / "raw" / "service" / "tickets.csv", dtype=str)
    opened = pd.to_datetime(tickets["ticket.created_at"], format="%Y-%m-%dT%H:%M:%SZ", errors="coerce")
    found = {
        "orders/bad_date": int((orders["Bestellt"] == "31.02.2025 10:00").sum()),
        "orders/unknown_customer": int(orders["Kunde"].str.startswith("X-").sum()),
        "orders/negative_sum": int(orders["Summe EUR"].str.startswith("-").sum()),
        "orders/cut_short": int(orders["Bestellt"].isna().sum()),
        "orders/identical_row": int(orders.duplicated().sum()),
        "service/bad_date": int(opened.isna().sum()),
        "service/unknown_code": int((~tickets["ticket.assignee.type"].isin(["bot", "human"])).sum()),
        "service/identical_row": int(tickets.duplicated().sum()),
    }
    planted = {
        kind: rows for kind, rows in truth["dirt"].items() if kind.split("/")[0] in ("orders", "service")
    }
    assert found == planted and min(found.values()) >= 1


def test_dirt_in_the_survey_is_what_truth_says(waves: dict[str, pd.DataFrame], truth: dict) -> None:
    found = {"survey/bad_date": 0, "survey/unknown_code": 0, "survey/sent_twice": 0}
    for answers in waves.values():
        found["survey/bad_date"] += int(answers["answered_at"].str.contains("25:00").sum())
        found["survey/unknown_code"] += int((answers["csat_overall"] == "7").sum())
        found["survey/sent_twice"] += int(answers["respondent"].duplicated().sum())
    assert found == {kind: rows for kind, rows in truth["dirt"].items() if kind.startswith("survey/")}
    assert min(found.values()) >= 8


def test_blanks_are_coded_in_three_ways_in_each_wave(waves: dict[str, pd.DataFrame]) -> None:
    for wave, answers in waves.items():
        scored = answers[[name for name in answers if name.startswith(("nps", "csat", "ces"))]]
        assert all(
            [scored.isna().any(axis=None), scored.eq("99").any(axis=None), scored.eq("k.A.").any(axis=None)]
        ), wave


def test_under_five_percent_of_any_export_is_dirt(truth: dict) -> None:
    rows = pd.Series(truth["rows"]).groupby(lambda name: name.split("/")[1]).sum()
    dirt = pd.Series(truth["dirt"]).groupby(lambda name: name.split("/")[0]).sum()
    assert (dirt / rows[dirt.index] < 0.05).all()


# What was planted


def recount_payments(good_clicks: pd.DataFrame) -> pd.DataFrame:
    """One row a quarter and device: baskets at the payment page, and those that were bought."""
    steps = good_clicks[good_clicks["event"].isin(["payment_view", "order_confirmed"])]
    baskets = steps.drop_duplicates(["cart_id", "event"]).groupby(["quarter", "device_type", "event"]).size()
    return baskets.unstack()


def test_phones_lose_buyers_at_the_payment_page_until_the_mend(good_clicks: pd.DataFrame) -> None:
    baskets = recount_payments(good_clicks)
    share = baskets["order_confirmed"] / baskets["payment_view"]
    error = np.sqrt(share * (1 - share) / baskets["payment_view"])

    def change(device: str, before: str) -> tuple[float, float]:
        return share["2026Q3", device] - share[before, device], math.hypot(
            error["2026Q3", device], error[before, device]
        )

    for device, before, planted in [
        ("mobile", "2025Q3", 0.37),
        ("mobile", "2026Q2", 0.0),
        ("desktop", "2025Q3", 0.0),
    ]:
        difference, spread = change(device, before)
        assert abs(difference - planted) < 1.96 * spread, (device, before)
    difference, spread = change("mobile", "2025Q3")
    assert difference > 4 * spread


def test_truth_holds_the_baskets_that_a_recount_finds(good_clicks: pd.DataFrame, truth: dict) -> None:
    baskets = recount_payments(good_clicks)
    payment = truth["effects"][0]
    for quarter in QUARTERS:
        for device in ("mobile", "desktop"):
            said = payment["realised"][f"{quarter}/{device}"]["baskets_at_payment"]
            assert baskets.loc[(quarter, device), "payment_view"] == pytest.approx(
                said, abs=3
            )  # dirt takes a few


def test_delivery_satisfies_least_in_every_wave(waves: dict[str, pd.DataFrame], truth: dict) -> None:
    assert min(truth["effects"][1]["means"], key=truth["effects"][1]["means"].get) == "delivery"
    for wave, answers in waves.items():
        rated = answers[[name for name in answers if name.startswith("csat_")]].apply(
            pd.to_numeric, errors="coerce"
        )
        means = rated.where((rated >= 1) & (rated <= 5)).mean()
        assert means.idxmin() == "csat_delivery" and means.drop("csat_delivery").min() - means.min() > 0.4, (
            wave
        )


def test_recommendation_does_not_change_from_wave_to_wave(waves: dict[str, pd.DataFrame]) -> None:
    means, errors = [], []
    for answers in waves.values():
        scores = pd.to_numeric(answers["nps"], errors="coerce")
        scores = scores[scores.between(0, 10)]
        means.append(scores.mean())
        errors.append(scores.std() / math.sqrt(len(scores)))
    z = (np.array(means) - np.mean(means)) / np.array(errors)
    assert np.abs(z).max() < 3


# Size, blocks, folders


def test_blocks_of_customers_join_into_one_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "_BLOCK", 30)
    folder = make_sample(tmp_path / "blocks", customers=70, seed=5)
    crm = pd.read_csv(folder / "raw" / "crm" / "kunden.csv", encoding="latin-1")
    assert crm["Kundennummer"].nunique() == len(crm) == 70
    clicks = pd.concat([pd.read_csv(file, dtype=str) for file in (folder / "raw" / "clicks").glob("*.gz")])
    assert "event_id" not in set(clicks["event_id"])  # one header a file
    twice = clicks[clicks["event_id"].duplicated(keep=False)]
    assert (twice.groupby("event_id")["device"].nunique() == 1).all()
    owners = clicks.dropna(subset=["user_id"]).groupby("device")["user_id"].nunique()
    assert owners.max() == 1
    orders = pd.read_csv(folder / "raw" / "orders" / "orders.csv", sep=";", dtype=str)
    assert orders["Bestellnr"].str[:2].value_counts().size == 3  # each block has numbers of its own


def test_a_folder_that_holds_anything_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="other things"):
        make_sample(tmp_path, customers=5)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (make_sample(tmp_path / "empty", customers=5) / "journey.toml").is_file()


def test_a_sample_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = make_sample(tmp_path / "shop", customers=20, seed=1)
    (folder / "raw" / "stale.csv").write_text("old")
    make_sample(folder, customers=20, seed=2)
    assert read_all(folder) == read_all(make_sample(tmp_path / "fresh", customers=20, seed=2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fresh", "shop"]


def test_a_sample_with_a_file_of_the_users_own_is_refused(tmp_path: Path) -> None:
    folder = make_sample(tmp_path / "shop", customers=5)
    (folder / "notes.txt").write_text("mine")
    before = read_all(folder)
    with pytest.raises(FileExistsError, match="other things"):
        make_sample(folder, customers=5, seed=2)
    assert read_all(folder) == before


def test_when_replacing_fails_the_old_sample_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_all(make_sample(tmp_path / "shop", customers=5))

    def fail(**_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(sample, "describe_truth", fail)
    with pytest.raises(OSError, match="No space"):
        make_sample(tmp_path / "shop", customers=5, seed=2)
    assert read_all(tmp_path / "shop") == before and [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_when_writing_fails_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(sample, "describe_truth", fail)
    with pytest.raises(OSError, match="No space"):
        make_sample(tmp_path / "new", customers=5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("customers", "seed"), [(0, 1), (-1, 1), (1, -1)])
def test_no_customers_or_a_negative_seed_is_refused(tmp_path: Path, customers: int, seed: int) -> None:
    with pytest.raises(ValueError, match="customers"):
        make_sample(tmp_path / "new", customers=customers, seed=seed)
    assert list(tmp_path.iterdir()) == []


# Pieces


def test_the_hour_that_berlin_skips_and_the_hour_that_comes_twice() -> None:
    clock = pd.DatetimeIndex(
        ["2025-03-30 01:59:59", "2025-03-30 02:30", "2025-10-26 01:59:59", "2025-10-26 02:30"]
    )
    utc = to_utc(clock.as_unit("s").to_numpy().astype("int64"))
    texts = pd.DatetimeIndex(utc.astype("datetime64[s]")).strftime("%d %H:%M:%S").tolist()
    assert texts == ["30 00:59:59", "30 01:00:00", "25 23:59:59", "26 01:30:00"]
    assert (
        to_local(utc)[[0, 2, 3]].tolist() == clock.as_unit("s").to_numpy().astype("int64")[[0, 2, 3]].tolist()
    )


def test_codes_without_weight_are_never_drawn() -> None:
    codes = draw_codes([[1, 0, 0], [0, 0, 2]] * 50, 100, rng=np.random.default_rng(0))
    assert codes.tolist() == [0, 2] * 50
    assert set(draw_codes([0, 3, 0, 1], 500, rng=np.random.default_rng(0)).tolist()) == {1, 3}


def test_no_row_gets_two_kinds_of_dirt() -> None:
    rows = pick_rows(200, {"a": 0.5, "b": 0.3, "c": 0.2}, rng=np.random.default_rng(0))
    assert {kind: len(found) for kind, found in rows.items()} == {"a": 100, "b": 60, "c": 40}
    assert len(np.unique(np.concatenate(list(rows.values())))) == 200


def test_as_many_customers_leave_as_join_and_nobody_does_both() -> None:
    people = draw_customers(20_000, rng=np.random.default_rng(0))
    joins, leaves = people["joined_day"] > 0, people["left_day"] < NEVER
    assert not (joins & leaves).any()
    assert joins.mean() == pytest.approx(0.1, abs=0.007) and leaves.mean() == pytest.approx(0.1, abs=0.007)
    assert (leaves == (people["leave_reason"] != "")).all()


def test_nobody_shops_before_joining_or_after_leaving() -> None:
    rng = np.random.default_rng(1)
    people = draw_customers(300, rng=rng)
    sessions = draw_sessions(people, rng=rng).merge(people, left_on="owner", right_on="number")
    day = (to_local(sessions["start"].to_numpy()) - int(FIRST_DAY.timestamp())) // 86_400
    assert ((day >= sessions["joined_day"]) & (day < sessions["left_day"])).all()
    assert day.min() >= 0 and day.max() == DAYS - 1


def test_rows_are_appended_below_one_header_also_in_gzip(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.csv.gz"
    for cells in (["1", "ä"], ["2", "x,y"]):
        append_rows(path, pd.DataFrame([cells], columns=["a", "b"]))
    assert gzip.decompress(path.read_bytes()).decode("utf-8") == 'a,b\n1,ä\n2,"x,y"\n'
    assert len(pd.read_csv(io.BytesIO(path.read_bytes()), compression="gzip")) == 2
