from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from sqlalchemy import select, update

from db.models import Account, Session
from service.deps import Deps
from service.security.credential_cache import session_entry
from service.security.passwords import Hasher
from service.security.tokens import TokenSettings
from tests.support.http_client import Client, User
from tests.support.http_server import SECRET, RunningApp

PASSWORD = "correct horse battery"


async def test_every_sign_in_route_gives_a_token(client: Client, user: User) -> None:
    tokens = set()
    for path in ("/user/auth", "/login", "/auth/login", "/token"):
        answer = await client.post(path, json={"login": "ANNA", "password": PASSWORD})
        assert answer.json.keys() == {
            *("access_token", "token_type", "expires_in", "refresh_token", "refresh_expires_in")
        }
        assert (answer.status, answer.json["token_type"], answer.json["expires_in"]) == (200, "Bearer", 1800)
        assert answer.json["refresh_expires_in"] == 14 * 24 * 3600
        assert (await client.signed_in(answer.json["access_token"]).get("/profile")).json["id"] == user.id
        tokens |= {answer.json["access_token"], answer.json["refresh_token"]}
    assert len(tokens) == 8


@pytest.mark.parametrize("name", ["login", "username", "email"])
async def test_a_sign_in_may_call_the_login_what_it_likes(client: Client, user: User, name: str) -> None:
    assert (await client.post("/login", json={name: "anna", "password": PASSWORD})).status == 200


async def test_several_names_are_of_one_account(client: Client, user: User, other_user: User) -> None:
    await user.client.patch("/profile", json={"email": "anna@shop.example"})
    for names, status in (
        ({"login": "ANNA", "username": "anna", "email": "Anna@shop.example"}, 200),
        ({"login": "anna", "email": "boris"}, 401),
        ({"login": "boris", "email": "anna@shop.example"}, 401),
        ({"login": "anna", "email": "nobody@shop.example"}, 401),
        ({"login": "nobody", "email": "anna@shop.example"}, 401),
    ):
        answer = await client.post("/login", json={**names, "password": PASSWORD})
        assert answer.status == status, names
        if status == 401:
            assert answer.code == "bad_credentials"


async def test_a_sign_in_needs_a_name_and_a_password(client: Client, user: User) -> None:
    assert (await client.post("/login", json={"password": PASSWORD})).pointers == ["/login"]
    assert (await client.post("/login", json={"login": "anna"})).pointers == ["/password"]


async def test_login_and_email_of_an_account_are_throttled_as_one(client: Client, user: User) -> None:
    await user.client.patch("/profile", json={"email": "anna@shop.example"})
    names = ["anna", "anna@shop.example", "ANNA"]
    statuses = [
        (await client.post("/login", json={"login": names[number % 3], "password": "wrong"})).status
        for number in range(6)
    ]
    assert statuses == [401] * 5 + [429]
    changes = {"name": "A", "current_password": "wrong"}
    assert (await user.client.patch("/profile", json=changes)).status == 429
    assert (await client.post("/login", json={"login": "nobody", "password": "wrong"})).status == 401


async def test_a_wrong_password_and_an_unknown_login_look_the_same(client: Client, user: User) -> None:
    wrong = await client.post("/login", json={"login": "anna", "password": "wrong"})
    unknown = await client.post("/login", json={"login": "nobody", "password": PASSWORD})
    assert (wrong.status, wrong.code) == (401, "bad_credentials")
    assert wrong.headers["WWW-Authenticate"] == "Bearer"
    same = {"request_id": ""}
    assert {**wrong.json, **same} == {**unknown.json, **same}


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER   ", ""])
async def test_a_token_comes_with_its_scheme_or_bare(client: Client, user: User, scheme: str) -> None:
    answer = await client.get("/profile", headers={"Authorization": scheme + user.token})
    assert answer.json["id"] == user.id


def forged(token: str, claims: dict[str, Any], *, key: str = SECRET, algorithm: str = "HS256") -> str:
    """Sign a token's claims anew, with some of them changed; those that are None are left out."""
    payload = {**jwt.decode(token, options={"verify_signature": False}), **claims}
    return jwt.encode(
        {name: value for name, value in payload.items() if value is not None},
        key.encode().ljust(64, b"\0"),
        algorithm=algorithm,
        headers={**jwt.get_unverified_header(token), "alg": algorithm},
    )


