"""Attribution: which channels get the credit for conversions, by rules that stand side by side."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
import pandas as pd

from journeylib.journey.attribution_models import (
    RULES,
    find_removal_effects,
    split_by_shapley,
    weigh_touches,
)

__all__ = ["MODELS", "NO_TOUCH", "attribute_conversions", "compare_attribution"]

MODELS = (*RULES, "markov", "shapley")
NO_TOUCH = "(no touch)"
_DIRECT = ("direct", "(direct)")
_PERIODS = ("reviewed", "previous", "year_ago")
_NOTE = "a credit rule, not a cause"


def attribute_conversions(
    paths: pd.DataFrame,
    *,
    model: str = "linear",
    half_life_days: float = 7.0,
    direct: Collection[str] = _DIRECT,
) -> pd.DataFrame:
    """Attribute conversions and their value to channels by one model.

    Parameters
    ----------
    paths : pandas.DataFrame
        Table of `list_channel_paths`, or your own: one row is one path with `path` (tuple, list, or text with
        `;` between the channels), `n` and `conversions`; `value`, `which` and `days_before` where known. Row
        order does not matter.
    model : str
        `first`, `last`, `last_non_direct`, `linear`, `position` (40-20-40), `time_decay`, `markov` (removal
        effects of the exact absorbing chain) or `shapley` (to 12 channels).
    half_life_days : float
        For `time_decay`: days before the conversion after which a touch weighs half.
    direct : collection of str
        For `last_non_direct`: what the direct channel is called; capitals do not matter.

    Returns
    -------
    pandas.DataFrame
        One row is one channel in one period: `which`, `model`, `channel`, `conversions`, `share` (percent of
        all conversions), `value` (missing where the paths have none) and `note`. Conversions sum to those of
        the paths; those without a touch are the channel `(no touch)`. By period, the highest first, then by
        name.

    Raises
    ------
    ValueError
        Where a column is missing, a path has more conversions than `n`, the model is unknown, times are
        missing for `time_decay`, all paths converted and the model is `markov` or `shapley`, or `shapley`
        meets more than 12 channels.

    Notes
    -----
    Every model is a credit rule, not a cause: none of them tells what would have happened without a channel.
    Markov splits conversions and value in proportion to removal effects; see `find_removal_effects` and
    `split_by_shapley`. Shapley can be negative.

    Examples
    --------
    >>> paths = pd.DataFrame({"path": ["search;email", "email"], "n": [4, 6], "conversions": [2, 1]})
    >>> attribute_conversions(paths, model="linear")[["channel", "conversions"]]
      channel  conversions
    0   email          2.0
    1  search          1.0
    """
    if model not in MODELS:
        raise ValueError(f"model must be one of {', '.join(MODELS)}, found {model!r}")
    if not half_life_days > 0:
        raise ValueError(f"half_life_days must be above 0, found {half_life_days}")
    read = _read_paths(paths, model)
    names = frozenset(name.strip().lower() for name in direct)
    parts = []
    for which in _order_periods(read["which"]):
        here = read[read["which"] == which]
        touched = here[here["path"].map(len) > 0]
        split = _split_by_rule if model in RULES else _SPLITS[model]
        credit = split(touched, model=model, half_life_days=half_life_days, direct=names)
        nobody = here.loc[here["path"].map(len) == 0, ["conversions", "value"]].sum(min_count=1)
        if nobody["conversions"] > 0:
            credit.loc[NO_TOUCH] = nobody
        parts.append(_tabulate(credit, which=which, model=model))
    columns = ["which", "model", "channel", "conversions", "share", "value", "note"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def compare_attribution(
    paths: pd.DataFrame,
    *,
    models: Sequence[str] | None = None,
    half_life_days: float = 7.0,
    direct: Collection[str] = _DIRECT,
) -> pd.DataFrame:
    """Compare what each channel gets under each model.

    Parameters
    ----------
    paths : pandas.DataFrame
        As for `attribute_conversions`. Row order does not matter.
    models : sequence of str, optional
        The models; default all that these paths allow, and `note` says which they do not and why.
    half_life_days : float
        For `time_decay`, in days.
    direct : collection of str
        For `last_non_direct`.

    Returns
    -------
    pandas.DataFrame
        One row is one channel in one period: `which`, `channel`, the conversions under each model (a column
        each), `lowest`, `highest`, `spread` (highest - lowest, in conversions: the honest range) and `note`.
        By period, the highest mean over models first, then by name.

    Raises
    ------
    ValueError
        As for `attribute_conversions`, where models are named.

    Examples
    --------
    >>> paths = pd.DataFrame({"path": ["search;email", "email"], "n": [4, 6], "conversions": [2, 1]})
    >>> compare_attribution(paths, models=["first", "last"])[["channel", "first", "last", "spread"]]
      channel  first  last  spread
    0   email    1.0   3.0     2.0
    1  search    2.0   0.0     2.0
    """
    columns: dict[str, pd.Series] = {}
    refused: list[str] = []
    for model in models if models is not None else MODELS:
        try:
            found = attribute_conversions(paths, model=model, half_life_days=half_life_days, direct=direct)
        except ValueError as error:
            if models is not None or model not in ("time_decay", "markov", "shapley"):
                raise
            refused.append(str(error))
            continue
        columns[model] = found.set_index(["which", "channel"])["conversions"]
    wide = pd.DataFrame(columns).fillna(0.0)
    used = list(wide.columns)
    rated = wide.assign(lowest=wide[used].min(axis=1), highest=wide[used].max(axis=1))
    rated["spread"] = rated["highest"] - rated["lowest"]
    rated["note"] = "; ".join([_NOTE, *dict.fromkeys(refused)])
    rated = rated.assign(_mean=wide[used].mean(axis=1)).reset_index()
    rated["_place"] = rated["which"].map(
        {name: place for place, name in enumerate(_order_periods(rated["which"]))}
    )
    ordered = rated.sort_values(["_place", "_mean", "channel"], ascending=[True, False, True])
    return ordered.drop(columns=["_mean", "_place"]).reset_index(drop=True)


def _read_paths(paths: pd.DataFrame, model: str) -> pd.DataFrame:
    """Bring a table of paths into one form: tuples, floats, and every column."""
    missing = [column for column in ("path", "n", "conversions") if column not in paths]
    if missing:
        raise ValueError(f"paths lack the column(s) {', '.join(missing)}; see list_channel_paths")
    if model == "time_decay" and "days_before" not in paths:
        raise ValueError("time_decay needs days_before: use list_channel_paths(..., with_times=True)")
    read = pd.DataFrame({"which": paths["which"] if "which" in paths else "all"}, index=paths.index)
    read["path"] = pd.Series([_read_path(path) for path in paths["path"]], paths.index, dtype=object)
    read["n"], read["conversions"] = paths["n"].astype(float), paths["conversions"].astype(float)
    read["value"] = paths["value"].astype(float) if "value" in paths else np.nan
    days = paths["days_before"] if "days_before" in paths else [()] * len(paths)
    read["days"] = pd.Series([tuple(age) for age in days], paths.index, dtype=object)
    if not ((read["conversions"] >= 0) & (read["conversions"] <= read["n"])).all():
        raise ValueError("a path has more conversions than n, or fewer than 0: n counts all who went it")
    if model == "time_decay" and (read["path"].map(len) != read["days"].map(len)).any():
        raise ValueError("days_before must hold one number a touch in every row")
    return read.sort_values(["path", "days"], kind="stable")


def _order_periods(which: pd.Series) -> list[str]:
    """Put the review's periods first in their order, then others by name."""
    return sorted(set(which), key=lambda name: (_PERIODS.index(name) if name in _PERIODS else 9, name))


