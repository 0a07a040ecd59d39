"""Sessions and API keys of users, which admins list and end."""

from typing import Any, get_args

import pytest

from api.admin import AUTH_EVENTS
from db.queries.auth_events import AuthEventType
from tests.support.http_client import Client, User
from transport.routes.dashboard import FOLDER

PASSWORD = "correct horse battery"
NOBODY = 10**15
UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def sign_in(client: Client, login: str) -> dict[str, Any]:
    answer = await client.post("/login", json={"login": login, "password": PASSWORD})
    assert answer.status == 200
    pair: dict[str, Any] = answer.json
    return pair


async def make_key(user: User, name: str = "k") -> dict[str, Any]:
    answer = await user.client.post("/keys", json={"name": name, "scopes": ["profile:read"]})
    assert answer.status == 201
    key: dict[str, Any] = answer.json
    return key


async def statuses(client: Client, *tokens: str) -> list[int]:
    return [(await client.signed_in(token).get("/profile")).status for token in tokens]


async def audit(admin: User, kind: str) -> list[tuple[str, str]]:
    """Whose sessions or keys were ended, and by whom."""
    items = (await admin.client.get(f"/admin/auth-events?type={kind}")).json["items"]
    return [(item["login"], item["actor"]) for item in items]


async def test_an_admin_lists_what_the_user_itself_sees(
    client: Client, user: User, other_user: User, admin: User
) -> None:
    await sign_in(client, "anna")
    await make_key(user, "first")
    await make_key(user, "second")
    await make_key(other_user)
    for noun, count in (("sessions", 2), ("keys", 2)):
        own = (await user.client.get(f"/{noun}")).json["items"]
        path = f"/admin/users/{user.id}/{noun}"
        items = (await admin.client.get(path)).json["items"]
        unmarked = {"current": False} if noun == "sessions" else {}
        assert items == [item | unmarked for item in own]
        assert len(items) == count
        first = (await admin.client.get(f"{path}?limit=1")).json
        second = (await admin.client.get(f"{path}?limit=1&cursor={first['next']}")).json
        assert first["items"] + second["items"] == items
        assert second["next"] is None
        assert (await admin.client.get(f"{path}?offset=1")).json["items"] == items[1:]
    assert (await admin.client.get(f"/admin/users/{admin.id}/sessions")).json["items"][0]["current"]


async def test_an_admin_ends_one_session_and_it_is_dead_at_once(
    client: Client, user: User, other_user: User, admin: User
) -> None:
    pair = await sign_in(client, "anna")
    assert await statuses(client, pair["access_token"]) == [200]  # cached from now on
    item = (await admin.client.get(f"/admin/users/{user.id}/sessions")).json["items"][0]
    of_another = await admin.client.delete(f"/admin/users/{other_user.id}/sessions/{item['id']}")
    assert (of_another.status, of_another.code) == (404, "not_found")
    path = f"/admin/users/{user.id}/sessions/{item['id']}"
    assert (await admin.client.delete(path)).status == 204
    assert await statuses(client, pair["access_token"], user.token, other_user.token) == [401, 200, 200]
    refresh = await client.post("/token/refresh", json={"refresh_token": pair["refresh_token"]})
    assert refresh.code == "bad_token"
    assert (await admin.client.delete(path)).code == "not_found"
    assert await audit(admin, "session_ended") == [("Anna", "Root")]


async def test_an_admin_ends_all_sessions_of_a_user_and_no_keys(
    client: Client, user: User, other_user: User, admin: User
) -> None:
    token = (await sign_in(client, "anna"))["access_token"]
    key = (await make_key(user))["key"]
    assert await statuses(client, token, user.token, key) == [200] * 3
    path = f"/admin/users/{user.id}/sessions"
    assert (await admin.client.delete(path)).status == 204
    assert await statuses(client, token, user.token, key, other_user.token) == [401, 401, 200, 200]
    assert (await admin.client.get(path)).json["items"] == []
    assert (await admin.client.delete(path)).status == 204
    assert await audit(admin, "session_ended") == [("Anna", "Root")]  # the second time there was none


async def test_an_admin_ends_one_key_or_all_and_no_sessions(
    client: Client, user: User, other_user: User, admin: User
) -> None:
    keys = [await make_key(user, f"key {number}") for number in range(3)]
    texts = [key["key"] for key in keys] + [(await make_key(other_user))["key"]]
    assert await statuses(client, *texts) == [200] * 4
    path = f"/admin/users/{user.id}/keys"
    of_another = await admin.client.delete(f"/admin/users/{other_user.id}/keys/{keys[0]['id']}")
    assert of_another.code == "not_found"
    assert (await admin.client.delete(f"{path}/{keys[0]['id']}")).status == 204
    assert await statuses(client, *texts) == [401, 200, 200, 200]
    assert (await admin.client.delete(f"{path}/{keys[0]['id']}")).code == "not_found"
    assert (await admin.client.delete(path)).status == 204
    assert await statuses(client, *texts, user.token) == [401, 401, 401, 200, 200]
    assert (await admin.client.get(path)).json["items"] == []
    assert await audit(admin, "key_ended") == [("Anna", "Root")] * 2


async def test_what_users_end_themselves_is_in_the_audit_too(client: Client, user: User, admin: User) -> None:
    await sign_in(client, "anna")
    session_id = (await user.client.get("/sessions")).json["items"][0]["id"]
    assert (await user.client.delete(f"/sessions/{session_id}")).status == 204
    assert (await user.client.delete(f"/keys/{(await make_key(user))['id']}")).status == 204
    assert await audit(admin, "session_ended") == [("Anna", "Anna")]
    assert await audit(admin, "key_ended") == [("Anna", "Anna")]
    assert await audit(admin, "logout") == []


@pytest.mark.parametrize("noun", ["sessions", "keys"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_sessions_and_keys_of_nobody_are_not_found(admin: User, method: str, noun: str) -> None:
    answer = await admin.client.request(method, f"/admin/users/{NOBODY}/{noun}")
    assert (answer.status, answer.code) == (404, "not_found")
    answer = await admin.client.delete(f"/admin/users/{NOBODY}/{noun}/{UNKNOWN}")
    assert (answer.status, answer.code) == (404, "not_found")


def test_every_type_of_the_audit_is_a_filter_and_has_words_in_the_dashboard() -> None:
    assert sorted((*get_args(AuthEventType), "login_failed")) == sorted(AUTH_EVENTS)
    for script in ("english.js", "russian.js"):
        words = (FOLDER / "shared" / script).read_text()
        assert [kind for kind in AUTH_EVENTS if f'"audit.{kind}"' not in words] == []
    audit_view = (FOLDER / "audit" / "view.js").read_text()
    assert [kind for kind in AUTH_EVENTS if f'"{kind}"' not in audit_view] == []


async def test_the_audit_can_be_filtered_by_refresh_tokens_used_again(admin: User) -> None:
    assert await audit(admin, "refresh_reused") == []
