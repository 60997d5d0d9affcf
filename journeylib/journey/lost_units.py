"""Lost units: who was lost at a step of a funnel, as a table for work or for a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from journeylib.journey.frames import Events
from journeylib.journey.step_times import read_step_times
from journeylib.journey.steps import parse_steps

__all__ = ["list_lost"]


def list_lost(
    events: Events,
    steps: Sequence[str],
    *,
    step: str,
    unit: str = "people",
    within: str | float | pd.Timedelta | None = None,
    period: tuple[int, int] | None = None,
    as_of: int | str | pd.Timestamp | None = None,
) -> pd.DataFrame:
    """List who was lost at a step of an ordered funnel.

    Parameters
    ----------
    events, steps, unit, within, as_of
        As for `read_step_times`.
    step : str
        The label of a step after the first.
    period : tuple of int, optional
        (start, end) in microseconds UTC, [start, end), in which the first step lies.

    Returns
    -------
    pandas.DataFrame
        One row is one unit that reached the step before and not this one, and whose window has closed:
        `customer` (`session` or `basket`), `entered_at` and `last_step_at` (`Int64` microseconds UTC). It
        holds people: it is for work (`to_csv` writes it), not for a report.

    Raises
    ------
    ValueError
        As for `count_funnel`, and where `step` is not one after the first.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": list("aab"), "occurred_at": [1, 2, 3],
    ...     "name": ["view", "buy", "view"]})
    >>> list_lost(events, ["event:view", "event:buy"], step="event:buy")["customer"].tolist()
    ['b']
    """
    labels = [each.label for each in parse_steps(steps)]
    if step not in labels[1:]:
        raise ValueError(f"step must be one after the first, {', '.join(labels[1:])}; found {step!r}")
    number = labels.index(step)
    periods = None if period is None else {"all": period}
    options: dict[str, Any] = {"unit": unit, "within": within, "periods": periods, "as_of": as_of}
    times = read_step_times(events, steps, **options)
    lost = times[(times["reached"] == number) & ~times["is_censored"]]
    key = {"people": "customer", "sessions": "session", "baskets": "basket"}[unit]
    named = {key: lost["unit"], "entered_at": lost["time_1"], "last_step_at": lost[f"time_{number}"]}
    return pd.DataFrame(named).reset_index(drop=True)
