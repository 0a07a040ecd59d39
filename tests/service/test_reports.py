"""The seven reports over imported logs, held to the naive oracle and to what is known of whole logs."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.shop_log import KnownAnswers, generate
from clients.geo import Geo
from db.database import Database
from service.errors import NotFound
from service.log_chunks import CHUNK_BYTES, LogFile
from service.log_columns import parse_chunk
from service.reports import ReportResult, find_report, list_reports, run_report
from service.visit_rows import store_visits
from tests import oracle
from tests.log_imports import NOW, Importer, counts, lines_of
from tests.log_lines import CATEGORIES, logs

ROOT = Path(__file__).parents[2]
# The log whose answers the contract tells is no part of the project; where it lies beside it, it is read.
SHOP_LOGS = [path for path in [ROOT.parent / "shared" / "data" / "logs.txt"] if path.exists()]
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Chatham",
)
DEFAULTS: dict[int, dict[str, Any]] = {
    1: {"metric": "requests"},
    2: {"category": "fresh_fish", "pages": "all"},
    3: {"category": "frozen_fish", "pages": "category"},
    4: {},
    5: {"category": "semi_manufactures"},
    6: {"min_age": 0},
    7: {},
}
EVERYTHING = {"since": None, "until": None, "tz": "UTC", "source": "all", "limit": 10}
TIME = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
BEGIN = datetime(2018, 10, 27, 12, tzinfo=UTC)

quarters = st.none() | st.integers(0, 150).map(lambda count: BEGIN + timedelta(minutes=15 * count))
pages = st.sampled_from(("all", "category", "product"))
categories = st.sampled_from((*CATEGORIES, "nothing"))
OWN = {
    1: st.fixed_dictionaries({"metric": st.sampled_from(("requests", "visitors"))}),
    2: st.fixed_dictionaries({"category": categories, "pages": pages}),
    3: st.fixed_dictionaries({"category": categories, "pages": pages}),
    4: st.just({}),
    5: st.fixed_dictionaries({"category": categories}),
    6: st.fixed_dictionaries({"min_age": st.sampled_from((0, 1, 10, 60, 1000))}),
    7: st.just({}),
}


@st.composite
def scopes(draw: st.DrawFn) -> dict[str, Any]:
    since, until = draw(quarters), draw(quarters)
    if since and until and since >= until:
        until = since + timedelta(minutes=15)
    source = draw(st.sampled_from(("all", "all", "log", "api")))
    limit = draw(st.sampled_from((1, 2, 10, 1000)))
    return {
        "since": since,
        "until": until,
        "tz": draw(st.sampled_from(ZONES)),
        "source": source,
        "limit": limit,
    }


questions = st.lists(st.tuples(scopes(), st.fixed_dictionaries(OWN)), min_size=2, max_size=3)


@dataclass(frozen=True)
class Case:
    """A log, how it is read, and the pages that were viewed live meanwhile."""

    log: bytes
    live: bytes
    zone: str
    chunk_bytes: int
    cut: int  # where the log ended when it was read first

    @property
    def visits(self) -> list[oracle.Visit]:
        return [*self.expected.visits, *(replace(visit, source="page") for visit in live_pages(self.live))]

    @property
    def expected(self) -> oracle.OracleLog:
        return oracle.read_log(lines_of(self.log), tz=self.zone, now=NOW)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Goods are learned exactly from one chunk, and from a log in the order of time however it is read."""
    log, live = draw(logs()).removesuffix(b"\n") + b"\n", draw(logs(broken=0, max_lines=8))
    zone, chunk_bytes, cut = draw(st.sampled_from(ZONES)), CHUNK_BYTES, 0
    if draw(st.booleans()):
        log = in_order_of_time(log)  # whose last line may lack its newline
        chunk_bytes, cut = draw(st.sampled_from((300, 1000, CHUNK_BYTES))), draw(st.integers(0, len(log)))
    return Case(log, live, zone, chunk_bytes, cut)


def in_order_of_time(log: bytes) -> bytes:
    def time(raw: bytes) -> bytes:
        found = TIME.search(raw)
        return found[0] if found else b""

    return b"\n".join(sorted(log.split(b"\n"), key=time))


def live_pages(live: bytes) -> Iterator[oracle.Visit]:
    """Pages that were viewed live. No cart lines: these are learned in the order in which they are stored."""
    for visit in oracle.read_log(lines_of(live), now=NOW).visits:
        if visit.kind != "cart":
            yield replace(visit, offset=visit.line + 10**6)


