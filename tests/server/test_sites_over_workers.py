"""Sites over two real workers: both soon know a site and its end, and lose no view told as stored."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from tests.support.command_line import Command
from tests.support.databases import on_server, with_database
from tests.support.eventually import eventually
from tests.support.two_workers import TwoWorkers, Visitor, two_workers

pytestmark = pytest.mark.slow

ORIGIN = "https://shop.example"
CONNECTIONS, VIEWS = 24, 20  # of each connection


@pytest.fixture
async def served(
    servers: tuple[str, str], template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[TwoWorkers]:
    name = f"sites_{secrets.token_hex(6)}"
    await on_server(servers[0], f"CREATE DATABASE {name} TEMPLATE {template}")
    folder = str(tmp_path_factory.mktemp("sites"))
    settings = {"DATABASE_URL": with_database(servers[0], name), "REDIS_URL": servers[1], "DATA_DIR": folder}
    async with two_workers(Command(settings)) as serving:
        yield serving
    await on_server(servers[0], f"DROP DATABASE {name} WITH (FORCE)")


async def report(visitor: Visitor, key: str, page: str) -> str:
    """Report a view as a page does; return what became of it."""
    body, headers = {"site": key, "page_url": ORIGIN + page}, {"Origin": ORIGIN}
    async with visitor.http.post("/collect", json=body, headers=headers) as response:
        assert response.status == 202
        status: str = (await response.json())["status"]
        return status


async def outcomes(visitor: Visitor, key: str) -> set[str]:
    """Return what becomes of views that come at once, on connections to both workers."""
    return set(await asyncio.gather(*(report(visitor, key, "/probe") for _ in range(8))))


async def test_both_workers_learn_of_a_site_and_of_its_end_and_lose_no_view_told_as_stored(
    served: TwoWorkers,
) -> None:
    async with served.visitor() as admin, served.visitor() as visitor:
        token = served.admin_token
        assert await outcomes(visitor, "unknown") == {"ignored"}  # both have looked
        made = {"name": "shop", "origins": [ORIGIN]}
        site = await admin.expect(201, "POST", "/sites", made, token)

        async def is_known() -> bool:
            return await outcomes(visitor, site["key"]) == {"stored"}

        await eventually(is_known)

        async def view(connection: int) -> Counter[str]:
            pages = [f"/fresh_fish/{connection}-{number}/" for number in range(VIEWS)]
            return Counter([await report(visitor, site["key"], page) for page in pages])

        statuses: Counter[str] = sum(await asyncio.gather(*map(view, range(CONNECTIONS))), Counter())
        assert statuses.total() == CONNECTIONS * VIEWS
        path = "/visits/stats?source=site&category=fresh_fish&traffic=all"
        [totals] = (await admin.expect(200, "GET", path, token=token))["items"]
        assert totals["visits"] == statuses["stored"] > 0

        await admin.expect(204, "DELETE", f"/sites/{site['id']}", token=token)

        async def is_over() -> bool:
            return await outcomes(visitor, site["key"]) == {"ignored"}

        await eventually(is_over)
