"""The ids of addresses that live visits have, remembered: joining all addresses cost most of reading them."""

from collections.abc import Sequence

import numpy as np
from asyncpg import Connection

from db.part_files import Array

NONE, OTHER = (
    -1,
    -2,
)  # keys of no address, and of those that are not IPv4 addresses; the others are their numbers
IDS = """
    SELECT key, address.id
    FROM unnest($1::bigint[]) AS key
    INNER JOIN address ON address.address = inet '0.0.0.0' + key AND address.variant = 0
"""
IDS_OF_TEXTS = """
    SELECT host(address.address) AS text, address.id
    FROM address WHERE address.address = ANY($1::inet[]) AND address.variant = 0
"""


class AddressIds:
    """Ids of addresses, for as long as no address is deleted."""

    def __init__(self) -> None:
        self._keys = np.empty(0, np.int64)  # of IPv4 addresses, in order
        self._ids = np.empty(0, np.int32)  # of each of them
        self._texts: dict[str, int] = {}

    async def of_rows(self, raw: Connection, keys: Array, texts: Sequence[str]) -> Array:
        """Return the id of the address of each row, 0 for none.

        :param keys: of each row
        :param texts: of the rows whose key is OTHER, in their order
        """
        ids = self.of_keys(keys)
        missing = np.unique(keys[(ids == 0) & (keys >= 0)])
        if len(missing):
            rows = await raw.fetch(IDS, missing.tolist())
            self.add([(row["key"], row["id"]) for row in rows])
            ids = self.of_keys(keys)
        if texts:
            unknown = {text for text in texts if text not in self._texts}
            if unknown:
                rows = await raw.fetch(IDS_OF_TEXTS, sorted(unknown))
                self._texts |= {row["text"]: row["id"] for row in rows}
            ids[keys == OTHER] = [self._texts.get(text, 0) for text in texts]
        return ids

    def of_keys(self, keys: Array) -> Array:
        """Return the ids of keys, 0 for those that are not known."""
        known, ids = self._keys, self._ids
        result = np.zeros(len(keys), np.int32)
        if len(known):
            places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
            rows = np.flatnonzero(known[places] == keys)
            result[rows] = ids[places[rows]]
        return result

    def add(self, rows: Sequence[tuple[int, int]]) -> None:
        new = np.array(rows, np.int64).reshape(-1, 2)
        keys, first = np.unique(np.concatenate([self._keys, new[:, 0]]), return_index=True)
        self._ids = np.concatenate([self._ids, new[:, 1].astype(np.int32)])[first]
        self._keys = keys
