"""Live visits leave what the importer would leave of them, whoever else writes at the same time."""

import asyncio
import random
import uuid
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calendar_days import EPOCH
from clients.geo import Geo, public_address
from db.database import Database
from db.queries.live_visits import LiveRow, column_of
from db.visit_ids import id_texts, visit_ids
from service.logs.line_columns import shop_key
from service.visits import store
from service.visits.ids import parse_log_line_id
from service.visits.record import RANDOM_BITS, new_visit_id
from service.visits.store import store_live_visits, unknown_addresses
from tests.support.examples import examples
from tests.support.line_ids import log_line_id
from tests.support.live_cases import NOW, as_lines, batches, live_row
from tests.support.log_imports import Importer, some_lines, store_lines
from tests.support.log_lines import ADDRESSES as ADDRESSES_OF_LINES

VISITS = """
    SELECT occurred_at, position, source, kind, host(address), country, cart_id, goods_id, amount,
           page_url, category.name, product.name
    FROM visit LEFT JOIN category ON category.id = category_id LEFT JOIN product ON product.id = product_id"""
PEOPLE = "SELECT request_id, user_id, buyer_id FROM live_visit"
ADDRESSES = "SELECT host(address), country FROM address"
PAGES = "SELECT * FROM page_visits"
PAGES_RECOUNTED = """
    SELECT sha256(convert_to(page_url, 'UTF8')), count(*) FROM visit
    WHERE page_url LIKE '/%' AND source <> 'log' GROUP BY 1"""


LAST = 253_402_300_799_999_999  # microseconds of the last instant that Python knows


async def everything(shop: Importer) -> list[list[tuple[object, ...]]]:
    """What visits leave, but their ids; their sources as if all were of a log."""
    _, *derived = await shop.derived()  # the first are the visits, with their ids
    visits = sorted(await shop.rows(VISITS), key=repr)
    return [as_of_log(rows) for rows in (*derived, visits, await shop.rows(ADDRESSES))]


def as_of_log(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return sorted(
        (tuple("log" if value in ("api", "page") else value for value in row) for row in rows), key=repr
    )


async def check_pages(shop: Importer) -> None:
    assert sorted(await shop.rows(PAGES)) == sorted(await shop.rows(PAGES_RECOUNTED))


@given(data=st.data())
@settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))
async def test_live_visits_leave_what_the_importer_would_leave(
    committed_db: Database, geo: Geo, data: st.DataObject
) -> None:
    shop, drawn_batches = Importer(committed_db, geo), data.draw(batches(geo, ADDRESSES_OF_LINES))
    await shop.empty()
    for batch in drawn_batches:
        for visit in batch:
            await store_lines(committed_db, as_lines([visit]), geo=geo)
    expected = await everything(shop)
    await shop.empty()
    is_single = data.draw(st.booleans())  # a single visit has a statement of its own
    requests = [[visit] for batch in drawn_batches for visit in batch] if is_single else drawn_batches
    for batch in requests:
        outcomes = await store_live_visits(committed_db, batch)
        assert [outcome.status for outcome in outcomes] == ["created"] * len(batch)
    assert await everything(shop) == expected
    await check_pages(shop)
    visits = [visit for batch in drawn_batches for visit in batch]
    assert sorted(await shop.rows(PEOPLE)) == sorted(
        (visit.request_id, visit.user_id, visit.buyer_id) for visit in visits
    )


async def test_goods_in_a_cart_of_one_request_are_inferred_from_the_page_before(
    committed_db: Database, geo: Geo
) -> None:
    urls = (
        "/fresh_fish/salmon/",
        "/cart?goods_id=5&amount=2&cart_id=1",
        "/cart?goods_id=5&amount=3&cart_id=1",
        "/pay?user_id=77&cart_id=1",
        "/success_pay_1/",
    )
    visits = [live_row(url, position=at, user_id=1) for at, url in enumerate(urls)]
    await store_live_visits(committed_db, visits)
    shop = Importer(committed_db, geo)
    assert await shop.rows("SELECT goods_id, name FROM goods JOIN product ON product.id = product_id") == [
        (5, "salmon")
    ]
    assert await shop.rows("SELECT id, user_id FROM cart") == [(1, 77)]
    assert await shop.rows("SELECT cart_id, source FROM payment") == [(1, "api")]
    assert await shop.rows("SELECT amount FROM cart_item") == [(5,)]


