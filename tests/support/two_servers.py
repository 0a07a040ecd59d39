"""Two servers on one database and one Valkey, each with a DATA_DIR of its own, as on two machines.

As root each also has a view of the file system of its own: the same path can be another file for each.
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from embedded.postgres import Postgres
from tests.support.command_line import PASSWORD, Command, Running, free_port, wait_until_ready
from tests.support.http_client import Client
from tests.support.own_servers import TcpPostgres, own_postgres, own_valkey
from tests.support.processes import patience
from tests.support.stand import short_folder
from tests.support.two_workers import CHEAP

CAN_MOUNT = os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0


@dataclass
class Server:
    """A server of two workers, which is started again on its port after it was killed."""

    command: Command
    data_dir: Path
    port: int = field(default_factory=free_port)
    process: Running | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = self.command.fork(DATA_DIR=str(self.data_dir), PORT=str(self.port))

    def end(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.communicate(timeout=patience())
        self.process = None


@dataclass
class TwoServers:
    first: Server
    second: Server
    folder: Path
    clients: tuple[Client, Client]  # of an admin who is signed in, at each
    database_url: str


@asynccontextmanager
async def two_servers(
    database_url: str, *, views: Sequence[str] = (), **settings: str
) -> AsyncIterator[TwoServers]:
    """Start both at once, on a database that no other server uses.

    :param views: the folder that is LOGS_DIR for each, in mounts of its own, at the same path
    """
    with short_folder() as folder, own_valkey(folder) as valkey:
        await valkey.start()
        logs = folder / "logs"
        for each in (logs, folder / "logs-0", folder / "logs-1"):
            each.mkdir()
        command = Command(
            {
                "DATABASE_URL": database_url,
                "REDIS_URL": valkey.url,
                "SECRET": "one secret for all servers of a site",
                "ADMIN_LOGIN": "root",
                "ADMIN_PASSWORD": PASSWORD,
                "LOGS_DIR": str(logs),
                "LOGS_FILE": str(logs / "shop.log"),
                "WORKERS": "2",
                "RATE_LIMIT_PER_MINUTE": "0",
                "LOG_LEVEL": "CRITICAL",
            }
            | settings,
            CHEAP,
        )
        servers = [
            Server(
                replace(command, mounts=[(folder / views[number], logs)] if views else ()),
                folder / f"var-{number}",
            )
            for number in range(2)
        ]
        try:
            for server in servers:
                server.start()
            for server in servers:
                await asyncio.to_thread(wait_until_ready, server.url, server.process)
            async with (
                aiohttp.ClientSession(servers[0].url) as one,
                aiohttp.ClientSession(servers[1].url) as other,
            ):
                token = await sign_in(Client(one))
                clients = Client(one, token), Client(other, token)
                yield TwoServers(servers[0], servers[1], folder, clients, database_url)
        finally:
            for server in servers:
                if server.process is not None:
                    server.end(signal.SIGTERM)


@asynccontextmanager
async def two_servers_apart(*, is_over_tcp: bool = False, **settings: str) -> AsyncIterator[TwoServers]:
    """Start both on a PostgreSQL of their own.

    :param is_over_tcp: they reach it by TCP, as if it stood on another machine
    """
    make = TcpPostgres if is_over_tcp else Postgres
    with short_folder() as folder, own_postgres(folder, make) as postgres:
        await postgres.start()
        url = TcpPostgres.tcp_url if is_over_tcp else postgres.url
        async with two_servers(url, **settings) as site:
            yield site


async def sign_in(client: Client) -> str:
    answer = await client.post("/login", json={"login": "root", "password": PASSWORD})
    token: str = answer.json["access_token"]
    return token


async def visits(client: Client) -> int:
    """Count all visits."""
    answer = await client.get("/visits/stats?group_by=day&traffic=all&limit=1000")
    return sum(group["visits"] for group in answer.json["items"])


async def ended(client: Client, import_id: int) -> dict[str, Any]:
    """Return the record of an import once it has ended."""
    end = time.monotonic() + patience()
    while time.monotonic() < end:
        record: dict[str, Any] = (await client.get(f"/imports/{import_id}")).json
        if record["status"] != "running":
            return record
        await asyncio.sleep(0.1)
    raise AssertionError("the import does not end")
