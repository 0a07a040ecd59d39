"""Addresses that are masked before they are stored: their countries are known, and nothing else is."""

from collections import Counter
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from clients.geo import Geo
from db.database import Database
from db.models import Import
from service.columns.store import ColumnStore
from service.imports.record import ImportOptions
from service.imports.run import import_log
from service.imports.undo import undo_import
from service.logs.source import LogSource
from service.visits.queries import count_visits
from tests.support.log_imports import NOW, Importer
from tests.support.log_lines import line
from tests.support.stored_texts import everything

# Of one /8 and several countries; and others.
ADDRESSES = (
    *("81.2.69.160", "81.100.7.9", "81.169.145.1", "81.169.145.2", "8.8.8.8", "8.8.4.4", "121.165.118.201"),
    *("10.11.12.13", "2001:4860:4860::8888", "2001:4860:4860:1::8844", "2a00:1450:4001:80b::200e"),
)
PATHS = ("/", "/fresh_fish/salmon/", "/cart?goods_id={n}&amount=1&cart_id={n}", "/success_pay_{n}/")
NOTHING: dict[str, Any] = dict.fromkeys(
    ("user_id", "page_url", "since", "until", "source", "country", "category", "kind")
)
NOTHING |= {"traffic": "all"}


def log_of(addresses: tuple[str, ...]) -> bytes:
    lines = []
    for n, address in enumerate(addresses, start=1):
        for m, path in enumerate(PATHS):
            lines.append(line(f"2018-08-01 00:{n:02}:{m:02}", f"K{n:03}{m:04}", address, path.format(n=n)))
    lines += [f"broken {address} {address}" for address in addresses]
    lines += ["x" * (199 - cut) + f" {addresses[0]} and more" for cut in range(16)]
    return "\n".join([*lines, ""]).encode()


async def read(shop: Importer, path: Path, mask: int, chunk_bytes: int = 1 << 20) -> Import:
    source = LogSource.of_file(path, chunk_bytes=chunk_bytes)
    options = ImportOptions(UTC, address_mask=mask)
    return await import_log(shop.db, shop.geo, source, options, clock=lambda: NOW, on_progress=lambda _: None)


@pytest.fixture
def shop(db: Database, geo: Geo) -> Importer:
    return Importer(db, geo)


@pytest.mark.parametrize(("mask", "chunk_bytes"), [(1, 1 << 20), (2, 1 << 20), (3, 1 << 20), (3, 400)])
async def test_no_full_address_is_stored_and_each_visit_has_its_country(
    shop: Importer, geo: Geo, tmp_path: Path, mask: int, chunk_bytes: int
) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(log_of(ADDRESSES))
    record = await read(shop, log, mask, chunk_bytes)
    assert (record.imported, record.rejected) == (4 * len(ADDRESSES), len(ADDRESSES) + 16)
    stored = await everything(shop.db)
    assert not [address for address in ADDRESSES if address in stored]
    assert len({geo.country(address) for address in ADDRESSES if address.startswith("81.")}) > 1
    countries = Counter(geo.country(address) for address in ADDRESSES for _ in PATHS)
    rows = await shop.rows("SELECT country, count(*) FROM visit GROUP BY country")
    assert dict(rows) == countries  # type: ignore[arg-type]  # rows are pairs
    await shop.check_rollups()
    await read(shop, log, mask, chunk_bytes)
    assert await shop.rows("SELECT count(*) FROM visit") == [(4 * len(ADDRESSES),)]


async def test_visitors_are_masked_addresses_whatever_their_countries(
    shop: Importer, store: ColumnStore, tmp_path: Path
) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(log_of(ADDRESSES))
    await read(shop, log, 3)
    how: dict[str, Any] = {"tz": "UTC", "after": None, "limit": 100, "offset": 0}
    [total] = await count_visits(shop.db, store, **NOTHING, group_by=None, **how)
    # 81.0.0.0, 8.0.0.0, 121.0.0.0, 10.0.0.0, 2001:: and 2a00::
    assert (total.visits, total.visitors) == (4 * len(ADDRESSES), 6)
    countries = await count_visits(shop.db, store, **NOTHING, group_by=("country",), **how)
    pairs = {(address.split(".")[0].split(":")[0], shop.geo.country(address)) for address in ADDRESSES}
    assert {row.group["country"]: row.visitors for row in countries} == Counter(
        country for _, country in pairs
    )


async def test_an_undo_leaves_no_address_and_another_import_its_own(
    committed_db: Database, geo: Geo, tmp_path: Path
) -> None:
    """Visits of the other are of one country: the address that stands for all stays beside its own."""
    shop = Importer(committed_db, geo)
    for name, addresses in (("a.txt", ADDRESSES[:3]), ("b.txt", ADDRESSES[2:3])):
        log = log_of(addresses).replace(b"[K", b"[" + name[0].upper().encode())
        (tmp_path / name).write_bytes(log)
    first = await read(shop, tmp_path / "a.txt", 3)
    second = await read(shop, tmp_path / "b.txt", 3)
    assert len(await shop.rows("SELECT * FROM address")) == len({geo.country(a) for a in ADDRESSES[:3]})
    for record, rows, variants in ((first, 4, 2), (second, 0, 0)):
        async with shop.db.transaction() as session:
            await session.execute(text("UPDATE import SET undo_at = now() WHERE id = :id"), {"id": record.id})
        await undo_import(shop.db, record.id)
        assert await shop.rows("SELECT count(*) FROM visit") == [(rows,)]
        assert len(await shop.rows("SELECT * FROM address")) == variants
        await shop.check_rollups()
