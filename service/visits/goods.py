"""Infers goods again after visits were deleted."""

from typing import Protocol

from db.database import Database, Transaction
from db.queries import goods
from service.visits.pacing import LIMITS, AdaptiveBatch


class SelectGoods(Protocol):
    """A query that returns the first `count` goods after an id, in order."""

    async def __call__(self, session: Transaction, /, *, after: int, count: int) -> list[int]: ...


async def reinfer_goods(db: Database, select: SelectGoods, *, most: int = LIMITS.goods) -> None:
    """Infer the selected goods from the visits that are left, in batches; delete those that none explains.

    :param most: goods in a batch
    """
    after, batch = -1, AdaptiveBatch(200, most, least=50)  # a batch reads the same parts, however few goods
    while True:
        async with db.read() as session:
            goods_ids = await select(session, after=after, count=batch.rows)
        if not goods_ids:
            return
        async with batch.of_goods(db) as session:
            await goods.reinfer_goods(session, goods_ids)
        after = goods_ids[-1]
