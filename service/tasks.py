"""Tasks: each user's own list of what is to be done. Another's task is no task."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from db.database import Database
from db.queries import tasks as queries
from db.queries.tasks import SortValue, TaskFilter, TaskOrder
from service.errors import Changed, NotFound
from service.security.identifiers import fold

TaskRow = queries.TaskRow  # a task, as transport gets it

TICK = timedelta(microseconds=1)  # the least by which PostgreSQL tells times apart
TITLE_KEY_LENGTH = 200  # characters; some letters fold to many, and an index entry is bounded

Expectation = Callable[[TaskRow], bool]  # whether a task is still the one that the caller has seen


def anything(_: TaskRow) -> bool:
    """The expectation of those who have none."""
    return True


def title_key(title: str) -> str:
    """What titles are ordered by: without regard to case, by code point."""
    return fold(title)[:TITLE_KEY_LENGTH]


def sort_value(task: TaskRow, sort: str) -> SortValue:
    """What of a task tells its place in a list, as `after` of `list_tasks` takes it."""
    if sort.endswith("title"):
        return title_key(task.title)
    value: SortValue = getattr(task, sort.removeprefix("-"))
    return value


async def create_task(db: Database, user_id: int, *, now: datetime, **fields: Any) -> TaskRow:
    """A new task of `title`, `description`, `status`, `priority` and `due_at`."""
    async with db.transaction() as session:
        return await queries.insert_task(
            session,
            account_id=user_id,
            created_at=now,
            updated_at=now,
            **fields,
            **_folded(fields["title"], fields["description"]),
        )


async def get_task(db: Database, user_id: int, task_id: int) -> TaskRow:
    async with db.raw() as connection:
        task = await queries.select_task(connection, user_id, task_id)
    if task is None:
        raise _no_task(task_id)
    return task


async def list_tasks(
    db: Database,
    user_id: int,
    *,
    sort: str,
    after: tuple[SortValue, int] | None,
    limit: int,
    offset: int,
    q: str = "",
    **filters: Any,
) -> list[TaskRow]:
    """Ordered by `sort`, a field with `-` in front for descending; one more than `limit` if more follow.

    `q` is words, all of which occur in the title or the description. `filters` are those of TaskFilter.
    """
    wanted = TaskFilter(words=fold(q).split(), **filters)
    order = TaskOrder(sort.removeprefix("-"), descending=sort.startswith("-"), after=after)
    async with db.read() as session:
        return await queries.select_tasks(session, user_id, wanted, order, limit=limit + 1, offset=offset)


async def update_task(
    db: Database,
    user_id: int,
    task_id: int,
    changes: dict[str, Any],
    *,
    now: datetime,
    expected: Expectation = anything,
) -> TaskRow:
    """Set the fields that `changes` names. What leaves everything as it was is no change.

    :raises NotFound: it is not there, or not the user's
    :raises Changed: it is not as expected
    """
    async with db.transaction() as session:
        task = await queries.lock_task(session, user_id, task_id)
        if task is None:
            raise _no_task(task_id)
        if not expected(task):
            raise _changed(task_id)
        values = {name: value for name, value in changes.items() if value != getattr(task, name)}
        if not values:
            return task
        # Clocks go back at times, and two changes may share a microsecond: the time tells versions apart.
        values["updated_at"] = max(now, task.updated_at + TICK)
        values |= _folded(values.get("title", task.title), values.get("description", task.description))
        changed = await queries.update_task(session, user_id, task_id, **values)
    if changed is None:
        raise _no_task(task_id)
    return changed


async def delete_task(db: Database, user_id: int, task_id: int, *, expected: Expectation = anything) -> None:
    """End a task.

    :raises NotFound: it is not there, or not the user's
    :raises Changed: it is not as expected
    """
    async with db.transaction() as session:
        task = await queries.lock_task(session, user_id, task_id)
        if task is None:
            raise _no_task(task_id)
        if not expected(task):
            raise _changed(task_id)
        await queries.delete_task(session, user_id, task_id)


def _folded(title: str, description: str) -> dict[str, str]:
    return {"title_key": title_key(title), "search_text": fold(f"{title}\n{description}")}


def _no_task(task_id: int) -> NotFound:
    return NotFound(f"no task {task_id}")


def _changed(task_id: int) -> Changed:
    return Changed(f"task {task_id} is no longer as you have seen it")
