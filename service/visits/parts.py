"""Deletes parts of visits, or what is older of one, with all that was derived from their visits.

Columns are read before any lock is taken: a part never changes. Live visits are stored meanwhile; who stores
one with a cart waits while carts are changed.
"""

from collections.abc import Sequence

import numpy as np

from db.database import Database, Transaction
from db.queries import carts
from db.queries.address_countries import AddressCountries
from db.queries.new_parts import Part, encode_part, insert_part, next_part_id
from db.queries.part_columns import Columns, PartSpan, delete_parts, select_columns
from db.queries.part_removal import NAMES, concatenate, count_columns, subtract_from_rollups


class PartsChangedError(Exception):
    """Somebody else has deleted or replaced some of the parts meanwhile."""


async def read_visits(db: Database, spans: Sequence[PartSpan]) -> Columns:
    """Return the columns by which visits of parts are subtracted.

    :raises PartsChangedError: some are gone
    """
    parts: list[Columns] = []
    for span in spans:
        async with db.read() as session:
            parts += (await select_columns(session, [span.id], NAMES)).values()
    if len(parts) < len(spans):
        raise PartsChangedError
    return concatenate(parts)


async def remove_parts(
    session: Transaction, spans: Sequence[PartSpan], visits: Columns, countries: AddressCountries
) -> None:
    """Delete parts whose visits these are. The caller holds the lock of parts, and the writers' lock.

    :raises PartsChangedError: some are gone; the caller must roll back
    """
    if await delete_parts(session, [span.id for span in spans]) < len(spans):
        raise PartsChangedError
    await subtract_visits(session, visits, countries)


async def remove_first_visits(
    session: Transaction, span: PartSpan, visits: Columns, count: int, countries: AddressCountries
) -> None:
    """Replace a part by another without its first visits. Locks are the caller's, as with `remove_parts`.

    :param visits: all columns of the part
    :raises PartsChangedError: it is gone; the caller must roll back
    """
    if not await delete_parts(session, [span.id]):
        raise PartsChangedError
    rest = {name: values[count:] for name, values in visits.items()}
    part_id, token = await next_part_id(session)
    await insert_part(session, part_id, token, encode_part(Part(span.import_id, span.host, rest)))
    await subtract_visits(session, {name: visits[name][:count] for name in NAMES}, countries)


async def subtract_visits(session: Transaction, visits: Columns, countries: AddressCountries) -> None:
    """Take deleted visits of parts away from roll-ups and carts."""
    await subtract_from_rollups(session, await count_columns(session, visits, countries))
    cart_ids = np.unique(visits["cart_id"])
    cart_ids = cart_ids[cart_ids > 0]
    if len(cart_ids):
        await carts.subtract_visits(session, cart_ids)
