"""Live visits: inserted with the roll-ups that count them in one statement, and selected by their ids."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from asyncpg import Connection, Record
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import PageVisits
from db.queries.agents import text_digest
from db.queries.names import name_digest
from db.sessions import AnyRow
from db.sql import raw_statement, statement

HUMAN, BOT = "human", "bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRow:
    """A live visit as it is inserted, but with names instead of ids of names.

    :param is_dated: the client gave the time, which then tells the visit from others of its id
    :param given: which of address, agent and referrer the client gave, which then tell the visit too
    :param position: orders visits of one instant
    :param counts_page: the visit counts for its page
    :param is_id_given: the client gave the id, which may be that of a stored visit
    :param is_masked: others have the address too, so its country tells nothing of this visit's
    :param user_id: who visits; `buyer_id` is who pays, as a pay page says
    """

    request_id: str
    occurred_at: datetime
    is_dated: bool
    position: int
    source: str
    page_url: str
    counts_page: bool
    address: str | None
    country: str | None
    user_id: int | None
    kind: str
    category: str | None
    product: str | None
    cart_id: int | None
    goods_id: int | None
    amount: int | None
    buyer_id: int | None
    referrer: str | None = None
    agent: str | None = None
    given: Collection[str] = ()
    is_masked: bool = False
    is_id_given: bool = True

    @property
    def category_sha256(self) -> bytes | None:
        return None if self.category is None else name_digest(self.category)

    @property
    def product_sha256(self) -> bytes | None:
        return None if self.product is None else name_digest(self.product)

    @property
    def page_sha256(self) -> bytes | None:
        """The key of the page whose views it counts for; None if it is not a view of a page."""
        return name_digest(self.page_url) if self.counts_page else None

    @property
    def referrer_sha256(self) -> bytes | None:
        return None if self.referrer is None else text_digest(self.referrer)

    @property
    def agent_sha256(self) -> bytes | None:
        return None if self.agent is None else text_digest(self.agent)


class Missing(Enum):
    """Why no visit was inserted."""

    NAMES = "names"  # a category, product, referrer or agent has no id yet
    GOODS = "goods"  # a product page may stand before a cart line, whose goods must be inferred again


class Visit(NamedTuple):
    """A visit as it is shown, live or of a log. (timestamp, id) orders visits and tells them apart.

    Its fields are the columns of `list_live_visits.sql` and `live_visits.sql`. A list makes many, and a
    frozen dataclass takes six times as long to make.
    """

    id: str
    timestamp: datetime
    page_url: str
    user_id: int | None
    country: str | None
    source: str
    kind: str
    category: str | None
    product: str | None
    method: str | None = None
    status: int | None = None
    bytes: int | None = None
    referrer: str | None = None
    browser: str | None = None
    os: str | None = None
    device: str | None = None
    traffic: str = HUMAN


# By id, with how many visits there are of its page; None if its page is not counted.
Inserted = dict[str, tuple[Visit, int | None]]


async def insert_live_visits(
    raw: Connection, rows: Sequence[LiveRow], *, infer_goods: bool
) -> Inserted | Missing:
    """Insert the visits whose ids are new, or none of them if something is missing. Each id stands once.

    :param infer_goods: the caller infers goods afterwards, so they do not count as missing
    """
    if len(rows) == 1:
        sql, names = raw_statement("visits/store_live_visit")
        values = [infer_goods if name == "infer_goods" else getattr(rows[0], name) for name in names]
    else:
        sql, names = raw_statement("visits/store_live_visits")
        values = [infer_goods if name == "infer_goods" else column_of(rows, name) for name in names]
    records = await raw.fetch(sql, *values)
    if records and records[0]["missing"] is not None:
        return Missing(records[0]["missing"])
    by_id = {row.request_id: row for row in rows}
    ids = [record["request_id"] for record in records]
    return {
        request_id: (inserted_visit(by_id[request_id], record), record["visits"])
        for request_id, record in zip(ids, records, strict=True)
    }


def column_of(rows: Sequence[LiveRow], name: str) -> list[Any] | None:
    """Return an attribute of all rows; None if none has it, for which unnest gives as many nulls.

    Half of the columns are so in most batches, and asyncpg looks at each value to encode it.
    """
    column = [getattr(row, name) for row in rows]
    return None if column.count(None) == len(column) else column


def inserted_visit(row: LiveRow, record: Record) -> Visit:
    """Return the visit of a row that was inserted, as a SELECT would return it."""
    return Visit(
        id=row.request_id,
        timestamp=row.occurred_at,
        page_url=row.page_url,
        user_id=row.user_id,
        country=row.country,
        source=row.source,
        kind=row.kind,
        category=row.category,
        product=row.product,
        referrer=row.referrer,
        browser=record["browser"],
        os=record["os"],
        device=record["device"],
        traffic=BOT if record["is_bot"] else HUMAN,
    )


async def select_live_rows(raw: Connection, request_ids: Sequence[str]) -> list[Record]:
    """Return the live visits of these ids, with the columns of live_visits.sql."""
    sql, _ = raw_statement("visits/live_visits")
    rows: list[Record] = await raw.fetch(sql, request_ids)
    return rows


async def select_live_visits(session: AsyncSession, request_ids: Sequence[str]) -> Sequence[AnyRow]:
    """Return the live visits of these ids, with the columns of live_visits.sql."""
    rows = await session.execute(statement("visits/live_visits"), {"request_ids": list(request_ids)})
    return rows.all()


async def select_origins(
    session: AsyncSession, request_ids: Sequence[str]
) -> dict[str, tuple[str | None, str | None]]:
    """Return the addresses and agents of live visits, by id."""
    rows = await session.execute(
        text(
            "SELECT visit.request_id, host(visit.address), agent.agent FROM live_visit AS visit "
            "LEFT JOIN agent ON visit.agent_id = agent.id "
            "WHERE visit.request_id = ANY(CAST(:request_ids AS text[]))"
        ),
        {"request_ids": list(request_ids)},
    )
    return {request_id: (address, agent) for request_id, address, agent in rows}


async def select_page_visits(session: AsyncSession, page_url: str) -> int:
    """Return how many live visits there are of a page that is named by its path."""
    visits = select(PageVisits.visits).where(PageVisits.page_sha256 == name_digest(page_url))
    return await session.scalar(visits) or 0
