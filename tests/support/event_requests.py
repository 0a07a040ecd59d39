"""What the tests of events send, and how they read the answers."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from tests.support.http_client import Answer, Client

NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}
COUNTS = ("received", "created", "duplicates", "conflicts", "invalid")


def event(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": str(uuid.UUID(int=number)),
        "user_id": 7,
        "event_type": "view",
        "occurred_at": "2024-05-06T07:08:09.123456Z",
        "properties": {"page": "/a", "amount": 5},
    } | changes


def counts(answer: Answer) -> tuple[int, ...]:
    assert answer.status == 200, answer.body
    found = tuple(answer.json[name] for name in COUNTS)
    assert found[0] == sum(found[1:])
    assert len(answer.json["results"]) == found[0] - found[1]
    return found


async def send(client: Client, *events: Any) -> Answer:
    return await client.post("/events", json={"events": events})


async def listed(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"/events?{query}")
    assert answer.status == 200, answer.body
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def bodies(events: Sequence[dict[str, Any]]) -> list[tuple[dict[str, str], bytes]]:
    lines = [json.dumps(one).encode() for one in events]
    return [(JSON, json.dumps({"events": events}).encode()), (NDJSON, b"\n".join(lines))]