def _read_path(path: object) -> tuple[str, ...]:
    if isinstance(path, str):
        return tuple(part.strip() for part in path.split(";") if part.strip())
    if isinstance(path, (tuple, list, np.ndarray)):
        return tuple(str(channel) for channel in path)
    raise ValueError(f"a path must be a tuple, a list or text with ';' between channels, found {path!r}")


def _split_by_rule(
    paths: pd.DataFrame, *, model: str, half_life_days: float, direct: Collection[str]
) -> pd.DataFrame:
    """Split each path's conversions among its touches."""
    rows = []
    columns = (paths[name].tolist() for name in ("path", "days", "conversions", "value"))
    for path, days, conversions, value in zip(*columns, strict=True):
        weights = weigh_touches(
            path, rule=model, days_before=days, half_life_days=half_life_days, direct=direct
        )
        rows += [
            (channel, weight * conversions, weight * value)
            for channel, weight in zip(path, weights, strict=True)
        ]
    credit = pd.DataFrame(rows, columns=["channel", "conversions", "value"])
    return credit.groupby("channel")[["conversions", "value"]].sum(min_count=1).astype(float)


def _split_by_markov(paths: pd.DataFrame, **_: object) -> pd.DataFrame:
    """Split all conversions in proportion to removal effects."""
    _check_unconverted(paths, "Markov")
    effects = find_removal_effects(paths["path"].tolist(), paths["n"], paths["conversions"])
    shares = effects / (effects.sum() or 1.0)
    value = paths["value"].sum(min_count=1)
    credit = pd.DataFrame({"conversions": shares * paths["conversions"].sum(), "value": shares * value})
    return credit.rename_axis("channel")


def _split_by_shapley(paths: pd.DataFrame, **_: object) -> pd.DataFrame:
    _check_unconverted(paths, "Shapley")
    columns = {
        column: split_by_shapley(paths["path"].tolist(), paths["n"], paths[column].fillna(0.0))
        for column in ("conversions", "value")
    }
    credit = pd.DataFrame(columns).rename_axis("channel")
    return credit if paths["value"].notna().any() else credit.assign(value=np.nan)


_SPLITS: dict[str, Callable[..., pd.DataFrame]] = {"markov": _split_by_markov, "shapley": _split_by_shapley}


def _check_unconverted(paths: pd.DataFrame, model: str) -> None:
    if len(paths) and paths["n"].sum() == paths["conversions"].sum():
        raise ValueError(f"{model} needs paths without a conversion, and here every path has one")


def _tabulate(credit: pd.DataFrame, *, which: str, model: str) -> pd.DataFrame:
    """Add shares, and settle the order of the rows."""
    total = credit["conversions"].sum()
    table = credit.rename_axis("channel").reset_index().assign(which=which, model=model, note=_NOTE)
    table["share"] = 100 * table["conversions"] / total if total else np.nan
    ordered = table.sort_values(["conversions", "channel"], ascending=[False, True], ignore_index=True)
    return ordered[["which", "model", "channel", "conversions", "share", "value", "note"]]
