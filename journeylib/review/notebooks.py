"""Running chapter notebooks: papermill from one process, two at a time, parameters checked first."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from papermill.iorw import papermill_io

from journeylib.data.problems import InputError, Problem, say_nearest
from journeylib.review.kernels import QuietKernelManager, hold_kernels
from journeylib.review.publishing import RunFailed

__all__ = ["check_parameters", "find_notebooks", "run_notebooks"]

AT_A_TIME = 2


def find_notebooks() -> Path:
    """Return the folder of the review's notebooks: in the repository, or inside the installed package.

    Returns
    -------
    Path
        The folder that holds one notebook a chapter.

    Raises
    ------
    RunFailed
        If the installation lacks it.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "notebooks" / "review", package.parent / "notebooks" / "review"):
        if folder.is_dir():
            return folder
    raise RunFailed(
        "the notebooks of the review are missing from this installation; install journeylib again"
    )


def check_parameters(given: Mapping[str, str], notebooks: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Match parameters that a person gave with those that the notebooks declare.

    Parameters
    ----------
    given : mapping of str to str
        Name and value as they were typed.
    notebooks : sequence of Path
        The chapters' notebooks.

    Returns
    -------
    dict
        For each notebook's name, the parameters that it declares, with the type of its default.

    Raises
    ------
    InputError
        If no notebook declares a name, or a value has another type than the default.
    """
    declared = {path.stem: papermill.inspect_notebook(str(path)) for path in notebooks}
    own = ("tables", "period", "record_to", "report")  # set by the run itself
    known = sorted({name for parameters in declared.values() for name in parameters} - set(own))
    chosen: dict[str, dict[str, Any]] = {path.stem: {} for path in notebooks}
    problems = []
    for name, text in given.items():
        if name not in known:
            problems.append(
                Problem(
                    "--parameter",
                    f"unknown parameter {name!r}",
                    f"one of {', '.join(known)}",
                    say_nearest(name, known),
                )
            )
            continue
        for chapter, parameters in declared.items():
            if name in parameters:
                try:
                    chosen[chapter][name] = _read_value(text, str(parameters[name]["default"]))
                except ValueError as error:
                    problems.append(
                        Problem(
                            "--parameter",
                            f"{name}={text}",
                            str(error),
                            f"write for example {name}={parameters[name]['default']}",
                        )
                    )
    if problems:
        raise InputError(problems)
    return chosen


def _read_value(text: str, default: str) -> Any:
    """Return a value of the default's type; the default is the source of a Python literal."""
    if default in ("True", "False"):
        if text.lower() not in ("true", "false"):
            raise ValueError("true or false")
        return text.lower() == "true"
    kinds: tuple[tuple[type, str], ...] = ((int, "a whole number"), (float, "a number"))
    for kind, words in kinds:
        try:
            positive = kind(default) > 0
        except ValueError:
            continue
        refused = ValueError(f"{words} above 0" if positive else words)
        try:
            value = kind(text)
        except ValueError:
            raise refused from None
        if not math.isfinite(value) or (positive and value <= 0):
            raise refused
        return value
    return text


def run_notebooks(
    jobs: Sequence[tuple[Path, Mapping[str, Any]]],
    *,
    cwd: Path,
    made: Path,
    seconds: int,
    say: Callable[[str], None] = lambda text: None,
) -> list[Path]:
    """Run notebooks with their parameters.

    Parameters
    ----------
    jobs : sequence of (Path, mapping)
        Each notebook and its parameters: plain scalars, no absolute path, no secret.
    cwd : Path
        The folder that the kernels work in; this process's own is not changed.
    made : Path
        Where the executed notebooks are written.
    seconds : int
        Time limit of one cell.
    say : callable
        Called with one sentence as each notebook begins and ends.

    Returns
    -------
    list of Path
        The executed notebooks, in the order of the jobs.

    Raises
    ------
    RunFailed
        If a notebook fails, dies, or takes too long; the sentence names the chapter and the cell. The others
        are stopped.
    """
    cwd, made = cwd.resolve(), made.resolve()
    made.mkdir(parents=True, exist_ok=True)
    for name in ("papermill", "traitlets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with hold_kernels() as manager_class, ThreadPoolExecutor(max_workers=AT_A_TIME) as pool:
        held = threading.local()  # a kernel a thread, since a client belongs to the thread that made it
        waiting = {
            pool.submit(
                _run_one, path, dict(parameters), cwd, made / path.name, seconds, manager_class, held
            ): path
            for path, parameters in jobs
        }
        count = len(waiting)
        try:
            while waiting:
                # A limit, because a wait without one can't be interrupted on Windows.
                done, _ = wait(waiting, timeout=1, return_when=FIRST_COMPLETED)
                for one in done:
                    one.result()
                    say(f"chapter {waiting.pop(one).stem} is done ({count - len(waiting)} of {count})")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(one.done() for one in waiting):  # a kernel may be starting just now
                for manager in manager_class.started:
                    manager.stop()
                time.sleep(0.1)
            raise
        finally:
            # The threads leave it set, and papermill would go there whenever it reads a file.
            papermill_io.get_handler("local").cwd(None)
    return [made / path.name for path, _ in jobs]


def _run_one(
    path: Path,
    parameters: dict[str, Any],
    cwd: Path,
    made: Path,
    seconds: int,
    manager_class: type[QuietKernelManager],
    held: threading.local,
) -> None:
    begun: list[str] = []

    def note_cell(cell: Any, **_: Any) -> None:
        if "injected-parameters" not in cell.metadata.get("tags", []):
            begun.append(cell.source.strip().partition("\n")[0][:80])

    def fail(what: str, *, mend: str = "") -> RunFailed:
        where = f" in code cell {len(begun)} ({begun[-1]})" if begun else " before its first cell"
        return RunFailed(f"chapter {path.stem} {what}{where}{mend}")

    manager: QuietKernelManager | None = getattr(held, "manager", None)
    held.manager = None
    if manager is None or not manager.clear():
        if manager is not None:
            manager.stop()
        manager = manager_class(kernel_name="python3")
    try:
        papermill.execute_notebook(
            str(path.resolve()),
            str(made),
            parameters=parameters,
            kernel_name="python3",
            progress_bar=False,
            request_save_on_cell_execute=False,
            execution_timeout=seconds,
            km=manager,
            on_cell_execute=note_cell,
            # The kernel's folder. papermill's own `cwd` would change that of this process, for both threads.
            resources={"metadata": {"path": str(cwd)}},
        )
    except PapermillExecutionError as error:
        said = str(error.evalue).splitlines()[0][:300] if error.evalue else ""
        raise fail("failed", mend=f": {error.ename}: {said}".rstrip(": .")) from None
    except CellTimeoutError:
        limit = f"{seconds} second{'s' if seconds > 1 else ''}"
        raise fail(f"took longer than {limit}", mend="; give it more with --seconds") from None
    except (DeadKernelError, RuntimeError) as error:
        if not isinstance(error, DeadKernelError) and "ernel" not in str(error):
            raise
        raise fail("lost its kernel", mend="; the machine may be short of memory") from None
    held.manager = manager
