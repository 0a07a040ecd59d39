"""Moves frames into PostgreSQL: by COPY, or as arrays that a statement unnests."""

from collections.abc import AsyncIterator, Container, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ARRAY,
    Column,
    Delete,
    Result,
    Select,
    Table,
    TableValuedAlias,
    Text,
    TextClause,
    bindparam,
    cast,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.array_literals import text_array
from db.database import Raw
from db.frames import NO_NUMBER, Frame, Instants
from db.models import Base

# Array parameters by name: literals that `array_literals` writes, or lists.
Arrays = Mapping[str, str | list[Any]]

CHANGE = "change_of_"  # parameters of an UPDATE that have the names of columns are taken for their values


async def copy_rows(
    session: AsyncSession, table: str, columns: Sequence[str], pieces: Iterable[memoryview]
) -> None:
    """Copy rows, encoded by `binary_copy`, into a table in the session's transaction.

    :raises PostgresError: asyncpg's errors are not wrapped
    """
    connection = await session.connection()
    raw = (await connection.get_raw_connection()).driver_connection
    assert raw is not None
    source = stream_pieces(pieces, raw)
    await raw.copy_to_table(table, source=source, columns=columns, format="binary")


async def stream_pieces(pieces: Iterable[memoryview], raw: Raw) -> AsyncIterator[memoryview]:
    """Yield the pieces: asyncpg takes no list, and reads a file in the thread pool that parses logs.

    End when the connection is lost, which asyncpg then says: it would write the rest to nobody.
    """
    for piece in pieces:
        if raw.is_closed():
            return
        yield piece


async def add_counts(session: AsyncSession, model: type[Base], counts: Arrays) -> None:
    """Add counts, which may be negative, to a roll-up. `counts` has all of its columns, and each key once.

    Rows are locked in the order of their keys, so that two writers never wait for each other in a circle.
    """
    await session.execute(upsert_counts(model, literal_names(counts)), counts)


async def delete_zero_counts(session: AsyncSession, model: type[Base], counts: Arrays) -> None:
    """Delete the rows of these keys whose count is zero. The caller is the only writer."""
    await session.execute(delete_zeros(model, literal_names(counts)), counts)


async def subtract_counts(session: AsyncSession, model: type[Base], counts: Arrays) -> None:
    """Add counts, which are negative, to a roll-up, and delete the rows whose count becomes zero.

    Each row is written once. The caller is the only writer of these rows.
    """
    changes = {CHANGE + name: array for name, array in counts.items()}
    await session.execute(update_or_delete_counts(model, literal_names(counts)), changes)


def literal_names(arrays: Arrays) -> frozenset[str]:
    """Return the names of the arrays that are literals."""
    return frozenset(name for name, array in arrays.items() if isinstance(array, str))


@cache
def upsert_counts(model: type[Base], literals: frozenset[str]) -> Insert:
    """Make the statement of `add_counts`. `literals` are the arrays that come as text, not as lists."""
    table, count = table_and_count(model)
    new = unnest_parameters(table, literals)
    key = [column.name for column in table.primary_key]
    names = [column.name for column in table.columns]
    insert = postgresql.insert(table).from_select(names, select(new).order_by(*(new.c[name] for name in key)))
    return insert.on_conflict_do_update(
        index_elements=key, set_={count.name: count + insert.excluded[count.name]}
    )


@cache
def delete_zeros(model: type[Base], literals: frozenset[str]) -> Delete:
    """Make the statement of `delete_zero_counts`. `literals` are as in `upsert_counts`."""
    table, count = table_and_count(model)
    changed = unnest_parameters(table, literals)
    same_key = (column == changed.c[column.name] for column in table.primary_key)
    return delete(table).where(*same_key, count == 0)


@cache
def update_or_delete_counts(model: type[Base], literals: frozenset[str]) -> Select[int]:
    """Make the statement of `subtract_counts`. `literals` are as in `upsert_counts`."""
    table, count = table_and_count(model)
    changes = select(unnest_parameters(table, literals, prefix=CHANGE)).cte("changes")
    same_key = [column == changes.c[column.name] for column in table.primary_key]
    new_count = count + changes.c[count.name]
    emptied = delete(table).where(*same_key, new_count == 0).returning(literal(1)).cte("emptied")
    lowered = update(table).where(*same_key, new_count != 0).values({count: new_count})
    return select(literal(1)).add_cte(emptied, lowered.returning(literal(1)).cte("lowered"))


def table_and_count(model: type[Base]) -> tuple[Table, Column[int]]:
    """Return a roll-up's table, and the column of its counts: the only one outside its key."""
    table = model.__table__
    assert isinstance(table, Table)
    [count] = [column for column in table.columns if not column.primary_key]
    return table, count


def unnest_parameters(table: Table, literals: Container[str], *, prefix: str = "") -> TableValuedAlias:
    """Return the rows that parameters, an array for each column of the table, stand for.

    :param prefix: of the parameters' names
    """
    columns = table.columns
    parameters = [
        cast(
            bindparam(prefix + column.name, type_=Text if column.name in literals else None),
            ARRAY(column.type),
        )
        for column in columns
    ]
    return func.unnest(*parameters).table_valued(*columns.keys()).render_derived()


def array_literals(frame: Frame) -> dict[str, str]:
    """Write each column as an array literal of PostgreSQL, a parameter of a statement.

    Lists of numbers are written 20 times as fast as asyncpg encodes them.
    """
    return {name: array_literal(column) for name, column in frame.items()}


def array_literal(column: NDArray[Any]) -> str:
    if column.dtype.kind == "O":
        return text_array([None if value is None else str(value) for value in column.tolist()])
    if column.dtype.kind == "M":
        return f"{{{','.join(instant_texts(column)).replace('NaT', 'NULL')}}}"
    elements = str(column.tolist())[1:-1]
    return f"{{{elements.replace(str(NO_NUMBER), 'NULL')}}}"


def instant_texts(column: Instants) -> list[str]:
    """Write instants. Those of equal neighbours, as in roll-ups, are written once."""
    is_first = np.ones(len(column), np.bool_)
    np.not_equal(column[1:], column[:-1], out=is_first[1:])
    texts = np.datetime_as_string(column[is_first], unit="us", timezone="UTC").astype(np.object_)
    elements: list[str] = texts[np.cumsum(is_first) - 1].tolist()
    return elements


async def execute_with_arrays(session: AsyncSession, statement: TextClause, arrays: Arrays) -> Result[Any]:
    """Execute a statement that unnests its parameters; each stands in it as `CAST(:name AS type[])`."""
    literals = (bindparam(name, type_=Text) for name in literal_names(arrays))
    return await session.execute(statement.bindparams(*literals), arrays)
