"""Spreads the tables that grow over the workers of a Citus cluster.

The columns of a part stand on one worker, and so does an event. Names, accounts, carts, roll-ups and the list
of parts stay on the coordinator, which tells what parts are needed, so that no others are asked for.
"""

from dataclasses import dataclass

from asyncpg import Connection

# By the column whose hash says on which worker a row stands.
SPREAD = {"event": "event_id", "event_part_columns": "token", "visit_part_columns": "token"}

IS_CITUS = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"
WORKERS = """
    SELECT nodename AS host, nodeport AS port
    FROM pg_dist_node
    WHERE noderole = 'primary' AND groupid <> 0 AND shouldhaveshards
    ORDER BY nodename, nodeport
"""
# Waits for a silent node until its own timeout.
ANSWERS = "SELECT citus_check_connection_to_node($1, $2)"
IS_SPREAD = "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass('event'))"
LOCAL = """
    SELECT name, coalesce(pg_total_relation_size(to_regclass(name)), 0) AS size
    FROM unnest(CAST($1 AS text[])) AS name
    WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass(name))
"""
DISTRIBUTE = "SELECT create_distributed_table($1, $2, colocate_with => 'none')"
TRUNCATE_LOCAL = "SELECT truncate_local_data_after_distributing_table($1)"


@dataclass(frozen=True, slots=True)
class Worker:
    """A node that holds shards."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class LocalTable:
    """A table that is to be spread, with its indexes in bytes: none before it is migrated."""

    name: str
    size: int


async def is_citus(connection: Connection) -> bool:
    """Return whether the database has the extension."""
    answer: bool = await connection.fetchval(IS_CITUS)
    return answer


async def select_workers(connection: Connection) -> list[Worker]:
    """Return the workers of the cluster. The database has the extension."""
    return [Worker(row["host"], row["port"]) for row in await connection.fetch(WORKERS)]


async def answers(connection: Connection, worker: Worker) -> bool:
    """Return whether the coordinator can connect to a worker."""
    return await connection.fetchval(ANSWERS, worker.host, worker.port) or False


async def select_local_tables(connection: Connection) -> list[LocalTable]:
    """Return the tables that are to be spread and are not yet."""
    return [LocalTable(row["name"], row["size"]) for row in await connection.fetch(LOCAL, list(SPREAD))]


async def is_spread(connection: Connection) -> bool:
    """Return whether the database is spread over a cluster."""
    return await is_citus(connection) and bool(await connection.fetchval(IS_SPREAD))


async def distribute_table(connection: Connection, name: str) -> None:
    """Spread a table with its rows over the workers. Who writes to it waits meanwhile."""
    async with connection.transaction():
        await connection.execute(DISTRIBUTE, name, SPREAD[name])
        await connection.execute(TRUNCATE_LOCAL, name)
