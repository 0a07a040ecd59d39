"""The visits that name carts as polars frames: of parts, and live."""

from collections.abc import Container, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import ARRAY, BigInteger, any_, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.columns import Values
from db.kinds import KIND_NAMES
from db.models import LiveVisit
from db.queries.bots import select_bots
from db.queries.live_visits import LiveRow
from db.queries.part_columns import LOG, PartSpan, select_part_spans
from db.queries.part_lines import PartLines, select_cart_ids, select_part_lines
from db.visit_frame import schema_of

NAMES = (
    "occurred_at",
    "position",
    "source",
    "kind",
    "address",
    "cart_id",
    "goods_id",
    "amount",
    "user_id",
    "is_bot",
)
KIND_BY_CODE = np.array([KIND_NAMES.get(chr(code), "") for code in range(128)])


async def part_frame(session: AsyncSession, lines: PartLines, source: str) -> pl.DataFrame:
    """Make a frame of the visits of a part that name a cart, with their addresses."""
    rows = await session.execute(
        text("SELECT id, host(address) FROM address WHERE id = ANY(:ids)"),
        {"ids": np.unique(lines.address_id).tolist()},
    )
    return make_frame(lines, dict(rows.all()), await select_bots(session, lines.agent_id), source)


def make_frame(
    lines: PartLines, names: Mapping[int, str], is_bot: NDArray[np.bool_] | None, source: str = LOG
) -> pl.DataFrame:
    """Make a frame of the visits of a part that name a cart.

    :param names: their addresses by id
    :param is_bot: None where no visit is a bot's
    """
    distinct, places = np.unique(lines.address_id, return_inverse=True)
    addresses = pl.Series([names[address_id] for address_id in distinct.tolist()], dtype=pl.String)
    numbers = {
        name: pl.Series(getattr(lines, name)).replace(0, None)
        for name in ("cart_id", "goods_id", "amount", "user_id")
    }
    columns = {
        "occurred_at": pl.Series(lines.occurred).cast(pl.Datetime("us", "UTC")),
        "position": lines.position,
        "source": [source] * len(lines),
        "kind": KIND_BY_CODE[lines.kind],
        "address": addresses.gather(places),
        **numbers,
        "is_bot": [False] * len(lines) if is_bot is None else is_bot,
    }
    return pl.DataFrame(columns, schema=schema_of(*NAMES))


def live_frame(rows: Sequence[LiveRow], bots: Container[str]) -> pl.DataFrame:
    """Make a frame of live visits that are being stored. `user_id` is who pays.

    :param bots: ids of those that are of bots
    """
    columns = {name: [getattr(row, name) for row in rows] for name in NAMES if name != "is_bot"}
    columns["user_id"] = [row.buyer_id for row in rows]
    columns["is_bot"] = [row.request_id in bots for row in rows]
    return pl.DataFrame(columns, schema=schema_of(*NAMES))


async def select_cart_visits(
    session: AsyncSession, cart_ids: Sequence[int], *, excluding: Sequence[PartSpan] = ()
) -> pl.DataFrame:
    """Return the visits that name one of the carts, but those of some parts."""
    frames = [await select_live_frame(session, cart_ids)]
    sought = np.unique(np.array(cart_ids, np.int64))
    for span in await select_part_spans(session):
        if may_name(span, sought) and span not in excluding:
            lines = await select_part_lines(session, span)
            rows = np.flatnonzero(np.isin(lines.cart_id, sought))
            if len(rows):
                frames.append(await part_frame(session, lines.take(rows), span.source))
    return pl.concat(frames)


async def select_carts_in_parts(
    session: AsyncSession, cart_ids: Values, *, excluding: Sequence[PartSpan] = ()
) -> Values:
    """Return which of these carts, which are sorted, parts name, but some."""
    named = np.zeros(len(cart_ids), np.bool_)
    for span in await select_part_spans(session):
        if may_name(span, cart_ids) and span not in excluding:
            others = await select_cart_ids(session, span)
            named |= np.isin(cart_ids, others, assume_unique=True)
    return cart_ids[named]


async def select_live_carts(session: AsyncSession, cart_ids: Values) -> Values:
    """Return which of these carts, which are sorted, live visits name."""
    live = await session.scalars(
        select(LiveVisit.cart_id).where(LiveVisit.cart_id == any_(cast(cart_ids.tolist(), ARRAY(BigInteger))))
    )
    return cart_ids[np.isin(cart_ids, np.array(live.all(), np.int64))]


def may_name(span: PartSpan, cart_ids: Values) -> bool:
    """Return whether a part may name some of these carts, which are sorted."""
    if span.cart_ids is None or not len(cart_ids):
        return False
    first, last = span.cart_ids
    return bool(np.searchsorted(cart_ids, first) < np.searchsorted(cart_ids, last, "right"))


async def select_live_frame(session: AsyncSession, cart_ids: Sequence[int]) -> pl.DataFrame:
    """Return the live visits that name one of the carts. `user_id` is who pays."""
    live = LiveVisit
    rows = await session.execute(
        select(
            live.occurred_at,
            live.position,
            live.source,
            live.kind,
            func.host(live.address),
            live.cart_id,
            live.goods_id,
            live.amount,
            live.buyer_id,
            live.is_bot,
        ).where(live.cart_id == any_(cast(list(cart_ids), ARRAY(BigInteger))))
    )
    return pl.DataFrame([tuple(row) for row in rows], schema=schema_of(*NAMES), orient="row")
