"""Beginning a project: a folder with journey.toml and its tables, ready to be filled in."""

from __future__ import annotations

from pathlib import Path

from journeylib.data.codebook import CODEBOOK
from journeylib.data.problems import InputError, Problem
from journeylib.data.project_tables import ACTIONS, CHANGES, TOUCHPOINTS

__all__ = ["write_starting_project"]

SETTINGS = """\
# What this project reads, and what its columns mean. Every key is checked: journey check FOLDER.
[project]
slug = "{slug}"
timezone = "UTC"                # the business's zone: days and quarters begin at its midnight
fiscal_start_month = 1
currency = "EUR"

# One section for each export. Left: our name of a column. Right: its name in the file.
# [sources.events.clicks]
# path = "raw/clicks_*.csv.gz"  # a file, or a pattern of files, CSV or Parquet
# [sources.events.clicks.columns]
# occurred_at = "timestamp"
# name = "event"
# customer = "user_id"

# One section for each survey wave; survey_codebook.csv says what its columns mean.
# [sources.survey.2026Q3]
# path = "raw/survey_2026Q3.csv"
# period = "2026Q3"

# [funnel.purchase]
# steps = ["event:view", "event:add_to_cart", "event:purchase"]
# unit = "people"               # people, sessions or baskets
# order = "ordered"             # strict, ordered or any
# window_days = 7

# [targets]
# nps = 30
"""


def write_starting_project(folder: str | Path) -> Path:
    """Write a new project's folder: journey.toml with comments, and its four tables with their headers.

    Parameters
    ----------
    folder : str or Path
        A folder that does not exist yet, or is empty.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If the folder holds anything, so that nothing is ever overwritten.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as base:
    ...     sorted(path.name for path in write_starting_project(f"{base}/my_shop").iterdir())[:2]
    ['actions.csv', 'changes.csv']
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            Problem(
                str(folder), "something that is there already", "a new or empty folder", "name another folder"
            )
        )
    folder.mkdir(parents=True, exist_ok=True)
    slug = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "_-") else "_"
        for letter in folder.resolve().name
    )
    files = {"journey.toml": SETTINGS.format(slug=slug.strip("_-") or "project")}
    tables = {
        "survey_codebook.csv": CODEBOOK,
        "touchpoints.csv": TOUCHPOINTS,
        "changes.csv": CHANGES,
        "actions.csv": ACTIONS,
    }
    files |= {name: ",".join(columns) + "\n" for name, columns in tables.items()}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return folder
