"""Shares: how they are made, told once, and end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from db.models import Account, Share
from service.deps import Deps, RateLimits
from service.security.quotas import Quotas
from tests.support.eventually import eventually
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp
from tests.support.shares import DATES, make_share, reader
from transport.settings import HttpSettings


async def test_a_share_is_shown_with_its_link_once_and_stored_hashed(user: User, deps: Deps) -> None:
    share = await make_share(user, parameters={"period": "7d"}, expires_at="2099-01-01T00:00:00Z")
    fields = {"id", "view", "parameters", "created_at", "expires_at", "last_used_at"}
    assert share.keys() == fields | {"link"}
    assert (share["view"], share["parameters"]) == ("reports", {"period": "7d"})
    assert (await user.client.get("/shares")).json == {
        "items": [{name: share[name] for name in fields}],
        "next": None,
    }
    async with deps.db.transaction() as session:
        [row] = await session.scalars(select(Share))
    assert share["link"].partition("=")[2] not in repr(vars(row))


async def test_the_link_has_the_path_of_the_server(server: RunningApp, user: User, deps: Deps) -> None:
    server.use(deps, HttpSettings(base_path="/trawl"))
    assert (await make_share(user))["link"].startswith("/trawl/dashboard#share=trawl_share_")


async def test_whoever_has_the_link_learns_the_view_and_no_more(client: Client, user: User) -> None:
    await user.client.post("/visits", json={"page_url": "/about", "timestamp": "2018-08-01T03:00:00Z"})
    share = await make_share(user, "overview", parameters={"country": "US", **DATES})
    answer = await reader(client, share).get("/shares/current")
    assert answer.json == {
        "view": "overview",
        "parameters": {"country": "US", **DATES},
        "newest": "2018-08-01T03:00:00Z",
    }
    assert (await user.client.get("/shares/current")).code == "not_found"


async def test_pages_of_shares_join_and_hold_no_others(user: User, other_user: User) -> None:
    await make_share(other_user)
    ids = [(await make_share(user))["id"] for _ in range(3)]
    first = (await user.client.get("/shares?limit=2")).json
    second = (await user.client.get(f"/shares?limit=2&cursor={first['next']}")).json
    assert [item["id"] for item in first["items"] + second["items"]] == ids[::-1]


async def test_an_api_key_makes_no_share(client: Client, user: User) -> None:
    key = (await user.client.post("/keys", json={"name": "k", "scopes": ["reports:read"]})).json["key"]
    assert (await client.signed_in(key).post("/shares", json={"view": "reports"})).code == "out_of_scope"


async def test_an_ended_share_is_dead_at_once(client: Client, user: User, other_user: User) -> None:
    share = await make_share(user)
    somebody = reader(client, share)
    assert (await somebody.get("/report/1")).status == 200
    path = f"/shares/{share['id']}"
    assert (await other_user.client.delete(path)).code == "not_found"
    assert (await user.client.delete(path)).status == 204
    assert (await somebody.get("/report/1")).code == "bad_token"
    assert (await user.client.delete(path)).code == "not_found"


async def test_an_expired_share_is_dead_though_it_was_just_in_use(
    client: Client, user: User, deps: Deps
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    somebody = reader(client, await make_share(user, expires_at=soon.isoformat()))
    assert (await somebody.get("/report/1")).status == 200
    async with deps.db.transaction() as session:
        await session.execute(update(Share).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    await deps.cache.run("FLUSHALL")  # as two seconds later
    assert (await somebody.get("/report/1")).code == "bad_token"


@pytest.mark.parametrize("end", ["deleted", "deactivated", "password", "signed out everywhere"])
async def test_shares_end_with_what_lets_their_owner_in(
    client: Client, user: User, admin: User, end: str
) -> None:
    somebody = reader(client, await make_share(user))
    assert (await somebody.get("/report/1")).status == 200
    match end:
        case "deleted":
            answer = await user.client.delete("/profile")
        case "deactivated":
            answer = await admin.client.patch(f"/admin/users/{user.id}", json={"active": False})
        case "password":
            answer = await user.client.patch("/profile", json={"password": "a new and longer one"})
        case _:
            answer = await user.client.post("/logout?all=true")
    assert answer.status in (200, 204)
    assert (await somebody.get("/report/1")).code == "bad_token"
    if end == "deactivated":
        await admin.client.patch(f"/admin/users/{user.id}", json={"active": True})
        assert (await somebody.get("/report/1")).code == "bad_token"


async def test_a_share_of_a_closed_account_is_dead(client: Client, user: User, deps: Deps) -> None:
    somebody = reader(client, await make_share(user))
    async with deps.db.transaction() as session:
        await session.execute(update(Account).where(Account.id == user.id).values(active=False))
    assert (await somebody.get("/report/1")).code == "bad_token"


async def test_readers_of_a_share_use_up_their_own_limit_and_not_the_owners(
    server: RunningApp, client: Client, user: User, deps: Deps
) -> None:
    somebody = reader(client, await make_share(user))
    server.use(replace(deps, limits=RateLimits(default=3, ingest=3)))
    codes = [(await somebody.get("/reports")).status for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    assert (await user.client.get("/reports")).status == 200


async def test_there_are_so_many_shares_at_most_and_expired_ones_do_not_count(
    server: RunningApp, user: User, deps: Deps
) -> None:
    server.use(replace(deps, quotas=Quotas(shares=2)))
    first = await make_share(user, expires_at=(datetime.now(UTC) + timedelta(days=1)).isoformat())
    await make_share(user)
    assert (await user.client.post("/shares", json={"view": "reports"})).code == "quota_exceeded"
    async with deps.db.transaction() as session:
        await session.execute(
            update(Share).where(Share.id == first["id"]).values(expires_at=datetime.now(UTC))
        )
    await make_share(user)


async def test_last_use_and_the_audit_tell_of_shares(client: Client, user: User, admin: User) -> None:
    share = await make_share(user)
    await reader(client, share).get("/reports")

    async def is_used() -> bool:
        [item] = (await user.client.get("/shares")).json["items"]
        return item["last_used_at"] is not None

    await eventually(is_used)
    await user.client.delete(f"/shares/{share['id']}")
    events = (await admin.client.get("/admin/auth-events?login=anna")).json["items"]
    assert [event["type"] for event in events] == ["share_ended", "share_created"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"view": "everything"}, "/view"),
        ({"view": None}, "/view"),
        ({"parameters": []}, "/parameters"),
        ({"parameters": {"secret": "1"}}, "/parameters/secret"),
        ({"parameters": {"period": "8d"}}, "/parameters/period"),
        ({"parameters": {"period": "7d", "from": "2018-08-01"}}, "/parameters/period"),
        ({"parameters": {"from": "yesterday"}}, "/parameters/from"),
        ({"parameters": {"to": "2018-02-30"}}, "/parameters/to"),
        ({"parameters": {"tz": "Mars"}}, "/parameters/tz"),
        ({"parameters": {"country": "US"}}, "/parameters/country"),
        ({"parameters": {"r2.category": 7}}, "/parameters/r2.category"),
        ({"parameters": {"r2.category": "a" * 2049}}, "/parameters/r2.category"),
        ({"parameters": {"r4.category": "caviar"}}, "/parameters/r4.category"),
        ({"view": "overview", "parameters": {"r1.metric": "visitors"}}, "/parameters/r1.metric"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"key": "mine"}, "/key"),
    ],
)
async def test_a_share_refuses_what_it_can_not_be(user: User, fields: dict[str, Any], pointer: str) -> None:
    answer = await user.client.post("/shares", json={"view": "reports", **fields})
    assert (answer.status, answer.pointers) == (422, [pointer])
