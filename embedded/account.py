"""The user that PostgreSQL and Valkey run as, and what that user can reach."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import EmbeddedError

EVERYONE_MAY_ENTER = 0o001
EVERYONE_MAY_RUN = 0o005


@dataclass(frozen=True)
class Account:
    """A user and its group, by number: in a container neither needs to have a name."""

    uid: int
    gid: int


def service_account(directory: Path) -> Account | None:
    """The user to switch to for servers whose files lie in `directory`, or None to stay who we are.

    PostgreSQL refuses to run as root. Files that a plain user left there go on belonging to that user.
    """
    if os.geteuid() != 0:
        return None
    if directory.exists() and directory.stat().st_uid != 0:
        owner = directory.stat()
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedError("PostgreSQL can't run as root and there is no user postgres or nobody: add one")


def private_directory(path: Path, account: Account | None) -> None:
    """Make `path` a directory that `account` (else this user) alone can enter; root can enter all."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.stat()
    if account is not None and found.st_uid == 0:
        os.chown(path, account.uid, account.gid)
    elif found.st_uid != (account.uid if account else os.geteuid()):
        raise EmbeddedError(f"{path} belongs to user number {found.st_uid}: run as that user or move it away")
    path.chmod(0o700)


def everyone_reaches(program: Path) -> bool:
    """Whether any user at all can run `program`; access lists are not looked at."""
    program = program.resolve()
    ways = all(parent.stat().st_mode & EVERYONE_MAY_ENTER for parent in program.parents)
    return ways and program.stat().st_mode & EVERYONE_MAY_RUN == EVERYONE_MAY_RUN


@contextmanager
def effective(account: Account | None) -> Iterator[None]:
    """Be `account` for a moment: without CAP_SYS_PTRACE not even root sees another user's processes."""
    if account is None:
        yield
        return
    group = os.getegid()
    os.setegid(account.gid)
    os.seteuid(account.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
