"""Backs a database up to a file and restores it, with pg_dump, pg_restore and psql.

The server may be older or newer than these programs. A restoration leaves out what it does not know.
"""

import os
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import parse_qs, unquote, urlsplit

from embedded.binaries import find_postgres

# All tables of today are dropped, not only those in the backup. Without the COMMIT nothing changes.
# Citus depends on the schema: on a cluster what stands in it is dropped instead.
BEGIN = b"""BEGIN;
DO $$
DECLARE statement text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN
        DROP SCHEMA public CASCADE;
        CREATE SCHEMA public;
        RETURN;
    END IF;
    FOREACH statement IN ARRAY ARRAY(  -- all names before anything is dropped
        SELECT format(
            'DROP %s IF EXISTS %s CASCADE', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass
        )
        FROM pg_class
        WHERE
            relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
        UNION ALL
        SELECT format('DROP FUNCTION IF EXISTS %s CASCADE', oid::regprocedure)
        FROM pg_proc
        WHERE
            pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    ) LOOP
        EXECUTE statement;
    END LOOP;
END $$;
"""
MAGIC = b"PGDMP"  # with which pg_dump's own format begins
OWNERLESS = ("--no-owner", "--no-privileges")
COMMIT = b"\nCOMMIT;\n"
SETTING = re.compile(rb"SET (\w+) = '?([^']*?)'?;\n")
# PostgreSQL 15.20 and its like write it into each table for themselves, and others refuse it.
BOOKKEEPING = re.compile(rb"ALTER TABLE (?:ONLY )?\S+ ALTER COLUMN \S+ SET \(pg_attver=[0-9]+\);\n")
# A backup of a cluster can be restored on one server, and a cluster has its extension already.
CLUSTER = re.compile(rb"(?:CREATE|COMMENT ON) EXTENSION (?:IF NOT EXISTS )?citus(?:_columnar)?\b")
# The variables of libpq's parameters. What is in none of them concerns our own connections alone.
VARIABLES = {
    "application_name": "PGAPPNAME",
    "channel_binding": "PGCHANNELBINDING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "gssencmode": "PGGSSENCMODE",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "options": "PGOPTIONS",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "sslcert": "PGSSLCERT",
    "sslcrl": "PGSSLCRL",
    "sslkey": "PGSSLKEY",
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
CAUSE = re.compile(r"\b(?:error|ERROR|FATAL|PANIC): ")


class ToolFailed(Exception):
    """A program of PostgreSQL failed; the message is the line that tells its error."""


def back_up(url: str, file: Path) -> None:
    """Write a consistent snapshot of the database of a libpq URL to `file`.

    :raises ToolFailed: pg_dump failed; there is no file
    :raises OSError: the file can't be written
    """
    draft = file.with_name(f"{file.name}.part")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from None
    try:
        with TemporaryFile() as errors:
            command = [tool_path("pg_dump"), "--format=custom", *OWNERLESS, f"--file={draft}"]
            dump = subprocess.run(command, env=libpq_environment(url), stderr=errors, check=False)
            check_exit_code(dump.returncode, "pg_dump", errors)
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)


def check_backup(file: Path) -> None:
    """Look into the table of contents of a backup.

    :raises ToolFailed: it is none, is broken, or is one of another database than Trawl's
    """
    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            raise ToolFailed(f"{file} is not a backup: `main.py backup` writes what can be restored")
    command = [tool_path("pg_restore"), "--list", str(file)]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    if listing.returncode:
        cause = listing.stderr.partition("\n")[0].removeprefix("pg_restore: error: ")
        raise ToolFailed(f"{file} is a backup that can't be read: {cause}")
    if not re.search(r" TABLE public alembic_version ", listing.stdout):
        raise ToolFailed(f"{file} is a backup of another database than Trawl's")


