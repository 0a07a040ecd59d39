"""Parts of visits for tests: stored row by row, with no code of the importer."""

import hashlib
import random
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import text

from db.columns import encode
from db.database import Database, Transaction
from db.kinds import KIND_CODES, METHOD_CODES
from db.queries.names import insert_names, select_category_ids, select_product_ids
from db.sessions import raw_connection
from page_urls import normal_url
from service.columns.templates import parse_template
from service.logs.line_columns import shop_key
from service.visits.pages import parse_page
from tests.support.line_ids import log_line_id

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """What a visit says beyond the shop's fields, with the host of the referrer and what the agent tells."""

    method: str | None = None
    status: int | None = None
    bytes: int | None = None
    referrer: str | None = None
    host: str | None = None
    agent: str | None = None
    browser: str | None = None
    os: str | None = None
    device: str | None = None
    is_bot: bool = False

    @property
    def traffic(self) -> str:
        return "bot" if self.is_bot else "human"


NOTHING_SAID = Said()


@dataclass(frozen=True, slots=True)
class Line:
    """A log line as it is stored; `country` is that of its address wherever it stands."""

    occurred_at: datetime
    key: int
    address: str
    country: str | None
    page_url: str
    said: Said = NOTHING_SAID

    @property
    def page(self) -> Any:
        return parse_page(normal_url(self.page_url), None)

    @property
    def id(self) -> str:
        return str(log_line_id(self.occurred_at, self.key))

    @property
    def user_id(self) -> int | None:
        user_id: int | None = self.page.user_id if self.page.kind == "pay" else None
        return user_id

    @property
    def kind(self) -> str:
        kind: str = self.page.kind
        return kind

    @property
    def category(self) -> str | None:
        category: str | None = self.page.category
        return category

    @property
    def product(self) -> str | None:
        product: str | None = self.page.product
        return product

    @property
    def request_id(self) -> str:
        return self.id

    @property
    def source(self) -> str:
        return "log"


def line(page_url: str = "/", *, at: datetime, key: str = "AAAAAAAA", **address: Any) -> Line:
    return Line(
        at,
        shop_key(key),
        address.get("address", "8.8.8.8"),
        address.get("country", "US"),
        page_url,
        address.get("said", NOTHING_SAID),
    )


