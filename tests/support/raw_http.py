"""Requests sent byte by byte, as no client library would send them."""

import asyncio
from urllib.parse import urlsplit


async def raw_request(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send exactly these bytes. Returns the status, headers and body of the response."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(request)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(status.split()[1]), headers, body
