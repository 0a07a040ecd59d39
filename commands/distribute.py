"""`main.py distribute`: spreads what grows over the workers of a Citus cluster."""

import asyncio

from asyncpg import PostgresError

import db.migrate
from commands.installation import open_installation
from commands.terminal import fail, load_settings, one_line_errors, say
from db.database import Database
from db.distribution import (
    LocalTable,
    Worker,
    distribute_table,
    is_citus,
    select_local_tables,
    select_workers,
)
from db.sessions import raw_connection
from db.unusable import DatabaseUnusable, describe_unusable

HOW_TO_SET_UP = "docs/scaling.md tells how a cluster is set up"


def distribute(*, dry_run: bool) -> None:
    """Spread the tables that are not spread yet, and say what is done."""
    with one_line_errors():
        settings = load_settings()
        with open_installation(settings) as addresses:
            asyncio.run(distribute_database(addresses.database, dry_run=dry_run))


async def distribute_database(url: str, *, dry_run: bool) -> None:
    """Migrate the database, and spread its tables, each in a transaction of its own."""
    database = Database.connect(url)
    try:
        workers = await read_cluster(database)
        if not dry_run:
            await db.migrate.migrate(url)
        async with database.dedicated() as session:
            tables = await select_local_tables(await raw_connection(session))
        say_plan(tables, workers)
        for table in () if dry_run else tables:
            async with database.dedicated() as session:
                await distribute_table(await raw_connection(session), table.name)
            say(f"{table.name}: spread")
    except OSError as error:
        raise DatabaseUnusable(describe_unusable(url, error)) from error
    except PostgresError as error:
        fail(f"DATABASE_URL: the cluster refuses: {str(error).splitlines()[0]}")
    finally:
        await database.close()


async def read_cluster(database: Database) -> list[Worker]:
    """Return the workers of the cluster. Ends the command where there are none."""
    async with database.dedicated() as session:
        raw = await raw_connection(session)
        if not await is_citus(raw):
            fail(f"the database has no extension citus; {HOW_TO_SET_UP}")
        workers = await select_workers(raw)
    if not workers:
        fail(f"the cluster has no worker that takes rows; {HOW_TO_SET_UP}")
    return workers


def say_plan(tables: list[LocalTable], workers: list[Worker]) -> None:
    names = ", ".join(map(str, workers))
    if not tables:
        say(f"nothing to do: all is spread over {names}")
    for table in tables:
        say(f"{table.name}: {table.size / 1e6:,.1f} MB, over {names}")
