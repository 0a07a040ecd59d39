"""GET /events: the time of a page of 50 out of millions, for each filter, at both ends of the list.

Also writes the plans of all of them, and of each statistic, to bench/plans/events.txt. BENCH_EVENTS sets the
number of events.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import aiohttp
from sqlalchemy.ext.asyncio import AsyncSession

from api.events import filter_values
from api.paging import encode_cursor
from bench.event_rows import EVENTS, serve_many_events
from bench.many_rows import Served, explain
from bench.results import write_results
from db.engine import create_engine
from db.queries.event_pages import select_events
from db.queries.events import EventFilter, newest_first

PLANS = Path(__file__).parent / "plans" / "events.txt"
REQUESTS = 150  # of each page
TARGET = 20  # milliseconds of p99 at most
SINCE, UNTIL = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 8, tzinfo=UTC)

Draw = Callable[[Random], dict[str, Any]]
FILTERS: dict[str, Draw] = {
    "none": lambda _: {},
    "user_id": lambda rng: {"user_id": rng.randrange(100_000)},
    "event_type": lambda rng: {"event_type": f"type_{rng.randrange(20)}"},
    "from, to": lambda _: {"since": SINCE, "until": UNTIL},
    "user_id, event_type": lambda rng: {
        "user_id": rng.randrange(100_000),
        "event_type": f"type_{rng.randrange(20)}",
    },
    "event_type, from, to": lambda rng: {
        "event_type": f"type_{rng.randrange(20)}",
        "since": SINCE,
        "until": UNTIL,
    },
    "property, common": lambda rng: {"properties": {"plan": rng.choice(("free", "pro", "team"))}},
    "property, 1 in 500": lambda rng: {"properties": {"page": f"/p/{rng.randrange(500)}"}},
    "property, unique": lambda rng: {"properties": {"order": str(rng.randrange(EVENTS))}},
    "property, none": lambda _: {"properties": {"plan": "none"}},
    "user_id, property": lambda rng: {
        "user_id": rng.randrange(100_000),
        "properties": {"plan": "pro"},
    },
}
NAMES = {"since": "from", "until": "to"}


def query_of(filters: dict[str, Any]) -> str:
    parameters = {NAMES.get(name, name): value for name, value in filters.items() if name != "properties"}
    parameters |= {f"property.{name}": value for name, value in filters.get("properties", {}).items()}
    return "&".join(
        f"{name}={quote(value.isoformat() if isinstance(value, datetime) else str(value))}"
        for name, value in parameters.items()
    )


def filter_of(filters: dict[str, Any]) -> EventFilter:
    properties = {name: filter_values(value) for name, value in filters.get("properties", {}).items()}
    return EventFilter(**filters | {"properties": properties})


async def last_cursor(session: AsyncSession, filters: dict[str, Any]) -> str:
    """Return the cursor of the last page of fifty events."""
    query = newest_first(filter_of(filters)).order_by(None)
    columns = [column for column in query.selected_columns if column.name in ("occurred_at", "event_id")]
    oldest = query.order_by(*sorted(columns, key=lambda column: column.name != "occurred_at")).limit(51)
    rows = (await session.execute(oldest)).all()
    if len(rows) <= 50:
        return ""
    return f"&cursor={encode_cursor((rows[-1].occurred_at, str(rows[-1].event_id)))}"


async def measure(client: aiohttp.ClientSession, paths: list[str]) -> list[float]:
    """Send the requests one after the other; returns their milliseconds, sorted."""
    times = []
    for path in paths:
        begin = time.perf_counter()
        async with client.get(path) as response:
            assert response.status == 200, await response.text()
            await response.read()
        times.append((time.perf_counter() - begin) * 1000)
    return sorted(times)


async def time_pages(served: Served) -> list[tuple[str, float, float]]:
    """Return for each page its name and the milliseconds at the 50th and 99th percentile."""
    engine, rng, results = create_engine(served.postgres_url, pool_size=1), Random(1), []
    headers = {"Authorization": f"Bearer {served.token}"}
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{served.port}", headers=headers) as client,
        AsyncSession(engine) as session,
    ):
        for name, draw in FILTERS.items():
            samples = [draw(rng) for _ in range(REQUESTS)]
            first = [f"/events?{query_of(filters)}" for filters in samples]
            cursors: dict[str, str] = {}
            for filters, path in zip(samples, first, strict=True):
                if path not in cursors:
                    cursors[path] = await last_cursor(session, filters)
            for end, paths in (("first", first), ("last", [path + cursors[path] for path in first])):
                await measure(client, paths[:5])  # connections prepare new statements
                times = await measure(client, paths)
                results.append((f"{name}, {end}", times[len(times) // 2], times[int(len(times) * 0.99)]))
    await engine.dispose()
    return results


def lists(session: AsyncSession) -> dict[str, Awaitable[Any]]:
    page: dict[str, Any] = {"after": None, "limit": 51, "offset": 0}
    return {
        f"list by {name}": select_events(session, filter_of(draw(Random(2))), **page)
        for name, draw in FILTERS.items()
    }


def main() -> None:
    with serve_many_events() as served:
        results = asyncio.run(time_pages(served))
        PLANS.parent.mkdir(exist_ok=True)
        PLANS.write_text(f"{EVENTS:,} events\n\n" + asyncio.run(explain(served.postgres_url, lists)))
    rows = [
        (name, f"{p50:.1f}", f"{p99:.1f}", "yes" if p99 <= TARGET else "no") for name, p50, p99 in results
    ]
    columns = ("filter and end of the list", "p50 (ms)", "p99 (ms)", f"at most {TARGET} ms")
    write_results(f"Pages of 50 of {EVENTS:,} events", columns, rows)
    sys.exit(any(p99 > TARGET for _, _, p99 in results))


if __name__ == "__main__":
    main()
