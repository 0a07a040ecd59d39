"""The tests' PostgreSQL, which listens on a Unix socket, served on a port of this machine, also over TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

CERTIFICATE = Path(__file__).with_name("mail_server.pem")  # of localhost, with its key
TLS_REQUEST = bytes.fromhex("00000008 04d2162f")


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def over_tcp(url: str, *, tls: bool = False) -> AsyncIterator[str]:
    """Serve the PostgreSQL behind a Unix socket on a port of this machine. `tls` refuses all else."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    path = f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"
    tasks: set[asyncio.Task[None]] = set()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if tls:
            if await reader.readexactly(8) != TLS_REQUEST:
                writer.close()
                return
            writer.write(b"S")
            await writer.start_tls(context)
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
