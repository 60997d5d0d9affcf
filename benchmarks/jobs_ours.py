"""Our side of B2, B3 and B4: the five jobs by public functions.

usage: jobs_ours.py BASELINES FOLDER WORK [MEMORY_LIMIT]  -> one JSON line; with a limit features are kept
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from journeylib.journey import count_funnel, count_transitions
from journeylib.journey.customer_summaries import summarise_customers
from journeylib.journey.engine import connect_engine, use_engine
from journeylib.journey.keeping import keep_sessions
from journeylib.journey.paths import count_paths

_OURS = {
    "n_pages": "n_name",
    "n_channels": "n_channel",
    "span_s": "span_seconds",
    "revenue": "total_value",
    "weekend": "weekend_events",
    "days_active": "active_days",
    "mean_gap_s": "mean_gap_seconds",
    "max_sess": "longest_session_events",
    "mean_sess_s": "mean_session_seconds",
}


def main(baselines: str, folder: str, work: str, memory_limit: str = "") -> None:
    """Do the five jobs and print what the baselines print, with the same checksum of the results."""
    sys.path.insert(0, baselines)
    import spec  # the steps, windows and features that all sides compute

    use_engine(memory_limit=memory_limit, spill=Path(work) / "spill")
    columns = "customer_id AS customer, ts AS occurred_at, event AS name, channel, value"
    events = connect_engine().sql(f"SELECT {columns} FROM '{folder}/*.parquet'")
    clock = spec.T()
    kept = keep_sessions(events, Path(work) / "kept", columns=["channel", "value"], gap_minutes=30)
    clock("session")
    steps = [f"event:{name}" for name in spec.STEPS]
    funnel = count_funnel(kept, steps, within="30D", as_of="2100-01-01")  # nobody is censored, as theirs
    clock("funnel")
    transitions = count_transitions(kept, column="name")
    is_inner = (transitions["from"] != "(start)") & (transitions["to"] != "(end)")
    clock("trans")
    paths = count_paths(kept, column="name", length=3, most=20)
    clock("tri")
    target = Path(work) / "features.parquet" if memory_limit else None
    features = count_features(kept, spec, path=target)
    clock("features")
    spec.report(
        clock,
        funnel["n"].tolist(),
        transitions.loc[is_inner, ["from", "to", "n"]],
        paths[["step_1", "step_2", "step_3", "n"]],
        *(sum_features(target) if target else (features, features["first_channel"].value_counts().to_dict())),
    )


def count_features(kept: Path, spec: Any, *, path: Path | None) -> Any:
    """Count the 21 features a customer, under the baselines' names where they come back."""
    counts = {stage: ("name", names) for stage, names in spec.STAGES.items()}
    counts |= {f"ch_{channel}": ("channel", [channel]) for channel in spec.CHS}
    counts["n_orders"] = ("name", ["order_confirm"])
    options = {"distinct": ["name", "channel"], "totals": ["value"], "first": ["channel"]}
    found = summarise_customers(kept, counts=counts, path=path, **options)  # type: ignore[arg-type]
    return found if path else found.df().rename(columns={ours: theirs for theirs, ours in _OURS.items()})


class Sums(dict[str, Any]):
    """Sums of a file's columns in the shape in which the baselines' checksum reads a frame."""

    rows = 0

    def __len__(self) -> int:
        return self.rows


class Sum(float):
    """A sum that is already one."""

    def sum(self) -> float:
        return float(self)


def sum_features(path: Path) -> tuple[Sums, dict[str, int]]:
    """Sum the features in a file without reading its rows into pandas, for the checksum."""
    relation = connect_engine().read_parquet(str(path))
    names = [name for name in relation.columns if name not in ("customer", "first_channel")]
    row = relation.aggregate(", ".join([*(f'SUM("{name}")' for name in names), "COUNT(*)"])).fetchall()[0]
    theirs = {ours: theirs for theirs, ours in _OURS.items()}
    sums = Sums({theirs.get(name, name): Sum(value) for name, value in zip(names, row, strict=False)})
    sums.rows = int(row[-1])
    first = relation.aggregate("first_channel, COUNT(*)", "first_channel").fetchall()
    return sums, dict(first)


if __name__ == "__main__":
    main(*sys.argv[1:])
