"""POST /events: the forms in which a batch may come, and batches that come at once."""

import asyncio
import gzip
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from db.database import Database
from db.models import Account, Session
from service.deps import Deps, RateLimits
from tests.support.event_requests import JSON, NDJSON, bodies, counts, event, list_events, send
from tests.support.http_client import User
from tests.support.http_server import RunningApp


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"events": [NaN]}',
        b'{"events": [{"properties": NaN}]}',
        b'{"events": []} x',
        b'{"events": ["\xff"]}',
        b'\xef\xbb\xbf\xef\xbb\xbf{"events": []}',
    ],
)
async def test_a_body_that_is_no_json_is_refused_whole(user: User, body: bytes) -> None:
    answer = await user.client.post("/events", data=body, headers=JSON)
    assert (answer.status, answer.code) == (400, "bad_json")


async def test_a_lone_surrogate_is_refused(user: User) -> None:
    for place in ({"event_type": "\ud800"}, {"properties": {"a": "\udc00"}}):
        assert (await send(user.client, event(1, **place))).status == 400
        line = json.dumps(event(1, **place)).encode()
        answer = await user.client.post("/events", data=line, headers=NDJSON)
        assert counts(answer) == (1, 0, 0, 0, 1)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("[]", "/events"),
        ("5", ""),
        ("{}", "/events"),
        ('{"events": []}', "/events"),
        ('{"events": {}}', "/events"),
        ('{"events": null}', "/events"),
        ('{"events": [1], "more": 1}', "/more"),
        (json.dumps({"events": [1] * 10_001}), "/events"),
    ],
)
async def test_what_is_no_list_of_events_is_invalid(user: User, body: str, pointer: str) -> None:
    answer = await user.client.post("/events", data=body, headers=JSON)
    assert (answer.status, answer.pointers) == (422, [pointer])


async def test_a_batch_may_hold_ten_thousand_events(user: User) -> None:
    body = json.dumps({"events": [event(number) for number in range(10_000)]}).encode()
    for expected in ((10_000, 10_000, 0, 0, 0), (10_000, 0, 10_000, 0, 0)):
        answer = await user.client.post("/events", data=io.BytesIO(body), headers=JSON)
        assert counts(answer) == expected


async def test_a_bad_line_is_one_invalid_event(user: User) -> None:
    good = [json.dumps(event(number)).encode() for number in range(3)]
    lines = [good[0], b"{", b"", b"  \r", b"\xff", b"NaN", good[1] + b"\r", b"[]", good[2], b""]
    answer = await user.client.post("/events", data=b"\n".join(lines), headers=NDJSON)
    assert counts(answer) == (7, 3, 0, 0, 4)
    assert [one["index"] for one in answer.json["results"]] == [1, 2, 3, 5]


@pytest.mark.parametrize("body", [b"", b"\n \n", b"{}\n" * 10_001])
async def test_no_lines_or_too_many_are_invalid(user: User, body: bytes) -> None:
    answer = await user.client.post("/events", data=body, headers=NDJSON)
    assert (answer.status, answer.code) == (422, "invalid")


async def test_a_batch_may_come_gzipped(user: User) -> None:
    for headers, body in bodies([event(1)]):
        gzipped = gzip.compress(body)
        answer = await user.client.post(
            "/events", data=gzipped, headers=headers | {"Content-Encoding": "gzip"}
        )
        assert counts(answer)[0] == 1
    assert len(await list_events(user.client)) == 1


async def test_a_gzipped_batch_that_breaks_off_stores_nothing(user: User) -> None:
    gzipped = gzip.compress(b"\n".join(json.dumps(event(number)).encode() for number in range(100)))
    headers = NDJSON | {"Content-Encoding": "gzip"}
    for cut in (len(gzipped) // 2, len(gzipped) - 1):
        assert (await user.client.post("/events", data=gzipped[:cut], headers=headers)).status == 400
    assert await list_events(user.client) == []


async def test_a_gzip_bomb_of_events_is_too_large(user: User) -> None:
    gzipped = gzip.compress(b" " * (33 * 2**20))
    headers = JSON | {"Content-Encoding": "gzip"}
    assert (await user.client.post("/events", data=gzipped, headers=headers)).status == 413


async def test_a_batch_of_another_type_is_refused(user: User) -> None:
    answer = await user.client.post("/events", data=b"a=1", headers={"Content-Type": "text/plain"})
    assert answer.status == 415


async def test_batches_have_a_limit_of_their_own(user: User, server: RunningApp, deps: Deps) -> None:
    server.use(replace(deps, limits=RateLimits(default=1, ingest=2)))
    answer = await send(user.client, event(1))
    assert answer.headers["RateLimit-Policy"] == '"ingest";q=2;w=60'
    assert (await send(user.client, event(1))).status == 200
    assert (await send(user.client, event(1))).code == "rate_limited"
    assert (await user.client.get("/events")).status == 200


async def test_batches_that_come_at_once_are_stored_once(
    add_user: Any, server: RunningApp, deps: Deps, committed_db: Database
) -> None:
    committed_deps = replace(deps, db=committed_db, replica=committed_db)
    user = await add_user("Anna")
    async with committed_db.transaction() as session:
        await session.execute(insert(Account).values(id=user.id, login="a", login_key="a", password_hash="x"))
        later = datetime.now(UTC) + timedelta(minutes=5)
        await session.execute(
            insert(Session).values(id=user.session_id, account_id=user.id, expires_at=later)
        )
    server.use(committed_deps)
    events = [event(number, user_id=number) for number in range(500)]
    batches = [events, events[::-1], events[250:] + events[:250]] * 2
    answers = await asyncio.gather(*(send(user.client, *batch) for batch in batches))
    batch_counts = [counts(answer) for answer in answers]
    assert sum(created for _, created, *_ in batch_counts) == 500
    assert all(conflicts == invalid == 0 for *_, conflicts, invalid in batch_counts)
    export = await user.client.get("/events/export")
    assert len(export.body.splitlines()) == 500
