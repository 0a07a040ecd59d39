"""What lines of other formats say beyond the shop's fields is stored, and shown by the view."""

from collections.abc import Sequence
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.agents import PARSER, Agent
from clients.geo import Geo
from db.database import Database
from db.kinds import METHOD_CODES
from service.visits.retention import delete_before
from tests.support.examples import examples
from tests.support.log_imports import Importer, write

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/117.0.0.0 "
    "Safari/537.36"
)
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
SHOWN = """
    SELECT method, status, bytes, referrer, agent, browser, os, device, traffic
    FROM visit ORDER BY position
"""


def combined(
    second: int, request: str, *, status: int = 200, size: str = "12", agent: str, referrer: str
) -> str:
    return (
        f'8.8.8.8 - - [01/Aug/2018:00:00:{second:02} +0000] "{request} HTTP/1.1" {status} {size} '
        f'"{referrer}" "{agent}"\n'
    )


@pytest.fixture
def importer(committed_db: Database, geo: Geo) -> Importer:
    return Importer(committed_db, geo)


async def test_the_view_shows_what_lines_of_the_combined_format_say(
    importer: Importer, tmp_path: Path
) -> None:
    path = tmp_path / "access.log"
    lines = (
        combined(1, "GET /fresh_fish/", agent=CHROME, referrer="https://www.google.com/search?q=1"),
        combined(2, "POST /fresh_fish/", size="0", agent=GOOGLE, referrer="-"),
        combined(3, "BREW /", status=404, size="-", agent="-", referrer="not a URL"),
    )
    write(path, "".join(lines).encode())
    await importer.read(path)
    assert await importer.rows(SHOWN) == [
        (
            "GET",
            200,
            12,
            "https://www.google.com/search?q=1",
            CHROME,
            "Chrome",
            "Windows",
            "desktop",
            "human",
        ),
        ("POST", 200, 0, None, GOOGLE, "Googlebot", None, "bot", "bot"),
        (None, 404, None, "not a URL", None, None, None, None, "human"),
    ]
    assert await importer.rows("SELECT url, host FROM referrer ORDER BY url") == [
        ("https://www.google.com/search?q=1", "www.google.com"),
        ("not a URL", None),
    ]


requests = st.tuples(
    st.integers(0, 7),  # hours since midnight
    st.sampled_from(("GET", "HEAD", "PURGE", "BREW")),
    st.sampled_from((0, 200, 304, 404)),
    st.sampled_from(("-", "0", "1", str(2**63 - 1))),
    st.sampled_from(("-", "", "/", "https://a.example/")),
    st.sampled_from(("-", "", CHROME, GOOGLE, "agent")),
)


@pytest.mark.slow
@given(
    lines=st.lists(requests, min_size=1, max_size=20),
    chunk_bytes=st.sampled_from((600, 2000)),
    border=st.integers(0, 8),
)
@settings(max_examples=examples(6), deadline=None, suppress_health_check=list(HealthCheck))
async def test_what_lines_say_outlives_a_second_import_and_the_deletion_of_what_is_older(
    committed_db: Database, geo: Geo, tmp_path: Path, *, lines: list[Any], chunk_bytes: int, border: int
) -> None:
    shop = Importer(committed_db, geo)
    await shop.empty()
    lines.sort(key=itemgetter(0))
    texts = [
        f'8.8.8.8 - - [01/Aug/2018:0{hour}:00:00 +0000] "{method} / HTTP/1.1" {status:03} {size} '
        f'"{referrer}" "{agent}"\n'
        for hour, method, status, size, referrer, agent in lines
    ]
    for name, new in (("access.log", len(lines)), ("again.log", 0)):
        write(tmp_path / name, "".join(texts).encode())
        record = await shop.read(tmp_path / name, chunk_bytes=chunk_bytes)
        assert record.imported == new
    await delete_before(committed_db, datetime(2018, 8, 1, border, tzinfo=UTC))
    await shop.check_rollups()
    expected = [
        (
            None if method == "BREW" else method,
            status or None,
            None if size == "-" else int(size),
            None if referrer in ("", "-") else referrer,
            None if agent in ("", "-") else agent,
            "bot" if agent == GOOGLE else "human",
        )
        for hour, method, status, size, referrer, agent in lines
        if hour >= border
    ]
    shown = "SELECT method, status, bytes, referrer, agent, traffic FROM visit ORDER BY position"
    assert await shop.rows(shown) == expected


async def test_lines_of_the_shop_say_no_more_than_before(importer: Importer, tmp_path: Path) -> None:
    path = tmp_path / "shop.log"
    write(path, b"2018-08-01 00:01:35 [YQ3J8G5A] INFO: 8.8.8.8 https://shop.example/fresh_fish/\n")
    await importer.read(path)
    assert await importer.rows(SHOWN) == [(None, None, None, None, None, None, None, None, "human")]
    nulls = "method IS NULL, status IS NULL, bytes IS NULL, referrer_id IS NULL, agent_id IS NULL"
    assert await importer.rows(f"SELECT {nulls} FROM visit_part_columns") == [(True,) * 5]


async def test_an_agent_is_read_once_however_many_lines_and_files_name_it(
    importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = list[str]()
    parse_all = PARSER.parse_all

    def parse_and_note(agents: Sequence[str]) -> list[Agent]:
        read.extend(agents)
        return parse_all(agents)

    monkeypatch.setattr(PARSER, "parse_all", parse_and_note)
    for name in ("first.log", "second.log"):
        lines = [
            combined(second, f"GET /{name}/{second}/", agent=f"{CHROME} {second % 3}", referrer="-")
            for second in range(30)
        ]
        write(tmp_path / name, "".join(lines).encode())
        await importer.read(tmp_path / name, chunk_bytes=1000)
    assert sorted(read) == [f"{CHROME} {number}" for number in range(3)]


async def test_what_servers_escape_is_stored_as_it_was_sent(importer: Importer, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    escaped = (r"https://a.example/\xD1\x8F?q=\x22b\x5C", r"https://a.example/\xd1\x8f?q=\"b\\")
    lines = [combined(number, "GET /", agent="a", referrer=text) for number, text in enumerate(escaped)]
    write(path, "".join(lines).encode())
    await importer.read(path)
    assert await importer.rows("SELECT DISTINCT referrer FROM visit") == [('https://a.example/я?q="b\\',)]
    assert await importer.rows("SELECT host FROM referrer") == [("a.example",)]


async def test_very_long_and_odd_agents_and_referrers_are_stored_bounded(
    importer: Importer, tmp_path: Path
) -> None:
    path = tmp_path / "access.log"
    write(path, combined(1, "GET /", agent="x/1" * 3000, referrer="http://h.example/" + "y" * 9000).encode())
    await importer.read(path)
    [row] = await importer.rows("SELECT length(agent), length(referrer), traffic FROM visit")
    assert row == (2048, 2048, "bot")


async def test_every_method_with_a_code_has_its_name_in_the_view(importer: Importer) -> None:
    for method, code in METHOD_CODES.items():
        assert await importer.rows(f"SELECT method_name('{code}')") == [(method,)]
    assert len(set(METHOD_CODES.values())) == len(METHOD_CODES)
