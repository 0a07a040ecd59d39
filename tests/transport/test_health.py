import asyncio
from dataclasses import replace

import pytest
import tzdata
from sqlalchemy import text

from db.database import Database
from db.migrate import newest_revision
from service.bounds.shared_result import SharedResult
from service.cache import Cache
from service.deps import Deps
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp
from transport.settings import HttpSettings

TOKEN = "a-token-of-metrics"


async def test_all_parts_are_well(client: Client) -> None:
    answer = await client.get("/health")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json == {
        "status": "ok",
        "database": {"status": "ok"},
        "replica": {"status": "ok", "lag_seconds": None},
        "cache": {"status": "ok"},
        "migrations": {"status": "ok", "revision": newest_revision()},
        "disk": {"status": "ok", "free_bytes": None},
        "import_lag": {"status": "ok", "bytes": None},
        "zones": {"status": "ok", "version": tzdata.IANA_VERSION},
    }
    ready = await client.get("/ready")
    assert (ready.status, ready.json) == (200, {"status": "ok"})


async def test_the_import_lag_is_what_of_the_log_is_not_read(client: Client, deps: Deps) -> None:
    deps.logs.file.write_bytes(b"x" * 1234)
    assert (await client.get("/health")).json["import_lag"]["bytes"] == 1234


async def test_a_database_that_is_away_shows(client: Client, server: RunningApp, deps: Deps) -> None:
    away = Database.connect("postgresql://a@127.0.0.1:1/a")
    server.use(replace(deps, db=away))
    answer = await client.get("/health")
    parts = {name: part["status"] for name, part in answer.json.items() if name != "status"}
    assert (answer.status, answer.json["status"]) == (503, "down")
    assert parts == {
        "database": "down",
        "replica": "down",
        "cache": "ok",
        "migrations": "down",
        "disk": "ok",
        "import_lag": "ok",
        "zones": "ok",
    }
    ready = await client.get("/ready")
    assert (ready.status, ready.json) == (503, {"status": "down"})
    assert answer.headers["Retry-After"] == ready.headers["Retry-After"] == "1"
    await away.close()


async def test_a_cache_that_is_away_shows(client: Client, server: RunningApp, deps: Deps) -> None:
    away = Cache.connect("redis://127.0.0.1:1")
    server.use(replace(deps, cache=away))
    answer = await client.get("/health")
    assert (answer.status, answer.json["cache"]["status"]) == (503, "down")
    assert (await client.get("/ready")).status == 503
    await away.close()


async def test_an_unknown_schema_makes_the_health_503(client: Client, deps: Deps) -> None:
    async with deps.db.transaction() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answer = await client.get("/health")
    assert (answer.status, answer.json["migrations"]["status"]) == (503, "down")


async def test_a_server_that_drains_is_not_ready(
    client: Client, server: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.app.ctx, "draining", True)
    ready = await client.get("/ready")
    assert (ready.status, ready.json) == (503, {"status": "draining"})
    assert (await client.get("/health")).status == 200


@pytest.fixture
def secretive(server: RunningApp, deps: Deps) -> None:
    server.use(deps, HttpSettings(metrics_token=TOKEN))


@pytest.mark.usefixtures("secretive")
@pytest.mark.parametrize("token", [None, "another", TOKEN[:-1], TOKEN + "x", "\xff"])
async def test_who_lacks_the_metrics_token_learns_the_status_alone(client: Client, token: str | None) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    metrics = await client.get("/metrics", headers=headers)
    assert (metrics.status, metrics.code) == (401, "unauthorized")
    health = await client.get("/health", headers=headers)
    assert (health.status, health.json) == (200, {"status": "ok"})
    assert (await client.get("/ready", headers=headers)).status == 200


@pytest.mark.usefixtures("secretive")
async def test_a_users_token_is_no_metrics_token(user: User) -> None:
    assert (await user.client.get("/metrics")).status == 401


@pytest.mark.usefixtures("secretive")
async def test_who_has_the_metrics_token_sees_all(client: Client) -> None:
    monitor = client.signed_in(TOKEN)
    assert b"trawl_workers" in (await monitor.get("/metrics")).body
    assert (await monitor.get("/health")).json["database"] == {"status": "ok"}


async def count_pings(cache: Cache) -> int:
    """Return how often the Valkey was pinged."""
    lines = (await cache.run("INFO", "commandstats")).decode().splitlines()
    [calls] = [line for line in lines if line.startswith("cmdstat_ping:")]
    return int(calls.partition("calls=")[2].partition(",")[0])


async def test_a_crowd_costs_one_check(client: Client, server: RunningApp, deps: Deps) -> None:
    server.use(replace(deps, health=SharedResult(fresh_for=3600)))
    await deps.cache.ping()
    before = await count_pings(deps.cache)
    answers = await asyncio.gather(*(client.get(path) for path in ["/health", "/ready", "/metrics"] * 10))
    assert {answer.status for answer in answers} == {200}
    assert await count_pings(deps.cache) - before == 1
