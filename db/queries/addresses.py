"""Addresses that no visit names any more."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def select_unvisited_addresses(session: AsyncSession, *, count: int) -> list[str]:
    """Some addresses that no visit names. It looks through all visits, and holds up nobody."""
    found = await session.scalars(
        text(
            "SELECT host(address) FROM address "
            "WHERE NOT EXISTS (SELECT FROM visit WHERE visit.address = address.address) LIMIT :count"
        ),
        {"count": count},
    )
    return list(found)


async def delete_addresses(session: AsyncSession, addresses: list[str]) -> list[dict[str, Any]]:
    """The rows of these addresses, which are gone now."""
    deleted = await session.execute(
        text(
            "DELETE FROM address WHERE address = ANY(CAST(CAST(:addresses AS text[]) AS inet[])) "
            "RETURNING host(address) AS address, country, asked_at"
        ),
        {"addresses": addresses},
    )
    return [dict(row) for row in deleted.mappings()]


async def put_back_visited(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Put those rows of `address` back that visits name after all."""
    await session.execute(
        text(
            "INSERT INTO address (address, country, asked_at) SELECT DISTINCT gone.* "
            "FROM unnest(CAST(CAST(:address AS text[]) AS inet[]), CAST(:country AS text[]), "
            "CAST(:asked_at AS timestamptz[])) AS gone (address, country, asked_at) "
            "INNER JOIN visit ON gone.address = visit.address ORDER BY gone.address ON CONFLICT DO NOTHING"
        ),
        {name: [row[name] for row in rows] for name in ("address", "country", "asked_at")},
    )
