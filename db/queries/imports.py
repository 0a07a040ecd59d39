"""Imports: their rows.

An import is leased to one run at a time: its `owner` is the lease token of that run. What a run changes it
changes only while the row has its token.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Import

UNFINISHED = text("status = 'running' OR (undo_at IS NOT NULL AND status <> 'undone')")


async def new_lease_token(session: AsyncSession) -> str:
    """Return a token that no other run has."""
    token: str = await session.scalar(text("SELECT CAST(gen_random_uuid() AS text)"))
    return token


@dataclass(frozen=True, slots=True)
class Counts:
    """How many lines of a chunk were imported, were stored already, and were rejected."""

    imported: int
    duplicates: int
    rejected: int


async def insert_import(session: AsyncSession, **values: Any) -> Import:
    rows = await session.scalars(insert(Import).values(**values).returning(Import))
    return rows.one()


async def select_import(session: AsyncSession, import_id: int) -> Import | None:
    return await session.get(Import, import_id)


async def select_imports(
    session: AsyncSession, *, after: tuple[int] | None, limit: int, offset: int
) -> list[Import]:
    """Select imports whose id is below that of `after`, newest first."""
    query = select(Import).order_by(Import.id.desc()).limit(limit).offset(offset)
    if after is not None:
        query = query.where(Import.id < after[0])
    return list(await session.scalars(query))


async def select_running_import(
    session: AsyncSession, file: str, first_line_sha256: bytes | None, location: str | None = None
) -> Import | None:
    """Select the newest import of the file that has not ended; of any at its path, if it is not known.

    :param location: of the file; None for wherever it lies
    """
    return await session.scalar(
        select(Import)
        .where(Import.file == file, is_same_file(first_line_sha256, location), Import.status == "running")
        .order_by(Import.id.desc())
        .limit(1)
    )


async def select_running_imports(session: AsyncSession, file: str, location: str) -> list[Import]:
    """Select the imports of files at the path and location that have not ended, the newest first."""
    rows = await session.scalars(
        select(Import)
        .where(Import.file == file, is_same_file(None, location), Import.status == "running")
        .order_by(Import.id.desc())
    )
    return list(rows)


async def select_stale_imports(session: AsyncSession, *, stale_after: float) -> list[tuple[Import, float]]:
    """Select imports that run, or whose undo is requested, with the seconds since their last heartbeat.

    Only those whose last heartbeat is more than `stale_after` seconds old.
    """
    heartbeat_age = func.extract("epoch", func.clock_timestamp() - Import.heartbeat_at)
    rows = await session.execute(
        select(Import, heartbeat_age).where(UNFINISHED, heartbeat_age > stale_after).order_by(Import.id)
    )
    return [(row, float(seconds)) for row, seconds in rows]


async def update_heartbeat(session: AsyncSession, import_id: int, lease_token: str) -> bool:
    """Renew the lease of a run; False if it is lost."""
    rows = await session.execute(
        update(Import)
        .where(Import.id == import_id, Import.owner == lease_token, UNFINISHED)
        .values(heartbeat_at=func.clock_timestamp())
        .returning(Import.id)
    )
    return rows.first() is not None


async def acquire_lease(
    session: AsyncSession,
    import_id: int,
    lease_token: str,
    *,
    prior_status: str,
    bytes_total: int | None,
    location: str | None,
) -> Import | None:
    """Lease an import to another run and set it running; None if it does not have the prior status.

    Waits for the transaction that a former run may still have open on the row.
    """
    rows = await session.scalars(
        update(Import)
        .where(Import.id == import_id, Import.status == prior_status, Import.undo_at.is_(None))
        .values(
            owner=lease_token,
            status="running",
            location=location,
            bytes_total=bytes_total,
            finished_at=None,
            error=None,
            heartbeat_at=func.clock_timestamp(),
        )
        .returning(Import)
    )
    return rows.one_or_none()


async def reset_counts(session: AsyncSession, import_id: int) -> Import:
    """Set the counts of an import to 0."""
    rows = await session.scalars(
        update(Import)
        .where(Import.id == import_id)
        .values(bytes=0, lines=0, imported=0, duplicates=0, rejected=0)
        .returning(Import)
    )
    return rows.one()


async def update_counts(
    session: AsyncSession,
    import_id: int,
    lease_token: str,
    *,
    counts: Counts,
    span: tuple[datetime, datetime] | None,
    bytes_read: int,
    log_format: str,
    at: datetime,
) -> Import | None:
    """Add a chunk that was stored to the counts of the import; `bytes_read` counts from its beginning.

    None if the lease is lost: the caller must roll back the chunk.

    :param span: times of the first and the last visit that was stored
    """
    first, last = span or (None, None)
    rows = await session.scalars(
        update(Import)
        .where(Import.id == import_id, Import.owner == lease_token, Import.status == "running")
        .values(
            bytes=bytes_read,
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
    return rows.one_or_none()


async def update_bytes_read(session: AsyncSession, import_id: int, lease_token: str, bytes_read: int) -> bool:
    """Set how many bytes an import has read at its end; False if the lease is lost."""
    rows = await session.execute(
        update(Import)
        .where(Import.id == import_id, Import.owner == lease_token, Import.status == "running")
        .values(bytes=bytes_read)
        .returning(Import.id)
    )
    return rows.first() is not None


async def finish_import(
    session: AsyncSession,
    import_id: int,
    lease_token: str | None,
    status: str,
    *,
    at: datetime,
    error: str | None,
) -> Import | None:
    """End a running import; None if the lease is lost."""
    rows = await session.scalars(
        update(Import)
        .where(
            Import.id == import_id, Import.owner.is_not_distinct_from(lease_token), Import.status == "running"
        )
        .values(status=status, finished_at=at, error=error)
        .returning(Import)
    )
    return rows.one_or_none()


async def fail_running_imports(
    session: AsyncSession, file: str, first_line_sha256: bytes, location: str, *, at: datetime, error: str
) -> None:
    """Mark running imports of a file as failed. The caller holds its lock, so no process runs them."""
    await session.execute(
        update(Import)
        .where(Import.file == file, is_same_file(first_line_sha256, location), Import.status == "running")
        .values(status="failed", finished_at=at, error=error)
    )


async def cancel_running_import(session: AsyncSession, import_id: int, *, at: datetime) -> Import | None:
    """Cancel a running import; None if it does not run."""
    rows = await session.scalars(
        update(Import)
        .where(Import.id == import_id, Import.status == "running")
        .values(status="cancelled", finished_at=at)
        .returning(Import)
    )
    return rows.one_or_none()


async def request_undo(session: AsyncSession, import_id: int, *, at: datetime) -> Import | None:
    """Request the undo of an import that has ended; None if it runs, is undone already, or is unknown."""
    rows = await session.scalars(
        update(Import)
        .where(Import.id == import_id, Import.status.not_in(("running", "undone")))
        .values(undo_at=func.coalesce(Import.undo_at, at))
        .returning(Import)
    )
    return rows.one_or_none()


def is_same_file(first_line_sha256: bytes | None, location: str | None) -> ColumnElement[bool]:
    """Return whether an import may be of the file with this first line and location; None is not known."""
    criteria = ((Import.first_line_sha256, first_line_sha256), (Import.location, location))
    return and_(
        true(), *(column.is_(None) | (column == value) for column, value in criteria if value is not None)
    )


async def update_undo_heartbeat(session: AsyncSession, import_id: int) -> None:
    """Show that a process is undoing the import."""
    await session.execute(
        update(Import).where(Import.id == import_id).values(heartbeat_at=func.clock_timestamp())
    )
