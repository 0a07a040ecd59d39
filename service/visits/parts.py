"""Deletes parts of visits, or what is older of one, with all that was derived from their visits."""

from collections.abc import Sequence

import numpy as np

from db.columns import Values
from db.database import Database, Transaction
from db.locks import lock_cart_rollups, lock_parts
from db.queries import carts, part_columns
from db.queries.address_countries import AddressCountries
from db.queries.cart_frames import select_carts_in_parts
from db.queries.new_parts import Part, encode_part, insert_part, next_part_id
from db.queries.part_columns import Columns, PartSpan
from db.queries.part_lines import select_cart_ids
from db.queries.part_removal import NAMES
from db.unique import distinct
from service.visits.pacing import LIMITS, AdaptiveBatch, BatchLimits
from service.visits.part_counts import remove_from_rollups, select_neighbours, subtract_counts

OWN_CARTS, SHARED_CARTS = 7500, 5000  # that go as a whole, or are added up anew: in a batch at least
PARTS_OF_CARTS = 3  # times the parts of a batch, of which only carts are read


class PartsChangedError(Exception):
    """Somebody else has deleted or replaced some of the parts meanwhile."""


async def remove_parts(
    db: Database, spans: Sequence[PartSpan], countries: AddressCountries, limits: BatchLimits = LIMITS
) -> int:
    """Delete the first of some parts of one source with all that was derived from their visits. Return how
    many visits these were.

    Carts go first, some at a time: whoever stores a live visit of a cart waits for one such batch at most.
    Who stores or deletes parts waits for all. If the process dies in between, the next one finds the parts
    still there, and does the same again.

    :raises PartsChangedError: some are gone
    """
    async with db.dedicated() as session:
        await lock_parts(session)
        spans = await choose_parts(session, spans, limits)
        ids = [span.id for span in spans]
        if await part_columns.count_parts(session, ids) < len(ids):
            raise PartsChangedError
        cart_ids = [await select_cart_ids(session, span) for span in spans]
        await remove_from_carts(db, distinct(np.concatenate(cart_ids)), spans, limits)
        await remove_from_rollups(session, spans, countries)
        await part_columns.delete_parts(session, ids)
    return sum(span.visits for span in spans)


async def choose_parts(
    session: Transaction, spans: Sequence[PartSpan], limits: BatchLimits
) -> Sequence[PartSpan]:
    """Return the parts of a batch: more of them where few columns but those of carts are read."""
    many, few = spans[: PARTS_OF_CARTS * limits.parts], spans[: limits.parts]
    neighbours = await select_neighbours(session, many)
    return few if neighbours is None or len(neighbours) > len(few) else many


async def remove_from_carts(
    db: Database, cart_ids: Values, spans: Sequence[PartSpan], limits: BatchLimits
) -> None:
    """Take visits of parts away from carts. The caller holds the lock of parts.

    :param cart_ids: that the visits name, in order
    """
    async with db.read() as session:
        shared = await select_carts_in_parts(session, cart_ids, excluding=spans)
    own = np.setdiff1d(cart_ids, shared, assume_unique=True)
    for ids, least in ((own, OWN_CARTS), (shared, SHARED_CARTS)):
        batch, start = AdaptiveBatch(least, limits.carts, limits.lock_seconds, least=least), 0
        while start < len(ids):
            some = ids[start : start + batch.rows]
            start += batch.rows
            async with batch.of_carts(db) as session:
                await carts.subtract_visits(session, some, in_parts=ids is shared, excluding=spans)


async def remove_first_visits(
    session: Transaction, span: PartSpan, visits: Columns, count: int, countries: AddressCountries
) -> None:
    """Replace a part by another without its first visits. The caller holds the lock of parts.

    :param visits: all columns of the part
    :raises PartsChangedError: it is gone; the caller must roll back
    """
    if not await part_columns.delete_parts(session, [span.id]):
        raise PartsChangedError
    rest = {name: values[count:] for name, values in visits.items()}
    part_id, token = await next_part_id(session)
    await insert_part(
        session, part_id, token, encode_part(Part(span.import_id, span.host, rest, span.source))
    )
    first = {name: values[:count] for name, values in visits.items()}
    await subtract_counts(session, {name: first[name] for name in NAMES}, countries, span.source)
    cart_ids = distinct(first["cart_id"][first["cart_id"] > 0])
    if len(cart_ids):
        await lock_cart_rollups(session)
        shared = await select_carts_in_parts(session, cart_ids)
        own = np.setdiff1d(cart_ids, shared, assume_unique=True)
        await carts.subtract_visits(session, own, in_parts=False)
        await carts.subtract_visits(session, shared, in_parts=True)
