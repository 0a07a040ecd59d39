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
    """Return the user for servers whose files are in `directory`; None for the user of this process.

    PostgreSQL refuses to run as root. Files of a plain user go on belonging to that user.

    :raises EmbeddedError: this is root, and there is no other user to run as
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


def make_private_directory(path: Path, account: Account | None) -> None:
    """Make `path` a directory that only `account` (else this user) and root can enter.

    :raises EmbeddedError: it exists and belongs to somebody else
    """
    path.mkdir(mode=0o700, exist_ok=True)
    owner = path.stat().st_uid
    if account is not None and owner == 0:
        os.chown(path, account.uid, account.gid)
    elif owner != (account.uid if account else os.geteuid()):
        raise EmbeddedError(f"{path} belongs to user number {owner}: run as that user or move it away")
    path.chmod(0o700)


def everyone_can_run(program: Path) -> bool:
    """Return whether any user at all can run `program`, by the modes of it and all directories above."""
    program = program.resolve()
    can_enter = all(parent.stat().st_mode & EVERYONE_MAY_ENTER for parent in program.parents)
    return can_enter and program.stat().st_mode & EVERYONE_MAY_RUN == EVERYONE_MAY_RUN


@contextmanager
def effective_user(account: Account | None) -> Iterator[None]:
    """Switch this process to `account` within: without CAP_SYS_PTRACE root can't look into its processes."""
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
