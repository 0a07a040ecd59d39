"""Takes what is left of a body after an answer that did not wait for it.

A connection that is closed while its client still sends is reset, and most clients then lose the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

Message = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linger:
    """How long, and how many bytes, the rest of a body is taken for. Only tests give other ones."""

    seconds: float = 2.0
    bytes: int = 32 * 2**20  # what clients send that read no answer before they have sent all


class ObservedBody:
    """The ASGI messages of a request's body. It knows whether the last one has come."""

    def __init__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Message]]) -> None:
        self.is_complete = not has_body(scope)
        self._receive = receive

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):
            self.is_complete = True
        return message

    async def discard(self, linger: Linger) -> None:
        """Receive the rest, and drop it."""
        size = 0
        try:
            async with asyncio.timeout(linger.seconds):
                while not self.is_complete and size < linger.bytes:
                    size += len((await self.receive()).get("body") or b"")
        except TimeoutError:
            pass


def has_body(scope: dict[str, Any]) -> bool:
    """Return whether a client sends a body now, and not only after it is told to continue."""
    headers = dict(scope["headers"])
    if b"expect" in headers:
        return False
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
