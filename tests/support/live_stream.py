"""Listens to /live."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.support.http_client import Client


class Listener:
    """Reads the states of an open stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next_state(self) -> dict[str, Any] | None:
        """Wait for the next state; None when the stream has ended."""
        async for line in self.response.content:
            if line.startswith(b"data: "):
                state: dict[str, Any] = json.loads(line[6:])
                return state
        return None

    async def until(self, visits: int) -> dict[str, Any]:
        """Wait for the first state with at least so many visits."""
        while state := await self.next_state():
            if state["visits"] >= visits:
                return state
        raise AssertionError("the stream has ended")


@asynccontextmanager
async def listening(client: Client) -> AsyncIterator[Listener]:
    headers = {"Authorization": f"Bearer {client.token}"}
    async with client.session.get("/live", headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        yield Listener(response)
