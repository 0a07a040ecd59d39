"""Renames pages, categories and products of builds before revision 0024 to their normal forms, by spans.

Several old spellings may be one page now. Pages that become the same keep their ids, which parts hold: two
may have one URL. Categories and products become one: `category_twin` and `product_twin` say which replaces
which until the last step. `page_renaming` holds how far it has come, so an interrupted one goes on there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, text

from migrations.page_name_statements import (
    CATEGORIES,
    ESTIMATE,
    ID_SPAN_END,
    INSERT_TWINS,
    LIVE_SPAN_END,
    LIVE_VISITS,
    MOVE_PAGE_VISITS,
    PAGES,
    PRODUCTS,
    RENAME_CATEGORIES,
    RENAME_LIVE_VISITS,
    RENAME_PAGES,
    RENAME_PRODUCTS,
    SAME_CATEGORIES,
    SAME_PRODUCTS,
    UPDATE_CURSOR,
)
from page_urls import decode_segment, normal_escapes, normal_url

Rows = Sequence[Row[Any]]
Cursor = tuple[int, datetime | None, str | None]
START: Cursor = (0, None, None)


@dataclass(frozen=True, slots=True)
class RenameLimits:
    """How many rows a span has."""

    rows: int = 100_000


LIMITS = RenameLimits()


def rename_span(connection: Connection, limits: RenameLimits = LIMITS) -> int:
    """Rename the next rows, in the caller's transaction. Return how many were looked at; 0 when all were."""
    while True:
        step, *cursor = connection.execute(
            text("SELECT step, after_id, after_at, after_request FROM page_renaming")
        ).one()
        if step == len(STEPS):
            return 0
        rows: int
        rows, (after_id, after_at, after_request) = STEPS[step](connection, (*cursor,), limits.rows)
        connection.execute(
            text(UPDATE_CURSOR),
            {"step": step + (not rows), "id": after_id, "at": after_at, "request": after_request},
        )
        if rows:
            return rows


def estimate_rows(connection: Connection) -> int:
    """Return about how many rows there are to look at, by the statistics of PostgreSQL."""
    return int(connection.execute(text(ESTIMATE)).scalar() or 0)


def rename_categories(connection: Connection, cursor: Cursor, limit: int) -> tuple[int, Cursor]:
    after = cursor[0]
    last, count = connection.execute(
        text(ID_SPAN_END.format("category")), {"after": after, "rows": limit}
    ).one()
    if not count:
        return 0, START
    rows = connection.execute(text(CATEGORIES), {"after": after, "last": last}).all()
    names = {row.id: name for row in rows if (name := normal_name(row.name)) != row.name}
    same = connection.execute(text(SAME_CATEGORIES), {"digests": [digest(name) for name in names.values()]})
    ids = {row.name_sha256: row.id for row in same}
    renamed, twins = dict[int, str](), dict[int, int]()
    for category_id, name in names.items():
        replacement = ids.setdefault(digest(name), category_id)
        if replacement == category_id:
            renamed[category_id] = name
        else:
            twins[category_id] = replacement
    columns = {"names": list(renamed.values()), "digests": [digest(name) for name in renamed.values()]}
    connection.execute(text(RENAME_CATEGORIES), {"ids": list(renamed), **columns})
    insert_twins(connection, "category_twin", twins)
    return count, (last, None, None)


