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
from service.bounds.slots import Slots
from service.errors import TooMany
from telemetry.refusals import record_refusal

RETRY_AFTER = 1  # seconds
MIB = 2**20
CORES = os.cpu_count() or 1

Use = tuple[str, float, float]  # the name of a bound, how much of it is in use, and its limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Bounds of one worker. Only tests change them.

    :param read_seconds: until a read is cancelled; another try takes as long, so the client must ask for less
    :param permit_seconds: to wait for a permit, before the client hears that the server is busy
    :param account_reads: statistics and lists of one account at a time: more would queue in PostgreSQL
    :param reads: the same of all accounts: the pool's other connections serve sign-ins and single rows
    :param account_queries: of these, that compute at a time: no more than cores, where the database has ours
    :param core_seconds: that a query waits to be one of them
    :param account_exports: of one account at a time
    :param exports: of all accounts: each takes a connection of its own beside the pool, perhaps for hours
    :param waiting: requests of one account that wait for a permit of one kind; more are refused at once
    :param body_seconds: until a body of up to 1 MiB has arrived, and between two pieces of a larger one
    :param body_rate: bytes a second, on average, of a larger body; a slower one would hold memory for hours
    :param slow_after: seconds of waiting that make a body slow; a faster one costs no more than its request
    :param address_bodies: slow bodies of one address, over all workers; browsers behind it send fewer
    :param body_bytes: that all bodies hold, also gunzipped: the memory that a worker has for them
    :param address_body_bytes: the same of one address, so that half is left to the others
    :param address_connections: of one address over all workers, idle ones too; the newest beyond are closed
    :param account_bulk_bodies: bulk bodies of one account at a time: storing each takes a while
    :param bulk_bodies: the same of all accounts; `body_bytes` bounds their memory
    :param site_views: of pages that report them, until they are stored: each holds its request
    :param sign_in_hashes: passwords hashed at a time, a core and 32 MiB each; an address leaves one free
    :param sign_up_hashes: the same for new accounts, counted apart, so that sign-ups delay no sign-in
    :param hash_seconds: to wait for a hash; shorter than the throttle waits for the result of an attempt
    :param hashes_waiting: of one address; the throttle admits no more sign-ins of it at a time
    """

    read_seconds: float = 10.0
    permit_seconds: float = 5.0
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
    site_views: int = 2000
    sign_in_hashes: int = CORES
    sign_up_hashes: int = max(1, CORES // 2)
    hash_seconds: float = 20.0
    hashes_waiting: int = 100


@dataclass(slots=True)
class OwnerQueue:
    """The work of one owner that runs or waits."""

    permits: asyncio.Semaphore
    members: int = 0


class Permits:
    """A semaphore of two levels for one kind of work: so much of each owner, and so much of all, at a time.

    Work needs a permit of its owner before it queues for one of all, so no owner's queue holds up others.
    """

    def __init__(
        self, name: str, *, each: int, total: int, waiting: int, seconds: float, owner: str = "account"
    ) -> None:
        """Make the permits for one kind of work.

        :param name: of the bound, in metrics and logs
        :param each: permits of one owner
        :param total: permits of all owners together
        :param waiting: how much work of one owner may wait
        :param seconds: to wait for a permit
        :param owner: the word for an owner in the refusal
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
    async def acquire(self, owner: Hashable) -> AsyncIterator[None]:
        """Wait for a permit and hold it for the block.

        :raises TooMany: `too_many_at_once`, if none is free in time, or too many wait already
        """
        queue = self._queues.setdefault(owner, OwnerQueue(asyncio.Semaphore(self._each)))
        queue.members += 1
        try:
            if queue.members > self._each + self._waiting:
                raise self._refusal()
            await self._wait(queue)
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

    async def _wait(self, queue: OwnerQueue) -> None:
        """Wait for a permit of the owner, then for one of all.

        :raises TooMany: neither came in time
        """
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
class WorkPermits:
    """The permits of each kind of heavy work, and the bodies under way."""

    reads: Permits
    exports: Permits
    bulk_bodies: Permits
    site_views: Slots
    bodies: Bodies
    cores: Cores
    bounds: Bounds = field(default_factory=Bounds)

    @classmethod
    def make(cls, bounds: Bounds, *, slow_bodies: Counter | None = None) -> "WorkPermits":
        """Make the permits of a worker.

        :param slow_bodies: counts the slow bodies of each address over all workers; None for a single worker
        """

        def make_permits(name: str, each: int, total: int) -> Permits:
            return Permits(
                name, each=each, total=total, waiting=bounds.waiting, seconds=bounds.permit_seconds
            )

        return cls(
            reads=make_permits("reads", bounds.account_reads, bounds.reads),
            exports=make_permits("exports", bounds.account_exports, bounds.exports),
            bulk_bodies=make_permits("bulk_bodies", bounds.account_bulk_bodies, bounds.bulk_bodies),
            site_views=Slots("site_views", total=bounds.site_views),
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
        """Yield how full each bound is. Metrics sum it over workers: a bound of all yields a share."""
        for permits in (self.reads, self.exports, self.bulk_bodies):
            yield permits.use()
        yield self.site_views.use()
        bodies = self.bodies
        yield "body_bytes", bodies.held, bodies.total
        yield "slow_bodies", bodies.slow_counter.largest(), bodies.slow / bodies.slow_counter.workers


@dataclass(frozen=True, slots=True)
class HashPermits:
    """The permits of hashing passwords, each address in a queue of its own."""

    sign_ins: Permits
    sign_ups: Permits

    @classmethod
    def make(cls, bounds: Bounds) -> "HashPermits":
        """Make the permits. One address never has all of a kind, unless there is only one."""

        def make_permits(name: str, total: int) -> Permits:
            return Permits(
                name,
                each=max(1, total - 1),
                total=total,
                waiting=bounds.hashes_waiting,
                seconds=bounds.hash_seconds,
                owner="address",
            )

        return cls(
            sign_ins=make_permits("sign_ins", bounds.sign_in_hashes),
            sign_ups=make_permits("sign_ups", bounds.sign_up_hashes),
        )

    def uses(self) -> Iterator[Use]:
        yield self.sign_ins.use()
        yield self.sign_ups.use()
