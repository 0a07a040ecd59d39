"""The log of a server's day, the secrets it must not hold, and what is sent to Sentry."""

import asyncio
import json
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.command_line import PASSWORD, Command, free_port, wait_until_ready
from tests.support.films import FILM
from tests.support.http_client import Client
from tests.support.kinopoisk import FakeKinopoisk
from tests.support.processes import PATIENCE

LINE = "shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 8.8.8.8 https://shop.example/frozen_fish/\n"
REPORTS = """
import asyncio, sys, structlog
from telemetry import sentry
from telemetry.logs import configure_logging, set_error_reporter
configure_logging("INFO", "json")
sentry.start_sentry(sys.argv[1], release="trawl@1")
set_error_reporter(sentry.send_error)
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


SECRETS = {
    "SECRET": "the-secret-that-signs-the-tokens-of-a-day",
    "ADMIN_PASSWORD": "the password of the admin",
    "KINOPOISK_API_KEY": "a-key-of-somebody-else",
    "IPINFO_TOKEN": "a-token-of-somebody-else",
}
NEW_PASSWORD, WRONG_PASSWORD, WEAK_PASSWORD = "staple battery horse", "another password", "pa55w0rd"


async def spend_a_day(client: Client, kinopoisk: FakeKinopoisk) -> set[str]:
    """Send what users send, right and wrong; returns their secrets."""
    account = {"login": "anna", "password": PASSWORD}
    await client.post("/register", json={"login": "boris", "password": WEAK_PASSWORD[:7]})
    assert (await client.post("/register", json=account)).status == 201
    token = (await client.post("/login", json=account)).json["access_token"]
    anna = client.signed_in(token)
    key = (await anna.post("/keys", json={"name": "k", "scopes": ["reports:read"]})).json["key"]
    program = client.signed_in(key)
    assert (await program.get("/report/1")).status == 200
    assert (await program.get("/tasks")).status == 403
    assert (await anna.get("/parse")).status == 200
    assert (await anna.get("/movies/search?query=caviar")).status == 200
    kinopoisk.mode = 401
    assert (await anna.get(f"/movies/{FILM}")).status == 503
    for wrong in (account | {"password": WRONG_PASSWORD}, account | {"token": token}, [account]):
        assert (await client.post("/login", json=wrong)).status in (401, 422)
    broken = f'{{"login": "anna", "password": "{PASSWORD}"'
    assert (
        await client.post("/login", data=broken, headers={"Content-Type": "application/json"})
    ).status == 400
    assert (await client.signed_in(f"{token}x").get(f"/profile?token={token}")).status == 401
    assert (await anna.get(f"/tasks?{token}={PASSWORD}")).status == 422
    assert (await anna.get(f"/no/{token}")).status == 404
    changed = {"password": NEW_PASSWORD, "current_password": PASSWORD}
    assert (await anna.patch("/profile", json=changed | {"current_password": WRONG_PASSWORD})).status == 403
    assert (await anna.patch("/profile", json=changed)).status == 200
    assert (await anna.post("/logout?all=true")).status == 204
    return {PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, WEAK_PASSWORD[:7], token, key}


@pytest.mark.slow
async def test_a_days_log_has_every_operation_and_no_secret(
    trawl: Command, kinopoisk: FakeKinopoisk, tmp_path: Path
) -> None:
    log, port = tmp_path / "logs.txt", free_port()
    log.write_text(LINE)
    settings = {"PORT": str(port), "WORKERS": "1", "LOG_LEVEL": "DEBUG", "LOGS_FILE": str(log), **SECRETS}
    process = trawl.fork(**settings, ADMIN_LOGIN="root", KINOPOISK_URL=kinopoisk.url)
    try:
        url = f"http://127.0.0.1:{port}"
        await asyncio.to_thread(wait_until_ready, url)
        async with aiohttp.ClientSession(url) as session:
            secrets = await spend_a_day(Client(session), kinopoisk)
    finally:
        process.terminate()
        output, errors = await asyncio.to_thread(process.communicate, timeout=PATIENCE)
    assert [secret for secret in {*secrets, *SECRETS.values()} if secret in output + errors] == []
    lines = [json.loads(line) for line in errors.splitlines()]
    assert all({"time", "level", "event"} <= line.keys() for line in lines)
    reports = [line for line in lines if line["event"] == "request" and line["kind"] == "get_report"]
    assert len(reports) == 1
    assert (reports[0]["status"], reports[0]["user_id"]) == (200, 2)
    assert reports[0]["duration_ms"] > 0
    [settings_line] = [line for line in lines if line["event"] == "settings"]
    assert (settings_line["port"], settings_line["kinopoisk_api_key_is_set"]) == (port, True)
    [imported] = [line for line in lines if line["event"] == "import"]
    assert (imported["kind"], imported["status"], imported["lines"]) == ("import", "done", 1)
    assert imported["request_id"]
    assert [line["event"] for line in lines if line["level"] == "error"] == ["kinopoisk_key_refused"]


@pytest.fixture
def sentry() -> Iterator[tuple[str, list[bytes]]]:
    """A server that plays Sentry: its DSN, and the envelopes that it was sent."""
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_gzipped = self.headers.get("Content-Encoding") == "gzip"
            received.append(zlib.decompress(body, wbits=31) if is_gzipped else body)
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


def test_sentry_receives_each_unexpected_error_once_and_no_secret(sentry: tuple[str, list[bytes]]) -> None:
    dsn, received = sentry
    subprocess.run([sys.executable, "-c", REPORTS, dsn], check=True, capture_output=True, timeout=PATIENCE)
    sent = b"\n".join(received)
    events = [json.loads(line) for line in sent.splitlines() if b'"exception"' in line]
    assert [event["exception"]["values"][0]["value"] for event in events] == ["no such thing"]
    assert events[0]["tags"] == {"event": "request_failed", "request_id": "r1", "user_id": "5"}
    assert b"hunter2" not in sent
