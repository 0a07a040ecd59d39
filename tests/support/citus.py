"""Databases on a Citus cluster: on each of its nodes, which know each other."""

import os

import asyncpg
import pytest

from db.distribution import Worker, select_workers
from tests.support.databases import on_server, with_database

CITUS_URL = os.environ.get("TRAWL_TEST_CITUS_URL")
needs_cluster = pytest.mark.skipif(CITUS_URL is None, reason="TRAWL_TEST_CITUS_URL names no cluster")
COORDINATOR = "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid = 0"


def url_of(worker: Worker, user: str, name: str) -> str:
    return f"postgresql://{user}@{worker}/{name}"


async def create_cluster_database(url: str, name: str) -> str:
    """Create an empty database on all nodes of the coordinator's cluster. Return its address."""
    connection = await asyncpg.connect(url)
    coordinator = Worker(*await connection.fetchrow(COORDINATOR) or ())
    workers, user = await select_workers(connection), await connection.fetchval("SELECT current_user")
    await connection.close()
    own_url = with_database(url, name)
    await on_server(url, f"CREATE DATABASE {name}")
    await on_server(own_url, "CREATE EXTENSION citus")
    await on_server(own_url, f"SELECT citus_set_coordinator_host('{coordinator.host}', {coordinator.port})")
    for worker in workers:
        await on_server(url_of(worker, user, "postgres"), f"CREATE DATABASE {name}")
        await on_server(url_of(worker, user, name), "CREATE EXTENSION citus")
        await on_server(own_url, f"SELECT citus_add_node('{worker.host}', {worker.port})")
    return own_url


async def drop_cluster_database(url: str, name: str) -> None:
    """Drop a database on all nodes."""
    connection = await asyncpg.connect(url)
    workers, user = await select_workers(connection), await connection.fetchval("SELECT current_user")
    await connection.close()
    await on_server(url, f"DROP DATABASE {name} WITH (FORCE)")
    for worker in workers:
        await on_server(url_of(worker, user, "postgres"), f"DROP DATABASE {name} WITH (FORCE)")
