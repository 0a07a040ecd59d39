"""Roll-ups of carts: they change by what carts count for after a change, less what they did before it."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import add_counts, array_literals, delete_zero_counts, execute_with_arrays
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
    INSERT INTO cart_day_version (day, version)
    SELECT day, gen_random_uuid() FROM unnest(CAST(:days AS timestamptz[])) AS day
    ON CONFLICT (day) DO UPDATE SET version = excluded.version
""")
PURCHASES = ("log", "live", "bot_log", "bot_live")  # columns of `buyer`
Purchases = tuple[int, ...]  # the carts that a user has paid, in the order of PURCHASES
Key = tuple[Any, ...]
Counts = Counter[tuple[str, Key]]  # carts by roll-up and key in it; of `buyer`, by BUYER_KEY


@dataclass(slots=True)
class Changes:
    """By how much the roll-ups of carts change.

    :param carts: by roll-up and key in it
    :param buyers: of carts that a user has paid, in the order of PURCHASES
    :param days: on which carts were opened or paid that may have changed
    """

    carts: Counter[tuple[str, Key]] = field(default_factory=Counter)
    buyers: dict[int, list[int]] = field(default_factory=dict)
    days: set[datetime] = field(default_factory=set)

    def add(self, counts: Mapping[tuple[str, Key], int]) -> None:
        """Add counts, which may be negative. Those of 0 are of carts that changed within a day, perhaps."""
        for (name, key), number in counts.items():
            if name in KEYS_BY_TABLE:
                self.days.add(key[KEYS_BY_TABLE[name].index("day")])
            if not number:
                continue
            if name == "buyer":
                _, user_id, source, is_bot = key
                self.buyers.setdefault(user_id, [0] * len(PURCHASES))[2 * is_bot + (source != "log")] += (
                    number
                )
            else:
                self.carts[name, key] += number


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
    await add_counts_of_carts(session, after)


async def count_carts(
    session: AsyncSession, cart_ids: list[int], goods_ids: list[int], *, without: Sequence[int] = ()
) -> Counts:
    """Return what the carts count for; and, by the categories in them, also the carts that hold the goods.

    :param without: carts that do not count because they hold the goods
    """
    counts: Counts = Counter()
    if cart_ids:
        for row in await session.execute(statement("carts/cart_counts"), {"cart_ids": cart_ids}):
            names = KEYS_BY_TABLE.get(row.rollup, BUYER_KEY)
            counts[row.rollup, tuple(getattr(row, name) for name in names)] = row.carts
    rows = await session.execute(
        statement("carts/cart_categories"),
        {"cart_ids": cart_ids, "goods_ids": goods_ids, "without": list(without)},
    )
    for row in rows:
        rollup = "paid_category_day" if row.other_id is None else "paid_pair_day"
        counts[rollup, tuple(getattr(row, name) for name in KEYS_BY_TABLE[rollup])] = row.carts
    return counts


async def add_counts_of_carts(session: AsyncSession, counts: Mapping[tuple[str, Key], int]) -> None:
    """Add counts, by roll-up and key, to the roll-ups of carts."""
    changes = Changes()
    changes.add(counts)
    await add_changes(session, changes)


async def add_changes(session: AsyncSession, changes: Changes) -> None:
    """Add changes to the roll-ups of carts."""
    await add_carts(session, changes.carts)
    if changes.buyers:
        await add_to_buyers(session, changes.buyers, changes.days)
    elif changes.days:
        await move_buyers(session, {}, changes.days)


async def add_carts(session: AsyncSession, carts: Mapping[tuple[str, Key], int]) -> None:
    """Add carts, by roll-up and key, to the roll-ups that count them by day."""
    rows: dict[str, list[Key]] = {model.__tablename__: [] for model in KEYS}
    for (name, key), number in carts.items():
        rows[name].append((*key, number))
    for model, names in KEYS.items():
        await add_to_rollup(session, model, (*names, "carts"), rows[model.__tablename__])


async def add_to_buyers(
    session: AsyncSession, buyers: Mapping[int, Sequence[int]], days: Iterable[datetime]
) -> None:
    """Add to the number of carts that users have paid.

    :param buyers: changes by user, in the order of PURCHASES
    :param days: whose version is renewed
    """
    user_ids, carts = np.array(list(buyers), np.int64), np.array(list(buyers.values()), np.int64)
    is_more = (carts > 0).any(axis=1)  # of some kind: such a user is left with some
    users: Counter[Purchases] = Counter()
    for name, rows in (("carts/count_buyers", is_more), ("carts/lower_buyers", ~is_more)):
        if rows.any():
            columns = {"user_id": user_ids[rows], **dict(zip(PURCHASES, carts[rows].T, strict=True))}
            states = await execute_with_arrays(session, statement(name), array_literals(columns))
            for state in states:
                users[tuple(state[:-1])] += state[-1]
    await move_buyers(session, users, days)


async def move_buyers(
    session: AsyncSession, users: Mapping[Purchases, int], days: Iterable[datetime]
) -> None:
    """Count the users who have paid so many carts more, or less, and renew the version of days.

    :param users: by the carts that they have paid, in the order of PURCHASES
    """
    counts: Counter[Key] = Counter()
    for (log, live, bot_log, bot_live), number in users.items():
        bought = {
            ("all", "all"): log + live + bot_log + bot_live,
            ("all", "human"): log + live,
            ("all", "bot"): bot_log + bot_live,
            ("log", "all"): log + bot_log,
            ("log", "human"): log,
            ("log", "bot"): bot_log,
            ("api", "all"): live + bot_live,
            ("api", "human"): live,
            ("api", "bot"): bot_live,
        }
        for (sources, traffic), purchases in bought.items():
            if purchases:
                counts[sources, traffic, purchases] += number
    names = ("sources", "traffic", "purchases", "users")
    rows = sorted((*key, number) for key, number in counts.items())
    await add_to_rollup(session, BuyerCount, names, rows)
    if days := sorted(days):
        await session.execute(CHANGE_DAYS, {"days": days})


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
