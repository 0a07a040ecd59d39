"""What a worker has freed goes back to the system."""

import subprocess
import sys
import threading

import pytest

from server import memory
from tests.support.command_line import PROJECT
from tests.support.processes import PATIENCE

# Every tenth of the blocks stays: pages are free between them, and none at the end of the heap.
FRAGMENTS = """
from pathlib import Path
from server.memory import trim_memory

def held():
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if "RssAnon" in line]
    return int(line.split()[1]) // 1024

blocks = [bytearray(20_000) for _ in range(5_000)]
blocks = blocks[::10]
before = held()
trim_memory()
print(before, held())
"""


@pytest.mark.skipif(memory._malloc_trim is None, reason="the C library is not glibc")
def test_pages_that_are_free_between_blocks_in_use_are_given_back() -> None:
    command = [sys.executable, "-c", FRAGMENTS]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    before, after = map(int, ended.stdout.split())
    assert before > 95
    assert after < 50


def test_memory_is_trimmed_again_and_again_until_the_worker_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, calls = threading.Event(), []

    def trim(padding: int) -> None:
        calls.append(padding)
        if len(calls) == 3:
            stop.set()

    monkeypatch.setattr(memory, "_malloc_trim", trim)
    memory.trim_every(0.001, stop)
    assert calls == [0, 0, 0]


def test_a_c_library_without_it_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_malloc_trim", None)
    memory.trim_memory()


# The threads are alive at once, for one that has ended leaves its heap to the next.
THREADS = """
import ctypes, threading
from pathlib import Path
from server.memory import share_heap

def allocate():
    blocks.append(bytearray(50_000))
    barrier.wait()

blocks, barrier = [], threading.Barrier(4)
share_heap()
threads = [threading.Thread(target=allocate) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
[heap] = [line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith("[heap]")]
first, last = (int(number, 16) for number in heap.split()[0].split("-"))
places = [(ctypes.c_char * 1).from_buffer(block) for block in blocks]
print(all(first <= ctypes.addressof(place) < last for place in places))
"""


@pytest.mark.skipif(memory._malloc_trim is None, reason="the C library is not glibc")
def test_threads_allocate_from_one_heap() -> None:
    command = [sys.executable, "-c", THREADS]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert ended.stdout == "True\n"


# glibc takes a block of this size from the heap once a larger one was freed.
LARGE = """
import ctypes
from pathlib import Path
from server.memory import LARGE_BLOCK, part_large_blocks

part_large_blocks()
del (block := [bytearray(4 * LARGE_BLOCK)])[:]
blocks = [bytearray(2 * LARGE_BLOCK)]
[heap] = [line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith("[heap]")]
first, last = (int(number, 16) for number in heap.split()[0].split("-"))
print(first <= ctypes.addressof((ctypes.c_char * 1).from_buffer(blocks[0])) < last)
"""


@pytest.mark.skipif(memory._malloc_trim is None, reason="the C library is not glibc")
def test_large_blocks_never_stand_in_the_heap() -> None:
    command = [sys.executable, "-c", LARGE]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert ended.stdout == "False\n"


# A circle grows old as a request does that lasts longer than others. Then a server goes on making objects.
OLD_CIRCLE = """
import gc
import weakref
from main import importing

class Request:
    pass

with importing():
    pass
request = Request()
request.itself, known = request, weakref.ref(request)
gc.collect(0)
gc.collect(1)
del request
made = 0
while known() is not None and made < 4_000_000:
    young = [[] for _ in range(20_000)]
    made += len(young)
print(made)
"""


def test_garbage_that_has_grown_old_is_found_before_two_million_objects_more() -> None:
    command = [sys.executable, "-c", OLD_CIRCLE]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert int(ended.stdout) < 2_000_000
