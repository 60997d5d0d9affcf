"""What the chapters on service and on channels show, as text for a reader."""

from __future__ import annotations

import pandas as pd

from journeylib.review.wording import say_difference, say_name, say_unit

__all__ = ["present_attribution", "present_bot", "present_exposures"]

LOW_BASE = 30
_RULES = {
    "first": "First",
    "last": "Last",
    "last_non_direct": "Last, not direct",
    "linear": "All alike",
    "position": "40-20-40",
    "time_decay": "Half after 7 days",
    "markov": "Markov",
    "shapley": "Shapley",
}
_ROWS = {
    "repeat_contact_rate": "Came back within 7 days",
    "resolved_within_days": "Solved within 7 days",
}


def present_bot(
    comparison: pd.DataFrame, *, minimum_base: int = 10, titles: dict[str, str] | None = None
) -> pd.DataFrame | None:
    """Return how the bot does beside people on the same topic, as text.

    Parameters
    ----------
    comparison : DataFrame
        Of `compare_bot_with_human`.
    minimum_base : int
        Contacts below which a row is not shown.
    titles : dict, optional
        Metric to its words, for scores.

    Returns
    -------
    DataFrame or None
        Topic, What, Bot, People, Difference in points, Verdict; None where nothing can be compared.
    """
    named = _ROWS | (titles or {})
    rows = []
    for row in comparison[comparison["topic"] != ""].to_dict("records"):
        if min(row["n_bot"], row["n_human"]) < minimum_base:
            continue
        unit = "percent" if row["metric"] in _ROWS else "points"
        low, high = (say_difference(row[end], unit) for end in ("low", "high"))
        sure = row["q_value"] <= 0.05 and (row["low"] > 0 or row["high"] < 0)
        small = min(row["n_bot"], row["n_human"]) < LOW_BASE
        verdict = "higher with the bot" if row["difference"] > 0 else "lower with the bot"
        rows.append(
            {
                "Topic": say_name(row["topic"]),
                "What": named.get(row["metric"], say_name(row["metric"])),
                "Bot": f"{say_unit(row['bot'], unit)} of {row['n_bot']:,.0f}",
                "People": f"{say_unit(row['human'], unit)} of {row['n_human']:,.0f}",
                "Difference": f"{say_difference(row['difference'], unit)} ({low} to {high})",
                "Verdict": "low base, indicative"
                if small
                else verdict
                if sure
                else "can't be told from noise",
            }
        )
    return pd.DataFrame(rows).set_index("Topic") if rows else None


def present_attribution(comparison: pd.DataFrame, *, minimum_base: int = 10) -> pd.DataFrame | None:
    """Return what each channel gets under each rule, in orders, as text.

    Parameters
    ----------
    comparison : DataFrame
        Of `compare_attribution`.
    minimum_base : int
        Conversions below which nothing is shown.

    Returns
    -------
    DataFrame or None
        Channel, a column a rule, and Range; None with fewer conversions.
    """
    if comparison.empty or comparison["first"].sum() < minimum_base:
        return None
    places = ["which", "channel", "lowest", "highest", "spread", "note"]
    models = [name for name in comparison.columns if name not in places]
    rows = [
        {
            "Channel": say_name(row["channel"]),
            **{_RULES.get(name, say_name(name)): f"{row[name]:.1f}".replace("-", "−") for name in models},
            "Range": f"{row['lowest']:.1f} to {row['highest']:.1f}".replace("-", "−"),
        }
        for row in comparison.to_dict("records")
    ]
    return pd.DataFrame(rows).set_index("Channel")


def present_exposures(
    compared: pd.DataFrame, *, minimum_base: int = 10, most: int = 4
) -> pd.DataFrame | None:
    """Return what was shown to unknown people, beside where respondents first heard of us, as text.

    Parameters
    ----------
    compared : DataFrame
        Of `compare_exposures`.
    minimum_base : int
        Respondents who answered, below which shares are hidden.
    most : int
        Periods at the most, the latest.

    Returns
    -------
    DataFrame or None
        When and where, Contacts shown, Cost, Respondents who heard of us there with its interval; None
        without exposures.
    """
    if compared["shown"].notna().sum() == 0:
        return None
    places = compared.loc[compared["shown"].notna(), "touchpoint"]
    latest = sorted(set(compared["period"]))[-most:]
    shown = compared[compared["period"].isin(latest) & compared["touchpoint"].isin(places)]
    rows = []
    for row in shown.to_dict("records"):
        told = row["answered"] >= minimum_base
        low, high = say_unit(row["low"], "percent"), say_unit(row["high"], "percent")
        rows.append(
            {
                "Quarter and source": f"{row['period']}: {say_name(row['touchpoint'])}",
                "Contacts, nobody known": say_unit(row["shown"], "count"),
                "Cost": say_unit(row["cost"], "count"),
                "First heard of us there": f"{say_unit(row['share'], 'percent')} ({low} to {high})"
                if told
                else "",
                "Of": f"{row['answered']:,} who answered" if told else "",
            }
        )
    return pd.DataFrame(rows).set_index("Quarter and source")
