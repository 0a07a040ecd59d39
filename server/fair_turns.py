"""Lets requests go on a few at a time, the addresses in turns.

An event loop runs all that is ready before it looks at anything else. Hundreds of requests that one address
sends at once, or whose patience ends at once, would thus all be worked on before the next step of anybody
else's.
"""

import asyncio
from collections import OrderedDict, deque

AT_ONCE = 2  # requests that go on in a round of the event loop; each takes a millisecond or less


class FairTurns:
    """The queues of requests that wait to go on, one for each address. Nobody waits without need."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        """Make it, within the event loop.

        :param at_once: requests that go on in a round of the event loop
        """
        self._loop = asyncio.get_running_loop()
        self._at_once = at_once
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()  # the next address first
        self._turns = 0  # taken in this round
        self._round: asyncio.Handle | None = None

    async def wait(self, address: str) -> None:
        """Wait until it is the turn of the address."""
        if self._round is None:
            self._round = self._loop.call_soon(self._begin_round)
        if not self._queues and self._turns < self._at_once:
            self._turns += 1
            return
        turn: asyncio.Future[None] = self._loop.create_future()
        self._queues.setdefault(address, deque()).append(turn)
        await turn

    def _begin_round(self) -> None:
        self._turns = 0
        while self._queues and self._turns < self._at_once:
            address, queue = self._queues.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._queues[address] = queue
            if not turn.done():  # else its request was cancelled
                turn.set_result(None)
                self._turns += 1
        self._round = self._loop.call_soon(self._begin_round) if self._turns else None
