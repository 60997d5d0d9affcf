"""The command: journey init, check, review, sample. The same as python -m journeylib."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from journeylib.data.problems import InputError, Problem
from journeylib.review.arguments import build_parser

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str or None
        The words after the command's name; None for those of this process.

    Returns
    -------
    int
        The exit code: 0 rely on it, 1 something failed while running, 2 wrong input or configuration,
        3 made but not to be relied on.
    """
    chosen = build_parser().parse_args(arguments)
    run = {"init": _init, "check": _check, "review": _review, "sample": _sample}[chosen.command]
    try:
        with _stop_on_signal():
            return run(chosen)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has gone, as in `journey check shop | head`
        sys.stdout = open(os.devnull, "w")
        return 1
    except KeyboardInterrupt:
        return _fail("stopped; nothing was replaced")
    except Exception as error:
        if os.environ.get("JOURNEY_DEBUG"):
            raise
        return _fail(_say_failure(error))


@contextmanager
def _stop_on_signal() -> Iterator[None]:
    """Let SIGTERM, with which schedulers end a run, clear up as Ctrl-C does."""

    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before: Any = None
    with suppress(ValueError):  # only the main thread may say what a signal does
        before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _fail(sentence: str) -> int:
    _say(f"{sentence.rstrip('.')}.")
    return 1


def _say_failure(error: Exception) -> str:
    """Return one sentence on what failed while running."""
    kind = type(error).__name__
    said = " ".join((str(error).splitlines() or [""])[0].split())[:300]
    if kind == "RunFailed":
        return said
    if isinstance(error, MemoryError) or kind == "OutOfMemoryException":
        return "the machine is short of memory; nothing was replaced"
    if isinstance(error, OSError):
        name = Path(error.filename).name if isinstance(error.filename, str) else ""
        return f"{error.strerror or said or kind}{f' ({name})' if name else ''}; nothing was replaced"
    if kind == "IOException":  # of DuckDB: a full disk, a failing device
        return f"could not read or write a table: {said}; nothing was replaced"
    return f"{kind}: {said}; nothing was replaced; JOURNEY_DEBUG=1 shows where"


def _say(text: str) -> None:
    if sys.stderr is not None:
        print(f"journey: {text}", file=sys.stderr, flush=True)


def _show_progress(text: str) -> None:
    """Tell a person who watches; a log gets what went wrong, and nothing before it."""
    if sys.stderr is not None and sys.stderr.isatty():
        _say(text)


def _read_as_of(text: str | None, timezone: str) -> int | None:
    from journeylib.data.project import read_instant

    if text is None:
        return None
    try:
        return read_instant(text, timezone=timezone)
    except (ValueError, OverflowError):
        mend = "write 2026-10-10 or 2026-10-10T06:00:00Z"
        raise InputError(Problem("--as-of", repr(text), "a date or a time", mend)) from None


def _find_data(folder: str | None) -> str | None:
    if folder is not None and not Path(folder).is_dir():
        mend = "name the folder that the sources' paths start from"
        raise InputError(Problem("--data", f"no such folder {folder!r}", "a folder", mend))
    return folder


def _read_parameters(chosen: argparse.Namespace) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for pair in chosen.parameter:
        name, mark, value = (part.strip() for part in pair.partition("="))
        if not mark or not name:
            mend = "write for example --parameter most_rows=12"
            raise InputError(Problem("--parameter", repr(pair), "NAME=VALUE", mend))
        if name in parameters:
            raise InputError(
                Problem("--parameter", f"{name!r} twice", "each parameter once", "take one away")
            )
        parameters[name] = value
    return parameters


def _init(chosen: argparse.Namespace) -> int:
    from journeylib.data.starting import write_starting_project

    folder = write_starting_project(chosen.folder)
    _say(f"wrote {folder}; fill in journey.toml, then run journey check {folder}")
    print(folder, flush=True)
    return 0


def _check(chosen: argparse.Namespace) -> int:
    from journeylib.data.people import find_key
    from journeylib.data.project import read_project
    from journeylib.review.preparation import Prepared, prepare_review
    from journeylib.review.publishing import hold_scratch_folder

    parameters = _read_parameters(chosen)
    project = read_project(chosen.folder, data=_find_data(chosen.data))
    as_of_us = _read_as_of(chosen.as_of, project.timezone)
    if parameters:
        from journeylib.review.notebooks import check_parameters, find_notebooks
        from journeylib.review.run import CHAPTERS

        check_parameters(parameters, [find_notebooks() / f"{name}.ipynb" for name, _ in CHAPTERS])
    key, _ = find_key(project.folder, variable=project.privacy["key_env"])
    with hold_scratch_folder(Path(tempfile.gettempdir()), prefix="journeylib-check-") as folder:
        prepared: Prepared = prepare_review(
            project,
            folder / "trusted",
            key=key,
            period=chosen.period,
            as_of_us=as_of_us,
            complete=False,
            say=_show_progress,
        )
        waterfall = prepared.tables.read_waterfall()
        for (table, source), rows in waterfall.groupby(["table", "source"], sort=False):
            said = ", ".join(
                f"{step} {rule + ' ' if rule else ''}{count:,}"
                for step, rule, count in rows[["step", "rule", "rows"]].itertuples(index=False)
            )
            print(f"{table} {source}: {said}")
        for note in prepared.tables.facts["notes"]:
            print(f"note: {note}")
    reliability = prepared.settings["reliability"]
    print(f"period {prepared.settings['periods']['reviewed']['label']}: {reliability['headline']}")
    for reason in reliability["reasons"]:
        print(f"  {reason}")
    sys.stdout.flush()
    return 0


def _review(chosen: argparse.Namespace) -> int:
    from journeylib.data.project import read_project
    from journeylib.review.run import run_review

    parameters = _read_parameters(chosen)
    project = read_project(chosen.folder, data=_find_data(chosen.data))
    outcome = run_review(
        project,
        out=chosen.out,
        period=chosen.period,
        as_of_us=_read_as_of(chosen.as_of, project.timezone),
        parameters=parameters,
        seconds=chosen.seconds,
        say=_show_progress,
    )
    if outcome.restored:
        _say("a run before this one was killed; its last good report had been put back")
    for reason in outcome.reasons:
        _say(reason)
    with suppress(AttributeError, ValueError):  # a folder's name may not fit the encoding of stdout
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        print(outcome.page, flush=True)
    except OSError as error:
        _say(f"{outcome.page} was published, but its path can't be printed: {error.strerror}.")
        return 1
    return outcome.exit_code


def _sample(chosen: argparse.Namespace) -> int:
    from journeylib.data.sample import make_sample

    given = {"customers": chosen.customers, "seed": chosen.seed}
    folder = Path(chosen.folder)
    others = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if others and not (folder / "truth.json").is_file():
        found = "a folder that holds other things" if folder.is_dir() else "a file"
        expected = "a new folder, or a sample to replace"
        raise InputError(Problem(str(folder), found, expected, "name another folder"))
    make_sample(folder, **{name: value for name, value in given.items() if value is not None})
    _say(f"made-up data with planted truth are in {folder}; next: journey review {folder}")
    print(folder, flush=True)
    return 0
