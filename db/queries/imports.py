"""Imports, their rejects, and up to where each file has been read."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import FilePosition, Import, Reject


async def try_lock_file(session: AsyncSession, file: str) -> bool:
    """Take the file for this transaction. PostgreSQL frees it when the transaction or its process ends."""
    locked: bool = await session.scalar(
        text("SELECT pg_try_advisory_xact_lock(hashtextextended(:file, 0))"), {"file": file}
    )
    return locked


async def insert_import(session: AsyncSession, **values: Any) -> Import:
    added = await session.scalars(insert(Import).values(**values).returning(Import))
    return added.one()


async def select_import(session: AsyncSession, import_id: int) -> Import | None:
    return await session.get(Import, import_id)


async def select_imports(
    session: AsyncSession, *, after: tuple[int] | None, limit: int, offset: int
) -> list[Import]:
    """Newest first, those that come after the id."""
    query = select(Import).order_by(Import.id.desc()).limit(limit).offset(offset)
    if after is not None:
        query = query.where(Import.id < after[0])
    return list(await session.scalars(query))


async def select_running_import(session: AsyncSession, file: str) -> Import | None:
    """The newest import of the file that has not ended."""
    return await session.scalar(
        select(Import)
        .where(Import.file == file, Import.status == "running")
        .order_by(Import.id.desc())
        .limit(1)
    )


async def add_to_import(
    session: AsyncSession,
    import_id: int,
    *,
    read: int,
    imported: int,
    duplicates: int,
    rejected: int,
    at: datetime,
) -> Import:
    """Count a chunk that was stored; `read` is how far the import has come, in bytes."""
    changed = await session.scalars(
        update(Import)
        .where(Import.id == import_id)
        .values(
            bytes=read,
            lines=Import.lines + imported + duplicates + rejected,
            imported=Import.imported + imported,
            duplicates=Import.duplicates + duplicates,
            rejected=Import.rejected + rejected,
            updated_at=at,
        )
        .returning(Import)
    )
    return changed.one()


async def finish_import(
    session: AsyncSession, import_id: int, status: str, *, at: datetime, error: str | None = None
) -> Import:
    changed = await session.scalars(
        update(Import)
        .where(Import.id == import_id)
        .values(status=status, finished_at=at, error=error)
        .returning(Import)
    )
    return changed.one()


async def fail_running_imports(session: AsyncSession, file: str, *, at: datetime, error: str) -> None:
    """End the imports of a file that nobody runs any more: the caller holds its lock."""
    await session.execute(
        update(Import)
        .where(Import.file == file, Import.status == "running")
        .values(status="failed", finished_at=at, error=error)
    )


async def select_position(session: AsyncSession, file: str) -> FilePosition | None:
    return await session.get(FilePosition, file)


async def put_position(
    session: AsyncSession, file: str, *, offset: int, line: int, prefix_sha256: bytes
) -> None:
    position = {"offset": offset, "line": line, "prefix_sha256": prefix_sha256}
    await session.execute(
        upsert(FilePosition)
        .values(file=file, **position)
        .on_conflict_do_update(index_elements=[FilePosition.file], set_=position)
    )


async def insert_rejects(session: AsyncSession, import_id: int, rejects: Iterable[dict[str, Any]]) -> None:
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
    """In the order of their lines, those after the line."""
    query = select(Reject).where(Reject.import_id == import_id)
    if after is not None:
        query = query.where(Reject.line > after[0])
    return list(await session.scalars(query.order_by(Reject.line).limit(limit).offset(offset)))
