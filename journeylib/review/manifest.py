"""The manifest of a report: inputs, rows, configuration, packages, and what the report restated."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from journeylib.data.project import Project
from journeylib.review.preparation import Prepared
from journeylib.review.restating import restate_findings

__all__ = ["write_manifest"]

PACKAGES = (
    "journeylib",
    "crawlerdetect",
    "duckdb",
    "matplotlib",
    "narwhals",
    "nbconvert",
    "numpy",
    "pandas",
    "papermill",
    "scipy",
    "statsmodels",
)


def write_manifest(
    prepared: Prepared, project: Project, report: Path, key: str, findings: pd.DataFrame, older: Path
) -> dict[str, Any]:
    """Write manifest.json, what the numbers were made from, and tables/restated.csv beside it.

    Parameters
    ----------
    prepared : Prepared
        What the chapters read.
    project : Project
        The project.
    report : Path
        The folder of the report that is being made.
    key : str
        Where the key of the pseudonyms is from, and its fingerprint.
    findings : DataFrame
        The findings of now.
    older : Path
        The folder of an older report on the same period, whether there is one or not.

    Returns
    -------
    dict
        The manifest. No clock is read, so the same inputs give the same bytes.
    """
    versions = {}
    for name in [*PACKAGES, *(["pyspark"] if project.engine["name"] == "spark" else [])]:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    manifest = {
        "project": project.slug,
        "name": project.name,
        "period": prepared.settings["periods"]["reviewed"]["label"],
        "previous": prepared.settings["periods"]["previous"]["label"],
        "year_ago": prepared.settings["periods"]["year_ago"]["label"],
        "timezone": project.timezone,
        "as_of_us": prepared.tables.facts["as_of_us"],
        "reliability": prepared.settings["reliability"],
        "coverage": prepared.settings["coverage"],
        "inputs": prepared.tables.facts["inputs"],
        "rows": json.loads(prepared.tables.read_waterfall().to_json(orient="records")),
        "notes": prepared.tables.facts["notes"],
        "configuration": json.loads(json.dumps(project.settings, default=str)),
        "touchpoints": prepared.settings["touchpoints"],
        "actions": prepared.settings["actions"],
        "targets": project.targets,
        "key": key,
        "seed": 0,
        "packages": versions,
    }
    restated, manifest["restated"] = restate_findings(older, findings, manifest)
    (report / "tables").mkdir()
    restated.to_csv(
        report / "tables" / "restated.csv", index=False, lineterminator="\n", float_format="%.17g"
    )
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (report / "manifest.json").write_text(text, encoding="utf-8")
    return manifest
