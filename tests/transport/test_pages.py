"""GET /pages: each look at a page is a visit of the caller, and a HEAD is none."""

import uuid
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
        ("/z", "//z"),
        ("//z//", "///z//"),
        ("%00", "/%00"),
        ("a%0ab/c%7F%C2%85", "/a%0Ab/c%7F%C2%85"),
        ("%D1%80%d1%8b%D0%B1%D0%B0/x%20y", "/рыба/x%20y"),
        ("a%3fb%23c%2fd%25", "/a%3Fb%23c%2Fd%25"),
        ("%FF%fe", "/%FF%FE"),
        ("cart?goods_id=1&amount=2&cart_id=3", "/cart?goods_id=1&amount=2&cart_id=3"),
        ("a?q=%D1%8F", "/a?q=я"),
        ("a" * 2047, "/" + "a" * 2047),
    ],
)
async def test_any_page_can_be_visited_by_a_path(user: User, path: str, page_url: str) -> None:
    answer = await user.client.get(f"/pages/{path}")
    assert (answer.status, answer.json) == (200, {"page_url": page_url, "visits": 1})
    [visit] = await visits(user.client)
    assert visit["page_url"] == page_url


async def test_a_page_is_the_same_whatever_way_it_came_in(user: User) -> None:
    """By its path, in a body, and in a filter."""
    assert (await user.client.get("/pages/%d1%80%D1%8B%D0%B1%D0%B0/a%2fb/")).json["visits"] == 1
    spellings = (
        "/рыба/a%2Fb/",
        r"/\xD1\x80\xd1\x8b\xD0\xB1\xD0\xB0/./a%2fb/",
        "/x/../%D1%80%D1%8B%D0%B1%D0%B0/%61%2Fb/",
    )
    for visits_so_far, page_url in enumerate(spellings, start=2):
        visit = (await user.client.post("/visits", json={"page_url": page_url})).json
        assert (visit["page_url"], visit["category"], visit["product"]) == ("/рыба/a%2Fb/", "рыба", "a/b")
        head = await user.client.request("HEAD", "/pages/рыба/a%2Fb/")
        assert int(head.headers["Content-Length"]) == len(
            b'{"page_url":"%s","visits":%d}' % ("/рыба/a%2Fb/".encode(), visits_so_far)
        )
    for page_url in spellings:
        items = (await user.client.get("/visits", params={"page_url": page_url})).json["items"]
        assert len(items) == 4
    stats = (await user.client.get("/visits/stats", params={"group_by": "page"})).json["items"]
    assert [(item["page_url"], item["visits"]) for item in stats] == [("/рыба/a%2Fb/", 4)]
    exported = await user.client.get("/visits/export", params={"page_url": spellings[1]})
    assert exported.body.count(b"\n") == 4


async def test_an_id_of_a_page_in_another_spelling_is_a_duplicate(user: User) -> None:
    visit = {"id": str(uuid.uuid4()), "page_url": "/%d1%8f/"}
    assert (await user.client.post("/visits", json=visit)).status == 201
    again = await user.client.post("/visits", json=visit | {"page_url": "/я/"})
    assert (again.status, again.json["page_url"]) == (200, "/я/")
    assert (await user.client.post("/visits", json=visit | {"page_url": "/Я/"})).status == 409
    body = {"visits": [visit | {"page_url": r"/\xD1\x8F/"}, visit | {"page_url": "/%D1%8E/"}]}
    bulk = (await user.client.post("/visits", json=body)).json
    assert (bulk["duplicates"], bulk["conflicts"]) == (1, 1)


async def test_what_shows_no_page_is_an_asset(user: User) -> None:
    for page_url in ("/static/app.js?v=1", "https://shop.example/LOGO.PNG", "/robots.txt", "/favicon.ico"):
        visit = (await user.client.post("/visits", json={"page_url": page_url})).json
        assert (visit["kind"], visit["category"], visit["product"]) == ("asset", None, None)
    await user.client.get("/pages/fonts/x.woff2")
    assert len((await user.client.get("/visits", params={"kind": "asset"})).json["items"]) == 5


async def test_the_longest_page_is_found_by_what_its_normal_form_is(user: User) -> None:
    page_url = "/" + '"' * 2047
    visit = (await user.client.post("/visits", json={"page_url": page_url})).json
    assert visit["page_url"] == "/" + "%22" * 2047
    response = await user.client.get("/visits", params={"page_url": visit["page_url"]})
    assert [item["id"] for item in response.json["items"]] == [visit["id"]]


@pytest.mark.parametrize("page_url", ["//z", "/%00", "/a%0Ab/", "/a%C2%A0b", "/%7F%C2%85", "/a%20b"])
async def test_an_odd_page_is_the_same_by_its_path_in_a_body_and_in_a_filter(
    user: User, page_url: str
) -> None:
    assert (await user.client.get(f"/pages{page_url}")).json == {"page_url": page_url, "visits": 1}
    visit = (await user.client.post("/visits", json={"page_url": page_url})).json
    bulk = (await user.client.post("/visits", json={"visits": [{"page_url": page_url}]})).json
    assert (visit["page_url"], bulk["created"]) == (page_url, 1)
    items = (await user.client.get("/visits", params={"page_url": page_url})).json["items"]
    assert [(item["page_url"], item["kind"], item["category"]) for item in items] == [
        (page_url, visit["kind"], visit["category"])
    ] * 3


async def test_what_is_no_page_is_refused(user: User) -> None:
    assert (await user.client.get(f"/pages/{'a' * 2048}")).status == 422
    assert (await user.client.post("/visits", json={"page_url": "/a\nb"})).status == 422
    assert await visits(user.client) == []
