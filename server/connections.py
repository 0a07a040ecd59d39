"""Bounds the connections of one address, which would take the places of all others.

The HTTP server accepts whatever comes. A thread of each worker looks at its sockets, and shuts the newest of
an address that has more than its share, first those without a request under way. While an address has all of
its share, the kernel lets no more of it in: else it would come again at once, hundreds of times a second.
"""

import os
import socket
import stat
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path

from server.shared_counts import CountsRow, SharedCounts
from server.syn_filter import DROPS, count_drops, refuse

DESCRIPTORS = Path("/proc/self/fd")
PERIOD = 0.25  # seconds between two looks

Client = tuple[str, str]  # address and port, as the ASGI scope has them


@dataclass(frozen=True, slots=True)
class ConnectionBound:
    """How many connections one address has at most, counted over all workers."""

    counts: SharedCounts
    limit: int


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that this worker has accepted."""

    descriptor: int
    inode: int  # of the socket, for as long as it lives
    number: int  # in the order in which they were seen
    client: Client
    network: str


@dataclass(frozen=True, slots=True)
class Listener:
    """The socket that this worker accepts connections from."""

    descriptor: int
    inode: int


class ConnectionGuard:
    """Looks at the connections of a worker, closes those beyond the bound, and keeps out what comes then."""

    def __init__(self, row: CountsRow, limit: int, port: int) -> None:
        """Make a guard, which looks when it is told to.

        :param row: counts the connections of this worker among those of all
        :param limit: of one address, over all workers
        :param port: of the server
        """
        self.busy: set[Client] = set()  # clients with a request under way
        self.limit = limit
        self.workers = row.workers
        self.closed = 0
        self.unanswered = 0  # packets that would have begun a connection
        self._row = row
        self._port = port
        self._seen: dict[int, tuple[int, Connection | Listener | None]] = {}  # by descriptor, with the inode
        self._refused: frozenset[str] = frozenset()  # addresses
        self._drops: dict[int, int] = {}  # by the inode of a listener
        self._counts: dict[str, int] = {}
        self._closing: set[tuple[int, int]] = set()
        self._number = 0

    @property
    def open(self) -> int:
        """The connections of this worker."""
        return sum(self._counts.values())

    def largest(self) -> int:
        """Return the most that one address has in this worker."""
        return max(self._counts.values(), default=0)

    def look(self) -> None:
        """Count the connections of each address, and close those that are too many."""
        by_network: dict[str, list[Connection]] = defaultdict(list)
        for connection in self._find_connections():
            by_network[connection.network].append(connection)
        full = set()
        for network in self._counts.keys() | by_network.keys():
            connections = by_network.get(network, [])
            total = self._count(network, len(connections))
            if total >= self.limit:
                full.add(network)
            if total > self.limit:
                # Each worker closes its part. Rounded up, so that all together come below the bound.
                part = -(-(total - self.limit) * len(connections) // total)
                self._close_newest(connections, part)
                self._count(network, len(connections) - part)
        self._count_unanswered()
        self._refuse(frozenset(full))

    def run(self, stop: threading.Event) -> None:
        """Look again and again, until it is told to stop."""
        while not stop.wait(PERIOD):
            self.look()

    def _count(self, network: str, number: int) -> int:
        """Set this worker's count of an address; return that of all workers."""
        total = self._row.add(network, number - self._counts.get(network, 0))
        if number:
            self._counts[network] = number
        else:
            self._counts.pop(network, None)
        return total

    def _find_connections(self) -> list[Connection]:
        seen: dict[int, tuple[int, Connection | Listener | None]] = {}
        for descriptor in [int(path.name) for path in DESCRIPTORS.iterdir()]:
            with suppress(OSError):  # closed meanwhile
                status = os.fstat(descriptor)
                if stat.S_ISSOCK(status.st_mode):
                    known = self._seen.get(descriptor)
                    if known is None or known[0] != status.st_ino:
                        known = status.st_ino, self._identify(descriptor, status.st_ino)
                    seen[descriptor] = known
        self._seen = seen
        connections = [each for _, each in seen.values() if isinstance(each, Connection)]
        self._closing &= {(each.descriptor, each.inode) for each in connections}
        return [each for each in connections if (each.descriptor, each.inode) not in self._closing]

    def _identify(self, descriptor: int, inode: int) -> Connection | Listener | None:
        """Return what a socket is; None for any other, such as one to the database."""
        # A duplicate, because the server may close its own at any moment.
        with socket.socket(fileno=os.dup(descriptor)) as duplicate:
            if duplicate.family not in (socket.AF_INET, socket.AF_INET6):
                return None
            if duplicate.getsockname()[1] != self._port:
                return None
            if duplicate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return Listener(descriptor, inode)
            try:
                host, port, *_ = duplicate.getpeername()
            except OSError:  # its client has left
                return None
        self._number += 1
        return Connection(descriptor, inode, self._number, (host, str(port)), network_of(host))

    def _close_newest(self, connections: list[Connection], number: int) -> None:
        """Shut connections down: idle ones before others, and the newest first."""
        order = sorted(connections, key=lambda each: (each.client in self.busy, -each.number))
        for connection in order[:number]:
            self._closing.add((connection.descriptor, connection.inode))
            self.closed += act_on(connection, shut_down)

    def _listeners(self) -> list[Listener]:
        return [each for _, each in self._seen.values() if isinstance(each, Listener)]

    def _count_unanswered(self) -> None:
        """Count what the kernel has dropped since the last look, if it kept addresses out meanwhile."""

        def count(listener: socket.socket) -> None:
            drops = count_drops(listener)
            if self._refused:
                self.unanswered += (drops - self._drops.get(each.inode, drops)) % DROPS
            self._drops[each.inode] = drops

        for each in self._listeners():
            act_on(each, count)

    def _refuse(self, networks: frozenset[str]) -> None:
        """Let in no connection of these addresses until the next look, and those of all others."""
        if networks == self._refused:
            return
        self._refused = networks
        for each in self._listeners():
            act_on(each, partial(refuse, networks=networks))


def act_on(target: Connection | Listener, act: Callable[[socket.socket], None]) -> bool:
    """Do something with a socket, unless it has been closed. Return whether it was done."""
    with suppress(OSError), socket.socket(fileno=os.dup(target.descriptor)) as duplicate:
        if os.fstat(duplicate.fileno()).st_ino == target.inode:
            act(duplicate)
            return True
    return False


def shut_down(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=4096)
def network_of(host: str) -> str:
    """Return what counts as one address: of IPv6 the /64 that one customer has."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(ip_network((address, 64), strict=False).network_address)
        address = address.ipv4_mapped
    return str(address)
