"""Which counts of which parts are cached (count_cache.py).

Parts that are small, so merged soon, and those at the ends of a period are counted each time.
"""

from collections.abc import Sequence
from dataclasses import fields

from db.queries.column_reads import Span
from service.columns.count_cache import CountKey
from service.columns.groups import Groups, TimeGroups
from service.columns.matching import PartFilter
from service.columns.snapshot import Snapshot

LARGE = 20_000  # visits; smaller parts are merged soon


def count_key_of(
    snapshot: Snapshot,
    criteria: PartFilter | None,
    group_by: Sequence[str],
    tz: str,
    groups: Sequence[Groups],
) -> CountKey | None:
    """Return the key of the counts of whole parts; None if such counts are not cached."""
    free = {"since", "until", "is_bot", "traits"}
    if criteria is None or criteria.traits or snapshot.addresses.visitors is not None:
        return None
    if any(getattr(criteria, each.name) is not None for each in fields(criteria) if each.name not in free):
        return None
    owners = (snapshot.addresses, snapshot.pages, snapshot.agents, snapshot.referrers, snapshot.users)
    begins = tuple(each.first for each in groups if isinstance(each, TimeGroups))
    zone = tz if begins else None
    ids = tuple(map(id, owners))
    return CountKey((criteria.is_bot, tuple(group_by), zone, begins, snapshot.pages.renamed, ids), owners)


def split_parts(criteria: PartFilter | None, spans: Sequence[Span]) -> tuple[list[Span], list[Span]]:
    """Return the large parts that lie in the period as a whole, whose counts are cached, and the others."""
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
