"""Reports of carts over logs and live visits in any order, some undone: held to the oracle."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.geo import Geo
from db.database import Database
from service.logs.chunks import CHUNK_BYTES
from service.visits.store import store_live_visits
from tests.service.reports.test_reports import agrees, ask, check_carts, expected_report
from tests.support import oracle
from tests.support.examples import examples
from tests.support.live_cases import live_row
from tests.support.log_imports import NOW, Importer, lines_of, some_lines, write
from tests.support.log_lines import line, logs
from tests.support.report_cases import questions
from tests.support.undo import of_file, undo

LIVE = 2  # among the sources of visits, beside two logs


def visits_of(number: int, log: bytes) -> list[oracle.Visit]:
    visits = oracle.read_log(lines_of(log), now=NOW).visits
    source = "api" if number == LIVE else "log"
    return [replace(visit, offset=visit.line, source=source) for visit in visits]


async def store_live(shop: Importer, visits: list[oracle.Visit]) -> None:
    for visit in visits:
        one = live_row(
            visit.url,
            occurred_at=visit.time,
            position=visit.offset,
            address=visit.address,
            country=shop.geo.country(visit.address),
        )
        await store_live_visits(shop.db, [one])


@pytest.mark.slow
@given(
    parts=st.lists(logs(broken=0, min_lines=12, max_lines=30), min_size=3, max_size=3),
    order=st.permutations(range(3)),
    undone=st.sampled_from((None, 0, 1)),
    chunk_bytes=st.sampled_from((600, CHUNK_BYTES)),
    cases=questions,
)
@settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))
async def test_reports_of_carts_agree_with_the_oracle_whatever_came_and_went(
    committed_db: Database,
    geo: Geo,
    tmp_path: Path,
    *,
    parts: list[bytes],
    order: list[int],
    undone: int | None,
    chunk_bytes: int,
    cases: list[Any],
) -> None:
    shop = Importer(committed_db, geo)
    await shop.empty()
    own = [of_file(number, log) for number, log in enumerate(parts)]
    records = {}
    for number in order:
        if number == LIVE:
            await store_live(shop, visits_of(LIVE, own[LIVE]))
        else:
            path = tmp_path / f"{number}.txt"
            write(path, own[number])
            records[number] = await shop.read(path, chunk_bytes=chunk_bytes)
        await shop.check_rollups()
    if undone is not None:
        await undo(shop, records[undone], parts=1)
        await shop.check_rollups()
    visits = [visit for number in range(3) if number != undone for visit in visits_of(number, own[number])]
    await check_carts(shop, visits)
    for scope, own_parameters in cases:
        for number in (5, 6, 7):
            parameters = {**scope, **own_parameters[number]}
            report = await ask(shop, number, **parameters)
            answer = expected_report(visits, geo, number, parameters)
            assert agrees(report, answer), (number, parameters, report, answer)


async def test_goods_inferred_late_move_carts_that_are_paid_already(
    committed_db: Database, geo: Geo, tmp_path: Path
) -> None:
    """Carts are read before the pages that tell what they hold; undone, nobody knows again."""
    shop = Importer(committed_db, geo)
    lines = some_lines(60).splitlines(keepends=True)
    pages = [line for line in lines if b"/fresh_fish/" in line]
    others = [line for line in lines if b"/fresh_fish/" not in line]
    write(tmp_path / "carts.txt", b"\n" * 100 + b"".join(others))
    write(tmp_path / "pages.txt", b"".join(pages))
    await shop.read(tmp_path / "carts.txt")
    query = "SELECT carts FROM paid_category_day"
    assert await shop.rows(query) == []
    late = await shop.read(tmp_path / "pages.txt")
    assert await shop.rows(query) == [(10,)]
    await undo(shop, late)
    assert await shop.rows(query) == []
    assert await shop.rows("SELECT sum(carts) FROM payment_day") == [(10,)]


async def test_a_cart_is_young_until_it_is_min_age_old_to_the_minute(
    committed_db: Database, geo: Geo, tmp_path: Path
) -> None:
    shop = Importer(committed_db, geo)
    cart = line("2018-08-01 00:00:00", "AAAAAAAA", "8.8.8.8", "/cart?goods_id=1&amount=1&cart_id=1")
    newest = line("2018-08-01 00:10:00", "AAAAAAAB", "8.8.8.8", "/")
    write(tmp_path / "logs.txt", f"{cart}\n{newest}\n".encode())
    await shop.read(tmp_path / "logs.txt")
    assert [(await ask(shop, 6, min_age=minutes)).answer for minutes in (0, 10, 11)] == [1, 1, 0]


async def test_carts_that_are_stored_move_with_earlier_and_later_lines(
    committed_db: Database, geo: Geo, tmp_path: Path
) -> None:
    """A cart turns out to be opened and paid a day earlier, and another user pays; undo takes all back."""
    shop = Importer(committed_db, geo)
    lines = [
        line("2018-08-02 10:00:00", "AAAAAAAA", "8.8.8.8", "/fresh_fish/pike/"),
        line("2018-08-02 10:01:00", "AAAAAAAB", "8.8.8.8", "/cart?goods_id=1&amount=1&cart_id=1"),
        line("2018-08-02 10:02:00", "AAAAAAAC", "8.8.8.8", "/pay?user_id=1&cart_id=1"),
        line("2018-08-02 10:03:00", "AAAAAAAD", "8.8.8.8", "/success_pay_1/"),
        line("2018-08-01 09:00:00", "AAAAAAAE", "10.0.0.1", "/cart?goods_id=1&amount=2&cart_id=1"),
        line("2018-08-01 09:01:00", "AAAAAAAF", "10.0.0.1", "/success_pay_1/"),
        line("2018-08-03 10:00:00", "AAAAAAAG", "8.8.8.8", "/pay?user_id=2&cart_id=1"),
        line("2018-08-03 10:01:00", "AAAAAAAH", "8.8.8.8", "/success_pay_1/"),
    ]
    records, states = [], []
    for number, some in enumerate((lines[:4], lines[4:6], lines[6:])):
        path = tmp_path / f"{number}.txt"
        write(path, b"\n" * (100 * number) + "".join(f"{each}\n" for each in some).encode())
        records.append(await shop.read(path))
        states.append(await shop.derived())
    query = "SELECT opened_at::date::text, host(address), user_id, paid_at::date::text FROM cart, payment"
    assert await shop.rows(query) == [("2018-08-01", "10.0.0.1", 2, "2018-08-01")]
    for record, state in zip(reversed(records[1:]), reversed(states[:-1]), strict=True):
        await undo(shop, record)
        assert await shop.derived() == state
