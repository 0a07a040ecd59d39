"""Masked addresses (ADDRESS_MASK): one stands for many, which may be in several countries.

The first country that is met is that of its row with variant 0, which stands for the address wherever visits
name it by its text. Each other country has a row of its own, whose variant follows from the country.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.sessions import raw_connection

LETTERS = 26
NO_COUNTRY = LETTERS**2 + 1
SELECT = """
    SELECT sought.address, own.id, own.country, own.variant, own.first_product_at
    FROM unnest(CAST(CAST($1 AS text[]) AS inet[]), CAST($1 AS text[])) AS sought (inet, address)
    INNER JOIN address AS own ON sought.inet = own.address
"""
INSERT = """
    INSERT INTO address (address, country, variant)
    SELECT CAST(address AS inet), country, variant
    FROM unnest(CAST($1 AS text[]), CAST($2 AS text[]), CAST($3 AS int[])) AS new (address, country, variant)
    ORDER BY 1, 3
    ON CONFLICT DO NOTHING
"""
AddressCountry = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class MaskedRow:
    """A row of a masked address; `first_product_at` is a bound: no part has an earlier view of a product."""

    id: int
    country: str | None
    variant: int
    first_product_at: datetime | None


async def ensure_masked_addresses(
    session: AsyncSession, pairs: Sequence[AddressCountry]
) -> dict[AddressCountry, MaskedRow]:
    """Return the rows of masked addresses with their countries; insert those that are new.

    The transaction should do nothing else: others who need an address wait for it.
    """
    raw = await raw_connection(session)
    rows: dict[AddressCountry, MaskedRow] = {}
    while missing := [pair for pair in pairs if pair not in rows]:
        stored: dict[str, list[MaskedRow]] = {}
        for address, *columns in await raw.fetch(SELECT, sorted({address for address, _ in missing})):
            stored.setdefault(address, []).append(MaskedRow(*columns))
        rows |= match_rows(missing, stored)
        # Again for what was inserted, by this or by somebody else meanwhile.
        if new := new_variants([pair for pair in missing if pair not in rows], set(stored)):
            await raw.execute(INSERT, *map(list, zip(*new, strict=True)))
    return rows


def match_rows(
    pairs: Sequence[AddressCountry], stored: dict[str, list[MaskedRow]]
) -> dict[AddressCountry, MaskedRow]:
    """Return the stored rows that stand for pairs: with the country, or the variant that follows from it."""
    rows = {}
    for address, country in pairs:
        for row in stored.get(address, ()):
            if row.country == country or row.variant == country_variant(country):
                rows[address, country] = row
                break
    return rows


def new_variants(pairs: Sequence[AddressCountry], stored: set[str]) -> list[tuple[str, str | None, int]]:
    """Return what to insert for pairs that are not stored, of addresses some of which are."""
    seen, new = set(stored), []
    for address, country in pairs:
        new.append((address, country, country_variant(country) if address in seen else 0))
        seen.add(address)
    return new


def country_variant(country: str | None) -> int:
    """Return a number from 1 that tells countries apart."""
    if country is None:
        return NO_COUNTRY
    first, second = (ord(letter) - ord("A") for letter in country)
    return first * LETTERS + second + 1
