"""GET /tasks: filters, words, orders and pages, each beside a plain Python oracle."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import insert

from api.paging import encode_cursor
from api.tasks import SORT_VALUES, SORTS
from db.models import Task
from service.deps import Deps
from service.security.identifiers import fold
from tests.support.http_client import User

RANKS = {"low": 1, "normal": 2, "high": 3}
START = datetime(2026, 1, 1, tzinfo=UTC)
TITLES = ("Apple", "banana", "Éclair", "apple", "zebra", "Öl", "Straße", "100% wool", "snake_case")


async def fill(deps: Deps, account_id: int, seed: int, count: int = 40) -> None:
    """Tasks with many equal values, in an order that is not that of their ids.

    Not of chance alone: among forty there may be no apple that is still to do.
    """
    chance = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        title = chance.choice(TITLES)
        rows.append(
            {
                "account_id": account_id,
                "title": title,
                "title_key": fold(title),
                "search_text": fold(f"{title}\nText {number}"),
                "status": chance.choice(("todo", "in_progress", "done")),
                "priority": chance.choice(tuple(RANKS)),
                "due_at": chance.choice([None, *(START + timedelta(days=day) for day in range(3))]),
                "created_at": START + timedelta(hours=chance.randrange(5)),
                "updated_at": START + timedelta(hours=chance.randrange(5)),
            }
        )
    async with deps.db.transaction() as session:
        await session.execute(insert(Task), rows)


@pytest.fixture
async def tasks(user: User, other_user: User, deps: Deps) -> list[dict[str, Any]]:
    """The user's tasks, by id; others have some too."""
    await fill(deps, user.id, seed=1)
    await fill(deps, other_user.id, seed=2)
    items: list[dict[str, Any]] = (await user.client.get("/tasks?limit=1000")).json["items"]
    assert len(items) == 40
    return sorted(items, key=lambda item: item["id"])


def ordered(items: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    """Sort as the oracle: by stable sorts one after the other, with null dates last in both directions."""
    field, down = sort.removeprefix("-"), sort.startswith("-")

    def key(item: dict[str, Any]) -> Any:
        value = item[field]
        if field == "priority":
            return RANKS[value]
        return fold(value) if field == "title" else value or ""

    by_id = sorted(items, key=lambda item: item["id"], reverse=down)
    by_key = sorted(by_id, key=key, reverse=down)
    return sorted(by_key, key=lambda item: item[field] is None)


async def ids(user: User, query: str) -> list[int]:
    answer = await user.client.get(f"/tasks?{query}")
    assert answer.status == 200, answer.body
    return [item["id"] for item in answer.json["items"]]


@pytest.mark.parametrize("sort", SORTS)
async def test_pages_in_every_order_join_to_the_whole(
    user: User, tasks: list[dict[str, Any]], sort: str
) -> None:
    expected = [item["id"] for item in ordered(tasks, sort)]
    assert await ids(user, f"sort={sort}&limit=1000") == expected
    assert await ids(user, f"sort={sort}&limit=9&offset=13") == expected[13:22]
    path, task_ids = f"/tasks?sort={sort}&limit=7", []
    while path:
        answer = await user.client.get(path)
        task_ids += [item["id"] for item in answer.json["items"]]
        link = answer.headers.get("Link", "")
        assert bool(link) == (answer.json["next"] is not None)
        path = link.partition("<")[2].partition(">")[0]
    assert task_ids == expected


async def test_without_a_sort_the_newest_come_first(user: User, tasks: list[dict[str, Any]]) -> None:
    assert await ids(user, "limit=1000") == [item["id"] for item in ordered(tasks, "-created_at")]


@pytest.mark.parametrize(
    ("query", "keep"),
    [
        ("status=done", lambda task: task["status"] == "done"),
        ("priority=low", lambda task: task["priority"] == "low"),
        ("status=todo&priority=high", lambda t: (t["status"], t["priority"]) == ("todo", "high")),
        ("due_before=2026-01-02T00:00:00Z", lambda t: t["due_at"] and t["due_at"] < "2026-01-02T00:00:00Z"),
        ("q=apple&status=todo", lambda t: t["title"].lower() == "apple" and t["status"] == "todo"),
    ],
)
async def test_a_filter_of_tasks_keeps_those_that_fit(
    user: User, tasks: list[dict[str, Any]], query: str, keep: Any
) -> None:
    expected = {task["id"] for task in tasks if keep(task)}
    assert 0 < len(expected) < len(tasks)
    assert set(await ids(user, f"{query}&limit=1000")) == expected


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("SALMON", {"fish"}),
        ("salm two", {"fish"}),
        ("two salm", {"fish"}),
        ("salmon beer", set()),
        ("straße", {"street"}),
        ("STRASSE", {"street"}),
        ("ÖL", {"oil"}),
        ("öl", {"oil"}),
        ("привет", {"russian"}),
        ("100%", {"wool"}),
        ("%", {"wool"}),
        ("_", {"snake"}),
        ("\\", {"snake"}),
        ("e\u0301clair", {"cake"}),
        ("", {"fish", "street", "oil", "russian", "wool", "snake", "cake"}),
        (" ", {"fish", "street", "oil", "russian", "wool", "snake", "cake"}),
        ("'; DROP TABLE task; --", set()),
    ],
)
async def test_all_words_occur_in_title_or_description(
    user: User, other_user: User, q: str, names: set[str]
) -> None:
    texts = {
        "fish": ("Buy Salmon", "two pieces"),
        "street": ("Straße", ""),
        "oil": ("Öl", ""),
        "russian": ("ПРИВЕТ", "мир"),
        "wool": ("100% wool", ""),
        "snake": ("snake_case", "back\\slash"),
        "cake": ("Éclair", ""),
    }
    titles = {}
    for name, (title, description) in texts.items():
        fields = {"title": title, "description": description}
        titles[(await user.client.post("/tasks", json=fields)).json["id"]] = name
        await other_user.client.post("/tasks", json=fields)
    assert {titles[task_id] for task_id in await ids(user, f"q={quote(q)}")} == names


