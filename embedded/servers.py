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
from embedded.sockets import Question
from embedded.supervisor import Supervisor
from embedded.valkey import Valkey

logger = logging.getLogger("trawl.embedded")

KINDS: dict[str, type[Postgres | Valkey]] = {"valkey": Valkey, "postgres": Postgres}
# Seconds.
POLL = 0.005
WAIT = 60.0
SERVER_MAY_LEAVE = 2.0  # an owner whose workers are just ending
COMMAND_MAY_LEAVE = 10.0
ANSWER_TAKES = 0.5


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
        """Start again what died or hangs. Never waits; call it ten times a second from the main thread."""
        for supervisor in self._supervisors:
            supervisor.watch()

    def stop(self) -> None:
        """End the servers that this process runs and wait until they have ended."""
        for supervisor in self._supervisors:
            supervisor.begin_stop()
        for supervisor in self._supervisors:
            supervisor.stop()
        self._supervisors = []


@contextmanager
def open_servers(
    data_dir: Path, *, postgres: bool = True, valkey: bool = True, exclusive: bool = False, wait: float = WAIT
) -> Iterator[EmbeddedServers]:
    """Run the servers of `data_dir`, or share them with the process that does.

    `exclusive` is for a process that must run them itself, and that stops them at its end whoever shares
    them; any other owner waits for those. `wait` is in seconds. Raises DataDirInUse or EmbeddedError.
    Only for the main thread.
    """
    wanted = [name for name in KINDS if {"postgres": postgres, "valkey": valkey}[name]]
    if not wanted:
        yield EmbeddedServers({})
        return
    with _blaming(data_dir):
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        data_dir = data_dir.resolve()
        lock = DataDirLock(data_dir)
    try:
        with _blaming(data_dir):
            servers = _own_or_share(data_dir, lock, wanted, exclusive=exclusive, wait=wait)
        try:
            yield servers
            if servers.owned and not exclusive:
                _let_sharers_finish(lock, servers)
        finally:
            servers.stop()
    finally:
        lock.close()


@contextmanager
def _blaming(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or data_dir
        raise EmbeddedError(f"DATA_DIR {data_dir} can't be used: {where}: {error.strerror}") from error


def _own_or_share(
    data_dir: Path, lock: DataDirLock, wanted: list[str], *, exclusive: bool, wait: float
) -> EmbeddedServers:
    begun = time.monotonic()
    while not lock.own():
        waited = time.monotonic() - begun
        owner = lock.read_owner()
        if exclusive:
            leaves = COMMAND_MAY_LEAVE if owner and not owner.exclusive else SERVER_MAY_LEAVE
            if waited > min(leaves, wait):
                who = f"process {owner.pid}" if owner else "another process"
                raise DataDirInUse(f"DATA_DIR {data_dir} is in use by {who}: stop it or set another DATA_DIR")
        elif lock.share():
            if owner and (sockets := _answering(owner, wanted)):
                logger.info("sharing the servers of process %d", owner.pid)
                return EmbeddedServers(sockets)
            lock.unshare()
        if waited > wait:
            raise EmbeddedError(f"the servers of DATA_DIR {data_dir} do not answer{_missing(owner, wanted)}")
        time.sleep(POLL * 2)
    return _start(data_dir, lock, wanted, exclusive=exclusive, wait=wait)


def _missing(owner: Owner | None, wanted: list[str]) -> str:
    missing = [name for name in wanted if owner and name not in owner.sockets]
    return f": process {owner.pid} runs no {' or '.join(missing)}" if owner and missing else ""


def _answering(owner: Owner, wanted: list[str]) -> dict[str, Path] | None:
    """The sockets of the wanted servers, if all of those are ready."""
    sockets = {name: Path(directory) for name, directory in owner.sockets.items() if name in wanted}
    ready = all(name in sockets and _answers(KINDS[name], sockets[name]) for name in wanted)
    return sockets if ready else None


def _answers(kind: type[Postgres | Valkey], sockets: Path) -> bool:
    question: Question = kind.ask_at(sockets)
    end = time.monotonic() + ANSWER_TAKES
    try:
        while not question.answered():
            if question.failed or time.monotonic() > end:
                return False
            time.sleep(POLL)
    finally:
        question.close()
    return kind.is_ready(question.answer)


def _start(
    data_dir: Path, lock: DataDirLock, wanted: list[str], *, exclusive: bool, wait: float
) -> EmbeddedServers:
    kinds = {name: KINDS[name](data_dir / name) for name in wanted}
    sockets = {name: server.sockets for name, server in kinds.items()}
    supervisors = [Supervisor(server) for server in kinds.values()]
    servers = EmbeddedServers(sockets, supervisors)
    lock.write_owner(Owner(os.getpid(), exclusive, {name: str(path) for name, path in sockets.items()}))
    end = time.monotonic() + wait
    try:
        for server, supervisor in zip(kinds.values(), supervisors, strict=True):
            # Valkey starts while PostgreSQL is set up.
            server.set_up()
            supervisor.watch()
        while not all(supervisor.ready for supervisor in supervisors):
            servers.watch()
            _refuse_failed(supervisors, overdue=time.monotonic() > end)
            time.sleep(POLL)
    except BaseException:
        servers.stop()
        raise
    return servers


def _refuse_failed(supervisors: list[Supervisor], *, overdue: bool) -> None:
    for supervisor in supervisors:
        if supervisor.error is not None:
            raise EmbeddedError(supervisor.error)
        if overdue and not supervisor.ready:
            raise EmbeddedError(f"{supervisor.server.name} is not ready yet: its log in DATA_DIR says why")


def _let_sharers_finish(lock: DataDirLock, servers: EmbeddedServers) -> None:
    told = False
    while not lock.outlast_sharers():
        if not told:
            logger.info("waiting for other commands that use the same servers")
            told = True
        servers.watch()
        time.sleep(POLL * 10)
