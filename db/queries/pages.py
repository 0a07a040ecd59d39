"""Pages that log lines name by their URLs: their ids, of old ones and of those that are inserted."""

from collections.abc import Sequence
from hashlib import sha256
from operator import itemgetter
from typing import NamedTuple

from asyncpg import Connection
from sqlalchemy.ext.asyncio import AsyncSession

from db.array_literals import array_literal, digest_array, text_array
from db.queries.new_rows import insert_new
from db.sessions import raw_connection
from db.sql import raw_statement

PAGES = """
    SELECT digest, id FROM page
    WHERE digest = ANY(CAST((SELECT CAST(CAST($1 AS text) AS bytea[])) AS bytea[]))
"""


class PageRow(NamedTuple):
    """A page: `kind` is a code of db.kinds."""

    url: str
    kind: str
    category_id: int | None
    product_id: int | None

    @property
    def digest(self) -> bytes:
        """The key of a page: its URL may be too long for an index."""
        url, kind, category, product = self
        text = f"{url}\n{kind}\n{'' if category is None else category}\n{'' if product is None else product}"
        return sha256(text.encode()).digest()


async def ensure_pages(session: AsyncSession, pages: Sequence[PageRow]) -> list[int]:
    """Return the ids of pages, each given once, in their order; insert those that are new.

    The transaction should do nothing else, as with names: pages stay for good.
    """
    raw = await raw_connection(session)
    digests = [page.digest for page in pages]
    ids = await select_page_ids(raw, digests)
    # In one order, so that two importers never wait for each other in a circle.
    new = sorted(
        ((digest, page) for digest, page in zip(digests, pages, strict=True) if digest not in ids),
        key=itemgetter(0),
    )
    if new:
        sql, _ = raw_statement("visits/insert_pages")
        rows = await insert_new(
            raw,
            sql,
            digest_array([digest for digest, _ in new]),
            text_array([page.url for _, page in new]),
            array_literal(page.kind for _, page in new),
            array_literal(page.category_id for _, page in new),
            array_literal(page.product_id for _, page in new),
        )
        ids |= dict(map(tuple, rows))
    missing = [digest for digest, _ in new if digest not in ids]
    if missing:  # somebody else has inserted them meanwhile
        ids |= await select_page_ids(raw, missing)
    return [ids[digest] for digest in digests]


async def select_page_ids(raw: Connection, digests: Sequence[bytes]) -> dict[bytes, int]:
    """Return the ids of pages that are stored, by their digests."""
    rows = await raw.fetch(PAGES, digest_array(digests))
    return dict(map(tuple, rows))
