"""Requests sent byte by byte, as no client library would send them."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from tests.support.processes import PATIENCE


@cache
def trusting_context() -> ssl.SSLContext:
    """Return the context of connections to a server that nobody vouches for; it loads no authorities."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def raw_request(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send exactly these bytes, by TLS to https. Returns the status, headers and body of the response."""
    address = urlsplit(url)
    tls = trusting_context() if address.scheme == "https" else None
    reader, writer = await asyncio.open_connection(address.hostname, address.port, ssl=tls)
    writer.write(request)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(status.split()[1]), headers, body


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        code: str = json.loads(self.body)["code"]
        return code


class OpenRequest:
    """A request whose body is still on its way."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def trickle(self, seconds: float) -> None:
        """Send a byte again and again, until it is cancelled or the server has closed the connection."""
        with suppress(OSError):
            while True:
                await self.send(b" ")
                await asyncio.sleep(seconds)

    async def is_closed(self) -> bool:
        """Wait until the server has closed the connection; nothing may come before."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read(1) == b""

    async def answer(self) -> Answer:
        """Wait for the answer."""
        async with asyncio.timeout(PATIENCE):
            head = await self._reader.readuntil(b"\r\n\r\n")
            status, *lines = head.decode().rstrip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(status.split()[1]), headers, body)


@asynccontextmanager
async def open_request(
    url: str, head: str, *headers: str, body: bytes = b"", address: str = "127.0.0.1"
) -> AsyncIterator[OpenRequest]:
    """Send the head of a request, and the beginning of its body, from an address of this machine.

    :param head: method and path
    """
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, local_addr=(address, 0))
    lines = (f"{head} HTTP/1.1", "Host: x", "Content-Type: application/json", *headers, "", "")
    try:
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        yield OpenRequest(reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
