"""What a chapter reads: trusted tables, sessionised events and the three periods."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.data.periods import Period
from journeylib.data.problems import InputError, Problem
from journeylib.data.trusted import TrustedTables
from journeylib.journey.engine import collect_table
from journeylib.journey.frames import TIME, open_events, restore_name
from journeylib.review.engine_choice import open_on_engine
from journeylib.review.reliability import label_answers

SETTINGS_FILE = "review.json"
PERIODS = {"reviewed": "Reviewed", "previous": "Before", "year_ago": "A year before"}

__all__ = ["SETTINGS_FILE", "Review", "find_folder"]


@dataclass(frozen=True)
class Review:
    """The data of one review, as chapters read them."""

    tables: TrustedTables
    settings: dict[str, Any] = field(repr=False)
    periods: dict[str, Period]

    @property
    def events(self) -> Any:
        """Return the sessionised events, one row an event: a path for DuckDB, on Spark a DataFrame."""
        return open_on_engine(self.tables.path("events"), self.settings.get("engine", {"name": "duckdb"}))

    def bounds(self, table: str = "events") -> dict[str, tuple[int, int]]:
        """Return [start, end) of the reviewed period, and of those before that are fully covered."""
        coverage = self.settings["coverage"].get(table, {})
        kept = (
            which for which in self.periods if which == "reviewed" or coverage.get(which, {}).get("covered")
        )
        return {which: self.periods[which].bounds for which in kept}

    def read_survey(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return answers and responses of the three periods, named by `which`; a row may serve two."""
        responses, answers = self.tables.read("responses"), self.tables.read("answers")
        kept = {which: self.periods[which] for which in self.bounds("survey")}
        label = label_answers(responses, kept)
        chosen = responses.loc[label.index].assign(which=label.to_numpy())
        return answers.merge(chosen[["response", "which"]], on="response"), chosen.reset_index(drop=True)

    @property
    def as_of(self) -> int:
        """Return the instant as of which the data are looked at, in microseconds UTC."""
        return int(self.tables.facts["as_of_us"])

    @property
    def minimum_base(self) -> int:
        """Return the number of units below which a number is hidden."""
        return int(self.settings["minimum_base"])

    @property
    def funnels(self) -> dict[str, dict[str, Any]]:
        """Return the declared funnels: name to the arguments of `count_funnel`."""
        return {
            funnel["name"]: {
                "steps": funnel["steps"],
                "unit": funnel["unit"],
                "order": funnel["order"],
                "within": funnel["window_days"],
                "periods": self.bounds("events"),
                "as_of": self.as_of,
            }
            for funnel in self.settings["funnels"]
        }

    @property
    def conversion(self) -> str:
        """Return the last step of the first declared funnel; empty without a funnel."""
        funnels = self.settings["funnels"]
        return str(funnels[0]["steps"][-1]) if funnels else ""

    def list_funnel_steps(self) -> list[str]:
        """Return the steps of the first declared funnel; empty without a funnel."""
        funnels = self.settings["funnels"]
        return [str(step) for step in funnels[0]["steps"]] if funnels else []

    def list_touchpoints(self) -> pd.DataFrame:
        """Return the team's own table of touchpoints, one row a pattern, in the order of the journey."""
        table = pd.DataFrame(
            self.settings["touchpoints"], columns=["touchpoint", "stage", "channel", "expected_order"]
        )
        place = pd.to_numeric(table["expected_order"], errors="coerce")
        return table.assign(expected_order=place).sort_values(
            "expected_order", kind="stable", ignore_index=True
        )

    def list_stages(self) -> list[str]:
        """Return the stages that touchpoints stand in, in the order of the journey."""
        listed = self.list_touchpoints()["stage"].dropna()
        return [stage for stage in dict.fromkeys(listed) if stage]

    def list_own_channels(self) -> list[str]:
        """Return the channels that lead nobody here: those without a touchpoint in the first stage."""
        listed = self.list_touchpoints().dropna(subset=["channel"])
        first = self.list_stages()[:1]
        leading = set(listed.loc[listed["stage"].isin(first), "channel"])
        return sorted(set(listed["channel"]) - leading - {""})

    def has_values(self, column: str, table: str = "events") -> bool:
        """Tell whether a table has the column, with a value in any row."""
        path = self.tables.path(table)
        described = duckdb.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
        if column not in {row[0] for row in described}:
            return False
        query = f"SELECT count(\"{column}\") > 0 FROM read_parquet('{path}')"
        return bool(duckdb.execute(query).fetchall()[0][0])

    def read_heard(self) -> pd.DataFrame:
        """Return when each respondent said where they first heard of us: answered_at and source."""
        if not self.tables.has("answers"):
            return pd.DataFrame({"answered_at": [], "source": []})
        answers, responses = self.tables.read("answers"), self.tables.read("responses")
        asked = answers.loc[answers["role"] == "heard_from", ["response", "text"]]
        told = asked.merge(responses[["response", "answered_at"]], on="response")
        names = self.settings.get("sources_heard", {})
        return told.assign(source=told["text"].map(lambda code: names.get(code, code)))[
            ["answered_at", "source"]
        ]

    def list_active_customers(self) -> dict[str, list[str]]:
        """Return the customers (pseudonyms) with an event, by covered period; empty without events."""
        if not self.tables.has("events"):
            return {}
        events = open_events(self.events, required=[TIME, "customer"]).filter(~nw.col("customer").is_null())
        found = {}
        for which, (start, end) in self.bounds("events").items():
            inside = events.filter((nw.col(TIME) >= start) & (nw.col(TIME) < end))
            people = collect_table(inside.select(nw.col("customer").cast(nw.String)).unique())
            found[which] = people["customer"].tolist()
        return {which: customers for which, customers in found.items() if customers}

    def list_segments(self, table: str = "events", *, most_labels: int = 12) -> list[str]:
        """Return the segment columns of a table with two or more labels, and at most so many."""
        if table != "events":
            rows = self.tables.read(table)
            labels = {str(name): int(n) for name, n in rows.filter(regex="^segment[.]").nunique().items()}
        else:
            labels = self._count_labels()
        return [name for name, n in labels.items() if 2 <= n <= most_labels]

    def _count_labels(self) -> dict[str, int]:
        """Count the labels of each segment column of the events, in one pass of the engine."""
        events = open_events(self.events, required=[], optional=["device_type"], prefix="segment.")
        names = events.columns
        if not names:
            return {}
        # Engines differ in whether n_unique counts a missing value; narwhals counts it as one.
        counts = [
            (nw.col(name).n_unique() - nw.col(name).is_null().any().cast(nw.Int64)).alias(name)
            for name in names
        ]
        found = collect_table(events.select(*counts))
        return {restore_name(name): int(found[name].iloc[0]) for name in names}

    def describe(self) -> pd.DataFrame:
        """Return what the review covers, as text: one row a period."""
        rows = []
        for which, period in self.periods.items():
            if which == "year_ago" and period.label == self.periods["previous"].label:
                continue
            cells = {
                "Period": f"{PERIODS[which]}: {period.label}",
                "From": str(period.first_day),
                "To (not included)": str(period.end_day),
            }
            for table, name in (("events", "Events"), ("survey", "Survey answers")):
                found = self.settings["coverage"].get(table, {}).get(which)
                if found is not None:
                    unsaid = found["covered"] or not found["rows"]
                    cells[name] = f"{found['rows']:,}" + ("" if unsaid else ", not fully covered")
            rows.append(cells)
        return pd.DataFrame(rows).set_index("Period")


def find_folder(path: str | Path) -> Path:
    """Return a folder that is named relative to here or to a folder above.

    Parameters
    ----------
    path : str or Path
        For example ``data/sample``, from a notebook that lies deeper.

    Returns
    -------
    Path
        The nearest folder of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    here = Path.cwd()
    for base in (here, *here.parents):
        if (base / path).is_dir():
            return base / path
    raise InputError(
        Problem(
            str(path),
            "no such folder here or above",
            "a project's folder",
            "mend the parameter at the top of the notebook",
        )
    )
