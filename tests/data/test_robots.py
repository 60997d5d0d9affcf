"""Robots: each sign of one at its limit, who is never taken for one, and those that the sample plants."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from journeylib.data.people import pseudonymise
from journeylib.data.project import read_project
from journeylib.data.trusted import write_trusted_tables

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
START = pd.Timestamp("2026-07-01T10:00:00Z")
HUMAN = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"


def write_clicks(seconds, *, device="d1", customer="", agent=HUMAN, name="view") -> pd.DataFrame:
    times = START + pd.to_timedelta(np.asarray(seconds), unit="s")
    cells = {"device_id": device, "customer": customer, "user_agent": agent, "name": name}
    return pd.DataFrame({"occurred_at": times.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), **cells})


def mark(shop, steps, *frames, lacking=()) -> dict[str, int]:
    shop.rest = ""
    person = write_clicks([0, 61, 200], device="person")
    text = pd.concat([*frames, person]).drop(columns=list(lacking)).to_csv(index=False)
    found = steps(shop.add("events", text).make())
    return {rule: n for rule, n in found.items() if rule.startswith("robot")}


def draw_human(n: int, *, seed: int = 0) -> np.ndarray:
    """Draw n clicks of a person: sessions of ten clicks with pauses of 3 to 200 s, one a day, by day."""
    rng = np.random.default_rng(seed)
    pauses = 3 + rng.exponential(40, n).cumsum()
    return pauses + 86_400 * (np.arange(n) // 10)


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/131.0.0.0 Safari/537.36",
        "python-requests/2.31",
        "curl/8.4.0",
    ],
)
def test_who_calls_itself_a_robot_is_one_even_with_a_single_event(shop, steps, agent):
    assert mark(shop, steps, write_clicks([0], agent=agent)) == {"robot_user_agent": 1}


@pytest.mark.parametrize(
    "agent",
    [
        HUMAN,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/17.5 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 "
        "Mobile Safari/537.36",
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "",
    ],
)
def test_browsers_are_no_robots_not_even_the_phone_whose_name_ends_like_one(shop, steps, agent):
    assert mark(shop, steps, write_clicks([0, 9, 30], agent=agent)) == {}


def test_user_agent_sets_aside_its_own_events_and_not_the_device(shop, steps):
    both = [write_clicks([0, 5], agent="curl/8.4.0"), write_clicks([50, 90])]
    assert mark(shop, steps, *both) == {"robot_user_agent": 2}


def test_device_on_which_somebody_signs_in_is_a_persons_whatever_its_user_agent(shop, steps):
    app = "okhttp/4.9.3"
    rows = [write_clicks([0, 5], agent=app), write_clicks([9], customer="anna", agent=app)]
    assert mark(shop, steps, *rows) == {}
    assert shop.make().facts["robots_spared"] == 3
    shared = [*rows, write_clicks([20], customer="bob", agent=app)]
    assert mark(shop, steps, *shared) == {}
    even = [write_clicks(2 * np.arange(60)), write_clicks([500], customer="anna")]
    assert mark(shop, steps, *even) == {}


@pytest.mark.parametrize(("gaps", "found"), [(50, True), (49, False)])
def test_fifty_even_pauses_are_a_robots_and_one_fewer_are_not_judged(shop, steps, gaps, found):
    clicks = write_clicks(7 * np.arange(gaps + 1))
    assert mark(shop, steps, clicks) == ({"robot_even_gaps": gaps + 1} if found else {})


@pytest.mark.parametrize(("odd", "found"), [(10, True), (11, False)])
def test_nine_of_ten_pauses_must_be_even(shop, steps, odd, found):
    pauses = np.where(np.arange(100) < odd, 60 + np.arange(100), 10)
    assert bool(mark(shop, steps, write_clicks(np.append(0, pauses.cumsum())))) is found


def test_pauses_above_half_an_hour_and_of_nothing_do_not_count(shop, steps):
    rest = np.append(0, np.where(np.arange(99) % 2, 10, 1801).cumsum())
    assert mark(shop, steps, write_clicks(rest)) == {}  # 49 pauses of 10 s, 50 rests
    assert mark(shop, steps, write_clicks(np.zeros(80))) == {}


@pytest.mark.parametrize(("minutes", "seconds", "found"), [(3, 40, True), (2, 40, False), (3, 39, False)])
def test_busy_minutes_at_the_limit(shop, steps, minutes, seconds, found):
    rng = np.random.default_rng(1)
    within = [60 * minute + np.sort(rng.permutation(60)[:seconds]) for minute in range(minutes)]
    marked = mark(shop, steps, write_clicks(np.concatenate(within)))
    assert marked == ({"robot_rate": minutes * seconds} if found else {})


@pytest.mark.parametrize(("hours", "days", "found"), [(20, 2, True), (19, 2, False), (20, 1, False)])
def test_day_and_night_at_the_limit(shop, steps, hours, days, found):
    rng = np.random.default_rng(2)
    midnight = -10 * 3600
    clicks = [
        midnight + 86_400 * day + 3600 * hour + np.sort(rng.permutation(3600)[:3])
        for day in range(days)
        for hour in range(hours)
    ]
    marked = mark(shop, steps, write_clicks(np.concatenate(clicks)))
    assert marked == ({"robot_day_and_night": 3 * hours * days} if found else {})


def test_busy_people_are_kept_and_behaviour_is_judged_without_user_agents_too(shop, steps):
    people = [write_clicks(draw_human(400, seed=seed), device=f"h{seed}") for seed in range(8)]
    robot = write_clicks(2 * np.arange(120), device="r")
    assert mark(shop, steps, *people, robot, lacking=["user_agent"]) == {"robot_even_gaps": 120}
    lacking = ["user_agent", "device_id"]
    named = [frame.assign(customer=frame["device_id"]) for frame in (*people, robot)]
    assert mark(shop, steps, *named, lacking=lacking) == {"robot_even_gaps": 120}


def test_events_known_by_their_day_are_not_judged(shop, steps):
    days = pd.DataFrame({"occurred_at": ["2026-07-01"] * 200, "name": "view", "device_id": "d"})
    assert not any(
        rule.startswith("robot") for rule in steps(shop.add("events", days.to_csv(index=False)).make())
    )


def test_robots_are_counted_once_not_listed_and_kept_apart(shop, steps, aside):
    rows = [write_clicks(2 * np.arange(60), device="r"), write_clicks([0, 3], device="s", agent="curl/8")]
    marked = mark(shop, steps, *rows)
    tables = shop.make()
    assert marked == {"robot_even_gaps": 60, "robot_user_agent": 2}
    assert aside(tables) == []
    assert len(tables.read("robots")) == 62 and len(tables.read("events")) == 3
    assert [one["rule"] for one in tables.facts["robots"]] == ["robot_user_agent", "robot_even_gaps"]


@pytest.mark.parametrize("with_agent", [True, False])
def test_the_robots_that_the_sample_plants_are_found_and_nobody_else(tmp_path, with_agent):
    text = (SAMPLE / "journey.toml").read_text()
    events = text[: text.index("[sources.orders")]  # the clicks alone
    (tmp_path / "journey.toml").write_text(
        events if with_agent else events.replace('user_agent = "browser"', "")
    )
    project = read_project(tmp_path, data=SAMPLE)
    tables = write_trusted_tables(project, tmp_path / "tables", key=b"k")
    planted = json.loads((SAMPLE / "truth.json").read_text())["robots"]
    found = set(tables.read("robots")["device_id"])
    assert found == set(pseudonymise(pd.Series(planted), key=b"k")) and len(found) == 2
    assert not found & set(tables.read("events")["device_id"])
