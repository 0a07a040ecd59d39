"""The good lines of a chunk as columns, an array each, and what became of the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from calendar_days import instant
from service.logs.rejects import RejectedLine
from service.logs.shop_format import Kind, Page

KINDS: tuple[Kind, ...] = ("main", "category", "product", "cart", "pay", "success", "asset", "other")
TEMPLATE_PAGE = -1

Int8s = npt.NDArray[np.int8]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


AddressKey = str | tuple[str, str | None]  # an address, or a masked one and a country


class PageName(NamedTuple):
    """A page, by the normal form of the URL that lines name it with."""

    url: str
    kind: Kind
    category: str | None = None
    product: str | None = None


@dataclass(frozen=True, slots=True)
class LineColumns:
    """Good lines, ordered by (occurred, position), each (occurred, key) once. Blank lines count nowhere.

    :param occurred: microseconds since 1970, UTC
    :param key: the request key as a number: `shop_key` or `digest_key`
    :param position: the number of the line, from 1
    :param kind: index into KINDS
    :param address: index into `addresses`, which are distinct, canonical, and all of this chunk
    :param page: index into `pages`, likewise; TEMPLATE_PAGE for a cart, pay or success page whose URL is
        just what `template_url` makes of `host` and the numbers
    :param cart_id: like goods_id, amount and user_id a number from 1; 0 where the line has none
    :param host: scheme and host of template pages, such as https://shop.example; empty for bare paths
    :param countries: those of `addresses` where these are masked, looked up before; an address may stand
        there with several. None where they are not masked
    :param duplicates: lines left out because one before them in the chunk has their time and key

    What follows is None for a log that does not say it:

    :param status: of the answer
    :param body_bytes: of the answer; -1 where the line has a dash
    :param method: index into `methods`; so are `referrer` into `referrers` and `agent` into `agents`, and
        these are -1 where the line has a dash or nothing
    """

    occurred: Int64s
    key: Int64s
    position: Int64s
    kind: Int8s
    address: Int32s
    page: Int32s
    cart_id: Int64s
    goods_id: Int64s
    amount: Int64s
    user_id: Int64s
    addresses: list[str]
    pages: list[PageName]
    host: str
    rejects: list[RejectedLine] = field(default_factory=list)
    duplicates: int = 0
    countries: list[str | None] | None = None
    log_format: str = "shop"
    status: Int64s | None = None
    body_bytes: Int64s | None = None
    method: Int32s | None = None
    methods: list[str] = field(default_factory=list)
    referrer: Int32s | None = None
    referrers: list[str] = field(default_factory=list)
    agent: Int32s | None = None
    agents: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.occurred)

    @property
    def address_keys(self) -> Sequence[AddressKey]:
        """What tells addresses apart: masked ones also by their countries."""
        if self.countries is None:
            return self.addresses
        return list(zip(self.addresses, self.countries, strict=True))

    @property
    def lines(self) -> int:
        return len(self) + self.duplicates + len(self.rejects)

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The times of the first and the last visit; None without visits."""
        if not len(self):
            return None
        return instant(int(self.occurred[0])), instant(int(self.occurred[-1]))

    def take(self, rows: npt.NDArray[np.bool_] | Int64s) -> Self:
        """Return some of the rows, with the names of all."""
        columns = {name: getattr(self, name) for name in ROW_COLUMNS}
        return replace(self, **{name: column[rows] for name, column in columns.items() if column is not None})

    def page_url(self, row: int) -> str:
        """Return the URL of a row's page."""
        page = int(self.page[row])
        if page != TEMPLATE_PAGE:
            return self.pages[page].url
        numbers = {name: int(getattr(self, name)[row]) for name in NUMBERS}
        return template_url(self.host, KINDS[self.kind[row]], **numbers)


NUMBERS = ("cart_id", "goods_id", "amount", "user_id")
REQUEST_COLUMNS = ("status", "body_bytes", "method", "referrer", "agent")
ROW_COLUMNS = ("occurred", "key", "position", "kind", "address", "page", *NUMBERS, *REQUEST_COLUMNS)


def template_url(
    host: str, kind: str, *, cart_id: int, goods_id: int = 0, amount: int = 0, user_id: int = 0
) -> str:
    """Return the URL of a cart, pay or success page as the shop writes it."""
    if kind == "cart":
        return f"{host}/cart?goods_id={goods_id}&amount={amount}&cart_id={cart_id}"
    if kind == "pay":
        return f"{host}/pay?user_id={user_id}&cart_id={cart_id}"
    return f"{host}/success_pay_{cart_id}/"


def is_template(url: str, page: Page, host: str) -> bool:
    """Return whether the URL is just what the template of its page makes."""
    if page.cart_id is None:
        return False
    numbers = {name: getattr(page, name) or 0 for name in NUMBERS}
    return url == template_url(host, page.kind, **numbers)


def shop_key(key: str) -> int:
    """Return a key of 8 ASCII characters as a number: its bytes, the first of which counts most.

    Numbers are ordered as the keys are, and fit into 63 bits.
    """
    return int.from_bytes(key.encode("ascii"), "big")


def digest_key(digest: bytes, ordinal: int) -> int:
    """Return the key of a line without one: 63 bits of its digest, moved on for each equal line before it.

    :param ordinal: 1 for the first of equal lines
    """
    return (int.from_bytes(digest[:8], "big") + (ordinal - 1) * ORDINAL_STEP) & MAX_KEY


MAX_KEY = 2**63 - 1
ORDINAL_STEP = 0x1E3779B97F4A7C15  # odd, so that no two ordinals of a line give the same key