def restore(url: str, file: Path) -> None:
    """Replace the content of the database by a backup, in one transaction.

    :raises ToolFailed: it failed; nothing has changed
    """
    unpack = [tool_path("pg_restore"), *OWNERLESS, "--file=-", str(file)]
    load = [tool_path("psql"), "--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1"]
    with (
        TemporaryFile() as unpack_errors,
        TemporaryFile() as load_errors,
        subprocess.Popen(unpack, stdout=subprocess.PIPE, stderr=unpack_errors) as source,
        subprocess.Popen(
            load, stdin=subprocess.PIPE, stderr=load_errors, env=libpq_environment(url)
        ) as target,
    ):
        assert source.stdout is not None
        assert target.stdin is not None
        try:
            target.stdin.write(BEGIN)
            copy_schema(source.stdout, target.stdin)
            shutil.copyfileobj(source.stdout, target.stdin)
            if source.wait() == 0:
                target.stdin.write(COMMIT)
            target.stdin.close()
        except BrokenPipeError:
            source.kill()
        except BaseException:  # an interruption: without COMMIT nothing changes
            target.kill()
            with suppress(BrokenPipeError):
                target.stdin.close()
            raise
        check_exit_code(target.wait(), "psql", load_errors)
        check_exit_code(source.wait(), "pg_restore", unpack_errors)


def copy_schema(source: IO[bytes], target: IO[bytes]) -> None:
    """Copy an SQL script up to its first rows, without what not every server knows."""
    for line in source:
        target.write(portable(line))
        if line.startswith(b"COPY "):
            return


def portable(line: bytes) -> bytes:
    """Return a line of a script as servers of any release take it.

    A parameter is set where there is one: pg_dump sets all that its own release has.
    """
    if BOOKKEEPING.fullmatch(line) or CLUSTER.match(line):
        return b""
    if setting := SETTING.fullmatch(line):
        return (
            b"SELECT pg_catalog.set_config(name, '%(value)b', false)"
            b" FROM pg_catalog.pg_settings WHERE name = '%(name)b';\n"
        ) % {b"name": setting[1], b"value": setting[2]}
    return line


def tool_path(name: str) -> str:
    """Return the path of a program of PostgreSQL.

    :raises ToolFailed: this installation has come without it
    """
    path = find_postgres().bin / name
    if not path.exists():
        raise ToolFailed(f"there is no {name} in {path.parent}")
    return str(path)


def libpq_environment(url: str) -> dict[str, str]:
    """Return this process's environment with a libpq URL as PG variables.

    On a command line everybody could read the password.
    """
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    hosts, ports = split_hosts(parts.netloc.rpartition("@")[2])
    variables = {
        "PGHOST": options.get("host") or hosts,
        "PGPORT": options.get("port") or ports,
        "PGUSER": options.get("user") or unquote(user),
        "PGPASSWORD": options.get("password") or unquote(password),
        "PGDATABASE": options.get("dbname") or unquote(parts.path.lstrip("/")),
    } | {variable: options[name] for name, variable in VARIABLES.items() if name in options}
    return dict(os.environ) | {name: value for name, value in variables.items() if value}


def split_hosts(netloc: str) -> tuple[str, str]:
    """Split `a:1,[::1]:2` into the hosts and the ports, as libpq takes them: `a,::1` and `1,2`."""
    hosts, ports = [], []
    for host in netloc.split(","):
        end = host.rfind("]") + 1  # of an IPv6 address in brackets
        name, _, port = host[end:].partition(":")
        hosts.append(unquote(host[:end].strip("[]") or name))
        ports.append(port)
    return ",".join(hosts), ",".join(ports) if any(ports) else ""


def check_exit_code(code: int, name: str, errors: IO[bytes]) -> None:
    """Raise what a program wrote to `errors` if it failed: the first line that tells an error, else the last.

    :raises ToolFailed: `code` is not 0
    """
    if code:
        errors.seek(0)
        lines = errors.read().decode(errors="replace").strip().splitlines() or [f"exit code {code}"]
        cause = next(filter(CAUSE.search, lines), lines[-1])
        raise ToolFailed(f"{name}: {cause.removeprefix(f'{name}: ')}")
