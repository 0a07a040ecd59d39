"""Proxies before a server of the tests, with the examples of deploy/, on this machine."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.support.command_line import PROJECT
from tests.support.debian_packages import program_or_skip
from tests.support.http_server import wait_for_port
from tests.support.mail_server import CERTIFICATE

DEPLOY = PROJECT / "deploy"
SYSTEM_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"  # where Debian has servers, and a user's PATH has not
CADDY, TRAEFIK = shutil.which("caddy", path=SYSTEM_PATH), shutil.which("traefik", path=SYSTEM_PATH)
NGINX_MAIN = """\
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 256; }}
http {{
    types {{ }}
    access_log {folder}/access.log combined;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}
}}
"""


def write_nginx(folder: Path, servers: str) -> Path:
    """Write the configuration of an nginx whose files are all in a folder."""
    path = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # its workers write into the folder of the test
    path.write_text(NGINX_MAIN.format(user=user, folder=folder, servers=servers))
    return path


@asynccontextmanager
async def run_nginx(folder: Path, servers: str, port: int) -> AsyncIterator[None]:
    """Run nginx with its files in a folder until the end of the block; skip the test if there is none."""
    program = program_or_skip("nginx")
    command = [str(program.path), "-c", str(write_nginx(folder, servers))]
    async with run_proxy(command, port, folder, program.environ):
        yield


def own_host(upstream: str, port: int, plain_port: int) -> str:
    """Return nginx's example for a host name of its own, for this machine and a certificate of the tests."""
    text = (DEPLOY / "nginx/trawl.conf").read_text()
    for example, value in (
        ("127.0.0.1:8000", upstream),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("listen 80;", f"listen 127.0.0.1:{plain_port};"),
        ("/etc/ssl/certs/trawl.pem", str(CERTIFICATE)),
        ("/etc/ssl/private/trawl.key", str(CERTIFICATE)),
    ):
        assert example in text, example
        text = text.replace(example, value)
    return without_lines(text, "listen [::]")


def under_a_path(upstream: str, port: int, *, strips: bool) -> str:
    """Return nginx's example for a path, in a server. If it strips, requests come without the path."""
    text = (DEPLOY / "nginx/trawl-under-a-path.conf").read_text()
    example = "proxy_pass http://127.0.0.1:8000;"
    assert example in text
    text = text.replace(example, f"proxy_pass http://{upstream}{'/' if strips else ''};")
    other = "location / { return 404; }"
    return f"server {{ listen 127.0.0.1:{port};\n{text}\n{other} }}"


def traefik_command(folder: Path, upstream: str, port: int) -> list[str]:
    """Write Traefik's example for this machine and Traefik's own certificate; return how it is run."""
    text = (DEPLOY / "traefik/trawl.yml").read_text()
    for example, value in (
        ("127.0.0.1:8000", upstream),
        ("tls:\n        certResolver: letsencrypt\n", "tls: {}\n"),
    ):
        assert example in text, example
        text = text.replace(example, value)
    (folder / "trawl.yml").write_text(text)
    return [
        str(TRAEFIK),
        f"--providers.file.filename={folder}/trawl.yml",
        f"--entrypoints.websecure.address=127.0.0.1:{port}",
        "--entrypoints.websecure.transport.respondingtimeouts.readtimeout=0",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=WARN",
    ]


def without_lines(text: str, begin: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.strip().startswith(begin))


@asynccontextmanager
async def run_proxy(
    command: list[str], port: int, folder: Path, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[None]:
    """Run a proxy until the end of the block."""
    environment = {**environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (folder / "output").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=output, stderr=output, env=environment
        )
        try:
            waiting = asyncio.create_task(wait_for_port(port))
            while not waiting.done():
                await asyncio.wait([waiting], timeout=0.1)
                assert process.returncode is None, (folder / "output").read_text()
            await waiting
            yield
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
