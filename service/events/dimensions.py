"""What events are grouped by: users, types, and hours, days, weeks or months."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from db.array_files import Array
from db.read_threads import Waiting
from service.events.columns import EventBlock, Events
from time_slices import TimeSlices, time_slices


@dataclass(frozen=True, slots=True)
class Dimension:
    """What events are grouped by: `code_of` numbers the groups of a block from 0, below `size`.

    :param labels: what stands for a group, by number: ids, microseconds, days since 1970, or numbers of types
    """

    size: int
    labels: Array
    code_of: Callable[[EventBlock], Array]
    slices: TimeSlices | None = None


def dimension(events: Events, name: str, tz: str, waiting: Waiting) -> Dimension:
    """Return a dimension by the name of a grouping."""
    if name == "type":
        size = len(events.types)
        return Dimension(size, np.arange(size), lambda block: block.type)
    if name == "user":
        return Dimension(events.users, events.user_ids, lambda block: block.user)
    return time_dimension(events, name, tz, waiting)


def time_dimension(events: Events, unit: str, tz: str, waiting: Waiting, *, begins_at: int = 0) -> Dimension:
    """Return the dimension of the hours, days, weeks or months of a zone, whose days begin at `begins_at`."""
    spans = [(int(block.occurred[0]), int(block.occurred[-1])) for block in events.blocks(waiting)]
    if not spans:
        return Dimension(0, np.empty(0, np.int64), lambda block: block.type)
    first, last = min(first for first, _ in spans), max(last for _, last in spans)
    slices = time_slices(unit, tz, first, last, begins_at=begins_at)
    return Dimension(len(slices.labels), slices.labels, lambda block: groups_at(slices, block), slices)


def groups_at(slices: TimeSlices, block: EventBlock) -> Array:
    """Return the groups of the events of a block."""
    groups, ends = ends_in(slices, block.occurred)
    return np.repeat(groups, np.diff(ends, prepend=0))


def slices_of(slices: TimeSlices, block: EventBlock) -> Iterator[tuple[int, slice]]:
    """Yield the groups that events of a block are in, each with the rows of its events."""
    groups, ends = ends_in(slices, block.occurred)
    begin = 0
    for group, end in zip(groups.tolist(), ends.tolist(), strict=True):
        if end > begin:
            yield group, slice(begin, end)
        begin = end


def ends_in(slices: TimeSlices, occurred: Array) -> tuple[Array, Array]:
    """Return the groups of the slices that times in order may lie in, and where each ends among them."""
    some = slices.groups_between(int(occurred[0]), int(occurred[-1]))
    ends = np.searchsorted(occurred, slices.begins[some.start + 1 : some.stop])
    return slices.groups[some], np.append(ends, len(occurred))
