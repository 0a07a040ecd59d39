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
    table, names, arrays, key = described(model)
    statement = (
        f"INSERT INTO {table} AS total ({names}) "  # noqa: S608 - names of our own models
        f"SELECT * FROM unnest({arrays}) AS added({names}) ORDER BY {key} "
        f"ON CONFLICT ({key}) DO UPDATE SET requests = total.requests + excluded.requests"
    )
    await session.execute(text(statement), as_arrays(counts))


async def subtract_counts(session: AsyncSession, model: type[Base], counts: pl.DataFrame) -> None:
    """Take what add_counts has added; a row that nothing is left of goes. Nobody else may be writing."""
    if counts.is_empty():
        return
    table, names, arrays, key = described(model)
    gone = f"unnest({arrays}) AS gone({names})"
    same = " AND ".join(f"total.{name} = gone.{name}" for name in key.split(", "))
    arguments = as_arrays(counts)
    update = f"UPDATE {table} AS total SET requests = total.requests - gone.requests FROM {gone} WHERE {same}"  # noqa: S608 - names of our own models
    delete = f"DELETE FROM {table} AS total USING {gone} WHERE {same} AND total.requests = 0"  # noqa: S608 - the same
    await session.execute(text(update), arguments)
    await session.execute(text(delete), arguments)


def described(model: type[Base]) -> tuple[str, str, str, str]:
    """A roll-up for SQL: its name, its columns, parameters of arrays for them, and its key."""
    table = model.__table__
    assert isinstance(table, Table)
    dialect = cast(Dialect, postgresql.dialect())
    arrays = ", ".join(
        f"CAST(:{column.name} AS {column.type.compile(dialect)}[])" for column in table.columns
    )
    names = ", ".join(column.name for column in table.columns)
    return table.name, names, arrays, ", ".join(column.name for column in table.primary_key)


def as_arrays(frame: pl.DataFrame) -> dict[str, list[Any]]:
    """The columns as parameters for a statement that unnests them."""
    return {name: frame[name].to_list() for name in frame.columns}
