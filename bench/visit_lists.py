"""GET /visits and /visits/stats: the time of each filter and each grouping of millions of visits.

Lists are asked for at their beginning and at their end. BENCH_VISITS sets the number of visits.
"""

import asyncio
import sys
from datetime import UTC, datetime
from random import Random
from typing import Any

import aiohttp

from api.paging import encode_cursor
from api.visit_lists import GROUPS as VISIT_GROUPS
from bench.events_pages import measure
from bench.many_rows import Served
from bench.results import write_results
from bench.visit_rows import VISITS, serve_many_visits

REQUESTS = 100  # of each list
TARGET = 20  # milliseconds of a list's p99 at most
SINCE, UNTIL = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 8, tzinfo=UTC)
FILTERS: dict[str, dict[str, Any]] = {
    "none": {},
    "from, to": {"since": SINCE, "until": UNTIL},
    "user_id": {"user_id": 500},
    "page_url, common": {"page_url": "/category_0/"},
    "page_url, rare": {"page_url": "/category_19/product_3/"},
    "page_url, none": {"page_url": "/nothing"},
    "source log": {"source": "log"},
    "source api": {"source": "api"},
    "country": {"country": "XC"},
    "country, none": {"country": "ZZ"},
    "category": {"category_id": 1},
    "category, country": {"category_id": 3, "country": "XE"},
    "source api, country, none": {"source": "api", "country": "ZZ"},
    "traffic bot": {"traffic": "bot"},
    "browser": {"browser": "browser_7"},
    "browser, none": {"browser": "none"},
    "os, device": {"os": "os_3", "device": "mobile"},
    "referrer, host": {"referrer": "host-77.example"},
    "referrer, page": {"referrer": "https://host-77.example/577"},
    "referrer, none": {"referrer": "none.example"},
    "status": {"status": 404},
    "status, none": {"status": 500},
}
GROUPS: tuple[tuple[str, ...], ...] = (
    (),
    *((name,) for name in VISIT_GROUPS),
    ("country", "day"),
    ("page", "hour"),
    ("page", "country"),
    ("user", "page"),
)
END = encode_cursor((datetime(2026, 1, 1, 0, 5, tzinfo=UTC), "00000000-0000-0000-0000-000000000000"))
NAMES = {"since": "from", "until": "to"}


def query_of(filters: dict[str, Any]) -> dict[str, str]:
    return {
        NAMES.get(name, name): f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else str(value)
        for name, value in filters.items()
        if name != "category_id"
    } | ({"category": f"category_{filters['category_id'] - 1}"} if "category_id" in filters else {})


async def time_routes(served: Served) -> list[tuple[str, float, float]]:
    """Return for each list and statistic its name and the milliseconds at the 50th and 99th percentile."""
    headers, rng, results = {"Authorization": f"Bearer {served.token}"}, Random(1), []
    async with aiohttp.ClientSession(f"http://127.0.0.1:{served.port}", headers=headers) as client:
        for name, filters in FILTERS.items():
            query = "&".join(f"{key}={value}" for key, value in query_of(filters).items())
            for place, cursor in (("first", ""), ("last", f"&cursor={END}")):
                paths = [f"/visits?{query}&limit={rng.choice((50, 50, 49))}{cursor}" for _ in range(REQUESTS)]
                await measure(client, paths[:5])  # connections prepare new statements
                times = await measure(client, paths)
                p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
                results.append((f"list by {name}, {place} page", p50, p99))
        for by in GROUPS:
            grouping = f"group_by={','.join(by)}&" if by else ""
            # Periods of their own, or an answer would be kept.
            ends = [f"to=2027-01-0{day}" for day in (1, 2, 3)]
            times = await measure(client, [f"/visits/stats?{grouping}tz=Asia/Tokyo&{end}" for end in ends])
            results.append((f"counts by {', '.join(by) or 'nothing'}", times[1], times[2]))
    return results


def main() -> None:
    with serve_many_visits() as served:
        results = asyncio.run(time_routes(served))
    lists = [name for name, _, p99 in results if name.startswith("list") and p99 > TARGET]
    rows = [
        (
            name,
            f"{p50:.1f}",
            f"{p99:.1f}",
            ("no" if name in lists else "yes") if name.startswith("list") else "",
        )
        for name, p50, p99 in results
    ]
    columns = ("query", "p50 (ms)", "p99 (ms)", f"at most {TARGET} ms")
    write_results(f"Lists and statistics of {VISITS:,} visits", columns, rows)
    sys.exit(bool(lists))


if __name__ == "__main__":
    main()
