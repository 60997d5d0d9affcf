"""The made-up exposures of TV spots and posters: touchpoints that reach people whom nobody knows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from journeylib.data.sample_draws import DAYS, FIRST_DAY
from journeylib.data.sample_files import write_cents, write_days

__all__ = ["draw_exposures"]

# Per medium: first and last month and day of each flight, people reached a day and customer, cents a contact.
_FLIGHTS = {
    "tv": ((("11-03", "12-14"), ("03-02", "03-29"), ("09-01", "09-28")), 9.0, 2.4),
    "poster": ((("04-06", "05-10"), ("09-14", "10-10")), 4.0, 0.9),
}
_TELEVISION_WEEKEND, _NOISE = 1.3, 0.15


def draw_exposures(*, customers: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the media agency's daily report; it has no row on days without a spot or poster.

    Parameters
    ----------
    customers : int
        Number of customers, by which the reach is scaled.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row is one day of one medium, all columns text: `date`, `medium`, `contacts` (people reached),
        `spend_eur`.

    Examples
    --------
    >>> draw_exposures(customers=100, rng=np.random.default_rng(0))["medium"].unique().tolist()
    ['poster', 'tv']
    """
    calendar = pd.date_range(FIRST_DAY, periods=DAYS)
    month_day = calendar.strftime("%m-%d").to_numpy().astype("str")
    found = []
    for medium, (flights, reach, cost) in _FLIGHTS.items():
        runs = np.zeros(DAYS, dtype=bool)
        for first, last in flights:
            runs |= (month_day >= first) & (month_day <= last)
        days = np.flatnonzero(runs)
        level = np.where((calendar.day_of_week[days] >= 5) & (medium == "tv"), _TELEVISION_WEEKEND, 1.0)
        contacts = np.rint(reach * customers * level * rng.lognormal(0.0, _NOISE, len(days))).astype("int64")
        found.append(
            pd.DataFrame({"day": days, "medium": medium, "contacts": contacts, "cents": contacts * cost})
        )
    rows = pd.concat(found).sort_values(["day", "medium"], kind="stable")
    return pd.DataFrame(
        {
            "date": write_days(rows["day"].to_numpy()),
            "medium": rows["medium"].to_numpy(),
            "contacts": rows["contacts"].astype("str").to_numpy(),
            "spend_eur": write_cents(np.rint(rows["cents"].to_numpy()).astype("int64")),
        }
    ).astype("str")
