"""Numbers of events that come sorted by customer and order, batch after batch.

The same numbers as `sessions.number_sessions` gives, whose definition this follows where every event has a
customer and only the gap makes a session. No row is held but a batch and the last two.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from journeylib.journey.frames import TIME

__all__ = ["SortedNumbers"]


class SortedNumbers:
    """Numbers rows as they stream by; what a batch must know of those before it is kept here.

    Parameters
    ----------
    gap : int
        Microseconds of silence, more than which start a new session.
    """

    def __init__(self, gap: int) -> None:
        self.gap = gap
        self.rows = 0
        self.session_start = 0
        self.person_start = 0
        self.last: pa.RecordBatch | None = None

    def add(self, batch: pa.RecordBatch) -> pa.Table:
        """Give the next rows their numbers.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            The next rows in the order of customer, time and what settles ties.

        Returns
        -------
        pyarrow.Table
            The rows with `session`, `position`, `person_position`, `_before_gap` (microseconds since the
            customer's event before, 0 for the first), `_before_1_name` and `_before_2_name` (what came
            one and two events before in the session).
        """
        new_person = self._find_changes(batch.column("customer"))
        times = batch.column(TIME).to_numpy(zero_copy_only=False)
        before = times[0] if self.last is None else self.last.column(TIME)[-1].as_py()
        gaps = np.diff(times, prepend=before)
        rows = np.arange(self.rows, self.rows + len(times))
        is_first = new_person | (gaps > self.gap)
        starts = np.maximum.accumulate(np.where(is_first, rows, self.session_start))
        person_starts = np.maximum.accumulate(np.where(new_person, rows, self.person_start))
        position = rows - starts
        names = {f"_before_{back}_name": self._look_back(batch, back, position) for back in (1, 2)}
        columns = {
            "session": pa.array(starts + 1),
            "position": pa.array((position + 1).astype("int32")),
            "person_position": pa.array((rows - person_starts + 1).astype("int32")),
            "_before_gap": pa.array(np.where(new_person, 0, gaps)),
            **names,
        }
        self.rows += len(times)
        self.session_start, self.person_start = int(starts[-1]), int(person_starts[-1])
        self._remember(batch)
        kept = dict(zip(batch.schema.names, batch.columns, strict=True))
        return pa.table({**kept, **columns})

    def _find_changes(self, customers: pa.Array) -> np.ndarray:
        """Mark the rows whose customer is not that of the row before."""
        changed = np.ones(len(customers), dtype=bool)
        changed[1:] = pc.not_equal(customers[1:], customers[:-1]).to_numpy(zero_copy_only=False)
        if self.last is not None:
            changed[0] = customers[0].as_py() != self.last.column("customer")[-1].as_py()
        return changed

    def _look_back(self, batch: pa.RecordBatch, back: int, position: np.ndarray) -> pa.Array:
        """Take the name of so many rows before, where the session reaches so far back."""
        names = batch.column("name")
        old = pa.nulls(back, names.type)
        if self.last is not None:
            seen = self.last.column("name")
            old = pa.concat_arrays([old, seen])[-back:]
        moved = pa.concat_arrays([old, names])[: len(names)]
        return pc.if_else(pa.array(position >= back), moved, pa.scalar(None, names.type))

    def _remember(self, batch: pa.RecordBatch) -> None:
        """Keep the last two rows of all that came."""
        rows = batch.slice(max(0, len(batch) - 2))
        if self.last is not None and len(rows) < 2:
            both = pa.Table.from_batches([self.last, rows]).combine_chunks()
            rows = both.slice(max(0, len(both) - 2)).to_batches()[0]
        self.last = rows
