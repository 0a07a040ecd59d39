"""The time that a server takes to recover when its processes or its servers die, and to end.

Processes are killed while it serves with two workers, `ROUNDS` times each. The table has the median and the
longest time beside what is promised.
"""

import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from bench.results import write_results
from tests.support.command_line import PASSWORD, Command, call, free_port, is_ready, wait_until_ready
from tests.support.own_servers import OwnServer, own_postgres, own_valkey
from tests.support.processes import children, command_of, eventually, processes_below
from tests.support.served import Site, get

ROUNDS = 5
WORKERS = 2
REQUESTS = 50  # of a median
PROMISES = {  # seconds
    "one worker killed, until both serve": 2.0,
    "all workers killed, until one serves": 2.0,
    "all workers killed, until all are there": 3.0,
    "all workers killed three times, until all are there": 3.0,
    "PostgreSQL killed, until ready": 15.0,
    "Valkey killed, until ready": 15.0,
    "SIGTERM, until the end": 20.0,
    "SIGKILL, until nothing is left": 5.0,
    "own PostgreSQL back, until the first success": 2.0,
    "own Valkey away, more for a request": 0.05,
}


@contextmanager
def serve(data_dir: Path, **settings: str) -> Iterator[Site]:
    """Serve with two workers and without limits; yields the server when it is ready."""
    port = str(free_port())
    environment = {"DATA_DIR": str(data_dir), "PORT": port, "WORKERS": str(WORKERS), "LOG_LEVEL": "CRITICAL"}
    process = Command({**environment, "RATE_LIMIT_PER_MINUTE": "0", **settings}).start()
    site = Site(f"http://127.0.0.1:{port}", process)
    try:
        wait_until_ready(site.url)
        yield site
    finally:
        process.terminate()
        process.communicate()


def seconds_until(condition: Callable[[], object]) -> float:
    begin = time.monotonic()
    assert eventually(condition)
    return time.monotonic() - begin


def answers(site: Site) -> bool:
    try:
        return '"ok"' in get(f"{site.url}/")
    except (OSError, HTTPException):
        return False


def has_all_workers(site: Site, dead: set[int]) -> bool:
    workers = set(site.workers())
    return len(workers) == WORKERS and not workers & dead and answers(site)


def kill(pids: set[int]) -> set[int]:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return pids


def kill_workers(site: Site, times: int) -> set[int]:
    """Kill all workers, and those that replace them, so many times; returns all that were killed."""
    dead: set[int] = set()

    def living() -> set[int]:
        return set(site.workers()) - dead

    for _ in range(times):
        assert eventually(living)
        dead |= kill(living())
    return dead


def kill_program(site: Site, program: str) -> None:
    kill({pid for pid in children(site.process.pid) if program in command_of(pid)})
    assert eventually(lambda: not is_ready(site.url))


def measure_workers(site: Site) -> dict[str, float]:
    one = kill({site.workers()[0]})
    seconds = {"one worker killed, until both serve": seconds_until(lambda: has_all_workers(site, one))}
    dead = kill_workers(site, 1)
    serving = seconds_until(lambda: answers(site))
    whole = serving + seconds_until(lambda: has_all_workers(site, dead))
    again = kill_workers(site, 3)
    return seconds | {
        "all workers killed, until one serves": serving,
        "all workers killed, until all are there": whole,
        "all workers killed three times, until all are there": seconds_until(
            lambda: has_all_workers(site, again)
        ),
    }


def measure_embedded(site: Site) -> dict[str, float]:
    seconds = {}
    for name, program in (("PostgreSQL", "postgres"), ("Valkey", "valkey")):
        begin = time.monotonic()
        kill_program(site, program)
        wait_until_ready(site.url)
        seconds[f"{name} killed, until ready"] = time.monotonic() - begin
    return seconds


def measure_ends(folder: Path) -> dict[str, float]:
    with serve(folder / "stopped") as site:
        site.process.terminate()
        stop = seconds_until(lambda: site.process.poll() is not None)
    with serve(folder / "killed") as site:
        site.process.kill()
        end = seconds_until(lambda: not processes_below(folder / "killed"))
    return {"SIGTERM, until the end": stop, "SIGKILL, until nothing is left": end}


async def measure_own_servers(site: Site, postgres: OwnServer, valkey: OwnServer) -> dict[str, float]:
    token = await asyncio.to_thread(sign_in, site.url)
    await postgres.end(signal.SIGKILL)
    await asyncio.to_thread(eventually, lambda: not is_ready(site.url))
    await postgres.start()
    back = await asyncio.to_thread(seconds_until, lambda: profile_seconds(site.url, token))
    before = await asyncio.to_thread(median_seconds, site.url, token)
    await valkey.end(signal.SIGKILL)
    after = await asyncio.to_thread(median_seconds, site.url, token)
    await valkey.start()
    return {
        "own PostgreSQL back, until the first success": back,
        "own Valkey away, more for a request": max(0.0, after - before),
    }


def sign_in(url: str) -> str:
    account = {"login": f"anna {time.monotonic_ns()}", "password": PASSWORD}
    call(f"{url}/register", body=account)
    return str(call(f"{url}/login", body=account)["access_token"])


def profile_seconds(url: str, token: str) -> float:
    """Return the seconds of a GET /profile; 0 if it fails."""
    begin = time.perf_counter()
    try:
        call(f"{url}/profile", token=token)
    except OSError:
        return 0.0
    return time.perf_counter() - begin


def median_seconds(url: str, token: str) -> float:
    return statistics.median(profile_seconds(url, token) for _ in range(REQUESTS))


async def run_own_servers(folder: Path) -> list[dict[str, float]]:
    with own_postgres(folder) as postgres, own_valkey(folder) as valkey:
        await asyncio.gather(postgres.start(), valkey.start())
        with serve(folder / "own", DATABASE_URL=postgres.url, REDIS_URL=valkey.url) as site:
            return [await measure_own_servers(site, postgres, valkey) for _ in range(ROUNDS)]


def main() -> None:
    rounds: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="trawl-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with serve(folder / "embedded") as site:
            rounds += [measure_workers(site) | measure_embedded(site) for _ in range(ROUNDS)]
        rounds += [measure_ends(folder / str(number)) for number in range(ROUNDS)]
        rounds += asyncio.run(run_own_servers(folder))
    rows, missed = [], False
    for title, promise in PROMISES.items():
        seconds = [each[title] for each in rounds if title in each]
        missed = missed or max(seconds) > promise
        figures = (f"{statistics.median(seconds):.3f}", f"{max(seconds):.3f}", f"{promise:g}")
        rows.append((title, *figures, "yes" if max(seconds) <= promise else "no"))
    write_results("Recovery", ("event", "median (s)", "longest (s)", "promise (s)", "met"), rows)
    sys.exit(missed)


if __name__ == "__main__":
    main()
