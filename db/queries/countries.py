"""Countries of addresses that become known after their visits were stored."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.sessions import AnyRow
from db.sql import statement


async def select_countries(session: AsyncSession, addresses: Sequence[str]) -> dict[str, str]:
    """Return the countries of addresses, where the database has them, by address.

    The keys are the addresses as the caller writes them: PostgreSQL writes some in another way, as those of
    IPv4 within IPv6.
    """
    if not addresses:
        return {}
    rows = await session.execute(
        text(
            "SELECT lookup.address, address.country "
            "FROM unnest(CAST(:addresses AS text[])) AS lookup (address) "
            "INNER JOIN address ON CAST(lookup.address AS inet) = address.address AND variant = 0 "
            "WHERE address.country IS NOT NULL"
        ),
        {"addresses": list(addresses)},
    )
    return dict(rows.all())


async def select_addresses_to_ask(session: AsyncSession, *, count: int) -> list[str]:
    """Return up to `count` addresses without a country for which no service has been asked."""
    rows = await session.scalars(
        text(
            "SELECT host(address) FROM address WHERE country IS NULL AND asked_at IS NULL "
            "ORDER BY address LIMIT :count"
        ),
        {"count": count},
    )
    return list(rows)


async def mark_asked(session: AsyncSession, addresses: Sequence[str], *, at: datetime) -> None:
    """Store that a service has been asked for these addresses, so that it is not asked again."""
    await session.execute(
        text(
            "UPDATE address SET asked_at = :at "
            "WHERE address = ANY(CAST(CAST(:addresses AS text[]) AS inet[]))"
        ),
        {"addresses": list(addresses), "at": at},
    )


async def set_visit_countries(
    session: AsyncSession, countries: Mapping[str, str], *, count: int
) -> Sequence[AnyRow]:
    """Set the countries of addresses on up to `count` of their visits that have none, and return these.

    The caller is the only writer. Columns: occurred_at, source, kind, category_id, country, is_bot.
    """
    rows = await session.execute(
        statement("visits/set_visit_countries"),
        {"address": list(countries), "country": list(countries.values()), "count": count},
    )
    return rows.all()


async def set_address_countries(session: AsyncSession, countries: Mapping[int, str], *, at: datetime) -> None:
    """Set the countries of addresses by their ids: those of their visits in parts, and of later visits."""
    await session.execute(
        text(
            "UPDATE address SET country = lookup.country, asked_at = :at "
            "FROM unnest(CAST(:ids AS int[]), CAST(:countries AS text[])) AS lookup (id, country) "
            "WHERE address.id = lookup.id"
        ),
        {"ids": list(countries), "countries": list(countries.values()), "at": at},
    )
