"""Columns of parts in their narrow forms read as what they were, beside parts of builds that had none."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from clients.geo import Geo
from db.database import Database
from db.locks import lock_parts
from db.migrate import downgrade, migrate
from db.narrow_columns import FORMS, NARROW_TYPES
from db.queries.new_parts import Part, encode_part, insert_part, next_part_id, select_keys
from db.queries.part_columns import Columns, select_columns, select_part_spans
from db.queries.small_parts import merge_parts
from db.sessions import raw_connection
from service.imports.undo import undo_import
from service.logs.line_columns import shop_key
from tests.support.examples import examples
from tests.support.log_imports import Importer
from tests.support.old_databases import execute, on_connection, rows_by_import

BEFORE = "0044"  # the build that knew no narrow forms
FOLDER = Path(__file__).parents[1] / "support" / "before_columns"
SHOP, LATER, COMBINED = (FOLDER / name for name in ("shop.txt", "later.txt", "combined.txt"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

characters = st.text("0129@AJZ[o", min_size=8, max_size=8)
shop_keys = characters.map(shop_key)
other_keys = st.sampled_from(["/0000000", "0000000/", "p0000000", "0000000p"]).map(shop_key)
keys = shop_keys | other_keys | st.integers(0, 2**63 - 1)
seconds = st.sampled_from([-(2**31), -1, 0, 65_535, 65_536, 2**31 - 1]) | st.integers(-(2**31), 2**31 - 1)
instants = st.builds(
    lambda second, fraction: second * 1_000_000 + fraction,
    seconds | st.sampled_from([-(2**31) - 1, 2**31]),
    st.sampled_from([0, 0, 0, 1, 999_999]),
)
ids = st.sampled_from([0, 1, 32_767, 32_768, 65_535, 65_536, 2**31 - 1]) | st.integers(0, 70_000)


@st.composite
def stored(draw: st.DrawFn) -> Columns:
    """Columns of some visits, which often have narrow forms."""
    count = draw(st.integers(1, 12))

    def some(values: st.SearchStrategy[int]) -> list[int]:
        return draw(st.lists(values, min_size=count, max_size=count))

    occurred = some(draw(st.sampled_from([seconds.map(lambda each: each * 1_000_000), instants])))
    return {
        "occurred": np.sort(np.array(occurred, np.int64)),
        "key": np.array(some(draw(st.sampled_from([shop_keys, keys]))), np.int64),
        "position": np.arange(7, 7 + count),
        "address_id": np.array(some(ids), np.int32),
        "page_id": np.array(some(ids), np.int32),
        "kind": np.full(count, ord("o"), np.uint8),
        "cart_id": np.zeros(count, np.int64),
    }


def fitting(columns: Columns) -> set[str]:
    """The columns that have narrow forms, told number by number."""
    times = columns["occurred"].tolist()
    if any(each % 1_000_000 or not -(2**31) <= each // 1_000_000 < 2**31 for each in times):
        return {"address_id", "page_id"}
    key_bytes = [byte for key in columns["key"].tolist() for byte in key.to_bytes(8, "big")]
    return set(FORMS) - (set() if all(48 <= byte < 112 for byte in key_bytes) else {"key"})


@given(columns=stored())
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_part_reads_as_what_was_stored_in_whatever_form(db: Database, columns: Columns) -> None:
    async with db.transaction() as session:
        part_id, token = await next_part_id(session)
        await insert_part(session, part_id, token, encode_part(Part(1, "", columns)))
        [span] = await select_part_spans(session, ids=[part_id])
        read = await select_columns(session, span)
        assert read is not None
        for name, values in columns.items():
            assert read[name].tolist() == values.tolist()
        one = await select_columns(session, span, ["page_id"])
        assert one is not None
        assert one["page_id"].dtype == np.int32
        line_keys = await select_keys(session, token)
        assert line_keys.occurred.tolist() == columns["occurred"].tolist()
        assert line_keys.key.tolist() == columns["key"].tolist()
        assert await wide_columns(session, token) == set(FORMS) - fitting(columns)


async def wide_columns(session: Any, token: uuid.UUID) -> set[str]:
    """Those of the columns with narrow forms that a part has in their own names."""
    names = list(FORMS)
    raw = await raw_connection(session)
    [row] = await raw.fetch(f"SELECT {', '.join(names)} FROM visit_part_columns WHERE token = $1", token)
    return {name for name in names if row[name] is not None}


@given(columns=stored())
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_view_shows_a_part_alike_in_both_forms(db: Database, columns: Columns) -> None:
    shown = []
    for source in ("log", "api"):  # a part of live visits has no narrow forms
        async with db.transaction() as session:
            part_id, token = await next_part_id(session)
            await insert_part(session, part_id, token, encode_part(Part(1, "", columns, source)))
            raw = await raw_connection(session)
            query = "SELECT position, occurred_at, id FROM visit WHERE part_id = $1 ORDER BY position"
            shown.append([tuple(row) for row in await raw.fetch(query, part_id)])
    assert shown[0] == shown[1]
    assert [at for _, at, _ in shown[0]] == [
        EPOCH + timedelta(microseconds=each) for each in columns["occurred"].tolist()
    ]


@pytest.mark.parametrize("number", [1, 40_000, 70_000, 2**31 - 1])
async def test_the_view_finds_names_by_ids_of_any_size(
    committed_url: str, committed_db: Database, geo: Geo, number: int
) -> None:
    shop = Importer(committed_db, geo)
    for name in ("address", "page"):
        await execute(
            committed_url, f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {number}, FALSE)"
        )
    await shop.store(b"shop_api | 2018-08-01 00:00:00 [AAAAAAAA] INFO: 8.8.8.8 https://shop.example/about\n")
    query = "SELECT page_url, host(address), page.id, address.id FROM visit "
    joins = "JOIN page ON url = page_url JOIN address USING (address)"
    assert await shop.rows(query + joins) == [("https://shop.example/about", "8.8.8.8", number, number)]


async def derived(shop: Importer) -> object:
    return await shop.derived(), await rows_by_import(shop)


async def forms(shop: Importer) -> list[bool]:
    """Whether each part has narrow times, the oldest part first."""
    rows = await shop.rows(
        "SELECT occurred IS NULL FROM visit_part JOIN visit_part_columns USING (token) ORDER BY visit_part.id"
    )
    return [bool(row[0]) for row in rows]


@pytest.fixture
async def old_shop(committed_url: str, committed_db: Database, geo: Geo) -> Importer:
    """Two logs that stand as the build before stored them."""
    shop = Importer(committed_db, geo)
    for log in (SHOP, COMBINED):
        await shop.read(log, chunk_bytes=2000)
    await on_connection(committed_url, lambda connection: downgrade(connection, BEFORE))
    await migrate(committed_url)
    return shop


async def test_a_downgrade_and_an_upgrade_change_nothing_that_is_shown(
    committed_url: str, committed_db: Database, geo: Geo
) -> None:
    shop = Importer(committed_db, geo)
    for log in (SHOP, COMBINED):
        await shop.read(log, chunk_bytes=2000)
    before, parts = await derived(shop), await forms(shop)
    assert len(parts) > 4
    assert all(parts)
    await on_connection(committed_url, lambda connection: downgrade(connection, BEFORE))
    assert await derived(shop) == before
    await migrate(committed_url)
    assert await derived(shop) == before
    assert await forms(shop) == [False] * len(parts)


async def test_lines_of_the_build_before_are_duplicates_and_their_parts_stay(old_shop: Importer) -> None:
    before = await derived(old_shop)
    for log in (SHOP, COMBINED):
        record = await old_shop.read(log)
        assert (record.imported, record.duplicates) == (0, record.lines)
    await old_shop.read(LATER)
    old, new = (await forms(old_shop))[:-1], (await forms(old_shop))[-1]
    assert not any(old)
    assert new
    await execute_undo(old_shop, await newest_import(old_shop))
    assert await derived(old_shop) == before


async def test_an_import_of_the_build_before_is_undone(old_shop: Importer) -> None:
    await old_shop.read(LATER)
    await execute_undo(old_shop, 1)
    await old_shop.check_rollups()
    assert await old_shop.rows("SELECT count(*) FROM visit WHERE import_id = 1") == [(0,)]
    assert await old_shop.rows("SELECT count(*) > 0 FROM visit") == [(True,)]


async def newest_import(shop: Importer) -> int:
    async with shop.db.read() as session:
        import_id: int = await session.scalar(text("SELECT max(id) FROM import"))
    return import_id


async def execute_undo(shop: Importer, import_id: int) -> None:
    async with shop.db.transaction() as session:
        await session.execute(text("UPDATE import SET undo_at = now() WHERE id = :id"), {"id": import_id})
    await undo_import(shop.db, import_id)


async def test_parts_of_both_builds_become_one_with_narrow_columns(old_shop: Importer) -> None:
    await old_shop.read(LATER)
    async with old_shop.db.transaction() as session:
        await session.execute(text("UPDATE visit_part SET import_id = 1 WHERE host <> ''"))
    before, parts = await derived(old_shop), await forms(old_shop)
    assert {False, True} == set(parts)
    async with old_shop.db.transaction() as session:
        await lock_parts(session)
        spans = await select_part_spans(session, import_id=1)
        await merge_parts(session, [span.id for span in spans])
    assert await derived(old_shop) == before
    after = await forms(old_shop)
    assert len(after) == len(parts) - len(spans) + 1
    assert after[-1]


def test_each_array_of_a_narrow_form_has_one_name() -> None:
    assert len(NARROW_TYPES) == sum(len(form.types) for form in FORMS.values())
