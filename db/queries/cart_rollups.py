"""Roll-ups of carts: they change by what carts count for after a change, less what they did before it."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import add_counts, delete_zero_counts, execute_with_arrays
from db.database import AnyRow
from db.models import Base, BuyerCount, CartDay, PaidCategoryDay, PaidPairDay, PaymentDay
from db.sql import statement

KEYS: dict[type[Base], tuple[str, ...]] = {
    CartDay: ("day", "source", "is_paid", "is_bot"),
    PaymentDay: ("day", "source", "is_bot"),
    PaidCategoryDay: ("category_id", "day", "source", "is_bot"),
    PaidPairDay: ("category_id", "day", "source", "other_id", "is_bot"),
}
BUYER_KEY = ("day", "user_id", "source", "is_bot")  # the time of payments instead of their day
KEYS_BY_TABLE = {model.__tablename__: names for model, names in KEYS.items()}
CHANGE_DAYS = text("""
    INSERT INTO purchase_day (day, version)
    SELECT day, gen_random_uuid() FROM unnest(CAST(:days AS timestamptz[])) AS day
    ON CONFLICT (day) DO UPDATE SET version = excluded.version
""")
PURCHASES = ("log", "live", "bot_log", "bot_live")  # columns of `buyer`
Key = tuple[Any, ...]
Counts = Counter[tuple[str, Key]]  # carts by roll-up and key in it; of `buyer`, by BUYER_KEY


@asynccontextmanager
async def rollup_changes(
    session: AsyncSession, *, cart_ids: list[int], goods_ids: list[int]
) -> AsyncIterator[None]:
    """Change the roll-ups by what a block changes of these carts, or of what these goods are.

    The caller holds the lock of cart roll-ups, and the block changes no other cart that holds the goods.
    """
    before = await count_carts(session, cart_ids, goods_ids)
    yield
    after = await count_carts(session, cart_ids, goods_ids)
    after.subtract(before)
    await add_changes(session, {key: carts for key, carts in after.items() if carts})


async def count_carts(session: AsyncSession, cart_ids: list[int], goods_ids: list[int]) -> Counts:
    """Return what the carts count for; and, by the categories in them, also the carts that hold the goods."""
    counts: Counts = Counter()
    if cart_ids:
        for row in await session.execute(statement("carts/cart_counts"), {"cart_ids": cart_ids}):
            names = KEYS_BY_TABLE.get(row.rollup, BUYER_KEY)
            counts[row.rollup, tuple(getattr(row, name) for name in names)] = row.carts
    rows = await session.execute(
        statement("carts/cart_categories"), {"cart_ids": cart_ids, "goods_ids": goods_ids}
    )
    for row in rows:
        rollup = "paid_category_day" if row.other_id is None else "paid_pair_day"
        counts[rollup, tuple(getattr(row, name) for name in KEYS_BY_TABLE[rollup])] = row.carts
    return counts


async def subtract_counts(session: AsyncSession, rows: Sequence[AnyRow]) -> None:
    """Take away what deleted carts counted for: rows of delete_carts.sql."""
    changes: dict[tuple[str, Key], int] = {}
    for row in rows:
        names = KEYS_BY_TABLE.get(row.rollup, BUYER_KEY)
        changes[row.rollup, tuple(getattr(row, name) for name in names)] = -row.carts
    await add_changes(session, changes)


async def add_changes(session: AsyncSession, changes: dict[tuple[str, Key], int]) -> None:
    """Add changes, by roll-up and key, to the roll-ups of carts."""
    rows: dict[str, list[Key]] = {model.__tablename__: [] for model in KEYS}
    buyers: dict[int, list[int]] = {}
    days: set[datetime] = set()
    for (name, key), carts in changes.items():
        if name == "buyer":
            paid_at, user_id, source, is_bot = key
            days.add(paid_at.replace(hour=0, minute=0, second=0, microsecond=0))
            buyers.setdefault(user_id, [0] * len(PURCHASES))[2 * is_bot + (source != "log")] += carts
        else:
            rows[name].append((*key, carts))
    for model, names in KEYS.items():
        await add_to_rollup(session, model, (*names, "carts"), rows[model.__tablename__])
    if buyers:
        await add_to_buyers(session, buyers)
        await session.execute(CHANGE_DAYS, {"days": sorted(days)})


async def add_to_buyers(session: AsyncSession, buyers: dict[int, list[int]]) -> None:
    """Add to the number of carts that users have paid.

    :param buyers: changes by user, in the order of PURCHASES
    """
    columns = {"user_id": list(buyers)}
    columns |= {name: [carts[place] for carts in buyers.values()] for place, name in enumerate(PURCHASES)}
    arrays = {name: f"{{{','.join(map(str, numbers))}}}" for name, numbers in columns.items()}
    moves = await execute_with_arrays(session, statement("carts/count_buyers"), arrays)
    await add_to_rollup(
        session, BuyerCount, ("sources", "traffic", "purchases", "users"), [tuple(row) for row in moves]
    )
    decreased = [user_id for user_id, carts in buyers.items() if min(carts) < 0]
    if decreased:
        await session.execute(
            text(
                "DELETE FROM buyer WHERE user_id = ANY(CAST(:ids AS bigint[])) "
                "AND log = 0 AND live = 0 AND bot_log = 0 AND bot_live = 0"
            ),
            {"ids": decreased},
        )


async def add_to_rollup(
    session: AsyncSession, model: type[Base], names: tuple[str, ...], rows: Iterable[Key]
) -> None:
    """Add rows, of the columns `names` with the count last, and delete those whose count becomes zero."""
    for part in ([row for row in rows if row[-1] > 0], [row for row in rows if row[-1] < 0]):
        if part:
            arrays = dict(zip(names, map(list, zip(*part, strict=True)), strict=True))
            await add_counts(session, model, arrays)
            if part[0][-1] < 0:
                await delete_zero_counts(session, model, arrays)
