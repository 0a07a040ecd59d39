"""The table of time zones: what is in it, and that every route refuses all else alike."""

from zoneinfo import ZoneInfo

import pytest

from api.time_zones import is_time_zone, time_zone_names
from tests.support.document_checks import document
from tests.support.http_client import User

STRANGERS = [
    "",
    "Factory",
    "Mars/Olympus",
    "UTC ",
    "a" * 1000,
    "europe/berlin",
    "localtime",
    "posix/UTC",
    "posixrules",
    "right/Europe/Berlin",
    "tzdata.zi",
    "../UTC",
    "%00",
]
NEEDED = {
    "/report/{number}": "/report/1?",
    "/events/stats": "/events/stats?group_by=day&",
    "/stats/retention": "/stats/retention?start=2024-02-01&",
    "/stats/funnel": "/stats/funnel?steps=a,b&",
}


def paths_with_a_zone() -> list[str]:
    """List what the document tells to take `tz`, with what else is needed there."""
    paths = []
    for path, methods in document()["paths"].items():
        names = {parameter["name"] for parameter in methods.get("get", {}).get("parameters", ())}
        if "tz" in names:
            short = path.removeprefix("/api/v1")
            paths.append(NEEDED.get(short, f"{short}?"))
    return paths


def test_every_name_of_the_table_is_a_zone() -> None:
    assert len(time_zone_names()) > 500
    for name in time_zone_names():
        assert ZoneInfo(name).key == name
    for name in ("UTC", "Europe/Berlin", "America/Argentina/ComodRivadavia", "CET", "GMT0"):
        assert is_time_zone(name)


async def test_every_route_with_a_zone_refuses_what_is_none_by_one_code(admin: User) -> None:
    assert {"/report/1?", "/visits/stats?", "/stats/dau?"} <= set(paths_with_a_zone())
    for path in paths_with_a_zone():
        assert (await admin.client.get(f"{path}tz=Europe/Berlin")).status == 200, path
        for name in STRANGERS:
            answer = await admin.client.get(f"{path}tz={name}")
            problem = (answer.status, answer.json["code"], answer.pointers)
            assert problem == (422, "unknown_time_zone", ["/tz"]), (path, name)


@pytest.mark.parametrize("query", ["tz=posix/UTC&limit=0", "limit=0&tz=posix/UTC"])
async def test_a_wrong_zone_among_other_errors_is_told_too(user: User, query: str) -> None:
    answer = await user.client.get(f"/report/4?{query}")
    assert (answer.json["code"], sorted(answer.pointers)) == ("unknown_time_zone", ["/limit", "/tz"])
