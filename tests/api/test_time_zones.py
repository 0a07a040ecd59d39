"""The table of time zones: what is in it, and that every route refuses all else alike."""

import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.time_zones import is_time_zone, time_zone_names
from tests.support.document_checks import document
from tests.support.http_client import User

ROOT = Path(__file__).parents[2]
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


def test_zones_are_those_of_the_package_whatever_the_system_has(tmp_path: Path) -> None:
    """The system here has Tokyo's clock in Berlin."""
    (tmp_path / "Europe").mkdir()
    tokyo = (files("tzdata") / "zoneinfo" / "Asia" / "Tokyo").read_bytes()
    (tmp_path / "Europe" / "Berlin").write_bytes(tokyo)
    script = (
        "from datetime import date; from zoneinfo import ZoneInfo; ZoneInfo('Europe/Berlin'); "
        "from calendar_days import start_of_day; print(start_of_day(date(2026, 7, 1), 'Europe/Berlin'))"
    )
    environment = os.environ | {"PYTHONTZPATH": str(tmp_path)}
    printed = subprocess.check_output([sys.executable, "-c", script], env=environment, cwd=ROOT, text=True)
    assert printed == "2026-06-30 22:00:00+00:00\n"


def test_only_one_module_knows_zones() -> None:
    """All others call its `time_zone`, so none can read a table of the system."""
    folders = ("api", "clients", "commands", "config", "db", "server", "service", "telemetry", "transport")
    paths = [*ROOT.glob("*.py"), *(path for folder in folders for path in (ROOT / folder).rglob("*.py"))]
    assert [path.name for path in paths if "zoneinfo" in path.read_text("utf-8")] == ["calendar_days.py"]
    sql = [path.read_text("utf-8") for path in (ROOT / "db" / "sql" / "reports").glob("*.sql")]
    assert not [text for text in sql if "TIME ZONE" in text or ":tz" in text.replace("of :tz", "")]


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