async def store_live_pages(shop: Importer, live: bytes) -> None:
    for chunk in LogFile(BytesIO(live), take_last=True).chunks():
        found = parse_chunk(chunk, zone=UTC, now=NOW).visits.filter(pl.col("kind") != "cart")
        rows = found.with_columns(
            pl.col("position") + 10**6, request_id=pl.lit("live-") + pl.col("request_id")
        )
        async with shop.db.transaction() as session:
            await store_visits(session, rows, geo=shop.geo, source="page", import_id=None)


async def ask(shop: Importer, number: int, **parameters: Any) -> ReportResult:
    return await run_report(shop.db, find_report(number), {**EVERYTHING, **DEFAULTS[number], **parameters})


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
    found: oracle.Report = by_number[number](visits, *countries, **parameters)
    return found


def agrees(found: ReportResult, expected: oracle.Report) -> bool:
    """The same answer and rows, in order; floats within 0.0001."""
    answer, rows = expected
    return found.answer == answer and [asdict(row) for row in found.rows] == [
        {
            name: pytest.approx(value, abs=1.01e-4) if isinstance(value, float) else value
            for name, value in row.items()
        }
        for row in rows
    ]


@given(case=cases(), asked=questions)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
async def test_imports_and_reports_agree_with_the_oracle(
    committed_db: Database, geo: Geo, tmp_path: Path, case: Case, asked: list[Any]
) -> None:
    shop, path, expected = Importer(committed_db, geo), tmp_path / "logs.txt", case.expected
    await shop.empty()
    await store_live_pages(shop, case.live)
    path.write_bytes(case.log[: case.cut])
    how: dict[str, Any] = {"zone": case.zone, "chunk_bytes": case.chunk_bytes}
    records = [await shop.read(path, **how)]
    path.write_bytes(case.log)
    records.append(await shop.read(path, take_last=True, **how))
    totals = tuple(map(sum, zip(*map(counts, records), strict=True)))
    assert totals == (expected.lines, len(expected.visits), expected.duplicates, len(expected.rejects))
    rejects = [(reject.line, reject.offset) for record in records for reject in await shop.rejects(record)]
    assert rejects == [(reject.line, reject.offset) for reject in expected.rejects]
    path.rename(tmp_path / "again.txt")
    again = await shop.read(tmp_path / "again.txt", take_last=True, **how)
    good = expected.lines - len(expected.rejects)
    assert counts(again) == (expected.lines, 0, good, len(expected.rejects))
    await shop.check_rollups()
    visits = case.visits
    newest = max((visit.time for visit in visits), default=None)
    for scope, own in asked:
        for number in DEFAULTS:
            parameters = {**scope, **own[number]}
            found = await ask(shop, number, **parameters)
            answer = expected_report(visits, geo, number, parameters)
            assert agrees(found, answer), (number, parameters, found, answer)
            assert found.as_of == newest


async def test_the_projects_own_log_has_its_known_answers(
    committed_db: Database, geo: Geo, tmp_path: Path
) -> None:
    shop, known = Importer(committed_db, geo), KnownAnswers()
    lines = sum(1 for _ in generate(20_000, 1, known=known))
    record = await shop.read(ROOT / "logs.txt", chunk_bytes=300_000)
    assert counts(record) == (lines, lines, 0, 0)
    assert {number: (await ask(shop, number)).answer for number in DEFAULTS} == known.answers
    countries = (await ask(shop, 1, limit=1000)).rows
    assert {row.country: row.requests for row in countries} == known.countries
    assert {row.part_of_day: row.views for row in (await ask(shop, 3)).rows} == known.parts
    assert {row.hour: row.requests for row in (await ask(shop, 4, limit=1000)).rows} == known.hours
    assert {row.purchases: row.users for row in (await ask(shop, 7)).rows} == known.purchases
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
    found = await ask(Importer(db, geo), number)
    assert (found.answer, found.rows) == (0 if number in (6, 7) else None, [])
    assert found.as_of is None


def test_there_are_seven_reports_and_no_other() -> None:
    assert [report.number for report in list_reports()] == [1, 2, 3, 4, 5, 6, 7]
    for number in (0, 8, 999):
        with pytest.raises(NotFound) as error:
            find_report(number)
        assert error.value.code == "no_such_report"
