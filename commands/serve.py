"""`main.py serve`: the server, until a signal ends it."""

import asyncio

import structlog

from bootstrap import backing_services, make_worker_app, prepare_database
from commands.terminal import announce, load_settings, one_line_errors
from server.shared_counts import SharedCounts
from server.supervisor import HttpServer, handle_termination, serve_until_signal
from telemetry import multiprocess
from telemetry.disk import DiskWatch
from telemetry.metrics_folder import candidates, open_folder

log = structlog.get_logger("trawl.server")


def serve() -> None:
    """Migrate, then serve on the address of the settings."""
    with one_line_errors(), handle_termination() as termination:
        settings = load_settings(quiet=False)
        log.info("settings", **settings.public_values())
        slow_bodies = SharedCounts(settings.workers)
        with (
            HttpServer(
                settings.host,
                settings.port,
                settings.workers,
                on_worker_end=lambda worker: multiprocess.mark_worker_dead(folder, worker),
            ) as server,
            backing_services(settings, exclusive=True) as (addresses, watch),
            open_folder(candidates(settings.data_dir)) as folder,
        ):
            asyncio.run(prepare_database(settings, addresses))
            serve_until_signal(
                server,
                lambda: make_worker_app(settings, addresses, folder, slow_bodies),
                termination,
                watch=[watch, DiskWatch(settings.data_dir).watch],
                on_ready=lambda: announce(settings, "Trawl is serving on", url=url_of(*server.address)),
            )


def url_of(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
