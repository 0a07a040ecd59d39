"""Threads in which columns and frames are computed."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

# Threads of their own: a transaction that holds a lock waits for no upload, log or password in a shared pool.
THREADS = ThreadPoolExecutor(2, "columns")


async def run_in_thread(compute: Callable[[], T]) -> T:
    """Compute something in a thread, while the loop goes on with COPY and with requests."""
    return await asyncio.get_running_loop().run_in_executor(THREADS, compute)
