"""Tokens by HTTP: pairs, refreshing them, and the forms and errors of OAuth 2 (RFC 6749)."""

import asyncio
from typing import Any

import aiohttp
import pytest

from service.deps import Deps
from tests.support.document_checks import document
from tests.support.http_client import Answer, Client, User

PASSWORD = "correct horse battery"
ROUTES = ["/token", "/login", "/auth/login", "/user/auth"]
PASSWORD_GRANT = {"grant_type": "password", "username": "anna", "password": PASSWORD}


async def sign_in(client: Client) -> dict[str, Any]:
    answer = await client.post("/login", json={"login": "anna", "password": PASSWORD})
    assert answer.status == 200
    pair: dict[str, Any] = answer.json
    return pair


async def refresh(client: Client, refresh_token: str) -> Answer:
    return await client.post("/token/refresh", json={"refresh_token": refresh_token})


async def test_a_refresh_token_gets_a_new_pair_once(client: Client, user: User) -> None:
    first = await sign_in(client)
    answer = await refresh(client, first["refresh_token"])
    assert answer.status == 200
    assert answer.json.keys() == first.keys()
    assert answer.headers["Cache-Control"] == "no-store"
    assert (await client.signed_in(answer.json["access_token"]).get("/auth/me")).json["id"] == user.id
    again = await refresh(client, first["refresh_token"])
    assert again.json == answer.json  # a moment later: another tab
    third = await refresh(client, answer.json["refresh_token"])
    assert third.status == 200


async def test_both_tokens_of_a_session_are_dead_after_signing_out(client: Client, user: User) -> None:
    pair = await sign_in(client)
    assert (await client.signed_in(pair["access_token"]).post("/auth/logout")).status == 204
    assert (await client.signed_in(pair["access_token"]).get("/auth/me")).code == "bad_token"
    refusal = await refresh(client, pair["refresh_token"])
    assert (refusal.status, refusal.code, refusal.headers["WWW-Authenticate"]) == (401, "bad_token", "Bearer")
    assert refusal.json["error"] == "invalid_grant"


async def test_a_session_is_one_however_often_it_is_refreshed(client: Client, user: User) -> None:
    pair = await sign_in(client)
    for _ in range(3):
        pair = (await refresh(client, pair["refresh_token"])).json
    items = (await client.signed_in(pair["access_token"]).get("/sessions")).json["items"]
    assert [item["current"] for item in items] == [True, False]
    assert (await user.client.delete(f"/sessions/{items[0]['id']}")).status == 204
    assert (await refresh(client, pair["refresh_token"])).status == 401


@pytest.mark.parametrize("path", ROUTES)
async def test_every_sign_in_route_takes_both_grants_as_forms_and_json(
    client: Client, user: User, path: str
) -> None:
    for name in ("data", "json"):
        answer = await client.post(path, **{name: PASSWORD_GRANT})
        assert answer.status == 200
        grant = {"grant_type": "refresh_token", "refresh_token": answer.json["refresh_token"]}
        refreshed = await client.post(path, **{name: grant})
        assert (refreshed.status, refreshed.json.keys()) == (200, answer.json.keys())
        assert (await client.signed_in(refreshed.json["access_token"]).get("/auth/me")).status == 200


async def test_a_form_is_as_programs_of_oauth_send_it(client: Client, user: User) -> None:
    """With a scope, a client's name and password, and an empty field; and by Basic, which nobody reads."""
    form = PASSWORD_GRANT | {"scope": "", "client_id": "swagger", "client_secret": "x", "resource": "y"}
    answer = await client.post("/token", data=form, headers={"Authorization": "Basic Og=="})
    assert answer.status == 200
    without_grant = {"email": "ANNA", "password": PASSWORD}
    assert (await client.post("/token", data=without_grant)).status == 200


def multipart(fields: dict[str, str]) -> aiohttp.MultipartWriter:
    writer = aiohttp.MultipartWriter("form-data")
    for name, value in fields.items():
        writer.append(value).set_content_disposition("form-data", name=name)
    return writer


@pytest.mark.parametrize("path", ROUTES)
async def test_a_form_may_be_multipart(client: Client, user: User, path: str) -> None:
    """As browsers' FormData and curl -F send it."""
    more = {"scope": "", "client_id": "swagger"}
    answer = await client.post(path, data=multipart(PASSWORD_GRANT | more))
    assert answer.status == 200
    grant = {"grant_type": "refresh_token", "refresh_token": answer.json["refresh_token"]}
    assert (await client.post(path, data=multipart(grant))).status == 200
    wrong = await client.post(path, data=multipart({**PASSWORD_GRANT, "password": "wrong"}))
    assert (wrong.status, wrong.json["error"]) == (401, "invalid_grant")


