"""Imports of logs in tests, in chunks of any size, and what the database holds afterwards."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text

from clients.geo import Geo
from db.database import Database
from db.models import Base, Import
from db.queries.rejects import RejectRow
from service.imports.jobs import list_rejects
from service.imports.part_writer import PartWriter
from service.imports.record import ImportOptions
from service.imports.run import import_log
from service.imports.undo import UndoLimits
from service.logs.chunks import CHUNK_BYTES, LogFile
from service.logs.format_options import FormatOptions
from service.logs.line_columns import LineColumns
from service.logs.log_parser import LogParser
from service.logs.source import LogSource
from tests.support.log_lines import line
from tests.support.processes import PATIENCE

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATIENT_UNDO = UndoLimits(wait_seconds=PATIENCE)
CARTS_BY_DAY = """
    SELECT DISTINCT
        payment.cart_id, date_trunc('day', paid_at) AS day, payment.source, cart.is_bot, category_id
    FROM payment JOIN cart ON payment.cart_id = cart.id
    JOIN cart_item USING (cart_id) JOIN goods USING (goods_id)
    JOIN product ON product_id = product.id"""
BOUGHT = """
    SELECT count(*) AS bought FROM payment JOIN cart ON cart_id = id
    WHERE user_id IS NOT NULL AND payment.source IN ({}) AND cart.is_bot IN ({}) GROUP BY user_id"""
BUYER = "sum(CAST((payment.source = 'log') = {} AND cart.is_bot = {} AS int))"
# What each roll-up must have, counted from the rows that it sums up; `is_bot` stands last.
RECOUNTS = {
    "request_quarter": """
        SELECT date_bin('15 min', occurred_at, 'epoch'), source, count(*), traffic = 'bot' AS is_bot
        FROM visit GROUP BY 1, 2, 4""",
    "category_quarter": """
        SELECT category_id, date_bin('15 min', occurred_at, 'epoch'), kind, source, count(*), traffic = 'bot'
        FROM visit WHERE category_id IS NOT NULL GROUP BY 1, 2, 3, 4, 6""",
    "country_day": """
        SELECT date_trunc('day', occurred_at), country, source, count(*), traffic = 'bot'
        FROM visit WHERE country IS NOT NULL GROUP BY 1, 2, 3, 5""",
    "category_country_day": """
        SELECT category_id, date_trunc('day', occurred_at), country, kind, source, count(*), traffic = 'bot'
        FROM visit WHERE category_id IS NOT NULL AND country IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 7""",
    "cart_day": """
        SELECT date_trunc('day', opened_at), cart.source, paid_at IS NOT NULL, count(*), is_bot
        FROM cart LEFT JOIN payment ON cart_id = id GROUP BY 1, 2, 3, 5""",
    "payment_day": """
        SELECT date_trunc('day', paid_at), payment.source, count(*), is_bot
        FROM payment JOIN cart ON cart_id = id GROUP BY 1, 2, 4""",
    "paid_category_day": f"""
        SELECT category_id, day, source, count(*), is_bot FROM ({CARTS_BY_DAY}) AS carts
        GROUP BY 1, 2, 3, 5""",
    "paid_pair_day": f"""
        SELECT one.category_id, one.day, one.source, other.category_id, count(*), one.is_bot
        FROM ({CARTS_BY_DAY}) AS one JOIN ({CARTS_BY_DAY}) AS other USING (cart_id)
        WHERE one.category_id <> other.category_id GROUP BY 1, 2, 3, 4, 6""",
    "buyer": f"""
        SELECT user_id, {BUYER.format(True, False)}, {BUYER.format(False, False)},
            {BUYER.format(True, True)}, {BUYER.format(False, True)}
        FROM payment JOIN cart ON cart_id = id WHERE user_id IS NOT NULL GROUP BY 1""",
    "buyer_count": " UNION ALL ".join(
        f"SELECT '{name}', bought, count(*), '{traffic}' FROM ({BOUGHT.format(sources, bots)}) AS counts "
        "GROUP BY bought"
        for name, sources in (
            ("all", "'log', 'api', 'page', 'site'"),
            ("log", "'log'"),
            ("api", "'api', 'page', 'site'"),
        )
        for traffic, bots in (("human", "FALSE"), ("bot", "TRUE"), ("all", "FALSE, TRUE"))
    ),
}
# What follows from the visits. Names instead of ids, which depend on the order of imports.
DERIVED = (
    "SELECT occurred_at, id, position, kind, host(address), country, cart_id, page_url FROM visit",
    "SELECT * FROM cart",
    "SELECT * FROM cart_item",
    "SELECT * FROM payment",
    """
    SELECT goods_id, category.name, product.name FROM goods
    JOIN product ON product.id = product_id JOIN category ON category.id = category_id
    """,
)


async def store_lines(db: Database, lines: LineColumns, *, geo: Geo) -> None:
    """Store lines as an import does, without one."""
    writer = PartWriter(geo, import_id=0)
    part = await writer.prepare(db, lines)
    if part is not None:
        async with db.transaction() as session:
            await writer.store(session, part)


@dataclass(frozen=True)
class Importer:
    """Imports logs into a database, at a fixed time."""

    db: Database
    geo: Geo

    async def read(
        self,
        path: Path,
        *,
        zone: str = "UTC",
        accept_partial_line: bool = False,
        dry_run: bool = False,
        chunk_bytes: int = CHUNK_BYTES,
        log_format: str | None = None,
        location: str | None = None,
        on_progress: Callable[[Import], object] = lambda _: None,
    ) -> Import:
        """Import a file. A chunk must hold the longest of its lines."""
        return await import_log(
            self.db,
            self.geo,
            located(path, location, accept_partial_line=accept_partial_line, chunk_bytes=chunk_bytes),
            ImportOptions(ZoneInfo(zone) if zone != "UTC" else UTC, dry_run=dry_run, log_format=log_format),
            clock=lambda: NOW,
            on_progress=on_progress,
        )

    async def store(self, log: bytes) -> None:
        """Store a log's visits without an import."""
        parser = LogParser(FormatOptions(UTC))
        for chunk in LogFile(BytesIO(log), accept_partial_line=True).chunks():
            lines = parser.parse(chunk, now=NOW)
            if lines is not None:
                await store_lines(self.db, lines, geo=self.geo)

    async def rejects(self, record: Import) -> list[RejectRow]:
        return await list_rejects(self.db, record.id, with_text=True, after=None, limit=100_000, offset=0)

    async def rows(self, statement: str) -> list[tuple[object, ...]]:
        async with self.db.transaction() as session:
            return [tuple(row) for row in await session.execute(text(statement))]

    async def derived(self) -> list[list[tuple[object, ...]]]:
        """Return what imports have stored, but their own rows, each table sorted. Checks the roll-ups."""
        await self.check_rollups()
        return [sorted(await self.rows(statement), key=repr) for statement in DERIVED]

    async def derived_at_once(self, path: Path) -> list[list[tuple[object, ...]]]:
        """Return what one undisturbed import of the log stores in an empty database. Empties it first."""
        await self.empty()
        await self.read(path)
        return await self.derived()

    async def check_rollups(self) -> None:
        """Compare each roll-up with a recount of the visits, carts and payments."""
        for table, recount in RECOUNTS.items():
            rows = await self.rows(f"SELECT * FROM {table}")
            assert sorted(rows) == sorted(await self.rows(recount)), table

    async def empty(self) -> None:
        """Delete everything: quicker than TRUNCATE where there is little."""
        async with self.db.transaction() as session:
            for table in reversed(Base.metadata.sorted_tables):
                await session.execute(table.delete())


