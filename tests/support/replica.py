"""A streaming replica of a PostgreSQL, which a test stops, pauses and starts again."""

from pathlib import Path

import asyncpg

from embedded.child import run
from embedded.postgres import Postgres
from tests.support.own_servers import OwnServer


def make_replica(primary: Postgres, home: Path) -> OwnServer:
    """Copy a running PostgreSQL, as its replica, which is not started yet."""
    replica = Postgres(home)
    copy = Path(primary._programs.postgres).with_name("pg_basebackup")
    command: list[str | Path] = [copy, "-D", str(replica.data), "-h", str(primary.sockets)]
    command += ["-U", "postgres", "-R", "-c", "fast"]
    code, output = run(command, cwd=replica.home, account=replica._account)
    assert code == 0, output
    return OwnServer(replica)


async def replay(replica: OwnServer, *, paused: bool) -> None:
    """Stop or continue replaying what the primary writes."""
    raw = await asyncpg.connect(replica.url.replace("//trawl@", "//postgres@", 1))
    await raw.execute("SELECT pg_wal_replay_pause()" if paused else "SELECT pg_wal_replay_resume()")
    await raw.close()
