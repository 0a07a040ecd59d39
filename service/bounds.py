"""The bounds of a worker: every queue, budget and deadline, each with its reason.

docs/operations.md lists them, and /metrics shows how full each is.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service.errors import TooMany
from telemetry.refusals import record_refusal

RETRY_AFTER = 1  # seconds


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
    """

    read_seconds: float = 10.0
    turn_seconds: float = 5.0
    account_reads: int = 4
    reads: int = 6
    account_exports: int = 2
    exports: int = 8
    waiting: int = 64


@dataclass(slots=True)
class AccountQueue:
    """The running and waiting work of one account."""

    permits: asyncio.Semaphore
    members: int = 0


class Turns:
    """Lets work of one kind run: first come, first served, each account in a queue of its own.

    An account waits for its own work before it waits with the others, so it never holds them up.
    """

    def __init__(self, name: str, *, each: int, total: int, waiting: int, seconds: float) -> None:
        """Make the turns of one kind.

        :param name: of the bound, in metrics and logs
        :param each: of one account at a time
        :param total: of all accounts at a time
        :param waiting: of one account at most
        :param seconds: to wait for a turn
        """
        self.name = name
        self.total = total
        self._each = each
        self._waiting = waiting
        self._seconds = seconds
        self._permits = asyncio.Semaphore(total)
        self._queues: dict[int, AccountQueue] = {}
        self.running = 0

    @asynccontextmanager
    async def turn(self, account_id: int) -> AsyncIterator[None]:
        """Wait for a turn and hold it for the block.

        :raises TooMany: `too_many_at_once`, if none comes in time or too many wait already
        """
        queue = self._queues.setdefault(account_id, AccountQueue(asyncio.Semaphore(self._each)))
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
                del self._queues[account_id]

    async def _acquire(self, queue: AccountQueue) -> None:
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
            f"too many {self.name} at once for one account, or for this server",
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
