"""Everything that the use cases need, made once at the start by bootstrap.py."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from clients.geo import Geo
from db.database import Database
from service.background import Background
from service.batcher import Batcher
from service.bounds import Bounds, WorkPermits
from service.bounds.shared_result import SharedResult
from service.cache import Cache
from service.columns.store import ColumnStore
from service.films.catalogue import FilmCatalogue
from service.live_counts import LiveCounts
from service.logs.folder import LogFolder
from service.mail import MailQueue
from service.security.passwords import Hasher
from service.security.quotas import Quotas
from service.security.rate_limits import UsedUp
from service.security.tokens import TokenSettings


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Requests a minute of one user, or of one address; 0 = no limit."""

    default: int = 100
    ingest: int = 1000
    collect: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """The dependencies of all use cases, one set a process."""

    db: Database
    replica: Database  # for reports and lists
    cache: Cache
    tokens: TokenSettings
    logs: LogFolder
    geo: Geo
    films: FilmCatalogue | None = None  # None without a key to look films up with
    mail: MailQueue | None = None  # None without a server to send mails by
    background: Background = field(default_factory=Background)
    hasher: Hasher = field(default_factory=Hasher)
    visit_batcher: Batcher[Any, Any] = field(default_factory=Batcher)  # of service.visits.record
    site_batcher: Batcher[Any, Any] = field(default_factory=Batcher)  # of service.visits.site_views
    view_counts: Batcher[Any, Any] = field(default_factory=Batcher)  # of views that sites report, by address
    used_up_views: UsedUp = field(default_factory=UsedUp)  # addresses that may report no more for a while
    sites: SharedResult[Any] = field(default_factory=partial(SharedResult, 0.5))  # of service.visits.sites
    health: SharedResult[Any] = field(default_factory=SharedResult)  # of service.health
    live: LiveCounts = field(default_factory=LiveCounts)
    limits: RateLimits = field(default_factory=RateLimits)
    quotas: Quotas = field(default_factory=Quotas)
    columns: ColumnStore = field(default_factory=ColumnStore)
    permits: WorkPermits = field(default_factory=lambda: WorkPermits.make(Bounds()))
    registration_open: bool = True
    version: str = "0"
    data_dir: Path | None = None  # whose disk is looked at; None for none
