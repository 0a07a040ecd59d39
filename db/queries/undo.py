"""Undoing an import: restores the file's position, and forgets those of other files that hold its lines."""

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import FilePosition, Import


async def restore_position(session: AsyncSession, record: Import) -> None:
    """Put the file's position back to where it was before the import.

    If another import has moved it since, it is deleted: the next import reads the whole file, and the lines
    that are stored already are duplicates. That goes for all locations of the file: it may have been read on
    at another one since. An import that does not know its file's first line is from before such lines were
    stored: it restores whatever is stored of the path.
    """
    if record.dry_run:
        return
    query = select(FilePosition).where(FilePosition.file == record.file)
    if record.first_line_sha256 is not None:
        query = query.where(FilePosition.first_line_sha256 == record.first_line_sha256)
    for position in await session.scalars(query):
        await restore_one(session, position, record)


async def restore_one(session: AsyncSession, position: FilePosition, record: Import) -> None:
    """Restore one position of the import's file, or delete it."""
    is_position = (
        (FilePosition.file == position.file)
        & (FilePosition.first_line_sha256 == position.first_line_sha256)
        & (FilePosition.location == position.location)
    )
    if position.import_id != record.id and not record.lines:
        return
    if position.import_id != record.id or record.prior_offset is None:
        await session.execute(delete(FilePosition).where(is_position))
        return
    await session.execute(
        update(FilePosition)
        .where(is_position)
        .values(
            offset=record.prior_offset,
            line=record.prior_line,
            prefix_sha256=record.prior_sha256,
            import_id=record.prior_import_id,
            format=record.prior_format,
        )
    )


async def forget_files_with_duplicates(session: AsyncSession, record: Import) -> None:
    """Delete the positions of files that have had duplicates since the import began: may be its lines.

    The next import of such a file reads it whole, and stores again what only the undone import had stored;
    all else are duplicates. Files that are followed keep theirs: it tells what was read before a rotation.
    """
    held_duplicates = exists().where(
        Import.file == FilePosition.file,
        or_(Import.first_line_sha256 == FilePosition.first_line_sha256, Import.first_line_sha256.is_(None)),
        Import.id != record.id,
        Import.duplicates > 0,
        Import.updated_at >= record.started_at,
        Import.status != "undone",
        ~Import.dry_run,
    )
    await session.execute(
        delete(FilePosition).where(FilePosition.followed_as.is_(None), held_duplicates),
        execution_options={"synchronize_session": False},
    )


async def mark_undone(session: AsyncSession, import_id: int) -> None:
    values = {"status": "undone", "error": None, "updated_at": func.clock_timestamp()}
    await session.execute(update(Import).where(Import.id == import_id).values(values))


async def fail_undo(session: AsyncSession, import_id: int, error: str) -> None:
    """End a requested undo that can't go on. What it has deleted stays deleted; it may be requested again."""
    await session.execute(
        update(Import)
        .where(Import.id == import_id, Import.status != "undone")
        .values(status="failed", undo_at=None, error=error, updated_at=func.clock_timestamp())
    )
