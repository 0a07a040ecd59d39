"""Child processes that end with their parent and with nothing else."""

import os
import signal
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from embedded.account import Account, effective_user
from server.processes import STOP_SIGNALS, end_with_parent, stop_signals_blocked

# Only what the programs need: our own environment may hold secrets, and PG* variables would mislead them.
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C",
    "TZ": "UTC",
    # Bounds that glibc would raise to 32 MiB: a session of PostgreSQL that held 7 MB had 23 MB of heap.
    "MALLOC_MMAP_THRESHOLD_": str(2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**20),
}


def spawn(
    command: Sequence[str | Path], *, cwd: Path, log: Path, account: Account | None, death_signal: int
) -> subprocess.Popen[bytes]:
    """Start `command` in `cwd` as `account`, with its output appended to `log`.

    The kernel sends it `death_signal` when this thread ends, so only the main thread may call this. It gets
    a session of its own: a terminal's Ctrl-C does not reach it. `cwd` is entered before the user is
    changed, so that `account` need not be able to walk there.
    """
    assert threading.current_thread() is threading.main_thread()
    with log.open("ab") as output, _fork_warning_ignored():
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,
            preexec_fn=_bind_to_parent(death_signal),
        )


def run(
    command: Sequence[str | Path], *, cwd: Path, account: Account | None, text: str = ""
) -> tuple[int, str]:
    """Run `command` to its end with `text` as its input; returns its exit code and all its output.

    A stop signal ends it, once the fork is over. During the fork Python may run the signal's handler where
    exceptions are ignored: this process would go on as if no signal had come.
    """
    with (
        _fork_warning_ignored(),
        stop_signals_blocked(),
        subprocess.Popen(
            command,
            cwd=cwd,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,
            preexec_fn=_bind_to_parent(signal.SIGKILL),
        ) as process,
    ):
        try:
            with _stop_signals_unblocked():
                output, _ = process.communicate(text)
        except BaseException:
            # initdb's own children too.
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, output


@contextmanager
def _stop_signals_unblocked() -> Iterator[None]:
    """Let stop signals through again, inside of `stop_signals_blocked`."""
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def processes_in(directory: Path, program: str, account: Account | None) -> list[int]:
    """Return the living processes of `account` that run `program` with `directory` as working directory."""
    home = directory.stat()
    pids = []
    with effective_user(account):
        for process in (path for path in Path("/proc").iterdir() if path.name.isdigit()):
            try:
                cwd = (process / "cwd").stat()
                executable = (process / "exe").readlink().name
            except OSError:
                continue
            if os.path.samestat(cwd, home) and executable.removesuffix(" (deleted)") == program:
                pids.append(int(process.name))
    return pids


@contextmanager
def _fork_warning_ignored() -> Iterator[None]:
    """Ignore the warning of Python 3.12 and newer about a fork beside threads.

    The child may need a lock that a thread held. Ours makes three system calls and then runs another program.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _bind_to_parent(death_signal: int) -> Callable[[], None]:
    """Make the function that a new child runs first: the kernel ends it with this process."""
    parent = os.getpid()

    def bind() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        if not end_with_parent(parent, death_signal):
            os._exit(1)

    return bind
