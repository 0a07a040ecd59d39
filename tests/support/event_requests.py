"""Requests for tests of events, and what is read from their responses."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from tests.support.http_client import Answer, Client

NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}
COUNTS = ("received", "created", "duplicates", "conflicts", "invalid")


def event(number: int, **changes: Any) -> dict[str, Any]:
    """Make the event whose id is `number`."""
    return {
        "event_id": str(uuid.UUID(int=number)),
        "user_id": 7,
        "event_type": "view",
        "occurred_at": "2024-05-06T07:08:09.123456Z",
        "properties": {"page": "/a", "amount": 5},
    } | changes


def counts(answer: Answer) -> tuple[int, ...]:
    """Read received, created, duplicates, conflicts and invalid, which must add up."""
    assert answer.status == 200, answer.body
    received, created, *others = (answer.json[name] for name in COUNTS)
    assert received == created + sum(others)
    assert len(answer.json["results"]) == received - created
    return (received, created, *others)


async def send(client: Client, *events: Any) -> Answer:
    return await client.post("/events", json={"events": events})


async def list_events(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"/events?{query}")
    assert answer.status == 200, answer.body
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def bodies(events: Sequence[dict[str, Any]]) -> list[tuple[dict[str, str], bytes]]:
    """Write a batch in both formats, each with its headers."""
    lines = [json.dumps(event).encode() for event in events]
    return [(JSON, json.dumps({"events": events}).encode()), (NDJSON, b"\n".join(lines))]
