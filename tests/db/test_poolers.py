"""Behind a pooler: PgBouncer where it is installed, and what is sent to any."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from db.database import Database
from db.dsn import check_dsn, is_transaction_pooled, split_dsn
from db.migrate import migrate
from db.sessions import raw_connection, select_in_batches
from tests.support.command_line import Command
from tests.support.database_over_tcp import over_tcp
from tests.support.pgbouncer import PGBOUNCER, run_pgbouncer

needs_pgbouncer = pytest.mark.skipif(PGBOUNCER is None, reason="there is no pgbouncer")
MODES = {"transaction": "?pooler=transaction", "session": ""}
CONNECTIONS = 3  # of PgBouncer to PostgreSQL, for all clients of the tests


@pytest.fixture(params=MODES)
async def pooled_url(
    request: pytest.FixtureRequest, committed_url: str, short_dir: Path
) -> AsyncIterator[str]:
    mode = request.param
    size = CONNECTIONS if mode == "transaction" else 40
    async with (
        over_tcp(committed_url) as direct_url,
        run_pgbouncer(direct_url, short_dir.parent, mode=mode, size=size) as url,
    ):
        yield url + MODES[mode]


@needs_pgbouncer
async def test_transactions_reads_and_raw_statements_of_many_clients_share_few_connections(
    pooled_url: str,
) -> None:
    clients = [Database.connect(pooled_url, pool_size=4) for _ in range(2)]

    async def work(db: Database, number: int) -> None:
        for round_ in range(6):
            value = number * 100 + round_
            async with db.transaction() as session:
                query = text(f"SELECT CAST(:value AS int) + {round_ % 3}, current_setting('timezone')")
                for _ in range(3):
                    row = (await session.execute(query, {"value": value})).one()
                    assert tuple(row) == (value + round_ % 3, "UTC")
                    await asyncio.sleep(0)
            async with db.read() as session:
                assert (
                    await session.scalar(text("SELECT CAST(:a AS text)"), {"a": f"a{value}"}) == f"a{value}"
                )
            async with db.raw() as raw:
                assert await raw.fetchval(f"SELECT $1::bigint * {round_ + 2}", value) == value * (round_ + 2)
                assert await raw.fetchval("SELECT $1::text[]", ["a"]) == ["a"]

    await asyncio.gather(*(work(clients[number % 2], number) for number in range(16)))
    for db in clients:
        await db.close()


@needs_pgbouncer
async def test_long_work_copies_streams_and_sees_one_moment(pooled_url: str) -> None:
    db = Database.connect(pooled_url)
    async with db.transaction() as session:
        await session.execute(text("CREATE TABLE number (n bigint)"))
        raw = await raw_connection(session)
        await raw.copy_records_to_table("number", records=[(n,) for n in range(5000)])

    async def count_in_batches() -> int:
        count = 0
        async with db.dedicated_snapshot() as session:
            async for rows in select_in_batches(session, text("SELECT n FROM number ORDER BY n")):
                count += len(rows)
                async with db.transaction() as other:
                    await other.execute(text("INSERT INTO number VALUES (1)"))
        return count

    assert await count_in_batches() == 5000
    async with db.snapshot() as session:
        assert await session.scalar(text("SHOW transaction_isolation")) == "repeatable read"
    await db.close()


@needs_pgbouncer
async def test_commands_import_and_report_behind_it(
    pooled_url: str, trawl: Command, tmp_path: Path, committed_url: str
) -> None:
    await migrate(pooled_url)
    log = Path(__file__).parents[2] / "logs.txt"
    for _ in range(2):  # the second time every line is compared with those that are there
        code, output, errors = await asyncio.to_thread(
            trawl.run, "import", "--json", str(log), DATABASE_URL=pooled_url
        )
        assert (code, errors) == (0, ""), output
    for number in (1, 5, 7):
        direct = await asyncio.to_thread(trawl.run, "report", str(number), "--json")
        pooled = await asyncio.to_thread(trawl.run, "report", str(number), "--json", DATABASE_URL=pooled_url)
        assert pooled == direct
        assert pooled[0] == 0


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_backup_by_a_pooler_of_transactions_is_refused_by_name(
    trawl: Command, tmp_path: Path, command: str
) -> None:
    file = tmp_path / "a.dump"
    if command == "restore":
        assert trawl.run("backup", str(file))[0] == 0
    pooled = trawl.settings["DATABASE_URL"] + "&pooler=transaction"
    code, _, errors = trawl.run(command, str(file), DATABASE_URL=pooled)
    assert code == 1
    assert "DATABASE_URL has pooler=transaction" in errors


def test_pooler_is_transaction_or_session_and_never_sent() -> None:
    check_dsn("postgresql://a@b/c?pooler=session")
    with pytest.raises(ValueError):  # noqa: PT011 - the setting's own message is what users see
        check_dsn("postgresql://a@b/c?pooler=statement")
    assert split_dsn("postgresql://a@b/c?pooler=transaction&sslmode=disable")[0].endswith("?sslmode=disable")
    assert is_transaction_pooled("postgresql://a@b/c?x=1&pooler=transaction")
    assert not is_transaction_pooled("postgresql://a@b/c?pooler=session")


async def test_statements_have_no_names_for_a_pooler_of_transactions(committed_url: str) -> None:
    names = "SELECT count(*) FROM pg_prepared_statements"
    for url, count in ((committed_url, 1), (f"{committed_url}&pooler=transaction", 0)):
        db = Database.connect(url, pool_size=1)
        async with db.transaction() as session:
            await session.execute(text("SELECT 1"))
        async with db.raw() as raw:
            await raw.fetch("SELECT 2")
            assert (await raw.fetchval(names) > 0) == bool(count)
        await db.close()
