"""Sends bytes as they are over a socket, and reads one HTTP response, if any comes."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from bench.own_trawl import HOST

HEAD_BYTES = 256 * 1024
BODY_BYTES = 64 * 1024 * 1024
LEAVING_SECONDS = 0.3  # the server may answer first
BODILESS = frozenset({204, 304})


class Hang(Exception):
    """Neither an answer nor the end of the connection came in time."""


class BadResponse(Exception):
    """What came is not an HTTP response."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: dict[str, str]  # by names in lower case
    body: bytes


async def exchange(
    port: int,
    data: bytes,
    *,
    source: str,
    method: str,
    seconds: float,
    end: bool = False,
    stream: bool = False,
) -> Response | None:
    """Send bytes from an address and return the response; None if the server closes without one.

    :param end: close our side after the last byte, as a client that leaves
    :param stream: do not read the body of a success, which has no end
    :raises Hang: nothing came for so many seconds
    :raises BadResponse: it is not HTTP
    """
    reader, writer = await asyncio.open_connection(HOST, port, local_addr=(source, 0), limit=HEAD_BYTES)
    sending = asyncio.create_task(send(writer, data, end=end))
    try:
        async with asyncio.timeout(seconds):
            return await read_response(reader, method, stream=stream)
    except TimeoutError:
        raise Hang from None
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    finally:
        sending.cancel()
        writer.close()
        with suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.gather(sending, writer.wait_closed(), return_exceptions=True)


async def send(writer: asyncio.StreamWriter, data: bytes, *, end: bool) -> None:
    # The server may answer and close before it has read all: that is not a failure here.
    with suppress(ConnectionError):
        writer.write(data)
        await writer.drain()
        if end:
            await asyncio.sleep(LEAVING_SECONDS)
            writer.write_eof()


async def read_response(reader: asyncio.StreamReader, method: str, *, stream: bool) -> Response:
    status, headers = await read_head(reader)
    while status < 200:
        status, headers = await read_head(reader)
    if method == "HEAD" or status in BODILESS or (stream and status < 400):
        return Response(status, headers, b"")
    return Response(status, headers, await read_body(reader, headers))


async def read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdecimal():
        raise BadResponse(lines[0])
    pairs = (line.partition(":") for line in lines[1:] if line)
    return int(rest[:3]), {name.lower(): value.strip() for name, _, value in pairs}


async def read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "") == "chunked":
        return await read_chunks(reader)
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read(BODY_BYTES)


async def read_chunks(reader: asyncio.StreamReader) -> bytes:
    chunks = []
    while size := int((await reader.readline()).strip() or b"0", 16):
        chunks.append(await reader.readexactly(size))
        await reader.readexactly(2)
    return b"".join(chunks)
