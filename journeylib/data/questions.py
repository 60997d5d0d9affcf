"""The questions of a survey as a call names them, as rows of a codebook."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from journeylib.data.codebook import CODEBOOK
from journeylib.data.problems import InputError, Problem, say_nearest
from journeylib.data.tables import ROLES

__all__ = ["Questions", "read_questions"]

Questions: TypeAlias = str | Mapping[str, str | Mapping[str, Any]]
# The usual ends of the scale of each role; answers that leave them are counted, and many are refused.
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
ORIENTATIONS = ("higher_is_better", "lower_is_better")
PLACE = "questions="
HOW = 'write for example "Q1: nps; Q2: csat 1-5 at payment; Q3: ces 1-7 higher_is_better"'


def read_questions(questions: Questions, *, blank: str = "") -> list[dict[str, str]]:
    """Return one row of the codebook for each question.

    Parameters
    ----------
    questions : str or mapping
        Their column to what it is: a role (``"nps"``), a role with more (``"csat 1-5 at payment, na 6"``:
        scale ends, ``at`` a touchpoint, ``na`` and ``blank`` codes, an orientation), or a mapping with
        the columns of the codebook. As one text: ``"Q1: nps; Q2: csat 1-5"``.
    blank : str
        Codes, parted by semicolons, that mean no answer in every question.

    Returns
    -------
    list of dict
        The codebook's columns as text, in the order given.

    Raises
    ------
    InputError
        Where a role or word is not known, or a ces question does not say which end means easy.

    Examples
    --------
    >>> row = read_questions({"Q2": "csat 1-5 at payment, na 6"})[0]
    >>> [row[name] for name in ("column", "role", "scale_min", "scale_max", "touchpoint", "not_applicable")]
    ['Q2', 'csat', '1', '5', 'payment', '6']
    """
    named = _split_text(questions) if isinstance(questions, str) else dict(questions)
    if not named:
        raise InputError(Problem(PLACE, "no question", "the column and the role of one or more", HOW))
    rows = []
    for column, what in named.items():
        spoken = _read_words(column, what) if isinstance(what, str) else {k: str(v) for k, v in what.items()}
        rows.append(_complete(str(column), spoken, blank))
    return rows


def _split_text(text: str) -> dict[str, str]:
    named = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        column, colon, what = part.rpartition(":")
        if not colon:
            raise InputError(Problem(PLACE, repr(part), "column: role", HOW))
        named[column.strip()] = what.strip()
    return named


def _read_words(column: str, text: str) -> dict[str, str]:
    role, *words = text.replace(",", " ").split()
    row = {"role": role}
    names = {"at": "touchpoint", "na": "not_applicable", "blank": "blank"}
    while words:
        word = words.pop(0)
        ends = re.fullmatch(r"(-?\d+)(?:-|\.\.)(-?\d+)", word)
        if ends:
            row["scale_min"], row["scale_max"] = ends.groups()
        elif word in names and words:
            before = row.get(names[word], "")
            row[names[word]] = f"{before};{words.pop(0)}".lstrip(";")
        elif word in ORIENTATIONS:
            row["orientation"] = word
        else:
            known = [*names, *ORIENTATIONS]
            expected = "a role, then the ends of its scale, at, na, blank or an orientation"
            raise InputError(Problem(PLACE, f"{word!r} for {column!r}", expected, say_nearest(word, known)))
    return row


def _complete(column: str, spoken: Mapping[str, str], blank: str) -> dict[str, str]:
    role = spoken.get("role", "")
    if role not in ROLES:
        mend = say_nearest(role, ROLES, most=len(ROLES))
        raise InputError(Problem(PLACE, f"role {role!r} for {column!r}", f"one of {', '.join(ROLES)}", mend))
    unknown = [name for name in spoken if name not in CODEBOOK]
    if unknown:
        mend = say_nearest(unknown[0], CODEBOOK)
        raise InputError(Problem(PLACE, f"{unknown[0]!r} for {column!r}", "a column of the codebook", mend))
    if role == "ces" and not spoken.get("orientation"):
        found, mend = f"a ces question {column!r} without an orientation", f"add {' or '.join(ORIENTATIONS)}"
        raise InputError(Problem(PLACE, found, "which end of its scale means easy", mend))
    low, high = SCALES.get(role, ("", ""))
    row = {name: "" for name in CODEBOOK}
    row |= {"question": column, "column": column, "label": column}
    row |= {"scale_min": str(low), "scale_max": str(high)} | {k: str(v) for k, v in spoken.items()}
    if role not in ("comment", "segment"):
        codes = [code for code in (row["blank"], blank) if code]
        row["blank"] = ";".join(codes)
    return row
