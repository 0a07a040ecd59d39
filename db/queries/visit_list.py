"""Live visits as they are read: lists by filter, with the columns of list_live_visits.sql."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Connection, Record

from db.sessions import BATCH
from db.sql import raw_statement

LOG, LIVE_SOURCES = "log", ("api", "page", "site")


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """The visits of [since, until), with all values that are not None.

    :param referrer_host: the host of the page that a visit came from; `referrer_url` is the page itself
    :param agent_ids: of the agents that tell all that the filter names of them; likewise `referrer_ids`
    """

    since: datetime | None = None
    until: datetime | None = None
    user_id: int | None = None
    page_url: str | None = None
    source: str | None = None
    country: str | None = None
    category_id: int | None = None
    kind: str | None = None
    is_bot: bool | None = None
    browser: str | None = None
    os: str | None = None
    device: str | None = None
    referrer_host: str | None = None
    referrer_url: str | None = None
    status: int | None = None
    agent_ids: Sequence[int] | None = None
    referrer_ids: Sequence[int] | None = None

    def values(self) -> dict[str, Any]:
        """Return the parameters of statements. `asdict` copies each deeply, at 40 times the cost."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def sources(self) -> Collection[str] | None:
        """Of the parts that may have such visits; None if it is any. Numbers of log lines begin at 1."""
        sources = None if self.source is None else (self.source,)
        if self.user_id is not None and self.user_id < 1:
            return tuple(source for source in sources or LIVE_SOURCES if source != LOG)
        return sources

    @property
    def lets_live_through(self) -> bool:
        """Whether there may be such live visits, which have no status."""
        has_ids = self.agent_ids != [] and self.referrer_ids != []
        return self.source != LOG and self.status is None and has_ids


async def select_live_list(
    raw: Connection,
    visit_filter: VisitFilter,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
    offset: int = 0,
) -> list[Record]:
    """Return live visits, newest first, that come after the key `after` in this order."""
    sql, names = raw_statement("visits/list_live_visits")
    values = page_parameters(visit_filter, after) | {"limit": limit, "offset": offset}
    rows: list[Record] = await raw.fetch(sql, *(values[name] for name in names))
    return rows


def page_parameters(visit_filter: VisitFilter, after: tuple[datetime, UUID] | None) -> dict[str, Any]:
    """Return the parameters that choose the live visits after a key."""
    before_at, before_id = after or (None, None)
    if before_at is not None and visit_filter.until is not None and before_at < visit_filter.until:
        visit_filter = replace(visit_filter, until=None)  # PostgreSQL may start reading at the later bound
    return visit_filter.values() | {"before_at": before_at, "before_id": before_id and str(before_id)}


async def live_batches(raw: Connection, visit_filter: VisitFilter) -> AsyncIterator[list[Record]]:
    """Yield all live visits of one snapshot, newest first, in batches. Needs a dedicated connection."""
    page = {"before_at": None, "before_id": None, "limit": None, "offset": 0}
    sql, names = raw_statement("visits/list_live_visits")
    values = visit_filter.values() | page
    cursor = await raw.cursor(sql, *(values[name] for name in names))
    while rows := await cursor.fetch(BATCH):
        yield rows
