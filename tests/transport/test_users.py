import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from db.database import Database
from db.models import Account
from service.deps import Deps
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp

NAMES = {"first_name": "Clara", "last_name": "Zetkin"}
NEW = {"login": "Clara", "password": "a good password", **NAMES}
FIELDS = {"id", "login", "email", "first_name", "last_name", "role", "created_at"}


def wide(text: str) -> str:
    """Write letters in their full-width forms, which NFKC turns into the usual ones."""
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


async def test_a_user_is_created_and_can_sign_in(client: Client) -> None:
    answer = await client.post("/user", json=NEW)
    assert answer.status == 201
    assert answer.json.keys() == FIELDS
    assert answer.json["created_at"].endswith("Z")
    assert {**answer.json, "id": 0, "created_at": ""} == {
        "id": 0,
        "login": "Clara",
        "email": None,
        "role": "user",
        "created_at": "",
        **NAMES,
    }
    assert answer.headers["Location"] == f"/user/{answer.json['id']}"
    signed_in = await client.post("/user/auth", json={"login": "clara", "password": NEW["password"]})
    profile = await client.signed_in(signed_in.json["access_token"]).get("/profile")
    assert profile.json == answer.json


async def test_a_location_keeps_the_prefix_of_its_request(client: Client) -> None:
    answer = await client.post("/api/v1/user", json=NEW)
    assert answer.headers["Location"] == f"/api/v1/user/{answer.json['id']}"


@pytest.mark.parametrize("missing", sorted(NEW))
async def test_a_user_needs_every_field(client: Client, missing: str) -> None:
    answer = await client.post("/user", json={name: NEW[name] for name in NEW if name != missing})
    assert answer.pointers == [f"/{missing}"]


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ({"login": "dora"}, ["dora", None, "", ""]),
        ({"username": "dora"}, ["dora", None, "", ""]),
        ({"email": "dora@shop.example"}, ["dora@shop.example", "dora@shop.example", "", ""]),
        ({"username": "dora", "email": "d@shop.example"}, ["dora", "d@shop.example", "", ""]),
        ({"login": "dora", "username": "dora", "name": "Dora"}, ["dora", None, "Dora", ""]),
        ({"login": "dora", "name": " Dora Maria  B. "}, ["dora", None, "Dora", "Maria  B."]),
        ({"login": "dora", "last_name": "Benjamin"}, ["dora", None, "", "Benjamin"]),
        (
            dict.fromkeys(("username", "email", "first_name", "last_name", "name")) | {"login": "dora"},
            ["dora", None, "", ""],
        ),
        ({"login": None, "username": "dora", "name": "Dora"}, ["dora", None, "Dora", ""]),
    ],
)
async def test_signing_up_takes_every_spelling(
    client: Client, fields: dict[str, str | None], values: list[str | None]
) -> None:
    answer = await client.post("/register", json={**fields, "password": "a good password"})
    assert answer.status == 201
    assert [answer.json[name] for name in ("login", "email", "first_name", "last_name")] == values
    for name in filter(None, values[:2]):
        signed_in = await client.post("/login", json={"login": name.upper(), "password": "a good password"})
        assert signed_in.status == 200


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({}, "/login"),
        ({"login": "ab"}, "/login"),
        ({"login": "x" * 255}, "/login"),
        ({"login": " dora"}, "/login"),
        ({"login": "do\nra"}, "/login"),
        ({"login": "do\0ra"}, "/login"),
        ({"login": "\ufdfa" * 254}, "/login"),
        ({"login": "dora", "username": "clara"}, "/username"),
        ({"email": "no e-mail"}, "/email"),
        ({"login": "dora", "name": "D", "first_name": "D"}, "/name"),
        ({"login": "dora", "name": "D" * 101}, "/name"),
        ({"login": "dora", "role": "admin"}, "/role"),
        ({"login": "dora", "password": "1234567"}, "/password"),
        ({"login": "dora", "password": "x" * 129}, "/password"),
        ({"login": "dora", "password": "Password1"}, "/password"),
        ({"login": "dora", "password": wide("password")}, "/password"),
    ],
)
async def test_signing_up_refuses_what_it_can_not_keep(
    client: Client, fields: dict[str, str], pointer: str
) -> None:
    answer = await client.post("/register", json={"password": "a good password", **fields})
    assert (answer.status, answer.pointers) == (422, [pointer])


@pytest.mark.parametrize("password", ["8 chars!", "x" * 128])
async def test_the_shortest_and_the_longest_password_are_taken(client: Client, password: str) -> None:
    assert (await client.post("/register", json={"login": "dora", "password": password})).status == 201


@pytest.mark.parametrize("login", ["anna", "ANNA", wide("A") + "nna"])
async def test_a_login_is_taken_in_any_case(client: Client, user: User, login: str) -> None:
    for path, names in (("/user", NAMES), ("/register", {})):
        answer = await client.post(path, json={**names, "login": login, "password": "a good password"})
        assert (answer.status, answer.code) == (409, "login_taken")


async def test_nobody_takes_anothers_email_as_login_or_login_as_email(client: Client) -> None:
    password = {"password": "a good password"}
    first = {"login": "first@shop.example", "email": "mine@shop.example", **password}
    assert (await client.post("/register", json=first)).status == 201
    stolen = await client.post("/register", json={"login": "MINE@shop.example", **password})
    assert stolen.code == "login_taken"
    stolen = await client.post("/register", json={"login": "x-y", "email": "first@shop.example", **password})
    assert stolen.code == "email_taken"


