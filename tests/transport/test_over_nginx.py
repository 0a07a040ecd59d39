"""What clients may expect of HTTP holds over nginx too: the tests of other modules run again, by nginx.

These are all that `make test` asks of nginx, with the limits; the routes are in the modules beside it.
"""

import aiohttp

from tests.support.http_client import Client, User
from tests.support.over_nginx import client, front_url, nginx_url  # noqa: F401 - fixtures
from tests.support.raw_http import trusting_context
from tests.transport.test_core import *  # noqa: F403 - its tests are wanted, as those of the next one
from tests.transport.test_headers import *  # noqa: F403 - its tests

# These hold answers to their length and to strong tags, which gzip changes. A test below has weak ones.
for name in (
    "test_head_answers_as_get_without_a_body",
    "test_a_client_that_has_the_version_is_told_so",
):
    del globals()[name]


async def test_nginx_gzips_answers_and_a_weak_tag_is_still_that_version(user: User) -> None:
    for number in range(40):
        await user.client.post("/tasks", json={"title": f"a task with a number, {number}"})
    answer = await user.client.get("/tasks")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["ETag"].startswith("W/")
    again = await user.client.get("/tasks", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


async def test_a_connection_is_kept_from_request_to_request(
    user: User,
    nginx_url: str,  # noqa: F811 - the fixture
) -> None:
    """That of the client to nginx; what nginx keeps to Trawl is its example's `keepalive`."""
    opened = []
    trace = aiohttp.TraceConfig()

    async def note(*_: object) -> None:
        opened.append(1)

    trace.on_connection_create_end.append(note)
    connector = aiohttp.TCPConnector(ssl=trusting_context(), limit=1)
    async with aiohttp.ClientSession(nginx_url, connector=connector, trace_configs=[trace]) as session:
        client = Client(session, user.token)
        for path, status in (
            ("/tasks", 200),
            ("/no/such/path", 404),
            ("/tasks?limit=0", 422),
            ("/report/1", 200),
        ):
            assert (await client.get(path)).status == status
        assert (
            await client.post("/events", data=b"{", headers={"Content-Type": "application/json"})
        ).status == 400
        assert (await client.post("/tasks", json={"title": "a"})).status == 201
    assert len(opened) == 1
