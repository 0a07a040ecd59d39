"""Streaming on routes of the tests: what arrives, and what happens when either side breaks off."""

import asyncio
import csv
import io
import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from sanic import Blueprint
from sanic.response import HTTPResponse
from sqlalchemy import text
from structlog.testing import capture_logs

from db.database import Database
from db.sessions import select_in_batches
from service.deps import Deps
from tests.support.eventually import eventually
from tests.support.http_client import Client
from tests.support.http_server import RunningApp, make_unserved_app, serve
from tests.support.processes import PATIENCE
from transport.request import Request
from transport.settings import HttpSettings, Timeouts
from transport.streaming import stream_events, stream_export

exports = Blueprint("exports")

NAMES = ("at", "id", "note", "more")
ROWS: list[tuple[Any, ...]] = [
    (datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC), uuid.UUID(int=1), 'a "b", c\nd', {"x": [1, None]}),
    (datetime(2024, 1, 2, tzinfo=UTC), uuid.UUID(int=2), None, True),
]
SLOW = "SELECT number, repeat('x', 50), pg_sleep(CASE WHEN number % 5000 = 0 THEN 30 ELSE 0 END)::text"
BIG = "SELECT number, repeat('x', 1000), '' "
NUMBERS = " FROM generate_series(1, 200000) AS number"


async def whole(_db: Database) -> AsyncGenerator[Sequence[Any]]:
    yield ROWS[:1]
    yield ROWS[1:]


async def nothing(_db: Database) -> AsyncGenerator[Sequence[Any]]:
    return
    yield []


async def broken(_db: Database) -> AsyncGenerator[Sequence[Any]]:
    raise ZeroDivisionError
    yield []


async def breaking(_db: Database) -> AsyncGenerator[Sequence[Any]]:
    yield ROWS
    raise ZeroDivisionError


waiting = asyncio.Event()


async def endless_wait(_db: Database) -> AsyncGenerator[Sequence[Any]]:
    waiting.set()
    await asyncio.Event().wait()
    yield []


async def select(db: Database, statement: str) -> AsyncGenerator[Sequence[Any]]:
    async with db.dedicated() as session:
        async for batch in select_in_batches(session, text(statement + NUMBERS)):
            yield batch


SOURCES: dict[str, Callable[[Database], AsyncGenerator[Sequence[Any]]]] = {
    "whole": whole,
    "nothing": nothing,
    "broken": broken,
    "breaking": breaking,
    "waiting": endless_wait,
    "slow": lambda db: select(db, SLOW),
    "big": lambda db: select(db, BIG),
}


@exports.get("/export/<source:str>/<form:str>", ctx_public=True)
async def export_source(request: Request, source: str, form: str) -> HTTPResponse | None:
    names = ("number", "filler", "wait") if source in ("slow", "big") else NAMES
    batches = SOURCES[source](request.deps.db)
    return await stream_export(request, batches, names=names, form=form, filename="rows")


async def one_event() -> AsyncGenerator[bytes]:
    yield b"1"


async def breaking_events() -> AsyncGenerator[bytes]:
    yield b"1"
    raise ZeroDivisionError


async def no_event() -> AsyncGenerator[bytes]:
    raise ZeroDivisionError
    yield b""


EVENTS = {"one": one_event, "breaking": breaking_events, "broken": no_event}


@exports.get("/event-stream/<source:str>", ctx_public=True)
async def stream_source(request: Request, source: str) -> HTTPResponse | None:
    return await stream_events(request, EVENTS[source]())


@pytest.fixture(scope="module")
async def exporting_app() -> AsyncIterator[RunningApp]:
    app = make_unserved_app()
    app.blueprint(exports)
    async with serve(app) as running:
        yield running


@pytest.fixture
async def exporting(exporting_app: RunningApp, deps: Deps) -> AsyncIterator[Client]:
    exporting_app.use(deps)
    async with aiohttp.ClientSession(exporting_app.url) as session:
        yield Client(session)


async def test_ndjson_is_an_object_a_line(exporting: Client) -> None:
    answer = await exporting.get("/export/whole/ndjson")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="rows.ndjson"'
    assert "X-Request-ID" in answer.headers
    assert answer.body.endswith(b"\n")
    assert [json.loads(line) for line in answer.body.splitlines()] == [
        {
            "at": "2024-01-02T03:04:05.000006Z",
            "id": str(uuid.UUID(int=1)),
            "note": 'a "b", c\nd',
            "more": {"x": [1, None]},
        },
        {"at": "2024-01-02T00:00:00Z", "id": str(uuid.UUID(int=2)), "note": None, "more": True},
    ]


