"""Attacks a server of its own in the ways of bench/attackers.py, while a quiet client measures.

    python -m bench.attacks --seconds 20 [--rounds 3] [--attack "heavy reads"] [--lines 300000]
    python -m bench.attacks --kills 20
    python -m bench.attacks --soak 3600

For each attack: the p99 of the quiet client's requests before and during it, in turns, the medians of all
rounds, the memory of the workers, how many of them ended, and how many visits that were acknowledged are
gone. The attacker's process has the lowest priority, and with --cgroup no share in the priority of server and
quiet client: a real attacker would use another machine. What the quiet client sees beside a process that
takes as much of a core, and attacks nobody, tells what is the attacker's share in it. The number of its
connections tells whether the attack took place. The bench fails if the p99 is over 3 times the quiet one or
over 1 s, a request of the quiet client fails, a worker grows by 300 MB or ends, or a visit is gone. --kills
kills all processes of the server at random moments of attacks, and looks for the acknowledged visits. --soak
plays a mixed load, and compares memory and p99 of its last sixth with its first.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from bench.attack_results import COLUMNS, Result, Round
from bench.attackers import ATTACKS, Target, attacker, compute, run_attack
from bench.own_trawl import OwnTrawl, own_trawl
from bench.priorities import join
from bench.quiet_client import QuietClient
from bench.results import write_results
from bench.shop_log import generate
from bench.soak import soak
from tests.support.command_line import wait_until_ready

SAMPLE_SECONDS = 0.25
SETTLE_SECONDS = 3.0  # after an attack
RULES = '[[page]]\nkind = "product"\npath = "/(?P<category>(a+)+)/(?P<product>(a|a)*b)"\n'
KILL_SECONDS = 8.0  # of an attack that ends in a kill


async def sample_memory(trawl: OwnTrawl, highest: dict[int, int]) -> None:
    while True:
        for pid, size in trawl.memory().items():
            highest[pid] = max(highest.get(pid, 0), size)
        await asyncio.sleep(SAMPLE_SECONDS)


async def play(trawl: OwnTrawl, client: QuietClient, name: str, options: argparse.Namespace) -> Round:
    """Measure, then while an attack runs, then beside a process that takes as much of a core."""
    workers, acknowledged = set(trawl.workers()), len(client.acknowledged)
    before = await client.measure(options.seconds)
    memory, highest = trawl.memory(), dict[int, int]()
    sampling = asyncio.create_task(sample_memory(trawl, highest))
    async with attacker(options.cgroup) as process:
        attack = process.submit(run_attack, name, options.target)
        during = await client.measure(options.seconds)
        effort = await asyncio.wrap_future(attack)
        sampling.cancel()
        load = os.getloadavg()[0]
        await asyncio.sleep(SETTLE_SECONDS)
        computing = process.submit(compute, effort.core, options.seconds)
        beside = await client.measure(options.seconds)
        await asyncio.wrap_future(computing)
    for failure, count in Counter(during.failures).items():
        print(f"{name}: {failure}, {count} times")
    return Round(
        before,
        during,
        beside,
        tuple(size - memory.get(pid, 0) for pid, size in highest.items()),
        load,
        effort,
        ended=len(workers - set(trawl.workers())),
        lost=await client.lost(since=acknowledged),
    )


async def prepare(trawl: OwnTrawl, names: tuple[str, ...]) -> dict[str, QuietClient]:
    """Sign accounts up, sign them in, and import the log."""
    clients = {}
    for name in names:
        client = QuietClient(trawl.port, {"login": f"{name} client", "password": "correct horse battery"})
        status, _ = await client.call("POST", "/register", client.account)
        assert status == 201, status
        assert await client.sign_in() == 200
        clients[name] = client
    status = 202
    while status == 202:
        status, body = await clients["quiet"].call("GET", "/parse?wait=30")
    assert status == 200, body
    return clients


async def attack(trawl: OwnTrawl, options: argparse.Namespace) -> bool:
    clients = await prepare(trawl, ("quiet", "loud"))
    quiet = clients["quiet"]
    options.target = Target(trawl.port, clients["loud"].token, options.seconds, options.addresses)
    workers = trawl.workers()
    await quiet.measure(min(5.0, options.seconds))  # warm up
    results = []
    for name in options.attack or ATTACKS:
        rounds = [await play(trawl, quiet, name, options) for _ in range(options.rounds)]
        results.append(Result(name, rounds))
        print(" | ".join(results[-1].row()), flush=True)
    lost = await quiet.lost()
    rows = [result.row() for result in results]
    if options.keep:
        write_results("Attacks", COLUMNS, rows)
    print(" | ".join(COLUMNS))
    print(f"acknowledged visits: {len(quiet.acknowledged)}, of them lost: {lost}")
    return all(result.holds for result in results) and not lost and is_whole(trawl, workers)


async def endure(trawl: OwnTrawl, options: argparse.Namespace) -> bool:
    """Play a mixed load for long; all processes must live on."""
    clients, workers = await prepare(trawl, ("quiet", "loud")), trawl.workers()
    return await soak(trawl, clients, options.soak) and is_whole(trawl, workers)


async def kill(trawl: OwnTrawl, options: argparse.Namespace) -> bool:
    """Kill everything at random moments of random attacks; what was acknowledged must be there afterwards."""
    clients = await prepare(trawl, ("quiet", "loud"))
    quiet, random = clients["quiet"], Random(options.kills)
    for number in range(options.kills):
        name = random.choice(list(ATTACKS))
        target = Target(trawl.port, clients["loud"].token, KILL_SECONDS)
        async with attacker(options.cgroup) as process:
            process.submit(run_attack, name, target)
            measuring = asyncio.create_task(quiet.measure(KILL_SECONDS))
            await asyncio.sleep(random.uniform(1, KILL_SECONDS))
            await asyncio.to_thread(trawl.kill)
            await measuring
        trawl.start()
        await asyncio.to_thread(wait_until_ready, trawl.url)
        lost = await quiet.lost()
        print(f"kill {number + 1}, {name}: {len(quiet.acknowledged)} acknowledged, {lost} lost", flush=True)
        if lost:
            return False
    return True


def is_whole(trawl: OwnTrawl, workers: list[int]) -> bool:
    """Tell whether all processes live and the log has no error of ours; print what it has."""
    for line in trawl.faults():
        print(line)
    return not trawl.faults() and trawl.workers() == workers


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.attacks", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each attack")
    parser.add_argument("--rounds", type=int, default=1, help="of each attack; others use the machine too")
    parser.add_argument("--addresses", type=int, default=1, help="from which each attack comes, 250 at most")
    parser.add_argument("--attack", nargs="*", choices=ATTACKS, help="only these")
    parser.add_argument(
        "--lines", type=int, default=300_000, help="of the log that exports and statistics read"
    )
    parser.add_argument(
        "--cgroup", type=Path, help="folder of a cgroup that the server and the quiet client join"
    )
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="play a mixed load instead")
    parser.add_argument("--kills", type=int, metavar="TIMES", help="kill everything during attacks instead")
    parser.add_argument("--keep", action="store_true", help="write the table to RESULTS.md")
    options = parser.parse_args()
    if options.cgroup is not None:
        join(options.cgroup)
    with log_of(options.lines) as folder, own_trawl(**settings(folder)) as trawl:
        work = endure if options.soak else kill if options.kills else attack
        return 0 if asyncio.run(work(trawl, options)) else 1


@contextmanager
def log_of(lines: int) -> Iterator[Path]:
    """Write a log and rules to a folder that goes with the block."""
    with tempfile.TemporaryDirectory(prefix="trawl-attack-log-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with (folder / "shop.log").open("w", encoding="utf-8") as file:
            file.writelines(generate(lines, 1))
        (folder / "rules.toml").write_text(RULES)
        yield folder


def settings(folder: Path) -> dict[str, str]:
    return {
        "LOGS_FILE": str(folder / "shop.log"),
        "LOGS_RULES": str(folder / "rules.toml"),
        "ACCESS_TOKEN_EXPIRE_MINUTES": "600",  # a soak is longer than a token lives by default
    }


if __name__ == "__main__":
    sys.exit(main())
