"""The orders of a task list read an index, and no more of it than the page."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, insert, text

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
    statements: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    async with db.transaction() as session:
        connection = (await session.connection()).sync_connection
        assert connection is not None
        event.listen(connection, "before_cursor_execute", note)
        await select_tasks(session, account_id, TaskFilter(), order, limit=11, offset=0)
        event.remove(connection, "before_cursor_execute", note)
        [(statement, parameters)] = statements
        raw = (await (await session.connection()).get_raw_connection()).driver_connection
        assert raw is not None
        plan = await raw.fetchval(f"EXPLAIN (ANALYZE, FORMAT json) {statement}", *parameters)
    plan_nodes = nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
    kinds = {node["Node Type"] for node in plan_nodes}
    assert not kinds & {"Sort", "Incremental Sort", "Seq Scan", "Bitmap Heap Scan"}, kinds
    assert max(node.get("Rows Removed by Filter", 0) for node in plan_nodes) == 0
