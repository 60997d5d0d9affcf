"""Every function of the journey room that takes events: how the tests call it, and a plain second definition.

The batch of events holds the variants: ties, given sessions, days without a time, missing customers, devices,
baskets, a segment with a dot in its name, in no order. `plain` gets the same events without those known by
their day only, and what the function made of them in pandas.
"""

from __future__ import annotations

import fnmatch
import importlib
import math
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from journeylib.evidence.estimates import estimate
from journeylib.journey import baskets, selections, sequences, sessions, stages, step_times, steps
from journeylib.journey.engine import collect_table

SECOND = 1_000_000
DAY = 86_400 * SECOND
PERIODS = {"reviewed": (DAY, 2 * DAY), "previous": (0, DAY)}
ALL = {"reviewed": (0, 2 * DAY)}
STEPS = ["page", "event:cart", "event:buy"]
SEGMENT = ["segment.cohort"]
LATER = 9 * DAY
ORDER = ["occurred_at", "sequence", "event_id", "name"]
TOUCHPOINTS = pd.DataFrame(
    {
        "pattern": ["view*", "cart", "buy", ""],
        "touchpoint": ["page", "basket", "till", "poster"],
        "stage": ["consideration", "decision", "decision", "awareness"],
        "channel": ["", "web", "", "print"],
        "online": ["yes", "yes", "", "no"],
    }
)
PLACES = pd.DataFrame(
    {"stage": ["consideration", "decision", "decision"], "touchpoint": ["page", "basket", "till"]}
)
ORDERS = pd.DataFrame(
    {"customer": ["p02", "p07", None], "ordered_at": [DAY, 5, DAY], "revenue": [9.99, 3.3, 9.99]}
)
CONTACTS = pd.DataFrame({"customer": ["p02", "p07"], "opened_at": [DAY, 5], "channel": ["chat", "phone"]})


