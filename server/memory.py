"""Keeps what glibc holds of freed memory small: pages between blocks in use, and a heap for each thread."""

import ctypes
import threading

TRIM_SECONDS = 20.0  # of 250 MB with 150 MB free it takes some 4 ms

M_ARENA_MAX = -8  # of mallopt

# Loaded before any fork, as in server/processes.py. Other C libraries than glibc have none.
_malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def share_heap() -> None:
    """Let threads that start from now on allocate from one heap.

    Each would have its own, with what it has freed: a fifth of what an import holds. Its threads take turns.
    """
    if _malloc_trim is not None:
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def trim_memory() -> None:
    """Return the free pages of the heap to the system. Lets other threads run, but not allocate."""
    if _malloc_trim is not None:
        _malloc_trim(0)


def trim_every(seconds: float, stop: threading.Event) -> None:
    """Trim the heap again and again until `stop` is set. Runs in a thread of its own."""
    while not stop.wait(seconds):
        trim_memory()
