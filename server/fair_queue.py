"""Queues requests by address, and starts a few in each round of the event loop, the addresses in turn.

An event loop runs every callback that is ready before it looks at new ones. Without this queue, hundreds of
requests that one address sends at once, or that time out at once, would all run before anybody else's.
"""

import asyncio
from collections import OrderedDict, deque

AT_ONCE = 2  # requests that start in a round of the event loop; each takes a millisecond or less


class FairQueue:
    """A queue of waiting requests for each address. A request that nobody is ahead of does not wait."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        """Make a queue of the running event loop.

        :param at_once: requests that start in a round of the event loop
        """
        self._loop = asyncio.get_running_loop()
        self._at_once = at_once
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()  # the next address first
        self._starts = 0  # in this round
        self._round: asyncio.Handle | None = None

    async def wait(self, address: str) -> None:
        """Return at once if this round has room and nobody waits, else when the address is next."""
        if self._round is None:
            self._round = self._loop.call_soon(self._begin_round)
        if not self._queues and self._starts < self._at_once:
            self._starts += 1
            return
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._queues.setdefault(address, deque()).append(waiter)
        await waiter

    def _begin_round(self) -> None:
        self._starts = 0
        while self._queues and self._starts < self._at_once:
            address, queue = self._queues.popitem(last=False)
            waiter = queue.popleft()
            if queue:
                self._queues[address] = queue
            if not waiter.done():  # else its request was cancelled
                waiter.set_result(None)
                self._starts += 1
        self._round = self._loop.call_soon(self._begin_round) if self._starts else None
