"""Journeys: what one customer did, event by event, as a picture."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from journeylib.figures.alt_text import set_alt_text, spell_name, write_nothing_to_show
from journeylib.figures.theme import COLOURS, HAIRLINE, INK, QUIET, SMALL_POINTS, make_axes, write_heading

__all__ = ["plot_journey"]


def plot_journey(journey: pd.DataFrame, *, most: int = 40, ax: Axes | None = None) -> Axes:
    r"""Draw one customer's journey: a row a touchpoint, a column an event, sessions parted by lines.

    Parameters
    ----------
    journey : pandas.DataFrame
        Table of `list_journey`: one row is one event in its order; `session`, `occurred_at`,
        `minutes_since_last`, and `touchpoint` (else `name` is drawn).
    most : int, default 40
        Events to draw, the first ones; how many more there are is said.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib.axes.Axes
        One mark an event, joined in their order; rows in the order in which they were first met. The day
        stands above each session. Not for a report: it shows a person.

    Raises
    ------
    ValueError
        Where a column is missing.

    Examples
    --------
    >>> moments = pd.to_datetime(["2026-01-01 10:00", "2026-01-01 10:01", "2026-01-03 09:00"])
    >>> journey = pd.DataFrame({"session": [1, 1, 2], "occurred_at": moments,
    ...     "minutes_since_last": [None, 1.0, 2819.0], "touchpoint": ["page", "basket", "till"]})
    >>> plot_journey(journey).get_title(loc="left")
    '3 events in 2 sessions from 1 January to 3 January 2026, from page to till'
    """
    missing = {"session", "occurred_at"} - set(journey.columns)
    if missing or not {"touchpoint", "name"} & set(journey.columns):
        lacks = ", ".join(sorted(missing)) or "touchpoint"
        raise ValueError(f"The journey lacks {lacks}; use list_journey.")
    if journey.empty:
        return write_nothing_to_show(ax, "No journey to show: this customer has no event.")
    shown = journey.head(most).reset_index(drop=True)
    places = _name_places(shown)
    rows = {name: number for number, name in enumerate(dict.fromkeys(places))}
    axes = make_axes(ax, labels=list(rows), row_inches=0.3)
    heights = places.map(rows)
    axes.plot(range(len(shown)), heights, color=COLOURS["before"], linewidth=1, zorder=1)
    axes.scatter(range(len(shown)), heights, s=46, color=COLOURS["now"], zorder=2)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -1.1)
    axes.set_xlim(-0.7, len(shown) - 0.3)
    axes.set_xticks([])
    axes.set_xlabel("Events in their order; a line parts sessions")
    _mark_sessions(axes, shown)
    title = _say_journey(journey, places)
    write_heading(axes, title)
    more = f" {len(journey) - len(shown)} later events are not drawn." if len(journey) > len(shown) else ""
    told = "; ".join(_say_events(shown, places))
    return set_alt_text(axes, f"One customer's journey as dots in their order. {title}. {told}.{more}")


def _name_places(journey: pd.DataFrame) -> pd.Series:
    """Name where each event took place; an event without a touchpoint has its own name."""
    named = journey["touchpoint"] if "touchpoint" in journey else pd.Series(pd.NA, journey.index)
    if "name" in journey:
        named = named.where(named.notna() & (named != ""), journey["name"])
    return named.fillna("(unmapped)").map(spell_name)


def _mark_sessions(axes: Axes, shown: pd.DataFrame) -> None:
    """Part the sessions by lines, and write the day above each that has room for it."""
    starts = shown.index[shown["session"] != shown["session"].shift()]
    free = -1.0
    for place in starts:
        if place:
            axes.axvline(place - 0.5, color=HAIRLINE, linewidth=1.2, zorder=0)
        if place >= free:
            day = _say_day(shown["occurred_at"][place])
            axes.text(place - 0.4, -0.75, day, fontsize=SMALL_POINTS, color=QUIET, va="center", clip_on=False)
            free = place + max(len(shown), 8) * 0.115
    axes.tick_params(axis="y", labelcolor=INK)


def _say_day(moment: pd.Timestamp, *, year: bool = False) -> str:
    return f"{moment.day} {moment:%B}" + (f" {moment.year}" if year else "")


def _say_journey(journey: pd.DataFrame, places: pd.Series) -> str:
    """Make the title from the numbers."""
    first, last = journey["occurred_at"].iloc[0], journey["occurred_at"].iloc[-1]
    events, sessions = len(journey), journey["session"].nunique()
    counts = f"{events} event{'s' if events > 1 else ''} in {sessions} session{'s' if sessions > 1 else ''}"
    end = spell_name(_name_places(journey).iloc[-1])
    if first.date() == last.date():
        return f"{counts} on {_say_day(first, year=True)}, from {places.iloc[0]} to {end}"
    begin = _say_day(first, year=first.year != last.year)
    return f"{counts} from {begin} to {_say_day(last, year=True)}, from {places.iloc[0]} to {end}"


def _say_events(shown: pd.DataFrame, places: pd.Series) -> list[str]:
    """Say each session in words."""
    told = []
    for number, own in shown.groupby("session", sort=False):
        names = ", ".join(places[own.index])
        told.append(f"session {number} on {_say_day(own['occurred_at'].iloc[0])}: {names}")
    return told
