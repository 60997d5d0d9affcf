"""Ask of many made-up samples, whose truth is known, whether the review finds it and leaves the rest alone.

usage: python scripts/simulate.py [--seeds 1-50] [--customers 2000] [--workers 2] [--out docs]

(make simulate).

Each seed is a sample of its own, reviewed by the chapters' own cells (without drawing). The results of each
seed stand in OUT/simulations.csv, what they say together in OUT/simulations.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # a process a core; the numbers don't depend on it
os.environ.setdefault("MPLBACKEND", "Agg")

import nbformat  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ("journey_map", "where_customers_leave", "what_they_say", "how_far_to_trust_this")
ARROWS = ("rose", "fell")
PAYMENT = "payment page loses phone users until it is mended"
COLUMNS = {
    "previous": ("change", "change_low", "change_high", "verdict"),
    "year_ago": ("year_ago_change", "year_ago_low", "year_ago_high", "year_ago_verdict"),
}


def run_cells(notebook: Path, parameters: Mapping[str, Any], *, skip_tag: str = "draws") -> dict[str, Any]:
    """Execute a notebook's code cells in this process and return its names; figures are not drawn."""
    from unittest.mock import patch

    import journeylib as jl
    from journeylib import figures

    names: dict[str, Any] = {"display": lambda *_, **__: None}
    drawing = [name for name in figures.__all__ if name.startswith(("plot_", "show_", "save_"))]
    quiet = {name: lambda *_, **__: None for name in drawing}
    with (
        patch.dict(figures.__dict__, quiet),
        patch.dict(jl.__dict__, quiet | {"present_measures": quiet["show_figure"]}),
    ):
        for cell in nbformat.read(notebook, as_version=4).cells:
            tags = cell.metadata.get("tags", [])
            if cell.cell_type == "code" and skip_tag not in tags:
                exec(compile(cell.source, f"{notebook.name}:{cell.id}", "exec"), names)
                if "parameters" in tags:
                    names.update(parameters)
    return names


def review_here(folder: Path, work: Path, *, period: str) -> pd.DataFrame:
    """Review a project in this process, all chapters but the drawing, and return its findings."""
    from journeylib.data.people import find_key
    from journeylib.data.project import read_project
    from journeylib.review.comparison import compare_findings
    from journeylib.review.findings import read_recorded
    from journeylib.review.notebooks import find_notebooks
    from journeylib.review.preparation import prepare_review

    project = read_project(folder)
    key, _ = find_key(project.folder, variable=project.privacy["key_env"])
    prepared = prepare_review(project, work / "trusted", key=key, period=period)
    recorded = work / "recorded"
    for name in CHAPTERS:
        notebook = find_notebooks() / f"{name}.ipynb"
        given = {"tables": str(work / "trusted"), "period": period, "record_to": str(recorded)}
        run_cells(notebook, given)
    return compare_findings(
        read_recorded(recorded),
        period=str(prepared.settings["periods"]["reviewed"]["label"]),
        minimum_base=prepared.settings["minimum_base"],
        minimum_effects=project.minimum_effect,
        arrows=not prepared.settings["reliability"]["exit_code"],
    )


def match_rows(findings: pd.DataFrame, where: Mapping[str, str]) -> pd.Series:
    """Return which findings a `where` of truth.json names; a column not named may hold anything."""
    matched = pd.Series(True, index=findings.index)
    for column, pattern in where.items():
        matched &= findings[column].astype("str").map(lambda cell, wanted=pattern: fnmatchcase(cell, wanted))
    return matched


