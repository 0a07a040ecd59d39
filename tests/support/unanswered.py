"""Attempts to connect, and whether a kernel has answered them."""

import socket
from contextlib import suppress

ESTABLISHED = 1  # of TCP_INFO


def is_answered(listener: tuple[str, int], source: str) -> bool:
    """Try to connect from an address of this machine. Over loopback a kernel answers before this returns."""
    with socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET) as client:
        client.setblocking(False)
        client.bind((source, 0))
        with suppress(BlockingIOError):
            client.connect(listener)
        return client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO) == ESTABLISHED
