import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from api.credentials import SCOPES
from db.models import Account, ApiKey
from service.deps import Deps
from tests.support.http_client import Client, User

READER = {"name": "reader", "scopes": ["profile:read"]}


async def make_key(user: User, **fields: Any) -> dict[str, Any]:
    answer = await user.client.post("/keys", json={**READER, **fields})
    assert answer.status == 201
    key: dict[str, Any] = answer.json
    return key


async def test_a_key_is_shown_once_and_stored_hashed(user: User, deps: Deps) -> None:
    answer = await user.client.post("/keys", json=READER)
    key = answer.json
    fields = {"id", "name", "scopes", "created_at", "expires_at", "last_used_at"}
    assert key.keys() == fields | {"key"}
    assert answer.headers["Location"] == f"/keys/{key['id']}"
    [item] = (await user.client.get("/keys")).json["items"]
    assert item == {name: key[name] for name in fields}
    async with deps.db.transaction() as session:
        [row] = await session.scalars(select(ApiKey))
    assert key["key"].encode() not in row.key_sha256
    assert key["key"] not in repr(vars(row))


async def test_a_key_is_used_like_a_token(client: Client, user: User, deps: Deps) -> None:
    key = (await make_key(user))["key"]
    for header in (key, f"Bearer {key}"):
        answer = await client.get("/profile", headers={"Authorization": header})
        assert answer.json["login"] == "Anna"
    await deps.background.close()
    [item] = (await user.client.get("/keys")).json["items"]
    assert item["last_used_at"] is not None


async def test_a_key_does_what_its_scopes_name_and_no_more(client: Client, user: User, admin: User) -> None:
    for owner in (user, admin):
        program = client.signed_in((await make_key(owner))["key"])
        assert (await program.get("/profile")).status == 200
        assert (await program.patch("/profile", json={})).code == "out_of_scope"
        assert (await program.get("/admin/users")).code == "out_of_scope"
        assert (await program.post("/keys", json=READER)).code == "out_of_scope"
        assert (await program.post("/logout")).code == "out_of_scope"
    narrow = client.signed_in((await make_key(user, scopes=["tasks:read"]))["key"])
    assert (await narrow.get("/profile")).code == "out_of_scope"


async def test_a_deleted_key_is_dead_at_once(client: Client, user: User, other_user: User) -> None:
    key, other_key = await make_key(user), await make_key(user, name="kept")
    program = client.signed_in(key["key"])
    assert (await program.get("/profile")).status == 200
    path = f"/keys/{key['id']}"
    assert (await other_user.client.delete(path)).code == "not_found"
    assert (await user.client.delete(path)).status == 204
    assert (await program.get("/profile")).code == "bad_token"
    assert (await user.client.delete(path)).code == "not_found"
    assert (await client.signed_in(other_key["key"]).get("/profile")).status == 200
    assert [item["name"] for item in (await user.client.get("/keys")).json["items"]] == ["kept"]


async def test_keys_of_others_are_not_listed(user: User, other_user: User) -> None:
    await make_key(other_user)
    assert (await user.client.get("/keys")).json == {"items": [], "next": None}


async def test_pages_of_keys_join(user: User) -> None:
    names = [(await make_key(user, name=f"key {number}"))["name"] for number in range(3)]
    first = (await user.client.get("/keys?limit=2")).json
    second = (await user.client.get(f"/keys?limit=2&cursor={first['next']}")).json
    assert [item["name"] for item in first["items"] + second["items"]] == names[::-1]


async def test_an_expired_key_is_dead_though_it_was_just_in_use(client: Client, user: User) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1.2)
    key = (await make_key(user, expires_at=soon.isoformat()))["key"]
    assert (await client.signed_in(key).get("/profile")).status == 200
    await asyncio.sleep((soon - datetime.now(UTC)).total_seconds())
    assert (await client.signed_in(key).get("/profile")).code == "bad_token"


async def test_a_key_of_a_closed_account_is_dead(client: Client, user: User, deps: Deps) -> None:
    key = (await make_key(user))["key"]
    async with deps.db.transaction() as session:
        await session.execute(update(Account).where(Account.id == user.id).values(active=False))
    assert (await client.signed_in(key).get("/profile")).code == "bad_token"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"scopes": "tasks:read"}, "/scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"key": "mine"}, "/key"),
    ],
)
async def test_a_key_refuses_what_it_can_not_be(user: User, fields: dict[str, Any], pointer: str) -> None:
    answer = await user.client.post("/keys", json={**READER, **fields})
    assert (answer.status, answer.pointers) == (422, [pointer])


async def test_a_key_without_scopes_is_told_how_many_it_may_have(user: User) -> None:
    answer = await user.client.post("/keys", json={**READER, "scopes": []})
    assert answer.json["errors"] == [{"pointer": "/scopes", "detail": f"must have 1 to {len(SCOPES)} items"}]
