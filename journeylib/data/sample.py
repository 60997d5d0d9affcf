"""The made-up sample: a whole project with raw exports, dirt included, whose truth is known."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from journeylib.data.sample_care import draw_care_sessions
from journeylib.data.sample_clicks import (
    CLICK_COLUMNS,
    count_payments,
    name_devices,
    number_clicks,
    write_clicks,
)
from journeylib.data.sample_customers import draw_customers, label_personas
from journeylib.data.sample_dirt import soil_clicks, soil_table
from journeylib.data.sample_draws import END, QUARTERS
from journeylib.data.sample_events import draw_clicks, draw_robots
from journeylib.data.sample_exposures import draw_exposures
from journeylib.data.sample_files import append_days, append_rows, read_template
from journeylib.data.sample_journeys import EVENTS, draw_reminders, draw_sessions, draw_visitors
from journeylib.data.sample_orders import draw_orders, export_orders
from journeylib.data.sample_programmes import add_programmes, count_bonus, export_customers
from journeylib.data.sample_service import draw_contacts, export_contacts
from journeylib.data.sample_survey import count_careless, draw_wave, export_wave
from journeylib.data.sample_truth import describe_truth

__all__ = ["CUSTOMERS", "SEED", "make_sample"]

CUSTOMERS, SEED = 2_000, 2026
# Customers are drawn and written block by block, so that memory does not grow with their number.
_BLOCK = 20_000
_VISITORS = 0.7
# A wave invites about so many customers, however many there are.
_MOST_INVITED = 20_000
_NUMBERS_PER_BLOCK = 10_000_000
_TEXTS = (
    "journey.toml",
    "survey_codebook.csv",
    "touchpoints.csv",
    "changes.csv",
    "actions.csv",
    "demo_key.txt",
    "README.txt",
)

Counts = dict[str, Counter[str]]


def make_sample(folder: str | Path, *, customers: int = CUSTOMERS, seed: int = SEED) -> Path:
    """Write a complete made-up project: journey.toml, its tables, raw exports and truth.json.

    Parameters
    ----------
    folder : str or Path
        Where to: a new or an empty folder, or a sample, which is replaced. It appears only when complete.
    customers : int
        Number of customers, 1 or more.
    seed : int
        Seed of the random generator, 0 or more. The same customers and seed give the same bytes.

    Returns
    -------
    Path
        The folder. Eight quarters from 2024-10-01 and ten days, so that 2026Q3 is closed.

    Raises
    ------
    ValueError
        If customers or seed are out of range.
    FileExistsError
        If the folder holds anything but a sample.

    Examples
    --------
    >>> import tempfile
    >>> folder = make_sample(Path(tempfile.mkdtemp()) / "shop", customers=20)
    >>> (folder / "journey.toml").exists()
    True
    """
    folder = Path(folder)
    if customers < 1 or seed < 0:
        raise ValueError(
            f"customers={customers}, seed={seed}: expected customers from 1 up and a seed from 0 up"
        )
    if folder.exists() and not _may_replace(folder):
        raise FileExistsError(f"{folder} holds other things than a sample: name a new or an empty folder")
    target = folder.absolute()
    work = target.parent / f".{target.name}.{os.getpid()}.partial"
    before = work.with_suffix(".before")
    work.mkdir(parents=True)
    try:
        _write_project(work, customers=customers, seed=seed)
        if target.exists():
            target.replace(before)
        work.replace(target)
    finally:
        if before.exists() and not target.exists():
            before.replace(target)
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)
    return folder


def _may_replace(folder: Path) -> bool:
    """Return whether a folder is empty, or holds a sample and nothing else."""
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    return not names or (
        "truth.json" in names and names <= {*_TEXTS, "truth.json", "truth_personas.csv.gz", "raw"}
    )


def _write_project(folder: Path, *, customers: int, seed: int) -> None:
    """Write everything into an empty folder."""
    counts: Counts = {
        name: Counter() for name in ("rows", "dirt", "payments", "events", "realised", "robots")
    }
    for block, first in enumerate(range(0, customers, _BLOCK)):
        size = min(_BLOCK, customers - first)
        _write_block(folder, _Block(block, first, size, customers, seed), counts=counts)
    exposures = draw_exposures(customers=customers, rng=np.random.default_rng([seed, 10**6]))
    counts["rows"]["raw/media/exposures.csv"] = append_rows(folder / "raw/media/exposures.csv", exposures)
    texts = {name: read_template(name) for name in _TEXTS}
    texts["touchpoints.csv"] = _empty_patterns(texts["touchpoints.csv"], set(counts["events"]))
    texts["README.txt"] = texts["README.txt"].format(customers=customers, seed=seed)
    truth = describe_truth(customers=customers, seed=seed, counts=counts)
    texts["truth.json"] = json.dumps(truth, indent=1, ensure_ascii=False) + "\n"
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("utf-8"))


def _empty_patterns(touchpoints: str, events: set[str]) -> str:
    """Return touchpoints.csv with a pattern left empty where a very small sample has no such event."""
    header, *lines = touchpoints.splitlines()
    cells = [line.split(",", 1) for line in lines]
    kept = [
        (pattern if any(fnmatchcase(name, pattern) for name in events) else "", rest)
        for pattern, rest in cells
    ]
    return "\n".join([header, *(",".join(line) for line in kept)]) + "\n"


class _Block(NamedTuple):
    """Some of the customers, with random numbers and running numbers of their own."""

    block: int
    first: int
    size: int
    customers: int
    seed: int

    @property
    def number(self) -> int:
        """The running number of the block's first event, order, contact and basket."""
        return self.block * _NUMBERS_PER_BLOCK

    def rng(self, purpose: int) -> np.random.Generator:
        """Return the random numbers for one purpose."""
        return np.random.default_rng([self.seed, self.block, purpose])


