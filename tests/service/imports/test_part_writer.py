"""A chunk becomes a part: with the names that are stored now, and lines that no part has."""

from datetime import UTC

import numpy as np
from sqlalchemy import text

from clients.geo import Geo
from db.database import Database
from db.locks import lock_parts
from db.queries.addresses import change_address_version
from db.queries.new_parts import Keys
from service.imports.part_writer import PartWriter, StaleNames, find_keys
from service.logs.chunks import Chunk, Position
from service.logs.format_options import FormatOptions
from service.logs.line_columns import LineColumns
from service.logs.log_parser import LogParser
from tests.support.log_imports import NOW, Importer, some_lines
from tests.support.log_lines import line


def parse(log: bytes) -> LineColumns:
    chunk = Chunk(log, 0, 1, Position(len(log), log.count(b"\n"), b""), head=log)
    columns = LogParser(FormatOptions(UTC)).parse(chunk, now=NOW)
    assert columns is not None
    return columns


async def test_a_chunk_whose_addresses_were_deleted_meanwhile_is_prepared_again(
    committed_db: Database, geo: Geo
) -> None:
    shop, lines = Importer(committed_db, geo), parse(some_lines(30))
    writer = PartWriter(geo, import_id=1)
    part = await writer.prepare(committed_db, lines)
    assert part is not None
    async with committed_db.transaction() as session:
        await lock_parts(session)
        await session.execute(text("DELETE FROM address"))
        await change_address_version(session)
    is_stale = False
    try:
        async with committed_db.transaction() as session:
            await writer.store(session, part)
    except StaleNames:
        is_stale = True
    assert is_stale
    part = await writer.prepare(committed_db, lines)
    assert part is not None
    async with committed_db.transaction() as session:
        assert await writer.store(session, part) == 30
    assert await shop.rows("SELECT count(*) FROM visit WHERE address IS NULL") == [(0,)]
    await shop.check_rollups()


async def test_an_address_keeps_the_country_that_it_had_first(committed_db: Database, geo: Geo) -> None:
    shop = Importer(committed_db, geo)
    async with committed_db.transaction() as session:
        await session.execute(text("INSERT INTO address (address, country) VALUES ('8.8.8.8', 'FR')"))
    await shop.store(line("2018-08-01 00:00:00", "AAAAAAAA", "8.8.8.8", "/").encode() + b"\n")
    assert await shop.rows("SELECT country FROM visit") == [("FR",)]
    await shop.check_rollups()


async def test_no_part_has_a_view_of_a_product_before_the_bound_of_its_address(
    committed_db: Database, geo: Geo
) -> None:
    shop = Importer(committed_db, geo)
    for start in (300, 100, 200, 0):  # earlier lines come later
        await shop.store(some_lines(60, start=start))
    await shop.store(line("2018-08-01 12:00:00", "AAAAAAAA", "9.9.9.9", "/").encode() + b"\n")
    rows = await shop.rows(
        "SELECT first_product_at, min(occurred_at) FILTER (WHERE kind = 'product') "
        "FROM visit JOIN address USING (address) GROUP BY address, first_product_at"
    )
    assert len(rows) == 4
    assert all(bound == first for bound, first in rows)


async def test_lines_of_one_second_in_several_parts_are_stored_once(committed_db: Database, geo: Geo) -> None:
    shop = Importer(committed_db, geo)
    log = [
        line("2018-08-01 00:00:00", f"KEY{number:05}", "8.8.8.8", "/").encode() + b"\n"
        for number in range(40)
    ]
    for start in range(0, 30, 5):
        await shop.store(b"".join(log[start : start + 10]))
    assert await shop.rows("SELECT count(*), count(DISTINCT id) FROM visit") == [(35, 35)]


def test_lines_that_share_a_mix_are_told_apart() -> None:
    """The mix of a time and a key is 64 bits of 122: another pair may have the same."""
    occurred, factor = np.array([1000, 2000]), 0x9E3779B97F4A7C15
    moved = 1500
    key = (1000 * factor ^ 77 ^ moved * factor) % 2**64
    ours = Keys(occurred, np.array([77, 78]))
    other = Keys(np.array([moved]), np.array([key], np.uint64).view(np.int64))
    assert find_keys(ours, other).tolist() == [False, False]
    assert find_keys(ours, Keys(np.array([1000, 1000]), np.array([76, 77]))).tolist() == [True, False]
