"""Addresses: their ids and countries, and those that no visit has any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.array_literals import array_literal, number_array
from db.models import AddressVersion
from db.queries.new_rows import insert_new
from db.sessions import raw_connection
from db.sql import raw_statement


async def change_address_version(session: AsyncSession) -> None:
    """Make importers drop what they have cached of addresses: ids, countries and first views.

    Whoever deletes addresses, changes a country, or makes `first_product_at` later or null, calls this in the
    same transaction, under the lock of parts.
    """
    await session.execute(
        text(
            "INSERT INTO address_version AS own (id, version) VALUES (1, 1) "
            "ON CONFLICT (id) DO UPDATE SET version = own.version + 1"
        )
    )


async def select_address_version(session: AsyncSession) -> int:
    return await session.scalar(select(AddressVersion.version)) or 0


async def ensure_address_ids(session: AsyncSession, addresses: set[str]) -> dict[str, int]:
    """Return the ids of addresses that visits are being stored with.

    One that a visit has found may be deleted since: it is inserted again.
    """
    ids = await select_address_ids(session, sorted(addresses))
    missing = sorted(addresses - ids.keys())
    if missing:
        await session.execute(
            text(
                "INSERT INTO address (address) SELECT CAST(new.address AS inet) "
                "FROM unnest(CAST(:addresses AS text[])) AS new (address) ON CONFLICT DO NOTHING"
            ),
            {"addresses": missing},
        )
        ids |= await select_address_ids(session, missing)
    return ids


async def select_address_ids(session: AsyncSession, addresses: Sequence[str]) -> dict[str, int]:
    """Return the ids of addresses, by the addresses as the caller writes them."""
    rows = await session.execute(
        text(
            "SELECT lookup.address, address.id FROM unnest(CAST(:addresses AS text[])) AS lookup (address) "
            "INNER JOIN address ON CAST(lookup.address AS inet) = address.address AND variant = 0"
        ),
        {"addresses": list(addresses)},
    )
    return dict(rows.all())


@dataclass(frozen=True, slots=True)
class AddressRow:
    """An address; `first_product_at` is a bound: no part has an earlier view of a product."""

    id: int
    country: str | None
    first_product_at: datetime | None


async def select_address_rows(session: AsyncSession, addresses: Sequence[str]) -> dict[str, AddressRow]:
    """Return those of the addresses that are stored, by address. Canonical addresses need no quotes."""
    raw = await raw_connection(session)
    sql, _ = raw_statement("visits/select_addresses")
    rows = await raw.fetch(sql, array_literal(addresses))
    return {addresses[n - 1]: AddressRow(*row) for n, *row in rows}


async def insert_addresses(
    session: AsyncSession,
    addresses: Sequence[str],
    countries: Sequence[str | None],
    first_products: Sequence[int | None],
) -> dict[str, int]:
    """Insert addresses that are new, and return their ids. One that others insert meanwhile is left out.

    The transaction should do nothing else: others who need an address wait for it.

    :param first_products: when each viewed a product first, in microseconds since 1970
    """
    raw = await raw_connection(session)
    sql, _ = raw_statement("visits/insert_addresses")
    arrays = [array_literal(addresses), array_literal(countries), number_array(first_products)]
    rows = await insert_new(raw, sql, *arrays)
    return {addresses[n - 1]: address_id for n, address_id in rows}


async def lower_first_products(session: AsyncSession, ids: Sequence[int], times: Sequence[int]) -> None:
    """Lower the bounds of addresses to when they viewed a product. The caller holds the lock of parts.

    :param times: in microseconds since 1970
    """
    raw = await raw_connection(session)
    await raw.execute(
        """
        UPDATE address SET first_product_at = new.at
        FROM (
            SELECT id, CAST('epoch' AS timestamptz) + microseconds * INTERVAL '1 microsecond' AS at
            FROM unnest(CAST(CAST($1 AS text) AS int[]), CAST(CAST($2 AS text) AS bigint[]))
                AS view (id, microseconds)
        ) AS new
        WHERE address.id = new.id AND (address.first_product_at IS NULL OR address.first_product_at > new.at)
        """,
        number_array(ids),
        number_array(times),
    )
