"""Addresses: their ids and countries, and those that no visit has any more."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import AddressVersion


async def change_address_version(session: AsyncSession) -> None:
    """Have importers look addresses up again, which they remember with their ids, countries and first views.

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


async def select_address_ids(session: AsyncSession, addresses: Sequence[str]) -> dict[str, int]:
    """Return the ids of addresses, by the addresses as the caller writes them."""
    rows = await session.execute(
        text(
            "SELECT lookup.address, address.id FROM unnest(CAST(:addresses AS text[])) AS lookup (address) "
            "INNER JOIN address ON CAST(lookup.address AS inet) = address.address"
        ),
        {"addresses": list(addresses)},
    )
    return dict(rows.all())


async def select_unvisited_addresses(session: AsyncSession, *, count: int) -> list[str]:
    """Return up to `count` addresses that no visit has. Reads all visits, and locks none."""
    rows = await session.scalars(
        text(
            "SELECT host(address) FROM address "
            "WHERE NOT EXISTS (SELECT FROM visit WHERE visit.address = address.address) LIMIT :count"
        ),
        {"count": count},
    )
    return list(rows)


async def delete_addresses(session: AsyncSession, addresses: list[str]) -> Sequence[RowMapping]:
    """Delete addresses, and return their rows."""
    rows = await session.execute(
        text(
            "DELETE FROM address WHERE address = ANY(CAST(CAST(:addresses AS text[]) AS inet[])) "
            "RETURNING host(address) AS address, country, asked_at"
        ),
        {"addresses": addresses},
    )
    return rows.mappings().all()


async def restore_visited_addresses(session: AsyncSession, rows: Sequence[RowMapping]) -> None:
    """Insert those of the deleted rows again whose addresses visits have after all."""
    await session.execute(
        text(
            "INSERT INTO address (address, country, asked_at) SELECT DISTINCT deleted.* "
            "FROM unnest(CAST(CAST(:address AS text[]) AS inet[]), CAST(:country AS text[]), "
            "CAST(:asked_at AS timestamptz[])) AS deleted (address, country, asked_at) "
            "INNER JOIN visit ON deleted.address = visit.address "
            "ORDER BY deleted.address ON CONFLICT DO NOTHING"
        ),
        {name: [row[name] for row in rows] for name in ("address", "country", "asked_at")},
    )
