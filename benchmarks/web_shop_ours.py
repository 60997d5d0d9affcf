"""Our side of B1, timed as the peer's is. usage: web_shop_ours.py EVENTS WORK -> one JSON line."""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

import journeylib as jl
from journeylib.journey import measure_sessions
from journeylib.journey.customer_summaries import summarise_customers
from journeylib.journey.keeping import keep_sessions
from journeylib.journey.step_matrix import count_steps
from journeylib.personas.choosing import measure_candidates
from journeylib.personas.stability import fit_k_means

SEGMENTS = ["platform", "acquisition_channel", "user_cohort", "user_lifecycle"]
STEPS = ["catalog", "product_view", "add_to_cart", "cart", "shipping_details", "payment_details", "purchase"]
EXPECTED = [19295, 19167, 16140, 13473, 10130, 6719, 3507]
NAMES = {"user_id": "customer", "event": "name", "timestamp": "occurred_at", "session_id": "session_given"}


class Clock:
    """Times jobs as the peer's script does: CPU and wall seconds, the least of some runs."""

    def __init__(self) -> None:
        self.taken: dict[str, dict[str, float]] = {}

    def time(self, name: str, job: Callable[[], Any], runs: int = 3) -> Any:
        """Run a job so often and keep the least it took."""
        walls, cpus, result = [], [], None
        for _ in range(runs):
            result = None
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            result = job()
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
        self.taken[name] = {"cpu": round(min(cpus), 2), "wall": round(min(walls), 2)}
        return result


def main(source: str, work: str) -> None:
    """Do the peer's jobs with ours and print one line."""
    clock, folder = Clock(), Path(work) / "kept_shop"
    events = pd.read_parquet(source).rename(columns=NAMES)
    unsplit = events.drop(columns="session_given")
    kept = clock.time("build", lambda: keep_sessions(unsplit, folder, columns=SEGMENTS))
    clock.time("sessions, 30 minutes", lambda: jl.split_into_sessions(unsplit))
    clock.time("transition counts", lambda: jl.count_transitions(kept, column="name"))
    clock.time("step matrix, 10 steps", lambda: count_steps(kept, column="name", unit="people"))
    steps = [f"event:{step}" for step in STEPS]
    funnel = clock.time("ordered funnel, 7 steps, people", lambda: jl.count_funnel(kept, steps))
    if funnel["n"].tolist() != EXPECTED:
        raise SystemExit(f"the funnel has {funnel['n'].tolist()}, expected {EXPECTED}")
    names = sorted(set(events["name"]))
    counts = {f"count_{number}": ("name", [name]) for number, name in enumerate(names)}

    def count() -> Any:
        return summarise_customers(kept, counts=counts).df()[list(counts)].to_numpy("float64")

    def look(numbers: range) -> Any:
        # As the peer does: spread and silhouette, one start; no resamples, no permuted columns.
        rng = np.random.RandomState(0)
        return measure_candidates(count(), numbers, n_init=1, rng=rng, n_resamples=0)

    with threadpool_limits(limits=1):
        clock.time(
            "k-means, 4 groups", lambda: fit_k_means(count(), 4, n_init=1, rng=np.random.RandomState(0))
        )
        clock.time("choice of k, 3 to 8", lambda: look(range(3, 9)), runs=1)
    spans = {"reviewed": (0, 2**62)}
    by_platform: dict[str, Any] = {"periods": spans, "by": ["platform"]}
    clock.time("one metric by segment", lambda: measure_sessions(kept, **by_platform), runs=1)
    # Beside the total: the choice by our own rule, with resamples and permuted columns, asks more.
    whole = Clock()
    whole.time("choice by the kit's rule", lambda: jl.PersonaClusterer(random_state=0).fit(count()), runs=1)
    total = round(sum(taken["cpu"] for taken in clock.taken.values()), 2)
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps({"operations": clock.taken, "total_cpu": total, "peak_mb": peak, "beside": whole.taken}))


if __name__ == "__main__":
    main(*sys.argv[1:])
