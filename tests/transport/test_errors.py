import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from marshmallow import ValidationError
from sanic import Blueprint
from sanic.response import HTTPResponse
from sqlalchemy import text
from structlog.testing import capture_logs

from db.database import Database
from service.deps import Deps
from telemetry.logs import OncePerPeriod
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp, make_unserved_app, serve
from tests.support.raw_http import raw_request
from transport.errors import pointers
from transport.request import Request

faults = Blueprint("faults")


@faults.get("/broken", ctx_public=True)
async def broken(_request: Request) -> HTTPResponse:
    raise RuntimeError("the cause, which is nobody's business")


@faults.get("/division", ctx_public=True)
async def division(request: Request) -> HTTPResponse:
    async with request.deps.db.transaction() as session:
        await session.execute(text("SELECT 1 / 0"))
    return HTTPResponse()


@faults.get("/refused", ctx_public=True)
async def refused(_request: Request) -> HTTPResponse:
    raise ConnectionRefusedError("nobody listens at an inner address")


@faults.post("/gzip", ctx_public=True, ctx_gzip=True, ctx_max_body=1000)
async def echo(request: Request) -> HTTPResponse:
    return HTTPResponse(request.body)


@pytest.fixture(scope="module")
async def faulty_app() -> AsyncIterator[RunningApp]:
    app = make_unserved_app()
    app.blueprint(faults)
    async with serve(app) as running:
        yield running


@pytest.fixture
async def faulty(faulty_app: RunningApp, deps: Deps) -> AsyncIterator[Client]:
    faulty_app.use(deps)
    async with aiohttp.ClientSession(faulty_app.url) as session:
        yield Client(session)


async def test_a_problem_has_all_its_members(client: Client) -> None:
    answer = await client.get("/nothing")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "there is nothing at this path",
        "code": "not_found",
        "request_id": answer.headers["X-Request-ID"],
    }


async def test_a_wrong_method_names_the_right_ones(client: Client) -> None:
    answer = await client.put("/profile")
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, PATCH, DELETE, OPTIONS"


