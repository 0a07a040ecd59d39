"""Following what nginx writes and logrotate rotates, both real."""

import asyncio
import http.client
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clients.geo import Geo
from clock import now
from db.database import Database
from service.logs.watched_path import RotationLimits
from tests.service.imports.test_follow import follow, wait_for_visits
from tests.support.command_line import free_port
from tests.support.debian_packages import Program, program_or_skip
from tests.support.log_imports import Importer
from tests.support.processes import PATIENCE, eventually

pytestmark = pytest.mark.slow

REQUESTS = 200
NGINX = """
{user}
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log {folder}/access.log combined;
    client_body_temp_path {folder}/tmp;
    proxy_temp_path {folder}/tmp;
    fastcgi_temp_path {folder}/tmp;
    uwsgi_temp_path {folder}/tmp;
    scgi_temp_path {folder}/tmp;
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 "fish"; }} }}
}}
"""
ROTATIONS = {
    "copytruncate": "copytruncate",
    "create": "create\n    postrotate\n        kill -USR1 $(cat {folder}/nginx.pid)\n    endscript",
    "late": "create\n    postrotate\n        sleep 1; kill -USR1 $(cat {folder}/nginx.pid)\n    endscript",
    "dateext": "dateext\n    dateformat -%Y%m%d%s\n    nocreate\n    postrotate\n"
    "        kill -USR1 $(cat {folder}/nginx.pid); sleep 1\n    endscript",  # its names have seconds
}


@dataclass
class Shop:
    """An nginx that logs into a folder, and the logrotate that rotates its log."""

    folder: Path
    port: int
    logrotate: Program
    requests: int = 0

    @property
    def log(self) -> Path:
        return self.folder / "access.log"

    def visit(self, count: int = REQUESTS) -> None:
        """Send so many requests, each of a page of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        for _ in range(count):
            self.requests += 1
            connection.request("GET", f"/fish/{self.requests}/", headers={"User-Agent": "Mozilla/5.0"})
            assert connection.getresponse().read() == b"fish"
        connection.close()

    def rotate(self, kind: str) -> None:
        config = self.folder / "logrotate.conf"
        options = ROTATIONS[kind].format(folder=self.folder)
        config.write_text(f"{self.log} {{\n    su root root\n    rotate 9\n    {options}\n}}\n")
        if os.getuid():
            config.write_text(config.read_text().replace("    su root root\n", ""))
        config.chmod(0o644)
        command = [str(self.logrotate.path), "--force", "--state", str(self.folder / "state"), str(config)]
        environ = self.logrotate.environ
        run = subprocess.run(
            command, env=environ, check=False, capture_output=True, text=True, timeout=PATIENCE
        )
        assert run.returncode == 0, run.stderr


@pytest.fixture
def real_shop(tmp_path: Path) -> Iterator[Shop]:
    nginx, logrotate = program_or_skip("nginx"), program_or_skip("logrotate")
    tmp_path.chmod(0o755)
    port = free_port()
    config = tmp_path / "nginx.conf"
    config.write_text(NGINX.format(user="" if os.getuid() else "user root;", folder=tmp_path, port=port))
    process = subprocess.Popen(
        [nginx.path, "-p", tmp_path, "-c", config],
        env=nginx.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )

    def accepts() -> bool:
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", port)) == 0

    try:
        assert eventually(accepts)
        yield Shop(tmp_path, port, logrotate)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


@pytest.mark.parametrize("kind", list(ROTATIONS))
async def test_all_that_nginx_logs_is_read_once_while_logrotate_rotates_it(
    committed_db: Database, geo: Geo, real_shop: Shop, kind: str
) -> None:
    importer = Importer(committed_db, geo)
    limits = RotationLimits(linger=1_000_000)
    async with follow(importer, real_shop.log, limits=limits, clock=now):
        for _ in range(3):
            await asyncio.to_thread(real_shop.visit)
            if kind == "copytruncate":
                await wait_for_visits(importer, real_shop.requests)
                await asyncio.to_thread(real_shop.rotate, kind)
            else:  # requests come meanwhile
                async with asyncio.TaskGroup() as group:
                    group.create_task(asyncio.to_thread(real_shop.rotate, kind))
                    group.create_task(asyncio.to_thread(real_shop.visit))
        await asyncio.to_thread(real_shop.visit, 20)
        await wait_for_visits(importer, real_shop.requests)
    rows = await importer.rows("SELECT sum(imported), sum(rejected), bool_and(status = 'done') FROM import")
    # A copy that was made between two looks is read, too: its lines are duplicates, as many as there are.
    assert rows == [(real_shop.requests, 0, True)]
