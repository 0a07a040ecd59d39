"""Deletes parts of visits, or what is older of one, with all that was derived from their visits.

Columns are read before any lock is taken: a part never changes.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from db.columns import Values
from db.database import Database, Transaction
from db.locks import lock_cart_rollups, lock_parts, lock_writers_exclusive
from db.queries import carts, live_merges, merged_visits, part_columns
from db.queries.address_countries import AddressCountries
from db.queries.cart_frames import select_carts_in_parts
from db.queries.new_parts import Part, encode_part, insert_part, next_part_id
from db.queries.part_columns import Columns, PartSpan, select_columns
from db.queries.part_lines import select_cart_ids
from db.queries.part_removal import (
    NAMES,
    concatenate,
    count_columns,
    empty_rollups_of_logs,
    subtract_from_rollups,
)
from db.queries.visits import subtract_page_views
from db.unique import distinct
from service.visits.pacing import LIMITS, AdaptiveBatch, BatchLimits
from service.visits.pages import is_bare_path

OWN_CARTS, SHARED_CARTS = 7500, 5000  # that go as a whole, or are added up anew: in a batch at least
PARTS_OF_CARTS = 3  # times the parts of a batch, of which only carts are read


class PartsChangedError(Exception):
    """Somebody else has deleted or replaced some of the parts meanwhile."""


async def read_visits(db: Database, spans: Sequence[PartSpan]) -> Columns:
    """Return the columns by which visits of parts are subtracted.

    :raises PartsChangedError: some are gone
    """
    parts: list[Columns] = []
    for span in spans:
        async with db.read() as session:
            columns = await select_columns(session, span, NAMES)
        if columns is None:
            raise PartsChangedError
        parts.append(columns)
    return concatenate(parts)


async def remove_parts(
    db: Database, spans: Sequence[PartSpan], countries: AddressCountries, limits: BatchLimits = LIMITS
) -> int:
    """Delete parts of one source with all that was derived from their visits. Return how many these were.

    Carts go first, some at a time: whoever stores a live visit of a cart waits for one such batch at most.
    Who stores or deletes parts waits for all. If the process dies in between, the next one finds the parts
    still there, and does the same again.

    :raises PartsChangedError: some are gone
    """
    visits = await read_visits(db, spans)
    async with db.dedicated() as session:
        await lock_parts(session)
        if await part_columns.count_parts(session, [span.id for span in spans]) < len(spans):
            raise PartsChangedError
        await remove_from_carts(db, cart_ids_of(visits), spans, limits)
        await part_columns.delete_parts(session, [span.id for span in spans])
        await subtract_counts(session, visits, countries, spans[0].source)
    return len(visits["occurred"])


async def remove_only_parts(db: Database, spans: Sequence[PartSpan], limits: BatchLimits = LIMITS) -> None:
    """Delete all parts of the only import that has stored any of logs.

    What roll-ups count of logs is all theirs, and is deleted as it stands: of the columns nothing is read but
    carts. These go as in `remove_parts`.

    :raises PartsChangedError: some are gone, or another import has stored some
    """
    ids, most = [span.id for span in spans], PARTS_OF_CARTS * limits.parts
    for start in range(0, len(spans), most):
        some = spans[start : start + most]
        cart_ids = await read_cart_ids(db, some)
        async with db.dedicated() as session:
            await lock_parts(session)
            is_only = not await part_columns.has_parts_of_other_logs(session, spans[0].import_id)
            if not is_only or await part_columns.count_parts(session, ids) < len(ids):
                raise PartsChangedError
            await remove_from_carts(db, cart_ids, spans, limits)
            if start + most >= len(spans):
                await part_columns.delete_parts(session, ids)
                await empty_rollups_of_logs(session)


async def read_cart_ids(db: Database, spans: Sequence[PartSpan]) -> Values:
    """Return the carts that visits of parts name, in order."""
    cart_ids = []
    for span in spans:
        async with db.read() as session:
            cart_ids.append(await select_cart_ids(session, span))
    return distinct(np.concatenate(cart_ids))


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
    await subtract_visits(session, {name: visits[name][:count] for name in NAMES}, countries, span.source)


async def subtract_counts(
    session: Transaction, visits: Columns, countries: AddressCountries, source: str
) -> None:
    """Take deleted visits away from roll-ups; live ones from their pages' counts too, and their ids."""
    is_live = source != part_columns.LOG
    if is_live:
        await live_merges.delete_merged_visits(session, visits["request_id"].view("S16"))
    counted = await count_columns(session, visits, countries)
    if is_live:
        views = await count_page_views(session, visits["page_id"])
        await lock_writers_exclusive(session)  # they write the same rows
        await subtract_from_rollups(session, counted, source)
        await subtract_page_views(session, views)
    else:
        await subtract_from_rollups(session, counted, source)


async def count_page_views(session: Transaction, page_ids: Values) -> dict[str, int]:
    """Return how many visits each page has that is named by its path."""
    ids, counts = np.unique(page_ids[page_ids > 0], return_counts=True)
    urls = await merged_visits.select_pages_of_visits(session, ids.tolist())
    views: Counter[str] = Counter()
    for page_id, count in zip(ids.tolist(), counts.tolist(), strict=True):
        if is_bare_path(urls[page_id]):  # several pages may have one URL
            views[urls[page_id]] += count
    return views


async def subtract_visits(
    session: Transaction, visits: Columns, countries: AddressCountries, source: str
) -> None:
    """Take deleted visits of parts away from all that is derived from them."""
    await subtract_counts(session, visits, countries, source)
    cart_ids = cart_ids_of(visits)
    if len(cart_ids):
        await lock_cart_rollups(session)
        shared = await select_carts_in_parts(session, cart_ids)
        own = np.setdiff1d(cart_ids, shared, assume_unique=True)
        await carts.subtract_visits(session, own, in_parts=False)
        await carts.subtract_visits(session, shared, in_parts=True)


def cart_ids_of(visits: Columns) -> Values:
    """Return the carts that visits name, in order."""
    cart_ids = visits["cart_id"]
    return distinct(cart_ids[cart_ids > 0])
