"""Undoing an import: deletes its visits, a span of time after the other, and restores the file's position."""

from datetime import datetime

import polars as pl
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import FilePosition, Import, Visit
from db.visit_frame import VISIT, frame_columns, visit_frame


async def select_span_start(
    session: AsyncSession, import_id: int, *, first: datetime, last: datetime, count: int
) -> datetime | None:
    """Return when the last `count` of the import's visits in [first, last] begin; None if there are fewer."""
    return await session.scalar(
        select(Visit.occurred_at)
        .where(Visit.import_id == import_id, Visit.occurred_at.between(first, last))
        .order_by(Visit.occurred_at.desc())
        .offset(count)
        .limit(1)
    )


async def delete_import_visits(
    session: AsyncSession, import_id: int, *, first: datetime, last: datetime
) -> pl.DataFrame:
    """Delete the import's visits in [first, last], and return them."""
    visit = VISIT.c
    rows = await session.execute(
        delete(VISIT)
        .where(visit.import_id == import_id, visit.occurred_at.between(first, last))
        .returning(*frame_columns())
    )
    return visit_frame(rows)


async def narrow_import(session: AsyncSession, import_id: int, *, last: datetime | None) -> None:
    """Store that no visit of the import is later than `last`, or with None that there is none."""
    await session.execute(update(Import).where(Import.id == import_id).values(last_at=last))


async def restore_position(session: AsyncSession, record: Import) -> None:
    """Put the file's position back to where it was before the import.

    If another import has moved it since, it is deleted: the next import reads the whole file, and the lines
    that are stored already are duplicates.
    """
    position = await session.get(FilePosition, record.file)
    if position is None or record.dry_run or (position.import_id != record.id and not record.lines):
        return
    if position.import_id != record.id or record.prior_offset is None:
        await session.execute(delete(FilePosition).where(FilePosition.file == record.file))
        return
    await session.execute(
        update(FilePosition)
        .where(FilePosition.file == record.file)
        .values(
            offset=record.prior_offset,
            line=record.prior_line,
            prefix_sha256=record.prior_sha256,
            import_id=record.prior_import_id,
        )
    )


async def mark_undone(session: AsyncSession, import_id: int) -> None:
    await session.execute(update(Import).where(Import.id == import_id).values(status="undone", error=None))


async def fail_undo(session: AsyncSession, import_id: int, error: str) -> None:
    """End a requested undo that can't go on. What it has deleted stays deleted; it may be requested again."""
    await session.execute(
        update(Import)
        .where(Import.id == import_id, Import.status != "undone")
        .values(status="failed", undo_at=None, error=error)
    )
