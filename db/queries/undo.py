"""Taking away what an import has brought, a span of time after the other."""

from datetime import datetime

import polars as pl
from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import FilePosition, Goods, Import, Visit
from db.sql import statement

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
        statement("visits/delete_import_visits"), {"import_id": import_id, "first": first, "last": last}
    )
    return pl.DataFrame([tuple(row) for row in deleted], schema=COLUMNS, orient="row")


async def select_cart_visits(session: AsyncSession, cart_ids: list[int]) -> pl.DataFrame:
    """All visits that name one of the carts. Columns of `visit`, but `user_id` is who pays."""
    found = await session.execute(statement("carts/cart_visits"), {"cart_ids": cart_ids})
    return pl.DataFrame([tuple(row) for row in found], schema=COLUMNS, orient="row")


async def select_taught_goods(session: AsyncSession, *, import_id: int, after: int, count: int) -> list[int]:
    """Goods that lines or pages of the import have taught: in order, those after an id."""
    found = await session.scalars(
        select(Goods.goods_id)
        .where(
            Goods.goods_id > after,
            or_(Goods.line_import_id == import_id, Goods.view_import_id == import_id),
        )
        .order_by(Goods.goods_id)
        .limit(count)
    )
    return list(found)


async def narrow_import(session: AsyncSession, import_id: int, *, last: datetime | None) -> None:
    """Remember that no visit of the import is later than `last`; None: that there is none."""
    await session.execute(update(Import).where(Import.id == import_id).values(last_at=last))


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
