"""Sites: admins make, list and delete them, with exact origins."""

import secrets
from datetime import UTC, datetime
from typing import Any

import pytest

from db.models import Site
from db.queries.auth_events import Origin
from service.deps import Deps
from service.errors import Conflict
from service.visits import sites
from service.visits.sites import SiteLimits
from tests.support.http_client import User

SHOP = {"name": "The shop", "origins": ["https://shop.example"]}


async def make_site(admin: User, **fields: Any) -> dict[str, Any]:
    answer = await admin.client.post("/sites", json={**SHOP, **fields})
    assert answer.status == 201, answer.body
    site: dict[str, Any] = answer.json
    assert answer.headers["Location"] == f"/sites/{site['id']}"
    return site


async def test_a_site_is_shown_with_its_key_as_it_is_listed(admin: User) -> None:
    site = await make_site(admin)
    assert site.keys() == {"id", "name", "origins", "key", "created_at"}
    assert (site["name"], site["origins"]) == (SHOP["name"], SHOP["origins"])
    assert (await admin.client.get("/sites")).json == {"items": [site], "next": None}
    assert (await make_site(admin))["key"] != site["key"]


async def test_pages_of_sites_join(admin: User) -> None:
    names = [(await make_site(admin, name=f"site {number}"))["name"] for number in range(3)]
    first = await admin.client.get("/sites?limit=2")
    second = (await admin.client.get(f"/sites?limit=2&cursor={first.json['next']}")).json
    assert [item["name"] for item in first.json["items"] + second["items"]] == names[::-1]
    assert 'rel="next"' in first.headers["Link"]
    assert (await admin.client.get("/sites?offset=2")).json["items"] == second["items"]


async def test_a_deleted_site_is_gone(admin: User) -> None:
    kept, site = await make_site(admin), await make_site(admin)
    assert (await admin.client.delete(f"/sites/{site['id']}")).status == 204
    assert (await admin.client.delete(f"/sites/{site['id']}")).code == "not_found"
    assert (await admin.client.get("/sites")).json["items"] == [kept]


async def test_the_audit_tells_who_made_and_deleted_a_site(admin: User, user: User) -> None:
    site = await make_site(admin)
    await admin.client.delete(f"/sites/{site['id']}")
    assert (await user.client.post("/sites", json=SHOP)).code == "admins_only"
    events = (await admin.client.get("/admin/auth-events")).json["items"]
    assert [(event["type"], event["actor"]) for event in events] == [
        ("site_deleted", "Root"),
        ("site_created", "Root"),
    ]
    created = (await admin.client.get("/admin/auth-events?type=site_created")).json["items"]
    assert created == events[1:]


@pytest.mark.parametrize(
    ("origin", "loaded"),
    [
        ("https://shop.example", "https://shop.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://xn--80ak6aa92e.example", "https://xn--80ak6aa92e.example"),
        ("https://Shop.Example:443", "https://shop.example"),
        ("HTTP://shop.example:80", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("http://localhost:3000", "http://localhost:3000"),
    ],
)
async def test_an_origin_is_kept_as_a_browser_writes_it(admin: User, origin: str, loaded: str) -> None:
    assert (await make_site(admin, origins=[origin, loaded]))["origins"] == [loaded]


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "shop.example",
        "https://",
        "https://shop.example/",
        "https://shop.example/shop",
        "https://shop.example?",
        "https://anna@shop.example",
        "https://*.shop.example",
        "*",
        "null",
        "ftp://shop.example",
        "file:///shop",
        "https://shop.example:0",
        "https://shop.example:70000",
        "https://shop.example:",
        "https://[::1",
        "https://[1:2:3]",
        "https://магазин.example",
        "https://shop.example https://other.example",
        "https://shop.example\n",
        "https://shop.example\x00",
        "https://" + "a" * 300,
        7,
        None,
    ],
)
async def test_what_is_no_origin_is_refused(admin: User, origin: Any) -> None:
    answer = await admin.client.post("/sites", json={**SHOP, "origins": [origin]})
    assert (answer.status, answer.pointers) == (422, ["/origins/0"])


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "a" * 101}, "/name"),
        ({"origins": []}, "/origins"),
        ({"origins": "https://shop.example"}, "/origins"),
        ({"origins": [f"https://{number}.example" for number in range(21)]}, "/origins"),
        ({"key": "mine"}, "/key"),
    ],
)
async def test_a_site_refuses_what_it_can_not_be(admin: User, fields: dict[str, Any], pointer: str) -> None:
    answer = await admin.client.post("/sites", json={**SHOP, **fields})
    assert (answer.status, answer.pointers) == (422, [pointer])


async def test_there_are_so_many_sites_at_most(deps: Deps) -> None:
    async def create() -> Site:
        return await sites.create_site(
            deps,
            name="site",
            origins=["https://shop.example"],
            secret=secrets.token_bytes(16),
            origin=Origin(datetime.now(UTC)),
            limits=SiteLimits(sites=2),
        )

    first, _ = await create(), await create()
    with pytest.raises(Conflict) as refusal:
        await create()
    assert refusal.value.code == "quota_exceeded"
    await sites.delete_site(deps, first.id, Origin(datetime.now(UTC)))
    await create()
