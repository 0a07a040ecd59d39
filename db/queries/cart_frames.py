"""The visits that name carts as frames: of parts, and live.

Columns: occurred_at, position, source, kind (a code of db.kinds), address, cart_id, goods_id, amount (0 where
there is none), user_id (who pays) and is_bot.
"""

from collections.abc import Container, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, BigInteger, any_, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.array_literals import number_array
from db.columns import Values
from db.frames import NO_NUMBER, Frame, concatenate, instants_at, instants_of, numbers_of, texts_of
from db.kinds import KIND_CODES
from db.models import LiveVisit
from db.queries.bots import select_bots
from db.queries.live_visits import LiveRow
from db.queries.part_columns import LOG, PartSpan, select_part_spans
from db.queries.part_lines import PartLines, select_cart_ids, select_part_lines
from db.sessions import AnyRow, raw_connection
from db.unique import distinct

LIVE_CARTS = """
    SELECT DISTINCT cart_id
    FROM live_visit
    WHERE cart_id = ANY(CAST((SELECT CAST(CAST($1 AS text) AS bigint[])) AS bigint[]))
"""


async def part_frame(session: AsyncSession, lines: PartLines, source: str) -> Frame:
    """Make a frame of the visits of a part that name a cart, with their addresses."""
    rows = await session.execute(
        text("SELECT id, host(address) FROM address WHERE id = ANY(:ids)"),
        {"ids": distinct(lines.address_id).tolist()},
    )
    return make_frame(lines, dict(rows.all()), await select_bots(session, lines.agent_id), source)


def make_frame(
    lines: PartLines, names: Mapping[int, str], is_bot: NDArray[np.bool_] | None, source: str = LOG
) -> Frame:
    """Make a frame of the visits of a part that name a cart.

    :param names: their addresses by id
    :param is_bot: None where no visit is a bot's
    """
    address_ids, places = np.unique(lines.address_id, return_inverse=True)
    return {
        "occurred_at": instants_at(lines.occurred),
        "position": lines.position,
        "source": np.full(len(lines), source, np.object_),
        "kind": lines.kind,
        "address": texts_of([names[address_id] for address_id in address_ids.tolist()])[places],
        "cart_id": lines.cart_id,
        "goods_id": lines.goods_id,
        "amount": lines.amount,
        "user_id": np.where(lines.user_id == 0, NO_NUMBER, lines.user_id),
        "is_bot": np.zeros(len(lines), np.bool_) if is_bot is None else is_bot,
    }


def live_frame(rows: Sequence[LiveRow], bots: Container[str]) -> Frame:
    """Make a frame of live visits that are being stored and name a cart.

    :param bots: ids of those that are of bots
    """
    return frame_of_rows(rows, [row.request_id in bots for row in rows])


def frame_of_rows(rows: Sequence[LiveRow | AnyRow], is_bot: Sequence[bool]) -> Frame:
    """Make a frame of live visits that name a cart, from rows of either kind."""
    return {
        "occurred_at": instants_of(row.occurred_at for row in rows),
        "position": numbers_of(row.position for row in rows),
        "source": texts_of(row.source for row in rows),
        "kind": np.array([ord(KIND_CODES[row.kind]) for row in rows], np.uint8),
        "address": texts_of(row.address for row in rows),
        "cart_id": numbers_of(row.cart_id for row in rows),
        "goods_id": numbers_of(row.goods_id for row in rows),
        "amount": numbers_of(row.amount or 0 for row in rows),
        "user_id": numbers_of(row.buyer_id for row in rows),
        "is_bot": np.array(is_bot, np.bool_),
    }


async def select_cart_visits(
    session: AsyncSession, cart_ids: Sequence[int], *, excluding: Sequence[PartSpan] = ()
) -> Frame:
    """Return the visits that name one of the carts, but those of some parts."""
    frames = [await select_live_frame(session, cart_ids)]
    sought = distinct(np.array(cart_ids, np.int64))
    for span in await select_part_spans(session):
        if may_name(span, sought) and span not in excluding:
            lines = await select_part_lines(session, span)
            rows = np.flatnonzero(np.isin(lines.cart_id, sought))
            if len(rows):
                frames.append(await part_frame(session, lines.take(rows), span.source))
    return concatenate(frames)


async def select_carts_in_parts(
    session: AsyncSession, cart_ids: Values, *, excluding: Sequence[PartSpan] = ()
) -> Values:
    """Return which of these sorted carts a part names; those in `excluding` do not count."""
    named = np.zeros(len(cart_ids), np.bool_)
    for span in await select_part_spans(session):
        if may_name(span, cart_ids) and span not in excluding:
            others = await select_cart_ids(session, span)
            named |= np.isin(cart_ids, others, assume_unique=True)
    return cart_ids[named]


async def select_live_carts(session: AsyncSession, cart_ids: Values) -> Values:
    """Return which of these carts live visits name."""
    raw = await raw_connection(session)
    rows = await raw.fetch(LIVE_CARTS, number_array(cart_ids.tolist()))
    return cart_ids[np.isin(cart_ids, numbers_of(row["cart_id"] for row in rows))]


def may_name(span: PartSpan, cart_ids: Values) -> bool:
    """Return whether a part may name any of these sorted carts."""
    if span.cart_ids is None or not len(cart_ids):
        return False
    first, last = span.cart_ids
    return bool(np.searchsorted(cart_ids, first) < np.searchsorted(cart_ids, last, "right"))


async def select_live_frame(session: AsyncSession, cart_ids: Sequence[int]) -> Frame:
    """Return the live visits that name one of the carts."""
    live = LiveVisit
    result = await session.execute(
        select(
            live.occurred_at,
            live.position,
            live.source,
            live.kind,
            func.host(live.address).label("address"),
            live.cart_id,
            live.goods_id,
            live.amount,
            live.buyer_id,
            live.is_bot,
        ).where(live.cart_id == any_(cast(list(cart_ids), ARRAY(BigInteger))))
    )
    rows = result.all()
    return frame_of_rows(rows, [row.is_bot for row in rows])