async def test_every_forged_token_is_refused(client: Client, user: User, other_user: User) -> None:
    head, body, signature = user.token.split(".")
    past = datetime.now(UTC) - timedelta(seconds=1)
    payload = jwt.decode(user.token, options={"verify_signature": False})
    bad = [
        forged(user.token, {}, key="another secret, that is long enough too"),
        forged(user.token, {}, algorithm="HS512"),
        jwt.encode(payload, "", algorithm="none", headers={"typ": "at+jwt"}),
        forged(user.token, {"exp": past}),
        forged(user.token, {"sid": "00000000-0000-4000-8000-000000000000"}),
        forged(user.token, {"sid": str(other_user.session_id)}),
        forged(user.token, {"sub": str(other_user.id)}),
        *(forged(user.token, {claim: None}) for claim in payload),
        f"{head}.{body}.{signature[:-2]}",
        f"{head}.{body}.",
        f"{head}..{signature}",
        *(
            "x",
            "a.b.c",
            "....",
            "Bearer",
            "\udcff",
            "é",
            "x" * 100_000,
            "trawl_",
            "trawl_nothing",
            "trawl_\udcf0",
        ),
    ]
    for token in bad:
        answer = await client.get("/profile", headers={"Authorization": f"Bearer {token}"[:60_000]})
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), token[:80]


async def test_a_token_of_another_account_is_refused_though_its_session_is_cached(
    client: Client, user: User, other_user: User, deps: Deps
) -> None:
    assert (await user.client.get("/profile")).status == 200
    assert await deps.cache.run("GET", session_entry(user.session_id))
    stolen = client.signed_in(forged(user.token, {"sub": str(other_user.id)}))
    assert (await stolen.get("/profile")).code == "bad_token"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b"])
async def test_what_is_no_token_is_refused(client: Client, header: str) -> None:
    assert (await client.get("/profile", headers={"Authorization": header})).status == 401


async def test_the_good_claims_of_a_forger_with_the_secret_would_do(client: Client, user: User) -> None:
    """Without its fault, each forgery above would be valid."""
    assert (await client.signed_in(forged(user.token, {})).get("/profile")).status == 200


async def test_a_new_secret_signs_nobody_out_while_the_previous_one_is_named(
    client: Client, user: User, server: RunningApp, deps: Deps
) -> None:
    new = TokenSettings("another secret, that is long enough too")
    server.use(replace(deps, tokens=replace(new, previous_secret=SECRET)))
    assert (await user.client.get("/profile")).status == 200
    answer = await client.post("/login", json={"login": "anna", "password": PASSWORD})
    server.use(replace(deps, tokens=new))
    assert (await client.signed_in(answer.json["access_token"]).get("/profile")).status == 200
    assert (await user.client.get("/profile")).code == "bad_token"


async def test_longer_algorithms_work_with_a_short_secret(
    client: Client, user: User, server: RunningApp, deps: Deps
) -> None:
    server.use(replace(deps, tokens=TokenSettings("x" * 32, "HS512", timedelta(seconds=90))))
    answer = await client.post("/login", json={"login": "anna", "password": PASSWORD})
    token = answer.json["access_token"]
    assert (answer.json["expires_in"], jwt.get_unverified_header(token)["alg"]) == (90, "HS512")
    assert (await client.signed_in(token).get("/profile")).status == 200


async def test_signing_out_ends_this_token_alone(client: Client, user: User) -> None:
    token = (await client.post("/login", json={"login": "anna", "password": PASSWORD})).json["access_token"]
    second = client.signed_in(token)
    assert (await second.get("/profile")).status == 200
    assert (await second.post("/logout")).status == 204
    assert (await second.get("/profile")).code == "bad_token"
    assert (await second.post("/logout")).code == "bad_token"
    assert (await user.client.get("/profile")).status == 200


