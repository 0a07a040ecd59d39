"""A database on a Citus cluster.

TRAWL_TEST_CITUS_URL names the coordinator of a cluster with at least one worker, on which its user may create
databases. Without it these tests are skipped.
"""

import secrets
from collections.abc import AsyncIterator

import pytest

from tests.support.citus import CITUS_URL, create_cluster_database, drop_cluster_database
from tests.support.command_line import Command


@pytest.fixture
async def cluster_url() -> AsyncIterator[str]:
    """A database on all nodes of the cluster, whose tables are not spread yet."""
    assert CITUS_URL is not None
    name = f"trawl_{secrets.token_hex(6)}"
    yield await create_cluster_database(CITUS_URL, name)
    await drop_cluster_database(CITUS_URL, name)


@pytest.fixture
def cluster(cluster_url: str, trawl: Command) -> Command:
    """The command line on the cluster."""
    return Command(trawl.settings | {"DATABASE_URL": cluster_url})


@pytest.fixture
async def databases(committed_url: str, cluster_url: str, cluster: Command) -> tuple[str, str]:
    """One on a PostgreSQL, and one that is spread over the cluster."""
    assert (await cluster.run_beside("distribute"))[0] == 0
    return committed_url, cluster_url