def _write_block(folder: Path, block: _Block, *, counts: Counts) -> None:
    """Draw one block of customers with all that they do, and append it to the exports."""

    def append(path: str, table: pd.DataFrame, found: dict[str, int], **shape: str) -> None:
        counts["rows"][path] += append_rows(folder / path, table, **shape)
        counts["dirt"].update({f"{path.split('/')[1]}/{kind}": rows for kind, rows in found.items()})

    people = add_programmes(draw_customers(block.size, first=block.first, rng=block.rng(0)), rng=block.rng(9))
    append_rows(folder / "truth_personas.csv.gz", label_personas(people))
    append("raw/crm/kunden.csv", export_customers(people, rng=block.rng(33)), {}, encoding="latin-1")
    for wave, name in enumerate(QUARTERS):
        invited = min(1.0, _MOST_INVITED / block.customers)
        drawn = draw_wave(people, wave, first=block.number, invited=invited, rng=block.rng(40 + wave))
        answers, found = soil_table(drawn, "survey", rng=block.rng(60 + wave))
        found = {**found, "careless": count_careless(drawn)}
        append(f"raw/survey/survey_{name}.csv", export_wave(answers, wave), found)
    clicks, orders, contacts = _draw_behaviour(people, block, counts=counts)
    append(
        "raw/orders/orders.csv",
        *soil_table(export_orders(orders), "orders", rng=block.rng(31)),
        separator=";",
    )
    append("raw/service/tickets.csv", *soil_table(export_contacts(contacts), "service", rng=block.rng(32)))
    _write_clicks(folder / "raw" / "clicks", clicks, block, counts=counts)


def _write_clicks(folder: Path, clicks: pd.DataFrame, block: _Block, *, counts: Counts) -> None:
    """Soil a block's clicks and append them to the files of the days on which they arrived."""
    names = np.bincount(clicks["name"].to_numpy(), minlength=len(EVENTS))
    counts["events"].update({name: int(count) for name, count in zip(EVENTS, names, strict=True) if count})
    counts["payments"].update(count_payments(clicks))
    soiled, found = soil_clicks(clicks, rng=block.rng(30))
    counts["dirt"].update({f"clicks/{kind}": rows for kind, rows in found.items()})
    counts["rows"]["raw/clicks/*.csv.gz"] += append_days(
        folder,
        "clicks_{day}.csv.gz",
        write_clicks(soiled),
        header=",".join(CLICK_COLUMNS) + "\n",
        days=soiled["arrived"].to_numpy() // 86_400,
    )


def _draw_behaviour(
    people: pd.DataFrame, block: _Block, *, counts: Counts
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return clicks as numbers, orders and contacts: sessions first, then what follows from them."""
    rng, number = block.rng, block.number
    own = draw_sessions(people, rng=rng(2))
    counts["realised"].update(count_bonus(people, own))
    visitors = draw_visitors(max(int(block.size * _VISITORS), 1), first=block.first, rng=rng(1))
    sessions = pd.concat([own, draw_reminders(own, people, rng=rng(10)), visitors], ignore_index=True)
    clicks = draw_clicks(sessions, rng=rng(3)).assign(cents=0)
    is_purchase = (clicks["name"] == EVENTS.index("order_confirmed")) & (clicks["occurred"] <= END)
    bought = np.flatnonzero(is_purchase)
    owner = sessions["owner"].to_numpy()[clicks["session"].to_numpy()[bought]]
    purchases = pd.DataFrame({"owner": owner, "occurred": clicks["occurred"].to_numpy()[bought]})
    orders = draw_orders(purchases, people, first=number, rng=rng(4))
    online = orders.loc[orders["purchase"] >= 0]
    cents = np.zeros(len(clicks), dtype="int64")
    cents[bought[online["purchase"].to_numpy()]] = online["cents"].to_numpy()
    contacts = draw_contacts(orders, people, first=number, rng=rng(5))
    care = draw_care_sessions(orders, contacts, rng=rng(6))
    robots, robot_clicks = draw_robots(block.size, first=block.first, rng=rng(11))
    counts["robots"].update(
        name_devices(robots["owner"].to_numpy(), robots["mobile"].to_numpy() * 1).tolist()
    )
    later = draw_clicks(care, rng=rng(7))
    later["session"] += len(sessions)
    robot_clicks["session"] += len(sessions) + len(care)
    clicks = pd.concat([clicks.assign(cents=cents), later, robot_clicks], ignore_index=True)
    clicks["cents"] = clicks["cents"].fillna(0).astype("int64")
    sessions = pd.concat([sessions, care, robots], ignore_index=True)
    return number_clicks(sessions, clicks, first=number, rng=rng(8)), orders, contacts
