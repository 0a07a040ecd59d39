"""What can't be counted as it happens is looked at every second: loop lag, pool, memory, CPU time."""

import asyncio
import resource
import time
from pathlib import Path

from service.deps import Deps
from service.health import check_health
from telemetry import metrics
from transport.request import App

PERIOD = 1.0  # seconds
PAGE_SIZE = resource.getpagesize()
STATM = Path("/proc/self/statm")


async def start_sampling(app: App) -> None:
    app.ctx.sampling = asyncio.create_task(sample_for_ever(app), name="sampling")


async def stop_sampling(app: App) -> None:
    app.ctx.sampling.cancel()
    await asyncio.wait([app.ctx.sampling])


async def sample_for_ever(app: App) -> None:
    metrics.current().workers.set(1)
    requests, cpu = metrics.requests_so_far(), 0.0
    while True:
        begun = time.perf_counter()
        cpu = sample_process(cpu)
        sample_pool(app.ctx.deps)
        await asyncio.sleep(PERIOD)
        took = time.perf_counter() - begun
        now = metrics.requests_so_far()
        metrics.current().operations.set((now - requests) / took)
        metrics.current().loop_lag.set(max(0.0, took - PERIOD))
        requests = now


def sample_process(cpu_before: float) -> float:
    """Returns the CPU seconds so far. Counted by differences: a worker that is replaced loses none."""
    cpu = time.process_time()
    found = metrics.current()
    found.cpu.inc(max(0.0, cpu - cpu_before))
    found.memory.set(int(STATM.read_bytes().split()[1]) * PAGE_SIZE)
    return cpu


def sample_pool(deps: Deps) -> None:
    databases = {id(database): database for database in (deps.db, deps.replica)}.values()
    used, idle = (sum(counts) for counts in zip(*(each.pool_counts() for each in databases), strict=True))
    pool = metrics.current().pool
    pool.labels("in_use").set(used)
    pool.labels("idle").set(idle)


async def sample_health(deps: Deps) -> None:
    """What /health tells, for whoever reads the metrics alone."""
    health = await check_health(deps)
    found = metrics.current()
    for part, good in {
        "database": health.database,
        "cache": health.cache,
        "migrations": health.migrated,
    }.items():
        found.up.labels(part).set(good)
    if health.lag is not None:
        found.import_lag.set(health.lag)
