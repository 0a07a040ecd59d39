"""Who may use which route. A test fails for a route without a row here."""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from api.credentials import SCOPES
from db.models import Session
from service.deps import Deps
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp

PUBLIC = {
    "GET /",
    "POST /",
    "GET /health",
    "GET /ready",
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/assets/<name:str>",
    "GET /redoc",
    "GET /scalar",
    "GET /metrics",
    "GET /dashboard",
    "GET /dashboard/<name:str>",
    "GET /dashboard/<folder:str>/<name:str>",
    "POST /user",
    "POST /register",
    "POST /user/auth",
    "POST /login",
    "POST /auth/register",
    "POST /auth/login",
    "POST /password/forgot",
    "POST /password/reset",
    "GET /trawl.js",
    "GET /pixel.gif",
    "POST /collect",
    "OPTIONS /collect",
    "POST /token",
    "POST /token/refresh",
}
# Of routes that answer what is wrong as what is right.
PUBLIC_BODIES = {"POST /collect": {"site": "unknown", "page_url": "/"}}
# One of the files that each serves.
FILES = {"/docs/assets": "redoc-start.js", "/dashboard": "main.js", "/dashboard/<folder:str>": "api.js"}
# Private routes: the scope that opens each to API keys, None for none, or "admin" for those of admins.
PRIVATE: dict[str, str | None] = {
    "POST /logout": None,
    "POST /auth/logout": None,
    "GET /auth/me": "profile:read",
    "GET /profile": "profile:read",
    "PATCH /profile": None,
    "DELETE /profile": None,
    "GET /profile/totp": None,
    "POST /profile/totp": None,
    "POST /profile/totp/confirm": None,
    "DELETE /profile/totp": None,
    "PATCH /user/<user_id:id>": None,
    "DELETE /user/<user_id:id>": None,
    "GET /user/all": None,
    "GET /sessions": None,
    "DELETE /sessions/<session_id:uuid>": None,
    "GET /keys": None,
    "POST /keys": None,
    "DELETE /keys/<key_id:uuid>": None,
    "GET /admin/users": "admin",
    "GET /admin/users/<user_id:id>": "admin",
    "PATCH /admin/users/<user_id:id>": "admin",
    "GET /admin/users/<user_id:id>/activity": "admin",
    "POST /admin/users/<user_id:id>/password-reset": "admin",
    "GET /admin/users/<user_id:id>/sessions": "admin",
    "DELETE /admin/users/<user_id:id>/sessions": "admin",
    "DELETE /admin/users/<user_id:id>/sessions/<session_id:uuid>": "admin",
    "GET /admin/users/<user_id:id>/keys": "admin",
    "DELETE /admin/users/<user_id:id>/keys": "admin",
    "DELETE /admin/users/<user_id:id>/keys/<key_id:uuid>": "admin",
    "GET /admin/auth-events": "admin",
    "GET /shares": None,
    "POST /shares": None,
    "GET /shares/current": None,
    "DELETE /shares/<share_id:uuid>": None,
    "GET /sites": "admin",
    "POST /sites": "admin",
    "DELETE /sites/<site_id:id>": "admin",
    "GET /parse": "imports:write",
    "POST /parse": "imports:write",
    "GET /imports": "imports:read",
    "POST /imports": "admin",
    "DELETE /imports/<import_id:id>": "admin",
    "GET /imports/<import_id:id>": "imports:read",
    "GET /imports/<import_id:id>/rejects": "imports:read",
    "GET /live": "live:read",
    "GET /reports": "reports:read",
    "GET /report/<number:str>": "reports:read",
    "GET /tasks": "tasks:read",
    "POST /tasks": "tasks:write",
    "GET /tasks/<task_id:id>": "tasks:read",
    "PUT /tasks/<task_id:id>": "tasks:write",
    "PATCH /tasks/<task_id:id>": "tasks:write",
    "DELETE /tasks/<task_id:id>": "tasks:write",
    "GET /movies/search": "movies:read",
    "GET /movies/<kinopoisk_id:id>": "movies:read",
    "GET /movies/favorites": "movies:read",
    "POST /movies/favorites": "movies:write",
    "DELETE /movies/favorites/<kinopoisk_id:id>": "movies:write",
    "POST /visits": "visits:write",
    "GET /visits": "visits:read",
    "GET /visits/<visit_id:uuid>": "visits:read",
    "GET /visits/stats": "visits:read",
    "GET /visits/export": "visits:read",
    "GET /pages/<page:path>": "visits:write",
    "POST /events": "events:write",
    "GET /events": "events:read",
    "GET /events/export": "events:read",
    "GET /events/stats": "events:read",
    "GET /stats/dau": "events:read",
    "GET /stats/top-events": "events:read",
    "GET /stats/retention": "events:read",
    "GET /stats/funnel": "events:read",
}
# Private routes that need the password of a session that signed in long ago, each with a body that does.
PROTECTED: dict[str, dict[str, Any]] = {
    "PATCH /profile": {"email": None},
    "DELETE /profile": {},
    "DELETE /user/<user_id:id>": {},
    "POST /profile/totp": {},
    "POST /profile/totp/confirm": {"code": "123456"},
    "DELETE /profile/totp": {},
    "POST /keys": {"name": "k", "scopes": ["tasks:read"]},
}
EXAMPLES = {
    r"<\w+:path>": "any/page",
    r"<\w+:id>": "987654321",
    r"<\w+:uuid>": "00000000-0000-4000-8000-000000000000",
}
AddUser = Callable[..., Awaitable[User]]


