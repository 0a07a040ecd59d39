"""A PgBouncer before a PostgreSQL that listens on a port of this machine."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.command_line import free_port
from tests.support.http_server import wait_for_port

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
CONFIGURATION = """\
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
server_lifetime = 3600
{run_as}
"""


@asynccontextmanager
async def run_pgbouncer(url: str, folder: Path, *, mode: str, size: int) -> AsyncIterator[str]:
    """Run a PgBouncer with so many connections to the database of a URL; yields the URL that goes by it.

    As root it runs as another user, who must be able to read the folder.
    """
    parts = urlsplit(url)
    port = free_port()
    path = folder / "pgbouncer.ini"
    path.write_text(
        CONFIGURATION.format(
            host=parts.hostname,
            port=parts.port,
            user=parts.username,
            listen_port=port,
            mode=mode,
            size=size,
            run_as="user = nobody" if os.geteuid() == 0 else "",
        )
    )
    with (folder / "pgbouncer.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(str(PGBOUNCER), str(path), stdout=log, stderr=log)
        try:
            await wait_for_port(port)
            yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
        finally:
            process.terminate()
            await process.wait()
