"""What the key of a share reads: its view with its parameters, and nothing else."""

import pytest

from api.reports import REQUESTS
from api.shares import REPORT_KEYS
from tests.support.http_client import Client, User
from tests.support.shares import DATES, is_let_in, make_share, reader
from tests.transport.test_access import PUBLIC

START, END = "2018-10-24T22:00:00Z", "2018-10-31T23:00:00Z"  # of DATES


async def test_a_share_of_the_reports_shows_them_with_their_own_parameters(
    client: Client, user: User
) -> None:
    somebody = reader(client, await make_share(user, parameters={**DATES, "source": "log"}))
    parameters = {**DATES, "source": "log"}
    assert await is_let_in(somebody, "/reports")
    assert await is_let_in(somebody, "/report/1", **parameters)
    assert await is_let_in(
        somebody, "/report/2", **parameters, category="fresh_fish", limit="5", format="csv"
    )
    instants = {"from": START, "to": END, "tz": "Europe/Berlin", "source": "log"}
    assert await is_let_in(somebody, "/report/4", **instants)
    for name in ("from", "to", "tz", "source"):
        fewer = {key: value for key, value in parameters.items() if key != name}
        assert not await is_let_in(somebody, "/report/1", **fewer)
    for change in ({"source": "all"}, {"tz": "UTC"}, {"from": "2018-10-24"}, {"to": "2018-11-01"}):
        assert not await is_let_in(somebody, "/report/1", **parameters | change)
    assert not await is_let_in(somebody, "/visits/stats", **parameters)


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
    assert set(REPORT_KEYS) == own - {"r6.compare"}  # which tells no more than the period before


async def test_a_share_of_the_overview_shows_its_filters_grouped_in_any_way(
    client: Client, user: User
) -> None:
    somebody = reader(client, await make_share(user, "overview", parameters={**DATES, "country": "US"}))
    parameters = {**DATES, "country": "US"}
    for group_by in ("page", "hour", "country,day"):
        assert await is_let_in(somebody, "/visits/stats", **parameters, group_by=group_by, limit="5")
    assert await is_let_in(somebody, "/visits/stats", **parameters, compare="previous")
    before = {"from": "2018-10-18", "to": "2018-10-24", "tz": "Europe/Berlin", "country": "US"}
    assert await is_let_in(somebody, "/visits/stats", **before)
    assert not await is_let_in(somebody, "/visits/stats", **DATES)
    for change in ({"country": "DE"}, {"user_id": "1"}, {"page_url": "/"}, {"category": "caviar"}):
        assert not await is_let_in(somebody, "/visits/stats", **parameters | change)
    assert not await is_let_in(somebody, "/visits/stats", **parameters, kind="cart")
    assert await is_let_in(
        somebody, "/visits/stats", **parameters, kind="product"
    )  # which it lists by themselves
    for group_by in ("user", "user,day"):
        assert not await is_let_in(somebody, "/visits/stats", **parameters, group_by=group_by)
    assert not await is_let_in(somebody, "/report/6", **DATES)  # which has no such filter
    by_hour = reader(client, await make_share(user, "overview", parameters={**DATES, "unit": "hour"}))
    assert await is_let_in(by_hour, "/visits/stats", **DATES, group_by="day")  # the unit is the chart's alone
    assert await is_let_in(by_hour, "/report/6", **DATES, compare="previous")
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


def test_no_public_route_takes_shares() -> None:
    assert not [name for name in PUBLIC if "/shares" in name]
