"""The embedded PostgreSQL and Valkey of a DATA_DIR: run by one process, shared by any number of others."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.errors import DataDirInUse, EmbeddedError
from embedded.lock import DataDirLock, Owner
from embedded.postgres import Postgres
from embedded.supervisor import Supervisor
from embedded.tuning import DEFAULT, Tuning
from embedded.valkey import Valkey

logger = logging.getLogger("trawl.embedded")

KINDS: dict[str, type[Postgres | Valkey]] = {"valkey": Valkey, "postgres": Postgres}
# Seconds.
POLL = 0.005
WAIT = 60.0
COMMAND_LEAVES = 10.0  # an owner that is a command
PROBE_TIMEOUT = 0.5


class EmbeddedServers:
    """The servers of one DATA_DIR as one process sees them.

    `postgres_url` and `redis_url` are None for a server that was not asked for. `owned` says whether this
    process runs them; if not, `watch` and `stop` do nothing.
    """

    def __init__(self, sockets: dict[str, Path], supervisors: list[Supervisor] | None = None) -> None:
        self.owned = supervisors is not None
        self.postgres_url = Postgres.url(sockets["postgres"]) if "postgres" in sockets else None
        self.redis_url = Valkey.url(sockets["valkey"]) if "valkey" in sockets else None
        self._supervisors = supervisors or []

    def watch(self) -> None:
        """Restart servers that died or hang. Never waits; call it ten times a second from the main thread."""
        for supervisor in self._supervisors:
            supervisor.watch()

    def stop(self) -> None:
        """End the servers that this process runs, and wait for their end."""
        for supervisor in self._supervisors:
            supervisor.begin_stop()
        for supervisor in self._supervisors:
            supervisor.stop()
        self._supervisors = []


def has_database(data_dir: Path) -> bool:
    """Return whether the PostgreSQL of `data_dir` has been set up; true if that can't be seen."""
    try:
        return Postgres.is_set_up(data_dir / "postgres")
    except PermissionError:
        return True  # opening it says who may


@contextmanager
def open_servers(
    data_dir: Path,
    *,
    postgres: bool = True,
    valkey: bool = True,
    exclusive: bool = False,
    wait: float = WAIT,
    tuning: Tuning = DEFAULT,
) -> Iterator[EmbeddedServers]:
    """Run the servers of `data_dir`, or share them with the process that does. Only for the main thread.

    `exclusive` is for a process that must run them itself, and stops them at its end while others share them;
    any other owner waits for the sharers. `wait` is in seconds.

    :raises DataDirInUse: `exclusive` is set, and another process runs them
    :raises EmbeddedError: a server can't be found, set up, started or shared
    """
    names = [name for name in KINDS if {"postgres": postgres, "valkey": valkey}[name]]
    if not names:
        yield EmbeddedServers({})
        return
    with _data_dir_errors(data_dir):
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        data_dir = data_dir.resolve()
        lock = DataDirLock(data_dir)
    try:
        with _data_dir_errors(data_dir):
            servers = _own_or_share(data_dir, lock, names, exclusive=exclusive, wait=wait, tuning=tuning)
        try:
            yield servers
            if servers.owned and not exclusive:
                _wait_for_sharers(lock, servers)
        finally:
            servers.stop()
    finally:
        lock.close()


@contextmanager
def _data_dir_errors(data_dir: Path) -> Iterator[None]:
    """Turn an OSError into an EmbeddedError that names DATA_DIR."""
    try:
        yield
    except OSError as error:
        where = error.filename or data_dir
        raise EmbeddedError(
            f"DATA_DIR {data_dir} can't be used: {where}: {error.strerror}; mend that, or set another"
        ) from error


