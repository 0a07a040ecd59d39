"""Kills either of two servers on one database, again and again, and compares with two that nobody kills.

    python -m bench.two_servers --kills 20

Before each kill the log grows, and both servers are asked for it at once; beside that, live visits are sent
to either until they are acknowledged, and accounts sign out at one. In the end no line and no visit may be
lost or stored twice, what follows from them must be equal, and no session that was ended may live anywhere.
"""

import argparse
import asyncio
import random
import signal
import sys
import time
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp

from bench.shop_log import START, generate
from clients.geo import Geo
from db.database import Database
from tests.support.command_line import PASSWORD, wait_until_ready
from tests.support.http_client import Client
from tests.support.log_imports import DERIVED, Importer
from tests.support.two_servers import Server, TwoServers, two_servers_apart

BATCH = 100  # live visits of a request
DAYS = 3  # in which they come, the first ones of the log
PAGES = ("/", "/caviar/", "/fresh_fish/salmon/", "/cart?goods_id=3&amount=1&cart_id={0}", "/success_pay_{0}/")
AWAY = (aiohttp.ClientError, TimeoutError, OSError)
LINES = f"{DERIVED[0]} WHERE source = 'log'"
LIVE = """
    SELECT occurred_at, id, kind, host(address), country, cart_id, page_url FROM visit
    WHERE source <> 'log'"""
# Without positions: those of live visits tell the order in which they happened to come.
CARTS = """
    SELECT cart.id, address, cart.source, is_bot, opened_at, changed_at, user_id, paid_at,
        payment.source AS paid_by
    FROM cart LEFT JOIN payment ON cart_id = cart.id"""
# A sum of what each row hashes to, so that no order is needed.
DIGEST = "SELECT count(*), sum(CAST(hashtextextended(CAST(rows AS text), 0) AS numeric)) FROM ({}) AS rows"


