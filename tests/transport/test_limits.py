import asyncio
import re
from dataclasses import replace

import pytest

from service.cache import Cache
from service.deps import Deps, RateLimits
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp

LIMIT = 5


@pytest.fixture(autouse=True)
def limited(server: RunningApp, deps: Deps) -> None:
    server.use(replace(deps, limits=RateLimits(default=LIMIT, ingest=2 * LIMIT)))


async def test_a_user_is_told_how_its_limit_stands(user: User) -> None:
    for remaining in (4, 3):
        answer = await user.client.get("/profile")
        assert answer.headers["RateLimit-Policy"] == '"default";q=5;w=60'
        header = re.fullmatch(r'"default";r=(\d+);t=(\d+)', answer.headers["RateLimit"])
        assert header is not None
        assert int(header[1]) == remaining
        assert 58 <= int(header[2]) <= 60


async def test_requests_over_the_limit_are_429_until_the_window_ends(user: User) -> None:
    for _ in range(LIMIT):
        assert (await user.client.get("/profile")).status == 200
    for _ in range(2):
        answer = await user.client.get("/profile")
        assert (answer.status, answer.code) == (429, "rate_limited")
        assert 58 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.headers["RateLimit"].startswith('"default";r=0;t=')


async def test_a_user_is_counted_over_all_its_tokens_and_keys(client: Client, user: User) -> None:
    key = (await user.client.post("/keys", json={"name": "k", "scopes": ["profile:read"]})).json["key"]
    login = {"login": "anna", "password": "correct horse battery"}
    second = client.signed_in((await client.post("/login", json=login)).json["access_token"])
    for caller in (user.client, second, client.signed_in(key), user.client):
        assert (await caller.get("/profile")).status == 200
    for caller in (user.client, second, client.signed_in(key)):
        assert (await caller.get("/profile")).status == 429


async def test_users_do_not_spend_each_others_limit(user: User, other_user: User) -> None:
    for _ in range(LIMIT + 1):
        last = await user.client.get("/profile")
    assert last.status == 429
    assert (await other_user.client.get("/profile")).status == 200


async def test_a_limit_counts_what_is_refused_for_other_reasons(user: User) -> None:
    statuses = [(await user.client.get("/admin/users")).status for _ in range(LIMIT + 1)]
    assert statuses == [403] * LIMIT + [429]
    assert "RateLimit" in (await user.client.get("/admin/users")).headers


@pytest.mark.parametrize("token", [None, "forged"])
async def test_strangers_are_limited_by_their_address(client: Client, token: str | None) -> None:
    stranger = client.signed_in(token) if token else client
    statuses = [(await stranger.get("/profile")).status for _ in range(LIMIT + 1)]
    assert statuses == [401] * LIMIT + [429]
    assert (await client.post("/login", json={"login": "anna", "password": "x"})).status == 429


async def test_some_routes_are_not_limited(client: Client) -> None:
    for path in ("/", "/health", "/ready"):
        for _ in range(LIMIT + 1):
            answer = await client.get(path)
            assert answer.status == 200
            assert "RateLimit" not in answer.headers


async def test_no_limit_is_no_header(user: User, server: RunningApp, deps: Deps) -> None:
    server.use(replace(deps, limits=RateLimits(default=0, ingest=0)))
    for _ in range(3):
        answer = await user.client.get("/profile")
        assert answer.status == 200
        assert "RateLimit" not in answer.headers
        assert "RateLimit-Policy" not in answer.headers


async def test_the_limit_is_exact_for_300_at_once(user: User, server: RunningApp, deps: Deps) -> None:
    server.use(replace(deps, limits=RateLimits(default=100)))
    answers = await asyncio.gather(*(user.client.get("/profile") for _ in range(300)))
    statuses = [answer.status for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (100, 200)


async def test_a_limit_holds_while_valkey_is_away(user: User, server: RunningApp, deps: Deps) -> None:
    away = Cache.connect("redis://127.0.0.1:1")
    server.use(replace(deps, cache=away, limits=RateLimits(default=LIMIT)))
    answers = [await user.client.get("/profile") for _ in range(LIMIT + 1)]
    assert [answer.status for answer in answers] == [200] * LIMIT + [429]
    assert answers[0].headers["RateLimit"] == '"default";r=4;t=60'
    await away.close()


@pytest.mark.parametrize(
    ("settings", "counted_apart"),
    [({}, False), ({"proxies_count": 1}, True), ({"real_ip_header": "x-real-ip"}, True)],
)
async def test_a_forwarded_address_is_believed_only_where_it_is_set(
    client: Client, running_app: RunningApp, settings: dict[str, int | str], counted_apart: bool
) -> None:
    config = running_app.app.config
    before = {name: config[name] for name in ("PROXIES_COUNT", "REAL_IP_HEADER")}
    config.update({name.upper(): value for name, value in settings.items()})
    try:
        statuses = []
        for number in range(LIMIT + 1):
            forwarded = {"X-Forwarded-For": f"6.6.6.6, 8.8.8.{number}", "X-Real-IP": f"8.8.4.{number}"}
            statuses.append((await client.get("/profile", headers=forwarded)).status)
    finally:
        config.update(before)
    assert statuses[-1] == (401 if counted_apart else 429)