@pytest.mark.parametrize("path", ["/user/0", "/user/-1", "/user/9223372036854775808", "/user/1.5", "/user/a"])
async def test_a_number_that_no_row_can_have_is_no_path(user: User, path: str) -> None:
    assert (await user.client.delete(path)).code == "not_found"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1,]", b"{'a': 1}", b'{"a": NaN}', b'{"login": "\\ud800"}', b"\xff", b"[" * 3000]
)
async def test_a_body_that_is_no_json_is_refused(client: Client, body: bytes) -> None:
    answer = await client.post("/login", data=body, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (400, "bad_json")


async def test_a_body_that_is_no_object_is_invalid(client: Client) -> None:
    answer = await client.post("/login", json=["login"])
    assert (answer.status, answer.pointers) == (422, [""])


@pytest.mark.parametrize("declared", ["text/plain", "", "json"])
async def test_json_under_another_name_is_refused(client: Client, declared: str) -> None:
    answer = await client.post("/login", data=b"{}", headers={"Content-Type": declared})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    reason = f"not {declared}" if declared else "but the Content-Type is missing"
    assert answer.json["detail"].endswith(f", {reason}")


async def test_json_may_name_its_charset(client: Client) -> None:
    declared = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert (await client.post("/login", data=b"{}", headers=declared)).status == 422


async def test_every_wrong_field_is_named(client: Client) -> None:
    answer = await client.post("/user", json={"login": 5, "password": "correct horse", "role": "admin"})
    assert (answer.status, answer.code) == (422, "invalid")
    assert sorted(answer.pointers) == ["/first_name", "/last_name", "/login", "/role"]
    assert all(error["detail"] for error in answer.json["errors"])


async def test_wrong_parameters_are_named_too(user: User) -> None:
    answer = await user.client.get("/user/all?limit=1001&offset=-1&cursor=x&nothing=")
    assert sorted(answer.pointers) == ["/cursor", "/limit", "/nothing", "/offset"]


async def test_a_parameter_given_twice_is_refused(user: User) -> None:
    assert (await user.client.get("/user/all?limit=5&limit=6")).pointers == ["/limit"]


@pytest.mark.parametrize("query", ["limit=%ff", "%ff=1", "&".join(f"a{n}=1" for n in range(200))])
async def test_a_query_that_can_not_be_read_is_refused(user: User, server: RunningApp, query: str) -> None:
    head = f"GET /user/all?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    request = f"{head}Authorization: {user.token}\r\n\r\n"
    status, _, body = await raw_request(server.url, request.encode())
    assert (status, json.loads(body)["code"]) == (400, "bad_request")


@pytest.mark.parametrize("target", [b"profile", b"x:80", b"/%ff%00/\xc3", b"http://"])
async def test_what_is_no_path_is_refused_as_a_problem(server: RunningApp, target: bytes) -> None:
    status, headers, body = await raw_request(
        server.url, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    assert 400 <= status < 500
    if body:  # what is not HTTP at all gets its answer from below the application
        assert headers["content-type"] == "application/problem+json"
        assert json.loads(body)["request_id"] == headers["x-request-id"]


@pytest.mark.parametrize(
    ("target", "is_problem"), [(b"/tasks?q=%ff", True), (b"/tasks?q=\xff", False), (b"/\xff", False)]
)
async def test_a_url_that_is_not_utf_8_is_refused_raw_bytes_by_the_http_server_below(
    user: User, server: RunningApp, target: bytes, is_problem: bool
) -> None:
    head = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: " + user.token.encode()
    status, _, body = await raw_request(server.url, b"GET " + target + head + b"\r\n\r\n")
    assert (status, body != b"") == (400, is_problem)


async def test_header_bytes_that_are_no_text_do_no_harm(server: RunningApp) -> None:
    garbage = (
        b"Authorization: \xff\xfe\r\nX-Request-ID: \xff\r\nUser-Agent: \xff\r\nX-Forwarded-For: \xff\r\n"
    )
    status, _, body = await raw_request(
        server.url, b"GET /profile HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n" + garbage + b"\r\n"
    )
    assert (status, json.loads(body)["status"]) == (401, 401)


async def test_a_refusal_that_tells_such_a_header_is_a_problem_too(server: RunningApp) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/\xde\r\n"
    status, headers, body = await raw_request(server.url, head + b"Content-Length: 2\r\n\r\n{}")
    assert (status, headers["content-type"]) == (415, "application/problem+json")
    assert json.loads(body)["status"] == status


async def test_a_body_over_the_limit_is_refused_before_it_has_come(server: RunningApp) -> None:
    status, _, body = await raw_request(
        server.url,
        b"POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1048577\r\n"
        b"Content-Type: application/json\r\n\r\n",
    )
    assert (status, json.loads(body)["code"]) == (413, "too_large")


async def test_a_body_is_counted_while_it_comes(client: Client) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 2**15

    answer = await client.post("/login", data=endless(), headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.parametrize("method", ["TRACE", "FOO", "PROPFIND"])
async def test_a_method_that_nothing_has_is_refused(client: Client, method: str) -> None:
    answer = await client.request(method, "/profile")
    assert (answer.status, answer.code) == (405, "method_not_allowed")


async def test_strangers_are_refused_before_their_body_has_come(server: RunningApp) -> None:
    status, _, _ = await raw_request(
        server.url,
        b"PATCH /profile HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n"
        b"Content-Type: application/json\r\n\r\n",
    )
    assert status == 401


async def test_a_gzipped_body_is_taken_only_where_it_may_come(client: Client, faulty: Client) -> None:
    gzipped = gzip.compress(b"some text") + gzip.compress(b" and more")
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert (await client.post("/login", data=gzipped, headers=headers)).status == 415
    assert (await faulty.post("/gzip", data=gzipped, headers=headers)).body == b"some text and more"
    headers["Content-Encoding"] = "br"
    assert (await faulty.post("/gzip", data=gzipped, headers=headers)).status == 415


@pytest.mark.parametrize("damage", ["cut", "garbage", "trailing"])
async def test_a_damaged_gzipped_body_is_refused(faulty: Client, damage: str) -> None:
    gzipped = gzip.compress(b"some text")
    body = {"cut": gzipped[:-5], "garbage": b"no gzip", "trailing": gzipped + b"garbage"}[damage]
    answer = await faulty.post("/gzip", data=body, headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_the_limit_holds_for_the_gunzipped_size(faulty: Client) -> None:
    bomb = b"".join(gzip.compress(bytes(10_000)) for _ in range(10))
    assert len(bomb) < 1000
    for gzipped, status in (
        (gzip.compress(bytes(1000)), 200),
        (gzip.compress(bytes(1001)), 413),
        (bomb, 413),
    ):
        answer = await faulty.post("/gzip", data=gzipped, headers={"Content-Encoding": "gzip"})
        assert answer.status == status


async def test_the_unexpected_is_told_to_the_log_alone(faulty: Client) -> None:
    with capture_logs() as logs:
        answer = await faulty.get("/broken")
    assert (answer.status, answer.code) == (500, "internal_error")
    assert b"business" not in answer.body
    [failure] = [line for line in logs if line["event"] == "request_failed"]
    assert "business" in repr(failure["exc_info"])


async def test_an_outage_is_told_of_each_request_and_traced_once_a_minute(
    faulty: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("transport.errors.outage_traces", OncePerPeriod(lambda: now[0]))
    with capture_logs() as logs:
        for seconds in (0, 1, 59, 61):
            now[0] = seconds
            answer = await faulty.get("/refused")
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    lines = [line for line in logs if line["event"] == "dependency_away"]
    assert [line["cause"] for line in lines] == ["ConnectionRefusedError"] * 4
    assert [line["exc_info"] is not None for line in lines] == [True, False, False, True]


async def test_data_that_the_database_refuses_is_the_clients_fault(faulty: Client) -> None:
    assert (await faulty.get("/division")).code == "invalid"


@pytest.mark.parametrize("url", ["postgresql://a@127.0.0.1:1/a", "postgresql://a@/a?host=/nowhere"])
async def test_a_database_that_is_away_is_passing(
    user: User, server: RunningApp, deps: Deps, url: str
) -> None:
    away = Database.connect(url)
    server.use(replace(deps, db=away, replica=away))
    answer = await user.client.get("/profile")
    assert (answer.status, answer.code) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    await away.close()


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ({"a": ["x", "y"]}, [("/a", "x"), ("/a", "y")]),
        ({"events": {3: {"occurred_at": ["x"]}}}, [("/events/3/occurred_at", "x")]),
        ({"_schema": ["x"]}, [("", "x")]),
        ({"a/b": {"~": ["x"]}}, [("/a~1b/~0", "x")]),
    ],
)
def test_nested_messages_become_json_pointers(messages: Any, expected: list[tuple[str, str]]) -> None:
    assert list(pointers(ValidationError(messages).messages)) == expected
