"""Where an export stands: the parts and live visits of which some are still to come."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from calendar_days import microseconds
from db.part_files import Array, PartColumns
from db.queries.column_reads import Span
from service.columns.matching import Rows

BEFORE_ALL = -(2**62)


@dataclass(slots=True)
class OpenPart:
    """A part of whose matching rows those before `end` are still to come."""

    span: Span
    part: PartColumns
    rows: Rows
    end: int

    def instant(self, place: int) -> int:
        row = self.rows.start + place if isinstance(self.rows, slice) else self.rows[place]
        return int(self.part.occurred[row])

    def begin_after(self, instant: int) -> int:
        """Return the place of the first row to come that is later than an instant."""
        rows = self.rows
        if isinstance(rows, slice):
            occurred = self.part.occurred[rows.start : rows.start + self.end]
        else:
            occurred = self.part.occurred[rows[: self.end]]
        return int(np.searchsorted(occurred, instant, "right"))

    def take(self, begin: int) -> Array:
        """Return the rows from `begin` on, which are no longer to come."""
        if isinstance(self.rows, slice):
            rows = np.arange(self.rows.start + begin, self.rows.start + self.end)
        else:
            rows = self.rows[begin : self.end]
        self.end = begin
        return rows


class LiveRows:
    """Live visits as they come from a cursor, newest first."""

    def __init__(self, batches: AsyncIterator[Sequence[Any]] | None) -> None:
        self._batches = batches
        self._rows: list[Any] = []

    async def newest(self) -> int:
        """Return the instant of the next one; BEFORE_ALL if there is none."""
        await self._fill()
        return microseconds(self._rows[0]["occurred_at"]) if self._rows else BEFORE_ALL

    async def take_after(self, instant: int, most: int) -> tuple[list[Any], int]:
        """Return those later than an instant, or where there are too many those later than another one."""
        taken: list[Any] = []
        while await self._fill():
            count = sum(microseconds(row["occurred_at"]) > instant for row in self._rows)
            taken += self._rows[:count]
            self._rows = self._rows[count:]
            if self._rows:
                break
            if len(taken) >= most:
                last = microseconds(taken[-1]["occurred_at"])
                if last < microseconds(taken[0]["occurred_at"]):
                    # Others of the last instant may follow: it comes with the next ones.
                    count = sum(microseconds(row["occurred_at"]) > last for row in taken)
                    self._rows = taken[count:]
                    return taken[:count], last
        return taken, instant

    async def _fill(self) -> bool:
        if not self._rows and self._batches is not None:
            rows = await anext(self._batches, None)  # Python 3.11 fails with () as the default
            self._rows = list(rows or ())
            if not self._rows:
                self._batches = None
        return bool(self._rows)
