"""People and bots in logs and live visits, some undone, some too old: reports count as the oracle does."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from clients.geo import Geo
from db.database import Database
from service.logs.chunks import CHUNK_BYTES
from service.visits.countries import set_countries
from service.visits.pacing import BatchLimits
from service.visits.retention import delete_before
from service.visits.store import store_live_visits
from tests.service.reports.test_reports import agrees, ask, expected_report
from tests.support import oracle
from tests.support.examples import examples
from tests.support.live_cases import live_row
from tests.support.log_imports import NOW, Importer, lines_of, write
from tests.support.log_lines import logs
from tests.support.report_cases import questions
from tests.support.undo import of_file, undo

LIVE = 2  # among the sources of visits, beside two logs
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
AGENTS = (BROWSER, "-", "Googlebot/2.1 (+http://www.google.com/bot.html)", "curl/8.5.0")
BOTS = AGENTS[2:]
FIRST_LINES = """
    SELECT DISTINCT ON (cart_id) cart_id, traffic = 'bot' FROM visit WHERE cart_id IS NOT NULL
    ORDER BY cart_id, occurred_at, position"""
BORDER = datetime(2018, 10, 28, 2, tzinfo=UTC)  # within the times of the logs

agents = st.lists(st.sampled_from(AGENTS), min_size=1, max_size=7)
Visits = list[tuple[oracle.Visit, str]]  # with their agents


def visits_of(number: int, log: bytes, names: Sequence[str]) -> Visits:
    """Read the visits of a log of the shop, and give them agents one after the other."""
    visits = oracle.read_log(lines_of(of_file(number, log)), now=NOW).visits
    source = "api" if number == LIVE else "log"
    pairs = []
    for count, visit in enumerate(visits):
        agent = names[count % len(names)]
        pairs.append((replace(visit, offset=visit.line, source=source, is_bot=agent in BOTS), agent))
    return pairs


def combined(visits: Visits) -> bytes:
    """Write visits as lines of the combined format, each where it stood; no two are equal."""
    lines = [b""] * max((visit.line for visit, _ in visits), default=1)
    for visit, agent in visits:
        request = f'"GET {visit.url} HTTP/1.1" 200 {visit.line} "-" "{agent}"'
        time = visit.time.strftime("%d/%b/%Y:%H:%M:%S +0000")
        lines[visit.line - 1] = f"{visit.address} - - [{time}] {request}".encode()
    return b"\n".join(lines) + b"\n"


async def store_live(shop: Importer, visits: Visits) -> None:
    for visit, agent in visits:
        row = live_row(
            visit.url,
            occurred_at=visit.time,
            position=visit.offset,
            address=visit.address,
            country=shop.geo.country(visit.address),
            agent=None if agent == "-" else agent,
        )
        await store_live_visits(shop.db, [row])


@pytest.mark.slow
@given(
    parts=st.lists(logs(broken=0, min_lines=12, max_lines=30), min_size=3, max_size=3),
    names=st.lists(agents, min_size=3, max_size=3),
    order=st.permutations(range(3)),
    undone=st.sampled_from((None, 0, 1)),
    before=st.sampled_from((None, BORDER, BORDER + timedelta(hours=3))),
    chunk_bytes=st.sampled_from((900, CHUNK_BYTES)),
    cases=questions,
)
@settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))
async def test_reports_count_people_or_bots_after_any_imports_undos_and_deletions(
    committed_db: Database,
    geo: Geo,
    tmp_path: Path,
    *,
    parts: list[bytes],
    names: list[list[str]],
    order: list[int],
    undone: int | None,
    before: datetime | None,
    chunk_bytes: int,
    cases: list[Any],
) -> None:
    shop = Importer(committed_db, geo)
    await shop.empty()
    own = [visits_of(number, parts[number], names[number]) for number in range(3)]
    records = {}
    for number in order:
        if number == LIVE:
            await store_live(shop, own[LIVE])
        else:
            write(tmp_path / f"{number}.txt", combined(own[number]))
            records[number] = await shop.read(tmp_path / f"{number}.txt", chunk_bytes=chunk_bytes)
            assert (records[number].imported, records[number].rejected) == (len(own[number]), 0)
    if undone is not None:
        await undo(shop, records[undone], parts=1)
    if before is not None:
        await delete_before(shop.db, before, limits=BatchLimits(visits=5, parts=1, goods=5, addresses=5))
    await shop.check_rollups()
    carts = await shop.rows("SELECT id, is_bot FROM cart")
    assert sorted(carts) == sorted(await shop.rows(FIRST_LINES))
    visits = [visit for number in range(3) if number != undone for visit, _ in own[number]]
    visits = [visit for visit in visits if before is None or visit.time >= before]
    for scope, own_parameters in cases:
        for number, parameters in own_parameters.items():
            answer = expected_report(visits, geo, number, {**scope, **parameters})
            report = await ask(shop, number, **scope, **parameters)
            assert agrees(report, answer), (number, scope, parameters, report, answer)


async def test_visits_whose_countries_are_learned_later_stay_those_of_people_and_of_bots(
    committed_db: Database, geo: Geo, tmp_path: Path
) -> None:
    shop = Importer(committed_db, geo)
    time = datetime(2018, 10, 28, tzinfo=UTC)
    visits = [
        (oracle.Visit(number, number, time, "", "8.8.8.8", "/fresh_fish/", "category"), agent)
        for number, agent in enumerate(AGENTS * 2, 1)
    ]
    write(tmp_path / "log.txt", combined(visits))
    await shop.read(tmp_path / "log.txt")
    await store_live(shop, visits[:3])
    async with committed_db.transaction() as session:
        for table in ("address", "live_visit"):
            await session.execute(text(f"UPDATE {table} SET country = NULL"))
        for table in ("country_day", "category_country_day"):
            await session.execute(text(f"DELETE FROM {table}"))
    await set_countries(committed_db, {"8.8.8.8": "FR"}, clock=lambda: NOW, most=2)
    await shop.check_rollups()
    counts = "SELECT source, is_bot, requests FROM country_day ORDER BY 1, 2"
    assert await shop.rows(counts) == [
        ("api", False, 2),
        ("api", True, 1),
        ("log", False, 4),
        ("log", True, 4),
    ]


async def test_people_and_bots_are_apart_in_partial_days_too(
    committed_db: Database, geo: Geo, tmp_path: Path
) -> None:
    shop, time = Importer(committed_db, geo), datetime(2018, 10, 28, 12, tzinfo=UTC)
    visits = [
        (oracle.Visit(number, number, time, "", "8.8.8.8", "/fresh_fish/", "category"), agent)
        for number, agent in enumerate((BROWSER, *BOTS), 1)
    ]
    write(tmp_path / "log.txt", combined(visits))
    await shop.read(tmp_path / "log.txt")
    await store_live(shop, visits)
    for source, sources in (("log", 1), ("api", 1), ("all", 2)):
        for traffic, requests in (("human", 1), ("bot", 2), ("all", 3)):
            scope = {"since": time, "source": source, "traffic": traffic}
            for number in (1, 2):
                [row] = (await ask(shop, number, **scope)).rows
                assert row.requests == requests * sources, (number, scope)
            [row] = (await ask(shop, 1, metric="visitors", **scope)).rows
            assert row.visitors == 1
