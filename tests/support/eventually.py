"""Waiting for what another task is about to bring about."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.support.processes import patience

PAUSE = 0.02


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when the condition holds; fail the test if it does not within a test's patience."""
    async with asyncio.timeout(patience()):
        holds = await condition()
        while not holds:
            await asyncio.sleep(PAUSE)
            holds = await condition()
