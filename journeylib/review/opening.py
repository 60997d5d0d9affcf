"""Opening the data of a review in one line: those that a run has made, or those of a project, made now."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from pathlib import Path

from journeylib.data.people import find_key
from journeylib.data.periods import Period
from journeylib.data.trusted import read_trusted_tables
from journeylib.review.chapter import SETTINGS_FILE, Review, find_folder

__all__ = ["open_review"]


def open_review(tables: str | Path, *, period: str | None = None, data: str | Path | None = None) -> Review:
    """Open the data of a review: made by `journey review`, or made now from a project's folder.

    Parameters
    ----------
    tables : str or Path
        A folder of trusted tables that a review has made, or a project's folder.
    period : str or None
        The period to review, where a project's folder is given; None for the latest closed quarter.
    data : str, Path or None
        Base of the sources' relative paths, where a project's folder is given.

    Returns
    -------
    Review
        Tables and periods. Tables made from a project's folder live in a temporary folder until Python ends.

    Raises
    ------
    InputError
        If anything that a person wrote or exported is wrong.
    """
    folder = find_folder(tables)
    if not (folder / SETTINGS_FILE).is_file():
        # Reading exports needs much that a chapter of a running review does not.
        from journeylib.data.project import read_project
        from journeylib.review.preparation import prepare_review

        project = read_project(folder, data=find_folder(data) if data else None)
        made = Path(tempfile.mkdtemp(prefix="journeylib-"))
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        key, _ = find_key(folder, variable=project.privacy["key_env"])
        prepare_review(project, made / "trusted", key=key, period=period)
        folder = made / "trusted"
    settings = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    limits = {name: settings["engine"][name] for name in ("memory_limit", "spill")}
    if any(limits.values()):  # each chapter is a process of its own
        from journeylib.journey.engine import use_engine

        use_engine(**limits)
    periods = {which: Period(**settings["periods"][which]) for which in ("reviewed", "previous", "year_ago")}
    return Review(read_trusted_tables(folder), settings, periods)
