"""Channel paths: which touches a conversion claims, and what becomes of the others."""

from __future__ import annotations

from collections import Counter

import duckdb
import numpy as np
import pandas as pd
import pytest

from journeylib.journey.attribution import attribute_conversions
from journeylib.journey.channel_paths import list_channel_paths

DAY = 86_400_000_000


def make_touches(text: str, **columns: object) -> pd.DataFrame:
    """Read lines of `customer days name channel`; `-` is a missing customer or channel."""
    rows = [line.split() for line in text.strip().splitlines()]
    events = pd.DataFrame(rows, columns=["customer", "occurred_at", "name", "channel"], dtype="str")
    for column in ("customer", "channel"):
        events[column] = events[column].where(events[column] != "-")
    events["occurred_at"] = (events["occurred_at"].astype(float) * DAY).astype("int64")
    return events.assign(**columns)


def read_paths(table: pd.DataFrame) -> dict[tuple[str, ...], tuple[int, int]]:
    rows = table[["path", "n", "conversions"]].itertuples(index=False)
    return {path: (n, won) for path, n, won in rows}


def make_random(seed: int, n: int = 400) -> pd.DataFrame:
    """Make events of 40 people with tied times, missing channels and customers."""
    generator = np.random.default_rng(seed)
    kind = generator.choice(["ad", "mail", "view", "buy"], n, p=[0.35, 0.25, 0.3, 0.1])
    channel = generator.choice(np.array(["search", "email", "social", None], dtype=object), n)
    person = np.array([f"p{number}" for number in generator.integers(0, 40, n)], dtype=object)
    return pd.DataFrame(
        {
            "customer": np.where(generator.random(n) < 0.05, None, person),
            "occurred_at": generator.integers(0, 100, n) * DAY,
            "event_id": [f"e{number:04d}" for number in generator.permutation(n)],
            "name": kind,
            "channel": np.where(kind == "buy", "web", np.where(kind == "view", None, channel)),
            "value": np.where(kind == "buy", generator.integers(1, 9, n) + 0.25, np.nan),
        }
    )


def list_plainly(events: pd.DataFrame, within: int, as_of: int, *, collapse: bool) -> Counter:
    """List (path, ages in days, converted, value, is open) by loops."""
    found: Counter = Counter()
    ordered = events.sort_values(["occurred_at", "event_id"])

    def close(touches: list, at: int | None, value: float) -> None:
        end = at if at is not None else touches[-1][1]
        kept = [
            (channel, moment)
            for number, (channel, moment) in enumerate(touches)
            if not collapse or number + 1 == len(touches) or touches[number + 1][0] != channel
        ]
        is_open = at is None and end + within > as_of
        ages = tuple((end - moment) / DAY for _, moment in kept)
        found[(tuple(channel for channel, _ in kept), ages, at is not None, value, is_open)] += 1

    for _, rows in ordered[ordered["customer"].notna()].groupby("customer"):
        waiting: list[tuple[str, int]] = []
        for row in [*rows.to_dict("records"), {"name": "nothing"}]:
            if row["name"] not in ("buy", "nothing"):
                if pd.notna(row["channel"]) and row["channel"]:
                    waiting.append((row["channel"], row["occurred_at"]))
                continue
            at = row.get("occurred_at")
            claimed = [touch for touch in waiting if at is not None and touch[1] >= at - within]
            lost: list[tuple[str, int]] = []
            for touch in waiting[: len(waiting) - len(claimed)]:
                if lost and touch[1] - lost[-1][1] > within:
                    close(lost, None, 0.0)
                    lost = []
                lost.append(touch)
            if lost:
                close(lost, None, 0.0)
            if at is not None:
                close(claimed, at, row["value"])
            waiting = []
    return found


def test_a_conversion_claims_touches_in_its_window_since_the_last_one():
    events = make_touches("a 1 ad search\na 2 mail email\na 3 buy web\na 4 ad social\na 5 buy web")
    found = list_channel_paths(events, conversion="event:buy", as_of=99 * DAY)
    assert read_paths(found) == {("search", "email"): (1, 1), ("social",): (1, 1)}


