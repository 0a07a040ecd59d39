"""The countries of addresses by their ids, as arrays."""

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.columns import Values, decode
from db.queries.addresses import select_address_version

UNKNOWN, UNREAD = -1, -2
MANY = 20  # reading the whole table costs less than looking up one in so many of its addresses

BY_COUNTRY = "SELECT country, array_send(array_agg(id)) FROM address {} GROUP BY country"
ALL, SOME = text(BY_COUNTRY.format("")), text(BY_COUNTRY.format("WHERE id = ANY(:ids)"))


class AddressCountries:
    """Countries of addresses, each looked up once until a country changes."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._version = -1
        self._countries = np.full(0, UNREAD, np.int16)

    async def get(self, session: AsyncSession, address_ids: Values) -> NDArray[np.int16]:
        """Return the country of each address as an index into `names`, UNKNOWN where it has none.

        It stays so for as long as the caller holds the writers' lock, shared or not.
        """
        version = await select_address_version(session)
        if version != self._version:
            self._version = version
            self._countries[:] = UNREAD
        size = int(address_ids.max(initial=0)) + 1
        if size > len(self._countries):
            more = np.full(2 * size - len(self._countries), UNREAD, np.int16)
            self._countries = np.concatenate([self._countries, more])
        unread = np.flatnonzero(np.bincount(address_ids[self._countries[address_ids] == UNREAD]))
        if len(unread):
            await self._read(session, unread)
        return self._countries[address_ids]

    async def _read(self, session: AsyncSession, address_ids: Values) -> None:
        last_id = await session.scalar(text("SELECT max(id) FROM address")) or 0
        if len(address_ids) * MANY > last_id:
            rows = await session.execute(ALL)
        else:
            rows = await session.execute(SOME, {"ids": address_ids.tolist()})
        for country, encoded in rows:
            ids, _ = decode(encoded)
            if country is not None and country not in self.names:
                self.names.append(country)
            index = UNKNOWN if country is None else self.names.index(country)
            self._countries[ids[ids < len(self._countries)]] = index
