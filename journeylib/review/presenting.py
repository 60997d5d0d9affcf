"""What chapters show: measure tables as text with small bases hidden, and sentences made from the numbers."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from journeylib.evidence.suppression import suppress_small_bases
from journeylib.review.metrics import METRICS, list_metrics
from journeylib.review.wording import find_shape, say_place, say_unit

__all__ = [
    "concat_measures",
    "hide_small_bases",
    "list_definitions",
    "present_coverage",
    "present_measures",
    "present_rows",
    "present_splits",
    "say_measures",
]

TEXTS = ["metric", "stage", "touchpoint", "persona", "segment", "item", "unit_of_analysis", "which"]
NUMBERS = ["value", "low", "high", "n", "n_effective"]
PERIODS = {"reviewed": "Now", "previous": "Before", "year_ago": "A year before"}


def concat_measures(*tables: pd.DataFrame) -> pd.DataFrame:
    """Return measure tables below each other; missing places are empty text.

    Parameters
    ----------
    *tables : DataFrame
        Measure tables, also empty ones, also none.

    Returns
    -------
    DataFrame
        One row is one metric of one place in one period.
    """
    filled = [table for table in tables if len(table)]
    whole = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=[*TEXTS, *NUMBERS])
    for name in TEXTS:
        whole[name] = whole[name].fillna("").astype("str") if name in whole else ""
    return whole


def hide_small_bases(measures: pd.DataFrame, *, minimum_base: int = 10) -> pd.DataFrame:
    """Return a measure or funnel table with the numbers on small bases hidden, as the review shows them.

    Parameters
    ----------
    measures : DataFrame
        A measure table, or a table of `count_funnel`.
    minimum_base : int
        Units below which a number is hidden.

    Returns
    -------
    DataFrame
        Same rows; hidden numbers are missing.
    """
    if "metric" in measures:
        return suppress_small_bases(measures, minimum_base=minimum_base)
    small = measures["n"].between(1, minimum_base - 1) | (measures["entrants"] < minimum_base)
    shown = measures.copy()
    hidden = [
        "n",
        "conversion",
        "low",
        "high",
        "step_conversion",
        "step_low",
        "step_high",
        "drop_off",
        "drop_off_low",
        "drop_off_high",
        "lost",
    ]
    shown[hidden] = shown[hidden].astype("float64").mask(small)
    return shown


def present_measures(
    measures: pd.DataFrame, *, minimum_base: int = 10, most: int | None = None
) -> pd.DataFrame:
    """Return a measure table as text for a reader: one row is one measure, the periods side by side.

    Parameters
    ----------
    measures : DataFrame
        A measure table.
    minimum_base : int
        Units below which a number is hidden.
    most : int or None
        Rows at the most; None shows all.

    Returns
    -------
    DataFrame
        What, Now, 95 % interval, n, and Before and A year before where those periods were measured.
    """
    shown = hide_small_bases(measures, minimum_base=minimum_base).copy()
    for name in ("stage", "touchpoint", "segment", "item"):
        shown[name] = shown[name].fillna("").astype("str") if name in shown else ""
    shown["unit"] = shown["metric"].map({name: metric.unit for name, metric in METRICS.items()})
    keys = ["metric", "stage", "touchpoint", "segment", "item", "unit_of_analysis"]
    now = shown[shown["which"] == "reviewed"]
    values = [shown.loc[shown["which"] == which, "value"].tolist() for which in ("previous", "year_ago")]
    earlier = ["previous"] if values[0] == values[1] else ["previous", "year_ago"]  # for a year they are one
    rows = []
    for _, row in now.head(most or len(now)).iterrows():
        unit = find_shape(row["metric"], row["unit"])
        hidden = pd.isna(row["value"])
        cells = {
            "What": say_place(row),
            "Now": "fewer than " + str(minimum_base) if hidden else say_unit(row["value"], unit),
            "95 % interval": ""
            if hidden
            else f"{say_unit(row['low'], unit)} to {say_unit(row['high'], unit)}",
            "n": "" if hidden else f"{int(row['n']):,}" + (" (low base)" if row["n"] < 30 else ""),
        }
        for which in earlier:
            if (shown["which"] == which).any():
                same = shown[(shown["which"] == which) & (shown[keys] == row[keys]).all(axis=1)]
                cells[PERIODS[which]] = say_unit(same["value"].iloc[0], unit) if len(same) else "–"
        rows.append(cells)
    return _drop_index(
        pd.DataFrame(rows) if rows else pd.DataFrame(columns=["What", "Now", "95 % interval", "n"])
    )


def _drop_index(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose first column is its row heading, so that a reader sees no row numbers."""
    return table.set_index(table.columns[0]) if len(table.columns) else table


