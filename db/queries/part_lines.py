"""The visits of parts from which carts and goods follow: cart lines and product pages.

The key of a line or page in order is the bytes of its time, position and id, as `order_keys` returns them.
"""

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from db.columns import Values
from db.kinds import KIND_CODES
from db.part_cache import PART_CACHE
from db.queries.part_columns import NO_ID, Columns, PartSpan, select_columns
from db.unique import distinct
from db.visit_ids import Ids, visit_ids

Places = NDArray[np.bytes_]  # S20: address, time and position, which numpy orders as their numbers
OrderKeys = NDArray[np.bytes_]  # S32

ID_BYTES = 16
CART, PRODUCT = ord(KIND_CODES["cart"]), ord(KIND_CODES["product"])
PLACE = np.dtype([("address_id", ">u4"), ("occurred", ">u8"), ("position", ">u8")])
ORDER_KEY = np.dtype([("occurred", ">u8"), ("position", ">u8"), ("id", "V16")])


@dataclass(frozen=True, slots=True)
class PartLines:
    """The visits of a part that name a cart, in (time, position). A number is 0 where there is none."""

    occurred: Values
    key: Values
    position: Values
    address_id: Values
    kind: Values
    cart_id: Values
    goods_id: Values
    amount: Values
    user_id: Values
    agent_id: Values
    request_id: Values

    @property
    def id(self) -> Ids:
        return ids_of_lines(self.occurred, self.key, self.request_id)

    def __len__(self) -> int:
        return len(self.occurred)

    def take(self, rows: Values) -> "PartLines":
        """Return some of the visits."""
        return PartLines(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True, slots=True)
class ProductPages:
    """The views of product pages in a part, by address, and then in (time, position)."""

    place: Places
    key: Values
    page_id: Values
    request_id: Values

    def __len__(self) -> int:
        return len(self.place)

    @property
    def address_id(self) -> Values:
        return self.place.view(PLACE)["address_id"]

    @property
    def occurred(self) -> Values:
        return self.place.view(PLACE)["occurred"].astype(np.int64)


Lines = TypeVar("Lines", PartLines, ProductPages)


def lines_of(columns: Columns) -> PartLines:
    """Return the visits that name a cart."""
    rows = np.flatnonzero(columns["cart_id"])
    none = np.zeros(len(rows), np.int8)
    return PartLines(
        **{
            field.name: columns[field.name][rows] if field.name in columns else none
            for field in fields(PartLines)
        }
    )


def product_pages_of(columns: Columns) -> ProductPages:
    """Return the views of product pages."""
    rows = np.flatnonzero(columns["kind"] == PRODUCT)
    rows = rows[np.argsort(columns["address_id"][rows], kind="stable")]
    place = places(columns["address_id"][rows], columns["occurred"][rows], columns["position"][rows])
    request_id = columns["request_id"][rows] if "request_id" in columns else np.zeros(len(rows), NO_ID)
    return ProductPages(place, columns["key"][rows], columns["page_id"][rows], request_id)


def ids_of_lines(occurred: Values, key: Values, request_id: Values) -> Ids:
    """Return the ids of visits: their own, or those of log lines."""
    if request_id.dtype.itemsize < ID_BYTES:
        return visit_ids(occurred, key)
    return request_id.view("S16")


def places(address_id: Values, occurred: Values, position: Values) -> Places:
    cells = np.empty(len(occurred), PLACE)
    cells["address_id"], cells["occurred"], cells["position"] = address_id, occurred, position
    return cells.view("S20")


def order_keys(occurred: Values, position: Values, ids: Ids) -> OrderKeys:
    """Return keys by which lines are ordered."""
    cells = np.empty(len(occurred), ORDER_KEY)
    cells["occurred"], cells["position"], cells["id"] = occurred, position, ids.view("V16")
    return cells.view("S32")


def page_order_keys(pages: ProductPages, rows: NDArray[np.intp]) -> OrderKeys:
    """Return the keys of some pages in order."""
    place = pages.place.view(PLACE)[rows]
    occurred = place["occurred"].astype(np.int64)
    ids = ids_of_lines(occurred, pages.key[rows], pages.request_id[rows])
    return order_keys(occurred, place["position"], ids)


LINE_NAMES = tuple(field.name for field in fields(PartLines))
PAGE_NAMES = ("occurred", "key", "position", "address_id", "page_id", "kind", "request_id")


async def select_part_lines(session: AsyncSession, span: PartSpan) -> PartLines:
    """Return the visits of a part that name a cart: none if the part is gone."""
    lines = PART_CACHE.get((span.token, PartLines))
    if lines is None:
        columns = None if span.cart_ids is None else await select_columns(session, span, LINE_NAMES)
        lines = lines_of(NO_VISITS if columns is None else columns)
        remember(span, lines)
    assert isinstance(lines, PartLines)
    return lines


async def select_product_pages(session: AsyncSession, span: PartSpan) -> ProductPages:
    """Return the views of product pages in a part: none if the part is gone."""
    pages = PART_CACHE.get((span.token, ProductPages))
    if pages is None:
        columns = await select_columns(session, span, PAGE_NAMES)
        pages = product_pages_of(NO_VISITS if columns is None else columns)
        remember(span, pages)
    assert isinstance(pages, ProductPages)
    return pages


async def select_cart_ids(session: AsyncSession, span: PartSpan) -> Values:
    """Return the carts that a part's visits name, in order, each once."""
    key = (span.token, "cart_ids")
    cart_ids: Values | None = PART_CACHE.get(key)
    if cart_ids is None:
        columns = await select_columns(session, span, ["cart_id"])
        cart_ids = (NO_VISITS if columns is None else columns)["cart_id"]
        cart_ids = distinct(cart_ids[cart_ids > 0])
        PART_CACHE.put(key, cart_ids, cart_ids.nbytes + 1000)
    return cart_ids


def remember(span: PartSpan, lines: Lines) -> None:
    """Keep what was selected, or what is being stored."""
    size = sum(getattr(lines, field.name).nbytes for field in fields(lines))
    PART_CACHE.put((span.token, type(lines)), lines, size + 1000)


NO_VISITS: Columns = {name: np.zeros(0, np.int64) for name in {*LINE_NAMES, *PAGE_NAMES}}
