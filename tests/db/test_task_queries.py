"""The orders of a task list read an index, and no more of it than the page."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, text

from api.tasks import SORTS
from db.database import Database
from db.models import Account
from db.queries.tasks import SortValue, TaskFilter, TaskOrder, select_tasks

FILL = """
INSERT INTO task (account_id, title, title_key, search_text, priority, due_at, created_at, updated_at)
SELECT :account_id, 'x', 'x' || n % 500, '', 'normal',
    CASE WHEN n % 3 > 0 THEN now() + n * interval '1 minute' END,
    now() - n * interval '1 minute', now() - n * interval '1 minute'
FROM generate_series(1, 2000) AS n
"""
AFTER: dict[str, SortValue] = {"priority": "normal", "title": "x7"}


@pytest.fixture
async def account_id(db: Database) -> int:
    async with db.transaction() as session:
        for login in ("anna", "boris"):
            values = {"login": login, "login_key": login, "password_hash": ""}
            rows = await session.scalars(insert(Account).values(values).returning(Account.id))
            newest_id = rows.one()
            await session.execute(text(FILL), {"account_id": newest_id})
        await session.execute(text("ANALYZE task"))
    return newest_id


class Recorder:
    """Has of a connection what notes its statements."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.statements: list[tuple[str, tuple[Any, ...]]] = []

    async def fetch(self, statement: str, *parameters: Any) -> list[Any]:
        self.statements.append((statement, parameters))
        rows: list[Any] = await self._raw.fetch(statement, *parameters)
        return rows


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("following", [False, True])
async def test_a_page_reads_its_index_from_its_first_row_on(
    db: Database, account_id: int, sort: str, following: bool
) -> None:
    by = sort.removeprefix("-")
    after = (AFTER.get(by, datetime.now(UTC)), 1) if following else None
    order = TaskOrder(by, descending=sort.startswith("-"), after=after)
    async with db.raw() as raw:
        recorder: Any = Recorder(raw)
        await select_tasks(recorder, account_id, TaskFilter(), order, limit=11, offset=0)
        [(statement, parameters)] = recorder.statements
        plan = await raw.fetchval(f"EXPLAIN (ANALYZE, FORMAT json) {statement}", *parameters)
    plan_nodes = nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
    kinds = {node["Node Type"] for node in plan_nodes}
    assert not kinds & {"Sort", "Incremental Sort", "Seq Scan", "Bitmap Heap Scan"}, kinds
    assert max(node.get("Rows Removed by Filter", 0) for node in plan_nodes) == 0
