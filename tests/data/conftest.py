"""A project in a folder of its own, made from texts typed in the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from journeylib.data.project import Project, read_project
from journeylib.data.trusted import TrustedTables, write_trusted_tables

KEY = b"a key of the tests"


@dataclass
class Shop:
    """A project's folder with its journey.toml; the first section is there already."""

    folder: Path
    head: str = '[project]\nslug = "shop"\ntimezone = "Europe/Berlin"\n'
    rest: str = ""

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def declare(self, text: str) -> Shop:
        self.rest += text.strip("\n") + "\n"
        return self

    def add(
        self, table: str, content: str | bytes, *, options: str = "", columns: str = "", file: str = ""
    ) -> Shop:
        """Write one source of a table and declare it; its columns have our names where none are given."""
        file = file or f"{table}.csv"
        self.write(file, content)
        place = f"sources.{table}.one"
        self.declare(f'[{place}]\npath = "{file}"\n{options}')
        return self.declare(f"[{place}.columns]\n{columns}") if columns else self

    def read(self) -> Project:
        self.write("journey.toml", self.head + self.rest)
        return read_project(self.folder)

    def make(self, *, key: bytes = KEY, as_of_us: int | None = None, out: str = "out") -> TrustedTables:
        return write_trusted_tables(self.read(), self.folder / out, key=key, as_of_us=as_of_us)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    folder = tmp_path / "shop"
    folder.mkdir()
    return Shop(folder)


@pytest.fixture
def us() -> Callable[[str], int]:
    """Microseconds UTC of a text with an offset, by pandas, which the package does not use for it."""
    return lambda text: pd.Timestamp(text).tz_convert("UTC").value // 1000


@pytest.fixture
def steps() -> Callable[..., dict[str, int]]:
    """The waterfall of one source as {step or rule: rows}; rows in = used + set aside + left out, always."""

    def read(tables: TrustedTables, table: str = "events", source: str = "one") -> dict[str, int]:
        rows = tables.read_waterfall()
        for _, group in rows.groupby(["table", "source"]):
            by_step = group.groupby("step")["rows"].sum()
            assert by_step["rows in"] == by_step.drop("rows in").sum()
        mine = rows[(rows["table"] == table) & (rows["source"] == source)]
        return {rule or step: n for step, rule, n in mine[["step", "rule", "rows"]].itertuples(index=False)}

    return read


@pytest.fixture
def aside() -> Callable[..., list[tuple[int, str, str]]]:
    """The quarantine of one table as (line, rule, column)."""

    def read(tables: TrustedTables, table: str = "events") -> list[tuple[int, str, str]]:
        rows = tables.read_quarantine()
        mine = rows[rows["table"] == table]
        return list(mine[["line", "rule", "column"]].itertuples(index=False, name=None))

    return read