async def test_signing_out_of_all_ends_the_users_tokens_and_keys_and_no_others(
    client: Client, user: User, other_user: User
) -> None:
    token = (await client.post("/login", json={"login": "anna", "password": PASSWORD})).json["access_token"]
    key = (await user.client.post("/keys", json={"name": "k", "scopes": ["profile:read"]})).json["key"]
    for live in (token, key):
        assert (await client.signed_in(live).get("/profile")).status == 200
    assert (await user.client.post("/logout?all=true")).status == 204
    for ended in (user.token, token, key):
        assert (await client.signed_in(ended).get("/profile")).status == 401
    assert (await other_user.client.get("/profile")).status == 200


@pytest.mark.parametrize("value", ["1", "yes", ""])
async def test_signing_out_of_all_is_said_clearly(user: User, value: str) -> None:
    assert (await user.client.post(f"/logout?all={value}")).pointers == ["/all"]


async def test_live_tokens_are_listed_and_can_be_ended(client: Client, user: User, other_user: User) -> None:
    agent = {"User-Agent": "phone/1.0"}
    answer = await client.post("/login", json={"login": "anna", "password": PASSWORD}, headers=agent)
    phone = client.signed_in(answer.json["access_token"])
    items = (await user.client.get("/sessions")).json["items"]
    assert [item["current"] for item in items] == [False, True]
    assert items[0].keys() == {
        *("id", "created_at", "last_used_at", "expires_at", "address", "agent", "current")
    }
    assert (items[0]["agent"], items[0]["address"]) == ("phone/1.0", "127.0.0.1")
    path = f"/sessions/{items[0]['id']}"
    assert (await other_user.client.delete(path)).code == "not_found"
    assert (await phone.get("/profile")).status == 200
    assert (await user.client.delete(path)).status == 204
    assert (await phone.get("/profile")).status == 401
    assert (await user.client.delete(path)).code == "not_found"
    assert [item["current"] for item in (await user.client.get("/sessions")).json["items"]] == [True]


async def test_pages_of_sessions_join(client: Client, user: User) -> None:
    for _ in range(4):
        await client.post("/login", json={"login": "anna", "password": PASSWORD})
    whole = (await user.client.get("/sessions")).json["items"]
    first = (await user.client.get("/sessions?limit=3")).json
    second = (await user.client.get(f"/sessions?limit=3&cursor={first['next']}")).json
    assert first["items"] + second["items"] == whole
    assert (len(whole), second["next"]) == (5, None)


async def test_an_expired_session_is_neither_listed_nor_kept(client: Client, user: User, deps: Deps) -> None:
    answer = await client.post("/login", json={"login": "anna", "password": PASSWORD})
    past = datetime.now(UTC) - timedelta(minutes=1)
    async with deps.db.transaction() as session:
        await session.execute(update(Session).where(Session.id != user.session_id).values(expires_at=past))
    assert (await client.signed_in(answer.json["access_token"]).get("/profile")).status == 401
    assert len((await user.client.get("/sessions")).json["items"]) == 1
    await client.post("/login", json={"login": "anna", "password": PASSWORD})
    async with deps.db.transaction() as session:
        ends = await session.scalars(select(Session.expires_at).where(Session.account_id == user.id))
        assert all(expires_at > past for expires_at in ends)


async def test_a_hash_of_lower_cost_is_renewed_at_sign_in(
    client: Client, user: User, server: RunningApp, deps: Deps
) -> None:
    stronger = Hasher(log_n=5)
    server.use(replace(deps, hasher=stronger))
    for expected in (200, 200):
        answer = await client.post("/login", json={"login": "anna", "password": PASSWORD})
        assert answer.status == expected
        async with deps.db.transaction() as session:
            phc = await session.scalar(select(Account.password_hash).where(Account.id == user.id))
        assert phc is not None
        assert phc.startswith("$scrypt$ln=5,r=8,p=3$")


async def test_a_closed_account_can_not_sign_in(client: Client, user: User, deps: Deps) -> None:
    async with deps.db.transaction() as session:
        await session.execute(update(Account).where(Account.id == user.id).values(active=False))
    answer = await client.post("/login", json={"login": "anna", "password": PASSWORD})
    assert answer.code == "bad_credentials"
    assert (await user.client.get("/profile")).code == "bad_token"
