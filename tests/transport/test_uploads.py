"""Logs uploaded over HTTP: plain and gzipped, broken off and bombs; and imports cancelled and undone."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from clients.geo import Geo
from db.database import Database
from service.bounds import Bounds, WorkPermits
from service.deps import Deps
from service.logs.streams import GunzipLimits
from tests.support.http_client import User
from tests.support.http_server import RunningApp
from tests.support.log_imports import Importer, some_lines, write
from tests.support.raw_http import open_request

COUNTS = ("lines", "imported", "duplicates", "rejected")


@pytest.fixture
def db(committed_db: Database) -> Database:
    """An import holds its lock in one transaction and stores chunks in others."""
    return committed_db


@pytest.fixture
def shop(db: Database, geo: Geo) -> Importer:
    return Importer(db, geo)


@pytest.fixture
def small_chunks(server: RunningApp, deps: Deps) -> None:
    """Make imports take many chunks, so that a test sees them run."""
    server.use(replace(deps, logs=replace(deps.logs, chunk_bytes=20_000)))


def counted(record: dict[str, Any]) -> tuple[int, ...]:
    return tuple(record[name] for name in COUNTS)


LOG = some_lines(40) + b"bad\n" + some_lines(3, start=40).removesuffix(b"\n")
GZIPPED = gzip.compress(LOG)
WAYS: dict[str, tuple[bytes, dict[str, str]]] = {
    "plain": (LOG, {}),
    "gzipped, declared": (GZIPPED, {"Content-Encoding": "gzip"}),
    "gzipped, not declared": (GZIPPED, {}),
    "gzipped twice": (gzip.compress(GZIPPED), {"Content-Encoding": "gzip"}),
    "in two members": (gzip.compress(LOG[:1000]) + gzip.compress(LOG[1000:]), {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_log_is_uploaded(admin: User, shop: Importer, way: str, prefix: str) -> None:
    content, headers = WAYS[way]
    answer = await admin.client.post(f"{prefix}/imports?name=july.log", data=content, headers=headers)
    assert answer.status == 202
    assert answer.headers["Location"] == f"{prefix}/imports/{answer.json['id']}"
    record = (await admin.client.get(answer.headers["Location"])).json
    assert counted(record) == (44, 43, 0, 1)  # a last line without its newline is taken
    assert (record["name"], record["status"], record["format"]) == ("july.log", "done", "shop")
    assert record["bytes"] == record["bytes_total"] == len(content)
    assert await shop.rows("SELECT count(*) FROM visit") == [(43,)]
    [reject] = (await admin.client.get(f"/imports/{record['id']}/rejects")).json["items"]
    assert (reject["line"], reject["offset"]) == (41, len(some_lines(40)))
    again = (await admin.client.post("/imports", data=LOG)).json
    assert (again["name"], counted(again)) == ("upload", (44, 0, 43, 1))


async def test_nothing_uploaded_is_an_import_of_nothing(admin: User, shop: Importer) -> None:
    for headers in ({}, {"Content-Encoding": "gzip"}):
        answer = await admin.client.post("/imports", data=b"", headers=headers)
        assert (answer.status, answer.json["status"], counted(answer.json)) == (202, "done", (0, 0, 0, 0))


async def test_a_dry_run_of_an_upload_stores_no_visit(admin: User, shop: Importer) -> None:
    record = (await admin.client.post("/imports?dry_run=true", data=LOG)).json
    assert (record["dry_run"], counted(record)) == (True, (44, 43, 0, 1))
    assert await shop.rows("SELECT count(*) FROM visit") == [(0,)]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/imports?name=", {}, 422),
        ("/imports?name=a%00", {}, 422),
        ("/imports?nme=a", {}, 422),
        ("/imports?dry_run=2", {}, 422),
        ("/imports", {"Content-Encoding": "br"}, 415),
    ],
)
async def test_what_is_asked_wrongly_makes_no_import(
    admin: User, shop: Importer, path: str, headers: dict[str, str], status: int
) -> None:
    assert (await admin.client.post(path, data=LOG, headers=headers)).status == status
    assert (await admin.client.get("/imports")).json["items"] == []


@pytest.mark.parametrize("cut", ["cut off", "damaged"])
async def test_broken_gzip_fails_and_keeps_its_whole_lines(admin: User, shop: Importer, cut: str) -> None:
    gzipped = gzip.compress(some_lines(3000))
    half = len(gzipped) // 2
    broken = gzipped[:half] if cut == "cut off" else gzipped[:half] + b"\xff" * 40 + gzipped[half + 40 :]
    answer = await admin.client.post("/imports", data=broken, headers={"Content-Encoding": "gzip"})
    record = (await admin.client.get(answer.headers["Location"])).json
    assert (answer.status, record["status"]) == (202, "failed")
    assert "gzip" in record["error"]
    assert 0 < record["imported"] < 3000
    assert await shop.rows("SELECT count(*) FROM visit") == [(record["imported"],)]
    await shop.check_rollups()
    whole = (await admin.client.post("/imports", data=gzipped)).json
    assert whole["imported"] == 3000 - record["imported"]


async def test_an_upload_that_breaks_off_fails_and_keeps_its_whole_lines(
    admin: User, server: RunningApp, shop: Importer
) -> None:
    text = some_lines(20)
    head = f"POST /imports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin.token}\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
    writer.write(f"{head}Content-Length: {10 * len(text)}\r\n\r\n".encode() + text[:-10])
    await writer.drain()
    running = await some_import(admin, "running")
    writer.close()
    await writer.wait_closed()
    del reader
    record = await some_import(admin, "failed")
    assert record["id"] == running["id"]
    assert counted(record) == (19, 19, 0, 0)
    assert "broke off" in record["error"]
    assert await shop.rows("SELECT count(*) FROM visit") == [(19,)]


async def test_an_upload_that_does_not_come_is_given_up_and_keeps_its_whole_lines(
    admin: User, server: RunningApp, deps: Deps, shop: Importer
) -> None:
    server.use(replace(deps, permits=WorkPermits.make(Bounds(body_seconds=0.5))))
    headers = (f"Authorization: {admin.token}", "Content-Length: 9999999")
    async with open_request(server.url, "POST /imports", *headers, body=some_lines(20)[:-10]) as request:
        answer = await request.answer()
    assert (answer.status, answer.code) == (408, "request_timeout")
    record = await some_import(admin, "failed")
    assert counted(record) == (19, 19, 0, 0)
    assert "too slowly" in record["error"]


async def some_import(user: User, status: str) -> dict[str, Any]:
    """Wait until the newest import has this status."""
    for _ in range(2000):
        items = (await user.client.get("/imports?limit=1")).json["items"]
        if items and items[0]["status"] == status:
            record: dict[str, Any] = items[0]
            return record
        await asyncio.sleep(0.05)
    raise AssertionError(f"no import is {status}")


async def test_a_gzip_bomb_that_is_uploaded_is_refused(admin: User, server: RunningApp, deps: Deps) -> None:
    bomb = gzip.compress(some_lines(20) + b"x" * 5_000_000)
    server.use(replace(deps, logs=replace(deps.logs, gunzip_limits=GunzipLimits(free_bytes=1_000_000))))
    answer = await admin.client.post("/imports", data=bomb, headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.code) == (413, "too_large")
    record = await some_import(admin, "failed")
    assert "200 times" in record["error"]


async def test_an_upload_is_cancelled_while_it_comes(admin: User, server: RunningApp, shop: Importer) -> None:
    resume = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield some_lines(100)
        await resume.wait()

    async def upload() -> int:
        headers = {"Authorization": f"Bearer {admin.token}"}
        async with (
            aiohttp.ClientSession(server.url, headers=headers) as session,
            session.post("/imports", data=slowly()) as answer,
        ):
            return answer.status

    task = asyncio.create_task(upload())
    record = await some_import(admin, "running")
    answer = await admin.client.delete(f"/imports/{record['id']}")
    assert (answer.status, answer.json["status"]) == (200, "cancelled")
    assert answer.json["finished_at"] is not None
    resume.set()
    assert await task == 202
    assert (await admin.client.get(f"/imports/{record['id']}")).json["status"] == "cancelled"


@pytest.mark.usefixtures("small_chunks")
async def test_imports_are_cancelled_and_undone_by_admins(
    admin: User, user: User, shop: Importer, tmp_path: Path
) -> None:
    write(tmp_path / "logs.txt", some_lines(3000))
    running = (await user.client.get("/parse?wait=0")).json
    path = f"/imports/{running['id']}"
    assert (await user.client.delete(path)).status == 403
    cancelled = await admin.client.delete(path)
    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")
    stored = cancelled.json["imported"]
    assert await shop.rows("SELECT count(*) FROM visit") == [(stored,)]
    undone = await admin.client.delete(path)
    assert (undone.status, undone.json["status"]) == (200, "undone")
    assert await shop.rows("SELECT count(*) FROM visit") == [(0,)]
    assert (await admin.client.delete(path)).json == undone.json
    items = (await admin.client.get("/admin/auth-events?actor=root")).json["items"]
    assert [item["type"] for item in items] == ["import_undone", "import_cancelled"]
    again = (await user.client.get("/parse")).json
    assert counted(again) == (3000, 3000, 0, 0)
    assert (await admin.client.delete("/imports/987654321")).status == 404


async def test_the_audit_tells_who_uploaded_and_undid_a_log(admin: User) -> None:
    line = "shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 8.8.8.8 https://shop.example/frozen_fish/\n"
    answer = await admin.client.post("/imports", data=line, headers={"Content-Type": "text/plain"})
    assert answer.status == 202
    assert (await admin.client.delete(f"/imports/{answer.json['id']}")).status in (200, 202)
    items = (await admin.client.get("/admin/auth-events?actor=root")).json["items"]
    assert [(item["type"], item["login"]) for item in items] == [
        ("import_undone", "Root"),
        ("import_uploaded", "Root"),
    ]