def say_measures(measures: pd.DataFrame, *, minimum_base: int = 10, most: int = 3) -> str:
    """Return what a chapter found as Markdown bullets with numbers.

    Parameters
    ----------
    measures : DataFrame
        The measures to tell, the most important first.
    minimum_base : int
        Units below which a number is hidden.
    most : int
        Bullets at the most.

    Returns
    -------
    str
        Markdown; a sentence where nothing could be measured.
    """
    shown = hide_small_bases(measures, minimum_base=minimum_base)
    shown = shown[(shown["which"] == "reviewed") & shown["value"].notna()].reset_index(drop=True)
    for name in ("stage", "touchpoint", "segment", "item"):
        shown[name] = shown[name].fillna("").astype("str") if name in shown else ""
    lines = []
    for _, row in shown.head(most).iterrows():
        unit = find_shape(row["metric"], METRICS[row["metric"]].unit)
        low, high = say_unit(row["low"], unit), say_unit(row["high"], unit)
        interval = f"95 % interval {low} to {high}, n {int(row['n']):,}"
        lines.append(f"- **{say_place(row)}**: {say_unit(row['value'], unit)} ({interval})")
    return "\n".join(lines) or "- Nothing could be measured in this period."


def present_rows(waterfall: pd.DataFrame) -> pd.DataFrame:
    """Return the waterfall of rows as text: one row a source, and what became of its rows.

    Parameters
    ----------
    waterfall : DataFrame
        table, source, step, rule, rows.

    Returns
    -------
    DataFrame
        Source, Rows in, Used, Set aside, Left out, By rule; rows in is the sum of the other three.
    """
    shown = []
    for (table, source), rows in waterfall.groupby(["table", "source"], sort=False):
        sums = rows.groupby("step")["rows"].sum()
        rules = rows[rows["rule"] != ""]
        said = ", ".join(
            f"{str(rule).replace('_', ' ')} {count:,}"
            for rule, count in zip(rules["rule"], rules["rows"], strict=True)
        )
        cells = {name: f"{int(sums.get(step, 0)):,}" for name, step in _STEPS.items()}
        shown.append({"Source": f"{str(table).replace('_', ' ')}: {source}", **cells, "By rule": said})
    return _drop_index(pd.DataFrame(shown, columns=["Source", *_STEPS, "By rule"]))


_STEPS = {"Rows in": "rows in", "Used": "used", "Set aside": "set aside", "Left out": "left out"}


def list_definitions(metrics: list[str] | None = None) -> pd.DataFrame:
    """Return the glossary of metrics as text for a reader.

    Parameters
    ----------
    metrics : list of str or None
        The metrics to define; None for all.

    Returns
    -------
    DataFrame
        Measure, What is counted, Over what, Interval, Smallest change that counts.
    """
    table = list_metrics(metrics)
    names = {
        "title": "Measure",
        "numerator": "What is counted",
        "denominator": "Over what",
        "interval": "Interval",
        "minimum_effect": "Smallest change that counts",
    }
    return _drop_index(table[list(names)].rename(columns=names))


def present_coverage(coverage: pd.DataFrame) -> pd.DataFrame:
    """Return who answered which question as text: one row a question of the reviewed period.

    Parameters
    ----------
    coverage : DataFrame
        Of `count_coverage`.

    Returns
    -------
    DataFrame
        Question, Asked, Answered, Not applicable, Blank, Answered in percent.
    """
    now = coverage[coverage["which"] == "reviewed"]
    rows = [
        {
            "Question": str(row["question"]).replace("_", " "),
            "Asked": f"{row['n_asked']:,}",
            "Answered": f"{row['n_answered']:,}",
            "Not applicable": f"{row['n_not_applicable']:,}",
            "Blank": f"{row['n_blank']:,}",
            "Answered, percent": say_unit(row["answered_share"], "percent"),
        }
        for _, row in now.iterrows()
    ]
    return _drop_index(
        pd.DataFrame(
            rows, columns=["Question", "Asked", "Answered", "Not applicable", "Blank", "Answered, percent"]
        )
    )


def present_splits(splits: Sequence[pd.DataFrame], *, minimum_base: int = 10) -> pd.DataFrame:
    """Return how much of each score's change is mix and how much is rate, as text.

    Parameters
    ----------
    splits : sequence of DataFrame
        Each of `split_score_change`: one metric by one segment.
    minimum_base : int
        A split in which a segment has fewer respondents than this is not shown.

    Returns
    -------
    DataFrame
        Score by segment, Change, From who answered (mix), From how they scored (rate); empty where no earlier
        period is there to compare with.
    """
    rows = []
    for split in splits:
        total, parts = split[split["segment"] == ""], split[split["segment"] != ""]
        if total.empty or parts[["n", "n_before"]].replace(0, minimum_base).min().min() < minimum_base:
            continue
        row, segment = total.iloc[0], str(parts["segment"].iloc[0]).partition("=")[0]
        unit = METRICS[row["metric"]].unit
        cells = [say_unit(row[name], unit, signed=True) for name in ("change", "mix", "rate")]
        rows.append([f"{METRICS[row['metric']].title} by {segment.replace('_', ' ')}", *cells])
    return _drop_index(
        pd.DataFrame(
            rows, columns=["Score", "Change", "From who answered (mix)", "From how they scored (rate)"]
        )
    )
