"""`main.py doctor`: checks what Trawl needs here, and says what to do about what is wrong."""

import asyncio
import os
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import typer
from maxminddb import InvalidDatabaseError
from sqlalchemy import text

from bootstrap import Addresses, backing_services, read_rules_setting
from clients.geo import Geo
from commands.installation import describe_missing, is_missing
from commands.terminal import describe_error, load_settings, one_line_errors, say
from config import Settings, SettingsError
from db.database import DATABASE_ERRORS, Database
from db.dsn import describe_address
from db.health import read_bytes_behind, read_revision, read_workers
from db.migrate import newest_revision
from db.unusable import explain
from embedded import EmbeddedError
from service.cache import Cache, CacheUnavailable

MIN_FREE = 2**30  # bytes
MIN_FREE_SHARE = 0.05
MAX_SKEW = 2.0  # seconds
MIN_FILES = 4096  # open at once
FIRST_YEAR = 2026
DEFAULT_LOG = Path("logs.txt")
OLDEST_POSTGRES = 150000
VERSION_AND_TIME = text(
    "SELECT current_setting('server_version_num')::int, extract(epoch FROM clock_timestamp())"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of a part. `advice` says what to do, and is empty where all is well."""

    part: str
    state: str
    advice: str = ""


def diagnose(*, as_json: bool) -> None:
    """Print a finding a line, with advice under a bad one. Exit code 1 if any is bad."""
    with one_line_errors():
        findings = [*find_all()]
    if as_json:
        sys.stdout.buffer.write(
            orjson.dumps(findings, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )
    else:
        print_findings(findings)
    raise typer.Exit(1 if any(finding.advice for finding in findings) else 0)


def find_all() -> Iterator[Finding]:
    """Check everything; with a wrong setting there is nothing else to check."""
    try:
        settings = load_settings()
    except SettingsError as error:
        yield Finding("settings", str(error), "set it right, in the environment or in .env")
        return
    yield from check_machine(settings)
    yield from check_files(settings)
    yield from check_services(settings)


def print_findings(findings: list[Finding]) -> None:
    for finding in findings:
        mark = "BAD " if finding.advice else "ok  "
        say(f"{mark}{finding.part}: {finding.state}")
        if finding.advice:
            say(f"    {finding.advice}", style="red")


def check_machine(settings: Settings) -> Iterator[Finding]:
    """Check what needs no database and no cache."""
    yield Finding("settings", "read and checked")
    yield check_disk(settings.data_dir)
    yield check_secret(settings)
    yield check_open_files()
    year = time.gmtime().tm_year
    advice = "set the clock: tokens and visits are dated by it" if year < FIRST_YEAR else ""
    yield Finding("clock", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), advice)


def check_open_files() -> Finding:
    """Check the hard limit, up to which a worker raises its own."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return Finding("open files", "as many as are wanted")
    advice = f"raise the hard limit (ulimit -Hn) to {MIN_FILES} or more" if files < MIN_FILES else ""
    return Finding("open files", f"up to {files}", advice)


def check_disk(data_dir: Path) -> Finding:
    existing = next(folder for folder in (data_dir, *data_dir.parents) if folder.exists())
    usage = shutil.disk_usage(existing)
    state = f"{usage.free / 2**30:.1f} GiB free at {existing}"
    if not os.access(existing, os.W_OK):
        return Finding("disk", state, f"let this user write to {existing}, or set DATA_DIR")
    if usage.free < MIN_FREE or usage.free < usage.total * MIN_FREE_SHARE:
        return Finding("disk", state, "make room, or set DATA_DIR to a larger disk")
    return Finding("disk", state)


def check_secret(settings: Settings) -> Finding:
    path = settings.data_dir / "secret"
    if settings.secret is not None:
        return Finding("secret", "from SECRET")
    if not path.exists():
        return Finding("secret", "is made at the first start")
    open_to_others = path.stat().st_mode & 0o077
    return Finding("secret", f"in {path}", f"others can read it: chmod 600 {path}" if open_to_others else "")


def check_files(settings: Settings) -> Iterator[Finding]:
    """Check the files that settings name, those of which a start reads too."""
    yield check_log(settings.logs_file, is_expected=settings.logs_follow or settings.logs_file != DEFAULT_LOG)
    if settings.logs_dir is not None and not settings.logs_dir.is_dir():
        yield Finding("folder of logs", f"there is no folder {settings.logs_dir}", "make it, or set LOGS_DIR")
    try:
        read_rules_setting(settings.logs_rules)
    except SettingsError as error:
        yield Finding("rules", str(error), "mend that, or set LOGS_RULES")
    try:
        Geo.open(settings.geoip_path)
    except (InvalidDatabaseError, OSError) as error:
        yield Finding("countries", describe_error(error), "set GEOIP_PATH")


def check_log(file: Path, *, is_expected: bool) -> Finding:
    """Check the log: where no setting names one, it need not be there."""
    if not file.exists():
        advice = f"make {file}, or set LOGS_FILE to the log of the shop" if is_expected else ""
        return Finding("log", f"{file} is not there: /parse answers 404 until it is", advice)
    if not os.access(file, os.R_OK):
        return Finding("log", f"{file} can't be read", f"let this user read {file}, or set LOGS_FILE")
    return Finding("log", f"{file}, {file.stat().st_size:,} bytes")


def check_services(settings: Settings) -> list[Finding]:
    """Check the database and the cache, and the start of those that are embedded."""
    if is_missing(settings):
        return [
            Finding("database", f"there is none in {settings.data_dir}", describe_missing(settings.data_dir))
        ]
    try:
        with backing_services(settings) as (addresses, _):
            return asyncio.run(check_connections(addresses))
    except EmbeddedError as error:
        return [Finding("embedded servers", str(error), "see their logs in DATA_DIR; stop what else uses it")]


async def check_connections(addresses: Addresses) -> list[Finding]:
    database = Database.connect(addresses.database)
    cache = Cache.connect(addresses.cache)
    try:
        findings = await check_database(database, addresses.database)
        if addresses.replica != addresses.database and len(findings) > 1:  # the database answers
            findings.append(await check_replica(database, addresses.replica))
        return [*findings, *await check_workers(database), await check_cache(cache)]
    finally:
        await database.close()
        await cache.close()


async def check_database(database: Database, url: str) -> list[Finding]:
    before = time.time()
    try:
        async with database.read() as session:
            version, database_time = (await session.execute(VERSION_AND_TIME)).one()
    except DATABASE_ERRORS as error:
        cause, remedy = explain(error)
        advice = f"{remedy} (DATABASE_URL)" if remedy else "check DATABASE_URL"
        return [Finding("database", f"{cause}, at {describe_address(url)}", advice)]
    outdated = "PostgreSQL 15 or newer is needed" if version < OLDEST_POSTGRES else ""
    skew = float(database_time) - (before + time.time()) / 2
    skewed = "set both clocks, by NTP for example" if abs(skew) > MAX_SKEW else ""
    revision, newest = await read_revision(database), newest_revision()
    behind = "run `python main.py migrate`, or start the server" if revision != newest else ""
    return [
        Finding("database", f"PostgreSQL {version // 10000}", outdated),
        Finding("database's clock", f"{skew:+.2f} s from ours", skewed),
        Finding("migrations", f"at {revision or 'nothing'}, newest {newest}", behind),
    ]


async def check_replica(database: Database, url: str) -> Finding:
    """Check what lists and reports are read from. Meanwhile the database serves them."""
    replica = Database.connect(url)
    try:
        behind = await read_bytes_behind(database, replica)
    except DATABASE_ERRORS as error:
        cause, remedy = explain(error)
        advice = f"{remedy} (DATABASE_REPLICA_URL)" if remedy else "check DATABASE_REPLICA_URL"
        return Finding("replica", f"{cause}, at {describe_address(url)}", advice)
    finally:
        await replica.close()
    if behind is None:
        advice = "name a replica of the database, or leave DATABASE_REPLICA_URL away"
        return Finding("replica", f"{describe_address(url)} is none: nothing is read from it", advice)
    return Finding("replica", f"answers, {behind:,} bytes behind")


async def check_workers(database: Database) -> list[Finding]:
    """Check the workers of a cluster: none without one."""
    return [
        Finding(f"worker {name}", "answers")
        if good
        else Finding(f"worker {name}", "does not answer the coordinator", "start it, or see docs/scaling.md")
        for name, good in (await read_workers(database)).items()
    ]


async def check_cache(cache: Cache) -> Finding:
    try:
        await cache.run("PING")
    except CacheUnavailable as error:
        return Finding("cache", f"does not answer: {error.__cause__}", "start it, or check REDIS_URL")
    return Finding("cache", "answers")
