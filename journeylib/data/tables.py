"""The tables of the kit and the kind of each of their columns: the contract between exports and analysis."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FILE_KEYS", "ROLES", "SCORED_ROLES", "SEGMENT_ROLES", "STAGES", "TABLES", "Column", "Table"]

STAGES = ("awareness", "consideration", "decision", "post-purchase")

ROLES = (
    "nps",
    "csat",
    "ces",
    "expectation",
    "perception",
    "importance",
    "need",
    "problem",
    "heard_from",
    "comment",
    "weight",
    "language",
    "country",
    "segment",
    "attention",
    "seconds",
    "respondent",
    "answered_at",
    "customer",
)
SCORED_ROLES = ("nps", "csat", "ces", "expectation", "perception", "importance")
SEGMENT_ROLES = ("segment", "problem", "language", "country")

FILE_KEYS = ("path", "format", "encoding", "separator", "date_format", "timezone", "columns")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    kind : str
        ``text``, ``time``, ``number``, ``integer``, ``flag`` or ``id`` (an id becomes a pseudonym).
    required : bool
        Whether a source must have the column, and each of its rows a value in it.
    unique : bool
        Whether a value may stand only once; later rows are set aside as ``duplicate_<column>``.
    lowest : float or None
        The smallest value that is accepted in a number column.
    values : tuple of str
        The codes that are known, lower case; empty where any text is accepted.
    """

    kind: str = "text"
    required: bool = False
    unique: bool = False
    lowest: float | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: what one row is, its columns, and the time by which a row falls into a period."""

    one_row: str
    columns: dict[str, Column]
    time: str = ""
    segments: bool = False


_TIME, _ID, _NUMBER = Column("time"), Column("id"), Column("number")

TABLES: dict[str, Table] = {
    "events": Table(
        "one thing that a customer did or met",
        {
            "event_id": Column(unique=True),
            "customer": _ID,
            "device_id": _ID,
            "signed_in_as": _ID,
            "occurred_at": Column("time", required=True),
            "received_at": _TIME,
            "precision": Column(values=("second", "day")),
            "sequence": Column("integer"),
            "session_given": Column(),
            "name": Column(required=True),
            "touchpoint": Column(),
            "stage": Column(),
            "channel": Column(),
            "online": Column("flag"),
            "device_type": Column(),
            "user_agent": Column(),
            "campaign": Column(),
            "basket": Column(),
            "value": _NUMBER,
        },
        time="occurred_at",
        segments=True,
    ),
    "exposures": Table(
        "one day of a touchpoint that reaches no known person",
        {
            "day": Column("time", required=True),
            "touchpoint": Column(required=True),
            "reached": Column("number", lowest=0),
            "cost": Column("number", lowest=0),
        },
        time="day",
    ),
    "orders": Table(
        "one order",
        {
            "order": Column(required=True, unique=True),
            "customer": _ID,
            "ordered_at": Column("time", required=True),
            "revenue": Column("number", lowest=0),
            "returned": Column("flag"),
            "product": Column(),
        },
        time="ordered_at",
        segments=True,
    ),
    "service_contacts": Table(
        "one contact with service",
        {
            "contact": Column(required=True, unique=True),
            "case_id": Column(),
            "customer": _ID,
            "opened_at": Column("time", required=True),
            "first_response_at": _TIME,
            "resolved_at": _TIME,
            "channel": Column(),
            "handled_by": Column(values=("bot", "human")),
            "topic": Column(),
            "repeated_question": Column("flag"),
        },
        time="opened_at",
    ),
    "customers": Table(
        "one person",
        {
            "customer": Column("id", required=True, unique=True),
            "region": Column(),
            "joined_at": _TIME,
            "left_at": _TIME,
            "leave_reason": Column(),
        },
        segments=True,
    ),
    "consents": Table(
        "one decision of one person",
        {
            "customer": Column("id", required=True),
            "purpose": Column(required=True),
            "granted_at": _TIME,
            "withdrawn_at": _TIME,
        },
        time="granted_at",
    ),
}
