"""Connections over TCP are given up when the machine at their other end vanishes."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import attrgetter
from urllib.parse import parse_qs, urlsplit

import pytest

from db.database import Database
from db.engine import SILENCE_OPTIONS


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def over_tcp(url: str) -> AsyncIterator[str]:
    """Serve the PostgreSQL behind a Unix socket on a port of this machine."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    path = f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"
    tasks: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(path)
        for pair in ((reader, inner_writer), (inner_reader, writer)):
            task = asyncio.create_task(copy(*pair))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
    server.close()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("kind", ["pool", "dedicated"])
async def test_a_connection_over_tcp_is_probed_when_it_is_silent(database_url: str, kind: str) -> None:
    if not urlsplit(database_url).query:
        pytest.skip("DATABASE_URL names a server that is no Unix socket's")
    async with over_tcp(database_url) as url:
        db = Database.connect(url, pool_size=1)
        if kind == "pool":
            async with db.raw() as raw:
                options = socket_options(raw)
        else:
            async with db.dedicated() as session:
                connection = await (await session.connection()).get_raw_connection()
                options = socket_options(connection.driver_connection)
        assert options == {socket.SO_KEEPALIVE: 1, **SILENCE_OPTIONS}
        await db.close()


def socket_options(raw: object) -> dict[int, int]:
    sock = attrgetter("_transport")(raw).get_extra_info("socket")
    values = {option: sock.getsockopt(socket.IPPROTO_TCP, option) for option in SILENCE_OPTIONS}
    return {socket.SO_KEEPALIVE: sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), **values}
