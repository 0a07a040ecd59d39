"""The metrics of a server of several workers, some of which die."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from db.database import Database
from service.deps import Deps
from telemetry import multiprocess
from tests.support.command_line import PROJECT, Command, free_port, wait_until_ready
from tests.support.http_client import User
from tests.support.processes import PATIENCE, eventually
from tests.support.served import Site

LINE = "shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 8.8.8.8 https://shop.example/frozen_fish/"
CALLS = [
    ("GET", "/", "/", 200),
    ("POST", "/", "/", 200),
    ("HEAD", "/", "/", 200),
    ("GET", "/docs", "/docs", 200),
]
CALLS += [("GET", "/no-such", "none", 404), ("GET", "/tasks/7", "/tasks/<task_id:id>", 401)]


@pytest.fixture
def site(trawl: Command) -> Iterator[Site]:
    port = free_port()
    process = trawl.fork(PORT=str(port), WORKERS="2", RATE_LIMIT_PER_MINUTE="0")
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url)
        yield Site(url, process)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def call_each(site: Site, times: int) -> None:
    for method, path, *_ in CALLS * times:
        request = urllib.request.Request(f"{site.url}{path}", method=method)
        with suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=PATIENCE) as response:
            response.read()


def counted(site: Site) -> Counter[tuple[str, str, int]]:
    """Return the requests by route, method and status, without those of the tests themselves."""
    counts: Counter[tuple[str, str, int]] = Counter()
    for labels, count in site.samples("trawl_request_duration_seconds_count").items():
        series = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if series["route"] not in ("/metrics", "/ready"):
            counts[series["route"], series["method"], int(series["status"])] = int(count)
    return counts


@pytest.mark.slow
def test_counts_are_those_of_all_workers_and_outlive_them(site: Site, trawl: Command, tmp_path: Path) -> None:
    kinds = [(route, method, status) for method, _, route, status in CALLS]
    call_each(site, 5)
    assert counted(site) == Counter(kinds * 5)
    assert eventually(lambda: site.samples("trawl_workers") == {"": 2.0})
    victim = site.workers()[0]
    os.kill(victim, signal.SIGKILL)
    assert eventually(lambda: len(site.workers()) == 2 and victim not in site.workers())
    assert counted(site) == Counter(kinds * 5)
    call_each(site, 3)
    assert counted(site) == Counter(kinds * 8)
    assert eventually(lambda: site.samples("trawl_workers") == {"": 2.0})
    check_process_metrics(site)
    check_imports_of_the_command_line(site, trawl, tmp_path / "shop.log")


def check_imports_of_the_command_line(site: Site, trawl: Command, log: Path) -> None:
    log.write_text(f"{LINE}\nno such line\n")
    for lines in (3.0, 4.0):  # the second time there is nothing new in the file
        assert trawl.run("import", str(log), "-", text=f"{LINE}\n")[0] == 0
        assert site.samples("trawl_lines_taken_total") == {"": lines}
        assert site.samples("trawl_visits_taken_total") == {"": 1.0}
    assert site.samples("trawl_workers") == {"": 2.0}


@pytest.mark.slow
def test_commands_at_once_count_under_names_of_their_own(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from telemetry import metrics, multiprocess\n"
    code += "with multiprocess.count_into(Path(sys.argv[1])):\n"
    code += "  metrics.count_ingested('lines', 5); print(); input()"
    command = [sys.executable, "-c", code, str(tmp_path)]
    for _ in range(2):
        processes = [
            subprocess.Popen(command, cwd=PROJECT, stdin=PIPE, stdout=PIPE, text=True) for _ in range(2)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "\n"
        for process in processes:
            process.communicate("\n", timeout=PATIENCE)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(tmp_path))
    assert registry.get_sample_value("trawl_lines_taken_total") == 20
    names = {file.name for file in tmp_path.glob("counter_*")}
    assert names == {"counter_command-1.db", "counter_command-2.db"}


def test_a_file_that_a_worker_is_just_making_is_not_read_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multiprocess._state, "folder", tmp_path)
    (tmp_path / "counter_worker-1.db").touch()
    assert multiprocess.exposition() == b""


def check_process_metrics(site: Site) -> None:
    parts = {'part="database"': 1.0, 'part="cache"': 1.0, 'part="migrations"': 1.0}
    assert site.samples("trawl_up") == parts
    assert site.samples("process_cpu_seconds_total")[""] > 0
    assert site.samples("process_resident_memory_bytes")[""] > 2**24
    assert eventually(lambda: site.samples("trawl_event_loop_lag_seconds").get("", 9.0) < 5)
    assert eventually(lambda: site.samples("trawl_operations_per_second").get("", -1.0) >= 0)
    assert site.samples("trawl_db_pool_connections").keys() == {'state="in_use"', 'state="idle"'}


@pytest.fixture
def db(committed_db: Database) -> Database:
    """An import holds its file in one transaction and stores chunks in others."""
    return committed_db


async def test_lines_and_visits_are_counted_as_they_are_read(deps: Deps, user: User) -> None:
    deps.logs.file.write_text(f"{LINE}\nno such line\n")
    before = ingested()
    await user.client.post("/parse?dry_run=true")
    assert {what: count - before[what] for what, count in ingested().items()} == {"lines": 2, "visits": 0}
    await user.client.post("/parse")
    assert {what: count - before[what] for what, count in ingested().items()} == {"lines": 4, "visits": 1}


def ingested() -> dict[str, float]:
    exposition = multiprocess.exposition().decode()
    return {
        what: float(re.findall(rf"^trawl_{what}_taken_total (\S+)$", exposition, re.MULTILINE)[0])
        for what in ("lines", "visits")
    }
