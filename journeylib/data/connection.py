"""The engine inside one process: DuckDB, opened with the settings that every computation relies on."""

from __future__ import annotations

from contextlib import suppress

import duckdb

__all__ = ["connect_engine", "quote_name", "quote_text"]


def connect_engine(
    *, database: str = ":memory:", memory_limit: str = "", spill: str = ""
) -> duckdb.DuckDBPyConnection:
    """Open DuckDB with the settings that every computation of the kit relies on.

    Parameters
    ----------
    database : str
        A file, or in memory.
    memory_limit : str
        For example ``1GB``; empty leaves the engine's own.
    spill : str
        Folder for what does not fit into memory; empty leaves the engine's own.

    Returns
    -------
    duckdb.DuckDBPyConnection
        With the session's zone set to UTC and no look-ups on the network.
    """
    connection = duckdb.connect(database)
    connection.execute("SET TimeZone='UTC'")
    connection.execute("SET autoinstall_known_extensions=false")
    connection.execute("SET autoload_known_extensions=false")
    with suppress(duckdb.Error):  # in a notebook without ipywidgets it can't be set, and is off
        connection.execute("SET enable_progress_bar=false")
    if memory_limit:
        connection.execute(f"SET memory_limit={quote_text(memory_limit)}")
    if spill:
        connection.execute(f"SET temp_directory={quote_text(spill)}")
    return connection


def quote_name(name: str) -> str:
    """Return a column's name as SQL.

    Parameters
    ----------
    name : str
        Any name.

    Returns
    -------
    str
        The name in double quotes.

    Examples
    --------
    >>> quote_name("page 1")
    '"page 1"'
    """
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Return a text as SQL.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The text in single quotes.

    Examples
    --------
    >>> quote_text("O'Hare")
    "'O''Hare'"
    """
    return "'" + text.replace("'", "''") + "'"