def routes(server: RunningApp) -> dict[str, Any]:
    return {
        f"{method} /{route.path}": route for route in server.app.router.routes for method in route.methods
    }


def test_every_route_is_in_the_table(server: RunningApp) -> None:
    assert routes(server).keys() == PUBLIC | PRIVATE.keys()


def test_the_public_routes_are_these_alone(server: RunningApp) -> None:
    public = {name for name, route in routes(server).items() if getattr(route.ctx, "public", False)}
    assert public == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
async def test_public_routes_ask_nobody_for_a_token(client: Client, name: str) -> None:
    method, path = name.split()
    folder, parameter, _ = path.partition("/<name:str>")
    path = f"{folder}/{FILES[folder]}".replace("<folder:str>", "shared") if parameter else path
    body = PUBLIC_BODIES.get(name, {})
    answer = await client.signed_in("no token").request(method, path, json=body)
    assert answer.status in (200, 202, 204, 422)


async def outcome(of: Client, name: str) -> str:
    """Return the code of a refusal, or that there was none."""
    method, path = name.split()
    for parameter, example in EXAMPLES.items():
        path = re.sub(parameter, example, path)
    answer = await of.request(method, path, json={})
    return answer.code if answer.status in (401, 403) else "let in"


async def make_key(client: Client, owner: User, scopes: Sequence[str]) -> Client:
    answer = await owner.client.post("/keys", json={"name": "k", "scopes": scopes})
    return client.signed_in(answer.json["key"])


async def test_private_routes_refuse_all_others(
    server: RunningApp, client: Client, add_user: AddUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One test of all routes: who is refused has changed nothing, and is as before at the next one."""
    user, revoked, deleted = [await add_user(login) for login in ("one", "four", "five")]
    admin = await add_user("three", role="admin")
    assert (await revoked.client.post("/logout")).status == 204
    assert (await deleted.client.delete("/profile")).status == 204
    shared = await user.client.post("/shares", json={"view": "overview", "parameters": {"country": "US"}})
    share = client.signed_in(shared.json["link"].partition("=")[2])
    keys = {
        (owner.id, wants): await make_key(client, owner, [scope for scope in SCOPES if scope != wants])
        for wants in {*PRIVATE.values()}
        for owner in (user, admin)
    }
    for name, wants in sorted(PRIVATE.items()):
        refused = {
            "nobody": (client, "unauthorized"),
            "a revoked token": (revoked.client, "bad_token"),
            "a deleted user": (deleted.client, "bad_token"),
            "a key of all other scopes": (keys[user.id, wants], "out_of_scope"),
            "an admin's key of those": (keys[admin.id, wants], "out_of_scope"),
        }
        if name != "GET /shares/current":  # others need the parameters of the share
            refused["a share's key"] = (share, "out_of_scope")
        with monkeypatch.context() as patch:
            if name == "GET /live":  # has no end but this
                patch.setattr(server.app.ctx, "draining", True)
            codes = {who: await outcome(caller, name) for who, (caller, _) in refused.items()}
        assert codes == {who: code for who, (_, code) in refused.items()}, name


@pytest.mark.parametrize("name", sorted(PRIVATE))
async def test_private_routes_let_in_whom_they_may(
    server: RunningApp, client: Client, add_user: AddUser, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "GET /live":  # has no end but this
        monkeypatch.setattr(server.app.ctx, "draining", True)
    wants = PRIVATE[name]
    user, other = [await add_user(login) for login in ("one", "two")]
    admin = await add_user("three", role="admin")
    mine = {"admin": "admins_only"}.get(wants or "", "not_yours" if "/user/<" in name else "let in")
    if wants in SCOPES:
        assert await outcome(await make_key(client, user, [wants]), name) == "let in"
    for caller in (user.client, other.client):
        assert await outcome(caller, name) == mine
    assert await outcome(admin.client, name) == ("not_yours" if mine == "not_yours" else "let in")


@pytest.mark.parametrize("name", sorted(PRIVATE))
async def test_a_session_that_signed_in_long_ago_may_do_all_but_what_needs_the_password(
    server: RunningApp, deps: Deps, admin: User, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "GET /live":  # has no end but this
        monkeypatch.setattr(server.app.ctx, "draining", True)
    async with deps.db.transaction() as session:
        await session.execute(update(Session).values(created_at=datetime.now(UTC) - timedelta(minutes=11)))
    method, path = name.split()
    for parameter, example in EXAMPLES.items():
        path = re.sub(parameter, str(admin.id) if path.startswith("/user/") else example, path)
    answer = await admin.client.request(method, path, json=PROTECTED.get(name, {}))
    if name in PROTECTED:
        assert (answer.status, answer.code) == (403, "reauthentication_needed")
    else:
        assert answer.status not in (401, 403)
