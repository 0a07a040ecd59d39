"""`python main.py doctor`: what keeps Trawl from working here, and what to do about it."""

import os
import resource
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bootstrap import Addresses
from config import Settings
from db.database import Database
from db.health import read_revision
from db.migrate import newest_revision
from embedded import EmbeddedError
from service.cache import Cache, CacheUnavailable

MIN_FREE = 2**30  # bytes
MIN_FREE_SHARE = 0.05
MAX_SKEW = 2.0  # seconds
MIN_FILES = 4096  # open at once
FIRST_YEAR = 2026
OLDEST_POSTGRES = 150000
VERSION_AND_TIME = text(
    "SELECT current_setting('server_version_num')::int, extract(epoch FROM clock_timestamp())"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """`advice` is what to do, and empty where all is well."""

    part: str
    told: str
    advice: str = ""

    @property
    def good(self) -> bool:
        return not self.advice


def examine_machine(settings: Settings) -> Iterator[Finding]:
    """What can be seen without the servers."""
    yield Finding("settings", "read and checked")
    yield examine_disk(settings.data_dir)
    yield examine_secret(settings)
    yield examine_log(settings.logs_file)
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = 0 < files < MIN_FILES
    yield Finding("open files", f"up to {files}", f"raise it: ulimit -n {MIN_FILES}" if few else "")
    year = time.gmtime().tm_year
    wrong = "set the clock: tokens and visits are dated by it" if year < FIRST_YEAR else ""
    yield Finding("clock", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), wrong)


def examine_disk(data_dir: Path) -> Finding:
    there = next(folder for folder in (data_dir, *data_dir.parents) if folder.exists())
    usage = shutil.disk_usage(there)
    told = f"{usage.free / 2**30:.1f} GiB free at {there}"
    if not os.access(there, os.W_OK):
        return Finding("disk", told, f"let this user write to {there}, or set DATA_DIR")
    if usage.free < MIN_FREE or usage.free < usage.total * MIN_FREE_SHARE:
        return Finding("disk", told, "make room, or set DATA_DIR to a larger disk")
    return Finding("disk", told)


def examine_secret(settings: Settings) -> Finding:
    path = settings.data_dir / "secret"
    if settings.secret is not None:
        return Finding("secret", "from SECRET")
    if not path.exists():
        return Finding("secret", "is made at the first start")
    open_to_others = path.stat().st_mode & 0o077
    return Finding("secret", f"in {path}", f"others can read it: chmod 600 {path}" if open_to_others else "")


def examine_log(file: Path) -> Finding:
    if not file.exists():
        return Finding("log", f"{file} is not there: /parse answers 404 until it is")
    if not os.access(file, os.R_OK):
        return Finding("log", f"{file} can't be read", f"let this user read {file}, or set LOGS_FILE")
    return Finding("log", f"{file}, {file.stat().st_size:,} bytes")


async def examine_servers(addresses: Addresses) -> list[Finding]:
    database = Database.connect(addresses.database)
    cache = Cache.connect(addresses.cache)
    try:
        return [*await examine_database(database), await examine_cache(cache)]
    finally:
        await database.close()
        await cache.close()


async def examine_database(database: Database) -> list[Finding]:
    begun = time.time()
    try:
        async with database.read() as session:
            version, at = (await session.execute(VERSION_AND_TIME)).one()
    except (TimeoutError, SQLAlchemyError, OSError) as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        return [Finding("database", cause, "start it, or check DATABASE_URL")]
    old = "PostgreSQL 15 or newer is needed" if version < OLDEST_POSTGRES else ""
    skew = float(at) - (begun + time.time()) / 2
    late = "set both clocks, by NTP for example" if abs(skew) > MAX_SKEW else ""
    revision, newest = await read_revision(database), newest_revision()
    behind = "run `python main.py migrate`, or start the server" if revision != newest else ""
    return [
        Finding("database", f"PostgreSQL {version // 10000}", old),
        Finding("database's clock", f"{skew:+.2f} s from ours", late),
        Finding("migrations", f"at {revision or 'nothing'}, newest {newest}", behind),
    ]


async def examine_cache(cache: Cache) -> Finding:
    try:
        await cache.run("PING")
    except CacheUnavailable as error:
        return Finding("cache", f"does not answer: {error.__cause__}", "start it, or check REDIS_URL")
    return Finding("cache", "answers")


def embedded_failure(error: EmbeddedError) -> Finding:
    return Finding("embedded servers", str(error), "see their logs in DATA_DIR; stop what else uses it")
