"""A server of several workers on a PostgreSQL and a Valkey of its own, which tests end, stop and start.

Passwords are cheap to hash.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from embedded.postgres import Postgres
from tests.support.command_line import PASSWORD, Command, free_port, wait_until_ready
from tests.support.http_client import Client
from tests.support.own_servers import OwnServer, own_postgres, own_valkey
from tests.support.processes import patience
from tests.support.replica import make_replica
from tests.support.served import Site
from tests.support.two_workers import CHEAP


@dataclass(frozen=True)
class Stand(Site):
    postgres: OwnServer
    valkey: OwnServer
    client: Client
    folder: Path  # of all its files
    replica: OwnServer | None = None

    async def sign_in(self, login: str) -> Client:
        await self.client.post("/register", json={"login": login, "password": PASSWORD})
        return await self.sign_in_again(login)

    async def sign_in_again(self, login: str) -> Client:
        answer = await self.client.post("/login", json={"login": login, "password": PASSWORD})
        return self.client.signed_in(answer.json["access_token"])


@contextmanager
def short_folder() -> Iterator[Path]:
    """Make a folder that PostgreSQL's user may enter, and whose sockets have paths that fit."""
    with tempfile.TemporaryDirectory(prefix="trawl-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@asynccontextmanager
async def make_stand(*, with_replica: bool = False, **settings: str) -> AsyncIterator[Stand]:
    with short_folder() as folder, own_postgres(folder) as postgres, own_valkey(folder) as valkey:
        await asyncio.gather(postgres.start(), valkey.start())
        replica = None
        if with_replica:
            assert isinstance(postgres.server, Postgres)
            replica = make_replica(postgres.server, folder / "replica")
            await replica.start()
            settings["DATABASE_REPLICA_URL"] = replica.url
        command = Command({"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url} | settings, CHEAP)
        process = command.fork(
            DATA_DIR=str(folder / "var"),
            LOGS_DIR=str(folder),
            PORT=str(port := free_port()),
            RATE_LIMIT_PER_MINUTE="0",
            LOG_LEVEL="CRITICAL",  # nobody reads what an outage makes it log
        )
        try:
            url = f"http://127.0.0.1:{port}"
            await asyncio.to_thread(wait_until_ready, url, process)
            async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as session:
                yield Stand(url, process, postgres, valkey, Client(session), folder, replica)
        finally:
            process.terminate()
            await asyncio.to_thread(process.communicate, timeout=patience())
            if replica is not None:
                replica.stop()