async def store_part(db: Database, lines: Sequence[Line], *, import_id: int = 1) -> int:
    """Store lines as a part, and return its id. Those of one host alone have template pages.

    Every other key of a first line has the part's columns in their narrow forms, where they have one.
    """
    lines = sorted(lines, key=lambda each: each.occurred_at)
    templates = [parse_template(each.page_url) for each in lines]
    host = next((each.host for each in templates if each is not None), "")
    async with db.transaction() as session:
        addresses = await address_ids(session, lines)
        pages = await page_ids(session, lines)
        numbers: dict[str, list[int]] = {
            name: [getattr(each.page, name) or 0 for each in lines]
            for name in ("cart_id", "goods_id", "amount", "user_id")
        }
        page = [
            0 if template is not None and template.host == host else pages[each.page_url]
            for each, template in zip(lines, templates, strict=True)
        ]
        columns: dict[str, Any] = {
            "occurred": (
                "timestamptz",
                [(each.occurred_at - EPOCH) // timedelta(microseconds=1) for each in lines],
            ),
            "key": ("int8", [each.key for each in lines]),
            "address_id": ("int4", [addresses[each.address] for each in lines]),
            "page_id": ("int4", page),
            "kind": ('"char"', [ord(KIND_CODES[each.kind]) for each in lines]),
            **{name: ("int8", values) for name, values in numbers.items()},
        }
        if lines[0].key % 2:
            columns = with_narrow_forms(columns)
        raw = await raw_connection(session)
        names = await said_ids(raw, [each.said for each in lines])
        token = uuid.uuid4()
        part_id: int = await raw.fetchval(
            "INSERT INTO visit_part "
            "(token, import_id, first_at, last_at, visits, first_position, host, page_ids) "
            "VALUES ($1, $2, $3, $4, $5, 1, $6, $7) RETURNING id",
            token,
            import_id,
            lines[0].occurred_at,
            lines[-1].occurred_at,
            len(lines),
            host,
            sorted(set(page) - {0}),
        )
        await raw.execute(
            "INSERT INTO visit_part_columns (token, kind) VALUES ($1, '{}')",
            token,
        )
        for name, (type_name, values) in columns.items():
            array = np.array(values, np.int64)
            valid = array != 0 if name in numbers else None
            if valid is not None and not valid.any():
                continue
            await set_array(raw, token, (name, type_name), encode(array, type_name, valid))
        for name, (type_name, each_of) in SAID.items():
            some = [each_of(each.said, names) for each in lines]
            valid = np.array([each is not None for each in some])
            if valid.any():
                array = np.array([each or 0 for each in some], np.int64)
                await set_array(raw, token, (name, type_name), encode(array, type_name, valid))
    return part_id


def with_narrow_forms(columns: dict[str, Any]) -> dict[str, Any]:
    """Columns as imports store them, made number by number."""
    numbers = {"address": columns["address_id"][1], "page": columns["page_id"][1]}
    narrow: dict[str, Any] = {"address_id": None, "page_id": None}
    occurred, keys = columns["occurred"][1], [int(key).to_bytes(8, "big") for key in columns["key"][1]]
    if all(each % 1_000_000 == 0 for each in occurred):
        numbers["second"] = [each // 1_000_000 for each in occurred]
        narrow["occurred"] = None
        if all(48 <= character < 112 for key in keys for character in key):
            bits = [int("".join(f"{character - 48:06b}" for character in key), 2) for key in keys]
            narrow["key_high"] = ("int2", [signed(each >> 32, 16) for each in bits])
            narrow["key_low"] = ("int4", [signed(each, 32) for each in bits])
            narrow["key"] = None
    for name, values in numbers.items():
        narrow[f"{name}_high"] = ("int2", [each >> 16 for each in values])
        narrow[f"{name}_low"] = ("int2", [signed(each, 16) for each in values])
    return {name: column for name, column in (columns | narrow).items() if column is not None}


def signed(number: int, bits: int) -> int:
    """The number that has the same lower bits, in two's complement."""
    low = number % (1 << bits)
    return low - (1 << bits) if low >> (bits - 1) else low


Names = dict[str, int]  # ids of referrers and agents
SAID: dict[str, tuple[str, Callable[[Said, Names], int | None]]] = {
    "method": ('"char"', lambda said, _: ord(METHOD_CODES[said.method]) if said.method else None),
    "status": ("int2", lambda said, _: said.status),
    "bytes": ("int8", lambda said, _: said.bytes),
    "referrer_id": ("int4", lambda said, names: names[said.referrer] if said.referrer else None),
    "agent_id": ("int4", lambda said, names: names[said.agent] if said.agent else None),
}


async def said_ids(raw: Any, said: Iterable[Said]) -> Names:
    """The ids of referrers and agents, which are inserted if they are new."""
    ids = {}
    for each in set(said):
        for name, values in (
            ("referrer", {"url": each.referrer, "host": each.host}),
            (
                "agent",
                {
                    "agent": each.agent,
                    "browser": each.browser,
                    "os": each.os,
                    "device": each.device,
                    "is_bot": each.is_bot,
                },
            ),
        ):
            text = values["url" if name == "referrer" else "agent"]
            if isinstance(text, str):
                columns = ", ".join(values)
                places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
                ids[text] = await raw.fetchval(
                    f"INSERT INTO {name} (digest, {columns}) "
                    f"VALUES (sha256(convert_to($1, 'UTF8')), {places}) "
                    "ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest RETURNING id",
                    *values.values(),
                )
    return ids


async def say(db: Database, said: Mapping[str, Said]) -> None:
    """Have stored live visits say something, by their ids."""
    async with db.transaction() as session:
        raw = await raw_connection(session)
        names = await said_ids(raw, said.values())
        for request_id, each in said.items():
            await raw.execute(
                "UPDATE live_visit SET referrer_id = $2, agent_id = $3, is_bot = $4 WHERE request_id = $1",
                request_id,
                names.get(each.referrer or ""),
                names.get(each.agent or ""),
                each.is_bot,
            )


async def set_array(raw: Any, token: uuid.UUID, column: tuple[str, str], data: bytes) -> None:
    """Set a column of a part by its binary form, as COPY does."""
    name, type_name = column
    rows = b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\1" + len(data).to_bytes(4, "big") + data + b"\xff\xff"
    await raw.execute(f"CREATE TEMP TABLE one_array (value {type_name}[]) ON COMMIT DROP")

    async def source() -> Any:
        yield rows

    await raw.copy_to_table("one_array", source=source(), format="binary")
    value = "(SELECT value FROM one_array)"
    await raw.execute(f"UPDATE visit_part_columns SET {name} = {value} WHERE token = '{token}'")
    await raw.execute("DROP TABLE one_array")


async def address_ids(session: Transaction, lines: Sequence[Line]) -> dict[str, int]:
    countries = {each.address: each.country for each in lines}
    for address, country in countries.items():
        await session.execute(
            text(
                "INSERT INTO address (address, country) "
                "VALUES (CAST(CAST(:address AS text) AS inet), :country) ON CONFLICT DO NOTHING"
            ),
            {"address": address, "country": country},
        )
    rows = await session.execute(text("SELECT host(address), id FROM address"))
    return dict(rows.all())


async def page_ids(session: Transaction, lines: Sequence[Line]) -> dict[str, int]:
    pages = {each.page_url: each.page for each in lines}
    await insert_names(
        session, {(page.category, page.product) for page in pages.values() if page.category is not None}
    )
    categories = await select_category_ids(
        session, [page.category for page in pages.values() if page.category]
    )
    products = await select_product_ids(
        session, [(categories[page.category], page.product) for page in pages.values() if page.product]
    )
    ids = {}
    for url, page in pages.items():
        category_id = None if page.category is None else categories[page.category]
        values = {
            "url": url,
            "kind": KIND_CODES[page.kind],
            "category_id": category_id,
            "product_id": products.get((category_id or 0, page.product or "")),
            "digest": hashlib.sha256(
                f"{url}\0{page.kind}\0{page.category}\0{page.product}".encode()
            ).digest(),
        }
        row = await session.execute(
            text(
                "INSERT INTO page (url, kind, category_id, product_id, digest) VALUES (:url, "
                'CAST(CAST(:kind AS text) AS "char"), :category_id, :product_id, :digest) '
                "ON CONFLICT (digest) DO UPDATE SET url = page.url RETURNING id"
            ),
            values,
        )
        ids[url] = row.scalar_one()
    return ids


def some_keys(count: int, *, seed: int = 1) -> list[str]:
    letters = random.Random(seed)
    return ["".join(letters.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=8)) for _ in range(count)]
