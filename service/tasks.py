"""Tasks: each user's own list of what is to be done. Another user's task is not found."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from db.database import Database, Transaction
from db.queries import tasks as queries
from db.queries.accounts import lock_owner
from db.queries.tasks import SortValue, TaskFilter, TaskOrder
from service.errors import NotFound, PreconditionFailed
from service.security.identifiers import fold
from service.security.quotas import check_quota
from service.security.tokens import BadToken

TaskRow = queries.TaskRow  # a task, as transport gets it

RESOLUTION = timedelta(microseconds=1)  # of PostgreSQL's times
TITLE_KEY_LENGTH = 200  # characters; some letters fold to many, and an index entry is bounded

Precondition = Callable[[TaskRow], bool]  # whether a task is still the version that the caller has read


def no_precondition(_: TaskRow) -> bool:
    """Accept any version of a task."""
    return True


def title_key(title: str) -> str:
    """Return what titles are ordered by: without regard to case, by code point."""
    return fold(title)[:TITLE_KEY_LENGTH]


def sort_value(task: TaskRow, sort: str) -> SortValue:
    """Return the value that a task is sorted by, as `after` of `list_tasks` takes it."""
    if sort.endswith("title"):
        return title_key(task.title)
    value: SortValue = getattr(task, sort.removeprefix("-"))
    return value


async def create_task(db: Database, user_id: int, *, quota: int, now: datetime, **fields: Any) -> TaskRow:
    """Create a task. `fields` are `title`, `description`, `status`, `priority` and `due_at`.

    :raises QuotaExceeded: the user has `quota` tasks
    :raises BadToken: the user has been deleted since its token was checked
    """
    async with db.transaction() as session:
        if not await lock_owner(session, user_id):
            raise BadToken
        check_quota(await queries.count_tasks(session, user_id), quota, "tasks")
        return await queries.insert_task(
            session,
            account_id=user_id,
            created_at=now,
            updated_at=now,
            **fields,
            **_search_columns(fields["title"], fields["description"]),
        )


async def get_task(db: Database, user_id: int, task_id: int) -> TaskRow:
    """Return a task.

    :raises NotFound: the user has no such task
    """
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
    """List tasks by `sort`, a field with `-` in front for descending; one more than `limit` if more follow.

    `q` is words, all of which occur in the title or the description. `filters` are those of TaskFilter.
    """
    where = TaskFilter(words=fold(q).split(), **filters)
    order = TaskOrder(sort.removeprefix("-"), descending=sort.startswith("-"), after=after)
    async with db.raw() as raw:
        return await queries.select_tasks(raw, user_id, where, order, limit=limit + 1, offset=offset)


async def update_task(
    db: Database,
    user_id: int,
    task_id: int,
    changes: dict[str, Any],
    *,
    now: datetime,
    precondition: Precondition = no_precondition,
) -> TaskRow:
    """Change the fields that `changes` names. If all have these values already, nothing is written.

    :raises NotFound: the user has no such task
    :raises PreconditionFailed: the task does not meet the precondition
    """
    async with db.transaction() as session:
        task = await _lock_task(session, user_id, task_id, precondition)
        values = {name: value for name, value in changes.items() if value != getattr(task, name)}
        if not values:
            return task
        # The time tells versions apart, but clocks go back at times, and two changes may share a microsecond.
        values["updated_at"] = max(now, task.updated_at + RESOLUTION)
        values |= _search_columns(
            values.get("title", task.title), values.get("description", task.description)
        )
        updated = await queries.update_task(session, user_id, task_id, **values)
    if updated is None:
        raise _no_task(task_id)
    return updated


async def delete_task(
    db: Database, user_id: int, task_id: int, *, precondition: Precondition = no_precondition
) -> None:
    """Delete a task.

    :raises NotFound: the user has no such task
    :raises PreconditionFailed: the task does not meet the precondition
    """
    async with db.transaction() as session:
        await _lock_task(session, user_id, task_id, precondition)
        await queries.delete_task(session, user_id, task_id)


async def _lock_task(session: Transaction, user_id: int, task_id: int, precondition: Precondition) -> TaskRow:
    """Return a task of the user, which nobody else changes before the transaction ends.

    :raises NotFound: the user has no such task
    :raises PreconditionFailed: the task does not meet the precondition
    """
    task = await queries.lock_task(session, user_id, task_id)
    if task is None:
        raise _no_task(task_id)
    if not precondition(task):
        raise _stale(task_id)
    return task


def _search_columns(title: str, description: str) -> dict[str, str]:
    """Return the columns that tasks are sorted and searched by."""
    return {"title_key": title_key(title), "search_text": fold(f"{title}\n{description}")}


def _no_task(task_id: int) -> NotFound:
    return NotFound(f"no task {task_id}")


def _stale(task_id: int) -> PreconditionFailed:
    return PreconditionFailed(f"task {task_id} is no longer as you have seen it")
