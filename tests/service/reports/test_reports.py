"""The seven reports over imported logs, held to the naive oracle and to what is expected of whole logs."""

from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from api.reports import REQUESTS
from bench.shop_log import ExpectedAnswers, generate
from clients.geo import Geo
from db.database import Database
from service.columns.store import ColumnStore
from service.errors import NotFound, UnknownFormat
from service.reports.reports import ReportResult, get_report, list_reports, run_report
from tests.support import oracle
from tests.support.examples import examples
from tests.support.log_imports import Importer, counts
from tests.support.report_cases import Case, cases, questions, store_live_pages

ROOT = Path(__file__).parents[3]
# The log whose answers the contract tells is not a part of the project; where it lies beside it, it is read.
SHOP_LOGS = [path for path in [ROOT.parent / "shared" / "data" / "logs.txt"] if path.exists()]
DEFAULTS = {number: request().load({}) for number, request in REQUESTS.items()}
GOODS = """
    SELECT goods_id, category.name, product.name FROM goods
    JOIN product ON product.id = product_id JOIN category ON category.id = category_id ORDER BY 1"""
CARTS = """
    SELECT cart.id, host(address), cart.source, opened_at, changed_at, user_id, paid_at, payment.source
    FROM cart LEFT JOIN payment ON cart_id = cart.id ORDER BY 1"""


async def ask(shop: Importer, number: int, **parameters: Any) -> ReportResult:
    return await run_report(
        shop.db, ColumnStore(), get_report(str(number)), {**DEFAULTS[number], **parameters}
    )


def expected_report(
    visits: list[oracle.Visit], geo: Geo, number: int, parameters: dict[str, Any]
) -> oracle.Report:
    by_number: dict[int, Any] = {
        1: oracle.report_1,
        2: oracle.report_2,
        3: oracle.report_3,
        4: oracle.report_4,
        5: oracle.report_5,
        6: oracle.report_6,
        7: oracle.report_7,
    }
    countries = (geo.country,) if number in (1, 2) else ()
    report: oracle.Report = by_number[number](visits, *countries, **parameters)
    return report


def agrees(result: ReportResult, expected: oracle.Report) -> bool:
    """Whether answer and rows are the same, in order; floats within 0.0001."""
    answer, rows = expected
    return result.answer == answer and [asdict(row) for row in result.rows] == [
        {
            name: pytest.approx(value, abs=1.01e-4) if isinstance(value, float) else value
            for name, value in row.items()
        }
        for row in rows
    ]


async def check_carts(shop: Importer, visits: list[oracle.Visit]) -> None:
    """Check that goods are inferred, and carts add up, as the oracle says."""
    assert await shop.rows(GOODS) == [
        (goods_id, *names) for goods_id, names in sorted(oracle.products_of_goods(visits).items())
    ]
    carts = oracle.carts_of(visits)
    rows = [(cart_id, ip_address(str(address)), *rest) for cart_id, address, *rest in await shop.rows(CARTS)]
    assert rows == [
        (
            cart_id,
            ip_address(cart.first.address),
            cart.first.source,
            cart.first.time,
            cart.last_change,
            cart.user_id,
        )
        + ((cart.paid.time, cart.paid.source) if cart.paid else (None, None))
        for cart_id, cart in sorted(carts.items())
    ]
    assert await shop.rows("SELECT cart_id, goods_id, amount FROM cart_item ORDER BY 1, 2") == [
        (cart_id, *item) for cart_id, cart in sorted(carts.items()) for item in sorted(cart.goods.items())
    ]


