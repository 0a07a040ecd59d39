"""The rejects of imports: lines that did not match their format."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, null, select, text
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


@dataclass(frozen=True, slots=True)
class RejectRow:
    """A reject; `text` is None for those who may not read it."""

    line: int
    offset: int
    reason: str
    text: str | None


async def select_rejects(
    session: AsyncSession,
    import_id: int,
    *,
    with_text: bool,
    after: tuple[int] | None,
    limit: int,
    offset: int,
) -> list[RejectRow]:
    """Select the rejects after the line `after`, by line."""
    text_column = Reject.text if with_text else null()
    query = select(Reject.line, Reject.offset, Reject.reason, text_column)
    query = query.where(Reject.import_id == import_id)
    if after is not None:
        query = query.where(Reject.line > after[0])
    rows = await session.execute(query.order_by(Reject.line).limit(limit).offset(offset))
    return [RejectRow(*row) for row in rows]


async def count_rejects(session: AsyncSession, import_id: int, *, begin: str) -> int:
    """Count the rejects of an import whose reasons begin so."""
    query = select(func.count()).where(
        Reject.import_id == import_id, Reject.reason.startswith(begin, autoescape=True)
    )
    return (await session.scalars(query)).one()


async def delete_rejects(session: AsyncSession, import_id: int) -> None:
    await session.execute(delete(Reject).where(Reject.import_id == import_id))
