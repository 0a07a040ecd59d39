"""On each release of PostgreSQL that is there: migrations, a day of a user, a backup and its restore."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from db.migrate import migrate, newest_revision
from tests.embedded.test_database_files import first_column
from tests.support.command_line import PASSWORD, Command, call, free_port, wait_until_ready
from tests.support.postgres_releases import VARIABLE, releases, run_release

RELEASES = releases()
OLDEST, NEWEST = 15, 18
LOG_ANSWERS = ["United States", "Japan", "morning", 169, "caviar", 57, 143]  # as the README has them
EVENT = {
    "event_id": "2b6f0cc9-04d1-47f3-8b8a-1d6d1f2d3b11",
    "user_id": 7,
    "event_type": "signup",
    "occurred_at": "2026-11-01T10:00:00Z",
    "properties": {"plan": "pro", "seats": 3},
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not RELEASES, reason=f"{VARIABLE} names none, and Debian's are not installed"),
]


@pytest.fixture(params=RELEASES, ids=[f"{path.parts[-3]}-{path.parts[-2]}" for path in RELEASES])
async def trawl(
    request: pytest.FixtureRequest,
    short_dir: Path,
    servers: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Command]:
    """The command line on a database of a release."""
    await asyncio.to_thread(short_dir.mkdir)
    async with run_release(request.param, short_dir / "release", monkeypatch) as url:
        settings = {"DATABASE_URL": url, "REDIS_URL": servers[1], "DATA_DIR": str(short_dir / "var")}
        yield Command(settings | {"RATE_LIMIT_PER_MINUTE": "0", "WORKERS": "1"})


def succeed(trawl: Command, *arguments: str, text: str = "") -> str:
    code, output, errors = trawl.run(*arguments, text=text)
    assert code == 0, errors
    return output


def answers(trawl: Command) -> list[Any]:
    return [json.loads(succeed(trawl, "report", str(number), "--json"))["answer"] for number in range(1, 8)]


def live_a_day(url: str) -> None:
    """Sign up, keep a task, report visits and events, read lists, statistics and exports."""
    account = {"login": "anna", "password": PASSWORD}
    call(f"{url}/register", body=account)
    token = call(f"{url}/login", body=account)["access_token"]
    call(f"{url}/tasks", token=token, body={"title": "buy salmon", "due_at": "2026-12-01T08:00:00Z"})
    assert [task["title"] for task in call(f"{url}/tasks?q=salm", token=token)["items"]] == ["buy salmon"]
    for created, duplicates in ((1, 0), (0, 1)):
        verdicts = call(f"{url}/events", token=token, body={"events": [EVENT]})
        assert (verdicts["created"], verdicts["duplicates"]) == (created, duplicates)
    assert call(f"{url}/events?property.plan=pro", token=token)["items"] == [EVENT]
    assert call(f"{url}/stats/top-events", token=token)["items"][0]["event_type"] == "signup"
    visit = {"page_url": "https://shop.example/fresh_fish/salmon/", "timestamp": "2026-11-01T10:00:00Z"}
    assert call(f"{url}/visits", token=token, body=visit)["kind"] == "product"
    assert len(call(f"{url}/visits?source=api&kind=product", token=token)["items"]) == 1
    by_day = call(
        f"{url}/visits/stats?group_by=day,country&tz=Asia/Tokyo&traffic=all&limit=1000", token=token
    )
    assert sum(item["visits"] for item in by_day["items"]) == 20_001


async def test_a_release_of_postgresql_serves_a_day_and_restores_its_backup(
    trawl: Command, tmp_path: Path
) -> None:
    database = trawl.settings["DATABASE_URL"]
    version = int((await first_column(database, "SHOW server_version_num"))[0]) // 10_000
    assert OLDEST <= version <= NEWEST
    assert await migrate(database) == (None, newest_revision())
    await asyncio.to_thread(succeed, trawl, "import", "logs.txt")
    assert await asyncio.to_thread(answers, trawl) == LOG_ANSWERS
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = trawl.fork(PORT=str(port))
    try:
        await asyncio.to_thread(wait_until_ready, url)
        await asyncio.to_thread(live_a_day, url)
        process.terminate()
        assert (await asyncio.to_thread(process.communicate))[0] is not None
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()
    counts = "SELECT count(*)::text FROM visit UNION ALL SELECT count(*)::text FROM event"
    before, backup = await first_column(database, counts), tmp_path / "trawl.backup"
    await asyncio.to_thread(succeed, trawl, "backup", str(backup))
    for statement in ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public"):
        await first_column(database, statement)
    await asyncio.to_thread(succeed, trawl, "restore", str(backup))
    assert await first_column(database, counts) == before == ["20001", "1"]
    assert await asyncio.to_thread(answers, trawl) == LOG_ANSWERS
    assert "nothing new" in await asyncio.to_thread(succeed, trawl, "import", "logs.txt")
