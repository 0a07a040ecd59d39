"""The product pages that addresses viewed last before cart lines: in parts, and among live visits."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.columns import Values
from db.queries.part_columns import PartSpan, select_part_spans
from db.queries.part_lines import (
    ORDER_KEY,
    OrderKeys,
    order_keys,
    page_order_keys,
    places,
    select_product_pages,
)
from db.sql import statement
from db.visit_ids import ids_of_texts

Rows = Values | NDArray[np.bool_]
NEVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class CartLines:
    """Lines that put goods into carts, of logs and live."""

    goods_id: Values
    address_id: Values
    order_key: OrderKeys
    import_id: Values  # 0 of live visits

    def __len__(self) -> int:
        return len(self.goods_id)

    def take(self, rows: Rows) -> "CartLines":
        """Return some of the lines."""
        return CartLines(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def occurred(self) -> Values:
        return self.order_key.view(ORDER_KEY)["occurred"].astype(np.int64)

    @property
    def position(self) -> Values:
        return self.order_key.view(ORDER_KEY)["position"].astype(np.int64)


@dataclass(frozen=True, slots=True)
class LastPages:
    """For each line the last product page before it. `order_key` is empty where there is none.

    :param page_id: of a page in a part, 0 of a live one, whose product is `product_id`
    :param import_id: 0 of live visits
    """

    order_key: OrderKeys
    page_id: Values
    product_id: Values
    import_id: Values

    @classmethod
    def none(cls, lines: int) -> "LastPages":
        return cls(np.zeros(lines, "S32"), *(np.zeros(lines, np.int64) for _ in range(3)))

    def mask(self) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = self.order_key != b""
        return mask

    def improve(self, rows: Values, order_key: OrderKeys, **values: Values | int) -> None:
        """Set pages of lines where they are later than those so far."""
        later = order_key > self.order_key[rows]
        self.order_key[rows[later]] = order_key[later]
        for name in ("page_id", "product_id", "import_id"):
            value = values.get(name, 0)
            getattr(self, name)[rows[later]] = value[later] if isinstance(value, np.ndarray) else value


@dataclass(frozen=True, slots=True)
class PageBounds:
    """Before what times there is no product page.

    :param first_live: in live visits, of any address
    :param addresses: sorted ids of addresses; `first_in_part` is theirs in parts
    """

    first_live: int
    addresses: Values
    first_in_part: Values

    def first_in_parts(self, address_id: Values) -> Values:
        return self.first_in_part[np.searchsorted(self.addresses, address_id)]


async def select_page_bounds(session: AsyncSession, lines: CartLines) -> PageBounds:
    """Return bounds for the addresses of some lines."""
    first_live = await session.scalar(
        text("SELECT CAST(extract(epoch FROM min(occurred_at)) * 1000000 AS bigint) FROM live_visit")
    )
    addresses = np.unique(lines.address_id)
    rows = await session.execute(
        text(
            "SELECT id, CAST(extract(epoch FROM first_product_at) * 1000000 AS bigint) FROM address "
            "WHERE id = ANY(:ids) AND first_product_at IS NOT NULL"
        ),
        {"ids": addresses.tolist()},
    )
    first = np.full(len(addresses), NEVER)
    pairs = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 2)
    first[np.searchsorted(addresses, pairs[:, 0])] = pairs[:, 1]
    return PageBounds(NEVER if first_live is None else first_live, addresses, first)


async def select_last_pages(session: AsyncSession, lines: CartLines, bounds: PageBounds) -> LastPages:
    """Return the last product page of each line's address before it."""
    pages = LastPages.none(len(lines))
    occurred = lines.occurred
    if len(lines) and occurred.max() >= bounds.first_live:
        await add_live_pages(session, lines, pages)
    first = bounds.first_in_parts(lines.address_id)
    if not len(lines) or not (first <= occurred).any():
        return pages
    spans = await select_part_spans(session, since=int(first.min()), until=int(occurred.max()) + 1)
    sought = places(lines.address_id, occurred, lines.position)
    for span in spans:  # the newest first: a page in the next one is earlier
        best = pages.order_key.view(ORDER_KEY)["occurred"].astype(np.int64)
        pending = np.flatnonzero((first <= occurred) & (first <= span.last_at) & (best <= span.last_at))
        if not len(pending):
            return pages
        rows = pending[occurred[pending] >= span.first_at]
        if len(rows):
            await add_pages_of_part(session, span, rows, sought, pages)
    return pages


async def add_pages_of_part(
    session: AsyncSession, span: PartSpan, rows: Values, sought: NDArray[np.bytes_], pages: LastPages
) -> None:
    """Improve the pages of some lines by those in a part."""
    part = await select_product_pages(session, span)
    if not len(part):
        return
    last = np.searchsorted(part.place, sought[rows]) - 1
    same = (last >= 0) & (sought[rows].astype("S4") == part.place[last].astype("S4"))
    rows, last = rows[same], last[same]
    pages.improve(
        rows,
        page_order_keys(part, last),
        page_id=part.page_id[last].astype(np.int64),
        import_id=span.import_id,
    )


async def add_live_pages(session: AsyncSession, lines: CartLines, pages: LastPages) -> None:
    """Set the pages of lines to those in live visits."""
    result = await session.execute(
        statement("goods/last_live_pages"),
        {
            "address_ids": lines.address_id.tolist(),
            "times": lines.occurred.tolist(),
            "positions": lines.position.tolist(),
        },
    )
    rows = result.all()
    if rows:
        ordinal, product_id, occurred, position = np.array([row[:4] for row in rows], np.int64).T
        keys = order_keys(occurred, position, ids_of_texts([row.request_id for row in rows]))
        pages.improve(ordinal - 1, keys, product_id=product_id)
