"""What a server writes down of a day, and what it must not; and what it tells Sentry."""

import json
import subprocess
import sys
import threading
import urllib.error
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import PASSWORD, Command, call, free_port, wait_until_ready

LINE = "shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 8.8.8.8 https://shop.example/frozen_fish/\n"
REPORTS = """
import asyncio, sys, structlog
from clients import sentry
from transport.observe import configure_logging, report_errors_to
configure_logging("INFO", "json")
sentry.start_sentry(sys.argv[1], release="trawl@1")
report_errors_to(sentry.send_error)
log = structlog.get_logger("trawl.x")
structlog.contextvars.bind_contextvars(request_id="r1", user_id=5)
def fail(password):
    raise ValueError("no such thing")
try:
    fail("hunter2-in-a-local-variable")
except ValueError as error:
    log.error("request_failed", exc_info=error)
    log.error("background_failed", exc_info=error)
log.error("dependency_away", exc_info=OSError("refused"))
log.warning("only_a_warning", exc_info=OSError("odd"))
asyncio.run(sentry.stop_sentry())
"""


def test_a_days_log_tells_what_was_done_and_no_secret(trawl: Command, tmp_path: Path) -> None:
    (tmp_path / "logs.txt").write_text(LINE)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = trawl.start(
        PORT=str(port),
        WORKERS="1",
        LOG_LEVEL="DEBUG",
        LOGS_FILE=str(tmp_path / "logs.txt"),
        KINOPOISK_API_KEY="a-key-of-somebody-else",
    )
    try:
        wait_until_ready(url)
        account = {"login": "anna", "password": PASSWORD}
        call(f"{url}/register", body=account)
        token = call(f"{url}/login", body=account)["access_token"]
        key = call(f"{url}/keys", token=token, body={"name": "k", "scopes": ["reports:read"]})["key"]
        call(f"{url}/report/1", token=key)
        call(f"{url}/parse", token=token)
        with pytest.raises(urllib.error.HTTPError):
            call(f"{url}/login", body={"login": "anna", "password": "another password"})
        with pytest.raises(urllib.error.HTTPError):
            call(f"{url}/profile?token={token}", token=f"{token}x")
    finally:
        process.terminate()
        output, errors = process.communicate(timeout=20)
    for secret in (PASSWORD, "another password", token, key, "a-key-of-somebody-else"):
        assert secret not in output + errors
    lines = [json.loads(line) for line in errors.splitlines()]
    assert all({"time", "level", "event"} <= line.keys() for line in lines)
    done = [line for line in lines if line["event"] == "request" and line["kind"] == "get_report"]
    assert len(done) == 1
    assert (done[0]["status"], done[0]["user_id"]) == (200, 1)
    assert done[0]["duration_ms"] > 0
    [settings] = [line for line in lines if line["event"] == "settings"]
    assert (settings["port"], settings["kinopoisk_api_key_is_set"]) == (port, True)
    [imported] = [line for line in lines if line["event"] == "import"]
    assert (imported["kind"], imported["status"], imported["lines"]) == ("import", "done", 1)
    assert imported["request_id"]


@pytest.fixture
def sentry() -> Iterator[tuple[str, list[bytes]]]:
    """A server that plays Sentry: its DSN, and the envelopes that it was sent."""
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            packed = self.headers.get("Content-Encoding") == "gzip"
            received.append(zlib.decompress(body, wbits=31) if packed else body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://public@127.0.0.1:{server.server_port}/1", received
        server.shutdown()
        thread.join()


def test_sentry_is_told_each_unexpected_error_once_and_no_secret(sentry: tuple[str, list[bytes]]) -> None:
    dsn, received = sentry
    subprocess.run([sys.executable, "-c", REPORTS, dsn], check=True, capture_output=True, timeout=30)
    sent = b"\n".join(received)
    events = [json.loads(line) for line in sent.splitlines() if b'"exception"' in line]
    assert [event["exception"]["values"][0]["value"] for event in events] == ["no such thing"]
    assert events[0]["tags"] == {"event": "request_failed", "request_id": "r1", "user_id": "5"}
    assert b"hunter2" not in sent