def judge_effects(findings: pd.DataFrame, truth: Mapping[str, Any], *, period: str) -> list[dict[str, Any]]:
    """Return one row for each finding that a planted effect names: found, covered, estimate and truth."""
    rows = []
    for effect in truth["effects"]:
        if effect["period"] != period or effect.get("truth") is None:
            continue
        for _, row in findings[match_rows(findings, effect["where"])].iterrows():
            if effect["against"]:
                value, low, high, verdict = (row[name] for name in COLUMNS[effect["against"]])
                found = bool(verdict == ("rose" if effect["truth"] > 0 else "fell"))
            else:
                value, low, high, found = row["value"], row["low"], row["high"], pd.notna(row["value"])
            covered = bool(low <= effect["truth"] <= high)
            place = " ".join(row[name] for name in ("metric", "item", "segment", "touchpoint") if row[name])
            rows.append(
                {
                    "kind": "effect", "name": effect["name"], "period": period, "against": effect["against"],
                    "row": place, "truth": effect["truth"], "estimate": value, "low": low, "high": high,
                    "found": found, "covered": covered, "tested_at": effect["tested_at"],
                }
            )  # fmt: skip
    return rows


def judge_alarms(findings: pd.DataFrame, truth: Mapping[str, Any], *, period: str) -> list[dict[str, Any]]:
    """Return one row for each compared finding that was planted not to differ: did it get an arrow?"""
    rows = []
    for against, (change, low, high, verdict) in COLUMNS.items():
        planted = [
            one for one in truth["non_differences"] if (one["period"], one["against"]) == (period, against)
        ]
        matched = pd.Series(False, index=findings.index)
        for one in planted:
            matched |= match_rows(findings, one["where"])
        for _, row in findings[matched & findings[verdict].isin([*ARROWS, "no_change"])].iterrows():
            place = " ".join(
                row[name] for name in ("metric", "item", "segment", "stage", "touchpoint") if row[name]
            )
            rows.append(
                {
                    "kind": "non-difference", "name": "", "period": period, "against": against, "row": place,
                    "truth": 0.0, "estimate": row[change], "low": row[low], "high": row[high],
                    "found": bool(row[verdict] in ARROWS), "covered": bool(row[low] <= 0 <= row[high]),
                }
            )  # fmt: skip
    return rows


