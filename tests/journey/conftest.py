"""Small tables and plain second definitions that the tests of the journey room share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SECOND = 1_000_000


@pytest.fixture(scope="session")
def make_events() -> Callable[..., pd.DataFrame]:
    """Read lines of `customer seconds name`; `-` is a missing customer."""

    def make(text: str, **columns: object) -> pd.DataFrame:
        rows = [line.split() for line in text.strip().splitlines()]
        events = pd.DataFrame(rows, columns=["customer", "occurred_at", "name"], dtype="str")
        events["customer"] = events["customer"].where(events["customer"] != "-")
        events["occurred_at"] = events["occurred_at"].astype("int64") * SECOND
        return events.assign(**columns)

    return make


@pytest.fixture(scope="session")
def count_greedily() -> Callable[[pd.DataFrame, Sequence[str], str], list[int]]:
    """Count an ordered funnel in plain Python: the earliest next step, one event for one step."""

    def count(events: pd.DataFrame, steps: Sequence[str], unit: str) -> list[int]:
        reached = [0] * len(steps)
        ordered = events.sort_values(["occurred_at", "name"], kind="stable")
        for _, names in ordered.groupby(unit)["name"]:
            step = 0
            for name in names:
                if step < len(steps) and name == steps[step]:
                    reached[step] += 1
                    step += 1
        return reached

    return count


@pytest.fixture(scope="session")
def web_shop() -> pd.DataFrame:
    path = DATA / "ecom_events.csv.gz"
    if not path.exists():
        pytest.skip("the public web shop log is not there (shared/data/ecom_events.csv.gz)")
    names = {
        "user_id": "customer",
        "session_id": "session_given",
        "event": "name",
        "timestamp": "occurred_at",
    }
    return pd.read_csv(path, parse_dates=["timestamp"]).rename(columns=names)


@pytest.fixture(scope="session")
def clothes_shop() -> pd.DataFrame:
    path = DATA / "eshop_clothing_2008.csv.gz"
    if not path.exists():
        pytest.skip("the public clothes shop log is not there (shared/data/eshop_clothing_2008.csv.gz)")
    clicks = pd.read_csv(path, sep=";", usecols=["year", "month", "day", "order", "session ID"])
    return pd.DataFrame(
        {
            "occurred_at": pd.to_datetime(clicks[["year", "month", "day"]]),
            "precision": "day",
            "sequence": clicks["order"],
            "session_given": clicks["session ID"].astype(str),
            "name": "click",
        }
    )
