"""What a session that signed in long ago must not do without the password."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from db.models import Session
from service.accounts.reauthentication import FRESH_FOR
from service.deps import Deps
from service.security.credential_cache import session_entry
from tests.support.http_client import Answer, Client, User

PASSWORD = "correct horse battery"
KEY = {"name": "k", "scopes": ["tasks:read"]}
# What needs the password of a session that is not fresh: method, path and body.
PROTECTED: list[tuple[str, str, dict[str, Any]]] = [
    ("PATCH", "/profile", {"password": "another good one"}),
    ("PATCH", "/profile", {"email": "new@shop.example"}),
    ("PATCH", "/profile", {"email": None, "name": "Anna"}),
    ("DELETE", "/profile", {}),
    ("DELETE", "/user/{id}", {}),
    ("POST", "/keys", KEY),
]


async def age(deps: Deps, user: User, since_sign_in: timedelta) -> None:
    """Let a user have signed in so long ago."""
    signed_in_at = datetime.now(UTC) - since_sign_in
    async with deps.db.transaction() as session:
        await session.execute(
            update(Session).where(Session.id == user.session_id).values(created_at=signed_in_at)
        )
    await deps.cache.run("DEL", session_entry(user.session_id))


async def send(user: User, method: str, path: str, body: dict[str, Any]) -> Answer:
    return await user.client.request(method, path.format(id=user.id), json=body)


@pytest.mark.parametrize(("method", "path", "body"), PROTECTED)
async def test_a_session_that_is_not_fresh_needs_the_password(
    user: User, deps: Deps, method: str, path: str, body: dict[str, Any]
) -> None:
    before = (await user.client.get("/profile")).json
    await age(deps, user, FRESH_FOR)
    refusal = await send(user, method, path, body)
    assert (refusal.status, refusal.code) == (403, "reauthentication_needed")
    wrong = await send(user, method, path, {**body, "current_password": "wrong"})
    assert (wrong.status, wrong.code) == (403, "bad_credentials")
    assert (await user.client.get("/profile")).json == before
    assert (await user.client.get("/keys")).json["items"] == []
    right = await send(user, method, path, {**body, "current_password": PASSWORD})
    assert right.status in (200, 201, 204)


@pytest.mark.parametrize(("method", "path", "body"), PROTECTED)
async def test_a_fresh_session_needs_none_but_a_wrong_one_is_refused(
    user: User, deps: Deps, method: str, path: str, body: dict[str, Any]
) -> None:
    await age(deps, user, FRESH_FOR - timedelta(seconds=60))
    wrong = await send(user, method, path, {**body, "current_password": "wrong"})
    assert (wrong.status, wrong.code) == (403, "bad_credentials")
    assert (await send(user, method, path, body)).status in (200, 201, 204)


async def test_a_refresh_is_no_sign_in(client: Client, user: User, deps: Deps) -> None:
    pair = (await client.post("/login", json={"login": "anna", "password": PASSWORD})).json
    anna = client.signed_in(pair["access_token"])
    session_id = (await anna.get("/sessions")).json["items"][0]["id"]
    async with deps.db.transaction() as session:
        signed_in_at = datetime.now(UTC) - FRESH_FOR
        await session.execute(update(Session).where(Session.id == session_id).values(created_at=signed_in_at))
    refreshed = await client.post("/token/refresh", json={"refresh_token": pair["refresh_token"]})
    anna = client.signed_in(refreshed.json["access_token"])
    await deps.cache.run("FLUSHALL")
    assert (await anna.post("/keys", json=KEY)).code == "reauthentication_needed"


async def test_names_are_changed_without_the_password(user: User, deps: Deps) -> None:
    await age(deps, user, timedelta(days=80))
    assert (await user.client.patch("/profile", json={"name": "Anna Seghers"})).status == 200
    assert (await user.client.patch(f"/user/{user.id}", json={"first_name": "A"})).status == 200
    assert (await user.client.post("/logout")).status == 204


async def test_guesses_of_the_password_are_throttled_on_every_route(user: User, deps: Deps) -> None:
    await age(deps, user, FRESH_FOR)
    guesses = [(*each[:2], {**each[2], "current_password": "wrong"}) for each in PROTECTED]
    statuses = [(await send(user, *guess)).status for guess in guesses]
    assert statuses == [403] * 5 + [429]


@pytest.mark.parametrize("path", ["/profile", "/user/{}"])
async def test_an_account_is_deleted_without_a_body_or_with_one(
    user: User, other_user: User, path: str
) -> None:
    assert (await user.client.delete(path.format(user.id))).status == 204
    wrong = await other_user.client.delete(path.format(other_user.id), json={"password": PASSWORD})
    assert wrong.pointers == ["/password"]
    answer = await other_user.client.delete(path.format(other_user.id), json={"current_password": PASSWORD})
    assert answer.status == 204