async def test_a_changed_task_is_found_by_its_new_words_alone(user: User) -> None:
    task = (await user.client.post("/tasks", json={"title": "Old", "description": "kept"})).json
    await user.client.patch(f"/tasks/{task['id']}", json={"title": "New"})
    assert await ids(user, "q=new kept") == [task["id"]]
    assert await ids(user, "q=old") == []
    await user.client.put(f"/tasks/{task['id']}", json={"title": "New"})
    assert await ids(user, "q=kept") == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("status=open", "/status"),
        ("priority=", "/priority"),
        ("due_before=soon", "/due_before"),
        ("sort=id", "/sort"),
        ("sort=--title", "/sort"),
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("offset=-1", "/offset"),
        ("cursor=x", "/cursor"),
        ("page=2", "/page"),
        (f"q={'x' * 201}", "/q"),
        ("q=%00", "/q"),
    ],
)
async def test_a_list_refuses_what_it_does_not_know(user: User, query: str, pointer: str) -> None:
    answer = await user.client.get(f"/tasks?{query}")
    assert (answer.status, answer.pointers) == (422, [pointer])


async def test_a_cursor_is_for_its_sort_alone(user: User, tasks: list[dict[str, Any]]) -> None:
    for sort in SORTS:
        cursor = (await user.client.get(f"/tasks?sort={sort}&limit=1")).json["next"]
        for other in SORTS:
            answer = await user.client.get(f"/tasks?sort={other}&cursor={cursor}")
            assert answer.status == (200 if sort == other else 422)
        assert (await user.client.get(f"/tasks?sort={sort}&cursor={cursor}&offset=1")).pointers == ["/offset"]


@pytest.mark.parametrize("sort", list(SORT_VALUES))
@pytest.mark.parametrize("value", [5, True, [], {}, 2**70, "\ud800", "a\0b", "x" * 500, None])
async def test_a_forged_cursor_is_refused(user: User, sort: str, value: Any) -> None:
    if isinstance(value, str) and "\ud800" in value:
        cursor = "WyJ0aXRsZSIsIlx1ZDgwMCIsMV0"  # ["title","\ud800",1]
    else:
        cursor = encode_cursor([sort, value, 1])
    answer = await user.client.get(f"/tasks?sort={sort}&cursor={cursor}")
    assert answer.status == (200 if (sort, value) == ("due_at", None) else 422)
