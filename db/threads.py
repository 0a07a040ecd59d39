"""Threads in which columns and frames are computed, and the priority of those that compute for long."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

# Beside a thread of the usual priority on the same core, one of this has a tenth of it; alone it has all.
LOW_PRIORITY = 10  # nice

# Threads of their own: a transaction that holds a lock waits for no upload, log or password in a shared pool.
THREADS = ThreadPoolExecutor(2, "columns")


async def run_in_thread(compute: Callable[[], T]) -> T:
    """Compute something in a thread, while the loop goes on with COPY and with requests."""
    return await asyncio.get_running_loop().run_in_executor(THREADS, compute)


def lower_priority() -> None:
    """Have the system serve other threads before this one, where threads have priorities of their own."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        usual = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, max(usual, LOW_PRIORITY))
