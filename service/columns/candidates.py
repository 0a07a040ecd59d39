"""Groups of statistics: those that may be shown, and what is shown of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from service.columns.groups import Groups
from service.columns.snapshot import Snapshot
from service.columns.template_groups import TemplateGroup


@dataclass(frozen=True, slots=True)
class CountRow:
    """A group: its values, visits, distinct addresses, and the microseconds of its first and last visit.

    Only the one group of all visits may have no visit.
    """

    values: tuple[Any, ...]
    visits: int
    visitors: int
    first: int | None
    last: int | None


def label_order(value: Any) -> tuple[bool, Any]:
    """Return a key that puts the values of a group in order, none last."""
    return value is None, 0 if value is None else value


@dataclass(slots=True)
class Candidate:
    """A group that may be shown: its numbers, or what is known of it already."""

    visits: int
    codes: tuple[int, ...]
    template: TemplateGroup | None = None
    values: tuple[Any, ...] = ()

    def sort_key(self) -> tuple[Any, ...]:
        return (-self.visits, *map(label_order, self.values))


async def name(
    candidates: Sequence[Candidate], groups: Sequence[Groups], page_group: int | None, snapshot: Snapshot
) -> None:
    """Look up what the numbers of groups stand for; template pages tell it themselves."""
    labels = []
    for place, each in enumerate(groups):
        codes = {
            candidate.codes[place]
            for candidate in candidates
            if candidate.template is None or place != page_group
        }
        labels.append(await each.labels(snapshot, sorted(codes)))
    for candidate in candidates:
        template = candidate.template
        candidate.values = tuple(
            template.template.url
            if template is not None and place == page_group
            else labels[place][candidate.codes[place]]
            for place in range(len(groups))
        )
