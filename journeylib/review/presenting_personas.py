"""What the chapter on personas shows: text tables for a reader, and sentences made from the numbers."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from journeylib.personas.stability import judge_stability
from journeylib.review.metrics import METRICS
from journeylib.review.presenting import hide_small_bases
from journeylib.review.wording import say_unit

__all__ = [
    "present_choice",
    "present_differences",
    "present_personas",
    "present_persona_scores",
    "say_features",
    "say_mixture",
    "say_personas",
]


def say_features(
    features: pd.DataFrame, *, dropped: pd.DataFrame | None = None, minimum_base: int = 10
) -> str:
    """Return in words how many customers and features there are, and what was left out.

    Parameters
    ----------
    features : DataFrame
        One row a customer, of `build_features`.
    dropped : DataFrame or None
        `dropped_` of the `FeaturePreparer`.
    minimum_base : int
        A smaller number of customers is not written.

    Returns
    -------
    str
        Markdown.
    """
    counts = [len(features), *(features.attrs.get(f"customers_{name}", 0) for name in ("seen", "left_out"))]
    used, seen, left_out = (
        f"fewer than {minimum_base}" if 0 < count < minimum_base else f"{count:,}" for count in counts
    )
    least = features.attrs.get("min_sessions", 1)
    lines = [
        f"- Of {seen} customers with a session, **{used}** have {least} or more and are put into groups; "
        f"{left_out} have fewer and are left out."
    ]
    if dropped is not None:
        why = dropped["why"].value_counts()
        lines.append(
            f"- Of {features.shape[1]} features **{features.shape[1] - len(dropped)}** are used; "
            f"{why.get('near constant', 0)} hardly vary, {why.get('repeats', 0)} repeat another."
        )
    return "\n".join(lines)


def say_mixture(mixture: pd.Series) -> str:
    """Return in words how far a second method agrees.

    Parameters
    ----------
    mixture : Series
        Of `compare_with_mixture`; empty where there are no groups.

    Returns
    -------
    str
        One sentence.
    """
    if mixture.empty or pd.isna(mixture["adjusted_rand"]):
        return "Without groups there is nothing to compare."
    return (
        f"The mixture puts {say_unit(100 * mixture['share_alike'], 'percent')} of {mixture['n']:,.0f} "
        f"customers into the matching group; the adjusted Rand index is {mixture['adjusted_rand']:.2f} "
        "(1: the same groups, 0: no more alike than by chance)."
    )


def present_choice(choice: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of groups that were tried, as text.

    Parameters
    ----------
    choice : DataFrame
        `choice_` of the `PersonaClusterer`; may be empty.

    Returns
    -------
    DataFrame
        One row a number: Groups, Smallest share, Lowest stability, Gap, Silhouette, and whether the rule
        trusts and chooses it.
    """
    names = ["Groups", "Smallest", "Lowest stability", "Gap to permuted", "Silhouette", "Trusted", "Chosen"]
    rows = [
        [
            f"{row['n_clusters']:.0f}",
            say_unit(100 * row["smallest_share"], "percent"),
            f"{row['lowest_jaccard']:.2f}",
            f"{row['gap']:.3f} ± {row['gap_error']:.3f}",
            f"{row['silhouette']:.2f}",
            "yes" if row["is_trusted"] else "no",
            "yes" if row["is_chosen"] else "",
        ]
        for row in choice.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=names).set_index("Groups")


def present_personas(table: pd.DataFrame, journeys: pd.DataFrame) -> pd.DataFrame:
    """Return the personas as cards in rows: who, how many, how stable, how their sessions typically begin.

    Parameters
    ----------
    table : DataFrame
        Of `describe_personas`, with stability; may be empty.
    journeys : DataFrame
        Of `count_journeys`, which leaves out journeys that few share.

    Returns
    -------
    DataFrame
        One row a persona, as text.
    """
    rows = []
    for row in table.to_dict("records"):
        shared = journeys[journeys["persona"] == row["persona"]].head(1).to_dict("records")
        told = "none that enough of them share"
        for journey in shared:
            words = str(journey["journey"]).replace("_", " ")
            told = f"{words}, {say_unit(journey['share'], 'percent')} of them"
            if pd.notna(journey["share_rest"]):
                told += f" (others {say_unit(journey['share_rest'], 'percent')})"
        rows.append(
            {
                "Persona": f"{row['cluster'] + 1}: {row['persona']}",
                "Customers": f"{row['n']:,}",
                "Share": say_unit(row["share"], "percent"),
                "95 % interval": f"{say_unit(row['low'], 'percent')} to {say_unit(row['high'], 'percent')}",
                "Comes again (Jaccard)": f"{row['stability']:.2f}, {judge_stability(row['stability'])}",
                "How most begin a session": told,
            }
        )
    columns = ["Persona", "Customers", "Share", "95 % interval", "Comes again (Jaccard)"]
    return pd.DataFrame(rows, columns=[*columns, "How most begin a session"]).set_index("Persona")


