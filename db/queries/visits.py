"""Visits, the names they refer to, and the roll-ups that count them."""

from collections.abc import Container
from hashlib import sha256

import polars as pl
from asyncpg import UniqueViolationError
from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.binary_copy import as_copy, as_inet
from db.bulk import add_counts, as_arrays, copy_rows, drop_zeros, execute_arrays, in_thread
from db.models import Base, CategoryCountryDay, CategoryQuarter, CountryDay, RequestQuarter
from db.sql import statement

COUNTRY_ROLLUPS = (CountryDay, CategoryCountryDay)


def as_rows(visits: pl.DataFrame) -> list[memoryview]:
    """Visits (columns of `visit`) as `insert_visits` takes them."""
    return as_copy(visits.with_columns(as_inet(visits["address"])))


async def insert_visits(session: AsyncSession, visits: pl.DataFrame, rows: list[memoryview]) -> pl.DataFrame:
    """Insert the visits that are not there yet, and return those. `visits` are by key, each of which once.

    `rows` are the same, as `as_rows` gives them.

    The common case, all of them new, is one COPY straight in. A clash falls back to a staging table.
    """
    try:
        async with session.begin_nested():
            await copy_rows(session, "visit", visits.columns, rows)
    except UniqueViolationError:
        return await insert_new_visits(session, visits, rows)
    return visits


async def insert_new_visits(
    session: AsyncSession, visits: pl.DataFrame, rows: list[memoryview]
) -> pl.DataFrame:
    await session.execute(
        text("CREATE TEMPORARY TABLE IF NOT EXISTS visit_staging (LIKE visit INCLUDING DEFAULTS)")
    )
    await session.execute(text("TRUNCATE visit_staging"))
    await copy_rows(session, "visit_staging", visits.columns, rows)
    inserted = await session.execute(statement("visits/insert_staged_visits"))
    keys = pl.DataFrame(
        [tuple(row) for row in inserted],
        schema={"occurred_at": visits.schema["occurred_at"], "request_id": pl.String},
        orient="row",
    )
    return visits.join(keys, on=["occurred_at", "request_id"], how="semi")


async def insert_trial_keys(session: AsyncSession, visits: pl.DataFrame) -> int:
    """How many of the visits are new, also to earlier calls in this transaction. Leaves nothing behind."""
    await session.execute(
        text(
            "CREATE TEMPORARY TABLE IF NOT EXISTS trial_key "
            '(occurred_at timestamptz, request_id text COLLATE "C", PRIMARY KEY (occurred_at, request_id)) '
            "ON COMMIT DROP"
        )
    )
    keys = visits.select("occurred_at", "request_id")
    inserted = await execute_arrays(session, statement("visits/insert_trial_keys"), as_arrays(keys))
    assert isinstance(inserted, CursorResult)
    return inserted.rowcount


async def category_ids(session: AsyncSession, names: list[str]) -> dict[str, int]:
    """The ids of categories, made where they are new."""
    digests = [sha256(name.encode()).digest() for name in sorted(names)]
    await session.execute(statement("visits/insert_categories"), {"names": sorted(names), "digests": digests})
    found = await session.execute(
        text("SELECT name, id FROM category WHERE name_sha256 = ANY(CAST(:digests AS bytea[]))"),
        {"digests": digests},
    )
    return dict(found.all())


async def product_ids(session: AsyncSession, names: list[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The ids of products by (category id, name), made where they are new."""
    parameters = {
        "categories": [category for category, _ in names],
        "names": [name for _, name in names],
        "digests": [sha256(name.encode()).digest() for _, name in names],
    }
    await session.execute(statement("visits/insert_products"), parameters)
    found = await session.execute(
        statement("visits/product_ids"), {key: parameters[key] for key in ("categories", "digests")}
    )
    return {(category, name): product for category, product, name in found}


async def insert_addresses(session: AsyncSession, visits: pl.DataFrame) -> None:
    """Keep the visits' addresses that have not been seen before, with their countries."""
    arrays = await in_thread(lambda: as_arrays(addresses_of(visits)))
    await execute_arrays(session, statement("visits/insert_addresses"), arrays)


async def add_to_rollups(session: AsyncSession, visits: pl.DataFrame) -> None:
    """Count newly inserted visits in every roll-up. Columns of `visit`, times in UTC."""
    for model, counts in await in_thread(lambda: rollups_as_arrays(visits)):
        await add_counts(session, model, counts)


async def add_to_country_rollups(session: AsyncSession, visits: pl.DataFrame) -> None:
    """Count visits whose country has become known. Nobody else may be writing."""
    for model, counts in await in_thread(lambda: rollups_as_arrays(visits, only=COUNTRY_ROLLUPS)):
        await add_counts(session, model, counts)


async def subtract_from_rollups(session: AsyncSession, visits: pl.DataFrame) -> None:
    """The contrary, for visits that were deleted. Nobody else may be writing."""
    for model, gone in await in_thread(lambda: rollups_as_arrays(visits, sign=-1)):
        await add_counts(session, model, gone)
        await drop_zeros(session, model, gone)


def rollups_as_arrays(
    visits: pl.DataFrame, *, sign: int = 1, only: Container[type[Base]] | None = None
) -> list[tuple[type[Base], dict[str, str]]]:
    """What visits add to the roll-ups that they change (`sign` 1), or take away (-1)."""
    return [
        (model, as_arrays(counts.with_columns(pl.col("requests").cast(pl.Int64) * sign)))
        for model, counts in rollups_of(visits)
        if not counts.is_empty() and (only is None or model in only)
    ]


def rollups_of(visits: pl.DataFrame) -> list[tuple[type[Base], pl.DataFrame]]:
    """What visits add to each roll-up, in the order in which roll-ups are written."""
    counted = visits.select(
        "category_id",
        "country",
        "kind",
        "source",
        quarter=pl.col("occurred_at").dt.truncate("15m"),
        day=pl.col("occurred_at").dt.truncate("1d"),
    )
    pages = counted.filter(pl.col("category_id").is_not_null())
    located = counted.filter(pl.col("country").is_not_null())
    located_pages = located.filter(pl.col("category_id").is_not_null())
    return [
        (RequestQuarter, count_by(counted, "quarter", "source")),
        (CategoryQuarter, count_by(pages, "category_id", "quarter", "kind", "source")),
        (CountryDay, count_by(located, "day", "country", "source")),
        (
            CategoryCountryDay,
            count_by(located_pages, "category_id", "day", "country", "kind", "source"),
        ),
    ]


def addresses_of(visits: pl.DataFrame) -> pl.DataFrame:
    return visits.select("address", "country").drop_nulls("address").unique()


def count_by(visits: pl.DataFrame, *key: str) -> pl.DataFrame:
    return visits.group_by(*key).agg(requests=pl.len())
