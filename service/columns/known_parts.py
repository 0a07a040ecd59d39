"""The parts that a process knows, and lists that it has made of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from db.part_cache import PartCache
from db.queries.column_reads import Span
from db.queries.newest_visits import Moment

MAX_BYTES = 4 * 2**20  # of the lists that a process keeps


@dataclass(frozen=True, slots=True)
class KnownParts:
    """The parts that there are at a moment, those with the newest visits first.

    :param lists: what was shown of them
    """

    moment: Moment
    spans: Sequence[Span]
    lists: PartCache = field(default_factory=lambda: PartCache(MAX_BYTES))

    def between(self, since: int | None, until: int | None) -> Sequence[Span]:
        """Return the parts that may have visits of [since, until)."""
        return [
            span
            for span in self.spans
            if (since is None or span.last_at >= since) and (until is None or span.first_at < until)
        ]