def _own_or_share(
    data_dir: Path,
    lock: DataDirLock,
    names: list[str],
    *,
    exclusive: bool,
    wait: float,
    tuning: Tuning,
) -> EmbeddedServers:
    """Start the servers, or use those of the process that owns DATA_DIR; wait while it starts or stops.

    :raises DataDirInUse: `exclusive`, and another process keeps it
    :raises EmbeddedError: it has no servers that are ready in time
    """
    start = time.monotonic()
    while not lock.try_own():
        waited = time.monotonic() - start
        owner = lock.read_owner()
        if exclusive:
            leaves = COMMAND_LEAVES if owner and not owner.exclusive else tuning.owner_leaves
            if waited > min(leaves, wait):
                who = f"process {owner.pid}" if owner else "another process"
                raise DataDirInUse(f"DATA_DIR {data_dir} is in use by {who}: stop it or set another DATA_DIR")
        elif lock.try_share():
            if owner and (sockets := _ready_sockets(owner, names)):
                logger.info("sharing the servers of process %d", owner.pid)
                return EmbeddedServers(sockets)
            lock.unshare()
        if waited > wait:
            raise EmbeddedError(
                f"the servers of DATA_DIR {data_dir} do not answer{_missing_servers(owner, names)}"
            )
        time.sleep(POLL * 2)
    return _start(data_dir, lock, names, exclusive=exclusive, wait=wait, tuning=tuning)


def _missing_servers(owner: Owner | None, names: list[str]) -> str:
    missing = [name for name in names if owner and name not in owner.sockets]
    return f": process {owner.pid} runs no {' or '.join(missing)}" if owner and missing else ""


def _ready_sockets(owner: Owner, names: list[str]) -> dict[str, Path] | None:
    """Return the sockets of the named servers; None unless all of them are ready."""
    sockets = {name: Path(directory) for name, directory in owner.sockets.items() if name in names}
    ready = all(name in sockets and _is_ready(KINDS[name], sockets[name]) for name in names)
    return sockets if ready else None


def _is_ready(kind: type[Postgres | Valkey], sockets: Path) -> bool:
    """Return whether a server answers its probe in time."""
    probe = kind.probe_at(sockets)
    end = time.monotonic() + PROBE_TIMEOUT
    try:
        while not probe.poll():
            if probe.failed or time.monotonic() > end:
                return False
            time.sleep(POLL)
    finally:
        probe.close()
    return kind.is_ready(probe.response)


def _start(
    data_dir: Path,
    lock: DataDirLock,
    names: list[str],
    *,
    exclusive: bool,
    wait: float,
    tuning: Tuning,
) -> EmbeddedServers:
    """Set the servers up, start them and wait until they are ready."""
    by_name = {name: KINDS[name](data_dir / name, tuning) for name in names}
    sockets = {name: server.sockets for name, server in by_name.items()}
    supervisors = [Supervisor(server, tuning) for server in by_name.values()]
    servers = EmbeddedServers(sockets, supervisors)
    lock.write_owner(Owner(os.getpid(), exclusive, {name: str(path) for name, path in sockets.items()}))
    try:
        for server, supervisor in zip(by_name.values(), supervisors, strict=True):
            # Valkey starts while PostgreSQL is set up.
            server.set_up()
            supervisor.watch()
        end = time.monotonic() + wait  # a set-up has no bound: on a slow machine it takes a minute
        while not all(supervisor.ready for supervisor in supervisors):
            servers.watch()
            _raise_failure(supervisors, overdue=time.monotonic() > end)
            time.sleep(POLL)
    except BaseException:
        servers.stop()
        raise
    return servers


def _raise_failure(supervisors: list[Supervisor], *, overdue: bool) -> None:
    """Raise why a server did not start, or that it is overdue."""
    for supervisor in supervisors:
        if supervisor.error is not None:
            raise EmbeddedError(supervisor.error)
        if overdue and not supervisor.ready:
            raise EmbeddedError(f"{supervisor.server.name} is not ready yet: its log in DATA_DIR says why")


def _wait_for_sharers(lock: DataDirLock, servers: EmbeddedServers) -> None:
    waiting = False
    while not lock.try_exclude_sharers():
        if not waiting:
            logger.info("waiting for other commands that use the same servers")
        waiting = True
        servers.watch()
        time.sleep(POLL * 10)
