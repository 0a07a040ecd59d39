"""Waiting for what another task is about to bring about."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE = 100.0  # seconds; a busy machine is ten times as slow
PAUSE = 0.02


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when the condition holds; fail the test if it does not within PATIENCE."""
    async with asyncio.timeout(PATIENCE):
        holds = await condition()
        while not holds:
            await asyncio.sleep(PAUSE)
            holds = await condition()