def test_the_window_s_end_is_inside():
    for days, wanted in (("0", {("search",): (1, 1)}), ("-0.00001", {("search",): (1, 0), (): (1, 1)})):
        events = make_touches(f"a {days} ad search\na 30 buy web")
        assert read_paths(list_channel_paths(events, conversion="event:buy", as_of=99 * DAY)) == wanted


def test_touches_that_no_conversion_claims_split_after_a_silence_longer_than_the_window():
    events = make_touches("a 0 ad search\na 30 mail email\na 60.1 ad social\nb 5 buy web")
    found = list_channel_paths(events, conversion="event:buy", as_of=999 * DAY)
    assert read_paths(found) == {("search", "email"): (1, 0), ("social",): (1, 0), (): (1, 1)}


def test_paths_whose_window_has_not_closed_are_counted_apart():
    events = make_touches("a 70 ad search\nb 70 ad search\nb 71 buy web\nc 69.9 ad email")
    found = list_channel_paths(events, conversion="event:buy", as_of=100 * DAY - 1)
    assert read_paths(found) == {("search",): (1, 1), ("email",): (1, 0)}
    assert found.set_index("path")["n_open"].to_dict() == {("search",): 1, ("email",): 0}
    closed = list_channel_paths(events, conversion="event:buy", as_of=100 * DAY)
    assert closed["n_open"].sum() == 0


def test_later_events_than_as_of_are_not_looked_at():
    events = make_touches("a 1 ad search\na 2 buy web")
    found = list_channel_paths(events, conversion="event:buy", as_of=int(1.5 * DAY))
    assert found[["n", "conversions", "n_open"]].values.tolist() == [[0, 0, 1]]


def test_a_run_of_one_channel_is_one_touch_at_its_last_time():
    events = make_touches("a 1 ad search\na 2 ad search\na 3 mail email\na 4 ad search\na 6 buy web")
    found = list_channel_paths(events, conversion="event:buy", with_times=True)
    assert found["path"].tolist() == [("search", "email", "search")]
    assert found["days_before"].tolist() == [(4.0, 3.0, 2.0)]
    kept = list_channel_paths(events, conversion="event:buy", collapse=False)
    assert kept["path"].tolist() == [("search", "search", "email", "search")]


def test_events_without_a_customer_or_channel_are_no_touches():
    events = make_touches("- 1 ad search\na 1 view -\na 2 ad email\na 3 buy -")
    assert read_paths(list_channel_paths(events, conversion="event:buy")) == {("email",): (1, 1)}


def test_the_last_touches_of_a_long_path_are_kept_and_it_is_counted():
    events = make_touches("\n".join(f"a {day} ad c{day:02d}" for day in range(9)) + "\na 9 buy web")
    found = list_channel_paths(events, conversion="event:buy", most_touches=3)
    assert found["path"].tolist() == [("c06", "c07", "c08")]
    assert found["n_cut"].tolist() == [1]
    whole = list_channel_paths(events, conversion="event:buy", most_touches=9)
    assert whole[["path", "n_cut"]].values.tolist() == [[tuple(f"c{day:02d}" for day in range(9)), 0]]


def test_a_path_belongs_to_the_period_in_which_it_ends():
    events = make_touches("a 9 ad search\na 10 buy web\nb 9 ad email\nc 19 ad email\nc 20 buy web")
    periods = {"reviewed": (10 * DAY, 20 * DAY), "previous": (0, 10 * DAY)}
    found = list_channel_paths(events, conversion="event:buy", periods=periods, as_of=99 * DAY)
    rows = found[["which", "path", "conversions"]].values.tolist()
    assert rows == [["reviewed", ("search",), 1], ["previous", ("email",), 0]]


def test_people_whose_order_is_not_known_are_left_out():
    events = make_touches("a 1 call phone\na 1 buy web\nb 1 call phone\nb 2 buy web")
    events["precision"] = ["day", "second", "day", "second"]
    assert read_paths(list_channel_paths(events, conversion="event:buy")) == {("phone",): (1, 1)}