def rename_products(connection: Connection, cursor: Cursor, limit: int) -> tuple[int, Cursor]:
    """Rename products, and move those of a category that another one replaces."""
    after = cursor[0]
    last, count = connection.execute(
        text(ID_SPAN_END.format("product")), {"after": after, "rows": limit}
    ).one()
    if not count:
        return 0, START
    rows = connection.execute(text(PRODUCTS), {"after": after, "last": last}).all()
    products = {
        row.id: (row.new_category, name)
        for row in rows
        if (name := normal_name(row.name)) != row.name or row.new_category != row.category_id
    }
    keys = [(category_id, digest(name)) for category_id, name in products.values()]
    same = connection.execute(
        text(SAME_PRODUCTS), {"categories": [key[0] for key in keys], "digests": [key[1] for key in keys]}
    )
    ids = {(row.category_id, row.name_sha256): row.id for row in same}
    renamed, twins = dict[int, tuple[int, str]](), dict[int, int]()
    for (product_id, product), key in zip(products.items(), keys, strict=True):
        replacement = ids.setdefault(key, product_id)
        if replacement == product_id:
            renamed[product_id] = product
        else:
            twins[product_id] = replacement
    columns = {
        "categories": [category_id for category_id, _ in renamed.values()],
        "names": [name for _, name in renamed.values()],
        "digests": [digest(name) for _, name in renamed.values()],
    }
    connection.execute(text(RENAME_PRODUCTS), {"ids": list(renamed), **columns})
    insert_twins(connection, "product_twin", twins)
    return count, (last, None, None)


def rename_pages(connection: Connection, cursor: Cursor, limit: int) -> tuple[int, Cursor]:
    after = cursor[0]
    last, count = connection.execute(text(ID_SPAN_END.format("page")), {"after": after, "rows": limit}).one()
    if not count:
        return 0, START
    rows = connection.execute(text(PAGES), {"after": after, "last": last}).all()
    urls = [normal_url(row.url) for row in rows]
    digests = [page_digest(url, row) for url, row in zip(urls, rows, strict=True)]
    statement = text("SELECT digest FROM page WHERE digest = ANY(CAST(:digests AS bytea[]))")
    taken = set(connection.execute(statement, {"digests": digests}).scalars())
    new_digests: list[bytes | None] = []
    for each in digests:
        new_digests.append(None if each in taken else each)
        taken.add(each)
    columns = {
        "ids": [row.id for row in rows],
        "urls": urls,
        "categories": [row.category_id for row in rows],
        "products": [row.product_id for row in rows],
        "digests": new_digests,
    }
    connection.execute(text(RENAME_PAGES), columns)
    return count, (last, None, None)


def rename_live_visits(connection: Connection, cursor: Cursor, limit: int) -> tuple[int, Cursor]:
    _, at, request = cursor
    place = {"at": at, "request": request}
    end = connection.execute(text(LIVE_SPAN_END), {**place, "rows": limit}).one_or_none()
    if end is None:
        return 0, START
    span = {**place, "last_at": end.occurred_at, "last_request": end.request_id}
    rows = connection.execute(text(LIVE_VISITS), span).all()
    urls = {row.page_url: normal_url(row.page_url) for row in rows}
    columns = {
        "times": [row.occurred_at for row in rows],
        "requests": [row.request_id for row in rows],
        "urls": [urls[row.page_url] for row in rows],
        "categories": [row.category_id for row in rows],
        "products": [row.product_id for row in rows],
    }
    connection.execute(text(RENAME_LIVE_VISITS), columns)
    moves = [(digest(old), digest(new)) for old, new in urls.items() if old != new and old.startswith("/")]
    connection.execute(
        text(MOVE_PAGE_VISITS), {"old": [old for old, _ in moves], "new": [new for _, new in moves]}
    )
    return end.rows, (0, end.occurred_at, end.request_id)


STEPS: tuple[Callable[[Connection, Cursor, int], tuple[int, Cursor]], ...] = (
    rename_categories,
    rename_products,
    rename_pages,
    rename_live_visits,
)


def insert_twins(connection: Connection, table: str, twins: dict[int, int]) -> None:
    connection.execute(text(INSERT_TWINS.format(table)), {"old": list(twins), "new": list(twins.values())})


def normal_name(name: str) -> str:
    """Return the decoded name; the name as it is, where that can't be stored."""
    decoded = decode_segment(normal_escapes(name))
    return name if "\0" in decoded else decoded


def digest(name: str) -> bytes:
    return sha256(name.encode()).digest()


def page_digest(url: str, row: Row[Any]) -> bytes:
    """Return the key of a page as the builds since revision 0020 make it."""
    names = ("" if name_id is None else str(name_id) for name_id in (row.category_id, row.product_id))
    return digest("\n".join((url, row.kind, *names)))