async def test_a_product_page_explains_an_earlier_sent_cart_line_after_it(
    committed_db: Database, geo: Geo
) -> None:
    cart = live_row("/cart?goods_id=5&amount=2&cart_id=1", position=2)
    elsewhere = live_row("/caviar/red/", address="8.8.4.4", occurred_at=NOW - timedelta(minutes=1))
    page = live_row("/fresh_fish/salmon/", position=1)
    later = live_row("/fresh_fish/pike/", occurred_at=NOW + timedelta(minutes=1))
    for visit in (cart, elsewhere, later, page):
        await store_live_visits(committed_db, [visit])
    query = "SELECT goods_id, name FROM goods JOIN product ON product.id = product_id"
    assert await Importer(committed_db, geo).rows(query) == [(5, "salmon")]


async def test_a_product_page_before_more_of_them_than_are_looked_at_explains_a_cart_line(
    committed_db: Database, geo: Geo
) -> None:
    """The cart line comes first, and the page it follows last."""
    shop = Importer(committed_db, geo)
    cart = live_row("/cart?goods_id=5&amount=2&cart_id=1", occurred_at=NOW + timedelta(minutes=99))
    pages = [live_row("/caviar/red/", occurred_at=NOW + timedelta(seconds=at)) for at in range(60)]
    last = live_row("/fresh_fish/salmon/", occurred_at=NOW + timedelta(minutes=98))
    first = live_row("/caviar/black/", occurred_at=NOW - timedelta(minutes=1))
    for batch in ([cart], pages, [first], [last]):
        outcomes = await store_live_visits(committed_db, batch)
        assert {outcome.status for outcome in outcomes} == {"created"}
    query = "SELECT goods_id, name FROM goods JOIN product ON product.id = product_id"
    assert await shop.rows(query) == [(5, "salmon")]
    await shop.check_rollups()


async def test_equal_batches_at_once_store_each_visit_once(committed_db: Database, geo: Geo) -> None:
    batch = [
        live_row(f"/category-{number % 7}/product-{number % 5}/", occurred_at=NOW + timedelta(hours=number))
        for number in range(500)
    ]
    several = [batch, batch[::-1], random.Random(1).sample(batch, len(batch))]
    results = await asyncio.gather(*(store_live_visits(committed_db, one) for one in several))
    statuses = [outcome.status for outcomes in results for outcome in outcomes]
    assert (statuses.count("created"), statuses.count("duplicate")) == (500, 1000)
    shop = Importer(committed_db, geo)
    await shop.check_rollups()
    await check_pages(shop)
    assert await shop.rows("SELECT count(*) FROM visit") == [(500,)]


async def test_one_visit_sent_often_at_once_is_stored_and_counted_once(
    committed_db: Database, geo: Geo
) -> None:
    visit = live_row("/fresh_fish/salmon/")
    results = await asyncio.gather(*(store_live_visits(committed_db, [visit]) for _ in range(5)))
    statuses = [outcome.status for outcomes in results for outcome in outcomes]
    assert (statuses.count("created"), statuses.count("duplicate")) == (1, 4)
    shop = Importer(committed_db, geo)
    await shop.check_rollups()
    await check_pages(shop)


async def test_one_id_at_several_times_at_once_is_one_visit_and_conflicts(
    committed_db: Database, geo: Geo
) -> None:
    """The same ids at other times and in another order: their writers never wait in a circle."""
    ids = [str(uuid.UUID(int=number)) for number in range(200)]

    def batch(seed: int) -> list[LiveRow]:
        shuffled = random.Random(seed)
        return [
            live_row(id=one, occurred_at=NOW - timedelta(seconds=shuffled.randrange(10**6)))
            for one in shuffled.sample(ids, len(ids))
        ]

    results = await asyncio.gather(*(store_live_visits(committed_db, batch(seed)) for seed in range(5)))
    statuses = [outcome.status for outcomes in results for outcome in outcomes]
    assert (statuses.count("created"), statuses.count("conflict")) == (200, 800)
    await Importer(committed_db, geo).check_rollups()