async def test_one_of_many_who_want_a_login_at_once_gets_it(
    client: Client, server: RunningApp, deps: Deps, committed_db: Database
) -> None:
    server.use(replace(deps, db=committed_db))
    answers = await asyncio.gather(*(client.post("/user", json=NEW) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 9
    async with committed_db.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Account)) == 1


async def test_only_an_admin_creates_users_where_registration_is_closed(
    client: Client, user: User, admin: User, server: RunningApp, deps: Deps
) -> None:
    server.use(replace(deps, registration_open=False))
    for path, new in (("/user", NEW), ("/register", {"login": "dora", "password": "a good password"})):
        for refused in (client, user.client):
            assert (await refused.post(path, json=new)).code == "registration_closed"
        assert (await client.signed_in("forged").post(path, json=new)).status == 401
        assert (await admin.client.post(path, json=new)).status == 201


async def test_everybody_is_listed_without_others_emails(
    client: Client, user: User, other_user: User, admin: User
) -> None:
    await other_user.client.patch("/profile", json={"email": "boris@shop.example"})
    page = (await user.client.get("/user/all")).json
    assert page["next"] is None
    assert {"Anna", "Boris", "Root", "noise-1", "noise-2"} <= {item["login"] for item in page["items"]}
    assert [item["id"] for item in page["items"]] == sorted(item["id"] for item in page["items"])
    assert {item["login"] for item in page["items"] if "email" in item} == {"Anna"}
    assert all(item.keys() <= FIELDS for item in page["items"])
    items = (await admin.client.get("/user/all")).json["items"]
    assert [item["email"] for item in items if item["login"] == "Boris"] == ["boris@shop.example"]


async def test_a_login_that_is_an_email_is_shown_to_others_without_its_host(
    client: Client, user: User, admin: User
) -> None:
    new = {"email": "clara@shop.example", "password": "a good password"}
    clara = (await client.post("/register", json=new)).json
    assert clara["login"] == "clara@shop.example"
    for viewer, login in ((user.client, "clara"), (admin.client, "clara@shop.example")):
        items = (await viewer.get("/user/all")).json["items"]
        assert [item["login"] for item in items if item["id"] == clara["id"]] == [login]
    signed_in = await client.post("/login", json=new)
    own = client.signed_in(signed_in.json["access_token"])
    assert (await own.get("/auth/me")).json["login"] == "clara@shop.example"
    items = (await own.get("/user/all")).json["items"]
    assert {"clara@shop.example", "Anna"} <= {item["login"] for item in items}


async def test_pages_of_users_join_without_gap_or_double(user: User, admin: User) -> None:
    whole = (await user.client.get("/user/all")).json["items"]
    path, items = "/api/v1/user/all?limit=2", []
    while path:
        answer = await user.client.get(path)
        items += answer.json["items"]
        path = ""
        if answer.json["next"]:
            path = answer.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
            assert path.startswith("/api/v1/user/all?limit=2&cursor=")
    assert items == whole
    assert (await user.client.get("/user/all?limit=2&offset=1")).json["items"] == whole[1:3]


async def test_a_user_changes_its_own_names(user: User, other_user: User) -> None:
    answer = await user.client.patch(f"/user/{user.id}", json=NAMES)
    assert (answer.status, answer.json["first_name"], answer.json["last_name"]) == (200, "Clara", "Zetkin")
    assert (await user.client.patch(f"/user/{user.id}", json={})).json == answer.json
    assert (await other_user.client.get("/profile")).json["first_name"] == ""


async def test_nobody_changes_another_user(user: User, other_user: User, admin: User) -> None:
    for stranger in (other_user, admin):
        for target in (user.id, 10**15):
            assert (await stranger.client.patch(f"/user/{target}", json=NAMES)).code == "not_yours"
            assert (await stranger.client.delete(f"/user/{target}")).code == "not_yours"
    assert (await user.client.get("/profile")).json["first_name"] == ""


@pytest.mark.parametrize("path", ["/profile", "/user/{}"])
async def test_deleting_a_user_ends_it_at_once(
    client: Client, user: User, other_user: User, deps: Deps, path: str
) -> None:
    key = (await user.client.post("/keys", json={"name": "k", "scopes": ["profile:read"]})).json["key"]
    for token in (user.token, key):
        assert (await client.signed_in(token).get("/profile")).status == 200
    answer = await user.client.delete(path.format(user.id))
    assert (answer.status, answer.body) == (204, b"")
    for token in (user.token, key):
        assert (await client.signed_in(token).get("/profile")).code == "bad_token"
    assert (
        await client.post("/login", json={"login": "Anna", "password": "correct horse battery"})
    ).status == 401
    assert (await other_user.client.get("/profile")).status == 200
    async with deps.db.transaction() as session:
        assert await session.scalar(select(Account.id).where(Account.id == user.id)) is None


async def test_a_login_is_free_again_after_its_user_is_gone(client: Client, user: User) -> None:
    await user.client.delete("/profile")
    assert (await client.post("/user", json={**NEW, "login": "anna"})).status == 201
