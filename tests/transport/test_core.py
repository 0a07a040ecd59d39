from dataclasses import replace
from typing import Any, cast

import pytest

from service.deps import Deps
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp
from transport.settings import HttpSettings

ORIGIN = "https://shop.example"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_root_answers_everybody_without_touching_anything(
    client: Client, server: RunningApp, deps: Deps, method: str
) -> None:
    nothing = cast(Any, None)
    server.use(replace(deps, db=nothing, replica=nothing, cache=nothing))
    answer = await client.request(method, "/")
    assert (answer.status, answer.json) == (200, {"status": "ok", "name": "trawl", "version": "test"})


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 303),
        ("application/json, text/html;q=0.9", 200),
        ("text/html;q=0.1, application/json", 200),
        ("Text/HTML", 303),
        ("text/html;q=0", 200),
        ("*/*", 200),
        ("", 200),
        ("*", 200),
        ("text/html;q=", 200),
        ("garbage", 200),
        ("\xff", 200),
        ("a/b;self=1, text/html", 200),
        ("*/*, text/html", 303),
    ],
)
async def test_a_browser_is_sent_from_the_root_to_the_dashboard(
    client: Client, accept: str, status: int
) -> None:
    for method in ("GET", "HEAD"):
        answer = await client.request(method, "/", headers={"Accept": accept})
        assert (answer.status, answer.headers.get("Location")) == (
            status,
            "/dashboard" if status == 303 else None,
        )
    assert (await client.request("POST", "/", headers={"Accept": accept})).status == 200


async def test_every_path_stands_under_the_prefix_too(user: User) -> None:
    assert (await user.client.get("/api/v1")).json["name"] == "trawl"
    assert (await user.client.get("/api/v1/")).json["name"] == "trawl"
    assert (await user.client.get("/api/v1/profile")).json == (await user.client.get("/profile")).json


async def test_the_prefix_is_taken_off_once_only(user: User) -> None:
    assert (await user.client.get("/api/v1/api/v1/profile")).status == 404
    assert (await user.client.get("/api/v10/profile")).status == 404


async def test_head_answers_as_get_without_a_body(user: User) -> None:
    get = await user.client.get("/profile")
    head = await user.client.request("HEAD", "/profile")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["ETag"] == get.headers["ETag"]
    assert head.headers["Content-Length"] == str(len(get.body))


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/profile", "GET, HEAD, PATCH, DELETE, OPTIONS"),
        ("/api/v1/user/5", "PATCH, DELETE, OPTIONS"),
        ("/login", "POST, OPTIONS"),
    ],
)
async def test_options_tells_anybody_the_methods_of_a_path(client: Client, path: str, methods: str) -> None:
    answer = await client.request("OPTIONS", path)
    assert (answer.status, answer.headers["Allow"]) == (204, methods)
    assert "Access-Control-Allow-Methods" not in answer.headers


async def test_options_of_an_unknown_path_is_not_found(client: Client) -> None:
    assert (await client.request("OPTIONS", "/nothing")).status == 404


async def test_a_client_that_has_the_version_is_told_so(user: User) -> None:
    first = await user.client.get("/profile")
    etag = first.headers["ETag"]
    for header in (etag, f'"other", W/{etag}', "*"):
        again = await user.client.get("/profile", headers={"If-None-Match": header})
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
    changed = await user.client.get("/profile", headers={"If-None-Match": '"other"'})
    assert changed.json == first.json


async def test_a_sane_request_id_is_kept(client: Client) -> None:
    answer = await client.get("/nothing", headers={"X-Request-ID": "order-17.retry:2"})
    assert answer.headers["X-Request-ID"] == answer.json["request_id"] == "order-17.retry:2"


@pytest.mark.parametrize("request_id", ["", "a b", "é", "x" * 200, '{"a":1}'])
async def test_any_other_request_id_is_replaced(client: Client, request_id: str) -> None:
    answer = await client.get("/nothing", headers={"X-Request-ID": request_id})
    assert answer.headers["X-Request-ID"] == answer.json["request_id"] != request_id
    assert len(answer.json["request_id"]) == 32


async def test_preflights_are_answered_for_known_origins_alone(
    client: Client, server: RunningApp, deps: Deps
) -> None:
    server.use(deps, HttpSettings(cors_origins=(ORIGIN,)))
    preflight = {"Access-Control-Request-Method": "PATCH"}
    answer = await client.request("OPTIONS", "/profile", headers={"Origin": ORIGIN, **preflight})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    for origin in (f"{ORIGIN}.evil.example", "null", ORIGIN.upper()):
        refused = await client.request("OPTIONS", "/profile", headers={"Origin": origin, **preflight})
        assert "Access-Control-Allow-Origin" not in refused.headers
        assert "Access-Control-Allow-Methods" not in refused.headers


async def test_answers_and_errors_are_shown_to_pages_of_a_known_origin(
    user: User, client: Client, server: RunningApp, deps: Deps
) -> None:
    server.use(deps, HttpSettings(cors_origins=(ORIGIN,)))
    for answer in (
        await user.client.get("/profile", headers={"Origin": ORIGIN}),
        await client.get("/profile", headers={"Origin": ORIGIN}),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "Origin" in answer.headers["Vary"]
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


async def test_nothing_is_shown_to_other_pages_unless_it_is_set(user: User) -> None:
    answer = await user.client.get("/profile", headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_answers_are_not_stored_by_shared_caches(user: User) -> None:
    assert (await user.client.get("/user/all")).headers["Cache-Control"] == "no-store"
    assert (await user.client.get("/profile")).headers["Cache-Control"] == "private, no-cache"
