"""A day of a shop on a database: what it is asked, and what it answers."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from db.database import Database
from service.columns.store import ColumnStore
from service.deps import Deps
from tests.support.accounts import add_account, add_session
from tests.support.eventually import eventually
from tests.support.http_client import Answer, Client
from tests.support.http_server import RunningApp

# What differs from run to run.
VARYING = re.compile(
    rb'"(?:id|at|key|started_at|finished_at|lines_per_second|created_at|updated_at|last_login|cursor'
    rb'|next)": ?(?:"[^"]*"|[0-9.]+|null)'
)


class Day:
    """A day on one database, as its admin, and what it answered."""

    def __init__(self, deps: Deps, client: Client, account_id: int) -> None:
        self.deps, self.client, self.account_id = deps, client, account_id
        self.answers: list[tuple[str, int, bytes]] = []

    async def ask(self, method: str, path: str, *, name: str = "", **options: Any) -> Answer:
        """Send a request, and note its answer.

        :param name: instead of a path that has an id
        """
        answer = await self.client.request(method, path, **options)
        self.answers.append((f"{method} {name or path}", answer.status, VARYING.sub(b"", answer.body)))
        return answer

    async def undo(self, import_id: int) -> None:
        """Undo an import, which may take longer than the request waits."""
        assert (await self.client.delete(f"/imports/{import_id}")).status in {200, 202}

        async def is_undone() -> bool:
            status: str = (await self.client.get(f"/imports/{import_id}")).json["status"]
            return status == "undone"

        await eventually(is_undone)


async def answer_alike(
    server: RunningApp,
    deps: Deps,
    client: Client,
    urls: Sequence[str],
    live: Callable[[Day], Awaitable[None]],
) -> None:
    """Live the same day on each of the databases; fail where they answer differently, or not at all."""
    answers = []
    for url in urls:
        db = Database.connect(url)
        own = replace(deps, db=db, replica=db, columns=ColumnStore())
        server.use(own)
        account_id = await add_account(own, "admin", role="admin")
        _, token = await add_session(own, account_id)
        day = Day(own, client.signed_in(token), account_id)
        await live(day)
        answers.append(day.answers)
        await own.background.close()
        await db.close()
    different = [pair for pair in zip(*answers, strict=True) if pair[0] != pair[1]]
    assert not different, different
    assert all(status < 500 for _, status, _ in answers[0])
