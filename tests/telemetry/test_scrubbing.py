import json
import logging
import subprocess
import sys

import pytest
from structlog.testing import capture_logs

from telemetry.logs import HIDDEN, hide_secret_fields, scrub
from tests.support.http_client import Client, User

SCRIPT = """
import logging, structlog, sys
from telemetry.logs import configure_logging
configure_logging("INFO", sys.argv[1])
structlog.contextvars.bind_contextvars(request_id="r1", user_id=5)
structlog.get_logger("trawl.x").info("done", kind="visit", password="hunter2", token="t0ken", n=1)
structlog.get_logger("trawl.x").debug("not logged")
logging.getLogger("library").warning("old %s", "style", extra={"authorization": "Bearer t0ken"})
try:
    1 / 0
except ZeroDivisionError as error:
    structlog.get_logger("trawl.x").error("failed", exc_info=error)
"""


def run(log_format: str) -> list[str]:
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT, log_format], capture_output=True, text=True, check=True
    )
    assert process.stdout == ""
    assert "hunter2" not in process.stderr
    assert "t0ken" not in process.stderr
    return process.stderr.splitlines()


def test_every_line_is_a_json_object() -> None:
    done, library, failed = map(json.loads, run("json"))
    assert done["time"].endswith("Z")
    assert {name: done[name] for name in ("level", "event", "request_id", "user_id", "kind", "n")} == {
        "level": "info",
        "event": "done",
        "request_id": "r1",
        "user_id": 5,
        "kind": "visit",
        "n": 1,
    }
    assert (library["level"], library["event"]) == ("warning", "old style")
    assert "ZeroDivisionError" in failed["exception"]


def test_a_console_shows_the_same_to_a_person() -> None:
    text = "\n".join(run("console"))
    assert "done" in text
    assert "ZeroDivisionError" in text


async def test_a_request_is_one_line_with_the_template_of_its_route(client: Client, user: User) -> None:
    with capture_logs() as logs:
        await user.client.delete(f"/api/v1/user/{user.id + 1}", headers={"X-Request-ID": "r-17"})
        await client.get("/nothing/123")
        await user.client.request("OPTIONS", "/profile")
    requests = [line for line in logs if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("DELETE", "/user/<user_id:id>", 403),
        ("GET", None, 404),
        ("OPTIONS", None, 204),
    ]
    assert [line["user_id"] for line in requests] == [user.id, None, None]  # OPTIONS asks for no token
    assert all(0 < line["duration_ms"] < 5000 for line in requests)


async def test_request_and_user_are_on_every_line(user: User, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "trawl.http"):
        await user.client.get("/profile", headers={"X-Request-ID": "r-18"})
    [line] = [record.getMessage() for record in caplog.records if record.name == "trawl.http"]
    assert "request_id='r-18'" in line
    assert f"user_id={user.id}" in line


@pytest.mark.parametrize("name", ["password", "refresh_token", "totp", "current_password", "recovery_codes"])
def test_a_field_that_is_named_like_a_secret_is_hidden(name: str) -> None:
    assert hide_secret_fields(None, "", {"event": "x", name: ["c2VjcmV0"]}) == {"event": "x", name: HIDDEN}


async def test_no_secret_is_logged(client: Client, user: User) -> None:
    with capture_logs() as logs:
        key = (await user.client.post("/keys", json={"name": "k", "scopes": ["profile:read"]})).json["key"]
        await client.signed_in(key).get("/profile")
        await client.post("/login", json={"login": "anna", "password": "not the password"})
        answer = await client.post("/login", json={"login": "anna", "password": "correct horse battery"})
    text = repr(logs)
    for secret in (key, user.token, answer.json["access_token"], "not the password", "correct horse"):
        assert secret not in text


@pytest.mark.parametrize(
    "text",
    [
        "401 for eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2VjcmV0",
        "GET /x Authorization: Bearer c2VjcmV0",
        "can't connect to postgresql://anna:c2VjcmV0@db/trawl",
        "DSN password=c2VjcmV0 host=db",
        'body {"password": "c2VjcmV0"}',
        f"key trawl_{'c2VjcmV0' * 6}",
        f"token trawl_refresh_{'c2VjcmV0' * 5}abc",
        "grant_type=refresh_token&refresh_token=c2VjcmV0&x=1",
        '{"access_token": "c2VjcmV0"}',
        "{'totp': 'c2VjcmV0', 'recovery_code': 'c2VjcmV0'}",
        "otpauth://totp/Trawl:anna?secret=c2VjcmV0&issuer=Trawl",
    ],
)
def test_what_looks_like_a_secret_is_not_written_wherever_it_stands(text: str) -> None:
    assert "c2VjcmV0" not in str(scrub(None, "", {"event": text, "level": "error", "exception": text}))
