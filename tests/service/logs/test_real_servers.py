"""Logs that real servers write under odd and valid requests: each is a visit, or a reject that is true."""

import base64
import hashlib
import json
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.logs.chunks import LogFile
from service.logs.format_options import FormatOptions
from service.logs.log_parser import LogParser
from tests.support.command_line import free_port
from tests.support.debian_servers import find_server
from tests.support.odd_requests import REQUESTS, USERS, send_requests
from tests.support.server_configs import APACHE, CUSTOM, JSON, NGINX, caddy_config

pytestmark = pytest.mark.slow

PATIENCE = 60.0  # seconds, for a server to answer
NO_URL = "the request names no URL that can be read"
PROTOCOL = re.compile(r"(?i:HTTP/.*)|[A-Z]+/[0-9.]+")
REQUEST = re.compile(r'"((?:[^"\\]|\\.)*)" ([0-9]{3}) ')
PASSWORDS = [user.partition(b":") for user in USERS if user is not None]


@contextmanager
def running(command: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    """Run a server until the block ends."""
    process = subprocess.Popen(command, env=environment)
    try:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        assert process.poll() is None
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def read(path: Path, log_format: str | None = None) -> tuple[str, int, set[str], int]:
    """Return a log's format, how many lines it has, why some are rejects, and how many are visits."""
    parser = LogParser(FormatOptions(UTC, declared=log_format))
    lines, reasons, others, name = 0, set[str](), 0, ""
    with path.open("rb") as file:
        for chunk in LogFile(file, chunk_bytes=50_000).chunks():
            columns = parser.parse(chunk, now=datetime.now(UTC) + timedelta(days=1))
            assert columns is not None
            assert columns.duplicates == 0
            lines, name = lines + columns.lines, columns.log_format
            reasons |= {reject.reason.partition(": ")[2] for reject in columns.rejects}
            others += len(columns)
    return name, lines, reasons, others


def is_readable(request: str, status: str) -> bool:
    """Return whether a request names a URL, read in the plainest way."""
    words = request.split(" ")
    while words[-1] == "":
        words.pop()
        if not words:
            return False
    if PROTOCOL.fullmatch(words[-1]):
        words.pop()
    url = " ".join(words[1:]).strip(" ")
    is_url = url.lower().startswith(("/", "http://"))
    return bool(words and words[0]) and is_url and not (" " in url and status == "400")


def readable_lines(path: Path) -> int:
    """Count the lines of a common or combined log whose request names a URL."""
    matches = map(REQUEST.search, path.read_text("utf-8").splitlines())
    return sum(is_readable(match[1], match[2]) for match in matches if match)


def count_lines(path: Path, answers: list[bytes]) -> int:
    """Return how many requests a log must have: all that were answered."""
    lines = path.read_text("utf-8").count("\n")
    assert sum(map(bool, answers)) <= lines <= len(answers)
    return lines


def check(folder: Path, names: Mapping[str, tuple[str | None, str]], sent: int, plain: str) -> None:
    """Check that each log has all requests that were answered, each a visit or a reject that names no URL."""
    readable = readable_lines(folder / plain)
    assert 0 < readable < sent
    for file, (declared, name) in names.items():
        broken = sum(not is_utf8(line) for line in (folder / file).read_bytes().splitlines())
        reasons = {NO_URL, "not UTF-8"} if broken else {NO_URL}
        assert read(folder / file, declared) == (name, sent, reasons, readable - broken), file


def is_utf8(line: bytes) -> bool:
    """Return whether a line is; nginx writes the bytes of URLs as they are into JSON."""
    return line.decode(errors="replace").encode() == line


def test_what_nginx_writes_is_read_and_none_is_lost(tmp_path: Path) -> None:
    program, environment = find_server("nginx", tmp_path)
    port, user = free_port(), "user root;" if os.geteuid() == 0 else ""
    text = NGINX.format(folder=tmp_path, port=port, user=user, custom=CUSTOM, json=JSON)
    (tmp_path / "nginx.conf").write_text(text)
    command = [str(program), "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    with running(command, environment, port):
        answers = send_requests(port)
    assert sum(map(bool, answers)) > REQUESTS / 2
    logs = {
        "combined.log": (None, "combined"),
        "vhost.log": (None, "vhost_combined"),
        "lines.log": (None, "json"),
        "own.log": (CUSTOM, "custom"),
    }
    check(tmp_path, logs, count_lines(tmp_path / "combined.log", answers), "combined.log")


@pytest.fixture
def public() -> Iterator[Path]:
    """Yield a folder that a server's own user may read."""
    with tempfile.TemporaryDirectory(prefix="trawl-apache-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_what_apache_writes_is_read_and_none_is_lost(tmp_path: Path, public: Path) -> None:
    program, environment = find_server("apache2", tmp_path)
    modules = Path("/usr/lib/apache2/modules")
    modules = modules if modules.is_dir() else tmp_path / "usr/lib/apache2/modules"
    port, user = free_port(), "User nobody\nGroup nogroup" if os.geteuid() == 0 else ""
    text = APACHE.format(folder=tmp_path, public=public, port=port, user=user, modules=modules)
    (tmp_path / "apache.conf").write_text(text)
    (public / "index.html").write_text("ok")
    with (public / "users").open("wb") as file:
        for login, _, password in PASSWORDS:
            file.write(login + b":{SHA}" + base64.b64encode(hashlib.sha1(password).digest()) + b"\n")
    with running([str(program), "-f", str(tmp_path / "apache.conf"), "-DFOREGROUND"], environment, port):
        answers = send_requests(port)
    logs = {
        "combined.log": (None, "combined"),
        "common.log": (None, "common"),
        "vhost.log": (None, "vhost_combined"),
    }
    log = (tmp_path / "combined.log").read_text()
    assert r"- a\\\"b [" in log
    assert " - [29/Nov/2026 [x [" in log
    check(tmp_path, logs, count_lines(tmp_path / "combined.log", answers), "combined.log")


def test_what_caddy_writes_is_read_and_none_is_lost(tmp_path: Path) -> None:
    """It logs no request that its library could not read, and answers those in a way of its own."""
    program, environment = find_server("caddy", tmp_path)
    port = free_port()
    (tmp_path / "Caddyfile").write_text(caddy_config(tmp_path, port))
    command = [str(program), "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"]
    with running(command, environment | {"HOME": str(tmp_path)}, port):
        answers = send_requests(port)
    path = tmp_path / "access.log"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == sum(b"\r\nServer: Caddy\r\n" in answer for answer in answers)
    urls = [line["request"]["uri"] for line in lines]
    readable = sum(url.lower().startswith(("/", "http://")) for url in urls)
    assert 0 < readable < len(lines)
    assert read(path) == ("json", len(lines), {NO_URL}, readable)
