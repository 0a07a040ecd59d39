"""Views that the pages of a site report."""

import json
from typing import Any

from tests.support.http_client import Answer, Client, User

SHOP = "https://shop.example"
SALMON = f"{SHOP}/fresh_fish/salmon/"
TEXT = {"Content-Type": "text/plain;charset=UTF-8"}


async def visits(user: User) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await user.client.get("/visits")).json["items"]
    return items


async def report(client: Client, body: Any, *, origin: str | None = SHOP, **headers: str) -> Answer:
    """Send a body as sendBeacon does."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {} if origin is None else {"Origin": origin}
    return await client.post("/collect", data=content, headers={**TEXT, **named, **headers})
