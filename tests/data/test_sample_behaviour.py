from __future__ import annotations

import json
import math
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from journeylib.data.sample import make_sample
from journeylib.data.sample_clicks import BAD_TIMES
from journeylib.data.sample_customers import NEVER, PERSONAS, draw_customers
from journeylib.data.sample_dirt import pick_rows
from journeylib.data.sample_draws import DAYS, FIRST_DAY, QUARTERS, draw_codes, to_local, to_utc
from journeylib.data.sample_events import draw_robots
from journeylib.data.sample_exposures import draw_exposures
from journeylib.data.sample_journeys import draw_reminders, draw_sessions, frame_sessions
from journeylib.data.sample_programmes import HELP, add_programmes
from journeylib.data.sample_service import BOT

ZONE = "Europe/Berlin"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample(tmp_path_factory.mktemp("sample") / "shop", customers=800, seed=7)


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
    known = {name for name in names for pattern in patterns if fnmatch(name, pattern)}
    whole = good_clicks[good_clicks["quarter"].isin(QUARTERS)]
    unmapped = (~whole["event"].isin(known)).groupby(whole["quarter"]).mean()
    assert unmapped.between(0.002, 0.02, inclusive="neither").all()
    assert all(any(fnmatch(name, pattern) for name in names) for pattern in patterns)


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
    joined = pd.read_csv(folder / "raw" / "crm" / "kunden.csv", encoding="latin-1", dtype=str)["Kunde seit"]
    assert 0.06 < joined.str.fullmatch(r"\d{4}-\d\d-\d\d").mean() < 0.2
    assert joined.str.fullmatch(r"\d{4}-\d\d-\d\d|\d\d\.\d\d\.\d{4}").all()
    assert (folder / "raw" / "orders" / "orders.csv").read_text().splitlines()[0].count(";") == 5


# The dirt


def test_dirt_in_the_clicks_is_what_truth_says(clicks: pd.DataFrame, truth: dict) -> None:
    times = pd.to_datetime(clicks["ts"], format="%Y-%m-%d %H:%M:%S", errors="coerce")
    assert set(clicks.loc[times.isna(), "ts"].fillna("n/a")) <= set(BAD_TIMES)
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


def test_under_five_percent_of_any_export_is_dirt(truth: dict) -> None:
    rows = pd.Series(truth["rows"]).groupby(lambda name: name.split("/")[1]).sum()
    broken = pd.Series(truth["dirt"]).drop("survey/careless")  # careless answers are answers all the same
    dirt = broken.groupby(lambda name: name.split("/")[0]).sum()
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
    for device, before, planted in [
        ("mobile", "2025Q3", 0.42),
        ("mobile", "2026Q2", 0.0),
        ("desktop", "2025Q3", 0.0),
    ]:
        difference = share["2026Q3", device] - share[before, device]
        spread = math.hypot(error["2026Q3", device], error[before, device])
        assert abs(difference - planted) < 2.6 * spread, (device, before)


def test_truth_holds_the_baskets_that_a_recount_finds(good_clicks: pd.DataFrame, truth: dict) -> None:
    baskets = recount_payments(good_clicks)
    payment = truth["effects"][0]
    for quarter in QUARTERS:
        for device in ("mobile", "desktop"):
            said = payment["realised"][f"{quarter}/{device}"]
            found = baskets.loc[(quarter, device)].fillna(0)  # no faulty time stands on these steps
            assert [found["payment_view"], found["order_confirmed"]] == [
                said["baskets_at_payment"],
                said["baskets_bought"],
            ]


def test_a_reminded_session_goes_on_with_the_basket_that_was_lost() -> None:
    many = np.zeros(500, dtype="int64")
    start = int(pd.Timestamp("2026-08-01", tz="UTC").timestamp())
    lost = frame_sessions(owner=many, start=many + start, mobile=many > 0, reach=many + 3)
    who = pd.DataFrame({"number": [0], "is_reminded": [True]})
    back = draw_reminders(lost, who, rng=np.random.default_rng(0))
    assert 120 < len(back) < 230 and back["basket"].is_unique and back["pays"].isin([1, 2]).all()
    assert (back["start"] - start).between(86_400, 3 * 86_400).all()
    nobody = draw_reminders(lost, who.assign(is_reminded=False), rng=np.random.default_rng(0))
    early = draw_reminders(lost.assign(start=start - 40 * 86_400), who, rng=np.random.default_rng(0))
    assert len(nobody) == len(early) == 0


def test_the_persona_that_vanishes_has_no_click_after_its_last_day(
    folder: Path, good_clicks: pd.DataFrame
) -> None:
    kinds = pd.read_csv(folder / "truth_personas.csv.gz").set_index("customer")["persona"]
    shopping = good_clicks[good_clicks["event"].isin(["page_product", "mail_click", "app_open"])]
    last = shopping.groupby(shopping["user_id"].map(kinds))["ts"].max()
    gone = {persona.name for persona in PERSONAS if persona.gone_on}
    assert set(last[last < "2026-07-01"].index) == gone and len(gone) == 1