@given(case=cases(), parameter_sets=questions)
@settings(max_examples=examples(6), deadline=None, suppress_health_check=list(HealthCheck))
async def test_imports_and_reports_agree_with_the_oracle(
    committed_db: Database, geo: Geo, tmp_path: Path, case: Case, parameter_sets: list[Any]
) -> None:
    shop, path, expected = Importer(committed_db, geo), tmp_path / "logs.txt", case.expected
    await shop.empty()
    await store_live_pages(shop, case.live)
    path.write_bytes(case.log[: case.cut])
    options: dict[str, Any] = {"zone": case.zone, "chunk_bytes": case.chunk_bytes}
    records = []
    with suppress(UnknownFormat):  # so far: what no line fits stores nothing, and is read again
        records.append(await shop.read(path, **options))
    path.write_bytes(case.log)
    try:
        records.append(await shop.read(path, accept_partial_line=True, **options))
    except UnknownFormat:
        assert not expected.visits
        return
    totals = tuple(map(sum, zip(*map(counts, records), strict=True)))
    assert totals == (expected.lines, len(expected.visits), expected.duplicates, len(expected.rejects))
    rejects = [(reject.line, reject.offset) for record in records for reject in await shop.rejects(record)]
    assert rejects == [(reject.line, reject.offset) for reject in expected.rejects]
    path.rename(tmp_path / "again.txt")
    again = await shop.read(tmp_path / "again.txt", accept_partial_line=True, **options)
    good = expected.lines - len(expected.rejects)
    assert counts(again) == (expected.lines, 0, good, len(expected.rejects))
    await shop.check_rollups()
    visits = case.visits
    await check_carts(shop, visits)
    newest = max((visit.time for visit in visits), default=None)
    for scope, own in parameter_sets:
        for number in DEFAULTS:
            parameters = {**scope, **own[number]}
            result = await ask(shop, number, **parameters)
            answer = expected_report(visits, geo, number, parameters)
            assert agrees(result, answer), (number, parameters, result, answer)
            assert result.as_of == newest


async def test_the_projects_own_log_has_its_known_answers(
    committed_db: Database, geo: Geo, tmp_path: Path
) -> None:
    shop, expected = Importer(committed_db, geo), ExpectedAnswers()
    lines = sum(1 for _ in generate(20_000, 1, expected=expected))
    record = await shop.read(ROOT / "logs.txt", chunk_bytes=300_000)
    assert counts(record) == (lines, lines, 0, 0)
    assert {number: (await ask(shop, number)).answer for number in DEFAULTS} == expected.answers
    countries = (await ask(shop, 1, limit=1000)).rows
    assert {row.country: row.requests for row in countries} == expected.countries
    assert {row.part_of_day: row.views for row in (await ask(shop, 3)).rows} == expected.parts
    assert {row.hour: row.requests for row in (await ask(shop, 4, limit=1000)).rows} == expected.hours
    assert {row.purchases: row.users for row in (await ask(shop, 7)).rows} == expected.purchases
    assert counts(await shop.read(ROOT / "logs.txt")) == (0, 0, 0, 0)
    copy = tmp_path / "copy.txt"
    copy.write_bytes((ROOT / "logs.txt").read_bytes())
    assert counts(await shop.read(copy)) == (lines, 0, lines, 0)
    await shop.check_rollups()


@pytest.mark.parametrize("path", SHOP_LOGS)
async def test_the_answers_for_a_real_shops_log(committed_db: Database, geo: Geo, path: Path) -> None:
    shop = Importer(committed_db, geo)
    assert counts(await shop.read(path)) == (24_284, 24_284, 0, 0)
    requests = (await ask(shop, 1)).rows[0].requests
    assert 9_200 - 500 <= requests <= 9_200 + 500
    answers = {number: (await ask(shop, number)).answer for number in DEFAULTS}
    assert answers == {
        1: "United States",
        2: "United States",
        3: "night",
        4: 94,
        5: "frozen_fish",
        6: 73,
        7: 77,
    }
    everything = await ask(shop, 3, pages="all")
    assert (everything.answer, everything.rows[0].views) == ("day", 931)
    assert (await ask(shop, 3)).rows[0].views == 608
    assert (await ask(shop, 4)).rows[0].hour == datetime(2018, 8, 2, 3, tzinfo=UTC)
    assert (await ask(shop, 5)).rows[0].carts == 43
    assert [row.users for row in (await ask(shop, 7)).rows] == [578, 72, 5]
    assert counts(await shop.read(path)) == (0, 0, 0, 0)


@pytest.mark.parametrize("number", DEFAULTS)
async def test_no_data_has_no_answer(db: Database, geo: Geo, number: int) -> None:
    result = await ask(Importer(db, geo), number)
    assert (result.answer, result.rows) == (0 if number in (6, 7) else None, [])
    assert result.as_of is None


def test_there_are_seven_reports_and_no_other() -> None:
    assert [report.number for report in list_reports()] == [1, 2, 3, 4, 5, 6, 7]
    for number in (0, 8, 999):
        with pytest.raises(NotFound) as error:
            get_report(str(number))
        assert error.value.code == "no_such_report"
