"""Roll-ups of carts: they change by what carts count for after a change, less what they did before it."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import add_counts, drop_zeros
from db.models import Base, BuyerCount, CartDay, PaidCategoryDay, PaidPairDay, PaymentDay
from db.sql import statement

KEYS: dict[type[Base], tuple[str, ...]] = {
    CartDay: ("day", "source", "is_paid"),
    PaymentDay: ("day", "source"),
    PaidCategoryDay: ("category_id", "day", "source"),
    PaidPairDay: ("category_id", "day", "source", "other_id"),
}
Key = tuple[Any, ...]
Counts = Counter[tuple[str, Key]]  # carts by roll-up and key in it; of `buyer`, by user and source


@asynccontextmanager
async def recounted(
    session: AsyncSession, *, cart_ids: list[int], goods_ids: list[int]
) -> AsyncIterator[None]:
    """Keep the roll-ups right over a block that changes these carts, or what these goods are.

    The caller holds the lock of cart roll-ups, and no other cart that holds the goods changes in the block.
    """
    before = await count_carts(session, cart_ids, goods_ids)
    yield
    after = await count_carts(session, cart_ids, goods_ids)
    after.subtract(before)
    await add_changes(session, {key: carts for key, carts in after.items() if carts})


async def count_carts(session: AsyncSession, cart_ids: list[int], goods_ids: list[int]) -> Counts:
    """What the carts, and by what they hold also those with the goods, count for."""
    counts: Counts = Counter()
    if cart_ids:
        for row in await session.execute(statement("carts/cart_counts"), {"cart_ids": cart_ids}):
            rollup, day, source, is_paid, user_id, carts = row
            keys = {"cart_day": (day, source, is_paid), "payment_day": (day, source)}
            counts[rollup, keys.get(rollup, (user_id, source))] = carts
    held = await session.execute(
        statement("carts/cart_categories"), {"cart_ids": cart_ids, "goods_ids": goods_ids}
    )
    for category_id, day, source, other_id, carts in held:
        if other_id is None:
            counts["paid_category_day", (category_id, day, source)] = carts
        else:
            counts["paid_pair_day", (category_id, day, source, other_id)] = carts
    return counts


async def add_changes(session: AsyncSession, changes: dict[tuple[str, Key], int]) -> None:
    for model, names in KEYS.items():
        found = [(*key, carts) for (name, key), carts in changes.items() if name == model.__tablename__]
        await change_rollup(session, model, (*names, "carts"), found)
    buyers: dict[int, Counter[str]] = {}
    for (name, key), carts in changes.items():
        if name == "buyer":
            user_id, source = key
            buyers.setdefault(user_id, Counter())["log" if source == "log" else "live"] += carts
    if buyers:
        await change_buyers(session, buyers)


async def change_buyers(session: AsyncSession, buyers: dict[int, Counter[str]]) -> None:
    """Change how many carts users have paid, by user and column of `buyer`."""
    moved = await session.execute(
        statement("carts/count_buyers"),
        {
            "user_id": list(buyers),
            "log": [carts["log"] for carts in buyers.values()],
            "live": [carts["live"] for carts in buyers.values()],
        },
    )
    await change_rollup(session, BuyerCount, ("sources", "purchases", "users"), [tuple(row) for row in moved])
    poorer = [user_id for user_id, carts in buyers.items() if min(carts.values()) < 0]
    if poorer:
        await session.execute(
            text("DELETE FROM buyer WHERE user_id = ANY(CAST(:ids AS bigint[])) AND log = 0 AND live = 0"),
            {"ids": poorer},
        )


async def change_rollup(
    session: AsyncSession, model: type[Base], names: tuple[str, ...], rows: Iterable[Key]
) -> None:
    """Add rows, of the columns `names` with the count last, and drop those that nothing is left of."""
    for part in ([row for row in rows if row[-1] > 0], [row for row in rows if row[-1] < 0]):
        if part:
            arrays = dict(zip(names, map(list, zip(*part, strict=True)), strict=True))
            await add_counts(session, model, arrays)
            if part[0][-1] < 0:
                await drop_zeros(session, model, arrays)
