"""Does the time of an answer tell whether an account exists?

Asks for known and unknown logins in turns, in pairs that change their order, and prints the ratio of the
medians of each question; it fails when one is further than 5 % from 1.

Run on a quiet machine: python -m bench.sign_in_times [--pairs 200]
"""

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from bench.own_trawl import ADMIN, own_trawl
from tests.support.mail_server import play_mail_server

PASSWORD = "correct horse battery"
BOUND = 0.05
USERS = 30
SEED = 1
PAUSE = 0.4  # seconds

Sender = Callable[[aiohttp.ClientSession, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pair:
    """The same question about a login that exists and about one that does not."""

    name: str
    known: Sender
    unknown: Sender


def post(path: str, status: int, body: Callable[[int], dict[str, str]]) -> Sender:
    async def ask(http: aiohttp.ClientSession, number: int) -> None:
        async with http.post(path, json=body(number)) as response:
            await response.read()
            assert response.status == status, response.status

    return ask


def user_name(number: int) -> str:
    return f"user-{number % USERS:03}"


def stranger_name(number: int) -> str:
    return f"none-{number % USERS:03}"


def reset(token: Callable[[int], str]) -> Sender:
    return post(
        "/password/reset", 422, lambda number: {"token": token(number), "password": "another battery"}
    )


PAIRS = (
    Pair(
        "sign-in",
        post("/login", 401, lambda number: {"login": user_name(number), "password": "wrong battery"}),
        post("/login", 401, lambda number: {"login": stranger_name(number), "password": "wrong battery"}),
    ),
    Pair(
        "forgotten password",
        post("/password/forgot", 202, lambda number: {"login": user_name(number)}),
        post("/password/forgot", 202, lambda number: {"login": stranger_name(number)}),
    ),
)


async def measure(url: str, pair: Pair, count: int) -> float:
    """Return the median time for known logins over that for unknown ones."""
    times: dict[bool, list[float]] = {True: [], False: []}
    chance = random.Random(SEED)
    for number in range(count):
        order = [True, False]
        chance.shuffle(order)
        for is_known in order:
            await asyncio.sleep(PAUSE)  # what the question before has left to do in the background is over
            # An address may fail a hundred times in a quarter of an hour.
            connector = aiohttp.TCPConnector(local_addr=(f"127.0.{1 + number // 250}.{2 + number % 250}", 0))
            async with aiohttp.ClientSession(url, connector=connector) as http:
                async with http.get("/") as response:  # opens the connection
                    await response.read()
                start = time.perf_counter()
                await (pair.known if is_known else pair.unknown)(http, number)
                times[is_known].append(time.perf_counter() - start)
    known, unknown = statistics.median(times[True]), statistics.median(times[False])
    ratio = known / unknown
    print(
        f"{pair.name}: {known * 1000:.2f} ms known, {unknown * 1000:.2f} ms unknown, ratio {ratio:.3f}",
        flush=True,
    )
    return ratio


async def sign_up(url: str) -> list[str]:
    """Make the accounts. Return tokens for new passwords that a new password has ended."""
    async with aiohttp.ClientSession(url) as http:

        async def send(path: str, body: dict[str, str], token: str = "") -> dict[str, Any]:
            async with http.post(path, json=body, headers={"Authorization": token}) as response:
                assert response.status < 300, await response.text()
                answer: dict[str, Any] = await response.json() if response.status in (200, 201) else {}
                return answer

        admin = (await send("/login", ADMIN))["access_token"]
        used = []
        for number in range(USERS):
            name = user_name(number)
            user = await send(
                "/register", {"login": name, "email": f"{name}@shop.example", "password": PASSWORD}
            )
            path = f"/admin/users/{user['id']}/password-reset"
            tokens = [(await send(path, {}, admin))["token"] for _ in range(2)]
            await send("/password/reset", {"token": tokens[0], "password": PASSWORD})
            used.append(tokens[1])
        return used


async def measure_all(count: int) -> bool:
    """Measure every pair. Return whether all ratios are within the bound."""
    async with play_mail_server() as mails:
        with own_trawl(SMTP_URL=f"smtp://127.0.0.1:{mails.port}?tls=none", WORKERS="1") as trawl:
            used = await sign_up(trawl.url)
            resets = Pair(
                "reset",
                reset(lambda number: used[number % USERS]),
                reset(lambda number: f"trawl_reset_{number:043}"),
            )
            ratios = [await measure(trawl.url, pair, count) for pair in (resets, *reversed(PAIRS))]
            print(f"{len(mails.mails)} mails were sent meanwhile")
    return all(abs(ratio - 1) <= BOUND for ratio in ratios)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200, help="requests of each kind")
    sys.exit(0 if asyncio.run(measure_all(parser.parse_args().pairs)) else 1)
