"""One review: prepare, run the chapters, compare, render, publish all or nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from journeylib.data.people import find_key, fingerprint_key
from journeylib.data.project import Project
from journeylib.review.comparison import compare_findings
from journeylib.review.engine_choice import hold_engine
from journeylib.review.findings import read_recorded, write_findings
from journeylib.review.manifest import write_manifest
from journeylib.review.notebooks import check_parameters, find_notebooks, run_notebooks
from journeylib.review.page import normalise_notebook, render_chapter, render_page
from journeylib.review.preparation import Prepared, prepare_review
from journeylib.review.publishing import VERSIONS, RunFailed, hold_lock, publish_folder, restore_reports
from journeylib.review.reliability import say_day
from journeylib.review.wording import list_chapter_changes

__all__ = ["CHAPTERS", "Outcome", "choose_chapters", "run_review"]

# Name, and the tables of which the chapter needs one (none: always made), in the reader's order. The first
# page is run last.
CHAPTERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("first_page", ()),
    ("journey_map", ("events", "survey")),
    ("where_customers_leave", ("events",)),
    ("which_ways_they_go", ("events",)),
    ("when_they_ask_for_help", ("service_contacts",)),
    ("what_they_say", ("survey",)),
    ("who_they_are", ("events",)),
    ("how_far_to_trust_this", ()),
)
LAST = ("how_far_to_trust_this", "first_page")  # they read the findings of the others


@dataclass(frozen=True)
class Outcome:
    """What a review ended with: the exit code, the page, and the sentences that a person should read."""

    exit_code: int
    page: Path
    reasons: list[str]
    restored: bool


def run_review(
    project: Project,
    *,
    out: str | Path = "reports",
    period: str | None = None,
    as_of_us: int | None = None,
    parameters: Mapping[str, str] | None = None,
    seconds: int = 600,
    say: Callable[[str], None] = lambda text: None,
) -> Outcome:
    """Make one review of a project and publish it, all or nothing.

    Parameters
    ----------
    project : Project
        The checked project.
    out : str or Path
        The report is published in OUT/<slug>/<period>; all work files are under OUT.
    period : str or None
        A period, ``latest`` (the latest closed quarter, the default) or ``last``.
    as_of_us : int or None
        The instant as of which the data are looked at, microseconds UTC.
    parameters : mapping or None
        Chapter parameters as they were typed; names and types are checked.
    seconds : int
        Time limit of one notebook cell.
    say : callable
        Called with one sentence as the work goes on.

    Returns
    -------
    Outcome
        Exit code 0 (rely on it) or 3 (published, and the page says why not to rely on it).

    Raises
    ------
    InputError
        If anything that a person wrote or exported is wrong; nothing was replaced.
    RunFailed
        If something failed while running; nothing was replaced.
    """
    out = Path(out)
    notebooks = find_notebooks()
    chosen = check_parameters(parameters or {}, [notebooks / f"{name}.ipynb" for name, _ in CHAPTERS])
    versions = out / project.slug / VERSIONS
    work = versions / f"run-{os.getpid()}"
    try:
        with hold_lock(out / project.slug / "run"):
            _clear_old_runs(versions, keep=work)
            restored = bool(restore_reports(out / project.slug))
            work.mkdir(parents=True)
            key, origin = find_key(project.folder, variable=project.privacy["key_env"])
            known = f"{origin} {fingerprint_key(key)}" if origin != "this run" else origin
            with hold_engine(project, work):
                prepared = prepare_review(
                    project, work / "trusted", key=key, period=period, as_of_us=as_of_us, say=say
                )
                place = out / project.slug / str(prepared.settings["periods"]["reviewed"]["label"])
                report = _make_report(
                    prepared, project, work, notebooks, chosen, seconds, known, say, older=place
                )
            publish_folder(report, place)
    except OSError as error:
        what = error.strerror or str(error).splitlines()[0]
        raise RunFailed(f"could not write under {out.as_posix()}: {what}; nothing was replaced") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    reliability = prepared.settings["reliability"]
    return Outcome(
        int(reliability["exit_code"]), place / "review.html", list(reliability["reasons"]), restored
    )


def choose_chapters(coverage: Mapping[str, Any]) -> list[str]:
    """Return the chapters that a review has: those that need no table, or of whose tables one has rows.

    Parameters
    ----------
    coverage : mapping
        By table and period, the number of `rows`; as in review.json.

    Returns
    -------
    list of str
        Names in the reader's order.
    """

    def has_rows(table: str) -> bool:
        return bool(coverage.get(table, {}).get("reviewed", {}).get("rows"))

    return [name for name, tables in CHAPTERS if not tables or any(map(has_rows, tables))]


def _clear_old_runs(versions: Path, *, keep: Path) -> None:
    for path in versions.glob("run-*"):
        if path != keep and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)


def _make_report(
    prepared: Prepared,
    project: Project,
    work: Path,
    notebooks: Path,
    chosen: Mapping[str, Mapping[str, Any]],
    seconds: int,
    key: str,
    say: Callable[[str], None],
    *,
    older: Path,
) -> Path:
    """Run the chapters and fill the folder of the report; an older one only tells what was restated."""
    report, recorded = work / "report", work / "recorded"
    report.mkdir()
    label = str(prepared.settings["periods"]["reviewed"]["label"])
    coverage = prepared.settings["coverage"]
    names = choose_chapters(coverage)
    given = {"tables": "trusted", "period": label, "record_to": "recorded"}
    say(f"running {len(names)} chapters")
    first_pass = [
        (notebooks / f"{name}.ipynb", {**given, **chosen[name]}) for name in names if name not in LAST
    ]
    executed = run_notebooks(first_pass, cwd=work, made=work / "executed", seconds=seconds, say=say)
    findings = compare_findings(
        read_recorded(recorded),
        period=label,
        minimum_base=prepared.settings["minimum_base"],
        minimum_effects=project.minimum_effect,
        reasons=_reasons(coverage),
        arrows=not prepared.settings["reliability"]["exit_code"],
    )
    write_findings(findings, report / "findings.csv")
    manifest = write_manifest(prepared, project, report, key, findings, older)
    _write_tables(prepared, recorded / "tables", report / "tables")  # the first page draws the map from them
    own = {"first_page": {"report": "report"}, "how_far_to_trust_this": {**given, "report": "report"}}
    last = [(notebooks / f"{name}.ipynb", {**own[name], **chosen[name]}) for name in LAST]
    executed += run_notebooks(last, cwd=work, made=work / "executed", seconds=seconds, say=say)
    _copy_tables(recorded / "tables", report / "tables")
    say("writing the page")
    _render(
        dict(zip([path.stem for path in executed], executed, strict=True)), names, findings, manifest, report
    )
    return report


def _write_tables(prepared: Prepared, recorded: Path, folder: Path) -> None:
    """Write the numbers behind figures, the rows by rule, and where each row that was set aside stands."""
    _copy_tables(recorded, folder)
    prepared.tables.read_waterfall().to_csv(folder / "rows.csv", index=False, lineterminator="\n")
    prepared.tables.read_quarantine().to_csv(folder / "quarantine.csv", index=False, lineterminator="\n")


def _copy_tables(recorded: Path, folder: Path) -> None:
    for path in sorted(recorded.glob("*.csv")):
        shutil.copyfile(path, folder / path.name)


def _reasons(coverage: Mapping[str, Any]) -> dict[str, str]:
    """Return why the previous period is not compared, by unit of analysis."""
    units = {
        "events": ("people", "sessions", "baskets"),
        "survey": ("respondents",),
        "service_contacts": ("contacts",),
    }
    reasons: dict[str, str] = {}
    for table, one in coverage.items():
        if one["previous"]["why"]:
            reasons |= {unit: f"not compared: {one['previous']['why']}" for unit in units[table]}
    return reasons


def _render(
    executed: Mapping[str, Path],
    names: list[str],
    findings: pd.DataFrame,
    manifest: Mapping[str, Any],
    report: Path,
) -> None:
    """Write review.html, summary.md, chapters/ and notebooks/."""
    (report / "chapters").mkdir()
    (report / "notebooks").mkdir()
    chapters = []
    for name in names:
        notebook = normalise_notebook(nbformat.read(executed[name], as_version=4))
        nbformat.write(notebook, report / "notebooks" / f"{name}.ipynb")
        title = name.replace("_", " ").capitalize()
        (report / "chapters" / f"{name}.html").write_text(
            render_chapter(notebook, title=title), encoding="utf-8", newline="\n"
        )
        chapters.append((name, notebook))
    changes = {name: list_chapter_changes(findings, name) for name in names if name != "first_page"}
    zone = str(manifest["timezone"])
    page = render_page(
        chapters,
        title=f"{manifest['name']}: customer journey review",
        subtitle=f"{manifest['period']}, data as of {say_day(int(manifest['as_of_us']), zone)} ({zone})",
        band=manifest["reliability"],
        changes={name: table for name, table in changes.items() if len(table)},
        footer="Every number is in findings.csv; manifest.json says what it was made from. By journeylib.",
    )
    (report / "review.html").write_text(page, encoding="utf-8", newline="\n")
    (report / "summary.md").write_text(_write_summary(findings, manifest), encoding="utf-8", newline="\n")


def _write_summary(findings: pd.DataFrame, manifest: Mapping[str, Any]) -> str:
    from journeylib.review.first_page import write_sentences
    from journeylib.review.first_tables import list_changes

    changes = list_changes(findings, targets=manifest["targets"])
    reliability = manifest["reliability"]
    lines = [f"# {manifest['name']}: {manifest['period']}", "", f"**{reliability['headline']}.**"]
    lines += [f"- {reason}" for reason in reliability["reasons"]]
    lines += [
        "",
        *[f"{number}. {sentence}" for number, sentence in enumerate(write_sentences(findings), 1)],
        "",
    ]
    lines += ["| " + " | ".join(changes.columns) + " |", "|" + " --- |" * len(changes.columns)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in changes.itertuples(index=False)]
    return "\n".join(lines) + "\n"
