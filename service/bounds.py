"""The bounds of a worker: every queue, budget and deadline, each with its reason.

docs/operations.md lists them, and /metrics shows how full each is.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service.errors import TooMany
from telemetry.refusals import record_refusal

RETRY_AFTER = 1  # seconds
CORES = os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Bounds of one worker; only tests give other ones.

    :param read_seconds: for a read; one that needs longer would do so again, so the client must ask for less
    :param turn_seconds: for a turn; a client that waits longer would rather hear that it must
    :param account_reads: statistics and lists of one account at a time: more would queue in PostgreSQL
    :param reads: the same of all accounts: the other connections of the pool serve sign-ins and single rows
    :param account_exports: of one account at a time
    :param exports: of all accounts: each takes a connection of its own beside the pool, for hours perhaps
    :param waiting: for each kind of turn, of one account: more than these are refused at once
    :param sign_in_hashes: passwords hashed at a time, each a core and 32 MiB; one address leaves one free
    :param sign_up_hashes: the same of new accounts, beside those: strangers' sign-ups delay no sign-in
    :param hash_seconds: to wait for a hash: less than the time after which the throttle gives an attempt up
    :param hashes_waiting: of one address; the throttle admits no more of its sign-ins
    """

    read_seconds: float = 10.0
    turn_seconds: float = 5.0
    account_reads: int = 4
    reads: int = 6
    account_exports: int = 2
    exports: int = 8
    waiting: int = 64
    sign_in_hashes: int = CORES
    sign_up_hashes: int = max(1, CORES // 2)
    hash_seconds: float = 20.0
    hashes_waiting: int = 100


@dataclass(slots=True)
class OwnerQueue:
    """The running and waiting work of one owner."""

    permits: asyncio.Semaphore
    members: int = 0


class Turns:
    """Lets work of one kind run: first come, first served, each owner in a queue of its own.

    An owner waits for its own work before it waits with the others, so it never holds them up.
    """

    def __init__(
        self, name: str, *, each: int, total: int, waiting: int, seconds: float, owner: str = "account"
    ) -> None:
        """Make the turns of one kind.

        :param name: of the bound, in metrics and logs
        :param each: of one owner at a time
        :param total: of all owners at a time
        :param waiting: of one owner at most
        :param seconds: to wait for a turn
        :param owner: what an owner is, for the refusal
        """
        self.name = name
        self.owner = owner
        self.total = total
        self._each = each
        self._waiting = waiting
        self._seconds = seconds
        self._permits = asyncio.Semaphore(total)
        self._queues: dict[Hashable, OwnerQueue] = {}
        self.running = 0

    @asynccontextmanager
    async def turn(self, owner: Hashable) -> AsyncIterator[None]:
        """Wait for a turn and hold it for the block.

        :raises TooMany: `too_many_at_once`, if none comes in time or too many wait already
        """
        queue = self._queues.setdefault(owner, OwnerQueue(asyncio.Semaphore(self._each)))
        queue.members += 1
        try:
            if queue.members > self._each + self._waiting:
                raise self._refusal()
            await self._acquire(queue)
            self.running += 1
            try:
                yield
            finally:
                self.running -= 1
                self._permits.release()
                queue.permits.release()
        finally:
            queue.members -= 1
            if not queue.members:
                del self._queues[owner]

    async def _acquire(self, queue: OwnerQueue) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await queue.permits.acquire()
                try:
                    await self._permits.acquire()
                except asyncio.CancelledError:
                    queue.permits.release()
                    raise
        except TimeoutError:
            raise self._refusal() from None

    def _refusal(self) -> TooMany:
        record_refusal(self.name)
        return TooMany(
            f"too many {self.name.replace('_', '-')} at once for one {self.owner}, or for this server",
            code="too_many_at_once",
            retry_after=RETRY_AFTER,
        )


@dataclass(frozen=True, slots=True)
class WorkTurns:
    """The turns of each kind of heavy work."""

    reads: Turns
    exports: Turns
    bounds: Bounds = field(default_factory=Bounds)

    @classmethod
    def make(cls, bounds: Bounds) -> "WorkTurns":
        def turns(name: str, each: int, total: int) -> Turns:
            return Turns(name, each=each, total=total, waiting=bounds.waiting, seconds=bounds.turn_seconds)

        return cls(
            reads=turns("reads", bounds.account_reads, bounds.reads),
            exports=turns("exports", bounds.account_exports, bounds.exports),
            bounds=bounds,
        )


@dataclass(frozen=True, slots=True)
class HashTurns:
    """The turns of hashing passwords, each address in a queue of its own."""

    sign_ins: Turns
    sign_ups: Turns

    @classmethod
    def make(cls, bounds: Bounds) -> "HashTurns":
        def turns(name: str, total: int) -> Turns:
            return Turns(
                name,
                each=max(1, total - 1),
                total=total,
                waiting=bounds.hashes_waiting,
                seconds=bounds.hash_seconds,
                owner="address",
            )

        return cls(
            sign_ins=turns("sign_ins", bounds.sign_in_hashes),
            sign_ups=turns("sign_ups", bounds.sign_up_hashes),
        )
