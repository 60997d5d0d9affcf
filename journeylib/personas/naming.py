"""Names of personas: neutral words, made from what a group does more and less than the others."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["name_persona", "say_difference", "spell_feature"]

_PLAIN = {
    "session_count": ("more sessions", "fewer sessions"),
    "active_days": ("more active days", "fewer active days"),
    "events_per_session": ("more events a session", "fewer events a session"),
    "mean_session_minutes": ("longer sessions", "shorter sessions"),
    "days_between_sessions": ("longer gaps between sessions", "shorter gaps between sessions"),
    "order_count": ("more orders", "fewer orders"),
    "contact_count": ("more contacts with service", "fewer contacts with service"),
    "weekend_share": ("more weekend sessions", "fewer weekend sessions"),
    "evening_share": ("more evening sessions", "fewer evening sessions"),
}
#: How a name begins and ends, and what is more or less of it; the first that fits.
_PATTERNS = (
    ("entry_channel_", "_share", "starts through {}"),
    ("entry_", "_share", "starts at {}"),
    ("device_", "_share", "sessions on {}"),
    ("touchpoint_", "_share", "events at {}"),
    ("", "_session_share", "sessions that reach {}"),
    ("", "_share", "events in {}"),
)


def spell_feature(feature: str) -> str:
    """Write a feature's name in words.

    Parameters
    ----------
    feature : str
        As from `build_features`, or any other column.

    Returns
    -------
    str
        The words, without more or less.

    Examples
    --------
    >>> [spell_feature(name) for name in ("evening_share", "entry_home_share", "visits")]
    ['evening sessions', 'starts at home', 'visits']
    """
    if feature in _PLAIN:
        return _PLAIN[feature][0].removeprefix("more ").removeprefix("longer ")
    for start, end, words in _PATTERNS:
        if feature.startswith(start) and feature.endswith(end):
            return words.format(feature.removeprefix(start).removesuffix(end).replace("_", " "))
    return feature.replace("_", " ")


def say_difference(feature: str, difference: float) -> str:
    """Say that a group has more or less of a feature than the other customers.

    Parameters
    ----------
    feature : str
        As from `build_features`.
    difference : float
        The standardised difference; its sign counts.

    Returns
    -------
    str
        For example `fewer evening sessions`.

    Examples
    --------
    >>> say_difference("evening_share", 1.2), say_difference("entry_home_share", -0.8)
    ('more evening sessions', 'fewer starts at home')
    """
    if feature in _PLAIN:
        return _PLAIN[feature][0 if difference > 0 else 1]
    words = spell_feature(feature)
    return f"{'more' if difference > 0 else 'fewer' if feature.endswith('_share') else 'less'} {words}"


def name_persona(differences: Sequence[tuple[str, float]]) -> str:
    """Name a persona after its largest differences.

    Parameters
    ----------
    differences : sequence of (str, float)
        Feature and standardised difference, the largest first.

    Returns
    -------
    str
        Words joined by commas; `close to the average` where there is no difference to name.

    Examples
    --------
    >>> name_persona([("evening_share", 1.2), ("order_count", -0.5)])
    'more evening sessions, fewer orders'
    >>> name_persona([])
    'close to the average'
    """
    return ", ".join(say_difference(*each) for each in differences) or "close to the average"
