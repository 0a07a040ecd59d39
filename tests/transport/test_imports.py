"""Imports over HTTP: what is imported, how long a caller waits, and what the lists show."""

import asyncio
import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from clients.geo import Geo
from db.database import Database
from service.deps import Deps
from tests.support.eventually import eventually
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp
from tests.support.log_imports import Importer, some_lines, write

FIELDS = {
    "id",
    "name",
    "format",
    "status",
    "dry_run",
    "bytes",
    "bytes_total",
    "lines",
    "imported",
    "duplicates",
    "rejected",
    "lines_per_second",
    "started_at",
    "finished_at",
    "error",
}
COUNTS = ("lines", "imported", "duplicates", "rejected")


@pytest.fixture
def db(committed_db: Database) -> Database:
    """An import holds its file in one transaction and stores chunks in others."""
    return committed_db


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log at LOGS_FILE."""
    path = tmp_path / "logs.txt"
    path.write_bytes(some_lines(20) + b"bad\n")
    return path


@pytest.fixture
def small_chunks(server: RunningApp, deps: Deps) -> None:
    """Make imports take many chunks, so that a test sees them run."""
    server.use(replace(deps, logs=replace(deps.logs, chunk_bytes=20_000)))


async def no_import_runs() -> bool:
    return not any(task.get_name().startswith("import of ") for task in asyncio.all_tasks())


async def visits(db: Database, geo: Geo) -> int:
    [(count,)] = await Importer(db, geo).rows("SELECT count(*) FROM visit")
    assert isinstance(count, int)
    return count


async def ended(client: Client, location: str) -> dict[str, Any]:
    """Wait until the import has ended."""
    for _ in range(2000):
        record: dict[str, Any] = (await client.get(location)).json
        if record["status"] != "running":
            return record
        await asyncio.sleep(0.05)
    raise AssertionError("the import does not end")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_parse_imports_the_log(user: User, log: Path, db: Database, method: str, prefix: str) -> None:
    answer = await user.client.request(method, f"{prefix}/parse")
    record = answer.json
    assert answer.status == 200
    assert record.keys() == FIELDS
    assert (record["name"], record["status"], record["dry_run"]) == ("logs.txt", "done", False)
    assert [record[name] for name in COUNTS] == [21, 20, 0, 1]
    assert record["bytes"] == record["bytes_total"] == len(some_lines(20)) + 4
    assert record["started_at"].endswith("Z")
    assert record["finished_at"] >= record["started_at"]
    assert record["error"] is None
    assert (await user.client.get(f"{prefix}/imports/{record['id']}")).json == record
    again = (await user.client.request(method, f"{prefix}/parse")).json
    assert [again[name] for name in COUNTS] == [0, 0, 0, 0]
    assert again["id"] != record["id"]


async def test_head_of_parse_imports_nothing(user: User, log: Path, db: Database, geo: Geo) -> None:
    answer = await user.client.request("HEAD", "/parse")
    assert answer.status in (200, 204)
    assert (await user.client.get("/imports")).json == {"items": [], "next": None}
    assert await visits(db, geo) == 0


async def test_a_dry_run_stores_no_visit(user: User, log: Path, db: Database, geo: Geo) -> None:
    record = (await user.client.post("/parse?dry_run=true")).json
    assert record["dry_run"] is True
    assert [record[name] for name in COUNTS] == [21, 20, 0, 1]
    assert await visits(db, geo) == 0
    [reject] = (await user.client.get(f"/imports/{record['id']}/rejects")).json["items"]
    assert reject["line"] == 21
    assert (await user.client.post("/parse")).json["imported"] == 20


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.usefixtures("small_chunks")
async def test_who_does_not_wait_is_told_where_to_look(user: User, log: Path, prefix: str) -> None:
    write(log, some_lines(3000))
    answer = await user.client.get(f"{prefix}/parse?wait=0")
    assert answer.status == 202
    assert answer.headers["Location"] == f"{prefix}/imports/{answer.json['id']}"
    assert answer.json["status"] == "running"
    record = await ended(user.client, answer.headers["Location"])
    assert (record["status"], record["imported"]) == ("done", 3000)


@pytest.mark.usefixtures("small_chunks")
async def test_a_server_that_leaves_does_not_wait_for_the_end_of_an_import(
    user: User, log: Path, server: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(log, some_lines(3000))
    monkeypatch.setattr(server.app.ctx, "draining", True)
    answer = await user.client.get("/parse")
    assert (answer.status, answer.json["status"]) == (202, "running")
    assert answer.headers["Connection"] == "close"
    assert (await ended(user.client, answer.headers["Location"]))["imported"] == 3000


@pytest.mark.usefixtures("small_chunks")
async def test_a_second_caller_gets_the_running_import(user: User, other_user: User, log: Path) -> None:
    write(log, some_lines(3000))
    answers = await asyncio.gather(
        *(one.client.get("/parse?wait=300") for one in (user, other_user, user)),
        user.client.post("/parse?wait=0"),
    )
    assert [answer.status for answer in answers] == [200, 200, 200, 202]
    assert len({answer.json["id"] for answer in answers}) == 1
    assert {answer.json["imported"] for answer in answers[:3]} == {3000}
    assert len((await user.client.get("/imports")).json["items"]) == 1


async def test_rejected_lines_are_shown_to_admins_alone(user: User, admin: User, log: Path) -> None:
    write(log, some_lines(1) + b"password=hunter2\n")
    record = (await user.client.get("/parse")).json
    path = f"/imports/{record['id']}/rejects"
    [mine], [theirs] = [(await each.client.get(path)).json["items"] for each in (user, admin)]
    assert (mine["text"], theirs["text"]) == (None, "password=hunter2")
    assert {**mine, "text": ""} == {**theirs, "text": ""}


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/parse?files=x", "/files"),
        ("/parse?file=", "/file"),
        ("/parse?file=a%00b", "/file"),
        ("/parse?wait=-1", "/wait"),
        ("/parse?wait=soon", "/wait"),
        ("/parse?wait=301", "/wait"),
        ("/parse?dry_run=maybe", "/dry_run"),
        ("/imports?limit=0", "/limit"),
        ("/imports?cursor=bad", "/cursor"),
        ("/imports?status=done", "/status"),
        ("/imports/1/rejects?limit=1001", "/limit"),
    ],
)
async def test_wrong_parameters_are_told_by_name(user: User, log: Path, path: str, pointer: str) -> None:
    answer = await user.client.get(path)
    assert (answer.status, answer.pointers) == (422, [pointer])


async def walk(client: Client, path: str) -> list[Any]:
    """Collect all items of a list, page by page."""
    items: list[Any] = []
    following: str | None = path
    while following:
        answer = await client.get(following)
        items += answer.json["items"]
        cursor = answer.json["next"]
        following = f"{path}&cursor={cursor}" if cursor else None
        assert len(items) < 100
    return items


async def test_imports_are_listed_newest_first_in_pages(user: User, log: Path) -> None:
    records = [(await user.client.get("/parse")).json for _ in range(5)]
    for limit in (1, 2, 5, 50):
        assert await walk(user.client, f"/imports?limit={limit}") == records[::-1]
    assert (await user.client.get("/imports?limit=2&offset=3")).json["items"] == records[1::-1]


async def test_rejects_are_listed_by_line_in_pages(admin: User, log: Path) -> None:
    await admin.client.get("/parse")  # whose reject is not told below
    write(log, b"bad 1\n" + some_lines(3) + b"\n" + b"bad \xff\n" * 4 + "ж".encode() * 300 + b"\n")
    record = (await admin.client.get("/parse")).json
    assert record["rejected"] == 6
    path = f"/imports/{record['id']}/rejects"
    rejects = (await admin.client.get(path)).json["items"]
    assert [reject["line"] for reject in rejects] == [1, 6, 7, 8, 9, 10]
    start = 6 + len(some_lines(3)) + 1
    assert [reject["offset"] for reject in rejects] == [0, *range(start, start + 30, 6)]
    assert rejects[1]["reason"] == "shop: not UTF-8"
    assert [rejects[0]["text"], rejects[5]["text"]] == ["bad 1", "ж" * 200]
    for limit in (1, 4, 6):
        assert await walk(admin.client, f"{path}?limit={limit}") == rejects
    assert (await admin.client.get(f"{path}?offset=4")).json["items"] == rejects[4:]


@pytest.mark.parametrize("path", ["/imports/987654321", "/imports/987654321/rejects", "/imports/0"])
async def test_an_unknown_import_is_not_found(user: User, path: str) -> None:
    assert ((await user.client.get(path)).status) == 404


async def test_a_format_may_be_declared_and_a_wrong_one_is_reported(admin: User, log: Path) -> None:
    for method, path in (("GET", "/parse"), ("POST", "/imports")):
        answer = await admin.client.request(method, path, params={"format": "$remote_addr"}, data=b"")
        assert answer.status == 422
        assert answer.json["errors"][0]["pointer"] == "/format"
        assert "no variable for a time" in answer.json["errors"][0]["detail"]
    record = (await admin.client.get("/parse", params={"format": "combined"})).json
    assert (record["status"], record["lines"]) == ("failed", 0)
    assert "combined" in record["error"]
    record = (await admin.client.get("/parse")).json
    assert (record["status"], record["format"], record["imported"]) == ("done", "shop", 20)


async def test_the_lag_of_a_log_is_what_is_not_stored_of_the_one_that_stands_there(
    user: User, log: Path
) -> None:
    lags: list[int] = []

    async def is_told(size: int) -> bool:  # the health is up to a second old
        lags[:] = [(await user.client.get("/health")).json["import_lag"]["bytes"]]
        return lags == [size]

    await eventually(lambda: is_told(len(some_lines(20)) + 4))
    await user.client.get("/parse")
    await eventually(lambda: is_told(0))
    write(log, some_lines(5, start=50))  # rotated: shorter than what was read of the one before
    await eventually(lambda: is_told(len(some_lines(5, start=50))))


@pytest.mark.parametrize("kept", [5, 10, 3000])
async def test_broken_gzip_is_one_line_of_the_log(user: User, log: Path, kept: int) -> None:
    """It is the file's fault and no bug of ours: there is no traceback, and Sentry gets nothing."""
    write(log, gzip.compress(some_lines(3000))[:kept])
    with capture_logs() as logs:
        record = (await user.client.get("/parse")).json
        assert (record["status"], record["error"]) == ("failed", "the gzip data is broken or cut off")
        await eventually(no_import_runs)
        await asyncio.sleep(0)  # the callback of its end
    events = [entry for entry in logs if entry["event"] != "request"]
    assert [(entry["event"], entry["status"], entry["error"]) for entry in events] == [
        ("import", "failed", record["error"])
    ]
