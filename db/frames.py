"""Moves polars frames into PostgreSQL: as CSV by COPY, or as arrays that a statement unnests."""

from io import BytesIO
from typing import Any, cast

import polars as pl
from sqlalchemy import Dialect, Table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Base

MICROSECONDS = "%Y-%m-%d %H:%M:%S%.6f+00"


async def copy_frame(session: AsyncSession, table: str, frame: pl.DataFrame) -> None:
    """COPY the frame into the columns of its names, in the session's transaction. Times must be in UTC.

    CSV made by polars goes in five times as fast as Python tuples. Raises the driver's own errors.
    """
    csv = BytesIO()
    frame.write_csv(csv, include_header=False, datetime_format=MICROSECONDS)
    csv.seek(0)
    connection = await session.connection()
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    await driver.copy_to_table(table, source=csv, columns=frame.columns, format="csv")


async def add_counts(session: AsyncSession, model: type[Base], counts: pl.DataFrame) -> None:
    """Add `requests` of each key in `counts` to a roll-up, whose columns the frame's must be.

    Rows are locked in the order of the key, so that two writers wait for each other and never for good.
    """
    if counts.is_empty():
        return
    table = model.__table__
    assert isinstance(table, Table)
    names = [column.name for column in table.columns]
    dialect = cast(Dialect, postgresql.dialect())
    arrays = ", ".join(
        f"CAST(:{column.name} AS {column.type.compile(dialect)}[])" for column in table.columns
    )
    key = ", ".join(column.name for column in table.primary_key)
    statement = (
        f"INSERT INTO {table.name} AS total ({', '.join(names)}) "  # noqa: S608 - names of our own models
        f"SELECT * FROM unnest({arrays}) AS added({', '.join(names)}) ORDER BY {key} "
        f"ON CONFLICT ({key}) DO UPDATE SET requests = total.requests + excluded.requests"
    )
    await session.execute(text(statement), as_arrays(counts, names))


def as_arrays(frame: pl.DataFrame, names: list[str] | None = None) -> dict[str, list[Any]]:
    """The columns as parameters for a statement that unnests them."""
    return {name: frame[name].to_list() for name in names or frame.columns}