def test_robots_open_many_pages_as_nobody_and_truth_names_them(clicks: pd.DataFrame, truth: dict) -> None:
    theirs = clicks[clicks["device"].isin(truth["robots"])]
    assert theirs["device"].nunique() == len(truth["robots"]) == 1
    assert theirs["user_id"].isna().all() and 0.001 < len(theirs) / len(clicks) < 0.02
    sessions, pages = draw_robots(7_000, rng=np.random.default_rng(0))
    gaps = pages.groupby("session")["occurred"].diff()
    assert len(sessions) == 10 and (gaps == 2).mean() > 0.8
    hours = pages["occurred"] // 3600 % 24
    assert hours.nunique() == 24


def test_contract_customers_leave_where_help_was_hard_and_less_so_with_the_chat() -> None:
    rng = np.random.default_rng(0)
    people = add_programmes(draw_customers(60_000, rng=rng), rng=rng)
    asked = people[people["problem_day"] < DAYS - 60]
    assert asked["plan"].isin(HELP["contract_plans"]).all()
    left = (asked["left_day"] - asked["problem_day"]).between(8, 44) & (
        asked["leave_reason"] == HELP["reason"]
    )
    chat = asked["problem_day"] >= (pd.Timestamp(HELP["support_chat_on"]) - FIRST_DAY).days
    for later, hard in ((False, HELP["hard_before"]), (True, HELP["hard_after"])):
        planted = hard * HELP["leaves_if_hard"] + (1 - hard) * HELP["leaves_if_easy"]
        assert left[chat == later].mean() == pytest.approx(planted, abs=0.015)
    recent = asked[asked["problem_day"] >= (pd.Timestamp("2026-04-15") - FIRST_DAY).days]
    assert recent["has_instructions"].mean() == pytest.approx(0.55 / 1.55, abs=0.04)


def test_members_of_the_loyalty_programme_were_active_before(folder: Path) -> None:
    rng = np.random.default_rng(0)
    people = add_programmes(draw_customers(20_000, rng=rng), rng=rng)
    member = people["bonus_day"] < NEVER
    activity = people.groupby(member)["activity"].mean()
    assert 0.1 < member.mean() < 0.3 and activity[True] > 2 * activity[False]
    told = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["effects"]
    bonus = next(effect for effect in told if effect["name"].startswith("loyalty"))
    assert bonus["truth"] == 15 and bonus["naive_overstates_by"] > 50


def test_many_chats_end_in_the_bot_and_come_again(folder: Path) -> None:
    tickets = pd.read_csv(folder / "raw" / "service" / "tickets.csv", dtype=str).drop_duplicates("ticket.id")
    first = tickets.drop_duplicates("ticket.case_id")
    bot = first[(first["ticket.assignee.type"] == "bot") & (first["ticket.created_at"] < "2026-10-01")]
    others = tickets[~tickets["ticket.id"].isin(first["ticket.id"])]
    handed = set(others.loc[others["ticket.via.channel"] == "chat", "ticket.case_id"])
    ended = bot[~bot["ticket.case_id"].isin(handed)]
    assert len(ended) / len(bot) == pytest.approx(1 - BOT["escalated"], abs=0.12)
    back = ended["ticket.case_id"].isin(set(others["ticket.case_id"])).mean()
    assert back == pytest.approx(BOT["comes_again"], abs=0.15)


def test_exposures_have_rows_on_days_of_a_flight_alone() -> None:
    rows = draw_exposures(customers=1_000, rng=np.random.default_rng(0))
    assert not rows.duplicated(["date", "medium"]).any()
    assert set(rows.loc[rows["medium"] == "tv", "date"].str[5:7]) == {"03", "09", "11", "12"}
    assert rows["date"].between("2024-10-01", "2026-10-10").all() and (rows["contacts"].astype(int) > 0).all()


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


def test_activity_has_a_heavy_tail() -> None:
    activity = np.sort(draw_customers(20_000, rng=np.random.default_rng(0))["activity"])
    assert activity[-2_000:].sum() / activity.sum() > 0.35 and activity.mean() == pytest.approx(
        1.03, abs=0.05
    )


def test_nobody_shops_before_joining_or_after_leaving() -> None:
    rng = np.random.default_rng(1)
    people = add_programmes(draw_customers(300, rng=rng), rng=rng)
    sessions = draw_sessions(people, rng=rng).merge(people, left_on="owner", right_on="number")
    day = (to_local(sessions["start"].to_numpy()) - int(FIRST_DAY.timestamp())) // 86_400
    last = np.minimum(sessions["left_day"], sessions["gone_day"])
    assert ((day >= sessions["joined_day"]) & (day < last)).all()
    assert day.min() >= 0 and day.max() == DAYS - 1
