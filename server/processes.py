"""What all our processes share: the signals that end them, and an end with their parent."""

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

PR_SET_PDEATHSIG = 1
STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})

# Loaded before any fork: the child of a fork must not wait for the dynamic loader's locks.
_prctl = getattr(ctypes.CDLL(None), "prctl", None)


def worker_name(number: int) -> str:
    """Return the name of every process in a worker's slot."""
    return f"trawl-worker-{number}"


def worker_number() -> int:
    """Return the number of the slot, from 1, that this worker process is in."""
    return int(multiprocessing.current_process().name.rpartition("-")[2])


def end_with_parent(parent: int, death_signal: int) -> bool:
    """Ask the kernel to send this process a signal when the thread of the parent that made it ends.

    Returns False if `parent` has died already: then the caller must end by itself.
    """
    if _prctl is not None:
        _prctl(PR_SET_PDEATHSIG, death_signal)
    # The parent may have died before the line above.
    return os.getppid() == parent


@contextmanager
def stop_signals_blocked() -> Iterator[None]:
    """Block the signals that end this process, so that no child is started and then forgotten."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
