"""How far a replica has replayed the primary's log, and whether it is near enough to be read from.

Positions are bytes of the write-ahead log. The lag is measured by the clock of this process: since when the
primary has been beyond what the replica has replayed. No clock of another machine is asked, and a replica
that stands still lags only once the primary has gone on.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from asyncpg import InterfaceError, InternalClientError, PostgresError

log = structlog.get_logger("trawl.replica")

# The same server by another address is not a replica, and never behind.
PRIMARY_STATE = """
SELECT CASE WHEN pg_is_in_recovery() THEN NULL
        ELSE CAST(pg_current_wal_lsn() - '0/0' AS bigint) END AS written,
    pg_postmaster_start_time() AS start
"""
REPLICA_STATE = """
SELECT pg_is_in_recovery() AS is_replica, CAST(pg_last_wal_replay_lsn() - '0/0' AS bigint) AS replayed,
    pg_postmaster_start_time() AS start
"""
SAMPLES = 2000  # positions of the primary that the replica has not reached
ERRORS = (PostgresError, InterfaceError, InternalClientError, OSError, TimeoutError)

State = Literal["ok", "away", "behind"]


@dataclass(frozen=True, slots=True)
class ReplicaTimes:
    """Seconds.

    :param period: between two looks
    :param answer: for the answer to a look, after which the replica counts as away
    :param lag: after which the replica is not read from
    """

    period: float = 0.25
    answer: float = 0.6
    lag: float = 10.0


REPLICA_TIMES = ReplicaTimes()


class Progress:
    """What the primary has written, and when; and what the replica has replayed of it."""

    def __init__(self) -> None:
        self.replayed = -1
        self.has_caught_up = False
        self._ahead: deque[tuple[float, int]] = deque()  # of the replica: moments and positions, both rising

    def note_written(self, position: int, now: float) -> None:
        """Note how far the primary has written: the replica lags until it has replayed that."""
        if position > self.replayed and (not self._ahead or position > self._ahead[-1][1]):
            if len(self._ahead) >= SAMPLES:  # the oldest stays: it tells the lag
                self._ahead = deque(list(self._ahead)[::2])
            self._ahead.append((now, position))
        elif position <= self.replayed:
            self.has_caught_up = True

    def note_replayed(self, position: int) -> None:
        """Note how far the replica has replayed, which ends its lag up to there."""
        self.replayed = position
        while self._ahead and self._ahead[0][1] <= position:
            self._ahead.popleft()
            self.has_caught_up = True  # with something that was written after this process looked first

    def lag(self, now: float) -> float:
        return now - self._ahead[0][0] if self._ahead else 0.0


class ReplicaMonitor:
    """Looks at both servers again and again, on connections of its own, from `start` on."""

    def __init__(
        self,
        connect_primary: Callable[[], Awaitable[Any]],
        connect_replica: Callable[[], Awaitable[Any]],
        abort_connections: Callable[[], None],
        times: ReplicaTimes = REPLICA_TIMES,
    ) -> None:
        """Make a monitor.

        :param abort_connections: breaks the connections to the replica, when that has gone away
        """
        self.is_there = False
        self.progress = Progress()
        self._connects = {"primary": connect_primary, "replica": connect_replica}
        self._connections: dict[str, Any] = {}
        self._abort_connections = abort_connections
        self._times = times
        self._start: Any = None  # when the primary was started
        self._task: asyncio.Task[None] | None = None
        self._last: State | None = None

    def start(self) -> None:
        """Begin to look, once."""
        if self._task is None or self._task.get_loop() is not asyncio.get_running_loop():
            self._task = asyncio.create_task(self._look_for_ever(), name="look at the replica")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for raw in self._connections.values():
            raw.terminate()

    def note_loss(self) -> None:
        """Take the replica for away until the next look: a connection to it was lost."""
        self.is_there = False

    def lag(self) -> float | None:
        """Return how many seconds the replica is behind; None if nobody knows."""
        return self.progress.lag(time.monotonic()) if self.is_there and self.progress.has_caught_up else None

    def state(self) -> State:
        if not self.is_there:
            return "away"
        lag = self.lag()
        return "ok" if lag is not None and lag <= self._times.lag else "behind"

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.gather(self._look_at_primary(), self._look_at_replica())
            state = self.state()
            if state != self._last:
                level = logging.INFO if state == "ok" else logging.WARNING
                log.log(level, "replica_state", state=state, lag=self.lag())
            self._last = state
            await asyncio.sleep(self._times.period)

    async def _look_at_primary(self) -> None:
        """Note what it has written. One that is away writes nothing: what is known of it stays true."""
        try:
            row = await self._fetch_state("primary", PRIMARY_STATE)
        except ERRORS:
            return
        self._start = row["start"]
        if row["written"] is not None:
            self.progress.note_written(row["written"], time.monotonic())

    async def _look_at_replica(self) -> None:
        """Note how far the replica is, or that it is away or was promoted."""
        try:
            row = await self._fetch_state("replica", REPLICA_STATE)
        except ERRORS:
            if self.is_there or self._last != "away":
                self._abort_connections()
            self.is_there = False
            return
        is_primary = row["start"] == self._start
        if not row["is_replica"] and not is_primary:
            # It was promoted: what it has been given since, and what the primary has, are not the same.
            self.is_there = False
            return
        self.progress.note_replayed(2**63 if is_primary else row["replayed"] or 0)
        self.is_there = True

    async def _fetch_state(self, name: str, query: str) -> Any:
        async with asyncio.timeout(self._times.answer):
            raw = self._connections.get(name)
            if raw is None or raw.is_closed():
                raw = self._connections[name] = await self._connects[name]()
            try:
                return await raw.fetchrow(query)
            except BaseException:
                raw.terminate()
                raise
