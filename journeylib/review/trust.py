"""What a reader may want to know before relying on the numbers: gates, freshness, files."""

from __future__ import annotations

import pandas as pd

from journeylib.review.chapter import Review
from journeylib.review.reliability import say_day

__all__ = ["list_freshness", "list_gates", "list_sources"]


def list_gates(review: Review) -> pd.DataFrame:
    """Return the gates as text: one row a gate.

    Parameters
    ----------
    review : Review
        The open review.

    Returns
    -------
    DataFrame
        Gate, Found (percent), Allowed (percent), Passed.
    """
    gates = review.settings["reliability"]["gates"]
    rows = [
        [
            str(gate["gate"]).replace("_", " "),
            f"{gate['percent']:.2f} %",
            f"{gate['limit']:g} %",
            "yes" if gate["passed"] else "no",
        ]
        for gate in gates
    ]
    return pd.DataFrame(rows, columns=["Gate", "Found", "Allowed", "Passed"]).set_index("Gate")


def list_freshness(review: Review) -> pd.DataFrame:
    """Return what each source covers as text: one row a table and period.

    Parameters
    ----------
    review : Review
        The open review.

    Returns
    -------
    DataFrame
        Source and period, Rows, First, Last, Fully covered.
    """
    rows = []
    for table, found in review.settings["coverage"].items():
        for which, period in review.periods.items():
            one = found[which]
            days = [
                say_day(one[name], period.timezone) if one[name] is not None else "–"
                for name in ("first_us", "last_us")
            ]
            rows.append(
                [
                    f"{table.replace('_', ' ')}, {period.label}",
                    f"{one['rows']:,}",
                    *days,
                    "yes" if one["covered"] else f"no: {one['why']}",
                ]
            )
    columns = ["Source and period", "Rows", "First", "Last", "Fully covered"]
    return pd.DataFrame(rows, columns=columns).drop_duplicates().set_index("Source and period")


def list_sources(review: Review) -> pd.DataFrame:
    """Return the files that were read as text: one row a file.

    Parameters
    ----------
    review : Review
        The open review.

    Returns
    -------
    DataFrame
        File, Table, Rows, Fingerprint (the start of its SHA-256).
    """
    inputs = review.tables.facts["inputs"]
    rows = [
        [one["file"], str(one["table"]).replace("_", " "), f"{one['rows']:,}", one["sha256"][:12]]
        for one in inputs
    ]
    return pd.DataFrame(rows, columns=["File", "Table", "Rows", "Fingerprint"]).set_index("File")
