"""A server whose machine vanishes without a word leaves its import, and all that it has locked, to another.

PostgreSQL learns of it by silence alone: it would wait two hours for it, if Trawl asked for no less.
"""

from contextlib import AsyncExitStack

import pytest

from bench.shop_log import generate
from db.database import Database
from db.locks import lock_parts
from tests.support.eventually import eventually
from tests.support.two_servers import ended, two_servers_apart, visits
from tests.support.vanishing import can_vanish, vanished

pytestmark = pytest.mark.slow

LINES = 20_000
WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE (classid, objid) = (20181, 2) AND NOT granted)"
needs_sockets = pytest.mark.skipif(
    not can_vanish(), reason="this process may not reach into the sockets of its children"
)


@needs_sockets
async def test_a_machine_that_vanishes_in_an_import_leaves_it_to_the_other() -> None:
    """It vanishes while it waits for the lock of parts, which it gets after its end."""
    async with two_servers_apart(is_over_tcp=True) as site, AsyncExitStack() as stack:
        (site.folder / "logs/shop.log").write_text("".join(generate(LINES, 1)))
        db = Database.connect(site.database_url)
        stack.push_async_callback(db.close)
        async with db.transaction() as session:
            await lock_parts(session)
            started = (await site.clients[0].get("/parse?wait=0")).json

            async def is_waiting() -> bool:
                async with db.raw() as raw:
                    return bool(await raw.fetchval(WAITING))

            await eventually(is_waiting)
            assert site.first.process is not None
            stack.enter_context(vanished(site.first.process.pid))
        record = await ended(site.clients[1], started["id"])
        assert (record["status"], record["imported"], record["duplicates"]) == ("done", LINES, 0)
        assert await visits(site.clients[1]) == LINES
