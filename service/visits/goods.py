"""Learns goods anew after visits were taken away."""

from typing import Protocol

from db.database import Database, Transaction
from db.queries.carts import learn_anew
from service.visits.pacing import AdaptiveBatch

GOODS_TOGETHER = 1000  # at most, at a time


class Select(Protocol):
    """Goods, in order: the first `count` of those after an id."""

    async def __call__(self, session: Transaction, /, *, after: int, count: int) -> list[int]: ...


async def learn_goods_anew(db: Database, select: Select) -> None:
    """Learn goods anew from the visits that there are, part by part; forget those that nobody explains."""
    after, batch = -1, AdaptiveBatch(1, GOODS_TOGETHER)
    while True:
        async with db.read() as session:
            goods_ids = await select(session, after=after, count=batch.rows)
        if not goods_ids:
            return
        async with batch.exclusive(db) as session:
            await learn_anew(session, goods_ids)
        after = goods_ids[-1]
