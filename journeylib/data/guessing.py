"""Guessing which column of a foreign file is the time, the customer and the event, never in silence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import duckdb
import pandas as pd

from journeylib.data.problems import InputError, Problem

__all__ = ["find_date_format", "guess_answer_columns", "guess_event_columns", "split_name"]

ENOUGH = 0.8  # share of the looked-at cells that must be times of one kind
MOST_LABELS, MOST_SEGMENTS, MOST_NAMES = 12, 5, 300
TIMES = (
    "timestamp zeitstempel zeitpunkt occurred completed submitted answered time ts datetime zeit datum date"
)
TIMES += " created when fecha heure beantwortet at"
PEOPLE = "customer user client kunde kunden kundennummer kundennr visitor member respondent shopper nutzer"
PEOPLE += " benutzer besucher mitglied teilnehmer cliente usuario utilisateur person email"
NAMES = "event ereignis action aktion activity aktivitaet aktivität evento accion vorgang schritt page seite"
NAMES += " type typ name url"
DEVICES = "device geraet gerät endgeraet endgerät platform plattform"
IDS = {"id", "nr", "no", "nummer", "number", "key", "uuid"}
NOT_PEOPLE = {"agent", "type", "typ", "segment", "group", "gruppe", "zone", "age", "alter", "land", "country"}
FORMATS = [
    f"{day}{clock}"
    for day in ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%d.%m.%y")
    for clock in (" %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", "")
]
EPOCHS = {10: "epoch_s", 13: "epoch_ms", 16: "epoch_us"}
ISO = r"\d{4}-\d{1,2}-\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?)?"


def split_name(name: str) -> list[str]:
    """Return the words of a column's or an event's name, in lower case.

    Parameters
    ----------
    name : str
        For example ``userId`` or ``order-completed``.

    Returns
    -------
    list of str
        Its words.

    Examples
    --------
    >>> split_name("userId"), split_name("Produkt angesehen")
    (['user', 'id'], ['produkt', 'angesehen'])
    """
    parted = re.sub(r"(?<=[a-zäöüß0-9])(?=[A-ZÄÖÜ])", " ", name)
    return [word for word in re.split(r"[^0-9a-zäöüßéèáíóúñç]+", parted.lower()) if word]


def find_date_format(cells: pd.Series, *, file: str, column: str) -> str | None:
    """Find out how the times in a column are written.

    Parameters
    ----------
    cells : Series
        Some cells as text.
    file, column : str
        Their names, for the message.

    Returns
    -------
    str or None
        ``""`` for ISO 8601, an epoch's name or a strftime format; None where they are no times.

    Raises
    ------
    InputError
        Where day and month can't be told apart.

    Examples
    --------
    >>> find_date_format(pd.Series(["31.12.2026 23:59"]), file="a.csv", column="Zeit")
    '%d.%m.%Y %H:%M'
    """
    texts = cells.dropna().astype(str).str.strip()
    texts = texts[texts != ""]
    if texts.empty:
        return None
    if texts.str.fullmatch(ISO).mean() >= ENOUGH:
        return ""
    if texts.str.fullmatch(r"\d+").mean() >= ENOUGH:
        return EPOCHS.get(int(texts.str.len().mode()[0]))
    counts = ", ".join(f"count(try_strptime(cell, '{form}'))" for form in FORMATS)
    cells_table = pd.DataFrame({"cell": texts.to_numpy(dtype=object)})  # noqa: F841  the query reads it
    with duckdb.connect() as engine:
        engine.register("cells", cells_table)
        found = dict(zip(FORMATS, engine.execute(f"SELECT {counts} FROM cells").fetchall()[0], strict=True))
    best = max(found, key=lambda form: found[form])
    if found[best] < ENOUGH * len(texts):
        return None
    other = best.replace("%d/%m", "%m/%d") if "%d/%m" in best else best.replace("%m/%d", "%d/%m")
    if other != best and found.get(other) == found[best]:
        what = f"times such as {texts.iloc[0]!r}, in which day and month can't be told apart"
        mend = f'write date_format="{best}" or date_format="{other}"'
        raise InputError(Problem(file, what, "one way of writing them", mend, column=column))
    return best


def guess_event_columns(
    sample: pd.DataFrame, given: Mapping[str, str], *, file: str, most_segments: int = MOST_SEGMENTS
) -> dict[str, str]:
    """Guess the columns of events that were not given.

    Parameters
    ----------
    sample : DataFrame
        The first rows of the file as text.
    given : mapping of str to str
        Ours to theirs, as far as it was said; an empty name says that there is none.
    file : str
        The file's name, for messages.
    most_segments : int
        How many further columns of few labels are kept as segments.

    Returns
    -------
    dict
        Ours to theirs, the given ones first. A guess is never made twice of one column.

    Examples
    --------
    >>> rows = {"wann": ["2026-01-01 10:00"], "kunde": ["a"], "aktion": ["kauf"]}
    >>> guess_event_columns(pd.DataFrame(rows), {}, file="a.csv")
    {'occurred_at': 'wann', 'customer': 'kunde', 'name': 'aktion'}
    """
    found = {ours: theirs for ours, theirs in given.items() if theirs}
    _add(found, given, "occurred_at", _find_time(sample[_leave(sample, found)], file))
    left = _leave(sample, found)
    people = [name for name in left if not NOT_PEOPLE & set(split_name(name))]
    _add(found, given, "customer", _find_word(people, PEOPLE, prefer=IDS))
    left = _leave(sample, found)
    spoken = [name for name in left if not _is_id(name) and 0 < sample[name].nunique() <= MOST_NAMES]
    _add(found, given, "name", _find_word(spoken, NAMES))
    left = _leave(sample, found)
    own = [name for name in left if _is_id(name) and {"event", "ereignis", "hit"} & set(split_name(name))]
    _add(found, given, "event_id", own[0] if own else None)
    few = [name for name in _leave(sample, found) if _has_few_labels(sample[name])]
    _add(found, given, "device_type", _find_word(few, DEVICES))
    agents = [name for name in left if {"agent", "browser"} & set(split_name(name))]
    _add(found, given, "user_agent", agents[0] if agents else None)
    for name in [name for name in few if name not in found.values()][:most_segments]:
        _add(found, given, f"segment.{'_'.join(split_name(name)) or name}", name)
    return found


def guess_answer_columns(
    sample: pd.DataFrame, given: Mapping[str, str], asked: Sequence[str], *, file: str
) -> dict[str, str]:
    """Guess the columns of a survey that say who answered and when.

    Parameters
    ----------
    sample : DataFrame
        The first rows of the file as text.
    given : mapping of str to str
        Ours to theirs; an empty name says that there is none.
    asked : sequence of str
        The columns that are questions.
    file : str
        The file's name, for messages.

    Returns
    -------
    dict
        ``answered_at`` and ``customer``, as far as they are there.

    Examples
    --------
    >>> rows = {"Kunde": ["a"], "Q1": ["9"], "Datum": ["2026-01-01"]}
    >>> guess_answer_columns(pd.DataFrame(rows), {}, ["Q1"], file="a.csv")
    {'answered_at': 'Datum', 'customer': 'Kunde'}
    """
    found = {ours: theirs for ours, theirs in given.items() if theirs}
    asked = list(asked)
    left = sample.drop(columns=[*asked, *found.values()], errors="ignore")
    _add(found, given, "answered_at", _find_time(left, file))
    people = [name for name in _leave(left, found) if not NOT_PEOPLE & set(split_name(name))]
    _add(found, given, "customer", _find_word(people, PEOPLE, prefer=IDS))
    return found


def _add(found: dict[str, str], given: Mapping[str, str], ours: str, theirs: str | None) -> None:
    if ours not in given and theirs is not None:
        found[ours] = theirs


def _leave(sample: pd.DataFrame, found: Mapping[str, str]) -> list[str]:
    return [str(name) for name in sample if name and name not in found.values()]


def _find_time(sample: pd.DataFrame, file: str) -> str | None:
    """Return the column of times: the one with the best name, else the first that holds times."""
    names = [str(name) for name in sample]
    for name in sorted(names, key=lambda one: _rank(one, TIMES)):
        if _rank(name, TIMES) < len(TIMES.split()) and not {"received", "birth", "joined"} & set(
            split_name(name)
        ):
            if find_date_format(sample[name], file=file, column=name) is not None:
                return name
    for name in names:
        form = find_date_format(sample[name], file=file, column=name)
        if form is not None and not form.startswith("epoch"):
            return name
    return None


def _find_word(names: Sequence[str], words: str, *, prefer: set[str] | None = None) -> str | None:
    """Return the column whose name holds the earliest of some words, ids before others."""
    ranked = [(_rank(name, words), not (prefer or set()) & set(split_name(name)), name) for name in names]
    known = [one for one in ranked if one[0] < len(words.split())]
    return str(min(known, key=lambda one: one[:2])[2]) if known else None


def _rank(name: str, words: str) -> int:
    listed, own = words.split(), split_name(str(name))
    return min((listed.index(word) for word in own if word in listed), default=len(listed))


def _is_id(name: str) -> bool:
    return bool(IDS & set(split_name(name)))


def _has_few_labels(cells: pd.Series) -> bool:
    texts = cells.dropna()
    if _is_id(str(cells.name)) or len(texts) < 0.5 * len(cells):
        return False
    numbers = pd.to_numeric(texts, errors="coerce").notna().mean() if len(texts) else 1.0
    return 2 <= texts.nunique() <= min(MOST_LABELS, max(2, len(texts) // 5)) and numbers < 0.5
