"""Views that pages report wrongly are answered with 202, and record nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.http_client import Client, User
from tests.support.processes import patience
from tests.support.site_views import SALMON, SHOP, TEXT, report, visits
from tests.transport.test_sites import make_site


@pytest.fixture
async def key(admin: User) -> str:
    """The key of a site with pages of SHOP."""
    site_key: str = (await make_site(admin, origins=[SHOP]))["key"]
    return site_key


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://other.example"},
        {"Origin": "http://shop.example"},
        {"Origin": "https://shop.example:8443"},
        {"Origin": "https://shop.example.other.example"},
        {"Origin": "null"},
        {"Origin": "https://other.example", "Referer": SALMON},
        {"Referer": "https://other.example/?https://shop.example/"},
        {"Referer": "https://shop.example@other.example/"},
        {"Referer": "not a URL"},
    ],
)
async def test_another_origin_records_nothing(
    client: Client, user: User, key: str, headers: dict[str, str]
) -> None:
    answer = await report(client, {"site": key, "page_url": SALMON}, origin=None, **headers)
    assert (answer.status, answer.json["status"]) == (202, "ignored")
    pixel = await client.get(f"/pixel.gif?site={key}&page_url={SALMON}", headers=headers)
    assert pixel.status == 202
    assert await visits(user) == []


async def test_a_page_of_another_origin_than_the_request_records_nothing(
    client: Client, user: User, key: str
) -> None:
    for page_url in ("https://other.example/", "http://shop.example/", f"{SHOP}:8443/", "https://[/"):
        answer = await report(client, {"site": key, "page_url": page_url})
        assert (answer.status, answer.json["status"]) == (202, "ignored")
    assert await visits(user) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"7",
        b"[" * 5000,
        {},
        {"page_url": SALMON},
        {"site": "KEY"},
        {"site": "unknown", "page_url": SALMON},
        {"site": "KEY", "page_url": "salmon"},
        {"site": "KEY", "page_url": "javascript:alert(1)"},
        {"site": "KEY", "page_url": None},
        {"site": "KEY", "page_url": [SALMON]},
        {"site": "KEY", "page_url": f"{SHOP}/\0"},
        {"site": "KEY", "page_url": f"{SHOP}/\ud800"},
        {"site": "KEY", "page_url": SHOP + "/" + "a" * 2048},
        {"site": "KEY", "page_url": SALMON, "referrer": 7},
        {"site": "KEY", "page_url": SALMON, "referrer": "a\0"},
        {"site": "KEY", "page_url": SALMON, "address": "192.0.2.1"},
        {"site": "KEY", "page_url": SALMON, "user_id": 1},
        {"site": ["KEY"], "page_url": SALMON},
        {"site": "KEY\0", "page_url": SALMON},
        b'{"site": "KEY", "page_url": "' + SALMON.encode() + b'"' + b" " * 8192 + b"}",
    ],
)
async def test_whatever_comes_is_answered_with_202_and_records_nothing(
    client: Client, user: User, key: str, body: Any
) -> None:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await report(client, text.replace(b"KEY", key.encode()))
    assert (answer.status, answer.json["status"]) == (202, "ignored")
    assert answer.json["detail"]
    assert await visits(user) == []


async def test_a_body_of_unknown_size_is_read_no_further_than_a_view_goes(client: Client, key: str) -> None:
    is_answered = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        yield json.dumps({"site": key, "page_url": SALMON}).encode()
        yield b" " * 10_000
        await is_answered.wait()  # the body has no end before

    async with asyncio.timeout(patience()):
        answer = await client.post("/collect", data=chunks(), headers={**TEXT, "Origin": SHOP})
    is_answered.set()
    assert answer.json == {"status": "ignored", "detail": "the body is over 8192 bytes"}


async def test_a_page_with_a_password_in_its_url_is_ignored(client: Client, user: User, key: str) -> None:
    answer = await report(client, {"site": key, "page_url": "https://anna:secret@shop.example/caviar/"})
    assert answer.json["status"] == "ignored"
    await client.get(f"/pixel.gif?site={key}", headers={"Referer": "https://anna:secret@shop.example/"})
    assert await visits(user) == []


async def test_a_gzipped_view_is_ignored(client: Client, key: str) -> None:
    answer = await report(client, b"\x1f\x8b", **{"Content-Encoding": "gzip"})
    assert (answer.status, answer.json["status"]) == (202, "ignored")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?site=unknown",
        "?site=KEY&page_url=salmon",
        "?site=KEY&site=KEY",
        "?site=KEY&secret=1",
        "?site=%FF",
        "?" + "&".join(f"a{number}=1" for number in range(200)),
    ],
)
async def test_the_pixel_is_an_image_whatever_its_query_says(
    client: Client, user: User, key: str, query: str
) -> None:
    # Not as the OpenAPI document has it, so not with `client`.
    async with client.session.get(
        f"/pixel.gif{query.replace('KEY', key)}", headers={"Referer": SALMON}
    ) as answer:
        assert (answer.status, answer.content_type) == (202, "image/gif")
        assert (await answer.read()).startswith(b"GIF89a")
    assert await visits(user) == []


async def test_head_records_nothing(client: Client, user: User, key: str) -> None:
    answer = await client.request("HEAD", f"/pixel.gif?site={key}", headers={"Referer": SALMON})
    assert (answer.status, answer.body) == (202, b"")
    assert (await client.request("HEAD", "/trawl.js")).status == 200
    assert await visits(user) == []


async def test_a_deleted_site_records_nothing(client: Client, admin: User, key: str) -> None:
    assert (await report(client, {"site": key, "page_url": SALMON})).json["status"] == "stored"
    [site] = (await admin.client.get("/sites")).json["items"]
    await admin.client.delete(f"/sites/{site['id']}")
    answer = await report(client, {"site": key, "page_url": SALMON})
    assert answer.json == {"status": "ignored", "detail": "no site has this key"}
    assert len(await visits(admin)) == 1  # what it has recorded stays
