"""Imports, their rejects, and up to where each file has been read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import FilePosition, Import, Reject

# Seconds without a heartbeat after which an import is taken for left alone, and after which for lost.
LEFT_ALONE = 4
LOST = 30
UNFINISHED = text("status = 'running' OR (undo_at IS NOT NULL AND status <> 'undone')")


async def new_owner(session: AsyncSession) -> str:
    """A token that no other import has."""
    token: str = await session.scalar(text("SELECT CAST(gen_random_uuid() AS text)"))
    return token


@dataclass(frozen=True, slots=True)
class Counts:
    """Lines of a chunk."""

    imported: int
    duplicates: int
    rejected: int


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


async def select_unfinished_imports(session: AsyncSession) -> list[tuple[Import, float]]:
    """Imports that run or are to be undone, with no heartbeat of late; and for how many seconds."""
    silence = func.extract("epoch", func.clock_timestamp() - Import.heartbeat_at)
    rows = await session.execute(
        select(Import, silence).where(UNFINISHED, silence > LEFT_ALONE).order_by(Import.id)
    )
    return [(row, float(seconds)) for row, seconds in rows]


async def beat(session: AsyncSession, import_id: int, owner: str) -> bool:
    """Tell that the import is being worked on. False if it is not the owner's any more."""
    changed = await session.execute(
        update(Import)
        .where(Import.id == import_id, Import.owner == owner, UNFINISHED)
        .values(heartbeat_at=func.clock_timestamp())
        .returning(Import.id)
    )
    return changed.first() is not None


async def own_import(
    session: AsyncSession, import_id: int, owner: str, *, status: str, bytes_total: int | None
) -> Import | None:
    """Take over an import of that status, which runs then; its last transaction is waited for."""
    changed = await session.scalars(
        update(Import)
        .where(Import.id == import_id, Import.status == status, Import.undo_at.is_(None))
        .values(
            owner=owner,
            status="running",
            bytes_total=bytes_total,
            finished_at=None,
            heartbeat_at=func.clock_timestamp(),
        )
        .returning(Import)
    )
    return changed.one_or_none()


async def restart_import(session: AsyncSession, import_id: int) -> Import:
    """Forget what an import has counted and rejected."""
    await session.execute(delete(Reject).where(Reject.import_id == import_id))
    changed = await session.scalars(
        update(Import)
        .where(Import.id == import_id)
        .values(bytes=0, lines=0, imported=0, duplicates=0, rejected=0)
        .returning(Import)
    )
    return changed.one()


async def add_to_import(
    session: AsyncSession,
    import_id: int,
    owner: str,
    *,
    counts: Counts,
    span: tuple[datetime, datetime] | None,
    read: int,
    log_format: str,
    at: datetime,
) -> Import | None:
    """Count a chunk that was stored; `read` is how far the import has come, in bytes.

    None if the import is not the owner's any more: what the transaction did before must not stay.
    """
    first, last = span or (None, None)
    changed = await session.scalars(
        update(Import)
        .where(Import.id == import_id, Import.owner == owner, Import.status == "running")
        .values(
            bytes=read,
            lines=Import.lines + counts.imported + counts.duplicates + counts.rejected,
            imported=Import.imported + counts.imported,
            duplicates=Import.duplicates + counts.duplicates,
            rejected=Import.rejected + counts.rejected,
            first_at=func.least(Import.first_at, first),
            last_at=func.greatest(Import.last_at, last),
            format=log_format,
            updated_at=at,
            heartbeat_at=func.clock_timestamp(),
        )
        .returning(Import)
    )
    return changed.one_or_none()


async def note_bytes(session: AsyncSession, import_id: int, owner: str, read: int) -> bool:
    """Note how far an import has come in the end; False if it is not the owner's any more."""
    changed = await session.execute(
        update(Import)
        .where(Import.id == import_id, Import.owner == owner, Import.status == "running")
        .values(bytes=read)
        .returning(Import.id)
    )
    return changed.first() is not None


async def finish_import(
    session: AsyncSession, import_id: int, owner: str | None, status: str, *, at: datetime, **values: Any
) -> Import | None:
    """End a running import; None if it is not the owner's any more."""
    changed = await session.scalars(
        update(Import)
        .where(Import.id == import_id, Import.owner.is_not_distinct_from(owner), Import.status == "running")
        .values(status=status, finished_at=at, **values)
        .returning(Import)
    )
    return changed.one_or_none()


async def fail_running_imports(session: AsyncSession, file: str, *, at: datetime, error: str) -> None:
    """End the imports of a file that nobody runs any more: the caller holds its lock."""
    await session.execute(
        update(Import)
        .where(Import.file == file, Import.status == "running")
        .values(status="failed", finished_at=at, error=error)
    )


async def cancel_running_import(session: AsyncSession, import_id: int, *, at: datetime) -> Import | None:
    """None if it does not run."""
    changed = await session.scalars(
        update(Import)
        .where(Import.id == import_id, Import.status == "running")
        .values(status="cancelled", finished_at=at)
        .returning(Import)
    )
    return changed.one_or_none()


async def request_undo(session: AsyncSession, import_id: int, *, at: datetime) -> Import | None:
    """Have an import undone that has ended; None if it runs, is undone already, or is unknown."""
    changed = await session.scalars(
        update(Import)
        .where(Import.id == import_id, Import.status.not_in(("running", "undone")))
        .values(undo_at=func.coalesce(Import.undo_at, at))
        .returning(Import)
    )
    return changed.one_or_none()


async def beat_undo(session: AsyncSession, import_id: int) -> None:
    """Tell that the import is being undone."""
    await session.execute(
        update(Import).where(Import.id == import_id).values(heartbeat_at=func.clock_timestamp())
    )


async def select_position(session: AsyncSession, file: str) -> FilePosition | None:
    return await session.get(FilePosition, file)


async def put_position(
    session: AsyncSession, file: str, import_id: int, *, offset: int, line: int, prefix_sha256: bytes
) -> None:
    position = {"offset": offset, "line": line, "prefix_sha256": prefix_sha256, "import_id": import_id}
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
