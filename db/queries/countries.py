"""Countries of addresses that become known after their visits were stored."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.sql import statement


async def select_countries(session: AsyncSession, addresses: Sequence[str]) -> dict[str, str]:
    """The countries of those of the addresses whose country is known, by the addresses as given.

    PostgreSQL may write an address in another way than Python, as those of IPv4 within IPv6.
    """
    if not addresses:
        return {}
    found = await session.execute(
        text(
            "SELECT given.address, known.country FROM unnest(CAST(:addresses AS text[])) AS given (address) "
            "INNER JOIN address AS known ON CAST(given.address AS inet) = known.address "
            "WHERE known.country IS NOT NULL"
        ),
        {"addresses": list(addresses)},
    )
    return dict(found.all())


async def select_unasked(session: AsyncSession, *, count: int) -> list[str]:
    """Some addresses without a country that nobody was asked for."""
    found = await session.scalars(
        text(
            "SELECT host(address) FROM address WHERE country IS NULL AND asked_at IS NULL "
            "ORDER BY address LIMIT :count"
        ),
        {"count": count},
    )
    return list(found)


async def mark_asked(session: AsyncSession, addresses: Sequence[str], *, at: datetime) -> None:
    """Remember that these addresses are not to be asked for again."""
    await session.execute(
        text(
            "UPDATE address SET asked_at = :at "
            "WHERE address = ANY(CAST(CAST(:addresses AS text[]) AS inet[]))"
        ),
        {"addresses": list(addresses), "at": at},
    )


async def locate_visits(
    session: AsyncSession, known: Mapping[str, str], *, count: int
) -> list[dict[str, Any]]:
    """Give up to `count` visits the countries of their addresses: what they were, as far as roll-ups ask.

    Nobody else may be writing.
    """
    changed = await session.execute(
        statement("visits/locate_visits"),
        {"address": list(known), "country": list(known.values()), "count": count},
    )
    return [dict(row) for row in changed.mappings()]


async def locate_addresses(session: AsyncSession, known: Mapping[str, str], *, at: datetime) -> None:
    """Give the addresses their countries, which visits that are stored from now on take from them."""
    await session.execute(
        text(
            "UPDATE address SET country = known.country, asked_at = :at "
            "FROM unnest(CAST(CAST(:address AS text[]) AS inet[]), CAST(:country AS text[])) "
            "AS known (address, country) WHERE address.address = known.address"
        ),
        {"address": list(known), "country": list(known.values()), "at": at},
    )
