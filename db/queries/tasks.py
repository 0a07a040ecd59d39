"""Tasks, each only for the account that it belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import Connection
from sqlalchemy import ColumnElement, bindparam, delete, func, insert, literal_column, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Task
from db.models.tasks import PRIORITIES

SortValue = datetime | str | None


@dataclass(frozen=True, slots=True)
class TaskRow:
    id: int
    title: str
    description: str
    status: str
    priority: str
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """The tasks that match all fields but those that are None, with all the folded `words` in their text."""

    status: str | None = None
    priority: str | None = None
    due_before: datetime | None = None
    words: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """The order of a list, and where its page begins.

    `by` is created_at, updated_at, due_at, priority or title; equal tasks are ordered by id, in the same
    direction. `after` is the last task of the page before: its value of `by` (a title is folded), and its id.
    """

    by: str
    descending: bool
    after: tuple[SortValue, int] | None = None


COLUMNS = tuple(getattr(Task, name) for name in TaskRow.__slots__)
LOCKED_TASK = (
    select(*COLUMNS)
    .where(Task.id == bindparam("id"), Task.account_id == bindparam("account_id"))
    .with_for_update()
)
TASK_BY_ID = """
SELECT id, title, description, status, priority, due_at, created_at, updated_at
FROM task
WHERE id = $1 AND account_id = $2
"""


async def insert_task(session: AsyncSession, **values: Any) -> TaskRow:
    rows = await session.execute(insert(Task).values(**values).returning(*COLUMNS))
    return TaskRow(*rows.one())


async def count_tasks(session: AsyncSession, account_id: int) -> int:
    return await session.scalar(select(func.count()).where(Task.account_id == account_id)) or 0


async def select_task(connection: Connection, account_id: int, task_id: int) -> TaskRow | None:
    """Select a task. It goes past SQLAlchemy, which would take longer than PostgreSQL does."""
    row = await connection.fetchrow(TASK_BY_ID, task_id, account_id)
    return TaskRow(*row) if row else None


async def lock_task(session: AsyncSession, account_id: int, task_id: int) -> TaskRow | None:
    """Select a task of the account and lock it until the transaction ends; None if there is none."""
    rows = await session.execute(LOCKED_TASK, {"id": task_id, "account_id": account_id})
    row = rows.one_or_none()
    return TaskRow(*row) if row else None


async def update_task(session: AsyncSession, account_id: int, task_id: int, **values: Any) -> TaskRow | None:
    rows = await session.execute(
        update(Task)
        .where(Task.id == task_id, Task.account_id == account_id)
        .values(**values)
        .returning(*COLUMNS)
    )
    row = rows.one_or_none()
    return TaskRow(*row) if row else None


async def delete_task(session: AsyncSession, account_id: int, task_id: int) -> bool:
    """Delete a task of an account. Return whether there was one."""
    deleted_id = await session.scalar(
        delete(Task).where(Task.id == task_id, Task.account_id == account_id).returning(Task.id)
    )
    return deleted_id is not None


async def select_tasks(
    session: AsyncSession, account_id: int, where: TaskFilter, order: TaskOrder, *, limit: int, offset: int
) -> list[TaskRow]:
    """Select a page of an account's tasks that match the filter, in the order."""
    key = sort_key(order)
    directed = [column.desc() if order.descending else column.asc() for column in (key, Task.id)]
    query = select(*COLUMNS).where(Task.account_id == account_id).order_by(*directed)
    if order.after is not None:
        last = tuple_(sort_value(order, order.after[0]), order.after[1])
        place = tuple_(key, Task.id)
        query = query.where(place < last if order.descending else place > last)
    if where.status is not None:
        query = query.where(Task.status == where.status)
    if where.priority is not None:
        query = query.where(Task.priority == where.priority)
    if where.due_before is not None:
        query = query.where(Task.due_at < where.due_before)
    for word in where.words:
        query = query.where(func.strpos(Task.search_text, word) > 0)
    rows = await session.execute(query.limit(limit).offset(offset))
    return [TaskRow(*row) for row in rows]


def sort_key(order: TaskOrder) -> ColumnElement[Any]:
    """Return the expression that tasks are ordered by, as the index of this order has it."""
    columns: dict[str, Any] = {"priority": Task.priority_rank, "title": Task.title_key}
    if order.by == "due_at":
        return due_or_last(Task.due_at, descending=order.descending)
    column: ColumnElement[Any] = columns.get(order.by, getattr(Task, order.by))
    return column


def sort_value(order: TaskOrder, value: SortValue) -> Any:
    """Return the sort key of a task that has this value of `order.by`."""
    if order.by == "due_at":
        return due_or_last(
            bindparam("last_due_at", value, type_=Task.due_at.type), descending=order.descending
        )
    if order.by == "priority":
        return PRIORITIES.index(str(value)) + 1
    return value


def due_or_last(due_at: ColumnElement[Any] | Any, *, descending: bool) -> ColumnElement[Any]:
    """Return the due time; where there is none, the time that comes last in this direction."""
    return func.coalesce(due_at, literal_column(f"'{'-' if descending else ''}infinity'::timestamptz"))
