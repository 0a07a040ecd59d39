"""`make jwt-demo`: shows what a token is and does, on a server of its own that leaves nothing behind."""

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
ACCOUNT = {"login": "anna", "password": "correct horse battery"}
START_TIMEOUT = 60  # seconds


def main() -> None:
    with serve_trawl() as url:
        show("Sign up and sign in", "POST /register, POST /login", call(url, "/register", body=ACCOUNT)[1])
        pair = call(url, "/login", body=ACCOUNT)[1]
        token = pair["access_token"]
        header, claims, _ = (decode_part(part) for part in token.split("."))
        show(
            "The token says who and until when, for everybody to read", "header, claims", {**header, **claims}
        )
        show(
            "It opens what is private",
            "Authorization: Bearer …",
            call(url, "/profile", token=f"Bearer {token}"),
        )
        show("Also without the word", "Authorization: …", call(url, "/profile", token=token))
        show(
            "Nobody can change it: its signature would not fit",
            "sub 1 → 2",
            call(url, "/profile", token=forge(token)),
        )
        refresh = {"refresh_token": pair["refresh_token"]}
        status, pair = call(url, "/token/refresh", body=refresh)
        show("Before it expires, a refresh token gets the next pair", "POST /token/refresh", (status, pair))
        token, refresh = pair["access_token"], {"refresh_token": pair["refresh_token"]}
        show(
            "Signing out ends it on every worker at once",
            "POST /logout",
            call(url, "/logout", token=token, body={}),
        )
        show("From now on it opens nothing", "GET /profile", call(url, "/profile", token=token))
        show("Nor does the refresh token", "POST /token/refresh", call(url, "/token/refresh", body=refresh))


@contextmanager
def serve_trawl() -> Iterator[str]:
    """Serve Trawl from a temporary folder; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="trawl-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user where this is root
        settings = {"PORT": str(port), "DATA_DIR": f"{folder}/var", "WORKERS": "1", "LOG_LEVEL": "ERROR"}
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        server = subprocess.Popen(
            [sys.executable, "main.py"], cwd=PROJECT, env=inherited | settings, stdout=subprocess.DEVNULL
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/ready")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def wait_for(url: str) -> None:
    end = time.monotonic() + START_TIMEOUT
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def call(url: str, path: str, *, token: str = "", body: dict[str, str] | None = None) -> tuple[int, Any]:
    """Send a request; returns the status and the JSON of the response."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **({"Authorization": token} if token else {})}
    request = urllib.request.Request(f"{url}{path}", data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            content = response.read()
            return response.status, json.loads(content) if content else None
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def decode_part(part: str) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}  # the signature
    return fields


def forge(token: str) -> str:
    """Return the token with the number of another user."""
    header, claims, signature = token.split(".")
    other_claims = json.dumps(decode_part(claims) | {"sub": "2"}).encode()
    return f"{header}.{base64.urlsafe_b64encode(other_claims).decode().rstrip('=')}.{signature}"


def show(title: str, source: str, result: Any) -> None:
    print(f"\n{title}  ({source})\n  {json.dumps(result)}")


if __name__ == "__main__":
    main()