@pytest.mark.slow
async def test_live_visits_and_an_import_at_once_wait_for_each_other_and_lose_nothing(
    committed_db: Database, geo: Geo
) -> None:
    shop, log = Importer(committed_db, geo), some_lines(600)
    urls = ("/fresh_fish/salmon/", "/cart?goods_id=5&amount=2&cart_id={}", "/success_pay_{}/", "/caviar/{}/")

    async def visit(number: int) -> None:
        for step, url in enumerate(urls):
            at = datetime(2018, 8, 1, tzinfo=UTC) + timedelta(seconds=number * 10 + step)
            address = ("8.8.8.8", "121.165.118.201", "1.2.3.4")[number % 3]
            one = live_row(url.format(number % 40 + 1), occurred_at=at, address=address)
            await store_live_visits(committed_db, [one])

    async def shopper(first: int) -> None:
        for number in range(first, 40, 8):
            await visit(number)

    await asyncio.gather(shop.store(log), *(shopper(first) for first in range(8)))
    await shop.check_rollups()
    assert await shop.rows("SELECT source, count(*) FROM visit GROUP BY 1 ORDER BY 1") == [
        ("api", 160),
        ("log", 600),
    ]
    assert await shop.rows("SELECT count(*) FROM payment") == [(100,)]


def test_an_address_is_looked_at_once_for_all_of_its_visits() -> None:
    rows = [
        live_row(address=address, country=None) for address in ("192.168.0.1", "8.8.8.8") for _ in range(50)
    ]
    with patch.object(store, "public_address", wraps=public_address) as looks:
        assert unknown_addresses(rows) == {"8.8.8.8"}
    assert looks.call_count == 2


def test_a_column_that_no_visit_of_a_batch_has_is_not_sent() -> None:
    rows = [live_row(user_id=7), live_row(user_id=None)]
    assert column_of(rows, "user_id") == [7, None]
    assert column_of(rows, "referrer_sha256") is None


def test_ids_are_in_the_order_of_time_and_those_of_log_lines_are_stable() -> None:
    early, late = (new_visit_id(NOW + timedelta(milliseconds=more), 2**RANDOM_BITS - 1) for more in (0, 1))
    assert early < late
    assert (early.version, early.variant) == (7, uuid.RFC_4122)
    instant = datetime(2018, 8, 1, 0, 1, 35, tzinfo=UTC)
    line = log_line_id(instant, shop_key("YQ3J8G5A"))
    assert str(line) == "00ae4a8c-baf2-8b81-9951-334a38473541"
    assert (line.version, line.variant) == (8, uuid.RFC_4122)
    assert parse_log_line_id(line) == (1533081695_000000, shop_key("YQ3J8G5A"))
    assert [parse_log_line_id(one) for one in (early, uuid.UUID(int=0), uuid.UUID(int=2**128 - 1))] == [
        None
    ] * 3


@given(st.lists(st.tuples(st.integers(0, 2**59 - 1), st.integers(0, 2**63 - 1)), min_size=1, max_size=9))
def test_ids_of_log_lines_tell_time_and_key_and_have_their_order(lines: list[tuple[int, int]]) -> None:
    ids = [log_line_id(EPOCH + timedelta(microseconds=min(time, LAST)), key) for time, key in lines]
    pairs = [(min(time, LAST), key) for time, key in lines]
    assert [parse_log_line_id(one) for one in ids] == pairs
    assert [pair for _, pair in sorted(zip(ids, pairs, strict=True))] == sorted(pairs)
    columns = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    assert id_texts(visit_ids(*columns)) == [str(one) for one in ids]
