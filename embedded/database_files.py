"""A database to a file and back, with the programs of PostgreSQL: pg_dump, pg_restore, psql."""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import parse_qs, unquote, urlsplit

from embedded.binaries import find_postgres

# Whatever tables are there now go, not only those that the backup knows. Without the COMMIT all is as before.
BEGIN = b"BEGIN; DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n"
OF_ANYBODY = ("--no-owner", "--no-privileges")
COMMIT = b"\nCOMMIT;\n"


class ToolFailed(Exception):
    """A program of PostgreSQL's has failed; its last line."""


def back_up(url: str, file: Path) -> None:
    """Write one consistent moment of the database of a libpq URL. Raises ToolFailed, OSError."""
    draft = file.with_name(f"{file.name}.part")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        with TemporaryFile() as told:
            command = [
                program("pg_dump"),
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                f"--file={draft}",
            ]
            dump = subprocess.run(command, env=environment(url), stderr=told, check=False)
            check(dump.returncode, "pg_dump", told)
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)


def restore(url: str, file: Path) -> None:
    """Replace all that is in the database, in one transaction. After a ToolFailed nothing has changed."""
    unpack = [program("pg_restore"), *OF_ANYBODY, "--file=-", str(file)]
    put = [program("psql"), "--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1"]
    with (
        TemporaryFile() as unpack_told,
        TemporaryFile() as put_told,
        subprocess.Popen(unpack, stdout=subprocess.PIPE, stderr=unpack_told) as source,
        subprocess.Popen(put, stdin=subprocess.PIPE, stderr=put_told, env=environment(url)) as target,
    ):
        assert source.stdout is not None
        assert target.stdin is not None
        try:
            target.stdin.write(BEGIN)
            shutil.copyfileobj(source.stdout, target.stdin)
            if source.wait() == 0:
                target.stdin.write(COMMIT)
            target.stdin.close()
        except BrokenPipeError:
            source.kill()
        check(target.wait(), "psql", put_told)
        check(source.wait(), "pg_restore", unpack_told)


def program(name: str) -> str:
    """Raises ToolFailed where PostgreSQL has come without it."""
    path = find_postgres().bin / name
    if not path.exists():
        raise ToolFailed(f"there is no {name} in {path.parent}")
    return str(path)


def environment(url: str) -> dict[str, str]:
    """A libpq URL as libpq's variables: on a command line everybody could read the password."""
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    given = {
        "PGHOST": options.pop("host", None) or parts.hostname,
        "PGPORT": options.pop("port", None) or (str(parts.port) if parts.port else None),
        "PGUSER": parts.username and unquote(parts.username),
        "PGPASSWORD": parts.password and unquote(parts.password),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
    } | {f"PG{name.upper()}": value for name, value in options.items()}
    return dict(os.environ) | {name: value for name, value in given.items() if value}


def check(code: int, name: str, told: IO[bytes]) -> None:
    if code:
        told.seek(0)
        lines = told.read().decode(errors="replace").strip().splitlines()
        raise ToolFailed(f"{name}: {lines[-1] if lines else f'exit code {code}'}")
