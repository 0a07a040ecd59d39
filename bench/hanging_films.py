"""The p99 of other routes while the film service hangs, beside that while it answers.

Rounds alternate: in one the film service answers at once, in the other never. Both have the same requests
for films, so that only the waiting differs. Clients send a constant rate to two workers.
"""

import asyncio
import math
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp

ROUNDS = 10
SECONDS = 4.0  # of a round
REQUESTS = 100  # a second, of the other routes
FILM_REQUESTS = 10  # a second
TARGET = 1.2
FILM = b'{"kinopoiskId": 1}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(FILM), FILM)
ACCOUNT = {"login": "bench", "password": "correct horse battery"}


class FilmService:
    def __init__(self) -> None:
        self.hangs = False

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                if self.hangs:
                    await reader.read()  # until the client gives up
                    break
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


async def measure(session: aiohttp.ClientSession) -> list[float]:
    """Run a round; returns the seconds of each request to the other routes."""
    times: list[float] = []

    async def other() -> None:
        begin = time.perf_counter()
        async with session.get("/profile") as response:
            await response.read()
        times.append(time.perf_counter() - begin)

    async def film() -> None:
        async with session.get(f"/movies/{secrets.randbelow(2**40) + 1}") as response:
            await response.read()

    async def repeat(rate: int, send: Callable[[], Coroutine[Any, Any, None]]) -> None:
        begin = time.perf_counter()
        tasks = []
        for number in range(int(rate * SECONDS)):
            await asyncio.sleep(max(0.0, begin + number / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(send()))
        await asyncio.gather(*tasks)

    await asyncio.gather(repeat(REQUESTS, other), repeat(FILM_REQUESTS, film))
    return times


def percentile(times: list[float], share: float) -> float:
    """Return a percentile of seconds in milliseconds."""
    return sorted(times)[math.ceil(share * len(times)) - 1] * 1000


async def run(url: str, service: FilmService) -> float:
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as session:
        for _ in range(200):
            try:
                await session.post("/register", json=ACCOUNT)
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)
            else:
                break
        async with session.post("/login", json=ACCOUNT) as response:
            session.headers["Authorization"] = (await response.json())["access_token"]
        await measure(session)  # warm up
        rounds: dict[bool, list[list[float]]] = {False: [], True: []}
        for number in range(2 * ROUNDS):
            service.hangs = number % 2 == 1
            rounds[service.hangs].append(await measure(session))
            await asyncio.sleep(2.2)  # until the breaker lets calls through again
    p99 = {}
    for hangs, results in rounds.items():
        # Medians of the rounds' percentiles, so that a round on a busy machine does not decide.
        p50, p99[hangs] = (
            statistics.median(percentile(times, share) for times in results) for share in (0.5, 0.99)
        )
        print(f"film service {'hangs' if hangs else 'answers'}: p50 {p50:.2f} ms, p99 {p99[hangs]:.2f} ms")
    return p99[True] / p99[False]


async def serve_and_run(url: str, listener: socket.socket, service: FilmService) -> float:
    async with await asyncio.start_server(service.answer, sock=listener):
        return await run(url, service)


def main() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    listener = socket.create_server(("127.0.0.1", 0))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o755)
        settings = {
            "DATA_DIR": f"{folder}/var",
            "PORT": port,
            "WORKERS": "2",
            "RATE_LIMIT_PER_MINUTE": "0",
            "LOG_LEVEL": "CRITICAL",
            "KINOPOISK_URL": f"http://127.0.0.1:{listener.getsockname()[1]}",
            "KINOPOISK_API_KEY": "bench",
        }
        trawl = subprocess.Popen([sys.executable, "main.py"], env=os.environ | settings)
        try:
            ratio = asyncio.run(serve_and_run(f"http://127.0.0.1:{port}", listener, service=FilmService()))
        finally:
            trawl.terminate()
            trawl.wait()
    print(f"p99 of other routes with the film service hanging: {ratio:.2f} x (target: at most {TARGET})")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