def located(
    path: Path, location: str | None, *, accept_partial_line: bool = False, chunk_bytes: int = CHUNK_BYTES
) -> LogSource:
    """Return a file as a host sees it where it lies at that location; by default where it really lies."""
    source = LogSource.of_file(path, accept_partial_line=accept_partial_line, chunk_bytes=chunk_bytes)
    return source if location is None else replace(source, location=location)


def counts(record: Import) -> tuple[int, int, int, int]:
    """Return how many lines an import has read, imported, found to be duplicates, and rejected."""
    return record.lines, record.imported, record.duplicates, record.rejected


def some_lines(count: int, *, start: int = 0) -> bytes:
    """Return whole lines, a second apart, with every kind of page; no two are equal."""
    paths = (
        "/",
        "/fresh_fish/",
        "/fresh_fish/salmon/",
        "/cart?goods_id=5&amount=2&cart_id={cart}",
        "/pay?user_id=7&cart_id={cart}",
        "/success_pay_{cart}/",
    )
    return b"".join(
        line(
            f"2018-08-01 {at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}",
            f"{at:08}",
            ("8.8.8.8", "10.0.0.1", "121.165.118.201")[at // 6 % 3],
            paths[at % 6].format(cart=at // 6 + 1),
        ).encode()
        + b"\n"
        for at in range(start, start + count)
    )


def lines_of(log: bytes) -> list[bytes]:
    return BytesIO(log).readlines()


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
