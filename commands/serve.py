"""`main.py serve`: the server, until a signal ends it."""

import asyncio
import multiprocessing
import shlex
import sys
from dataclasses import dataclass, replace
from logging import DEBUG, INFO
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog
from sanic import Sanic

import commands.shared_modules  # noqa: F401 - before any fork
from bootstrap import Addresses, backing_services, make_deps, start_background_work
from commands.preparation import prepare_database
from commands.terminal import announce, load_settings, log_format, one_line_errors
from config import Settings, SettingsError
from config.unknown_names import unknown_names
from server.connections import ConnectionBound
from server.processes import worker_number
from server.shared_counts import SharedCounts
from server.supervisor import HttpServer, handle_termination, serve_until_signal
from service.bounds import CORES, Bounds, WorkPermits
from telemetry import multiprocess
from telemetry.disk import DiskWatch
from telemetry.logs import set_error_reporter
from telemetry.metrics_folder import candidates, open_folder
from transport.app import make_app
from transport.heads import ForwardedWarning
from transport.settings import HttpSettings
from version import VERSION

CREATE_ADMIN = ".venv/bin/python main.py create-admin LOGIN"
DATA_DIR = "var"  # of a command that is not told another
log = structlog.get_logger("trawl.server")


def serve(*, host: str | None = None, port: str | None = None) -> None:
    """Migrate, then serve on the address of the settings; `host` and `port` go before these."""
    with one_line_errors(as_log=True), handle_termination() as termination:
        settings = load_settings(quiet=False, HOST=host, PORT=port)
        check_logs_dir(settings.logs_dir)
        sys.excepthook = log_unexpected
        is_for_programs = log_format(settings.log_format) == "json"
        # A person wants to see where the dashboard is, which comes last, and not 1,200 characters before.
        log.log(INFO if is_for_programs else DEBUG, "settings", **settings.public_values())
        if unknown := unknown_names():
            log.warning("unknown_settings", file=".env", names=unknown)
        shared = SharedByWorkers(SharedCounts(settings.workers), ForwardedWarning())
        with (
            HttpServer(
                settings.host,
                settings.port,
                settings.workers,
                on_worker_end=lambda worker: multiprocess.mark_worker_dead(folder, worker),
                bound=connection_bound(settings),
            ) as server,
            backing_services(settings, exclusive=True) as (addresses, watch),
            open_folder(candidates(settings.data_dir)) as folder,
        ):
            has_accounts = asyncio.run(prepare_database(settings, addresses))
            serve_until_signal(
                server,
                lambda: make_worker_app(settings, addresses, folder, shared),
                termination,
                watch=[watch, DiskWatch(settings.data_dir).watch],
                on_ready=lambda: announce_start(
                    settings, url_of(*server.address) + settings.base_path, has_accounts=has_accounts
                ),
            )


def check_logs_dir(folder: Path | None) -> None:
    """Check LOGS_DIR where it is read: a command beside the server, such as `migrate`, may not see it.

    :raises SettingsError: it is not a folder
    """
    if folder is not None and not folder.is_dir():
        raise SettingsError(f"LOGS_DIR is {str(folder)!r}; it takes the path of a folder that is there")


def log_unexpected(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Log an error that ends the server, as Python would print it."""
    log.critical("server_failed", exc_info=(kind, error, traceback))


@dataclass(frozen=True, slots=True)
class SharedByWorkers:
    """What workers have in common, as they are forked with it."""

    slow_bodies: SharedCounts  # of each address
    forwarded_warning: ForwardedWarning


def make_worker_app(
    settings: Settings, addresses: Addresses, folder: Path | None, shared: SharedByWorkers
) -> Sanic[Any, Any]:
    """Make the app of a worker process, which stores its metrics in `folder`, or none."""
    multiprocess.store_in(folder, multiprocessing.current_process().name)
    permits = WorkPermits.make(worker_bounds(settings), slow_bodies=shared.slow_bodies.row(worker_number()))
    deps = replace(make_deps(settings, addresses), permits=permits)
    http = HttpSettings(
        cors_origins=settings.cors_origins,
        proxies_count=settings.proxies_count or None,
        real_ip_header=settings.real_ip_header,
        allowed_hosts=frozenset(settings.allowed_hosts),
        metrics_token=settings.metrics_token,
        base_path=settings.base_path,
    )
    app = make_app(deps, http, forwarded_warning=shared.forwarded_warning)
    app.register_listener(lambda _app: start_background_work(settings, deps), "after_server_start")
    if settings.sentry_dsn is not None:
        from telemetry import sentry

        sentry.start_sentry(settings.sentry_dsn, release=f"trawl@{VERSION}")
        set_error_reporter(sentry.send_error)
        app.register_listener(lambda _app: sentry.stop_sentry(), "after_server_stop")
    return app


def worker_bounds(settings: Settings) -> Bounds:
    """Return the bounds of a worker: an embedded database computes on the cores of this machine."""
    bounds = Bounds()
    if settings.database_url is not None:
        return bounds
    return replace(bounds, account_queries=max(1, min(bounds.account_queries, CORES // settings.workers)))


def announce_start(settings: Settings, url: str, *, has_accounts: bool) -> None:
    """Say where the server is and, while there is no account, how to get one."""
    dashboard = f"{url}/dashboard"
    announce(settings, f"Trawl is serving on {url}", url=url)
    announce(settings, f"the dashboard is at {dashboard}", url=dashboard)
    if not has_accounts:
        or_sign_up = ", or sign up on that page" if settings.registration == "open" else ""
        announce(
            settings,
            f"there is no account yet: {create_admin(settings)} makes an admin{or_sign_up}",
            url=dashboard,
        )


def create_admin(settings: Settings) -> str:
    """Return the command that makes an admin in the database of this server, if that is an embedded one."""
    if settings.database_url is not None or settings.data_dir == Path(DATA_DIR).absolute():
        return CREATE_ADMIN
    return f"DATA_DIR={shlex.quote(str(settings.data_dir))} {CREATE_ADMIN}"


def connection_bound(settings: Settings) -> ConnectionBound | None:
    """Return the bound of the connections of one address; None behind a proxy, whose matter they are."""
    if settings.proxies_count or settings.real_ip_header:
        return None
    return ConnectionBound(SharedCounts(settings.workers), Bounds().address_connections)


def url_of(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
