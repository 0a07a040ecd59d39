"""How far each file has been read. A file is known by its path and the digest of its first line."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import FilePosition

UNKNOWN_FIRST_LINE = b""
FOLLOWED = 20  # positions of one followed path that are looked at
FORGOTTEN_AFTER = timedelta(days=400)


async def select_position(session: AsyncSession, file: str, first_line_sha256: bytes) -> FilePosition | None:
    """Select the position of a file; one that is stored by the path alone, if there is no better one."""
    return await session.scalar(
        select(FilePosition)
        .where(
            FilePosition.file == file,
            FilePosition.first_line_sha256.in_((first_line_sha256, UNKNOWN_FIRST_LINE)),
        )
        .order_by((FilePosition.first_line_sha256 == first_line_sha256).desc())
        .limit(1)
    )


async def select_custom_format(session: AsyncSession, file: str) -> str | None:
    """Select the log_format, if any, in which a file at the path was read last: it has variables."""
    return await session.scalar(
        select(FilePosition.format)
        .where(FilePosition.file == file, FilePosition.format.contains("$"))
        .order_by(FilePosition.updated_at.desc(), FilePosition.first_line_sha256)
        .limit(1)
    )


async def select_followed_positions(session: AsyncSession, followed_as: str) -> list[FilePosition]:
    """Select the positions of the files that were followed at a path, the one read last first."""
    return list(
        await session.scalars(
            select(FilePosition)
            .where(FilePosition.followed_as == followed_as)
            .order_by(FilePosition.updated_at.desc(), FilePosition.first_line_sha256)
            .limit(FOLLOWED)
        )
    )


async def upsert_position(
    session: AsyncSession,
    file: str,
    first_line_sha256: bytes,
    import_id: int,
    *,
    followed_as: str | None,
    offset: int,
    line: int,
    prefix_sha256: bytes,
    log_format: str | None,
) -> None:
    """Store how far and in which format the file has been read, by which import, and its path if followed.

    It replaces a position that is stored by the path alone.
    """
    position = {
        "offset": offset,
        "line": line,
        "prefix_sha256": prefix_sha256,
        "import_id": import_id,
        "format": log_format,
    }
    statement = upsert(FilePosition).values(
        file=file, first_line_sha256=first_line_sha256, followed_as=followed_as, **position
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[FilePosition.file, FilePosition.first_line_sha256],
            set_=position
            | {
                "followed_as": func.coalesce(statement.excluded.followed_as, FilePosition.followed_as),
                "updated_at": func.clock_timestamp(),
            },
        )
    )
    if first_line_sha256 != UNKNOWN_FIRST_LINE:
        await session.execute(
            delete(FilePosition).where(
                FilePosition.file == file, FilePosition.first_line_sha256 == UNKNOWN_FIRST_LINE
            )
        )


async def delete_old_positions(session: AsyncSession, file: str, *, at: datetime) -> None:
    """Delete the positions of files that have long been rotated away from the path.

    Should one be read again after all, its lines are duplicates.
    """
    await session.execute(
        delete(FilePosition).where(FilePosition.file == file, FilePosition.updated_at < at - FORGOTTEN_AFTER)
    )
