"""Trawl on a Citus cluster: a day gives the same answers as on one PostgreSQL; what operators run works."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
from sqlalchemy import text

from bench.shop_log import generate
from clients.geo import Geo
from db.database import Database
from db.distribution import SPREAD, select_local_tables, select_workers
from db.queries.dropped_parts import delete_dropped_columns
from service.columns.store import ColumnStore
from service.deps import Deps
from service.events.merging import MergeLimits, merge_events
from service.events.stats import count_events
from service.visits.queries import count_visits, list_visits
from service.visits.retention import delete_before
from tests.support.citus import needs_cluster
from tests.support.cluster_days import Day, answer_alike
from tests.support.command_line import Command
from tests.support.event_oracle import OneEvent
from tests.support.http_client import Client
from tests.support.http_server import RunningApp
from tests.support.log_imports import Importer, write
from tests.support.merging import merge_visits
from tests.support.stored_events import store_events
from tests.support.visit_cases import NOTHING

pytestmark = needs_cluster

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
OFTEN = MergeLimits(batches=1, events=1, most=100, small=150, small_parts=2)
SOME_EVENTS = [OneEvent(user, "open", BEGIN + timedelta(minutes=user)) for user in range(200)]
STATISTICS = (
    "page", "user", "country", "category", "referrer", "browser", "os", "device", "status", "kind", "hour",
    "day", "week", "month", "country,day", "page,hour",
)  # fmt: skip


def visits(random: Random, number: int) -> list[dict[str, Any]]:
    pages = ("/", "/fresh_fish/", "/fresh_fish/salmon/", "/about", "/caviar/black/")
    return [
        {
            "id": str(uuid.UUID(int=random.getrandbits(128), version=4)),
            "page_url": random.choice(pages),
            "timestamp": (BEGIN + timedelta(seconds=random.randrange(86400 * 3))).isoformat(),
            "user_id": random.randrange(1, 9),
            "address": f"8.8.{random.randrange(3)}.{random.randrange(9)}",
            "agent": random.choice(
                ("Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0", "curl/8.0", "Googlebot/2.1")
            ),
        }
        for _ in range(number)
    ]


def events(random: Random, number: int) -> list[dict[str, Any]]:
    return [
        {
            "event_id": str(uuid.UUID(int=random.getrandbits(128), version=4)),
            "user_id": random.randrange(1, 30),
            "event_type": random.choice(("open", "search", "buy")),
            "occurred_at": (BEGIN + timedelta(seconds=random.randrange(86400 * 9))).isoformat(),
            "properties": {"plan": random.choice(("free", "pro"))},
        }
        for _ in range(number)
    ]


async def look(day: Day) -> None:
    """Ask for everything that is answered from visits and events."""
    for path in (
        "/visits",
        "/visits?kind=product&limit=7",
        "/visits?user_id=3",
        "/visits?source=log&limit=5",
    ):
        await day.ask("GET", path)
    for group in STATISTICS:
        await day.ask("GET", f"/visits/stats?group_by={group}&tz=Europe/Berlin&traffic=all")
    await day.ask("GET", "/visits/stats?from=2026-05-02&to=2026-05-03&compare=previous")
    for number in range(1, 8):
        await day.ask("GET", f"/report/{number}")
        await day.ask("GET", f"/report/{number}?from=2026-05-01T06:15:00Z&to=2026-05-04T01:45:00Z")
    await day.ask("GET", "/report/1?metric=visitors")
    for kind in ("visits", "events"):
        await day.ask("GET", f"/{kind}/export?format=csv")
    for path in (
        "/events?limit=20",
        "/events?user_id=4",
        "/events?property.plan=pro&limit=9",
        "/events/stats",
        "/events/stats?group_by=user,day",
        "/stats/dau?from=2026-05-01&to=2026-05-11",
        "/stats/dau?from=2026-05-01&to=2026-05-11&segment=property.plan:pro",
        "/stats/top-events",
        "/stats/retention?start=2026-05-01&windows=5",
        "/stats/funnel?steps=open,search,buy&within=86400",
    ):
        await day.ask("GET", path)


async def live(day: Day) -> None:
    random = Random(5)
    first = visits(random, 60)
    await day.ask("POST", "/visits", json={"visits": first[:50]})
    for each in first[50:]:
        await day.ask("POST", "/visits", json=each)
    imported = await day.ask("GET", "/parse?wait=60")
    await day.ask("GET", "/parse?wait=60")
    batch = events(random, 300)
    await day.ask("POST", "/events", json=batch[:200])
    await day.ask("POST", "/events", json=batch[150:])
    await day.ask("POST", "/events", json=[{**batch[0], "event_type": "other"}, batch[1]])
    await look(day)
    await merge_events(day.deps.db, limits=OFTEN)
    await merge_visits(day.deps.db)
    await look(day)
    await day.ask("POST", "/visits", json={"visits": [*first[:5], {**first[6], "page_url": "/else"}]})
    await day.ask("GET", f"/visits/{first[3]['id']}")
    await day.undo(imported.json["id"])
    await look(day)
    await day.ask("GET", "/parse?wait=60")
    await delete_before(day.deps.db, BEGIN + timedelta(days=2))
    await delete_dropped_columns(day.deps.db, kept_for=timedelta(0))
    await look(day)
    await day.ask("GET", "/visits/stats?group_by=day&traffic=all")


async def test_a_day_gives_the_answers_of_one_postgresql(
    server: RunningApp, deps: Deps, client: Client, databases: tuple[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "logs.txt"
    log.write_text("".join(generate(3000, 4)).replace("2024-05", "2026-05"))
    await answer_alike(server, deps, client, databases, live)


async def test_a_dry_run_tells_what_will_be_spread_before_there_is_any_table(cluster: Command) -> None:
    code, text, _ = await cluster.run_beside("distribute", "--dry-run")
    assert code == 0
    for name in SPREAD:
        assert f"{name}: 0.0 MB" in text


async def test_distribute_says_what_it_does_does_it_once_and_keeps_what_was_there(
    cluster_url: str, cluster: Command, geo: Geo, tmp_path: Path
) -> None:
    code, text, _ = await cluster.run_beside("migrate")
    assert code == 0
    db = Database.connect(cluster_url)
    before = await fill(db, geo, tmp_path)
    code, text, _ = await cluster.run_beside("distribute", "--dry-run")
    assert code == 0
    assert "visit_part_columns" in text
    connection = await asyncpg.connect(cluster_url)
    workers = ", ".join(map(str, await select_workers(connection)))
    assert {table.name for table in await select_local_tables(connection)} == set(SPREAD)
    code, text, _ = await cluster.run_beside("distribute")
    assert code == 0
    assert workers in text
    assert not await select_local_tables(connection)
    assert (await cluster.run_beside("distribute"))[:2] == (
        0,
        f"nothing to do: all is spread over {workers}\n",
    )
    await connection.close()
    assert await shown(db) == before
    await db.close()


async def test_a_backup_of_a_cluster_is_restored_on_it_and_on_one_postgresql(
    databases: tuple[str, str], cluster: Command, trawl: Command, geo: Geo, tmp_path: Path
) -> None:
    _, url = databases
    db, file = Database.connect(url), tmp_path / "trawl.backup"
    before = await fill(db, geo, tmp_path)
    assert (await cluster.run_beside("backup", str(file)))[0] == 0
    await store_events(db, SOME_EVENTS)
    assert await shown(db) != before
    await db.close()
    code, output, errors = await cluster.run_beside("restore", str(file))
    assert (code, errors) == (0, "")
    assert "event: spread" in output
    assert (await trawl.run_beside("restore", str(file)))[0] == 0
    for database in databases:
        db = Database.connect(database)
        assert await shown(db) == before
        await db.close()


async def fill(db: Database, geo: Geo, folder: Path) -> list[Any]:
    """Store lines and events; return what is shown of them."""
    write(log := folder / "logs.txt", "".join(generate(2000, 4)).encode())
    await Importer(db, geo).read(log)
    await store_events(db, SOME_EVENTS)
    return await shown(db)


async def shown(db: Database) -> list[Any]:
    """What is counted of visits and events, and all visits."""
    store = ColumnStore()
    page: dict[str, Any] = {"after": None, "limit": 1000, "offset": 0}
    return [
        await count_visits(db, store, **NOTHING, group_by=("page", "day"), tz="UTC", **page),
        await list_visits(db, store, **NOTHING, **page),
        await count_events(db, store.events, group_by=("user",), tz="UTC", **page),
    ]


async def test_health_and_doctor_tell_of_each_worker(
    databases: tuple[str, str], cluster: Command, server: RunningApp, deps: Deps, client: Client
) -> None:
    db = Database.connect(databases[1])
    server.use(replace(deps, db=db, replica=db))
    health = (await client.get("/health")).json
    async with db.raw() as raw:
        workers = list(map(str, await select_workers(raw)))
    assert health["workers"] == {worker: {"status": "ok"} for worker in workers}
    code, output, _ = await cluster.run_beside("doctor")
    assert code == 0
    assert all(f"ok  worker {worker}: answers" in output for worker in workers)
    async with db.transaction() as session:
        await session.execute(
            text("UPDATE pg_dist_node SET nodeport = 1 WHERE nodeport = :port"),
            {"port": int(workers[0].rpartition(":")[2])},
        )
    answer = await client.get("/health")
    assert answer.status == 503
    assert answer.json["workers"][f"{workers[0].rpartition(':')[0]}:1"] == {"status": "down"}
    assert (await cluster.run_beside("doctor"))[0] == 1
    await db.close()