def make_batch() -> pd.DataFrame:
    """Make 300 events of 40 people over two days, some people a variant each, in no order."""
    rng = np.random.default_rng(12)
    rows = []
    for i in range(300):
        person = i % 40
        moment = i // 150 * DAY + (i * 7919 % 997 * 60) * SECOND
        name = str(rng.choice(["view_1", "view_2", "cart", "buy", "ask"], p=[0.2, 0.15, 0.25, 0.25, 0.15]))
        row = {
            "row": i,
            "customer": f"p{person:02}",
            "occurred_at": moment,
            "event_id": f"e{i * 31 % 300:03}",
        }
        row |= {"device_id": None, "session_given": None, "name": name, "precision": "second"}
        row |= {"sequence": i % 3 or None, "channel": ["app", "mail", None][i % 7 % 3]}
        row |= {"segment.cohort": ["x", "y", None][person % 3], "value": [None, 9.99, 3.3][i % 3]}
        row |= {"basket": None if name in ("view_1", "view_2", "ask") or i % 4 == 0 else f"b{i % 80}"}
        if person in (3, 4):  # ties in time and sequence, settled by the event's id
            row |= {"occurred_at": moment // (7_200 * SECOND) * (7_200 * SECOND), "sequence": None}
        if person in (5, 6):  # known by the day only
            row |= {"precision": "day", "occurred_at": moment // DAY * DAY, "sequence": None}
        if person in (10, 11):
            row["session_given"] = f"s{i % 4}"
        if person in (12, 13):
            row |= {"customer": None, "device_id": f"d{person}"}
        if person == 14:
            row["customer"] = None
        rows.append(row)
    batch = pd.DataFrame(rows).astype({"sequence": "Int64"})
    return batch.sample(frac=1, random_state=4).reset_index(drop=True)


def split(table: Any) -> Any:
    """Map events to touchpoints and split them into sessions."""
    return sessions.split_into_sessions(stages.assign_touchpoints(table, TOUCHPOINTS))


def follow(events: pd.DataFrame, unit: str = "customer") -> dict[Any, list[dict[str, Any]]]:
    """Return each unit's events in their order."""
    ordered = events.sort_values(ORDER, na_position="last", kind="stable")
    return {key: group.to_dict("records") for key, group in ordered.groupby(unit)}


def serves(event: dict[str, Any], step: str) -> bool:
    kind, _, name = step.rpartition(":")
    return event[{"": "touchpoint", "event": "name", "stage": "stage"}[kind]] == name


def climb(events: list[dict[str, Any]], wanted: list[str], within: float = math.inf) -> list[dict[str, Any]]:
    """Return the events that served the steps, each the earliest after the one before."""
    made: list[dict[str, Any]] = []
    for event in events:
        if len(made) < len(wanted) and serves(event, wanted[len(made)]):
            if not made or event["occurred_at"] - made[0]["occurred_at"] <= within:
                made.append(event)
    return made


def climb_all(events: pd.DataFrame, within: float = math.inf) -> dict[Any, list[dict[str, Any]]]:
    found = {key: climb(rows, STEPS, within) for key, rows in follow(events).items()}
    return {key: made for key, made in found.items() if made}


def split_plainly(batch: pd.DataFrame, gap_minutes: float = 30) -> dict[int, tuple[int, int]]:
    """Give each row (row of the session's first event, position), by loops."""
    found, last = {}, {}
    for row in batch.sort_values(ORDER, na_position="last").to_dict("records"):
        given = row["session_given"] if pd.notna(row["session_given"]) else None
        names = (f"{kind}{row[kind]}" for kind in ("customer", "device_id") if pd.notna(row[kind]))
        person = next(names, None)
        day = row["occurred_at"] if row["precision"] == "day" and given is None else None
        unit = (person, given, day) if person or given else ("alone", row["row"], None)
        before = last.get(unit)
        late = before is not None and row["occurred_at"] - before[2] > gap_minutes * 60 * SECOND
        first, place = (
            (row["row"], 1) if before is None or (not given and late) else (before[0], before[1] + 1)
        )
        last[unit] = (first, place, row["occurred_at"])
        found[row["row"]] = (first, place)
    return found


def all_rows(found: pd.DataFrame, metric: str, **where: str) -> pd.DataFrame:
    """Return the rows of a metric over all people."""
    chosen = (found["metric"] == metric) & (found["segment"] == "")
    for column, value in where.items():
        chosen &= found[column] == value
    return found[chosen]


def the(found: pd.DataFrame, metric: str, column: str = "value", **where: str) -> Any:
    rows = all_rows(found, metric, **{"which": "reviewed", **where})
    assert len(rows) == 1, rows
    return rows[column].iloc[0]


def check_sessions(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    table = found[0]
    firsts = table[table["position"] == 1].set_index("session")["row"]
    split = {row.row: (firsts[row.session], row.position) for row in table.itertuples()}
    assert split == split_plainly(events)
    ranks = follow(events)
    own = {row["row"]: place for rows in ranks.values() for place, row in enumerate(rows, 1)}
    assert table[table["customer"].notna()].set_index("row")["person_position"].to_dict() == own


def check_touchpoints(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    for row in found[0].to_dict("records"):
        match = [
            one for one in TOUCHPOINTS.to_dict("records") if fnmatch.fnmatchcase(row["name"], one["pattern"])
        ]
        wanted = (match[0]["touchpoint"], match[0]["stage"]) if match else (None, None)
        assert tuple(None if pd.isna(row[c]) else row[c] for c in ("touchpoint", "stage")) == wanted


def check_summaries(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    if "session" not in events:
        events = sessions.split_into_sessions(events)
    plain = events.groupby("session")["occurred_at"].agg(["min", "max", "size"])
    assert (
        found[0].set_index("session")[["started_at", "ended_at", "n_events"]].values.tolist()
        == plain.values.tolist()
    )


def check_measures(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    started = events.groupby("session")["occurred_at"].transform("min").between(DAY, 2 * DAY - 1)
    sizes = events[started].groupby("session").size()
    assert the(found[0], "session_count") == len(sizes)
    assert the(found[0], "customer_count") == events.loc[started, "customer"].nunique()
    assert math.isclose(the(found[0], "events_per_session"), sizes.mean())
    people = events.drop_duplicates("session").set_index("session")
    people = people["customer"].fillna(people["device_id"])[sizes.index]
    wanted = estimate("share", sizes == 1, people=people.where(people.notna(), None))
    for column in ("value", "low", "high"):
        assert math.isclose(the(found[0], "bounce_rate", column), wanted[column], rel_tol=1e-9)


def check_funnel(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    made = climb_all(events)
    plain = [sum(len(one) > k for one in made.values()) for k in range(3)]
    whole = found[0][found[0]["segment"] == ""]
    assert whole["n"].tolist() == plain and plain[2] > 0
    for label, group in events.dropna(subset=SEGMENT).groupby("segment.cohort"):
        made = climb_all(group)
        rows = found[0][found[0]["segment"] == f"segment.cohort={label}"]
        rows = rows if len(rows) else found[0][found[0]["segment"] == f"cohort={label}"]
        assert rows["n"].tolist() == [sum(len(one) > k for one in made.values()) for k in range(3)]


def check_funnel_measures(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    made = climb_all(events, 30 * 3600 * SECOND)
    counts = [sum(len(one) > k for one in made.values()) for k in range(3)]
    assert math.isclose(the(found[0], "conversion_rate"), 100 * counts[2] / counts[0])
    assert math.isclose(the(found[0], "drop_off", item="shop/event:cart"), 100 - 100 * counts[1] / counts[0])


def check_transitions(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    plain: Counter[tuple[str, str]] = Counter()
    for rows in follow(events, "session").values():
        touched = [row["touchpoint"] if pd.notna(row["touchpoint"]) else "(unmapped)" for row in rows]
        plain.update(pairwise(["(start)", *touched, "(end)"]))
    assert found[0].set_index(["from", "to"])["n"].to_dict() == dict(plain)


def check_transition_times(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    plain = defaultdict(list)
    for rows in follow(events, "session").values():
        for before, after in pairwise(rows):
            plain[before["name"], after["name"]].append((after["occurred_at"] - before["occurred_at"]) / 60e6)
    timed = found[0].dropna(subset=["mean_minutes"]).set_index(["from", "to"])
    assert sorted(timed.index) == sorted(plain)
    for key, minutes in plain.items():
        row = timed.loc[key]
        assert row["n"] == len(minutes)
        assert math.isclose(row["mean_minutes"], np.mean(minutes), abs_tol=1e-9)
        assert math.isclose(row["median_minutes"], np.median(minutes), abs_tol=1e-9)


def check_unmapped(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    assert found[0][["name", "n"]].values.tolist() == [["ask", (events["name"] == "ask").sum()]]


def check_gaps(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    plain = [[gap, len({first for first, _ in split_plainly(events, gap).values()})] for gap in (15, 30, 60)]
    assert found[0][["gap_minutes", "sessions"]].values.tolist() == plain


def check_guesses(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    assert found[0].set_index("pattern")["events"].to_dict() == events["name"].value_counts().to_dict()


def check_lost(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    lost = sorted(key for key, made in climb_all(events).items() if len(made) == 1)
    assert found[0]["customer"].tolist() == lost and lost


def check_one_journey(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    rows = follow(events)["p03"]
    minutes = [(after["occurred_at"] - before["occurred_at"]) / 60e6 for before, after in pairwise(rows)]
    assert found[0]["name"].tolist() == [row["name"] for row in rows]
    column = [name for name in found[0] if name.startswith("minutes_since")]
    assert found[0][column[0]].iloc[1:].tolist() == minutes


def check_outcomes(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    made = climb_all(events)
    for k in (1, 2, 3):
        assert found[0][f"reached_{k}"].sum() == sum(len(one) >= k for one in made.values())
    assert len(found[0]) == len(made)


def check_patterns(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    units = []
    for rows in follow(events).values():
        names = [row["name"] for row in rows]
        units.append(tuple(names[: names.index("buy")] if "buy" in names else names))
    for row in found[0].itertuples():
        size = len(row.pattern)
        held = [any(unit[i : i + size] == row.pattern for i in range(len(unit))) for unit in units]
        assert row.n == sum(held)
    assert len(found[0]) > 3


def check_unit(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    assert found[0]["unit"].tolist() == ["people"] and events["customer"].notna().any()


def check_places(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    plain = events.dropna(subset=["touchpoint"])[["touchpoint", "stage"]].drop_duplicates()
    assert sorted(found[0][["touchpoint", "stage"]].values.tolist()) == sorted(plain.values.tolist())


def check_place_measures(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    now = events[events["occurred_at"].between(DAY, 2 * DAY - 1) & events["customer"].notna()]
    met = now[now["touchpoint"] == "basket"]["customer"].nunique()
    assert the(found[0], "customer_count", touchpoint="basket") == met
    assert math.isclose(
        the(found[0], "reach_rate", touchpoint="basket"), 100 * met / now["customer"].nunique()
    )


def check_purchases(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    bought = events[events["name"] == "buy"]
    assert found[0]["clicks"].tolist() == (bought["occurred_at"] // DAY).value_counts().sort_index().tolist()
    assert found[0]["orders"].tolist() == [1, 2]
    assert math.isclose(found[0]["click_value"].sum(), bought["value"].sum())


def check_contacts(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    asked = events[(events["name"] == "ask") & events["customer"].notna()]
    assert found[0]["events"].tolist() == (asked["occurred_at"] // DAY).value_counts().sort_index().tolist()
    keys = {(row.customer, row.occurred_at // DAY) for row in asked.itertuples()}
    same = sum((row.customer, row.opened_at // DAY) in keys for row in CONTACTS.itertuples())
    assert found[0]["matched"].sum() == same


def check_selected(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    plain = []
    for person, rows in follow(events).items():
        for i, row in enumerate(rows):
            carts = [one["occurred_at"] for one in rows[:i] if one["name"] == "cart"]
            carts = [at for at in carts if row["occurred_at"] - at <= 8 * 3600 * SECOND]
            if row["name"] == "buy" and carts:
                plain.append([person, max(carts), row["occurred_at"]])
                break
    assert found[0][["customer", "started_at", "ended_at"]].values.tolist() == plain and plain


def check_kept(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    assert sorted(found[0]["row"]) == sorted(events.loc[events["customer"].isin(["p02", "p03"]), "row"])


def check_sequences(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    plain = Counter(tuple(row["name"] for row in rows)[:10] for rows in follow(events).values())
    assert dict(zip(found[0]["sequence"], found[0]["n"], strict=True)) == dict(plain)


def check_chain(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    triples: Counter[tuple[str, str, str]] = Counter()
    for rows in follow(events, "session").values():
        states = ["(start)", *(row["name"] for row in rows), "(end)"]
        triples.update(zip(states, states[1:], states[2:], strict=False))
    first, last, middle = Counter(), Counter(), Counter()
    for (a, b, c), n in triples.items():
        first[a, b] += n
        last[b, c] += n
        middle[b] += n
    parts = [n * math.log(n * middle[b] / (first[a, b] * last[b, c])) for (a, b, c), n in triples.items()]
    assert found[0]["n"].tolist() == [sum(triples.values())]
    assert math.isclose(found[0]["statistic"].iloc[0], 2 * math.fsum(parts), rel_tol=1e-9)


def check_channel_paths(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    bought = events[(events["name"] == "buy") & events["customer"].notna()]
    assert found[0]["conversions"].sum() == len(bought)
    assert math.isclose(found[0]["value"].sum(), bought["value"].sum(), rel_tol=1e-9)
    empty = 0  # conversions without a touch in the six hours since the conversion before
    for rows in follow(events).values():
        touched = -math.inf
        for row in rows:
            if row["name"] == "buy":
                empty += row["occurred_at"] - touched > 6 * 3600 * SECOND
                touched = -math.inf
            elif pd.notna(row["channel"]):
                touched = row["occurred_at"]
    assert found[0].loc[found[0]["path"].map(len) == 0, "conversions"].sum() == empty


def check_reasons(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    entered = [(made[0]["segment.cohort"], len(made)) for made in climb_all(events).values()]
    rows = found[0][(found[0]["step"] == "event:cart") & (found[0]["kind"] == "label")].set_index("label")
    for cohort in ("x", "y"):
        mine = [n for label, n in entered if label == cohort]
        row = rows.loc[
            f"segment.cohort={cohort}" if f"segment.cohort={cohort}" in rows.index else f"cohort={cohort}"
        ]
        assert [row["n_with"], row["lost_with"]] == [len(mine), sum(n == 1 for n in mine)]


def check_stage_order(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    right = pairs = back = moves = 0
    for rows in follow(events).values():
        stages_met = [row["stage"] for row in rows if row["stage"] in ("consideration", "decision")]
        if {"consideration", "decision"} <= set(stages_met):
            pairs += 1
            right += stages_met[0] == "consideration"
        for before, after in pairwise(stages_met):
            moves += before != after
            back += (before, after) == ("decision", "consideration")
    assert math.isclose(the(found[0], "stage_order_score"), 100 * right / pairs)
    assert math.isclose(the(found[0], "backward_step_share"), 100 * back / moves)


def check_steps(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    plain: Counter[tuple[int, str]] = Counter()
    everyone = follow(events, "session").values()
    for rows in everyone:
        plain.update((k + 1, rows[k]["name"] if k < len(rows) else "(end)") for k in range(4))
    table = found[0][found[0]["step"] <= 4]
    assert table.set_index(["step", "state"])["n"].to_dict() == dict(plain)


def check_loops(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    plain: dict[str, Counter[str]] = defaultdict(Counter)
    for rows in follow(events, "session").values():
        names = [row["name"] for row in rows]
        for name in set(names):
            plain[name].update(
                n=names.count(name), units=1, repeats=sum(a == b == name for a, b in pairwise(names))
            )
    for row in found[0].to_dict("records"):
        assert {key: row[key] for key in ("n", "units", "repeats")} == dict(plain[row["state"]])
        assert row["n"] == row["units"] + row["repeats"] + row["returns"]


def check_step_times(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    made = climb_all(events, 30 * 3600 * SECOND)
    plain = [
        [key, *(one["occurred_at"] for one in rows), *[None] * (3 - len(rows))]
        for key, rows in sorted(made.items())
    ]
    times = found[0][["unit", "time_1", "time_2", "time_3"]].astype(object)
    assert times.where(times.notna(), None).values.tolist() == plain


def check_followed(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    made = climb_all(events, 30 * 3600 * SECOND)
    assert found[0].set_index("_unit")["_reached"].to_dict() == {key: len(rows) for key, rows in made.items()}


def time_plainly(events: pd.DataFrame) -> list[float]:
    made = climb_all(events, 30 * 3600 * SECOND).values()
    return [
        (one[-1]["occurred_at"] - one[0]["occurred_at"]) / 60e6 if len(one) == 3 else math.inf for one in made
    ]


def check_curve(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    minutes = np.array(
        time_plainly(events)
    )  # all are followed for the whole window, so nobody is censored early
    curve = found[0][found[0]["segment"] == ""]
    assert np.allclose(curve["share"], [100 * np.mean(minutes <= at) for at in curve["minutes"]], rtol=1e-9)
    assert curve["converted"].sum() == np.isfinite(minutes).sum() > 3


def check_minutes(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    minutes = np.sort(time_plainly(events))
    rows = all_rows(found[0], "minutes_to_convert")
    half = minutes[math.ceil(len(minutes) / 2) - 1]
    assert rows["value"].tolist() == ([half] if math.isfinite(half) else [])


def check_baskets(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    carts = events[(events["name"] == "cart") & events["basket"].notna()]
    started = carts.sort_values(ORDER, na_position="last").drop_duplicates("basket").set_index("basket")
    bought: dict[str, bool] = dict.fromkeys(started.index, False)
    persons = pd.concat([started["customer"].map("c:{}".format, na_action="ignore")]).fillna(
        started["device_id"].map("d:{}".format, na_action="ignore")
    )
    for row in events[events["name"] == "buy"].itertuples():
        basket = row.basket if pd.notna(row.basket) else None
        person = f"c:{row.customer}" if pd.notna(row.customer) else f"d:{row.device_id}"
        if basket is None:
            mine = started[(persons == person) & (started["occurred_at"] <= row.occurred_at)]
            mine = mine.rename_axis("_basket").sort_values(["occurred_at", "_basket"])
            basket = mine.index[-1] if len(mine) else None
        if basket in bought:
            since = row.occurred_at - started.loc[basket, "occurred_at"]
            bought[basket] |= 0 <= since <= DAY
    assert the(found[0], "basket_count") == len(bought) > 5
    assert math.isclose(the(found[0], "basket_abandonment"), 100 - 100 * np.mean(list(bought.values())))


def check_followed_baskets(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    carts = events[(events["name"] == "cart") & events["basket"].notna()]
    assert (
        found[0].set_index("basket")["_started_at"].to_dict()
        == carts.groupby("basket")["occurred_at"].min().to_dict()
    )


def collect_followed(table: Any) -> pd.DataFrame:
    with step_times.follow_step_times(table, STEPS, within="30h", as_of=LATER) as followed:
        return collect_table(followed.units, order_by=["_unit"])


def collect_baskets(table: Any) -> pd.DataFrame:
    with baskets.follow_baskets(table, bought="event:buy", started="event:cart", as_of=LATER) as followed:
        return collect_table(followed, order_by=["basket"])


def check_stream(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    plain = [(person, row["name"]) for person, rows in follow(events).items() for row in rows]
    columns = [name for name in found[0] if "time" not in name]
    assert list(found[0][columns].itertuples(index=False, name=None)) == plain


def check_customers(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    people = events.groupby("customer")
    plain = people.agg(
        n_events=("row", "size"), n_sessions=("session", "nunique"),
        first_at=("occurred_at", "min"), last_at=("occurred_at", "max"),
    )  # fmt: skip
    table = found[0].set_index("customer").sort_index()
    assert table[plain.columns].values.tolist() == plain.values.tolist()
    days = (events["occurred_at"] // DAY).groupby(events["customer"]).nunique()
    assert table["active_days"].tolist() == days.tolist()


def check_engaged(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    plain = []
    for rows in follow(events, "session").values():
        times, names = [row["occurred_at"] for row in rows], [row["name"] for row in rows]
        views = sum(row["touchpoint"] == "page" for row in rows)
        plain.append(max(times) - min(times) > 10 * SECOND or views >= 2 or "buy" in names)
    assert math.isclose(the(found[0], "engaged_session_rate"), 100 * np.mean(plain))
    days = (events["occurred_at"] // DAY).groupby(events["customer"]).nunique()
    assert math.isclose(the(found[0], "active_days"), days.mean())


def check_lost_value(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    made = climb_all(events, 30 * 3600 * SECOND).values()
    assert the(found[0], "lost_count", item="shop/event:cart") == sum(len(one) == 1 for one in made)


def check_triples(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    plain: Counter[tuple[str, ...]] = Counter()
    for rows in follow(events, "session").values():
        names = [row["name"] for row in rows]
        plain.update(zip(names, names[1:], names[2:], strict=False))
    assert found[0].set_index(["step_1", "step_2", "step_3"])["n"].to_dict() == dict(plain)


def check_use(events: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    known = found[0][found[0]["is_measured"]].set_index("touchpoint")
    met = events.dropna(subset=["touchpoint", "customer"]).groupby("touchpoint")
    assert known["reached"].to_dict() == met["customer"].nunique().to_dict()
    firsts = events[events["position"] == 1]["touchpoint"].value_counts()
    assert known["entries"].to_dict() == {place: firsts.get(place, 0) for place in known.index}
    assert "poster" in set(found[0]["touchpoint"]) - set(known.index)


def summarise_kept(table: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        kept = call("keeping.keep_sessions", Path(folder) / "kept")(table)
        found = call("summaries.summarise_sessions")(kept)
        if isinstance(found, pd.DataFrame):
            return found
        return (
            found.to_arrow_table().to_pandas()
            if hasattr(found, "to_arrow_table")
            else found.toArrow().to_pandas()
        )


def sum_people(table: Any) -> pd.DataFrame:
    options = {"unit": "people", "order": "ordered", "within": None, "as_of": None, "segments": ()}
    found = call("outcomes.sum_outcomes", steps.parse_steps(STEPS), periods={"all": None}, **options)(table)
    return found.sort_values("person", ignore_index=True)


class Case(NamedTuple):
    """How a function is called, on events without sessions (`raw`) or with them, and its plain definition."""

    calls: list[Callable[[Any], Any]]
    check: Callable[[pd.DataFrame, list[pd.DataFrame]], None]
    raw: bool = False


def case(check: Any, *calls: Any, raw: bool = False) -> Case:
    return Case(list(calls), check, raw)


def call(name: str, *arguments: Any, **options: Any) -> Callable[[Any], Any]:
    """Call `module.function` of the room on a table."""
    module, _, function = name.partition(".")

    def run(table: Any) -> Any:
        found = getattr(importlib.import_module(f"journeylib.journey.{module}"), function)
        return found(table, *arguments, **options)

    return run


SHOP = {"within": "30h", "as_of": LATER}
REVIEW = {"periods": PERIODS, "by": SEGMENT}
BASKETS = {"bought": "event:buy", "started": "event:cart", "as_of": LATER}
NO_ASK = selections.PatternStep("event:buy", without=("event:ask",))
ENGAGED = {"views": ["page"], "key_events": ["event:buy"], "periods": ALL}
TWO_STAGES = ["consideration", "decision"]

CASES: dict[str, Case] = {
    "adapters.to_eventstream": case(check_stream, call("adapters.to_eventstream")),
    "adapters.to_pm4py": case(check_stream, call("adapters.to_pm4py")),
    "baskets.follow_baskets": case(check_followed_baskets, collect_baskets),
    "baskets.measure_baskets": case(
        check_baskets,
        call("baskets.measure_baskets", periods=ALL, by=SEGMENT, **BASKETS),
        call("baskets.measure_baskets", bought="event:buy", as_of=LATER, periods=PERIODS),
    ),
    "chain_order.compare_chain_orders": case(
        check_chain, call("chain_order.compare_chain_orders", column="name")
    ),
    "channel_paths.list_channel_paths": case(
        check_channel_paths,
        call(
            "channel_paths.list_channel_paths",
            conversion="event:buy",
            within="6h",
            with_times=True,
            as_of=LATER,
        ),
    ),
    "customer_summaries.summarise_customers": case(
        check_customers, call("customer_summaries.summarise_customers")
    ),
    "customers.list_journey": case(check_one_journey, call("customers.list_journey", "p03")),
    "customers.select_customers": case(
        check_lost, call("customers.select_customers", STEPS, step="event:cart")
    ),
    "drop_off_reasons.find_drop_off_reasons": case(
        check_reasons,
        call("drop_off_reasons.find_drop_off_reasons", STEPS, labels=SEGMENT, minimum_base=3, as_of=LATER),
    ),
    "engagement.measure_engagement": case(check_engaged, call("engagement.measure_engagement", **ENGAGED)),
    "funnels.count_funnel": case(
        check_funnel,
        call("funnels.count_funnel", STEPS, by=SEGMENT),
        call("funnels.count_funnel", STEPS, unit="sessions", **REVIEW),
        call("funnels.count_funnel", STEPS[:2], order="strict", within="12h"),
        call("funnels.count_funnel", STEPS[:2], order="any", within="12h"),
    ),
    "funnels.measure_funnel": case(
        check_funnel_measures,
        call("funnels.measure_funnel", "shop", STEPS, periods=ALL, by=SEGMENT, **SHOP),
    ),
    "gaps.count_sessions": case(check_gaps, call("gaps.count_sessions", gap_minutes=(15, 30, 60)), raw=True),
    "guesses.guess_touchpoints": case(check_guesses, call("guesses.guess_touchpoints"), raw=True),
    "keeping.keep_sessions": case(check_summaries, summarise_kept, raw=True),
    "lost_units.list_lost": case(
        check_lost, call("lost_units.list_lost", STEPS, step="event:cart", as_of=LATER)
    ),
    "lost_value.measure_lost_value": case(
        check_lost_value, call("lost_value.measure_lost_value", "shop", STEPS, periods=ALL, **SHOP)
    ),
    "outcomes.sum_outcomes": case(check_outcomes, sum_people),
    "paths.count_paths": case(check_triples, call("paths.count_paths", column="name", most=None)),
    "paths.count_transitions": case(check_transitions, call("paths.count_transitions")),
    "patterns.find_patterns": case(
        check_patterns, call("patterns.find_patterns", conversion="event:buy", column="name")
    ),
    "places.find_unit": case(check_unit, lambda t: pd.DataFrame({"unit": [call("places.find_unit")(t)]})),
    "places.list_places": case(check_places, call("places.list_places")),
    "places.measure_places": case(
        check_place_measures,
        call("places.measure_places", PLACES, periods=PERIODS),
        call("places.measure_places", PLACES, periods=PERIODS, unit="sessions"),
    ),
    "reconciliation.reconcile_contacts": case(
        check_contacts, call("reconciliation.reconcile_contacts", CONTACTS, steps=["event:ask"])
    ),
    "reconciliation.reconcile_purchases": case(
        check_purchases, call("reconciliation.reconcile_purchases", ORDERS, purchase="event:buy")
    ),
    "selections.keep_customers": case(
        check_kept, call("selections.keep_customers", pd.DataFrame({"customer": ["p02", "p03"]}))
    ),
    "selections.select_journeys": case(
        check_selected,
        call("selections.select_journeys", ["event:cart", "event:buy"], within="8h"),
        call("selections.select_journeys", ["page", NO_ASK], as_of=LATER),
    ),
    "sequences.number_states": case(
        check_sequences,
        lambda t: sequences.count_sequences(
            sequences.number_states(t, column="name", unit="people"), most=10
        ),
    ),
    "sessions.split_into_sessions": case(check_sessions, call("sessions.split_into_sessions"), raw=True),
    "stage_order.measure_stage_order": case(
        check_stage_order,
        call("stage_order.measure_stage_order", TWO_STAGES, periods=ALL, n_permutations=5),
    ),
    "stages.assign_touchpoints": case(
        check_touchpoints, call("stages.assign_touchpoints", TOUCHPOINTS), raw=True
    ),
    "stages.count_unmapped": case(check_unmapped, call("stages.count_unmapped")),
    "step_matrix.count_loops": case(check_loops, call("step_matrix.count_loops", column="name")),
    "step_matrix.count_steps": case(check_steps, call("step_matrix.count_steps", column="name")),
    "step_matrix.time_transitions": case(
        check_transition_times, call("step_matrix.time_transitions", column="name")
    ),
    "step_times.follow_step_times": case(check_followed, collect_followed),
    "step_times.read_step_times": case(
        check_step_times, call("step_times.read_step_times", STEPS, columns=SEGMENT, **SHOP)
    ),
    "summaries.measure_sessions": case(check_measures, call("summaries.measure_sessions", **REVIEW)),
    "summaries.summarise_sessions": case(check_summaries, call("summaries.summarise_sessions")),
    "time_to_convert.measure_time_to_convert": case(
        check_minutes, call("time_to_convert.measure_time_to_convert", "shop", STEPS, periods=ALL, **SHOP)
    ),
    "time_to_convert.trace_time_to_convert": case(
        check_curve, call("time_to_convert.trace_time_to_convert", STEPS, by=SEGMENT, **SHOP)
    ),
    "touchpoint_use.count_touchpoints": case(
        check_use, call("touchpoint_use.count_touchpoints", TOUCHPOINTS)
    ),
}
