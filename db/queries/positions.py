"""How far each file has been read. A file is known by its path, location and the digest of its first line."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import FilePosition

UNKNOWN_FIRST_LINE, UNKNOWN_LOCATION = b"", ""
CANDIDATES = 5  # positions from which a file may be read on
FOLLOWED = 200  # positions of one followed path that are looked at, those of all hosts
FORGOTTEN_AFTER = timedelta(days=400)


async def select_positions(
    session: AsyncSession, file: str, first_line_sha256: bytes, location: str
) -> list[FilePosition]:
    """Select the positions from which a file may be read on, the likeliest first: that of its location.

    Those of other locations are likely where its host was started anew, or its volume has moved; those that
    are stored by the path alone are older than first lines and locations.
    """
    query = select(FilePosition).where(
        FilePosition.file == file,
        FilePosition.first_line_sha256.in_((first_line_sha256, UNKNOWN_FIRST_LINE)),
    )
    order = (
        (FilePosition.first_line_sha256 == first_line_sha256).desc(),
        (FilePosition.location == location).desc(),
        FilePosition.updated_at.desc(),
        FilePosition.location,
    )
    return list(await session.scalars(query.order_by(*order).limit(CANDIDATES)))


async def select_position(
    session: AsyncSession, file: str, first_line_sha256: bytes, location: str
) -> FilePosition | None:
    """Select the likeliest position of a file."""
    positions = await select_positions(session, file, first_line_sha256, location)
    return positions[0] if positions else None


async def select_locations(session: AsyncSession, file: str, first_line_sha256: bytes | None) -> list[str]:
    """Select the locations of files at a path; those of files with a first line, if it is not None."""
    query = select(FilePosition.location).distinct().where(FilePosition.file == file)
    if first_line_sha256 is not None:
        query = query.where(FilePosition.first_line_sha256 == first_line_sha256)
    return list(await session.scalars(query.order_by(FilePosition.location)))


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
    location: str,
    import_id: int,
    *,
    followed_as: str | None,
    offset: int,
    line: int,
    prefix_sha256: bytes,
    log_format: str | None,
) -> None:
    """Store how far and in which format the file has been read, by which import, and its path if followed.

    It replaces positions that are stored without a first line or a location.
    """
    position = {
        "offset": offset,
        "line": line,
        "prefix_sha256": prefix_sha256,
        "import_id": import_id,
        "format": log_format,
    }
    statement = upsert(FilePosition).values(
        file=file,
        first_line_sha256=first_line_sha256,
        location=location,
        followed_as=followed_as,
        **position,
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[FilePosition.file, FilePosition.first_line_sha256, FilePosition.location],
            set_=position
            | {
                "followed_as": func.coalesce(statement.excluded.followed_as, FilePosition.followed_as),
                "updated_at": func.clock_timestamp(),
            },
        )
    )
    await delete_vague_positions(session, file, first_line_sha256, location)


async def delete_vague_positions(
    session: AsyncSession, file: str, first_line_sha256: bytes, location: str
) -> None:
    """Delete the positions of a file that lack this first line or this location, or both."""
    await session.execute(
        delete(FilePosition).where(
            FilePosition.file == file,
            FilePosition.first_line_sha256.in_((first_line_sha256, UNKNOWN_FIRST_LINE)),
            FilePosition.location.in_((location, UNKNOWN_LOCATION)),
            or_(
                FilePosition.first_line_sha256 != first_line_sha256,
                FilePosition.location != location,
            ),
        )
    )


async def move_position(session: AsyncSession, position: FilePosition, location: str) -> None:
    """Let a file at another location be read on from this position, unless it has been read further."""
    columns = [column.name for column in FilePosition.__table__.columns if column.name != "location"]
    statement = upsert(FilePosition).values(
        location=location, **{name: getattr(position, name) for name in columns}
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[FilePosition.file, FilePosition.first_line_sha256, FilePosition.location],
            set_={name: statement.excluded[name] for name in columns},
            where=FilePosition.offset < statement.excluded.offset,
        )
    )


async def delete_old_positions(session: AsyncSession, file: str, *, at: datetime) -> None:
    """Delete the positions of files that have long been rotated away from the path.

    Should one be read again after all, its lines are duplicates.
    """
    await session.execute(
        delete(FilePosition).where(FilePosition.file == file, FilePosition.updated_at < at - FORGOTTEN_AFTER)
    )
