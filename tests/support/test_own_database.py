"""The database that a test has for itself is as the template is, whatever the test before did."""

import asyncpg
import pytest
from sqlalchemy import text

from tests.support.own_database import OwnDatabase, OwnPool

ACCOUNT = (
    "INSERT INTO account (login, login_key, role, password_hash) VALUES ('a', 'a', 'user', '') RETURNING id"
)


@pytest.mark.parametrize(
    "change",
    [
        ACCOUNT,
        "CREATE TABLE more (id integer)",
        "ALTER TABLE task ALTER COLUMN title DROP NOT NULL",
        "DROP INDEX IF EXISTS task_user_id_idx; ALTER TABLE task DROP COLUMN title CASCADE",
        "UPDATE alembic_version SET version_num = 'another'",
        "DELETE FROM alembic_version",
        "CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        f"{ACCOUNT}; ANALYZE account",
    ],
)
async def test_rows_and_all_other_changes_are_gone(own_copy: OwnDatabase, change: str) -> None:
    await own_copy.prepare()
    connection = await asyncpg.connect(own_copy.url)
    await connection.execute(change)
    await own_copy.empty()  # ends this connection, too
    assert connection.is_closed() or await is_broken(connection)
    await own_copy.prepare()
    connection = await asyncpg.connect(own_copy.url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM account") == 0
        assert await connection.fetchval(
            "SELECT count(*) FROM alembic_version WHERE version_num <> 'another'"
        )
        assert await connection.fetchval("SELECT to_regclass('more') IS NULL AND to_regproc('one') IS NULL")
        column = "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'task'::regclass AND attname = 'title'"
        assert await connection.fetchval(column)
        assert await connection.fetchval("SELECT count(*) FROM pg_stats WHERE schemaname = 'public'") == 0
        assert await connection.fetchval(ACCOUNT) == 1
    finally:
        await connection.close()
    await own_copy.empty()


async def is_broken(connection: asyncpg.Connection) -> bool:
    try:
        await connection.fetchval("SELECT 1")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return True
    return False


async def test_a_database_that_is_gone_is_made_anew(own_copy: OwnDatabase) -> None:
    await own_copy.prepare()
    await own_copy.drop()
    await own_copy.empty()
    await own_copy.prepare()
    connection = await asyncpg.connect(own_copy.url)
    assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    await connection.close()
    await own_copy.empty()


async def test_the_connections_of_its_pool_are_kept_without_what_a_test_left_on_them(
    own_copy: OwnDatabase, own_pool: OwnPool
) -> None:
    await own_copy.prepare()
    await own_pool.database.close()  # one that PostgreSQL has ended for its idleness would close all
    seen = []
    for _ in range(2):
        async with own_pool.database.transaction() as session:
            row = await session.execute(
                text(
                    "SELECT pg_backend_pid(), current_setting('work_mem'),"
                    " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())"
                )
            )
            seen.append(tuple(row.one()))
            await session.execute(text("SELECT pg_advisory_lock(7)"))
            await session.execute(text("SET work_mem = '1MB'"))
        await own_copy.empty(await own_pool.rest())
    assert seen[0] == seen[1]  # also the connection
    assert seen[0][1:] != ("1MB", 1)


async def test_a_pool_whose_connection_is_in_use_keeps_none(own_copy: OwnDatabase, own_pool: OwnPool) -> None:
    await own_copy.prepare()
    async with own_pool.database.transaction() as session:
        await session.execute(text("SELECT"))
        assert await own_pool.rest() == []
    await own_copy.empty()
    async with own_pool.database.transaction() as session:
        assert await session.scalar(text("SELECT 1")) == 1
    await own_copy.empty(await own_pool.rest())
