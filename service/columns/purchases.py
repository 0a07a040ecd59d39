"""How many carts users have paid in a period: counted on columns of each day, which are kept."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock

import numpy as np

from db.database import Raw
from db.event_users import UserCodes
from db.part_cache import PartCache
from db.part_files import Array
from db.queries.cart_days import NO_PURCHASES, CartColumns, Purchases, select_cart_days, select_purchases
from db.read_threads import Waiting, run_while_awaited
from service.columns.cart_days import CartFilter

MAX_BYTES = 64 * 1024 * 1024
MAX_USERS = 5_000_000  # with more numbers, a store is given up for a new one
OVERHEAD = 1000  # bytes of a day beside its arrays
READ_DAYS = 32  # that are asked for at a time


@dataclass(frozen=True, slots=True)
class PaidDay(CartColumns):
    """The payments of a day.

    :param users: their numbers in UserCodes
    """

    users: Array

    @property
    def size(self) -> int:
        return sum(each.nbytes for each in (self.at, self.users, self.is_live, self.is_bot)) + OVERHEAD


class PurchaseStore:
    """The days that a process has read, by version, the least recently used of which are dropped."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._days = PartCache(max_bytes)
        self._codes = UserCodes()
        self._lock = Lock()

    @property
    def users(self) -> int:
        """More than all numbers of users."""
        return len(self._codes.ids)

    @property
    def is_full(self) -> bool:
        """Whether so many users have numbers that those of users who are gone should be given up."""
        return self.users > MAX_USERS

    def get(self, version: uuid.UUID) -> PaidDay | None:
        with self._lock:
            day: PaidDay | None = self._days.get(version)
        return day

    def put(self, version: uuid.UUID, purchases: Purchases) -> PaidDay:
        users, places = np.unique(purchases.user_id, return_inverse=True)
        day = PaidDay(
            purchases.at,
            purchases.is_live.astype(np.bool_),
            purchases.is_bot.astype(np.bool_),
            self._codes.number(users)[places.reshape(-1)],
        )
        with self._lock:
            self._days.put(version, day, day.size)
        return day


async def count_purchases(raw: Raw, store: PurchaseStore, cart_filter: CartFilter) -> list[tuple[int, int]]:
    """Return how many users paid for so many carts in the one period of a filter, by that number."""
    [period] = cart_filter.periods
    days = await select_cart_days(raw, *period)
    days_by_version = {version: store.get(version) for _, version in days}
    missing = [(day, version) for day, version in days if days_by_version[version] is None]
    for begin in range(0, len(missing), READ_DAYS):
        versions = dict(missing[begin : begin + READ_DAYS])
        purchases = await select_purchases(raw, list(versions))
        days_by_version |= await run_while_awaited(partial(cache_days, store, versions, purchases))
    paid = [day for day in days_by_version.values() if day is not None]
    return await run_while_awaited(lambda waiting: count_users(paid, cart_filter, waiting))


def cache_days(
    store: PurchaseStore,
    versions: Mapping[datetime, uuid.UUID],
    purchases: Mapping[datetime, Purchases],
    waiting: Waiting,
) -> dict[uuid.UUID, PaidDay | None]:
    """Cache the purchases of days. Return each day by its version."""
    waiting.check()
    return {
        version: store.put(version, purchases.get(day, NO_PURCHASES)) for day, version in versions.items()
    }


def count_users(days: Sequence[PaidDay], cart_filter: CartFilter, waiting: Waiting) -> list[tuple[int, int]]:
    """Return how many users paid for so many carts, by that number, in a thread."""
    users = [np.empty(0, np.int32)]
    for day in days:
        waiting.check()
        users += [day.users[places] for places in cart_filter.places(day)]
    users_of = np.bincount(np.bincount(np.concatenate(users)))
    return [(carts, int(users_of[carts])) for carts in np.flatnonzero(users_of).tolist() if carts]
