import pytest

from tests.support.http_client import Client, User

PASSWORD = "correct horse battery"


async def test_a_profile_is_changed_where_it_is_named(user: User) -> None:
    before = (await user.client.get("/profile")).json
    changed = await user.client.patch("/profile", json={"name": "Anna Seghers", "email": "Anna@Shop.example"})
    assert changed.status == 200
    expected = {"first_name": "Anna", "last_name": "Seghers", "email": "Anna@Shop.example"}
    assert changed.json == {**before, **expected}
    changed = await user.client.patch("/profile", json={"last_name": "", "email": None})
    assert changed.json == {**before, "first_name": "Anna"}
    assert (await user.client.patch("/profile", json={})).json == changed.json


async def test_an_email_serves_to_sign_in(client: Client, user: User) -> None:
    await user.client.patch("/profile", json={"email": "anna@shop.example"})
    answer = await client.post("/login", json={"email": "ANNA@shop.example", "password": PASSWORD})
    assert answer.status == 200


async def test_an_email_belongs_to_one_user(user: User, other_user: User) -> None:
    assert (await user.client.patch("/profile", json={"email": "a@shop.example"})).status == 200
    refusal = await other_user.client.patch("/profile", json={"email": "A@SHOP.example", "name": "B"})
    assert (refusal.status, refusal.code) == (409, "email_taken")
    assert (await other_user.client.get("/profile")).json["first_name"] == ""
    assert (await user.client.patch("/profile", json={"email": "A@shop.example"})).status == 200


async def test_a_new_password_ends_the_other_tokens(client: Client, user: User, other_user: User) -> None:
    token = (await client.post("/login", json={"login": "anna", "password": PASSWORD})).json["access_token"]
    assert (await client.signed_in(token).get("/profile")).status == 200
    changes = {"password": "another good one", "current_password": PASSWORD}
    assert (await user.client.patch("/profile", json=changes)).status == 200
    assert (await client.signed_in(token).get("/profile")).code == "bad_token"
    assert (await user.client.get("/profile")).status == 200
    assert (await other_user.client.get("/profile")).status == 200
    assert (await client.post("/login", json={"login": "anna", "password": PASSWORD})).status == 401
    signed_in = await client.post("/login", json={"login": "anna", "password": "another good one"})
    assert signed_in.status == 200


async def test_a_new_password_ends_all_keys_and_other_refresh_tokens(
    client: Client, user: User, other_user: User
) -> None:
    other = (await client.post("/login", json={"login": "anna", "password": PASSWORD})).json
    own = (await client.post("/login", json={"login": "anna", "password": PASSWORD})).json
    anna = client.signed_in(own["access_token"])
    keys = [
        (await each.post("/keys", json={"name": "k", "scopes": ["profile:read"]})).json["key"]
        for each in (anna, other_user.client)
    ]
    assert (await client.signed_in(keys[0]).get("/profile")).status == 200
    assert (await anna.patch("/profile", json={"password": "another good one"})).status == 200
    assert (await client.signed_in(keys[0]).get("/profile")).code == "bad_token"
    assert (await client.signed_in(keys[1]).get("/profile")).status == 200
    assert (await anna.get("/keys")).json["items"] == []
    for pair, status in ((other, 401), (own, 200)):
        answer = await client.post("/token/refresh", json={"refresh_token": pair["refresh_token"]})
        assert answer.status == status


@pytest.mark.parametrize("password", ["ANNA-SEGHERS", "anna-seghers", "\uff41nna-seghers"])
async def test_a_password_is_not_the_login(client: Client, password: str) -> None:
    new = {"login": "Anna-Seghers", "password": password}
    assert (await client.post("/register", json=new)).pointers == ["/password"]
    assert (await client.post("/register", json={**new, "password": PASSWORD})).status == 201
    answer = await client.post("/login", json={"login": "anna-seghers", "password": PASSWORD})
    anna = client.signed_in(answer.json["access_token"])
    assert (await anna.patch("/profile", json={"password": password})).pointers == ["/password"]


async def test_a_new_password_needs_the_current_one(client: Client, user: User) -> None:
    changes = {"password": "another good one", "current_password": "wrong", "first_name": "X"}
    answer = await user.client.patch("/profile", json=changes)
    assert (answer.status, answer.code) == (403, "bad_credentials")
    assert (await user.client.get("/profile")).json["first_name"] == ""
    assert (await client.post("/login", json={"login": "anna", "password": PASSWORD})).status == 200


async def test_guessing_the_current_password_is_throttled(user: User) -> None:
    changes = {"password": "another good one", "current_password": "wrong"}
    answers = [await user.client.patch("/profile", json=changes) for _ in range(6)]
    assert [answer.status for answer in answers] == [403] * 5 + [429]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"password": "short", "current_password": PASSWORD}, "/password"),
        ({"password": "password1", "current_password": PASSWORD}, "/password"),
        ({"current_password": None}, "/current_password"),
        ({"login": "other"}, "/login"),
        ({"role": "admin"}, "/role"),
        ({"first_name": None}, "/first_name"),
        ({"first_name": "x" * 101}, "/first_name"),
        ({"email": "none"}, "/email"),
        ({"name": "A", "last_name": "B"}, "/name"),
    ],
)
async def test_a_profile_refuses_what_it_can_not_keep(
    user: User, changes: dict[str, str | None], pointer: str
) -> None:
    answer = await user.client.patch("/profile", json=changes)
    assert (answer.status, answer.pointers) == (422, [pointer])
