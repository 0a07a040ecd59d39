"""GET /pages: each look at a page is a visit of the caller, and a HEAD is none."""

from typing import Any

import pytest

from tests.support.http_client import Client, User


async def visits(client: Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get("/visits")).json["items"]
    return items


async def test_looking_at_a_page_is_a_visit_of_the_caller(user: User, other_user: User) -> None:
    first = await user.client.get("/pages/fresh_fish/salmon/")
    assert (first.status, first.json) == (200, {"page_url": "/fresh_fish/salmon/", "visits": 1})
    assert (await other_user.client.get("/api/v1/pages/fresh_fish/salmon/")).json["visits"] == 2
    assert (await user.client.get("/pages/fresh_fish/salmon")).json["visits"] == 1
    items = await visits(user.client)
    assert [visit["user_id"] for visit in items] == [user.id, other_user.id, user.id]
    assert {(visit["source"], visit["kind"], visit["product"]) for visit in items} == {
        ("page", "product", "salmon")
    }


async def test_head_records_nothing(user: User) -> None:
    get = await user.client.get("/pages/about")
    head = await user.client.request("HEAD", "/pages/about")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert (await user.client.get("/pages/about")).json["visits"] == 2
    assert len(await visits(user.client)) == 2


async def test_recorded_visits_of_the_page_count_too(user: User) -> None:
    for page_url in ("/about", "/about", "https://shop.example/about", "/about?a=b"):
        await user.client.post("/visits", json={"page_url": page_url})
    assert (await user.client.get("/pages/about")).json == {"page_url": "/about", "visits": 3}


@pytest.mark.parametrize(
    ("path", "page_url"),
    [
        ("", "/"),
        ("a", "/a"),
        ("a//b/", "/a//b/"),
        ("%D1%80%D1%8B%D0%B1%D0%B0/x%20y", "/рыба/x y"),
        ("a%3Fb%23c%2Fd%25", "/a%3Fb%23c/d%"),
        ("cart?goods_id=1&amount=2&cart_id=3", "/cart?goods_id=1&amount=2&cart_id=3"),
        ("a?q=%D1%80", "/a?q=%D1%80"),
        ("a" * 2047, "/" + "a" * 2047),
    ],
)
async def test_any_page_has_a_path(user: User, path: str, page_url: str) -> None:
    answer = await user.client.get(f"/pages/{path}")
    assert (answer.status, answer.json) == (200, {"page_url": page_url, "visits": 1})
    [visit] = await visits(user.client)
    assert visit["page_url"] == page_url


@pytest.mark.parametrize("path", ["a" * 2048, "%00", "%0A", "%FF", "%ED%A0%80", "a%7F"])
async def test_what_is_no_page_is_refused(user: User, path: str) -> None:
    assert (await user.client.get(f"/pages/{path}")).status == 422
    assert await visits(user.client) == []
