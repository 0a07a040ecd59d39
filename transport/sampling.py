"""Measures every second what can't be counted as it happens: loop lag, pool, memory, CPU time."""

import asyncio
import resource
import time
from pathlib import Path

from service.deps import Deps
from service.health import read_health
from telemetry import metrics
from telemetry.refusals import record_refusal
from transport.request import App

PERIOD = 1.0  # seconds
PAGE_SIZE = resource.getpagesize()
STATM = Path("/proc/self/statm")


async def start_sampling(app: App) -> None:
    app.ctx.sampling = asyncio.create_task(sample_every_second(app), name="sampling")


async def stop_sampling(app: App) -> None:
    app.ctx.sampling.cancel()
    await asyncio.wait([app.ctx.sampling])


async def sample_every_second(app: App) -> None:
    """Measure this worker until the task is cancelled. How late it wakes up is the event loop's lag."""
    metrics.current().workers.set(1)
    requests, cpu = metrics.request_count(), 0.0
    while True:
        start = time.perf_counter()
        cpu = sample_process(cpu)
        sample_pool(app.ctx.deps)
        sample_replica(app.ctx.deps)
        sample_bounds(app.ctx.deps)
        sample_connections(app)
        await asyncio.sleep(PERIOD)
        seconds = time.perf_counter() - start
        total = metrics.request_count()
        metrics.current().operations.set((total - requests) / seconds)
        metrics.current().loop_lag.set(max(0.0, seconds - PERIOD))
        requests = total


def sample_process(cpu_before: float) -> float:
    """Measure memory and CPU time. Return the process's CPU seconds, for the next call.

    CPU time is counted by differences, so that a worker that is replaced loses none of it.
    """
    cpu = time.process_time()
    current = metrics.current()
    current.cpu.inc(max(0.0, cpu - cpu_before))
    current.memory.set(int(STATM.read_bytes().split()[1]) * PAGE_SIZE)
    return cpu


def sample_pool(deps: Deps) -> None:
    """Measure how many connections the pools have in use and idle. Without a replica there is one pool."""
    databases = {id(database): database for database in (deps.db, deps.replica)}.values()
    counts = [database.pool_counts() for database in databases]
    in_use, idle = (sum(column) for column in zip(*counts, strict=True))
    pool = metrics.current().pool
    pool.labels("in_use").set(in_use)
    pool.labels("idle").set(idle)


def sample_replica(deps: Deps) -> None:
    """Measure how far the replica is behind, and count what the primary served for it."""
    health = deps.replica.replica_health()
    if health is None:
        return
    current = metrics.current()
    current.replica_up.set(health.state == "ok")
    if health.lag is not None:
        current.replica_lag.set(health.lag)
    for reason, count in deps.replica.take_fall_backs().items():
        current.fall_backs.labels(reason).inc(count)


def sample_bounds(deps: Deps) -> None:
    """Measure how full each bound is."""
    for name, use, limit in (*deps.permits.uses(), *deps.hasher.permits.uses()):
        metrics.current().bound_use.labels(name).set(use)
        metrics.current().bound_limit.labels(name).set(limit)


def sample_connections(app: App) -> None:
    """Measure connections, and count those that were closed or kept out; nothing behind a proxy."""
    guard = getattr(app.ctx, "connection_guard", None)
    if guard is None:
        return
    metrics.current().bound_use.labels("address_connections").set(guard.largest())
    metrics.current().bound_limit.labels("address_connections").set(guard.limit / guard.workers)
    closed, guard.closed = guard.closed, 0
    record_refusal("address_connections", closed)
    unanswered, guard.unanswered = guard.unanswered, 0
    record_refusal("unanswered_connections", unanswered)


async def sample_health(deps: Deps) -> None:
    """Copy what /health shows into the metrics."""
    health = await read_health(deps)
    current = metrics.current()
    for part, is_good in {
        "database": health.database,
        "cache": health.cache,
        "migrations": health.is_migrated,
    }.items():
        current.up.labels(part).set(is_good)
    if health.lag is not None:
        current.import_lag.set(health.lag)
