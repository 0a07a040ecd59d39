"""A mixed load for long: what memory and waiting do, process by process, once the caches are full."""

import asyncio
import multiprocessing
import os
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from statistics import median

from bench.attackers import Target
from bench.mixed_load import fill_caches, run_mixed_load
from bench.own_trawl import OwnTrawl
from bench.quiet_client import QuietClient, Timings

PARTS = 6  # of an hour: ten minutes
# Cached responses (8 MiB a worker), compiled statements and the plans of each connection begin empty, and are
# bounded. All that the load asks for is asked for at first; then it runs for a while before the soak begins.
WARM_UP = 1 / 6  # of the soak, beside it: a worker's heap is level after ten minutes
RATE = 10.0  # requests a second of the quiet client
GROWTH, SLOWDOWN = 1.02, 1.2
SAMPLE_SECONDS = 1.0
MB = 1e6

Memory = dict[str, int]  # bytes by the kind of process, and of each worker


@dataclass(frozen=True, slots=True)
class Part:
    """What was measured in one part: medians of memory, the least of all together, and what the client saw.

    Work in flight comes and goes with the load of the machine; a leak raises the least, too.
    """

    memory: dict[str, float]
    least: int
    timings: Timings

    @property
    def total(self) -> float:
        return sum(self.memory.values())

    def describe(self) -> str:
        kinds = ", ".join(f"{kind} {size / MB:.0f}" for kind, size in sorted(self.memory.items()))
        failures = dict(Counter(self.timings.failures))
        memory = f"{self.total / MB:.0f} MB ({kinds}), at least {self.least / MB:.0f}"
        waiting = f"p99 {self.timings.p99():.0f} ms, {len(self.timings.failures)} failed {failures}"
        medians = ", ".join(f"{name} {ms:.1f}" for name, ms in self.timings.medians().items())
        return f"{memory}, {waiting}, load {os.getloadavg()[1]:.1f}; medians in ms: {medians}"


async def sample_memory(trawl: OwnTrawl, samples: list[Memory]) -> None:
    """Note what all processes hold, again and again."""
    while True:
        samples.append(await asyncio.to_thread(trawl.memory_by_kind))
        await asyncio.sleep(SAMPLE_SECONDS)


async def measure_part(trawl: OwnTrawl, quiet: QuietClient, end: float) -> Part:
    samples = list[Memory]()
    sampling = asyncio.create_task(sample_memory(trawl, samples))
    timings = await quiet.measure(max(2 * SAMPLE_SECONDS, end - time.monotonic()), rate=RATE)
    sampling.cancel()
    sizes = defaultdict[str, list[int]](list)
    for sample in samples:
        for kind, size in sample.items():
            sizes[kind].append(size)
    least = min(sum(sample.values()) for sample in samples)
    return Part({kind: median(each) for kind, each in sizes.items()}, least, timings)


async def soak(trawl: OwnTrawl, clients: dict[str, QuietClient], seconds: float) -> bool:
    """Play a mixed load; compare the last part with the first after the warm-up."""
    quiet, warm_up = clients["quiet"], seconds * WARM_UP
    target = Target(trawl.port, clients["loud"].token, warm_up + seconds)
    await fill_caches(target)
    load = multiprocessing.get_context("spawn").Process(target=run_mixed_load, args=(target,))
    load.start()
    begin, parts = time.monotonic() + warm_up, list[Part]()
    print(f"warm-up: {(await measure_part(trawl, quiet, begin)).describe()}", flush=True)
    for number in range(1, PARTS + 1):
        parts.append(await measure_part(trawl, quiet, begin + seconds * number / PARTS))
        print(f"part {number}: {parts[-1].describe()}", flush=True)
    await asyncio.to_thread(load.join)
    growth, least = parts[-1].total / parts[0].total, parts[-1].least / parts[0].least
    slowdown = parts[-1].timings.p99() / parts[0].timings.p99()
    lost = await quiet.lost()
    print(f"last part beside the first: memory {growth:.3f}, the least {least:.3f},", end=" ")
    print(f"p99 {slowdown:.2f}; {lost} visits lost")
    return growth <= GROWTH and slowdown <= SLOWDOWN and not lost
