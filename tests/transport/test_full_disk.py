"""A full disk: writes are refused by its name, reads go on, /health and the log tell."""

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.outages import is_disk_full
from service import health
from service.deps import Deps
from telemetry.disk import DiskSpace, DiskWatch, read_space
from telemetry.logs import PeriodicWarning
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp
from tests.support.small_disk import fill, small_disk
from transport import errors

# As PostgreSQL refuses a row that finds no room.
NO_ROOM = """
    CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = '53100';
    END $$"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "1m") as disk:
        yield disk


async def test_a_write_is_refused_as_disk_full_and_reads_go_on(user: User, deps: Deps) -> None:
    made = await user.client.post("/tasks", json={"title": "before"})
    async with deps.db.transaction() as session:
        await session.execute(text(NO_ROOM))
        for table in ("task", "live_visit", "event"):
            trigger = f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} EXECUTE FUNCTION pg_temp.refuse()"
            await session.execute(text(trigger))
    event = {"event_id": "018f3a5e-7a10-7cc3-98a3-1a2b3c4d5e6f", "user_id": 1, "event_type": "view"}
    writes = [
        ("/tasks", {"title": "after"}),
        ("/visits", {"page_url": "/"}),
        ("/events", {"events": [{**event, "occurred_at": "2024-01-01T00:00:00Z", "properties": {}}]}),
    ]
    for path, body in writes:
        answer = await user.client.post(path, json=body)
        assert (answer.status, answer.code) == (503, "disk_full"), path
        assert answer.headers["Retry-After"] == "60"
        assert b"base/1/2" not in answer.body
    assert (await user.client.get("/pages/caviar")).code == "disk_full"
    assert (await user.client.get("/tasks")).json["items"] == [made.json]


async def test_a_database_that_takes_no_writes_is_told_by_its_cause(
    user: User, server: RunningApp, deps: Deps, tmp_path: Path
) -> None:
    outer = deps.db.bind
    assert isinstance(outer, AsyncConnection)  # a savepoint would take the setting back at its end
    await outer.execute(text("SET transaction_read_only = on"))
    server.use(replace(deps, data_dir=tmp_path))
    codes = []
    for free in (1 << 20, 1 << 40):
        with patch.object(errors, "read_space", lambda _, free=free: DiskSpace(free=free, total=1 << 41)):
            answer = await user.client.post("/tasks", json={"title": "after"})
        codes.append((answer.status, answer.code))
    assert codes == [(503, "disk_full"), (503, "unavailable")]


def test_our_own_files_meet_the_same_error(disk: Path) -> None:
    fill(disk)
    with pytest.raises(OSError, match="No space left") as raised:
        (disk / "more").write_bytes(b"x")
    assert is_disk_full(raised.value)
    assert is_disk_full(OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)))
    assert not is_disk_full(OSError(errno.EIO, os.strerror(errno.EIO)))


async def test_health_tells_a_disk_that_is_nearly_full_and_stays_well(
    client: Client, server: RunningApp, deps: Deps, tmp_path: Path
) -> None:
    server.use(replace(deps, data_dir=tmp_path))
    answer = await client.get("/health")
    assert answer.json["disk"]["status"] == "ok"
    assert answer.json["disk"]["free_bytes"] > 0
    with patch.object(health, "read_space", lambda _: DiskSpace(free=4, total=100)):
        answer = await client.get("/health")
        ready = await client.get("/ready")
    assert answer.json["disk"] == {"status": "degraded", "free_bytes": 4}
    assert (answer.status, answer.json["status"], ready.status) == (200, "ok", 200)


def test_the_space_is_that_of_the_folders_file_system(disk: Path) -> None:
    before = read_space(disk)
    assert before is not None
    assert (before.total, before.is_low) == (1 << 20, False)
    fill(disk)
    assert read_space(disk) == DiskSpace(free=0, total=1 << 20)
    assert DiskSpace(free=0, total=1 << 20).is_low
    assert read_space(disk / "nowhere") is None


def test_the_log_tells_a_disk_that_is_nearly_full_once_a_minute(disk: Path) -> None:
    now = [0.0]
    watch = DiskWatch(disk, clock=lambda: now[0])
    with structlog.testing.capture_logs() as logs:
        watch.watch()
        fill(disk)
        for second in range(150):
            now[0] = float(second)
            watch.watch()
    assert [(line["event"], line["free"]) for line in logs] == [("disk_nearly_full", 0)] * 2


def test_a_periodic_warning_counts_what_it_leaves_out() -> None:
    now = [0.0]
    warning = PeriodicWarning("disk_full", clock=lambda: now[0])
    with structlog.testing.capture_logs() as logs:
        for second in range(70):
            now[0] = float(second)
            warning.log(cause="x")
    assert [(line["event"], line["times"]) for line in logs] == [("disk_full", 1), ("disk_full", 60)]
