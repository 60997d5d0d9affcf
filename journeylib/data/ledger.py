"""The book-keeping of rows: rows in = used + set aside + left out, for each source and rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from journeylib.data.files import SourceFile
from journeylib.data.problems import InputError, Problem
from journeylib.data.sources import Source

__all__ = ["BY_DECISION", "NOT_A_FAULT", "Ledger"]

NOT_A_FAULT = ("after_as_of", "blank", "not_applicable")
# Rows that are right and yet set aside, with the column that says so: they are counted by rule, not listed
# line by line, and no gate looks at them, since no export can be mended for them.
BY_DECISION = {
    "erased": "customer",
    "robot_user_agent": "user_agent",
    "robot_rate": "occurred_at",
    "robot_even_gaps": "occurred_at",
    "robot_day_and_night": "occurred_at",
    "no_consent": "customer",
}
WATERFALL = ("table", "source", "step", "rule", "rows")
QUARANTINE = ("table", "source", "file", "line", "rule", "column")
MEND = {
    "bad_date": 'say in journey.toml how its dates are written, for example date_format = "%d.%m.%Y %H:%M"',
    "bad_number": "mend the column map in journey.toml, or the export",
    "missing": "mend the column map in journey.toml",
    "malformed": "mend the separator in journey.toml",
    "future": "check the dates' format and zone",
    "blank": "check the codes under blank in survey_codebook.csv",
    "unknown": "check the scale and the codes in survey_codebook.csv",
    "before": "check the dates' format, and that the column holds the time of the event",
    "robot": "check the column mapped to user_agent, and whether a machine wrote this export",
    "no": "check that the table consents has these customers, with granted_at before their events",
}


@dataclass
class Ledger:
    """What is written down while the trusted tables are made.

    Attributes
    ----------
    waterfall : list of dict
        One entry a table, source, step and rule.
    quarantine : list of tuple
        The rows set aside: table, source, file, line, rule and column.
    inputs : list of dict
        One entry a file: its hash and rows.
    spans : dict
        Table to its first and last instant, microseconds UTC.
    newest_us : list of int
        The newest instant of each table.
    """

    waterfall: list[dict[str, Any]] = field(default_factory=list)
    quarantine: list[tuple[str, str, str, int, str, str]] = field(default_factory=list)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    spans: dict[str, list[int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    newest_us: list[int] = field(default_factory=list)

    def add_input(self, table: str, source: str, file: SourceFile, rows: int) -> None:
        """Write down a file that was read."""
        self.inputs.append(
            {"table": table, "source": source, "file": file.shown, "sha256": file.sha256, "rows": int(rows)}
        )

    def add_span(self, table: str, times: pd.Series) -> None:
        """Remember the first and last instant of a table."""
        known = times.dropna()
        if len(known):
            self.spans[table] = [int(known.min()), int(known.max())]
            self.newest_us.append(int(known.max()))

    def set_aside(
        self,
        table: str,
        source: str,
        file: SourceFile,
        faults: Iterable[tuple[int, str, str]],
        *,
        malformed: Sequence[int] = (),
    ) -> None:
        """Write down the lines of one file's malformed rows, and line, rule and column of its faulty ones."""
        place = (table, source, file.shown)
        self.quarantine += [(*place, int(line), "malformed_row", "") for line in malformed]
        kept = sorted(fault for fault in faults if fault[1] not in ("", *NOT_A_FAULT, *BY_DECISION))
        self.quarantine += [(*place, int(line), rule, column) for line, rule, column in kept]

    def add_rows(self, table: str, source: Source, rows_in: int, by_rule: Mapping[str, int]) -> int:
        """Add a source's waterfall and return its rows used; a source without one usable row is refused.

        A source whose rows lie after `as_of`, or are all erased, has none either: no fault of its own.
        """
        used = rows_in - sum(by_rule.values())
        steps = [("rows in", "", rows_in)]
        for rule, rows in sorted(by_rule.items()):
            steps.append(("left out" if rule in NOT_A_FAULT else "set aside", rule, rows))
        for step, rule, rows in [*steps, ("used", "", used)]:
            entry = (table, source.name, step, rule, int(rows))
            self.waterfall.append(dict(zip(WATERFALL, entry, strict=True)))
        if not used and not by_rule.get("after_as_of") and not by_rule.get("erased"):
            raise InputError(self._explain_nothing_used(table, source, rows_in, by_rule))
        return used

    def _explain_nothing_used(
        self, table: str, source: Source, rows_in: int, by_rule: Mapping[str, int]
    ) -> Problem:
        more = f" and {len(source.shown) - 1} more" if len(source.shown) > 1 else ""
        shown = f"{source.shown[0]}{more}"
        if not by_rule:
            return Problem(shown, "no rows under the header", "at least one row", "export it again")
        most = max(by_rule, key=lambda rule: by_rule[rule])
        kind = "row" if table != "answers" else "answer"
        found = f"no usable {kind} ({rows_in} {kind}s; {by_rule[most]} are set aside by the rule {most})"
        mend = MEND.get(most, MEND.get(most.split("_")[0], "mend the export"))
        line, column = self._first_line(table, source, most)
        return Problem(shown, found, "rows that keep the rules", mend, line=line, column=column)

    def _first_line(self, table: str, source: Source, rule: str) -> tuple[int | None, str]:
        for its_table, its_source, _, line, its_rule, column in self.quarantine:
            if (its_table, its_source, its_rule) == (table, source.name, rule):
                return line, column
        return None, ""

    def count_used(self) -> int:
        """Return the rows that are used of all sources."""
        return sum(entry["rows"] for entry in self.waterfall if entry["step"] == "used")

    def write(self, folder: Path) -> None:
        """Write waterfall.csv and quarantine.csv."""
        quarantine = pd.DataFrame(self.quarantine, columns=list(QUARANTINE))
        waterfall = pd.DataFrame(self.waterfall, columns=list(WATERFALL))
        quarantine.to_csv(folder / "quarantine.csv", index=False, lineterminator="\n")
        waterfall.to_csv(folder / "waterfall.csv", index=False, lineterminator="\n")
