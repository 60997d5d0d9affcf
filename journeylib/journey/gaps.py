"""How much the number of sessions depends on the gap that parts them."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.journey.engine import collect_table
from journeylib.journey.frames import Events, open_events
from journeylib.journey.sessions import split_into_sessions

__all__ = ["count_sessions"]

GAPS = (15, 30, 60)
_MEANS = ("events_per_session", "single_event_share")


def count_sessions(events: Events, *, gap_minutes: Sequence[float] = GAPS) -> pd.DataFrame:
    """Count sessions for several gaps, since 30 minutes is a convention and not a finding.

    Parameters
    ----------
    events : pandas.DataFrame, path to Parquet, DuckDB relation, Spark DataFrame or narwhals LazyFrame
        One row is one event; see `split_into_sessions`. Row order does not matter.
    gap_minutes : sequence of float
        Minutes of silence, more than which start a new session.

    Returns
    -------
    pandas.DataFrame
        One row is one gap: ``gap_minutes``, ``sessions``, ``events_per_session`` (mean) and
        ``single_event_share`` (percent of sessions with one event). Sessions never rise with the gap.

    Raises
    ------
    ArgumentError
        Where a column is missing.

    Examples
    --------
    >>> events = pd.DataFrame({"customer": "a", "occurred_at": [0, 1_200_000_000], "name": "view"})
    >>> count_sessions(events)[["gap_minutes", "sessions"]].values.tolist()
    [[15, 2], [30, 1], [60, 1]]
    """
    rows = []
    for gap in gap_minutes:
        frame = open_events(split_into_sessions(events, gap_minutes=gap), required=["session"])
        each = frame.group_by("session").agg(nw.len().cast(nw.Int64).alias("events"))
        alone = nw.when(nw.col("events") == 1).then(1).otherwise(0).cast(nw.Int64).alias("alone")
        sums = [nw.col("events").sum().alias("events"), nw.col("alone").sum().alias("alone")]
        flagged = each.with_columns(alone)
        found = collect_table(flagged.select(nw.len().cast(nw.Int64).alias("sessions"), *sums)).iloc[0]
        sessions = int(found["sessions"])
        shares = [float(found["events"] or 0), 100.0 * float(found["alone"] or 0)] if sessions else [0.0, 0.0]
        means = [share / max(sessions, 1) for share in shares]
        rows.append({"gap_minutes": gap, "sessions": sessions} | dict(zip(_MEANS, means, strict=True)))
    return pd.DataFrame(rows)