@pytest.mark.parametrize("collapse", [True, False])
@pytest.mark.parametrize("with_times", [True, False])
def test_paths_equal_a_plain_count_whatever_the_order_of_rows(collapse, with_times):
    events = make_random(3)
    options = {"conversion": "event:buy", "within": "10D", "collapse": collapse, "as_of": 95 * DAY}
    found = list_channel_paths(events, with_times=with_times, **options)
    plain = list_plainly(events[events["occurred_at"] <= 95 * DAY], 10 * DAY, 95 * DAY, collapse=collapse)
    wanted: dict = {}
    for (path, ages, won, value, is_open), often in plain.items():
        row = wanted.setdefault((path, ages) if with_times else path, [0, 0, 0.0, 0])
        for place, more in enumerate((not is_open, won, value * won, is_open)):
            row[place] += often * more
    keys = zip(found["path"], found["days_before"], strict=True) if with_times else found["path"]
    rows = found[["n", "conversions", "value", "n_open"]].values.tolist()
    assert dict(zip(keys, rows, strict=True)) == wanted
    assert found["n_open"].sum() > 0
    assert (found[["n", "conversions", "n_open", "n_cut"]].dtypes == "int64").all()
    shuffled = list_channel_paths(events.sample(frac=1, random_state=1), with_times=with_times, **options)
    pd.testing.assert_frame_equal(found, shuffled)


def test_all_ways_of_giving_events_give_the_same(tmp_path):
    events = make_random(5)
    wanted = list_channel_paths(events, conversion="event:buy", within=10)
    events.to_parquet(tmp_path / "events.parquet")
    ways = [tmp_path / "events.parquet", str(tmp_path / "events.parquet"), duckdb.from_df(events)]
    for way in ways:
        pd.testing.assert_frame_equal(list_channel_paths(way, conversion="event:buy", within=10), wanted)


def test_listed_paths_can_be_attributed_by_every_kind_of_model():
    events = make_random(6)
    paths = list_channel_paths(events, conversion="event:buy", within="10D", with_times=True)
    for model in ("time_decay", "markov", "shapley"):
        credit = attribute_conversions(paths, model=model)
        assert credit["conversions"].sum() == pytest.approx(
            (events["name"] == "buy")[events["customer"].notna()].sum()
        )
        assert credit["value"].sum() == pytest.approx(events.loc[events["customer"].notna(), "value"].sum())


def test_times_change_nothing_but_time_decay():
    events = make_random(6)
    options = {"conversion": "event:buy", "within": "10D"}
    dated, plain = (list_channel_paths(events, with_times=times, **options) for times in (True, False))
    pd.testing.assert_frame_equal(
        attribute_conversions(dated, model="position"), attribute_conversions(plain, model="position")
    )


def test_no_events_and_one_event_give_what_there_is():
    events = make_touches("a 1 buy web")
    for times in (True, False):
        assert list_channel_paths(events.iloc[:0], conversion="event:buy", with_times=times).empty
    assert read_paths(list_channel_paths(events, conversion="event:buy")) == {(): (1, 1)}


def test_what_is_wrong_is_said_in_a_sentence():
    events = make_touches("a 1 ad search\na 2 buy web")
    with pytest.raises(ValueError, match="no event name 'bye'; did you mean 'buy'"):
        list_channel_paths(events, conversion="event:bye")
    with pytest.raises(ValueError, match="events lack the column"):
        list_channel_paths(events, conversion="event:buy", channel="medium")
    with pytest.raises(ValueError, match="within must be longer than nothing"):
        list_channel_paths(events, conversion="event:buy", within="0D")
    with pytest.raises(ValueError, match="no event has a customer"):
        list_channel_paths(events.assign(customer=None), conversion="event:buy")
    with pytest.raises(ValueError, match="must end after it starts"):
        list_channel_paths(events, conversion="event:buy", periods={"reviewed": (5, 5)})
