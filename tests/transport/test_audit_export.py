"""The audit as a table: format, Accept, filters, formulas, and any number of rows."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from db.database import Database
from db.models import AuthEvent
from service.deps import Deps
from tests.support.http_client import Answer, Client, User

START = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
COLUMNS = ["id", "time", "type", "user_id", "login", "actor", "address", "agent"]
MANY = 2500  # more than a batch holds, and more than any page


@pytest.fixture
def db(committed_db: Database) -> Database:
    """Exports have connections of their own."""
    return committed_db


def rows(answer: Answer) -> list[dict[str, str]]:
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    reader = csv.DictReader(io.StringIO(answer.body.decode(), newline=""))
    assert reader.fieldnames == COLUMNS
    return list(reader)


async def add_events(deps: Deps, *events: dict[str, Any]) -> None:
    async with deps.db.transaction() as session:
        await session.execute(
            insert(AuthEvent), [{"login": None, "login_key": None, **each} for each in events]
        )


async def test_the_table_has_all_events_that_the_pages_have(admin: User, deps: Deps) -> None:
    await add_events(
        deps, *({"type": "login", "at": START + timedelta(seconds=number)} for number in range(MANY))
    )
    path, items = "/admin/auth-events?type=login&limit=1000", []
    cursor: str | None = ""
    while cursor is not None:
        answer = (await admin.client.get(f"{path}&cursor={cursor}" if cursor else path)).json
        items += answer["items"]
        cursor = answer["next"]
    answer = await admin.client.get("/admin/auth-events?type=login&format=csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    table = rows(answer)
    assert len(table) == MANY
    assert table == [
        {name: "" if item[name] is None else str(item[name]) for name in COLUMNS} for item in items
    ]
    assert len(rows(await admin.client.get("/admin/auth-events?type=login&format=csv&limit=7"))) == 7
    assert (
        rows(await admin.client.get("/admin/auth-events?type=login&format=csv&offset=2000")) == table[2000:]
    )
    page = (await admin.client.get("/admin/auth-events?type=login&limit=600")).json
    rest = await admin.client.get(f"/admin/auth-events?type=login&format=csv&cursor={page['next']}")
    assert rows(rest) == table[600:]


@pytest.mark.parametrize(
    ("accept", "query", "is_table"),
    [
        ("text/csv", "", True),
        ("application/xml, text/csv;q=0.5", "", True),
        ("text/*", "", True),
        ("text/csv;q=0, application/json", "", False),
        ("*/*", "", False),
        ("text/csv", "&format=json", False),
        ("application/json", "&format=csv", True),
    ],
)
async def test_the_format_is_chosen_by_name_or_else_by_accept(
    admin: User, accept: str, query: str, is_table: bool
) -> None:
    answer = await admin.client.get(f"/admin/auth-events?type=logout{query}", headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith("text/csv" if is_table else "application/json")


async def test_the_table_takes_the_filters_of_the_pages(
    client: Client, user: User, other_user: User, admin: User
) -> None:
    await user.client.post("/logout")
    await admin.client.patch(f"/admin/users/{other_user.id}", json={"role": "admin"})
    await client.post("/login", json={"login": "boris", "password": "wrong"})
    for query, types in (
        ("login=BORIS", ["login_failed", "role_changed"]),
        ("actor=root", ["role_changed"]),
        ("login=anna&type=logout", ["logout"]),
        ("to=2020-01-01", []),
        ("from=2020-01-01&login=boris&limit=1", ["login_failed"]),
    ):
        answer = await admin.client.get(f"/admin/auth-events?format=csv&{query}")
        assert [row["type"] for row in rows(answer)] == types
    [row] = rows(await admin.client.get("/admin/auth-events?format=csv&login=boris&actor=root"))
    assert (row["login"], row["actor"], row["address"]) == ("Boris", "Root", "127.0.0.1")


async def test_a_login_that_begins_like_a_formula_is_guarded_unless_raw(client: Client, admin: User) -> None:
    formula = '=HYPERLINK("http:x")'
    agent = {"User-Agent": "@SUM(1)"}
    await client.post("/login", json={"login": formula, "password": "x"}, headers=agent)
    for raw, guard in (("", "'"), ("&raw=false", "'"), ("&raw=true", "")):
        [row] = rows(await admin.client.get(f"/admin/auth-events?format=csv&type=login_failed{raw}"))
        assert (row["login"], row["agent"]) == (f"{guard}{formula}", f"{guard}@SUM(1)")


async def test_the_table_is_for_admins_and_refuses_what_the_pages_refuse(user: User, admin: User) -> None:
    assert (await user.client.get("/admin/auth-events?format=csv")).code == "admins_only"
    for query, pointer in (
        ("format=xml", "/format"),
        ("format=csv&type=nothing", "/type"),
        ("format=csv&raw=perhaps", "/raw"),
        ("format=csv&limit=1001", "/limit"),
        ("format=csv&to=2020-01-01&from=2021-01-01", "/to"),
    ):
        assert (await admin.client.get(f"/admin/auth-events?{query}")).pointers == [pointer]
    head = await admin.client.request("HEAD", "/admin/auth-events?format=csv")
    assert (head.status, head.body) == (200, b"")