NAMED_A = b'Content-Disposition: form-data; name="username"\r\n\r\na'


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([NAMED_A], 422),
        ([NAMED_A, NAMED_A], 400),
        ([NAMED_A + b"\xff"], 400),
        ([NAMED_A.replace(b"username", b"field %d" % number) for number in range(101)], 400),
        ([b"\r\n\r\na"], 422),
        ([b"A: " + b"a" * 9000], 400),
        ([], 422),
    ],
)
async def test_a_multipart_form_that_is_none_is_refused(
    client: Client, user: User, parts: list[bytes], status: int
) -> None:
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    for data, expected in ((body, status), (body[:-5], 400), (b"", 400)):
        answer = await client.post(
            "/token", data=data, headers={"Content-Type": "multipart/form-data; boundary=b"}
        )
        assert (answer.status, answer.json["error"]) == (expected, "invalid_request")


REFUSALS: list[tuple[Any, tuple[int, str, str]]] = [
    ({**PASSWORD_GRANT, "password": "wrong"}, (401, "bad_credentials", "invalid_grant")),
    ({**PASSWORD_GRANT, "username": "nobody"}, (401, "bad_credentials", "invalid_grant")),
    ({**PASSWORD_GRANT, "password": ""}, (422, "invalid", "invalid_request")),
    ({"grant_type": "password"}, (422, "invalid", "invalid_request")),
    ({"grant_type": "refresh_token"}, (422, "invalid", "invalid_request")),
    ({"grant_type": "refresh_token", "refresh_token": "x"}, (401, "bad_token", "invalid_grant")),
    ({"grant_type": "refresh_token", "refresh_token": "x" * 201}, (422, "invalid", "invalid_request")),
    (
        {**PASSWORD_GRANT, "grant_type": "client_credentials"},
        (400, "unsupported_grant_type", "unsupported_grant_type"),
    ),
    ("username=anna&username=anna&password=x", (400, "bad_request", "invalid_request")),
    ("username=%ff&password=x", (400, "bad_request", "invalid_request")),
    (b"username=\xff&password=x", (400, "bad_request", "invalid_request")),
]


@pytest.mark.parametrize(("form", "refusal"), REFUSALS)
@pytest.mark.parametrize("path", ROUTES)
async def test_a_problem_of_a_form_is_told_as_oauth_tells_it_too(
    client: Client, user: User, path: str, form: Any, refusal: tuple[int, str, str]
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await client.post(path, data=form, headers=headers)
    assert (answer.status, answer.code, answer.json["error"]) == refusal
    assert answer.json["error_description"].isascii()
    assert {"type", "title", "status", "detail", "request_id"} <= answer.json.keys()


async def test_json_is_held_to_what_it_says(client: Client, user: User) -> None:
    unknown = await client.post("/token", json={**PASSWORD_GRANT, "scope": "all"})
    assert (unknown.pointers, unknown.json["error"]) == (["/scope"], "invalid_request")
    for wrong, status in (([], 422), ("x", 422), ({"grant_type": 5}, 422), ({"grant_type": "x"}, 400)):
        assert (await client.post("/token", json=wrong)).status == status
    text = await client.post("/token", data="x", headers={"Content-Type": "text/plain"})
    assert (text.status, text.json["error"]) == (415, "invalid_request")
    empty = await client.post("/token/refresh", json={})
    assert (empty.pointers, empty.json["error"]) == (["/refresh_token"], "invalid_request")


async def test_a_description_holds_only_letters_that_oauth_allows(client: Client, user: User) -> None:
    answer = await client.post("/token", json={'"\\ä': 1})
    assert answer.json["errors"][0]["pointer"] == '/"\\ä'
    assert answer.json["error_description"].startswith("'/?: ")


async def test_other_problems_have_no_member_of_oauth(client: Client) -> None:
    for answer in (await client.get("/profile"), await client.post("/register", json={})):
        assert "error" not in answer.json


async def test_refreshes_at_once_over_http_get_one_pair(client: Client, user: User, deps: Deps) -> None:
    pair = await sign_in(client)
    answers = await asyncio.gather(*(refresh(client, pair["refresh_token"]) for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1


def test_the_document_tells_oauth2_beside_bearer() -> None:
    schemes = document()["components"]["securitySchemes"]
    assert schemes["oauth2"]["flows"]["password"]["tokenUrl"] == "/api/v1/token"
    assert schemes["bearer"]["scheme"] == "bearer"
    content = document()["paths"]["/api/v1/token"]["post"]["requestBody"]["content"]
    forms = {"application/x-www-form-urlencoded", "multipart/form-data"}
    assert content.keys() == {"application/json", *forms}
