"""Who is behind a number: asked, answered, not applicable, blank, matched to a known customer."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from journeylib.voice.respondents import PERIODS, list_respondents, prepare_survey

__all__ = ["count_asked", "count_coverage", "count_matches"]


def count_asked(answers: pd.DataFrame, people: pd.DataFrame, *, keys: Sequence[str]) -> pd.DataFrame:
    """Count the respondents whose questionnaire held the questions of each group.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row is one answer; ``which``, ``wave`` and the columns in ``keys``.
    people : pandas.DataFrame
        One row is one respondent in one period: ``which``, ``wave``, ``label``.
    keys : sequence of str
        What makes a group, besides ``which``.

    Returns
    -------
    pandas.DataFrame
        One row is one group, period and segment label: ``keys``, ``which``, ``label``, ``n_asked``
        (respondents). A questionnaire holds a question where anyone in its wave has a row for it; filters
        inside a questionnaire are not known here. Respondents without a label are left out. Row order does
        not matter.

    Examples
    --------
    >>> answers = pd.DataFrame({"question": ["Q1"], "which": "reviewed", "wave": "spring"})
    >>> people = pd.DataFrame({"which": "reviewed", "wave": ["spring", "spring", "summer"], "label": ""})
    >>> count_asked(answers, people, keys=["question"]).values.tolist()
    [['Q1', 'reviewed', '', 2]]
    """
    held = answers[[*keys, "which", "wave"]].drop_duplicates()
    taken = people.groupby(["which", "wave", "label"]).size().rename("n_asked").reset_index()
    joined = held.merge(taken, on=["which", "wave"])
    return joined.groupby([*keys, "which", "label"])["n_asked"].sum().reset_index()


def count_coverage(responses: pd.DataFrame | None, answers: pd.DataFrame) -> pd.DataFrame:
    """Count for every question who was asked, who answered and who did not.

    Parameters
    ----------
    responses : pandas.DataFrame or None
        One row is one respondent in one wave (``response``, ``wave``, perhaps ``which``). None: those who
        left every question blank are not seen.
    answers : pandas.DataFrame
        One row is one answer to one question, of any role. A blank is an absent row or a missing value.

    Returns
    -------
    pandas.DataFrame
        One row is one question at one place in one period: ``which``, ``question``, ``role``, ``touchpoint``,
        ``stage``, ``n_asked``, ``n_answered`` (a value; without a scale also a text), ``n_not_applicable``,
        ``n_blank`` (all in respondents; the last three sum to the first) and ``answered_share`` (percent of
        those asked). Sorted by period and question; the order of the input does not matter.

    Raises
    ------
    ValueError
        If a needed column is missing or a response has two different rows.

    Examples
    --------
    >>> responses = pd.DataFrame({"response": [1, 2, 3], "wave": "spring"})
    >>> answers = pd.DataFrame(
    ...     {"response": [1, 2], "question": "Q1", "role": "csat", "value": [4, None]}
    ... ).assign(not_applicable=[False, True])
    >>> counts = count_coverage(responses, answers)
    >>> counts[["n_asked", "n_answered", "n_not_applicable", "n_blank"]].values.tolist()
    [[3, 1, 1, 1]]
    """
    keys = ["question", "role", "touchpoint", "stage"]
    answers, responses = prepare_survey(answers, responses)
    people = list_respondents(answers, responses)
    known = answers.drop(columns="wave", errors="ignore")
    known = known.join(people.set_index("respondent")["wave"], on="respondent")
    written = known["value"].notna() | (known["scale_min"].isna() & known["text"].str.strip().ne(""))
    known = known.assign(
        n_answered=written & ~known["not_applicable"], n_not_applicable=known["not_applicable"]
    )
    each = known.groupby(["which", *keys, "respondent"])[["n_answered", "n_not_applicable"]].max()
    each["n_not_applicable"] &= ~each["n_answered"]
    counts = each.groupby(["which", *keys]).sum().astype("int64").reset_index()
    asked = count_asked(known, people, keys=keys).drop(columns="label")
    counts = counts.astype(dict.fromkeys(["which", *keys], "str"))
    asked = asked.astype(dict.fromkeys(["which", *keys], "str"))
    table = counts.merge(asked, on=["which", *keys], validate="one_to_one")
    table["n_blank"] = table["n_asked"] - table["n_answered"] - table["n_not_applicable"]
    table["answered_share"] = 100 * table["n_answered"] / table["n_asked"]
    table = table.sort_values(
        "which", key=lambda which: which.map(PERIODS.index), kind="stable", ignore_index=True
    )
    return table[["which", *keys, "n_asked", "n_answered", "n_not_applicable", "n_blank", "answered_share"]]


def count_matches(responses: pd.DataFrame, known_customers: Collection[str]) -> pd.DataFrame:
    """Count how many respondents can be joined to a known customer.

    Parameters
    ----------
    responses : pandas.DataFrame
        One row is one respondent in one wave; ``customer`` may be missing, ``which`` may be absent.
    known_customers : collection of str
        Customers of the other tables (events, orders, customers).

    Returns
    -------
    pandas.DataFrame
        Three rows a period: ``which``, ``match_status`` (``matched``, ``unknown_customer``: an id that no
        other table has, ``no_customer``: no id), ``n`` (respondents) and ``share`` (percent of the period's
        respondents; of the row ``matched`` it is the match rate). Row order does not matter.

    Examples
    --------
    >>> count_matches(pd.DataFrame({"customer": ["a", "b", None, "z"]}), ["a", "b", "c"])["n"].tolist()
    [2, 1, 1]
    """
    which = responses["which"] if "which" in responses else pd.Series("reviewed", responses.index)
    customer = (
        responses["customer"] if "customer" in responses else pd.Series(None, responses.index, dtype="str")
    )
    given = customer.notna() & customer.ne("")
    matched = given & customer.isin(list(known_customers))
    status = np.select([matched, given], ["matched", "unknown_customer"], "no_customer")
    names = ["matched", "unknown_customer", "no_customer"]
    periods = [name for name in PERIODS if which.eq(name).any()]
    rows = []
    for period in periods:
        own = status[which.eq(period)]
        rows += [{"which": period, "match_status": name, "n": int((own == name).sum())} for name in names]
    table = pd.DataFrame(rows, columns=["which", "match_status", "n"]).astype({"n": "int64"})
    return table.assign(share=100 * table["n"] / table.groupby("which")["n"].transform("sum"))
