"""What was counted of whole parts, kept for the next time that the same is asked: parts never change.

Later parts are added to it; where one of its parts is gone, all are counted anew. Parts that are small, so
merged soon, and those at the ends of a period are counted each time.
"""

import uuid
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from db.part_cache import PartCache
from db.queries.column_reads import Span
from service.columns.groups import Groups, TimeGroups
from service.columns.matching import PartFilter
from service.columns.snapshot import Snapshot

MIB = 2**20
MAX_BYTES = 32 * MIB  # of a process
MAX_SIZE = 6 * MIB  # of one count
LARGE = 20_000  # visits; smaller parts are merged soon


@dataclass(frozen=True, slots=True)
class Question:
    """What is counted of a part, as long as the process numbers things as it does.

    :param owners: what gives out the numbers. The key has their ids, which nothing else gets while they live
    """

    key: Hashable
    owners: tuple[object, ...]

    def about(self, detail: Hashable) -> "Question":
        """Return the question for one thing that is counted."""
        return Question((self.key, detail), self.owners)


@dataclass(frozen=True, slots=True)
class Entry:
    """What was counted of some parts. It is never changed."""

    tokens: frozenset[uuid.UUID]
    value: Any
    owners: tuple[object, ...]


class CountCache:
    """The counts that a process keeps, the least recently used of which are dropped."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._cache = PartCache(max_bytes)

    def get(self, question: Question, spans: Collection[Span]) -> Entry | None:
        """Return what is known of the parts or of some of them."""
        entry: Entry | None = self._cache.get(question.key)
        return entry if entry is not None and entry.tokens <= {span.token for span in spans} else None

    def put(self, question: Question, spans: Collection[Span], value: Any, size: int) -> None:
        if size <= MAX_SIZE:
            tokens = frozenset(span.token for span in spans)
            self._cache.put(question.key, Entry(tokens, value, question.owners), size)


def question_of(
    snapshot: Snapshot,
    criteria: PartFilter | None,
    group_by: Sequence[str],
    tz: str,
    groups: Sequence[Groups],
) -> Question | None:
    """Return what is asked of each whole part; None for questions whose counts are not kept."""
    free = {"since", "until", "is_bot", "traits"}
    if criteria is None or criteria.traits or snapshot.addresses.visitors is not None:
        return None
    if any(getattr(criteria, each.name) is not None for each in fields(criteria) if each.name not in free):
        return None
    owners = (snapshot.addresses, snapshot.pages, snapshot.agents, snapshot.referrers, snapshot.users)
    begins = tuple(each.first for each in groups if isinstance(each, TimeGroups))
    zone = tz if begins else None
    ids = tuple(map(id, owners))
    return Question((criteria.is_bot, tuple(group_by), zone, begins, snapshot.pages.renamed, ids), owners)


def split(criteria: PartFilter | None, spans: Sequence[Span]) -> tuple[list[Span], list[Span]]:
    """Return the large parts all of which is in the period, and the others."""
    assert criteria is not None
    since, until = criteria.since, criteria.until
    whole = [
        span
        for span in spans
        if span.visits >= LARGE
        and (since is None or since <= span.first_at)
        and (until is None or until > span.last_at)
    ]
    tokens = {span.token for span in whole}
    return whole, [span for span in spans if span.token not in tokens]


def without(spans: Sequence[Span], entry: Entry | None) -> Sequence[Span]:
    """Return the parts of which nothing is known."""
    return spans if entry is None else [span for span in spans if span.token not in entry.tokens]
