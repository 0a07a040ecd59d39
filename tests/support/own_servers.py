"""A PostgreSQL or a Valkey that a test ends and starts again as it likes."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.postgres import Postgres
from embedded.supervisor import Supervisor
from embedded.valkey import Valkey


class OwnServer:
    def __init__(self, server: Postgres | Valkey) -> None:
        self.url = server.url(server.sockets)
        self._supervisor = Supervisor(server)
        server.set_up()

    async def start(self) -> None:
        """Returns when it answers."""
        while not self._supervisor.ready:
            self._supervisor.watch()
            await asyncio.sleep(0.005)

    async def end(self, number: signal.Signals) -> None:
        """Returns when its process has ended."""
        process = self._supervisor._process
        assert process is not None
        process.send_signal(number)
        await asyncio.to_thread(process.wait)
        self.stop()

    def stop(self) -> None:
        self._supervisor.stop()


@contextmanager
def own_servers(folder: Path) -> Iterator[tuple[OwnServer, OwnServer]]:
    """A PostgreSQL and a Valkey, not started yet."""
    folder.mkdir(parents=True)
    postgres, valkey = OwnServer(Postgres(folder / "postgres")), OwnServer(Valkey(folder / "valkey"))
    try:
        yield postgres, valkey
    finally:
        postgres.stop()
        valkey.stop()
