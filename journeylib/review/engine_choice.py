"""Which engine a review runs on: DuckDB inside each process, or one Spark for the whole run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from journeylib.data.problems import ArgumentError, InputError, Problem
from journeylib.data.project import Project
from journeylib.journey.spark import explain_missing_spark, name_place, read_with_spark, share_spark

__all__ = ["check_engine", "hold_engine", "open_on_engine", "write_parquet"]


def check_engine(project: Project) -> None:
    """Refuse an engine that this machine has not got.

    Parameters
    ----------
    project : Project
        Its section [engine].

    Raises
    ------
    InputError
        If Spark is asked for, and pyspark, Java or what Spark Connect needs is missing.
    """
    if project.engine["name"] == "spark":
        missing = explain_missing_spark(project.engine["master"])
        if missing:
            raise _refuse(project, missing)


@contextmanager
def hold_engine(project: Project, folder: str | Path) -> Iterator[None]:
    """Start the project's engine for the time of a run, for this process and for the chapters' kernels.

    Parameters
    ----------
    project : Project
        Its section [engine].
    folder : str or Path
        The run's own folder, for what does not fit into memory where the project names no other.

    Yields
    ------
    None
        DuckDB needs no start. Spark is started once, and each kernel uses the same one.

    Raises
    ------
    InputError
        If Spark can't be started or does not answer.
    """
    if project.engine["name"] != "spark":
        yield
        return
    settings = dict(_choose(project.engine))
    settings["spill"] = settings["spill"] or str(Path(folder).absolute() / "spark")
    with ExitStack() as stack:
        try:
            stack.enter_context(share_spark(**settings))
        except ArgumentError as error:
            raise _refuse(project, str(error)) from error
        yield


def open_on_engine(path: str | Path, engine: Mapping[str, Any]) -> Any:
    """Open a Parquet table for the engine.

    Parameters
    ----------
    path : str or Path
        A Parquet file, or a pattern of several.
    engine : mapping
        The section [engine].

    Returns
    -------
    str or pyspark.sql.DataFrame
        The path itself for DuckDB, which reads it when it is asked; a Spark DataFrame for Spark.
    """
    if engine["name"] != "spark":
        return str(path)
    return read_with_spark(path, **_choose(engine))


def write_parquet(table: Any, path: Path) -> None:
    """Write a table of events with the engine on which it lives.

    Parameters
    ----------
    table : DuckDB relation or pyspark.sql.DataFrame
        One row is one event.
    path : Path
        DuckDB writes one file of this name, Spark a folder with a file for each of its parts.
    """
    if isinstance(table, duckdb.DuckDBPyRelation):
        table.to_parquet(str(path), compression="zstd")
    else:
        table.write.option("compression", "zstd").parquet(name_place(path))


def _choose(engine: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(engine.get(name, "")) for name in ("master", "memory_limit", "spill")}


def _refuse(project: Project, sentence: str) -> InputError:
    what, _, mend = sentence.rpartition(": ")
    expected = 'what Spark needs, or name = "duckdb"'
    line = project.find_line("engine", "name")
    return InputError(Problem("journey.toml", what, expected, mend, line=line, column="[engine] name"))
