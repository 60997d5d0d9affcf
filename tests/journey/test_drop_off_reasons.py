"""What goes with dropping off: differences as by hand, planted reasons found, noise not."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from journeylib.evidence.intervals import newcombe_difference
from journeylib.journey import count_funnel
from journeylib.journey.drop_off_reasons import find_drop_off_reasons

SECOND = 1_000_000
STEPS = ["event:view", "event:cart", "event:buy"]


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    """600 people; phones and those who met help before the cart leave the cart more often."""
    rng = np.random.default_rng(9)
    rows = []
    for i in range(600):
        device, helped = rng.choice(["phone", "desk"]), rng.random() < 0.3
        colour = rng.choice(["red", "blue", "green"])
        rows.append((i, 0, "view", "page", device, colour))
        if helped:
            rows.append((i, 1, "ask", "help", device, colour))
        if rng.random() < 0.8:
            rows.append((i, 2, "cart", "basket", device, colour))
            if rng.random() > 0.25 + 0.3 * (device == "phone") + 0.2 * helped:
                rows.append((i, 3, "buy", "till", device, colour))
            else:
                rows.append((i, 4, "ask", "help", device, colour))
    names = ["customer", "second", "name", "touchpoint", "device", "colour"]
    events = pd.DataFrame(rows, columns=names)
    return events.assign(
        customer="c" + events["customer"].astype(str), occurred_at=events.pop("second") * SECOND
    )


@pytest.fixture(scope="module")
def found(planted) -> pd.DataFrame:
    return find_drop_off_reasons(planted, STEPS, labels=["device", "colour"])


def test_planted_reasons_are_found_and_noise_is_not(found):
    sure = found[found["association"] != "no association that we can tell from noise"]
    assert set(zip(sure["step"], sure["label"], sure["association"], strict=True)) == {
        ("event:buy", "device=phone", "associated with more drop-off"),
        ("event:buy", "device=desk", "associated with less drop-off"),
        ("event:buy", "touchpoint=help", "associated with more drop-off"),
    }


def test_difference_lift_and_interval_are_as_by_hand(planted, found):
    first = planted.drop_duplicates("customer").set_index("customer")["device"]
    carts = set(planted.loc[planted["name"] == "cart", "customer"])
    bought = set(planted.loc[planted["name"] == "buy", "customer"])
    phones = {person for person in carts if first[person] == "phone"}
    others = carts - phones
    with_it, without = (len(group - bought) / len(group) for group in (phones, others))
    row = found[(found["step"] == "event:buy") & (found["label"] == "device=phone")].squeeze()
    assert (row["n_with"], row["n_without"]) == (len(phones), len(others))
    assert row["difference"] == pytest.approx(100 * (with_it - without))
    low, high = newcombe_difference(with_it, len(phones), without, len(others))
    assert [row["low"], row["high"]] == pytest.approx([100 * low, 100 * high])
    assert row["lift"] == pytest.approx(with_it / (len(carts - bought) / len(carts)))


def test_only_what_came_before_the_step_is_met_before_it(planted, found):
    helped = set(
        planted.loc[(planted["touchpoint"] == "help") & (planted["occurred_at"] == SECOND), "customer"]
    )
    carts = set(planted.loc[planted["name"] == "cart", "customer"])
    row = found[(found["step"] == "event:buy") & (found["label"] == "touchpoint=help")].squeeze()
    assert row["n_with"] == len(helped & carts), "help after the cart is no reason for leaving it"


def test_labels_of_a_column_share_the_units_of_the_step(planted, found):
    funnel = count_funnel(planted, STEPS).set_index("label")
    colours = found[(found["step"] == "event:buy") & found["label"].str.startswith("colour=")]
    assert colours["n_with"].sum() == funnel.loc["event:cart", "n"]
    assert colours["lost_with"].sum() == funnel.loc["event:buy", "lost"]
    assert (colours["n_with"] + colours["n_without"] == funnel.loc["event:cart", "n"]).all()


def test_the_family_of_tests_is_all_rows_shown(found):
    p = found["p_value"].sort_values().to_numpy()
    plain = np.minimum.accumulate((p * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1]
    assert found["q_value"].sort_values().tolist() == pytest.approx(np.minimum(plain, 1).tolist())


def test_one_step_may_be_asked_and_labels_under_the_base_are_not_shown(planted, found):
    alone = find_drop_off_reasons(planted, STEPS, step="event:buy", labels=["device"], met=None)
    assert alone["label"].tolist() == ["device=desk", "device=phone"]
    few = planted.assign(device=planted["device"].where(planted["customer"] > "c5", "rare"))
    rows = find_drop_off_reasons(few, STEPS, labels=["device"], met=None, minimum_base=1000)
    assert rows.empty
    with pytest.raises(ValueError, match="one after the first"):
        find_drop_off_reasons(planted, STEPS, step="event:view")


def test_open_windows_are_left_out(make_events):
    lines = [f"p{i} {i * 10} view" for i in range(60)] + [f"p{i} {i * 10 + 5} buy" for i in range(0, 60, 2)]
    events = make_events("\n".join(lines)).assign(device=["x", "y", "y"] * 30)
    found = find_drop_off_reasons(
        events, ["event:view", "event:buy"], labels=["device"], met=None, within="100s", as_of=590 * SECOND
    )
    assert (found["n_with"] + found["n_without"]).tolist() == [50, 50]


def test_a_persons_sessions_are_not_independent(make_events):
    lines = [f"{who} {10 * i} view" for i in range(40) for who in "abcd"]
    lines += [f"{who} {10 * i + 5} buy" for i in range(40) for who in "ab"]
    events = make_events("\n".join(lines))
    events = events.assign(
        session=events["customer"] + (events["occurred_at"] // (10 * SECOND)).astype(str),
        device=events["customer"].isin(["a", "c"]).map({True: "x", False: "y"}),
    )
    events = events.assign(position=events.groupby("session")["occurred_at"].rank().astype(int))
    steps, options = ["event:view", "event:buy"], {"unit": "sessions", "labels": ["device"], "met": None}
    people = find_drop_off_reasons(events, steps, **options)
    alone = find_drop_off_reasons(events.assign(customer=None), steps, **options)
    width = [table["high"].iloc[0] - table["low"].iloc[0] for table in (people, alone)]
    assert width[0] > 3 * width[1]


def test_shuffled_rows_and_every_way_in_give_the_same(planted, found, tmp_path):
    planted.to_parquet(tmp_path / "events.parquet")
    relation = duckdb.from_arrow(pa.Table.from_pandas(planted))
    for events in (planted.sample(frac=1, random_state=2), tmp_path / "events.parquet", relation):
        again = find_drop_off_reasons(events, STEPS, labels=["device", "colour"])
        pd.testing.assert_frame_equal(again, found)


def test_empty_and_one_row_inputs_give_no_rows(planted):
    for events in (planted.iloc[:0], planted.iloc[:4]):
        steps = ["event:view", "event:cart"] if len(events) else STEPS
        assert find_drop_off_reasons(events, steps, labels=["device"]).empty