def judge_mix(review: Any, truth: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mix and rate parts of the planted mix shift beside the truth."""
    from journeylib.voice import split_score_change

    shift = next(effect for effect in truth["effects"] if "mix" in effect and "rate" in effect)
    answers, responses = review.read_survey()
    split = split_score_change(answers, responses, metric=shift["metric"], by=shift["by"])
    total = split[split["segment"].eq("") & split["touchpoint"].eq("")].iloc[0]
    return {
        "mix": total["mix"], "mix_truth": shift["mix"], "rate": total["rate"], "rate_truth": shift["rate"],
        "mix_split": bool(total["mix"] * shift["mix"] > 0 and total["rate"] * shift["rate"] > 0),
    }  # fmt: skip


def judge_style(review: Any, truth: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether the region whose answers run high for style, and no other, is told."""
    from journeylib.voice.response_style import find_response_styles

    style = next(effect for effect in truth["effects"] if "style_segment" in effect)
    answers, responses = review.read_survey()
    told = find_response_styles(answers, responses, by=style["style_segment"].partition("=")[0])
    return {
        "style_shown": style["style_segment"].removeprefix("segment.") in told,
        "style_false": len(set(told) - {style["style_segment"].removeprefix("segment.")}),
    }


def judge_personas(review: Any, folder: Path, *, seed: int) -> dict[str, Any]:
    """Return the adjusted Rand index of the personas, and of a classifier that has seen the labels."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import adjusted_rand_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    from journeylib.data.people import find_key, pseudonymise
    from journeylib.data.project import read_project
    from journeylib.review.notebooks import find_notebooks

    project = read_project(folder)
    key, _ = find_key(project.folder, variable=project.privacy["key_env"])
    labels = pd.read_csv(folder / "truth_personas.csv.gz", dtype=str)
    persona = pd.Series(labels["persona"].to_numpy(), index=pseudonymise(labels["customer"], key=key))
    given = {"tables": str(review.tables.folder), "period": review.periods["reviewed"].label, "record_to": ""}
    names = run_cells(find_notebooks() / "who_they_are.ipynb", given)
    features, grouped = names["features"], names["found"].personas
    true = persona.loc[features.index]
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    oracle = cross_val_predict(HistGradientBoostingClassifier(random_state=seed), features, true, cv=folds)
    labels = grouped.reindex(features.index).fillna("")
    found, known = adjusted_rand_score(true, labels), adjusted_rand_score(true, oracle)
    return {
        "persona_customers": len(features), "personas": int(labels.nunique()),
        "clustering_ari": found, "oracle_ari": known, "ari_ratio": found / known,
    }  # fmt: skip


def simulate_seed(seed: int, customers: int, *, personas: bool = True) -> tuple[dict[str, Any], pd.DataFrame]:
    """Make one sample, review it, and hold the review against the truth."""
    from journeylib.data import make_sample
    from journeylib.review.opening import open_review

    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="journeylib-simulation-") as place:
        folder = make_sample(Path(place) / "sample", customers=customers, seed=seed)
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        rows: list[dict[str, Any]] = []
        one: dict[str, Any] = {"seed": seed}
        period, work = truth["quarters"][-1], Path(place) / "review"
        findings = review_here(folder, work, period=period)
        rows += judge_effects(findings, truth, period=period)
        rows += judge_alarms(findings, truth, period=period)
        review = open_review(work / "trusted")
        one |= judge_mix(review, truth) | judge_style(review, truth)
        one |= judge_personas(review, folder, seed=seed) if personas else {}
    one["seconds"] = round(time.perf_counter() - begun, 1)
    return one, pd.DataFrame(rows).assign(seed=seed)


def summarise(seeds: pd.DataFrame, rows: pd.DataFrame, *, customers: int) -> str:
    """Write what the seeds say together."""
    effects, alarms = rows[rows["kind"] == "effect"], rows[rows["kind"] == "non-difference"]
    lines = [
        "# Simulations: is the planted truth found, and is noise left alone?",
        "",
        f"{len(seeds)} samples of {customers:,} customers each (seeds {seeds['seed'].min()} to "
        f"{seeds['seed'].max()}), made by `journey sample`, reviewed by the chapters' own cells; made by "
        "`make simulate`. One row a seed is in simulations.csv.",
        "",
        "## Planted effects",
        "",
        "Found: an arrow in the planted direction (of a value: it is shown). Covered: the 95 % interval "
        "holds the truth. Effects that need more customers than these are listed too, with the size at "
        "which they are tested.",
        "",
        "| effect | row of findings | against | truth | mean estimate | found | covered | tested at |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for key, group in effects.groupby(["name", "period", "against", "row"], sort=False):
        name, period, against, row = key
        count = len(group)
        lines.append(
            f"| {name} | {row} | {period} {against or 'value'} | {group['truth'].mean():.2f} | "
            f"{group['estimate'].mean():.2f} | {group['found'].sum()} of {count} | "
            f"{group['covered'].sum()} of {count} | {int(group['tested_at'].max()):,} |"
        )
    told, compared = int(alarms["found"].sum()), len(alarms)
    inside = 100 * alarms["covered"].mean() if compared else np.nan
    lines += [
        "",
        "## Planted non-differences",
        "",
        f"Of {compared:,} compared rows that were planted not to differ, **{told} got an arrow "
        f"({100 * told / max(compared, 1):.2f} %; the limit is 5 %)**. The 95 % interval of the change holds "
        f"0 in {inside:.1f} % of them.",
        "",
        "## Mix, rate and response style",
        "",
        f"Mix shift split with both signs right in **{int(seeds['mix_split'].sum())} of {len(seeds)}**: "
        f"mix {seeds['mix'].mean():.2f} on average (truth {seeds['mix_truth'].mean():.2f}, standard "
        f"deviation {seeds['mix'].std():.2f}), rate {seeds['rate'].mean():.2f} (truth "
        f"{seeds['rate_truth'].mean():.2f}, standard deviation {seeds['rate'].std():.2f}).",
        "",
        f"The region that answers high for style was told in **{int(seeds['style_shown'].sum())} of "
        f"{len(seeds)}**; another region was told {int(seeds['style_false'].sum())} times in all.",
    ]
    if "oracle_ari" in seeds:
        lines += ["", "## Personas", "", *_say_personas(seeds)]
    return "\n".join(lines) + "\n"


def write_results(ones: list[dict[str, Any]], rows: list[pd.DataFrame], out: Path, *, customers: int) -> str:
    """Write what is known so far, so that a run that is stopped has not run in vain; return the text."""
    seeds = pd.DataFrame(ones).sort_values("seed").drop(columns="seconds")
    judged = pd.concat(rows).sort_values(["seed", "kind"], kind="stable")
    out.mkdir(parents=True, exist_ok=True)
    payment = judged[judged["name"].eq(PAYMENT) & judged["against"].eq("year_ago")]
    payment = payment[payment["row"].str.startswith("step_conversion")].set_index("seed")
    alarms = judged[judged["kind"] == "non-difference"].groupby("seed")["found"].agg(["sum", "count"])
    seeds["payment_found"] = seeds["seed"].map(payment["found"])
    seeds["payment_covered"] = seeds["seed"].map(payment["covered"])
    seeds["false_arrows"], seeds["non_differences"] = (
        seeds["seed"].map(alarms[name]) for name in ("sum", "count")
    )
    seeds.to_csv(out / "simulations.csv", index=False, float_format="%.6g", lineterminator="\n")
    text = summarise(seeds, judged, customers=customers)
    (out / "simulations.md").write_text(text, encoding="utf-8", newline="\n")
    return text


def _say_personas(seeds: pd.DataFrame) -> list[str]:
    def span(name: str) -> str:
        return f"{seeds[name].median():.3f} (from {seeds[name].min():.3f} to {seeds[name].max():.3f})"

    counts = ", ".join(f"{k} in {n}" for k, n in seeds["personas"].value_counts().sort_index().items())
    inside = int(seeds["oracle_ari"].between(0.80, 0.95).sum())
    return [
        "Adjusted Rand index against the planted personas, of the customers who have events enough "
        f"({int(seeds['persona_customers'].median()):,} on median).",
        "",
        "| | median (range) |",
        "|---|---|",
        f"| gradient boosting that has seen the labels, five-fold, out of fold | {span('oracle_ari')} |",
        f"| clustering, which never sees a label | {span('clustering_ari')} |",
        f"| ratio of the two | {span('ari_ratio')} |",
        "",
        f"The classifier lies between 0.80 and 0.95 in {inside} of {len(seeds)} seeds. Number of personas "
        f"chosen by the rule: {counts} of {len(seeds)}.",
    ]


def main() -> int:
    """Run the simulation from the command line."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--seeds", default="1-50", help="first-last")
    reader.add_argument("--customers", type=int, default=2_000)
    reader.add_argument("--workers", type=int, default=2)
    reader.add_argument("--out", type=Path, default=ROOT / "docs")
    chosen = reader.parse_args()
    first, _, last = chosen.seeds.partition("-")
    numbers = range(int(first), int(last or first) + 1)
    ones, rows = [], []
    with ProcessPoolExecutor(chosen.workers) as pool:
        waiting = {pool.submit(simulate_seed, seed, chosen.customers): seed for seed in numbers}
        for done in as_completed(waiting):
            one, judged = done.result()
            ones.append(one)
            rows.append(judged)
            print(f"seed {waiting[done]}: {len(ones)} of {len(waiting)}, {one['seconds']} s", file=sys.stderr)
            text = write_results(ones, rows, chosen.out, customers=chosen.customers)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
