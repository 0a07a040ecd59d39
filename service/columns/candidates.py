"""Groups of statistics: those that may be shown, and what is shown of them."""

from dataclasses import dataclass
from typing import Any

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
