"""From exports to trusted tables: every row is used or set aside by a named rule, and the sum is kept."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from journeylib.data.connection import connect_engine
from journeylib.data.consent import measure_consent, read_consents
from journeylib.data.event_table import write_event_table
from journeylib.data.ledger import NOT_A_FAULT
from journeylib.data.problems import InputError, Problem
from journeylib.data.project import Project
from journeylib.data.reading_run import ReadingRun
from journeylib.data.small_tables import SMALL_TABLES, write_small_table
from journeylib.data.survey_waves import write_survey

__all__ = ["NOT_A_FAULT", "TrustedTables", "read_trusted_tables", "write_trusted_tables"]

# No clock decides a number: the machine's clock only finds rows that can't have happened yet. One that stands
# before this code was written is wrong and is not believed.
EARLIEST_NOW_US = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * 1_000_000


@dataclass(frozen=True)
class TrustedTables:
    """A folder of trusted tables: Parquet files, the waterfall of rows, and what is known of the inputs."""

    folder: Path
    facts: dict[str, Any]

    def has(self, table: str) -> bool:
        """Return whether the table was written."""
        return (self.folder / f"{table}.parquet").exists()

    def path(self, table: str) -> str:
        """Return the path of a table's Parquet file, or a pattern where Spark wrote several."""
        path = self.folder / f"{table}.parquet"
        return str(path / "*.parquet" if path.is_dir() else path)

    def read(self, table: str) -> pd.DataFrame:
        """Return a table as a frame."""
        return pd.read_parquet(self.folder / f"{table}.parquet")

    def read_waterfall(self) -> pd.DataFrame:
        """Return rows in, set aside by rule, left out and used: one row a table, source, step and rule."""
        return self._read_book("waterfall.csv")

    def read_quarantine(self) -> pd.DataFrame:
        """Return one row for each row set aside: table, source, file, line, rule and column."""
        return self._read_book("quarantine.csv")

    def _read_book(self, name: str) -> pd.DataFrame:
        texts = dict.fromkeys(("table", "source", "file", "step", "rule", "column"), "str")
        return pd.read_csv(self.folder / name, keep_default_na=False, dtype=texts)


def write_trusted_tables(
    project: Project,
    folder: str | Path,
    *,
    key: bytes,
    as_of_us: int | None = None,
    complete: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> TrustedTables:
    """Read all sources of a project and write its trusted tables to a new folder.

    Parameters
    ----------
    project : Project
        The checked project.
    folder : str or Path
        Where to write; what stands there is replaced.
    key : bytes
        The key of the pseudonyms.
    as_of_us : int or None
        The instant as of which the data are looked at, microseconds UTC; None means the project's own
        `as_of`, else the newest instant in any source.
    complete : bool
        False where the tables are only checked: every row is read and tested, the books are the same, but
        pseudonyms, the order of rows and columns that no check reads are left out.
    say : callable
        Called with one sentence as the work goes on.

    Returns
    -------
    TrustedTables
        One Parquet file a table, waterfall.csv, quarantine.csv and facts.json. Rows in = rows used + rows set
        aside + rows left out, for each source.

    Raises
    ------
    InputError
        If a source can't be read, lacks a column, or has no usable row.

    Notes
    -----
    Where `as_of` is declared, only times after both it and the machine's clock are 'future' and those between
    the two 'after_as_of'; either way the row is not used.
    """
    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / "reading"
    work.mkdir(parents=True)
    as_of_us = as_of_us if as_of_us is not None else project.as_of_us
    ceiling_us = max(time.time_ns() // 1000, EARLIEST_NOW_US, as_of_us or 0)
    engine = project.engine
    connection = connect_engine(memory_limit=engine["memory_limit"], spill=engine["spill"] or str(work))
    run = ReadingRun(project, folder, work, key, as_of_us, ceiling_us, connection, say, complete=complete)
    try:
        facts = _write_tables(run)
    finally:
        connection.close()
        shutil.rmtree(work, ignore_errors=True)
    run.ledger.write(folder)
    text = json.dumps(facts, indent=1, sort_keys=True) + "\n"
    (folder / "facts.json").write_text(text, encoding="utf-8", newline="\n")
    return TrustedTables(folder, facts)


def read_trusted_tables(folder: str | Path) -> TrustedTables:
    """Open a folder of trusted tables.

    Parameters
    ----------
    folder : str or Path
        What `write_trusted_tables` wrote.

    Returns
    -------
    TrustedTables
        The tables, not yet read.

    Raises
    ------
    FileNotFoundError
        If the folder holds no facts.json.
    """
    folder = Path(folder)
    return TrustedTables(folder, json.loads((folder / "facts.json").read_text(encoding="utf-8")))


def _write_tables(run: ReadingRun) -> dict[str, Any]:
    """Write all tables and return what is known of them."""
    project, ledger = run.project, run.ledger
    read_consents(run)
    identical = write_event_table(run)
    for table in SMALL_TABLES:
        write_small_table(run, table)
    measure_consent(run)
    waves = write_survey(run)
    if not ledger.count_used():
        raise InputError(_explain_too_early(run))
    return {
        "slug": project.slug,
        "name": project.name,
        "timezone": project.timezone,
        "as_of_us": _find_as_of(run),
        "as_of_declared": run.as_of_us is not None,
        "spans": ledger.spans,
        "waves": waves,
        "inputs": ledger.inputs,
        "notes": ledger.notes,
        **run.facts,
        "identical_events": identical,
        "tables": sorted(path.stem for path in run.folder.glob("*.parquet")),
    }


def _find_as_of(run: ReadingRun) -> int:
    """Return the declared instant, else the newest in any source, else the newest wave's end."""
    if run.as_of_us is not None:
        return run.as_of_us
    ends = [source.period.end_us for source in run.project.sources_of("survey") if source.period]
    return int(max(run.ledger.newest_us or ends, default=0))


def _explain_too_early(run: ReadingRun) -> Problem:
    at = datetime.fromtimestamp((run.as_of_us or 0) / 1e6, tz=ZoneInfo(run.project.timezone))
    found = f"as_of {at.isoformat(timespec='minutes')}, which is earlier than all rows of all sources"
    where = "journey.toml" if run.as_of_us == run.project.as_of_us else "--as-of"
    return Problem(where, found, "a time from which something is known", "choose a later one")
