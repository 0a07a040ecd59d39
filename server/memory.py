"""Keeps what glibc holds of freed memory small: pages between blocks in use, and a heap for each thread."""

import ctypes
import threading

TRIM_SECONDS = 20.0  # of 250 MB with 150 MB free it takes some 4 ms
# Bytes from which a block has pages of its own, given back when it is freed. glibc would raise the bound to
# 32 MiB as such blocks are freed, and columns would stand between what stays. A bound of 1 MiB would cost
# statistics a fifth more time; this one costs nothing to be seen.
LARGE_BLOCK = 4 * 2**20

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of mallopt

# Loaded before any fork, as in server/processes.py. Other C libraries than glibc have none.
_malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def share_heap() -> None:
    """Let threads that start from now on allocate from one heap.

    Each would have its own, with what it has freed: a fifth of what an import holds. Its threads take turns.
    """
    if _malloc_trim is not None:
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def part_large_blocks() -> None:
    """Let large blocks have pages of their own from now on."""
    if _malloc_trim is not None:
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
        # Else the heap's end would come and go all the time: its bound would be 128 KiB now.
        libc.mallopt(M_TRIM_THRESHOLD, LARGE_BLOCK)


def trim_memory() -> None:
    """Return the free pages of the heap to the system. Lets other threads run, but not allocate."""
    if _malloc_trim is not None:
        _malloc_trim(0)


def trim_every(seconds: float, stop: threading.Event) -> None:
    """Trim the heap again and again until `stop` is set. Runs in a thread of its own."""
    while not stop.wait(seconds):
        trim_memory()
