"""Steps: what a funnel's steps name, and which of them each event can serve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations
from types import MappingProxyType
from typing import NamedTuple

import narwhals.stable.v2 as nw
import pandas as pd

from journeylib.data.problems import ArgumentError
from journeylib.journey.engine import collect_table, join_table

__all__ = ["Step", "StepMatches", "match_steps", "parse_steps"]

_COLUMNS = {"event": "name", "stage": "stage", "touchpoint": "touchpoint"}
MOST_STEPS = 20


class Step(NamedTuple):
    """One step: its label (unique in the funnel) and the column and value that an event must have."""

    label: str
    column: str
    value: str


class StepMatches(NamedTuple):
    """Events with `_steps`, a bit mask of the steps that each can serve, and the masks that occur."""

    frame: nw.LazyFrame
    masks: list[int]
    n_steps: int

    def can_serve(self, *numbers: int, column: str = "_steps") -> nw.Expr:
        """Tell whether an event can serve any of these steps (0 for the first)."""
        return nw.col(column).is_in(self._find(numbers) or [-1])

    def list_shared_sets(self) -> list[tuple[int, ...]]:
        """List the sets of steps that share events, and so need as many of them as they are steps.

        By Hall's theorem different events can serve all of the first k steps if and only if each set of
        these steps finds as many events as it has steps. Sets that fall into parts which share no event need
        no look of their own, nor do sets with a repeat of a step but without the step itself.
        """
        parts: list[set[int]] = []
        for mask in self.masks:
            steps = {number for number in range(self.n_steps) if mask >> number & 1}
            parts = [part for part in parts if not part & steps] + [
                steps.union(*(part for part in parts if part & steps))
            ]
        chosen = [
            picked
            for part in parts
            for size in range(1, len(part) + 1)
            for picked in combinations(sorted(part), size)
            if all(twin in picked for step in picked for twin in self._list_twins(step))
        ]
        return sorted(chosen, key=lambda picked: (picked[-1], picked))

    def _list_twins(self, step: int) -> list[int]:
        mine = self._find([step])
        return [other for other in range(step) if self._find([other]) == mine]

    def _find(self, numbers: Iterable[int]) -> list[int]:
        wanted = sum(1 << number for number in set(numbers))
        return [mask for mask in self.masks if mask & wanted]


def parse_steps(steps: Sequence[str]) -> list[Step]:
    """Read a funnel's steps.

    Parameters
    ----------
    steps : sequence of str
        Touchpoints, or `event:NAME`, or `stage:NAME`, in their order. A step may be listed again.

    Returns
    -------
    list of Step
        A step listed again is labelled `view (2)`, `view (3)`.

    Raises
    ------
    ValueError
        Where there is no step, an empty one, or more than 20.

    Examples
    --------
    >>> [step.label for step in parse_steps(["view", "view", "event:buy"])]
    ['view', 'view (2)', 'event:buy']
    """
    if isinstance(steps, str) or not 1 <= len(steps) <= MOST_STEPS:
        raise ArgumentError(f"steps must be a list of 1 to {MOST_STEPS} names, found {steps!r}")
    seen: Counter[str] = Counter()
    parsed: list[Step] = []
    for text in steps:
        kind, colon, value = str(text).partition(":")
        column = _COLUMNS.get(kind) if colon else None
        column, value = (column, value) if column else ("touchpoint", str(text))
        if not value.strip():
            raise ArgumentError(
                f"step {len(parsed) + 1} is empty: {text!r}; name a touchpoint, event: or stage:"
            )
        seen[text] += 1
        parsed.append(Step(text if seen[text] == 1 else f"{text} ({seen[text]})", column, value.strip()))
    return parsed


def match_steps(
    frame: nw.LazyFrame, steps: Sequence[Step], labels: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> StepMatches:
    """Mark which steps each event can serve.

    Parameters
    ----------
    frame : narwhals LazyFrame
        One row is one event, with the columns that the steps name.
    steps : sequence of Step
        From `parse_steps`.
    labels : mapping
        The labels of the column of all steps, where the frame holds codes of it; see `keep_sessions`.

    Returns
    -------
    StepMatches
        The same events with `_steps`; 0 for an event that serves none. Missing names serve none.

    Raises
    ------
    ValueError
        Where a step matches nothing in the whole table (unless the table is empty): the message names the
        step, the nearest match and what exists.
    """
    columns = sorted({step.column for step in steps})
    if columns == list(labels):
        return _match_codes(frame, steps, labels[columns[0]])
    filled = [nw.col(column).cast(nw.String).fill_null("").alias(f"_{column}") for column in columns]
    frame = frame.with_columns(*filled)
    keys = [f"_{column}" for column in columns]
    found = collect_table(frame.group_by(*keys).agg(nw.len().cast(nw.Int64).alias("_n")), order_by=keys)
    table = _add_masks(found.drop(columns="_n"), steps)
    masks = sorted({int(mask) for mask in table["_steps"] if mask})
    table = table[table["_steps"] > 0].reset_index(drop=True)
    joined = join_table(frame, table, on=keys).with_columns(nw.col("_steps").fill_null(0).cast(nw.Int64))
    return StepMatches(joined, masks, len(steps))


def _match_codes(frame: nw.LazyFrame, steps: Sequence[Step], labels: Sequence[str]) -> StepMatches:
    """Mark the steps by the codes of their labels, without a look at the rows."""
    column = steps[0].column
    table = _add_masks(pd.DataFrame({f"_{column}": pd.Series(list(labels), dtype="str")}), steps)
    served = table[table["_steps"] > 0]
    mask = nw.lit(0)
    for code, bits in zip(served.index, served["_steps"], strict=True):
        mask = nw.when(nw.col(column) == int(code)).then(nw.lit(int(bits))).otherwise(mask)
    masks = sorted({int(bits) for bits in served["_steps"]})
    return StepMatches(frame.with_columns(mask.cast(nw.Int64).alias("_steps")), masks, len(steps))


def _add_masks(table: pd.DataFrame, steps: Sequence[Step]) -> pd.DataFrame:
    """Add to each value the bits of the steps that it serves; a step that nothing serves is refused."""
    table = table.assign(_steps=0)
    for number, step in enumerate(steps):
        served = table[f"_{step.column}"] == step.value
        if len(table) and not served.any():
            raise ArgumentError(_explain_step(step, table))
        table["_steps"] += served.astype("int64") * 2**number
    return table


def _explain_step(step: Step, table: pd.DataFrame) -> str:
    there = sorted({value for value in table[f"_{step.column}"] if value})
    near = get_close_matches(step.value, there, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(there[:20]) + (", ..." if len(there) > 20 else "")
    kind = {"name": "event name", "stage": "stage"}.get(step.column, "touchpoint")
    return f"step {step.label!r} matches no event: no {kind} {step.value!r}{hint} Found: {listed or 'none'}"
