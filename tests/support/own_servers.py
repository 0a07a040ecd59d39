"""A PostgreSQL or a Valkey that a test ends and starts again as it likes."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import randrange

from embedded.postgres import DATABASE, ROLE, SETTINGS, Postgres
from embedded.supervisor import Supervisor
from embedded.valkey import Valkey
from tests.support.processes import children, send_signal


class OwnServer:
    """A server that runs from `start` to `end`; its data stay."""

    def __init__(self, server: Postgres | Valkey) -> None:
        self.server = server
        self.url = server.url(server.sockets)
        self._supervisor = Supervisor(server)
        server.set_up()

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        while not self._supervisor.ready:
            self._supervisor.watch()
            await asyncio.sleep(0.005)

    async def end(self, number: signal.Signals) -> None:
        """Send it a signal, and wait until its process has ended."""
        process = self._supervisor._process
        assert process is not None
        process.send_signal(number)
        await asyncio.to_thread(process.wait)
        self.stop()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Have all its processes stand still for the block, as if its machine hung."""
        process = self._supervisor._process
        assert process is not None
        process.send_signal(signal.SIGSTOP)  # first: it starts no others then
        others = children(process.pid)
        send_signal(others, signal.SIGSTOP)
        try:
            yield
        finally:
            send_signal([*others, process.pid], signal.SIGCONT)

    def stop(self) -> None:
        self._supervisor.stop()


class TcpPostgres(Postgres):
    """One that listens on a loopback address of this process too, as if it stood on another machine."""

    address = f"127.{randrange(1, 255)}.{randrange(256)}.{randrange(1, 255)}"
    tcp_url = f"postgresql://{ROLE}@{address}/{DATABASE}"
    settings = SETTINGS | {"listen_addresses": address}


@contextmanager
def own_postgres(folder: Path, make: Callable[[Path], Postgres] = Postgres) -> Iterator[OwnServer]:
    """Make a PostgreSQL below `folder`, which is not started yet."""
    postgres = OwnServer(make(folder / "postgres"))
    try:
        yield postgres
    finally:
        postgres.stop()


@contextmanager
def own_valkey(folder: Path) -> Iterator[OwnServer]:
    """Make a Valkey below `folder`, which is not started yet."""
    valkey = OwnServer(Valkey(folder / "valkey"))
    try:
        yield valkey
    finally:
        valkey.stop()
