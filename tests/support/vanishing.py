"""Machines that vanish: their processes stand still, and their kernel hears and says nothing any more.

Stopped processes alone are not enough, for their kernel goes on to acknowledge what comes. So a filter of
their sockets drops it, and they lose the clocks by which they would give up: the other end hears nothing.
"""

import ctypes
import os
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import children, send_signal

PIDFD_GETFD = 438  # of all architectures
SO_ATTACH_FILTER = 26
DROP = struct.pack("@HBBI", 0x06, 0, 0, 0)  # a classic BPF program: return 0, the bytes that are kept


def can_vanish() -> bool:
    """Tell whether this process may reach into the sockets of its children, as containers often forbid."""
    if not hasattr(os, "pidfd_open"):
        return False
    own = os.pidfd_open(os.getpid())
    try:
        os.close(take_descriptor(own, own))
    except OSError:
        return False
    finally:
        os.close(own)
    return True


@contextmanager
def vanished(pid: int) -> Iterator[None]:
    """Have a process and its children vanish for the block, as if their machine had lost its power."""
    pids = [pid, *children(pid)]
    send_signal(pids, signal.SIGSTOP)
    try:
        for each in pids:
            for connection in connections_of(each):
                mute(connection)
                connection.close()  # ours; the process still has its own
        yield
    finally:
        send_signal(pids, signal.SIGKILL)


def connections_of(pid: int) -> Iterator[socket.socket]:
    """Yield the TCP connections of another process, which share what is set on them."""
    process = os.pidfd_open(pid)
    for link in Path(f"/proc/{pid}/fd").iterdir():
        if str(link.readlink()).startswith("socket:"):
            connection = socket.socket(fileno=take_descriptor(process, int(link.name)))
            if is_connection(connection):
                yield connection
            else:
                connection.close()
    os.close(process)


def is_connection(candidate: socket.socket) -> bool:
    is_tcp = candidate.family != socket.AF_UNIX and candidate.type == socket.SOCK_STREAM
    return is_tcp and not candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


def mute(connection: socket.socket) -> None:
    program = ctypes.create_string_buffer(DROP, len(DROP))
    connection.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(program))
    )
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 0)


def take_descriptor(process: int, descriptor: int) -> int:
    """Return a duplicate of a descriptor of another process.

    :raises OSError: this process may not
    """
    duplicate = int(ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, descriptor, 0))
    if duplicate < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return duplicate
