"""Exposures: what was shown to unknown people, beside where those who answered first heard of the company."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.evidence.intervals import wilson_interval

__all__ = ["compare_exposures"]

_SPANS = {"month": "M", "quarter": "Q"}
_COLUMNS = ["period", "touchpoint", "shown", "cost", "heard", "answered", "share", "low", "high"]


def compare_exposures(
    exposures: pd.DataFrame,
    heard: pd.DataFrame,
    *,
    span: str = "quarter",
    names: Mapping[str, str] | None = None,
    time_zone: str = "UTC",
) -> pd.DataFrame:
    """Put exposures beside the share of respondents who say that they heard from there.

    Parameters
    ----------
    exposures : pandas.DataFrame
        One row is one day of a touchpoint that reaches no known person: `day` (a time, or int64 microseconds
        UTC), `touchpoint`, and where they are known `reached` (contacts) and `cost` (money).
    heard : pandas.DataFrame
        One row is one answer to 'where did you first hear of us': `answered_at` (as `day`) and `source`.
        Without an answer or a time a row is left out. May be empty.
    span : str, default "quarter"
        `month` or `quarter`.
    names : mapping, optional
        Source to the touchpoint that it names; else a source is a touchpoint of the same name, whatever its
        capitals and underscores.
    time_zone : str, default "UTC"
        The zone whose months and quarters are meant.

    Returns
    -------
    pandas.DataFrame
        One row is one touchpoint in one month or quarter: `period`, `touchpoint`, `shown` (contacts), `cost`,
        `heard` (respondents who name it), `answered` (respondents who name anything), `share` (percent) with
        `low` and `high` (Wilson). Numbers that nobody gave are missing. By period, then name.

    Raises
    ------
    ArgumentError
        Where a column is missing or `span` is unknown.

    Notes
    -----
    Neither is joined to persons, and one does not prove the other: who heard this quarter may have been
    reached long before.

    Examples
    --------
    >>> shown = pd.DataFrame({"day": pd.to_datetime(["2026-07-01"]), "touchpoint": "tv", "reached": 900})
    >>> heard = pd.DataFrame({"answered_at": pd.to_datetime(["2026-08-01"] * 2), "source": ["TV", "friends"]})
    >>> compare_exposures(shown, heard)[["period", "touchpoint", "shown", "heard", "share"]].values.tolist()
    [['2026Q3', 'friends', nan, 1, 50.0], ['2026Q3', 'tv', 900.0, 1, 50.0]]
    """
    if span not in _SPANS:
        raise ArgumentError(f"span must be month or quarter, found {span!r}")
    for table, needed in ((exposures, {"day", "touchpoint"}), (heard, {"answered_at", "source"})):
        if missing := sorted(needed - set(table.columns)):
            raise ArgumentError(f"the table lacks the column(s) {', '.join(missing)}")
    shown = exposures.assign(period=_name_periods(exposures["day"], span, time_zone))
    shown = shown.assign(**{name: shown.get(name, float("nan")) for name in ("reached", "cost")})
    shown = shown.assign(touchpoint=shown["touchpoint"].map(_fold))
    sums = shown.groupby(["period", "touchpoint"])[["reached", "cost"]].sum(min_count=1)
    told = heard.dropna(subset=["answered_at", "source"])
    told = told.assign(period=_name_periods(told["answered_at"], span, time_zone))
    known = {_fold(source): _fold(name) for source, name in (names or {}).items()}
    places = told["source"].map(_fold).map(lambda source: known.get(source, source))
    counted = told.assign(touchpoint=places).groupby(["period", "touchpoint"]).size().rename("heard")
    both = sums.rename(columns={"reached": "shown"}).join(counted, how="outer").reset_index()
    answered = told["period"].value_counts()
    both["answered"] = both["period"].map(answered).fillna(0).astype("int64")
    both["heard"] = both["heard"].fillna(0).astype("int64")
    share = (100 * both["heard"] / both["answered"]).where(both["answered"] > 0)
    low, high = wilson_interval(both["heard"].to_numpy(float), both["answered"].to_numpy(float))
    both = both.assign(share=share, low=100 * low, high=100 * high)
    return both.sort_values(["period", "touchpoint"], ignore_index=True)[_COLUMNS]


def _fold(name: object) -> str:
    """Write a name so that capitals and underscores make no difference."""
    return str(name).strip().casefold().replace("_", " ")


def _name_periods(times: pd.Series, span: str, time_zone: str) -> pd.Series:
    """Name the month or quarter of each time, in a zone."""
    whole = pd.api.types.is_integer_dtype(times.dtype) or pd.api.types.is_float_dtype(times.dtype)
    moments = pd.to_datetime(times, unit="us", utc=True) if whole else pd.to_datetime(times, utc=True)
    local = moments.dt.tz_convert(time_zone).dt.tz_localize(None)
    return local.dt.to_period(_SPANS[span]).astype("str")
