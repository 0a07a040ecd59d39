"""The bounds of a worker: every queue, budget and deadline, each with its reason.

docs/operations.md lists them, and /metrics shows how full each is.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service.bounds.bodies import Bodies, Counter, LocalCounter
from service.bounds.cores import Cores
from service.errors import TooMany
from telemetry.refusals import record_refusal

RETRY_AFTER = 1  # seconds
MIB = 2**20
CORES = os.cpu_count() or 1

Use = tuple[
    str, float, float
]  # of a bound that has a size: its name, how much is in use, and how much may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Bounds of one worker; only tests give other ones.

    :param read_seconds: for a read; one that needs longer would do so again, so the client must ask for less
    :param turn_seconds: for a turn; a client that waits longer would rather hear that it must
    :param account_reads: statistics and lists of one account at a time: more would queue in PostgreSQL
    :param reads: the same of all accounts: the other connections of the pool serve sign-ins and single rows
    :param account_queries: of these, that compute at a time: no more than cores, where the database has ours
    :param core_seconds: that a query waits to be one of them
    :param account_exports: of one account at a time
    :param exports: of all accounts: each takes a connection of its own beside the pool, for hours perhaps
    :param waiting: for each kind of turn, of one account: more than these are refused at once
    :param body_seconds: to wait for a body of up to 1 MiB in all, and for the next piece of a larger one
    :param body_rate: bytes a second that a larger one keeps on average: it would hold memory for hours else
    :param slow_after: seconds of waiting after which a body is slow; others cost no more than their request
    :param address_bodies: slow ones of one address, over all workers: many more than browsers behind it have
    :param body_bytes: that all bodies hold, gunzipped ones too: memory that a worker is planned to have
    :param address_body_bytes: the same of one address, which leaves as much to all others
    :param address_connections: of one address over all workers, silent ones too; the newest are closed
    :param account_bulk_bodies: bulk bodies of one account at a time: each takes its time to be stored
    :param bulk_bodies: the same of all accounts: `body_bytes` bounds what they hold
    :param sign_in_hashes: passwords hashed at a time, each a core and 32 MiB; one address leaves one free
    :param sign_up_hashes: the same of new accounts, beside those: strangers' sign-ups delay no sign-in
    :param hash_seconds: to wait for a hash: less than the time after which the throttle gives an attempt up
    :param hashes_waiting: of one address; the throttle admits no more of its sign-ins
    """

    read_seconds: float = 10.0
    turn_seconds: float = 5.0
    account_reads: int = 4
    account_queries: int = 4
    core_seconds: float = 2.5
    reads: int = 6
    account_exports: int = 2
    exports: int = 8
    waiting: int = 64
    body_seconds: float = 20.0
    body_rate: int = 16 * 1024
    slow_after: float = 0.25
    address_bodies: int = 64
    body_bytes: int = 256 * MIB
    address_body_bytes: int = 128 * MIB
    address_connections: int = 512
    account_bulk_bodies: int = 2
    bulk_bodies: int = 64
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

    def use(self) -> Use:
        return self.name, self.running, self.total

    def _refusal(self) -> TooMany:
        record_refusal(self.name)
        return TooMany(
            f"too many {self.name.replace('_', '-')} at once for one {self.owner}, or for this server",
            code="too_many_at_once",
            retry_after=RETRY_AFTER,
        )


@dataclass(frozen=True, slots=True)
class WorkTurns:
    """The turns of each kind of heavy work, and the bodies under way."""

    reads: Turns
    exports: Turns
    bulk_bodies: Turns
    bodies: Bodies
    cores: Cores
    bounds: Bounds = field(default_factory=Bounds)

    @classmethod
    def make(cls, bounds: Bounds, *, slow_bodies: Counter | None = None) -> "WorkTurns":
        """Make them for a worker.

        :param slow_bodies: counts those of each address over all workers; None if there is one
        """

        def turns(name: str, each: int, total: int) -> Turns:
            return Turns(name, each=each, total=total, waiting=bounds.waiting, seconds=bounds.turn_seconds)

        return cls(
            reads=turns("reads", bounds.account_reads, bounds.reads),
            exports=turns("exports", bounds.account_exports, bounds.exports),
            bulk_bodies=turns("bulk_bodies", bounds.account_bulk_bodies, bounds.bulk_bodies),
            bodies=Bodies(
                total=bounds.body_bytes,
                each=bounds.address_body_bytes,
                slow=bounds.address_bodies,
                slow_counter=slow_bodies or LocalCounter(),
            ),
            cores=Cores(each=bounds.account_queries, seconds=bounds.core_seconds),
            bounds=bounds,
        )

    def uses(self) -> Iterator[Use]:
        """Yield the use of each. They are added up over the workers: one over all is told in parts."""
        for turns in (self.reads, self.exports, self.bulk_bodies):
            yield turns.use()
        bodies = self.bodies
        yield "body_bytes", bodies.held, bodies.total
        yield "slow_bodies", bodies.slow_counter.largest(), bodies.slow / bodies.slow_counter.workers


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

    def uses(self) -> Iterator[Use]:
        yield self.sign_ins.use()
        yield self.sign_ups.use()