async def test_csv_has_a_header_of_the_same_names(exporting: Client) -> None:
    answer = await exporting.get("/export/whole/csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(answer.body.decode(), newline=""))) == [
        list(NAMES),
        ["2024-01-02T03:04:05.000006Z", str(uuid.UUID(int=1)), 'a "b", c\nd', '{"x":[1,null]}'],
        ["2024-01-02T00:00:00Z", str(uuid.UUID(int=2)), "", "true"],
    ]


async def test_no_rows_are_an_empty_export(exporting: Client) -> None:
    assert (await exporting.get("/export/nothing/ndjson")).body == b""
    assert (await exporting.get("/export/nothing/csv")).body == b"at,id,note,more\r\n"


async def test_head_has_the_headers_alone(exporting: Client) -> None:
    answer = await exporting.request("HEAD", "/export/broken/csv")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"


async def test_a_failure_before_the_first_row_is_a_problem(exporting: Client) -> None:
    answer = await exporting.get("/export/broken/ndjson")
    assert (answer.status, answer.code) == (500, "internal_error")


async def test_a_failure_on_the_way_breaks_the_answer_off(exporting: Client) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        await exporting.get("/export/breaking/ndjson")
    assert (await exporting.get("/export/whole/csv")).status == 200  # the server lives on


async def test_a_client_that_leaves_before_the_first_row_is_no_failure(
    exporting: Client, exporting_app: RunningApp
) -> None:
    waiting.clear()
    address = urlsplit(exporting_app.url)
    with capture_logs() as logs:
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(b"GET /export/waiting/ndjson HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            await waiting.wait()
        writer.close()

        async def is_logged() -> bool:
            return bool(logs)

        await eventually(is_logged)
    assert [(entry["event"], entry.get("status")) for entry in logs] == [("request", 499)]


async def open_export(url: str, source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection on which an export has begun to arrive, and is not read any further."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=2**16)
    writer.write(f"GET /export/{source}/ndjson HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert b" 200 " in await reader.readline()
    await reader.readexactly(5000)
    return reader, writer


async def wait_for_queries(db: Database, count: int) -> None:
    """Wait until so many exports are open in the database."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%generate_series(1, 200000)%' "
        "AND pid <> pg_backend_pid() AND state <> 'idle' AND datname = current_database()"
    )
    async with asyncio.timeout(10):
        while True:
            async with db.read() as session:
                number = await session.scalar(text(query))
            if number == count:
                return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("source", ["slow", "big"])
async def test_a_client_that_goes_away_ends_the_query(
    exporting_app: RunningApp, deps: Deps, committed_db: Database, source: str
) -> None:
    exporting_app.use(replace(deps, db=committed_db, replica=committed_db))
    _, writer = await open_export(exporting_app.url, source)
    await wait_for_queries(committed_db, 1)
    writer.transport.abort()
    await wait_for_queries(committed_db, 0)


async def test_a_client_that_takes_nothing_is_given_up(
    exporting_app: RunningApp, deps: Deps, committed_db: Database
) -> None:
    http = HttpSettings(timeouts=Timeouts(export=0.2))
    exporting_app.use(replace(deps, db=committed_db, replica=committed_db), http)
    reader, writer = await open_export(exporting_app.url, "big")
    await wait_for_queries(committed_db, 1)
    await wait_for_queries(committed_db, 0)
    rest = await reader.read()
    assert not rest.endswith(b"0\r\n\r\n")
    writer.close()
    await writer.wait_closed()


async def test_events_arrive_one_after_the_other(exporting: Client) -> None:
    answer = await exporting.get("/event-stream/one")
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.body == b"retry: 3000\n\ndata: 1\n\n"


async def test_a_failure_before_the_first_event_is_a_problem(exporting: Client) -> None:
    answer = await exporting.get("/event-stream/broken")
    assert (answer.status, answer.code) == (500, "internal_error")


async def test_a_failure_between_events_breaks_the_answer_off_and_is_logged(exporting: Client) -> None:
    with capture_logs() as logs, pytest.raises(aiohttp.ClientPayloadError):
        await exporting.get("/event-stream/breaking")
    assert [line["log_level"] for line in logs if line["event"] == "event_stream_broken_off"] == ["error"]
