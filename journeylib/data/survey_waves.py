"""Survey waves become responses.parquet and answers.parquet: linked to customers, with their book-keeping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet

from journeylib.data.answers import find_questions, read_answers_of_wave
from journeylib.data.erasure import ERASED, find_erased
from journeylib.data.files import SourceFile, inspect_file
from journeylib.data.people import pseudonymise
from journeylib.data.problems import InputError, Problem
from journeylib.data.reading_run import ReadingRun, count_rules, write_parquet
from journeylib.data.records import read_raw_table
from journeylib.data.responses import read_responses_of_wave
from journeylib.data.source_lines import find_source_lines
from journeylib.data.sources import Source
from journeylib.data.tables import Column

__all__ = ["write_survey"]

RESPONSE = (
    "response",
    "customer",
    "answered_at",
    "wave",
    "period",
    "weight",
    "language",
    "country",
    "seconds",
)
ENOUGH_FOR_A_ZERO = 200  # so many NPS answers without one zero: the scale may begin at 1


def write_survey(run: ReadingRun) -> list[dict[str, Any]]:
    """Read the declared waves and write responses.parquet and answers.parquet.

    Parameters
    ----------
    run : ReadingRun
        The run; its ledger is filled. The tables that name customers are written before.

    Returns
    -------
    list of dict
        wave, period ('' where none is declared) and responses of each wave that is used.

    Raises
    ------
    InputError
        If a file can't be read, does not fit the codebook, or has no usable row.
    """
    sources = run.project.sources_of("survey")
    if not sources:
        return []
    run.say(f"reading {len(sources)} survey wave(s)")
    read = [(source, *_read_wave(source, run)) for source in sources]
    waves = [(source, responses, answers) for source, responses, answers in read if len(responses)]
    _note_unknown_waves(run)
    if not waves:
        return []
    responses = pd.concat([responses for _, responses, _ in waves], ignore_index=True)
    answers = pd.concat([answers for *_, answers in waves], ignore_index=True)
    run.ledger.add_span("survey", responses["answered_at"])
    write_parquet(_link_customers(responses, run), run.folder / "responses.parquet")
    if run.complete:
        write_parquet(_finish_answers(answers, run), run.folder / "answers.parquet")
    return [
        {
            "wave": source.name,
            "period": source.period.label if source.period else "",
            "responses": len(responses),
        }
        for source, responses, _ in waves
    ]


def _read_wave(source: Source, run: ReadingRun) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the responses and the answers of one wave that are used."""
    if len(source.files) > 1:
        found, mend = f"{len(source.files)} files", "declare a wave for each file"
        raise InputError(Problem("journey.toml", found, f"one file for [{source.section}]", mend))
    path, shown = source.files[0], source.shown[0]
    file = inspect_file(path, source, shown=shown, work=run.work)
    questions = find_questions(run.project.codebook, source, file)
    timed = set(questions.loc[questions["role"] == "answered_at", "question"])
    if not timed and source.period is None:
        mend = f'write period = "2026Q3" under [{source.section}], or a codebook row of role answered_at'
        raise InputError(
            Problem("journey.toml", "a wave without period and without dates", "one of the two", mend)
        )
    columns = {str(name): Column("time" if name in timed else "text") for name in questions["question"]}
    theirs = dict(zip(questions["question"], [(name,) for name in questions["column"]], strict=True))
    frame, file, rows = read_raw_table(run, path, source, columns, shown=shown, theirs=theirs)
    comma = file.separator != ","
    responses = read_responses_of_wave(
        frame, questions, source, ceiling_us=run.ceiling_us, as_of_us=run.as_of_us, decimal_comma=comma
    )
    responses.loc[_find_erased(responses, run), ["rule", "fault_column"]] = [ERASED, ""]
    faults = responses.loc[responses["rule"] != "", ["rule", "fault_column"]]
    ledger, total = run.ledger, len(frame) + len(rows.malformed)
    ledger.add_input("survey", source.name, file, total)
    at = find_source_lines(file, frame["source_row"].reindex(faults.index).tolist(), malformed=rows.malformed)
    lines = zip(at, faults["rule"], faults["fault_column"], strict=True)
    ledger.set_aside("survey", source.name, file, lines, malformed=rows.malformed)
    ledger.add_rows("survey", source, total, count_rules(faults, malformed=len(rows.malformed)))
    used = responses[responses["rule"] == ""].drop(columns=["rule", "fault_column"])
    answers = read_answers_of_wave(frame, used, questions, decimal_comma=comma)
    if len(used):
        _count_answers(answers, questions, source, file, frame["source_row"], rows.malformed, run)
    return used, answers


