"""Shares: a link shows one view of the dashboard to whoever has it, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from api.reports import REQUESTS
from api.shares import REPORT_KEYS
from db.models import Account, Share
from service.deps import Deps, RateLimits
from service.security.quotas import Quotas
from tests.support.eventually import eventually
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp
from tests.transport.test_access import PUBLIC
from transport.settings import HttpSettings

DATES = {"from": "2018-10-25", "to": "2018-10-31", "tz": "Europe/Berlin"}  # a clock changes in between
START, END = "2018-10-24T22:00:00Z", "2018-10-31T23:00:00Z"


async def make_share(user: User, view: str = "reports", **fields: Any) -> dict[str, Any]:
    answer = await user.client.post("/shares", json={"view": view, **fields})
    assert answer.status == 201, answer.body
    assert answer.headers["Location"].endswith(f"/shares/{answer.json['id']}")
    share: dict[str, Any] = answer.json
    return share


def reader(client: Client, share: dict[str, Any]) -> Client:
    """Return somebody who has the link of a share."""
    path, _, key = share["link"].partition("#share=")
    assert path == "/dashboard"
    return client.signed_in(key)


async def is_let_in(somebody: Client, path: str, **parameters: str) -> bool:
    answer = await somebody.get(path, params=parameters)
    if answer.status == 200:
        return True
    assert (answer.status, answer.code) == (403, "out_of_scope"), answer.body
    return False


async def test_a_share_is_told_with_its_link_once_and_stored_hashed(user: User, deps: Deps) -> None:
    share = await make_share(user, parameters={"period": "7d"}, expires_at="2099-01-01T00:00:00Z")
    fields = {"id", "view", "parameters", "created_at", "expires_at", "last_used_at"}
    assert share.keys() == fields | {"link"}
    assert (share["view"], share["parameters"]) == ("reports", {"period": "7d"})
    assert (await user.client.get("/shares")).json == {
        "items": [{name: share[name] for name in fields}],
        "next": None,
    }
    async with deps.db.transaction() as session:
        [row] = await session.scalars(select(Share))
    assert share["link"].partition("=")[2] not in repr(vars(row))


async def test_the_link_has_the_path_of_the_server(server: RunningApp, user: User, deps: Deps) -> None:
    server.use(deps, HttpSettings(base_path="/trawl"))
    assert (await make_share(user))["link"].startswith("/trawl/dashboard#share=trawl_share_")


async def test_whoever_has_the_link_learns_the_view_and_no_more(client: Client, user: User) -> None:
    await user.client.post("/visits", json={"page_url": "/about", "timestamp": "2018-08-01T03:00:00Z"})
    share = await make_share(user, "overview", parameters={"country": "US", **DATES})
    answer = await reader(client, share).get("/shares/current")
    assert answer.json == {
        "view": "overview",
        "parameters": {"country": "US", **DATES},
        "newest": "2018-08-01T03:00:00Z",
    }
    assert (await user.client.get("/shares/current")).code == "not_found"


async def test_pages_of_shares_join_and_hold_no_others(user: User, other_user: User) -> None:
    await make_share(other_user)
    ids = [(await make_share(user))["id"] for _ in range(3)]
    first = (await user.client.get("/shares?limit=2")).json
    second = (await user.client.get(f"/shares?limit=2&cursor={first['next']}")).json
    assert [item["id"] for item in first["items"] + second["items"]] == ids[::-1]


async def test_a_share_of_the_reports_shows_them_with_their_own_parameters(
    client: Client, user: User
) -> None:
    somebody = reader(client, await make_share(user, parameters={**DATES, "source": "log"}))
    asked = {**DATES, "source": "log"}
    assert await is_let_in(somebody, "/reports")
    assert await is_let_in(somebody, "/report/1", **asked)
    assert await is_let_in(somebody, "/report/2", **asked, category="fresh_fish", limit="5", format="csv")
    instants = {"from": START, "to": END, "tz": "Europe/Berlin", "source": "log"}
    assert await is_let_in(somebody, "/report/4", **instants)
    for name in ("from", "to", "tz", "source"):
        fewer = {key: value for key, value in asked.items() if key != name}
        assert not await is_let_in(somebody, "/report/1", **fewer)
    for change in ({"source": "all"}, {"tz": "UTC"}, {"from": "2018-10-24"}, {"to": "2018-11-01"}):
        assert not await is_let_in(somebody, "/report/1", **asked | change)
    assert not await is_let_in(somebody, "/visits/stats", **asked)


async def test_a_share_of_the_reports_shows_each_with_its_own_parameters(client: Client, user: User) -> None:
    share = await make_share(user, parameters={"r2.category": "caviar", "r3.pages": "all"})
    somebody = reader(client, share)
    assert await is_let_in(somebody, "/report/2", category="caviar")
    assert await is_let_in(somebody, "/report/2", category="caviar", pages="all", traffic="human")
    assert await is_let_in(somebody, "/report/3", category="frozen_fish", pages="all")
    assert await is_let_in(somebody, "/report/6", min_age="0")
    assert not await is_let_in(somebody, "/report/2", category="fresh_fish")
    assert not await is_let_in(somebody, "/report/2")
    assert not await is_let_in(somebody, "/report/2", category="caviar", pages="product")
    assert not await is_let_in(somebody, "/report/3", pages="category")
    assert not await is_let_in(somebody, "/report/5", category="caviar")
    assert not await is_let_in(somebody, "/report/6", min_age="5")


async def test_a_parameter_of_all_reports_holds_for_those_that_take_it(client: Client, user: User) -> None:
    somebody = reader(client, await make_share(user, parameters={"category": "caviar"}))
    for number in (2, 3, 5):
        assert await is_let_in(somebody, f"/report/{number}", category="caviar")
        assert not await is_let_in(somebody, f"/report/{number}")
    assert await is_let_in(somebody, "/report/4")
    overview = reader(client, await make_share(user, "overview", parameters={"category": "caviar"}))
    assert not await is_let_in(overview, "/report/6")  # which can't be filtered so


def test_shares_know_the_own_parameters_of_the_reports() -> None:
    common = REQUESTS[4]().fields.keys()
    own = {
        f"r{number}.{name}" for number, schema in REQUESTS.items() for name in schema().fields.keys() - common
    }
    assert set(REPORT_KEYS) == own


async def test_a_share_of_the_overview_shows_its_filters_grouped_in_any_way(
    client: Client, user: User
) -> None:
    somebody = reader(client, await make_share(user, "overview", parameters={**DATES, "country": "US"}))
    asked = {**DATES, "country": "US"}
    for group_by in ("page", "hour", "country,day"):
        assert await is_let_in(somebody, "/visits/stats", **asked, group_by=group_by, limit="5")
    assert await is_let_in(somebody, "/visits/stats", **asked, compare="previous")
    before = {"from": "2018-10-18", "to": "2018-10-24", "tz": "Europe/Berlin", "country": "US"}
    assert await is_let_in(somebody, "/visits/stats", **before)
    assert not await is_let_in(somebody, "/visits/stats", **DATES)
    for change in ({"country": "DE"}, {"user_id": "1"}, {"page_url": "/"}, {"category": "caviar"}):
        assert not await is_let_in(somebody, "/visits/stats", **asked | change)
    assert not await is_let_in(somebody, "/visits/stats", **asked, kind="cart")
    assert await is_let_in(somebody, "/visits/stats", **asked, kind="product")  # which it lists by themselves
    for group_by in ("user", "user,day"):
        assert not await is_let_in(somebody, "/visits/stats", **asked, group_by=group_by)
    assert not await is_let_in(somebody, "/report/6", **DATES)  # which has no such filter
    assert not await is_let_in(somebody, "/reports")


async def test_reports_count_the_sources_of_an_overview_together(client: Client, user: User) -> None:
    somebody = reader(client, await make_share(user, "overview", parameters={"source": "site"}))
    assert await is_let_in(somebody, "/visits/stats", source="site")
    assert await is_let_in(somebody, "/report/6", source="api")
    assert not await is_let_in(somebody, "/visits/stats", source="api")
    assert not await is_let_in(somebody, "/report/6", source="all")


async def test_a_share_without_a_period_shows_all_times_and_no_part_of_them(
    client: Client, user: User
) -> None:
    for parameters in ({}, {"period": "all"}):
        somebody = reader(client, await make_share(user, "overview", parameters=parameters))
        assert await is_let_in(somebody, "/visits/stats")
        assert await is_let_in(somebody, "/visits/stats", tz="Asia/Tokyo", group_by="day")
        assert await is_let_in(somebody, "/report/6", source="all", traffic="human")
        assert not await is_let_in(somebody, "/report/1")  # which the overview does not show
        last_days = {"from": "2018-08-01", "to": "2018-08-14"}  # of a heat map
        assert await is_let_in(somebody, "/visits/stats", group_by="hour", **last_days)
        assert not await is_let_in(somebody, "/visits/stats", group_by="page", **last_days)
        for name, value in (
            ("from", "2018-08-01"),
            ("to", "2018-08-01"),
            ("traffic", "bot"),
            ("source", "log"),
        ):
            assert not await is_let_in(somebody, "/visits/stats", **{name: value})


@pytest.mark.parametrize(
    ("period", "allowed", "refused"),
    [
        (
            "today",
            ["2018-08-14/2018-08-14", "2018-08-13/2018-08-13"],
            ["2018-08-10/2018-08-10", "2018-08-13/2018-08-14"],
        ),
        (
            "7d",
            ["2018-08-08/2018-08-14", "2018-08-01/2018-08-07"],
            ["2018-07-01/2018-07-07", "2018-08-08/2018-08-13"],
        ),
        ("24h", ["2018-08-13T12:15:00Z/2018-08-14T12:15:00Z"], ["2018-08-14T11:15:00Z/2018-08-14T12:15:00Z"]),
        (
            "month",
            ["2018-08-01/2018-08-14", "2018-07-18/2018-07-31"],
            ["2018-05-01/2018-05-14", "2018-07-01/2018-08-14"],
        ),
        ("last-month", ["2018-07-01/2018-07-31", "2018-05-31/2018-06-30"], ["2018-08-01/2018-08-14"]),
        (
            "year",
            ["2018-01-01/2018-08-14", "2017-05-20/2017-12-31"],
            ["2016-01-01/2016-08-14", "2017-01-01/2018-08-14"],
        ),
    ],
)
async def test_a_period_that_ends_at_the_newest_visit_moves_with_it(
    client: Client, user: User, period: str, allowed: list[str], refused: list[str]
) -> None:
    await user.client.post("/visits", json={"page_url": "/a", "timestamp": "2018-08-14T12:00:00Z"})
    somebody = reader(client, await make_share(user, "overview", parameters={"period": period}))

    async def outcomes(periods: list[str]) -> list[bool]:
        pairs = [each.split("/") for each in periods]
        return [await is_let_in(somebody, "/visits/stats", **{"from": a, "to": b}) for a, b in pairs]

    assert all(await outcomes(allowed))
    assert not any(await outcomes(refused))
    assert not await is_let_in(somebody, "/visits/stats")
    assert not await is_let_in(somebody, "/visits/stats", **{"from": "2018-08-01"})
    assert not await is_let_in(
        somebody, "/visits/stats", group_by="hour", **{"from": "2016-01-01", "to": "2016-01-01"}
    )


@pytest.mark.parametrize(
    "query",
    [
        "from=2018-10-25&from=2018-10-25&to=2018-10-31&tz=Europe/Berlin",
        "from=2018-10-25&to=2018-10-31&tz=Europe/Berlin&tz=Europe/Berlin",
        "from=2018-10-25&to=2018-10-31&tz=Europe/Berlin&secret=1",
        "from=2018-10-25&to=2018-10-31&tz=Europe/Berlin&user_id=",
        "from=2018-10-25&to=2018-10-31&tz=Nowhere",
        "from=yesterday&to=2018-10-31&tz=Europe/Berlin",
        "from=%FF&to=2018-10-31&tz=Europe/Berlin",
        "from=0001-01-01&to=9999-12-31&tz=Europe/Berlin",
        "&".join(f"a{number}=1" for number in range(200)),
    ],
)
async def test_odd_queries_are_outside_the_share(client: Client, user: User, query: str) -> None:
    share = await make_share(user, "overview", parameters=DATES)
    headers = {"Authorization": f"Bearer {reader(client, share).token}"}
    # Not as the OpenAPI document has it, so not with `client`.
    async with client.session.get(f"/visits/stats?{query}", headers=headers) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (403, "out_of_scope")


async def test_a_share_is_no_way_around_its_routes(client: Client, user: User) -> None:
    somebody = reader(client, await make_share(user))
    for prefix in ("", "/api/v1"):
        assert (await somebody.get(f"{prefix}/report/1")).status == 200
        for path in (
            "/visits",
            "/profile",
            "/user/all",
            "/live",
            "/tasks",
            "/shares",
            "/visits/export",
            "/sites",
        ):
            assert (await somebody.get(prefix + path)).code == "out_of_scope"
    assert (await somebody.request("HEAD", "/report/1")).status == 200
    assert (await somebody.request("HEAD", "/visits")).status == 403
    assert (await somebody.post("/visits", json={"page_url": "/"})).code == "out_of_scope"
    assert (await somebody.post("/shares", json={"view": "reports"})).code == "out_of_scope"
    assert (await somebody.post("/logout")).code == "out_of_scope"


async def test_an_admins_share_has_no_more_rights(client: Client, admin: User) -> None:
    somebody = reader(client, await make_share(admin))
    for path in ("/admin/users", "/sites", "/admin/auth-events"):
        assert (await somebody.get(path)).code == "out_of_scope"


async def test_an_api_key_makes_no_share(client: Client, user: User) -> None:
    key = (await user.client.post("/keys", json={"name": "k", "scopes": ["reports:read"]})).json["key"]
    assert (await client.signed_in(key).post("/shares", json={"view": "reports"})).code == "out_of_scope"


async def test_an_ended_share_is_dead_at_once(client: Client, user: User, other_user: User) -> None:
    share = await make_share(user)
    somebody = reader(client, share)
    assert (await somebody.get("/report/1")).status == 200
    path = f"/shares/{share['id']}"
    assert (await other_user.client.delete(path)).code == "not_found"
    assert (await user.client.delete(path)).status == 204
    assert (await somebody.get("/report/1")).code == "bad_token"
    assert (await user.client.delete(path)).code == "not_found"


async def test_an_expired_share_is_dead_though_it_was_just_in_use(
    client: Client, user: User, deps: Deps
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    somebody = reader(client, await make_share(user, expires_at=soon.isoformat()))
    assert (await somebody.get("/report/1")).status == 200
    async with deps.db.transaction() as session:
        await session.execute(update(Share).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    await deps.cache.run("FLUSHALL")  # as two seconds later
    assert (await somebody.get("/report/1")).code == "bad_token"


@pytest.mark.parametrize("end", ["deleted", "deactivated", "password", "signed out everywhere"])
async def test_shares_end_with_what_lets_their_owner_in(
    client: Client, user: User, admin: User, end: str
) -> None:
    somebody = reader(client, await make_share(user))
    assert (await somebody.get("/report/1")).status == 200
    match end:
        case "deleted":
            answer = await user.client.delete("/profile")
        case "deactivated":
            answer = await admin.client.patch(f"/admin/users/{user.id}", json={"active": False})
        case "password":
            answer = await user.client.patch("/profile", json={"password": "a new and longer one"})
        case _:
            answer = await user.client.post("/logout?all=true")
    assert answer.status in (200, 204)
    assert (await somebody.get("/report/1")).code == "bad_token"
    if end == "deactivated":
        await admin.client.patch(f"/admin/users/{user.id}", json={"active": True})
        assert (await somebody.get("/report/1")).code == "bad_token"


async def test_a_share_of_a_closed_account_is_dead(client: Client, user: User, deps: Deps) -> None:
    somebody = reader(client, await make_share(user))
    async with deps.db.transaction() as session:
        await session.execute(update(Account).where(Account.id == user.id).values(active=False))
    assert (await somebody.get("/report/1")).code == "bad_token"


async def test_readers_of_a_share_use_up_their_own_limit_and_not_the_owners(
    server: RunningApp, client: Client, user: User, deps: Deps
) -> None:
    somebody = reader(client, await make_share(user))
    server.use(replace(deps, limits=RateLimits(default=3, ingest=3)))
    codes = [(await somebody.get("/reports")).status for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    assert (await user.client.get("/reports")).status == 200


async def test_there_are_so_many_shares_at_most_and_expired_ones_do_not_count(
    server: RunningApp, user: User, deps: Deps
) -> None:
    server.use(replace(deps, quotas=Quotas(shares=2)))
    first = await make_share(user, expires_at=(datetime.now(UTC) + timedelta(days=1)).isoformat())
    await make_share(user)
    assert (await user.client.post("/shares", json={"view": "reports"})).code == "quota_exceeded"
    async with deps.db.transaction() as session:
        await session.execute(
            update(Share).where(Share.id == first["id"]).values(expires_at=datetime.now(UTC))
        )
    await make_share(user)


async def test_last_use_and_the_audit_tell_of_shares(client: Client, user: User, admin: User) -> None:
    share = await make_share(user)
    await reader(client, share).get("/reports")

    async def is_used() -> bool:
        [item] = (await user.client.get("/shares")).json["items"]
        return item["last_used_at"] is not None

    await eventually(is_used)
    await user.client.delete(f"/shares/{share['id']}")
    events = (await admin.client.get("/admin/auth-events?login=anna")).json["items"]
    assert [event["type"] for event in events] == ["share_ended", "share_created"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"view": "everything"}, "/view"),
        ({"view": None}, "/view"),
        ({"parameters": []}, "/parameters"),
        ({"parameters": {"secret": "1"}}, "/parameters/secret"),
        ({"parameters": {"period": "8d"}}, "/parameters/period"),
        ({"parameters": {"period": "7d", "from": "2018-08-01"}}, "/parameters/period"),
        ({"parameters": {"from": "yesterday"}}, "/parameters/from"),
        ({"parameters": {"to": "2018-02-30"}}, "/parameters/to"),
        ({"parameters": {"tz": "Mars"}}, "/parameters/tz"),
        ({"parameters": {"country": "US"}}, "/parameters/country"),
        ({"parameters": {"r2.category": 7}}, "/parameters/r2.category"),
        ({"parameters": {"r2.category": "a" * 2049}}, "/parameters/r2.category"),
        ({"parameters": {"r4.category": "caviar"}}, "/parameters/r4.category"),
        ({"view": "overview", "parameters": {"r1.metric": "visitors"}}, "/parameters/r1.metric"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"key": "mine"}, "/key"),
    ],
)
async def test_a_share_refuses_what_it_can_not_be(user: User, fields: dict[str, Any], pointer: str) -> None:
    answer = await user.client.post("/shares", json={"view": "reports", **fields})
    assert (answer.status, answer.pointers) == (422, [pointer])


def test_no_public_route_takes_shares() -> None:
    assert not [name for name in PUBLIC if "/shares" in name]
