"""Taking away what an import has brought, a span of time after the other."""

from datetime import datetime

import polars as pl
from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import FilePosition, Import, Visit

COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "occurred_at": pl.Datetime("us", "UTC"),
    "request_id": pl.String,
    "position": pl.Int64,
    "source": pl.String,
    "kind": pl.String,
    "address": pl.String,
    "country": pl.String,
    "category_id": pl.Int32,
    "product_id": pl.Int32,
    "user_id": pl.Int64,
    "cart_id": pl.Int64,
    "goods_id": pl.Int64,
    "amount": pl.Int64,
    "import_id": pl.Int64,
    "page_url": pl.String,
}
# Whose cart it is: a live visit's own user is the one that visits.
BUYER = "CASE WHEN source = 'log' THEN user_id ELSE buyer_id END"
SELECTED = ", ".join("host(address)" if name == "address" else name for name in COLUMNS)


async def last_visits_since(
    session: AsyncSession, import_id: int, *, first: datetime, last: datetime, count: int
) -> datetime | None:
    """Since when the last `count` of the import's visits in [first, last] are; None if there are fewer."""
    return await session.scalar(
        select(Visit.occurred_at)
        .where(Visit.import_id == import_id, Visit.occurred_at.between(first, last))
        .order_by(Visit.occurred_at.desc())
        .offset(count)
        .limit(1)
    )


async def delete_visits(
    session: AsyncSession, import_id: int, *, first: datetime, last: datetime
) -> pl.DataFrame:
    """The import's visits in [first, last], which are gone now. Columns of `visit`."""
    deleted = await session.execute(
        text(
            "DELETE FROM visit WHERE import_id = :import_id AND occurred_at BETWEEN :first AND :last "  # noqa: S608 - our columns
            f"RETURNING {SELECTED}"
        ),
        {"import_id": import_id, "first": first, "last": last},
    )
    return pl.DataFrame([tuple(row) for row in deleted], schema=COLUMNS, orient="row")


async def select_cart_visits(session: AsyncSession, cart_ids: list[int]) -> pl.DataFrame:
    """All visits that name one of the carts. Columns of `visit`, but `user_id` is who pays."""
    columns = SELECTED.replace("user_id", BUYER)
    found = await session.execute(
        text(f"SELECT {columns} FROM visit WHERE cart_id = ANY(CAST(:ids AS bigint[]))"),  # noqa: S608 - our columns
        {"ids": cart_ids},
    )
    return pl.DataFrame([tuple(row) for row in found], schema=COLUMNS, orient="row")


async def narrow_import(session: AsyncSession, import_id: int, *, last: datetime | None) -> None:
    """Remember that no visit of the import is later than `last`; None: that there is none."""
    await session.execute(update(Import).where(Import.id == import_id).values(last_at=last))


async def delete_unvisited_addresses(session: AsyncSession) -> None:
    await session.execute(
        text("DELETE FROM address WHERE NOT EXISTS (SELECT FROM visit WHERE visit.address = address.address)")
    )


async def restore_position(session: AsyncSession, record: Import) -> None:
    """Put the file's position back to where it was before the import.

    If another import has moved it since, there is none: the file is read anew, and known lines are
    duplicates.
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
    await session.execute(update(Import).where(Import.id == import_id).values(status="undone"))