def _find_erased(responses: pd.DataFrame, run: ReadingRun) -> pd.Series:
    """Return which rows are of an erased person: by the customer's id, else by the respondent's."""
    given = responses["customer_given"]
    who = given.where(given.notna(), responses["respondent"])
    return find_erased(who.to_frame(), run.project.erased)


def _count_answers(
    answers: pd.DataFrame,
    questions: pd.DataFrame,
    source: Source,
    file: SourceFile,
    source_row: pd.Series,
    malformed: tuple[int, ...],
    run: ReadingRun,
) -> None:
    """Write down what became of each cell; unknown codes go to the quarantine with their line."""
    bad = answers[answers["fate"] == "unknown_code"]
    columns = dict(zip(questions["question"], questions["column"], strict=True))
    at = find_source_lines(file, source_row.reindex(bad["row"]).tolist(), malformed=malformed)
    lines = [
        (line, "unknown_code", columns[question]) for line, question in zip(at, bad["question"], strict=True)
    ]
    run.ledger.set_aside("answers", source.name, file, lines)
    counts = answers.loc[answers["fate"] != "used", "fate"].value_counts().to_dict()
    run.ledger.add_rows("answers", source, len(answers), {str(rule): int(n) for rule, n in counts.items()})
    for question in questions.loc[questions["role"] == "nps", "question"]:
        scores = answers.loc[(answers["question"] == question) & (answers["fate"] == "used"), "value"]
        if len(scores) >= ENOUGH_FOR_A_ZERO and not (scores == 0).any():
            found = f"{source.shown[0]}: {question} has {len(scores)} answers and not one 0"
            run.ledger.notes.append(f"{found}; check that its scale begins at 0, not at 1.")


def _note_unknown_waves(run: ReadingRun) -> None:
    """Say which rows of the codebook belong to a wave that no source declares."""
    known = {source.name for source in run.project.sources_of("survey")}
    book = run.project.codebook
    for wave, rows in book[~book["wave"].isin([*known, ""])].groupby("wave"):
        found = f"survey_codebook.csv, line {rows['line'].iloc[0]}: wave {wave!r} is no declared source"
        run.ledger.notes.append(f"{found}; its {len(rows)} row(s) are not used.")


def _link_customers(responses: pd.DataFrame, run: ReadingRun) -> pd.DataFrame:
    """Return responses with pseudonyms; a respondent who is no known customer is linked to none."""
    given = responses["customer_given"]
    if not run.complete:
        return responses
    pseudonyms = pseudonymise(given.where(given.notna(), responses["respondent"]), key=run.key)
    linked = pseudonyms.isin(_known_customers(run.folder)) | given.notna()
    named = responses.drop(columns=["respondent", "customer_given"]).assign(
        customer=pseudonyms.where(linked), response=pseudonymise(responses["response"], key=run.key)
    )
    path = run.folder / "customers.parquet"
    whole = _add_customer_segments(named, pd.read_parquet(path)) if path.is_file() else named
    return whole[[*RESPONSE, *[name for name in whole if name not in RESPONSE]]]


def _known_customers(folder: Path) -> set[str]:
    known: set[str] = set()
    for table in ("events", "orders", "service_contacts", "customers"):
        path = folder / f"{table}.parquet"
        if path.is_file():
            ids = pyarrow.parquet.read_table(path, columns=["customer"])["customer"]
            known |= set(ids.unique().to_pylist()) - {None}
    return known


def _add_customer_segments(responses: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """Return responses with the customers' segments; the survey's own goes before one of the same name."""
    names = [str(name) for name in customers if str(name).startswith("segment.")]
    names += ["region"] if "segment.region" not in names else []
    renamed = {name: name if name.startswith("segment.") else f"segment.{name}" for name in names}
    extra = customers[["customer", *names]].rename(columns=renamed)
    fresh = [name for name in renamed.values() if name not in responses and extra[name].notna().any()]
    return responses.merge(extra[["customer", *dict.fromkeys(fresh)]], on="customer", how="left")


def _finish_answers(answers: pd.DataFrame, run: ReadingRun) -> pd.DataFrame:
    """Return the answers that are used or not applicable, with the stage of their touchpoint."""
    places = run.project.touchpoints.drop_duplicates("touchpoint").set_index("touchpoint")["stage"]
    stage = answers["stage"].where(
        answers["stage"] != "", answers["touchpoint"].map(places).astype("str").fillna("")
    )
    whole = answers.assign(response=pseudonymise(answers["response"], key=run.key), stage=stage.astype("str"))
    kept = whole[whole["fate"].isin(["used", "not_applicable"])]
    return kept.drop(columns=["fate", "row"]).reset_index(drop=True)
