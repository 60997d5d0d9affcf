"""Service contacts: which led to another by the same person on the same topic, and which cases moved."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["DAY", "link_contacts", "list_hand_offs", "read_moment", "summarise_cases"]

DAY = 86_400_000_000
_TIMES = ("opened_at", "first_response_at", "resolved_at")
_TEXTS = ("contact", "case_id", "customer", "channel", "handled_by", "topic")


def link_contacts(
    contacts: pd.DataFrame,
    *,
    as_of: int | str | pd.Timestamp | None = None,
    repeat_days: float = 7,
    question_days: float = 30,
    known_from: int | str | pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Link each contact with the one before and the one after it of the same person on the same topic.

    Parameters
    ----------
    contacts : pandas.DataFrame
        Trusted table service_contacts, one row is one contact; needs `contact` and `opened_at` (times: int64
        microseconds UTC or datetime). Row order does not matter; contacts opened at the same instant follow
        each other by `contact`.
    as_of : int, str or Timestamp, optional
        What was known when; later contacts, answers and solutions are not looked at. Default: the last time
        in the table.
    repeat_days, question_days : float
        Days within which a further contact is a repeat, and a question is asked again; the end is included.
    known_from : int, str or Timestamp, optional
        Since when all contacts are in the table. What looks back (`is_first`, `asked_again`) is missing where
        its days reach behind it. Without it nothing is taken to lie before the table's first contact.

    Returns
    -------
    pandas.DataFrame
        One row is one contact known at `as_of`, by time: its columns (times `Int64`), `came_back` (another
        contact of the same person and topic within the days, any channel; missing while these are not over),
        `next_channel` and `next_handled_by` of that contact, `is_first` (none such before it),
        `resolved_within` (solved within the days; missing while they are not over), `first_contact_resolved`
        (of first contacts: solved and did not come back), `asked_again` (the desk's flag, and an earlier
        contact within the question days). Missing, too, without person or topic (`resolved_within`: never).

    Raises
    ------
    ValueError
        Where a column is missing.

    Notes
    -----
    Same person and same topic within 7 days, any channel; repeat information within 30 days: conventions, not
    findings. Where no contact has a time of solution, `first_contact_resolved` rests on coming back alone.

    Examples
    --------
    >>> contacts = pd.DataFrame({"contact": ["1", "2"], "customer": "a", "topic": "bill",
    ...     "opened_at": [0, 7 * DAY], "channel": ["chat", "phone"]})
    >>> linked = link_contacts(contacts, as_of=20 * DAY)
    >>> linked[["came_back", "next_channel"]].values.tolist()
    [[True, 'phone'], [False, None]]
    """
    known, moment = _read_known(contacts, as_of)
    near, asked = int(repeat_days * DAY), int(question_days * DAY)
    by = known.groupby(["customer", "topic"], dropna=True, sort=False)
    gap_after, gap_before = by["opened_at"].shift(-1) - known["opened_at"], by["opened_at"].diff()
    is_linkable = known["customer"].notna() & known["topic"].notna()
    is_over = known["opened_at"] + near <= moment
    came_back = (gap_after <= near).fillna(False).astype("boolean").where(is_linkable & is_over)
    is_first = ~(gap_before <= near).fillna(False).astype("boolean").where(is_linkable)
    again = (gap_before <= asked).fillna(False).astype("boolean").where(is_linkable)
    if known_from is not None:
        start = read_moment(known_from)
        is_first = is_first.where((known["opened_at"] - near >= start) | ~is_first.fillna(True))
        again = again.where((known["opened_at"] - asked >= start) | again.fillna(False))
    took = (known["resolved_at"] - known["opened_at"] <= near).fillna(False).astype("boolean")
    resolved = took.where(is_over)
    solved = ~came_back if known["resolved_at"].isna().all() else ~came_back & resolved
    flagged = known["repeated_question"].notna()
    follows = came_back.fillna(False).astype(bool)
    return known.assign(
        came_back=came_back,
        next_channel=by["channel"].shift(-1).where(follows, None),
        next_handled_by=by["handled_by"].shift(-1).where(follows, None),
        is_first=is_first,
        resolved_within=resolved,
        first_contact_resolved=solved.where(is_first.fillna(False)),
        asked_again=(known["repeated_question"] & again).where(again.notna() & flagged),
    )


