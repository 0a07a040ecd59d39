"""Addresses that no visit has any more."""

from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.array_literals import number_array
from db.columns import Values, decode
from db.queries.addresses import change_address_version
from db.queries.part_columns import select_columns, select_part_spans

LIVE_IDS = """
    SELECT array_send(array_agg(DISTINCT address.id))
    FROM live_visit INNER JOIN address ON live_visit.address = address.address AND address.variant = 0
"""
# A masked address stays as long as one of its variants: statistics tell visitors by it.
DELETE = """
    WITH unvisited AS MATERIALIZED (
        SELECT unnest(CAST(CAST(:ids AS text) AS int[])) AS id
    ),
    kept AS MATERIALIZED (
        SELECT DISTINCT own.address
        FROM address AS own
        WHERE own.variant > 0 AND NOT EXISTS (SELECT FROM unvisited WHERE unvisited.id = own.id)
    )
    DELETE FROM address USING unvisited
    WHERE
        address.id = unvisited.id
        AND NOT EXISTS (SELECT FROM kept WHERE kept.address = address.address AND address.variant = 0)
"""
INSERT_MISSING = """
    INSERT INTO address (address, country)
    SELECT live_visit.address, max(live_visit.country)
    FROM live_visit
    LEFT JOIN address ON live_visit.address = address.address AND address.variant = 0
    WHERE address.address IS NULL AND live_visit.address IS NOT NULL
    GROUP BY live_visit.address
    ORDER BY live_visit.address
    ON CONFLICT DO NOTHING
"""


@dataclass(slots=True)
class VisitedAddresses:
    """Which addresses parts name, of those parts that were read."""

    parts: set[UUID] = field(default_factory=set)
    flags: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def add(self, address_ids: Values) -> None:
        missing = int(address_ids.max(initial=0)) + 1 - len(self.flags)
        if missing > 0:
            self.flags = np.concatenate([self.flags, np.zeros(missing + len(self.flags), np.bool_)])
        self.flags[address_ids] = True

    def among(self, address_ids: Values) -> NDArray[np.bool_]:
        """Return which of the addresses are visited."""
        visited = np.zeros(len(address_ids), np.bool_)
        rows = np.flatnonzero(address_ids < len(self.flags))
        visited[rows] = self.flags[address_ids[rows]]
        return visited

    async def read_parts(self, session: AsyncSession) -> None:
        """Read the parts that were not read before."""
        for span in await select_part_spans(session):
            if span.token not in self.parts:
                columns = await select_columns(session, span, ["address_id"])
                if columns is not None:
                    self.add(columns["address_id"])
                self.parts.add(span.token)


async def select_unvisited_addresses(session: AsyncSession, visited: VisitedAddresses) -> Values:
    """Return the ids of addresses that no visit has. Reads all visits, and locks none."""
    ids = await select_ids(session, "SELECT array_send(array_agg(id)) FROM address")
    await visited.read_parts(session)
    live = VisitedAddresses()
    if not visited.among(ids).all():
        live.add(await select_ids(session, LIVE_IDS))
    return ids[~visited.among(ids) & ~live.among(ids)]


async def select_ids(session: AsyncSession, query: str) -> Values:
    encoded: bytes | None = await session.scalar(text(query))
    return np.zeros(0, np.int32) if encoded is None else decode(encoded)[0]


async def delete_addresses(session: AsyncSession, address_ids: Values, visited: VisitedAddresses) -> None:
    """Delete those of the addresses that no new part names either. The caller holds the lock of parts."""
    await visited.read_parts(session)
    unvisited = address_ids[~visited.among(address_ids)]
    await session.execute(text(DELETE), {"ids": number_array(unvisited.tolist())})
    await change_address_version(session)


async def insert_missing_addresses(session: AsyncSession) -> None:
    """Insert addresses that were deleted while live visits of them were being stored."""
    await session.execute(text(INSERT_MISSING))
