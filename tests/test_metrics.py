"""The metrics of a server of several workers, some of which die."""

import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from db.database import Database
from service import metrics
from service.deps import Deps
from tests.command_line import Command, free_port, wait_until_ready
from tests.embedded.processes import comes_true
from tests.http_client import User

LINE = "shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 8.8.8.8 https://shop.example/frozen_fish/"
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Site:
    """A server with two workers."""

    url: str
    process: subprocess.Popen[str]

    def workers(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def samples(self, name: str) -> dict[str, float]:
        """The values of a metric by their labels."""
        found = SAMPLE.findall(get(f"{self.url}/metrics"))
        return {labels: float(value) for metric, labels, value in found if metric == name}

    def greetings(self) -> float:
        counts = self.samples("trawl_request_duration_seconds_count")
        return sum(count for labels, count in counts.items() if 'route="/"' in labels)


@pytest.fixture
def site(trawl: Command) -> Iterator[Site]:
    port = free_port()
    process = trawl.start(PORT=str(port), WORKERS="2", RATE_LIMIT_PER_MINUTE="0")
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url)
        yield Site(url, process)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def get(url: str) -> str:
    """Over a connection of its own, so that the workers take turns as the kernel likes."""
    with urllib.request.urlopen(url, timeout=10) as response:
        return str(response.read().decode())


def test_counts_are_those_of_all_workers_and_outlive_them(site: Site) -> None:
    for _ in range(30):
        get(f"{site.url}/")
    assert site.greetings() == 30
    assert comes_true(lambda: site.samples("trawl_workers") == {"": 2.0}, 5)
    victim = site.workers()[0]
    os.kill(victim, signal.SIGKILL)
    assert comes_true(lambda: len(site.workers()) == 2 and victim not in site.workers(), 5)
    assert site.greetings() == 30
    for _ in range(20):
        get(f"{site.url}/")
    assert site.greetings() == 50
    assert comes_true(lambda: site.samples("trawl_workers") == {"": 2.0}, 5)
    told_of_process(site)


def told_of_process(site: Site) -> None:
    parts = {'part="database"': 1.0, 'part="cache"': 1.0, 'part="migrations"': 1.0}
    assert site.samples("trawl_up") == parts
    assert site.samples("process_cpu_seconds_total")[""] > 0
    assert site.samples("process_resident_memory_bytes")[""] > 2**24
    assert comes_true(lambda: site.samples("trawl_event_loop_lag_seconds").get("", 9.0) < 5, 5)
    assert comes_true(lambda: site.samples("trawl_operations_per_second").get("", -1.0) >= 0, 5)
    assert site.samples("trawl_db_pool_connections").keys() == {'state="in_use"', 'state="idle"'}


@pytest.fixture
def db(committed_db: Database) -> Database:
    """An import holds its file in one transaction and stores chunks in others."""
    return committed_db


async def test_lines_and_visits_are_counted_as_they_are_read(deps: Deps, user: User) -> None:
    deps.logs.file.write_text(f"{LINE}\nno such line\n")
    before = dict(taken())
    await user.client.post("/parse?dry_run=true")
    assert {what: count - before[what] for what, count in taken().items()} == {"lines": 2, "visits": 0}
    await user.client.post("/parse")
    assert {what: count - before[what] for what, count in taken().items()} == {"lines": 4, "visits": 1}


def taken() -> dict[str, float]:
    told = metrics.exposition().decode()
    return {
        what: float(re.findall(rf"^trawl_{what}_taken_total (\S+)$", told, re.MULTILINE)[0])
        for what in ("lines", "visits")
    }