@dataclass
class Outcome:
    """What a run has left.

    :param interrupted: kills while an import ran, of either server
    :param digests: of the tables that follow from lines and visits
    """

    batches: int
    interrupted: int = 0
    lines: int = 0
    duplicates: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    digests: list[tuple[object, ...]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def live_visits(number: int) -> list[dict[str, Any]]:
    """Return the batch of that number, the same each time."""
    rng = random.Random(number)
    return [
        {
            "id": str(uuid.UUID(int=rng.getrandbits(128))),
            "page_url": rng.choice(PAGES).format(rng.randrange(1, 3000)),
            "timestamp": (START + timedelta(seconds=rng.uniform(0, DAYS * 86400))).isoformat(),
            "address": f"8.8.{rng.randrange(256)}.{rng.randrange(256)}",
        }
        for _ in range(BATCH)
    ]


async def send(site: TwoServers, number: int, faults: list[str]) -> None:
    """Send a batch to either server until one acknowledges it."""
    for attempt in range(10_000):
        with suppress(*AWAY):
            answer = await site.clients[(number + attempt) % 2].post(
                "/visits", json={"visits": live_visits(number)}
            )
            if answer.status < 300:
                verdicts = Counter(result["status"] for result in answer.json["results"])
                if set(verdicts) - {"created", "duplicate"}:
                    faults.append(f"batch {number}: {dict(verdicts)}")
                return
            if answer.status < 500:
                faults.append(f"batch {number}: {answer.status}")
                return
        await asyncio.sleep(0.1)
    faults.append(f"batch {number}: nobody takes it")


async def send_all(site: TwoServers, outcome: Outcome, is_over: asyncio.Event) -> None:
    """Send batches, one after the other, until the kills are over."""
    while not is_over.is_set():
        await send(site, outcome.batches, outcome.faults)
        outcome.batches += 1
        await asyncio.sleep(0.05)


async def sign_in(client: Client) -> str:
    answer = await client.post("/login", json={"login": "root", "password": PASSWORD})
    token: str = answer.json["access_token"]
    return token


async def check_ended(site: TwoServers, tokens: list[str], faults: list[str]) -> None:
    """Check that no server takes the token of a session that was ended."""
    for client in site.clients:
        statuses = {(await client.signed_in(token).get("/profile")).status for token in tokens}
        if statuses - {401}:
            faults.append(f"sessions that were ended answer {statuses}")


async def kill_round(site: TwoServers, rng: random.Random, tokens: list[str], outcome: Outcome) -> None:
    """Ask both servers for the log, kill one, sign out at the other, and start the one again."""
    answers = await asyncio.gather(*(client.post("/parse?wait=0") for client in site.clients))
    if {answer.status for answer in answers} - {200, 202}:
        outcome.faults.append(f"/parse answers {[answer.status for answer in answers]}")
    await asyncio.sleep(rng.uniform(0, 1))
    number = rng.randrange(2)
    victim: Server = (site.first, site.second)[number]
    survivor = site.clients[1 - number]
    meanwhile = await sign_in(survivor)
    victim.end(signal.SIGKILL)
    [newest] = (await survivor.get("/imports?limit=1")).json["items"]
    outcome.interrupted += newest["status"] == "running"
    answer = await survivor.signed_in(meanwhile).post("/logout")
    if answer.status != 204:
        outcome.faults.append(f"sign-out beside a dead server answers {answer.status}")
    tokens.append(meanwhile)
    victim.start()
    await asyncio.to_thread(wait_until_ready, victim.url)
    await check_ended(site, tokens, outcome.faults)
    before = await sign_in(site.clients[number])
    await survivor.signed_in(before).post("/logout")
    tokens.append(before)
    await check_ended(site, tokens[-1:], outcome.faults)


async def run(pieces: list[str], *, kills: int, seed: int, batches: int = 0) -> Outcome:
    """Let two servers import a log that grows piece by piece, with a kill after each but the last.

    :param batches: of live visits that are sent without kills
    """
    outcome, rng, tokens = Outcome(batches), random.Random(seed), list[str]()
    async with two_servers_apart(INGEST_RATE_LIMIT_PER_MINUTE="0") as site:
        log, is_over = site.folder / "logs/shop.log", asyncio.Event()
        log.touch()
        sender = asyncio.create_task(send_all(site, outcome, is_over)) if kills else None
        for number in range(batches):
            await send(site, number, outcome.faults)
        for piece in pieces:
            with log.open("a") as file:
                file.write(piece)
            if sender is not None and piece is not pieces[-1]:
                await kill_round(site, rng, tokens, outcome)
        is_over.set()
        if sender is not None:
            await sender
        await read_outcome(site, outcome)
    return outcome


async def read_outcome(site: TwoServers, outcome: Outcome) -> None:
    """Wait for the imports, and read what both servers have stored."""
    await asyncio.gather(*(client.post("/parse?wait=300") for client in site.clients))
    while True:
        records = (await site.clients[0].get("/imports?limit=1000")).json["items"]
        if all(record["status"] != "running" for record in records):
            break
        await asyncio.sleep(0.5)
    outcome.lines = sum(record["lines"] for record in records)
    outcome.duplicates = sum(record["duplicates"] for record in records)
    outcome.statuses = Counter(record["status"] for record in records)
    db = Database.connect(site.first.command.environment()["DATABASE_URL"])
    shop = Importer(db, Geo.open())
    try:
        await shop.check_rollups()
    except AssertionError as error:
        outcome.faults.append(f"roll-up {str(error)[:200]}")
    for statement in (LINES, LIVE, CARTS, DERIVED[2], DERIVED[4]):
        [row] = await shop.rows(DIGEST.format(statement))
        outcome.digests.append(row)
    await db.close()


async def compare(arguments: argparse.Namespace) -> int:
    lines = list(generate(arguments.lines * (arguments.kills + 1), arguments.seed))
    pieces = [
        "".join(lines[begin : begin + arguments.lines]) for begin in range(0, len(lines), arguments.lines)
    ]
    begin = time.monotonic()
    killed = await run(pieces, kills=arguments.kills, seed=arguments.seed)
    seconds = time.monotonic() - begin
    calm = await run(pieces, kills=0, seed=arguments.seed, batches=killed.batches)
    faults = [*killed.faults, *calm.faults]
    if killed.digests != calm.digests:
        faults.append(f"{killed.digests} are not {calm.digests}")
    if (killed.lines, killed.duplicates) != (len(lines), 0):
        faults.append(f"{killed.lines} lines and {killed.duplicates} duplicates of {len(lines)} lines")
    print(
        f"{arguments.kills} kills in {seconds:.0f} s, {killed.interrupted} while an import ran: "
        f"{killed.lines} lines, "
        f"{killed.batches * BATCH} live visits, {2 * arguments.kills} sign-outs; "
        f"imports {dict(killed.statuses)}; "
        f"{faults or 'all as if nobody had been killed'}"
    )
    return bool(faults)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.two_servers", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--lines", type=int, default=60_000, help="by which the log grows before each kill")
    parser.add_argument("--seed", type=int, default=1)
    return asyncio.run(compare(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