def present_differences(differences: pd.DataFrame, *, most: int = 5) -> pd.DataFrame:
    """Return what each persona does more and less, as text, with medians.

    Parameters
    ----------
    differences : DataFrame
        Of `compare_features`; may be empty.
    most : int
        Features a persona.

    Returns
    -------
    DataFrame
        One row a difference: Persona, What, Median, Median of the others, Difference in standard deviations.
    """
    rows = []
    for row in differences.groupby("cluster").head(most).to_dict("records") if len(differences) else []:
        rows.append(
            {
                "Persona": f"{row['cluster'] + 1}",
                "What": row["words"],
                "Median": f"{row['median']:.3g}",
                "Median of the others": f"{row['median_rest']:.3g}",
                "Standard deviations": f"{row['difference']:+.1f}".replace("-", "−"),
            }
        )
    columns = ["Persona", "What", "Median", "Median of the others", "Standard deviations"]
    return pd.DataFrame(rows, columns=columns).set_index("Persona")


def present_persona_scores(
    scores: pd.DataFrame, answered: pd.DataFrame, table: pd.DataFrame, *, minimum_base: int = 10
) -> pd.DataFrame:
    """Return the survey's scores by persona as text, with how many of the persona's customers answered.

    Parameters
    ----------
    scores : DataFrame
        Of `score_personas`; may be empty.
    answered : DataFrame
        Of `count_answered`; may be empty.
    table : DataFrame
        Of `describe_personas`; gives the personas' numbers.
    minimum_base : int
        Respondents below which a score is hidden.

    Returns
    -------
    DataFrame
        One row a persona: Answered (customers, percent), then a column a score with interval and respondents.
    """
    if scores.empty or table.empty:
        return pd.DataFrame(columns=["Persona", "Answered"]).set_index("Persona")
    shown = hide_small_bases(scores, minimum_base=minimum_base)
    shown = shown[(shown["which"] == "reviewed") & (shown["item"].fillna("") == "")]
    counts = answered.set_index("persona")
    rows = []
    for persona in table.to_dict("records"):
        count = counts.loc[persona["persona"]]
        share = say_unit(count["coverage"], "percent")
        cells = {"Persona": f"{persona['cluster'] + 1}: {persona['persona']}"}
        cells["Answered"] = f"{count['answered']:,} of {count['customers']:,}, {share}"
        if count["answered"] < minimum_base:
            cells["Answered"] = f"fewer than {minimum_base}"
        for row in shown[shown["persona"] == persona["persona"]].to_dict("records"):
            cells[METRICS[row["metric"]].title] = _say_score(row, minimum_base)
        rows.append(cells)
    return pd.DataFrame(rows).set_index("Persona").fillna("–")


def _say_score(row: dict[Hashable, Any], minimum_base: int) -> str:
    """Write one score with its interval and base."""
    if pd.isna(row["value"]):
        return f"fewer than {minimum_base}"
    unit = METRICS[row["metric"]].unit
    interval = f"{say_unit(row['low'], unit)} to {say_unit(row['high'], unit)}"
    base = f"n {int(row['n']):,}" + (", low base" if row["n"] < 30 else "")
    return f"{say_unit(row['value'], unit)} ({interval}, {base})"


def say_personas(table: pd.DataFrame, *, reason: str) -> str:
    """Return what the chapter found as Markdown bullets with numbers.

    Parameters
    ----------
    table : DataFrame
        Of `describe_personas`; empty where there are no groups.
    reason : str
        Why so many groups, or none.

    Returns
    -------
    str
        Markdown.
    """
    lines = [
        f"- **{row['persona'][0].upper()}{row['persona'][1:]}**: {say_unit(row['share'], 'percent')} "
        f"(95 % interval {say_unit(row['low'], 'percent')} to {say_unit(row['high'], 'percent')}, "
        f"{row['n']:,} customers)"
        for row in table.head(3).to_dict("records")
    ]
    return "\n".join(lines) or f"- {reason}"
