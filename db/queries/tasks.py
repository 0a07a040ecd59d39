"""Tasks, each only for the account that it belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from asyncpg import Connection
from sqlalchemy import bindparam, delete, func, insert, select, update
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
TASK_COLUMNS = ", ".join(TaskRow.__slots__)
TASK_BY_ID = f"SELECT {TASK_COLUMNS} FROM task WHERE id = $1 AND account_id = $2"  # noqa: S608 - constants
SORT_KEYS = {"priority": "priority_rank", "title": "title_key"}  # of the orders by another column


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
    connection: Connection, account_id: int, where: TaskFilter, order: TaskOrder, *, limit: int, offset: int
) -> list[TaskRow]:
    """Select a page of an account's tasks that match the filter, in the order."""
    sql = page_sql(order.by, descending=order.descending, is_first=order.after is None)
    after = () if order.after is None else (last_key(order, order.after[0]), order.after[1])
    values = (account_id, where.status, where.priority, where.due_before, list(where.words), limit, offset)
    return [TaskRow(*row) for row in await connection.fetch(sql, *values, *after)]


@cache
def page_sql(by: str, *, descending: bool, is_first: bool) -> str:
    """Make the statement of a page in an order, as the index of this order has it."""
    key, direction = SORT_KEYS.get(by, by), "DESC" if descending else "ASC"
    last = "$8"
    if by == "due_at":
        end = f"'{'-' if descending else ''}infinity'::timestamptz"  # without a due time, last both ways
        key, last = f"coalesce(due_at, {end})", f"coalesce($8::timestamptz, {end})"
    follows = "" if is_first else f"AND ({key}, id) {'<' if descending else '>'} ({last}, $9)"
    return f"""
        SELECT {TASK_COLUMNS}
        FROM task
        WHERE
            account_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR priority = $3)
            AND ($4::timestamptz IS NULL OR due_at < $4)
            AND NOT EXISTS (SELECT FROM unnest($5::text[]) AS word WHERE strpos(search_text, word) = 0)
            {follows}
        ORDER BY {key} {direction}, id {direction}
        LIMIT $6 OFFSET $7"""  # noqa: S608 - made of the constants above


def last_key(order: TaskOrder, value: SortValue) -> Any:
    """Return the sort key of a task that has this value of `order.by`."""
    return PRIORITIES.index(str(value)) + 1 if order.by == "priority" else value
