"""The rejects of imports: lines that did not match their format."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Reject


async def insert_rejects(session: AsyncSession, import_id: int, rejects: Iterable[dict[str, Any]]) -> None:
    """Insert rejects, of the keys line, offset, reason and text, in one statement."""
    rows = list(rejects)
    if not rows:
        return
    columns = {name: [row[name] for row in rows] for name in ("line", "offset", "reason", "text")}
    await session.execute(
        text(
            'INSERT INTO reject (import_id, line, "offset", reason, text) '
            "SELECT :import_id, * FROM unnest(CAST(:line AS bigint[]), CAST(:offset AS bigint[]), "
            "CAST(:reason AS text[]), CAST(:text AS text[]))"
        ),
        {"import_id": import_id, **columns},
    )


async def select_rejects(
    session: AsyncSession, import_id: int, *, after: tuple[int] | None, limit: int, offset: int
) -> list[Reject]:
    """Select the rejects after the line `after`, by line."""
    query = select(Reject).where(Reject.import_id == import_id)
    if after is not None:
        query = query.where(Reject.line > after[0])
    return list(await session.scalars(query.order_by(Reject.line).limit(limit).offset(offset)))


async def delete_rejects(session: AsyncSession, import_id: int) -> None:
    await session.execute(delete(Reject).where(Reject.import_id == import_id))
