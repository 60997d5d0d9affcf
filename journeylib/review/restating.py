"""What a rerun restated: the findings of an older report on the same period beside those of now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from journeylib.review.findings import KEY
from journeylib.review.metrics import METRICS
from journeylib.review.reliability import say_day
from journeylib.review.wording import say_place, say_unit

__all__ = ["list_restated", "restate_findings", "say_restated"]

COLUMNS = [*KEY, "unit", "before", "now", "n_before", "n_now", "what"]
PLACES = ["stage", "touchpoint", "persona", "segment"]
MOST_ROWS = 12
ALIKE = 1e-9  # share of the larger value; smaller differences are those of floating point


def restate_findings(
    older: Path, findings: pd.DataFrame, manifest: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Compare an older report on the same period with the findings of now; never a reason to fail.

    Parameters
    ----------
    older : Path
        The folder of the older report; where there is none that can be read, nothing was restated.
    findings : DataFrame
        The findings of now.
    manifest : mapping
        The manifest of now.

    Returns
    -------
    tuple of DataFrame and dict
        One row a finding whose value is another one: its key, unit, before and now (empty where the report
        hides it or does not have it), n_before, n_now, what (``restated``, ``new``, ``gone``, ``now hidden``,
        ``no longer hidden``). And how many, of how many that both have, as of when the older one was, and
        what is different about its inputs; an empty dict where nothing was restated.
    """
    try:
        table = _compare(_read(older / "findings.csv"), findings)
        before = json.loads((older / "manifest.json").read_text(encoding="utf-8"))
        said = _describe(table, before, manifest, findings) if len(table) else {}
    except (OSError, ValueError, KeyError, TypeError):  # no older report, or one that is not whole
        return pd.DataFrame(columns=COLUMNS), {}
    return table, said


def list_restated(report: str | Path) -> pd.DataFrame:
    """Return the headline findings that were restated as text.

    Parameters
    ----------
    report : str or Path
        The folder of the report; '' where a notebook is read by hand.

    Returns
    -------
    DataFrame
        What, Before, Now: at most twelve rows; findings of a stage, touchpoint, persona or segment are in
        tables/restated.csv alone.
    """
    shown: list[list[str]] = []
    if str(report):
        table = _read(Path(report) / "tables" / "restated.csv")
        headlines = table[(table[PLACES] == "").all(axis=1)]
        for _, row in headlines.head(MOST_ROWS).iterrows():
            hidden = {"now hidden": ("", "hidden"), "no longer hidden": ("hidden", "")}
            words = hidden.get(row["what"], ("", ""))
            cells = [
                word or say_unit(row[name], row["unit"])
                for word, name in zip(words, ("before", "now"), strict=True)
            ]
            shown.append([say_place(row), *cells])
    return pd.DataFrame(shown, columns=["What", "Before", "Now"]).set_index("What")


def say_restated(report: str | Path) -> str:
    """Say in a few sentences what a rerun restated, and why it may have.

    Parameters
    ----------
    report : str or Path
        The folder of the report; '' where a notebook is read by hand.

    Returns
    -------
    str
        The same sentence where no number moved and where there is no older report.
    """
    nothing = "No number of an older report on this period was restated."
    if not str(report):
        return nothing
    manifest = json.loads((Path(report) / "manifest.json").read_text(encoding="utf-8"))
    found = manifest.get("restated")
    if not found:
        return nothing
    day = say_day(int(found["older_as_of_us"]), manifest["timezone"])
    parts = [
        f"{found['restated']:,} of the {found['compared']:,} findings that an older report on this period, "
        f"with data as of {day}, has too are other numbers now."
    ]
    if found["new"] or found["gone"]:
        parts.append(f"{found['new']:,} are new and {found['gone']:,} are gone.")
    parts.append(f"What is different: {'; '.join(found['because']) or 'none of the inputs'}.")
    return " ".join(parts)


def _read(path: Path) -> pd.DataFrame:
    texts = dict.fromkeys((*KEY, "unit", "what"), "str")
    table = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=dict.fromkeys(
        ("value", "n", "before", "now", "n_before", "n_now"), [""]
    ))  # fmt: skip
    return table


def _compare(before: pd.DataFrame, findings: pd.DataFrame) -> pd.DataFrame:
    """Return one row a finding whose value, or its being there or hidden, is another one than before."""
    kept = [*KEY, "unit", "value", "n", "suppressed"]
    now = findings[kept].assign(suppressed=findings["suppressed"].astype("str").eq("True"))
    now = now.assign(**{name: now[name].astype("str") for name in (*KEY, "unit")})
    before = before[kept].assign(suppressed=before["suppressed"].astype("str").eq("True"))
    both = before.merge(now, on=KEY, how="outer", suffixes=("_before", "_now"), indicator="side")
    old, new = (both[f"value_{when}"].astype("float64") for when in ("before", "now"))
    hid, hides = (both[f"suppressed_{when}"].eq(True) for when in ("before", "now"))
    moved = (old - new).abs() > ALIKE * np.maximum(old.abs(), new.abs())
    moved |= old.isna() != new.isna()
    one_side = both["side"].astype("str").map({"left_only": "gone", "right_only": "new", "both": ""})
    what = one_side.mask((one_side == "") & ~hid & ~hides & moved, "restated")
    what = what.mask((one_side == "") & hid & ~hides, "no longer hidden")
    what = what.mask((one_side == "") & ~hid & hides, "now hidden")
    unit = both["unit_now"].where(both["unit_now"].notna(), both["unit_before"])
    numbers = {"before": old, "now": new, "n_before": both["n_before"], "n_now": both["n_now"]}
    table = both[KEY].assign(unit=unit, **numbers, what=what)[what != ""]
    place = {name: number for number, name in enumerate(METRICS)}
    table = table.assign(place=table["metric"].map(place).fillna(len(place)))
    return table.sort_values(["place", *KEY], kind="stable", ignore_index=True)[COLUMNS]


def _describe(
    table: pd.DataFrame, before: Mapping[str, Any], now: Mapping[str, Any], findings: pd.DataFrame
) -> dict[str, Any]:
    """Count what was restated, and say what is different about the inputs of the two reports."""
    counts = table["what"].value_counts()
    files = [{one["file"]: one["sha256"] for one in manifest["inputs"]} for manifest in (before, now)]
    changed = sum(files[0].get(name) != hash_ for name, hash_ in files[1].items())
    lacking = len(files[0].keys() - files[1].keys())
    because = []
    if changed or lacking:
        because.append(f"{changed:,} files are new or other ones, {lacking:,} are no longer read")
    if before["as_of_us"] != now["as_of_us"]:
        because.append("the data are as of another instant")
    if before["configuration"] != now["configuration"]:
        because.append("journey.toml says something else")
    if before["rows"] != now["rows"] and not because:
        because.append("other rows are set aside")
    if before["packages"] != now["packages"]:
        because.append("packages have other versions")
    return {
        "restated": int(len(table) - counts.get("new", 0) - counts.get("gone", 0)),
        "compared": int(len(findings) - counts.get("new", 0)),
        "new": int(counts.get("new", 0)),
        "gone": int(counts.get("gone", 0)),
        "older_as_of_us": int(before["as_of_us"]),
        "because": because,
    }
