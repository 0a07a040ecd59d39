"""The composition root: settings give addresses, and addresses give the dependencies of use cases.

Wired by hand in one place; only the commands import it. It does without HTTP: most commands serve nothing.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from calendar_days import time_zone
from clients.geo import Geo
from clients.kinopoisk import Kinopoisk
from clients.smtp_message import parse_smtp_url
from clock import now
from config import Settings, SettingsError, load_secret
from db.database import Database
from db.locks import EVENT_COLUMNS, VISIT_PARTS
from db.migrate import migrate
from embedded import open_servers
from service.accounts.audit import enforce_audit_retention
from service.accounts.expiry import delete_expired_credentials
from service.background import Background, Schedule, run_periodically
from service.cache import Cache
from service.columns.store import ColumnStore, sweep_columns
from service.deps import Deps, RateLimits
from service.events.merging import is_due, merge_events
from service.films.catalogue import FilmCatalogue
from service.imports.follow import LogFollower
from service.imports.record import ImportOptions
from service.imports.recovery import recover_imports
from service.logs.folder import LogFolder
from service.logs.url_rules import Rules, RulesError, read_rules
from service.mail import MailQueue
from service.security.quotas import Quotas
from service.security.tokens import TokenSettings
from service.visits.merging import VisitMerger
from telemetry import metrics
from version import VERSION

POOL_SIZE = 10  # connections of a worker
T = TypeVar("T")


MERGING = Schedule(every=5.0, retry=60.0)
VISIT_MERGING = Schedule(every=60.0, retry=60.0)


@dataclass(frozen=True, slots=True)
class Addresses:
    """The URLs of the database, its replica and the cache, embedded or not."""

    database: str
    replica: str
    cache: str


def make_deps(settings: Settings, addresses: Addresses) -> Deps:
    database = Database.connect(addresses.database, pool_size=POOL_SIZE)
    cache, background = Cache.connect(addresses.cache), Background()
    return Deps(
        db=database,
        replica=connect_replica(database, addresses),
        cache=cache,
        tokens=TokenSettings(
            settings.secret or load_secret(settings.data_dir),
            settings.jwt_algorithm,
            timedelta(minutes=settings.access_token_expire_minutes),
            settings.secret_previous,
        ),
        logs=LogFolder(
            file=settings.logs_file,
            folder=settings.logs_dir,
            private=(settings.data_dir,),
            zone=time_zone(settings.logs_timezone),
            rules=read_rules_setting(settings.logs_rules),
            address_mask=settings.address_mask,
            log_format=settings.logs_format,
        ),
        geo=Geo.open(settings.geoip_path),
        films=make_films(settings, cache, background),
        mail=make_mail(settings, background),
        background=background,
        limits=RateLimits(
            settings.rate_limit_per_minute,
            settings.ingest_rate_limit_per_minute,
            settings.collect_rate_limit_per_minute,
        ),
        quotas=Quotas(settings.keys_max, settings.tasks_max, settings.favourites_max, settings.streams_max),
        columns=ColumnStore.under(settings.data_dir, megabytes=settings.column_cache_mb),
        registration_open=settings.registration == "open",
        version=VERSION,
        data_dir=settings.data_dir,
    )


def connect_replica(database: Database, addresses: Addresses) -> Database:
    """Return what lists, statistics, reports and exports read from; without a replica the database itself."""
    if addresses.replica == addresses.database:
        return database
    from db.replica import ReplicatedDatabase

    return ReplicatedDatabase.of(database, addresses.database, addresses.replica, pool_size=POOL_SIZE)


def make_films(settings: Settings, cache: Cache, background: Background) -> FilmCatalogue | None:
    """Return the catalogue of films; None if no API key is set."""
    if settings.kinopoisk_api_key is None:
        return None
    client = Kinopoisk(
        settings.kinopoisk_url,
        settings.kinopoisk_api_key,
        on_call=partial(metrics.observe_upstream, "kinopoisk"),
    )
    return FilmCatalogue(client, cache, background, instance=secrets.token_hex(8), workers=settings.workers)


def make_mail(settings: Settings, background: Background) -> MailQueue | None:
    """Return the queue of mails; None if no mail server is set."""
    if settings.smtp_url is None:
        return None
    from clients.smtp import SmtpServer  # with a library that would cost every start

    server = SmtpServer(
        parse_smtp_url(settings.smtp_url),
        sender=settings.mail_from,
        on_call=partial(metrics.observe_upstream, "smtp"),
    )
    return MailQueue(server.send, background)


def start_background_work(settings: Settings, deps: Deps) -> None:
    """Start what a worker does beside its requests, as the settings say."""
    recovery = recover_imports(deps.db, deps.geo, deps.logs, deps.background, clock=now)
    deps.background.spawn(recovery, name="recovery of imports")
    expiry = delete_expired_credentials(deps.db, clock=now)
    deps.background.spawn(expiry, name="expiry of credentials")
    if settings.logs_follow:
        # Not mode "follow": another worker resumes what this one leaves.
        options = ImportOptions(
            deps.logs.zone,
            mode="resume",
            rules=deps.logs.rules,
            address_mask=deps.logs.address_mask,
            log_format=deps.logs.log_format,
        )
        follower = LogFollower(deps.db, deps.geo, options, now)
        deps.background.spawn(follower.follow(deps.logs.file), name="following of the log")
    audit = enforce_audit_retention(deps.db, settings.audit_days, clock=now)
    deps.background.spawn(audit, name="retention of the audit")
    merging = run_periodically(
        deps.db,
        partial(merge_events, deps.db),
        MERGING,
        lock=EVENT_COLUMNS,
        is_due=partial(is_due, deps.db),
        failure_event="event_columns_postponed",
    )
    deps.background.spawn(merging, name="merging of event columns")
    visits = VisitMerger(deps.db, now)
    visit_merging = run_periodically(
        deps.db,
        visits.merge,
        VISIT_MERGING,
        lock=VISIT_PARTS,
        is_due=visits.is_due,
        failure_event="visit_parts_postponed",
    )
    deps.background.spawn(visit_merging, name="merging of visits")
    sweep = sweep_columns(deps.db, deps.columns)
    deps.background.spawn(sweep, name="sweep of columns")
    if settings.retention_days is not None:
        retention = apply_retention(deps.db, settings.retention_days)
        deps.background.spawn(retention, name="retention")
    # A masked address is nobody's, and may be in another country than the visitor's.
    if settings.ipinfo_token is not None and not settings.address_mask:
        backfill = backfill_countries(deps.db, settings.ipinfo_token)
        deps.background.spawn(backfill, name="backfill of countries")


# Few workers do these: what they need is imported in a thread, as it takes a while.


async def apply_retention(db: Database, days: int) -> None:
    await asyncio.to_thread(import_module, "service.visits.retention")
    from service.visits.retention import enforce_retention

    await enforce_retention(db, days, clock=now)


async def backfill_countries(db: Database, token: str) -> None:
    """Ask ipinfo.io for the countries that stored visits lack, until it is cancelled."""
    await asyncio.to_thread(import_module, "service.visits.countries")
    from clients.ipinfo import IpInfo  # imports aiohttp: a tenth of the start of every command
    from service.visits import countries

    service = IpInfo(token, on_call=partial(metrics.observe_upstream, "ipinfo"))
    await countries.backfill_countries(db, service, clock=now)


@contextmanager
def backing_services(
    settings: Settings, *, exclusive: bool = False
) -> Iterator[tuple[Addresses, Callable[[], None]]]:
    """Run the embedded servers that the settings do not replace; yields all addresses and `watch`.

    Call `watch` ten times a second to restart embedded servers that die. `exclusive` refuses to share them.

    :raises EmbeddedError: a server can't be started or shared
    """
    with open_servers(
        settings.data_dir,
        postgres=settings.database_url is None,
        valkey=settings.redis_url is None,
        exclusive=exclusive,
    ) as servers:
        database = settings.database_url or str(servers.postgres_url)
        replica = settings.database_replica_url or database
        yield Addresses(database, replica, settings.redis_url or str(servers.redis_url)), servers.watch


def read_rules_setting(path: Path | None) -> Rules | None:
    """Read the rules of LOGS_RULES, None if it is not set.

    :raises SettingsError: they are wrong
    """
    try:
        return read_rules(path) if path else None
    except RulesError as error:
        raise SettingsError(f"LOGS_RULES: {error}") from None


async def run_with_database(addresses: Addresses, work: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    """Migrate, connect, await `work` and close; returns its result."""
    await migrate(addresses.database)
    db = Database.connect(addresses.database)
    try:
        return await work(db)
    finally:
        await db.close()