def summarise_cases(linked: pd.DataFrame) -> pd.DataFrame:
    """Summarise each case in one row.

    Parameters
    ----------
    linked : pandas.DataFrame
        Table of `link_contacts`. A contact without a `case_id` is a case of its own.

    Returns
    -------
    pandas.DataFrame
        One row is one case: `case`, `customer`, `opened_at`, `channel`, `topic` and `handled_by` of its first
        contact, `as_of`, `n_contacts`, `n_hand_offs` (contacts of the case at which the channel, or bot and
        human, changed against the one before) and `resolved_at` (of its last contact; missing while the case
        is open). By case; row order does not matter.

    Examples
    --------
    >>> contacts = pd.DataFrame({"contact": ["1", "2"], "case_id": "x", "customer": "a",
    ...     "opened_at": [0, 5], "resolved_at": [None, 9], "channel": ["chat", "phone"]})
    >>> summarise_cases(link_contacts(contacts))[["n_contacts", "n_hand_offs", "resolved_at"]].values.tolist()
    [[2, 1, 9]]
    """
    lines = _name_cases(linked)
    by = lines.groupby("case", sort=True)
    kept = ["customer", "opened_at", "channel", "topic", "handled_by", "as_of"]
    first = by.head(1).set_index("case")[kept]
    last = by.tail(1).set_index("case")["resolved_at"]
    first_contact = first.assign(n_contacts=by.size(), n_hand_offs=by["is_hand_off"].sum().astype("int64"))
    return first_contact.assign(resolved_at=last).sort_index().reset_index()


def list_hand_offs(linked: pd.DataFrame) -> pd.DataFrame:
    """List where a case went from one channel, or from bot or human, to another.

    Parameters
    ----------
    linked : pandas.DataFrame
        Table of `link_contacts`.

    Returns
    -------
    pandas.DataFrame
        One row is one hand-off: `case`, `opened_at` (of the contact that took over), `from_channel`,
        `to_channel`, `from_handled_by`, `to_handled_by`. Nothing changes where either side is not known.

    Examples
    --------
    >>> contacts = pd.DataFrame({"contact": ["1", "2"], "case_id": "x", "opened_at": [0, 5],
    ...     "channel": ["chat", "phone"]})
    >>> list_hand_offs(link_contacts(contacts))[["from_channel", "to_channel"]].values.tolist()
    [['chat', 'phone']]
    """
    lines = _name_cases(linked)
    moved = lines[lines["is_hand_off"]]
    names = {"channel": "to_channel", "handled_by": "to_handled_by"}
    columns = ["case", "opened_at", "from_channel", "to_channel", "from_handled_by", "to_handled_by"]
    return moved.rename(columns=names)[columns].reset_index(drop=True)


def read_moment(moment: int | str | pd.Timestamp) -> int:
    """Read an instant as microseconds UTC.

    Parameters
    ----------
    moment : int, str or Timestamp
        Microseconds UTC, or a time; without a zone it is UTC.

    Returns
    -------
    int
        Microseconds since 1970.

    Examples
    --------
    >>> read_moment("1970-01-02") == read_moment("1970-01-02 01:00+01:00") == DAY
    True
    """
    if isinstance(moment, (int, np.integer)):
        return int(moment)
    stamp = pd.Timestamp(moment)
    utc = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return int((utc - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(microseconds=1))


def _read_known(contacts: pd.DataFrame, as_of: int | str | pd.Timestamp | None) -> tuple[pd.DataFrame, int]:
    """Take what was known by then, in order, with all columns and plain types."""
    missing = [column for column in ("contact", "opened_at") if column not in contacts]
    if missing:
        raise ValueError(f"service contacts lack the column(s) {', '.join(missing)}")
    known = contacts.reindex(columns=list(dict.fromkeys([*contacts.columns, *_TEXTS, *_TIMES])))
    known = known.assign(**{column: _read_times(known[column]) for column in _TIMES})
    known = known.assign(**{column: _read_texts(known[column]) for column in _TEXTS})
    flag = contacts.get("repeated_question", pd.Series(pd.NA, index=contacts.index))
    known["repeated_question"] = flag.astype("Float64").astype("boolean")
    if known["opened_at"].isna().any():
        raise ValueError("opened_at is missing in some service contacts; set them aside first")
    last = max((int(known[column].max()) for column in _TIMES if known[column].notna().any()), default=0)
    moment = last if as_of is None else read_moment(as_of)
    known = known[known["opened_at"] <= moment]
    for column in ("first_response_at", "resolved_at"):
        known[column] = known[column].where(known[column] <= moment)
    known = known.sort_values(["opened_at", "contact"], kind="stable", ignore_index=True)
    return known.assign(as_of=moment), moment


def _read_times(times: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(times.dtype):
        utc = pd.to_datetime(times, utc=True).astype("datetime64[us, UTC]")
        return utc.astype("int64").astype("Int64").mask(times.isna())
    return times.astype("Float64").astype("Int64") if times.dtype == object else times.astype("Int64")


def _read_texts(texts: pd.Series) -> pd.Series:
    return texts.astype("object").where(texts.notna(), None)


def _name_cases(linked: pd.DataFrame) -> pd.DataFrame:
    """Name each contact's case, and what changed against the contact before it in the case."""
    alone = "contact " + linked["contact"].astype(str)
    lines = linked.assign(case=linked["case_id"].where(linked["case_id"].notna(), alone))
    lines = lines.sort_values(["case", "opened_at", "contact"], kind="stable")
    changed = pd.Series(False, index=lines.index)
    for column in ("channel", "handled_by"):
        before = lines.groupby("case")[column].shift(1)
        lines[f"from_{column}"] = before
        changed |= before.notna() & lines[column].notna() & (before != lines[column])
    return lines.assign(is_hand_off=changed)
