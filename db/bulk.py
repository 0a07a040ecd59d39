"""Moves polars frames into PostgreSQL: by COPY, or as arrays that a statement unnests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import polars as pl
from sqlalchemy import (
    ARRAY,
    Column,
    Delete,
    Result,
    Table,
    TableValuedAlias,
    Text,
    TextClause,
    bindparam,
    cast,
    delete,
    func,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Base

Made = TypeVar("Made")

# Threads of their own: whoever holds a lock waits for no upload, log or password that others work on.
THREADS = ThreadPoolExecutor(2, "frames")
MICROSECONDS = "%Y-%m-%d %H:%M:%S%.6f+00"


async def copy_rows(
    session: AsyncSession, table: str, columns: Sequence[str], rows: Iterable[memoryview]
) -> None:
    """COPY rows, as `as_copy` gives them, in the session's transaction. Raises the driver's own errors."""
    connection = await session.connection()
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    await driver.copy_to_table(table, source=one_by_one(rows), columns=columns, format="binary")


async def one_by_one(pieces: Iterable[memoryview]) -> AsyncIterator[memoryview]:
    """No list is taken, and of a file each piece is read by a thread, which waits for the one that parses."""
    for piece in pieces:
        yield piece


async def in_thread(make: Callable[[], Made]) -> Made:
    """What `make` makes of frames, while the loop goes on with COPY and with requests."""
    return await asyncio.get_running_loop().run_in_executor(THREADS, make)


async def add_counts(session: AsyncSession, model: type[Base], counts: Mapping[str, str | list[Any]]) -> None:
    """Add to the counts of a roll-up, or take away. `counts`: arrays of its columns, each key once.

    Rows are locked in the order of the key, so that two writers wait for each other and never for good.
    """
    await session.execute(adding(model, written_of(counts)), counts)


async def drop_zeros(session: AsyncSession, model: type[Base], counts: Mapping[str, str | list[Any]]) -> None:
    """Delete the rows of these keys whose count is zero. Nobody else may be writing."""
    await session.execute(dropping(model, written_of(counts)), counts)


def written_of(arrays: Mapping[str, str | list[Any]]) -> frozenset[str]:
    """The names of those that `as_arrays` has written."""
    return frozenset(name for name, array in arrays.items() if isinstance(array, str))


@cache
def adding(model: type[Base], written: frozenset[str]) -> Insert:
    table, count = table_and_count(model)
    added = unnested(table, written)
    key = [column.name for column in table.primary_key]
    names = [column.name for column in table.columns]
    insert = postgresql.insert(table).from_select(
        names, select(added).order_by(*(added.c[name] for name in key))
    )
    return insert.on_conflict_do_update(
        index_elements=key, set_={count.name: count + insert.excluded[count.name]}
    )


@cache
def dropping(model: type[Base], written: frozenset[str]) -> Delete:
    table, count = table_and_count(model)
    gone = unnested(table, written)
    same = (column == gone.c[column.name] for column in table.primary_key)
    return delete(table).where(*same, count == 0)


def table_and_count(model: type[Base]) -> tuple[Table, Column[int]]:
    """A roll-up's table and the column of its counts, the only one that is not of the key."""
    table = model.__table__
    assert isinstance(table, Table)
    [count] = [column for column in table.columns if not column.primary_key]
    return table, count


def unnested(table: Table, written: Container[str]) -> TableValuedAlias:
    """Rows of the table, of parameters that are an array a column."""
    columns = table.columns
    parameters = [
        cast(bindparam(column.name, type_=Text if column.name in written else None), ARRAY(column.type))
        for column in columns
    ]
    return func.unnest(*parameters).table_valued(*columns.keys()).render_derived()


def as_arrays(frame: pl.DataFrame) -> dict[str, str]:
    """The columns as parameters of statements: each an array as PostgreSQL writes it.

    polars writes these 20 times as fast as asyncpg encodes lists.
    """
    texts = frame.select(
        pl.when(pl.col(name).is_null()).then(pl.lit("NULL")).otherwise(element(name, dtype)).alias(name)
        for name, dtype in frame.schema.items()
    )
    return {name: f"{{{texts[name].str.join(',').item()}}}" for name in texts.columns}


def element(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        return column.dt.strftime(MICROSECONDS)
    if isinstance(dtype, pl.String):
        return pl.format('"{}"', column.str.replace_all(r'["\\]', r"\$0"))
    return column.cast(pl.String)


async def execute_arrays(
    session: AsyncSession, statement: TextClause, arrays: Mapping[str, str | list[Any]]
) -> Result[Any]:
    """Execute a statement that unnests its parameters; each stands in it as `CAST(:name AS type[])`."""
    texts = (bindparam(name, type_=Text) for name in written_of(arrays))
    return await session.execute(statement.bindparams(*texts), arrays)
