"""Dropping what is too old: visits and events by spans of time, then what nothing tells of any more."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any

import polars as pl
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import add_counts, drop_zeros
from db.models import PageVisits, UnfinishedRetention, Visit
from db.queries.undo import COLUMNS
from db.sql import statement


async def has_visits(session: AsyncSession, *, since: datetime, before: datetime) -> bool:
    """Whether there are visits in [since, before)."""
    visit = select(Visit.occurred_at).where(Visit.occurred_at >= since, Visit.occurred_at < before)
    return await session.scalar(visit.limit(1)) is not None


async def delete_visits(
    session: AsyncSession, *, since: datetime, before: datetime, count: int
) -> pl.DataFrame:
    """The first `count` visits in [since, before), which are gone now. Columns of `visit`."""
    deleted = await session.execute(
        statement("visits/drop_visits"), {"since": since, "before": before, "count": count}
    )
    return pl.DataFrame([tuple(row) for row in deleted], schema=COLUMNS, orient="row")


async def delete_events(
    session: AsyncSession, *, since: datetime, before: datetime, count: int
) -> tuple[int, datetime | None]:
    """How many of the first `count` events in [since, before) there were, and when the last of them was."""
    deleted = await session.execute(
        statement("events/drop_events"), {"since": since, "before": before, "count": count}
    )
    events, last = deleted.one()
    return events, last


async def subtract_from_pages(session: AsyncSession, pages: Iterable[str]) -> None:
    """Count a visit less for each page that is named by its path. Nobody else may be writing."""
    counts = Counter(pages)
    if counts:
        gone: dict[str, list[Any]] = {
            "page_sha256": [sha256(page.encode()).digest() for page in counts],
            "visits": [-visits for visits in counts.values()],
        }
        await add_counts(session, PageVisits, gone)
        await drop_zeros(session, PageVisits, gone)


async def put_unfinished(session: AsyncSession, before: datetime) -> None:
    """Remember that goods and addresses are to be put right."""
    await session.execute(upsert(UnfinishedRetention).values(before=before).on_conflict_do_nothing())


async def is_unfinished(session: AsyncSession) -> bool:
    return await session.scalar(select(UnfinishedRetention.before).limit(1)) is not None


async def delete_unfinished(session: AsyncSession) -> None:
    await session.execute(delete(UnfinishedRetention))


async def select_untaught_goods(session: AsyncSession, *, after: int, count: int) -> list[int]:
    """Goods whose cart line, or all product pages before it, are gone: in order, those after an id."""
    found = await session.scalars(statement("goods/untaught_goods"), {"after": after, "count": count})
    return list(found)
