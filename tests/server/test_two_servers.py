"""Servers with one database and one Valkey are one Trawl."""

import asyncio
import random
import secrets
import signal
from collections.abc import AsyncIterator

import pytest

from bench.shop_log import generate
from tests.support.command_line import PASSWORD, wait_until_ready
from tests.support.databases import on_server, with_database
from tests.support.eventually import eventually
from tests.support.live_stream import listening
from tests.support.processes import patience
from tests.support.two_servers import CAN_MOUNT, TwoServers, ended, two_servers, visits

pytestmark = pytest.mark.slow

LINES = 20_000
KILLS = 4
HOSTS = "logs-0", "logs-1"  # the folders that are LOGS_DIR of two hosts
needs_mounts = pytest.mark.skipif(not CAN_MOUNT, reason="only root may give a process mounts of its own")


def lines(count: int, seed: int) -> list[str]:
    return list(generate(count, seed))


@pytest.fixture
async def empty_url(servers: tuple[str, str]) -> AsyncIterator[str]:
    """A database without tables."""
    name = f"empty_{secrets.token_hex(6)}"
    await on_server(servers[0], f"CREATE DATABASE {name}")
    yield with_database(servers[0], name)
    await on_server(servers[0], f"DROP DATABASE {name} WITH (FORCE)")


async def test_two_servers_share_imports_sign_outs_limits_and_counts(empty_url: str) -> None:
    """They start and migrate at once; imports, sign-outs, rates and live counts are of both."""
    async with two_servers(empty_url, INGEST_RATE_LIMIT_PER_MINUTE="30") as site:
        await import_at_once(site)
        await sign_out(site)
        await count_live(site)
        await limit_rates(site)


async def import_at_once(site: TwoServers) -> None:
    (site.folder / "logs/shop.log").write_text("".join(lines(LINES, 1)))
    answers = await asyncio.gather(*(client.get("/parse") for client in site.clients * 3))
    assert len({answer.json["id"] for answer in answers}) == 1
    record = await ended(site.clients[0], answers[0].json["id"])
    assert (record["status"], record["imported"], record["duplicates"]) == ("done", LINES, 0)
    assert [await visits(client) for client in site.clients] == [LINES, LINES]


async def sign_out(site: TwoServers) -> None:
    answer = await site.clients[0].post("/login", json={"login": "root", "password": PASSWORD})
    tokens = [client.signed_in(answer.json["access_token"]) for client in site.clients]
    assert [(await client.get("/profile")).status for client in tokens * 4] == [200] * 8
    assert (await tokens[0].post("/logout")).status == 204
    assert [(await client.get("/profile")).status for client in tokens * 4] == [401] * 8


async def count_live(site: TwoServers) -> None:
    async with asyncio.timeout(patience()), listening(site.clients[1]) as listener:
        first = await listener.next_state()
        assert first is not None
        assert (await site.clients[0].post("/visits", json={"page_url": "/a/"})).status == 201
        await listener.until(visits=first["visits"] + 1)


async def limit_rates(site: TwoServers) -> None:
    """The account's 30 visits a minute are of both servers together; one is used up."""
    posts = [client.post("/visits", json={"page_url": "/a/"}) for client in site.clients for _ in range(30)]
    statuses = sorted([(await post).status for post in posts])
    assert statuses.count(201) <= 30 * 2  # a minute may have begun meanwhile
    assert 429 in statuses


async def test_a_server_that_dies_leaves_its_import_to_the_other(committed_url: str) -> None:
    rng = random.Random(1)
    async with two_servers(committed_url) as site:
        (site.folder / "logs/shop.log").write_text("".join(lines(LINES * 5, 2)))
        started = (await site.clients[0].get("/parse?wait=0")).json
        for _ in range(KILLS):
            victim = rng.choice([site.first, site.second])
            await asyncio.sleep(rng.uniform(0, 1.5))
            victim.end(signal.SIGKILL)
            victim.start()
            await asyncio.to_thread(wait_until_ready, victim.url, victim.process)
        record = await ended(site.clients[0], started["id"])
        assert (record["status"], record["imported"], record["duplicates"]) == ("done", LINES * 5, 0)
        assert [await visits(client) for client in site.clients] == [LINES * 5] * 2


@needs_mounts
async def test_equal_paths_of_two_hosts_are_two_files(committed_url: str) -> None:
    """Also where they begin with the same line, which is stored once."""
    async with two_servers(committed_url, views=HOSTS) as site:
        stored = 0
        for name, seed, is_first_line_equal in (("shop.log", 10, False), ("other.log", 20, True)):
            logs = [lines(LINES, seed), lines(LINES, seed + 1)]
            if is_first_line_equal:
                logs[1][0] = logs[0][0]
            for folder, log in zip(HOSTS, logs, strict=True):
                (site.folder / folder / name).write_text("".join(log))
            answers = await asyncio.gather(*(client.get(f"/parse?file={name}") for client in site.clients))
            records = [await ended(site.clients[0], answer.json["id"]) for answer in answers]
            assert [record["lines"] for record in records] == [LINES] * 2
            assert sum(record["duplicates"] for record in records) == int(is_first_line_equal)
            stored += LINES * 2 - int(is_first_line_equal)
            assert await visits(site.clients[0]) == stored


@needs_mounts
async def test_logs_of_two_hosts_that_begin_alike_are_both_followed(committed_url: str) -> None:
    """While each is written, to the last line; each line is read once."""
    logs = [lines(LINES, 10), lines(LINES, 11)]
    logs[1][0] = logs[0][0]
    async with two_servers(committed_url, views=HOSTS, LOGS_FOLLOW="true") as site:
        for begin in range(0, LINES, LINES // 4):
            for folder, log in zip(HOSTS, logs, strict=True):
                with (site.folder / folder / "shop.log").open("a") as file:
                    file.write("".join(log[begin : begin + LINES // 4]))
            assert await all_visits(site, 2 * (begin + LINES // 4) - 1)
        assert await read_lines(site) == (2 * LINES, 1)


@needs_mounts
async def test_a_log_that_two_hosts_share_is_read_once(committed_url: str) -> None:
    log = lines(LINES, 12)
    async with two_servers(committed_url, views=(HOSTS[0], HOSTS[0]), LOGS_FOLLOW="true") as site:
        path = site.folder / HOSTS[0] / "shop.log"
        path.write_text("".join(log[: LINES // 2]))
        assert await all_visits(site, LINES // 2)
        with path.open("a") as file:
            file.write("".join(log[LINES // 2 :]))
        answers = await asyncio.gather(*(client.get("/parse") for client in site.clients))
        assert {answer.status for answer in answers} == {200}
        assert await all_visits(site, LINES)
        assert await read_lines(site) == (LINES, 0)


async def all_visits(site: TwoServers, count: int) -> bool:
    """Wait until both servers count so many visits."""

    async def are_all() -> bool:
        return [await visits(client) for client in site.clients] == [count, count]

    await eventually(are_all)
    return True


async def read_lines(site: TwoServers) -> tuple[int, int]:
    """Return how many lines all imports have read, and how many of them were duplicates."""
    records = (await site.clients[0].get("/imports?limit=1000")).json["items"]
    return sum(record["lines"] for record in records), sum(record["duplicates"] for record in records)
