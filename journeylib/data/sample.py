"""The made-up sample: a whole project with raw exports, dirt included, whose truth is known."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd

from journeylib.data.sample_clicks import CLICK_COLUMNS, count_payments, export_clicks, split_by_month
from journeylib.data.sample_customers import draw_customers, export_customers
from journeylib.data.sample_dirt import soil_clicks, soil_table
from journeylib.data.sample_draws import END, QUARTERS
from journeylib.data.sample_files import CUT_SHORT, append_rows, read_template
from journeylib.data.sample_journeys import EVENTS, draw_clicks, draw_sessions, draw_visitors
from journeylib.data.sample_orders import draw_orders, export_orders
from journeylib.data.sample_service import draw_care_sessions, draw_contacts, export_contacts
from journeylib.data.sample_survey import draw_wave, export_wave
from journeylib.data.sample_truth import describe_truth

__all__ = ["CUSTOMERS", "SEED", "make_sample"]

CUSTOMERS, SEED = 400, 2026
# Customers are drawn and written block by block, so that memory does not grow with their number.
_BLOCK = 20_000
_VISITORS = 2
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
    return not names or ("truth.json" in names and names <= {*_TEXTS, "truth.json", "raw"})


def _write_project(folder: Path, *, customers: int, seed: int) -> None:
    """Write everything into an empty folder."""
    counts: Counts = {name: Counter() for name in ("rows", "dirt", "payments", "events")}
    for block, first in enumerate(range(0, customers, _BLOCK)):
        _write_block(
            folder, block=block, first=first, size=min(_BLOCK, customers - first), seed=seed, counts=counts
        )
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


def _write_block(folder: Path, *, block: int, first: int, size: int, seed: int, counts: Counts) -> None:
    """Draw one block of customers with all that they do, and append it to the exports."""
    number = block * _NUMBERS_PER_BLOCK

    def rng(purpose: int) -> np.random.Generator:
        return np.random.default_rng([seed, block, purpose])

    def append(path: str, table: pd.DataFrame, found: dict[str, int], **shape: str) -> None:
        counts["rows"][path] += append_rows(folder / path, table, **shape)
        counts["dirt"].update({f"{path.split('/')[1]}/{kind}": rows for kind, rows in found.items()})

    people = draw_customers(size, first=first, rng=rng(0))
    clicks, orders, contacts = _draw_behaviour(people, number=number, rng=rng)
    counts["events"].update(clicks["event"].tolist())
    counts["payments"].update(count_payments(clicks))
    soiled, found = soil_clicks(clicks, rng=rng(30))
    counts["dirt"].update({f"clicks/{kind}": rows for kind, rows in found.items()})
    for month, part in split_by_month(soiled).items():
        append(f"raw/clicks/clicks_{month}.csv.gz", part[[*CLICK_COLUMNS, CUT_SHORT]], {})
    append("raw/orders/orders.csv", *soil_table(export_orders(orders), "orders", rng=rng(31)), separator=";")
    append("raw/service/tickets.csv", *soil_table(export_contacts(contacts), "service", rng=rng(32)))
    append("raw/crm/kunden.csv", export_customers(people), {}, encoding="latin-1")
    for wave, name in enumerate(QUARTERS):
        drawn = draw_wave(people, wave, first=number, rng=rng(40 + wave))
        answers, found = soil_table(drawn, "survey", rng=rng(60 + wave))
        append(f"raw/survey/survey_{name}.csv", export_wave(answers, wave), found)


def _draw_behaviour(
    people: pd.DataFrame, *, number: int, rng: Callable[[int], np.random.Generator]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return clicks as exported, orders and contacts: shopping first, then what follows from it."""
    visitors = draw_visitors(
        len(people) * _VISITORS, first=int(people["number"].iloc[0]) * _VISITORS, rng=rng(1)
    )
    shopping = pd.concat([draw_sessions(people, rng=rng(2)), visitors], ignore_index=True)
    clicks = draw_clicks(shopping, rng=rng(3)).assign(cents=0)
    is_purchase = (clicks["name"] == EVENTS.index("order_confirmed")) & (clicks["occurred"] <= END)
    bought = np.flatnonzero(is_purchase)
    buyers = shopping.iloc[clicks["session"].to_numpy()[bought]]
    purchases = pd.DataFrame(
        {"owner": buyers["owner"].to_numpy(), "occurred": clicks["occurred"].to_numpy()[bought]}
    )
    orders = draw_orders(purchases, people, first=number, rng=rng(4))
    online = orders.loc[orders["purchase"] >= 0]
    clicks.loc[bought[online["purchase"].to_numpy()], "cents"] = online["cents"].to_numpy()
    contacts = draw_contacts(orders, people, first=number, rng=rng(5))
    care = draw_care_sessions(orders, contacts, rng=rng(6))
    later = draw_clicks(care, rng=rng(7)).assign(cents=0)
    later["session"] += len(shopping)
    sessions = pd.concat([shopping, care], ignore_index=True)
    clicks = pd.concat([clicks, later], ignore_index=True)
    return export_clicks(sessions, clicks, first=number, rng=rng(8)), orders, contacts
